"""The way back: gradients of a loss, layer by layer, each beside what the analysis says of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import NamedTuple

import numpy as np

from archcalc.analyses.costs import Row
from archcalc.analyses.training import backpropagate
from archcalc.executor.base import Array
from archcalc.executor.definitions import Shape, trace_back
from archcalc.executor.fingerprints import sum_of_squares
from archcalc.executor.forward import MISFITS, Count, Run
from archcalc.executor.weights import draw, ints
from archcalc.ops.activation import Softmax
from archcalc.ops.base import Arrays

CROSS_ENTROPY = "cross-entropy", "mean over images and positions"
SUM_OF_SQUARES = "sum of squares", "of all values of all images"


class Loss(NamedTuple):
    """The loss at one output of a net."""

    output: str
    kind: str
    over: str  # what it is the mean of, or the sum
    value: float


class StepBack(NamedTuple):
    """The gradients at one layer, for the whole batch."""

    at: int  # its place in the graph
    row: Row
    predicted: tuple[Shape | None, ...]  # of what arrived, None where nothing before learns; then of weights learnt
    executed: tuple[Shape | None, ...]  # … of their gradients
    macs: Count
    norm: float | None = None  # of the gradients of the weights that it owns, as one vector; None where it owns none
    seconds: float = 0.0
    failure: str = ""

    @property
    def agrees(self) -> bool:
        """Whether shapes and multiply-adds are as the analysis says."""
        return self.executed == self.predicted and self.macs.agrees


class Gradients(NamedTuple):
    """What is on its way to the layers before: gradients by their outputs, and parts of those by their weights."""

    outputs: dict[int, Array]
    weights: dict[int, Arrays]  # where a layer's are shared: of all uses that have had their turn

    def add(self, at: int, dx: Array) -> None:
        """One more part of an output's gradient; a new array, for several layers may have been handed the same one."""
        self.outputs[at] = self.outputs[at] + dx if at in self.outputs else dx

    def summed(self, owner: int, dw: Arrays) -> Arrays:
        """The gradients of weights by one use, and those by the uses behind it."""
        others = self.weights.pop(owner, {})
        return {name: part + others[name] if name in others else part for name, part in dw.items()}


class WayBack(NamedTuple):
    """The layers in the order in which gradients came through them, last first."""

    losses: tuple[Loss, ...]
    steps: tuple[StepBack, ...]

    @property
    def agrees(self) -> bool:
        """Whether every layer is as the analysis says."""
        return all(step.agrees for step in self.steps)


def go_back(run: Run) -> WayBack:
    """Gradients from a loss at every output, through all layers that lead there, up to the first that disagrees.

    The loss is the cross-entropy of a softmax, with labels drawn from the seed, and the sum of squares at an output
    that is none. Weights that are shared have one gradient, the sum over their uses. What is normalized by batch keeps
    the statistics that it has. No gradient goes to where nothing is learnt.
    """
    rows = run.report.rows
    gradients = Gradients({}, {})
    steps: list[StepBack] = []
    with np.errstate(all="ignore"):  # what is not finite is told with the values
        losses = tuple(_loss(run, name, at, gradients) for name, at in run.report.graph.outputs)
        formulas = backpropagate(run.report).backward
        learning = _learning(rows)
        for at in range(len(rows) - 1, -1, -1):
            run.progress(rows[at].name, run.turns - at - 1, run.turns)
            dy = gradients.outputs.pop(at, None)
            if dy is not None and learning[at] and (not steps or steps[-1].agrees):
                (macs,) = ints((formulas[at].macs,))
                steps.append(_step(run, at, dy, macs * run.request.batch, gradients, learning))
            run.cells[at].content = None  # all that it went into have had their turn
    return WayBack(losses, tuple(steps))


def _learning(rows: tuple[Row, ...]) -> list[bool]:
    """For each layer whether it, or one before it, has weights that are learnt."""
    found: list[bool] = []
    for row in rows:
        found.append(bool(_learnt(row)) or any(found[before] for before in row.node.inputs))
    return found


def _learnt(row: Row) -> dict[str, Shape]:
    op = row.node.op
    return {name: ints(shape) for name, shape in op.weights(*row.inputs).items() if name not in op.buffers}


def _loss(run: Run, name: str, at: int, gradients: Gradients) -> Loss:
    """The loss at an output; its gradient is laid where it comes from."""
    row, y = run.report.rows[at], run.cells[at].array
    if isinstance(row.node.op, Softmax):
        (before,) = row.node.inputs
        labels = drawn_labels(y.shape, run.request.seed, f"{name}.labels")
        loss, dx = row.node.op.cross_entropy(np, run.cells[before].array, labels)
        gradients.add(before, dx)
        return Loss(name, *CROSS_ENTROPY, float(loss) + 0.0)  # no -0
    gradients.add(at, 2 * y)
    return Loss(name, *SUM_OF_SQUARES, sum_of_squares(y))


def drawn_labels(shape: Shape, seed: int, key: str) -> Array:
    """A class for each position of each image, drawn from the seed: b, h, w."""
    draws = np.empty(shape[:3])
    draw(draws, 0.5, seed, key)
    return np.minimum((draws + 0.5) * shape[3], shape[3] - 1).astype(int)


def _step(run: Run, at: int, dy: Array, macs: int, gradients: Gradients, learning: list[bool]) -> StepBack:
    """The gradients at one layer, handed on to the layers before it that want them."""
    row = run.report.rows[at]
    x = [run.cells[before].array for before in row.node.inputs]
    wanted = [learning[before] for before in row.node.inputs]
    weights, learnt = run.weights_of(at), _learnt(row)
    step = StepBack(at, row, (*_shapes(x, wanted), *learnt.values()), (), Count(macs, 0))
    try:
        shapes = {name: array.shape for name, array in weights.items()}
        traced = trace_back(row.node.op, dy.shape, shapes, *(each.shape for each in x))
        done = traced.by_weights + (traced.by_inputs if any(wanted) else 0)
        started = perf_counter()
        dx, dw = row.node.op.back(np, dy, weights, *x)
        seconds = perf_counter() - started
        found = (*_shapes(dx, wanted), *(dw[name].shape for name in (*learnt, *(dw.keys() - learnt))))
        step = step._replace(executed=found, macs=Count(macs, done), seconds=seconds)
    except MISFITS as error:
        return step._replace(failure=" ".join(str(error).split()) or type(error).__name__)
    if not step.agrees:
        return step
    for before, each in zip(row.node.inputs, dx, strict=True):
        if learning[before]:
            gradients.add(before, each)
    dw = gradients.summed(run.owner(at), dw)
    if row.node.share is None:
        return step._replace(norm=math.sqrt(sum(map(sum_of_squares, dw.values()))) if dw else None)
    gradients.weights[row.node.share] = dw
    return step


def _shapes(arrays: Iterable[Array], wanted: Iterable[bool]) -> Iterator[Shape | None]:
    """The shapes of arrays, None for those that nobody wants: a definition makes their gradients too, to be dropped."""
    return (array.shape if want else None for array, want in zip(arrays, wanted, strict=True))
