"""Pooling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.ops.base import Flag, Need, Op, Padding, Pair, arg, op, shown
from archcalc.ops.conv import NO_PADDING, Windowed
from archcalc.volume import Dim, Volume, Work, common_divisor, window_ceil


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


@op("avgpool")
class AvgPool(Pool):
    """Average pooling: the mean of the values under each window; padded cells count as zeros unless `nocountpad`.

    y[i,j,c] = (sum over u,v of x[S*i + u - P, S*j + v - P, c]) / (F*F)
    """

    countpad: Flag = arg("divide by the whole window, padding counted (as Caffe and PyTorch do)", default=True)
    examples = ("input 28x28x6; avgpool 2", "input 14x14x8; avgpool 3/1/1 nocountpad")
    known_as = ("avgpool2d", "averagepool", "averagepooling2d")

    def work(self, y: Volume, x: Volume) -> Work:
        """F*F - 1 additions and one division for each output."""
        kh, kw = self.kernel
        return Work(adds=y.values * (kh * kw - 1), divs=y.values)


@op("gap")
class GlobalAvgPool(Op):
    """Global average pooling: the mean of each slice of depth (Lin, Chen & Yan 2013, section 3.2).

    y[c] = (sum over i,j of x[i,j,c]) / (H*W)
    """

    examples = ("input 7x7x2048; gap",)
    known_as = ("globalpool", "globalavgpool", "globalaveragepool", "globalaveragepooling2d")

    def out(self, x: Volume) -> Volume:
        """A vector: one number for each slice of depth."""
        return Volume(1, 1, x.c)

    def reach(self) -> tuple[int, int] | None:
        """Its windows follow from the size of what arrives."""
        return None

    def work(self, y: Volume, x: Volume) -> Work:
        """H*W - 1 additions and one division for each slice."""
        return Work(adds=x.values - x.c, divs=x.c)


@op("adaptiveavgpool")
class AdaptiveAvgPool(Op):
    """Average pooling to a given size; the windows are as even as they can be, and may overlap (PyTorch).

    y[i,j,c] = mean of x[floor(i*H/h) : ceil((i+1)*H/h), floor(j*W/w) : ceil((j+1)*W/w), c]
    """

    size: Pair = arg("height and width of the output", symbol="T")
    examples = ("input 6x6x256; adaptiveavgpool 6", "input 13x10x8; adaptiveavgpool 6x4")
    known_as = ("adaptiveavgpool2d",)

    def out(self, x: Volume) -> Volume:
        """The given size, whatever arrives."""
        return Volume(*self.size, x.c)

    def reach(self) -> tuple[int, int] | None:
        """Its windows follow from the size of what arrives."""
        return None

    def work(self, y: Volume, x: Volume) -> Work:
        """An addition less than there are cells under each window, and one division for each output."""
        rows = x.h + self.size[0] - common_divisor(x.h, self.size[0])  # windows share a row at each uneven border
        columns = x.w + self.size[1] - common_divisor(x.w, self.size[1])
        return Work(adds=rows * columns * x.c - y.values, divs=y.values)

    def odd(self, x: Volume, *_: Any, **__: Any) -> Iterator[str]:
        """An output larger than the input."""
        if any(isinstance(n, int) and n < t for n, t in zip((x.h, x.w), self.size, strict=True)):
            yield f"the output {shown(self.size)} is larger than the input {x.h}x{x.w}: values are repeated"
