"""Kernels that do some rows of an image at a time, so that what they go over again stays in the cache."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np

from archcalc.executor.base import Array, Kernel, sizes
from archcalc.executor.threads import WORKERS, share
from archcalc.executor.windows import cut_out
from archcalc.ops.conv import Windowed
from archcalc.volume import Volume, footprint


def cut_evenly(rows: int, most: int, share_of: int = 1) -> Iterator[tuple[int, int]]:
    """Rows cut evenly into (first, last + 1), each of at most `most` rows, in a multiple of `share_of` where it goes.

    >>> list(cut_evenly(14, 4, 2))
    [(0, 3), (3, 7), (7, 10), (10, 14)]
    """
    count = -(-rows // max(1, most))
    count = min(rows, -(-count // share_of) * share_of)
    yield from pairwise(rows * at // count for at in range(count + 1))


class Banded(Kernel):
    """A kernel that does a band of rows of one image at a time; each worker has scratch memory of its own."""

    @property
    def rows(self) -> int:
        """What is cut into bands: the rows of the output."""
        return sizes(self.y)[0]

    def most_rows(self, bytes_per_value: int) -> int:
        """Of a band."""
        raise NotImplementedError

    def scratch_values(self, rows: int) -> int:
        """Values of scratch memory that a band of so many rows takes."""
        raise NotImplementedError

    def fill_band(self, y: Array, ready: Any, x: Array, band: tuple[int, int], scratch: Array) -> None:
        """Writes some rows of the output of one image; `scratch` is flat."""
        raise NotImplementedError

    def fill(self, y: Array, ready: Any, *xs: Array) -> None:
        """Band after band, of all images."""
        (x,) = xs
        cuts = self.cuts(len(x), x.itemsize)
        scratch = np.empty((WORKERS, self._scratch_values(cuts)), x.dtype)

        def task(worker: int, item: tuple[int, tuple[int, int]]) -> None:
            image, band = item
            self.fill_band(y[image], ready, x[image], band, scratch[worker])

        share(task, ((image, band) for image in range(len(x)) for band in cuts))

    def workspace(self, batch: int, bytes_per_value: int) -> int:
        """The scratch memory of all workers."""
        return WORKERS * self._scratch_values(self.cuts(batch, bytes_per_value)) * bytes_per_value

    def cuts(self, batch: int, bytes_per_value: int) -> tuple[tuple[int, int], ...]:
        """The bands of an image: as many for each worker, unless there are images enough."""
        return tuple(cut_evenly(self.rows, self.most_rows(bytes_per_value), WORKERS if batch % WORKERS else 1))

    def _scratch_values(self, cuts: tuple[tuple[int, int], ...]) -> int:
        return self.scratch_values(max(last - first for first, last in cuts))


class Sliding(Banded):
    """A banded kernel of a layer with a window."""

    op: Windowed

    def __init__(self, op: Windowed, x: Volume) -> None:
        super().__init__(op, x)
        (top, bottom), (left, right) = op.sides(x)
        self.corner = top, left
        self.is_padded = any((top, bottom, left, right))

    def seen_size(self, rows: int) -> tuple[int, int, int]:
        """Size of what the windows of some rows of places see, padding counted; nothing where there is no padding."""
        if not self.is_padded:
            return 0, 0, 0
        (kh, kw), (sh, sw), (dh, dw) = self.op.kernel, self.op.step, self.op.spread
        columns, depth = sizes(self.y)[1], sizes(self.x[0])[2]
        return (rows - 1) * sh + footprint(kh, dh), (columns - 1) * sw + footprint(kw, dw), depth

    def seen(self, x: Array, first: int, padded: Array) -> Array:
        """What the windows of some rows of places see: in `padded`, of the size above, or the image itself."""
        top = first * self.op.step[0]
        return cut_out(x, top - self.corner[0], -self.corner[1], padded) if prod(padded.shape) else x[top:]
