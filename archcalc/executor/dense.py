"""Fully connected layers."""

from __future__ import annotations

from math import prod

import numpy as np

from archcalc.executor.bands import cut_evenly
from archcalc.executor.base import Array, Kernel, sizes, weight_values
from archcalc.executor.products import DEPTH, WIDTH, multiply
from archcalc.executor.threads import WORKERS, share
from archcalc.ops.base import Arrays
from archcalc.ops.dense import FullyConnected

PART = 2**19  # weights that one image is multiplied by at a time


class Dense(Kernel):
    """A fully connected layer; the weights stay as they are, for they can be most of what a net has.

    For one image it is as quick as memory can be read: some rows of weights after the other, whose sums are added up in
    the same order whoever made them. Several images are the rows of a matrix.
    """

    op: FullyConnected

    def prepare(self, w: Arrays) -> tuple[Array, Array | None]:
        """The weights as they are, and the bias."""
        return w["w"], w.get("b")

    def fill(self, y: Array, ready: tuple[Array, Array | None], *xs: Array) -> None:
        """One product."""
        w, b = ready
        x, y = xs[0].reshape(len(y), -1), y.reshape(len(y), -1)
        if len(x) == 1:
            self._multiply_vector(x[0], w, y[0])
        else:
            self._multiply_matrix(x, w, y)
        if b is not None:
            np.add(y, b, out=y)

    def workspace(self, batch: int, bytes_per_value: int) -> int:
        """Sums that are still to be added up."""
        sums = len(self._parts()) * self.op.outputs if batch == 1 else WORKERS * self._spare(batch)
        return sums * bytes_per_value

    def _multiply_vector(self, x: Array, w: Array, y: Array) -> None:
        parts = self._parts()
        sums = np.empty((len(parts), len(y)), y.dtype)

        def task(_: int, at: int) -> None:
            rows = slice(*parts[at])
            np.einsum("i,in->n", x[rows], w[rows], out=sums[at])

        share(task, range(len(parts)))
        np.sum(sums, axis=0, out=y)

    def _multiply_matrix(self, x: Array, w: Array, y: Array) -> None:
        scratch = np.empty((WORKERS, self._spare(len(x))), y.dtype)

        def task(worker: int, start: int) -> None:
            columns = slice(start, start + WIDTH)
            multiply(x, w[:, columns], y[:, columns], scratch[worker])

        share(task, range(0, y.shape[1], WIDTH))

    def _parts(self) -> list[tuple[int, int]]:
        """Rows of weights that are multiplied at a time."""
        return list(cut_evenly(prod(sizes(self.x[0])), PART // self.op.outputs))

    def _spare(self, images: int) -> int:
        deep = weight_values(self.op, self.x[0]) > DEPTH * self.op.outputs
        return images * WIDTH * deep
