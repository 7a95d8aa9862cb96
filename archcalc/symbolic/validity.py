"""What formulas hold for: the values of the symbols that every layer and every branch of a net agrees with."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from itertools import count, islice, product, takewhile
from typing import Any, NamedTuple

from archcalc.builder import Assumption
from archcalc.lang.errors import Fault, SpecError
from archcalc.symbolic.sizes import (
    LONGEST_PERIOD,
    Polynomial,
    Size,
    at,
    grow_alike,
    holds,
    symbols_of,
    unlike_until,
)
from archcalc.volume import Dim, Undecided

SHOWN = 3  # values that a sentence names
MOST_COMBINATIONS = 20_000
MOST_TESTS = 200_000  # of conditions at a value
FEW_TESTS = 10_000  # where they cannot decide


class Domain(NamedTuple):
    """The values of one symbol that a net can be built with.

    From `start` on they repeat with `period`; `known` says whether that was decided, or only looked at up to a bound.
    """

    symbol: str
    reasons: tuple[Assumption, ...]  # those that none of the others implies
    first: tuple[int, ...]  # the legal values before start + period
    start: int
    period: int
    most: int | None
    known: bool

    @property
    def least(self) -> int:
        """The smallest legal value."""
        return self.first[0]

    @property
    def last(self) -> int | None:
        """The largest legal value; None where there are ever larger ones."""
        if self.most is None:
            return None if self._cycle else self.first[-1]
        return max((n + (self.most - n) // self.period * self.period for n in self._cycle), default=self.first[-1])

    @property
    def _cycle(self) -> tuple[int, ...]:
        return tuple(n for n in self.first if n >= self.start)

    def values(self) -> Iterator[int]:
        """The legal values, rising; without end where nothing bounds them."""
        yield from (n for n in self.first if n < self.start)
        for times in count() if self._cycle else ():
            for n in self._cycle:
                if self.most is not None and n + times * self.period > self.most:
                    return
                yield n + times * self.period

    def values_to(self, last: int) -> Iterator[int]:
        """The legal values up to one."""
        return takewhile(lambda n: n <= last, self.values())

    @property
    def text(self) -> str:
        """In words: `H >= 63`, `H = 32, 48, 64, …`, `H = 7 to 10, 15 to 18, 23 to 26, …`."""
        end = max(self.start, self.least) + (SHOWN + 1) * self.period
        found = runs(self.values_to(end))
        if len(found) == 1:
            first, last = found[0]
            if self.last is None:
                return f"{self.symbol} >= {first}"
            return f"{first} <= {self.symbol} <= {self.last}" if last > first else f"{self.symbol} = {first}"
        some = [f"{first} to {last}" if last > first else f"{first}" for first, last in found[:SHOWN]]
        return f"{self.symbol} = {', '.join(some)}{', …' if len(found) > SHOWN else ''}"


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Rising numbers as stretches without gaps.

    >>> runs([1, 2, 3, 7, 9, 10])
    [(1, 3), (7, 7), (9, 10)]
    """
    found: list[tuple[int, int]] = []
    for n in numbers:
        if found and found[-1][1] == n - 1:
            found[-1] = (found[-1][0], n)
        else:
            found.append((n, n))
    return found


@lru_cache(maxsize=16)  # a net is refused by them, and then told about
def domains(assumptions: tuple[Assumption, ...]) -> dict[str, Domain]:
    """The legal values of each symbol, by conditions on it alone; left out where none was found by looking.

    Raises `SpecError` where it is decided that there are none.
    """
    alone: dict[str, list[Assumption]] = {}
    for each in assumptions:
        names = names_of(each.condition)
        if len(names) == 1:
            alone.setdefault(min(names), []).append(each)
    found = {name: _domain(name, conditions) for name, conditions in sorted(alone.items())}
    return {name: domain for name, domain in found.items() if domain}


def others(assumptions: Iterable[Assumption], found: Mapping[str, Domain]) -> tuple[Assumption, ...]:
    """The conditions that the legal values of single symbols do not tell: on several symbols, or not seen through."""
    left = [
        each for each in assumptions if not names_of(each.condition) <= {*found} or len(names_of(each.condition)) > 1
    ]
    return tuple(reversed({each.condition: each for each in reversed(left)}.values()))


def names_of(condition: Undecided) -> frozenset[str]:
    """The symbols of a condition."""
    return symbols_of(condition.a) | symbols_of(condition.b)


def meets(numbers: Mapping[str, int], assumptions: Iterable[Assumption]) -> bool:
    """Whether all assumptions hold for some numbers."""
    return all(holds(each.condition, numbers) for each in assumptions)


def failing(assumptions: Iterable[Assumption], numbers: Mapping[str, int]) -> list[Assumption]:
    """The assumptions that do not hold for some numbers."""
    return [each for each in assumptions if not holds(each.condition, numbers)]


def refuse_impossible(assumptions: tuple[Assumption, ...]) -> None:
    """Raises `SpecError` where no values of the symbols meet all assumptions, with those that contradict each other."""
    domains(assumptions)


def smallest(assumptions: tuple[Assumption, ...]) -> dict[str, int] | None:
    """The smallest legal values, by the largest of them; None where none is found within a bound."""
    found = domains(assumptions)
    together = others(assumptions, found)
    if not together:
        return {name: domain.least for name, domain in found.items()}
    names = sorted(frozenset().union(*(names_of(each.condition) for each in together)) | found.keys())
    most = int((MOST_COMBINATIONS // len(together)) ** (1 / len(names)))
    choices = [islice(found[name].values() if name in found else count(1), most) for name in names]
    for values in sorted(product(*map(tuple, choices)), key=lambda values: (max(values), values)):
        numbers = dict(zip(names, values, strict=True))
        if meets(numbers, together):
            return numbers
    return None


def counterexample(assumption: Assumption, domain: Domain) -> int | None:
    """The smallest value, from the lower bound of its symbol on, for which a condition on that symbol does not hold."""
    lower = [each.condition.b for each in domain.reasons if _bound(each.condition) and each.condition.relation == ">="]
    first = max((at(b, {}) for b in lower), default=1)
    tried = range(first, first + LONGEST_PERIOD)
    return next((n for n in tried if not holds(assumption.condition, {domain.symbol: n})), None)


def _bound(condition: Undecided) -> bool:
    """Whether a condition bounds its symbol by a number."""
    bare = isinstance(condition.a, Size) and condition.a == Size(condition.a.symbol)
    return bare and isinstance(condition.b, int) and condition.relation in (">=", "<=")


def _domain(name: str, assumptions: list[Assumption]) -> Domain | None:
    lower = _strongest([each for each in assumptions if _bound(each.condition) and each.condition.relation == ">="], 1)
    upper = _strongest([each for each in assumptions if _bound(each.condition) and each.condition.relation == "<="], -1)
    rest = tuple({each.condition: each for each in reversed(assumptions) if not _bound(each.condition)}.values())[::-1]
    reasons = (*lower, *upper, *rest)
    least = max(1, *(at(each.condition.b, {}) for each in lower), 1)
    most = min((at(each.condition.b, {}) for each in upper), default=None)
    start, period, known = least, 1, True
    for each in rest:
        own_start, own_period = _regular_from(each.condition)
        known = known and own_period > 0
        start, period = max(start, own_start), math.lcm(period, max(1, own_period))
    known = known and (start - least + period) * len(rest) <= MOST_TESTS
    start = start if known else least + FEW_TESTS // max(1, len(rest))
    end = start + period if known else start
    tried = range(least, min(end, most + 1) if most is not None else end)
    first = tuple(n for n in tried if meets({name: n}, rest))
    if not first and known:
        raise _impossible(reasons)
    return Domain(name, reasons, first, start, period, most, known) if first else None


def _strongest(bounds: list[Assumption], sign: int) -> tuple[Assumption, ...]:
    return tuple(sorted(bounds, key=lambda each: -sign * at(each.condition.b, {}))[:1])


def _regular_from(condition: Undecided) -> tuple[int, int]:
    """From where on, and with which period, a condition on one symbol repeats; period 0 where that is not known."""
    a, b = condition.a, condition.b
    if "divide" in condition.relation and isinstance(a, int) and isinstance(b, Size):
        step, rise = b.period()
        return 1, step * (a // math.gcd(a, rise))
    return _meeting(a, b) if isinstance(a, Size) else _meeting(b, a)


def _meeting(a: Dim, b: Dim) -> tuple[int, int]:
    if not isinstance(a, Size):
        last = _roots_until(a, b)
        return (1, 0) if last is None else (last + 1, 1)
    if isinstance(b, int):
        return max(1, a.most(b) + 1), 1
    if not isinstance(b, Size):
        return _meeting(b, a)
    if grow_alike(a, b):
        return 1, math.lcm(a.period()[0], b.period()[0])
    last = unlike_until(a, b)
    return (1, 0) if last is None else (last + 1, 1)


def _roots_until(a: Dim, b: Dim) -> int | None:
    """A bound of the places where polynomials in one symbol meet (Cauchy 1829); None where they are no such ones."""
    difference: Any = a - b
    if not isinstance(difference, Polynomial) or not difference.plain:
        return None
    powers: dict[int, Fraction] = {}
    for coefficient, atoms in difference.terms:
        if len(atoms) > 1 or any(atom.m != 1 or atom.depth for atom, _ in atoms):
            return None
        powers[sum(power for _, power in atoms)] = coefficient
    leading = powers.pop(max(powers))
    return 1 + math.ceil(max((abs(each / leading) for each in powers.values()), default=0))


def _impossible(reasons: tuple[Assumption, ...]) -> SpecError:
    conditions = " and ".join(dict.fromkeys(f"{each.condition.text} (`{each.about}`)" for each in reasons))
    what = "never holds" if len(reasons) == 1 else "cannot hold together"
    return SpecError([Fault(f"no input fits: {conditions} {what}", reasons[-1].span)])
