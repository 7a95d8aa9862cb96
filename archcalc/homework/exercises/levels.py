"""The levels of a quiz: what each asks, and how a question of it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from archcalc.homework.exercises import nets
from archcalc.homework.exercises.chance import Chance
from archcalc.homework.exercises.planting import planted
from archcalc.homework.exercises.questions import Question
from archcalc.homework.exercises.unknowns import draw_arguments, draw_input
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted

Draw = Callable[[Chance, bool], Question]


class Level(NamedTuple):
    """A level; `draw` is handed a chance, and whether all sizes are to come out whole."""

    number: int
    name: str
    about: str
    draw: Draw


def _layer(chance: Chance, whole: bool) -> Question:
    question = Question("table", nets.drawn(nets.single, chance, whole).text(), ("size", "params", "macs"))
    learns = question.report.total().params != 0
    return question if learns else question._replace(columns=("size", "memory"))


def _chain(chance: Chance, whole: bool) -> Question:
    columns = chance.pick((("size", "params", "macs"), ("size", "memory", "params"), ("size", "params", "receptive")))
    return Question("table", nets.drawn(nets.chain, chance, whole).text(), columns)


def _branches(chance: Chance, whole: bool) -> Question:
    columns = chance.pick((("size", "params", "macs"), ("size", "memory", "params")))
    return Question("table", nets.drawn(nets.branches, chance, whole).text(), columns)


LEVELS = (
    Level(1, "layer", "one layer: what leaves it, its parameters, its multiply-adds", _layer),
    Level(2, "chain", "a small net, layer by layer", _chain),
    Level(3, "branches", "branches that meet: concatenated, or added with a projection", _branches),
    Level(4, "input", "which input gives a size, or leaves no row and no column over", draw_input),
    Level(5, "fit", "which kernel, stride, padding or number of filters makes it fit", draw_arguments),
    Level(6, "mistake", "one figure of a table is wrong: which, what is right, how it came about", planted),
)


def find_levels(words: Sequence[str]) -> tuple[Level, ...]:
    """Levels by number or name, several with commas between them; all where none is named. Raises `SpecError`."""
    known = {key: level for level in LEVELS for key in (str(level.number), level.name)}
    asked = [word.strip().lower() for each in words for word in each.split(",")]
    faults = []
    for word in asked:
        if word not in known:
            levels = ", ".join(f"{level.number} ({level.name})" for level in LEVELS)
            faults.append(
                Fault(f"there is no level {quoted(word)}", help=did_you_mean(word, known) or f"there are {levels}")
            )
    if faults:
        raise SpecError(faults)
    return tuple(known[word] for word in asked) or LEVELS
