"""Tables as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from archcalc.render.table import Row, Share, Table, text_of, title_of
from archcalc.units import percent

_ENTITIES = {"<": "&lt;", "&": "&amp;"}
_SPECIAL = re.compile(r"`[^`]+`|[\\|*_$<]|\]\(|&(?=#?\w+;)")


def lines(table: Table, exactly: bool, spell: Callable[[str], str] | None = None) -> Iterator[str]:
    """The lines of a table; `spell` writes a text, by itself as `escaped` does."""
    spell = spell or escaped
    yield f"**{spell(table.title)}**"
    yield ""
    yield _line(title_of(column, exactly) for column in table.columns)
    yield _line("--:" if column.right else ":--" for column in table.columns)
    for row in table.rows:
        yield _row(row, table, exactly, spell)
    if table.totals:
        yield _row(table.totals, table, exactly, spell, "**")
    if table.footer:
        yield ""
    for heading, sentence in table.footer:
        yield f"- {spell(heading)}: {spell(sentence)}" if heading else f"  {spell(sentence)}"


def _row(row: Row, table: Table, exactly: bool, spell: Callable[[str], str], mark: str = "") -> str:
    cells = []
    for cell, column in zip(row.cells, table.columns, strict=True):
        if isinstance(cell, Share):
            text = percent(cell.part, cell.whole)
        else:
            text = "" if cell is None and mark else text_of(cell, column, exactly)
        cells.append(f"{mark}{spell(text)}{mark}" if text else "")
    return _line(cells)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    r"""Any text as Markdown shows it, all on one line; code between backticks stays code.

    >>> print(escaped("a_b | <i> `x_y` [a](b) $5"))
    a\_b \| &lt;i> `x_y` [a]\(b) \$5
    """
    return _SPECIAL.sub(_plain, " ".join(text.splitlines()))


def _plain(found: re.Match[str]) -> str:
    text = found[0]
    if text[0] == "`":
        return text.replace("|", r"\|")
    return _ENTITIES.get(text) or f"{text[:-1]}\\{text[-1]}"
