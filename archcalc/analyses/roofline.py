"""How long each layer takes at least on a device: by its operations, or by the bytes that have to move.

The roofline of Williams, Waterman & Patterson 2009, with rates from data sheets: a bound, not a measurement.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report, Row, size
from archcalc.files import device_files, read_spec
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.source import Source, Span
from archcalc.lang.tomlfiles import key_span, read_toml
from archcalc.units import BYTES_PER_VALUE

BYTES = {**BYTES_PER_VALUE, "tf32": 4}  # tf32: float32 in memory, multiplied with 10 bits of fraction
RATE, PEAKS = "bytes_per_second", "flops_per_second"
REQUIRED = ("name", "source", RATE, PEAKS)
OPTIONAL = ("note",)
MOST = 1e30  # a second
EXAMPLES = {"name": '"My board"', "source": '"its data sheet, page 3"', RATE: "25.6e9"}
LEFT_OUT = (
    "what makes it slower: kernels start and end, units stand idle, values are read more than once, layouts change",
    "what makes it faster: fused layers and caches, within the bound of the fused net; and convolutions by Winograd or "
    "FFT, which take fewer operations than are counted here",
)


class Device(NamedTuple):
    """What a device can do at most, as its maker prints it."""

    key: str  # its name on the command line
    name: str
    source: str
    note: str
    bytes_per_second: Fraction
    flops_per_second: dict[str, Fraction]  # by type of numbers

    def ridge(self, dtype: str) -> Fraction:
        """Operations a byte from which on the peak is in reach: a layer of fewer waits for memory."""
        return self.flops_per_second[dtype] / self.bytes_per_second


class Load(NamedTuple):
    """What a layer computes and moves, for the whole batch, and how long that takes at least, in seconds."""

    row: Row
    flops: int
    read: int  # bytes of the volumes that arrive
    weights: int  # bytes
    written: int
    computing: Fraction
    moving: Fraction

    @property
    def bytes(self) -> int:
        """All that is read and written."""
        return self.read + self.weights + self.written

    @property
    def intensity(self) -> Fraction | None:
        """Operations a byte; None where nothing moves."""
        return Fraction(self.flops, self.bytes) if self.bytes else None

    @property
    def seconds(self) -> Fraction:
        """The bound: the longer of both, as if the other went on meanwhile."""
        return max(self.computing, self.moving)

    @property
    def by(self) -> str:
        """What bounds it: compute or memory; empty where there is nothing to do."""
        if not self.seconds:
            return ""
        return "compute" if self.computing >= self.moving else "memory"


class Roofline(NamedTuple):
    """The layers of a net under the roof of a device."""

    report: Report
    device: Device
    dtype: str
    batch: int
    loads: tuple[Load, ...]
    fused: Load  # the whole net as one layer: what arrives, all weights, what leaves

    @property
    def flops(self) -> int:
        """Operations of all layers."""
        return sum(load.flops for load in self.loads)

    @property
    def bytes(self) -> int:
        """All that all layers move."""
        return sum(load.bytes for load in self.loads)

    @property
    def seconds(self) -> Fraction:
        """The bound for layers that run one after the other."""
        return sum((load.seconds for load in self.loads), Fraction())

    def bound_by(self, what: str) -> tuple[Load, ...]:
        """The layers that `compute` or `memory` bounds."""
        return tuple(load for load in self.loads if load.by == what)


# ---------------------------------------------------------------- the bound


def roof(report: Report, device: Device, dtype: str = "float32", batch: int = 1) -> Roofline:
    """The bound of each layer. Raises `SpecError` for symbols, and a type that the device has no peak for."""
    for row in report.rows:
        if not all(isinstance(n, int) for volume in (*row.inputs, row.output) for n in volume):
            message = f"`{row.name}` has sizes in symbols: a bound is found in numbers"
            raise SpecError([Fault(message, row.node.span, help="give every `input` in numbers")])
    if dtype not in device.flops_per_second:
        known = ", ".join(device.flops_per_second)
        help = did_you_mean(dtype, device.flops_per_second) or f"there are {known}"
        raise SpecError([Fault(f"`{device.key}` has no peak for {quoted(dtype)}", help=help)])
    loads = tuple(_load(row, device, dtype, batch) for row in report.rows)
    return Roofline(report, device, dtype, batch, loads, _fused(report, loads, device, dtype, batch))


def _load(row: Row, device: Device, dtype: str, batch: int) -> Load:
    each = BYTES[dtype]
    if not row.inputs or row.node.op.views(training=False):  # given, or the same memory by another name
        return Load(row, 0, 0, 0, 0, Fraction(), Fraction())
    arrays = row.node.op.weights(*row.inputs)
    moved = (_arriving(row) * batch * each, _values(arrays) * each, _whole(row.output.values) * batch * each)
    return _timed(row, _whole(row.cost.work.flops) * batch, moved, device, dtype)


def _timed(row: Row, flops: int, moved: tuple[int, int, int], device: Device, dtype: str) -> Load:
    computing = flops / device.flops_per_second[dtype]
    return Load(row, flops, *moved, computing, sum(moved) / device.bytes_per_second)


def _arriving(row: Row) -> int:
    """Values of the volumes that arrive, each once; those that no window touches are not read."""
    volumes = dict(zip(row.node.inputs, row.inputs, strict=True)).values()
    rows, columns = row.cost.dropped or (0, 0)
    return sum(_whole(x.h - rows) * _whole(x.w - columns) * _whole(x.c) for x in volumes)


def _fused(report: Report, loads: Iterable[Load], device: Device, dtype: str, batch: int) -> Load:
    """The net as one layer, whose volumes in between never leave the chip."""
    each = BYTES[dtype]
    learnt = sum(_values(row.node.op.weights(*row.inputs)) for row in report.rows if row.node.share is None)
    moved = (_given(report) * batch * each, learnt * each, _left(report) * batch * each)
    return _timed(report.rows[report.graph.outputs[0][1]], sum(load.flops for load in loads), moved, device, dtype)


def _given(report: Report) -> int:
    """Values of the inputs that some layer reads."""
    read: dict[int, int] = {}
    for row in report.rows:
        for at in row.node.inputs:
            if not report.rows[at].inputs and not row.node.op.views(training=False):
                rows, columns = row.cost.dropped or (0, 0)
                x: Any = row.inputs[row.node.inputs.index(at)]
                read[at] = max(read.get(at, 0), (x.h - rows) * (x.w - columns) * x.c)
    return sum(read.values())


def _left(report: Report) -> int:
    """Values of the outputs that some layer writes; what views show of one output is written once."""
    written: dict[int, int] = {}
    for index in {index for _, index in report.graph.outputs}:
        at = index
        while report.rows[at].inputs and report.rows[at].node.op.views(training=False):
            at = report.rows[at].node.inputs[0]
        if report.rows[at].inputs:
            shown, whole = (_whole(report.rows[i].output.values) for i in (index, at))
            written[at] = min(written.get(at, 0) + shown, whole)
    return sum(written.values())


def _values(arrays: dict[str, Any]) -> int:
    return sum(_whole(size(shape)) for shape in arrays.values())


def _whole(value: Any) -> int:
    assert isinstance(value, int)
    return value


# ---------------------------------------------------------------- devices


@cache
def shipped() -> dict[str, Path]:
    """The devices that come with archcalc, by name."""
    return {path.stem: path for path in device_files()}


def find_device(name: str) -> Device:
    """A device by name, or from a file: `mine.toml`. Raises `SpecError`."""
    if name in shipped():
        path = shipped()[name]
        return read_device(Source(path.name, read_spec(path).text))
    if name.endswith(".toml"):
        return read_device(read_spec(Path(name)))
    known = ", ".join(f"`{each}`" for each in shipped())
    help = did_you_mean(name, shipped()) or f"there are {known}; a file of yours is called `mine.toml`"
    raise SpecError([Fault(f"unknown device {quoted(name)}", help=help)])


def read_device(source: Source) -> Device:
    """The device of a file. Raises `SpecError` with all faults of the file."""
    return _Reader(source).device()


class _Reader:
    """Reads a device file; gathers its faults."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.faults: list[Fault] = []
        self.content = read_toml(source)

    def device(self) -> Device:
        texts = {key: self.text(key) for key in ("name", "source", "note")}
        rate = self.number(RATE, self.content.get(RATE, 1), self.span(RATE))
        peaks = self.peaks()
        for key in self.content:
            if key not in (*REQUIRED, *OPTIONAL):
                help = did_you_mean(key, (*REQUIRED, *OPTIONAL)) or f"there are {', '.join((*REQUIRED, *OPTIONAL))}"
                self.refuse(f"unknown key {quoted(key)}", self.span(key), help)
        for key in REQUIRED:
            if key not in self.content:
                example = f"{key} = {EXAMPLES[key]}" if key in EXAMPLES else f"[{key}]` and below it `float32 = 10e12"
                self.refuse(f"the device has no `{key}`", self.top, f"such as `{example}`")
        if self.faults:
            raise SpecError(in_order(self.faults))
        return Device(Path(self.source.name).stem, **texts, bytes_per_second=rate, flops_per_second=peaks)

    def text(self, key: str) -> str:
        value = self.content.get(key, "")
        if not isinstance(value, str):
            self.refuse(f"`{key}` has to be text", self.span(key))
        return str(value)

    def peaks(self) -> dict[str, Fraction]:
        table = self.content.get(PEAKS, {})
        if not isinstance(table, dict):
            self.refuse(f"`{PEAKS}` has to be a table", self.span(PEAKS), f"write `[{PEAKS}]`, and its peaks below")
            return {}
        if PEAKS in self.content and not table:
            self.refuse(f"`{PEAKS}` is empty", self.span(PEAKS), "such as `float32 = 10e12`")
        for key in table:
            if key not in BYTES:
                help = did_you_mean(key, BYTES) or f"there are {', '.join(BYTES)}"
                self.refuse(f"{quoted(key)} is no type of numbers", self.span(key, PEAKS), help)
        return {key: self.number(key, value, self.span(key, PEAKS)) for key, value in table.items()}

    def number(self, key: str, value: object, span: Span) -> Fraction:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.refuse(f"{quoted(key)} has to be a number", span, "in units a second, such as `10e12`")
        elif not 1 <= value <= MOST:
            self.refuse(f"{quoted(key)} has to be from 1 to {MOST:g}, not {quoted(str(value))}", span)
        else:
            return Fraction(value)
        return Fraction(1)

    @property
    def top(self) -> Span:
        return Span(self.source, 0, len(self.source.line(1)))

    def span(self, key: str, table: str = "") -> Span:
        """Where a key stands: below the header of its table, or as a header itself."""
        start, end = self.header(table) if table else (0, self.header("")[0])
        found = key_span(self.source, key, start, end) or key_span(self.source, key, 0, len(self.source.text))
        if found is None and (place := self.source.text.find(key)) >= 0:
            found = Span(self.source, place, place + len(key))
        return found or self.top

    def header(self, table: str) -> tuple[int, int]:
        """From the header of a table, or of any, to the end of the text."""
        place = self.source.text.find(f"[{table}")
        return (place if place >= 0 else len(self.source.text)), len(self.source.text)

    def refuse(self, message: str, span: Span, help: str = "") -> None:
        self.faults.append(Fault(message, span, help=help))
