"""Pooling."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from archcalc.ops.base import Arrays, Flag, Kept, Need, Op, Own, Padding, Pair, Reach, arg, op, shown
from archcalc.ops.conv import NO_PADDING, Windowed
from archcalc.volume import Dim, Volume, Work, ceil_div, common_divisor, window_ceil


class Pool(Windowed):
    """What max and average pooling share: a window on every slice of depth by itself."""

    stride: Pair | None = arg(  # type: ignore[assignment]  # a convolution always has one; `step` is the one in use
        "step of the window; the size of the window when left out", default=None, symbol="S", slash=True
    )
    padding: Padding = arg(
        "cells added around the input: each side, `before:after`, `half`, `same` or `full`",
        default=NO_PADDING,
        symbol="P",
        slash=True,
        brief=True,
    )
    ceil: Flag = arg("round the size up; a last window that would start in the padding is left out", default=False)

    @property
    def step(self) -> Pair:
        """The stride in use: the window's own size where none is given."""
        return self.stride or self.kernel

    def places(self, x: Volume) -> tuple[Dim, Dim]:
        """Rows and columns of places, rounded down or up."""
        if not self.ceil or self.padding == "same":
            return super().places(x)
        axes = zip((x.h, x.w), self.kernel, self.step, self.sides(x), strict=True)
        h, w = (window_ceil(n, k, s, *p) for n, k, s, p in axes)
        return h, w

    def out(self, x: Volume) -> Volume:
        """floor((w + 2P - F)/S) + 1; `ceil` rounds up."""
        h, w = self.places(x)
        return Volume(h, w, x.c)

    def needs(self, x: Volume, *_: Any, **__: Any) -> Iterator[Need]:
        """The window fits, and none lies in the padding alone."""
        yield from super().needs(x)
        if not isinstance(self.padding, str):
            narrow = all(max(p) < k for p, k in zip(self.padding, self.kernel, strict=True))
            message = f"padding {shown(self.padding)} is not smaller than the window {shown(self.kernel)}"
            yield Need(narrow, message, "padding", "a window would lie in the padding alone")

    def text(self) -> str:
        """The layer as the language writes it, its stride always said: `maxpool 3/2`."""
        return super().text().replace("/None", f"/{shown(self.step)}", 1)


@op("maxpool", "pool")
class MaxPool(Pool):
    """Max pooling: the largest value under each window; a padded cell never wins.

    y[i,j,c] = max over u,v of x[S*i + u - P, S*j + v - P, c]
    """

    examples = ("input 55x55x96; pool 3/2", "input 112x112x64; maxpool 3/2 ceil")
    known_as = ("maxpool2d", "maxpooling", "maxpooling2d")

    def work(self, y: Volume, x: Volume) -> Work:
        """F*F - 1 comparisons for each output."""
        kh, kw = self.kernel
        return Work(compares=y.values * (kh * kw - 1))

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The input, and which cell won at each place."""
        kept = super().keeps(y, *x)
        return kept._replace(own=(*kept.own, Own("indices", y.values, "int64")))

    def padded(self, np: Any, x: Any) -> Any:
        """The input with its nearest cell in place of each padded one.

        That cell lies under every window that the padded one lies under. So a padded cell never wins, also where all
        values are negative, and NaN spreads no further.
        """
        return np.pad(x, ((0, 0), *self.margins(Volume(*x.shape[1:])), (0, 0)), mode="edge")

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The largest under each window."""
        return self.windows(np, self.padded(np, x)).max(axis=(3, 4))

    def winners(self, np: Any, x: Any) -> Any:
        """Which cell of its slice wins at each place, W*i + j, the first of equals as in PyTorch: b, i, j, c.

        NaN wins over numbers; of several, here the first, in PyTorch the last.
        """
        _, height, width, _ = x.shape
        numbers = np.arange(height * width).reshape(1, height, width, 1)
        windows = (self.windows(np, self.padded(np, each)) for each in (x, numbers))
        values, cells = (each.reshape(*each.shape[:3], -1, each.shape[5]) for each in windows)  # b, i, j, u*v, c
        first = values.argmax(axis=3, keepdims=True)
        return np.take_along_axis(cells, first, axis=3)[:, :, :, 0]

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Each gradient goes to the cell that won."""
        images, height, width, depth = x.shape
        dx = np.zeros((images, height * width, depth), dy.dtype)
        np.add.at(dx, (np.arange(images)[:, None, None, None], self.winners(np, x), np.arange(depth)), dy)
        return (dx.reshape(x.shape),), {}

    def matrix(self, np: Any, x: Any) -> Any:
        """Max pooling of one slice (h, w) as a matrix product: the A of y.flatten() = A @ x.flatten().

        A row for each place, a column for each cell, 1 at the cell that wins: it is dy/dx too.

        >>> import numpy
        >>> MaxPool((2, 2)).matrix(numpy, numpy.array([[1, 1, 2, 4], [5, 6, 7, 8]]))
        array([[0, 0, 0, 0, 0, 1, 0, 0],
               [0, 0, 0, 0, 0, 0, 0, 1]])
        """
        winners = self.winners(np, x[None, :, :, None]).flatten()
        return np.equal.outer(winners, np.arange(x.size)).astype(int)


@op("avgpool")
class AvgPool(Pool):
    """Average pooling: the mean of the values under each window; padded cells count as zeros unless `nocountpad`.

    y[i,j,c] = (sum over u,v of x[S*i + u - P, S*j + v - P, c]) / (F*F)

    A last window that sticks out of the padding (`ceil`) divides by its cells up to there, as in PyTorch and Caffe.
    """

    countpad: Flag = arg("divide by the whole window, padding counted (as Caffe and PyTorch do)", default=True)
    examples = ("input 28x28x6; avgpool 2", "input 14x14x8; avgpool 3/1/1 nocountpad")
    known_as = ("avgpool2d", "averagepool", "averagepooling2d")

    def work(self, y: Volume, x: Volume) -> Work:
        """F*F - 1 additions and one division for each output."""
        kh, kw = self.kernel
        return Work(adds=y.values * (kh * kw - 1), divs=y.values)

    def divisors(self, np: Any, x: Any) -> Any:
        """How many cells count under the window at each place: 1, i, j, 1.

        Those of the input, with `countpad` those of the padding too, and never those behind it.
        """
        _, height, width, _ = x.shape
        (top, bottom), (left, right) = self.sides(Volume(height, width, 1))
        cells = self.padded(np, np.zeros((1, height, width, 1), int))
        if self.countpad:
            cells[:, : top + height + bottom, : left + width + right] = 1
        else:
            cells[:, top : top + height, left : left + width] = 1
        return self.windows(np, cells).sum(axis=(3, 4)).astype(x.dtype)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The sum under each window, divided by the number of cells that count."""
        return self.windows(np, self.padded(np, x)).sum(axis=(3, 4)) / self.divisors(np, x)

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Each gradient is shared out equally over its window."""
        dx = np.zeros_like(self.padded(np, x))
        windows = self.windows(np, dx)
        for u, v in np.ndindex(self.kernel):
            windows[:, :, :, u, v] += dy / self.divisors(np, x)
        (top, _), (left, _) = self.margins(Volume(*x.shape[1:]))
        return (dx[:, top : top + x.shape[1], left : left + x.shape[2]],), {}


@op("gap")
class GlobalAvgPool(Op):
    """Global average pooling: the mean of each slice of depth (Lin, Chen & Yan 2013, section 3.2).

    y[c] = (sum over i,j of x[i,j,c]) / (H*W)
    """

    examples = ("input 7x7x2048; gap",)
    known_as = ("globalpool", "globalavgpool", "globalaveragepool", "globalaveragepooling2d")
    slides = False

    def out(self, x: Volume) -> Volume:
        """A vector: one number for each slice of depth."""
        return Volume(1, 1, x.c)

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """All that arrives."""
        return ((Reach(x.h), Reach(x.w)),)

    def work(self, y: Volume, x: Volume) -> Work:
        """H*W - 1 additions and one division for each slice."""
        return Work(adds=x.values - x.c, divs=x.c)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The sum of each slice, divided by its cells."""
        return x.sum(axis=(1, 2), keepdims=True) / (x.shape[1] * x.shape[2])

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """The gradient of a slice is shared out equally over its cells."""
        return (np.broadcast_to(dy / (x.shape[1] * x.shape[2]), x.shape).copy(),), {}


@op("adaptiveavgpool")
class AdaptiveAvgPool(Op):
    """Average pooling to a given size; the windows are as even as they can be, and may overlap (PyTorch).

    y[i,j,c] = mean of x[floor(i*H/h) : ceil((i+1)*H/h), floor(j*W/w) : ceil((j+1)*W/w), c]
    """

    size: Pair = arg("height and width of the output", symbol="T")
    examples = ("input 6x6x256; adaptiveavgpool 6", "input 13x10x8; adaptiveavgpool 6x4")
    known_as = ("adaptiveavgpool2d",)
    slides = False

    def out(self, x: Volume) -> Volume:
        """The given size, whatever arrives."""
        return Volume(*self.size, x.c)

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """From floor(i*H/h) to ceil((i+1)*H/h) - 1."""
        rows, columns = (Reach(n + t - 1, n, t - 1, 1, t) for n, t in zip(x[:2], self.size, strict=True))
        return ((rows, columns),)

    def work(self, y: Volume, x: Volume) -> Work:
        """An addition less than there are cells under each window, and one division for each output."""
        rows = x.h + self.size[0] - common_divisor(x.h, self.size[0])  # windows share a row at each uneven border
        columns = x.w + self.size[1] - common_divisor(x.w, self.size[1])
        return Work(adds=rows * columns * x.c - y.values, divs=y.values)

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The input, although its size would do; but not where the output is 1x1, which PyTorch takes as a mean."""
        return Kept() if self.size == (1, 1) else Kept(inputs=(0,))

    def regions(self, np: Any, x: Any) -> Iterator[tuple[Any, Any]]:
        """The place of each output with the cells that it is the mean of, as indices of b, h, w, c."""
        for place in np.ndindex(self.size):
            axes = zip(place, x.shape[1:3], self.size, strict=True)
            yield (
                (slice(None), *place),
                (slice(None), *(slice(i * n // t, ceil_div((i + 1) * n, t)) for i, n, t in axes)),
            )

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The mean of each region."""
        y = np.empty((len(x), *self.size, x.shape[3]), x.dtype)
        for place, cells in self.regions(np, x):
            y[place] = x[cells].sum(axis=(1, 2)) / math.prod(x[cells].shape[1:3])
        return y

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Each gradient is shared out equally over its region."""
        dx = np.zeros(x.shape, dy.dtype)
        for place, cells in self.regions(np, x):
            dx[cells] += (dy[place] / math.prod(x[cells].shape[1:3]))[:, None, None]
        return (dx,), {}

    def odd(self, x: Volume, *_: Any, **__: Any) -> Iterator[str]:
        """An output larger than the input."""
        if any(isinstance(n, int) and n < t for n, t in zip((x.h, x.w), self.size, strict=True)):
            yield f"the output {shown(self.size)} is larger than the input {x.h}x{x.w}: values are repeated"
