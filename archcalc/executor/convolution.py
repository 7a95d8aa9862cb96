"""Convolution as a product of matrices: what lies under the windows, a row a place, times the filters."""

from __future__ import annotations

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


class Prepared(NamedTuple):
    """The filters as matrices, cut into panels, and the bias of each."""

    panels: tuple[Array, ...]  # group, panel, u*v*c, n: as many columns as a panel has; then the rest
    bias: Array | None


class Convolution(Sliding):
    """Any convolution, a band of rows at a time: its windows are copied out ("im2col"), then multiplied.

    Where the window is one cell and its step 1, the image already is the matrix.
    """

    op: Conv

    def __init__(self, op: Conv, x: Volume) -> None:
        super().__init__(op, x)
        self.is_matrix = op.kernel == op.stride == (1, 1) and not self.is_padded

    def prepare(self, w: Arrays) -> Prepared:
        """The filters, in the order in which they are multiplied."""
        matrix = w["w"].reshape(-1, self.op.groups, self.op.filters // self.op.groups)
        depth, groups, filters = matrix.shape
        whole = filters // WIDTH * WIDTH
        parts = ((part, min(WIDTH, part.shape[2])) for part in (matrix[..., :whole], matrix[..., whole:]) if part.size)
        panels = (part.reshape(depth, groups, -1, width).transpose(1, 2, 0, 3) for part, width in parts)
        return Prepared(tuple(map(np.ascontiguousarray, panels)), w.get("b"))

    def ready(self, bytes_per_value: int) -> int:
        """Of the matrices."""
        return weight_values(self.op, self.x[0]) * bytes_per_value

    @property
    def rows(self) -> int:
        """Of the output; its places, where the image is the matrix."""
        h, w, _ = sizes(self.y)
        return h * w if self.is_matrix else h

    def most_rows(self, bytes_per_value: int) -> int:
        """As many as have windows that fill half of the cache."""
        return CACHE // 2 // (self._row_values() * bytes_per_value)

    def scratch_values(self, rows: int) -> int:
        """Of the windows, with the padding around them, and of sums of products."""
        (kh, kw), (_, columns, filters) = self.op.kernel, sizes(self.y)
        deep = kh * kw * sizes(self.x[0])[2] // self.op.groups > DEPTH
        if self.is_matrix:
            return rows * filters * deep
        return prod(self.seen_size(rows)) + rows * (self._row_values() + columns * filters * deep)

    def fill_band(self, y: Array, ready: Prepared, x: Array, band: tuple[int, int], scratch: Array) -> None:
        """The windows of the band, then their products with all filters."""
        g, filters = self.op.groups, y.shape[2]
        matrices, spare = self._matrices(x, *band, scratch)
        places = (y.reshape(-1, filters) if self.is_matrix else y)[slice(*band)].reshape(-1, g, filters // g)
        start = 0
        for panels in ready.panels:
            _, count, _, width = panels.shape
            outputs = places[..., start : start + count * width].reshape(-1, g, count, width)
            multiply(matrices[:, None], panels, outputs.transpose(1, 2, 0, 3), spare)
            start += count * width
        if ready.bias is not None:
            np.add(places, ready.bias.reshape(g, -1), out=places)

    def _matrices(self, x: Array, first: int, last: int, scratch: Array) -> tuple[Array, Array]:
        """For each group the windows of some rows of places: g, places, u*v*c; and the scratch that is left."""
        (kh, kw), g, columns, depth = self.op.kernel, self.op.groups, sizes(self.y)[1], x.shape[2]
        if self.is_matrix:
            return x.reshape(-1, g, depth // g)[first:last].swapaxes(0, 1), scratch
        rows = last - first
        padded, matrices, spare = carve(scratch, self.seen_size(rows), (g, rows, columns, kh, kw, depth // g))
        seen = self.seen(x, first, padded)
        found = under_windows(seen, (kh, kw), self.op.stride, self.op.dilation, (rows, columns))
        np.copyto(matrices, found.reshape(rows, columns, kh, kw, g, depth // g).transpose(4, 0, 1, 2, 3, 5))
        return matrices.reshape(g, rows * columns, kh * kw * depth // g), spare

    def _row_values(self) -> int:
        """Of the windows of a row of places; of one place, where the image is the matrix."""
        depth = sizes(self.x[0])[2]
        return depth if self.is_matrix else sizes(self.y)[1] * prod(self.op.kernel) * depth
