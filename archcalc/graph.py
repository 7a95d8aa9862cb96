"""The graph of a net, and the one loop over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from archcalc.ops.base import Op

T = TypeVar("T")


class Node(NamedTuple):
    """A layer in its place. `inputs` are indices of earlier nodes: the order is topological by construction."""

    name: str
    op: Op
    inputs: tuple[int, ...]
    group: tuple[str, ...] = ()  # labels and repeat numbers of the calls around it
    share: int | None = None  # the node whose weights it uses
    span: Any = None  # where it stands in the text


class Graph(NamedTuple):
    """A net: its nodes and which of them are outputs, the main one first."""

    name: str
    nodes: tuple[Node, ...]
    outputs: tuple[tuple[str, int], ...]  # name, index
    volumes: dict[str, int]  # what a name in the text stands for: the last layer of a group too


def walk(graph: Graph, step: Callable[[Node, list[T]], T]) -> list[T]:
    """Carries values along the graph: what `step` gives for each node from the values at its inputs."""
    values: list[T] = []
    for node in graph.nodes:
        values.append(step(node, [values[i] for i in node.inputs]))
    return values
