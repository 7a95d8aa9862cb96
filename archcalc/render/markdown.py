"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archcalc.render.table import Row, Share, Table, text_of, title_of
from archcalc.units import percent


def lines(table: Table, exactly: bool) -> Iterator[str]:
    """The lines of a table."""
    yield f"**{escaped(table.title)}**"
    yield ""
    yield _line(title_of(column, exactly) for column in table.columns)
    yield _line("--:" if column.right else ":--" for column in table.columns)
    for row in table.rows:
        yield _row(row, table, exactly)
    if table.totals:
        yield _row(table.totals, table, exactly, "**")
    if table.footer:
        yield ""
    for heading, sentence in table.footer:
        yield f"- {escaped(heading)}: {escaped(sentence)}" if heading else f"  {escaped(sentence)}"


def _row(row: Row, table: Table, exactly: bool, mark: str = "") -> str:
    cells = []
    for cell, column in zip(row.cells, table.columns, strict=True):
        if isinstance(cell, Share):
            text = percent(cell.part, cell.whole)
        else:
            text = "" if cell is None and mark else text_of(cell, column, exactly)
        cells.append(f"{mark}{escaped(text)}{mark}" if text else "")
    return _line(cells)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """Any text as Markdown shows it."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("*", "\\*").replace("_", "\\_").replace("<", "&lt;")
