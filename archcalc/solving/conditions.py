"""What is asked of a net whose unknowns have values: how far it is from what is wanted."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.expectations import value_of
from archcalc.analyses.quantities import NoLayer, Part, part_of
from archcalc.builder import Built
from archcalc.builder.values import Evaluator, Refused, Scope
from archcalc.graph import walk
from archcalc.interval import Interval
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Span
from archcalc.lang.syntax import Expect, Expr, Number, Sizes
from archcalc.units import read
from archcalc.volume import Dim, Undecided, Volume, same

MOST_NAMED = 6  # volumes in a sentence
COMMON = (
    "params",
    "macs",
    "flops",
    "activations",
    "receptive",
    "layers",
    "height",
    "memory",
)  # quantities in a sentence


class Trial:
    """A net built with values for its unknowns, or with bounds of them; figures are worked out when asked for."""

    def __init__(self, built: Built) -> None:
        self.built = built

    @cached_property
    def sizes(self) -> list[Volume]:
        """What leaves each layer."""
        return walk(self.built.graph, lambda node, x: node.op.out(*x))

    @cached_property
    def report(self) -> Report:
        """What each layer costs."""
        return measure(self.built.graph, self.built.assumptions)

    @property
    def input(self) -> Volume:
        """The (first) input."""
        return next(size for node, size in zip(self.built.graph.nodes, self.sizes, strict=True) if not node.inputs)

    def size(self, label: str, span: Span) -> Volume:
        """What leaves a layer or a group, with no label the net. Raises `SpecError` where there is none."""
        graph = self.built.graph
        index = graph.volumes.get(label) if label not in ("", "output") else graph.outputs[0][1]
        if index is None:
            raise SpecError([_no_volume(label, span, graph.volumes)])
        return self.sizes[index]


class Gap(NamedTuple):
    """How far what was found is from what is wanted, as a share of it: between bounds, 0 where it is as wanted.

    `high` is None where nothing bounds it; `open` is what symbols would have to be for a gap of 0.
    """

    low: Fraction
    high: Fraction | None
    open: str = ""


NONE, ANY = Gap(Fraction(0), Fraction(0)), Gap(Fraction(0), None)


def total(gaps: list[Gap]) -> Gap:
    """All gaps taken together."""
    highs = [gap.high for gap in gaps if gap.high is not None]
    high = sum(highs, Fraction(0)) if len(highs) == len(gaps) else None
    open_ = " and ".join(dict.fromkeys(gap.open for gap in gaps if gap.open))
    return Gap(sum((gap.low for gap in gaps), Fraction(0)), high, open_)


class SizeCondition(NamedTuple):
    """A size that is wanted of the output, or of a layer: height, width and depth, None where any will do."""

    label: str
    sides: tuple[Dim | Expr | None, ...]
    same: bool  # the height and width of the input
    text: str
    span: Span

    @property
    def title(self) -> str:
        """What is asked for."""
        return self.label or "output"

    @property
    def oblong(self) -> bool:
        """Whether height and width are wanted, and not as many of both."""
        return len(self.sides) > 1 and None not in self.sides[:2] and self.sides[0] != self.sides[1]

    def found(self, trial: Trial) -> Volume:
        """The size that there is."""
        return trial.size(self.label, self.span)

    def wanted(self, trial: Trial) -> tuple[Dim | None, ...]:
        """The sides that are wanted; expressions may have the symbols of the input."""
        if self.same:
            return (*trial.input[:2], None)
        known = {str(n): n for n in trial.input if not isinstance(n, (int, Interval))}
        return tuple(None if side is None else _side(side, known) for side in self.sides)

    def gap(self, trial: Trial) -> Gap:
        """How far the sides are from those wanted."""
        pairs = zip(self.found(trial), self.wanted(trial), strict=True)
        return total([_apart(n, side) for n, side in pairs if side is not None])


class NumberCondition(NamedTuple):
    """A quantity that is wanted from `least` to `most`, None where nothing bounds it."""

    expect: Expect
    least: Fraction | None
    most: Fraction | None
    text: str

    @property
    def title(self) -> str:
        """What is asked for."""
        return self.expect.target.id + (f"[{self.expect.rule}]" if self.expect.rule else "")

    def found(self, trial: Trial) -> Any:
        """The value that there is; None where it does not apply."""
        part, _, name = self.expect.target.id.rpartition(".")
        if name not in OWN:
            return self._quantity(trial)
        try:
            return OWN[name](part_of(trial.report, part or None))
        except NoLayer as missing:
            fault = _no_volume(missing.name, self.expect.target.span, trial.built.graph.volumes)
            raise SpecError([fault]) from None

    def _quantity(self, trial: Trial) -> Any:
        """A quantity of `expect` lines. Raises `SpecError`, with what there is."""
        try:
            return value_of(trial.report, self.expect)
        except SpecError as error:
            target = self.expect.target
            label = quoted(f"{next(reversed(trial.built.graph.volumes), 'conv1')}.params")
            known = did_you_mean(target.id, OWN) or f"such as {', '.join((*COMMON, *OWN))}; of a layer, {label}"
            raise SpecError(
                fault._replace(help=fault.help or known) if fault.span == target.span else fault
                for fault in error.faults
            ) from None

    def gap(self, trial: Trial) -> Gap:
        """How far the value is from the bounds."""
        found = self.found(trial)
        if isinstance(found, Volume):
            return total([_apart(n, wanted) for n, wanted in zip(found, (1, 1, int(self.least or 0)), strict=True)])
        if found is None:
            return ANY
        if not isinstance(found, (int, Fraction, Interval)):
            message = f"{quoted(self.expect.target.id)} is {found}: symbols cannot be held against a number"
            raise SpecError([Fault(message, self.expect.value.span, help="give the input in numbers: `--in 224`")])
        low, high = (found.low, found.high) if isinstance(found, Interval) else (found, found)
        scale = max(Fraction(1), self.most or self.least or Fraction(1))
        below = [(self.least - n) / scale for n in (high, low) if self.least is not None]
        above = [(n - self.most) / scale for n in (low, high) if self.most is not None]
        least, most = (max([Fraction(0), *(each[at] for each in (below, above) if each)]) for at in (0, 1))
        return Gap(least, most)


Condition = SizeCondition | NumberCondition


def number_condition(expect: Expect, text: str) -> Condition:
    """A condition as an `expect` line says it. Raises `SpecError`."""
    if isinstance(expect.value, Sizes):
        if expect.relation != "=":
            raise SpecError([Fault("a size is wanted with `=`", expect.value.span)])
        label = expect.target.id
        return size_condition("" if label == "size" else label.removesuffix(".size"), expect.value, text)
    if not isinstance(expect.value, Number):
        raise SpecError([Fault(f"{quoted(print_expr(expect.value))} is not a number", expect.value.span)])
    printed = read(expect.value.text)
    least, most = _BOUNDS[expect.relation](printed.value, printed.half_unit)
    return NumberCondition(expect, least, most, text)


def size_condition(label: str, size: Expr, text: str) -> SizeCondition:
    """A size as it is written: `55`, `55x55`, `55x55x96`. Raises `SpecError`."""
    sides = size.parts if isinstance(size, Sizes) else (size, size)
    if len(sides) > 3:
        message = f"{quoted(print_expr(size))} has {len(sides)} sizes: height, width and depth are wanted"
        raise SpecError([Fault(message, size.span)])
    return SizeCondition(label, (*sides, None)[:3], False, text, size.span)


# `~` holds for what rounds to the figure: from half a unit below up to, but not including, half a unit above.
_BOUNDS: dict[str, Callable[[Fraction, Fraction], tuple[Fraction | None, Fraction | None]]] = {
    "=": lambda value, _: (value, value),
    "~": lambda value, half: (value - half, Fraction(math.ceil(value + half) - 1)),
    "<=": lambda value, _: (None, value),
    ">=": lambda value, _: (value, None),
}


def _no_volume(label: str, span: Span, known: Iterable[str]) -> Fault:
    """The fault of a label that there is not, with one that may be meant, or some that there are."""
    some = ", ".join(islice(known, MOST_NAMED))
    help = did_you_mean(label, known) or f"such as {some}"
    return Fault(f"no volume is called {quoted(label)}", span, help=help)


def _dropped(part: Part) -> Dim | None:
    """Rows and columns that layers never see."""
    counts = [row.cost.dropped for row in part.rows]
    return None if None in counts else sum(rows + columns for rows, columns in filter(None, counts))


OWN: dict[str, Callable[[Part], Any]] = {  # what conditions know beside the quantities of `expect` lines
    "dropped": _dropped,
}


def _side(side: Dim | Expr, known: dict[str, Any]) -> Dim:
    """A wanted side as a size: a number, or an expression in the symbols of the input."""
    if not isinstance(side, Expr):
        return side
    try:
        found = Evaluator(Scope(None, known), None).value(side)
    except Refused as refused:
        raise SpecError([refused.fault]) from None
    if isinstance(found, (bool, Fraction)):
        raise SpecError([Fault(f"{quoted(print_expr(side))} is no size: a whole number is wanted", side.span)])
    return found


def _apart(found: Dim, wanted: Dim) -> Gap:
    """How far a side is from a wanted one."""
    if isinstance(found, (int, Interval)) and isinstance(wanted, (int, Interval)):
        (low, high), (least, most) = ((n, n) if isinstance(n, int) else (n.low, n.high) for n in (found, wanted))
        scale = max(1, most)
        near, far = max(0, least - high, low - most), max(high - least, most - low)
        return Gap(Fraction(near) / scale, Fraction(far) / scale)
    truth = same(found, wanted)
    if truth is True:
        return NONE
    difference = found - wanted
    apart = Fraction(abs(difference)) if isinstance(difference, int) else Fraction(1)
    return Gap(Fraction(1, 2), Fraction(1, 2), truth.text) if isinstance(truth, Undecided) else Gap(apart, apart)
