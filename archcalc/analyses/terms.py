"""Sizes that remember the arithmetic they came from.

A `Term` is a size as the rules of a layer type see it: it has a value, and it is a formula. Rules that run on terms
give both at once, with the factors in the order in which the rules name them. Only what says nothing is tidied away:
times 1, plus 0, `P + P` as `2*P`, and rounding up as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from archcalc.record import Record
from archcalc.volume import Dim, Truth, at_least, common_divisor, exact_div, same

Rounding = Literal["exact", "floor", "ceil"]


class Term(Record):
    """A size with the formula that it comes from.

    >>> h, p, f, s = (Letter(value, name) for name, value in {"H": 227, "P": 0, "F": 11, "S": 4}.items())
    >>> places = (h + p + p - f) // s + 1
    >>> places.value, [letter.name for letter in letters(places)]
    (55, ['H', 'P', 'F', 'S'])
    """

    value: Dim

    def __add__(self, other: Dim) -> Dim:
        return _added(self, other, 1)

    def __radd__(self, other: int) -> Dim:
        return _added(other, self, 1)

    def __sub__(self, other: Dim) -> Dim:
        return _added(self, other, -1)

    def __rsub__(self, other: int) -> Dim:
        return _added(other, self, -1)

    def __mul__(self, other: Dim) -> Dim:
        return _product((*_factors(self), *_factors(other)))

    def __rmul__(self, other: int) -> Dim:
        return _product((*_factors(other), *_factors(self)))

    def __floordiv__(self, other: Dim) -> Dim:
        return _rounded(self, other)

    def __rfloordiv__(self, other: int) -> Dim:
        return _rounded(other, self)

    def __truediv__(self, other: Dim) -> Dim:
        return self if _is(other, 1) else Quotient(exact_div(self.value, value_of(other)), self, other, "exact")

    def __rtruediv__(self, other: int) -> Dim:
        return Quotient(exact_div(other, self.value), other, self, "exact")

    def __ge__(self, other: Dim) -> Truth:
        return at_least(self.value, value_of(other))

    def __le__(self, other: Dim) -> Truth:
        return at_least(value_of(other), self.value)

    def __lt__(self, other: Dim) -> bool:
        return not self >= other

    def __gt__(self, other: Dim) -> bool:
        return not self <= other

    def same(self, other: Dim) -> Truth:
        """Whether the values are equal."""
        return same(self.value, value_of(other))

    def common_divisor(self, other: Dim) -> Dim:
        """Greatest common divisor."""
        divisor: Any = value_of(other)
        return Divisor(common_divisor(self.value, divisor), self, other)


class Letter(Term, uncompared=("made",)):
    """A size under its name: a side of what arrives, an argument.

    `axis` is h, w or c where it is a side of a volume; `made` is how the layer that it is from has made it.
    """

    name: str
    about: str = ""
    axis: str = ""
    made: Dim | None = None


class Sum(Term):
    """Terms with their multiplicities, then a number."""

    parts: tuple[tuple[int, Term], ...]
    number: int = 0


class Product(Term):
    """Factors, numbers among them, in the order in which they were named."""

    factors: tuple[Dim, ...]


class Quotient(Term):
    """One size over another: a division that is exact, or rounded down or up."""

    over: Dim
    under: Dim
    rounding: Rounding


class Divisor(Term):
    """The greatest common divisor of two sizes."""

    a: Dim
    b: Dim


class Whole(Term):
    """A size that is one factor, however it came about: 7*7*512 as the 25,088 inputs of a layer."""

    of: Term
    about: str = ""


def value_of(n: Dim) -> Dim:
    """The value of a term; anything else is its own."""
    return n.value if isinstance(n, Term) else n


def letters(n: Dim) -> Iterator[Letter]:
    """The letters of a formula in order, as often as they stand there."""
    for each in parts_of(n):
        if isinstance(each, Letter):
            yield each


def parts_of(n: Dim) -> Iterator[Term]:
    """A term and all that it is made of, in order."""
    if not isinstance(n, Term):
        return
    yield n
    match n:
        case Sum():
            inner: tuple[Dim, ...] = tuple(part for _, part in n.parts)
        case Product():
            inner = n.factors
        case Quotient():
            inner = (n.over, n.under)
        case Divisor():
            inner = (n.a, n.b)
        case Whole():
            inner = (n.of,)
        case _:
            inner = ()
    for each in inner:
        yield from parts_of(each)


def _is(n: Dim, number: int) -> bool:
    """Whether a size is a plain number, which a letter is not."""
    return isinstance(n, int) and n == number


def _term(n: Dim) -> Term:
    """A size as a term: one in symbols is its own name."""
    return n if isinstance(n, Term) else Letter(n, str(n))


def _summands(n: Dim) -> tuple[tuple[tuple[int, Term], ...], int]:
    if isinstance(n, int):
        return (), n
    return (n.parts, n.number) if isinstance(n, Sum) else (((1, _term(n)),), 0)


def _added(a: Dim, b: Dim, sign: int) -> Dim:
    """a + b, or a - b: then a sum that is taken away stays in its brackets, as in D*(F - 1) + 1."""
    parts, number = _summands(a)
    more, constant = _summands(b)
    if sign < 0 and len(more) + (constant != 0) > 1:
        more, constant = ((1, _term(b)),), 0
    return summed((*parts, *((sign * times, part) for times, part in more)), number + sign * constant)


def summed(parts: tuple[tuple[int, Term], ...], number: int) -> Dim:
    """The sum of terms and a number, equal terms put together."""
    gathered: list[tuple[int, Term]] = []
    for count, part in parts:
        at = next((at for at, (_, known) in enumerate(gathered) if known is part or known == part), len(gathered))
        before = gathered[at][0] if at < len(gathered) else 0
        gathered[at : at + 1] = [(before + count, part)]
    kept = tuple((count, part) for count, part in gathered if count)
    if not kept:
        return number
    if number == 0 and len(kept) == 1 and kept[0][0] == 1:
        return kept[0][1]
    value: Dim = number
    for count, part in kept:
        value = part.value * count + value
    return Sum(value, kept, number)


def _factors(n: Dim) -> tuple[Dim, ...]:
    match n:
        case Product():
            return n.factors
        case Sum(parts=((times, part),), number=0):
            return (times, *_factors(part))
    return (n if isinstance(n, int) else _term(n),)


def _product(factors: tuple[Dim, ...]) -> Dim:
    """The product of factors, without those that say nothing."""
    kept = tuple(factor for factor in factors if not _is(factor, 1))
    if any(_is(factor, 0) for factor in kept):
        return 0
    if len(kept) < 2:
        return kept[0] if kept else 1
    value: Dim = 1
    for factor in kept:
        value = value_of(factor) * value
    return Product(value, kept)


def _rounded(a: Dim, b: Dim) -> Dim:
    """a / b rounded down; (n + b - 1) / b is n / b rounded up, and a whole b in that is 1 more."""
    if _is(b, 1):
        return a
    if isinstance(a, Sum) and isinstance(b, Term) and a.number == -1:
        times = next((count for count, part in a.parts if part == b), 0)
        if times > 0:
            over = summed(tuple((count, part) for count, part in a.parts if part != b), 0)
            return Quotient((value_of(over) + b.value - 1) // b.value, over, b, "ceil") + (times - 1)
    return Quotient(value_of(a) // value_of(b), a, b, "floor")
