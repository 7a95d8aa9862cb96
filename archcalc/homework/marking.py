"""Answers marked: right, carried or wrong, with what was likely done, the way to the right figure, and points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.counting import recounted
from archcalc.analyses.quantities import Part, named_part
from archcalc.analyses.rules import find_rule
from archcalc.homework.acceptance import (
    ADDED_UP,
    CONVENTIONS,
    OF_BATCH,
    Facts,
    Meaning,
    accepted,
    meanings,
    otherwise,
)
from archcalc.homework.answers import QUANTITIES, Answer, Figure, Mark, Marked, Mistake, Place, Submission
from archcalc.homework.beliefs import Told, facts_of
from archcalc.homework.carrying import Carrier
from archcalc.homework.figures import is_blank
from archcalc.homework.mistakes import ODD, Case, likely
from archcalc.homework.mistakes.drafts import SIDES
from archcalc.homework.mistakes.fields import Fields
from archcalc.homework.rubric import DEFAULT, TOTAL, Rubric, refuse_strangers
from archcalc.homework.solutions import Solver
from archcalc.lang.errors import Fault, SpecError
from archcalc.volume import Volume

NO_ANSWER = "no answer"
LEAST_REPEATED = 2  # cells of a column with the same mistake
LIGHT = 50  # from here on a mistake is believed only where nothing lighter fits: slips of digits
AGAIN, MOST_AGAIN = 6, 24  # how much less a mistake weighs for each other cell of the column that it explains
MOST_ODD = 30  # cells that no usual mistake explains; from there on only what is quick is looked for
OWN_BASIS = 10  # how much more a mistake weighs that is made on top of a carried one


class Cell(NamedTuple):
    """A cell with the layers that it speaks of, what its figures may be, and by which conventions they are."""

    answer: Answer
    part: Part
    facts: Facts
    meanings: tuple[Meaning, ...]
    fitting: tuple[tuple[str, ...], ...]  # of each meaning that the figures are: the conventions, the choice first

    @property
    def choices(self) -> tuple[str, ...]:
        """The conventions of counting that its figures leave open."""
        return tuple(used[0] for used in self.fitting)


def mark(submission: Submission, report: Report, rubric: Rubric = DEFAULT, solutions: bool = True) -> Marked:
    """A submission marked against a net, cell by cell, in the order of the net; totals last.

    Raises `SpecError` for a net with symbols, and for a rubric that speaks of layers that the net does not have.
    """
    _refuse_symbols(report)
    refuse_strangers(rubric, report)
    counted = recounted(report, find_rule(rubric.rule)) if rubric.rule else report
    return _Marker(submission, counted, rubric, solutions).marked()


def _refuse_symbols(report: Report) -> None:
    for row in report.rows:
        if not all(isinstance(n, int) for n in row.output):
            message = f"`{row.name}` has sizes in symbols: answers are marked in numbers"
            raise SpecError([Fault(message, row.node.span, help="give every `input` in numbers")])


class _Marker:
    """Marks one submission."""

    def __init__(self, submission: Submission, report: Report, rubric: Rubric, solutions: bool) -> None:
        self.submission = submission
        self.report = report
        self.rubric = rubric
        self.solutions = solutions
        self.solver = Solver(report, rubric)
        self.parts: dict[str | None, Part] = {}
        self.used: Counter[str] = Counter()  # conventions, by the cells that needed them
        self.odd = 0  # cells that no usual mistake explains
        self.cells = [self.cell(answer) for answer in self.asked()]
        self.columns = {name: _choice(self.cells, name) for name in QUANTITIES}

    def marked(self) -> Marked:
        told = {id(cell.answer): self.told(cell) for cell in self.cells if cell.answer.figures}
        carrier = Carrier(self.report, told.values(), self.rubric)
        cells = [cell for cell in self.cells if not self.is_open(cell)]
        marks = tuple(self.mark(cell, carrier, told.get(id(cell.answer))) for cell in cells)
        times = _times(marks)
        marks = tuple(self.weighed(mark, times) for mark in marks)
        conventions, patterns = tuple(self.conventions()), tuple(_patterns(marks))
        return Marked(self.report.graph.name, self.submission, marks, conventions, patterns)

    # ------------------------------------------------ what is asked

    def asked(self) -> list[Answer]:
        """The cells that are asked: those answered, left blank, and those of a rubric that have no place at all."""
        given = [each for each in (*self.submission.answers, *self.submission.unanswered) if self.rubric.asks(each)]
        known = {part for each in given for part in _said(each)}
        given += [each for each in self.lacking(given) if not known & _said(each)]
        columns = [*dict.fromkeys(each.quantity for each in given)]
        return sorted(given, key=lambda each: (*self.place(each), columns.index(each.quantity)))

    def lacking(self, given: list[Answer]) -> Iterator[Answer]:
        """Every layer with every quantity that a rubric asks."""
        if not self.rubric.columns and not self.rubric.layers:
            return
        rows = self.rubric.layers or tuple(dict.fromkeys(each.layer or TOTAL for each in given))
        columns = self.rubric.columns or tuple(dict.fromkeys(each.quantity for each in given))
        place = Place(self.submission.name, "not there")
        for layer in rows:
            for quantity in columns:
                if layer != TOTAL or quantity in ADDED_UP:
                    yield Answer(None if layer == TOTAL else layer, quantity, "", (), place)

    def place(self, answer: Answer) -> tuple[int, int]:
        """Where a cell stands in the net; groups behind their last layer, totals last."""
        if answer.layer is None:
            return len(self.report.rows), 0
        part = self.part(answer.layer)
        return part.last, len(part.rows)

    def part(self, layer: str | None) -> Part:
        """The layers that a row of the sheet speaks of."""
        if layer not in self.parts:
            self.parts[layer] = named_part(self.report, layer)
        return self.parts[layer]

    def cell(self, answer: Answer) -> Cell:
        part = self.part(answer.layer)
        field: tuple[int, ...] = ()
        if answer.quantity == "receptive":
            views = self.solver.views[part.last]
            field = views[0].size if views else (0, 0)
        facts = facts_of(part.rows, part.size, field)
        open_ = tuple(meanings(answer.quantity, facts, self.rubric, answer.figures))
        used = ((meaning, accepted(answer.figures, meaning, self.rubric)) for meaning in open_)
        fitting = tuple((meaning.convention, *found) for meaning, found in used if found is not None)
        return Cell(answer, part, facts, open_, fitting)

    def is_open(self, cell: Cell) -> bool:
        """Whether a blank cell is none to be marked: there is nothing to be counted."""
        return not cell.answer.figures and is_blank(cell.answer.text) and self.right(cell).values == (0,)

    # ------------------------------------------------ conventions

    def right(self, cell: Cell) -> Meaning:
        """What a cell should be: by the convention that it fits, that its column has, or the plainest."""
        choices = cell.choices or tuple(meaning.convention for meaning in cell.meanings)
        column = self.columns[cell.answer.quantity]
        chosen = column if column in choices else choices[0] if choices else ""
        fitting = (meaning for meaning in cell.meanings if meaning.convention == chosen)
        return next(fitting, None) or next(meanings(cell.answer.quantity, cell.facts, self.rubric, ()))

    def told(self, cell: Cell) -> Told:
        right = self.right(cell)
        return Told(cell.answer, cell.part, right.values, bool(cell.fitting), right.convention)

    def conventions(self) -> Iterator[str]:
        """What was accepted, each once, with the number of cells that needed it."""
        if self.rubric.rule:
            yield f"counted by the rule {self.rubric.rule}"
        if self.rubric.batch > 1:
            yield f"memory and operations for a batch of {self.rubric.batch:,}"
        for name, sentence in CONVENTIONS.items():
            if self.used[name]:
                yield f"{sentence.format(dtype=self.rubric.dtype)}: {_cells(self.used[name])}"
        if self.odd > MOST_ODD:
            first = f"the first {MOST_ODD}, and on top of carried figures up to these"
            yield f"no usual mistake explains {_cells(self.odd)}: two at once were looked for in {first}"
        left = sum(map(self.is_open, self.cells))
        if left:
            yield f"blank where there is nothing to count, and not marked: {_cells(left)}"
        extra = sum(not self.rubric.asks(each) for each in self.submission.answers)
        if extra:
            yield f"not asked, and not marked: {_cells(extra)}"

    # ------------------------------------------------ one cell

    def mark(self, cell: Cell, carrier: Carrier, told: Told | None) -> Mark:
        answer, right, worth = cell.answer, self.right(cell), self.rubric.points(cell.answer)
        found = Mark(answer, _shown(answer.quantity, right), "wrong", of=worth)
        if told is None:
            points = min(self.rubric.missing, worth) if is_blank(answer.text) else Fraction(0)
            return found._replace(note=self.why_unread(answer), solution=self.solution(cell, right), points=points)
        if told.is_right:
            used = next(used[1:] for used in cell.fitting if used[0] == right.convention)
            return found._replace(status="right", note=self.accept(used, cell), points=worth)
        carried = carrier.carried(told)
        if carried is not None:
            self.accept(carried.conventions, cell)
            return found._replace(status="carried", note=carried.note, points=worth * self.rubric.carried)
        return found._replace(mistakes=self.mistakes(cell, carrier, told), solution=self.solution(cell, right))

    def weighed(self, mark: Mark, times: Counter[tuple[str, str]]) -> Mark:
        """A wrong cell with its mistakes in order, those first that are made again and again, and its points."""
        if not mark.mistakes:
            return mark

        def rank(each: Mistake) -> int:
            return each.weight - min(AGAIN * (times[mark.answer.quantity, each.name] - 1), MOST_AGAIN)

        mistakes = tuple(sorted(mark.mistakes, key=rank))
        return mark._replace(mistakes=mistakes, points=mark.of * self.share(mistakes))

    def accept(self, used: tuple[str, ...], cell: Cell) -> str:
        """Counts the conventions that a cell needed, and says them; that biases count, where that is a choice."""
        silent = {"with"} if self.rubric.biases != "either" else set()
        silent |= set() if cell.facts.biases else {"with", "without"}
        said = [name for name in used if name in CONVENTIONS and name not in silent]
        self.used.update(said)
        return ", ".join(CONVENTIONS[name].format(dtype=self.rubric.dtype) for name in said)

    def why_unread(self, answer: Answer) -> str:
        """Why there is no figure in a cell."""
        reasons = {place: why for place, text, why in self.submission.unread if not is_blank(text)}
        return reasons.get(answer.where) or NO_ANSWER

    def solution(self, cell: Cell, right: Meaning) -> tuple[str, ...]:
        return self.solver.lines(cell.part, cell.answer, right) if self.solutions else ()

    def share(self, mistakes: tuple[Mistake, ...]) -> Fraction:
        """What the likeliest mistake leaves; of several alike the one that leaves most."""
        alike = [each for each in mistakes if each.weight == mistakes[0].weight]
        return max((self.rubric.share(each.name) for each in alike), default=Fraction(0))

    # ------------------------------------------------ mistakes

    def mistakes(self, cell: Cell, carrier: Carrier, told: Told) -> tuple[Mistake, ...]:
        """The likely ones: on the right volumes, then on the student's own, where these are others."""
        found = self.likely(cell, self.case(cell))
        self.odd += not found or found[0].weight >= ODD
        if self.odd > MOST_ODD:
            return found
        if cell.answer.quantity == "receptive":
            return self.on_own_fields(cell, carrier.own_fields(told), found)
        own = carrier.own(told)
        if own is None:
            return found
        names = {each.name for each in found if each.weight < LIGHT}
        basis = self.case(cell)._replace(inputs=own.inputs, output=own.output)
        others = [each for each in self.likely(cell, basis) if each.name not in names]
        more = [each._replace(weight=each.weight + OWN_BASIS, note=_joined(each.note, own.text)) for each in others]
        kept = [each for each in found if each.name in names or all(each.name != other.name for other in more)]
        return tuple(sorted((*kept, *more), key=lambda each: each.weight))

    def on_own_fields(
        self, cell: Cell, own: tuple[Fields, str] | None, found: tuple[Mistake, ...]
    ) -> tuple[Mistake, ...]:
        """Mistakes on the student's own receptive fields, where these are others, before those on the right ones."""
        if own is None:
            return found
        fields, text = own
        others = self.likely(cell, self.case(cell)._replace(seen=fields))
        more = [each._replace(note=_joined(each.note, text)) for each in others if each.weight < LIGHT]
        names = {each.name for each in more}
        left = [each for each in found if each.name not in names and (each.weight < LIGHT or not more)]
        kept = [each._replace(weight=each.weight + OWN_BASIS) for each in left]
        return tuple(sorted((*more, *kept), key=lambda each: each.weight))

    def case(self, cell: Cell) -> Case:
        """What is asked in a cell; parameters without biases are weights."""
        quantity = cell.answer.quantity
        without = quantity == "params" and self.right(cell).convention == "without"
        asked, size = "weights" if without else quantity, self.rubric.bytes_per_value
        return Case(self.report, cell.answer.layer, asked, bytes_per_value=size, two=self.odd < MOST_ODD)

    def likely(self, cell: Cell, case: Case) -> tuple[Mistake, ...]:
        """The mistakes that give the figures, or why these are not accepted though they are right in some way."""
        answer, figures = cell.answer, cell.answer.figures
        if self.rubric.batch > 1 and answer.quantity in OF_BATCH:  # the mistakes are those of one image
            figures = tuple(_divided(figure, self.rubric.batch) for figure in figures)
        found = likely(case, figures) if figures else ()
        if found or case.inputs is not None or case.seen is not None:
            return found
        named = otherwise(answer.quantity, cell.facts, self.rubric, answer.figures)
        return (named,) if named else ()


def _said(answer: Answer) -> set[tuple[str | None, str]]:
    """What a cell tells: a quantity of a layer, or the sides of its output."""
    return {(answer.layer, axis) for axis in SIDES.get(answer.quantity, (answer.quantity,))}


def _joined(note: str, own: str) -> str:
    return "; ".join(filter(None, (note, f"with your {own}")))


def _divided(figure: Figure, images: int) -> Figure:
    return figure._replace(value=figure.value / images, half_unit=figure.half_unit / images)


def _choice(cells: list[Cell], quantity: str) -> str:
    """The convention of counting that the right figures of a column have: first of those that leave none open."""
    choices = [cell.choices for cell in cells if cell.answer.quantity == quantity and cell.choices]
    known = Counter(each[0] for each in choices if len(each) == 1)
    names = list(dict.fromkeys(name for each in choices for name in each))
    return max(names, key=lambda name: known[name], default="")


def _shown(quantity: str, right: Meaning) -> Any:
    """A right value as it is told: a volume, an area, a number."""
    if quantity == "size":
        return Volume(*map(int, right.values))
    values = tuple(map(int, right.values))
    return values[0] if len(values) == 1 else values


def _cells(count: int) -> str:
    return f"{count} cell{'s' * (count != 1)}"


# ---------------------------------------------------------------- patterns


def _times(marks: tuple[Mark, ...]) -> Counter[tuple[str, str]]:
    """In how many cells of a column each mistake may have been made."""
    return Counter((mark.answer.quantity, each.name) for mark in marks for each in mark.mistakes)


def _patterns(marks: tuple[Mark, ...]) -> Iterator[str]:
    """Mistakes that stand first in several cells of a column: `bias forgotten in 5 of 8 cells of params`."""
    columns = Counter(mark.answer.quantity for mark in marks)
    times = Counter((mark.answer.quantity, mark.mistakes[0].name) for mark in marks if mark.mistakes)
    for (quantity, name), count in sorted(times.items(), key=lambda pair: (-pair[1], *pair[0])):
        if count >= LEAST_REPEATED:
            yield f"{name} in {count} of {_cells(columns[quantity])} of {quantity}"
