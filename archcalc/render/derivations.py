"""What `explain` tells of a layer, figure by figure, whatever it is then written in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from inspect import getdoc
from typing import Any, NamedTuple, TextIO

from archcalc import __version__
from archcalc.analyses.costs import Totals, add_up, fold, sum_of
from archcalc.analyses.explanation import DROPPED, Explained, Explanation, Quantity, Step
from archcalc.analyses.letters import AXES
from archcalc.analyses.terms import Letter, Whole
from archcalc.ops.base import Op
from archcalc.render import costs
from archcalc.render.arithmetic import TEXT, Script, figure, formula, substitution
from archcalc.render.drawings import legend
from archcalc.render.structured import plain, totals
from archcalc.render.table import Column, Row, Table
from archcalc.units import binary, percent, rows_and_columns
from archcalc.volume import Sweep, Undecided, Work

FIGURES = ("values", "params", "MACs", "FLOPs")
MOST = 3  # layers that carry most
OPERATIONS = tuple(kind for kind in Work._fields if kind != "macs")


class View(NamedTuple):
    """How an explanation is wanted: the numbers it is for, all of a layer or a few lines, and the format."""

    title: str
    setting: costs.Setting
    full: bool
    format: str = "text"


class Entry(NamedTuple):
    """A figure: its label, the formula in letters, that with numbers, the result, a remark; each may be empty."""

    label: str
    formula: str = ""
    numbers: str = ""
    result: str = ""
    remark: str = ""


def lines(explanation: Explanation, view: View, stream: TextIO) -> Iterator[str]:
    """An explanation in the format that is wanted: text, md, latex or json."""
    if view.format == "json":
        return _json_lines(explanation, view)
    if view.format in ("md", "latex"):
        from archcalc.render import handouts

        return (handouts.markdown_lines if view.format == "md" else handouts.latex_lines)(explanation, view)
    from archcalc.render import pages

    return pages.lines(explanation, view, stream)


# ---------------------------------------------------------------- what is told


def entries(layer: Explained, each: int, script: Script) -> Iterator[Entry]:
    """All figures of a layer; `each` is the bytes of a value."""
    known = {quantity.name: quantity for quantity in layer.quantities}
    yield from sizes(layer, script)
    yield memory(known, each, script)
    if layer.arrays:
        arrays = ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in layer.arrays.items())
        yield Entry("arrays", remark=f"{arrays}: {said(layer.row.node.op.weights)}")
    labels = {"params": "parameters", "weights": "weights", "buffers": "buffers"}
    if known["params"].value != 0 or known["params"].note:
        yield from (entry(label, known[name], script) for name, label in labels.items() if name in known)
    yield Entry("operations", remark=said(layer.row.node.op.work))
    yield from operations(known, script)
    yield from never_seen(layer, known, script)


def short_entries(layer: Explained, each: int, script: Script) -> Iterator[Entry]:
    """The figures of a layer that are not nought, without the formulas in letters."""
    known = {quantity.name: quantity for quantity in layer.quantities}
    found = [each for each in sizes(layer, script) if each.numbers]
    if "bytes" in known:
        found.append(memory(known, each, script))
    found += [entry("parameters", known["params"], script)] * (known["params"].value != 0)
    found += [each for each in operations(known, script) if each.label in ("MACs", "FLOPs")]
    found += never_seen(layer, known, script)
    yield from (each._replace(formula="") for each in found)


def entry(label: str, quantity: Quantity, script: Script) -> Entry:
    """One quantity."""
    result = script.number(quantity.value)
    if isinstance(quantity.term, int):
        return Entry(label, result=result, remark=quantity.note)
    letters = formula(quantity.term, script)
    numbers = "" if isinstance(quantity.term, Letter) else substitution(quantity.term, script)
    return Entry(label, letters, numbers, result, quantity.note)


def sizes(layer: Explained, script: Script) -> Iterator[Entry]:
    """Height, width and depth; height and width as one where they follow alike."""
    if layer.step.kept:
        yield Entry("size", result=script.words(f"{layer.row.output}"), remark="as it arrives")
        return
    for quantity in layer.quantities[: len(AXES)]:
        if layer.square and quantity.name == AXES["h"]:
            yield entry("height, width", quantity, script)
        elif not layer.square or quantity.name != AXES["w"]:
            yield entry(quantity.name, quantity, script)


def memory(known: dict[str, Quantity], each: int, script: Script) -> Entry:
    """Values, bytes, and these in MiB."""
    values = entry("memory", known["activations"], script)
    if "bytes" not in known:
        return values
    total = known["bytes"].value
    result = f"{values.result}{script.words(' values')}{script.apart}{each}{script.words(' bytes')}"
    result += f" = {script.number(total)}{script.words(' bytes')}"
    scaled = isinstance(total, int) and total >= 2**10 and script.words(binary(total))
    return values._replace(result=f"{result} = {scaled}" if scaled else result)


def operations(known: dict[str, Quantity], script: Script) -> Iterator[Entry]:
    """Multiply-adds, other operations by kind, FLOPs; those that there are."""
    for name, label in (("macs", "MACs"), *((kind, kind) for kind in OPERATIONS), ("flops", "FLOPs")):
        if name in known and known[name].value != 0:
            found = entry(label, known[name], script)
            unit = script.words(f" {found.remark}") if found.remark else ""
            yield found._replace(result=found.result + unit, remark="")


def never_seen(layer: Explained, known: dict[str, Quantity], script: Script) -> Iterator[Entry]:
    """Rows and columns that no window touches."""
    rows, columns = layer.row.cost.dropped or (0, 0)
    alike = layer.square and rows == columns
    for name, what in zip(DROPPED, (rows_and_columns(rows, 0), rows_and_columns(0, columns)), strict=True):
        if name in known and not (alike and name == DROPPED[1]):
            remark = "and as many columns" if alike else ""
            yield entry("never seen", known[name], script)._replace(result=script.words(what), remark=remark)


def origins(layer: Explained, script: Script) -> Iterator[tuple[str, str]]:
    """Where each factor comes from: `C = 256` and `= depth of conv3_3`, `25,088 = 7*7*512` and `: pool5 flattened`."""
    skipped: Letter | None = None
    for factor, following in zip(layer.factors, (*layer.factors[1:], None), strict=False):
        number = script.number(factor.value)
        if isinstance(factor, Whole):
            yield f"{number} = {substitution(factor.of, script)}", f": {factor.about or formula(factor, TEXT)}"
        elif isinstance(following, Letter) and _are_sides(factor, following):
            skipped = following
            yield f"{script.name(factor.name)} = {script.name(following.name)} = {number}", f" = {_both(factor.about)}"
        elif factor is not skipped:
            made = f" = {substitution(factor.made, script)}" if factor.made is not None else ""
            name = script.name(factor.name)
            yield f"{name}{made}" if name == number else f"{name} = {number}{made}", f" = {factor.about}"
    yield from ((script.words(word), f": {about}") for word, about in layer.words)


def _are_sides(a: Letter, b: Letter) -> bool:
    """Whether two letters are the equal height and width of one volume."""
    return (a.axis, b.axis, a.value) == ("h", "w", b.value) and _both(a.about) == _both(b.about)


def _both(about: str) -> str:
    """`height and width of input` from the one or the other."""
    axis, _, rest = about.partition(" ")
    return f"{AXES['h']} and {AXES['w']} {rest}" if axis in (AXES["h"], AXES["w"]) else about


def sweeps(layer: Explained) -> list[tuple[str, Sweep]]:
    """The windows that are worth a drawing, along the rows and along the columns; once where these are alike."""
    if not layer.sweeps or all(each.k == each.s == 1 for each in layer.sweeps):
        return []
    rows, columns = layer.sweeps
    return [("rows, columns", rows)] if rows == columns else [("rows", rows), ("columns", columns)]


def swept(sweep: Sweep) -> str:
    """A drawing in words."""
    windows, cells = (
        f"{figure(n)} {what}{'s' * (n != 1)}" for n, what in ((sweep.places, "window"), (sweep.k, "cell"))
    )
    text = f"{windows} of {cells}, {figure(sweep.s)} apart, over {figure(sweep.n)}"
    return f"{text}; {legend(sweep)}" if legend(sweep) else text


def arrival(layer: Explained) -> str:
    """What arrives, from which layers, and what leaves."""
    row = layer.row
    if not row.inputs:
        return f"{row.output} is given"
    if len(row.inputs) > 1:
        return f"{len(row.inputs)} volumes arrive, {row.output} leaves"
    return f"{row.inputs[0]} of {layer.step.feeders[0]} arrives, {row.output} leaves"


def start(layer: Explained) -> str:
    """Where the paths into a merge part."""
    return f"{layer.fork.row.name}, {layer.fork.row.output}" if layer.fork else "different inputs"


def fed(layer: Explained, path: tuple[Step, ...]) -> list[str]:
    """For each layer of a path what it takes, where that is not the layer told before it."""
    found, before = [], layer.fork.row.name if layer.fork else ""
    for step in path:
        expected = step.feeders in ((before,), ())
        found.append("" if expected else f" of {' and '.join(step.feeders)}")
        before = step.row.name
    return found


def grown(step: Step, script: Script) -> str:
    """How the height after a layer came about; empty where it was kept or given."""
    height = step.out.h
    if isinstance(height, (int, Letter)):
        return ""
    return f"{substitution(height, script)} = {script.number(step.row.output.h)}"


def agreement(layer: Explained) -> str:
    """What the volumes that meet have to have in common, and what they have."""
    op = layer.row.node.op
    if type(op).needs is Op.needs:
        return ""
    open_ = [need.condition.text for need in op.needs(*layer.row.inputs) if isinstance(need.condition, Undecided)]
    when = f", exactly when {' and '.join(dict.fromkeys(open_))}" if open_ else ""
    return f"{said(op.needs)}: {' and '.join(map(str, layer.row.inputs))}{when}"


def said(rule: Any) -> str:
    """The first sentence of a rule's own description."""
    return (getdoc(rule) or "").partition("\n")[0].removesuffix(".")


# ---------------------------------------------------------------- the sums


def sums(explanation: Explanation, setting: costs.Setting) -> Table | None:
    """How the totals of several layers add up, by group; None for a single layer."""
    rows = explanation.rows
    if len(rows) < 2:
        return None
    deepest = max(len(row.node.group) for row in rows)
    folds = next((folds for depth in range(1, deepest + 1) if len(folds := fold(rows, depth)) > 1), fold(rows, None))
    parts = [(each.name + (f" ×{each.times}" if each.times > 1 else ""), each.totals) for each in folds]
    silent = [totals for _, totals in parts if _is_silent(totals)]
    shown = [(name, totals) for name, totals in parts if not _is_silent(totals)]
    if silent:
        count = sum(totals.layers for totals in silent)
        flops = sum_of(totals.flops for totals in silent)
        shown.append((f"{count:,} layer{'s' * (count != 1)} in place", Totals(count, flops=flops)))
    cells = [_cells(name, totals, setting) for name, totals in (*shown, ("sum", add_up(rows)))]
    kinds = ["formula" if any(costs.is_symbolic(row[at]) for row in cells) else "count" for at in range(1, 5)]
    columns = (Column("part", "part", "text", 10), *map(Column, FIGURES, FIGURES, kinds))
    footer = tuple(_carriers(explanation, setting))
    return Table("How the totals add up", columns, tuple(map(Row, cells[:-1])), Row(cells[-1], "total"), footer)


def _is_silent(totals: Totals) -> bool:
    return all(figure == 0 for figure in (totals.activations, totals.params, totals.macs))


def _cells(name: str, of: Totals, setting: costs.Setting) -> tuple[Any, ...]:
    figures = (of.activations * setting.batch, of.params, of.macs * setting.batch, of.flops * setting.batch)
    return (name, *(None if each == 0 else each for each in figures))


def _carriers(explanation: Explanation, setting: costs.Setting) -> Iterator[tuple[str, str]]:
    """The sums in other words, and the layers that carry most of each."""
    total, each = add_up(explanation.rows), setting.bytes_per_value
    values = total.activations * setting.batch
    if not isinstance(values, int) or not isinstance(total.flops, int):
        return
    yield "memory", f"{figure(values)} values * {each} bytes = {figure(values * each)} bytes = {binary(values * each)}"
    yield "params", f"{figure(total.weights)} weights + {figure(total.biases)} biases = {figure(total.params)}"
    for name, key in zip(FIGURES, ("activations", "params", "macs"), strict=False):
        whole = getattr(total, key)
        carried = sorted(((getattr(row.cost, key), row.name) for row in explanation.rows), key=lambda pair: -pair[0])
        most = [f"{name} {percent(part, whole)}" for part, name in carried[:MOST] if part]
        if most:
            yield f"most {name}", ", ".join(most)


# ---------------------------------------------------------------- JSON


def _json_lines(explanation: Explanation, view: View) -> Iterator[str]:
    """A line a layer, so that a long net needs no long text in memory."""
    report, setting = explanation.report, view.setting
    inputs = [row.output for row in report.rows if not row.inputs]
    head = {"archcalc": __version__, "kind": "explain", "arch": report.graph.name, "input": plain(inputs[0])}
    head |= {"batch": setting.batch, "dtype": setting.dtype}
    encode = json.JSONEncoder(default=plain, ensure_ascii=False).encode
    yield encode(head)[:-1] + ', "layers": ['
    last = len(explanation.rows) - 1
    for at, layer in enumerate(explanation.layers):
        yield encode(_layer(layer)) + ("," if at < last else "")
    yield f'], "totals": {encode(totals(add_up(explanation.rows), setting))}}}'


def _layer(layer: Explained) -> dict[str, Any]:
    row = layer.row
    return {
        "name": row.name,
        "type": row.node.op.type,
        "text": row.node.op.text(),
        "inputs": layer.step.feeders,
        "output": plain(row.output),
        "quantities": [_quantity(quantity) for quantity in layer.quantities],
        "factors": [_factor(factor) for factor in layer.factors],
        "fork": layer.fork.row.name if layer.fork else None,
        "paths": [[step.row.name for step in path] for path in layer.paths],
    }


def _quantity(of: Quantity) -> dict[str, Any]:
    written = {"formula": formula(of.term), "substitution": substitution(of.term), "value": plain(of.value)}
    return {"name": of.name, **written, "notes": [of.note] if of.note else []}


def _factor(of: Letter | Whole) -> dict[str, Any]:
    made = of.of if isinstance(of, Whole) else of.made
    written = {"factor": formula(of), "value": plain(of.value), "made": None if made is None else substitution(made)}
    return {**written, "from": of.about or None}
