"""What a student takes the volumes of a net to be, and what the rules of its layers make of that.

Between the layers that have answers the volumes go on by the rules, so that a sheet may leave out what works in place,
or any other layer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cached_property
from itertools import product, takewhile
from typing import Any, NamedTuple

from archcalc.analyses.costs import Cost, Report, Row, cost_of
from archcalc.analyses.counting import recounted
from archcalc.analyses.quantities import Part
from archcalc.analyses.receptive import follow
from archcalc.analyses.rules import find_rule
from archcalc.homework.acceptance import Facts
from archcalc.homework.answers import Answer
from archcalc.homework.mistakes.drafts import SIDES
from archcalc.homework.rubric import Rubric
from archcalc.ops.base import Op
from archcalc.volume import Volume

LONGEST = 10**9  # a side that is followed
MOST_BASES = 64  # of one layer


class Basis(NamedTuple):
    """What a layer is worked out from: the right volumes and arguments, or some of the student's."""

    op: Op
    inputs: tuple[Volume, ...]
    output: Volume


class Told(NamedTuple):
    """An answer, what it was held against, and whether it is right; the convention that it is right by."""

    answer: Answer
    part: Part
    right: tuple[int | Fraction, ...]
    is_right: bool
    convention: str = ""

    @property
    def at(self) -> int:
        """The layer whose output it speaks of."""
        return self.part.last

    @property
    def value(self) -> Fraction:
        """The one figure of a count."""
        return self.answer.figures[0].value

    @property
    def differs(self) -> bool:
        """Whether it is not the right figure itself; a rounded one differs."""
        return tuple(figure.value for figure in self.answer.figures) != self.right


class Beliefs:
    """What a student takes the volumes to be: as written, else as they follow from what is written."""

    def __init__(self, report: Report, told: Iterable[Told], rubric: Rubric) -> None:
        self.report = report
        self.told = tuple(told)
        self.rubric = rubric
        self.outputs: list[Volume | None] = []
        self.origins: list[int] = []  # the layer whose written size stands behind each output; -1 for none
        self.indices = {id(row): index for index, row in enumerate(report.rows)}
        for index, row in enumerate(report.rows):
            self._follow(index, row)

    def _follow(self, index: int, row: Row) -> None:
        x = self.inputs(index)
        derived = row.output if x == row.inputs else None
        if derived is None and x is not None and is_legal(row.node.op, x):
            derived = row.node.op.out(*x)
        sides: Any = self.sides.get(index, {})
        base = row.output if derived is None and sides else derived
        own = base._replace(**sides) if base else None
        before = next((self.origins[at] for at in row.node.inputs if self.outputs[at] != self._right(at)), -1)
        self.outputs.append(own)
        self.origins.append(index if sides else before)

    @cached_property
    def sides(self) -> dict[int, dict[str, int]]:
        """Sides of outputs as written, by layer; what a layer's own row says comes before what its group's does."""
        return self._sides(self.told)

    def sides_before(self, cell: Told) -> dict[str, int]:
        """The sides of a layer's output that are written before a cell."""
        return self._sides(takewhile(lambda each: each is not cell, self.told)).get(cell.at, {})

    def _sides(self, told: Iterable[Told]) -> dict[int, dict[str, int]]:
        found: dict[int, dict[str, int]] = {}
        used = [each for each in told if each.answer.quantity in SIDES]
        kinds = [*SIDES]
        for each in sorted(used, key=lambda each: (-len(each.part.rows), -kinds.index(each.answer.quantity))):
            axes = SIDES[each.answer.quantity]
            right = self._right(each.at)
            written = [figure.value for figure in each.answer.figures]
            values: Any = [getattr(right, axis) for axis in axes] if each.is_right else written
            if all(n == int(n) and 1 <= n <= LONGEST for n in values) and len(values) == len(axes):
                found.setdefault(each.at, {}).update(zip(axes, map(int, values), strict=True))
        return found

    def _right(self, index: int) -> Volume:
        return self.report.rows[index].output

    def name(self, index: int) -> str:
        """What the student's row of a layer's output is called: the layer, or the group that ends in it."""
        rows = [each.answer.layer for each in self.told if each.at == index and each.answer.quantity in SIDES]
        own = self.report.rows[index].name
        return own if own in rows or not rows else rows[0] or own

    def inputs(self, index: int) -> tuple[Volume, ...] | None:
        """What arrives at a layer as the student has it; None where that cannot be told."""
        x = [self.outputs[at] for at in self.report.rows[index].node.inputs]
        return None if None in x else tuple(volume for volume in x if volume is not None)

    def bases(self, index: int) -> list[Basis]:
        """What a layer may have been worked out from, in part at least the student's; the least apart first."""
        row = self.report.rows[index]
        right = Basis(row.node.op, row.inputs, row.output)
        stated = self.outputs[index] if index in self.sides else None
        found: dict[Basis, int] = {}  # as an ordered set
        for x in self._arriving(index, row):
            if is_legal(row.node.op, x):
                outputs = _mixed(stated, row.output, row.node.op.out(*x))
                found |= {Basis(row.node.op, x, y): 0 for y in outputs}
                for op in told_otherwise(row.node.op, x, row.output, stated):
                    found |= {Basis(op, x, y): 0 for y in outputs if stated and y.c == stated.c}
        found.pop(right, None)
        return sorted(found, key=lambda basis: _apart(basis, right))

    def _arriving(self, index: int, row: Row) -> Iterator[tuple[Volume, ...]]:
        """Volumes that may have arrived: each the student's, the right one, or half of each."""
        choices = [_mixed(self.outputs[at], volume) for at, volume in zip(row.node.inputs, row.inputs, strict=True)]
        count = 1
        for each in choices:
            count *= len(each)
        if count <= MOST_BASES:
            yield from product(*choices)
        else:
            yield row.inputs
            own = self.inputs(index)
            yield from [own] if own else []

    # ------------------------------------------------ receptive fields

    @cached_property
    def fields_written(self) -> dict[int, Told]:
        """The receptive fields that are written, by layer."""
        return {each.at: each for each in self.told if each.answer.quantity == "receptive"}

    @cached_property
    def fields(self) -> list[tuple[int, ...] | None]:
        """Height and width of receptive fields as the student has them; None where nothing is seen."""
        fields: list[tuple[int, ...] | None] = []
        for index in range(len(self.report.rows)):
            own = self.fields_written.get(index)
            if own is not None and own.is_right:
                fields.append(self.field(index))
            else:
                derived = self._grown(index, fields)
                fields.append(_sides_of(own, derived) if own else derived)
        return fields

    @cached_property
    def views(self) -> tuple[Any, ...]:
        """The first view of each layer: that of the first input; None where it sees none."""
        return tuple(views[0] if views else None for views in follow(self.report))

    def field(self, index: int) -> tuple[int, ...] | None:
        """The right receptive field of a layer."""
        return self.views[index].size if self.views[index] else None

    def grown(self, index: int) -> tuple[int, ...] | None:
        """The receptive field of a layer from those that the student has for the layers before it."""
        return self._grown(index, self.fields)

    def _grown(self, index: int, fields: list[tuple[int, ...] | None]) -> tuple[int, ...] | None:
        """The own field of each path grown by what the layer adds on this path; the largest."""
        view, row = self.views[index], self.report.rows[index]
        if view is None or not row.inputs:
            return self.field(index)
        before = [(fields[at], self.field(at)) for at in row.node.inputs if self.views[at]]
        sides = []
        for axis, size in enumerate(view.size):
            paths = [path.size for path in view.meetings[axis].paths] if view.meetings else [size]
            pairs = list(zip(before, paths, strict=len(paths) > 1))
            grown = [own[axis] + path - right[axis] for (own, right), path in pairs if own and right]
            sides.append(max(grown) + size - max(paths))
        return tuple(sides)


def is_legal(op: Op, x: tuple[Volume, ...]) -> bool:
    """Whether the rules of a layer accept volumes in numbers, and something leaves."""
    if any(not isinstance(n, int) or n < 1 for volume in x for n in volume):
        return False
    if not all(need.condition is True for need in op.needs(*x)):
        return False
    return all(isinstance(n, int) and n >= 1 for n in op.out(*x))


def told_otherwise(op: Op, x: tuple[Volume, ...], right: Volume, stated: Volume | None) -> Iterator[Op]:
    """The layer with the argument that gives it its depth as the student's depth has it: 64 filters for 96."""
    if stated is None or stated.c == right.c:
        return
    for name in op.fields:
        if getattr(op, name) == right.c and not isinstance(getattr(op, name), bool):
            other = op.replace(**{name: stated.c})
            if is_legal(other, x) and other.out(*x).c == stated.c:
                yield other


def _mixed(own: Volume | None, *others: Volume) -> tuple[Volume, ...]:
    """The right volumes, the student's, and the area of the one with the depth of the other; each once."""
    found = [*others]
    if own is not None:
        found.append(own)
        found += [mixed for other in others for mixed in (own._replace(c=other.c), other._replace(c=own.c))]
    return tuple(dict.fromkeys(found))


def _apart(basis: Basis, right: Basis) -> int:
    """How many areas, depths and arguments are not the right ones."""
    pairs = zip((*basis.inputs, basis.output), (*right.inputs, right.output), strict=True)
    sides = sum((own.c != volume.c) + ((own.h, own.w) != (volume.h, volume.w)) for own, volume in pairs)
    return sides + (basis.op is not right.op)


def _sides_of(told: Told, derived: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """A receptive field as written: one number stands for both sides."""
    values = [figure.value for figure in told.answer.figures]
    if not all(n == int(n) and 1 <= n <= LONGEST for n in values):
        return derived
    return tuple(map(int, values * 2 if len(values) == 1 else values))


# ---------------------------------------------------------------- what a basis comes to


def worked_out(report: Report, row: Row, basis: Basis, rubric: Rubric) -> Row:
    """A layer with its figures as its rules have them for other volumes."""
    shared = row.node.share is not None
    cost: Cost = cost_of(basis.op, basis.inputs, shared)
    y = basis.output
    if cost.out != y:
        kept: Any = 0 if basis.op.inplace else y.values
        cost = cost._replace(out=y, activations=kept, work=basis.op.work(y, *basis.inputs))
    found = Row(row.node._replace(op=basis.op), basis.inputs, cost)
    if rubric.rule:
        [found] = recounted(report._replace(rows=(found,)), find_rule(rubric.rule)).rows
    return found


def facts_of(rows: Iterable[Row], size: Volume, receptive: tuple[int, ...] = ()) -> Facts:
    """The figures of some layers added up."""
    sums = [0] * len(_SUMMED)
    for row in rows:
        for at, name in enumerate(_SUMMED):
            sums[at] += getattr(row.cost, name)
    values, params, weights, biases, buffers, macs, flops = sums
    return Facts(size, values, params, weights, biases, buffers, macs, flops, receptive)


_SUMMED = ("activations", "params", "weights", "biases", "buffers", "macs", "flops")
