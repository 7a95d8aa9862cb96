"""Figures that are right but for how they are written: digits slipped, rounding, a decimal point."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from archcalc.homework.answers import Figure
from archcalc.homework.mistakes.registry import ALL, other
from archcalc.units import exact

SMALL = 100  # below, a slip of a digit turns any number into any other

CUT = other("cut off instead of rounded", 5, ALL, "digits are left off without rounding up", "34.9K for 34,961")
UP = other("rounded up", 5, ALL, "rounded up where rounding goes down", "35.0K for 34,944")
ROUNDED = other("rounded", 5, ALL, "zeros in place of the last digits", "35,000 for 34,944")
DIGIT = other("digit slip", 50, ALL, "one digit wrong, left out, doubled or put in; two swapped", "34,494 for 34,944")
ZEROS = other("decimal point moved", 52, ALL, "ten times too much or too little, or more", "349,440 for 34,944")


class Written(NamedTuple):
    """A way in which a right number is written wrongly."""

    name: str
    weight: int
    arithmetic: str
    note: str


def badly_rounded(right: int, figure: Figure) -> Iterator[Written]:
    """The right number, not rounded as it should be."""
    unit = 2 * figure.half_unit
    if figure.half_unit and figure.truncates_from(right):
        yield Written(CUT.name, CUT.weight, _for(figure, right), "the digits that follow round it up")
    elif figure.half_unit and figure.value - unit < right <= figure.value:
        yield Written(UP.name, UP.weight, _for(figure, right), "the digits that follow round it down")
    elif figure.value > 0 and (figure.value / (unit or 1)).denominator == 1:
        digits = str(figure.value / (unit or 1))
        zeros = len(digits) - len(digits.rstrip("0"))
        coarse = (unit or 1) * 10**zeros
        if zeros and 2 * abs(right - figure.value) > coarse and figure.value <= right < figure.value + coarse:
            yield Written(CUT.name, CUT.weight + 5, _for(figure, right), "the digits that are left off round it up")
        if zeros and 2 * abs(right - figure.value) <= coarse:
            only = 15 * (len(digits) == zeros + 1)
            yield Written(ROUNDED.name, ROUNDED.weight + only, _for(figure, right), f"exactly it is {exact(right)}")


def mistyped(right: int, figure: Figure) -> Iterator[Written]:
    """The right number with slips of its digits, as exact as the figure is written."""
    unit = 2 * figure.half_unit or Fraction(1)
    written = figure.value / unit
    wanted = math.floor(Fraction(right) / unit + Fraction(1, 2))
    if right < 10 or written <= 0:
        return
    if written.denominator == 1:
        what = _slipped(str(wanted), str(written))
        if what:
            yield Written(DIGIT.name, DIGIT.weight + 2 * (what[1] > 0), _for(figure, right), what[0])
    for power in (1, -1, 2, -2, 3, -3):
        if Figure(figure.value / Fraction(10) ** power, figure.half_unit / Fraction(10) ** power).rounds_from(right):
            places = f"{abs(power)} place{'s' * (abs(power) > 1)}"
            way = "right" if power > 0 else "left"
            yield Written(
                ZEROS.name, ZEROS.weight, _for(figure, right), f"the decimal point stands {places} too far {way}"
            )


def _for(figure: Figure, right: int) -> str:
    """What is written, and what it stands for."""
    value = figure.value
    if figure.suffix:
        return f"{float(value / figure.scale):,.10g} {figure.suffix} for {exact(right)}"
    given = exact(int(value)) if value.denominator == 1 else f"{float(value):,.10g}"
    return f"{given} for {exact(right)}"


def _slipped(right: str, given: str) -> tuple[str, int] | None:
    """What has happened to the digits, and how odd that is."""
    if len(right) == len(given):
        wrong = [at for at, (a, b) in enumerate(zip(right, given, strict=True)) if a != b]
        if len(wrong) == 1:
            return f"a {given[wrong[0]]} stands for the {right[wrong[0]]}", 0
        if len(wrong) == 2 and wrong[1] == wrong[0] + 1:
            a, b = wrong
            if (right[a], right[b]) == (given[b], given[a]):
                return f"{right[a]} and {right[b]} are swapped", 0
    for at in range(len(right)):
        if right[:at] + right[at + 1 :] == given:
            return f"a {right[at]} is left out", 1
    for at in range(len(given)):
        if given[:at] + given[at + 1 :] == right:
            doubled = given[at] in given[max(0, at - 1) : at] + given[at + 1 : at + 2]
            return f"a {given[at]} is {'there twice' if doubled else 'too many'}", 1
    return None
