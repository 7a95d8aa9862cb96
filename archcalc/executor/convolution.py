"""Convolution as a product of matrices: what lies under the windows, a row a place, times the filters."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

import numpy as np

from archcalc.executor.bands import Sliding
from archcalc.executor.base import CACHE, Array, carve, sizes, weight_values
from archcalc.executor.products import DEPTH, WIDTH, multiply
from archcalc.executor.windows import under_windows
from archcalc.ops.base import Arrays
from archcalc.ops.conv import Conv
from archcalc.volume import Volume


class Filters(NamedTuple):
    """Some filters of one group: where their outputs stand in the depth, what they see of it, and their weights."""

    group: int
    outputs: slice
    depth: slice
    panel: Array


class Prepared(NamedTuple):
    """The filters, group by group, and the bias of each."""

    filters: tuple[Filters, ...]
    bias: Array | None


def in_panels(w: Array, groups: int, depth: int) -> Iterator[Filters]:
    """Weights (…, k, n) cut by groups, and within a group into panels, as views; a group sees `depth` slices."""
    width = w.shape[-1] // groups
    for group in range(groups):
        seen = slice(group * depth, (group + 1) * depth)
        for start in range(group * width, (group + 1) * width, WIDTH):
            outputs = slice(start, min(start + WIDTH, (group + 1) * width))
            yield Filters(group, outputs, seen, w[..., outputs])


class Convolution(Sliding):
    """Any convolution, a band of rows at a time: its windows are copied out ("im2col"), then multiplied.

    Where the window is one cell and its step 1, the image already is the matrix.
    """

    op: Conv

    def __init__(self, op: Conv, x: Volume) -> None:
        super().__init__(op, x)
        self.is_matrix = op.kernel == op.stride == (1, 1) and not self.is_padded

    def prepare(self, w: Arrays) -> Prepared:
        """The filters as matrices."""
        kh, kw, depth, n = w["w"].shape
        panels = in_panels(w["w"].reshape(kh * kw * depth, n), self.op.groups, depth)
        return Prepared(tuple(each._replace(panel=np.ascontiguousarray(each.panel)) for each in panels), w.get("b"))

    def ready(self, bytes_per_value: int) -> int:
        """Of the matrices."""
        return weight_values(self.op, self.x[0]) * bytes_per_value

    def most_rows(self, bytes_per_value: int) -> int:
        """As many as have windows that fill half of the cache."""
        return CACHE // 2 // (self._row_values() * bytes_per_value)

    def scratch_values(self, rows: int) -> int:
        """Of the windows, with the padding around them, and of sums of products."""
        deep = prod(self.op.kernel) * sizes(self.x[0])[2] // self.op.groups > DEPTH
        sums = rows * sizes(self.y)[1] * WIDTH * deep
        return sums if self.is_matrix else prod(self.seen_size(rows)) + rows * self._row_values() + sums

    def fill_band(self, y: Array, ready: Prepared, x: Array, band: tuple[int, int], scratch: Array) -> None:
        """The windows of the band, then their products with each panel of filters."""
        first, last = band
        matrices, spare = self._matrices(x, first, last - first, scratch)
        y = y[first:last].reshape(-1, y.shape[2])
        for group, outputs, _, panel in ready.filters:
            multiply(matrices[group], panel, y[:, outputs], spare)
        if ready.bias is not None:
            np.add(y, ready.bias, out=y)

    def _matrices(self, x: Array, first: int, rows: int, scratch: Array) -> tuple[Array, Array]:
        """For each group the windows of some rows of places: g, places, u*v*c; and the scratch that is left."""
        (kh, kw), g, columns, depth = self.op.kernel, self.op.groups, sizes(self.y)[1], x.shape[2]
        if self.is_matrix:
            return x[first : first + rows].reshape(rows * columns, g, depth // g).swapaxes(0, 1), scratch
        padded, matrices, spare = carve(scratch, self.seen_size(rows), (g, rows, columns, kh, kw, depth // g))
        seen = self.seen(x, first, padded)
        found = under_windows(seen, (kh, kw), self.op.stride, self.op.dilation, (rows, columns))
        np.copyto(matrices, found.reshape(rows, columns, kh, kw, g, depth // g).transpose(4, 0, 1, 2, 3, 5))
        return matrices.reshape(g, rows * columns, kh * kw * depth // g), spare

    def _row_values(self) -> int:
        """Of the windows of a row of places."""
        return sizes(self.y)[1] * prod(self.op.kernel) * sizes(self.x[0])[2]
