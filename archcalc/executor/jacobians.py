"""The Jacobian of a layer where a run has come through it: how each output follows from each input."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from archcalc.analyses.costs import Row
from archcalc.executor.base import Array, sizes
from archcalc.executor.stored import refused
from archcalc.units import exact

MOST_CELLS = 2**16


class Jacobian(NamedTuple):
    """One layer, one image: what arrived, what left, and d vec(y) / d vec(x); vec() takes row after row."""

    row: Row
    x: tuple[Array, ...]  # of each input: h, w, c
    y: Array  # h, w, c
    matrices: tuple[Array, ...]  # of each input: values of y, values of x

    @property
    def is_product(self) -> bool:
        """Whether these matrices are the layer: vec(y) = sum of A vec(x), as for pooling; not where a bias is added."""
        product = sum(a @ x.reshape(-1) for a, x in zip(self.matrices, self.x, strict=True))
        return bool(np.allclose(product, self.y.reshape(-1), rtol=1e-9, atol=1e-12))


def check_size(row: Row) -> None:
    """Raises `SpecError` for a layer whose Jacobian is too large to be looked at, or that nothing goes into."""
    if not row.inputs:
        raise refused(f"`{row.name}` is an input: nothing goes into it")
    outputs, *inputs = (prod(sizes(volume)) for volume in (row.output, *row.inputs))
    if outputs * sum(inputs) > MOST_CELLS:
        message = f"the Jacobian of `{row.name}` has {exact(outputs)} rows and {exact(sum(inputs))} columns"
        raise refused(
            message, f"up to {exact(MOST_CELLS)} cells are written out: take a smaller input, `--input 4x4x1`"
        )


def jacobian(row: Row, weights: dict[str, Array], x: list[Array], y: Array) -> Jacobian:
    """From the layer's own rule for the way back: each output alone is sent back once, all of them as one batch."""
    one = y[:1]
    single = [each[:1].astype(np.float64) for each in x]
    wide = {name: array.astype(np.float64) for name, array in weights.items()}
    each_alone = np.eye(one.size).reshape(one.size, *one.shape[1:])
    repeated = (np.repeat(each, one.size, axis=0) for each in single)
    dx, _ = row.node.op.back(np, each_alone, wide, *repeated)
    y = row.node.op.run(np, wide, *single)
    return Jacobian(row, tuple(each[0] for each in single), y[0], tuple(each.reshape(one.size, -1) for each in dx))
