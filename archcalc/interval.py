"""Numbers of which only bounds are known: the rules of the layer types run on them unchanged, and give bounds.

What comes out holds for every number between the bounds of what goes in. It may be wider than the truth, since each
occurrence of an unknown counts by itself, but never narrower.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product
from typing import Any, TypeAlias

from archcalc.volume import Truth, Undecided

Number: TypeAlias = "int | Fraction"


class Interval:
    """A number from `low` to `high`, both among them; immutable. The same object is the same number.

    >>> ((227 - between(1, 11)) // 4 + 1), between(2, 3) * between(4, 5), between(7, 8) // 4
    (55..57, 8..15, 1..2)
    """

    __slots__ = ("high", "low")

    def __init__(self, low: Number, high: Number) -> None:
        self.low, self.high = low, high

    def __eq__(self, other: object) -> bool:
        """Whether two are equal. Raises `TypeError` where that is open."""
        return isinstance(other, (Interval, int, Fraction)) and bool(self.same(other))

    __hash__ = object.__hash__  # equal bounds are not yet equal numbers

    def __bool__(self) -> bool:
        return self != 0

    def __add__(self, other: Any) -> Any:
        low, high = _ends(other)
        return between(self.low + low, self.high + high)

    def __sub__(self, other: Any) -> Any:
        low, high = _ends(other)
        return between(self.low - high, self.high - low)

    def __rsub__(self, other: Any) -> Any:
        low, high = _ends(other)
        return between(low - self.high, high - self.low)

    def __mul__(self, other: Any) -> Any:
        return _hull([a * b for a, b in product(_ends(self), _ends(other))])

    __radd__ = __add__
    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        return _hull([a // b for a, b in product(_ends(self), _divisors(other))])

    def __rfloordiv__(self, other: Any) -> Any:
        return _hull([a // b for a, b in product(_ends(other), _divisors(self))])

    def __truediv__(self, other: Any) -> Any:
        """Exact: who divides has made sure that nothing is left."""
        return _hull([Fraction(a) / b for a, b in product(_ends(self), _divisors(other))])

    def __rtruediv__(self, other: Any) -> Any:
        return _hull([Fraction(a) / b for a, b in product(_ends(other), _divisors(self))])

    def __mod__(self, other: Any) -> Any:
        most = _divisors(other)[1]
        same = isinstance(other, (int, Fraction)) and self.low // other == self.high // other
        return between(self.low % other, self.high % other) if same else between(0, most)

    def __rmod__(self, other: Any) -> Any:
        return other - other // self * self

    def __floor__(self) -> Any:
        return self // 1

    def __ceil__(self) -> Any:
        return between(math.ceil(self.low), math.ceil(self.high))

    def __ge__(self, other: Any) -> Truth:
        low, high = _ends(other)
        return self is other or self.low >= high or (self.high >= low and self._open(">=", other))

    def __le__(self, other: Any) -> Truth:
        low, high = _ends(other)
        return self is other or self.high <= low or (self.low <= high and self._open("<=", other))

    def __gt__(self, other: Any) -> Truth:
        low, high = _ends(other)
        return self is not other and (self.low > high or (self.high > low and self._open(">", other)))

    def __lt__(self, other: Any) -> Truth:
        low, high = _ends(other)
        return self is not other and (self.high < low or (self.low < high and self._open("<", other)))

    def same(self, other: Any) -> Truth:
        """Whether two are equal: no where they do not meet; else open, but for a number with itself."""
        low, high = _ends(other)
        return self is other or (self.low <= high and low <= self.high and self._open("=", other))

    def divisible_by(self, other: Any) -> Truth:
        """Whether a number divides all of them: no where it divides none, else open."""
        multiples = not isinstance(other, int) or self.high // other * other >= self.low
        return multiples and Undecided(f"{other} divides {self}", "divides", other, self)

    def common_divisor(self, other: Any) -> Any:
        """Bounds of the greatest common divisor with another."""
        return between(1, min(self.high, _ends(other)[1]))

    def _open(self, relation: str, other: Any) -> Undecided:
        return Undecided(f"{self} {relation} {other}", relation, self, other)

    def __repr__(self) -> str:
        return f"{self.low}..{self.high}"


def between(low: Number, high: Number) -> Any:
    """The numbers from `low` to `high`; a number where they are the same."""
    low = low if type(low) is int else _plain(low)
    high = high if type(high) is int else _plain(high)
    return low if low == high else Interval(low, high)


def _plain(number: Number) -> Number:
    return int(number) if number.denominator == 1 else number


def _hull(numbers: list[Number]) -> Any:
    return between(min(numbers), max(numbers))


def _ends(value: Any) -> tuple[Number, Number]:
    """The bounds of a number or of an interval. Raises `TypeError` for what is neither."""
    if type(value) is int:  # nearly always
        return value, value
    if isinstance(value, Interval):
        return value.low, value.high
    if isinstance(value, (int, Fraction)):
        return value, value
    raise TypeError(f"an interval does not meet {value!r}")


def _divisors(value: Any) -> tuple[Number, Number]:
    """The bounds of what is divided by. Raises `TypeError` where it may be 0 or less: nothing bounds the quotient."""
    low, high = _ends(value)
    if low <= 0:
        raise TypeError(f"nothing bounds a quotient by {value}")
    return low, high
