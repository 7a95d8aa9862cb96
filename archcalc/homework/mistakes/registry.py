"""The mutations: each a name, what it is, how likely, and how it changes what a student has in hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

from archcalc.homework.mistakes.drafts import Draft
from archcalc.homework.mistakes.scenes import Scene
from archcalc.units import exact

SIDE = ("size", "area", "height", "width", "depth")
LEARNT = ("params", "weights", "biases", "buffers")
DONE = ("macs", "flops")
ALL = (*SIDE, *LEARNT, *DONE, "memory")


class Kind(NamedTuple):
    """What all mutations have.

    Weights: 5 the figure is right but for how it is written; 10 the slips that lectures warn of; 15 to 20 usual ones;
    25 to 35 seen now and then, and cells of other rows and columns; 40 and more odd. Digits that are wrong weigh 50 to
    60. Two at once weigh what both do, and 10 more.
    """

    name: str  # always the same words
    weight: int
    quantities: tuple[str, ...]
    about: str  # what it is
    example: str  # with numbers


class Slip(NamedTuple):
    """A formula written down wrongly."""

    kind: Kind
    change: Callable[[Scene, Draft], Iterator[Slipped]]
    everywhere: bool  # also looked for in all layers at once


class Slipped(NamedTuple):
    """What a formula has become."""

    draft: Draft
    note: str
    extra: int = 0  # weight over that of its kind
    way: int = 0  # which form of the slip it is, where there are several: in a sum all layers have the same


class Misreading(NamedTuple):
    """The right formula for wrong facts: another layer's argument, another volume."""

    kind: Kind
    change: Callable[[Scene], Iterator[Misread]]


class Misread(NamedTuple):
    """What somebody has in hand who has read the net wrongly."""

    scene: Scene
    note: str
    extra: int = 0


class Conversion(NamedTuple):
    """A right figure in wrong units: so many times what it should be."""

    kind: Kind
    factor: Fraction
    note: str
    steps: tuple[Fraction, ...]  # as it is worked out, in the unit that is meant

    def then(self, other: Conversion) -> Conversion:
        """Both, one after the other."""
        return other._replace(factor=self.factor * other.factor, steps=(*self.steps, *other.steps))

    def arithmetic(self, value: int) -> str:
        """The right figure, so many times: `1,161,600/4 = 290,400`."""
        text, made = exact(value), Fraction(value)
        for step in self.steps:
            made *= step
            text += f" * {exact(step.numerator)}" if step.numerator > 1 else ""
            text += f"/{exact(step.denominator)}" if step.denominator > 1 else ""
        return f"{text} = {exact(int(made)) if made.denominator == 1 else f'{float(made):,.10g}'}"


SLIPS: list[Slip] = []
MISREADINGS: list[Misreading] = []
CONVERSIONS: list[Conversion] = []
OTHERS: list[Kind] = []  # what is looked for in ways of their own: other cells, digits, sums, receptive fields


def slip(
    name: str, weight: int, quantities: tuple[str, ...], about: str, example: str, everywhere: bool = False
) -> Callable[[Callable[[Scene, Draft], Iterator[Slipped]]], Callable[[Scene, Draft], Iterator[Slipped]]]:
    """Registers a way in which a formula is written down wrongly."""

    def register(change: Callable[[Scene, Draft], Iterator[Slipped]]) -> Callable[[Scene, Draft], Iterator[Slipped]]:
        SLIPS.append(Slip(Kind(name, weight, quantities, about, example), change, everywhere))
        return change

    return register


def misreading(
    name: str, weight: int, quantities: tuple[str, ...], about: str, example: str
) -> Callable[[Callable[[Scene], Iterator[Misread]]], Callable[[Scene], Iterator[Misread]]]:
    """Registers a way in which a net is read wrongly."""

    def register(change: Callable[[Scene], Iterator[Misread]]) -> Callable[[Scene], Iterator[Misread]]:
        MISREADINGS.append(Misreading(Kind(name, weight, quantities, about, example), change))
        return change

    return register


def other(name: str, weight: int, quantities: tuple[str, ...], about: str, example: str) -> Kind:
    """Registers what is looked for in a way of its own."""
    OTHERS.append(Kind(name, weight, quantities, about, example))
    return OTHERS[-1]


def catalogue() -> tuple[Kind, ...]:
    """All mutations, by name: what each is, and an example with numbers. A name may be there for several quantities."""
    kinds = (
        *(each.kind for each in SLIPS),
        *(each.kind for each in MISREADINGS),
        *(each.kind for each in CONVERSIONS),
        *OTHERS,
    )
    return tuple(sorted(dict.fromkeys(kinds), key=lambda kind: (kind.name, kind.quantities, kind.example)))


def known_names() -> tuple[str, ...]:
    """The names of all mutations, each once."""
    return tuple(dict.fromkeys(kind.name for kind in catalogue()))
