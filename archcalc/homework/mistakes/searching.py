"""The search: which mistakes give exactly the student's figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.quantities import Part, part_of
from archcalc.homework.answers import Figure, Mistake
from archcalc.homework.mistakes.attempts import HEAVIEST, Cell, met, mistake, pairs, singles
from archcalc.homework.mistakes.cells import of_another_column, of_another_row
from archcalc.homework.mistakes.digits import DIGIT, SMALL, badly_rounded, mistyped
from archcalc.homework.mistakes.drafts import BYTES, SIDES
from archcalc.homework.mistakes.fields import Asked, Fields, misjudged, misjudged_sides, right_fields
from archcalc.homework.mistakes.mixtures import mixed, reordered, unrounded
from archcalc.homework.mistakes.scenes import Net, Scene, net_of
from archcalc.homework.mistakes.sums import Sum, misadded, twice_misadded
from archcalc.homework.mistakes.targets import target
from archcalc.lang.errors import SpecError
from archcalc.volume import Volume

LARGEST = 10**30  # figures that are looked for
ODD = 30  # from here on, a single mistake may be less likely than two usual ones
HEAVIEST_OF = ((2, 40), (4, 45))  # two that are not usual give any small number: by its digits, else …
HEAVIEST_PAIR = 50
SMALL_ONES = 40  # weight of digit slips of small numbers over those of large ones
NEAR = 5  # pairs so much heavier than the lightest are told too


class Case(NamedTuple):
    """What was asked: which quantity of which layer or group of a net; None is the whole net.

    `inputs` and `output` take the place of the right volumes where a student's own earlier answers are the basis;
    with `seen` only mistakes are looked for that are made on these fields.
    """

    report: Report
    layer: str | None
    quantity: str  # one of `answers.QUANTITIES`
    inputs: tuple[Volume, ...] | None = None
    output: Volume | None = None
    seen: Fields | None = None  # the student's own receptive fields
    bytes_per_value: int = BYTES
    two: bool = True  # whether two mistakes at once are looked for too, which takes long


class Question(NamedTuple):
    """A figure that is asked for: what is right, and what else comes to the student's."""

    figures: tuple[Figure, ...]
    rights: tuple[int, ...]
    rounds: bool  # counts do, sizes do not
    one: Callable[[], Iterable[Mistake]]
    two: Callable[[int], Iterable[Mistake]] = lambda most: ()  # none that weighs more is looked for

    @property
    def right(self) -> bool:
        """Whether the student's figures are right."""
        return target(self.figures).met(self.rights)

    def written(self) -> Iterator[Mistake]:
        """Figures that are right but for rounding or a slip of digits: of one figure, where the others are right."""
        pairs = zip(self.rights, self.figures, strict=True)
        wrong = [(right, figure) for right, figure in pairs if not figure.rounds_from(right)]
        if len({(right, figure.value) for right, figure in wrong}) == 1:
            for each in (*(badly_rounded(*wrong[0]) if self.rounds else ()), *mistyped(*wrong[0])):
                weight = each.weight + SMALL_ONES * (wrong[0][0] < SMALL)
                yield Mistake(each.name, each.arithmetic, weight, each.note)


def likely(case: Case, figures: tuple[Figure, ...]) -> tuple[Mistake, ...]:
    """All mistakes that give exactly these figures, or what rounds to them as they are written; the likeliest first.

    None where the figures are right, or where nothing that is known gives them. Two mistakes at once are looked for
    where no usual one fits, and slips of digits come last. Raises `NoLayer` for a layer that there is not.
    """
    net, part = net_of(case.report), part_of(case.report, case.layer)
    quantity = _quantity(case.quantity, len(figures))
    if not quantity or not net.numeric or any(abs(figure.value) > LARGEST for figure in figures):
        return ()
    questions = [*_questions(case._replace(quantity=quantity), figures, net, part)]
    if any(question.right for question in questions):
        return ()
    found = _ordered(each for question in questions for each in (*question.one(), *question.written()))
    if case.two and (not found or found[0].weight >= ODD):
        most = _heaviest(figures)
        pairs = _ordered(each for question in questions for each in question.two(most) if each.weight <= most)
        found = _ordered((*found, *_near(list(pairs), found)))
    return _without_small(found)


def _heaviest(figures: tuple[Figure, ...]) -> int:
    """What two mistakes may weigh together: the less a figure tells, the likelier they give it by chance."""
    digits = max(len(f"{int(abs(figure.value) / (2 * figure.half_unit or 1))}") for figure in figures)
    return next((most for few, most in HEAVIEST_OF if digits <= few), HEAVIEST_PAIR)


def _questions(case: Case, figures: tuple[Figure, ...], net: Net, part: Part) -> Iterator[Question]:
    if case.quantity == "receptive":
        yield from _field(case, figures, net, part.last)
        return
    size = case.bytes_per_value
    for times in dict.fromkeys(_units(case, figures[0])):
        if len(part.rows) == 1 or case.quantity in SIDES:
            cells = [Cell(scene, case.quantity, figures, times, size) for scene in _scenes(case, net, part.last)]
            if cells:
                yield _cell(tuple(cells))
        else:
            known = {id(row): at for at, row in enumerate(case.report.rows)}
            rows = tuple(known[id(row)] for row in part.rows)
            yield _sum(Sum(net, rows, case.quantity, figures[0], times, size))


def _units(case: Case, figure: Figure) -> Iterator[int]:
    """How many units a value counts: memory is in values or in bytes, without a unit in either."""
    if case.quantity != "memory" or figure.unit != "bytes":
        yield 1
    if case.quantity == "memory" and figure.unit != "values":
        yield case.bytes_per_value


def _quantity(asked: str, figures: int) -> str:
    """What so many figures answer: a size of two is an area, of one the depth of a vector; empty where none is."""
    if asked == "size":
        return {1: "depth", 2: "area", 3: "size"}.get(figures, "")
    if asked == "receptive":
        return asked if figures in (1, 2) else ""
    return asked if figures == len(SIDES.get(asked, " ")) else ""


def _field(case: Case, figures: tuple[Figure, ...], net: Net, index: int) -> Iterator[Question]:
    """One figure is the larger side; two that are alike are one where the field is square."""
    try:
        rights = right_fields(net, index)
    except SpecError:  # neighbours that differ in too long a pattern
        return
    if not rights:
        return
    sides = tuple(Asked(net, index, axis, case.seen) for axis in range(len(rights)))
    if len(figures) == 1 or len(set(rights)) == len(set(figures)) == 1:
        larger = max(sides, key=lambda side: side.right)
        yield Question(figures[:1], (larger.right,), False, lambda: misjudged(larger, target(figures[:1])))
    else:
        yield Question(figures, rights, False, lambda: misjudged_sides(sides, figures))


def _sum(asked: Sum) -> Question:
    rights = (asked.right.total * asked.times,)
    return Question((asked.figure,), rights, True, lambda: misadded(asked), lambda most: twice_misadded(asked))


def _scenes(case: Case, net: Net, index: int) -> Iterator[Scene]:
    """The layer; where sizes are asked for, also those whose height, width and depth it keeps."""
    own = case.inputs is not None or case.output is not None
    for at in (index,) if own or case.quantity not in SIDES else dict.fromkeys(net.makers(index)):
        scene = net.scene(at, None, case.inputs, case.output)
        if scene:
            yield scene


def _cell(cells: tuple[Cell, ...]) -> Question:
    cell = cells[0]
    return Question(
        cell.figures,
        cell.values(cell.right),
        not cell.sides,
        lambda: (each for cell in cells for each in _ones(cell)),
        lambda most: (each for cell in cells for each in _twos(cell, most)),
    )


def _ones(cell: Cell) -> Iterator[Mistake]:
    found = [mistake(cell, attempt) for attempt in met(cell, singles(cell), HEAVIEST)]
    yield from found
    if cell.sides:
        yield from (*reordered(cell), *unrounded(cell))
    scene = cell.scene
    if (scene.inputs, scene.output) != (scene.row.inputs, scene.row.output):
        return  # on a student's own volumes: right figures are none of these
    yield from of_another_row(cell)
    if not found:
        yield from of_another_column(cell)


def _twos(cell: Cell, most: int) -> Iterator[Mistake]:
    if len(cell.figures) > 1:
        mixtures = [each for each in mixed(cell, singles(cell)) if each.weight <= most]
        yield from mixtures
        if mixtures:
            return
    yield from (mistake(cell, attempt) for attempt in met(cell, pairs(cell, most), most))


def _near(pairs: list[Mistake], singles: tuple[Mistake, ...]) -> Iterator[Mistake]:
    """The pairs that are about as likely as the likeliest of them, and no less so than the likeliest single mistake."""
    likeliest = singles[0].weight if singles and singles[0].weight < DIGIT.weight else HEAVIEST
    yield from (each for each in pairs if each.weight <= min(pairs[0].weight + NEAR, likeliest))


def _without_small(found: tuple[Mistake, ...]) -> tuple[Mistake, ...]:
    """Without the slips of digits that turn small numbers into any other, unless there is nothing else."""
    some = tuple(each for each in found if each.weight < DIGIT.weight + SMALL_ONES)
    return some or found


def _ordered(found: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """The likeliest first, each name once; of those with one arithmetic, which are one mistake, the likeliest."""
    names: set[str] = set()
    worked: set[str] = set()
    kept: list[Mistake] = []
    for each in sorted(found, key=lambda each: (each.weight, each.name, each.arithmetic, each.note)):
        if each.name not in names and each.arithmetic not in worked:
            kept.append(each)
        names.add(each.name)
        worked |= {each.arithmetic} if "=" in each.arithmetic else set()
    return tuple(kept)
