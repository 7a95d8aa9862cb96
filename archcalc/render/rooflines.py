"""The bounds of a net on a device: a table of its layers, what adds up below it, and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, TextIO

from archcalc.analyses.roofline import LEFT_OUT, Load, Roofline
from archcalc.builder import Built
from archcalc.render.costs import Setting
from archcalc.render.show import View, picked, table_lines, title
from archcalc.render.table import Column, Row, Share, Table, Worded
from archcalc.units import binary, decimal, duration, exact, megabytes, percent

COLUMNS = (
    Column("layer", "layer", "text"),
    Column("type", "type", "text", 2),
    Column("flops", "FLOPs", "count"),
    Column("read", "read", "bytes", 4),
    Column("weights", "weights", "bytes", 4),
    Column("written", "written", "bytes", 4),
    Column("intensity", "FLOPs/B", "size"),
    Column("by", "bound by", "text"),
    Column("seconds", "at least", "size"),
    Column("share", "of the time", "share", 3),
)
BOUND = "a lower bound from arithmetic, not a measurement: the longer of FLOPs / peak and bytes / bandwidth"
MOVED = "every layer reads its volumes and its weights once and writes its output once; views move nothing"


def lines(found: Roofline, built: Built, view: View, stream: TextIO) -> Iterator[str]:
    """The bounds in the format that is wanted."""
    if view.format == "json":
        from archcalc.render import structured

        return iter([structured.document("roofline", arch=built.graph.name, **content(found))])
    shown: tuple[Callable[[Any], Any], Callable[[Any], Any]] = (
        (float, float) if view.format == "csv" else (_ratio, _time)
    )
    seconds = found.seconds
    rows = tuple(_row(load, seconds, *shown) for load in found.loads if load.row.inputs)
    intensity = shown[0](Fraction(found.flops, found.bytes)) if found.bytes else None
    moved = [(load.read, load.weights, load.written) for load in found.loads]
    parts = map(sum, zip(*moved, strict=True))
    total = Row(("total", "", found.flops, *parts, intensity, "", shown[1](seconds), None), "total")
    what = f"{title(found.report, built, Setting(found.batch, found.dtype))}; bounds on {found.device.name}"
    table = Table(what, COLUMNS, rows, total, tuple(_footer(found)))
    return table_lines(picked(table, view), view, stream)


def figures(value: Fraction) -> str:
    """A ratio to three figures.

    >>> figures(Fraction(1, 8)), figures(Fraction(200, 3)), figures(Fraction(12345))
    ('0.125', '66.7', '12,345')
    """
    number = float(value)
    digits = 0 if number >= 99.95 else 1 if number >= 9.995 else 2 if number >= 0.9995 else 3
    return f"{number:,.{digits}f}"


def _ratio(value: Fraction) -> Worded:
    return Worded(figures(value), float(value))


def _time(seconds: Fraction) -> Worded:
    return Worded(duration(float(seconds)), float(seconds))


def _row(load: Load, whole: Fraction, ratio: Callable[[Any], Any], time: Callable[[Any], Any]) -> Row:
    name, type_ = load.row.name, load.row.node.op.text()
    if not load.by:
        return Row((name, type_, None, None, None, None, None, None, None, None), "faint")
    scale = whole.denominator * load.seconds.denominator
    share = Share(int(load.seconds * scale), int(whole * scale))
    intensity = None if load.intensity is None else ratio(load.intensity)
    moved = (load.flops, load.read, load.weights, load.written)
    return Row((name, type_, *moved, intensity, load.by, time(load.seconds), share), load.row.node.op.kind())


def _footer(found: Roofline) -> Iterator[tuple[str, str]]:
    device = found.device
    peak, rate = device.flops_per_second[found.dtype], device.bytes_per_second
    ridge = figures(device.ridge(found.dtype))
    yield "bound", BOUND
    yield "device", f"{device.name}: {_scaled(peak)}FLOP/s in {found.dtype}, {megabytes(int(rate))}/s"
    yield "", f"so a layer of fewer than {ridge} FLOPs a byte waits for memory"
    yield "source", device.source
    if device.note:
        yield "note", device.note
    yield "bytes", MOVED
    yield "layers", f"{duration(float(found.seconds))} one after the other: {_parts(found)}"
    fused = found.fused
    if fused.by:
        yield "fused", f"{duration(float(fused.seconds))} however layers are fused: {_fused(fused)}"
    yield from (("left out" if at == 0 else "", text) for at, text in enumerate(LEFT_OUT))


def _scaled(rate: Fraction) -> str:
    """`312.0 T`: a rate with the prefix of its unit."""
    text = decimal(int(rate))
    number = text.rstrip("KMGT")
    return f"{number} {text[len(number) :]}"


def _parts(found: Roofline) -> str:
    told = []
    for what in ("compute", "memory"):
        loads = found.bound_by(what)
        if not loads:
            continue
        time = sum((load.seconds for load in loads), Fraction())
        share = percent(time.numerator * found.seconds.denominator, time.denominator * found.seconds.numerator)
        told.append(f"{_layers(loads)} bound by {what}, {share} of it")
    return "; ".join(told) or "nothing is computed or moved"


def _layers(loads: Sequence[Load]) -> str:
    return f"{exact(len(loads))} layer{'s' * (len(loads) != 1)}"


def _fused(load: Load) -> str:
    moved = f"{binary(load.bytes)} of what arrives, of weights and of what leaves"
    return f"{decimal(load.flops)} FLOPs, and {moved}, bound by {load.by}"


# ---------------------------------------------------------------- JSON


def content(found: Roofline) -> dict[str, Any]:
    """The bounds as JSON holds them: bytes and operations as whole numbers, seconds as decimals."""
    device = found.device
    return {
        "device": {
            "key": device.key,
            "name": device.name,
            "source": device.source,
            "flops_per_second": float(device.flops_per_second[found.dtype]),
            "bytes_per_second": float(device.bytes_per_second),
            "ridge": float(device.ridge(found.dtype)),
        },
        "dtype": found.dtype,
        "batch": found.batch,
        "bound": BOUND,
        "layers": [{"name": load.row.name, **_plain(load)} for load in found.loads],
        "totals": {"flops": found.flops, "bytes": found.bytes, "seconds": float(found.seconds)},
        "fused": _plain(found.fused),
        "left_out": list(LEFT_OUT),
    }


def _plain(load: Load) -> dict[str, Any]:
    return {
        "flops": load.flops,
        "read": load.read,
        "weights": load.weights,
        "written": load.written,
        "bytes": load.bytes,
        "intensity": None if load.intensity is None else float(load.intensity),
        "by": load.by or None,
        "seconds": float(load.seconds),
    }
