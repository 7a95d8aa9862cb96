"""Marked submissions on a terminal, and the choice of the other formats."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple, TextIO

from archcalc.homework.answers import Mark, Status
from archcalc.homework.submissions import Checked, Paper
from archcalc.lang.errors import Fault, SpecError, quoted, show_all
from archcalc.render.feedback import (
    MEANT,
    SIGNS,
    Feedback,
    Finding,
    cell_text,
    columns,
    fault_lines,
    feedback_of,
    finding_lines,
    printable,
    printable_line,
)
from archcalc.render.terminal import GAP, Screen

ENDINGS = {"table": "txt", "gradescope": "json"}  # of files; else the format's own name
WIDEST = 120
LONGEST_NAME = 200
INDENT = 4
_ASCII = str.maketrans({"✓": "+", "✗": "!", "…": "...", "─": "-", "×": "x", "·": "*", "→": "->", "≈": "~", "–": "-"})


class Wanted(NamedTuple):
    """How the marks are wanted."""

    format: str = "table"
    summary: bool = False


def targets(
    checked: Checked, wanted: Wanted, path: str | None
) -> Iterator[tuple[str | None, Callable[[TextIO], Iterator[str]]]]:
    """What is to be written, and where to: all to one place, or in a folder a file for each submission.

    Of a single file that could not be read nothing is, but for Gradescope. Raises `SpecError`.
    """
    if not checked.folder and not checked.marked and wanted.format != "gradescope":
        return
    if path is None or not (path.endswith(("/", os.sep)) or os.path.isdir(path)):
        yield path, _told(checked, wanted)
        return
    folder = _made(Path(path))
    if wanted.summary:
        yield str(folder / f"summary.{_ending(wanted.format)}"), _told(checked, wanted)
        return
    for name, one in files(checked, wanted.format):
        yield str(folder / name), _told(one, wanted)


def _told(checked: Checked, wanted: Wanted) -> Callable[[TextIO], Iterator[str]]:
    return lambda stream: lines(checked, wanted, stream)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make {quoted(str(folder), 200)}: {(error.strerror or str(error)).lower()}"
        raise SpecError([Fault(message)]) from None
    return folder


def files(checked: Checked, format_: str) -> Iterator[tuple[str, Checked]]:
    """Each submission by itself, with the name of its file: the student's, or where there are several their own."""
    students = [paper.student.casefold() for paper in checked.papers]
    taken: set[str] = set()
    for paper in checked.papers:
        once = students.count(paper.student.casefold()) == 1
        name = _file_name(paper.student if once else paper.name.strip("/").replace("/", "-"))
        while name.casefold() in taken:
            name += "-"
        taken.add(name.casefold())
        yield f"{name}.{_ending(format_)}", Checked(checked.arch, (paper,), False, checked.solutions)


def _file_name(name: str) -> str:
    """A name in letters that every file system takes."""
    return "".join("_" if char in '\\/:*?"<>|' or not char.isprintable() else char for char in name)


def _ending(format_: str) -> str:
    return ENDINGS.get(format_, format_)


def lines(checked: Checked, wanted: Wanted, stream: TextIO) -> Iterator[str]:
    """The marks in the format that is wanted. Raises `SpecError` for a class where it holds one submission."""
    if wanted.summary and wanted.format == "gradescope":
        raise SpecError([Fault("`results.json` is of one submission: there is no summary of that format")])
    if wanted.summary:
        from archcalc.render import summaries

        return summaries.lines(checked, wanted.format, stream)
    if wanted.format in ("json", "csv"):
        from archcalc.render import records

        told = records.json_lines if wanted.format == "json" else records.csv_lines
        return told(checked)
    if wanted.format in ("md", "html"):
        from archcalc.render import handbacks

        told = handbacks.markdown_lines if wanted.format == "md" else handbacks.html_lines
        return told(checked)
    if wanted.format == "gradescope":
        from archcalc.render import gradescope

        return gradescope.lines(_only(checked), checked.solutions)
    return _terminal(checked, Screen(stream))


def _only(checked: Checked) -> Paper:
    if len(checked.papers) == 1:
        return checked.papers[0]
    message = f"these are {len(checked.papers):,} submissions, and `results.json` is of one"
    raise SpecError([Fault(message, help="a file for each: `-o results/`, with the slash")])


def complaints(checked: Checked) -> Iterator[str]:
    """What standard error is told: files that could not be read, and what was left aside in a folder."""
    for name, why in checked.skipped:
        yield _harmless(f"left aside: {name}: {why}")
    for paper in checked.papers:
        if paper.faults:
            yield from map(_harmless, show_all(paper.faults).splitlines())


def _harmless(line: str) -> str:
    """A line of a fault, spaces kept, as a terminal may see it."""
    return "".join(char if char.isprintable() else printable_line(char) for char in line)


# ---------------------------------------------------------------- the terminal


def _terminal(checked: Checked, screen: Screen) -> Iterator[str]:
    for at, paper in enumerate(checked.papers):
        yield from ["", ""] * (at > 0)
        if paper.marked is not None:
            for line in _paper(feedback_of(paper.marked, checked.solutions), screen):
                yield _plain(line, screen)
        else:
            yield from (_plain(line, screen) for line in _unread(paper, screen))


def _plain(line: str, screen: Screen) -> str:
    """A line in what the stream can encode."""
    return line if screen.unicode else line.translate(_ASCII)


def _unread(paper: Paper, screen: Screen) -> Iterator[str]:
    yield screen.paint(f"{printable(paper.name, LONGEST_NAME)}: not marked", "bold")
    for sentence in fault_lines(paper):
        yield from _wrapped(sentence, screen, INDENT)


def _paper(feedback: Feedback, screen: Screen) -> Iterator[str]:
    yield from _wrapped(f"{feedback.name}: {feedback.arch}", screen, 0, "bold")
    yield ""
    yield from _sheet(feedback, screen) if feedback.rows else ()
    for finding in feedback.findings:
        yield ""
        yield from _finding(finding, screen)
    yield ""
    sections = (*feedback.sections, ("score", (f"{feedback.score}: {feedback.counts}",)))
    indent = max(len(heading) for heading, _ in sections) + len(GAP)
    for heading, sentences in sections:
        for sentence in sentences:
            for part in wrap(sentence, _width(screen) - indent, break_on_hyphens=False):
                yield f"{screen.paint(f'{heading:{indent}}', 'bold' if heading else '')}{part}"
                heading = ""


def _sheet(feedback: Feedback, screen: Screen) -> Iterator[str]:
    """The student's table, in as many parts below each other as its width takes, the layers in each."""
    cells = [[_cell(mark) for mark in row] for _, row in feedback.rows]
    heads = [layer for layer, _ in feedback.rows]
    first = max(map(columns, (feedback.titles[0], *heads)))
    widths = [
        max(columns(title) + 2, *map(columns, own)) for title, *own in zip(feedback.titles[1:], *cells, strict=True)
    ]
    for at, part in enumerate(_parts(first, widths, screen.width)):
        yield from [""] * (at > 0)
        titles = [f"  {feedback.titles[i + 1]}" for i in part]
        shown = [widths[i] for i in part]
        yield screen.paint(_row(feedback.titles[0], titles, [first, *shown]), "bold")
        yield screen.paint("─" * (first + sum(len(GAP) + width for width in shown)), "faint")
        for head, (_, marks), texts in zip(heads, feedback.rows, cells, strict=True):
            if any(texts[i] for i in part):
                styles = [mark.status if mark is not None else "" for mark in (marks[i] for i in part)]
                yield _row(head, [texts[i] for i in part], [first, *shown], styles, screen)
    told = [f"{SIGNS[status]} {meant}" for status, meant in MEANT.items() if _has(feedback, status)]
    yield screen.paint(f"{' ' * first}{GAP}{'   '.join(told)}", "faint")


def _has(feedback: Feedback, status: Status) -> bool:
    return any(mark is not None and mark.status == status for _, row in feedback.rows for mark in row)


def _cell(mark: Mark | None) -> str:
    return f"{SIGNS[mark.status]} {cell_text(mark)}" if mark is not None else ""


def _parts(first: int, widths: Sequence[int], width: int | None) -> Iterator[list[int]]:
    """The columns that stand beside each other, part by part; each has one at least."""
    part: list[int] = []
    taken = first
    for i, own in enumerate(widths):
        if width is not None and part and taken + len(GAP) + own > width:
            yield part
            part, taken = [], first
        taken += len(GAP) + own
        part.append(i)
    if part:
        yield part


def _row(
    head: str, texts: Sequence[str], widths: Sequence[int], styles: Sequence[str] = (), screen: Screen | None = None
) -> str:
    parts = [f"{text}{' ' * (width - columns(text))}" for text, width in zip((head, *texts), widths, strict=True)]
    parts[-1] = parts[-1].rstrip()
    if screen is not None:
        painted = (screen.paint(part, style) for part, style in zip(parts[1:], styles, strict=True))
        parts[1:] = painted
    return GAP.join(parts).rstrip()


def _finding(finding: Finding, screen: Screen) -> Iterator[str]:
    right = f"; right is {finding.right}" if finding.right else ""
    text = f"{SIGNS[finding.status]} {finding.where}: {finding.given}{right} ({finding.points}, {finding.place})"
    yield from _wrapped(text, screen, 0, finding.status)
    for sentence in finding_lines(finding):
        yield from _wrapped(sentence, screen, INDENT, "faint" if sentence in finding.solution else "")


def _wrapped(text: str, screen: Screen, indent: int, style: str = "") -> Iterator[str]:
    """A sentence in lines, set in; what goes on below stands two letters further in."""
    start = " " * indent
    further = f"{start}  "
    for part in wrap(text, _width(screen), initial_indent=start, subsequent_indent=further, break_on_hyphens=False):
        yield screen.paint(part, style)


def _width(screen: Screen) -> int:
    return max(40, min(screen.width or WIDEST, WIDEST))
