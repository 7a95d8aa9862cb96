"""What lies under a window that slides over an image."""

from __future__ import annotations

from numpy.lib.stride_tricks import as_strided

from archcalc.executor.base import Array
from archcalc.ops.base import Pair


def under_windows(x: Array, kernel: Pair, step: Pair, spread: Pair, places: Pair) -> Array:
    """The cells under the window at each of its places on (h, w, c), as a view: i, j, u, v, c."""
    assert all((n - 1) * s + (k - 1) * d < size for n, s, k, d, size in zip(places, step, kernel, spread, x.shape))  # noqa: B905  # c is left over
    row, column, value = x.strides
    (sh, sw), (dh, dw) = step, spread
    strides = (row * sh, column * sw, row * dh, column * dw, value)
    return as_strided(x, (*places, *kernel, x.shape[2]), strides)


def cut_out(x: Array, top: int, left: int, into: Array) -> Array:
    """`into` (h, w, c), filled with what lies from row `top` and column `left` of an image on; zeros around it."""
    rows, down = _meeting(top, into.shape[0], x.shape[0])
    columns, across = _meeting(left, into.shape[1], x.shape[1])
    into[: down.start] = 0
    into[down.stop :] = 0
    into[down, : across.start] = 0
    into[down, across.stop :] = 0
    into[down, across] = x[rows, columns]
    return into


def _meeting(start: int, length: int, n: int) -> tuple[slice, slice]:
    """Where `length` cells from `start` on meet the first `n`: seen from there, and from the start."""
    first, last = (min(max(at, 0), n) for at in (start, start + length))
    return slice(first, last), slice(max(first - start, 0), max(last - start, 0))


def rows_under_windows(x: Array, kernel: Pair, step: int, spread: Pair, places: Pair) -> Array:
    """As `under_windows` with a step of 1 from column to column: a row of places is one run of values. i, u, v, j*c."""
    rows, columns = places
    found = under_windows(x, kernel, (step, 1), spread, places)
    strides = (*found.strides[:1], *found.strides[2:4], x.itemsize)  # an axis of one slice may have any stride
    return as_strided(found, (rows, *kernel, columns * x.shape[2]), strides)
