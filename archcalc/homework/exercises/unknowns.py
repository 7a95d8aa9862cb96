"""Questions backwards: a net is drawn, and then something of it is asked for."""

from __future__ import annotations

from typing import Any

from archcalc.homework.exercises import nets
from archcalc.homework.exercises.chance import Chance
from archcalc.homework.exercises.nets import Draft
from archcalc.homework.exercises.questions import Question, report_of
from archcalc.lang.errors import SpecError

FILTERS = "n"
SOUGHT = ("f", "f", "s", "p", "fs", "fp", "sp", FILTERS, FILTERS)  # letters of arguments, as formulas have them
MOST = {"f": 11, "s": 4, "p": 5}  # what is said to bound each
TRIED = {"f": 1, "s": 1, "p": MOST["p"], FILTERS: 1}  # the least window, and the most padding


def draw_input(chance: Chance, whole: bool) -> Question:
    """Which side of the input gives a size at the end, or lets no layer leave rows or columns over."""
    draft = nets.drawn(nets.body, chance, whole)
    side, net = Draft(draft.input).side, _on_any_side(draft)
    least, most = max(1, side - 4 - chance.below(16)), side + 4 + chance.below(16)
    bounds, solve = (f"? >= {least}", f"? <= {most}"), [_drops_nothing(draft, n) for n in range(least, most + 1)]
    if chance.happens(1, 3) and any(solve) and not all(solve):
        return Question("input", net, such_that=bounds, no_drops=True)
    size = f"{draft.volume.h}x{draft.volume.w}"
    return Question("input", net, wanted=size, such_that=bounds, no_drops=whole)


def _on_any_side(draft: Draft) -> str:
    """The net with H in place of the side of its input."""
    return draft.text().replace(f"input {draft.input.h}x{draft.input.w}", "input HxH", 1)


def _drops_nothing(draft: Draft, side: int) -> bool:
    """Whether no row is left over on another input."""
    redone: Draft | None = Draft(draft.input._replace(h=side, w=side))
    for line in draft.lines:
        x = redone.volume if redone else None
        if redone is None or x is None or any(nets.op_of(nets.layer_of(line)).dropped(x)):
            return False
        redone = redone.then(line, usual=False)
    return redone is not None


def draw_arguments(chance: Chance, whole: bool) -> Question:
    """Which arguments of a layer give the size at the end, or the number of parameters."""
    draft, sought = nets.drawn(nets.body, chance, whole), chance.pick(SOUGHT)
    at = chance.pick([at for at, line in enumerate(draft.lines) if _is_open(line, sought)])
    draft = _cut(draft, at + 1 + chance.below(len(draft.lines) - at))
    text = draft.text(*draft.lines[:at], _with_unknowns(draft.lines[at], sought), *draft.lines[at + 1 :])
    if sought == FILTERS:
        return Question("arguments", text, such_that=(f"params = {report_of(draft.text()).total().params}",))
    bounds = tuple(f"?{letter} <= {MOST[letter]}" for letter in sought)
    return Question("arguments", text, wanted=f"{draft.volume.h}x{draft.volume.w}", such_that=bounds, no_drops=whole)


def _cut(draft: Draft, layers: int) -> Draft:
    """The first layers of a net, worked out again."""
    start = Draft(draft.input)
    for line in draft.lines[:layers]:
        grown = start.then(line)
        assert grown is not None
        start = grown
    return start


def _arguments(line: str) -> dict[str, str]:
    """The names of a layer's arguments by their letters in formulas, small."""
    fields = nets.op_of(nets.layer_of(line)).fields.values()
    return {field.symbol.lower(): field.name for field in fields if field.symbol}


def _is_open(line: str, sought: str) -> bool:
    """Whether a layer has such arguments, and refuses no value of them for itself, as a padding wider than a window."""
    if not {*sought} <= _arguments(line).keys():
        return False
    tried = nets.layer_of(_with_unknowns(line, sought))
    for letter in sought:
        tried = tried.replace(f"?{letter}", str(TRIED[letter]))
    try:
        nets.op_of(tried)
    except SpecError:
        return False
    return True


def _with_unknowns(line: str, sought: str) -> str:
    """A line with unknowns in place of some arguments of its layer."""
    layer, names = nets.layer_of(line), _arguments(line)
    unknowns: Any = {names[letter]: f"?{letter}" for letter in sought}
    return line.replace(layer, nets.op_of(layer).replace(**unknowns).text(), 1)
