"""Convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.ops.base import Count, Flag, Need, Op, Padding, Pair, Sides, arg, op, shown
from archcalc.volume import (
    Dim,
    Shape,
    Volume,
    Work,
    at_least,
    ceil_div,
    divides,
    exact_div,
    footprint,
    same_padding,
    unseen,
    window,
)

NO_PADDING: Sides = ((0, 0), (0, 0))


class Windowed(Op):
    """A layer that slides a window: what convolutions and pooling share."""

    kernel: Pair = arg("height and width of the window, `f` or `h x w`", symbol="F")
    stride: Pair = arg("step of the window", default=(1, 1), symbol="S", slash=True)
    padding: Padding = arg(
        "cells added around the input: each side, `before:after`, `half`, `same` or `full`",
        default=NO_PADDING,
        symbol="P",
        slash=True,
    )

    @property
    def step(self) -> Pair:
        """The stride in use."""
        return self.stride

    @property
    def spread(self) -> Pair:
        """The dilation in use."""
        return (1, 1)

    def sides(self, x: Volume) -> Sides:
        """The padding in numbers; `same` needs an input in numbers."""
        if not isinstance(self.padding, str):
            return self.padding
        ends = zip((x.h, x.w), self.kernel, self.step, self.spread, strict=True)
        top, left = (same_padding(n, k, s, d) for n, k, s, d in ends if isinstance(n, int))
        return top, left

    def places(self, x: Volume) -> tuple[Dim, Dim]:
        """Rows and columns of places at which the window fits."""
        (kh, kw), (sh, sw), (dh, dw) = self.kernel, self.step, self.spread
        if self.padding == "same":
            return ceil_div(x.h, sh), ceil_div(x.w, sw)
        (top, bottom), (left, right) = self.sides(x)
        return window(x.h, kh, sh, top, bottom, dh), window(x.w, kw, sw, left, right, dw)

    def needs(self, x: Volume, *_: Any, **__: Any) -> Iterator[Need]:
        """The window fits the padded input."""
        if self.padding == "same":  # always fits
            return
        (top, bottom), (left, right) = self.sides(x)
        height, width = x.h + top + bottom, x.w + left + right
        kh, kw = (footprint(k, d) for k, d in zip(self.kernel, self.spread, strict=True))
        padded = "input" if self.padding == NO_PADDING else "padded input"
        wide = f"window {kh}x{kw}" if self.spread == (1, 1) else f"dilated window {kh}x{kw}"
        message = f"{wide} is larger than its {padded} {height}x{width}"
        label = "" if self.padding == NO_PADDING else f"the input is {x.h}x{x.w}, the padding {shown(self.padding)}"
        yield Need(at_least(height, kh), message, "kernel", label)
        yield Need(at_least(width, kw), message, "kernel", label)

    def dropped(self, x: Volume, *_: Any, **__: Any) -> tuple[int, int]:
        """Rows and columns that no window touches."""
        ends = zip((x.h, x.w), self.kernel, self.step, self.sides(x), self.spread, self.places(x), strict=True)
        rows, columns = (unseen(n, k, s, p[0], d, y) for n, k, s, p, d, y in ends)
        return rows, columns

    def reach(self) -> tuple[int, int] | None:
        """The dilated window, and its stride."""
        return footprint(self.kernel[0], self.spread[0]), self.step[0]

    def odd(self, x: Volume, *_: Any, **__: Any) -> Iterator[str]:
        """Uneven padding."""
        if self.padding == "same" and any(a != b for a, b in self.sides(x)):
            yield "`same` pads unevenly here, the odd cell after (PyTorch and Caffe pad evenly)"

    def arguments(self, *x: Any) -> dict[str, Any]:
        """Stride and padding in numbers."""
        values = super().arguments(*x)
        return values | {"stride": self.step, "padding": self.sides(x[0]) if x else self.padding}


class Filtered(Windowed):
    """What convolution and transposed convolution share: filters over the whole depth of a group."""

    filters: Count = arg("how many filters: the depth of the output", symbol="N")
    groups: Count = arg(
        "parts that the depth is cut into, each with its own filters", default=1, symbol="G", named=True
    )
    dilation: Pair = arg("distance of the cells under the window", default=(1, 1), symbol="D", named=True)
    bias: Flag = arg("one number added per filter", default=True)

    @property
    def spread(self) -> Pair:
        """The dilation in use."""
        return self.dilation

    def grouped(self, x: Volume) -> Iterator[Need]:
        """The groups divide the depth that arrives, and the filters."""
        arrive = f"{self.groups} groups do not divide the {x.c} channels that arrive"
        yield Need(divides(self.groups, x.c), arrive, "groups")
        filters = f"{self.groups} groups do not divide {self.filters} filters"
        yield Need(divides(self.groups, self.filters), filters, "groups")

    def weights(self, x: Volume) -> dict[str, Shape]:
        """h, w, depth of a group, filters."""
        weights: dict[str, Shape] = {"w": (*self.kernel, exact_div(x.c, self.groups), self.filters)}
        return weights | {"b": (self.filters,)} if self.bias else weights


@op("conv")
class Conv(Filtered):
    """Convolution: each of N filters is laid over every place of the padded input, over the whole depth of its group.

    y[i,j,n] = b[n] + sum over u,v,c of w[u,v,c,n] * x[S*i + D*u - P, S*j + D*v - P, c]
    """

    examples = ("input 227x227x3; conv 11/4/0 96", "input 17x17x64; conv 1x7/1/0x3 64 groups=2 nobias")
    known_as = ("conv2d", "convolution", "convolution2d")

    def out(self, x: Volume) -> Volume:
        """floor((w + 2P - D(F-1) - 1)/S) + 1, and one slice of depth for each filter."""
        h, w = self.places(x)
        return Volume(h, w, self.filters)

    def needs(self, x: Volume, *_: Any, **__: Any) -> Iterator[Need]:
        """The window fits; the groups divide both depths."""
        yield from super().needs(x)
        yield from self.grouped(x)

    def work(self, y: Volume, x: Volume) -> Work:
        """A multiply-add for each weight at each place; the bias is one addition more."""
        kh, kw = self.kernel
        return Work(macs=y.values * kh * kw * exact_div(x.c, self.groups), adds=y.values if self.bias else 0)


@op("dwconv")
class DepthwiseConv(Windowed):
    """Depthwise convolution: every slice of depth is convolved by itself, with M filters of its own.

    y[i,j,M*c+m] = b[M*c+m] + sum over u,v of w[u,v,c,m] * x[S*i + D*u - P, S*j + D*v - P, c]
    """

    multiplier: Count = arg("filters for each slice of depth", default=1, symbol="M", named=True)
    dilation: Pair = arg("distance of the cells under the window", default=(1, 1), symbol="D", named=True)
    bias: Flag = arg("one number added per filter", default=True)
    examples = ("input 112x112x32; dwconv 3/1/1 nobias", "input 16x16x8; dwconv 3/2/same multiplier=2")
    known_as = ("depthwise", "depthwiseconv", "depthwiseconv2d")

    @property
    def spread(self) -> Pair:
        """The dilation in use."""
        return self.dilation

    def out(self, x: Volume) -> Volume:
        """The size of a convolution; the depth times M."""
        h, w = self.places(x)
        return Volume(h, w, x.c * self.multiplier)

    def weights(self, x: Volume) -> dict[str, Shape]:
        """h, w, depth, multiplier."""
        weights: dict[str, Shape] = {"w": (*self.kernel, x.c, self.multiplier)}
        return weights | {"b": (x.c * self.multiplier,)} if self.bias else weights

    def work(self, y: Volume, x: Volume) -> Work:
        """F*F multiply-adds for each output."""
        kh, kw = self.kernel
        return Work(macs=y.values * kh * kw, adds=y.values if self.bias else 0)


@op("deconv")
class Deconv(Filtered):
    """Transposed convolution: every input cell lays the filter, times its value, over the output; P cells are cut off.

    y[S*i + D*u - P, S*j + D*v - P, n] += w[u,v,c,n] * x[i,j,c], over all i,j,u,v,c; then + b[n]
    """

    extra: Pair = arg(
        "rows and columns added at the end (PyTorch's output_padding)", default=(0, 0), symbol="E", named=True
    )
    examples = ("input 14x14x32; deconv 4/2/1 64", "input 7x7x16; deconv 3/2/1 8 extra=1 nobias")
    known_as = ("convtranspose", "convtranspose2d", "conv2dtranspose", "transposedconv")

    def sides(self, x: Volume) -> Sides:
        """Cells cut off; `same` cuts until the output is S times the input."""
        if not isinstance(self.padding, str):
            return self.padding
        cut = [max(footprint(k, d) - s, 0) for k, s, d in zip(self.kernel, self.stride, self.dilation, strict=True)]
        top, left = ((total // 2, total - total // 2) for total in cut)
        return top, left

    def places(self, x: Volume) -> tuple[Dim, Dim]:
        """S(w-1) + D(F-1) + 1 - 2P + E; S*w under `same`."""
        if self.padding == "same":
            return x.h * self.stride[0] + self.extra[0], x.w * self.stride[1] + self.extra[1]
        axes = zip((x.h, x.w), self.kernel, self.stride, self.dilation, self.sides(x), self.extra, strict=True)
        h, w = ((n - 1) * s + footprint(k, d) - (p[0] + p[1]) + e for n, k, s, d, p, e in axes)
        return h, w

    def out(self, x: Volume) -> Volume:
        """S(w-1) + D(F-1) + 1 - 2P + E, and one slice of depth for each filter."""
        h, w = self.places(x)
        return Volume(h, w, self.filters)

    def needs(self, x: Volume, *_: Any, **__: Any) -> Iterator[Need]:
        """Something is left of the output; the groups divide both depths."""
        h, w = self.places(x)
        (top, bottom), (left, right) = self.sides(x)
        message = f"padding {shown(self.padding)} leaves nothing of the output {h + top + bottom}x{w + left + right}"
        yield Need(at_least(h, 1), message, "padding")
        yield Need(at_least(w, 1), message, "padding")
        smaller = all(e < max(s, d) for e, s, d in zip(self.extra, self.stride, self.dilation, strict=True))
        steps = f"the stride {shown(self.stride)} or the dilation {shown(self.dilation)}"
        yield Need(smaller, f"extra={shown(self.extra)} is not smaller than {steps}", "extra")
        yield from self.grouped(x)

    def work(self, y: Volume, x: Volume) -> Work:
        """A multiply-add for each weight at each input cell, also where the result is cut off."""
        kh, kw = self.kernel
        return Work(macs=x.values * kh * kw * exact_div(self.filters, self.groups), adds=y.values if self.bias else 0)

    def dropped(self, *_: Any, **__: Any) -> tuple[int, int]:
        """Every input cell is used."""
        return 0, 0

    def reach(self) -> tuple[int, int] | None:
        """Not one window: neighbouring outputs see different ones."""
        return None

    def odd(self, *_: Any, **__: Any) -> Iterator[str]:
        """Windows that overlap unevenly."""
        if any(k % s for k, s in zip(self.kernel, self.stride, strict=True)):
            message = "does not divide the window"
            yield f"stride {shown(self.stride)} {message} {shown(self.kernel)}: overlaps are uneven (checkerboard)"
