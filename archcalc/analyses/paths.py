"""What is asked of the paths through a net: how many layers deep it is, how far its cells see."""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report, Row
from archcalc.analyses.receptive import follow
from archcalc.graph import Graph, Node, walk
from archcalc.interval import Interval, between
from archcalc.lang.errors import Fault, SpecError
from archcalc.ops.base import Reach

FARTHEST = 10**9  # rows: more than any net sees


class Seen(NamedTuple):
    """What windows tell of the field of a layer, in rows: numbers, or what a search has for them."""

    size: Any
    jump: Any
    start: Any  # None where a padding word hides it


def weighted_layers(graph: Graph, chosen: set[int], report: Report) -> int:
    """Convolutions and fully connected layers on the longest path, as papers count layers.

    Projection shortcuts lie beside the path, so they add nothing. `chosen` are the rows that count, by id.
    """
    counted = [row.cost.work.macs != 0 and id(row) in chosen for row in report.rows]  # whatever a rule says
    at = iter(range(len(counted)))

    def step(node: Node, before: list[int]) -> int:
        return max(before, default=0) + counted[next(at)]

    return max(walk(graph, step))


def rows_seen(report: Report, at: int) -> Any:
    """Rows of the (first) input that a cell of a layer sees at most, as `receptive.follow` has them.

    Where sizes are open the windows tell, as far as they do alone. Behind that any number is possible in a search,
    which goes by bounds; of symbols nothing can be said, which raises `SpecError`.
    """
    if not any(map(_is_open, report.rows)):
        return follow(report)[at][0].size[0]
    seen = _by_windows(report)[at]
    if seen is not None:
        return seen.size
    sizes = (n for row in report.rows for volume in (*row.inputs, row.output) for n in volume)
    if any(isinstance(n, Interval) for n in sizes):
        return between(1, FARTHEST)
    row = report.rows[at]
    message = f"how far `{row.name}` sees depends on sizes in symbols"
    raise SpecError([Fault(message, row.node.span, help="give every `input` in numbers")])


def _is_open(row: Row) -> bool:
    """Whether a size, or how far the layer sees in what arrives, is no number."""
    reaches = chain.from_iterable(rows for rows, _ in row.node.op.reach(*row.inputs))
    return not all(isinstance(n, int) for n in chain(*row.inputs, row.output, reaches))


def _by_windows(report: Report) -> list[Seen | None]:
    """What windows tell of the fields: size and jump grow along a path (Araujo, Norris & Sim 2019).

    None behind a layer that sees all that arrives, and where paths meet that are not known to lie over one another.
    """
    rows = iter(report.rows)

    def step(node: Node, before: list[Seen | None]) -> Seen | None:
        row = next(rows)
        if not before:
            return Seen(1, 1, 0)
        ways = zip(before, (reach[0] for reach in node.op.reach(*row.inputs)), strict=True)
        grown = [_through(seen, reach) if seen and node.op.slides else None for seen, reach in ways]
        return grown[0] if len(grown) == 1 else _together(grown)

    return walk(report.graph, step)


def _through(seen: Seen, reach: Reach) -> Seen:
    known = seen.start is not None and reach.before is not None
    start = seen.start - seen.jump * reach.before if known else None
    return Seen(seen.size + (reach.k - 1) * reach.d * seen.jump, seen.jump * reach.s, start)


def _together(ways: list[Seen | None]) -> Seen | None:
    """All that paths of one jump see; None where one of them is not known in numbers."""
    known = [way for way in ways if way and all(isinstance(n, int) for n in way)]
    if len(known) < len(ways) or len({way.jump for way in known}) > 1:
        return None
    start = min(way.start for way in known)
    return Seen(max(way.start + way.size for way in known) - start, known[0].jump, start)
