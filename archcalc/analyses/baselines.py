"""What nets cost when they were last looked at, in a file: written so that its own diff can be read, read with care."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from archcalc import __version__
from archcalc.analyses.costs import Report
from archcalc.files import read_spec
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.lang.jsonfiles import read_json, span_of
from archcalc.lang.source import Source, Span
from archcalc.units import BYTES_PER_VALUE
from archcalc.volume import Volume

KIND = "baseline"
FORMAT = 1  # of the file; one more where what is written today could no longer be read
MOST_BYTES = 2**25


class Figures(NamedTuple):
    """What a layer or a net costs, for one image."""

    params: int = 0
    macs: int = 0
    flops: int = 0
    activations: int = 0  # values

    def __sub__(self, other: Figures) -> Figures:
        """By how much these are more."""
        return Figures(*(a - b for a, b in zip(self, other, strict=True)))


class Held(NamedTuple):
    """A layer as a baseline holds it."""

    name: str
    group: tuple[str, ...]
    text: str  # as the language writes it: `conv 11/4/0 96`
    output: Volume
    figures: Figures
    span: Span | None = None  # where it stands in the text of the net: of one that was measured now

    @property
    def type(self) -> str:
        """Its type by name."""
        return self.text.partition(" ")[0]


Ends = tuple[tuple[str, Volume], ...]  # inputs or outputs of a net by name


class Snapshot(NamedTuple):
    """A net as a baseline holds it. Memory is that of `activations` in numbers of `dtype`."""

    dtype: str
    inputs: Ends
    outputs: Ends
    layers: tuple[Held, ...]

    @property
    def totals(self) -> Figures:
        """The sums over all layers."""
        return add_up(layer.figures for layer in self.layers)

    @property
    def memory(self) -> int:
        """Bytes of all activations."""
        return self.totals.activations * BYTES_PER_VALUE[self.dtype]


Nets = Mapping[str, Snapshot]  # by what they go by: `nets/small.arch:small`, `resnet50(classes=10)`


def add_up(figures: Iterable[Figures]) -> Figures:
    """The sums."""
    columns = list(zip(*figures, strict=True))
    return Figures(*map(sum, columns)) if columns else Figures()


def snapshot(report: Report, dtype: str) -> Snapshot:
    """A net as it is now. Its sizes must be numbers."""
    layers = []
    for row in report.rows:
        counted: Any = (row.params, row.macs, row.flops, row.cost.activations)  # numbers: the caller has seen to it
        held = Held(row.name, row.node.group, row.node.op.text(), row.output, Figures(*counted), row.node.span)
        layers.append(held)
    inputs = tuple((row.name, row.output) for row in report.rows if not row.inputs)
    outputs = tuple((name, report.rows[at].output) for name, at in report.graph.outputs)
    return Snapshot(dtype, inputs, outputs, tuple(layers))


# ---------------------------------------------------------------- writing


def baseline_lines(nets: Nets) -> Iterator[str]:
    """A baseline as a file: nets by name, a layer a line."""
    yield "{"
    yield f'  "archcalc": {json.dumps(__version__)},'
    yield f'  "kind": "{KIND}",'
    yield f'  "format": {FORMAT},'
    yield '  "nets": {'
    for at, name in enumerate(sorted(nets)):
        yield f"    {_plain(name)}: {{"
        yield from _net_lines(nets[name])
        yield "    }" + "," * (at + 1 < len(nets))
    yield "  }"
    yield "}"


def _net_lines(net: Snapshot) -> Iterator[str]:
    yield f'      "dtype": {_plain(net.dtype)},'
    yield f'      "inputs": {_plain(dict(net.inputs))},'
    yield f'      "outputs": {_plain(dict(net.outputs))},'
    yield f'      "totals": {_plain(net.totals._asdict())},'
    yield '      "layers": ['
    for at, layer in enumerate(net.layers):
        group = {"group": ".".join(layer.group)} if layer.group else {}
        held = {"name": layer.name, **group, "layer": layer.text, "output": layer.output, **layer.figures._asdict()}
        yield f"        {_plain(held)}" + "," * (at + 1 < len(net.layers))
    yield "      ]"


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_baseline(path: Path, nets: Nets) -> None:
    """Writes the file whole or not at all: whoever reads it meanwhile has the old one. Raises `SpecError`."""
    data = "".join(f"{line}\n" for line in baseline_lines(nets)).encode("utf-8")
    if len(data) > MOST_BYTES:
        raise SpecError([Fault(f"the baseline would be larger than {MOST_BYTES:,} bytes", help="split it in several")])
    target = Path(os.path.realpath(path))  # of a link what it leads to, not the link
    part = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            part.write_bytes(data)
            if target.exists():
                part.chmod(target.stat().st_mode & 0o777)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        why = (getattr(error, "strerror", None) or str(error)).lower()
        raise SpecError([Fault(f"cannot write {quoted(str(path), 200)}: {why}")]) from None


# ---------------------------------------------------------------- reading


def read_baseline(path: Path) -> dict[str, Snapshot]:
    """The nets of a baseline. Raises `SpecError` with the place of what is missing, wrong or does not add up."""
    source = read_spec(path, MOST_BYTES)
    return _Reading(source, read_json(source)).nets()


class _Reading:
    """Takes a file apart; every fault has its place."""

    def __init__(self, source: Source, held: Any) -> None:
        self.source, self.held = source, held

    def nets(self) -> dict[str, Snapshot]:
        if not isinstance(self.held, dict) or self.held.get("kind") != KIND:
            kind = ("kind",) if isinstance(self.held, dict) and "kind" in self.held else ()
            raise self.refused(kind, "this is no baseline", "`--update` would write one: choose another name for it")
        form = self.held.get("format")
        if type(form) is not int or form != FORMAT:
            message = f"a baseline of format {_short(form)}; archcalc {__version__} reads {FORMAT}"
            help = f"it was written by archcalc {_short(self.held.get('archcalc'))}: use that, or write it anew"
            raise self.refused(("format",) if "format" in self.held else (), message, help)
        nets = self.mapping(("nets",))
        faults: list[Fault] = []
        found: dict[str, Snapshot] = {}
        for name in nets:
            if not name.isprintable():  # it will be printed, in logs that obey what stands at the start of a line
                raise self.refused(("nets", name), f"{quoted(name)} is not the name of a net")
            try:
                found[name] = self.net(("nets", name))
            except SpecError as error:
                faults += error.faults
        if faults:
            raise SpecError(faults)
        return found

    def net(self, at: tuple[str | int, ...]) -> Snapshot:
        self.mapping(at)
        dtype = self.value((*at, "dtype"))
        if not isinstance(dtype, str) or dtype not in BYTES_PER_VALUE:
            raise self.refused((*at, "dtype"), f"the type of numbers is one of {', '.join(BYTES_PER_VALUE)}")
        layers = self.value((*at, "layers"))
        if not isinstance(layers, list) or not layers:
            raise self.refused((*at, "layers"), "the layers are a list")
        held = tuple(self.layer((*at, "layers", number)) for number in range(len(layers)))
        found = Snapshot(dtype, self.ends((*at, "inputs")), self.ends((*at, "outputs")), held)
        said = self.figures((*at, "totals"))
        for name, total, sum_ in zip(Figures._fields, said, found.totals, strict=True):
            if total != sum_:
                message = f"the {name} of the layers add up to {sum_:,}, not to {total:,}"
                raise self.refused((*at, "totals", name), message, "it was changed by hand: `--update` writes it anew")
        return found

    def layer(self, at: tuple[str | int, ...]) -> Held:
        self.mapping(at)
        name, text = self.text((*at, "name")), self.text((*at, "layer"))
        group = self.text((*at, "group")) if "group" in self.value(at) else ""
        return Held(name, tuple(group.split(".")) if group else (), text, self.size((*at, "output")), self.figures(at))

    def ends(self, at: tuple[str | int, ...]) -> Ends:
        return tuple((str(name), self.size((*at, name))) for name in self.mapping(at))

    def figures(self, at: tuple[str | int, ...]) -> Figures:
        self.mapping(at)
        return Figures(*(self.count((*at, name)) for name in Figures._fields))

    def count(self, at: tuple[str | int, ...]) -> int:
        value = self.value(at)
        if type(value) is not int or value < 0:
            raise self.refused(at, f"`{at[-1]}` is a whole number")
        return value

    def size(self, at: tuple[str | int, ...]) -> Volume:
        value = self.value(at)
        if not isinstance(value, list) or len(value) != 3 or not all(type(n) is int and n > 0 for n in value):
            raise self.refused(at, "a size is [height, width, channels]")
        return Volume(*value)

    def text(self, at: tuple[str | int, ...]) -> str:
        value = self.value(at)
        if not isinstance(value, str) or not value or not value.isprintable():
            raise self.refused(at, f"`{at[-1]}` is a text on one line")
        return value

    def mapping(self, at: tuple[str | int, ...]) -> dict[str, Any]:
        value = self.value(at)
        if not isinstance(value, dict):
            raise self.refused(at, "here stands an object: { … }")
        return value

    def value(self, at: tuple[str | int, ...]) -> Any:
        value = self.held
        for depth, step in enumerate(at):
            if isinstance(step, str) and step not in value:
                raise self.refused(at[:depth], f"`{step}` is missing")
            value = value[step]
        return value

    def refused(self, at: Sequence[str | int], message: str, help: str = "") -> SpecError:
        return SpecError([Fault(message, span_of(self.source, at), help=help)])


def _short(value: object) -> str:
    return quoted(str(value), 20) if value is not None else "that it does not say"
