"""The way to a right figure, line by line, and the arithmetic of a carried one: both from the layer's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

from archcalc.analyses.costs import Fold, Report, Row, cost_of, fold
from archcalc.analyses.counting import amount
from archcalc.analyses.explanation import Explained, explain
from archcalc.analyses.quantities import Part
from archcalc.analyses.receptive import View, follow
from archcalc.analyses.rules import find_rule
from archcalc.graph import Graph, Node
from archcalc.homework.acceptance import ADDED_UP, Meaning, meanings
from archcalc.homework.answers import Answer
from archcalc.homework.beliefs import Basis, facts_of, worked_out
from archcalc.homework.mistakes.drafts import SIDES
from archcalc.homework.rubric import Rubric
from archcalc.notation.derivations import Entry, entry, memory, operations, sizes
from archcalc.notation.formulas import TEXT
from archcalc.ops.reshape import Input
from archcalc.units import exact

AXES = {"h": "height", "w": "width", "c": "depth"}
MOST_ADDENDS = 12  # of a sum that is written out
LABELS = {"params": "parameters", "weights": "weights", "buffers": "buffers", "macs": "MACs", "flops": "FLOPs"}


def figure_text(value: Fraction | int) -> str:
    """A number with all its digits, in threes; one that is not whole to two decimal places, or as a fraction.

    >>> figure_text(34944), figure_text(Fraction(2433, 100)), figure_text(Fraction(1, 3))
    ('34,944', '24.33', '1/3')
    """
    whole = Fraction(value)
    if whole.denominator == 1:
        return exact(int(whole))
    hundredths = whole * 100
    return f"{float(whole):,.2f}" if hundredths.denominator == 1 and abs(whole) < 10**12 else str(whole)


class Solver:
    """The solutions of one net: what is needed for all of them is worked out once, when it is first asked for."""

    def __init__(self, report: Report, rubric: Rubric) -> None:
        self.report = report
        self.rubric = rubric

    @cached_property
    def _explanation(self) -> Any:
        return explain(self.report, batch=self.rubric.batch, bytes_per_value=self.rubric.bytes_per_value)

    @cached_property
    def views(self) -> tuple[tuple[View, ...], ...]:
        """The receptive fields of all layers."""
        return follow(self.report)

    def lines(self, part: Part, answer: Answer, right: Meaning) -> tuple[str, ...]:
        """Formula, substitution and result of the right figure of a cell."""
        quantity = answer.quantity
        if quantity == "receptive":
            return tuple(self._receptive(part.last))
        if quantity in ADDED_UP and len(part.rows) > 1:
            return tuple(self._sum(part, quantity, right))
        row = self.report.rows[part.last]
        if self.rubric.rule and quantity in ("params", "macs", "flops"):
            return tuple(self._by_rule(row, quantity, right))
        layer = next(iter(self._explanation._replace(rows=(row,)).layers))
        return tuple(_lines(layer, quantity, right, self.rubric))

    def _by_rule(self, row: Row, quantity: str, right: Meaning) -> Iterator[str]:
        """The formula of a counting rule."""
        rule = find_rule(self.rubric.rule)
        figure = rule.figure(rule.stands_for(quantity), self.report.graph.name)
        formula = figure.formulas.get(row.node.op.type) if figure else None
        counted = amount(self.report, (row,), rule, quantity) is not None
        text = formula.text if formula else "0" if counted else "as ever"
        yield f"{LABELS[quantity]} of `{row.node.op.type}` by the rule {rule.name}: {text}"
        yield f"= {figure_text(right.values[0])}"

    def _receptive(self, index: int) -> Iterator[str]:
        """The field before, and what the layer adds; where paths meet, the largest."""
        row, views = self.report.rows[index], self.views[index]
        if not views:
            yield "nothing of the input is seen"
            return
        view = views[0]
        size = "x".join(map(str, dict.fromkeys(view.size)))
        if not row.inputs:
            yield f"receptive field = {size}: a cell of the input sees itself"
            return
        feeders = [(self.report.rows[at].name, self.views[at][0]) for at in row.node.inputs if self.views[at]]
        yield f"receptive field = that of the layer before + (cells under the window - 1) * {JUMP}"
        for at, (name, before) in enumerate(feeders):
            paths = [meeting.paths[at].size for meeting in view.meetings] or view.size
            for axis, after in enumerate(paths if view.size[0] != view.size[1] else paths[:1]):
                told = f"{before.size[axis]} of {name} + {self._growth(row, at, before, axis, after)}"
                yield f"{('rows: ', 'columns: ')[axis] if view.size[0] != view.size[1] else ''}{told} = {after}"
        if len(feeders) > 1:
            yield f"the largest: {size}"

    def _growth(self, row: Row, at: int, before: View, axis: int, after: int) -> str:
        """(3 - 1)*4 where that is what a window adds; else the number."""
        reach: Any = row.node.op.reach(*row.inputs)[at][axis]
        jump, more = before.jump[axis], after - before.size[axis]
        if reach.m == 1 and reach.d * (reach.k - 1) * jump == more and jump.denominator == 1:
            spread = f"{reach.d}*" if reach.d != 1 else ""
            return f"{spread}({reach.k} - 1)*{jump}"
        return str(more)

    def _sum(self, part: Part, quantity: str, right: Meaning) -> Iterator[str]:
        """The addends by layer, or by group where there are many layers."""
        addends = self._addends(part, quantity, right)
        shown = [f"{name} {f'{times} * ' if times > 1 else ''}{figure_text(value)}" for name, times, value in addends]
        if len(shown) > MOST_ADDENDS:
            rest = sum(times * value for _, times, value in addends[MOST_ADDENDS:])
            shown[MOST_ADDENDS:] = [f"{len(shown) - MOST_ADDENDS} more {figure_text(rest)}"]
        yield f"{' + '.join(shown) or '0'}"
        yield f"= {figure_text(right.values[0])}"

    def _addends(self, part: Part, quantity: str, right: Meaning) -> list[tuple[str, int, int]]:
        """The layers that are not nought, or the groups that they stand in, as fine as a line holds them."""
        deepest = max(len(row.node.group) for row in part.rows)
        found = []
        for depth in (None, *range(deepest, 0, -1)):
            folds = fold(part.rows, depth)
            parts = [(each.name, each.times, self._value(each, part, quantity, right)) for each in folds]
            found.append([each for each in parts if each[2]])
        several = [each for each in found if len(each) > 1] or found[:1]
        return next((each for each in several if len(each) <= MOST_ADDENDS), None) or min(several, key=len)

    def _value(self, each: Fold, part: Part, quantity: str, right: Meaning) -> int:
        figures = meanings(quantity, facts_of(each.rows, part.size), self.rubric, ())
        return int(next(found.values[0] for found in figures if found.convention == right.convention))


JUMP = "the steps so far"


def arithmetic(report: Report, index: int, basis: Basis, quantity: str, meaning: Meaning, rubric: Rubric) -> str:
    """The numbers that come to a figure of a layer on another basis, and the figure."""
    row = report.rows[index]
    values = "x".join(map(figure_text, meaning.values))
    if row.node.share is not None or (rubric.rule and quantity not in (*SIDES, "memory")):
        return values
    layer = _alone(report, row, basis, rubric)
    if quantity in SIDES:
        out, right = layer.step.row.output, row.output
        axes = [axis for axis in SIDES[quantity] if getattr(out, axis) != getattr(right, axis)]
        found = [each for each in sizes(layer, TEXT) if each.numbers and _speaks_of(each, axes)]
        if not found:
            return f"{values} leave"
        return ", ".join(f"{each.label} {each.numbers} = {each.result}" for each in found)
    if quantity == "memory":
        return _memory(layer, meaning, rubric) or values
    found = [each for each in _entries(layer, quantity, meaning, rubric) if each.numbers]
    return f"{found[-1].numbers} = {found[-1].result}" if found else values


def _memory(layer: Explained, meaning: Meaning, rubric: Rubric) -> str:
    """Values, or bytes, as one product; empty for what has no memory of its own."""
    known = {each.name: each for each in layer.quantities}
    numbers = entry("memory", known["activations"], TEXT).numbers
    each = f" * {rubric.bytes_per_value}" if meaning.convention == "bytes" else ""
    return f"{numbers}{each} = {figure_text(meaning.values[0])}" if numbers else ""


def _speaks_of(each: Entry, axes: list[str]) -> bool:
    return any(AXES[axis] in each.label for axis in axes)


def _alone(report: Report, row: Row, basis: Basis, rubric: Rubric) -> Explained:
    """A layer by itself, explained on a basis: what arrives is given."""
    given = [Input(volume) for volume in basis.inputs]
    names = [report.graph.nodes[at].name for at in row.node.inputs]
    nodes = [Node(name, op, ()) for name, op in zip(names, given, strict=True)]
    found = worked_out(report, row, basis, rubric)
    node = found.node._replace(inputs=tuple(range(len(nodes))), group=())
    graph = Graph(report.graph.name, (*nodes, node), ((node.name, len(nodes)),), {})
    rows = [Row(each, (), cost_of(each.op, ())) for each in nodes]
    whole = Report(graph, (*rows, found._replace(node=node)))
    *_, layer = explain(whole, batch=rubric.batch, bytes_per_value=rubric.bytes_per_value).layers
    return layer


def _entries(layer: Explained, quantity: str, meaning: Meaning, rubric: Rubric) -> Iterator[Entry]:
    """What is told of a quantity, in the layer's own terms."""
    known = {each.name: each for each in layer.quantities}
    if quantity in SIDES:
        found = [*sizes(layer, TEXT)]
        axes = [*SIDES[quantity]]
        yield from (each for each in found if each.label == "size" or _speaks_of(each, axes))
    elif quantity == "memory":
        yield memory(known, rubric.bytes_per_value, TEXT)
    elif quantity == "biases":
        for name, shape in layer.arrays.items():
            if name in layer.row.node.op.biases:
                yield Entry("biases", result="x".join(map(str, shape)), remark=f"the array `{name}`")
    elif quantity == "flops":
        yield from _flops(layer, meaning)
    else:
        name = "weights" if quantity == "params" and meaning.convention == "without" else quantity
        if name in known or quantity == "weights":
            yield entry(LABELS[quantity], known.get(name, known["params"]), TEXT)


def _flops(layer: Explained, meaning: Meaning) -> Iterator[Entry]:
    """All operations by kind and together; or the multiply-adds, once or twice."""
    known = {each.name: each for each in layer.quantities}
    if meaning.convention == "all":
        yield from operations(known, TEXT)
        return
    macs = entry("MACs", known["macs"], TEXT)
    yield macs
    if meaning.convention == "2macs":
        yield Entry("FLOPs", "2*MACs", f"2*{macs.result}", figure_text(meaning.values[0]))


def _lines(layer: Explained, quantity: str, right: Meaning, rubric: Rubric) -> Iterator[str]:
    """Each entry as its formula, and below it the numbers with the result."""
    found = [*_entries(layer, quantity, right, rubric)]
    for each in found:
        remark = f", {each.remark}" if each.remark else ""
        if each.formula and each.numbers:
            yield f"{each.label} = {each.formula}"
            yield f"= {each.numbers} = {each.result}{remark}"
        else:
            parts = (each.label, each.formula or each.numbers, each.result)
            yield f"{' = '.join(part for part in parts if part)}{remark}"
    if not found:
        yield f"{LABELS.get(quantity, quantity)} = {'x'.join(map(figure_text, right.values))}"
