"""Numbers that count their own operations, by kind.

An array of them (`dtype=object`) goes through a kernel like any other; what the kernel did then stands in their tally.
The kinds are those of `Work`. A sum that starts at nought, the plain `0`, and takes up product after product is a sum
of multiply-adds: each product taken up is one mac, and neither a multiplication nor an addition beside it. A product
that is added to anything else is a multiplication and an addition. What is done to weights and constants alone is the
same for every image: it stands apart, as done beforehand.
"""

from __future__ import annotations

import math
from collections import Counter
from enum import Enum
from typing import Any, ClassVar

from archcalc.volume import Work


class Role(Enum):
    """What a number came from, as far as a multiply-add asks."""

    VALUE = 0
    PRODUCT = 1  # fresh: in no sum yet
    SUM = 2  # of products, from nought


class Tally:
    """Operations done so far."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.beforehand: Counter[str] = Counter()
        self.factors: Counter[frozenset[str]] = Counter()  # multiply-adds, by the marks of the two that were multiplied

    @property
    def work(self) -> Work:
        """The operations by kind, without those done beforehand."""
        return Work(**self.kinds)

    def macs(self, mark: str) -> int:
        """Multiply-adds of which a factor has this mark."""
        return sum(count for marks, count in self.factors.items() if mark in marks)


WEIGHT = "w"


class Number:
    """A number of one tally: that of its class, so that a number made from another, `type(x)(0)`, counts there too.

    `mark` is what the number is part of (`x`, `w`, `dy`); one that a kernel makes itself, as a padded zero, has none.
    """

    tally: ClassVar[Tally]

    def __init__(self, value: float, mark: str = "", role: Role = Role.VALUE, factors: frozenset[str] = frozenset()):
        self.value, self.mark, self.role, self.factors = value, mark, role, factors

    def __repr__(self) -> str:
        return f"{self.value}"

    def done(self, kind: str, value: float, other: Any = None) -> Number:
        """The result of one operation of a kind on this number, and perhaps another one."""
        if self.mark == WEIGHT and getattr(other, "mark", WEIGHT) == WEIGHT:
            self.tally.beforehand[kind] += 1
            return type(self)(value, WEIGHT)
        self.tally.kinds[kind] += 1
        return type(self)(value)

    def __mul__(self, other: Any) -> Number:
        result = self.done("muls", self.value * bare(other), other)
        if result.mark != WEIGHT:
            result.role, result.factors = Role.PRODUCT, frozenset((self.mark, getattr(other, "mark", "")))
        return result

    __rmul__ = __mul__

    def __add__(self, other: Any) -> Number:
        total = self.value + bare(other)
        for running, product in ((self, other), (other, self)):
            if is_running(running) and getattr(product, "role", None) is Role.PRODUCT:
                product.role = Role.VALUE  # spent: in a second sum it would be an addition only
                self.tally.kinds.update(muls=-1, macs=1)
                self.tally.factors[product.factors] += 1
                return type(self)(total, role=Role.SUM)
        return self.done("adds", total, Number(0) if is_running(other) else other)  # a nought is a cell of the image

    __radd__ = __add__

    def __sub__(self, other: Any) -> Number:
        return self.done("adds", self.value - bare(other), other)

    def __rsub__(self, other: Any) -> Number:
        return self.done("adds", bare(other) - self.value, other)

    def __neg__(self) -> Number:  # a change of sign is free
        return type(self)(-self.value, self.mark, self.role, self.factors)

    def __truediv__(self, other: Any) -> Number:
        return self.done("divs", self.value / bare(other), other)

    def __rtruediv__(self, other: Any) -> Number:
        return self.done("divs", bare(other) / self.value, other)

    def __pow__(self, other: Any) -> Number:
        return self.done("exps", self.value ** bare(other), other)

    def exp(self) -> Number:  # NumPy's functions on object arrays call the methods of their names
        return self.done("exps", math.exp(self.value))

    def sqrt(self) -> Number:
        return self.done("exps", math.sqrt(self.value))

    def erf(self) -> Number:
        return self.done("exps", math.erf(self.value))

    def compared(self, truth: bool) -> bool:
        """The outcome of a comparison, counted."""
        self.tally.kinds["compares"] += 1
        return truth

    def __lt__(self, other: Any) -> bool:
        return self.compared(self.value < bare(other))

    def __le__(self, other: Any) -> bool:
        return self.compared(self.value <= bare(other))

    def __gt__(self, other: Any) -> bool:
        return self.compared(self.value > bare(other))

    def __ge__(self, other: Any) -> bool:
        return self.compared(self.value >= bare(other))

    def __eq__(self, other: object) -> bool:
        return self.compared(self.value == bare(other))

    def __ne__(self, other: object) -> bool:
        return self.compared(self.value != bare(other))

    __hash__ = None  # type: ignore[assignment]  # equal by value, and counted: no key of a dictionary


def bare(number: Any) -> Any:
    """The value of a counting number; of any other, itself."""
    return number.value if isinstance(number, Number) else number


def is_running(number: Any) -> bool:
    """Whether a number is a sum of products so far: one that has taken up some, or the nought that it starts from."""
    return number.role is Role.SUM if isinstance(number, Number) else type(number) is int and number == 0


def counting() -> type[Number]:
    """A class of numbers with a tally of its own.

    >>> n = counting()
    >>> x, w, b = n(2, "x"), n(3, "w"), n(1)
    >>> 0 + x * w + x * w + b, n.tally.work
    (13, Work(macs=2, adds=1, muls=0, compares=0, divs=0, exps=0))
    >>> n.tally.macs("w"), x * w + b, n.tally.work.muls, n.tally.work.adds
    (2, 7, 1, 2)
    """
    return type("Counting", (Number,), {"tally": Tally()})


def marked(numbers: type[Number], np: Any, values: Any, mark: str) -> Any:
    """An array of counting numbers with one mark."""
    array = np.empty(values.shape, object)
    array.flat = [numbers(value, mark) for value in values.ravel().tolist()]
    return array
