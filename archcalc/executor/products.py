"""Matrix products, cut so that threads of our own can share them.

OpenBLAS multiplies small matrices as they lie, on the thread that asks; it copies large ones first, and hands parts to
threads of its own, which would fight with ours for the cores. On AVX-512, where it makes the difference, small is up to
10^6 multiply-adds; elsewhere the results are the same, only slower.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from archcalc.executor.base import Array

SMALL_PRODUCT = 10**6  # multiply-adds
WIDTH = 64  # columns of a panel
DEPTH = 1024  # of a product that is added up in one go
LENGTH = 512  # columns that are transformed together


def multiply(a: Array, panel: Array, y: Array, spare: Array) -> None:
    """y = a @ panel: (…, rows, k) @ (…, k, n), row by row contiguous; what comes before is broadcast.

    `spare` is flat and as large as `y`, and needed where k is more than `DEPTH`.
    """
    _multiply(a[..., :DEPTH], panel[..., :DEPTH, :], y)
    for start in range(DEPTH, a.shape[-1], DEPTH):
        part, sums = slice(start, start + DEPTH), spare[: y.size].reshape(y.shape)
        _multiply(a[..., part], panel[..., part, :], sums)
        np.add(y, sums, out=y)


def _multiply(a: Array, panel: Array, y: Array) -> None:
    depth, width = panel.shape[-2:]
    rows = piece(a.shape[-2], SMALL_PRODUCT // (depth * width))
    whole = a.shape[-2] // rows * rows
    np.matmul(_in_rows(a[..., :whole, :], rows), panel[..., None, :, :], out=_in_rows(y[..., :whole, :], rows))
    if whole < a.shape[-2]:
        np.matmul(a[..., whole:, :], panel, out=y[..., whole:, :])


def _in_rows(a: Array, rows: int) -> Array:
    """…, q*rows, k as …, q, rows, k: a view."""
    return a.reshape(*a.shape[:-2], -1, rows, a.shape[-1])


def transform(matrix: Array, x: Array, y: Array) -> None:
    """y = matrix @ x for a small matrix and long rows: (m, k) @ (k, n)."""
    length = piece(x.shape[1], LENGTH)
    whole = x.shape[1] // length * length
    np.matmul(matrix, _in_columns(x[:, :whole], length), out=_in_columns(y[:, :whole], length))
    if whole < x.shape[1]:
        np.matmul(matrix, x[:, whole:], out=y[:, whole:])


def _in_columns(x: Array, columns: int) -> Array:
    """k, q*columns as q, k, columns: a view."""
    return x.reshape(len(x), -1, columns).swapaxes(0, 1)


@cache
def piece(n: int, most: int) -> int:
    """The largest divisor of n that is not more than `most`; where that is far less, `most` itself: a rest is left.

    >>> piece(196, 60), piece(197, 60)
    (49, 60)
    """
    most = max(1, min(n, most))
    largest = next(divisor for divisor in range(most, 0, -1) if n % divisor == 0)
    return largest if 4 * largest >= most else most
