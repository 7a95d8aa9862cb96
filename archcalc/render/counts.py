"""What a net costs by one rule of counting, layer by layer, or by several side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from archcalc import __version__
from archcalc.analyses.costs import Report, sum_of
from archcalc.analyses.counting import Count
from archcalc.builder import Built
from archcalc.render.costs import Setting
from archcalc.render.show import View, table_lines, title
from archcalc.render.table import Column, Row, Share, Table
from archcalc.units import exact
from archcalc.volume import Dim

RULES = (
    Column("rule", "rule", "text"),
    Column("value", "value", "count"),
    Column("unit", "as", "text"),
    Column("share", "to ours", "share", 4),
    Column("about", "what is counted", "text", 3),
)
LAYERS = (
    Column("layer", "layer", "text"),
    Column("type", "type", "text"),
    Column("output", "output", "size"),
    Column("macs", "MACs", "count"),
    Column("value", "by the rule", "count"),
    Column("share", "to ours", "share"),
)


def lines(
    report: Report, counts: list[Count], built: Built, setting: Setting, view: View, stream: TextIO
) -> Iterator[str]:
    """The counts in the format that is wanted: of one rule by layers, of several side by side."""
    if view.format == "json":
        from archcalc.render import structured

        found = [
            {
                "rule": each.rule.name,
                "version": __version__,
                "unit": each.rule.unit,
                "value": each.value * setting.batch,
            }
            for each in counts
        ]
        return iter([structured.document("count", arch=built.graph.name, batch=setting.batch, counts=found)])
    what = title(report, built, setting)
    table = _layers(what, counts[0], setting) if len(counts) == 1 else _rules(what, counts, setting)
    return table_lines(table, view, stream)


def _rules(what: str, counts: list[Count], setting: Setting) -> Table:
    ours = counts[0].value
    rows = [
        Row((each.rule.name, each.value * setting.batch, each.rule.unit, _share(each.value, ours), each.rule.about))
        for each in counts
    ]
    return Table(what, RULES, tuple(rows))


def _layers(what: str, count: Count, setting: Setting) -> Table:
    rows = [
        Row(
            (
                row.name,
                row.node.op.text(),
                row.output,
                row.macs * setting.batch,
                value * setting.batch,
                _share(value, row.macs),
            ),
            row.node.op.kind(),
        )
        for row, value in count.layers
        if row.macs != 0 or value != 0
    ]
    ours = sum_of(row.macs for row, _ in count.layers)
    figures = (ours * setting.batch, count.value * setting.batch, _share(count.value, ours))
    footer = ((count.rule.name, count.rule.about), *_difference(count.value, ours, setting))
    return Table(what, LAYERS, tuple(rows), Row(("total", "", None, *figures), "total"), footer)


def _difference(value: Dim, ours: Dim, setting: Setting) -> Iterator[tuple[str, str]]:
    """By how much a rule comes to more or less than ours."""
    if isinstance(value, int) and isinstance(ours, int) and value != ours and isinstance(setting.batch, int):
        apart = abs(value - ours)
        way = "fewer" if value < ours else "more"
        yield "difference", f"{exact(apart * setting.batch)} {way} than ours, {100 * apart / ours:.1f}%"


def _share(part: Dim, whole: Dim) -> Share | None:
    return Share(part, whole) if isinstance(part, int) and isinstance(whole, int) and whole else None
