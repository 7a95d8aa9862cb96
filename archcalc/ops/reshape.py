"""Layers that move values and compute nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.ops.base import Arrays, Count, Need, Op, Padding, Pair, Range, Reach, Sides, Whole, arg, op, shown
from archcalc.volume import NOTHING, Sweep, Volume, Work, at_least, ceil_div, divides, exact_div


class Move(Op):
    """A layer that only moves values."""

    def work(self, y: Volume, x: Volume) -> Work:
        """Nothing is computed."""
        return NOTHING


class Input(Op):
    """The image, or another volume that is given."""

    size: Volume = arg("height, width and depth")
    types = ("input",)

    def out(self) -> Volume:
        """The given size."""
        return self.size

    def work(self, y: Volume) -> Work:
        """Nothing is computed."""
        return NOTHING


@op("id")
class Identity(Move):
    """The identity: y = x. An empty branch means the same."""

    inplace = True
    examples = ("input 56x56x64; id",)
    known_as = ("identity",)

    def out(self, x: Volume) -> Volume:
        """The volume keeps its size."""
        return x

    def views(self, training: bool) -> bool:
        """Always."""
        return True

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The input."""
        return x

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """The gradient."""
        return (dy,), {}


@op("flatten")
class Flatten(Move):
    """A volume as a vector; `fc` does so by itself.

    y[(W*i + j)*C + c] = x[i,j,c]
    """

    inplace = True
    slides = False
    examples = ("input 7x7x512; flatten",)

    def out(self, x: Volume) -> Volume:
        """1x1x(h*w*c)."""
        return Volume(1, 1, x.values)

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """The one position holds all that arrives."""
        return ((Reach(x.h), Reach(x.w)),)

    def views(self, training: bool) -> bool:
        """Always."""
        return True

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """Row by row, position by position."""
        return x.reshape(len(x), 1, 1, -1)

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """The gradients in their places again."""
        return (dy.reshape(x.shape),), {}


@op("pad")
class Pad(Move):
    """Zeros around the volume.

    y[i,j,c] = x[i - top, j - left, c], and 0 outside
    """

    sides: Padding = arg("cells added: each side, `before:after`, height x width", symbol="P")
    examples = ("input 28x28x1; pad 2", "input 32x32x8; pad 0:1")
    known_as = ("zeropad2d", "zeropadding2d")

    def out(self, x: Volume) -> Volume:
        """Larger by both sides."""
        (top, bottom), (left, right) = numbers(self.sides)
        return Volume(x.h + top + bottom, x.w + left + right, x.c)

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """The same cell, further on by what stands before it."""
        rows, columns = (Reach(before=side[0]) for side in numbers(self.sides))
        return ((rows, columns),)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """Zeros, and the input within them."""
        return np.pad(x, ((0, 0), *numbers(self.sides), (0, 0)))

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """What lies within the zeros."""
        (top, _), (left, _) = numbers(self.sides)
        return (dy[:, top : top + x.shape[1], left : left + x.shape[2]],), {}


@op("crop")
class Crop(Move):
    """Rows and columns cut off the sides.

    y[i,j,c] = x[i + top, j + left, c]
    """

    sides: Padding = arg("cells cut off: each side, `before:after`, height x width", symbol="P")
    examples = ("input 64x64x16; crop 4",)
    known_as = ("cropping2d",)

    def out(self, x: Volume) -> Volume:
        """Smaller by both sides."""
        (top, bottom), (left, right) = numbers(self.sides)
        return Volume(x.h - (top + bottom), x.w - (left + right), x.c)

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """The same cell, further back by what is cut off before it."""
        rows, columns = (Reach(before=-side[0]) for side in numbers(self.sides))
        return ((rows, columns),)

    def needs(self, x: Volume) -> Iterator[Need]:
        """Something is left."""
        y = self.out(x)
        message = f"cropping {shown(self.sides)} leaves nothing of {x.h}x{x.w}"
        yield Need(at_least(y.h, 1), message, "sides")
        yield Need(at_least(y.w, 1), message, "sides")

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """What lies within the sides."""
        (top, bottom), (left, right) = numbers(self.sides)
        return x[:, top : x.shape[1] - bottom, left : x.shape[2] - right]

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Zeros for what was cut off."""
        return (np.pad(dy, ((0, 0), *numbers(self.sides), (0, 0))),), {}


def in_place(np: Any, dy: Any, x: Any, cells: Any) -> Any:
    """Zeros of the shape of `x`, and the gradients at some of its cells."""
    dx = np.zeros(x.shape, dy.dtype)
    dx[cells] = dy
    return dx


def numbers(sides: Padding) -> Sides:
    """Padding that no word stands for: `same` depends on a window, and there is none here."""
    assert not isinstance(sides, str)
    return sides


@op("upsample")
class Upsample(Move):
    """Every value repeated over a block (nearest neighbour).

    y[i,j,c] = x[floor(i/r), floor(j/r), c]
    """

    factor: Pair = arg("how often each row and column is repeated", symbol="r")
    examples = ("input 14x14x64; upsample 2",)
    known_as = ("upsampling", "upsampling2d")
    slides = False

    def out(self, x: Volume) -> Volume:
        """Each side times the factor."""
        return Volume(x.h * self.factor[0], x.w * self.factor[1], x.c)

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """Cell j fills the outputs r*j to r*j + r - 1."""
        rows, columns = (Reach(r, 1, r - 1, 1, r) for r in self.factor)
        return ((rows, columns),)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """Rows repeated, then columns."""
        return x.repeat(self.factor[0], axis=1).repeat(self.factor[1], axis=2)

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """The sum over each block."""
        b, h, w_, c = x.shape
        return (dy.reshape(b, h, self.factor[0], w_, self.factor[1], c).sum(axis=(2, 4)),), {}


@op("slice")
class Slice(Move):
    """Part of the depth, from slice `first` up to but not including `last`.

    y[i,j,c] = x[i,j,first + c]
    """

    channels: Range = arg("`first:last`, counted from 0, `last` not included")
    examples = ("input 28x28x116; slice 0:58",)

    def out(self, x: Volume) -> Volume:
        """last - first slices."""
        return Volume(x.h, x.w, self.channels[1] - self.channels[0])

    def needs(self, x: Volume) -> Iterator[Need]:
        """The slices exist."""
        first, last = self.channels
        yield Need(last > first, f"slice {first}:{last} is empty", "channels")
        yield Need(at_least(x.c, last), f"slice {first}:{last} reaches past the depth {x.c}", "channels")

    def views(self, training: bool) -> bool:
        """Always."""
        return True

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """These slices."""
        return x[..., slice(*self.channels)]

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Zeros for the other slices."""
        return (in_place(np, dy, x, (..., slice(*self.channels))),), {}


@op("split")
class Split(Move):
    """One of n equal parts of the depth.

    y[i,j,c] = x[i,j,part*C/n + c]
    """

    parts: Count = arg("into how many parts", symbol="n")
    part: Whole = arg("which of them, counted from 0")
    examples = ("input 28x28x116; split 2 0",)

    def out(self, x: Volume) -> Volume:
        """C/n slices."""
        return Volume(x.h, x.w, exact_div(x.c, self.parts))

    def needs(self, x: Volume) -> Iterator[Need]:
        """The parts are equal, and there is such a part."""
        yield Need(
            divides(self.parts, x.c), f"{self.parts} parts do not divide the {x.c} channels that arrive", "parts"
        )
        message = f"there is no part {self.part} of {self.parts}: they are counted from 0"
        yield Need(at_least(self.parts, self.part + 1), message, "part")

    def channels(self, x: Any) -> Any:
        """The slices of this part, of an array."""
        size = x.shape[3] // self.parts
        return slice(self.part * size, (self.part + 1) * size)

    def views(self, training: bool) -> bool:
        """Always."""
        return True

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The slices of this part."""
        return x[..., self.channels(x)]

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Zeros for the other parts."""
        return (in_place(np, dy, x, (..., self.channels(x))),), {}


@op("shuffle")
class Shuffle(Move):
    """Channel shuffle: the slices of the groups dealt out in turn (Zhang et al. 2017, ShuffleNet).

    y[i,j,g + G*c] = x[i,j,c + (C/G)*g]
    """

    groups: Count = arg("groups that the depth is cut into", symbol="G")
    examples = ("input 28x28x240; shuffle 3",)
    known_as = ("channelshuffle",)

    def out(self, x: Volume) -> Volume:
        """The volume keeps its size."""
        return x

    def needs(self, x: Volume) -> Iterator[Need]:
        """The groups divide the depth."""
        yield Need(
            divides(self.groups, x.c), f"{self.groups} groups do not divide the {x.c} channels that arrive", "groups"
        )

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The depth as a matrix G x C/G, turned round."""
        return x.reshape(*x.shape[:3], self.groups, -1).swapaxes(3, 4).reshape(x.shape)

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """The matrix C/G x G, turned back."""
        return (dy.reshape(*x.shape[:3], -1, self.groups).swapaxes(3, 4).reshape(x.shape),), {}


@op("shortcut")
class Shortcut(Move):
    """Shortcut without parameters, option A of He et al. 2015: every S-th row and column, new depth filled with zeros.

    y[i,j,c] = x[S*i, S*j, c] for c < C, else 0
    """

    stride: Pair = arg("step over rows and columns", symbol="S")
    filters: Count = arg("depth of the output", symbol="N")
    examples = ("input 32x32x16; shortcut 2 32",)

    def out(self, x: Volume) -> Volume:
        """ceil(w/S), and the given depth."""
        return Volume(ceil_div(x.h, self.stride[0]), ceil_div(x.w, self.stride[1]), self.filters)

    def needs(self, x: Volume) -> Iterator[Need]:
        """The depth does not shrink."""
        message = f"a shortcut of depth {self.filters} would lose some of the {x.c} channels that arrive"
        yield Need(at_least(self.filters, x.c), message, "filters")

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """Every S-th row and column, zeros behind them in depth."""
        kept = x[:, :: self.stride[0], :: self.stride[1]]
        return np.pad(kept, ((0, 0), (0, 0), (0, 0), (0, self.filters - x.shape[3])))

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Zeros for the rows and columns stepped over."""
        steps = (slice(None), slice(None, None, self.stride[0]), slice(None, None, self.stride[1]))
        return (in_place(np, dy[..., : x.shape[3]], x, steps),), {}

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """Single cells, the stride apart."""
        rows, columns = (Reach(s=s) for s in self.stride)
        return ((rows, columns),)

    def sweeps(self, x: Volume) -> tuple[Sweep, ...]:
        """Single cells, the stride apart."""
        return tuple(Sweep(n, 1, s, 0, 0, 1, y) for n, s, y in zip(x[:2], self.stride, self.out(x)[:2], strict=True))
