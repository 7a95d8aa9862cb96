"""Nets side by side: their sums, and their stages, the parts that work at one resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from archcalc.analyses.costs import Fold, Report, Row, Totals, fold
from archcalc.analyses.paths import weighted_layers
from archcalc.builder import Built
from archcalc.volume import Volume

MOST_SIZES = 2  # of a group that is one part of a stage: that of the stage before, and its own


class Stage(NamedTuple):
    """The layers and groups of a net whose output has one resolution.

    `scale` is s where the sides are 1/2^s of those of the input, to the nearest; None for vectors, 1x1.
    """

    scale: int | None
    parts: tuple[Fold, ...]
    totals: Totals

    @property
    def output(self) -> Volume:
        """What leaves its last layer."""
        return self.parts[-1].rows[-1].output

    def number(self, quantity: str) -> int:
        """A sum of it: `params`, `macs`, `activations`, …"""
        return _number(self.totals, quantity)


class Member(NamedTuple):
    """A net of a comparison; its figures are those of one image."""

    name: str
    report: Report
    built: Built
    totals: Totals
    weighted_layers: int  # convolutions and fully connected layers on the longest path
    stages: tuple[Stage, ...]

    @property
    def input(self) -> Volume:
        """The (first) volume that goes in."""
        return next(row.output for row in self.report.rows if not row.inputs)

    @property
    def year(self) -> int | None:
        """The year that its text says."""
        return int(self.built.facts["year"]) if "year" in self.built.facts else None

    def number(self, quantity: str) -> int:
        """A sum of it: `params`, `macs`, `activations`, …"""
        return _number(self.totals, quantity)

    def most(self, quantity: str) -> Stage:
        """The stage that has most of a quantity, the first of several."""
        return max(self.stages, key=lambda stage: stage.number(quantity))


class Comparison(NamedTuple):
    """Nets in the order that was asked for; `base` is the one that ratios are to."""

    members: tuple[Member, ...]
    base: Member

    @property
    def scales(self) -> tuple[int | None, ...]:
        """The resolutions of all stages, fine to coarse, vectors last."""
        found = {stage.scale for member in self.members for stage in member.stages}
        return tuple(sorted(found, key=_fine_first))


SORTS: dict[str, Callable[[Member], Any]] = {
    "params": lambda member: member.totals.params,
    "macs": lambda member: member.totals.macs,
    "flops": lambda member: member.totals.flops,
    "memory": lambda member: member.totals.activations,
    "name": lambda member: member.name,
    "year": lambda member: (member.year is None, member.year),
}


def compare(nets: Iterable[tuple[str, Report, Built]], depth: int = 1, sort: str | None = None) -> Comparison:
    """Nets in numbers side by side, under the names given; ratios are to the first of them.

    Stages gather groups folded to a depth. `sort` is one of `SORTS`, from small to large.
    """
    members = [_member(name, report, built, depth) for name, report, built in nets]
    return Comparison(tuple(sorted(members, key=SORTS[sort]) if sort else members), members[0])


def _member(name: str, report: Report, built: Built, depth: int) -> Member:
    everything = {id(row) for row in report.rows}
    layers = weighted_layers(report.graph, everything, report)
    return Member(name, report, built, report.total(), layers, stages_of(report, depth))


def stages_of(report: Report, depth: int) -> tuple[Stage, ...]:
    """The stages of a net, fine to coarse. A group counts where it ends; one that spans many sizes, by its parts."""
    image = next(row.output for row in report.rows if not row.inputs)
    parts: dict[int | None, list[Fold]] = {}
    for part in _parts(report.rows, depth, image):
        parts.setdefault(_scale(image, part.rows[-1].output), []).append(part)
    return tuple(Stage(scale, tuple(parts[scale]), _sum(parts[scale])) for scale in sorted(parts, key=_fine_first))


def _parts(rows: tuple[Row, ...], depth: int, image: Volume) -> Iterator[Fold]:
    """Groups of a depth, and of those that span more sizes than a stage their own parts."""
    for part in fold(rows, depth):
        scales = {_scale(image, row.output) for row in part.rows} - {None}
        if len(scales) > MOST_SIZES:
            yield from (each._replace(times=each.times * part.times) for each in _parts(part.rows, depth + 1, image))
        else:
            yield part


def scale_text(scale: int | None) -> str:
    """The resolution of a stage, as lectures say it.

    >>> scale_text(0), scale_text(2), scale_text(-1), scale_text(None)
    ('1/1', '1/4', '2/1', '1x1')
    """
    return "1x1" if scale is None else f"1/{2**scale}" if scale >= 0 else f"{2**-scale}/1"


def _number(totals: Totals, quantity: str) -> int:
    value = getattr(totals, quantity)
    assert isinstance(value, int), "nets with symbols are refused"
    return value


def _sum(parts: Iterable[Fold]) -> Totals:
    figures: Any = [sum(column) for column in zip(*(part.totals for part in parts), strict=True)]
    return Totals(*figures)


def _fine_first(scale: int | None) -> tuple[bool, int]:
    return scale is None, scale or 0


def _scale(image: Any, volume: Any) -> int | None:
    """How often the sides were halved, to the nearest: 227 to 55 is 2. By areas, so that all stays whole."""
    if volume.area == 1:
        return None
    scale = 0
    while image.area >= 2 * 4**scale * volume.area:
        scale += 1
    larger = 0
    while volume.area > 2 * 4**larger * image.area:  # more rows than go in: the net enlarges
        larger += 1
    return scale - larger
