"""Tables as a page of HTML: one file with all that it needs, sortable, folded by group, in light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from itertools import chain
from typing import Any, NamedTuple

from archcalc import __version__
from archcalc.render.markup import escaped
from archcalc.render.table import MISSING, Column, Level, Row, Share, Table, text_of, title_of
from archcalc.units import exact, percent
from archcalc.volume import Volume

LONG = 60  # letters of a cell that may be broken into lines
DEEPEST = 4  # levels that are set in further and further
TOOLS = (
    '<p class="tools"><button type="button" data-open="false">fold all</button>'
    '<button type="button" data-open="true">unfold all</button></p>'
)
Groups = Sequence[tuple[str, ...]]  # of each row: the groups around it


class Entry(NamedTuple):
    """A row of the page: of the table, or the sums of a group, which folds."""

    row: Row
    level: int
    folds: bool = False


def lines(table: Table, exactly: bool, groups: Groups = (), drawing: Sequence[str] = ()) -> Iterator[str]:
    """A page with a table, its rows within their groups, and a drawing below it."""
    drawn = ['<h2>The graph</h2><div class="drawing">', *drawing, "</div>"] if drawing else []
    return page(table.title, chain(section(table, exactly, groups), drawn))


def tables_lines(tables: Sequence[Table], exactly: bool) -> Iterator[str]:
    """A page with several tables; the first gives it its title, the others have their own above them."""
    first, *others = tables
    below = chain.from_iterable((f"<h2>{escaped(each.title)}</h2>", *section(each, exactly)) for each in others)
    return page(first.title, chain(section(first, exactly), below))


def page(title: str, body: Iterable[str]) -> Iterator[str]:
    """A whole page: what it looks like and does stands in it, and it asks for nothing else."""
    yield "<!DOCTYPE html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield f'<meta name="generator" content="archcalc {escaped(__version__)}">'
    yield f"<title>{escaped(title)}</title>"
    yield f"<style>{own('page.css')}</style></head><body>"
    yield f"<h1>{escaped(title)}</h1>"
    yield from body
    yield f"<script>{own('page.js')}</script></body></html>"


def own(name: str) -> str:
    """A file that stands beside this one."""
    return resources.files("archcalc.render").joinpath(name).read_text("utf-8")


def section(table: Table, exactly: bool, groups: Groups = ()) -> Iterator[str]:
    """A table and the sentences below it, without its title."""
    entries = entered(table, groups)
    yield "<section>"
    if any(entry.folds for entry in entries):
        yield TOOLS
    yield '<div class="wide"><table class="sorts"><thead><tr>'
    for column in table.columns:
        button = f'<button type="button">{escaped(title_of(column, exactly))}</button>'
        yield f'<th scope="col" data-kind="{column.kind}"{_side(column)}>{button}</th>'
    yield "</tr></thead><tbody>"
    for entry in entries:
        yield _row(entry, table, exactly)
    yield "</tbody>"
    if table.totals:
        yield f"<tfoot><tr>{_cells(table.totals, table, exactly, quiet=True)}</tr></tfoot>"
    yield "</table></div>"
    if table.footer:
        yield "<dl>"
        yield from (f"<dt>{escaped(heading)}</dt><dd>{escaped(sentence)}</dd>" for heading, sentence in table.footer)
        yield "</dl>"
    yield "</section>"


def notebook_lines(table: Table, exactly: bool = False) -> Iterator[str]:
    """A table to be shown among other things, in a notebook: no script, no colour but that around it."""
    yield f'<div class="archcalc"><style>{own("notebook.css")}</style>'
    yield f'<p class="title">{escaped(table.title)}</p><div class="wide"><table><thead><tr>'
    for column in table.columns:
        yield f'<th scope="col"{_side(column)}>{escaped(title_of(column, exactly))}</th>'
    yield "</tr></thead><tbody>"
    for row in table.rows:
        yield f'<tr class="{escaped(row.style)}">{_cells(row, table, exactly)}</tr>'
    yield "</tbody>"
    if table.totals:
        yield f"<tfoot><tr>{_cells(table.totals, table, exactly, quiet=True)}</tr></tfoot>"
    yield "</table></div></div>"


def entered(table: Table, groups: Groups) -> list[Entry]:
    """The rows in order, and before those of a group a row with its sums."""
    if not groups:
        return [Entry(row, 0) for row in table.rows]
    entries: list[Entry] = []
    before: tuple[str, ...] = ()
    for at, (row, path) in enumerate(zip(table.rows, groups, strict=True)):
        for level in range(_shared(path, before), len(path)):
            group = path[: level + 1]
            within = table.rows[at : _end(groups, at, group)]
            entries.append(Entry(_summed(".".join(group), within, table.columns), level, True))
        entries.append(Entry(row, len(path)))
        before = path
    return entries


def _shared(path: tuple[str, ...], before: tuple[str, ...]) -> int:
    return next((i for i, (a, b) in enumerate(zip(path, before, strict=False)) if a != b), min(len(path), len(before)))


def _end(groups: Groups, at: int, group: tuple[str, ...]) -> int:
    """Where the rows of a group that starts here end."""
    return next((i for i in range(at, len(groups)) if groups[i][: len(group)] != group), len(groups))


def _summed(name: str, rows: Sequence[Row], columns: Sequence[Column]) -> Row:
    """A group as a row: counts added up, the size of what leaves it."""
    cells: list[Any] = []
    for at, column in enumerate(columns):
        present = [row.cells[at] for row in rows if row.cells[at] is not None]
        if at == 0:
            cells.append(name)
        elif column.kind == "size":
            cells.append(present[-1] if present else None)
        elif present and all(isinstance(cell, Share) for cell in present):
            cells.append(Share(sum(cell.part for cell in present), present[0].whole))
        elif present and not any(isinstance(cell, (str, Share, Volume)) for cell in present):
            cells.append(sum(present[1:], present[0]))
        else:
            cells.append(present[-1] if present and isinstance(present[-1], Volume) else None)
    return Row(tuple(cells))


def _row(entry: Entry, table: Table, exactly: bool) -> str:
    kinds = [f"level{min(entry.level, DEEPEST)}", *(["folds"] if entry.folds else []), entry.row.style]
    cells = _cells(entry.row, table, exactly, folds=entry.folds, quiet=entry.folds)
    return f'<tr class="{escaped(" ".join(kinds).strip())}" data-level="{entry.level}">{cells}</tr>'


def _cells(row: Row, table: Table, exactly: bool, folds: bool = False, quiet: bool = False) -> str:
    cells = []
    for at, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
        text = "" if cell is None and quiet else _text(cell, column, exactly)
        if at == 0 and folds:
            text = f'<button type="button" class="fold" aria-expanded="true">{text}</button>'
        if at == 0 and row.note:
            text += f'<span class="note">{escaped(row.note)}</span>'
        cells.append(f"<td{_side(column, text)}{_value(cell, column)}>{text}</td>")
    return "".join(cells)


def _text(cell: Any, column: Column, exactly: bool) -> str:
    if isinstance(cell, Level):
        low, high = sorted(100 * each / cell.most if cell.most else 0 for each in (cell.start, cell.end))
        bar = f'<i style="margin-left: {low:.1f}%; width: {high - low:.1f}%"></i>' if high > low else ""
        return f'<span class="bar level">{bar}</span>'
    if not isinstance(cell, Share):
        return escaped(text_of(cell, column, exactly)) if cell is not None else MISSING
    share = 100 * cell.part / cell.whole if cell.whole else 0
    bar = f'<i style="width: {min(100, share):.1f}%"></i>' if share else ""
    longer = f' style="--times: {share / 100:.2f}"' if share > 100 else ""
    return f'<span class="part">{escaped(percent(cell.part, cell.whole))}</span><span class="bar"{longer}>{bar}</span>'


def _value(cell: Any, column: Column) -> str:
    """What a cell is sorted by, and all digits of what is rounded."""
    if cell is None or cell == "":
        return ""
    if isinstance(cell, Level):
        return f' data-value="{cell.end}" title="{exact(cell.start)} to {exact(cell.end)}"'
    if isinstance(cell, Share):
        return f' data-value="{cell.part}" title="{exact(cell.part)} of {exact(cell.whole)}"'
    if isinstance(cell, Volume) and isinstance(cell.values, int):
        return f' data-value="{cell.values}"'
    if hasattr(cell, "order"):
        whole = f' title="{exact(cell.order)}"' if isinstance(cell.order, int) else ""
        return f' data-value="{cell.order!r}"{whole}'
    whole = f' title="{exact(cell)}"' if isinstance(cell, int) and column.kind in ("count", "bytes") else ""
    return f' data-value="{escaped(str(cell))}"{whole}'


def _side(column: Column, text: str = "") -> str:
    kinds = ["right"] * column.right + ["formula"] * (column.kind == "formula")
    kinds += ["long"] * (column.kind in ("text", "size") and len(text) > LONG and "<" not in text)
    return f' class="{" ".join(kinds)}"' if kinds else ""
