"""Polynomials made short: a size that comes with an offset everywhere is written with it, (floor((H + 1)/4) - 2)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from archcalc.symbolic.writing import Term

MOST_TRIED = 3  # offsets of a size
LARGEST_OFFSET = 64  # of those that windows leave; larger ones come about by chance
Sum = dict[frozenset[tuple[Any, int]], Fraction]  # coefficients by the atoms with their powers


def tidy(terms: Sequence[Term]) -> list[Term]:
    """The same polynomial in sizes with offsets, where that takes fewer terms.

    34848*a*b - 69696*a - 69696*b + 139392 is 34848*(a - 2)*(b - 2): next to a*b stands a with -2 times its coefficient.
    """
    found: Sum = {frozenset(atoms): coefficient for coefficient, atoms in terms}
    for atom in dict.fromkeys(atom for _, atoms in terms for atom, _ in atoms):
        for offset in _offsets(found, atom):
            shifted = _shifted(found, atom, offset)
            if len(shifted) < len(found):
                found = shifted
                break
    return [(coefficient, tuple(atoms)) for atoms, coefficient in found.items()]


def _offsets(terms: Sum, atom: Any) -> list[int]:
    """Offsets that would make terms vanish, those that most terms ask for first."""
    wanted: Counter[int] = Counter()
    for atoms, coefficient in terms.items():
        power = dict(atoms).get(atom, 0)
        lower = _times(atoms, atom, -1)
        less = terms.get(lower) if power > 0 and lower else None  # a lone size and a number stay apart
        if less is not None and (less / (power * coefficient)).denominator == 1:
            wanted[int(less / (power * coefficient))] += 1
    return [offset for offset, _ in wanted.most_common(MOST_TRIED) if abs(offset) <= LARGEST_OFFSET]


def _shifted(terms: Sum, atom: Any, offset: int) -> Sum:
    """The polynomial with (atom + offset) - offset for an atom, multiplied out."""
    found: Sum = defaultdict(Fraction)
    for atoms, coefficient in terms.items():
        power = dict(atoms).get(atom, 0)
        rest = _times(atoms, atom, -power)
        for kept in range(max(power, 0) + 1) if power >= 0 else ():
            factor = coefficient * math.comb(power, kept) * (-offset) ** (power - kept)
            found[_times(rest, atom + offset, kept)] += factor
        if power < 0:  # a divisor stays as it is
            found[atoms] += coefficient
    return {atoms: coefficient for atoms, coefficient in found.items() if coefficient}


def _times(atoms: frozenset[tuple[Any, int]], atom: Any, power: int) -> frozenset[tuple[Any, int]]:
    powers = dict(atoms)
    powers[atom] = powers.get(atom, 0) + power
    return frozenset((each, n) for each, n in powers.items() if n)
