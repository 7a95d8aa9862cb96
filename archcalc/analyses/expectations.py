"""`expect` lines held against what was computed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.counting import amount
from archcalc.analyses.quantities import NoLayer, Part, known_quantities, part_of, quantity
from archcalc.analyses.rules import Rule, find_rule
from archcalc.lang.errors import Fault, SpecError, did_you_mean, nearest, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Span
from archcalc.lang.syntax import Expect, Expr, Number, Sizes
from archcalc.ops.merge import unlike
from archcalc.units import Printed, read
from archcalc.volume import Dim, Volume

TARGETS = known_quantities()
_RELATIONS: dict[str, Callable[[int | Fraction, Printed], bool]] = {
    "=": lambda found, said: found == said.value,
    "~": lambda found, said: said.rounds_from(found),
    "<=": lambda found, said: found <= said.value,
    ">=": lambda found, said: found >= said.value,
}


class Judged(NamedTuple):
    """An `expect` line with what was found, and the fault if it does not hold."""

    expect: Expect
    found: Volume | Dim | Fraction | None
    fault: Fault | None


def judged(report: Report, expects: tuple[tuple[Expect, tuple[str, ...]], ...]) -> list[Judged]:
    """All `expect` lines held against a report; each stands in the group that its path names."""
    found = [_judge(report, expect, path) for expect, path in expects]
    places = [(f"in `{'.'.join(path)}`",) if path else () for _, path in expects]
    return [
        each._replace(fault=each.fault._replace(notes=notes)) if each.fault else each
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
    unmet_ = _size_fault(expect, found) if isinstance(found, Volume) else _number_fault(expect, found)
    return Judged(expect, found, unmet_)


def value_of(report: Report, expect: Expect, path: tuple[str, ...] = ()) -> Any:
    """What the target of an `expect` line is in a report: a size, or a quantity under its rule of counting.

    Raises `SpecError` for a target or a rule that there is not.
    """
    found = _found(report, expect.target.id, path, _rule(expect) if expect.rule else None)
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
        near = nearest(name, report.graph.volumes)
        return f"did you mean `{near}.{quantity}`?" if near else ""
    if name in report.graph.volumes and (near := nearest(quantity, TARGETS)):
        return f"did you mean `{name}.{near}`?"
    return did_you_mean(target, (*TARGETS, "output", *report.graph.volumes))


def _found(report: Report, target: str, path: tuple[str, ...], rule: Rule | None) -> Any:
    """What a target stands for: a total, a volume, or a quantity of a layer or group (`fc6.params`)."""
    if target == "output":
        return report.rows[report.graph.outputs[0][1]].cost.out
    around = ["".join(f"{part}." for part in path[:length]) for length in range(len(path), -1, -1)]
    for group in around:
        row = report.row(group + target)
        if row is not None:
            return row.cost.out
    if target in TARGETS:
        return _counted(part_of(report, None), target, rule)
    name, _, wanted = target.rpartition(".")
    for group in around if name and wanted in TARGETS else ():
        try:
            return _counted(part_of(report, group + name), wanted, rule)
        except NoLayer:
            continue
    return None


def _counted(part: Part, wanted: str, rule: Rule | None) -> Any:
    """A quantity, as a rule counts it where it does so."""
    found = amount(part.report, part.rows, rule, wanted) if rule else None
    return quantity(part, wanted) if found is None else found


def _size_fault(expect: Expect, found: Volume) -> Fault | None:
    one = Number(expect.span, "1")
    parts = expect.value.parts if isinstance(expect.value, Sizes) else (one, one, expect.value)
    if expect.relation != "=" or len(parts) != 3 or not all(isinstance(part, Number) for part in parts):
        return Fault(f"the size of {quoted(expect.target.id)} is expected as `= HxWxC`", expect.value.span)
    said = tuple(_whole(part) for part in parts)
    if said == tuple(found):
        return None
    what = f"said {print_expr(expect.value)}, found {found}: {unlike(Volume(*said), found)}"
    return Fault(f"`{expect.target.id}` is not as expected: {what}", expect.value.span)


def _number_fault(expect: Expect, found: int | Fraction) -> Fault | None:
    if not isinstance(expect.value, Number):
        return Fault(f"{quoted(expect.target.id)} is expected as one number", expect.value.span)
    try:
        printed = read(expect.value.text)
    except ValueError:
        return Fault(f"cannot read {quoted(expect.value.text)} as a figure", expect.value.span)
    if _RELATIONS[expect.relation](found, printed):
        return None
    named = f"[{expect.rule}]" if expect.rule else ""
    difference = Fraction(found) - printed.value
    said = f"{expect.relation} {expect.value.text}".removeprefix("= ")
    apart = f"{int(difference):+,}" if difference.denominator == 1 else f"{float(difference):+,.6g}"
    shown = f"{found:,}" if isinstance(found, int) else f"{float(found):,.6g}"
    what = f"said {said}, found {shown}, difference {apart}"
    return Fault(f"`{expect.target.id}{named}` is not as expected: {what}", expect.value.span)


def _whole(part: Expr) -> int:
    assert isinstance(part, Number)
    return int(part.text.replace("_", "")) if part.text.replace("_", "").isdigit() else -1
