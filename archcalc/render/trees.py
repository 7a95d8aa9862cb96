"""A net as a tree in the terminal: groups and what is in them, with what goes in and comes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TextIO

from archcalc.analyses.costs import Fold, Report, fold
from archcalc.render.terminal import GAP, Screen, wrapped


class Leaf(NamedTuple):
    """A line of the tree."""

    path: tuple[str, ...]  # the groups around it
    name: str
    text: str
    sizes: str
    style: str


class Glyphs(NamedTuple):
    """What branches and arrows are drawn with."""

    branch: str
    last: str
    pass_: str
    arrow: str
    source: str


LINES = Glyphs("├─ ", "└─ ", "│  ", "→", "←")
ASCII = Glyphs("|- ", "`- ", "|  ", "->", "<-")


def lines(report: Report, title: str, depth: int | None, stream: TextIO) -> Iterator[str]:
    """The tree of a net, folded by group to a depth.

    A line says what goes in and what comes out, and where it is from if that is not the line before.
    """
    screen = Screen(stream)
    glyphs = LINES if screen.unicode else ASCII
    leaves = _leaves(report, depth, glyphs)
    drawn = [(leaf, line) for leaf, line in _drawn(leaves, glyphs)]
    width = max(len(line) for _, line in drawn)
    room = max(len(leaf.text) for leaf in leaves)
    yield from wrapped(title, screen, "bold")
    for leaf, line in drawn:
        if leaf is None:
            yield screen.plain(cut(line, screen.width))
            continue
        whole = f"{line:{width}}{GAP}{leaf.text:{room}}{GAP}{leaf.sizes}".rstrip()
        yield screen.paint(screen.plain(cut(whole, screen.width)), leaf.style)


def cut(line: str, width: int | None) -> str:
    """A line within the width of the screen."""
    return line if width is None or len(line) <= width else line[: max(0, width - 1)] + "…"


def _leaves(report: Report, depth: int | None, glyphs: Glyphs) -> list[Leaf]:
    folds = fold(report.rows, depth)
    owners = [at for at, each in enumerate(folds) for _ in range(len(each.rows) * each.times)]
    leaves, first = [], 0
    for at, each in enumerate(folds):
        count = len(each.rows) * each.times
        feeders = [i for row in report.rows[first : first + count] for i in row.node.inputs if owners[i] != at]
        leaves.append(_leaf(each, depth, _sizes(each, dict.fromkeys(feeders), first, report, glyphs)))
        first += count
    return leaves


def _sizes(each: Fold, feeders: dict[int, None], first: int, report: Report, glyphs: Glyphs) -> str:
    """`56x56x64 → 28x28x128`, and which layers it is from if not from the one before alone."""
    arriving = " + ".join(str(report.rows[i].output) for i in feeders)
    text = f"{arriving} {glyphs.arrow} {each.rows[-1].output}".strip()
    if not feeders or list(feeders) == [first - 1]:
        return text
    return f"{text} {glyphs.source} {', '.join(report.rows[i].name for i in feeders)}"


def _leaf(each: Fold, depth: int | None, sizes: str) -> Leaf:
    last = each.rows[-1].node
    times = f" ×{each.times}" if each.times > 1 else ""
    if len(each.rows) == 1:
        name = last.name.removeprefix("".join(f"{part}." for part in last.group))
        return Leaf(last.group, name + times, last.op.text(), sizes, last.op.kind())
    path = last.group[:depth]
    apiece = " each" if times else ""
    name = path[-1] if path else "all"
    return Leaf(path[:-1], name + times, f"{len(each.rows):,} layers{apiece}", sizes, "")


class _Branch:
    """A group: what is in it, in the order of the text."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.inside: list[_Branch | Leaf] = []


def _grown(leaves: list[Leaf]) -> _Branch:
    root = _Branch("")
    for leaf in leaves:
        at = root
        for part in leaf.path:
            before = at.inside[-1] if at.inside else None
            if not isinstance(before, _Branch) or before.name != part:
                before = _Branch(part)
                at.inside.append(before)
            at = before
        at.inside.append(leaf)
    return root


def _drawn(leaves: list[Leaf], glyphs: Glyphs) -> Iterator[tuple[Leaf | None, str]]:
    """The lines with their branches drawn; a group has no leaf."""
    pending: list[tuple[_Branch | Leaf, str, bool]] = []

    def enter(branch: _Branch, indent: str) -> None:
        last = len(branch.inside) - 1
        pending.extend((each, indent, at == last) for at, each in reversed(list(enumerate(branch.inside))))

    enter(_grown(leaves), "")
    while pending:
        each, indent, last = pending.pop()
        line = f"{indent}{glyphs.last if last else glyphs.branch}{each.name}"
        yield (each if isinstance(each, Leaf) else None), line
        if isinstance(each, _Branch):
            enter(each, indent + (" " * len(glyphs.pass_) if last else glyphs.pass_))
