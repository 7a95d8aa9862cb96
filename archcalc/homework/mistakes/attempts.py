"""Wrong ways to a figure of a layer, one by one and two at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from archcalc.homework.answers import Figure, Mistake
from archcalc.homework.mistakes import counts, facts, memory, sizes
from archcalc.homework.mistakes.conversions import conversions_of
from archcalc.homework.mistakes.drafts import BYTES, SIDES, Draft, draft, number
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
LIGHTEST = 10  # of what can be done to a formula or to facts
HEAVIEST = 70
EVERYWHERE = 10  # … of a slip made in all layers
MOST_KEPT, MOST_KEPT_PAIRS = 20_000, 128  # lists of attempts; of long ones, pairs, as many as a table has cells


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

    def room(self, most: int) -> int:
        """The weight of what may come on top, where both together may weigh so much."""
        return most - self.weight - TWO * bool(self.names)


class Cell(NamedTuple):
    """A figure of a layer that somebody has to work out."""

    scene: Scene
    quantity: str
    figures: tuple[Figure, ...]
    times: int = 1  # bytes of a value, of memory in bytes
    bytes_per_value: int = BYTES

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
        return "bytes" if self.quantity == "memory" and self.times == self.bytes_per_value else self.quantity

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
        return () if self.sides else conversions_of(self.unit, self.figures[0], self.bytes_per_value)


def slipped(cell: Cell, attempt: Attempt, scene: Scene, most: int = HEAVIEST) -> Iterator[Attempt]:
    """An attempt with a formula written down wrongly on top; in a settled order, so that no two come twice."""
    last, room = attempt.names[-1] if attempt.names else "", attempt.room(most)
    order = [each.kind.name for each in SLIPS] if last and room >= LIGHTEST else []
    first = order.index(last) + 1 if last in order else 0
    for each in SLIPS[first:] if room >= LIGHTEST else ():
        fits = each.kind.weight <= room and cell.quantity in each.kind.quantities
        if fits and each.kind.name not in attempt.names:
            for new in each.change(scene, attempt.draft):
                yield attempt.then(each.kind.name, each.kind.weight + new.extra, new.note, new.draft)


def misread(cell: Cell) -> tuple[tuple[Scene, Attempt], ...]:
    """The right formula for wrong facts."""
    return _kept(cell, "misread", lambda: _misread(cell, cell.scene, Attempt((), 0, (), cell.right), HEAVIEST))


def _kept(cell: Cell, what: str, made: Callable[[], Iterable[Any]], most: int = MOST_KEPT) -> tuple[Any, ...]:
    """What does not hang on the student's figures, kept for the next answer to the same."""
    scene, tried = cell.scene, cell.scene.net.tried.setdefault(what, {})
    key = scene.op, scene.inputs, scene.output, scene.at, cell.quantity
    if key not in tried:
        if len(tried) >= most:
            tried.clear()
        tried[key] = tuple(made())
    return tried[key]


def _misread_twice(cell: Cell, most: int) -> Iterator[Attempt]:
    """The right formula for facts of which two are wrong, in the order in which they are registered."""
    for scene, one in misread(cell):
        if one.weight <= USUAL:
            yield from (attempt for _, attempt in _misread(cell, scene, one, min(USUAL, one.room(most))))


def _misread(cell: Cell, scene: Scene, before: Attempt, most: int) -> Iterator[tuple[Scene, Attempt]]:
    """An attempt with another fact read wrongly, none heavier than `most`."""
    names = [each.kind.name for each in MISREADINGS]
    for each in MISREADINGS[names.index(before.names[-1]) + 1 if before.names else 0 :]:
        if cell.quantity in each.kind.quantities and each.kind.weight <= most:
            for new in each.change(scene):
                weight = each.kind.weight + new.extra
                yield new.scene, before.then(each.kind.name, weight, new.note, draft(new.scene, cell.quantity))


def everywhere(cell: Cell) -> tuple[tuple[Scene, Attempt], ...]:
    """A slip of sizes made in all layers up to this one."""
    return _kept(cell, "everywhere", lambda: _everywhere(cell))


def _everywhere(cell: Cell) -> Iterator[tuple[Scene, Attempt]]:
    for each in SLIPS:
        scene = slipped_scene(cell.scene.net, each, cell.scene.at) if each.everywhere else None
        if scene and (scene.inputs, scene.output) != (cell.scene.inputs, cell.scene.output):
            worked = draft(scene, cell.quantity)
            if cell.sides:
                worked = next((new.draft for new in each.change(scene, worked)), worked)
            note = "in the layers before it too"
            yield scene, Attempt((each.kind.name,), each.kind.weight + EVERYWHERE, (note,), worked)


def slips(cell: Cell) -> tuple[Attempt, ...]:
    """The formula written down wrongly."""
    return _kept(cell, "slips", lambda: slipped(cell, Attempt((), 0, (), cell.right), cell.scene))


def singles(cell: Cell) -> Iterator[Attempt]:
    """All mistakes by themselves."""
    yield from slips(cell)
    yield from (attempt for _, attempt in misread(cell))
    yield from (attempt for _, attempt in everywhere(cell))
    for each in cell.conversions():
        yield _converted(Attempt((), 0, (), cell.right), each)


def pairs(cell: Cell, most: int) -> Iterator[Attempt]:
    """Two mistakes at once: facts first, then the formula, then the units; two units. None is much above `most`."""
    right = Attempt((), 0, (), cell.right)
    conversions = cell.conversions()
    yield from _kept(cell, f"pairs to {most}", lambda: _unconverted(cell, most), MOST_KEPT_PAIRS)
    for _, one in _with_scenes(cell):
        yield from (_converted(one, each) for each in conversions if each.kind.weight <= one.room(most))
    for first, second in combinations(conversions, 2):
        yield _converted(_converted(right, first), second)


def _unconverted(cell: Cell, most: int) -> Iterator[Attempt]:
    """Pairs without wrong units, which hang on the student's figures."""
    yield from _misread_twice(cell, most)
    for scene, one in _with_scenes(cell):
        yield from (each for each in slipped(cell, one, scene, most) if each.weight <= most)


def _with_scenes(cell: Cell) -> Iterator[tuple[Scene, Attempt]]:
    """Single mistakes, each with the facts that it is worked out from."""
    yield from ((cell.scene, one) for one in slips(cell))
    yield from (*misread(cell), *everywhere(cell))


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
