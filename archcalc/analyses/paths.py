"""What is asked of the paths through a net: how many layers deep it is, how far its cells see."""

from __future__ import annotations

from typing import Any

from archcalc.analyses.costs import Report
from archcalc.graph import Graph, Node, walk
from archcalc.volume import footprint

Seen = tuple[int, int, int]  # receptive field in rows, jump in rows, whether both are known


def weighted_layers(graph: Graph, chosen: set[int], report: Report) -> int:
    """Convolutions and fully connected layers on the longest path, as papers count layers.

    Projection shortcuts lie beside the path, so they add nothing. `chosen` are the rows that count, by id.
    """
    counted = [row.cost.macs != 0 and id(row) in chosen for row in report.rows]
    at = iter(range(len(counted)))

    def step(node: Node, before: list[int]) -> int:
        return max(before, default=0) + counted[next(at)]

    return max(walk(graph, step))


def receptive_sizes(report: Report) -> list[int]:
    """Rows of the input that one output cell of each layer sees; 0 past a layer that no window slides over.

    Araujo, Norris & Sim 2019: along a path the field grows by (footprint - 1) times the jump, the jump by the stride;
    where paths meet, the largest field counts. It follows from windows alone, so it is known before the size of the
    input is; the fields themselves are those of `receptive.follow`.
    """
    rows = iter(report.rows)

    def step(node: Node, before: list[Seen]) -> Seen:
        row = next(rows)
        if not before:
            return 1, 1, 1
        if not node.op.slides or any(not seen for _, _, seen in before):
            return 0, 0, 0
        ways: Any = zip(before, (reach[0] for reach in node.op.reach(*row.inputs)), strict=True)
        grown = [(size + (footprint(by.k, by.d) - 1) * jump, jump * by.s) for (size, jump, _), by in ways]
        return max(size for size, _ in grown), max(jump for _, jump in grown), 1

    return [size for size, _, _ in walk(report.graph, step)]
