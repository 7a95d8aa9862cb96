"""What `lint` found, as text."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.analyses.costs import measure
from archcalc.analyses.expectations import unmet
from archcalc.analyses.oddities import odd
from archcalc.lang.errors import Fault, SpecError, in_order, show_all
from archcalc.library import Net


def lines(nets: list[Net], size: str | None) -> Iterator[str]:
    """The findings about some nets, each place once. Raises `SpecError` with the faults of all of them."""
    faults: list[Fault] = []
    found: list[Fault] = []
    for net in nets:
        try:
            built = net.build(size)
        except SpecError as error:
            faults += error.faults
            continue
        report = measure(built.graph, built.assumptions)
        faults += unmet(report, built.claimed)
        found += odd(report, net.tree, net.arch)
    if found:
        yield show_all(in_order(found), "warning")
    if faults:
        raise SpecError(in_order(faults))
    if not nets:
        yield "only blocks here: there is no net to look at"
    elif not found:
        yield f"{', '.join(net.name for net in nets)}: nothing odd"
