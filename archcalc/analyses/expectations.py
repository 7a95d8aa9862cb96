"""`expect` lines held against what was computed."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from archcalc.analyses.costs import QUANTITIES, Cost, Report, Totals
from archcalc.lang.errors import Fault, did_you_mean, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.syntax import Expect, Expr, Number, Sizes
from archcalc.units import Printed, read
from archcalc.volume import Dim, Volume

TARGETS = ("layers", *QUANTITIES)
RULES = {  # what a rule of counting calls each quantity; unnamed quantities are counted alike
    "archcalc": {},
    "torchvision": {"flops": "macs"},  # conv and linear multiply-adds, printed as FLOPs; pytorch/vision docs
    "lecture": {"params": "weights", "flops": "macs"},  # CS231n's table: weights only, multiply-adds as FLOPs
}
_RELATIONS: dict[str, Callable[[int, Printed], bool]] = {
    "=": lambda found, said: found == said.value,
    "~": lambda found, said: said.rounds_from(found),
    "<=": lambda found, said: found <= said.value,
    ">=": lambda found, said: found >= said.value,
}


class Judged(NamedTuple):
    """An `expect` line with what was found, and the fault if it does not hold."""

    expect: Expect
    found: Volume | Dim | None
    fault: Fault | None


def judged(report: Report, expects: tuple[tuple[Expect, tuple[str, ...]], ...]) -> list[Judged]:
    """All `expect` lines held against a report; each stands in the group that its path names."""
    return [_judge(report, expect, path) for expect, path in expects]


def unmet(report: Report, expects: tuple[tuple[Expect, tuple[str, ...]], ...]) -> list[Fault]:
    """The faults of all `expect` lines that do not hold: said, found, and the difference."""
    return [each.fault for each in judged(report, expects) if each.fault is not None]


def _judge(report: Report, expect: Expect, path: tuple[str, ...]) -> Judged:
    rule = RULES.get(expect.rule or "archcalc")
    if rule is None:
        help = did_you_mean(expect.rule, RULES) or f"known are {', '.join(RULES)}"
        span = expect.span.to(expect.value.span)
        return Judged(expect, None, Fault(f"unknown counting rule {quoted(expect.rule)}", span, help=help))
    found = _found(report, expect.target.id, path, rule)
    if found is None:
        known = (*TARGETS, "output", *report.graph.volumes)
        message = f"{quoted(expect.target.id)} is neither a quantity nor a volume"
        return Judged(expect, None, Fault(message, expect.target.span, help=did_you_mean(expect.target.id, known)))
    if isinstance(found, Volume):
        return Judged(expect, found, _size_fault(expect, found))
    # nothing is claimed of symbols
    return Judged(expect, found, _number_fault(expect, found) if isinstance(found, int) else None)


def _found(report: Report, target: str, path: tuple[str, ...], rule: dict[str, str]) -> Volume | Dim | None:
    """What a target stands for: a total, a volume, or a quantity of a layer or group (`fc6.params`)."""
    if target == "output":
        return report.rows[report.graph.outputs[0][1]].cost.out
    for length in range(len(path), -1, -1):
        full = ".".join((*path[:length], target))
        row = report.row(full)
        if row is not None:
            return row.cost.out
    if target in TARGETS:
        return _quantity(report.total(), rule.get(target, target))
    name, _, quantity = target.rpartition(".")
    if quantity in TARGETS and name:
        row = report.row(name)
        group = report.total(name)
        if group.layers:
            return _quantity(group, rule.get(quantity, quantity))
        if row is not None and quantity != "layers":
            return _quantity(row.cost, rule.get(quantity, quantity))
    return None


def _quantity(figures: Totals | Cost, name: str) -> Dim:
    found: Dim = getattr(figures, name)
    return found


def _size_fault(expect: Expect, found: Volume) -> Fault | None:
    one = Number(expect.span, "1")
    parts = expect.value.parts if isinstance(expect.value, Sizes) else (one, one, expect.value)
    if expect.relation != "=" or len(parts) != 3 or not all(isinstance(part, Number) for part in parts):
        return Fault(f"the size of {quoted(expect.target.id)} is expected as `= HxWxC`", expect.value.span)
    said = tuple(_whole(part) for part in parts)
    if said == tuple(found):
        return None
    what = f"said {print_expr(expect.value)}, found {found}"
    return Fault(f"`{expect.target.id}` is not as expected: {what}", expect.value.span)


def _number_fault(expect: Expect, found: int) -> Fault | None:
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
    apart = f"{float(difference):+,.0f}" if difference.denominator != 1 else f"{int(difference):+,}"
    said = f"{expect.relation} {expect.value.text}".removeprefix("= ")
    message = f"`{expect.target.id}{named}` is not as expected: said {said}, found {found:,}, difference {apart}"
    return Fault(message, expect.value.span)


def _whole(part: Expr) -> int:
    assert isinstance(part, Number)
    return int(part.text.replace("_", "")) if part.text.replace("_", "").isdigit() else -1
