"""All printed figures and all `expect` lines against the engine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.expectations import Judged, judged
from archcalc.analyses.papers import Claim, Outcome, Rows, Slices, judge, read_table
from archcalc.analyses.quantities import Part
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Source
from archcalc.library import Net, family, load, load_all, paper_files, read_spec, zoo, zoo_nets

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
    if not outcomes:
        asked = ", ".join(quoted(name) for name in names)
        help = "claim something: `expect params = …`; of a net with arguments given nothing is claimed"
        raise SpecError([Fault(f"nothing is claimed in {asked}", help=help)])
    return Verdict(tuple(outcomes))


def _run(part: Part, image: Slices, filter: Slices) -> Rows:
    """What a part of a net makes of an image that is written out."""
    from archcalc.executor.examples import work_out

    return work_out(part, image, filter)


Claims = Callable[["_Reports"], list[Outcome]]


class _Reports:
    """Reports of nets, each made once."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str | None], Report] = {}

    def find(self, arch: str, size: str | None, folder: Path | None = None) -> Report:
        """The report of a net, on another input if one is given; a file is looked for beside its table first."""
        if arch.strip() == "-":
            raise SpecError([Fault("a table cannot read standard input")])
        beside = folder / arch if folder and re.fullmatch(r"[^\s;{]+\.arch(:.*)?", arch) else None
        if beside and Path(str(beside).rpartition(".arch")[0] + ".arch").is_file():
            arch = str(beside)
        key = (arch, size)
        if key not in self.known:
            self.known[key] = measure(load(arch).build(size).graph)
        return self.known[key]


def _sources(names: tuple[str, ...]) -> Iterator[tuple[str, Claims]]:
    tables = {path.stem: path for path in paper_files()}
    if not names:
        yield from map(_of_table, tables.values())
        yield from map(_of_net, zoo_nets())
    for name in names:
        stem = name.removesuffix(".toml")
        chosen = [path for each, path in tables.items() if each == stem or each.startswith(f"{stem}-")]
        if Path(name).suffix == ".toml" and not chosen:
            chosen = [Path(name)]
        if chosen:
            yield from map(_of_table, chosen)
            continue
        in_zoo = {name} & set(zoo())
        nets = family(name) if not in_zoo and not Path(name).exists() else []
        yield from map(_of_net, nets or _nets(name, tables))
        wanted = in_zoo or {net.name for net in nets}  # a net of the user's own is not the zoo's of the same name
        yield from (_of_table(path, wanted) for path in tables.values() if wanted)


def _of_table(path: Path, wanted: set[str] | None = None) -> tuple[str, Claims]:
    return path.name, lambda reports: _table(path, reports, wanted)


def _of_net(net: Net) -> tuple[str, Claims]:
    return net.name, lambda _: _expected(net)


def _nets(name: str, tables: dict[str, Path]) -> list[Net]:
    try:
        return load_all(name)
    except SpecError as error:
        if error.faults[0].span is None and re.fullmatch(r"[\w-]+", name) and not Path(name).exists():
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
        claims = tuple(claim for claim in claims if {_bare(claim.arch), _bare(claim.than or "")} & wanted)
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    for claim in claims:
        try:
            outcomes.append(judge(claim, lambda arch, size: reports.find(arch, size, path.parent), _run))
        except SpecError as error:  # of the net that the claim names
            first = error.faults[0]
            named = Fault(f"`{claim.arch}`: {first.message}", claim.span, help=first.help)
            faults.append(first if first.span is claim.span else named)
    if faults:
        raise SpecError(faults)
    return outcomes


def _bare(arch: str) -> str:
    return arch.partition("(")[0].strip()


def _expected(net: Net) -> list[Outcome]:
    built = net.build()
    report = measure(built.graph, built.assumptions)
    source = built.facts.get("source", net.source.name)
    return [_of_expect(net, source, each) for each in judged(report, built.claimed)]


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
