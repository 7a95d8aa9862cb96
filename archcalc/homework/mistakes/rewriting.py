"""Formulas rewritten: a term with some of its parts changed, its value worked out anew."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from fractions import Fraction
from typing import TypeAlias

from archcalc.analyses.terms import (
    Letter,
    Product,
    Quotient,
    Rounding,
    Sum,
    Term,
    Whole,
    letters,
    parts_of,
    summed,
    value_of,
)
from archcalc.volume import Dim

Change: TypeAlias = "Callable[[Term], Dim | None]"  # what stands in the place of a part; None to leave it


def rewritten(n: Dim, change: Change) -> Dim:
    """A formula with each outermost part that `change` has something for replaced by it."""
    if not isinstance(n, Term):
        return n
    found = change(n)
    if found is not None:
        return found
    match n:
        case Sum():
            return added([(times, rewritten(part, change)) for times, part in n.parts], n.number)
        case Product():
            return multiplied([rewritten(factor, change) for factor in n.factors])
        case Quotient():
            return divided(rewritten(n.over, change), rewritten(n.under, change), n.rounding)
        case Whole():
            return rewritten(n.of, change)
    return n


def added(parts: Collection[tuple[int, Dim]], number: int = 0) -> Dim:
    """So many times each part, and a number; a sum that is taken away stays in its brackets."""
    terms: list[tuple[int, Term]] = []
    for times, part in parts:
        if isinstance(part, Sum) and (times > 0 or len(part.parts) + (part.number != 0) == 1):
            terms += [(times * inner, each) for inner, each in part.parts]
            number += times * part.number
        elif isinstance(part, Term):
            terms.append((times, part))
        else:
            number += times * numbers(part)
    return summed(tuple(terms), number)


def multiplied(factors: Collection[Dim]) -> Dim:
    """The product of factors in their order."""
    product: Dim = 1
    for factor in factors:
        product = product * factor
    return product


def divided(over: Dim, under: Dim, rounding: Rounding) -> Dim:
    """A quotient; an exact one that does not come out is rounded down."""
    a, b = numbers(over), numbers(under)
    if isinstance(under, int) and b == 1:
        return over
    if rounding == "exact" and a % b:
        rounding = "floor"
    return Quotient(-(-a // b) if rounding == "ceil" else a // b, over, under, rounding)


def numbers(n: Dim) -> int:
    """The value of a formula of numbers."""
    value = value_of(n)
    assert isinstance(value, int)
    return value


def exactly(n: Dim) -> Fraction:
    """The value of a formula of numbers whose divisions are not rounded."""
    match n:
        case Sum():
            return sum((times * exactly(part) for times, part in n.parts), Fraction(n.number))
        case Product():
            return math.prod(map(exactly, n.factors), start=Fraction(1))
        case Quotient():
            return exactly(n.over) / exactly(n.under)
        case Whole():
            return exactly(n.of)
    return Fraction(numbers(n))


def replaced(n: Dim, old: Term, new: Dim) -> Dim:
    """A formula with one of its parts, this very one, replaced."""
    return rewritten(n, lambda part: new if part is old else None)


def with_letters(n: Dim, new: dict[Letter, Dim]) -> Dim:
    """A formula with other sizes in place of some of its letters."""
    return rewritten(n, lambda part: new.get(part) if isinstance(part, Letter) else None)


def quotients(n: Dim) -> Iterator[Quotient]:
    """The divisions in a formula that are rounded."""
    return (part for part in parts_of(n) if isinstance(part, Quotient) and part.rounding != "exact")


def without_factor(n: Dim, chosen: Callable[[Letter], bool], most: int | None = None) -> Dim:
    """A product without the factors that have a chosen letter; without the last `most` of these."""
    factors = n.factors if isinstance(n, Product) else (n,)
    at = [i for i, factor in enumerate(factors) if any(chosen(letter) for letter in letters(factor))]
    gone = at if most is None else at[-most:]
    return multiplied([factor for i, factor in enumerate(factors) if i not in gone])


def has_letter(n: Dim, chosen: Callable[[Letter], bool]) -> bool:
    """Whether one of the letters of a formula is chosen."""
    return any(chosen(letter) for letter in letters(n))
