"""`expect` lines held against what was computed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.counting import amount
from archcalc.analyses.quantities import NoLayer, Part, adds_up, known_quantities, part_of, quantity
from archcalc.analyses.rules import Rule, find_rule
from archcalc.lang.errors import Fault, SpecError, did_you_mean, nearest, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Span
from archcalc.lang.syntax import Expect, Expr, Number, Sizes
from archcalc.ops.merge import unlike
from archcalc.units import Printed, change, percent, read
from archcalc.volume import Dim, Volume

TARGETS = known_quantities()
MOST_LISTED = 6  # volumes in a sentence
MOST_NAMED = 3  # layers that make up most of what is over a budget
_RELATIONS: dict[str, Callable[[int | Fraction, Printed], bool]] = {
    "=": lambda found, said: found == said.value,
    "~": lambda found, said: said.rounds_from(found),
    "<=": lambda found, said: found <= said.value,
    ">=": lambda found, said: found >= said.value,
}


class Judged(NamedTuple):
    """An `expect` line with what was found, and the fault if it does not hold; no value if it cannot be judged."""

    expect: Expect
    found: Volume | Dim | Fraction | None
    fault: Fault | None


def judged(report: Report, expects: tuple[tuple[Expect, tuple[str, ...]], ...]) -> list[Judged]:
    """All `expect` lines held against a report; each stands in the group that its path names."""
    found = [_judge(report, expect, path) for expect, path in expects]
    places = [(f"in `{'.'.join(path)}`",) if path else () for _, path in expects]
    return [
        each._replace(fault=each.fault._replace(notes=(*each.fault.notes, *notes))) if each.fault else each
        for each, notes in zip(found, places, strict=True)
    ]


def unmet(report: Report, expects: tuple[tuple[Expect, tuple[str, ...]], ...]) -> list[Fault]:
    """The faults of all `expect` lines that do not hold: said, found, and the difference."""
    return [each.fault for each in judged(report, expects) if each.fault is not None]


def _judge(report: Report, expect: Expect, path: tuple[str, ...]) -> Judged:
    try:
        found = value_of(report, expect, path)
    except SpecError as error:
        return Judged(expect, None, error.faults[0])
    if not all(isinstance(n, (int, Fraction)) for n in (found if isinstance(found, Volume) else (found,))):
        message = f"{quoted(expect.target.id)} is {found}: symbols cannot be held against a number"
        return Judged(expect, found, Fault(message, expect.value.span, help="give the input in numbers"))
    malformed = _malformed(expect, found)
    if malformed is not None:
        return Judged(expect, None, malformed)
    if isinstance(found, Volume):
        return Judged(expect, found, _size_fault(expect, found))
    unmet_ = _number_fault(expect, found)
    if unmet_ is not None and expect.relation == "<=":
        unmet_ = unmet_._replace(notes=_largest(report, expect, path))
    return Judged(expect, found, unmet_)


def value_of(report: Report, expect: Expect, path: tuple[str, ...] = ()) -> Any:
    """What the target of an `expect` line is in a report: a size, or a quantity under its rule of counting.

    Raises `SpecError` for a target or a rule that there is not.
    """
    rule = _rule(expect) if expect.rule else None
    found: Any = _volume(report, expect.target.id, path)
    if found is None:
        part, wanted = _part(report, expect.target.id, path)
        found = _counted(part, wanted, rule) if part else None
    if found is None:
        message = f"{quoted(expect.target.id)} is neither a quantity nor a volume"
        raise SpecError([Fault(message, expect.target.span, help=_meant(report, expect.target.id))])
    return found


def _rule(expect: Expect) -> Rule:
    """The rule in brackets; one of the user's own is looked for beside the text."""
    try:
        return find_rule(expect.rule, Path(expect.span.source.name).parent)
    except SpecError as error:
        span = _rule_span(expect)
        raise SpecError([each if each.span else each._replace(span=span) for each in error.faults]) from None


def _rule_span(expect: Expect) -> Span:
    """Where the name of the rule stands: behind the target, in brackets."""
    start = expect.span.source.text.index(expect.rule, expect.target.span.end)
    return Span(expect.span.source, start, start + len(expect.rule))


def _meant(report: Report, target: str) -> str:
    """The help for a target that there is not: of `conv9.params` the name, of `conv1.parms` the quantity."""
    name, _, quantity = target.rpartition(".")
    if name and quantity in TARGETS:
        known = report.graph.volumes
        near = nearest(name, known)
        return f"did you mean `{near}.{quantity}`?" if near else f"such as {', '.join(islice(known, MOST_LISTED))}"
    if name in report.graph.volumes and (near := nearest(quantity, TARGETS)):
        return f"did you mean `{name}.{near}`?"
    return did_you_mean(target, (*TARGETS, "output", *report.graph.volumes))


def _around(path: tuple[str, ...]) -> list[str]:
    """What may stand before a name that is used within groups, from the innermost out."""
    return ["".join(f"{part}." for part in path[:length]) for length in range(len(path), -1, -1)]


def _volume(report: Report, target: str, path: tuple[str, ...]) -> Volume | None:
    """The volume that a target names."""
    if target == "output":
        return report.rows[report.graph.outputs[0][1]].cost.out
    rows = (report.row(group + target) for group in _around(path))
    return next((row.cost.out for row in rows if row is not None), None)


def _part(report: Report, target: str, path: tuple[str, ...]) -> tuple[Part | None, str]:
    """What a target speaks of, and which quantity of it: `params` of the net, `fc6.params` of a layer or a group."""
    name, _, wanted = target.rpartition(".")
    if wanted not in TARGETS and not adds_up(wanted):  # `conv_params` too: of layers of one type
        return None, wanted
    if not name:
        return part_of(report, None), wanted
    for group in _around(path):
        try:
            return part_of(report, group + name), wanted
        except NoLayer:
            continue
    return None, wanted


def _counted(part: Part, wanted: str, rule: Rule | None) -> Any:
    """A quantity, as a rule counts it where it does so."""
    found = amount(part.report, part.rows, rule, wanted) if rule else None
    return quantity(part, wanted) if found is None else found


def _largest(report: Report, expect: Expect, path: tuple[str, ...]) -> tuple[str, ...]:
    """The layers that most of a sum is in, as a note; nothing for what is no sum, or of a single layer."""
    part, wanted = _part(report, expect.target.id, path)
    if part is None or len(part.rows) == 1 or not adds_up(wanted):
        return ()
    rule = _rule(expect) if expect.rule else None
    figures = [(_counted(part._replace(rows=(row,)), wanted, rule), row.name) for row in part.rows]
    whole = sum(figure for figure, _ in figures)
    ranked = sorted((each for each in figures if each[0]), key=lambda each: -each[0])
    named = ", ".join(f"{name} {figure:,} ({percent(figure, whole)})" for figure, name in ranked[:MOST_NAMED])
    return (f"most of it: {named}",) if ranked else ()


def _malformed(expect: Expect, found: Volume | Dim | Fraction) -> Fault | None:
    """The fault of what could not be so of any net: a size in place of a number, a figure that cannot be read."""
    if isinstance(found, Volume):
        parts = _sides(expect)
        if expect.relation == "=" and len(parts) == 3 and all(isinstance(part, Number) for part in parts):
            return None
        return Fault(f"the size of {quoted(expect.target.id)} is expected as `= HxWxC`", expect.value.span)
    if not isinstance(expect.value, Number):
        return Fault(f"{quoted(expect.target.id)} is expected as one number", expect.value.span)
    try:
        read(expect.value.text)
    except ValueError:
        return Fault(f"cannot read {quoted(expect.value.text)} as a figure", expect.value.span)
    return None


def _sides(expect: Expect) -> tuple[Expr, ...]:
    one = Number(expect.span, "1")
    return expect.value.parts if isinstance(expect.value, Sizes) else (one, one, expect.value)


def _size_fault(expect: Expect, found: Volume) -> Fault | None:
    said = tuple(_whole(part) for part in _sides(expect))
    if said == tuple(found):
        return None
    what = f"said {print_expr(expect.value)}, found {found}: {unlike(Volume(*said), found)}"
    return Fault(f"`{expect.target.id}` is not as expected: {what}", expect.value.span)


def _number_fault(expect: Expect, found: int | Fraction) -> Fault | None:
    assert isinstance(expect.value, Number)
    printed = read(expect.value.text)
    if _RELATIONS[expect.relation](found, printed):
        return None
    named = f"[{expect.rule}]" if expect.rule else ""
    difference = Fraction(found) - printed.value
    said = f"{expect.relation} {expect.value.text}".removeprefix("= ")
    apart = f"{int(difference):+,}" if difference.denominator == 1 else f"{float(difference):+,.6g}"
    shown = f"{found:,}" if isinstance(found, int) else f"{float(found):,.6g}"
    share = f" ({change(difference, printed.value)})" if expect.relation in ("<=", ">=") and printed.value else ""
    what = f"said {said}, found {shown}, difference {apart}{share}"
    return Fault(f"`{expect.target.id}{named}` is not as expected: {what}", expect.value.span)


def _whole(part: Expr) -> int:
    assert isinstance(part, Number)
    return int(part.text.replace("_", "")) if part.text.replace("_", "").isdigit() else -1
