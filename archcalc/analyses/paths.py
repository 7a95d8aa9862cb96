"""What is asked of the paths through a net: how many layers deep it is, how far its cells see."""

from __future__ import annotations

from archcalc.analyses.costs import Report
from archcalc.graph import Graph, Node, walk

Reach = tuple[int, int, int]  # receptive field in rows, jump in rows, of a path; 0 past a layer that sees all


def weighted_layers(graph: Graph, chosen: set[int], report: Report) -> int:
    """Convolutions and fully connected layers on the longest path, as papers count layers.

    Projection shortcuts lie beside the path, so they add nothing. `chosen` are the rows that count, by id.
    """
    counted = [row.cost.macs != 0 and id(row) in chosen for row in report.rows]
    at = iter(range(len(counted)))

    def step(node: Node, before: list[int]) -> int:
        return max(before, default=0) + counted[next(at)]

    return max(walk(graph, step))


def receptive_sizes(graph: Graph) -> list[int]:
    """Rows of the input that one output cell of each layer sees; 0 past a layer that sees the whole volume.

    Araujo, Norris & Sim 2019: along a path the field grows by (footprint - 1) times the jump, the jump by the stride;
    where paths meet, the largest field counts.
    """

    def step(node: Node, before: list[Reach]) -> Reach:
        if not before:
            return 1, 1, 1
        reach = node.op.reach()
        if reach is None or any(not seen for _, _, seen in before):
            return 0, 0, 0
        footprint, stride = reach
        size = max(size for size, _, _ in before)
        jump = max(jump for _, jump, _ in before)
        return size + (footprint - 1) * jump, jump * stride, 1

    return [size for size, _, _ in walk(graph, step)]
