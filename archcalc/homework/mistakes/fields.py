"""How receptive fields come out wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeAlias

from archcalc.analyses.receptive import follow
from archcalc.graph import Node, walk
from archcalc.homework.answers import Figure, Mistake
from archcalc.homework.mistakes.registry import Kind, other
from archcalc.homework.mistakes.rewriting import numbers
from archcalc.homework.mistakes.scenes import Net
from archcalc.homework.mistakes.targets import Target, target
from archcalc.ops.base import Reach
from archcalc.units import exact
from archcalc.volume import footprint

ASKED = ("receptive",)

Fields: TypeAlias = "tuple[tuple[int, ...] | None, ...]"  # rows and columns of each layer; None where nothing is seen


class Seen(NamedTuple):
    """What a cell of a layer is taken to see, the jump from cell to cell, and that of the layer before."""

    size: int
    jump: int
    before: int


class Window(NamedTuple):
    """A window that looks at a volume of which something is taken to be known."""

    k: int
    s: int
    d: int
    learns: bool  # whether its layer has weights
    seen: Seen

    @property
    def wide(self) -> int:
        """Cells from the first to the last."""
        return footprint(self.k, self.d)

    @property
    def passes(self) -> bool:
        """Whether the layer sees no more than the one before it."""
        return (self.k, self.s) == (1, 1)

    def text(self, template: str) -> str:
        """Arithmetic: {r} is seen by the one before, {f} the window, {s} its stride, {j} the jump, {i} that before."""
        r, j, i = (exact(n) for n in self.seen)
        return template.format(r=r, f=self.wide, k=self.k, s=self.s, j=j, i=i, e=exact(self.seen.jump * self.s))


class Asked(NamedTuple):
    """A receptive field that is asked for along one side, and what a student has for all layers, where that counts."""

    net: Net
    at: int
    axis: int  # 0 for rows, 1 for columns
    own: Fields | None = None

    @property
    def right(self) -> int:
        """The field as it is."""
        return right_fields(self.net, self.at)[self.axis]


class Way(NamedTuple):
    """A wrong way to follow receptive fields from layer to layer."""

    kind: Kind
    size: Callable[[Window], int]
    arithmetic: str
    note: str
    extra: int = 0
    sees: Callable[[Window], bool] = lambda window: True  # whether a layer counts at all


def _right(window: Window) -> int:
    """By F - 1 cells more, each a jump apart (Araujo, Norris & Sim 2019)."""
    return window.seen.size + (window.wide - 1) * window.seen.jump


def _summed(window: Window) -> int:
    """Sums of windows begin with nothing, not with the one cell of the image."""
    return window.wide + (window.seen.size if window.seen != IMAGE_ITSELF else 0)


IMAGE_ITSELF = Seen(1, 1, 1)
ADDED = other(
    "receptive field added instead of scaled",
    10,
    ASKED,
    "each layer adds F - 1, whatever strides lie before it",
    "11 + 2 = 13 for 11 + (3 - 1)*4 = 19",
)
EARLY = other("jump one layer too early", 15, ASKED, "its own stride is counted too", "11 + (3 - 1)*8 = 27 for 19")
LATE = other(
    "jump one layer too late", 20, ASKED, "the stride of the layer before is not counted", "11 + (3 - 1)*1 = 13"
)
OWN = other("own window only", 15, ASKED, "what a cell sees of the layer before, not of the image", "3 for 19")
STRIDES = other("strides multiplied only", 20, ASKED, "the jump in place of the field", "4*2 = 8 for 19")
PRODUCT = other("windows multiplied", 25, ASKED, "F times F in place of a sum", "11*3 = 33 for 19")
WIDE = other("-1 forgotten", 15, ASKED, "F jumps in place of F - 1", "11 + 3*4 = 23 for 19")
PLAIN = other("dilation ignored", 15, ASKED, "a dilated window is taken for a plain one", "5 + (3 - 1) = 7 for 9")
POOLS = other("poolings left out", 15, ASKED, "layers without weights are passed over", "11 for 19 at pool1")
WRONG_WAY = other(
    "receptive field from the wrong end", 25, ASKED, "(r - 1)*S + F, which runs from the output", "23 for 19"
)
BY_ONE = other("receptive field off by one", 30, ASKED, "one more or one less", "18 or 20 for 19")
SWAPPED = other("H and W swapped", 10, ASKED, "height and width in the wrong order", "640x360 for 360x640")
ROW = other("another layer's answer", 30, ASKED, "the right figure of another row", "27x27x96 for 55x55x96")
IMAGE = other("the whole image", 25, ASKED, "the side of the input", "227 for 19")

RIGHT = Way(Kind("", 0, ASKED, "", ""), _right, "{r} + ({f} - 1)*{j}", "")
SCALED = "cells of the layer before lie a jump apart: strides before it scale F - 1"
ALL_THE_WAY = (
    Way(ADDED, lambda window: window.seen.size + window.wide - 1, "{r} + {f} - 1", SCALED),
    Way(ADDED, _summed, "{r} + {f}", "each layer adds F - 1, scaled by the strides before it", 5),
    Way(
        EARLY,
        lambda window: window.seen.size + (window.wide - 1) * window.seen.jump * window.s,
        "{r} + ({f} - 1)*{e}",
        "its own stride counts only behind it",
    ),
    Way(
        LATE,
        lambda window: window.seen.size + (window.wide - 1) * window.seen.before,
        "{r} + ({f} - 1)*{i}",
        "the stride of the layer before counts already",
    ),
    Way(
        WIDE,
        lambda window: window.seen.size + window.wide * window.seen.jump,
        "{r} + {f}*{j}",
        "from the first to the last cell of a window there are F - 1 steps",
    ),
    Way(OWN, lambda window: window.wide, "{f}", "the layers before it see further"),
    Way(STRIDES, lambda window: window.seen.jump * window.s, "{j}*{s}", "that is the jump, how far fields lie apart"),
    Way(PRODUCT, lambda window: window.seen.size * window.wide, "{r}*{f}", "windows overlap: each adds F - 1, scaled"),
    Way(PLAIN, lambda window: _right(window._replace(d=1)), "{r} + ({k} - 1)*{j}", "a dilated window reaches further"),
    Way(POOLS, _right, "{r} + ({f} - 1)*{j}", "pooling windows see further too", 0, lambda window: window.learns),
    Way(
        WRONG_WAY,
        lambda window: (window.seen.size - 1) * window.s + window.wide,
        "({r} - 1)*{s} + {f}",
        "that is the way from the output to the input, layer by layer",
    ),
)
ONLY_HERE = (ADDED, EARLY, LATE, WIDE)  # also looked for in this layer alone, on a right field of the layer before


def right_fields(net: Net, index: int) -> tuple[int, ...]:
    """Rows and columns of the image that a cell of a layer sees at most; none where it sees nothing.

    Raises `SpecError` where that is too long to follow.
    """
    if "views" not in net.memo:
        net.memo["views"] = follow(net.report)
    views = net.memo["views"][index]
    return tuple(map(int, views[0].size)) if views else ()


def misjudged(asked: Asked, wanted: Target) -> Iterator[Mistake]:
    """The mistakes by which a receptive field comes out as wanted along one side."""
    index = maker(asked.net, asked.at)
    if asked.own:
        yield from _on_own_fields(asked._replace(at=index), wanted)
        return
    right = asked.right
    image = numbers(asked.net.report.rows[0].output[asked.axis])
    for kind, value, text, note in (
        (BY_ONE, right + 1, f"{exact(right)} + 1 = {exact(right + 1)}", f"it is {exact(right)}"),
        (BY_ONE, right - 1, f"{exact(right)} - 1 = {exact(right - 1)}", f"it is {exact(right)}"),
        (IMAGE, image, exact(image), f"it is {exact(right)}"),
        *_of_other_rows(asked),
    ):
        if wanted.met((value,)) and value != right:
            yield Mistake(kind.name, text, kind.weight, note)
    for way in ALL_THE_WAY:
        for basis, extra in ((way, 0), (RIGHT, 1)) if way.kind in ONLY_HERE else ((way, 0),):
            for window in _windows(asked._replace(at=index), basis):
                yield from _met(way, window, wanted, right, extra)


def misjudged_sides(asked: tuple[Asked, ...], figures: tuple[Figure, ...]) -> Iterator[Mistake]:
    """The mistakes by which rows and columns that differ both come out as wanted: one for both."""
    pairs = [(each, target((figure,))) for each, figure in zip(asked, figures, strict=True)]
    if target(figures).met(tuple(each.right for each in reversed(asked))):
        text = "x".join(exact(each.right) for each in reversed(asked))
        yield Mistake(SWAPPED.name, text, SWAPPED.weight, "height comes first")
    found = [{each.name: each for each in misjudged(*pair)} for pair in pairs if not pair[1].met((pair[0].right,))]
    for name, one in found[0].items():
        both = [each[name] for each in found if name in each]
        if len(both) == len(found):
            yield one._replace(arithmetic=", ".join(dict.fromkeys(each.arithmetic for each in both)))


def _on_own_fields(asked: Asked, wanted: Target) -> Iterator[Mistake]:
    """The mistakes made on fields of the layers before that are the student's, where these make a difference."""
    assert asked.own is not None
    node = asked.net.report.graph.nodes[asked.at]
    sizes = [size[asked.axis] for size in (asked.own[at] for at in node.inputs) if size]
    for way in ALL_THE_WAY:
        for window, size in zip(_windows(asked, RIGHT), sizes, strict=False):
            own = window._replace(seen=window.seen._replace(size=size))
            if _through(way, own) != _through(way, window):
                yield from _met(way, own, wanted, asked.right, 0)


def _met(way: Way, window: Window, wanted: Target, right: int, extra: int) -> Iterator[Mistake]:
    size = _through(way, window).size
    if wanted.met((size,)) and size != right:
        yield Mistake(way.kind.name, _told(way, window, size), way.kind.weight + way.extra + extra, way.note)


def _of_other_rows(asked: Asked) -> Iterator[tuple[Kind, int, str, str]]:
    """The right fields of the other layers, the nearest first."""
    net = asked.net
    for at in sorted(net.shown, key=lambda at: (abs(at - asked.at), at)):
        fields = right_fields(net, at)
        if at != asked.at and fields and net.report.rows[at].inputs:
            name = net.report.rows[at].name
            yield ROW, fields[asked.axis], exact(fields[asked.axis]), f"that is right for {name}"


def maker(net: Net, index: int) -> int:
    """The layer that made a field which those behind it only hand on."""
    row = net.report.rows[index]
    while len(row.inputs) == 1 and row.node.op.slides and _reaches(net, index, 0)[0] == Reach():
        [index] = row.node.inputs
        row = net.report.rows[index]
    return index


def _told(way: Way, window: Window, size: int) -> str:
    text = window.text("{r}" if window.passes or not way.sees(window) else way.arithmetic)
    return text if text == exact(size) else f"{text} = {exact(size)}"


def _windows(asked: Asked, way: Way) -> Iterator[Window]:
    """The windows of a layer, one for each volume that arrives, on fields followed in a way; none behind their end."""
    net, row = asked.net, asked.net.report.rows[asked.at]
    seen = _followed(net, way, asked.axis)
    before = [seen[i] for i in row.node.inputs]
    if row.node.op.slides and None not in before:
        yield from (
            _window(reach, row.cost.weights != 0, each)
            for reach, each in zip(_reaches(net, asked.at, asked.axis), before, strict=True)
            if each
        )


def _followed(net: Net, way: Way, axis: int) -> list[Seen | None]:
    """What each layer is taken to see; None behind a layer that sees all."""
    key = "way", way.kind.name, way.extra, axis
    if key not in net.memo:
        net.memo[key] = _walked(net, way, axis)
    found: list[Seen | None] = net.memo[key]
    return found


def _walked(net: Net, way: Way, axis: int) -> list[Seen | None]:
    at = iter(range(len(net.report.rows)))

    def step(node: Node, before: list[Seen | None]) -> Seen | None:
        index = next(at)
        if not before:
            return IMAGE_ITSELF
        known = [seen for seen in before if seen]
        if not node.op.slides or len(known) < len(before):
            return None
        learns = net.report.rows[index].cost.weights != 0
        pairs = zip(_reaches(net, index, axis), known, strict=True)
        return _largest([_through(way, _window(reach, learns, seen)) for reach, seen in pairs])

    return walk(net.report.graph, step)


def _through(way: Way, window: Window) -> Seen:
    if window.passes or not way.sees(window):
        return window.seen
    return Seen(way.size(window), window.seen.jump * window.s, window.seen.jump)


def _window(reach: Reach, learns: bool, seen: Seen) -> Window:
    return Window(numbers(reach.k), numbers(reach.s), numbers(reach.d), learns, seen)


def _reaches(net: Net, index: int, axis: int) -> list[Reach]:
    """The rows, or the columns, of each input that a layer sees."""
    key = "reaches", net.alike[index], axis
    if key not in net.memo:
        row = net.report.rows[index]
        net.memo[key] = [sides[axis] for sides in row.node.op.reach(*row.inputs)]
    found: list[Reach] = net.memo[key]
    return found


def _largest(seen: list[Seen]) -> Seen:
    return max(seen, key=lambda each: each.size)._replace(jump=max(each.jump for each in seen))
