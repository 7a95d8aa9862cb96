"""Where every figure of a layer comes from: its own rules, run on terms in place of numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from archcalc.analyses.branches import START, gates_of, trace
from archcalc.analyses.costs import Report, Row
from archcalc.analyses.letters import AXES, Sources, arriving, leaving, lettered, sources_of
from archcalc.analyses.quantities import named_part
from archcalc.analyses.terms import Letter, Product, Term, Whole, parts_of, value_of
from archcalc.ops.base import Op, shown
from archcalc.volume import Dim, Shape, Sweep, Volume, Work, unseen

IN_PLACE = "in place: the output takes the place of the input"
LEARNT_WITHOUT = "without biases: the lectures' count"
KEPT = "kept, not learnt"
DROPPED = ("dropped_rows", "dropped_columns")


class Quantity(NamedTuple):
    """A figure of a layer: a plain number, or a term, which is formula, substitution and result in one."""

    name: str
    term: Dim
    note: str = ""

    @property
    def value(self) -> Dim:
        """The result, exact; a formula where the net has symbols."""
        return value_of(self.term)


class Step(NamedTuple):
    """A layer on a path, with its height, width and depth as terms."""

    row: Row
    feeders: tuple[str, ...]
    out: Volume
    kept: bool


class Explained(NamedTuple):
    """One layer: its figures, and where their factors come from."""

    step: Step
    quantities: tuple[Quantity, ...]
    square: bool  # the height and the width follow alike, from the same numbers
    arrays: dict[str, Shape]
    words: tuple[tuple[str, str], ...]  # words among its arguments, with what they stand for here
    sweeps: tuple[Sweep, ...]  # along the rows, along the columns
    fork: Step | None  # where the paths part that meet here; None for paths from different inputs
    paths: tuple[tuple[Step, ...], ...]  # a path without layers is the identity

    @property
    def row(self) -> Row:
        """The layer with what arrives and what it costs."""
        return self.step.row

    @property
    def factors(self) -> tuple[Letter | Whole, ...]:
        """The letters of its formulas: what arrives, the arguments, what leaves; then factors that are more."""
        told = self.quantities[len(AXES) :] if self.step.kept else self.quantities
        parts = dict.fromkeys(part for each in told for part in parts_of(each.term))
        letters = [part for part in parts if isinstance(part, Letter) and part.about]
        arriving = sorted((each for each in letters if each.axis and each.name[0].isupper()), key=_side)
        leaving = sorted((each for each in letters if each.axis and each.name[0].islower()), key=_side)
        arguments = [each for each in letters if not each.axis]
        return (*arriving, *arguments, *leaving, *(part for part in parts if isinstance(part, Whole)))


class Explanation(NamedTuple):
    """Some layers of a net, each explained when it is asked for; figures are for `batch` images."""

    report: Report
    rows: tuple[Row, ...]
    batch: int
    bytes_per_value: int
    sources: list[Sources]  # of each layer's output
    gates: list[int]  # before each layer

    @property
    def layers(self) -> Iterator[Explained]:
        """The layers in the order of the net."""
        chosen = {id(row) for row in self.rows}
        for index, row in enumerate(self.report.rows):
            if id(row) in chosen:
                yield self._explained(index, row)

    def _explained(self, index: int, row: Row) -> Explained:
        step, x = self._step(row), self._arriving(row)
        quantities = [
            *(Quantity(word, n) for word, n in zip(AXES.values(), step.out, strict=True)),
            *self._costs(row, x, leaving(step.out, row.output)),
        ]
        sweeps: tuple[Sweep, ...] = ()
        if _in_numbers(row):
            sweeps = row.node.op.sweeps(*row.inputs)
            quantities += _dropped(row, x, leaving(step.out, row.output))
        arrays = row.node.op.weights(*row.inputs) if row.node.share is None else {}
        square, words = _is_square(row, x), tuple(_words(row))
        return Explained(step, tuple(quantities), square, arrays, words, sweeps, *self._paths(index, row))

    def _step(self, row: Row) -> Step:
        x = self._arriving(row)
        y = lettered(row.node.op).out(*x)
        kept = any(all(a is b for a, b in zip(y, volume, strict=True)) for volume in x)
        return Step(row, tuple(self.report.graph.nodes[i].name for i in row.node.inputs), y, kept)

    def _arriving(self, row: Row) -> tuple[Volume, ...]:
        several = len(row.inputs) > 1
        return tuple(
            arriving(volume, self.sources[index], str(at) if several else "")
            for at, (volume, index) in enumerate(zip(row.inputs, row.node.inputs, strict=True), 1)
        )

    def _costs(self, row: Row, x: tuple[Volume, ...], y: Volume) -> Iterator[Quantity]:
        op = lettered(row.node.op)
        images: Dim = Letter(self.batch, "B", "images in the batch") if self.batch > 1 else 1
        if op.inplace:
            yield Quantity("activations", 0, IN_PLACE)
        else:
            values = images * y.values
            yield Quantity("activations", values)
            each = Letter(self.bytes_per_value, "bytes_per_value")
            yield Quantity("bytes", Letter(value_of(values), "values") * each)
        if row.node.share is None:
            flat = {volume.values: self._flattened(row, at) for at, volume in enumerate(x)}
            yield from _parameters(op, op.weights(*x), flat, row.macs != 0)
        else:
            owner = self.report.graph.nodes[row.node.share].name
            yield Quantity("params", 0, f"the weights are those of {owner}, and counted there")
        yield from _operations(op.work(y, *x).times(images))

    def _flattened(self, row: Row, at: int) -> str:
        """What all values of a volume that arrives are: the depth of a vector, or a volume flattened."""
        index = row.node.inputs[at]
        if (row.inputs[at].h, row.inputs[at].w) == (1, 1):
            return self.sources[index][2].about
        while self.report.rows[index].node.op.inplace:
            index = self.report.rows[index].node.inputs[0]
        return f"{self.report.rows[index].name} flattened"

    def _paths(self, index: int, row: Row) -> tuple[Step | None, tuple[tuple[Step, ...], ...]]:
        if len(row.inputs) < 2:
            return None, ()
        rows = self.report.rows
        fork, paths = trace(self.report.graph, self.gates, index)
        steps = tuple(tuple(self._step(rows[i]) for i in path) for path in paths)
        return self._step(rows[fork]) if fork != START else None, steps


def explain(report: Report, layers: str | None = None, batch: int = 1, bytes_per_value: int = 4) -> Explanation:
    """The figures of a layer, a group, a stretch (`conv1_1..pool1`) or a whole net as formulas.

    Raises `SpecError` for a layer that there is not.
    """
    rows = named_part(report, layers).rows
    return Explanation(report, rows, batch, bytes_per_value, sources_of(report), gates_of(report.graph))


def _side(letter: Letter) -> tuple[str, int]:
    """By volume, then height, width, depth."""
    return letter.name[1:], [*AXES].index(letter.axis)


def _is_square(row: Row, x: tuple[Volume, ...]) -> bool:
    """Whether the width follows from the same numbers as the height, by the same rule."""
    if not x:
        return row.output.h == row.output.w
    if any(volume.h != volume.w for volume in row.inputs):
        return False
    y = lettered(row.node.op).out(*(Volume(volume.h, volume.h, volume.c) for volume in x))
    return y.h == y.w


def _words(row: Row) -> Iterator[tuple[str, str]]:
    """Words that change a rule, `ceil`, as their own description; words for numbers, `same`, as these numbers."""
    op = row.node.op
    values = op.arguments(*row.inputs) if _in_numbers(row) else op.arguments()
    for name, field in op.fields.items():
        word = getattr(op, name)
        if word is True and field.default is False:
            yield name, field.about
        if isinstance(word, str) and word != values[name]:
            yield word, f"{name} {shown(values[name])}"


def _in_numbers(row: Row) -> bool:
    return all(isinstance(n, int) for volume in row.inputs for n in volume)


def _parameters(op: Op, shapes: dict[str, Shape], flat: dict[Dim, str], multiplies: bool) -> Iterator[Quantity]:
    """What is learnt; without biases too, where the layer multiplies and adds; then what is only kept."""
    learnt = [shape for name, shape in shapes.items() if name not in op.buffers]
    without = [shape for name, shape in shapes.items() if name not in (*op.buffers, *op.biases)]
    kept = [shape for name, shape in shapes.items() if name in op.buffers]
    yield Quantity("params", _added_up(learnt, flat))
    if multiplies and len(without) < len(learnt):
        yield Quantity("weights", _added_up(without, flat), LEARNT_WITHOUT)
    if kept:
        yield Quantity("buffers", _added_up(kept, flat), KEPT)


def _added_up(shapes: list[Shape], flat: dict[Dim, str]) -> Dim:
    """The numbers in some arrays: what all have as their last factors is put outside the brackets."""
    rests = [[n for n in shape if not (isinstance(n, int) and n == 1)] for shape in shapes]
    if len(rests) > 1 and not _has_common_end(rests):
        rests = [[factor for n in rest for factor in (n.factors if isinstance(n, Product) else (n,))] for rest in rests]
    common: Dim = 1
    while _has_common_end(rests):
        common = _whole(rests[0][-1], flat) * common
        rests = [rest[:-1] for rest in rests]
    total: Dim = 0
    for rest in rests:
        product: Dim = 1
        for n in rest:
            product = product * _whole(n, flat)
        total = total + product
    return total * common


def _has_common_end(rests: list[list[Dim]]) -> bool:
    return len(rests) > 1 and all(rest and rest[-1] == rests[0][-1] for rest in rests)


def _whole(n: Dim, flat: dict[Dim, str]) -> Dim:
    """A factor as one number, however it came about."""
    return Whole(n.value, n, flat.get(n, "")) if isinstance(n, Term) and not isinstance(n, Letter) else n


def _operations(work: Work) -> Iterator[Quantity]:
    """Multiply-adds, the other operations by kind, and all of them as FLOPs."""
    yield Quantity("macs", work.macs)
    others = {kind: n for kind, n in work._replace(macs=0)._asdict().items() if not (isinstance(n, int) and n == 0)}
    macs = Letter(value_of(work.macs), "MACs") if isinstance(work.macs, Term) else 0
    if len(others) == 1 and macs == 0:
        [(kind, n)] = others.items()
        yield Quantity("flops", n, kind)
        return
    yield from (Quantity(kind, n) for kind, n in others.items())
    yield Quantity("flops", Work(macs, **{kind: Letter(value_of(n), kind) for kind, n in others.items()}).flops)


def _dropped(row: Row, x: tuple[Volume, ...], y: Volume) -> Iterator[Quantity]:
    """Rows and columns never seen: as formulas where windows that touch or overlap leave over a rest."""
    sweeps: Any = lettered(row.node.op, *row.inputs).sweeps(*x)
    places: Any = y[:2]
    for at, (n, k, s, before, _, d, _) in enumerate(sweeps):
        count = (row.cost.dropped or (0, 0))[at]
        if count:
            rest = isinstance(d, int) and d == 1 and k >= s
            yield Quantity(DROPPED[at], unseen(n, k, s, before, d, places[at]) if rest else count)
