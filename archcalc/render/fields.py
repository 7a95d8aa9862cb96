"""Receptive fields: the table, with what does not meet around one middle below its row, and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, TextIO

from archcalc.analyses.costs import Report
from archcalc.analyses.receptive import View as Seen
from archcalc.builder import Built
from archcalc.render.costs import Setting
from archcalc.render.show import View, picked, table_lines, title
from archcalc.render.table import Column, Row, Table, Worded
from archcalc.units import exact

COLUMNS = (
    Column("layer", "layer", "text"),
    Column("type", "type", "text", 1),
    Column("input", "of input", "text", 7),
    Column("output", "output", "size", 3),
    Column("size", "field", "size"),
    Column("jump", "jump", "size"),
    Column("start", "start", "size"),
    Column("padding", "padding", "size", 4),
    Column("seen", "of the image", "size", 2),
    Column("unpadded", "unpadded", "size", 2),
)
FIELD = "rows x columns of the input that a cell depends on, along all paths (Araujo, Norris & Sim 2019)"
JUMP = "from the field of one cell to that of the next; start: first row and column of the first field"
PADDING = "what the fields of the first and last cells cover before:after the image; it follows from the start"
SEEN = "of the image: what of a field lies in it, at most; unpadded: cells whose whole field does"
DEPTH = "a slice of depth is taken to see what all slices see"


def lines(report: Report, found: Sequence[tuple[Seen, ...]], built: Built, view: View, stream: TextIO) -> Iterator[str]:
    """The fields in the format that is wanted."""
    if view.format == "json":
        from archcalc.render import structured

        return iter([structured.document("receptive", arch=built.graph.name, **content(report, found))])
    several = len({each.source.name for views in found for each in views}) > 1
    columns = tuple(column for column in COLUMNS if several or column.key != "input")
    rows = tuple(_row(each, columns) for views in found for each in views)
    what = f"{title(report, built, Setting()).rpartition(',')[0]}; receptive fields"
    table = Table(what, columns, rows, footer=tuple(_footer(found)))
    return table_lines(picked(table, view), view, stream)


# ---------------------------------------------------------------- the table


def _row(each: Seen, columns: Iterable[Column]) -> Row:
    cells = {
        "layer": each.row.name,
        "type": each.row.node.op.text() if each.row.inputs else "input",
        "input": each.source.name,
        "output": each.row.output,
        "size": _sides(each.size),
        "jump": Worded(_pair(each.jump), float(each.jump[0])),
        "start": _placed(_pair(each.start), each.start),
        "padding": _placed(_pair(tuple(map(_ends, each.before, each.after))), each.before),
        "seen": _sides(each.seen),
        "unpadded": _sides(each.within),
    }
    style = "faint" if each.row.node.op.inplace or not each.row.inputs else each.row.node.op.kind()
    return Row(tuple(cells[column.key] for column in columns), style, _note(each))


def _sides(sides: Sequence[int]) -> Worded:
    """`11x5`, sorted by how many cells that is."""
    return Worded("x".join(map(str, sides)), float(math.prod(sides)))


def _placed(text: str, places: Iterable[int | None]) -> Worded:
    """What is sorted by where it lies; a layer that sees nothing lies nowhere."""
    return Worded(text, float(sum(place or 0 for place in places)))


def _pair(values: Sequence[Any]) -> str:
    """Two values as one where they are the same."""
    shown = ["-" if value is None else str(value) for value in values]
    return shown[0] if shown[0] == shown[1] else " x ".join(shown)


def _ends(before: int | None, after: int | None) -> str | None:
    if before is None or after is None:
        return None
    return str(before) if before == after else f"{before}:{after}"


def _note(each: Seen) -> str:
    """What is unusual about a field: paths that do not meet around one middle, neighbours that see more or less."""
    if not each.aligned:
        return _unaligned(each)
    if each.smallest != each.size and not each.row.node.op.slides:
        return f"neighbours see {_sides(each.smallest)} to {_sides(each.size)}, in a pattern"
    return ""


def _unaligned(each: Seen) -> str:
    rows, columns = each.meetings
    named = zip(rows.paths, columns.paths, strict=True)
    seen = ", ".join(f"{a.name} sees {a.size}x{b.size}" for a, b in named)
    far = [(meeting.apart, what) for meeting, what in ((rows, "row"), (columns, "column")) if meeting.apart]
    apart = " and ".join(f"{_decimal(by)} {what}{'s' * (by != 1)}" for by, what in far)
    drift = ", at last: their jumps differ" if rows.drift or columns.drift else ""
    return f"not aligned: {seen}, middles {apart} apart{drift}"


def _decimal(value: Fraction) -> str:
    return str(value) if value.denominator not in (1, 2, 4) else f"{float(value):,g}"


def _footer(found: Sequence[tuple[Seen, ...]]) -> Iterator[tuple[str, str]]:
    yield from (("field", FIELD), ("jump", JUMP), ("padding", PADDING), ("", SEEN))
    views = [each for views in found for each in views]
    larger = [each for each in views if each.larger]
    if larger:
        first = larger[0]
        what = f"from {first.row.name} on, {_layers(len(larger))}: a field larger than the input"
        yield "clipped", f"{what} {_image(first)}; what it has more is padding"
    padded = next((each for each in views if 0 in each.within), None)
    if padded:
        yield "", f"from {padded.row.name} on there is no cell without padding in its field"
    unaligned = [each for each in views if not each.aligned]
    if unaligned:
        names = ", ".join(each.row.name for each in unaligned[:4]) + (", …" if len(unaligned) > 4 else "")
        yield "alignment", f"in {names} paths meet around different middles: the field is what they see together"
    elif any(each.meetings for each in views):
        yield "alignment", "all paths that meet see fields around the same middle"
    yield "depth", DEPTH


def _layers(count: int) -> str:
    return f"{exact(count)} layer{'s' * (count != 1)}"


def _image(each: Seen) -> str:
    return f"{each.source.output.h}x{each.source.output.w}"


# ---------------------------------------------------------------- JSON


def content(report: Report, found: Sequence[tuple[Seen, ...]]) -> dict[str, Any]:
    """The fields as JSON holds them; those of further inputs under `others`."""
    inputs = [row for row in report.rows if not row.inputs]
    layers = []
    for first, *others in found:
        more = {"others": [_plain(each) for each in others]} if others else {}
        layers.append({"name": first.row.name, "output": list(first.row.output), **_plain(first), **more})
    aligned = all(each.aligned for views in found for each in views)
    return {"input": list(inputs[0].output), "aligned": aligned, "layers": layers}


def _plain(each: Seen) -> dict[str, Any]:
    from archcalc.render.structured import plain

    paths = zip(*(meeting.paths for meeting in each.meetings), strict=True)
    return {
        "input": each.source.name,
        "size": plain(each.size),
        "smallest": plain(each.smallest),
        "jump": plain(each.jump),
        "start": plain(each.start),
        "padding": plain(each.before),
        "padding_after": plain(each.after),
        "seen": plain(each.seen),
        "unpadded": plain(each.within),
        "larger": each.larger,
        "aligned": each.aligned,
        "apart": [plain(meeting.apart) for meeting in each.meetings] or [0, 0],
        "paths": [
            {
                "name": rows.name,
                "size": [rows.size, columns.size],
                "jump": plain((rows.field.jump, columns.field.jump)),
                "start": plain((rows.field.start, columns.field.start)),
            }
            for rows, columns in paths
        ],
    }
