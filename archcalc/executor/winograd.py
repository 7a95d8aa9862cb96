"""Convolution with fewer multiplications: Winograd's minimal filtering (Lavin & Gray 2015).

A tile of outputs is A (G w * B x), for each axis: the window's filter and the cells that the tile sees are transformed,
multiplied value by value, and transformed back. Over a depth, and all tiles at once, the multiplication is a product of
matrices for each of the 6x6 places of a transformed tile: 36 multiplications where a tile of 4x4 outputs of a 3x3
window takes 144.

The transforms are matrix products too, so that any points cost the same: 0, 5/8, -5/8, 3/2, -3/2 and infinity lose a
third of what the usual 0, 1, -1, 2, -2 lose. All the numbers of A and B are exact, in float32 too.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod
from typing import NamedTuple

import numpy as np

from archcalc.executor.bands import Banded
from archcalc.executor.base import CACHE, Array, carve, sizes, weight_values
from archcalc.executor.panels import Prepared, cut_by_groups
from archcalc.executor.products import DEPTH, WIDTH, multiply, transform
from archcalc.executor.threads import WORKERS, share
from archcalc.executor.windows import cut_out, under_windows
from archcalc.ops.base import Arrays, Pair
from archcalc.ops.conv import Conv
from archcalc.volume import Volume, ceil_div

POINTS = (0, 5 / 8, -5 / 8, 3 / 2, -3 / 2)  # and infinity
CELLS = len(POINTS) + 1  # that a tile sees along an axis
# What multiplications are measured by, on the machine of BENCHMARKS.md: other work, in multiply-adds that take as long.
A_COPY = 10  # a value copied in the cache
TOGETHER = 2**13  # tiles, times filters, that are done at a time where a panel has fewer
A_WEIGHT = 13  # a weight read from memory


class Filtering(NamedTuple):
    """F(m, k): m outputs of a window of k, from n = m + k - 1 cells, by n multiplications."""

    a: Array  # m, n: back
    g: Array  # n, k: of the window
    b: Array  # n, n: of the cells


def filtering(k: int) -> Filtering:
    """The transforms for a window of k cells, 2 to 5; a window of 1 needs none.

    >>> a, g, b = filtering(3)
    >>> x, w = np.arange(6) ** 2, np.array([1, -2, 1])
    >>> np.allclose(a @ ((g @ w) * (b @ x)), 2)  # the second difference of squares
    True
    """
    points = np.array(POINTS if k > 1 else ())
    n = len(points) + 1
    m = n - k + 1
    a, g, b = np.zeros((m, n)), np.zeros((n, k)), np.zeros((n, n))
    for at, point in enumerate(points):
        others = np.delete(points, at)
        a[:, at] = point ** np.arange(m)
        g[at] = point ** np.arange(k) / np.prod(point - others)
        b[at, : n - 1] = np.atleast_1d(np.poly(others))[::-1]
    a[-1, -1] = g[-1, -1] = 1  # infinity
    b[-1] = np.atleast_1d(np.poly(points))[::-1]
    return Filtering(a, g, b)


@cache
def filtering_of(kernel: Pair) -> Filtering:
    """The transforms of a window in two dimensions: of tiles, cells and windows row by row as vectors."""
    return Filtering(*(np.kron(rows, columns) for rows, columns in zip(*map(filtering, kernel), strict=True)))


def tile_of(kernel: Pair) -> tuple[Pair, Pair]:
    """Outputs and cells of a tile."""
    cells = tuple(CELLS if k > 1 else 1 for k in kernel)
    outputs = tuple(n - k + 1 for n, k in zip(cells, kernel, strict=True))
    return outputs, cells  # type: ignore[return-value]  # of two each


def is_quicker(op: Conv, x: Volume) -> bool:
    """Whether the tiles take less time than the windows themselves, by a count of what each takes."""
    if op.stride != (1, 1) or op.dilation != (1, 1) or max(op.kernel) > CELLS - 1 or op.kernel == (1, 1):
        return False
    (h, w, n), depth = sizes(op.out(x)), sizes(x)[2]
    outputs, cells = (prod(pair) for pair in tile_of(op.kernel))
    (mh, mw), k = tile_of(op.kernel)[0], prod(op.kernel)
    tiles, filters = ceil_div(h, mh) * ceil_div(w, mw), depth // op.groups * n
    assert isinstance(tiles, int)
    transforms = tiles * cells * (depth * (cells + A_COPY) + n * outputs) + tiles * outputs * n * A_COPY
    ours = cells * filters * (tiles + A_WEIGHT) + transforms
    return ours < k * filters * (h * w + A_WEIGHT) + h * w * k * depth * A_COPY


def lay(tiles: Array, y: Array) -> None:
    """Puts tiles (u, v, p, i, j, n) in their places on (h, w, p, n), those at the end as far as they reach."""
    for u, i, rows in _runs(tiles.shape[0], y.shape[0]):
        for v, j, columns in _runs(tiles.shape[1], y.shape[1]):
            part = tiles[u, v, :, i, j].transpose(3, 0, 4, 1, 2, 5)
            y[rows, columns].reshape(part.shape)[...] = part


def _parts(stack: Array, most: int) -> Iterator[Array]:
    return (stack[at : at + most] for at in range(0, len(stack), most))


def _runs(m: int, n: int) -> Iterator[tuple[slice, slice, slice]]:
    """Of tiles of m cells along n: the cells of a tile, the tiles, and their cells on the whole; then of the last."""
    whole = n // m
    if whole:
        yield slice(m), slice(whole), slice(whole * m)
    if n % m:
        yield slice(n % m), slice(whole, whole + 1), slice(whole * m, n)


class Winograd(Banded):
    """A convolution of step 1 whose window has 1 to 5 rows and columns, a band of tiles at a time.

    A value that is not finite makes NaN of all the tiles that see it, not only of the windows.
    """

    op: Conv

    def __init__(self, op: Conv, x: Volume) -> None:
        super().__init__(op, x)
        (top, _), (left, _) = op.sides(x)
        self.corner = top, left
        self.outputs, self.cells = tile_of(op.kernel)
        h, w, _ = sizes(self.y)
        self.tiles = -(-h // self.outputs[0]), -(-w // self.outputs[1])

    def prepare(self, w: Arrays) -> Prepared:
        """The filters transformed: for each cell of a tile a matrix."""
        kh, kw, depth, n = w["w"].shape
        matrix = filtering_of(self.op.kernel).g.astype(w["w"].dtype)
        plain = tuple(cut_by_groups(w["w"].reshape(kh * kw, depth, n), self.op.groups))
        stacks = [each.weights for each in plain]
        ready = [np.empty((len(each), len(matrix), *each.shape[2:]), matrix.dtype) for each in stacks]

        def task(_: int, item: tuple[int, int]) -> None:
            stack, at = item
            transform(matrix, stacks[stack][at].reshape(kh * kw, -1), ready[stack][at].reshape(len(matrix), -1))

        share(task, ((stack, at) for stack, panels in enumerate(stacks) for at in range(len(panels))))
        panels = (each._replace(weights=stack) for each, stack in zip(plain, ready, strict=True))
        return Prepared(tuple(panels), w.get("b"))

    def ready(self, bytes_per_value: int) -> int:
        """Of the transformed filters, and of those that are being transformed."""
        k, depth = prod(self.op.kernel), sizes(self.x[0])[2] // self.op.groups
        transformed = weight_values(self.op, self.x[0]) // k * prod(self.cells)
        return (transformed + WORKERS * k * depth * WIDTH) * bytes_per_value

    @property
    def rows(self) -> int:
        """Of tiles."""
        return self.tiles[0]

    def most_rows(self, bytes_per_value: int) -> int:
        """As many tiles as see what fills the cache when it is transformed; or make, with one panel of filters."""
        depth = max(sizes(self.x[0])[2], min(WIDTH, self.op.filters // self.op.groups))
        return CACHE // (prod(self.cells) * self.tiles[1] * depth * bytes_per_value)

    def scratch_values(self, rows: int) -> int:
        """Of what the tiles see, transformed and before; then of their products, and of their outputs."""
        depth, tiles = sizes(self.x[0])[2], (rows, self.tiles[1])
        cells, outputs, count = prod(self.cells), prod(self.outputs), prod(tiles)
        sums = cells if depth // self.op.groups > DEPTH else 0
        before = prod(self._band(tiles)) + cells * count * depth
        filters = min(self._together(count) * WIDTH, self.op.filters // self.op.groups)
        after = (cells + 1 + outputs + sums) * count * filters
        return cells * count * depth + max(before, after)

    def fill_band(self, y: Array, ready: Prepared, x: Array, band: tuple[int, int], scratch: Array) -> None:
        """The cells of the tiles are transformed, multiplied, and transformed back."""
        first, last = band
        tiles, m = (last - first, self.tiles[1]), self.outputs[0]
        seen, rest = self._transformed(x, first, tiles, scratch)
        self._transform_back(y[first * m : last * m], ready, seen, tiles, rest)

    def _transformed(self, x: Array, first: int, tiles: Pair, scratch: Array) -> tuple[Array, Array]:
        """What each tile of a band sees, transformed: cell, tile, c; and the scratch that is left."""
        (mh, mw), depth, cells = self.outputs, x.shape[2], prod(self.cells)
        seen, rest = carve(scratch, (cells, prod(tiles) * depth))
        band, plain, _ = carve(rest, self._band(tiles), (*self.cells, *tiles, depth))
        cut_out(x, first * mh - self.corner[0], -self.corner[1], band)
        np.copyto(plain, under_windows(band, self.cells, (mh, mw), (1, 1), tiles).transpose(2, 3, 0, 1, 4))
        matrix = filtering_of(self.op.kernel).b.astype(x.dtype)
        transform(matrix, plain.reshape(cells, -1), seen)
        return seen.reshape(cells, prod(tiles), depth), rest

    def _transform_back(self, y: Array, ready: Prepared, seen: Array, tiles: Pair, scratch: Array) -> None:
        """Each panel of filters times what the tiles see, transformed back; the bias is one more cell of a tile."""
        (mh, mw), cells, count = self.outputs, prod(self.cells), prod(tiles)
        back = filtering_of(self.op.kernel).a
        if ready.bias is not None:
            back = np.hstack([back, np.ones((mh * mw, 1))])
        back = back.astype(seen.dtype)
        for outputs, depth, stack in ready.panels:
            n, start = stack.shape[3], outputs.start
            for panels in _parts(stack, self._together(count)):
                p = len(panels)
                target = slice(start, start + p * n)
                products, tile, spare = carve(scratch, (back.shape[1], p, count, n), (mh, mw, p, *tiles, n))
                multiply(seen[None, :, :, depth], panels, products[:cells].swapaxes(0, 1), spare)
                if ready.bias is not None:
                    products[cells] = ready.bias[target].reshape(p, 1, n)
                transform(back, products.reshape(len(products), -1), tile.reshape(mh * mw, -1))
                lay(tile, y[:, :, target].reshape(*y.shape[:2], p, n))
                start = target.stop

    def _together(self, tiles: int) -> int:
        """How many panels are done at a time: more than one where there are few tiles."""
        return max(1, TOGETHER // (tiles * WIDTH))

    def _band(self, tiles: Pair) -> tuple[int, int, int]:
        """Size of what some tiles see."""
        h, w = ((count - 1) * m + n for count, m, n in zip(tiles, self.outputs, self.cells, strict=True))
        return h, w, sizes(self.x[0])[2]
