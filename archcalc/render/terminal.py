"""Tables for a terminal: aligned, coloured, cut to the width that there is.

Written by hand because `table` has to start in half the time that a general table renderer takes for VGG-16.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from textwrap import wrap
from typing import TextIO

from archcalc.render.table import BAR, Column, Row, Share, Table, text_of, title_of
from archcalc.units import percent

GAP = "  "
NARROWEST_TEXT = 12
SHORT_TEXT = 24
SHORT_FORMULA = 22
FEWEST = 2  # columns that are always shown
_STYLES = {
    "bold": "1",
    "faint": "2",
    "conv": "36",
    "dense": "33",
    "pool": "35",
    "merge": "32",
    "norm": "34",
    "warning": "33",
    "total": "1",
    "right": "32",
    "carried": "33",
    "wrong": "31",
}
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_OPERATORS = (" + ", " - ", " x ")
_NO_BREAK = "\N{NO-BREAK SPACE}"
_PAIR = re.compile(r"\(\w+ [-+] \d+\)")  # (H + 13): not to be torn apart


class Screen:
    """Where text goes: how wide it is, whether it shows colour, whether it shows more than ASCII."""

    def __init__(self, stream: TextIO) -> None:
        terminal = stream.isatty()
        columns = os.environ.get("COLUMNS", "")
        if columns.isdigit() and int(columns):
            self.width: int | None = int(columns)
        else:
            self.width = _columns(stream) if terminal else None  # wide when piped
        forced = bool(os.environ.get("FORCE_COLOR")) and stream is sys.stdout  # never into a file of `-o`
        shows = forced or (terminal and os.environ.get("TERM") != "dumb")
        self.colour = shows and not os.environ.get("NO_COLOR")
        self.unicode = (stream.encoding or "utf-8").lower().replace("-", "").startswith("utf")

    def paint(self, text: str, style: str) -> str:
        """The text in a style, if there is colour."""
        code = _STYLES.get(style) if self.colour else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text

    def plain(self, text: str) -> str:
        """The text in what the stream can encode."""
        return text if self.unicode else text.translate(_ASCII)


def _columns(stream: TextIO) -> int:
    """Columns of a terminal, 80 if it does not say."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except OSError:
        return 80


_ASCII = {ord("×"): "x", ord("─"): "-", ord("└"): "`", ord("…"): "...", ord("█"): "#", ord("–"): "-", ord("→"): "->"}


def lines(table: Table, screen: Screen, exactly: bool) -> Iterator[str]:
    """The lines of a table."""
    texts = [[_cell(row, i, table, screen, exactly) for i in range(len(table.columns))] for row in table.rows]
    sums = [_cell(table.totals, i, table, screen, exactly) for i in range(len(table.columns))] if table.totals else []
    titles = [title_of(column, exactly) for column in table.columns]
    widths = [max(len(titles[i]), *(len(row[i]) for row in [*texts, sums or [""] * 99])) for i in range(len(titles))]
    shown, widths = _fit(table, texts, widths, screen.width)
    yield from wrapped(table.title, screen, "bold")
    yield ""

    def line(cells: list[str]) -> str:
        blocks = [_block(cells[i], widths[i], table.columns[i]) for i in shown]
        height = max(map(len, blocks))
        filled = [block + [" " * len(block[0])] * (height - len(block)) for block in blocks]
        return "\n".join(screen.plain(GAP.join(parts).rstrip()) for parts in zip(*filled, strict=True))

    yield screen.paint(line(titles), "bold")
    rule = screen.plain("─" * (sum(widths[i] for i in shown) + len(GAP) * (len(shown) - 1)))
    yield screen.paint(rule, "faint")
    for row, cells in zip(table.rows, texts, strict=True):
        yield screen.paint(line(cells), row.style)
        if row.note:
            yield from _note(row.note, min(2, widths[shown[0]]), screen)
    if table.totals:
        yield screen.paint(rule, "faint")
        yield screen.paint(line(sums), "total")
    hidden = [titles[i] for i in range(len(titles)) if i not in shown]
    footer = (
        *table.footer,
        *([("hidden here", f"{', '.join(hidden)}: no room in {screen.width} columns")] if hidden else []),
    )
    if footer:
        yield ""
        yield from _footer(footer, screen)


def _block(text: str, width: int, column: Column) -> list[str]:
    """A cell in lines of one width: a formula is broken behind its operators, anything else cut."""
    if column.kind != "formula":
        cut = text if len(text) <= width else text[: width - 1] + "…"
        return [cut.rjust(width) if column.right else cut.ljust(width)]
    lines = [""]
    for part in _parts(text):
        if len(lines[-1]) + len(part.rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
    return [line.rstrip().ljust(width) for line in lines]


def _parts(formula: str) -> Iterator[str]:
    """Where a formula may be broken: behind the operators that stand outside of brackets, and behind the x of sizes."""
    start = depth = 0
    for at, character in enumerate(formula):
        depth += (character == "(") - (character == ")")
        if depth == 0 and (character == "*" or formula[max(0, at - 2) : at + 1] in _OPERATORS):
            yield formula[start : at + 1]
            start = at + 1
    yield formula[start:]


def _cell(row: Row | None, i: int, table: Table, screen: Screen, exactly: bool) -> str:
    cell = row.cells[i] if row else None
    if isinstance(cell, Share):
        return _bar(cell, screen)
    if cell is None and (row is table.totals or table.columns[i].kind == "share"):
        return ""
    return text_of(cell, table.columns[i], exactly)


def _bar(share: Share, screen: Screen) -> str:
    if not share.part:
        return ""
    eighths = round(8 * BAR * share.part / share.whole)
    full, rest = divmod(eighths, 8)
    bar = "█" * full + (_EIGHTHS[rest] if rest and screen.unicode else "")
    return f"{percent(share.part, share.whole):>4} {bar}"


def _fit(table: Table, cells: list[list[str]], widths: list[int], width: int | None) -> tuple[list[int], list[int]]:
    """The columns that have room, and their widths: the least important give way, then long text is cut.

    A text that may give way is cut to `SHORT_TEXT` before it does.
    """
    shown = list(range(len(widths)))
    if width is None:
        return shown, widths
    whole, widths = widths, list(widths)
    spare = [i for i in shown if table.columns[i].weight < 5]
    texts = [i for i in shown if table.columns[i].kind == "text"]
    formulas = [i for i in shown if table.columns[i].kind == "formula"]
    least = [min(n, SHORT_TEXT) if i in spare and i in texts else n for i, n in enumerate(widths)]
    longest = {i: max((len(part.rstrip()) for row in cells for part in _parts(row[i])), default=0) for i in formulas}
    least = [min(n, max(SHORT_FORMULA, longest[i])) if i in formulas else n for i, n in enumerate(least)]

    def total(of: list[int]) -> int:
        return sum(of[i] for i in shown) + len(GAP) * (len(shown) - 1)

    while total(least) > width and spare:
        spare.sort(key=lambda i: -table.columns[i].weight)
        shown.remove(spare.pop())
    for some, narrowest in ((formulas, 0), (spare, SHORT_TEXT), (texts, NARROWEST_TEXT)):
        cut = [i for i in some if i in (*texts, *formulas) and i in shown]
        ends = {i: least[i] if i in formulas else narrowest for i in cut}
        while total(widths) > width and any(widths[i] > ends[i] for i in cut):
            widths[max((i for i in cut if widths[i] > ends[i]), key=lambda i: widths[i])] -= 1
    while total(widths) > width and len(shown) > FEWEST:  # a very narrow screen; the first column names the rows
        shown.remove(min(reversed(shown[1:]), key=lambda i: table.columns[i].weight))
    for i in (i for i in texts if i in shown):  # what was cut may have room again
        widths[i] = min(whole[i], max(widths[i], widths[i] + width - total(widths)))
    return shown, widths


def _footer(footer: tuple[tuple[str, str], ...], screen: Screen) -> Iterator[str]:
    indent = max(len(heading) for heading, _ in footer) + len(GAP)
    width = max(NARROWEST_TEXT, min(screen.width or 120, 120) - indent)
    for heading, sentence in footer:
        together = _PAIR.sub(lambda found: found[0].replace(" ", _NO_BREAK), sentence)
        for at, part in enumerate(wrap(together, width, break_on_hyphens=False)):
            start = heading.ljust(indent) if not at else " " * indent
            yield screen.paint(start, "bold" if not at else "") + screen.plain(part.replace(_NO_BREAK, " "))


def _note(text: str, indent: int, screen: Screen) -> Iterator[str]:
    """What stands below a row."""
    room = max(NARROWEST_TEXT, (screen.width or 1000) - indent - 2)
    for at, part in enumerate(wrap(text, room, break_on_hyphens=False)):
        yield screen.paint(screen.plain(f"{'' if at else '└':>{indent + 1}} {part}"), "warning")


def wrapped(text: str, screen: Screen, style: str, indent: int = 0) -> Iterator[str]:
    """A text in lines within the width of the screen."""
    start = " " * indent
    width = max(NARROWEST_TEXT, screen.width or 1000)
    for part in wrap(text, width, initial_indent=start, subsequent_indent=start, break_on_hyphens=False) or [""]:
        yield screen.paint(screen.plain(part), style)
