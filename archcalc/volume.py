"""Volumes, and the arithmetic of their sizes: whole numbers or symbols, the same code for both.

A size (`Dim`) is an `int`, or a symbolic value that knows `+ - * //` with ints and with its like. Nothing here, and
no shape rule, asks which one it has; what symbols cannot decide is `Undecided`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeAlias, runtime_checkable

from archcalc.record import Record


@runtime_checkable
class Symbolic(Protocol):
    """What the shape rules ask of a size that is not yet a number."""

    def __add__(self, other: Dim, /) -> Dim: ...
    def __radd__(self, other: int, /) -> Dim: ...
    def __sub__(self, other: Dim, /) -> Dim: ...
    def __rsub__(self, other: int, /) -> Dim: ...
    def __mul__(self, other: Dim, /) -> Dim: ...
    def __rmul__(self, other: int, /) -> Dim: ...
    def __floordiv__(self, other: Dim, /) -> Dim: ...
    def __rfloordiv__(self, other: int, /) -> Dim: ...
    def __ge__(self, other: Dim, /) -> Truth: ...
    def __le__(self, other: Dim, /) -> Truth: ...
    def common_divisor(self, other: int, /) -> Dim:
        """Greatest common divisor with a number."""


RELATIONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">=": operator.ge,
    "<=": operator.le,
    "divides": lambda a, b: b % a == 0,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "does not divide": lambda a, b: b % a != 0,
}
OPPOSITES = dict(zip(list(RELATIONS)[:4], ("!=", "<", ">", "does not divide"), strict=True))


class Undecided(Record, uncompared=("relation", "a", "b")):
    """A condition on symbols that holds for some of their values; it has no truth value.

    `text` is its simplest form, for people; what it says is `a relation b`, with one of `RELATIONS`.
    """

    text: str
    relation: str
    a: Dim
    b: Dim

    @property
    def opposite(self) -> Undecided:
        """The condition that holds where this one does not."""
        relation = OPPOSITES[self.relation]
        plain = self.text == f"{self.a} {self.relation} {self.b}"
        text = f"{self.a} {relation} {self.b}" if plain else f"not {self.text}"
        return Undecided(text, relation, self.a, self.b)

    def __bool__(self) -> bool:
        raise TypeError(f"undecided: {self.text}")


Dim: TypeAlias = "int | Symbolic"
Truth: TypeAlias = "bool | Undecided"
Shape: TypeAlias = "tuple[Dim, ...]"


class Volume(NamedTuple):
    """The output of a layer for one image: height, width, depth. A vector is 1x1xn."""

    h: Dim
    w: Dim
    c: Dim

    def __str__(self) -> str:
        sides = [f"({n})" if _is_sum(str(n)) else str(n) for n in self]
        return ("x" if all(map(str.isalnum, sides)) else " x ").join(sides)

    @property
    def area(self) -> Dim:
        """Positions: h*w."""
        return self.h * self.w

    @property
    def values(self) -> Dim:
        """Numbers in the volume: h*w*c."""
        return self.h * self.w * self.c


def _is_sum(text: str) -> bool:
    """Whether a formula adds or takes away outside of brackets: `N - 2xN - 2` would be read wrongly."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == " " and depth == 0:
            return True
    return False


class Work(NamedTuple):
    """Operations of one layer on one image, by kind. A multiply-add is one `mac`, and not counted again elsewhere."""

    macs: Dim = 0
    adds: Dim = 0  # additions and subtractions outside multiply-adds
    muls: Dim = 0
    compares: Dim = 0
    divs: Dim = 0
    exps: Dim = 0  # exponentials, powers, roots and error functions

    @property
    def flops(self) -> Dim:
        """2 a multiply-add, 1 for everything else."""
        return 2 * self.macs + self.adds + self.muls + self.compares + self.divs + self.exps

    def times(self, count: Dim) -> Work:
        """The same work done `count` times."""
        return Work(*(count * each for each in self))


NOTHING = Work()


def ceil_div(a: Dim, b: int) -> Dim:
    """a / b rounded up.

    >>> ceil_div(7, 2), ceil_div(8, 2)
    (4, 4)
    """
    return (a + (b - 1)) // b


def exact_div(a: Dim, b: Dim) -> Dim:
    """a / b where b divides a (which `needs` has made sure of); exact on symbols too."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    return a / b  # type: ignore[operator, return-value]  # symbols know it; `//` would leave a floor standing


def divides(b: Dim, a: Dim) -> Truth:
    """Whether b divides a.

    >>> divides(2, 96), divides(5, 96)
    (True, False)
    """
    if isinstance(a, int) and isinstance(b, int):
        return b > 0 and a % b == 0
    if b == 1:
        return True
    if hasattr(a, "divisible_by"):
        truth: Truth = a.divisible_by(b)
        return truth
    return Undecided(f"{b} divides {a}", "divides", b, a)


def same(a: Dim, b: Dim) -> Truth:
    """Whether two sizes are equal; on symbols, for every value of theirs."""
    symbolic, other = (a, b) if hasattr(a, "same") else (b, a)
    if hasattr(symbolic, "same"):
        truth: Truth = symbolic.same(other)
        return truth
    difference = a - b
    zero = difference == 0 if isinstance(difference, int) else getattr(difference, "is_zero", None)
    return Undecided(f"{a} = {b}", "=", a, b) if zero is None else zero


def at_least(a: Dim, b: Dim) -> Truth:
    """Whether a >= b; on symbols, for every value of theirs.

    >>> at_least(7, 7), at_least(6, 7)
    (True, False)
    """
    found = a >= b
    try:
        return bool(found)
    except TypeError:  # neither for every value nor for none
        return found if isinstance(found, Undecided) else Undecided(str(found), ">=", a, b)


def common_divisor(a: Dim, b: int) -> Dim:
    """Greatest common divisor.

    >>> common_divisor(224, 7), common_divisor(13, 6)
    (7, 1)
    """
    return math.gcd(a, b) if isinstance(a, int) else a.common_divisor(b)


def footprint(k: int, d: int = 1) -> int:
    """Cells from the first to the last that a dilated window of `k` touches: d*(k-1) + 1."""
    return d * (k - 1) + 1


def window(n: Dim, k: int, s: int, before: int, after: int, d: int = 1) -> Dim:
    """Places at which a window of `k` fits along `n` cells with padding on both ends, rounding down.

    Dumoulin & Visin 2016, relationships 6 and 15.

    >>> window(224, k=7, s=2, before=3, after=3)
    112
    """
    return (n + before + after - footprint(k, d)) // s + 1


def window_ceil(n: Dim, k: int, s: int, before: int, after: int) -> Dim:
    """Places of a window rounding up, without a last window that would start in the padding behind the input.

    The last start i*s obeys i*s < n + before: so both bounds are ceil((n + u)/s) and the lesser u decides. This is
    PyTorch's `ceil_mode` and, with padding, Caffe's pooling.

    >>> window_ceil(112, k=3, s=2, before=0, after=0), window_ceil(5, k=2, s=2, before=1, after=1)
    (56, 3)
    """
    return ceil_div(n + min(before + after - k + s, before), s)


def same_padding(n: int, k: int, s: int, d: int = 1) -> tuple[int, int]:
    """Padding that makes the output ceil(n/s), the odd cell after (TensorFlow, ONNX SAME_UPPER).

    >>> same_padding(224, k=7, s=2)
    (2, 3)
    """
    total = max(((n + s - 1) // s - 1) * s + footprint(k, d) - n, 0)
    return total // 2, total - total // 2


class Sweep(NamedTuple):
    """A window that goes along one axis of its input: place i lies on the cells i*s - before + d*u with u < k."""

    n: Dim  # cells of the input
    k: Dim
    s: Dim
    before: Dim  # padding
    after: Dim
    d: Dim
    places: Dim


def unseen(n: int, k: int, s: int, before: int, d: int, places: int) -> int:
    """Cells of the input that no window touches: a remainder at the end, or gaps where the stride skips them.

    >>> unseen(224, k=11, s=4, before=0, d=1, places=54)
    1
    >>> unseen(56, k=1, s=2, before=0, d=1, places=28)
    28
    """
    if d == 1:
        end = min(n + before, (places - 1) * s + k)
        return n - (_touched(end, k, s) - _touched(min(before, end), k, s))
    if min(k, s) > min(places, d):  # taps and places are alike: both are steps from cell to cell
        k, s, places, d = places, d, k, s
    shared = math.gcd(s, d)
    period, step = s // shared, d // shared  # taps so far apart touch the same cells, `step` strides on
    seen = 0
    for tap in range(min(k, period)):
        runs = -(-(k - tap) // period)
        start, residue = divmod(d * tap, s)
        first, last = -(-(before - residue) // s) - start, (before + n - 1 - residue) // s - start
        seen += _covered(last, runs, step, places) - _covered(first - 1, runs, step, places)
    return n - seen


def _covered(last: int, runs: int, step: int, length: int) -> int:
    """Of the numbers 0 to `last`, those in runs of a length that start at 0, step, 2*step, …"""
    if last < 0:
        return 0
    if length >= step:
        return min(last + 1, (runs - 1) * step + length)
    run = min(last // step, runs - 1)
    return run * length + min(last - run * step + 1, length)


def _touched(cells: int, k: int, s: int) -> int:
    """Of the first cells, those under windows of `k` that start at 0, s, 2s, …"""
    return cells if k >= s else cells // s * k + min(cells % s, k)
