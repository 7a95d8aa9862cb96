"""A picture as SVG: one element by itself, in light and dark."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from archcalc.render.graphs import Box, Picture
from archcalc.render.layout import HEIGHT, LETTER, LONGEST_SIZE, MARGIN, Layout, Spot, place
from archcalc.render.markup import escaped

STYLE = """
.net { --ink: #1c2330; --faint: #5d6776; --line: #8a94a3; --paper: #ffffff; --conv: #d9eef7; --dense: #fbeacb;
  --pool: #f1ddf5; --merge: #dcf2dc; --norm: #e0e5fb; --activation: #f3f4f6; --reshape: #f3f4f6; --group: #e9edf3;
  --output: #ffffff; font: 12px ui-sans-serif, system-ui, "Segoe UI", Helvetica, Arial, sans-serif; }
@media screen and (prefers-color-scheme: dark) { .net {
  --ink: #e6e9ef; --faint: #a3adbb; --line: #76808f; --paper: #14181f;
  --conv: #12404f; --dense: #574219; --pool: #4a2c52; --merge: #24482a; --norm: #2d3768; --activation: #272d37;
  --reshape: #272d37; --group: #2e3644; --output: #14181f; } }
.net .ground { fill: var(--paper); }
.net text { fill: var(--ink); text-anchor: middle; }
.net .head { text-anchor: start; font-size: 14px; font-weight: 600; }
.net .name { font-weight: 600; }
.net .text { fill: var(--faint); }
.net .size { fill: var(--faint); font-size: 11px; text-anchor: start; paint-order: stroke; stroke: var(--paper);
  stroke-width: 4px; }
.net .edge { fill: none; stroke: var(--line); stroke-width: 1.4; }
.net .arrow { fill: var(--line); }
.net rect.box { stroke: var(--line); fill: var(--group); }
"""
KINDS = ("conv", "dense", "pool", "merge", "norm", "activation", "reshape", "group", "output")
LETTER_OF_HEAD = 8
MOST_FOR_TITLE = 720  # of the width; a longer one is cut


def lines(drawn: Picture) -> Iterator[str]:
    """The picture, line by line."""
    layout = place(drawn)
    wanted = min(MOST_FOR_TITLE, len(drawn.title) * LETTER_OF_HEAD + 2 * MARGIN)
    width, height = max(wanted, round(layout.width)), round(layout.height)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="net" role="img" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">'
    )
    yield f"<title>{escaped(drawn.title)}</title>"
    yield f"<style>{STYLE}{_fills()}</style>"
    yield (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path class="arrow" d="M0 0L8 4L0 8z"/></marker></defs>'
    )
    yield f'<rect class="ground" width="{width}" height="{height}"/>'
    head = cut(drawn.title, (width - 2 * MARGIN) // LETTER_OF_HEAD)
    yield f'<text class="head" x="{MARGIN}" y="26">{escaped(head)}</text>'
    yield f'<g transform="translate({(width - layout.width) / 2:.0f} 0)">'
    yield from _edges(drawn, layout)
    for box, spot in zip(drawn.boxes, layout.spots, strict=True):
        yield _box(box, spot)
    yield from _sizes(drawn, layout)
    yield "</g></svg>"


def _fills() -> str:
    return "\n".join(f".net rect.{kind} {{ fill: var(--{kind}); }}" for kind in KINDS)


def _edges(drawn: Picture, layout: Layout) -> Iterator[str]:
    for edge, corners in zip(drawn.edges, layout.routes, strict=True):
        told = f"{drawn.boxes[edge.start].name} → {drawn.boxes[edge.end].name}: {edge.size}"
        path = f'<path class="edge" marker-end="url(#arrow)" d="{_path(corners)}">'
        yield f"{path}<title>{escaped(told)}</title></path>"


def _path(corners: tuple[tuple[float, float], ...]) -> str:
    """Straight down, and in a bend from one column to another."""
    text = "M{:.0f} {:.0f}".format(*corners[0])
    for (x, y), (to_x, to_y) in pairwise(corners):
        middle = (y + to_y) / 2
        straight = abs(x - to_x) < 1
        text += f"V{to_y:.0f}" if straight else f"C{x:.0f} {middle:.0f} {to_x:.0f} {middle:.0f} {to_x:.0f} {to_y:.0f}"
    return text


def _box(box: Box, spot: Spot) -> str:
    room = (spot.width - 12) // LETTER
    name_at = spot.y + (17 if box.text else 25)
    text = f'<text class="text" x="{spot.x:.0f}" y="{spot.y + 32:.0f}">{escaped(cut(box.text, room))}</text>'
    return (
        f"<g><title>{escaped(f'{box.name} {box.text}'.strip())}</title>"
        f'<rect class="box {escaped(box.kind)}" x="{spot.x - spot.width / 2:.0f}" y="{spot.y:.0f}" '
        f'width="{spot.width}" height="{HEIGHT}" rx="7"/>'
        f'<text class="name" x="{spot.x:.0f}" y="{name_at:.0f}">{escaped(cut(box.name, room))}</text>'
        f"{text if box.text else ''}</g>"
    )


def _sizes(drawn: Picture, layout: Layout) -> Iterator[str]:
    """What leaves each box, written beside the stem of its edges."""
    leaving: dict[int, dict[str, None]] = defaultdict(dict)
    for edge in drawn.edges:
        leaving[edge.start][str(edge.size)] = None
    for at, sizes in leaving.items():
        x, y = layout.spots[at].x + 6, layout.spots[at].y + HEIGHT + 16
        yield f'<text class="size" x="{x:.0f}" y="{y:.0f}">{escaped(cut(", ".join(sizes), LONGEST_SIZE))}</text>'


def cut(text: str, room: int) -> str:
    """The text, its end left out where there is no room for it.

    >>> cut("conv 3/1/1 64", 8)
    'conv 3/…'
    """
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"
