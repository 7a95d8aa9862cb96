"""What a net costs by one rule of counting, layer by layer, or by several side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TextIO

from archcalc import __version__
from archcalc.analyses.costs import Report, sum_of
from archcalc.analyses.counting import Count, Difference, Tally
from archcalc.analyses.rules import OURS, Rule
from archcalc.builder import Built
from archcalc.render.costs import Setting
from archcalc.render.show import View, picked, table_lines, title
from archcalc.render.table import Column, Row, Share, Table
from archcalc.units import exact
from archcalc.volume import Dim

RULES = (
    Column("rule", "rule", "text"),
    Column("version", "version", "text", 2),
    Column("value", "cost", "count"),
    Column("unit", "printed as", "text", 7),
    Column("share", "to ours", "share", 4),
    Column("params", "params", "count", 7),
    Column("about", "what is counted", "text", 3),
    Column("differs", "differs from ours", "formula", 3),
)
NUMBERS = tuple(column for column in RULES if column.key not in ("about", "differs"))
SHOWN = {"csv": RULES, "md": RULES, "html": (*NUMBERS, RULES[-1])}  # on a terminal what differs stands below each rule
LAYERS = (
    Column("layer", "layer", "text"),
    Column("type", "type", "text"),
    Column("output", "output", "size"),
    Column("macs", "MACs", "count"),
    Column("value", "by the rule", "count"),
    Column("formula", "its formula", "text", 5),
    Column("share", "to ours", "share", 4),
)
MOST_TIMES = 4
BELOW = (
    "by how much its cost differs from our MACs, its params from ours, in which layers, and its formula for these; "
    "`in` and `out` are the values that go in and come out"
)
ONCE = ("params", "buffers")  # a batch does not multiply them


def lines(
    report: Report, found: list[Tally], built: Built, setting: Setting, view: View, stream: TextIO
) -> Iterator[str]:
    """The counts in the format that is wanted: of one rule by layers, of several side by side."""
    if view.format == "json":
        from archcalc.render import structured

        counts = [_plain(each, setting) for each in found]
        return iter([structured.document("count", arch=built.graph.name, batch=setting.batch, counts=counts)])
    what = title(report, built, setting)
    one = len(found) == 1
    table = _layers(what, found[0], built.graph.name, setting) if one else _rules(what, found, setting, view)
    return table_lines(picked(table, view), view, stream)


def version_of(rule: Rule) -> str | None:
    """The version of the tool that a rule is of; of our own rule ours."""
    return __version__ if rule.name == OURS else rule.version or None


def _amount(count: Count | None, setting: Setting) -> Any:
    """A figure for the whole batch."""
    if count is None:
        return None
    return count.value if count.figure.name in ONCE else count.value * setting.batch


def _plain(tally: Tally, setting: Setting) -> dict[str, Any]:
    from archcalc.render import structured

    figures = {name: structured.plain(_amount(each, setting)) for name, each in tally.counts.items()}

    def apart(some: tuple[Difference, ...], times: Dim) -> list[dict[str, Any]]:
        return [
            {"types": list(each.types), "formula": each.formula, "value": structured.plain(each.value * times)}
            for each in some
        ]

    return {
        "rule": tally.rule.name,
        "version": version_of(tally.rule),
        "unit": tally.rule.unit,
        "value": figures.get("cost"),
        "figures": figures,
        "differences": apart(tally.apart, setting.batch),
        "params_differences": apart(tally.params_apart, 1),
    }


def _rules(what: str, found: list[Tally], setting: Setting, view: View) -> Table:
    ours = next((each.counts["cost"].value for each in found if each.rule.name == OURS), 0)
    shown, rows = RULES if view.columns else SHOWN.get(view.format, NUMBERS), []
    for tally in found:
        cost = tally.counts.get("cost")
        cells = {
            "rule": tally.rule.name,
            "version": version_of(tally.rule),
            "value": _amount(cost, setting),
            "unit": tally.rule.unit,
            "share": _share(cost.value, ours) if cost else None,
            "params": _amount(tally.counts.get("params"), setting),
            "about": tally.rule.about,
            "differs": _apart(tally, setting),
        }
        note = cells["differs"] if view.format == "table" else ""
        rows.append(Row(tuple(cells[column.key] for column in shown), note=note))
    footer = (
        ("below a rule" if view.format == "table" else "differs", BELOW),
        ("more", "archcalc count NET --rule NAME counts by one rule, layer by layer, and says where it is from"),
    )
    return Table(what, shown, tuple(rows), footer=footer if view.format in ("table", "html") else ())


def _apart(tally: Tally, setting: Setting) -> str:
    """Where a rule differs from ours, in a line."""
    told = "; ".join(_difference(each, setting.batch) for each in tally.apart)
    params = "; ".join(_difference(each, 1) for each in tally.params_apart)
    return tally.fault or " · ".join(filter(None, (told, f"params {params}" if params else "")))


def _difference(each: Difference, batch: Dim) -> str:
    value = each.value * batch
    shown = f"{value:+,}" if isinstance(value, int) else str(value)
    return f"{shown} {', '.join(each.types)}: {each.formula}"


def _layers(what: str, tally: Tally, net: str, setting: Setting) -> Table:
    count = tally.counts.get("cost") or next(iter(tally.counts.values()))
    once = count.figure.name in ONCE
    times = 1 if once else setting.batch
    formulas = {name: formula.text for name, formula in count.figure.formulas.items()}
    rows = [
        Row(
            (
                row.name,
                row.node.op.text(),
                row.output,
                own * times,
                value * times,
                formulas.get(row.node.op.type),
                _share(value, own),
            ),
            row.node.op.kind(),
        )
        for row, value in count.layers
        if (own := row.params if once else row.macs) != 0 or value != 0
    ]
    ours = sum_of(row.params if once else row.macs for row, _ in count.layers)
    figures = (ours * times, count.value * times, None, _share(count.value, ours))
    columns = tuple(column._replace(title="params") if once and column.key == "macs" else column for column in LAYERS)
    return Table(what, columns, tuple(rows), Row(("total", "", None, *figures), "total"), _footer(tally, net, setting))


def _footer(tally: Tally, net: str, setting: Setting) -> tuple[tuple[str, str], ...]:
    rule = tally.rule
    version = f" {rule.version}" if rule.version else ""
    figures = ", ".join(
        f"{_digits(_amount(each, setting))} {each.figure.unit}"
        if name == "cost" or each.figure.unit == name
        else f"{name} {_digits(_amount(each, setting))}"
        for name, each in tally.counts.items()
    )
    said = [(rule.name, rule.about), ("tool", f"{rule.tool}{version}"), ("source", rule.source), ("note", rule.note)]
    said += [("of this net", rule.why(net)), ("figures", figures)]
    apart = [("difference" if at == 0 else "", _difference(each, setting.batch)) for at, each in enumerate(tally.apart)]
    apart += [("params", _difference(each, 1)) for each in tally.params_apart]
    total = tally.counts.get("cost")
    return (*((key, text) for key, text in said if text), *apart, *(_total(total, setting) if total else ()))


def _total(count: Count, setting: Setting) -> Iterator[tuple[str, str]]:
    """By how much a rule comes to more or less than ours."""
    value, ours, batch = count.value, sum_of(row.macs for row, _ in count.layers), setting.batch
    if isinstance(value, int) and isinstance(ours, int) and value != ours and isinstance(batch, int):
        way = "fewer" if value < ours else "more"
        share = f", {100 * abs(value - ours) / ours:.1f}%" if ours else ""
        yield "in all", f"{exact(abs(value - ours) * batch)} {way} than ours{share}"


def _digits(value: Dim) -> str:
    return exact(value) if isinstance(value, int) else str(value)


def _share(part: Dim, whole: Dim) -> Share | None:
    """A part to be drawn beside a whole; not where it is so many times as much that it fits no line."""
    if isinstance(part, int) and isinstance(whole, int) and whole > 0 and part <= MOST_TIMES * whole:
        return Share(part, whole)
    return None
