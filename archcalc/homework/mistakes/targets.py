"""What a student's figures leave open: a whole number for each, or a stretch of them that rounds to it."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from archcalc.homework.answers import Figure


class Target(NamedTuple):
    """The whole numbers that are the student's figures, or round to them as they are written."""

    bounds: tuple[tuple[int, int], ...]  # the least and the largest, for each figure

    def met(self, values: tuple[int, ...]) -> bool:
        """Whether the values are, or round to, the figures."""
        return all(low <= value <= high for value, (low, high) in zip(values, self.bounds, strict=True))


def target(figures: tuple[Figure, ...], factor: Fraction = Fraction(1)) -> Target:
    """The numbers that come to the figures when they are taken so many times."""
    return Target(tuple(_bounds(figure, factor) for figure in figures))


def _bounds(figure: Figure, factor: Fraction) -> tuple[int, int]:
    low, high = (figure.value - figure.half_unit) / factor, (figure.value + figure.half_unit) / factor
    if figure.half_unit == 0:
        return math.ceil(low), math.floor(low)
    exact = figure.value / factor  # which `rounds_from` takes too
    return math.ceil(low), max(math.ceil(high) - 1, math.floor(exact))
