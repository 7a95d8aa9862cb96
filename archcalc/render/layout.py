"""Where the boxes and edges of a picture stand: in layers from top to bottom, in pixels.

Sugiyama, Tagawa & Toda 1981, in one pass: each box a layer below all that feed it; within a layer the boxes stand as
near as there is room to the middle of what feeds them. An edge keeps a place of its own in every layer that it passes;
one that passes many runs along the right side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.render.graphs import Edge, Picture
from archcalc.volume import Volume

HEIGHT = 40  # of a box
BETWEEN = 46  # layers
BESIDE = 26  # boxes of a layer
NARROWEST, WIDEST = 76, 280  # boxes
LETTER = 7
LONGEST_SIZE = 48  # letters
THREAD = 30  # the place that an edge keeps
LONGEST = 12  # layers that an edge passes among the boxes
LANE = 10
MOST_LANES = 40
MARGIN = 20
HEAD = 44  # for the title


class Spot(NamedTuple):
    """Where a box stands: its middle, its upper side, its width."""

    x: float
    y: float
    width: int


class Layout(NamedTuple):
    """The whole: a spot for each box, the corners of each edge."""

    width: float
    height: float
    spots: tuple[Spot, ...]
    routes: tuple[tuple[tuple[float, float], ...], ...]


class _Knot(NamedTuple):
    """A box, or the place where an edge passes a layer."""

    rank: int
    width: int
    feeders: list[int]


def place(drawn: Picture) -> Layout:
    """The layout of a picture; its time grows with boxes and edges, no faster than their sorting."""
    ranks = ranks_of(len(drawn.boxes), drawn.edges)
    widths = [_width(max(len(box.name), len(box.text))) for box in drawn.boxes]
    knots = [_Knot(rank, width, []) for rank, width in zip(ranks, widths, strict=True)]
    chains = [_thread(edge, knots) for edge in drawn.edges]
    middles = _middles(knots)
    left = min(x - knot.width / 2 for x, knot in zip(middles, knots, strict=True)) - MARGIN
    middles = [x - left for x in middles]
    right = max(x + knot.width / 2 for x, knot in zip(middles, knots, strict=True))
    right = max((right, *(middles[edge.start] + label_width(edge.size) for edge in drawn.edges)))
    lanes = _lanes([edge for edge, chain in zip(drawn.edges, chains, strict=True) if chain is None], ranks)
    spots = [Spot(x, _top(knot.rank), knot.width) for x, knot in zip(middles, knots, strict=True)]
    routes = [
        _along(spots[edge.start], spots[edge.end], right + LANE * (1 + lanes[edge.start]))
        if chain is None
        else _through([spots[edge.start], *(spots[at] for at in chain), spots[edge.end]])
        for edge, chain in zip(drawn.edges, chains, strict=True)
    ]
    width = right + LANE * max(lanes.values(), default=-1) + LANE + MARGIN
    return Layout(width, _top(max(ranks)) + HEIGHT + MARGIN, tuple(spots[: len(drawn.boxes)]), tuple(routes))


def ranks_of(count: int, edges: Sequence[Edge]) -> list[int]:
    """The layer of each box: below all that feed it; what nothing feeds stands right above the first that it feeds."""
    ranks = [0] * count
    first: dict[int, int] = {}
    fed = {edge.end for edge in edges}
    for edge in sorted(edges, key=lambda edge: edge.end):
        ranks[edge.end] = max(ranks[edge.end], ranks[edge.start] + 1)
    for edge in edges:
        first[edge.start] = min(first.get(edge.start, ranks[edge.end]), ranks[edge.end])
    return [rank if at in fed else first.get(at, 1) - 1 for at, rank in enumerate(ranks)]


def label_width(size: Volume) -> int:
    """From the middle of a box to the end of a size that leaves it, of the longest that is shown whole."""
    return 6 + LETTER * min(LONGEST_SIZE, len(str(size)))


def _width(letters: int) -> int:
    return min(WIDEST, max(NARROWEST, letters * LETTER + 20))


def _top(rank: int) -> int:
    return HEAD + rank * (HEIGHT + BETWEEN)


def _thread(edge: Edge, knots: list[_Knot]) -> list[int] | None:
    """The places of an edge in the layers between its ends, added to the knots; None for one that passes many."""
    between = range(knots[edge.start].rank + 1, knots[edge.end].rank)
    if len(between) > LONGEST:
        return None
    before = edge.start
    chain = []
    for rank in between:
        chain.append(len(knots))
        knots.append(_Knot(rank, THREAD, [before]))
        before = chain[-1]
    knots[edge.end].feeders.append(before)
    return chain


def _middles(knots: list[_Knot]) -> list[float]:
    """The middle of each knot, layer by layer."""
    layers: dict[int, list[int]] = defaultdict(list)
    for at, knot in enumerate(knots):
        layers[knot.rank].append(at)
    middles = [0.0] * len(knots)
    for rank in sorted(layers):
        wanted = {at: _mean([middles[i] for i in knots[at].feeders]) for at in layers[rank]}
        order = sorted(layers[rank], key=lambda at: (wanted[at], at))
        found = spread([wanted[at] for at in order], [knots[at].width for at in order])
        for at, x in zip(order, found, strict=True):
            middles[at] = x
    return middles


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def spread(wanted: Sequence[float], widths: Sequence[int]) -> list[float]:
    """Middles in the order given with room between them, nearest to those wanted (least squares).

    It is isotonic regression on what is wanted less the room before it, by pooling neighbours (Ayer et al. 1955).

    >>> spread([0, 0], [100, 40])
    [-48.0, 48.0]
    """
    starts = [0.0]
    for a, b in pairwise(widths):
        starts.append(starts[-1] + (a + b) / 2 + BESIDE)
    pools: list[tuple[float, int]] = []  # sum, count
    for want, start in zip(wanted, starts, strict=True):
        total, count = want - start, 1
        while pools and pools[-1][0] * count > total * pools[-1][1]:
            more, members = pools.pop()
            total, count = total + more, count + members
        pools.append((total, count))
    levels = [total / count for total, count in pools for _ in range(count)]
    return [level + start for level, start in zip(levels, starts, strict=True)]


def _lanes(edges: list[Edge], ranks: list[int]) -> dict[int, int]:
    """For each box from which long edges go: the lane on the right side that they share."""
    ends: dict[int, int] = {}
    for edge in edges:
        ends[edge.start] = max(ends.get(edge.start, 0), ranks[edge.end])
    free_from: list[int] = []  # by lane
    lanes = {}
    for start in sorted(ends, key=lambda box: (ranks[box], box)):
        usable = (lane for lane, end in enumerate(free_from) if end <= ranks[start])
        lane = next(usable, len(free_from) if len(free_from) < MOST_LANES else start % MOST_LANES)
        free_from += [0] * (lane == len(free_from))
        free_from[lane] = max(free_from[lane], ends[start])
        lanes[start] = lane
    return lanes


def _through(stops: list[Spot]) -> tuple[tuple[float, float], ...]:
    """The corners of an edge from the lower side of a box, past layers, to the upper side of another."""
    corners = [(stops[0].x, stops[0].y + HEIGHT)]
    for stop in stops[1:-1]:
        corners += [(stop.x, stop.y), (stop.x, stop.y + HEIGHT)]
    return (*corners, (stops[-1].x, stops[-1].y))


def _along(start: Spot, end: Spot, x: float) -> tuple[tuple[float, float], ...]:
    """The corners of an edge that runs down at `x`."""
    below, above = start.y + HEIGHT, end.y
    return (start.x, below), (x, below + BETWEEN / 2), (x, above - BETWEEN / 2), (end.x, above)
