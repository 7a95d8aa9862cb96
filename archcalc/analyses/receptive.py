"""Receptive fields: which cells of the input each cell of a layer depends on, in both directions, along every path.

A field is that of Araujo, Norris & Sim 2019: the cells that a layer sees if the image and all volumes went on for ever,
so it may reach into the padding. Depth is not followed: a slice of it is taken to see what all slices see.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

from archcalc.analyses.costs import Report, Row
from archcalc.graph import Node, walk
from archcalc.lang.errors import Fault, SpecError
from archcalc.ops.base import Reach

Span: TypeAlias = "tuple[int, int] | None"  # the first and the last cell of the input; None where nothing is seen
LONGEST = 2**17  # steps that one layer's field may take: neighbours differ in patterns as long as what was enlarged


class Field(NamedTuple):
    """What the cells of a layer see of an input along one axis.

    The first cells see the `spans`; then these begin anew, `advance` cells of the input further on. A window makes
    one span of all; behind a layer that enlarges, neighbours see different ones.
    """

    spans: tuple[Span, ...]
    advance: int

    @property
    def jump(self) -> Fraction:
        """Cells of the input from the field of one cell to that of the next, on average; 0 where all see the same."""
        return Fraction(self.advance, len(self.spans))

    def sizes(self, places: int) -> tuple[int, ...]:
        """Cells that each of the first so many places sees, as far as they differ."""
        return tuple(span[1] - span[0] + 1 if span else 0 for span in self.spans[:places])

    @property
    def start(self) -> int | None:
        """Where the field of the first cell starts: negative in the padding; None where it sees nothing."""
        return self.spans[0][0] if self.spans[0] else None

    @property
    def centre(self) -> Fraction:
        """Where the middle of the first field lies, neighbours that differ evened out."""
        seen = [(i, span) for i, span in enumerate(self.spans) if span]
        middles = (Fraction(sum(span), 2) - self.jump * i for i, span in seen)
        return sum(middles, Fraction()) / max(1, len(seen))

    def span(self, i: int) -> Span:
        """What cell i sees; also of a cell before or behind the layer."""
        times, at = divmod(i, len(self.spans))
        found = self.spans[at]
        return (found[0] + times * self.advance, found[1] + times * self.advance) if found else None

    def extent(self, places: int) -> Span:
        """From the first to the last cell that the first so many cells see."""
        ends = min(places, len(self.spans))
        return hull(self.span(i) for i in (*range(ends), *range(places - ends, places)))

    def within(self, places: int, cells: int) -> int:
        """Of so many cells, those whose whole field lies within an input of so many cells."""
        count = 0
        for at, found in enumerate(self.spans[:places]):
            if found is None:
                continue
            times = -((at - places) // len(self.spans))
            if self.advance == 0:
                count += times * (found[0] >= 0 and found[1] < cells)
            else:
                first, end = -(found[0] // self.advance), (cells - 1 - found[1]) // self.advance + 1
                count += max(0, min(end, times) - max(first, 0))
        return count

    def seen(self, places: int, cells: int) -> int:
        """Of an input of so many cells, those that one of so many places sees at most; the rest of it is padding."""
        return max(self._seen_by(i, cells) for i in self._middle(places, cells))

    def _middle(self, places: int, cells: int) -> range:
        """A pattern of places, and one to each side of it, in the middle of an input, where most of a span is seen."""
        pattern = len(self.spans)
        if self.advance == 0 or places <= 3 * pattern:
            return range(places)
        nearest = math.floor((Fraction(cells - 1, 2) - self.centre) / self.jump)
        first = min(max(nearest - pattern, 0), places - 3 * pattern)
        return range(first, first + 3 * pattern)

    def _seen_by(self, i: int, cells: int) -> int:
        found = self.span(i)
        return max(0, min(found[1], cells - 1) - max(found[0], 0) + 1) if found else 0


ITSELF = Field(((0, 0),), 1)


class Path(NamedTuple):
    """One of the ways into a layer: the layer that it comes from, and what the places of this one see by it."""

    name: str
    field: Field
    places: int

    @property
    def size(self) -> int:
        """Cells of the largest field."""
        return max(self.field.sizes(self.places))


class Meeting(NamedTuple):
    """The paths from an input that meet in a layer, along one axis."""

    paths: tuple[Path, ...]
    apart: Fraction  # how far the middles of their fields lie from one another, at most

    @property
    def largest(self) -> Path:
        """The path that sees most."""
        return max(self.paths, key=lambda path: path.size)

    @property
    def drift(self) -> bool:
        """Whether their fields go on at different speeds."""
        return self.apart != 0 and len({path.field.jump for path in self.paths}) > 1


class View(NamedTuple):
    """What a layer sees of one input, by axis: rows, columns."""

    source: Row
    row: Row
    fields: tuple[Field, Field]
    meetings: tuple[Meeting, ...] = ()  # of rows and columns, where paths meet

    @property
    def size(self) -> tuple[int, ...]:
        """Height and width of the field."""
        return tuple(map(max, self._sizes))

    @property
    def smallest(self) -> tuple[int, ...]:
        """Height and width of the smallest field of a cell."""
        return tuple(map(min, self._sizes))

    @property
    def _sizes(self) -> Iterator[tuple[int, ...]]:
        return (field.sizes(places) for field, places in zip(self.fields, _sides(self.row), strict=True))

    @property
    def jump(self) -> tuple[Fraction, ...]:
        """From cell to cell, by rows and by columns."""
        return tuple(field.jump for field in self.fields)

    @property
    def start(self) -> tuple[int | None, ...]:
        """The first row and column of the first field."""
        return tuple(field.start for field in self.fields)

    @property
    def before(self) -> tuple[int | None, ...]:
        """Effective padding: rows above and columns left of the input that the first field covers, minus the start."""
        return tuple(None if start is None else -start for start in self.start)

    @property
    def after(self) -> tuple[int | None, ...]:
        """Rows below and columns right of the input that the last field covers."""
        lasts = (field.span(n - 1) for field, n in zip(self.fields, _sides(self.row), strict=True))
        return tuple(last[1] - n + 1 if last else None for last, n in zip(lasts, _sides(self.source), strict=True))

    @property
    def within(self) -> tuple[int, ...]:
        """Rows and columns of cells whose field lies in the input, so that no padding goes into them."""
        axes = zip(self.fields, _sides(self.row), _sides(self.source), strict=True)
        return tuple(field.within(places, cells) for field, places, cells in axes)

    @property
    def seen(self) -> tuple[int, ...]:
        """Rows and columns of the input, without the padding, that a cell sees at most."""
        axes = zip(self.fields, _sides(self.row), _sides(self.source), strict=True)
        return tuple(field.seen(places, cells) for field, places, cells in axes)

    @property
    def larger(self) -> bool:
        """Whether the field is larger than the input, higher or wider."""
        return any(n > cells for n, cells in zip(self.size, _sides(self.source), strict=True))

    @property
    def aligned(self) -> bool:
        """Whether the paths that meet here see fields around the same middles."""
        return all(meeting.apart == 0 for meeting in self.meetings)


Views: TypeAlias = dict[int, View]  # of each input that is seen, by its place among the layers


def follow(report: Report) -> tuple[tuple[View, ...], ...]:
    """What each layer sees of the inputs of the net: of the first of them first.

    Raises `SpecError` for sizes in symbols, and where neighbours differ in too long a pattern.
    """
    rows = iter(enumerate(report.rows))

    def step(node: Node, arriving: list[Views]) -> Views:
        at, row = next(rows)
        _refuse_symbols(row)
        if not arriving:
            return {at: View(row, row, (ITSELF, ITSELF))}
        return {source: _view(report, source, row, arriving) for source in sorted({i for x in arriving for i in x})}

    return tuple(tuple(views.values()) for views in walk(report.graph, step))


def _view(report: Report, source: int, row: Row, arriving: Sequence[Views]) -> View:
    """What a layer sees of an input by the volumes that see something of it."""
    names = [report.rows[i].name for i in row.node.inputs]
    ways = list(zip(names, arriving, row.node.op.reach(*row.inputs), strict=True))
    axes = []
    for axis in (0, 1):
        paths = [
            Path(name, _through(views[source].fields[axis], reach[axis], row), _sides(row)[axis])
            for name, views, reach in ways
            if source in views
        ]
        axes.append(_meet(paths, row))
    fields, meetings = zip(*axes, strict=True)
    return View(report.rows[source], row, fields, meetings if len(meetings[0].paths) > 1 else ())


def _through(field: Field, reach: Reach, row: Row) -> Field:
    """The field of a layer that sees so much of a volume with a field."""
    period, advance = reach.period
    pattern = len(field.spans)
    times = pattern // math.gcd(pattern, advance)
    apart = pattern if _in_order(field) else 1
    numbers: Any = reach
    _refuse_long(period * times * (1 if apart == pattern else min(numbers.k, pattern)), row)
    spans = tuple(_seen(field, reach.cells(i), apart) for i in range(period * times))
    return Field(spans, field.advance * (advance * times // pattern))


def _in_order(field: Field) -> bool:
    """Whether a later cell never sees less far ahead or further back, so that the ends of a window tell all."""
    spans = [field.span(i) for i in range(len(field.spans) + 1)]
    return all(a and b and a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(spans))


def _seen(field: Field, cells: range, apart: int) -> Span:
    """What some cells of a volume see together; those a pattern apart are alike, so as many at each end tell all."""
    pattern = len(field.spans)
    ends = 1 if apart == pattern else pattern // math.gcd(pattern, cells.step)
    return hull(field.span(i) for i in (cells if len(cells) <= 2 * ends else (*cells[:ends], *cells[-ends:])))


def hull(spans: Iterable[Span]) -> Span:
    """From the first to the last cell of some spans.

    >>> hull([(0, 2), None, (-1, 1)])
    (-1, 2)
    """
    seen = [span for span in spans if span]
    return (min(first for first, _ in seen), max(last for _, last in seen)) if seen else None


def _meet(paths: Sequence[Path], row: Row) -> tuple[Field, Meeting]:
    """The field of a layer into which some paths lead: all that one of them sees.

    Where their jumps differ there is no common one. It holds place by place, and goes on with that of the largest path.
    """
    fields, places = [path.field for path in paths], paths[0].places
    meeting = Meeting(tuple(paths), _apart(fields, places))
    whole = [field for field in fields if field.advance == 0 and _covers(field, fields, places)]
    if len(fields) == 1 or whole:
        return (whole or fields)[0], meeting
    largest = meeting.largest.field
    if len({field.jump for field in fields}) == 1:
        count = math.lcm(*(len(field.spans) for field in fields))
    else:
        count = -(-places // len(largest.spans)) * len(largest.spans)
    _refuse_long(count, row)
    spans = tuple(hull(field.span(i) for field in fields) for i in range(count))
    return Field(spans, largest.advance * (count // len(largest.spans))), meeting


def _covers(whole: Field, fields: Iterable[Field], places: int) -> bool:
    """Whether a field, the same for all cells, has in it what any of the places sees."""
    return hull([whole.spans[0], *(field.extent(places) for field in fields)]) == whole.spans[0]


def _apart(fields: Sequence[Field], places: int) -> Fraction:
    """How far the middles lie apart at the first or the last place; nothing where one sees all that the others do."""
    if any(field.advance == 0 and _covers(field, fields, places) for field in fields):
        return Fraction()
    middles = ([field.centre + field.jump * i for field in fields if any(field.spans)] for i in (0, places - 1))
    return max((max(some) - min(some) for some in middles if some), default=Fraction())


def _refuse_long(steps: int, row: Row) -> None:
    if steps > LONGEST:
        message = f"the receptive fields of `{row.name}` differ in too long a pattern: {steps:,} steps to follow it"
        help = f"at most {LONGEST:,} are followed; a stride or a factor of 2 makes patterns of 2"
        raise SpecError([Fault(message, row.node.span, help=help)])


def _refuse_symbols(row: Row) -> None:
    if not all(isinstance(n, int) for volume in (*row.inputs, row.output) for n in volume):
        message = f"`{row.name}` has sizes in symbols: receptive fields are followed in numbers"
        raise SpecError([Fault(message, row.node.span, help="give every `input` in numbers")])


def _sides(row: Row) -> tuple[Any, Any]:
    return row.output.h, row.output.w
