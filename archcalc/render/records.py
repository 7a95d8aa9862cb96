"""Marks for scripts and spreadsheets: JSON, and CSV with a row for each cell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from archcalc import __version__
from archcalc.homework.answers import Mark, Marked
from archcalc.homework.submissions import Checked, Paper
from archcalc.render import separated
from archcalc.render.feedback import fault_lines, finding_of, harmless, layer_text, mistakes_of, printable
from archcalc.render.structured import plain
from archcalc.render.table import Column, Row, Table

LONGEST_NAME = 200
CELLS = tuple(
    Column(key, key, "text")
    for key in (
        *("file", "student", "where", "layer", "quantity", "given", "right", "status", "points", "of", "mistake"),
        *("arithmetic", "other_mistakes", "note"),
    )
)


# ---------------------------------------------------------------- JSON


def json_lines(checked: Checked) -> Iterator[str]:
    """The marks as JSON: of one file its answers, of a folder all submissions."""
    if checked.folder:
        papers = [
            {"file": paper.name, "student": paper.student, **_of(paper, checked.solutions)} for paper in checked.papers
        ]
        skipped = [{"file": name, "why": why} for name, why in checked.skipped]
        return iter([document("check", arch=checked.arch, submissions=papers, skipped=skipped)])
    (paper,) = checked.papers
    return iter([document("check", arch=checked.arch, file=paper.name, **_of(paper, checked.solutions))])


def document(kind: str, **content: Any) -> str:
    """A whole answer in which every letter that is not to be printed is written as its number."""
    return encoded({"archcalc": __version__, "kind": kind, **content})


def encoded(content: Any) -> str:
    r"""As JSON, harmless to a terminal.

    >>> print(encoded("a\x9b1m\u202e\ud800"))
    "a\u009b1m\u202e\ud800"
    """
    text = json.dumps(content, default=plain, ensure_ascii=False, indent=2)
    return "".join(char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1] for char in text)


def _of(paper: Paper, solutions: bool) -> dict[str, Any]:
    if paper.marked is None:
        return {"answers": None, "score": None, "of": None, "error": list(fault_lines(paper))}
    marked = paper.marked
    submission = marked.submission
    return {
        "answers": [_answer(mark, solutions) for mark in marked.marks],
        "score": plain(marked.score),
        "of": plain(marked.of),
        "conventions": list(marked.conventions),
        "patterns": list(marked.patterns),
        "remarks": list(submission.remarks),
        "missing": list(submission.missing),
        "unread": [{"where": str(place), "text": text, "why": why} for place, text, why in submission.unread],
    }


def _answer(mark: Mark, solutions: bool) -> dict[str, Any]:
    mistakes = [each._asdict() for each in mistakes_of(mark, solutions)]
    finding = finding_of(mark, solutions)
    return {
        "where": str(mark.answer.where),
        "layer": mark.answer.layer,
        "quantity": mark.answer.quantity,
        "given": mark.answer.text,
        "right": plain(mark.right) if solutions else None,
        "status": mark.status,
        "mistake": mark.mistakes[0].name if mark.mistakes else None,
        "mistakes": [{key: each[key] for key in ("name", "arithmetic", "note")} for each in mistakes],
        "note": finding.note or None,
        "solution": list(mark.solution) if solutions else [],
        "points": plain(mark.points),
        "of": plain(mark.of),
    }


# ---------------------------------------------------------------- CSV


def csv_lines(checked: Checked) -> Iterator[str]:
    """A row a cell; a file that could not be read has one, which says why."""
    rows = tuple(row for paper in checked.papers for row in _rows(paper, checked.solutions))
    return separated.lines(Table("", CELLS, rows))


def safe(row: tuple[Any, ...]) -> Row:
    """A row whose texts no spreadsheet takes for formulas."""
    return Row(tuple(harmless(cell) if isinstance(cell, str) else cell for cell in row))


def _rows(paper: Paper, solutions: bool) -> Iterator[Row]:
    names = (printable(paper.name, LONGEST_NAME), printable(paper.student, LONGEST_NAME))
    if paper.marked is None:
        yield safe((*names, *[None] * 5, "not marked", *[None] * 5, "; ".join(fault_lines(paper))))
        return
    for mark in paper.marked.marks:
        yield safe((*names, *_cells(paper.marked, mark, solutions)))


def _cells(marked: Marked, mark: Mark, solutions: bool) -> tuple[Any, ...]:
    answer, finding = mark.answer, finding_of(mark, solutions)
    first, *others = mistakes_of(mark, solutions) or (None,)
    right = plain(mark.right) if solutions and isinstance(mark.right, int) else finding.right
    return (
        finding.place,
        layer_text(answer.layer),
        answer.quantity,
        printable(answer.text, LONGEST_NAME),
        right,
        mark.status,
        plain(mark.points),
        plain(mark.of),
        first.name if first else None,
        (first.arithmetic or None) if first else None,
        "; ".join(each.name for each in others if each) or None,
        finding.note or None,
    )
