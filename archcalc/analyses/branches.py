"""The paths that meet in a layer, from where they parted."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.graph import Graph, Node, walk

START = -1  # before the inputs


class Branches(NamedTuple):
    """Where the paths into a merge part, and the layers of each by their indices, in the order of the net.

    `fork` is `START` for paths from different inputs; a path without layers is the identity.
    """

    fork: int
    paths: tuple[tuple[int, ...], ...]


def gates_of(graph: Graph) -> list[int]:
    """For each layer the last one before it that every path to it comes through; `START` for an input."""
    gates: list[int] = []

    def step(node: Node, _: list[None]) -> None:
        gates.append(_common(gates, node.inputs) if node.inputs else START)

    walk(graph, step)
    return gates


def trace(graph: Graph, gates: list[int], merge: int) -> Branches:
    """The paths that meet in a layer with several inputs, from the last layer that all of them come through."""
    ends, fork = graph.nodes[merge].inputs, gates[merge]
    return Branches(fork, tuple(since(graph, end, fork) for end in ends))


def _common(gates: list[int], ends: tuple[int, ...]) -> int:
    """The last layer that all paths to all ends come through, the ends among them."""
    first, *others = ends
    for other in others:
        while first != other:  # indices fall on the way back
            first, other = (gates[first], other) if first > other else (first, gates[other])
    return first


def since(graph: Graph, end: int, fork: int) -> tuple[int, ...]:
    """The layers behind a fork that lead to a layer, itself among them."""
    seen: set[int] = set()
    ahead = [end]
    while ahead:
        index = ahead.pop()
        if index > fork and index not in seen:
            seen.add(index)
            ahead += graph.nodes[index].inputs
    return tuple(sorted(seen))
