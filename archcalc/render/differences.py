"""What changed between two nets: a waterfall from the sums of the one to those of the other, and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, TextIO

from archcalc.analyses.costs import Row as LayerRow
from archcalc.analyses.costs import Totals
from archcalc.analyses.differences import OWN, Difference, Edit, Step, arrivals
from archcalc.lineup import Entrant
from archcalc.ops.base import shown
from archcalc.render.costs import Setting, rule_told
from archcalc.render.show import View, table_lines
from archcalc.render.table import Column, Level, Row, Table, Worded, chosen
from archcalc.units import binary, decimal, exact

COLUMNS = (
    Column("kind", "kind", "text"),
    Column("step", "step", "text"),
    Column("where", "where", "text"),
    Column("layers", "layers", "size", 2),
    Column("macs", "MACs", "size"),
    Column("params", "params", "size", 8),
    Column("bytes", "memory", "size", 7),
    Column("flops", "FLOPs", "size", 2),
    Column("bar", "MACs so far", "text", 4),
)
SHOWN = {  # on a terminal `where` stands below each step, whole
    "table": ("step", "layers", "macs", "params", "bytes", "flops", "bar"),
    "html": ("step", "where", "layers", "macs", "params", "bytes", "flops", "bar"),
    "csv": ("kind", "step", "where", "layers", "macs", "params", "bytes", "flops"),
}
PRINTED = ("step", "where", "layers", "macs", "params", "bytes", "flops")
MOST_STEPS = 40  # in the table; the smaller ones are added up
MOST_TOLD = 3
MOST_NAMES = 4
MOST_LAYERS = 3  # of a block that are named one by one


class Pairing(NamedTuple):
    """The two nets of a difference, and how it is wanted."""

    difference: Difference
    names: tuple[str, str]
    setting: Setting
    view: View


def lines(
    difference: Difference, nets: tuple[Entrant, Entrant], setting: Setting, view: View, stream: TextIO
) -> Iterator[str]:
    """The difference in the format that is wanted; as CSV and JSON with every step."""
    of = Pairing(difference, (nets[0].name, nets[1].name), setting, view)
    if view.format == "json":
        from archcalc.render import structured

        return iter([structured.document("diff", **content(of))])
    return table_lines(_waterfall(of), view, stream)


# ---------------------------------------------------------------- the table


def _waterfall(of: Pairing) -> Table:
    before, after = (report.total() for report in (of.difference.before, of.difference.after))
    told = _lines(of)
    levels = list(accumulate((_macs(line.figures) for line in told), initial=_macs(before)))
    first = _Line("before", of.names[0], "", before)
    last = _Line("after", of.names[1], "", after)
    rows = [_row(of, first, Level(0, levels[0], max(levels)))]
    rows += [_row(of, line, Level(*ends, max(levels))) for line, ends in zip(told, pairwise(levels), strict=True)]
    rows.append(_row(of, last, Level(0, levels[-1], max(levels))))
    return chosen(Table(_title(of), COLUMNS, tuple(rows), footer=tuple(_told(of))), SHOWN.get(of.view.format, PRINTED))


class _Line(NamedTuple):
    """A line of the waterfall: a sum, or by how much it is more behind a step."""

    kind: str
    what: str
    where: str
    figures: Totals


def _lines(of: Pairing) -> list[_Line]:
    """The steps; where there are very many, the smaller ones in one."""
    steps = list(of.difference.steps)
    kept = steps if of.view.format == "csv" else _largest(steps)
    told = [_Line(step.kind, _what(of.difference, step), _where(step), step.delta) for step in kept]
    if len(kept) < len(steps):
        large = {id(step) for step in kept}
        rest = [step.delta for step in steps if id(step) not in large]
        told.append(_Line("follows", f"{len(rest):,} smaller steps", "", _sum(rest)))
    return told


def _largest(steps: list[Step]) -> list[Step]:
    """The steps that cost most or save most, in their order, each with what follows from it."""
    if len(steps) <= MOST_STEPS:
        return steps
    bundles: dict[int, list[Step]] = {}
    for at, step in enumerate(steps):
        bundles.setdefault(at if step.cause is None else step.cause, []).append(step)
    ranked = sorted(bundles.values(), key=_cost, reverse=True)
    large: set[int] = set()
    for bundle in ranked:
        if len(large) + len(bundle) < MOST_STEPS:
            large |= {id(step) for step in bundle}
    return [step for step in steps if id(step) in large]


def _cost(bundle: list[Step]) -> tuple[int, ...]:
    """How much some steps matter: MACs first, then parameters, then memory."""
    return tuple(sum(map(abs, column)) for column in zip(*map(_weights, bundle), strict=True))


def _weights(step: Step) -> tuple[int, int, int]:
    figures: Any = (step.delta.macs, step.delta.params, step.delta.activations)  # numbers: symbols are refused
    macs, params, activations = figures
    return macs, params, activations


def _macs(totals: Totals) -> int:
    assert isinstance(totals.macs, int), "nets with symbols are refused"
    return totals.macs


def _sum(deltas: Sequence[Totals]) -> Totals:
    figures: Any = [sum(column) for column in zip(*deltas, strict=True)]
    return Totals(*figures)


def _row(of: Pairing, line: _Line, drop: Level) -> Row:
    total, figures, times = line.kind in ("before", "after"), line.figures, of.setting.batch
    indent = "  " if line.kind == "follows" and of.view.format == "table" else ""
    cells = (
        line.kind,
        indent + line.what,
        line.where,
        _cell(of, figures.layers, total),
        _cell(of, figures.macs * times, total),
        _cell(of, figures.params, total),
        _cell(of, _bytes(of, figures), total, binary),
        _cell(of, figures.flops * times, total),
        drop,
    )
    return Row(cells, _STYLES.get(line.kind, ""), line.where if of.view.format == "table" else "")


_STYLES = {"before": "total", "after": "total", "follows": "faint"}


def _bytes(of: Pairing, figures: Totals) -> Any:
    return figures.activations * of.setting.batch * of.setting.bytes_per_value


def _cell(of: Pairing, value: Any, total: bool, scaled: Callable[[int], str] = decimal) -> Any:
    """A figure of the table; the number itself for machines."""
    return value if of.view.format == "csv" else Worded(_number(of, value, total, scaled), value)


def _number(of: Pairing, value: Any, total: bool, scaled: Callable[[int], str] = decimal) -> str:
    """A sum, or by how much it is more: with its sign; scaled or exact."""
    text = exact(abs(value)) if of.view.exactly else scaled(abs(value))
    return text if total else _sign(value) + text if value else "0"


def _sign(value: Any) -> str:
    return "+" if value > 0 else "-" if value < 0 else ""


def _title(of: Pairing) -> str:
    sizes = [
        " and ".join(str(row.output) for row in report.rows if not row.inputs)
        for report in (of.difference.before, of.difference.after)
    ]
    size = sizes[0] if sizes[0] == sizes[1] else f"{sizes[0]} -> {sizes[1]}"
    batch = f", batch {of.setting.batch}" if of.setting.batch != 1 else ""
    return f"{of.names[0]} -> {of.names[1]}; input {size}{batch}, {of.setting.dtype}"


# ---------------------------------------------------------------- words


def _what(difference: Difference, step: Step) -> str:
    """What happens, in words: `stride 2 moved from conv2 to conv1`, `conv: groups 1 -> 2`."""
    if step.kind == "follows":
        sizes = arrivals(difference, step)
        return f"then input {sizes[0]} -> {sizes[1]}" if sizes else "then other inputs"
    if step.kind == "moved" and step.edits:
        edit, layer = step.edits
        return f"{_word(difference, step, edit)} moved from {layer.before} to {layer.after}"
    if step.kind == "changed":
        type_ = difference.rows(step, True)[0].node.op.type
        edits = ", ".join(_word(difference, step, edit) for edit in step.edits)
        return edits if step.edits[0].name == "type" else f"{type_}: {edits}"
    times = f" {len(step.names)}x" if len(step.names) > 1 else ""
    return f"{step.kind}{times}: {_layers(difference, step)}"


def _layers(difference: Difference, step: Step) -> str:
    """The layers of a block that was added or removed."""
    rows = difference.rows(step, step.kind != "removed")
    each = rows[: len(rows) // len(step.names)]
    return ", ".join(row.node.op.text() for row in each) if len(each) <= MOST_LAYERS else f"{len(each)} layers"


def _word(difference: Difference, step: Step, edit: Edit) -> str:
    """One edit: `groups 1 -> 2`, `bias -> nobias`, `relu -> prelu 0.25`; `stride 2` where both are the same."""
    field = difference.rows(step, True)[0].node.op.fields.get(edit.name)
    if field is not None and field.kind == "Flag":
        before, after = (edit.name if value else f"no{edit.name}" for value in (edit.before, edit.after))
        return before if before == after else f"{before} -> {after}"
    before, after = shown(edit.before), shown(edit.after)
    name = "" if edit.name == "type" else f"{edit.name} "
    return f"{name}{before}" if before == after else f"{name}{before} -> {after}"


def _where(step: Step) -> str:
    """The layers or groups of a step, as short as they can be told."""
    names = _ranges(step.names)
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    tops = list(dict.fromkeys(name.partition(".")[0] for name in step.names))
    count = f"{len(step.names):,} {'layers' if step.kind in ('changed', 'follows') else 'places'}"
    if len(tops) <= MOST_NAMES:
        return f"{count} in {', '.join(tops)}"
    return f"{count} in {tops[0]} .. {tops[-1]}"


def _ranges(names: Sequence[str]) -> list[str]:
    """Names with runs of numbers drawn together: `conv4_x.6`, `conv4_x.7`, `conv4_x.8` as `conv4_x.6..8`."""
    found: list[tuple[str, int | None, int | None]] = []  # what stands before the number, from, to
    for name in names:
        before, _, last = name.rpartition(".")
        number = int(last) if before and last.isdecimal() else None
        if found and number is not None and found[-1][0] == before and found[-1][2] == number - 1:
            found[-1] = (before, found[-1][1], number)
        else:
            found.append((name if number is None else before, number, number))
    return [
        name if first is None else f"{name}.{first}" + (f"..{last}" if last != first else "")
        for name, first, last in found
    ]


def _told(of: Pairing) -> Iterator[tuple[str, str]]:
    """The sums of the difference, what makes most of it, and how many layers were aligned."""
    difference, delta, before = of.difference, of.difference.delta, of.difference.before.total()
    if not difference.steps:
        yield "same", _same(difference)
    else:
        yield "MACs", _change(delta.macs * of.setting.batch, before.macs * of.setting.batch)
        yield "FLOPs", _change(delta.flops * of.setting.batch, before.flops * of.setting.batch)
        yield "params", _change(delta.params, before.params)
        yield "memory", _change(_bytes(of, delta), _bytes(of, before), " bytes")
        yield from _mostly(of)
    yield "aligned", _aligned(difference)
    yield from rule_told(of.setting.rule)
    if of.setting.rule and any(map(of.setting.rule.why, (difference.before.graph.name, difference.after.graph.name))):
        yield "", "layers alike are counted alike: what it counts otherwise in nets of some names is not looked at"


def _change(value: Any, base: Any, unit: str = "") -> str:
    """`-231,211,008 (-5.7%)`."""
    if not value:
        return "as before"
    share = f" ({100 * value / base:+,.1f}%)" if base else ""
    return f"{_sign(value)}{exact(abs(value))}{unit}{share}"


def _same(difference: Difference) -> str:
    """That nothing differs, or nothing but names."""
    found = _both(difference)
    renamed = [(before.name, after.name) for before, after in found if before.name != after.name]
    if not renamed:
        return f"nothing differs in {_count(len(found), 'layer')}"
    more = f" and {len(renamed) - 1:,} more" if len(renamed) > 1 else ""
    return f"nothing differs but names: {renamed[0][0]} is {renamed[0][1]}{more}"


def _count(count: int, what: str) -> str:
    return f"{exact(count)} {what}{'s' * (count != 1)}"


def _both(difference: Difference) -> list[tuple[LayerRow, LayerRow]]:
    """The layers that are in both nets, without the inputs."""
    pairs = ((a, b) for a, b in difference.pairs if a is not None and b is not None)
    rows = [(difference.before.rows[a], difference.after.rows[b]) for a, b in pairs]
    return [(before, after) for before, after in rows if before.inputs and after.inputs]


def _aligned(difference: Difference) -> str:
    """How many layers were found in both nets, and what became of them."""
    kinds = Counter(
        step.kind if step.edits or step.kind != "moved" else "elsewhere"
        for step in difference.steps
        for pair in step.pairs
        if any(
            index is not None and report.rows[index].inputs for index, report in zip(pair, difference[:2], strict=True)
        )
    )
    paired, changed, follows = len(_both(difference)), kinds["changed"] + kinds["moved"], kinds["follows"]
    elsewhere = kinds["elsewhere"] // 2  # each is told as it was and as it is
    told = f"{_count(paired, 'layer')} in both nets: {exact(paired - changed - follows)} as before"
    told += f", {exact(changed)} changed" * (changed > 0) + f", {exact(follows)} with another input" * (follows > 0)
    told += f"; {exact(elsewhere)} moved" * (elsewhere > 0)
    return told + "".join(f"; {exact(kinds[kind])} {kind}" for kind in ("removed", "added") if kinds[kind])


def _mostly(of: Pairing) -> Iterator[tuple[str, str]]:
    """The steps that make most of the difference, whole: a table may have cut them."""
    own = [step for step in of.difference.steps if step.kind in OWN and any(_weights(step))]
    ranked = sorted(own, key=lambda step: _cost([step]), reverse=True)
    for at, step in enumerate(ranked[:MOST_TOLD]):
        weights, times = _weights(step), (of.setting.batch, 1, of.setting.batch)
        macs, params, activations = (_number(of, each * n, False) for each, n in zip(weights, times, strict=True))
        figures = [f"{macs} MACs"] * (macs != "0") + [f"{params} params"] * (params != "0")
        said = f"{_what(of.difference, step)} at {_where(step)}"
        yield "mostly" if not at else "", f"{said}: {', '.join(figures or [f'{activations} values'])}"


# ---------------------------------------------------------------- JSON


def content(of: Pairing) -> dict[str, Any]:
    """The difference as JSON holds it: exact, for the whole batch."""
    from archcalc.render.structured import rule_of, totals

    difference, setting = of.difference, of.setting
    return {
        "before": {"arch": of.names[0], **totals(difference.before.total(), setting)},
        "after": {"arch": of.names[1], **totals(difference.after.total(), setting)},
        "difference": totals(difference.delta, setting),
        "batch": setting.batch,
        "dtype": setting.dtype,
        "rule": rule_of(setting),
        "steps": [_plain(difference, step) | totals(step.delta, setting) for step in difference.steps],
        "layers": _layers_of(difference),
    }


def _plain(difference: Difference, step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "change": _what(difference, step),
        "where": list(step.names),
        "cause": step.cause,
        "before": [row.name for row in difference.rows(step, False)],
        "after": [row.name for row in difference.rows(step, True)],
    }


def _layers_of(difference: Difference) -> list[dict[str, str | None]]:
    """The alignment, pair by pair, each with what happened to it."""
    before, after = difference.before.rows, difference.after.rows
    status = {pair: step.kind for step in difference.steps for pair in step.pairs}
    return [
        {
            "before": None if pair.before is None else before[pair.before].name,
            "after": None if pair.after is None else after[pair.after].name,
            "status": status.get(pair, "same"),
        }
        for pair in difference.pairs
    ]
