"""Convolutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.ops.base import Arrays, Count, Flag, Kept, Need, Op, Own, Padding, Pair, Reach, Sides, arg, op, shown
from archcalc.volume import (
    Dim,
    Shape,
    Sweep,
    Volume,
    Work,
    at_least,
    ceil_div,
    divides,
    exact_div,
    footprint,
    same_padding,
    window,
)

NO_PADDING: Sides = ((0, 0), (0, 0))


def in_groups(array: Any, groups: int) -> Any:
    """The last axis, a depth, cut into its groups: …, c becomes …, g, c/g."""
    return array.reshape(*array.shape[:-1], groups, -1)


def in_depth(array: Any) -> Any:
    """The groups laid one behind the other again: …, g, c becomes …, g*c."""
    return array.reshape(*array.shape[:-2], -1)


def nought(x: Any) -> Any:
    """A zero of an array's own kind of numbers, so that a padded cell is a number like the others."""
    return type(x.item(0))(0)


def within(n: int, k: int, s: int, before: int, d: int, places: int) -> int:
    """Pairs of a place and a tap of its window that meet the `n` cells of the input, not its padding, along one axis.

    >>> within(7, k=3, s=1, before=1, d=1, places=7)  # of 21: the first and the last place have a tap outside
    19
    """
    pairs = 0
    for start in range(-before, k * d - before, d):  # the cell of each tap at the first place
        first, end = max(-(start // s), 0), min(-((start - n) // s), places)
        pairs += max(end - first, 0)
    return pairs


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

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The input; where the padding is uneven, a copy of it with the odd cells around it."""
        odd = [abs(before - after) for before, after in self.sides(x[0])]
        if not any(odd):
            return Kept(inputs=(0,))
        return Kept(own=(Own("padded input", (x[0].h + odd[0]) * (x[0].w + odd[1]) * x[0].c),))

    def unrolled(self, depth: Dim, places: Volume) -> Dim:
        """Values of all windows, side by side at their places; none where the input is that matrix, as in Caffe."""
        kh, kw = self.kernel
        plain = (self.kernel, self.step, self.padding) == ((1, 1), (1, 1), NO_PADDING)
        return 0 if plain else kh * kw * depth * places.area

    # What kernels share. Arrays are b, h, w, c.

    def margins(self, x: Volume) -> Sides:
        """The padding, and what a last window that sticks out of it needs more."""
        sweeps: Any = self.sweeps(x)
        sticks_out = ((y - 1) * s + footprint(k, d) - n - before for n, k, s, before, _, d, y in sweeps)
        top, left = ((sweep.before, max(sweep.after, end)) for sweep, end in zip(sweeps, sticks_out, strict=True))
        return top, left

    def padded(self, np: Any, x: Any) -> Any:
        """The input with zeros around it."""
        return np.pad(x, ((0, 0), *self.margins(Volume(*x.shape[1:])), (0, 0)), constant_values=nought(x))

    def windows(self, np: Any, x: Any) -> Any:
        """What lies under the window at each of its places on a padded input: b, i, j, u, v, c.

        A view: windows that overlap share their cells, and what is added to a window is added to the array.
        """
        (sh, sw), (dh, dw) = self.step, self.spread
        size = tuple(footprint(k, d) for k, d in zip(self.kernel, self.spread, strict=True))
        windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2), writeable=True)
        return np.moveaxis(windows[:, ::sh, ::sw, ..., ::dh, ::dw], (-2, -1), (3, 4))

    def overlaid(self, np: Any, x: Any, w: Any, size: tuple[Any, ...], sides: Sides) -> Any:
        """What is left within the sides when every x[i,j,c] lays the filters w[c], times its value, over nought.

        `x` is b, i, j, g, c and `w` u, v, c, g, n, by groups; the result has the height and width of `size`.
        """
        (top, bottom), (left, right) = sides
        height, width = size
        y = np.zeros((len(x), top + height + bottom, left + width + right, *w.shape[3:]), x.dtype)
        windows = self.windows(np, y)[:, : x.shape[1], : x.shape[2]]
        for u, v, c in np.ndindex(w.shape[:3]):
            windows[:, :, :, u, v] += x[..., c, None] * w[u, v, c]  # b, i, j, g, n
        return in_depth(y[:, top : top + height, left : left + width])

    def touched_macs(self, y: Volume, x: Volume) -> Dim:
        """Those whose cell lies in the input: multiplications by a padding zero are left out."""
        sweeps: Any = self.sweeps(x)
        macs = self.work(y, x).macs
        for n, k, s, before, _, d, places in sweeps:
            macs = exact_div(macs, k * places) * within(n, k, s, before, d, places)
        return macs

    def sweeps(self, x: Volume, *_: Any, **__: Any) -> tuple[Sweep, ...]:
        """The window, its step, the padding, the dilation, the places."""
        ends = zip((x.h, x.w), self.kernel, self.step, self.sides(x), self.spread, self.places(x), strict=True)
        return tuple(Sweep(n, k, s, p[0], p[1], d, y) for n, k, s, p, d, y in ends)

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """The window, its step, the padding, the dilation."""
        known = self.padding != "same" or all(isinstance(n, int) for n in (x.h, x.w))
        before = [side[0] for side in self.sides(x)] if known else (None, None)
        rows, columns = map(Reach, self.kernel, self.step, before, self.spread)
        return ((rows, columns),)

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

    def columns(self, y: Volume, *x: Any, **_: Any) -> Dim:
        """The windows, side by side."""
        return self.unrolled(x[0].c, y)

    def work(self, y: Volume, x: Volume) -> Work:
        """A multiply-add for each weight at each place; the bias is one addition more."""
        kh, kw = self.kernel
        return Work(macs=y.values * kh * kw * exact_div(x.c, self.groups), adds=y.values if self.bias else 0)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """Every filter times what lies under its window, summed over the window and the depth of the group."""
        windows = in_groups(self.windows(np, self.padded(np, x)), self.groups)  # b, i, j, u, v, g, c
        filters = in_groups(w["w"], self.groups)  # u, v, c, g, n
        y = in_depth(np.einsum("bijuvgc,uvcgn->bijgn", windows, filters))
        return y + w["b"] if self.bias else y

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """By the input: each gradient lays its filter over it. By a filter: the windows, each times its gradient."""
        windows = in_groups(self.windows(np, self.padded(np, x)), self.groups)  # b, i, j, u, v, g, c
        filters = in_groups(w["w"], self.groups)  # u, v, c, g, n
        slices = in_groups(dy, self.groups)  # b, i, j, g, n
        margins = self.margins(Volume(*x.shape[1:]))
        dx = self.overlaid(np, slices, filters.swapaxes(2, 4), x.shape[1:3], margins)
        dw = {"w": in_depth(np.einsum("bijuvgc,bijgn->uvcgn", windows, slices))}
        return (dx,), dw | {"b": dy.sum(axis=(0, 1, 2))} if self.bias else dw


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

    def columns(self, y: Volume, *x: Any, **_: Any) -> Dim:
        """The windows, side by side."""
        return self.unrolled(x[0].c, y)

    def work(self, y: Volume, x: Volume) -> Work:
        """F*F multiply-adds for each output."""
        kh, kw = self.kernel
        return Work(macs=y.values * kh * kw, adds=y.values if self.bias else 0)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The filters of a slice times what lies under their window on this slice, summed over the window."""
        windows = self.windows(np, self.padded(np, x))  # b, i, j, u, v, c
        y = in_depth(np.einsum("bijuvc,uvcm->bijcm", windows, w["w"]))
        return y + w["b"] if self.bias else y

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """That of a convolution in which every slice is a group."""
        windows = self.windows(np, self.padded(np, x))  # b, i, j, u, v, c
        slices = in_groups(dy, x.shape[3])  # b, i, j, c, m
        filters = w["w"].swapaxes(2, 3)[..., None]  # u, v, m, c, 1
        dx = self.overlaid(np, slices, filters, x.shape[1:3], self.margins(Volume(*x.shape[1:])))
        dw = {"w": np.einsum("bijuvc,bijcm->uvcm", windows, slices)}
        return (dx,), dw | {"b": dy.sum(axis=(0, 1, 2))} if self.bias else dw


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
    slides = False

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

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The input, however uneven the padding: that cuts off the output."""
        return Kept(inputs=(0,))

    def columns(self, y: Volume, *x: Any, **_: Any) -> Dim:
        """The filters that each input cell lays down, before they are added up."""
        return self.unrolled(self.filters, x[0])

    def work(self, y: Volume, x: Volume) -> Work:
        """A multiply-add for each weight at each input cell, also where the result is cut off."""
        kh, kw = self.kernel
        return Work(macs=x.values * kh * kw * exact_div(self.filters, self.groups), adds=y.values if self.bias else 0)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """Every input cell lays the filters, times its value, over the output."""
        image = Volume(*x.shape[1:])
        slices, filters = in_groups(x, self.groups), in_groups(w["w"], self.groups)  # b, i, j, g, c; u, v, c, g, n
        y = self.overlaid(np, slices, filters, self.places(image), self.sides(image))
        return y + w["b"] if self.bias else y

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """By the input: a convolution of the gradients. By a filter: the windows on them, each times its input cell."""
        _, height, width, _ = x.shape
        around = ((0, 0), *self.sides(Volume(*x.shape[1:])), (0, 0))
        windows = self.windows(np, np.pad(dy, around, constant_values=nought(dy)))[:, :height, :width]
        windows = in_groups(windows, self.groups)  # b, i, j, u, v, g, n
        slices, filters = in_groups(x, self.groups), in_groups(w["w"], self.groups)  # b, i, j, g, c; u, v, c, g, n
        dx = in_depth(np.einsum("bijuvgn,uvcgn->bijgc", windows, filters))
        dw = {"w": in_depth(np.einsum("bijuvgn,bijgc->uvcgn", windows, slices))}
        return (dx,), dw | {"b": dy.sum(axis=(0, 1, 2))} if self.bias else dw

    def sweeps(self, *_: Any, **__: Any) -> tuple[Sweep, ...]:
        """None over the input: every cell of it is used."""
        return ()

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """Cell j lies under output i where S*j + D*u - P = i: from one output to the next another u fits."""
        axes = zip(self.kernel, self.sides(x), self.dilation, self.stride, strict=True)
        rows, columns = (Reach(k, 1, d * (k - 1) - before, d, s) for k, (before, _), d, s in axes)
        return ((rows, columns),)

    def odd(self, *_: Any, **__: Any) -> Iterator[str]:
        """Windows that overlap unevenly."""
        if any(k % s for k, s in zip(self.kernel, self.stride, strict=True)):
            message = "does not divide the window"
            yield f"stride {shown(self.stride)} {message} {shown(self.kernel)}: overlaps are uneven (checkerboard)"
