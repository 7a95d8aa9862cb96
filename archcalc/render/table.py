"""A table as data: numbers, no formatted text."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.units import binary, decimal, exact

MISSING = "-"
BAR = 12  # cells of a bar that is drawn with characters


class Column(NamedTuple):
    """One column; those of low `weight` give way first.

    `kind` is text, size, count, bytes, share, or formula: what may be broken into several lines.
    """

    key: str
    title: str
    kind: str
    weight: int = 9

    @property
    def right(self) -> bool:
        """Whether its cells stand to the right."""
        return self.kind not in ("text", "share", "formula")


class Row(NamedTuple):
    """The cells of a row in the order of the columns, and how it is shown."""

    cells: tuple[Any, ...]
    style: str = ""  # a family of layers, `faint`, `total`
    note: str = ""  # a line below it


class Table(NamedTuple):
    """What every exit shows: a title, columns, rows, sums, and sentences below."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    totals: Row | None = None
    footer: tuple[tuple[str, str], ...] = ()  # heading, sentence


class Share(NamedTuple):
    """A part of a whole."""

    part: int
    whole: int


class Level(NamedTuple):
    """A level that falls or rises, drawn where it does; a total starts at 0.

    >>> str(Level(100, 50, 100)), str(Level(0, 50, 100))
    ('      ██████', '██████')
    """

    start: int
    end: int
    most: int

    def __str__(self) -> str:
        if self.start == self.end:
            return ""
        left, right = (round(BAR * each / self.most) for each in sorted((self.start, self.end)))
        left = min(left, BAR - 1)
        return " " * left + "█" * max(1, right - left)


class Worded(NamedTuple):
    """A figure as it is told, and the number that it is sorted by."""

    text: str
    order: float

    def __str__(self) -> str:
        return self.text


def title_of(column: Column, exactly: bool) -> str:
    """The heading of a column; bytes that are not scaled are called so."""
    return "bytes" if exactly and column.kind == "bytes" else column.title


def text_of(cell: Any, column: Column, exactly: bool) -> str:
    """A cell as text; a dash where it does not apply."""
    if cell is None:
        return MISSING
    if isinstance(cell, int) and column.kind == "formula":
        return exact(cell)
    if isinstance(cell, int) and column.kind == "count":
        return exact(cell) if exactly else decimal(cell)
    if isinstance(cell, int) and column.kind == "bytes":
        return exact(cell) if exactly else binary(cell)
    return str(cell)


def chosen(table: Table, keys: tuple[str, ...]) -> Table:
    """The table with only the columns named, in that order."""
    at = [[column.key for column in table.columns].index(key) for key in keys]

    def pick(row: Row) -> Row:
        return row._replace(cells=tuple(row.cells[i] for i in at))

    totals = pick(table.totals) if table.totals else None
    columns = tuple(table.columns[i] for i in at)
    return table._replace(columns=columns, rows=tuple(pick(row) for row in table.rows), totals=totals)
