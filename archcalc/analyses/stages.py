"""A net as papers tell it: its stages, and in each the block that is repeated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from archcalc.analyses.costs import Report, Row, size
from archcalc.volume import Shape

MOST_BRANCHES = 8  # of a block that are told apart

Branch = tuple[Row, ...]  # the layers on a way through a block that have a window or multiply


class Block(NamedTuple):
    """Layers that stand together `times` times, one way through them beside the other."""

    branches: tuple[Branch, ...]
    times: int


class Stage(NamedTuple):
    """A group of the net, or a layer by itself."""

    name: str
    rows: tuple[Row, ...]
    blocks: tuple[Block, ...]


def divide(report: Report, depth: int = 1) -> list[Stage]:
    """The groups of a depth, the outermost at 1, and what stands between them, as far as something is told of it.

    A block is what stands in one group within a stage. Strides do not make it another: a stage starts with a step
    and goes on without. Where branches are added up only the longest is told: the others are shortcuts.
    """
    inside = [(at, row) for at, row in enumerate(report.rows) if row.inputs]
    found = []
    for (path, _), members in groupby(inside, key=lambda each: (each[1].node.group[:depth], _alone(*each))):
        rows = list(members)
        runs = [list(run) for _, run in groupby(rows, key=lambda each: each[1].node.group[: depth + 1])]
        blocks = _merged([_branches(run) for run in runs])
        name = ".".join(path) or rows[-1][1].name
        if blocks:
            found.append(Stage(name, tuple(row for _, row in rows), blocks))
    return found


def _alone(at: int, row: Row) -> int | None:
    return None if row.node.group else at


def _merged(all_branches: Sequence[tuple[Branch, ...]]) -> tuple[Block, ...]:
    """Equal neighbours as one block; what tells nothing is left out."""
    told = [branches for branches in all_branches if branches]
    grouped = (list(alike) for _, alike in groupby(told, key=_looks))
    return tuple(Block(alike[0], len(alike)) for alike in grouped)


def _looks(branches: tuple[Branch, ...]) -> object:
    return [[(type(row.node.op), look(row)) for row in branch] for branch in branches]


class Look(NamedTuple):
    """What a paper says of a layer; `kernel` is None for one without a window, `groups` 1 for one without them."""

    kernel: tuple[int, int] | None
    channels: object
    groups: int
    multiplies: bool


def look(row: Row) -> Look:
    """What a paper says of a layer."""
    kernel: tuple[int, int] | None = getattr(row.node.op, "kernel", None)
    multiplies = row.cost.work.macs != 0
    shapes = row.node.op.weights(*row.inputs)
    owned = [shape for name, shape in shapes.items() if name not in row.node.op.biases]
    if kernel is None or (multiplies and len(owned) != 1):  # a layer of several products has no one window
        return Look(None, row.output.c, 1, multiplies)
    return Look(kernel, row.output.c, _groups(row, kernel, owned[0]) if multiplies else 1, multiplies)


def _groups(row: Row, kernel: tuple[int, int], shape: Shape) -> int:
    """How many groups the depths are cut into: by so much the weights are fewer than between all and all."""
    whole, own = kernel[0] * kernel[1] * row.inputs[0].c * row.output.c, size(shape)
    return whole // own if isinstance(whole, int) and isinstance(own, int) else 1


def _branches(run: Sequence[tuple[int, Row]]) -> tuple[Branch, ...]:
    """The ways through a run of layers, those that tell nothing left out."""
    members = dict(run)
    ways = _ways(run[-1][0], members)
    if ways is None:
        return (tuple(row for _, row in run if _tells(row)),)
    told = [branch for branch in dict.fromkeys(ways) if branch]
    merge = next((row for _, row in reversed(run) if len(row.inputs) > 1), None)
    if merge and told and all(x == merge.output for x in merge.inputs):
        return (max(told, key=len),)
    return tuple(told)


def _ways(last: int, members: dict[int, Row]) -> list[Branch] | None:
    """All ways to a layer from outside of the run, in the order of its inputs; None where there are too many."""
    ways: dict[int, list[Branch]] = {}
    for at, row in members.items():
        arriving = [way for i in row.node.inputs for way in ways.get(i, [()])]
        if len(arriving) > MOST_BRANCHES:
            return None
        ways[at] = [(*way, row) for way in arriving] if _tells(row) else arriving
    return ways[last]


def _tells(row: Row) -> bool:
    """Whether a paper has a layer in its table: it multiplies, or it changes the size of what arrives, or both."""
    x = row.inputs[0]
    resized = (row.output.h, row.output.w) != (x.h, x.w)
    return row.cost.work.macs != 0 or (len(row.inputs) == 1 and (resized or bool(row.node.op.sweeps(x))))
