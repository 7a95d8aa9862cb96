"""Max and average pooling: along the height, then along the width, each tap a view of the input."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from archcalc.executor.bands import Sliding
from archcalc.executor.base import CACHE, Array, sizes
from archcalc.ops.base import Arrays
from archcalc.ops.pool import AvgPool, MaxPool, Pool

Combine = Callable[..., Any]  # a ufunc of two arrays


def slide(combine: Combine, x: Array, y: Array, k: int, s: int, before: int, nothing: float) -> None:
    """y[i] = x[s*i - before] combined with the k - 1 that follow, along the first axis; `nothing` where there are none.

    >>> y = np.empty(3)
    >>> slide(np.maximum, np.array([5.0, 1, 2, 3]), y, k=3, s=2, before=1, nothing=-np.inf)
    >>> y
    array([5., 3., 3.])
    """
    taps = []
    for start in range(-before, k - before):  # the cell of each tap at the first place
        first, end = max(-(start // s), 0), min(-((start - len(x)) // s), len(y))
        if first < end:
            taps.append((slice(first, end), x[start + first * s : start + (end - 1) * s + 1 : s]))
    whole = [cells for places, cells in taps if places == slice(0, len(y))]
    if len(whole) > 1:
        combine(whole[0], whole[1], out=y)
    else:
        y[...] = whole[0] if whole else nothing
    done = whole[:2]
    for places, cells in taps:
        if not any(cells is each for each in done):
            combine(y[places], cells, out=y[places])


class Pooling(Sliding):
    """Pooling, a band of rows at a time."""

    op: Pool
    combine: Combine
    nothing: float

    def most_rows(self, bytes_per_value: int) -> int:
        """As many as fill an eighth of the cache when they are combined along the height only."""
        return CACHE // 8 // (prod(sizes(self.x[0])[1:]) * bytes_per_value)

    def scratch_values(self, rows: int) -> int:
        """Of a band that is combined along the height only."""
        return rows * prod(sizes(self.x[0])[1:])

    def fill_band(self, y: Array, ready: Any, x: Array, band: tuple[int, int], scratch: Array) -> None:
        """Along the height, then along the width."""
        first, last = band
        (kh, kw), (sh, sw), (top, left) = self.op.kernel, self.op.step, self.corner
        tall = scratch[: self.scratch_values(last - first)].reshape(last - first, *x.shape[1:])
        y = y[first:last]
        slide(self.combine, x, tall, kh, sh, top - first * sh, self.nothing)
        slide(self.combine, tall.swapaxes(0, 1), y.swapaxes(0, 1), kw, sw, left, self.nothing)
        self.finish(y, ready, slice(first, last))

    def finish(self, y: Array, ready: Any, rows: slice) -> None:
        """What is left to do on some rows of the output."""


class MaxPooling(Pooling):
    """The largest under each window."""

    op: MaxPool
    combine = np.maximum
    nothing = -np.inf


class AvgPooling(Pooling):
    """The sum under each window, divided by the number of cells that count."""

    op: AvgPool
    combine = np.add
    nothing = 0.0

    def prepare(self, w: Arrays) -> Array:
        """How many cells count: i, j, 1."""
        h, width, _ = sizes(self.x[0])
        divisors: Array = self.op.divisors(np, np.empty((1, h, width, 1)))[0]
        return divisors

    def ready(self, bytes_per_value: int) -> int:
        """Of the numbers of cells, which are float64."""
        return 8 * prod(sizes(self.y)[:2])

    def finish(self, y: Array, ready: Array, rows: slice) -> None:
        """Divides some rows."""
        np.divide(y, ready[rows].astype(y.dtype), out=y)
