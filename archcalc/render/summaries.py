"""A class in figures: submissions, cells, mistakes and scores as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from archcalc.homework.submissions import Checked, Paper
from archcalc.homework.summaries import BINS, Cell, Common, Scores, Summary, share, summarize
from archcalc.render import markdown, separated, webpage
from archcalc.render.feedback import amount, fault_lines, layer_text, printable, printable_line, quantity_text, tenths
from archcalc.render.handbacks import literal
from archcalc.render.records import LONGEST_NAME, document, safe
from archcalc.render.structured import plain
from archcalc.render.table import Column, Row, Share, Table, chosen
from archcalc.render.terminal import Screen
from archcalc.render.terminal import lines as terminal_lines

SUBMISSIONS = (
    Column("file", "file", "text"),
    Column("student", "student", "text"),
    Column("right", "right", "size"),
    Column("carried", "carried", "size", 6),
    Column("wrong", "wrong", "size", 7),
    Column("score", "score", "size"),
    Column("of", "of", "size"),
    Column("share", "of all points", "share", 8),
    Column("note", "note", "text"),
)
CELLS = (
    Column("layer", "layer", "text"),
    Column("quantity", "quantity", "text"),
    Column("right", "right", "size"),
    Column("carried", "carried", "size"),
    Column("wrong", "wrong", "size"),
    Column("share", "of all right", "share"),
)
MISTAKES = (
    Column("name", "mistake", "text"),
    Column("papers", "submissions", "size"),
    Column("count", "cells", "size"),
    Column("files", "who", "text"),
    Column("where", "where", "text", 4),
)
SCORES = (
    Column("points", "points", "text"),
    Column("count", "submissions", "size"),
    Column("share", "of all", "share"),
)
MOST_NAMES = 8  # of cells and of files that are told of a mistake


def lines(checked: Checked, format_: str, stream: TextIO) -> Iterator[str]:
    """The figures of a class; as CSV a row a submission."""
    if format_ == "csv":
        return separated.lines(_records(checked))
    summary = summarize(checked)
    if format_ == "json":
        return iter([_json(checked, summary)])
    tables = [_submissions(checked), _cells(summary), _mistakes(summary)]
    tables += [_scores(summary.scores)] if summary.scores else []
    tables = [table for table in tables if table.rows]
    if format_ == "html":
        return webpage.tables_lines(tables, True)
    return _apart(tables, None if format_ == "md" else Screen(stream))


def _apart(tables: list[Table], screen: Screen | None) -> Iterator[str]:
    for at, table in enumerate(tables):
        yield from [""] * (at > 0)
        if screen is not None:
            yield from terminal_lines(table, screen, True)
        else:
            yield from markdown.lines(table, True, literal)


# ---------------------------------------------------------------- tables


def _submissions(checked: Checked) -> Table:
    """A row a submission, and what was left aside."""
    read = len(checked.marked)
    title = f"{checked.arch}: {read:,} submission{'s' * (read != 1)}"
    unread = len(checked.papers) - read
    title += f"; {unread:,} could not be read" if unread else ""
    bad = [sentence for paper in checked.papers for sentence in fault_lines(paper)]
    left = [printable_line(f"{name}: {why}") for name, why in checked.skipped]
    rows = tuple(_submission(paper) for paper in checked.papers)
    keys = tuple(column.key for column in SUBMISSIONS if column.key not in ("student", "note"))
    return chosen(Table(title, SUBMISSIONS, rows, None, (*_below("not read", bad), *_below("left aside", left))), keys)


def _below(heading: str, sentences: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Sentences with their heading before the first."""
    return ((heading if not at else "", sentence) for at, sentence in enumerate(sentences))


def _submission(paper: Paper) -> Row:
    names = (printable(paper.name, LONGEST_NAME), printable(paper.student, LONGEST_NAME))
    if paper.marked is None:
        return Row((*names, *[None] * 6, "; ".join(fault_lines(paper))), "warning")
    found = [mark.status for mark in paper.marked.marks]
    part = share(paper.marked)
    bar = Share(part.numerator, part.denominator)
    counts = (found.count("right"), found.count("carried"), found.count("wrong"))
    return Row((*names, *counts, amount(paper.marked.score), amount(paper.marked.of), bar, None))


def _records(checked: Checked) -> Table:
    """As `_submissions`, for spreadsheets: points as numbers, names that are no formulas."""
    rows = []
    for row, paper in zip(map(_submission, checked.papers), checked.papers, strict=True):
        points = (plain(paper.marked.score), plain(paper.marked.of)) if paper.marked is not None else (None, None)
        rows.append(safe((*row.cells[:5], *points, *row.cells[7:])))
    return Table("", SUBMISSIONS, tuple(rows))


def _cells(summary: Summary) -> Table:
    rows = tuple(
        Row((layer_text(cell.layer), quantity_text(cell.quantity), *cell[2:], Share(cell.right, cell.answers)))
        for cell in summary.cells
    )
    return Table("cell by cell", CELLS, rows)


def _mistakes(summary: Summary) -> Table:
    rows = tuple(
        Row((each.name, len(each.papers), each.times, _named(each.papers), _named(_places(each))))
        for each in summary.mistakes
    )
    footer = (("counted", "of a wrong cell the likeliest mistake"),)
    return Table("the commonest mistakes", MISTAKES, rows, None, footer)


def _places(mistake: Common) -> tuple[str, ...]:
    return tuple(f"{layer_text(layer)} {quantity_text(quantity)}" for layer, quantity in mistake.cells)


def _named(names: tuple[str, ...]) -> str:
    shown = ", ".join(printable(name, LONGEST_NAME) for name in names[:MOST_NAMES])
    return shown + (f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else "")


def _scores(scores: Scores) -> Table:
    most = sum(scores.histogram)
    rows = []
    for at, count in reversed([*enumerate(scores.histogram)]):
        upper = "100%" if at + 1 == BINS else f"<{100 * (at + 1) // BINS}%"
        rows.append(Row((f"{100 * at // BINS}% to {upper}", count, Share(count, most))))
    spread = [f"{name} {tenths(value)}" for name, value in zip(_SPREAD, scores[:5], strict=True)]
    told = (("spread", ", ".join(spread)), ("mean", tenths(scores.mean)))
    return Table("the scores", SCORES, tuple(rows), None, told)


_SPREAD = ("least", "lower quartile", "median", "upper quartile", "most")


# ---------------------------------------------------------------- JSON


def _json(checked: Checked, summary: Summary) -> str:
    return document(
        "check",
        arch=checked.arch,
        submissions=[_plain(paper) for paper in checked.papers],
        skipped=[{"file": name, "why": why} for name, why in checked.skipped],
        summary={
            "cells": [_cell(cell) for cell in summary.cells],
            "mistakes": [_mistake(each) for each in summary.mistakes],
            "scores": _spread(summary.scores) if summary.scores else None,
            "unread": [paper.name for paper in checked.papers if paper.marked is None],
        },
    )


def _plain(paper: Paper) -> dict[str, Any]:
    marked = paper.marked
    return {
        "file": paper.name,
        "student": paper.student,
        "score": plain(marked.score) if marked is not None else None,
        "of": plain(marked.of) if marked is not None else None,
        "error": list(fault_lines(paper)) or None,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {**cell._asdict(), "answers": cell.answers}


def _mistake(mistake: Common) -> dict[str, Any]:
    cells = [{"layer": layer, "quantity": quantity} for layer, quantity in mistake.cells]
    return {"name": mistake.name, "count": mistake.times, "cells": cells, "files": list(mistake.papers)}


def _spread(scores: Scores) -> dict[str, Any]:
    """Shares of the points, 0 to 1; the histogram in submissions."""
    return {name: plain(value) for name, value in scores._asdict().items()}
