"""Which tensors share memory, and which of them are alive at each layer of a forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from archcalc.graph import Graph, Node

Holds = Callable[[int, int], bool]  # layer, owner
Keeps = Callable[[int, list[int]], Iterable[int]]  # layer, owners so far


class Span(NamedTuple):
    """The life of a tensor: the layer that makes it, and from which to which layer it is alive, both included."""

    owner: int
    start: int
    end: int


def last_reads(graph: Graph) -> list[int]:
    """For each layer the last one that reads its output: itself where none does, the end where the net gives it out."""
    last = list(range(len(graph.nodes)))
    for at, node in enumerate(graph.nodes):
        for i in node.inputs:
            last[i] = at
    for _, i in graph.outputs:
        last[i] = len(graph.nodes) - 1
    return last


def owners(
    graph: Graph,
    views: Callable[[Node], bool],
    overwrites: Callable[[Node], bool],
    holds: Holds = lambda at, owner: False,
    keeps: Keeps = lambda at, owners: (),
) -> tuple[int, ...]:
    """For each layer the one whose memory its output lies in: itself, or one before it.

    A layer that `overwrites` writes over its input where nobody misses it: no later layer reads this tensor, no
    earlier one `keeps` it for its way back, nothing else `holds` it, and it is neither an image nor given out.
    """
    last, given = last_reads(graph), {i for _, i in graph.outputs}
    owner: list[int] = []
    end: dict[int, int] = {}
    held = {at for at, node in enumerate(graph.nodes) if not node.inputs}
    for at, node in enumerate(graph.nodes):
        own = at
        if node.inputs:
            below = owner[node.inputs[0]]
            free = below not in held and end[below] == at and not holds(at, below)
            if views(node) or (overwrites(node) and free):
                own = below
        owner.append(own)
        end[own] = max(end.get(own, 0), last[at])
        if at in given:
            held.add(own)
        held.update(keeps(at, owner))
    return tuple(owner)


def spans(graph: Graph, owner: tuple[int, ...]) -> tuple[Span, ...]:
    """The life of every tensor. Images are there from the beginning, outputs of the net stay to the end."""
    end: dict[int, int] = {}
    for at, last in enumerate(last_reads(graph)):
        end[owner[at]] = max(end.get(owner[at], 0), last)
    return tuple(Span(own, own if graph.nodes[own].inputs else 0, last) for own, last in end.items())


def levels(lives: Iterable[Span], sizes: Callable[[int], int], layers: int) -> list[int]:
    """The sum of what is alive at each layer, of tensors with some sizes by owner.

    >>> levels([Span(0, 0, 1), Span(1, 1, 2), Span(2, 2, 2)], [3, 5, 1].__getitem__, 3)
    [3, 8, 6]
    """
    change = [0] * (layers + 1)
    for span in lives:
        change[span.start] += sizes(span.owner)
        change[span.end + 1] -= sizes(span.owner)
    sums, level = [], 0
    for each in change[:-1]:
        level += each
        sums.append(level)
    return sums
