"""Wrong ways to a figure of a layer, one by one and two at a time."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from archcalc.homework.answers import Figure, Mistake
from archcalc.homework.mistakes import counts, facts, memory, sizes
from archcalc.homework.mistakes.conversions import conversions_of
from archcalc.homework.mistakes.drafts import SIDES, Draft, draft, number
from archcalc.homework.mistakes.everywhere import slipped_scene
from archcalc.homework.mistakes.registry import MISREADINGS, SLIPS, Conversion
from archcalc.homework.mistakes.scenes import Scene
from archcalc.homework.mistakes.targets import Target, target
from archcalc.notation.formulas import substitution
from archcalc.units import exact
from archcalc.volume import Dim

REGISTERED = (counts, facts, memory, sizes)  # what they register is searched
TWO = 10  # weight of a pair over those of its two
USUAL = 20  # facts up to this weight are tried two at a time
HEAVIEST = 70
EVERYWHERE = 10  # … of a slip made in all layers


class Attempt(NamedTuple):
    """A figure worked out wrongly, and how."""

    names: tuple[str, ...]
    weight: int
    notes: tuple[str, ...]
    draft: Draft
    conversion: Conversion | None = None

    @property
    def name(self) -> str:
        """Its mistakes in words."""
        return " and ".join(self.names)

    def then(self, name: str, weight: int, note: str, new: Draft) -> Attempt:
        """With another mistake on top."""
        return Attempt((*self.names, name), self.weight + weight + TWO * bool(self.names), (*self.notes, note), new)


class Cell(NamedTuple):
    """A figure of a layer that somebody has to work out."""

    scene: Scene
    quantity: str
    figures: tuple[Figure, ...]
    times: int = 1  # bytes of a value, of memory in bytes

    @property
    def right(self) -> Draft:
        """The figure worked out as the layer's rules do."""
        return draft(self.scene, self.quantity)

    @property
    def sides(self) -> str:
        """Which sides of a volume are asked for; empty for a figure that is no size."""
        return SIDES.get(self.quantity, "")

    @property
    def unit(self) -> str:
        """What conversions know it as."""
        return "bytes" if self.times > 1 else self.quantity

    def values(self, worked: Draft) -> tuple[int, ...]:
        """The figures that are asked for."""
        if not self.sides:
            return (worked.value * self.times,)
        return tuple(n for part, n in zip(worked.parts, worked.values, strict=True) if part.role in self.sides)

    def target(self, conversion: Conversion | None = None) -> Target:
        """The numbers that the student's figures leave open."""
        return target(self.figures, conversion.factor if conversion else Fraction(1))

    def conversions(self) -> tuple[Conversion, ...]:
        """Wrong units that may be meant."""
        return () if self.sides else conversions_of(self.unit, self.figures[0])


def slipped(cell: Cell, attempt: Attempt, scene: Scene) -> Iterator[Attempt]:
    """An attempt with a formula written down wrongly on top; in a settled order, so that no two come twice."""
    last = attempt.names[-1] if attempt.names else ""
    order = [each.kind.name for each in SLIPS]
    first = order.index(last) + 1 if last in order else 0
    for each in SLIPS[first:]:
        if cell.quantity in each.kind.quantities and each.kind.name not in attempt.names:
            for new in each.change(scene, attempt.draft):
                yield attempt.then(each.kind.name, each.kind.weight + new.extra, new.note, new.draft)


def misread(cell: Cell) -> Iterator[tuple[Scene, Attempt]]:
    """The right formula for wrong facts."""
    yield from _misread(cell, cell.scene, Attempt((), 0, (), cell.right), HEAVIEST)


def misread_twice(cell: Cell) -> Iterator[tuple[Scene, Attempt]]:
    """The right formula for facts of which two are wrong, in the order in which they are registered."""
    for scene, one in misread(cell):
        if one.weight <= USUAL:
            yield from _misread(cell, scene, one, USUAL)


def _misread(cell: Cell, scene: Scene, before: Attempt, most: int) -> Iterator[tuple[Scene, Attempt]]:
    """An attempt with another fact read wrongly, none heavier than `most`."""
    names = [each.kind.name for each in MISREADINGS]
    for each in MISREADINGS[names.index(before.names[-1]) + 1 if before.names else 0 :]:
        if cell.quantity in each.kind.quantities and each.kind.weight <= most:
            for new in each.change(scene):
                weight = each.kind.weight + new.extra
                yield new.scene, before.then(each.kind.name, weight, new.note, draft(new.scene, cell.quantity))


def everywhere(cell: Cell) -> Iterator[tuple[Scene, Attempt]]:
    """A slip of sizes made in all layers up to this one."""
    for each in SLIPS:
        scene = slipped_scene(cell.scene.net, each, cell.scene.at) if each.everywhere else None
        if scene and (scene.inputs, scene.output) != (cell.scene.inputs, cell.scene.output):
            worked = draft(scene, cell.quantity)
            if cell.sides:
                worked = next((new.draft for new in each.change(scene, worked)), worked)
            note = "in the layers before it too"
            yield scene, Attempt((each.kind.name,), each.kind.weight + EVERYWHERE, (note,), worked)


def singles(cell: Cell) -> Iterator[Attempt]:
    """All mistakes by themselves."""
    right = Attempt((), 0, (), cell.right)
    yield from slipped(cell, right, cell.scene)
    yield from (attempt for _, attempt in misread(cell))
    yield from (attempt for _, attempt in everywhere(cell))
    for each in cell.conversions():
        yield _converted(right, each)


def pairs(cell: Cell) -> Iterator[Attempt]:
    """Two mistakes at once: facts first, then the formula, then the units; two units."""
    right = Attempt((), 0, (), cell.right)
    conversions = cell.conversions()
    yield from (attempt for _, attempt in misread_twice(cell))
    slips = ((cell.scene, one) for one in slipped(cell, right, cell.scene))
    for scene, one in (*slips, *misread(cell), *everywhere(cell)):
        yield from slipped(cell, one, scene)
        yield from (_converted(one, each) for each in conversions)
    for first, second in combinations(conversions, 2):
        yield _converted(_converted(right, first), second)


def _converted(one: Attempt, each: Conversion) -> Attempt:
    made = one.then(each.kind.name, each.kind.weight, each.note, one.draft)
    return made._replace(conversion=one.conversion.then(each) if one.conversion else each)


def met(cell: Cell, attempts: Iterator[Attempt], most: int) -> Iterator[Attempt]:
    """The attempts that come to the student's figures, none heavier than `most`."""
    right, plain = cell.values(cell.right), cell.target()
    targets: dict[Fraction, Target] = {}
    for attempt in attempts:
        if attempt.weight <= most:
            values, wanted = cell.values(attempt.draft), plain
            if attempt.conversion:
                factor = attempt.conversion.factor
                wanted = targets[factor] = targets.get(factor) or cell.target(attempt.conversion)
            if wanted.met(values) and (attempt.conversion or values != right):
                yield attempt


def mistake(cell: Cell, attempt: Attempt) -> Mistake:
    """An attempt as it is told."""
    return Mistake(attempt.name, _arithmetic(cell, attempt), attempt.weight, "; ".join(attempt.notes))


def _arithmetic(cell: Cell, attempt: Attempt) -> str:
    if not cell.sides:
        return _counted(cell, attempt)
    right = dict(zip("hwc", cell.right.values, strict=True))
    wrong = [
        _worked(part.term, value)
        for part, value in zip(attempt.draft.parts, attempt.draft.values, strict=True)
        if part.role in cell.sides and value != right[part.role]
    ]
    return ", ".join(dict.fromkeys(wrong))


def _counted(cell: Cell, attempt: Attempt) -> str:
    term, value = attempt.draft.term, attempt.draft.value
    if cell.times > 1:
        term, value = cell.times * number(value), cell.times * value
    if attempt.conversion is None:
        return _worked(term, value)
    return attempt.conversion.arithmetic(value)


def _worked(term: Dim, value: int) -> str:
    text = substitution(term)
    return text if text == exact(value) else f"{text} = {exact(value)}"
