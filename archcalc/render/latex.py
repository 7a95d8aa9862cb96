"""Tables as LaTeX, with the rules of booktabs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from archcalc.render.table import Column, Row, Share, Table, text_of, title_of
from archcalc.units import percent
from archcalc.volume import Symbolic, Volume

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "×": r"$\times$",
    "–": "--",
    "…": r"\dots{}",
}


def lines(table: Table, exactly: bool) -> Iterator[str]:
    """A table environment; it needs the packages amsmath and booktabs."""
    yield "% needs \\usepackage{amsmath, booktabs}"
    yield r"\begin{table}"
    yield rf"\caption{{{escaped(table.title)}}}"
    yield rf"\begin{{tabular}}{{{''.join('r' if column.right else 'l' for column in table.columns)}}}"
    yield r"\toprule"
    yield _line([escaped(title_of(column, exactly)) for column in table.columns])
    yield r"\midrule"
    for row in table.rows:
        yield _row(row, table, exactly)
    if table.totals:
        yield r"\midrule"
        yield _row(table.totals, table, exactly)
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{table}"
    for heading, sentence in table.footer:
        said = " ".join(sentence.split())  # all on the line of the %
        yield f"% {heading}: {said}" if heading else f"%   {said}"


def _row(row: Row, table: Table, exactly: bool) -> str:
    cells = zip(row.cells, table.columns, strict=True)
    return _line([_cell(cell, column, exactly, row is table.totals) for cell, column in cells])


def _cell(cell: Any, column: Column, exactly: bool, quiet: bool) -> str:
    if cell is None and quiet:
        return ""
    if isinstance(cell, Volume):
        return "$" + r" \times ".join(formula(side) for side in cell) + "$"
    if isinstance(cell, Symbolic):
        return f"${formula(cell)}$"
    if isinstance(cell, Share):
        return escaped(percent(cell.part, cell.whole))
    return escaped(text_of(cell, column, exactly))


def formula(value: Any) -> str:
    """A size or a polynomial in mathematics, without the dollars around it."""
    return str(getattr(value, "latex", value))


def escaped(text: str) -> str:
    """Text in which nothing is a command.

    >>> escaped("conv2_x: 50% of {all}")
    'conv2\\\\_x: 50\\\\% of \\\\{all\\\\}'
    """
    return re.sub("|".join(map(re.escape, _SPECIAL)), lambda found: _SPECIAL[found[0]], text)


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
