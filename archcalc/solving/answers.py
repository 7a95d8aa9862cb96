"""What solves a question, found by search: all solutions, or the nearest misses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, count, islice, pairwise
from typing import NamedTuple

from archcalc.interval import between
from archcalc.lang.errors import Fault, SpecError
from archcalc.lang.source import Span
from archcalc.lang.syntax import parts
from archcalc.solving.boxes import Box, Finding, Found, search, volume
from archcalc.solving.conditions import Gap, Trial, total
from archcalc.solving.orders import Solution, falling, points, reaches_of, sweeps_of, usual
from archcalc.solving.questions import Question
from archcalc.solving.unknowns import Unknown, shaping
from archcalc.volume import Truth, at_least, footprint

COMPARED = 400  # solutions that are built to be put in order
NAMED = 3  # values that stand for a series without end
COMPARED_LAYERS = 40_000  # of all of them together
SHOWN_LAYERS = 400_000  # of all that are shown
FEWEST = 10  # shown in any case
PARTS_OF_A_LAYER = 20  # of a text that take as long as a layer to build
Choice = str  # one of these
CHOICES = ("", "largest", "smallest")
OPEN = Finding(Fraction(0), None, False, 0, open=True)
PROBES, OTHERS = ((2, 3), (1000, 1001)), (1, 2, 3)  # of an unknown, and values of the others


class Series(NamedTuple):
    """Values of one unknown: ranges, and if there is a period those from `start` on again and again."""

    ranges: tuple[tuple[int, int], ...]
    start: int = 0
    period: int = 0

    @classmethod
    def of(cls, values: Iterable[int], start: int = 0, period: int = 0) -> Series:
        """Some rising values as ranges."""
        found: list[tuple[int, int]] = []
        for n in values:
            if found and found[-1][1] + 1 == n:
                found[-1] = (found[-1][0], n)
            else:
                found.append((n, n))
        return cls(tuple(found), start, period)

    @property
    def number(self) -> int:
        """How many the ranges hold."""
        return sum(most - least + 1 for least, most in self.ranges)

    def values(self) -> Iterator[int]:
        """All values, rising; without end where there is a period."""
        once = [range(least, most + 1) for least, most in self.ranges]
        yield from chain.from_iterable(once)
        for times in count(1) if self.period else ():
            yield from (n + times * self.period for n in chain.from_iterable(once) if n >= self.start)

    def text(self, name: str) -> str:
        """In words: `193 <= H <= 224`, `H = 32, 64, 96, …: every 32`, `H >= 47`.

        >>> Series(((32, 32),), 32, 32).text("H"), Series(((1, 4), (7, 7))).text("H")
        ('H = 32, 64, 96, …: every 32', 'H = 1 to 4, 7')
        >>> Series.of(range(16, 545, 16)).text("H")
        'H = 16, 32, 48, … up to 544: every 16'
        """
        if self.period == 1 and len(self.ranges) == 1:
            return f"{name} >= {self.ranges[0][0]:,}"
        if self.period:
            return f"{name} = {', '.join(f'{n:,}' for n in islice(self.values(), NAMED))}, …: every {self.period:,}"
        if len(self.ranges) == 1 and self.ranges[0][0] < self.ranges[0][1]:
            return f"{self.ranges[0][0]:,} <= {name} <= {self.ranges[0][1]:,}"
        singles = [least for least, most in self.ranges if least == most]
        steps = {after - before for before, after in pairwise(singles)}
        if len(singles) == len(self.ranges) > 2 * NAMED and len(steps) == 1:
            first = ", ".join(f"{n:,}" for n in singles[:NAMED])
            return f"{name} = {first}, … up to {singles[-1]:,}: every {steps.pop():,}"
        some = [f"{least:,} to {most:,}" if least < most else f"{least:,}" for least, most in self.ranges[: 2 * NAMED]]
        return f"{name} = {', '.join(some)}{', …' if len(self.ranges) > 2 * NAMED else ''}" if some else f"no {name}"


class Answer(NamedTuple):
    """All solutions, as many of them built as are shown, and the nearest misses."""

    question: Question
    unknowns: tuple[Unknown, ...]
    number: int | None  # of solutions; None: without end
    boxes: tuple[Box, ...]  # a range for each unknown, of its legal values; together they are all solutions
    solutions: tuple[Solution, ...]  # the most usual first
    nearest: tuple[Solution, ...]
    trials: int
    series: tuple[Series, ...] = ()  # of each unknown, where any value of one goes with any of the other
    notes: tuple[tuple[str, str], ...] = ()  # heading, sentence

    @property
    def solved(self) -> bool:
        """Whether there is a solution."""
        return self.number != 0


def solve_by_search(question: Question, most: int, choice: Choice = "") -> Answer:
    """All values of the unknowns within their bounds; `most` of them are built.

    Raises `SpecError` where no value gives a net, or the search would take too long.
    """
    if choice and len(question.unknowns) > 1:
        raise SpecError([Fault(f"`--{choice}` is for one unknown, and there are {len(question.unknowns)}")])
    question = _with_shapes(question)
    test = Test(question)
    found = search(question.unknowns, test, len(list(parts(question.net.tree))) // PARTS_OF_A_LAYER)
    if not found.boxes and not found.misses:
        raise test.refused()
    near = [test.solution(_least(box)) for _, box in found.misses]
    near.sort(key=lambda each: (each.gap.low, usual(question, each)))
    series = _series(question.unknowns[0], found) if len(question.unknowns) == 1 else ()
    boxes = tuple((ends,) for each in series for ends in each.ranges) or _in_values(question.unknowns, found.boxes)
    shown = tuple(_shown(test, found, most, choice))
    return Answer(question, question.unknowns, found.number, boxes, shown, tuple(near), found.trials, series)


def _series(unknown: Unknown, found: Found) -> tuple[Series, ...]:
    """What solves a question with one unknown."""
    if not unknown.legal:
        return (Series(tuple(box[0] for box in found.boxes)),)
    return (Series.of(unknown.value(place) for ((first, last),) in found.boxes for place in range(first, last + 1)),)


def _in_values(unknowns: tuple[Unknown, ...], boxes: tuple[Box, ...]) -> tuple[Box, ...]:
    """Boxes of places as boxes of the values there."""
    return tuple(
        tuple((unknown.value(first), unknown.value(last)) for unknown, (first, last) in zip(unknowns, box, strict=True))
        for box in boxes
    )


class Test:
    """What `search` asks of a box; keeps the first refusal of a single value."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.symbolic = question.symbolic
        self.refusal: SpecError | None = None

    def __call__(self, box: Box) -> Finding | None:
        """What is known of a box; None where all of it is refused."""
        single = volume(box) == 1
        if self.symbolic and not single:
            return OPEN
        try:
            trial, gap = self.built(box)
            natural = self.natural(trial)
        except SpecError as error:
            if not single and any(fault.undecided for fault in error.faults):
                return OPEN
            self.refusal = self.refusal or (error if single else None)
            return None
        except TypeError:  # a rule asks what bounds leave open
            if single:
                raise
            return OPEN
        if natural is False or (single and gap.high is None):
            return None
        sure = single or (natural is True and (self.question.met or not trial.built.assumptions))
        return Finding(gap.low, gap.high, sure, len(trial.built.graph.nodes))

    def built(self, box: Box) -> tuple[Trial, Gap]:
        """The net with some values, and how far it is from what is wanted. Raises `SpecError`."""
        unknowns = self.question.unknowns
        ends = zip(unknowns, *_in_values(unknowns, (box,)), strict=True)
        values = {unknown.name: between(*each) for unknown, each in ends}
        trial = Trial(self.question.net.attempt(self.question.size, values))
        return trial, total([condition.gap(trial) for condition in self.question.conditions])

    def solution(self, places: tuple[int, ...]) -> Solution:
        """The net with the values at some places. Raises `SpecError`."""
        values = (unknown.value(place) for unknown, place in zip(self.question.unknowns, places, strict=True))
        return Solution(tuple(values), *self.built(_single(places)))

    def natural(self, trial: Trial) -> Truth:
        """Whether no window can lie in the padding alone, of the layers whose padding is sought."""
        truth: Truth = True
        for held in chain(_inside(trial, self.question.padded), _uncut(trial, self.question.padded)):
            if held is False:
                return False
            truth = held if truth is True else truth
        return truth

    def refused(self) -> SpecError:
        """Why no value gives a net: what is said of the smallest values, or of the largest."""
        for ends in zip(*(unknown.places for unknown in self.question.unknowns), strict=True):
            self(_single(ends))
        if not self.refusal:
            return SpecError([Fault("no net comes of it within these bounds")])
        if not self.question.of_sides:
            return self.refusal
        sought = f"the input is sought, and none fits: {', '.join(each.within() for each in self.question.unknowns)}"
        return SpecError(fault._replace(notes=(*fault.notes, sought)) for fault in self.refusal.faults)


def _inside(trial: Trial, layers: frozenset[Span]) -> Iterator[Truth]:
    """Whether the padding at each end of what arrives is less than a window."""
    for sweep in sweeps_of(trial, layers):
        most = footprint(sweep.k, sweep.d) - 1  # type: ignore[arg-type]  # of bounds too
        yield from (at_least(most, padding) for padding in (sweep.before, sweep.after))


def _uncut(trial: Trial, layers: frozenset[Span]) -> Iterator[Truth]:
    """Whether the first output sees the first input: else the padding cuts off all of a window that is laid there."""
    for reach in reaches_of(trial, layers):
        if reach.before is not None:
            yield at_least(reach.before, 0)


def _single(values: tuple[int, ...]) -> Box:
    return tuple((n, n) for n in values)


def _least(box: Box) -> tuple[int, ...]:
    return tuple(least for least, _ in box)


def _with_shapes(question: Question) -> Question:
    """The question with those numbers bounded as copies are that decide how the net is built, whatever they are."""
    test, unknowns = Test(question), list(question.unknowns)
    for at, unknown in enumerate(unknowns):
        if not (unknown.kind or unknown.shapes or unknown.side):
            probes = (
                (*_single((n,) * at), ends, *_single((n,) * (len(unknowns) - at - 1)))
                for ends in PROBES
                for n in OTHERS
            )
            if all(test(box) in (None, OPEN) for box in probes):
                unknowns[at] = unknown._replace(shapes=True)
    return question._replace(unknowns=shaping(tuple(unknowns)))


def affordable(most: int, layers: int) -> int:
    """How many solutions of so many layers are built."""
    return min(most, max(FEWEST, SHOWN_LAYERS // layers))


def _shown(test: Test, found: Found, most: int, choice: Choice) -> Iterator[Solution]:
    """The most usual solutions, or the one that is chosen."""
    if not found.boxes:
        return
    question = test.question
    down = choice == "largest" or (not choice and falling(question))
    layers = len(test.built(_single(next(points(found.boxes, down))))[0].sizes)
    most = affordable(most, layers)
    if choice or (len(question.unknowns) == 1 and not question.unknowns[0].kind):
        yield from map(test.solution, islice(points(found.boxes, down), 1 if choice else most))
        return
    limit = max(most, min(COMPARED, COMPARED_LAYERS // layers))
    ends = (tuple(side[1 if down else 0] for side in box) for box in found.boxes)
    chosen = islice(points(found.boxes, down) if found.number <= limit else ends, limit)
    yield from sorted(map(test.solution, chosen), key=lambda each: usual(question, each))[:most]
