"""Quantities of a net, or of a part of it, by name: what a printed table can speak of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import chain
from typing import Any, NamedTuple

from archcalc.analyses.costs import QUANTITIES, Report, Row, add_up, sum_of
from archcalc.analyses.paths import rows_seen, weighted_layers
from archcalc.analyses.stochastic import expected
from archcalc.analyses.touched import add_touches, count_touched
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.ops import REGISTRY
from archcalc.units import BYTES_PER_VALUE
from archcalc.volume import Dim, Volume, Work

SUMS = ("layers", *dict.fromkeys((*QUANTITIES, *Work._fields)))


class NoLayer(Exception):
    """A name that no layer and no group has; carries it."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Part(NamedTuple):
    """Layers of a net, one after the other; `last` is the one whose output is theirs, by its index."""

    report: Report
    rows: tuple[Row, ...]
    last: int

    @property
    def size(self) -> Volume:
        """Height, width and depth of what leaves it."""
        return self.report.rows[self.last].output


def part_of(report: Report, layers: str | None) -> Part:
    """A layer, a group, or a stretch from one to another (both among them): `conv1_1..pool2`; None is the whole net.

    Raises `NoLayer`.
    """
    if layers is None:
        return Part(report, report.rows, report.graph.outputs[0][1])
    first, dots, last = layers.partition("..")
    if not dots:
        return _one(report, first)
    start, end = _one(report, first).rows[0], _one(report, last).rows[-1]
    rows = report.rows[_at(report, start) : _at(report, end) + 1]
    if not rows:
        raise NoLayer(layers)
    return Part(report, rows, _at(report, rows[-1]))


def named_part(report: Report, layers: str | None) -> Part:
    """As `part_of`; raises `SpecError`, with what was likely meant."""
    try:
        return part_of(report, layers)
    except NoLayer as missing:
        raise SpecError([_no_layer(report, missing.name)]) from None


def _no_layer(report: Report, name: str) -> Fault:
    first, dots, last = name.partition("..")
    if dots:
        message = f"there is nothing from {quoted(first)} to {quoted(last)}"
        return Fault(message, help=f"the layers run the other way: `{last}..{first}`")
    names = {row.name: None for row in report.rows}
    for row in report.rows:
        names |= {".".join(row.node.group[:depth]): None for depth in range(1, len(row.node.group) + 1)}
    help = did_you_mean(name, names) or f"its layers are {_listed([*names])}"
    return Fault(f"there is no layer {quoted(name)} in {report.graph.name}", help=help)


def _listed(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(f"`{name}`" for name in names[:most]) + (", …" if len(names) > most else "")


def quantity(part: Part, name: str) -> Any:
    """A quantity of a part by its name; None if there is none of that name.

    A sum is taken over layers of one type where the type stands before it: `conv_params`, `maxpool_layers`. A single
    layer has its arguments too: `kernel`, `stride`, `filters`, `groups`.
    """
    if name in _OWN:
        return _OWN[name](part)
    if name in SUMS:
        return _sum(part.rows, name)
    type_, _, sum_ = name.partition("_")
    if type_ in REGISTRY and sum_ in SUMS:
        return _sum(tuple(row for row in part.rows if type(row.node.op) is REGISTRY[type_]), sum_)
    return _argument(part.rows[0], name) if len(part.rows) == 1 else None


def adds_up(name: str) -> bool:
    """Whether a quantity of a part is the sum of those of its layers."""
    type_, _, sum_ = name.partition("_")
    return name == "memory" or name in SUMS or (type_ in REGISTRY and sum_ in SUMS)


def known_quantities() -> tuple[str, ...]:
    """The names that `quantity` knows, those for single layer types left out."""
    return (*_OWN, *SUMS)


def _one(report: Report, name: str) -> Part:
    """A layer or a group by its name."""
    group = tuple(name.split("."))
    rows = tuple(row for row in report.rows if row.node.group[: len(group)] == group)
    found = report.graph.volumes.get(name)
    if found is not None and found >= 0:
        return Part(report, rows or (report.rows[found],), found)
    if not rows:
        raise NoLayer(name)
    return Part(report, rows, _at(report, rows[-1]))


def _argument(row: Row, name: str) -> Any:
    """What a layer was told; padding as its four sides."""
    value = row.node.op.arguments(*row.inputs).get(name)
    if isinstance(value, tuple):
        return tuple(chain.from_iterable(each if isinstance(each, tuple) else (each,) for each in value))
    return value if isinstance(value, (int, Fraction)) else None


def _shape(part: Part) -> tuple[Dim, ...] | None:
    """The weights of a single layer: 11x11x3x96 of a convolution, 9216x4096 of a fully connected layer."""
    shapes = part.rows[0].node.op.weights(*part.rows[0].inputs) if len(part.rows) == 1 else {}
    return next(iter(shapes.values()), None)


def _at(report: Report, row: Row) -> int:
    return next(index for index, each in enumerate(report.rows) if each is row)


def _sum(rows: tuple[Row, ...], name: str) -> Dim:
    if name == "layers":
        return add_up(rows).layers
    return sum_of(getattr(row.cost if name in QUANTITIES else row.cost.work, name) for row in rows)


_OWN: dict[str, Callable[[Part], Any]] = {
    "size": lambda part: part.size,
    "height": lambda part: part.size.h,
    "width": lambda part: part.size.w,
    "depth": lambda part: part.size.c,
    "memory": lambda part: BYTES_PER_VALUE["float32"] * sum_of(row.cost.activations for row in part.rows),
    "arriving": lambda part: sum_of(each.values for each in part.rows[0].inputs),
    "dropped_rows": lambda part: (part.rows[-1].cost.dropped or (0, 0))[0],
    "dropped_columns": lambda part: (part.rows[-1].cost.dropped or (0, 0))[1],
    "shape": _shape,
    "touched": lambda part: add_touches(count_touched(part.rows)).touched,
    "receptive": lambda part: rows_seen(part.report, part.last),
    "expected_blocks": lambda part: expected(part.report).blocks,
    "expected_macs": lambda part: expected(part.report).macs,
    "expected_flops": lambda part: expected(part.report).flops,
    "weighted_layers": lambda part: weighted_layers(part.report.graph, {id(row) for row in part.rows}, part.report),
}
