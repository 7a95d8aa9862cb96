"""Formulas shown: layer by layer, the sums, and the values of the symbols that they hold for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any, TextIO

from archcalc.analyses.costs import Report, Totals
from archcalc.builder import Assumption, Built
from archcalc.render import costs, latex, structured
from archcalc.render.costs import Setting
from archcalc.render.show import View, table_lines, title
from archcalc.render.table import chosen
from archcalc.units import exact
from archcalc.volume import Dim

if TYPE_CHECKING:
    from archcalc.symbolic.validity import Domain

COLUMNS = ("layer", "output", "activations", "params", "macs")
SUMS = {"params": "parameters", "macs": "MACs", "flops": "FLOPs", "activations": "values"}
TERMS = 3  # of a sum that stand in a line
_SIGN = re.compile(r"(?P<open>\\left\b|\{)|(?P<close>\\right\b|\})| (?=[+-] )")


def lines(report: Report, built: Built, setting: Setting, view: View, stream: TextIO) -> Iterator[str]:
    """The formulas of a net in the format that is wanted."""
    if view.format == "json":
        yield document(report, built, setting)
        return
    whole = costs.layer_table(report, title(report, built, setting), setting, view.depth, built.facts)
    default = costs.KEYS if view.format == "csv" else COLUMNS
    table = chosen(whole, view.columns or default)
    if view.format == "latex":
        yield from latex.lines(table, exactly=True)
        yield from _aligned(report.total().of_batch(setting.batch))
    else:
        yield from table_lines(table, view, stream)


def _aligned(totals: Totals) -> Iterator[str]:
    """The sums, one below the other, long ones in several lines."""
    yield r"\begin{align*}"
    sums = [(text, getattr(totals, key)) for key, text in SUMS.items()]
    for at_, (text, value) in enumerate(sums):
        end = r" \\" if at_ + 1 < len(sums) else ""
        yield rf"  \text{{{text}}} &= " + r" \\ &\quad ".join(_parts(latex.formula(value))) + end
    yield r"\end{align*}"


def _parts(formula: str) -> list[str]:
    """A long sum in parts that fit a line, broken before a sign that stands outside of all brackets."""
    cuts, depth = [0], 0
    for found in _SIGN.finditer(formula):
        depth += (found["open"] is not None) - (found["close"] is not None)
        if depth == 0 and not found[0].strip():
            cuts.append(found.end())
    cuts = [*cuts[::TERMS], len(formula)]
    return [formula[start:end].strip() for start, end in pairwise(cuts)]


def document(report: Report, built: Built, setting: Setting) -> str:
    """The formulas of a net as JSON; what is no formula is a number."""
    from archcalc.symbolic.validity import domains, others, smallest

    found = domains(report.assumptions)
    content = {
        "arch": built.graph.name,
        "input": next(row.output for row in report.rows if not row.inputs),
        "batch": setting.batch,
        "dtype": setting.dtype,
        "layers": [structured.layer(row, report, setting) for row in report.rows],
        "totals": structured.totals(report.total(), setting),
        "assumptions": structured.conditions((*_reasons(found), *others(report.assumptions, found))),
        "domains": [_domain(domain) for domain in found.values()],
        "smallest": smallest(report.assumptions),
    }
    return structured.document("formula", **content)


def _reasons(found: dict[str, Domain]) -> Iterator[Assumption]:
    """The conditions that none of the others implies."""
    return chain.from_iterable(domain.reasons for domain in found.values())


def _domain(domain: Domain) -> dict[str, Any]:
    """The legal values of a symbol: `first`, up to one period beyond `start`, and then again every `period`."""
    every = domain.text.startswith(f"{domain.symbol} >=")
    first = domain.first[:1] if every else domain.first
    return {
        "symbol": domain.symbol,
        "legal": domain.text,
        "least": domain.least,
        "most": domain.most,
        "period": domain.period,
        "first": first,
    }


def footer(report: Report, totals: Totals, setting: Setting) -> tuple[tuple[str, str], ...]:
    """The sums of a net as formulas, then what they hold for."""
    values = totals.activations * setting.batch
    return (
        ("parameters", _written(totals.params)),
        *((("buffers", _written(totals.buffers)),) if totals.buffers != 0 else ()),
        ("MACs", _written(totals.macs * setting.batch)),
        ("FLOPs", _written(totals.flops * setting.batch)),
        ("memory", f"{_written(values)} values of {setting.bytes_per_value} bytes in {setting.dtype}"),
        *validity(report),
    )


def _written(value: Dim) -> str:
    return exact(value) if isinstance(value, int) else str(value)


def validity(report: Report) -> Iterator[tuple[str, str]]:
    """What is needed of the symbols, by which layer; where merges agree, with a smallest case in which they do not."""
    from archcalc.symbolic import symbols_of
    from archcalc.symbolic.validity import domains, others, smallest

    assumptions = report.assumptions
    found = domains(assumptions)
    told: dict[tuple[str, str], list[str]] = {}
    for domain in found.values():
        for each in domain.reasons:
            heading, text, about = _told(each, domain)
            told.setdefault((heading, about), []).append(text)
    for each in others(assumptions, found):
        told.setdefault(("holds when", f" (`{each.about}`)"), []).append(each.condition.text)
    for (heading, about), texts in told.items():
        yield from ((heading, text) for text in texts) if not about else ((heading, " and ".join(texts) + about),)
    for domain in found.values():
        if domain.text != domain.reasons[0].condition.text or not domain.known:
            yield "legal", domain.text if domain.known else f"{domain.text}; larger ones were not tried"
    sides = {name for row in report.rows if not row.inputs for side in row.output for name in symbols_of(side)}
    least = smallest(assumptions)
    if least is not None:
        least = dict.fromkeys(sorted(sides), 1) | least
    if least:
        yield "smallest", ", ".join(f"{name} = {value}" for name, value in least.items())


def _told(each: Assumption, domain: Domain) -> tuple[str, str, str]:
    """Heading, condition, and which layer or branch asks for it; for a merge also a smallest case against it."""
    from archcalc.symbolic import at
    from archcalc.symbolic.validity import counterexample

    condition, against = each.condition, counterexample(each, domain)
    if each.branch:
        return "holds when", condition.text, f": so the text's `{each.about}` is decided"
    if condition.relation != "=" or against is None:
        return "holds when", condition.text, f" (`{each.about}`)"
    sides = " and ".join(str(at(side, {domain.symbol: against})) for side in (condition.a, condition.b))
    text = f"`{each.about}` agrees exactly when {condition.text}: at {domain.symbol} = {against}, {sides} meet"
    return "merge", text, ""
