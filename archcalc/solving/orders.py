"""Which of many solutions come first: what people would choose."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import NamedTuple

from archcalc.lang.source import Span
from archcalc.ops.base import Reach
from archcalc.solving.boxes import Box
from archcalc.solving.conditions import Gap, NumberCondition, Trial
from archcalc.solving.questions import Question
from archcalc.volume import Sweep, Volume, footprint

WIDEST_USUAL = 11  # the window of AlexNet's first layer


class Solution(NamedTuple):
    """Values for the unknowns, the net with them, and how far it is from what is wanted."""

    values: tuple[int, ...]
    trial: Trial
    gap: Gap


def usual(question: Question, solution: Solution) -> tuple[object, ...]:
    """What comes first: nothing dropped, usual windows, as high as wide, a budget used up; then small values."""
    trial = solution.trial
    numbers = all(isinstance(n, int) for size in trial.sizes for n in size)
    sweeps = list(sweeps_of(trial, question.layers)) if numbers else []
    nodes = trial.built.graph.nodes if numbers else ()
    dropped = sum(
        sum(node.op.dropped(*_arriving(trial, node.inputs))) for node in nodes if node.span in question.layers
    )
    square = sum(a.k != b.k or a.s != b.s for a, b in zip(sweeps[::2], sweeps[1::2], strict=True))
    return dropped > 0, sum(map(_unusual, sweeps)), square, dropped, _left(question, solution), solution.values


def sweeps_of(trial: Trial, layers: frozenset[Span]) -> Iterator[Sweep]:
    """The windows of some layers, by where they stand, along the rows and along the columns of each."""
    for node in trial.built.graph.nodes:
        if node.span in layers:
            yield from node.op.sweeps(*_arriving(trial, node.inputs))


def reaches_of(trial: Trial, layers: frozenset[Span]) -> Iterator[Reach]:
    """What an output of some layers sees, by where they stand, along the rows and along the columns of each input."""
    for node in trial.built.graph.nodes:
        if node.span in layers:
            yield from chain.from_iterable(node.op.reach(*_arriving(trial, node.inputs)))


def points(boxes: tuple[Box, ...], down: bool) -> Iterator[tuple[int, ...]]:
    """All values in some boxes, one after the other, rising or falling."""
    for box in reversed(boxes) if down else boxes:
        yield from _inside(box, down)


def falling(question: Question) -> bool:
    """Whether larger values come first: something is bounded from above alone."""
    return any(isinstance(each, NumberCondition) and each.least is None for each in question.conditions)


def _inside(box: Box, down: bool) -> Iterator[tuple[int, ...]]:
    if not box:
        yield ()
        return
    least, most = box[0]
    for n in range(most, least - 1, -1) if down else range(least, most + 1):
        yield from ((n, *rest) for rest in _inside(box[1:], down))


def _arriving(trial: Trial, inputs: tuple[int, ...]) -> tuple[Volume, ...]:
    return tuple(trial.sizes[i] for i in inputs)


def _unusual(sweep: Sweep) -> int:
    """What is against a window: an even size or a very large one, a padding that is not half, a step over cells."""
    k, s, d, before, after = (n for n in (sweep.k, sweep.s, sweep.d, sweep.before, sweep.after) if isinstance(n, int))
    k = footprint(k, d)
    half = before == after == k // 2
    uneven = 0 if half or not (before or after) else 1 + abs(before - after)
    return (k % 2 == 0) + uneven + 2 * (s > k) + 2 * (k > WIDEST_USUAL)


def _left(question: Question, solution: Solution) -> tuple[Fraction, ...]:
    """How much of each budget is left over."""
    left: list[Fraction] = []
    for condition in question.conditions:
        if isinstance(condition, NumberCondition) and condition.least is None and condition.most is not None:
            found = condition.found(solution.trial)
            left += [condition.most - found] if isinstance(found, (int, Fraction)) else []
    return tuple(left)
