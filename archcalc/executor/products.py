"""Matrix products, cut so that threads of our own can share them.

OpenBLAS multiplies small matrices as they lie, on the thread that asks; it copies large ones first, and hands parts to
threads of its own, which would fight with ours for the cores. On AVX-512, where it makes the difference, small is up to
10^6 multiply-adds; elsewhere the results are the same, only slower.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from archcalc.executor.base import Array

SMALL_PRODUCT = 10**6  # multiply-adds
WIDTH = 64  # columns of a panel
DEPTH = 1024  # of a product that is added up in one go
PIECE = 512  # columns that are transformed together


def multiply(a: Array, panel: Array, y: Array, spare: Array) -> None:
    """y = a @ panel: (…, rows, k) @ (…, k, n), row by row contiguous.

    `spare` is flat and as large as `y`, and needed where k is more than `DEPTH`.
    """
    _multiply(a[..., :DEPTH], panel[..., :DEPTH, :], y)
    for start in range(DEPTH, a.shape[-1], DEPTH):
        part, sums = slice(start, start + DEPTH), spare[: y.size].reshape(y.shape)
        _multiply(a[..., part], panel[..., part, :], sums)
        np.add(y, sums, out=y)


def _multiply(a: Array, panel: Array, y: Array) -> None:
    depth, width = panel.shape[-2:]
    rows = min(a.shape[-2], max(1, SMALL_PRODUCT // (depth * width)))
    whole = a.shape[-2] // rows * rows
    np.matmul(_in_rows(a[..., :whole, :], rows), panel[..., None, :, :], out=_in_rows(y[..., :whole, :], rows))
    if whole < a.shape[-2]:
        np.matmul(a[..., whole:, :], panel, out=y[..., whole:, :])


def _in_rows(a: Array, rows: int) -> Array:
    """…, q*rows, k as …, q, rows, k: a view."""
    return a.reshape(*a.shape[:-2], -1, rows, a.shape[-1])


def transform(matrix: Array, x: Array, y: Array) -> None:
    """y = matrix @ x for a small matrix and long rows: (m, k) @ (k, n)."""
    for part, length in _pieces(x.shape[1]):
        np.matmul(matrix, _in_columns(x[:, part], length), out=_in_columns(y[:, part], length))


def _pieces(columns: int) -> Iterator[tuple[slice, int]]:
    whole = columns // PIECE * PIECE
    if whole:
        yield slice(0, whole), PIECE
    if whole < columns:
        yield slice(whole, columns), columns - whole


def _in_columns(x: Array, columns: int) -> Array:
    """k, q*columns as q, k, columns: a view."""
    return x.reshape(len(x), -1, columns).swapaxes(0, 1)
