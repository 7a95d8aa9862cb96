"""Fingerprints of values: what tells two runs apart, and not two machines."""

from __future__ import annotations

import math
from functools import cache
from hashlib import sha256
from typing import NamedTuple

import numpy as np

from archcalc.executor.base import Array

PLACES = 3  # decimal places, in units of the values' own scale, that a fingerprint sees
PERIOD = 8191  # values until a pattern of signs comes again: a prime, so that rows and slices do not fall in step
BLOCK = 2048  # values summed up at a time: they stay in the cache, and OpenBLAS does not wake its threads for them
PATTERNS = 3  # all alike, and two of signs
NEARLY_CONSTANT = 1000  # a mean of more than so many deviations: what is left of these may be rounding
HALF = 4  # letters


class Fingerprint(NamedTuple):
    """Mean and deviation of an array, and a text for the whole of it: `3f2a-9c41`.

    The text is made from four figures: the logarithm of the scale s (of the deviation, that is, unless the values are
    nearly constant), the mean by s, and two sums of all values by s * sqrt(n), in which fixed halves of them are
    subtracted. Rounded to `PLACES` places they are hashed to four letters. Wherever figures are rounded some values
    lie at a border, where the last bit of a sum decides; so there are two hashes, with borders half a unit apart, and
    two fingerprints agree where either half does. Rounding (other machines, other kernels, float32 or float64) changes
    one half of a layer in some hundreds, and hardly ever both; a difference of 1e-2 s, in the root mean square over all
    values, changes both.
    """

    mean: float | None  # None where a value is not finite
    deviation: float | None
    text: str

    def agrees(self, other: Fingerprint) -> bool:
        """Whether both are of the same values, to the digits that a fingerprint sees."""
        return any(a == b for a, b in zip(self.text.split("-"), other.text.split("-"), strict=False))


NOT_FINITE = Fingerprint(None, None, "not finite")


def fingerprint(array: Array) -> Fingerprint:
    """The fingerprint of an array of numbers, in one pass through it."""
    n = array.size
    flat = array.reshape(-1)  # of one image after the other
    sums, squares = np.zeros(PATTERNS), 0.0
    pivot = float(flat[0])  # near the mean, if all values are: so that no digits are lost in the squares
    for start in range(0, n, BLOCK):
        values = flat[start : start + BLOCK].astype(np.float64)
        values -= pivot
        squares += float(values @ values)
        at = start % PERIOD
        sums += patterns()[:, at : at + values.size] @ values
    if not (math.isfinite(squares) and np.isfinite(sums).all()):
        return NOT_FINITE
    offset = float(sums[0]) / n  # of the mean from the pivot
    mean = pivot + offset
    deviation = math.sqrt(max(squares / n - offset * offset, 0.0))
    projections = [float(total - offset * whole) / math.sqrt(n) for total, whole in zip(sums, _totals(n), strict=True)]
    return Fingerprint(mean, deviation, _text(mean, deviation, projections[1:]))


def sum_of_squares(array: Array) -> float:
    """The sum of the squares of all values, in float64, some of them at a time."""
    flat = array.reshape(-1)
    parts = (flat[start : start + BLOCK].astype(np.float64) for start in range(0, flat.size, BLOCK))
    return sum(float(part @ part) for part in parts)


@cache
def patterns() -> Array:
    """Ones, and patterns of +1 and -1 from a splitmix64 generator; a block more than a period: (PATTERNS, …)."""
    z = np.arange(1, PERIOD + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    bits = [np.ones(PERIOD), *((z >> np.uint64(32 + at)) % np.uint64(2) * 2.0 - 1 for at in range(1, PATTERNS))]
    return np.pad(np.stack(bits), ((0, 0), (0, BLOCK)), mode="wrap")


def _totals(n: int) -> list[float]:
    """The sum of each pattern over n values."""
    whole, rest = divmod(n, PERIOD)
    return [float(each[:PERIOD].sum() * whole + each[:rest].sum()) for each in patterns()]


def _text(mean: float, deviation: float, projections: list[float]) -> str:
    scale = math.hypot(deviation, mean / NEARLY_CONSTANT)
    if scale == 0:
        return "-".join(["0" * HALF] * 2)
    figures = [math.log(scale), *(each / scale for each in (mean, *projections))]
    units = [figure * 10**PLACES for figure in figures]
    halves = [(shift, *(math.floor(unit + shift) for unit in units)) for shift in (0, 0.5)]
    return "-".join(sha256(repr(half).encode()).hexdigest()[:HALF] for half in halves)
