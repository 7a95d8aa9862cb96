"""What `lint` found, as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcalc.analyses.costs import measure
from archcalc.analyses.expectations import unmet
from archcalc.analyses.oddities import odd
from archcalc.lang.errors import Fault, SpecError, in_order, show_all
from archcalc.library import Net, load_all


class Findings(NamedTuple):
    """What was found about some nets: what is odd, and what is wrong, each place once."""

    nets: tuple[str, ...]
    odd: tuple[Fault, ...]
    faults: tuple[Fault, ...]


def look(archs: tuple[str, ...], size: str | None) -> Findings:
    """The findings about nets, all of a file; those with faults do not keep the others from being looked at."""
    names: list[str] = []
    found: list[Fault] = []
    faults: list[Fault] = []
    for arch in archs:
        try:
            nets = load_all(arch)
        except SpecError as error:
            faults += error.faults
            continue
        for net in nets:
            names.append(net.name)
            try:
                strange, wrong = _findings(net, size)
            except SpecError as error:
                faults += error.faults
                continue
            found += strange
            faults += wrong
    return Findings(tuple(names), in_order(found), in_order(faults))


def _findings(net: Net, size: str | None) -> tuple[list[Fault], list[Fault]]:
    """What is odd about a net, and which of its `expect` lines do not hold."""
    built = net.build(size)
    report = measure(built.graph, built.assumptions)
    return list(odd(report, net.tree, net.arch)), unmet(report, built.claimed)


def lines(found: Findings) -> Iterator[str]:
    """What is odd; or that nothing is."""
    if found.odd:
        yield show_all(found.odd, "warning")
    elif not found.nets and not found.faults:
        yield "only blocks here: there is no net to look at"
    elif not found.faults:
        yield f"{', '.join(found.nets)}: nothing odd"
