"""Layers that several volumes meet in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import accumulate
from typing import Any

from archcalc.ops.base import Arrays, Kept, Need, Op, Own, Reach, op
from archcalc.volume import NOTHING, Volume, Work, same


class Merge(Op):
    """A layer of two or more volumes."""

    arity = "many"


def alike(xs: tuple[Volume, ...], first: int, second: int, axes: str, verb: str) -> Iterator[Need]:
    """Two of the volumes have the same size along the axes; else one cannot `verb` them."""
    a, b = xs[first], xs[second]
    for axis in axes:
        truth = same(getattr(a, axis), getattr(b, axis))
        message = f"cannot {verb} {a} and {b}: {unlike(a, b, axes)}" if truth is False else ""
        yield Need(truth, message, volumes=(first, second))


def unlike(a: Volume, b: Volume, axes: str = "hwc") -> str:
    """Which of the sizes of two volumes differ, in words.

    >>> unlike(Volume(28, 28, 64), Volume(14, 14, 64))
    'heights and widths differ'
    """
    names = {"h": "heights", "w": "widths", "c": "depths"}
    found = [names[axis] for axis in axes if same(getattr(a, axis), getattr(b, axis)) is False]
    return " and ".join(found) + " differ"


@op("add")
class Add(Merge):
    """Sum of volumes of one size, value by value (the residual connection of He et al. 2015).

    y[i,j,c] = x1[i,j,c] + x2[i,j,c] + …
    """

    examples = ("input 56x56x64; add { conv 3/1/1 64 | }",)

    def out(self, *xs: Volume) -> Volume:
        """The common size."""
        return xs[0]

    def needs(self, *xs: Volume) -> Iterator[Need]:
        """All sizes are the same."""
        for at in range(1, len(xs)):
            yield from alike(xs, 0, at, "hwc", "add")

    def work(self, y: Volume, *xs: Volume) -> Work:
        """An addition for each value and each volume after the first."""
        return Work(adds=(len(xs) - 1) * y.values)

    def run(self, np: Any, w: Arrays, *xs: Any) -> Any:
        """The first, and one after the other added."""
        return reduce(np.add, xs)

    def back(self, np: Any, dy: Any, w: Arrays, *xs: Any) -> tuple[tuple[Any, ...], Arrays]:
        """The whole gradient for each of them."""
        return (dy,) * len(xs), {}


@op("concat")
class Concat(Merge):
    """Volumes laid one behind the other in depth.

    y[i,j] = x1[i,j], x2[i,j], …
    """

    examples = ("input 28x28x192; concat { conv 1 64 | conv 3/1/1 128 }",)
    known_as = ("concatenate", "cat")

    def out(self, *xs: Volume) -> Volume:
        """Depths add up."""
        return Volume(xs[0].h, xs[0].w, reduce(lambda total, x: total + x.c, xs[1:], xs[0].c))

    def needs(self, *xs: Volume) -> Iterator[Need]:
        """Heights and widths are the same."""
        for at in range(1, len(xs)):
            yield from alike(xs, 0, at, "hw", "concat")

    def work(self, y: Volume, *xs: Volume) -> Work:
        """Nothing is computed."""
        return NOTHING

    def run(self, np: Any, w: Arrays, *xs: Any) -> Any:
        """One behind the other."""
        return np.concatenate(xs, axis=3)

    def back(self, np: Any, dy: Any, w: Arrays, *xs: Any) -> tuple[tuple[Any, ...], Arrays]:
        """To each its own part of the depth."""
        return tuple(np.split(dy, list(accumulate(x.shape[3] for x in xs[:-1])), axis=3)), {}


@op("mul")
class Mul(Merge):
    """Product of volumes, value by value; a 1x1xC volume scales whole slices of depth (squeeze-and-excitation).

    y[i,j,c] = x1[i,j,c] * x2[i,j,c], with x2[0,0,c] for every i,j where x2 is 1x1xC
    """

    examples = ("input 56x56x64; mul { id | gap ; fc 16 ; relu ; fc 64 ; sigmoid }",)
    known_as = ("multiply",)

    def out(self, *xs: Volume) -> Volume:
        """The size of the largest."""
        return next((x for x in xs if not self.scales(x)), xs[0])

    def reach(self, *xs: Volume) -> tuple[tuple[Reach, Reach], ...]:
        """Its own; of a volume that scales slices the one there is."""
        largest = self.out(*xs)
        own, one = Reach(), Reach(s=0)
        scaling = (self.scales(x) and not self.scales(largest) for x in xs)
        return tuple((one, one) if each else (own, own) for each in scaling)

    @staticmethod
    def scales(x: Volume) -> bool:
        """Whether a volume holds one number for each slice of depth."""
        return same(x.h, 1) is True and same(x.w, 1) is True

    def needs(self, *xs: Volume) -> Iterator[Need]:
        """All sizes are the same, or 1x1 with the same depth."""
        largest = xs.index(self.out(*xs))
        for at, x in enumerate(xs):
            yield from alike(xs, min(largest, at), max(largest, at), "c" if self.scales(x) else "hwc", "multiply")

    def work(self, y: Volume, *xs: Volume) -> Work:
        """A multiplication for each value and each volume after the first."""
        return Work(muls=(len(xs) - 1) * y.values)

    def keeps(self, y: Volume, *xs: Any, wanted: tuple[bool, ...] = (), **_: Any) -> Kept:
        """Both factors of each product, as far as the gradient by the other one is wanted; from left to right."""
        inputs: list[int] = []
        own: list[Own] = []
        for at in range(1, len(xs)):
            before, after = any(wanted[:at]), wanted[at]
            inputs += [at] * before
            if at == 1:
                inputs += [0] * after
            elif after:
                own.append(Own(f"product of {at}", self.out(*xs[:at]).values))
        return Kept(tuple(inputs), own=tuple(own))

    def run(self, np: Any, w: Arrays, *xs: Any) -> Any:
        """The largest, and one after the other multiplied in."""
        return reduce(np.multiply, sorted(xs, key=lambda x: -x.size))

    def back(self, np: Any, dy: Any, w: Arrays, *xs: Any) -> tuple[tuple[Any, ...], Arrays]:
        """To each the gradient times all the others, summed over the positions that share its number."""
        return tuple(self.share(np, dy, xs[:at] + xs[at + 1 :], x) for at, x in enumerate(xs)), {}

    @staticmethod
    def share(np: Any, dy: Any, others: tuple[Any, ...], x: Any) -> Any:
        """The gradient by one of the volumes."""
        dx = reduce(np.multiply, others, dy)
        return dx if dx.shape == x.shape else dx.sum(axis=(1, 2), keepdims=True)
