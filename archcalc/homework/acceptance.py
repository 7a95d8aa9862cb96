"""Whether a figure stands for a value: what a column may count, and how a number may be written."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from archcalc.homework.answers import Figure, Mistake
from archcalc.homework.figures import with_zeros
from archcalc.homework.rubric import NOT_ACCEPTED, TOO_FEW_DIGITS, Rubric
from archcalc.units import exact
from archcalc.volume import Volume

KILO, KIBI = 1000, 1024
POWERS = {KILO**n: n for n in range(1, 5)}
ADDED_UP = ("params", "weights", "biases", "buffers", "macs", "flops", "memory")  # over the layers of a part
OF_BATCH = ("memory", "macs", "flops")  # … and over the images
CONVENTIONS = {  # what is accepted, as it is said
    "with": "parameters with biases",
    "without": "parameters without biases",
    "all": "FLOPs as 2 a multiply-add and 1 for every other operation",
    "2macs": "FLOPs as 2 a multiply-add and nothing else",
    "macs": "FLOPs as 1 a multiply-add and nothing else",
    "values": "memory in values",
    "bytes": "memory in bytes of {dtype}",
    "larger": "receptive fields by their larger side",
    "depth first": "sizes with the depth first",
    "MiB": "KB, MB and GB as powers of 1024",
    "rounded": "figures rounded as they are written",
    "truncated": "figures cut off after their last digit",
    "zeros": "zeros at the end of a number as rounding",
}
WEIGHT = 5  # of a figure that is right but for how it is written


class Facts(NamedTuple):
    """What a layer, a group or a net comes to, for one image; all counts are exact."""

    size: Volume
    values: int  # of the outputs that are kept
    params: int
    weights: int
    biases: int
    buffers: int
    macs: int
    flops: int
    receptive: tuple[int, ...] = ()  # height and width, where it is asked for


class Meaning(NamedTuple):
    """Exact values that the figures of a cell may stand for, and the convention by which they do."""

    values: tuple[int | Fraction, ...]  # a fraction only where a student's own figures are added up
    convention: str = ""


def meanings(quantity: str, facts: Facts, rubric: Rubric, figures: tuple[Figure, ...]) -> Iterator[Meaning]:
    """What a rubric accepts for a quantity, the plainest first."""
    times = rubric.batch if quantity in OF_BATCH else 1
    match quantity:
        case "size":
            yield Meaning(tuple(map(_number, facts.size)))
            if rubric.order == "either":
                yield Meaning((_number(facts.size.c), _number(facts.size.h), _number(facts.size.w)), "depth first")
        case "area":
            yield Meaning((_number(facts.size.h), _number(facts.size.w)))
        case "height" | "width" | "depth":
            yield Meaning((_number(getattr(facts.size, {"height": "h", "width": "w", "depth": "c"}[quantity])),))
        case "receptive":
            yield from _receptive(facts.receptive, len(figures))
        case "params":
            known = {"with": facts.params, "without": facts.weights}
            chosen = ("with", "without") if rubric.biases == "either" else (rubric.biases,)
            yield from (Meaning((known[each],), each) for each in chosen)
        case "flops":
            counts = {"all": facts.flops, "2macs": 2 * facts.macs, "macs": facts.macs}
            yield from (Meaning((counts[each] * times,), each) for each in flops_accepted(rubric))
        case "memory":
            unit = figures[0].unit if figures else ""
            sizes = {"values": facts.values, "bytes": facts.values * rubric.bytes_per_value}
            yield from (Meaning((sizes[each] * times,), each) for each in rubric.memory if unit in ("", each))
        case _:
            yield Meaning((getattr(facts, quantity) * times,))


def flops_accepted(rubric: Rubric) -> tuple[str, ...]:
    """What FLOPs may be: as the rubric says; else all, or 2 a multiply-add; by a rule what this counts."""
    return rubric.flops or (("all",) if rubric.rule else ("all", "2macs"))


def _receptive(sides: tuple[int, ...], written: int) -> Iterator[Meaning]:
    """Height and width; a single figure is both where they are equal, else the larger."""
    square = min(sides) == max(sides)
    if written == 1 or (square and written != len(sides)):
        yield Meaning((max(sides),), "" if square else "larger")
    else:
        yield Meaning(sides)


def _number(n: object) -> int:
    assert isinstance(n, int)
    return n


# ---------------------------------------------------------------- figures


def accepted(figures: tuple[Figure, ...], meaning: Meaning, rubric: Rubric) -> tuple[str, ...] | None:
    """The conventions by which figures stand for the values of a meaning; None where they do not."""
    if len(figures) != len(meaning.values):
        return None
    found = [written_for(each, value, rubric) for each, value in zip(figures, meaning.values, strict=True)]
    if any(each is None for each in found):
        return None
    used = (meaning.convention, *(convention for each in found for convention in each or ()))
    return tuple(dict.fromkeys(convention for convention in used if convention))


def written_for(figure: Figure, value: int | Fraction, rubric: Rubric) -> tuple[str, ...] | None:
    """How a figure is written where it stands for a value: rounded, in powers of 1024; None where it does not."""
    for reading, convention in readings(figure, rubric):
        how = _written(reading, value, rubric)
        if how is not None:
            return tuple(each for each in (convention, how) if each)
    return None


def readings(figure: Figure, rubric: Rubric) -> Iterator[tuple[Figure, str]]:
    """What a figure may be: MB are 10**6 bytes, or 2**20, as a rubric says."""
    power = POWERS.get(figure.scale, 0) if figure.unit == "bytes" else 0
    if rubric.megabytes != "MiB" or not power:
        yield figure, ""
    if rubric.megabytes != "MB" and power:
        more = Fraction(KIBI, KILO) ** power
        yield figure._replace(value=figure.value * more, half_unit=figure.half_unit * more, scale=KIBI**power), "MiB"


def _written(figure: Figure, value: int | Fraction, rubric: Rubric) -> str | None:
    """Exactly, rounded, truncated, or with zeros for what was rounded."""
    if figure.value == value:
        return ""
    wide = with_zeros(figure, rubric.digits) if rubric.zeros else figure
    for shortened, how in ((figure, ""), (wide, "zeros")):
        if not shortened.half_unit or digits_of(shortened) < rubric.digits:
            continue
        if "rounded" in rubric.rounding and shortened.rounds_from(value):
            return how or "rounded"
        if "truncated" in rubric.rounding and shortened.truncates_from(value):
            return how or "truncated"
    return None


def digits_of(figure: Figure) -> int:
    """Significant digits of a rounded figure: 3 of 34.9K, 1 of 0.03M, none of 0.0M."""
    units = int(abs(figure.value) / (2 * figure.half_unit)) if figure.half_unit else 0
    return len(str(units)) if units else 0


def otherwise(quantity: str, facts: Facts, rubric: Rubric, figures: tuple[Figure, ...]) -> Mistake | None:
    """Why figures are not accepted that have too few digits, or that another convention makes right."""
    fewer = rubric._replace(digits=1)
    for meaning in meanings(quantity, facts, fewer, figures):
        if accepted(figures, meaning, fewer) is not None:
            digits = min(digits_of(each if each.half_unit else with_zeros(each)) for each in figures)
            text = f"{_text(meaning)} with {digits} digit{'s' * (digits != 1)}, of at least {rubric.digits}"
            return Mistake(TOO_FEW_DIGITS, text, WEIGHT)
    lenient = fewer._replace(biases="either", flops=("all", "2macs", "macs"), memory=("values", "bytes"))
    lenient = lenient._replace(megabytes="either", rounding=("rounded",), order="either")
    asked = next(meanings(quantity, facts, rubric, ()))
    for meaning in meanings(quantity, facts, lenient, figures):
        used = [each for each in accepted(figures, meaning, lenient) or () if each not in _taken(rubric)]
        names = dict.fromkeys(NOT_ACCEPTED[each] for each in used if each in NOT_ACCEPTED)
        if names:
            return Mistake(" and ".join(names), f"{_text(meaning)}, where {_text(asked)} is asked", WEIGHT)
    return None


def _taken(rubric: Rubric) -> set[str]:
    """The conventions that a rubric accepts."""
    found = {*rubric.memory, *flops_accepted(rubric), *rubric.rounding}
    found |= {"with", "without"} if rubric.biases == "either" else {rubric.biases}
    found |= {"MiB"} if rubric.megabytes != "MB" else set()
    return found | ({"depth first"} if rubric.order == "either" else set())


def _text(meaning: Meaning) -> str:
    return "x".join(exact(int(value)) for value in meaning.values)
