"""What a student handed in, as data: figures, the cells that they stand in, and what became of them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal, NamedTuple

# What a column of an answer sheet can ask for. `size` is height x width x depth, `area` height x width; `memory` is
# values or bytes, as the unit says. The others are quantities of `analyses.quantities`.
QUANTITIES = (
    *("size", "area", "height", "width", "depth", "memory"),
    *("params", "weights", "biases", "buffers", "macs", "flops", "receptive"),
)

Status = Literal["right", "carried", "wrong"]


class Figure(NamedTuple):
    """A number as it was written: what it stands for, and how exactly."""

    value: Fraction  # in plain units: values, bytes, parameters, operations
    half_unit: Fraction = Fraction(0)  # half a unit of its last digit, where it is rounded: 35k; 0 where it is exact
    unit: str = ""  # values, bytes, params, macs, flops; empty where none is written
    suffix: str = ""  # as written: k, MB, MiB
    scale: int = 1  # what the suffix has multiplied by

    def rounds_from(self, exact: int | Fraction) -> bool:
        """Whether an exact value is it, or rounds to it as it is written; halves go up."""
        return exact == self.value or -self.half_unit <= exact - self.value < self.half_unit

    def truncates_from(self, exact: int | Fraction) -> bool:
        """Whether it is an exact value, or one cut off after its last digit."""
        return exact == self.value or self.value <= exact < self.value + 2 * self.half_unit


class Place(NamedTuple):
    """Where an answer stands."""

    file: str
    cell: str  # `line 3, params`, or `B7` of a sheet

    def __str__(self) -> str:
        return f"{self.file}: {self.cell}"


class Answer(NamedTuple):
    """One cell: which layer and quantity of the net it answers, and what stands there."""

    layer: str | None  # a layer or a group as the net names it; None is the whole net
    quantity: str  # one of QUANTITIES
    text: str  # as written, cut where it is very long
    figures: tuple[Figure, ...]  # three of a size, two of an area, else one
    where: Place


class Submission(NamedTuple):
    """A sheet of answers read against a net."""

    name: str  # of the file
    answers: tuple[Answer, ...]  # in the order of the net, the totals last
    remarks: tuple[str, ...] = ()  # how layers were matched; extra rows and columns; cells that say nothing
    unread: tuple[tuple[Place, str, str], ...] = ()  # cells that are no answer: place, text, why
    missing: tuple[str, ...] = ()  # layers of the net that have no row though their kind has answers elsewhere
    unanswered: tuple[Answer, ...] = ()  # the cells of `unread`, in their order: what each answers, without figures


class Mistake(NamedTuple):
    """A way in which a wrong figure comes about."""

    name: str  # short and always the same words: `bias forgotten`; what summaries count by
    arithmetic: str  # `11*11*3*96 = 34,848`
    weight: int  # how much it takes to believe: less is likelier
    note: str = ""  # a sentence for the student, with the numbers of this layer


class Mark(NamedTuple):
    """A cell with its verdict."""

    answer: Answer
    right: Any  # the right value: a Volume, an area, an int
    status: Status
    mistakes: tuple[Mistake, ...] = ()  # those that give exactly what was written, the likeliest first
    note: str = ""  # a convention used, a carried figure's arithmetic
    solution: tuple[str, ...] = ()  # formula, substitution, result: of wrong cells
    points: Fraction = Fraction(0)
    of: Fraction = Fraction(1)


class Marked(NamedTuple):
    """A submission marked."""

    arch: str
    submission: Submission
    marks: tuple[Mark, ...]
    conventions: tuple[str, ...] = ()  # what was accepted, each said once
    patterns: tuple[str, ...] = ()  # a mistake made again and again: `bias forgotten in 5 of 8 cells of params`

    @property
    def score(self) -> Fraction:
        """Points reached."""
        return sum((mark.points for mark in self.marks), Fraction(0))

    @property
    def of(self) -> Fraction:
        """Points that could be reached."""
        return sum((mark.of for mark in self.marks), Fraction(0))
