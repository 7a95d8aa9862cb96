"""The cost of a net as a function of arrays: its formulas worked out at many points at once, exactly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from archcalc.analyses.costs import Totals
from archcalc.builder import Assumption
from archcalc.builder.values import LARGEST
from archcalc.symbolic.sizes import Polynomial, Size, at, symbols_of
from archcalc.volume import RELATIONS, Dim

LONGEST = 2**63 - 1  # what an int64 holds
AT_ONCE = 2**16  # points: their arrays stay in the cache
Arrays = Mapping[str, Any]


class CompiledCosts(NamedTuple):
    """A function from arrays of sizes and arguments to arrays of figures, as int64.

    It takes an integer or an array of them for each symbol, by name, and gives `Totals` of arrays in their common
    shape. No figure ever wraps around: one that 64 bits cannot hold raises `OverflowError`. A point that the net cannot
    be built at raises `ValueError`.
    """

    totals: Totals
    assumptions: tuple[Assumption, ...]
    symbols: tuple[str, ...]

    def __call__(self, **values: Any) -> Totals:
        """The figures at some points. Raises `TypeError` where a symbol is missing or no whole number."""
        points = _points(self.symbols, values)
        shape = np.broadcast_shapes(*(array.shape for array in points.values()))
        flat = {name: np.broadcast_to(array, shape).reshape(-1) for name, array in points.items()}
        size = int(np.prod(shape))
        figures = {name: np.empty(size, np.int64) for name in Totals._fields}
        for start in range(0, size, AT_ONCE):
            block = {name: array[start : start + AT_ONCE] for name, array in flat.items()}
            _check(self.assumptions, block)
            for name, value in zip(Totals._fields, self.totals, strict=True):
                figures[name][start : start + AT_ONCE] = _figure(name, value, block)
        arrays: Any = [figures[name].reshape(shape) for name in Totals._fields]
        return Totals(*arrays)


def compile_costs(totals: Totals, assumptions: Iterable[Assumption]) -> CompiledCosts:
    """The costs of a net or a part of it as a function; each assumption is checked once."""
    conditions = tuple({each.condition: each for each in assumptions}.values())
    sides = (side for each in conditions for side in (each.condition.a, each.condition.b))
    names = frozenset().union(*map(symbols_of, (*totals, *sides)))
    return CompiledCosts(totals, conditions, tuple(sorted(names)))


def _points(symbols: tuple[str, ...], values: Arrays) -> dict[str, Any]:
    """The values of the symbols as arrays of int64."""
    missing, surplus = [n for n in symbols if n not in values], [n for n in values if n not in symbols]
    if missing or surplus:
        wanted = ", ".join(symbols) or "nothing"
        raise TypeError(f"the costs depend on {wanted}; given {', '.join(values) or 'nothing'}")
    points = {}
    for name, value in values.items():
        array = np.asarray(value)
        if array.dtype.kind not in "iu":
            raise TypeError(f"{name} must be whole numbers, not {array.dtype}")
        if array.size and not (array.min() >= 1 and array.max() <= LARGEST):
            raise ValueError(f"{name} must be between 1 and {LARGEST:,}")
        points[name] = array.astype(np.int64)
    return points


def _check(assumptions: tuple[Assumption, ...], block: Arrays) -> None:
    """Raises `ValueError` for the first point at which an assumption does not hold."""
    for each in assumptions:
        a, b = (_values(side, block) for side in (each.condition.a, each.condition.b))
        true = np.broadcast_to(RELATIONS[each.condition.relation](a, b), next(iter(block.values())).shape)
        if not true.all():
            point = _point(block, int(np.argmin(true)))
            raise ValueError(f"there is no such net at {_named(point)}: it holds when {each}")


def _figure(name: str, value: Dim, block: Arrays) -> Any:
    found = np.asarray(_values(value, block))
    if found.dtype.kind != "O":
        return found
    over = np.atleast_1d(np.abs(found) > LONGEST)
    if over.any():
        index = int(np.argmax(over))
        what = f"{name} at {_named(_point(block, index))} is {np.atleast_1d(found)[index]:,}"
        raise OverflowError(f"{what}: more than 64 bits hold")
    return found.astype(np.int64)


def _values(value: Dim, block: Arrays) -> Any:
    """A formula at the points of a block: int64 where nothing on the way can overflow, else Python integers."""
    if isinstance(value, int):
        return value
    points = {name: block[name] for name in symbols_of(value)}
    if isinstance(value, Polynomial) and not value.plain:
        return _one_by_one(value, points)
    if _bound(value, {name: int(array.max()) for name, array in points.items()}) > LONGEST:
        points = {name: array.astype(object) for name, array in points.items()}
    return value.at(points[value.symbol]) if isinstance(value, Size) else _sum(value, points)


def _one_by_one(value: Dim, points: Arrays) -> Any:
    """A formula at one point after the other: what is not a sum of products is rare."""
    rows = zip(*(array.tolist() for array in points.values()), strict=True)
    return np.array([at(value, dict(zip(points, row, strict=True))) for row in rows], object)


def _sum(value: Dim, points: Arrays) -> Any:
    """A polynomial at some points; what is divided is divided last, and leaves nothing over."""
    assert isinstance(value, Polynomial)
    total: Any = 0
    for coefficient, atoms in value.scaled:
        product: Any = coefficient
        for atom, power in atoms:
            product = product * atom.at(points[atom.symbol]) ** power
        total = total + product
    return total // value.denominator


def _bound(value: Dim, largest: Mapping[str, int]) -> int:
    """What no number on the way to a value passes: sizes grow with their symbol."""
    if isinstance(value, Size):
        inner = largest[value.symbol] if isinstance(value.inner, str) else _bound(value.inner, largest)
        return max(inner + value.b, value.k * (inner + value.b) + abs(value.c))
    assert isinstance(value, Polynomial)
    total = 0
    for coefficient, atoms in value.scaled:
        product = abs(coefficient)
        for atom, power in atoms:
            product *= max(1, _bound(atom, largest)) ** power
        total += product
    return total


def _point(block: Arrays, index: int) -> dict[str, int]:
    return {name: int(array[index]) for name, array in block.items()}


def _named(point: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in point.items())
