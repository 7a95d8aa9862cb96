"""Layers that several volumes meet in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from archcalc.ops.base import Need, Op, op
from archcalc.volume import NOTHING, Truth, Undecided, Volume, Work, same


class Merge(Op):
    """A layer of two or more volumes."""

    arity = "many"


def agree(a: Volume, b: Volume, axes: str) -> Truth:
    """Whether two volumes have the same size along the axes."""
    open_: Undecided | None = None
    for axis in axes:
        equal = same(getattr(a, axis), getattr(b, axis))
        if isinstance(equal, Undecided):
            open_ = equal
        elif not equal:
            return False
    return True if open_ is None else open_


def unlike(a: Volume, b: Volume, axes: str) -> str:
    """Which of the sizes differ, in words."""
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
        for x in xs[1:]:
            yield Need(agree(xs[0], x, "hwc"), f"cannot add {xs[0]} and {x}: {unlike(xs[0], x, 'hwc')}")

    def work(self, y: Volume, *xs: Volume) -> Work:
        """An addition for each value and each volume after the first."""
        return Work(adds=(len(xs) - 1) * y.values)


@op("concat")
class Concat(Merge):
    """Volumes laid one behind the other in depth.

    y[i,j] = x1[i,j], x2[i,j], …
    """

    examples = ("input 28x28x192; concat { conv 1 64 | conv 3/1/1 128 }",)

    def out(self, *xs: Volume) -> Volume:
        """Depths add up."""
        return Volume(xs[0].h, xs[0].w, reduce(lambda total, x: total + x.c, xs[1:], xs[0].c))

    def needs(self, *xs: Volume) -> Iterator[Need]:
        """Heights and widths are the same."""
        for x in xs[1:]:
            yield Need(agree(xs[0], x, "hw"), f"cannot concat {xs[0]} and {x}: {unlike(xs[0], x, 'hw')}")

    def work(self, y: Volume, *xs: Volume) -> Work:
        """Nothing is computed."""
        return NOTHING


@op("mul")
class Mul(Merge):
    """Product of volumes, value by value; a 1x1xC volume scales whole slices of depth (squeeze-and-excitation).

    y[i,j,c] = x1[i,j,c] * x2[i,j,c], with x2[0,0,c] for every i,j where x2 is 1x1xC
    """

    examples = ("input 56x56x64; mul { id | gap ; fc 16 ; relu ; fc 64 ; sigmoid }",)

    def out(self, *xs: Volume) -> Volume:
        """The size of the largest."""
        return next((x for x in xs if not self.scales(x)), xs[0])

    @staticmethod
    def scales(x: Volume) -> bool:
        """Whether a volume holds one number for each slice of depth."""
        return same(x.h, 1) is True and same(x.w, 1) is True

    def needs(self, *xs: Volume) -> Iterator[Need]:
        """All sizes are the same, or 1x1 with the same depth."""
        y = self.out(*xs)
        for x in xs:
            axes = "c" if self.scales(x) else "hwc"
            yield Need(agree(y, x, axes), f"cannot multiply {xs[0]} and {xs[-1]}: {unlike(y, x, axes)}")

    def work(self, y: Volume, *xs: Volume) -> Work:
        """A multiplication for each value and each volume after the first."""
        return Work(muls=(len(xs) - 1) * y.values)
