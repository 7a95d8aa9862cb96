"""What there is to tell of a layer, figure by figure, whatever it is then written in."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getdoc
from typing import Any, NamedTuple

from archcalc.analyses.explanation import DROPPED, Explained, Quantity, Step
from archcalc.analyses.letters import AXES
from archcalc.analyses.terms import Letter, Whole
from archcalc.notation.formulas import TEXT, Script, formula, substitution
from archcalc.ops.base import Op
from archcalc.units import binary, rows_and_columns
from archcalc.volume import Sweep, Undecided, Work

OPERATIONS = tuple(kind for kind in Work._fields if kind != "macs")


class Entry(NamedTuple):
    """A figure: its label, the formula in letters, that with numbers, the result, a remark; each may be empty."""

    label: str
    formula: str = ""
    numbers: str = ""
    result: str = ""
    remark: str = ""


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
