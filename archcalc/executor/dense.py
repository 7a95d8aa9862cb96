"""Fully connected layers."""

from __future__ import annotations

import numpy as np

from archcalc.executor.base import Array, Kernel
from archcalc.ops.base import Arrays
from archcalc.ops.dense import FullyConnected


class Dense(Kernel):
    """The images as rows of a matrix, times the weights; for one image that is as quick as memory can be read."""

    op: FullyConnected

    def prepare(self, w: Arrays) -> tuple[Array, Array | None]:
        """The weights as they are, and the bias."""
        return w["w"], w.get("b")

    def fill(self, y: Array, ready: tuple[Array, Array | None], *xs: Array) -> None:
        """One product."""
        w, b = ready
        y = y.reshape(len(y), -1)
        np.matmul(xs[0].reshape(len(y), -1), w, out=y)
        if b is not None:
            np.add(y, b, out=y)
