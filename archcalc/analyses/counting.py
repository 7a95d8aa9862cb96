"""What a net comes to by a rule of counting, and where that differs from ours."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.analyses.costs import Counted, Report, Row, sum_of
from archcalc.analyses.rules import OURS, SIZES, Figure, Formula, Rule, find_rule, rules_of
from archcalc.builder.values import Evaluator, Refused, Scope, Unknown
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.lang.syntax import Binary
from archcalc.volume import Dim

LARGEST = 10**30


class Count(NamedTuple):
    """A figure of a net, and of each of its layers, for one image under a rule."""

    rule: Rule
    figure: Figure
    value: Dim
    layers: tuple[tuple[Row, Dim], ...]


class Tally(NamedTuple):
    """All that a rule makes of a net: its figures by name, and where its cost and its parameters differ from ours."""

    rule: Rule
    counts: dict[str, Count]
    apart: tuple[Difference, ...] = ()
    params_apart: tuple[Difference, ...] = ()
    fault: str = ""  # why a figure cannot be had: it asks for numbers, and there are symbols


class Difference(NamedTuple):
    """By how much a rule counts some layer types otherwise than we do, and the formula that it does so by."""

    types: tuple[str, ...]
    formula: str
    value: int


def count(report: Report, rule: Rule, figure: str = "cost") -> Count | None:
    """A figure of a net under a rule; None where the rule has none of that name.

    Raises `SpecError` where a formula of the rule cannot be worked out, or asks for numbers and there are symbols.
    """
    wanted = rule.figure(figure, report.graph.name)
    if wanted is None:
        return None
    values = _worked_out(report.rows, wanted)
    return Count(rule, wanted, sum_of(values), tuple(zip(report.rows, values, strict=True)))


def counts(report: Report, rule: Rule) -> dict[str, Count]:
    """All figures of a net that a rule has, by name."""
    found = {name: count(report, rule, name) for name in rule.figures}
    return {name: each for name, each in found.items() if each}


def tally(report: Report, rule: Rule) -> Tally:
    """All figures of a net under a rule, and where they differ from ours. Raises `SpecError`."""
    found = counts(report, rule)
    apart, params = (differences(report, found[name]) if name in found else () for name in ("cost", "params"))
    return Tally(rule, found, apart, params)


def tallies(report: Report, name: str) -> list[Tally]:
    """As `tally`, of one rule or of `all`; of all, one that cannot count this net says why."""
    if name != "all":
        return [tally(report, find_rule(name))]
    found = []
    for rule in rules_of(name):
        try:
            found.append(tally(report, rule))
        except SpecError as error:
            found.append(Tally(rule, {}, fault=error.faults[0].message))
    return found


class Totals:
    """Sums of a net under many rules: layers alike are counted once, and a formula that rules share too."""

    def __init__(self, report: Report) -> None:
        self.net = report.graph.name
        alike: dict[int, list[Any]] = {}
        for row in report.rows:
            alike.setdefault(id(row.cost), [row, 0])[1] += 1
        self.rows: list[tuple[Row, int]] = [(row, times) for row, times in alike.values()]
        self.known: dict[tuple[int, str], Dim] = {}

    def total(self, rule: Rule, name: str) -> Dim | None:
        """A figure of a rule by its name; None where the rule has none of it."""
        figure = rule.figure(name, self.net)
        return sum_of(times * value for times, value in self._values(figure)) if figure else None

    def _values(self, figure: Figure) -> Iterator[tuple[int, Dim]]:
        for at, (row, times) in enumerate(self.rows):
            formula = figure.formulas.get(row.node.op.type)
            if formula is None:
                continue
            key = (at, formula.text)
            if key not in self.known:
                self.known[key] = _value(row, formula)
            yield times, self.known[key]


def amount(report: Report, rows: Iterable[Row], rule: Rule, quantity: str) -> Dim | None:
    """What a quantity of some layers is under a rule; None where the rule does not say."""
    figure = rule.figure(rule.stands_for(quantity), report.graph.name)
    return sum_of(_worked_out(tuple(rows), figure)) if figure else None


def recounted(report: Report, rule: Rule) -> Report:
    """The report with MACs, FLOPs and parameters of each layer counted by a rule, where the rule has them."""
    columns = []
    for name in Counted._fields:
        figure = rule.figure(rule.stands_for(name), report.graph.name)
        columns.append(_worked_out(report.rows, figure) if figure else tuple(getattr(row, name) for row in report.rows))
    figures = zip(*columns, strict=True)
    costs: dict[tuple[int, Counted], Any] = {}
    rows = []
    for row, each in zip(report.rows, map(Counted._make, figures), strict=True):
        key = (id(row.cost), each)
        costs.setdefault(key, row.cost._replace(counted=each))
        rows.append(row._replace(cost=costs[key]))
    return report._replace(rows=tuple(rows))


def differences(report: Report, found: Count) -> tuple[Difference, ...]:
    """Where a count differs from ours, by layer type: types that are counted alike together, the largest first.

    A cost is held against our multiply-adds, parameters against ours. Of sizes in symbols nothing is said.
    """
    ours = count(report, find_rule(OURS), found.figure.name)
    if ours is None:
        return ()
    apart: dict[str, dict[str, int]] = {}
    for (row, value), (_, own) in zip(found.layers, ours.layers, strict=True):
        if not isinstance(value, int) or not isinstance(own, int):
            return ()
        type_ = row.node.op.type
        formula = found.figure.formulas.get(type_)
        types = apart.setdefault(formula.text if formula else "0", {})
        types[type_] = types.get(type_, 0) + value - own
    told = [
        Difference(tuple(name for name, value in types.items() if value), text, sum(types.values()))
        for text, types in apart.items()
        if any(types.values())
    ]
    return tuple(sorted(told, key=lambda each: -abs(each.value)))


def _worked_out(rows: tuple[Row, ...], figure: Figure) -> tuple[Dim, ...]:
    """The figure of each row. Rows alike share their cost, so each is worked out once."""
    known: dict[int, Dim] = {}
    values: list[Dim] = []
    for row in rows:
        formula = figure.formulas.get(row.node.op.type)
        if formula is None:
            values.append(0)
            continue
        if id(row.cost) not in known:
            known[id(row.cost)] = _value(row, formula)
        values.append(known[id(row.cost)])
    return tuple(values)


def _value(row: Row, formula: Formula) -> Dim:
    """A formula worked out for a layer."""
    if len(formula.names) == 1 and formula.text == formula.names[0] and formula.text in SIZES:  # nearly always
        return SIZES[formula.text](row)  # type: ignore[no-any-return]
    names = {name: SIZES[name](row) if name in SIZES else getattr(row.node.op, name) for name in formula.names}
    try:
        value = _Counter(Scope(names=names), None).value(formula.expr)
    except (Refused, Unknown) as refused:
        fault = refused.fault if isinstance(refused, Refused) else Fault(f"cannot work out {quoted(formula.text)}")
        told = f"{fault.message}, for `{row.name}`"
        raise SpecError([Fault(told, formula.span, help=fault.help)]) from None
    if isinstance(value, (int, Fraction)) and (value < 0 or value.denominator != 1):
        raise SpecError([Fault(f"{quoted(formula.text)} is {value} for `{row.name}`", formula.span, help=WHOLE)])
    return int(value) if isinstance(value, (int, Fraction)) else value


WHOLE = "a count is a whole number, and not negative"


class _Counter(Evaluator):
    """Works out formulas whose values may be larger than an argument of a net may be."""

    def _binary(self, expr: Binary) -> Any:
        rule = _LARGE.get(expr.op)
        if rule is None:
            return super()._binary(expr)
        try:
            found = rule(self.value(expr.left), self.value(expr.right))
        except TypeError:
            raise Refused(self._undecided(expr)) from None
        if isinstance(found, (int, Fraction)) and not -LARGEST <= found <= LARGEST:
            raise Refused(Fault(f"number too large: more than {LARGEST:,}", expr.span))
        return found


_LARGE: dict[str, Callable[[Any, Any], Any]] = {"+": operator.add, "-": operator.sub, "*": operator.mul}
