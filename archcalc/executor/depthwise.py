"""Depthwise convolution: no sum over the depth, so no product of matrices; a tap is multiplied and added in one go."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from archcalc.executor.bands import Sliding
from archcalc.executor.base import CACHE, Array, sizes, weight_values
from archcalc.executor.windows import rows_under_windows, under_windows
from archcalc.ops.base import Arrays
from archcalc.ops.conv import Conv, DepthwiseConv
from archcalc.volume import Volume


class Prepared(NamedTuple):
    """The filters, one of each slice after the other, and the bias of each."""

    filters: tuple[Array, ...]  # u, v, c; or u, v, j*c: repeated for each column of places
    bias: Array | None


class Depthwise(Sliding):
    """A depthwise convolution, also one written as `conv` with a group for each slice, a band of rows at a time."""

    op: Conv | DepthwiseConv

    def __init__(self, op: Conv | DepthwiseConv, x: Volume) -> None:
        super().__init__(op, x)
        self.multiplier = sizes(self.y)[2] // sizes(x)[2]

    def prepare(self, w: Arrays) -> Prepared:
        """The filters, each repeated along a row of places where these are neighbours and all that stays small."""
        kernel, depth = self.op.kernel, sizes(self.x[0])[2]
        filters = w["w"].reshape(*kernel, 1, depth, self.multiplier)
        filters = filters.repeat(self._repeats(filters.itemsize), axis=2)
        apart = (np.ascontiguousarray(filters[..., at]).reshape(*kernel, -1) for at in range(self.multiplier))
        return Prepared(tuple(apart), w.get("b"))

    def ready(self, bytes_per_value: int) -> int:
        """Of the repeated filters."""
        return weight_values(self.op, self.x[0]) * self._repeats(bytes_per_value) * bytes_per_value

    def most_rows(self, bytes_per_value: int) -> int:
        """As many as see what fills half of the cache."""
        return CACHE // 2 // (prod(sizes(self.x[0])[1:]) * self.op.stride[0] * bytes_per_value)

    def scratch_values(self, rows: int) -> int:
        """Of what the windows see, with the padding around it."""
        return prod(self.seen_size(rows))

    def fill_band(self, y: Array, ready: Prepared, x: Array, band: tuple[int, int], scratch: Array) -> None:
        """The filters of a slice one after the other."""
        first, last = band
        y = y[first:last]
        rows, columns, depth = y.shape
        size = self.seen_size(rows)
        seen = self.seen(x, first, scratch[: prod(size)].reshape(size))
        places, spread, (sh, sw) = (rows, columns), self.op.spread, self.op.stride
        apart = y.reshape(rows, columns, depth // self.multiplier, self.multiplier)
        for at, filters in enumerate(ready.filters):
            if filters.shape[2] == apart.shape[2]:
                found = under_windows(seen, self.op.kernel, (sh, sw), spread, places)
                np.einsum("ijuvc,uvc->ijc", found, filters, out=apart[..., at])
            else:
                found = rows_under_windows(seen, self.op.kernel, sh, spread, places)
                out = y.reshape(rows, -1, self.multiplier)[..., at]
                np.einsum("iuvl,uvl->il", found, filters, out=out)
        if ready.bias is not None:
            np.add(y, ready.bias, out=y)

    def _repeats(self, bytes_per_value: int) -> int:
        """How often a filter is repeated: for each column of places, or not at all."""
        columns, values = sizes(self.y)[1], weight_values(self.op, self.x[0]) // self.multiplier
        return columns if self.op.stride[1] == 1 and values * columns * bytes_per_value <= CACHE else 1
