"""Layers that look at each value, or each position, by itself: any part of the rows can be done alone, and in place."""

from __future__ import annotations

import math
from functools import cache
from math import prod
from typing import Any

import numpy as np

from archcalc.executor.base import SMALL, Array, Kernel, sizes
from archcalc.executor.special import erf
from archcalc.executor.threads import WORKERS, share
from archcalc.ops.activation import LeakyRelu
from archcalc.ops.base import Arrays
from archcalc.ops.norm import BatchNorm

PIECE = 2**16  # values that are gone over together
ARRAYS = 10  # that a `run` has at most beside each other, each as large as its input; measured on all layer types


def parts(rows: int, values: int) -> list[tuple[int, int]]:
    """Rows of so many values cut into (first, last + 1), of about `PIECE` values; one part where there are few."""
    step = rows if rows * values < SMALL else max(1, PIECE // values)
    return [(first, min(first + step, rows)) for first in range(0, rows, step)]


def in_parts(rows: int, values: int) -> int:
    """Values that all workers together go over at a time."""
    found = parts(rows, values)
    return min(len(found), WORKERS) * found[0][1] * values


class ByRows(Kernel):
    """The layer's own `run` on some rows after the other, of layers that look at no position but their own."""

    may_overwrite_input = True

    def fill(self, y: Array, ready: Any, *xs: Array) -> None:
        """Rows of all images, in parts."""
        (x,) = xs
        size = (1, -1, *x.shape[2:])
        x, y = x.reshape(size), y.reshape(size)

        def task(_: int, part: tuple[int, int]) -> None:
            y[:, slice(*part)] = self.op.run(np, ready, x[:, slice(*part)])

        share(task, parts(x.shape[1], prod(x.shape[2:])))

    def workspace(self, batch: int, bytes_per_value: int) -> int:
        """What the layer's own `run` takes for the parts that are done at a time."""
        h, w, c = sizes(self.x[0])
        return ARRAYS * in_parts(batch * h, w * c) * bytes_per_value


class Normalization(Kernel):
    """Batch normalization: a factor and a summand, each repeated along a row of the image, so that loops are long."""

    op: BatchNorm
    may_overwrite_input = True

    def prepare(self, w: Arrays) -> tuple[Array, Array]:
        """Factor and summand: (w*c,)."""
        factor = w.get("scale", 1) / self.op.deviation(np, w)
        summand = w.get("shift", 0) - w["mean"] * factor
        columns = sizes(self.x[0])[1]
        return np.tile(factor, columns), np.tile(summand, columns)

    def ready(self, bytes_per_value: int) -> int:
        """Of factor and summand."""
        _, columns, depth = sizes(self.x[0])
        return 2 * columns * depth * bytes_per_value

    def fill(self, y: Array, ready: tuple[Array, Array], *xs: Array) -> None:
        """Rows of all images, in parts."""
        factor, summand = ready
        x, y = (each.reshape(-1, factor.size) for each in (xs[0], y))

        def task(_: int, part: tuple[int, int]) -> None:
            rows = slice(*part)
            np.multiply(x[rows], factor, out=y[rows])
            np.add(y[rows], summand, out=y[rows])

        share(task, parts(len(x), factor.size))


class ByValues(Kernel):
    """A function of each value, or of those at the same place of several volumes, by NumPy's own loops."""

    may_overwrite_input = True

    def fill(self, y: Array, ready: Any, *xs: Array) -> None:
        """All values in one row, in pieces."""
        flat = [each.reshape(-1) for each in (y, *xs)]

        def task(_: int, part: tuple[int, int]) -> None:
            self.compute(*(each[slice(*part)] for each in flat))

        share(task, parts(y.size, 1))

    def compute(self, y: Array, *xs: Array) -> None:
        """The function on some values."""
        raise NotImplementedError


class Rectifier(ByValues):
    """max(x, 0)."""

    def compute(self, y: Array, *xs: Array) -> None:
        """The larger one."""
        np.maximum(xs[0], constant(0, y.dtype)[: y.size], out=y)


class Rectifier6(ByValues):
    """min(max(x, 0), 6)."""

    def compute(self, y: Array, *xs: Array) -> None:
        """The larger one, then the smaller one."""
        np.maximum(xs[0], constant(0, y.dtype)[: y.size], out=y)
        np.minimum(y, constant(6, y.dtype)[: y.size], out=y)


class LeakyRectifier(ByValues):
    """max(x, slope * x), for a slope from 0 to 1."""

    op: LeakyRelu

    def compute(self, y: Array, *xs: Array) -> None:
        """The larger one."""
        np.maximum(xs[0], xs[0] * y.dtype.type(self.op.slope), out=y)

    def workspace(self, batch: int, bytes_per_value: int) -> int:
        """The products of the pieces that are done at a time."""
        return in_parts(batch * prod(sizes(self.y)), 1) * bytes_per_value


class GaussianUnit(ByValues):
    """0.5 * x * (1 + erf(x / sqrt(2)))."""

    def compute(self, y: Array, *xs: Array) -> None:
        """Computed in float64, as `math.erf` is."""
        x = xs[0].astype(np.float64)
        y[...] = 0.5 * x * (1 + erf(x * math.sqrt(0.5)))

    def workspace(self, batch: int, bytes_per_value: int) -> int:
        """Arrays of float64 for the pieces that are done at a time."""
        return ARRAYS * in_parts(batch * prod(sizes(self.y)), 1) * 8


class Sum(ByValues):
    """One volume after the other added."""

    def compute(self, y: Array, *xs: Array) -> None:
        """The first two, then each that follows."""
        np.add(xs[0], xs[1], out=y)
        for x in xs[2:]:
            np.add(y, x, out=y)


@cache
def constant(value: float, dtype: np.dtype[Any]) -> Array:
    """One value `SMALL` times: NumPy compares an array with another three times as fast as with a number."""
    return np.full(SMALL, value, dtype)
