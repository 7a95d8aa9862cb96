"""All printed figures and all `expect` lines against the engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.expectations import Judged, judged
from archcalc.analyses.papers import Claim, Outcome, judge, read_table
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Source
from archcalc.library import Net, load, load_all, paper_files, read_spec, zoo, zoo_nets

Progress = Callable[[str, int, int], None]  # what, its number, of how many


class Verdict(NamedTuple):
    """The outcomes of all claims that were looked at, in the order of their sources."""

    outcomes: tuple[Outcome, ...]

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those that fail."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "fails")

    @property
    def errata(self) -> tuple[Outcome, ...]:
        """Those that are recorded as printed wrongly."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "erratum")


def verify(names: tuple[str, ...] = (), progress: Progress = lambda *_: None) -> Verdict:
    """Holds claims against the engine: those of tables, nets or files by name, or all of the zoo.

    A name is a table (`simonyan2014-table2`, or a `.toml` file), a net (its `expect` lines and all cells about it), or
    a spec file. Raises `SpecError` for a name that there is not, and for faults of the files.
    """
    reports = _Reports()
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    sources = list(_sources(names))
    for at, (what, claims) in enumerate(sources):
        progress(what, at, len(sources))
        try:
            outcomes += claims(reports)
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(in_order(faults))
    return Verdict(tuple(outcomes))


Claims = Callable[["_Reports"], list[Outcome]]


class _Reports:
    """Reports of nets, each made once."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str | None], Report] = {}

    def find(self, arch: str, size: str | None) -> Report:
        """The report of a net, on another input if one is given."""
        key = (arch, size)
        if key not in self.known:
            self.known[key] = measure(load(arch).build(size).graph)
        return self.known[key]


def _sources(names: tuple[str, ...]) -> Iterator[tuple[str, Claims]]:
    if not names:
        for path in paper_files():
            yield path.name, lambda reports, path=path: _table(path, reports)  # type: ignore[misc]
        for net in zoo_nets():
            yield net.name, lambda _, net=net: _expected(net)  # type: ignore[misc]
        return
    tables = {path.stem: path for path in paper_files()}
    for name in names:
        path = tables.get(name.removesuffix(".toml"), Path(name))
        if path.suffix == ".toml":
            yield name, lambda reports, path=path: _table(path, reports)  # type: ignore[misc]
            continue
        nets = _nets(name, tables)
        for net in nets:
            yield net.name, lambda _, net=net: _expected(net)  # type: ignore[misc]
        wanted = {net.name for net in nets} & set(zoo())
        for path in tables.values() if wanted else ():
            yield path.name, lambda reports, path=path, wanted=wanted: _table(path, reports, wanted)  # type: ignore[misc]


def _nets(name: str, tables: dict[str, Path]) -> list[Net]:
    try:
        return load_all(name)
    except SpecError as error:
        if error.faults[0].span is None and re.fullmatch(r"[\w-]+", name):
            help = did_you_mean(name, (*tables, *zoo()))
            raise SpecError([Fault(f"there is no table and no net {quoted(name)}", help=help)]) from None
        raise


def _source(path: Path) -> Source:
    """A table file; one that comes with archcalc goes by its bare name."""
    source = read_spec(path)
    return Source(path.name, source.text) if path in paper_files() else source


def _table(path: Path, reports: _Reports, wanted: set[str] | None = None) -> list[Outcome]:
    claims = read_table(_source(path))
    if wanted is not None:
        claims = tuple(claim for claim in claims if claim.arch.partition("(")[0] in wanted)
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    for claim in claims:
        try:
            outcomes.append(judge(claim, reports.find))
        except SpecError as error:  # of the net that the claim names
            first = error.faults[0]
            named = Fault(f"`{claim.arch}`: {first.message}", claim.span, help=first.help)
            faults.append(first if first.span is claim.span else named)
    if faults:
        raise SpecError(faults)
    return outcomes


def _expected(net: Net) -> list[Outcome]:
    built = net.build()
    if not built.as_written:
        return []
    report = measure(built.graph, built.assumptions)
    source = built.facts.get("source", net.source.name)
    return [_of_expect(net, source, each) for each in judged(report, built.expects)]


def _of_expect(net: Net, source: str, each: Judged) -> Outcome:
    expect = each.expect
    if each.found is None and each.fault is not None:
        raise SpecError([each.fault])
    rule = f"[{expect.rule}]" if expect.rule else ""
    printed = f"{expect.relation} {print_expr(expect.value, tight=True)}".removeprefix("= ")
    span = expect.span.to(expect.value.span)
    claim = Claim(source, net.name, expect.target.id + rule, printed, span, place="expect")
    if each.fault is not None:
        return Outcome(claim, each.found, "fails", each.fault.message)
    return Outcome(claim, each.found, "rounds" if expect.relation == "~" else "holds")
