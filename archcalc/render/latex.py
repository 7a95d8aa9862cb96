"""Tables as LaTeX, with the rules of booktabs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.notation.escapes import escaped
from archcalc.render.table import Column, Row, Share, Table, text_of, title_of
from archcalc.units import percent
from archcalc.volume import Symbolic, Volume

MOST_LINES = 40  # of a table that does not go over to another page
WIDE = 7  # columns from which letters are smaller
MOST_LETTERS = 36  # of a text in a single line
PARAGRAPH = r">{\raggedright\arraybackslash}p{0.3\linewidth}"


def lines(table: Table, exactly: bool) -> Iterator[str]:
    """A table environment; one of many rows, which goes over to other pages, as a longtable."""
    height = sum(_height(row) for row in table.rows)
    yield from (_long if height > MOST_LINES else _floating)(table, exactly)
    for heading, sentence in table.footer:
        said = " ".join(sentence.split())  # all on the line of the %
        yield f"% {heading}: {said}" if heading else f"%   {said}"


def _height(row: Row) -> int:
    """Lines of a row: those of its largest brackets, or of its longest text."""
    stacked = (str(getattr(cell, "latex", "")).count(r"\\") for cell in row.cells)
    texts = (len(cell) // MOST_LETTERS for cell in row.cells if isinstance(cell, str))
    return 1 + max((*stacked, *texts))


def _floating(table: Table, exactly: bool) -> Iterator[str]:
    yield rf"% needs \usepackage{{{', '.join(_packages(table))}}}"
    yield r"\begin{table}"
    yield r"\centering" + _smaller(table)
    yield rf"\caption{{{escaped(table.title)}}}"
    yield rf"\begin{{tabular}}{{{_alignment(table)}}}"
    yield r"\toprule"
    yield _heading(table, exactly)
    yield r"\midrule"
    yield from _rows(table, exactly)
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{table}"


def _long(table: Table, exactly: bool) -> Iterator[str]:
    """Its heading stands again on every page."""
    yield rf"% needs \usepackage{{{', '.join((*_packages(table), 'longtable'))}}}"
    yield rf"{{{_smaller(table).lstrip()}"
    yield rf"\begin{{longtable}}{{{_alignment(table)}}}"
    yield rf"\caption{{{escaped(table.title)}}} \\"
    for end in ("endfirsthead", "endhead"):
        yield r"\toprule"
        yield _heading(table, exactly)
        yield r"\midrule"
        yield rf"\{end}"
    yield r"\bottomrule"
    yield r"\endfoot"
    yield from _rows(table, exactly)
    yield r"\end{longtable}}"


def _packages(table: Table) -> tuple[str, ...]:
    return ("amsmath", "array", "booktabs") if PARAGRAPH in _alignment(table) else ("amsmath", "booktabs")


def _smaller(table: Table) -> str:
    return r" \footnotesize \setlength{\tabcolsep}{4pt}" if len(table.columns) >= WIDE else ""


def _alignment(table: Table) -> str:
    """How the columns stand; one of long texts is set in lines."""
    return "".join(
        "r" if column.right else PARAGRAPH if _longest(table, at) > MOST_LETTERS else "l"
        for at, column in enumerate(table.columns)
    )


def _longest(table: Table, at: int) -> int:
    """Letters of the longest text of a column."""
    texts = (row.cells[at] for row in table.rows if table.columns[at].kind == "text")
    return max((len(text) for text in texts if isinstance(text, str)), default=0)


def _heading(table: Table, exactly: bool) -> str:
    return _line([escaped(title_of(column, exactly)) for column in table.columns])


def _rows(table: Table, exactly: bool) -> Iterator[str]:
    for row in table.rows:
        line = _row(row, table, exactly)
        yield line
        if r"\begin{array}" in line:  # large brackets, which would touch
            yield r"\addlinespace[2pt]"
    if table.totals:
        yield r"\midrule"
        yield _row(table.totals, table, exactly)


def _row(row: Row, table: Table, exactly: bool) -> str:
    cells = zip(row.cells, table.columns, strict=True)
    return _line([_cell(cell, column, exactly, row is table.totals) for cell, column in cells])


def _cell(cell: Any, column: Column, exactly: bool, quiet: bool) -> str:
    if cell is None and quiet:
        return ""
    if isinstance(cell, Volume):
        return "$" + r" \times ".join(formula(side) for side in cell) + "$"
    if isinstance(cell, Symbolic) or hasattr(cell, "latex"):
        return f"${formula(cell)}$"
    if isinstance(cell, Share):
        return escaped(percent(cell.part, cell.whole))
    return escaped(text_of(cell, column, exactly))


def formula(value: Any) -> str:
    """A size or a polynomial in mathematics, without the dollars around it."""
    return str(getattr(value, "latex", value))


def _line(cells: list[str]) -> str:
    first, *others = cells
    if first.startswith(("[", "*")):  # they would belong to the end of the line above
        first = f"{{{first}}}"
    return " & ".join((first, *others)) + r" \\"
