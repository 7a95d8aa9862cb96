"""All printed figures and all `expect` lines against the engine; and nets against what they cost before."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from archcalc.analyses.baselines import Snapshot, baseline_lines, read_baseline, snapshot, write_baseline
from archcalc.analyses.costs import Report, measure
from archcalc.analyses.expectations import Judged, judged
from archcalc.analyses.growth import Growth, compare_net, read_limits
from archcalc.analyses.papers import Claim, Outcome, Rows, Slices, judge, read_table
from archcalc.analyses.quantities import Part
from archcalc.files import paper_files, read_spec, specs
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Source, Span
from archcalc.library import Net, family, load, load_all, names_in, zoo, zoo_nets
from archcalc.lineup import called, refuse_symbols

EXPECT = "expect"  # the place of a claim that is a line of a spec
Progress = Callable[[str, int, int], None]  # what, its number, of how many


def _untold(what: str, number: int, count: int) -> None:
    """Nobody is waiting to be told."""


class Wish(NamedTuple):
    """What is to be verified, and how: words of the command line."""

    names: tuple[str, ...] = ()
    baseline: str | None = None  # a file; the others are about it
    update: bool = False
    strict: bool = False
    allow: str | None = None
    size: str | None = None
    dtype: str | None = None
    unclaimed: bool = False  # whether nets about which nothing is claimed are let pass


class Guard(NamedTuple):
    """Nets against their baseline."""

    wish: Wish
    growths: tuple[Growth, ...]
    written: bool = False  # whether the baseline was rewritten

    @property
    def failed(self) -> tuple[Growth, ...]:
        """Those that are not let pass; none where the baseline was just brought up to them."""
        return () if self.wish.update else tuple(each for each in self.growths if each.fails(self.wish.strict))

    @property
    def accept(self) -> str:
        """The command that makes what is now the baseline."""
        wish = self.wish
        options = (("--baseline", wish.baseline), ("--input", wish.size), ("--dtype", wish.dtype))
        given = [word for name, value in options if value is not None for word in (name, value)]
        return shlex.join(["archcalc", "verify", *wish.names, *given, "--update"])


class Verdict(NamedTuple):
    """The outcomes of all claims that were looked at, in the order of their sources; and the nets with a baseline."""

    outcomes: tuple[Outcome, ...]
    guard: Guard | None = None

    @property
    def passes(self) -> bool:
        """Whether nothing fails."""
        return not self.failed and not (self.guard and self.guard.failed)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """The claims that fail."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "fails")

    @property
    def errata(self) -> tuple[Outcome, ...]:
        """Those that are recorded as printed wrongly."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "erratum")


def verify(names: tuple[str, ...] = (), progress: Progress = _untold) -> Verdict:
    """Holds claims against the engine: those of tables, nets or files by name, or all of the zoo.

    A name is a table (`simonyan2014-table2`, or a `.toml` file), a net (its `expect` lines and all cells about it), or
    a spec file. Raises `SpecError` for a name that there is not, and for faults of the files.
    """
    outcomes = _judge(names, progress)
    if not outcomes:
        asked = ", ".join(quoted(name) for name in names)
        help = "claim something: `expect params = …`; of a net with arguments given nothing is claimed"
        raise SpecError([Fault(f"nothing is claimed in {asked}", help=help)])
    return Verdict(outcomes)


def _judge(
    names: tuple[str, ...], progress: Progress, known: Mapping[str, list[Net]] | None = None
) -> tuple[Outcome, ...]:
    reports = _Reports()
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    sources = list(_sources(names, known or {}))
    for at, (what, claims) in enumerate(sources):
        progress(what, at, len(sources))
        try:
            outcomes += claims(reports)
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(in_order(faults))
    return tuple(outcomes)


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


def _sources(names: tuple[str, ...], known: Mapping[str, list[Net]]) -> Iterator[tuple[str, Claims]]:
    """What is claimed by each name; `known` are nets that were found before: standard input is read only once."""
    tables = {path.stem: path for path in paper_files()}
    if not names:
        yield from map(_of_table, tables.values())
        yield from map(_of_net, zoo_nets())
    for name in names:
        chosen = _tables(name, tables)
        if chosen:
            yield from map(_of_table, chosen)
            continue
        nets = known[name] if name in known else _nets(name, tables)
        yield from map(_of_net, nets)
        wanted = {net.name for net in nets if _in_zoo(net) and not net.args}  # not a net of the user's own
        yield from (_of_table(path, wanted) for path in tables.values() if wanted)


def _tables(name: str, tables: dict[str, Path]) -> list[Path]:
    """The printed tables that a name means: one or several of ours, or a file."""
    stem = name.removesuffix(".toml")
    chosen = [path for each, path in tables.items() if each == stem or each.startswith(f"{stem}-")]
    return chosen or [Path(name)] * (Path(name).suffix == ".toml")


def _in_zoo(net: Net) -> bool:
    """Whether a net comes with archcalc."""
    return net.folder == specs()


def _of_table(path: Path, wanted: set[str] | None = None) -> tuple[str, Claims]:
    return path.name, lambda reports: _table(path, reports, wanted)


def _of_net(net: Net) -> tuple[str, Claims]:
    return net.name, lambda _: _expected(net)


def _nets(name: str, tables: dict[str, Path]) -> list[Net]:
    """The nets that a name means: one, or all of a file or of a family of the zoo."""
    nets = family(name) if name not in zoo() and not Path(name).exists() else []
    if nets:
        return nets
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
    claim = Claim(source, net.name, expect.target.id + rule, printed, span, place=EXPECT)
    if each.fault is not None:
        return Outcome(claim, each.found, "fails", "; ".join((each.fault.message, *each.fault.notes)))
    return Outcome(claim, each.found, "rounds" if expect.relation == "~" else "holds")


# ---------------------------------------------------------------- baselines


def verify_all(wish: Wish, progress: Progress = _untold) -> Verdict:
    """As `verify`; with a baseline the nets are held against what they cost when it was written, too.

    With `update` the baseline is written from them. Raises `SpecError`, then nothing is written: also for a baseline
    that there is not or that cannot be read, and for nets whose sizes are no numbers.
    """
    if wish.baseline is None:
        _refuse_options(wish)
        return Verdict(_judge(wish.names, progress)) if wish.unclaimed else verify(wish.names, progress)
    if wish.size is not None and not wish.names:
        raise SpecError([Fault("`--input` needs nets by name", help="each net of a baseline has its own input")])
    limits = read_limits(wish.allow)
    held = _held(wish, Path(wish.baseline))
    looking = _Looking(wish, held)
    now = looking.snapshots(progress)
    outcomes = _judge(looking.names, progress, looking.found) if looking.names and wish.size is None else ()
    moved = looking.moved(now)
    growths = []
    for name, (net, after) in now.items():
        was = moved.get(name, "")
        growth = compare_net(name, held.get(was or name), after, limits, _place(net))
        growths.append(growth._replace(was=was))
    gone = [name for name in looking.gone if name not in moved.values()]
    growths += [compare_net(name, held[name], None, limits) for name in gone]
    if not growths and not wish.unclaimed:
        raise SpecError([Fault(f"there is no net to hold against {quoted(wish.baseline, 200)}")])
    guard = Guard(wish, tuple(growths))
    if wish.update:
        guard = guard._replace(written=_written(guard, held, {name: after for name, (_, after) in now.items()}))
    return Verdict(outcomes, guard)


def _refuse_options(wish: Wish) -> None:
    """Raises `SpecError` for what says something about a baseline where there is none."""
    given = {
        "--update": wish.update,
        "--strict": wish.strict,
        "--allow": wish.allow is not None,
        "--input": wish.size is not None,
        "--dtype": wish.dtype is not None,
    }
    for option in (name for name, said in given.items() if said):
        raise SpecError([Fault(f"`{option}` needs a baseline", help="name its file: `--baseline base.json`")])


def _held(wish: Wish, path: Path) -> dict[str, Snapshot]:
    """What the baseline holds; nothing where it is about to be written first."""
    if path.exists():
        return read_baseline(path)
    if wish.update and wish.names:
        return {}
    message = f"there is no baseline {quoted(str(path), 200)}"
    named = wish._replace(names=wish.names or ("my.arch",), update=True)
    raise SpecError([Fault(message, help=f"write it: `{Guard(named, ()).accept}`")])


def _written(guard: Guard, held: dict[str, Snapshot], now: dict[str, Snapshot]) -> bool:
    """Writes the baseline if it would differ, nets that were not looked at as they were."""
    left = {growth.was or growth.name for growth in guard.growths}
    nets = {name: net for name, net in held.items() if name not in left} | now
    path = Path(guard.wish.baseline or "")
    if path.exists() and [*baseline_lines(nets)] == [*baseline_lines(held)]:
        return False
    write_baseline(path, nets)
    return True


def _place(net: Net) -> Span | None:
    """Where a net stands in a file of the user's."""
    if net.folder is None or _in_zoo(net):
        return None
    return net.arch.name.span if net.arch else Span(net.source, 0, 1)


_SIZE = " @ "  # between a net and the input that it is held for, where that is not its own


class _Looking:
    """The nets that are asked for, under the names that a baseline has for them.

    `nets/small.arch:small` is a net of a file, which lies there as seen from the baseline; a net of the zoo has its own
    name. Without any all that the baseline holds are looked at.
    """

    def __init__(self, wish: Wish, held: dict[str, Snapshot]) -> None:
        self.wish, self.held = wish, held
        self.folder = Path(wish.baseline or "").parent
        self.tables = {path.stem: path for path in paper_files()}
        whole = {self._beside(name) for name in wish.names if name.endswith(".arch") and Path(name).is_file()}
        self.gone = [name for name in held if self._is_gone(name, whole)]
        self.kept = [name for name in held if name not in self.gone]
        self.names = wish.names or tuple(dict.fromkeys(self._again(name) for name in self.kept))
        self.found: dict[str, list[Net]] = {}  # by the words of the command line

    def snapshots(self, progress: Progress) -> dict[str, tuple[Net, Snapshot]]:
        """The nets as they are now. Raises `SpecError` with the faults of all."""
        found: dict[str, tuple[Net, Snapshot]] = {}
        faults: list[Fault] = []
        for at, (net, size) in enumerate(self._asked()):
            progress(net.name, at, len(self.names))
            try:
                name, after = self._snapshot(net, size)
            except SpecError as error:
                faults += error.faults
                continue
            if name in found and found[name][0].source.text != net.source.text:
                faults.append(Fault(f"two nets go by {quoted(name)}", help='name each: "arch first; input …"'))
            found[name] = net, after
        if faults:
            raise SpecError(in_order(faults))
        return found

    def _asked(self) -> Iterator[tuple[Net, str | None]]:
        """The nets, each with the input that is given for it."""
        if not self.wish.names:
            yield from ((load(self._again(name)), name.partition(_SIZE)[2] or None) for name in self.kept)
        for name in self.wish.names:
            if not _tables(name, self.tables):
                if name not in self.found:
                    self.found[name] = _nets(name, self.tables)
                yield from ((net, self.wish.size) for net in self.found[name])

    def _snapshot(self, net: Net, size: str | None) -> tuple[str, Snapshot]:
        built = net.build(size)
        report = refuse_symbols(called(net), built, measure(built.graph, built.assumptions))
        name = self._name(net)
        if not name.isprintable():
            raise SpecError([Fault(f"a file called {quoted(name, 200)} cannot be named in a baseline")])
        if size is not None:
            name += f"{_SIZE}{next(row.output for row in report.rows if not row.inputs)}"
        before = self.held.get(name)
        return name, snapshot(report, self.wish.dtype or (before.dtype if before else "float32"))

    def _name(self, net: Net) -> str:
        if _in_zoo(net):
            return called(net)
        file = self._beside(net.source.name) if net.folder else net.source.name
        plain = net.arch is None or not file.endswith(".arch")
        return f"{file}:{called(net)}" if not plain or not net.folder else file

    def _beside(self, file: str) -> str:
        """A file as seen from the folder of the baseline."""
        try:
            return Path(os.path.relpath(file, self.folder)).as_posix()
        except ValueError:  # on another drive
            return Path(file).absolute().as_posix()

    def _again(self, name: str) -> str:
        """A name of the baseline as the command line has it. Raises `SpecError` for a net that was only typed."""
        arch = name.partition(_SIZE)[0]
        if arch.startswith("<"):
            message = f"{quoted(arch)} of the baseline is in no file"
            raise SpecError([Fault(message, help="name the nets that are to be looked at")])
        file, net = _parted(arch)
        return str(self.folder / file) + f":{net}" * bool(net) if file else arch

    def _is_gone(self, name: str, whole: set[str]) -> bool:
        """Whether a net of the baseline is in no file any more: of those that were named, or of its own."""
        file, net = _parted(name.partition(_SIZE)[0])
        if not file:
            return False
        path = self.folder / file
        if not path.exists():
            return True
        known = names_in(path) if file in whole or not self.wish.names else None
        return known is not None and (_bare(net) not in known if net else bool(known))

    def moved(self, now: dict[str, tuple[Net, Snapshot]]) -> dict[str, str]:
        """New nets by what they went by before, where their file was moved and no other net can be meant."""
        left = _by_net(name for name in self.gone if not (self.folder / _parted(name)[0]).exists())
        come = _by_net(name for name in now if name not in self.held)
        alone = (net for net in left if len(left[net]) == len(come.get(net, ())) == 1)
        return {come[net][0]: left[net][0] for net in alone}


def _by_net(names: Iterable[str]) -> dict[str, list[str]]:
    """Names of a baseline by the net that they end in, or, where it has no name, by that of its file."""
    found: dict[str, list[str]] = {}
    for name in names:
        file, net = _parted(name)
        found.setdefault(net or Path(file).name, []).append(name)
    return found


def _parted(name: str) -> tuple[str, str]:
    """The file and the net of a name in a baseline; no file is the zoo."""
    found = re.fullmatch(r"(.+\.arch):(.*)", name, re.DOTALL)
    if found:
        return found[1], found[2]
    return (name, "") if re.search(r"[./]", name.partition("(")[0]) else ("", name)
