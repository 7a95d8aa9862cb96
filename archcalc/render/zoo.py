"""The table of the zoo."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TextIO

from archcalc.analyses.costs import measure
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.library import Net, zoo_nets
from archcalc.render import show
from archcalc.render.table import Column, Row, Table

COLUMNS = (
    Column("family", "family", "text", 4),
    Column("name", "net", "text"),
    Column("year", "year", "text", 7),
    Column("input", "input", "size", 6),
    Column("params", "params", "count"),
    Column("macs", "MACs", "count"),
    Column("title", "what it is", "text", 3),
    Column("source", "source", "text", 2),
)


def lines(word: str | None, view: show.View, stream: TextIO) -> Iterator[str]:
    """The zoo in the format that is wanted. Raises `SpecError` where no net contains the word."""
    entries = [entry for entry in map(_entry, zoo_nets()) if not word or _contains(entry, word)]
    if not entries:
        help = "`archcalc list` shows the whole zoo"
        raise SpecError([Fault(f"no net of the zoo contains {quoted(word or '')}", help=help)])
    if view.format == "json":
        from archcalc.render import structured

        keys = ("name", "year", "source", "input", "params", "macs", "title", "family")
        yield structured.document("list", archs=[{key: entry[key] for key in keys} for entry in entries])
        return
    rows = tuple(Row(tuple(entry[column.key] for column in COLUMNS)) for entry in entries)
    if view.format not in ("csv", "html"):  # where rows are sorted each says its family
        rows = tuple(_once(row, before) for row, before in zip(rows, (None, *rows), strict=False))
    footer = (("more", "archcalc table NET shows one, archcalc show NET its text"),)
    title = f"{len(entries)} net{'s' * (len(entries) != 1)}"
    yield from show.table_lines(Table(title, COLUMNS, rows, footer=footer), view, stream)


def _once(row: Row, before: Row | None) -> Row:
    """The row, its family left out where the row before has the same."""
    same = before is not None and before.cells[0] == row.cells[0]
    return row._replace(cells=("", *row.cells[1:])) if same else row


def _entry(net: Net) -> dict[str, Any]:
    built = net.build()
    report = measure(built.graph)
    totals = report.total()
    return {
        "name": net.name,
        "family": net.source.name.removesuffix(".arch"),
        "year": int(built.facts["year"]) if "year" in built.facts else None,
        "source": built.facts.get("source"),
        "input": report.rows[0].cost.out,
        "params": totals.params,
        "macs": totals.macs,
        "title": built.title,
    }


def _contains(entry: dict[str, Any], word: str) -> bool:
    """Whether a name holds the word anywhere, or the title or the source at the start of a word of theirs."""
    if any(word.lower() in str(entry[key]).lower() for key in ("name", "family", "year")):
        return True
    starts = re.compile(rf"\b{re.escape(word)}", re.IGNORECASE)
    return any(starts.search(str(entry[key])) for key in ("title", "source"))
