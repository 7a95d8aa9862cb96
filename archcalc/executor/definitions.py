"""A layer's definition taken through the sizes of the arrays that go through it: the shape of the result, and the
multiply-adds on the way.

The reference kernel runs on arrays that have a shape and no values. So nothing is computed, but every product that
goes into a sum is counted, and the shape comes from the definition and not from the rule that is looked into. What a
fast kernel saves (Winograd's does with a quarter of the multiplications) is no disagreement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from archcalc.executor.base import Array
from archcalc.ops.base import Op

Shape: TypeAlias = tuple[int, ...]


class Traced(NamedTuple):
    """What came of taking a definition through: the shape of its result, b, h, w, c, and the multiply-adds."""

    shape: Shape
    macs: int


class TracedBack(NamedTuple):
    """Multiply-adds of the gradients by the inputs, and by the weights."""

    by_inputs: int
    by_weights: int


def trace(op: Op, weights: Mapping[str, Shape], *x: Shape) -> Traced:
    """A layer's `run` on arrays of these shapes. Raises what NumPy raises where they do not fit."""
    counts = Counts()
    y = op.run(Names(counts), _weights(weights, counts), *(shadow(shape, counts) for shape in x))
    return Traced(y.shape, counts.with_weights + counts.others)


def trace_back(op: Op, dy: Shape, weights: Mapping[str, Shape], *x: Shape) -> TracedBack:
    """A layer's `back` on arrays of these shapes; without weights there is nothing to multiply by."""
    counts = Counts()
    if weights:
        arrays = (shadow(shape, counts) for shape in x)
        op.back(Names(counts), shadow(dy, counts), _weights(weights, counts), *arrays)
    return TracedBack(counts.with_weights, counts.others)


def _weights(shapes: Mapping[str, Shape], counts: Counts) -> dict[str, Any]:
    return {name: shadow(shape, counts, weight=True) for name, shape in shapes.items()}


class Counts:
    """Multiply-adds so far: those of which one factor is a weight, and others."""

    def __init__(self) -> None:
        self.with_weights = self.others = 0


class Names:
    """NumPy as kernels know it, with new arrays that have no values either."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def zeros(self, shape: Shape, _: Any = None) -> Shadow:
        """An array of a shape."""
        return shadow(shape, self.counts)

    empty = zeros


class Shadow(np.ndarray[Any, Any]):
    """An array of a shape without values: a single nought that stands at every place."""

    counts: Counts
    weight: bool  # it is one, or a part of one, or a product with one
    product: bool  # fresh from a multiplication, in no sum yet

    def __array_finalize__(self, origin: Any) -> None:
        self.counts = getattr(origin, "counts", None) or Counts()
        self.weight = getattr(origin, "weight", False)
        self.product = False

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **named: Any) -> Any:
        """The shape of what functions of each value give; a product that an array takes up is a multiply-add."""
        if method == "reduce":
            return self.of(_reduced(inputs[0].shape, **named))
        assert method == "__call__", f"{ufunc.__name__}.{method} has no rule"
        if ufunc is np.matmul:
            return self.multiplied(*inputs)
        if out is not None:
            for each in inputs:
                if ufunc is np.add and getattr(each, "product", False):
                    self.count(out[0].size, each)
            return out[0]
        result = self.of(np.broadcast_shapes(*map(np.shape, inputs)))
        result.product = ufunc is np.multiply
        result.weight = any(getattr(each, "weight", False) for each in inputs)
        return result

    def __array_function__(self, function: Any, types: Any, inputs: Any, named: Any) -> Any:
        """The shape of what other functions of NumPy give, by the rules below; without one they go their own way."""
        rule = RULES.get(function)
        return rule(self, *inputs, **named) if rule else super().__array_function__(function, types, inputs, named)

    def __setitem__(self, *_: Any) -> None:
        """There are no values to change."""

    def astype(self, *_: Any, **__: Any) -> Any:
        """Itself: there are no values to change the type of."""
        return self

    def repeat(self, repeats: Any, axis: Any = None) -> Any:
        """Values repeated along an axis."""
        return self.of(tuple(n * repeats if at == axis else n for at, n in enumerate(self.shape)))

    def of(self, shape: Shape) -> Shadow:
        """Another with the same counts."""
        return shadow(shape, self.counts)

    def count(self, macs: int, *factors: Any) -> None:
        """Takes note of some multiply-adds."""
        if any(getattr(each, "weight", False) for each in factors):
            self.counts.with_weights += macs
        else:
            self.counts.others += macs

    def multiplied(self, a: Array, b: Array) -> Shadow:
        """A matrix product: a multiply-add for each row, column and inner place."""
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        self.count(math.prod(shape) * a.shape[-1], a, b)
        return self.of(shape)

    def contracted(self, subscripts: str, a: Array, b: Array) -> Shadow:
        """A sum of products over indices: a multiply-add for each value that all of them take together."""
        letters, _, output = subscripts.partition("->")
        pairs = [
            pair
            for own, each in zip(letters.split(","), (a, b), strict=True)
            for pair in zip(own, each.shape, strict=True)
        ]
        sizes = dict(pairs)
        if any(sizes[letter] != n for letter, n in pairs):
            raise ValueError(f"{a.shape} and {b.shape} do not fit {subscripts}")
        self.count(math.prod(sizes.values()), a, b)
        return self.of(tuple(sizes[letter] for letter in output))

    def padded(self, x: Array, widths: Any, *_: Any, **__: Any) -> Shadow:
        """Cells added at the sides."""
        return self.of(tuple(n + before + after for n, (before, after) in zip(x.shape, widths, strict=True)))

    def chosen(self, condition: Any, *values: Any) -> Shadow:
        """One of two values at each place."""
        return self.of(np.broadcast_shapes(*map(np.shape, (condition, *values))))

    def joined(self, parts: Any, axis: int = 0) -> Shadow:
        """One behind the other."""
        rest = [each.shape[:axis] + each.shape[axis + 1 :] for each in parts]
        if any(each != rest[0] for each in rest):
            raise ValueError(f"{' and '.join(str(each.shape) for each in parts)} cannot be joined along axis {axis}")
        first = parts[0].shape
        return self.of((*first[:axis], sum(each.shape[axis] for each in parts), *first[axis + 1 :]))

    def slid(self, x: Array, window: Shape, axis: Shape, **_: Any) -> Shadow:
        """The windows of a size at each place along some axes."""
        places = list(x.shape)
        for at, n in zip(axis, window, strict=True):
            places[at] -= n - 1
        if min(places) < 0:
            raise ValueError(f"a window of {window} does not fit into {x.shape}")
        result = self.of((*places, *window))
        result.weight = getattr(x, "weight", False)
        return result


RULES: dict[Any, Any] = {
    np.einsum: Shadow.contracted,
    np.pad: Shadow.padded,
    np.where: Shadow.chosen,
    np.concatenate: Shadow.joined,
    np.lib.stride_tricks.sliding_window_view: Shadow.slid,
}


def _reduced(shape: Shape, axis: Any = 0, keepdims: bool = False, **_: Any) -> Shape:
    axes = range(len(shape)) if axis is None else (axis,) if isinstance(axis, int) else axis
    gone = {each % len(shape) for each in axes}
    return tuple(1 if at in gone else n for at, n in enumerate(shape) if keepdims or at not in gone)


def shadow(shape: Shape, counts: Counts, weight: bool = False) -> Shadow:
    """An array of a shape without values."""
    made = np.broadcast_to(np.zeros((), np.float32), shape).view(Shadow)
    made.counts, made.weight = counts, weight
    return made
