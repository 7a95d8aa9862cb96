"""Marks as Gradescope's autograder takes them: `results.json`.

Source: gradescope-autograders.readthedocs.io, Autograder Specifications. A test is a cell; its `score` is that of the
rubric, and its `status` is passed where the cell is right or carried.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.homework.answers import Mark, Marked
from archcalc.homework.submissions import Paper
from archcalc.render.feedback import fault_lines, feedback_of, finding_lines, finding_of
from archcalc.render.records import encoded
from archcalc.render.structured import plain


def lines(paper: Paper, solutions: bool) -> Iterator[str]:
    """The document of one submission; one that could not be read has no points, and its output says why."""
    if paper.marked is None:
        output = "\n".join(("not marked:", *fault_lines(paper)))
        return iter([encoded({"score": 0, "output": output, "output_format": "text", "tests": []})])
    return iter([encoded(_document(paper.marked, solutions))])


def _document(marked: Marked, solutions: bool) -> dict[str, Any]:
    feedback = feedback_of(marked, solutions)
    told = [f"{feedback.arch}: {feedback.score}: {feedback.counts}"]
    told += [f"{heading}: {sentence}" for heading, sentences in feedback.sections for sentence in sentences]
    return {
        "score": plain(marked.score),
        "output": "\n".join(told),
        "output_format": "text",
        "visibility": "visible",
        "tests": [_test(mark, solutions) for mark in marked.marks],
    }


def _test(mark: Mark, solutions: bool) -> dict[str, Any]:
    finding = finding_of(mark, solutions)
    right = f"; right is {finding.right}" if finding.right and mark.status != "right" else ""
    return {
        "name": finding.where,
        "score": plain(mark.points),
        "max_score": plain(mark.of),
        "status": "failed" if mark.status == "wrong" else "passed",
        "output": "\n".join((f"{mark.status}: {finding.given}{right} ({finding.place})", *finding_lines(finding))),
        "output_format": "text",
        "visibility": "visible",
    }
