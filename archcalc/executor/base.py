"""What a fast kernel is: a layer type made ready for one size of input."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from archcalc.ops.base import Arrays, Op
from archcalc.volume import Volume

Array: TypeAlias = npt.NDArray[Any]
CACHE = 2**21  # bytes that a worker goes over again and again: what the cache next to its core holds, or nearly
SMALL = 2**17  # values below which a second thread takes longer to wake than it saves


class Kernel:
    """A layer on batches of images (b, h, w, c), C-contiguous, of one size; the dtype is that of the input.

    `prepare` once, then call with what it gave. The result obeys one law: it is that of `op.run`, up to rounding.
    """

    may_overwrite_input: ClassVar[bool] = False  # `out` may be the first input

    def __init__(self, op: Op, *x: Volume) -> None:
        self.op = op
        self.x = x
        self.y = op.out(*x)

    def prepare(self, w: Arrays) -> Any:
        """The weights in the order in which the kernel reads them; the arrays of `w` are not needed afterwards."""
        return w

    def __call__(self, ready: Any, *xs: Array, out: Array | None = None) -> Array:
        """The output (b, h, w, c): `out` if it is given, else a new array."""
        y = np.empty((len(xs[0]), *sizes(self.y)), xs[0].dtype) if out is None else out
        self.fill(y, ready, *xs)
        return y

    def fill(self, y: Array, ready: Any, *xs: Array) -> None:
        """Writes the output into `y`."""
        raise NotImplementedError

    def ready(self, bytes_per_value: int) -> int:
        """Bytes of the arrays that `prepare` makes; 0 where it keeps those of `w` themselves."""
        return 0

    def workspace(self, batch: int, bytes_per_value: int) -> int:
        """Bytes of scratch memory that a call takes, besides weights, inputs and output."""
        return 0


class Reference(Kernel):
    """The layer's own `run`, where nothing is to be gained over it; the result may be a view of the input."""

    def __call__(self, ready: Any, *xs: Array, out: Array | None = None) -> Array:
        """The output, from `op.run`."""
        y = self.op.run(np, ready, *xs)
        if out is None:
            return np.ascontiguousarray(y)
        out[...] = y
        return out


def weight_values(op: Op, x: Volume) -> int:
    """How many values the `w` of a layer has."""
    shape = op.weights(x)["w"]
    assert all(isinstance(n, int) for n in shape)
    return prod(shape)  # type: ignore[arg-type]  # of numbers


def sizes(volume: Volume) -> tuple[int, int, int]:
    """The volume of a net that is run: in numbers."""
    h, w, c = volume
    assert isinstance(h, int)
    assert isinstance(w, int)
    assert isinstance(c, int)
    return h, w, c


def carve(scratch: Array, *shapes: tuple[int, ...]) -> Iterator[Array]:
    """Arrays of these shapes, one behind the other, in a flat one; at last what is left of it."""
    for shape in shapes:
        yield scratch[: prod(shape)].reshape(shape)
        scratch = scratch[prod(shape) :]
    yield scratch
