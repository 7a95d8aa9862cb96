"""A table with one figure that is wrong, as a mistake that is often made would have it."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.analyses.quantities import part_of
from archcalc.homework.exercises import nets
from archcalc.homework.exercises.chance import Chance
from archcalc.homework.exercises.questions import Cell, Given, Question
from archcalc.homework.exercises.tables import causes_of, figures_of
from archcalc.homework.mistakes.attempts import Attempt, misread, slipped
from archcalc.homework.mistakes.attempts import Cell as Work
from archcalc.homework.mistakes.scenes import net_of
from archcalc.units import exact
from archcalc.volume import Volume

USUAL = 20  # the heaviest mistake that is planted
ATTEMPTS = 50


def planted(chance: Chance, whole: bool) -> Question:
    """The table of a small net, and which figure of it is wrong."""
    draw = chance.pick((nets.chain, nets.chain, nets.branches))
    columns = chance.pick((("size", "params", "macs"), ("size", "params"), ("size", "memory", "params")))
    for _ in range(ATTEMPTS):
        question = Question("mistake", nets.drawn(draw, chance, whole).text(), columns)
        cell = chance.pick([cell for cell in question.cells if cell.layer is not None])
        slips = list(dict.fromkeys(_slips(question, cell)))
        wrong = chance.pick(slips) if slips else ""
        if slips and causes_of(question.net, cell, wrong):
            table = (Given(each, wrong if each == cell else written(question.right(each))) for each in question.cells)
            return question._replace(table=tuple(table))
    raise AssertionError("no mistake could be planted")


def written(right: Volume | int) -> str:
    """A figure as a table prints it."""
    return str(right) if isinstance(right, Volume) else exact(right)


def _slips(question: Question, cell: Cell) -> Iterator[str]:
    """The wrong figures that come of usual mistakes."""
    scene = net_of(question.report).scene(part_of(question.report, cell.layer).last)
    if scene is None:
        return
    right_text = written(question.right(cell))
    work = Work(scene, cell.quantity, figures_of(right_text, cell.quantity))
    right = Attempt((), 0, (), work.right)
    for attempt in (*slipped(work, right, scene), *(each for _, each in misread(work))):
        values = work.values(attempt.draft)
        if attempt.conversion is None and attempt.weight <= USUAL and min(values) > 0:
            text = written(Volume(*values) if cell.quantity == "size" else values[0])
            if text != right_text:
                yield text
