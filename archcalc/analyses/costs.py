"""What a net costs, layer by layer: sizes, memory, parameters, operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from archcalc.builder import Assumption
from archcalc.graph import Graph, Node, walk
from archcalc.ops.base import Op
from archcalc.volume import Dim, Shape, Volume, Work

QUANTITIES = ("activations", "params", "weights", "biases", "buffers", "macs", "flops", "with_inputs")


class Counted(NamedTuple):
    """What another rule of counting than ours makes of a layer."""

    params: Dim
    macs: Dim
    flops: Dim


class Cost(NamedTuple):
    """The figures of one layer, for one image. All counts are exact."""

    out: Volume
    weights: Dim  # learnt, without biases
    biases: Dim
    buffers: Dim  # kept, not learnt: BN mean and variance
    work: Work
    activations: Dim  # values of its output; 0 where it works in place
    rereads: Dim  # values of its input where it multiplies and adds (conv, fc): CS231n's total counts them again
    dropped: tuple[int, int] | None  # rows, columns of the input never seen; None for symbols
    counted: Counted | None = None  # by another rule than ours

    @property
    def params(self) -> Dim:
        """Learnable parameters: weights and biases, BN scale and shift."""
        return self.counted.params if self.counted else self.weights + self.biases

    @property
    def macs(self) -> Dim:
        """Multiply-adds."""
        return self.counted.macs if self.counted else self.work.macs

    @property
    def flops(self) -> Dim:
        """2 a multiply-add, 1 for every other operation."""
        return self.counted.flops if self.counted else self.work.flops

    @property
    def with_inputs(self) -> Dim:
        """Activations, and once more the input of every conv and fc."""
        return self.activations + self.rereads


class Row(NamedTuple):
    """A layer with what arrives and what it costs."""

    node: Node
    inputs: tuple[Volume, ...]
    cost: Cost

    @property
    def name(self) -> str:
        """The layer's name in the net."""
        return self.node.name

    @property
    def output(self) -> Volume:
        """Height, width and depth of what leaves it."""
        return self.cost.out

    @property
    def params(self) -> Dim:
        """Its learnable parameters."""
        return self.cost.params

    @property
    def macs(self) -> Dim:
        """Its multiply-adds for one image."""
        return self.cost.macs

    @property
    def flops(self) -> Dim:
        """Its operations for one image."""
        return self.cost.flops


class Totals(NamedTuple):
    """Sums over a net or a part of it; `layers` leaves the inputs out."""

    layers: int
    activations: Dim = 0
    params: Dim = 0
    weights: Dim = 0
    biases: Dim = 0
    buffers: Dim = 0
    macs: Dim = 0
    flops: Dim = 0
    with_inputs: Dim = 0

    def of_batch(self, images: Dim) -> Totals:
        """The sums for several images: what is learnt stays, the rest multiplies."""
        once = ("layers", "params", "weights", "biases", "buffers")
        figures: Any = [n if name in once else n * images for name, n in zip(self._fields, self, strict=True)]
        return Totals(*figures)


class Report(NamedTuple):
    """The rows of a net, in the order of its text. Answers questions; holds no formatted figure."""

    graph: Graph
    rows: tuple[Row, ...]
    assumptions: tuple[Assumption, ...] = ()

    def total(self, group: str = "") -> Totals:
        """Sums over the whole net, or over the layers of a group: `conv2_x`, `conv2_x.1`."""
        path = tuple(group.split(".")) if group else ()
        return add_up(row for row in self.rows if row.node.group[: len(path)] == path)

    def row(self, name: str) -> Row | None:
        """The layer that a name stands for: its own, or the last one of a group."""
        index = self.graph.volumes.get(name)
        return None if index is None or index < 0 else self.rows[index]


class Fold(NamedTuple):
    """Rows shown as one: a single layer, or a group; `times` equal neighbours."""

    name: str
    rows: tuple[Row, ...]
    times: int

    @property
    def totals(self) -> Totals:
        """Sums over the rows and over all `times`."""
        layers, *figures = add_up(self.rows)
        return Totals(self.times * layers, *(self.times * figure for figure in figures))


def measure(graph: Graph, assumptions: tuple[Assumption, ...] = ()) -> Report:
    """The cost of every layer, by walking the graph with the volumes that leave each."""
    known: dict[tuple[int, tuple[Volume, ...], bool], Row] = {}

    def step(node: Node, x: list[Volume]) -> Volume:
        inputs = tuple(x)
        key = (id(node.op), inputs, node.share is not None)
        row = known.get(key)
        if row is None:
            row = known[key] = Row(node, inputs, cost_of(node.op, inputs, shared=node.share is not None))
        rows.append(row if row.node is node else Row(node, inputs, row.cost))
        return row.cost.out

    rows: list[Row] = []
    walk(graph, step)
    return Report(graph, tuple(rows), assumptions)


def cost_of(op: Op, x: tuple[Volume, ...], shared: bool = False) -> Cost:
    """The figures of one layer; shared weights are counted where they are owned."""
    y = op.out(*x)
    shapes = {} if shared else op.weights(*x)
    work = op.work(y, *x)

    weights: Dim = 0
    biases: Dim = 0
    buffers: Dim = 0
    for name, shape in shapes.items():
        if name in op.biases:
            biases = biases + size(shape)
        elif name in op.buffers:
            buffers = buffers + size(shape)
        else:
            weights = weights + size(shape)
    rereads = sum_of(each.values for each in x) if work.macs != 0 else 0
    numbers = all(isinstance(n, int) for each in (*x, y) for n in each)
    dropped = op.dropped(*x) if numbers else None
    return Cost(y, weights, biases, buffers, work, 0 if op.inplace else y.values, rereads, dropped)


def size(shape: Shape) -> Dim:
    """Values in an array."""
    product: Dim = 1
    for n in shape:
        product = product * n
    return product


def sum_of(values: Iterable[Dim]) -> Dim:
    """A sum of sizes; the numbers apart, and symbols two by two, since long formulas are slow to add to."""
    numbers = 0
    left: list[Dim] = []
    for value in values:
        if isinstance(value, int):
            numbers += value
        else:
            left.append(value)
    while len(left) > 1:
        left = [a + b for a, b in zip(left[::2], left[1::2], strict=False)] + left[len(left) // 2 * 2 :]
    return left[0] + numbers if left else numbers


def add_up(rows: Iterable[Row]) -> Totals:
    """The sums over some rows. Rows alike share their cost, so each is summed once, times the number of its rows."""
    times: dict[int, list[Any]] = {}
    layers = 0
    for row in rows:
        layers += row.inputs != ()
        times.setdefault(id(row.cost), [row.cost, 0])[1] += 1
    sums = {name: sum_of(getattr(cost, name) * count for cost, count in times.values()) for name in QUANTITIES}
    return Totals(layers, **sums)


def fold(rows: tuple[Row, ...], depth: int | None) -> list[Fold]:
    """Rows folded by group to a depth, equal neighbours into one; with no depth every layer by itself."""
    if depth is None:
        return [Fold(row.node.name, (row,), 1) for row in rows]
    parts: list[tuple[tuple[str, ...], list[Row]]] = []
    for row in rows:
        path = row.node.group[:depth]
        grouped = len(row.node.group) >= depth and row.inputs != ()
        if grouped and parts and parts[-1][0] == path and len(path) == depth:
            parts[-1][1].append(row)
        else:
            parts.append((path if grouped else (), [row]))
    folds: list[Fold] = []
    before: object = None
    for path, members in parts:
        name = ".".join(path) if path else members[0].node.name
        alike = [(row.node.op, row.inputs, row.cost) for row in members]
        if folds and alike == before and members[0].inputs:
            folds[-1] = folds[-1]._replace(times=folds[-1].times + 1)
        else:
            folds.append(Fold(name, tuple(members), 1))
        before = alike
    return folds
