"""Nets to be done by hand: drawn layer by layer, and kept where the layers' own rules let them stand.

They are texts in the language, as those of the zoo are. Depth grows while the sides shrink; windows are the usual ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.homework.exercises.chance import Chance
from archcalc.lang.parser import parse
from archcalc.lang.printer import print_tree
from archcalc.lang.source import Source
from archcalc.library import load
from archcalc.ops.base import Op
from archcalc.volume import Volume, footprint

SMALL, LARGE = tuple(range(12, 65)), (96, 99, 112, 113, 127, 128, 160, 192, 195, 224, 225, 227)
DEPTHS = (1, 3, 3)  # of images
FILTERS = (4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256)
CLASSES = (2, 5, 8, 10, 10, 10, 12, 20, 100)
FIRST = ("11/4/0", "11/4/2", "11/3/0", "7/2/0", "7/2/3", "7/2/2", "5/2/0", "5/2/2", "3/2/0", "3/2/1")  # on large images
EARLY = ("7/1/0", "7/1/3", "5/1/0", "5/1/1", "5/1/2", "5/2/0", "5/2/2", "3/1/0", "3/1/1", "3/2/0", "3/2/1")
LATE = ("5/1/0", "5/1/2", "3/1/0", "3/1/1", "3/1/1", "3/2/0", "3/2/1", "1")
POOLS = ("maxpool 2/2", "maxpool 2/2", "maxpool 3/2", "maxpool 3/3", "avgpool 2/2", "maxpool 3/2/1")
ENOUGH = 12  # cells along a side before the net may end
ATTEMPTS = 2000


class Draft(NamedTuple):
    """A net so far: its layers line by line, what leaves the last, and whether all sizes came out whole."""

    input: Volume
    lines: tuple[str, ...] = ()
    leaves: Volume | None = None
    whole: bool = True

    @property
    def volume(self) -> Volume:
        """What leaves the last layer."""
        return self.leaves or self.input

    @property
    def side(self) -> int:
        """Its height, and its width."""
        n: Any = self.volume.h
        return int(n)

    def then(self, line: str, usual: bool = True) -> Draft | None:
        """With a line more: a layer, and perhaps one behind it that keeps all sizes. None where it does not stand.

        Nor where it is not usual, unless that is no matter.
        """
        op = op_of(layer_of(line))
        if any(need.condition is False for need in op.needs(self.volume)) or (usual and not is_usual(op, self.volume)):
            return None
        leaves, whole = op.out(self.volume), self.whole and comes_out_whole(op, self.volume)
        return self._replace(lines=(*self.lines, line), leaves=leaves, whole=whole)

    def text(self, *lines: str) -> str:
        """The net, canonical; `lines` in place of its own."""
        return canonical(f"input {self.input}\n" + "\n".join(lines or self.lines))


def canonical(text: str) -> str:
    """A net as `archcalc fmt` writes it, without its last line end."""
    tree, faults = parse(Source("<net>", text))
    assert not faults, text
    return print_tree(tree).rstrip("\n")


def layer_of(line: str) -> str:
    """The layer of a line, without its label and what stands behind it."""
    return line.partition(": ")[2].partition(" ;")[0]


@lru_cache(4096)
def op_of(layer: str) -> Op:
    """The layer of a text."""
    op: Op = load(f"input 512x512x8; {layer}").build().graph.nodes[-1].op
    return op


def comes_out_whole(op: Op, *x: Volume) -> bool:
    """Whether the last window of a layer ends where its padded input does: then no size is rounded."""
    sweeps: Any = op.sweeps(*x)
    return all(s * (places - 1) + footprint(k, d) == n + before + after for n, k, s, before, after, d, places in sweeps)


def is_usual(op: Op, *x: Volume) -> bool:
    """Whether the window of a layer, if it has one, is no larger than its input without the padding."""
    sweeps: Any = op.sweeps(*x)
    return all(footprint(sweep.k, sweep.d) <= sweep.n for sweep in sweeps)


# ---------------------------------------------------------------- one layer after the other


def single(chance: Chance, whole: bool) -> Draft | None:
    """One layer on a volume from anywhere in a net."""
    side = chance.pick((*SMALL, *LARGE, *range(5, 40)))
    depth = chance.pick((1, 3, 3, *FILTERS[5:]))
    start = Draft(Volume(side, side, depth))
    kind = chance.below(8)
    if kind == 0:
        return start.then(f"fc1: fc {chance.pick(CLASSES)}") if side < ENOUGH else None
    if kind < 3:
        return _fitting(start, "pool1: {}", POOLS, chance, whole)
    windows = FIRST if side >= LARGE[0] else EARLY + LATE
    return _fitting(start, f"conv1: conv {{}} {chance.pick(FILTERS)}", windows, chance, whole)


def chain(chance: Chance, whole: bool) -> Draft | None:
    """Convolutions with pooling between them, and a fully connected layer at the end."""
    draft = body(chance, whole)
    return (draft and draft.side <= ENOUGH and draft.then(f"fc1: fc {chance.pick(CLASSES)}")) or None


def body(chance: Chance, whole: bool) -> Draft | None:
    """Two or three convolutions with pooling between them."""
    side = chance.pick((*SMALL, *SMALL[20:], *LARGE, *LARGE))
    draft: Draft | None = Draft(Volume(side, side, chance.pick(DEPTHS)))
    filters, pools = chance.below(8), 0
    relu = " ; relu" if chance.happens(1, 2) else ""
    for number in range(1, 3 + chance.below(2)):
        assert draft is not None
        windows = FIRST if draft.side >= LARGE[0] else EARLY if number == 1 else LATE
        line = f"conv{number}: conv {{}} {FILTERS[filters]}{relu}"
        draft = _fitting(draft, line, windows, chance, whole)
        if draft and (draft.side > 2 * ENOUGH or chance.happens(2, 3)):
            pools += 1
            draft = _fitting(draft, f"pool{pools}: {{}}", POOLS, chance, whole)
        if not draft:
            return None
        filters = min(filters + chance.below(3), len(FILTERS) - 1)
    return draft


def _fitting(draft: Draft, line: str, windows: tuple[str, ...], chance: Chance, whole: bool) -> Draft | None:
    """With a line more whose window fits, one of some; None where none does."""
    fit = [grown for each in windows if (grown := draft.then(line.format(each))) and (grown.whole or not whole)]
    return chance.pick(fit) if fit else None


# ---------------------------------------------------------------- branches


def branches(chance: Chance, whole: bool) -> Draft | None:
    """A convolution, a module in which branches meet, pooling, and a fully connected layer at the end."""
    side = chance.pick(SMALL[:44])
    start = Draft(Volume(side, side, chance.pick((1, 3, 3, 16, 24, 32, 64))))
    stem = _fitting(start, f"conv1: conv {{}} {FILTERS[3 + chance.below(7)]}", EARLY, chance, whole)
    module = chance.pick((_concat, _concat, _residual))
    draft = stem and module(stem, chance)
    if draft and draft.side > ENOUGH // 2:
        pools = sum("pool1:" in line for line in draft.lines)
        draft = _fitting(draft, f"pool{pools + 1}: {{}}", POOLS, chance, whole)
    if not draft or draft.side > ENOUGH or (whole and not draft.whole):
        return None
    return draft.then(f"fc1: fc {chance.pick(CLASSES)}")


def _concat(stem: Draft, chance: Chance) -> Draft | None:
    """Two to four branches side by side, as in GoogLeNet: windows that keep the sides, or halve them all."""
    stride = 1 + chance.happens(1, 4)
    names = (f"conv{number}" for number in range(2, 20))
    ways = [_one_by_one, _reduced, _wide, _pooled]
    while len(ways) > 2 + chance.below(3):
        ways.pop(chance.below(len(ways)))
    paths = [way(names, stride, chance) for way in ways]
    return _merged(stem, "concat", paths)


def _one_by_one(names: Iterator[str], stride: int, chance: Chance) -> tuple[str, ...]:
    return (f"{next(names)}: conv {_stepped(1, stride)} {chance.pick(FILTERS[:8])}",)


def _stepped(kernel: int, stride: int) -> str:
    """A window without padding, as one writes it."""
    return f"{kernel}/{stride}" if stride > 1 else f"{kernel}"


def _reduced(names: Iterator[str], stride: int, chance: Chance) -> tuple[str, ...]:
    """A 1x1 that reduces the depth before a 3x3."""
    first, second = chance.pick(FILTERS[:6]), chance.pick(FILTERS[4:10])
    return f"{next(names)}: conv 1 {first}", f"{next(names)}: conv 3/{stride}/1 {second}"


def _wide(names: Iterator[str], stride: int, chance: Chance) -> tuple[str, ...]:
    """A 1x1 that reduces the depth before a 5x5."""
    first, second = chance.pick(FILTERS[:4]), chance.pick(FILTERS[2:8])
    return f"{next(names)}: conv 1 {first}", f"{next(names)}: conv 5/{stride}/2 {second}"


def _pooled(names: Iterator[str], stride: int, chance: Chance) -> tuple[str, ...]:
    """Pooling, mostly before a 1x1."""
    path = (f"pool1: maxpool 3/{stride}/1",)
    return (*path, f"{next(names)}: conv 1 {chance.pick(FILTERS[:8])}") if chance.happens(3, 4) else path


def _residual(stem: Draft, chance: Chance) -> Draft | None:
    """Two convolutions, or a bottleneck, added to the identity or to a projection, as in ResNet."""
    stride, depth = 1 + chance.happens(1, 2), int(str(stem.volume.c))
    out = depth if chance.happens(1, 3) else chance.pick([each for each in FILTERS if depth < each <= 4 * depth])
    small = chance.pick([each for each in FILTERS if each <= out])
    plain = f"conv2: conv 3/{stride}/1 {small}", f"conv3: conv 3/1/1 {out}"
    narrow = f"conv2: conv 1 {small}", f"conv3: conv 3/{stride}/1 {small}", f"conv4: conv 1 {out}"
    path = plain if chance.happens(1, 2) else narrow
    same = stride == 1 and out == depth
    return _merged(stem, "add", [path, () if same else (f"conv{len(path) + 2}: conv {_stepped(1, stride)} {out}",)])


def _merged(stem: Draft, merge: str, paths: list[tuple[str, ...]]) -> Draft | None:
    """Branches from one volume, written as the language has them, and what meets in them."""
    ends: list[Draft] = []
    for path in paths:
        end: Draft | None = stem
        for line in path:
            end = end and end.then(line)
        if end is None:
            return None
        ends.append(end)
    op, arriving = type(op_of(f"{merge} {{ id | id }}"))(), [end.volume for end in ends]
    if any(need.condition is False for need in op.needs(*arriving)):
        return None
    inside = "\n| ".join(" ; ".join(path) for path in paths)
    line = f"{merge}1: {merge} {{\n{inside}\n}}"
    return stem._replace(
        lines=(*stem.lines, line), leaves=op.out(*arriving), whole=all(each.whole for each in (stem, *ends))
    )


# ---------------------------------------------------------------- until one stands


Drawn = Callable[[Chance, bool], "Draft | None"]


def drawn(draw: Drawn, chance: Chance, whole: bool, accepts: Callable[[Draft], bool] = lambda draft: True) -> Draft:
    """A net of a kind: all sizes whole, or at least one that is rounded; the first that is accepted."""
    for _ in range(ATTEMPTS):
        draft = draw(chance, whole)
        if draft and draft.whole == whole and accepts(draft):
            return draft
    raise AssertionError(f"no net came of {ATTEMPTS} attempts: {draw.__name__}")
