"""Rules of counting, by name: what each calls a cost, and what it comes to."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.analyses.costs import Report, Row
from archcalc.analyses.quantities import Part, part_of, quantity
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.volume import Dim


class Rule(NamedTuple):
    """A way of counting. `names` says which quantity a word stands for; a word without one is counted as ever."""

    name: str
    unit: str  # what it calls its cost
    about: str
    names: dict[str, str]


class Count(NamedTuple):
    """The cost of a net, and of each of its layers, for one image under a rule."""

    rule: Rule
    value: Dim
    layers: tuple[tuple[Row, Dim], ...]


RULES = {
    rule.name: rule
    for rule in (
        Rule("archcalc", "MACs", "multiply-adds of conv and fc, biases not counted", {}),
        Rule(
            "torchvision",
            "FLOPs",
            "multiply-adds of conv and fc, printed as FLOPs (pytorch/vision, docs of its models)",
            {"flops": "macs"},
        ),
        Rule(
            "lecture",
            "FLOPs",
            "CS231n's table: weights without biases, multiply-adds as FLOPs",
            {"params": "weights", "flops": "macs"},
        ),
        Rule(
            "touched", "MACs", "multiply-adds that no padding zero goes into", {"macs": "touched", "flops": "touched"}
        ),
    )
}


def rules_of(name: str) -> tuple[Rule, ...]:
    """One rule, or `all` of them. Raises `SpecError` for one that there is not."""
    if name == "all":
        return tuple(RULES.values())
    if name not in RULES:
        help = did_you_mean(name, RULES) or f"there are {', '.join(f'`{each}`' for each in (*RULES, 'all'))}"
        raise SpecError([Fault(f"unknown counting rule {quoted(name)}", help=help)])
    return (RULES[name],)


def count(report: Report, rule: Rule) -> Count:
    """The cost of a net under a rule. Raises `SpecError` where the rule asks for numbers and there are symbols."""
    wanted = rule.names.get("macs", "macs")
    layers = tuple((row, quantity(Part(report, (row,), at), wanted)) for at, row in enumerate(report.rows))
    return Count(rule, quantity(part_of(report, None), wanted), layers)
