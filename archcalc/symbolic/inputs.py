"""Which inputs give a size, and which lose no rows: in closed form, for inputs of every size.

The height of the input becomes the symbol H, its width W. Every size after them is then k*floor((H + b)/m) + c, which
is as wanted for the H from a least to a most; what the layers need, and what they drop, repeats with a period.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice, product
from typing import Any, NamedTuple

from archcalc.builder import Assumption
from archcalc.graph import Node
from archcalc.lang.errors import Fault, SpecError
from archcalc.lang.syntax import Name, Sizes, parts
from archcalc.ops.base import Op
from archcalc.solving.answers import Answer, Choice, Series, affordable, solve_by_search
from archcalc.solving.boxes import ENOUGH
from archcalc.solving.conditions import SizeCondition, Trial, total
from archcalc.solving.orders import Solution
from archcalc.solving.questions import Question
from archcalc.solving.unknowns import Unknown, sought_in
from archcalc.symbolic.sizes import Size, at, symbols_of
from archcalc.symbolic.validity import Domain, domains, names_of, runs
from archcalc.volume import Dim, Volume, footprint

LONGEST = 200_000  # inputs that are looked at one by one
SORTED = 2000  # inputs that are put in order
NEAR = 64  # how far misses are looked for
NAMED = 3  # layers that a sentence names
Windows = list[tuple[int, Op, tuple[Volume, ...]]]  # axis, layer, what arrives


class NotClosed(Exception):
    """The sizes are not of the closed form: inputs have to be tried."""


class Span(NamedTuple):
    """Whole numbers from `least` to `most`; no `most`: without end."""

    least: int
    most: int | None

    def meet(self, other: Span) -> Span:
        """What lies in both."""
        mosts = [most for most in (self.most, other.most) if most is not None]
        return Span(max(self.least, other.least), min(mosts, default=None))


class Line(NamedTuple):
    """One unknown, the height, the width, or both of a square input; `axes` says which."""

    axes: tuple[int, ...]
    span: Span  # where the sizes are as wanted
    domains: tuple[Domain, ...]  # what the layers need, where that matters
    legal: Callable[[int], bool]  # whether the net can be built on an input of this side
    dropped: Callable[[int], int]  # rows and columns
    drops: bool  # whether some may be dropped
    start: int  # from here on, what is needed and what is dropped repeats
    period: int

    def holds(self, n: int) -> bool:
        """Whether an input of this side, within the span, is as wanted."""
        return self.legal(n) and (self.drops or not self.dropped(n))

    def series(self) -> Series:
        """All sides that are as wanted. Raises `SpecError` where that are too many to look at."""
        least, most = self.span
        if most is not None and least > most:
            return Series(())
        start = max(self.start, least)
        if self.period == 1 and start == least:  # one is as the other
            ranges = ((least, least if most is None else most),) if self.holds(least) else ()
            return Series(ranges, least, 1) if most is None and ranges else Series(ranges)
        end = start + self.period - 1 if most is None else most
        if end - least >= LONGEST:
            raise SpecError([Fault(f"too much to look at: inputs from {least:,} to {end:,}, which repeat no sooner")])
        found = [n for n in range(least, end + 1) if self.holds(n)]
        return Series.of(found) if most is not None else self._endless(frozenset(found), start)

    def _endless(self, found: frozenset[int], start: int) -> Series:
        """The values that are as wanted up to the end of the first period, and then again and again."""
        cycle = range(start, start + self.period)
        assert all(self.holds(n + self.period) == (n in found) for n in cycle), "what is dropped does not repeat"
        periods = (step for step in range(1, self.period + 1) if self.period % step == 0)
        period = next(
            step
            for step in periods
            if all((n in found) == (start + (n + step - start) % self.period in found) for n in cycle)
        )
        while start > self.span.least and (start - 1 in found) == (start - 1 + period in found):
            start -= 1
        values = sorted(n for n in found if n < start + period)
        return Series.of(values, start, period) if values and values[-1] >= start else Series.of(values)


def solve_inputs(question: Question, most: int, choice: Choice = "") -> Answer:
    """All inputs that are as wanted; `most` of them are built. Raises `SpecError`, also where no input fits the layers.

    Where something else than sizes is wanted, or the sizes have no closed form, those that the layers fit are tried, up
    to a bound.
    """
    if question.of_inputs:
        with suppress(NotClosed):
            return _in_closed_form(question, most, choice)
    question, notes = _legal(question)
    answer = solve_by_search(question, most, choice)
    return answer._replace(notes=(*notes, *answer.notes))


def _in_closed_form(question: Question, most: int, choice: Choice) -> Answer:
    """All inputs that give the wanted sizes. Raises `NotClosed` and `SpecError`."""
    trial = _in_symbols(question)
    needs, whole = _needs(trial.built.assumptions)
    if not whole:
        raise NotClosed
    pairs_ = zip(question.unknowns, _axes(question), strict=True)
    lines = [_line(question, trial, axes, _said(unknown), needs) for unknown, axes in pairs_]
    fits = _depth_fits(question, trial)
    most = affordable(most, len(trial.sizes))
    series = tuple(line.series() if fits else Series(()) for line in lines)
    if choice == "largest" and any(each.period for each in series):
        raise SpecError([Fault("there is no largest input: they go on without end")])
    ranked = [_ranked(line, each, choice) for line, each in zip(lines, series, strict=True)]
    pairs = sorted(
        product(*(enumerate(each[:most]) for each in ranked)), key=lambda pair: sum(rank for rank, _ in pair)
    )
    solutions = tuple(_built(question, tuple(n for _, n in pair)) for pair in pairs[:most])
    assert all(each.gap.high == 0 for each in solutions), "the closed form does not agree with the net in numbers"
    endless = all(each.ranges for each in series) and any(each.period for each in series)
    number = None if endless else math.prod(each.number for each in series)
    near = () if number != 0 else _near(question, lines)
    notes = tuple(_notes(question, trial, lines))
    return Answer(question, question.unknowns, number, (), solutions, near, 0, series, notes)


def _in_symbols(question: Question) -> Trial:
    """The net on an input HxW, or with a symbol for that side of it which is sought. Raises `NotClosed`."""
    size = question.input_size
    if not isinstance(size, Sizes) or len(size.parts) != 3:
        raise NotClosed
    names = {each.id for each in parts((question.net.tree, size)) if isinstance(each, Name)}
    h, w = (next(name for name in (letter, letter * 2, letter * 3) if name not in names) for letter in "HW")
    pairs = zip(size.parts, (h, w, ""), strict=True)
    sides = [Name(side.span, name) if name and any(sought_in(side)) else side for side, name in pairs]
    try:
        return Trial(question.net.attempt(size.replace(parts=tuple(sides)), {}))
    except SpecError as error:
        if any(fault.undecided for fault in error.faults):
            raise NotClosed from None
        raise SpecError(_of_any_input(fault, (h, w)) for fault in error.faults) from None


def _of_any_input(fault: Fault, symbols: tuple[str, str]) -> Fault:
    """A fault that all inputs have, with what its symbols are."""
    if not re.search(rf"\b({'|'.join(symbols)})\b", fault.message):
        return fault
    note = f"no input fits: {' and '.join(symbols)} are the height and the width of any"
    return fault._replace(notes=(*fault.notes, note))


def _axes(question: Question) -> list[tuple[int, ...]]:
    """Which sides each unknown is."""
    size = question.input_size
    sides = size.parts[:2] if isinstance(size, Sizes) else ()
    names = [each.name for each in question.unknowns]
    return [tuple(axis for axis, side in enumerate(sides) if name in {n.id for n in sought_in(side)}) for name in names]


def _needs(assumptions: tuple[Assumption, ...]) -> tuple[tuple[Domain, ...], bool]:
    """What the layers need of single symbols, and whether that is all that they need.

    The conditions on a symbol are taken together; or each by itself, where all of them repeat too late to be known.
    """
    found = {name: domain for name, domain in domains(assumptions).items() if domain.known}
    alone, whole = [*found.values()], True
    for each in assumptions:
        names = names_of(each.condition)
        if names <= found.keys() and len(names) == 1:
            continue
        own = [domain for domain in domains((each,)).values() if domain.known]
        alone += own
        whole = whole and len(own) == len(names) == 1
    return tuple(alone), whole


def _legal(question: Question) -> tuple[Question, tuple[tuple[str, str], ...]]:
    """The question with those sides of the input alone that the layers fit, and what they need, in words.

    Raises `SpecError` where no input fits.
    """
    if not question.of_sides:
        return question, ()
    try:
        trial = _in_symbols(question)
    except NotClosed:
        return question, ()
    needs, whole = _needs(trial.built.assumptions)
    unknowns: list[Unknown] = []
    notes: list[tuple[str, str]] = []
    for unknown, axes in zip(question.unknowns, _axes(question), strict=True):
        own = tuple(domain for domain in needs if domain.symbol in {str(trial.input[axis]) for axis in axes})
        unknowns.append(_fitting(unknown, own, whole))
        notes += _in_words(own)
    return question._replace(unknowns=tuple(unknowns), met=whole), tuple(dict.fromkeys(notes))


def _fitting(unknown: Unknown, needed: tuple[Domain, ...], whole: bool) -> Unknown:
    """A side of the input, its values only those that some layers need.

    Raises `SpecError` where there are none, or too many to look at.
    """
    if all(domain.period == 1 and len(runs(domain.first)) == 1 for domain in needed):
        least = max((unknown.least, *(domain.least for domain in needed)))
        most = min((unknown.most, *(domain.last for domain in needed if domain.last is not None)))
        return _within(unknown, range(least, most + 1), needed)
    if unknown.most - unknown.least >= LONGEST:
        raise SpecError([Fault(f"too much to look at: {unknown.within()}", help=f"at most {LONGEST:,} are")])
    values = tuple(filter(_legality(needed), range(unknown.least, unknown.most + 1)))
    bound = unknown.bound or f"those that fit {'the' if whole else 'some of the'} layers"
    return _within(unknown, values, needed)._replace(bound=bound, legal=values)


def _within(unknown: Unknown, values: Sequence[int], needed: tuple[Domain, ...]) -> Unknown:
    """A side of the input from the first to the last of some values. Raises `SpecError` where there are none."""
    if not values:
        why = tuple(f"needed is {text}" for _, text in _in_words(needed))
        raise SpecError([Fault(f"no {unknown.title} from {unknown.least:,} to {unknown.most:,} fits", notes=why)])
    return unknown._replace(least=values[0], most=values[-1])


def _sizes(question: Question, trial: Trial) -> Iterator[tuple[SizeCondition, Volume, tuple[Dim | None, ...]]]:
    """The sizes that are wanted, with those found."""
    for condition in question.conditions:
        if isinstance(condition, SizeCondition):
            yield condition, condition.found(trial), condition.wanted(trial)


def _depth_fits(question: Question, trial: Trial) -> bool:
    """Whether all depths are as wanted: they do not depend on the input."""
    pairs = [(found.c, wanted[2]) for _, found, wanted in _sizes(question, trial) if wanted[2] is not None]
    if not all(isinstance(n, int) for pair in pairs for n in pair):
        raise NotClosed
    return all(found == wanted for found, wanted in pairs)


def _said(unknown: Unknown) -> Span:
    """The bounds of a side, if they are said: of themselves there are none."""
    return Span(unknown.least, unknown.most) if unknown.bound else Span(1, None)


def _line(question: Question, trial: Trial, axes: tuple[int, ...], span: Span, needs: tuple[Domain, ...]) -> Line:
    for _, found, wanted in _sizes(question, trial):
        for axis in axes:
            span = span.meet(_giving(found[axis], wanted[axis], trial.input[axis]))
    needed = tuple(domain for domain in needs if domain.symbol in {str(trial.input[axis]) for axis in axes})
    asked = span
    for domain in needed:
        span = span.meet(Span(domain.least, domain.most))
    start = max((domain.start for domain in needed), default=1)
    period = math.lcm(*(domain.period for domain in needed))
    windows = [(axis, node.op, x) for axis in axes for node, x in _windows(trial)]
    drops = all(isinstance(condition, SizeCondition) for condition in question.conditions)
    for axis, op, x in () if drops else windows:
        own_start, own_period = _repeats(op, x, axis)
        start, period = max(start, own_start), math.lcm(period, own_period)
    legal_ = _legality(needed)
    return Line(
        axes, span, needed if span != asked or period > 1 else (), legal_, _dropping(windows), drops, start, period
    )


def _legality(needed: tuple[Domain, ...]) -> Callable[[int], bool]:
    """Whether all domains have a value."""
    first = [(domain, frozenset(domain.first)) for domain in needed]

    def legal(n: int) -> bool:
        for domain, values in first:
            known = n if n < domain.start else domain.start + (n - domain.start) % domain.period
            if known not in values or (domain.most is not None and n > domain.most):
                return False
        return n >= 1

    return legal


def _giving(found: Dim, wanted: Dim | None, symbol: Dim) -> Span:
    """The inputs for which a side is as wanted."""
    if wanted is None:
        return Span(1, None)
    if not isinstance(wanted, int):
        raise NotClosed
    if isinstance(found, int):
        return Span(1, None if found == wanted else 0)
    if not isinstance(found, Size) or found.symbol != str(symbol):
        raise NotClosed
    return Span(max(1, found.least(wanted)), found.most(wanted))


# ---------------------------------------------------------------- what is dropped


def _windows(trial: Trial) -> Iterator[tuple[Node, tuple[Volume, ...]]]:
    """Layers with a window, and what arrives: one of each that are alike."""
    known: set[object] = set()
    for node in trial.built.graph.nodes:
        x = tuple(trial.sizes[i] for i in node.inputs)
        if x and node.op.slides and (node.op, x) not in known:
            known.add((node.op, x))
            yield node, x


def _in_numbers(x: tuple[Volume, ...], n: int) -> tuple[Volume, ...]:
    """Volumes on a square input."""
    return tuple(Volume(*(at(side, dict.fromkeys(symbols_of(side), n)) for side in volume)) for volume in x)


def _drop(op: Op, x: tuple[Volume, ...], axis: int, n: int) -> int:
    return op.dropped(*_in_numbers(x, n))[axis]


def _dropping(windows: Windows) -> Callable[[int], int]:
    """How many rows and columns some windows drop together, by the side of the input."""
    return lambda n: sum(_drop(op, x, axis, n) for axis, op, x in windows)


def _repeats(op: Op, x: tuple[Volume, ...], axis: int) -> tuple[int, int]:
    """From which input on, and with which period, a layer drops rows or drops none.

    A step more of the layer's own input is a place more for its window, once both ends lie apart.
    """
    sweeps: Any = op.sweeps(*_in_numbers(x, LONGEST))
    side = x[0][axis]
    if not sweeps or isinstance(side, int):
        return 1, 1
    if not isinstance(side, Size):
        raise NotClosed
    sweep = sweeps[axis]
    apart = 2 * (footprint(sweep.k, sweep.d) + sweep.s) + sweep.before + sweep.after
    step, rise = side.period()
    return max(1, side.least(apart)), step * (sweep.s // math.gcd(sweep.s, rise))


# ---------------------------------------------------------------- in order


def _ranked(line: Line, series: Series, choice: Choice) -> list[int]:
    """Some of the sides: those first that drop nothing, then those that halve most often."""
    if choice:
        ends = [n for ends in series.ranges for n in ends]
        return [max(ends) if choice == "largest" else min(ends)] if ends else []
    values = list(islice(series.values(), SORTED))
    if series.period:
        return values
    return sorted(values, key=lambda n: (line.dropped(n) > 0, -(n & -n), n))


def _built(question: Question, sides: tuple[int, ...]) -> Solution:
    """The net in numbers, and how far it is from what is wanted."""
    values = {unknown.name: n for unknown, n in zip(question.unknowns, sides, strict=True)}
    trial = Trial(question.net.attempt(question.size, values))
    return Solution(sides, trial, total([condition.gap(trial) for condition in question.conditions]))


def _near(question: Question, lines: list[Line]) -> tuple[Solution, ...]:
    """Inputs that come nearest: the legal ones around the span in which the size would lie."""
    choices = []
    for line in lines:
        ends = [max(1, end) for end in line.span if end is not None]
        sides = {n for end in ends for n in range(end - NEAR, end + NEAR) if line.legal(n)}
        choices.append(sorted(sides, key=lambda n: (min(abs(n - end) for end in ends), n))[:ENOUGH])
    found = [_built(question, sides) for sides in product(*choices)]
    return tuple(sorted(found, key=lambda each: each.gap.low)[:ENOUGH])


# ---------------------------------------------------------------- in words


def _notes(question: Question, trial: Trial, lines: list[Line]) -> Iterator[tuple[str, str]]:
    sizes = list(_sizes(question, trial))
    for condition, found, _ in sizes:
        yield "size", f"{condition.title} is {found}, for an input {trial.input}"
    if len(sizes) == 1:
        _, found, wanted = sizes[0]
        sides = list(zip(found[:2], wanted[:2], trial.input[:2], strict=True))
        alike = len({(_anonymous(n, symbol), side) for n, side, symbol in sides}) == 1
        rising = zip(sides[: 1 if alike else 2], (lines[0], lines[-1]), strict=False)
        yield from (("period", text) for (n, side, _), line in rising if (text := _next(n, side, line)))
    yield from _in_words(tuple(domain for line in lines for domain in line.domains))
    if not all(line.drops for line in lines):
        yield from _gaps(trial, lines)


def _in_words(needed: tuple[Domain, ...]) -> Iterator[tuple[str, str]]:
    """What layers need of the sides of the input; once what they need of both alike."""
    needs = {_anonymous(domain.text, domain.symbol): domain for domain in needed[::-1]}
    for domain in reversed(needs.values()):
        yield "needs", f"{domain.text}: {' and '.join(dict.fromkeys(each.about for each in domain.reasons))}"


def _anonymous(text: object, symbol: object) -> str:
    """A formula without the name of its symbol, to tell whether the height and the width go alike."""
    return re.sub(rf"\b{symbol}\b", "n", str(text))


def _next(found: Dim, wanted: Dim | None, line: Line) -> str:
    """How the size goes on behind what is wanted: the next inputs that fit the layers."""
    if not isinstance(found, Size) or not isinstance(wanted, int):
        return ""
    step, rise = found.period()
    least, most = found.least(wanted + rise), found.most(wanted + rise)
    ranges = Series.of(filter(line.legal, range(least, min(most + 1, least + LONGEST)))).ranges
    if not ranges:
        return ""
    some = [f"{first:,} to {last:,}" if first < last else f"{first:,}" for first, last in ranges[:NAMED]]
    behind = f"{', '.join(some)}{', …' if len(ranges) > NAMED else ''}"
    return f"every {step} more of {found.symbol} give {rise} more: {wanted + rise} for {behind}"


def _gaps(trial: Trial, lines: list[Line]) -> Iterator[tuple[str, str]]:
    """The layers that drop something on every larger input, and the inputs on which no other layer does."""
    for line in (line for line in lines if line.period < LONGEST):
        windows = [(axis, node, x) for node, x in _windows(trial) for axis in line.axes]
        cycle = range(line.start, line.start + line.period)
        always = [all(_drop(node.op, x, axis, n) for n in cycle) for axis, node, x in windows]
        others_ = [window for window, each in zip(windows, always, strict=True) if not each]
        some = [node.name for axis, node, x in others_ if any(_drop(node.op, x, axis, n) for n in cycle)]
        if any(always):
            names = [node.name for (_, node, _), each in zip(windows, always, strict=True) if each]
            yield "dropped", f"on every larger input by {_listed(names)}"
            rest = line._replace(dropped=_dropping([(axis, node.op, x) for axis, node, x in others_]))
            side = str(trial.input[line.axes[0]])
            yield "apart", f"from these, nothing is dropped for {rest.series().text(side)}"
        elif some:
            yield "dropped", f"on other inputs by {_listed(some)}"


def _listed(names: list[str]) -> str:
    names = list(dict.fromkeys(names))
    return f"{', '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''}"
