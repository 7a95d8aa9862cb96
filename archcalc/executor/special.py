"""Functions that NumPy has none of."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from archcalc.executor.base import Array

LAST, STEPS, TERMS = 6, 64, 7  # of the Taylor polynomials of erf: the last point, points in 1, terms


def erf(x: Array) -> Array:
    """The error function of each value of float64, to 1e-15: NumPy has none.

    A Taylor polynomial around the nearest of many points; where x is past the last one, erf is 1.
    """
    size = np.minimum(np.abs(x), LAST)
    at = np.rint(np.nan_to_num(size) * STEPS).astype(np.intp)
    distance = size - at / STEPS
    tables = taylor_of_erf()
    y: Array = tables[-1][at]
    for table in tables[-2::-1]:
        y = y * distance + table[at]
    return np.copysign(y, x, out=y)


@cache
def taylor_of_erf() -> Array:
    """The coefficients at 0, 1/64, 2/64, … 6: erf, erf', erf''/2, …, by erf'' = -2 t erf'."""
    t = np.arange(LAST * STEPS + 1) / STEPS
    found = [np.array([*map(math.erf, t)]), 2 / math.sqrt(math.pi) * np.exp(-t * t)]
    for n in range(TERMS - 2):
        found.append(-2 * ((n + 1) * t * found[-1] + n * found[-2]) / ((n + 1) * (n + 2)))
    return np.array(found)
