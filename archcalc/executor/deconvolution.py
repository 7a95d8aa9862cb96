"""Transposed convolution: for each tap a product of matrices, added where the tap lays it."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from archcalc.executor.base import Array, Kernel, sizes, weight_values
from archcalc.executor.panels import Prepared, cut_by_groups
from archcalc.executor.products import WIDTH, multiply
from archcalc.executor.threads import WORKERS, share
from archcalc.ops.base import Arrays
from archcalc.ops.conv import Deconv


class Deconvolution(Kernel):
    """Any transposed convolution, some filters at a time."""

    op: Deconv

    def prepare(self, w: Arrays) -> Prepared:
        """For each tap the filters as a matrix."""
        kh, kw, depth, n = w["w"].shape
        panels = cut_by_groups(w["w"].reshape(kh * kw, depth, n), self.op.groups)
        return Prepared(tuple(each._replace(weights=np.ascontiguousarray(each.weights)) for each in panels), w.get("b"))

    def ready(self, bytes_per_value: int) -> int:
        """Of the matrices."""
        return weight_values(self.op, self.x[0]) * bytes_per_value

    def fill(self, y: Array, ready: Prepared, *xs: Array) -> None:
        """Panel after panel; what no tap reaches is the bias."""
        (x,) = xs
        y[...] = 0 if ready.bias is None else ready.bias
        scratch = np.empty((WORKERS, 2, self._values()), x.dtype)

        def task(worker: int, item: tuple[int, slice, slice, Array]) -> None:
            image, outputs, depth, weights = item
            self._lay(y[image, :, :, outputs], x[image, :, :, depth], weights, scratch[worker])

        share(task, ((image, *panel) for image in range(len(x)) for panel in _each(ready)))

    def workspace(self, batch: int, bytes_per_value: int) -> int:
        """For each worker what some filters make of the image, for one tap."""
        return WORKERS * 2 * self._values() * bytes_per_value

    def _lay(self, y: Array, x: Array, weights: Array, scratch: Array) -> None:
        h, w, depth = x.shape
        (sh, sw), (dh, dw), sides = self.op.stride, self.op.dilation, self.op.sides(self.x[0])
        product = scratch[0, : h * w * weights.shape[2]].reshape(h * w, -1)
        for tap, (u, v) in enumerate(np.ndindex(*self.op.kernel)):
            multiply(x.reshape(h * w, depth), weights[tap], product, scratch[1])
            to_rows, rows = _landing(u * dh - sides[0][0], sh, h, y.shape[0])
            to_columns, columns = _landing(v * dw - sides[1][0], sw, w, y.shape[1])
            y[to_rows, to_columns] += product.reshape(h, w, -1)[rows, columns]

    def _values(self) -> int:
        return prod(sizes(self.x[0])[:2]) * min(WIDTH, self.op.filters // self.op.groups)


def _each(ready: Prepared) -> Iterator[tuple[slice, slice, Array]]:
    """The panels one by one: where their outputs stand in the depth, what they see of it, and their weights."""
    for outputs, depth, stack in ready.panels:
        for at, weights in enumerate(stack):
            start = outputs.start + at * weights.shape[2]
            yield slice(start, start + weights.shape[2]), depth, weights


def _landing(start: int, step: int, cells: int, places: int) -> tuple[slice, slice]:
    """Of cells that land on start, start + step, …, those that land on one of the places: where, and which."""
    first, end = max(-(start // step), 0), min(-((start - places) // step), cells)
    if first >= end:
        return slice(0), slice(0)
    return slice(start + first * step, start + (end - 1) * step + 1, step), slice(first, end)
