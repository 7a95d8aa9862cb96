"""A net as boxes and arrows, for whoever draws it: as DOT and as Mermaid here, as SVG in `vectors`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from archcalc.analyses.costs import Fold, Report, fold
from archcalc.volume import Volume

MOST_BOXES = 80  # that a page shows before it folds
MERMAID_EDGES = 500  # that it draws if its page says nothing else
_DOT = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_MERMAID = str.maketrans({character: f"#{ord(character)};" for character in '#"<>&`\\[]{}|'})


class Box(NamedTuple):
    """A layer, a folded group, or what leaves the net."""

    name: str
    text: str  # the layer as the language writes it; how many layers a group has
    kind: str  # the family of the layer type; `group` or `output`


class Edge(NamedTuple):
    """A volume that goes from one box to a later one."""

    start: int
    end: int
    size: Volume


class Picture(NamedTuple):
    """What is drawn. Every edge leads to a later box."""

    title: str
    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]


def picture(report: Report, title: str, depth: int | None = None) -> Picture:
    """The boxes and edges of a net, folded by group to a depth; an output is a box of its own.

    Of what goes from one box to another every size stands once.
    """
    folds = fold(report.rows, depth)
    owners = [at for at, each in enumerate(folds) for _ in range(len(each.rows) * each.times)]
    boxes = [_box(each, report.graph.name if depth == 0 else each.name) for each in folds]
    edges = [
        Edge(owners[i], owners[at], report.rows[i].output)
        for at, row in enumerate(report.rows)
        for i in row.node.inputs
        if owners[i] != owners[at]
    ]
    for name, i in report.graph.outputs:
        edges.append(Edge(owners[i], len(boxes), report.rows[i].output))
        boxes.append(Box(name, "", "output"))
    return Picture(title, tuple(boxes), tuple(dict.fromkeys(edges)))


def _box(each: Fold, group: str) -> Box:
    times = f" ×{each.times}" if each.times > 1 else ""
    if len(each.rows) == 1:
        op = each.rows[0].node.op
        return Box(each.name + times, op.text(), op.kind())
    apiece = " each" if times else ""
    return Box(group + times, f"{len(each.rows):,} layers{apiece}", "group")


def readable_depth(report: Report) -> int | None:
    """The depth to which a picture is folded so that it can be taken in: None where it need not be."""
    deepest = max(len(row.node.group) for row in report.rows)
    depths = (None, *range(deepest, 0, -1))
    return next((depth for depth in depths if len(fold(report.rows, depth)) <= MOST_BOXES), 1 if deepest else None)


def dot_lines(drawn: Picture) -> Iterator[str]:
    """The picture for Graphviz."""
    yield "digraph {"
    yield f"  label={_quoted(drawn.title)};"
    yield '  labelloc=t; fontname="Helvetica"; node [shape=box, style=rounded, fontname="Helvetica"];'
    yield '  edge [fontname="Helvetica", fontsize=10];'
    for at, box in enumerate(drawn.boxes):
        text = f"{box.name}\n{box.text}".strip()
        yield f"  n{at} [label={_quoted(text)}, class={_quoted(box.kind)}];"
    for edge in drawn.edges:
        yield f"  n{edge.start} -> n{edge.end} [label={_quoted(str(edge.size))}];"
    yield "}"


def _quoted(text: str) -> str:
    return f'"{text.translate(_DOT)}"'


def mermaid_lines(drawn: Picture) -> Iterator[str]:
    """The picture for Mermaid, as Markdown pages show it."""
    yield "---"
    yield f"title: {json.dumps(' '.join(drawn.title.split()), ensure_ascii=False)}"
    yield "---"
    if len(drawn.edges) > MERMAID_EDGES:
        yield f"%% {len(drawn.edges):,} edges: Mermaid draws {MERMAID_EDGES}, or more if its page sets maxEdges"
    yield "flowchart TB"
    for at, box in enumerate(drawn.boxes):
        parts = [part.translate(_MERMAID) for part in (box.name, box.text) if part]
        yield f'  n{at}["{"<br/>".join(parts)}"]'
    for edge in drawn.edges:
        yield f'  n{edge.start} -->|"{str(edge.size).translate(_MERMAID)}"| n{edge.end}'
