"""Layers and volumes with letters in place of numbers, so that the rules of a layer type tell their formulas."""

from __future__ import annotations

from typing import Any, NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.terms import Letter
from archcalc.graph import Node, walk
from archcalc.ops.base import Op
from archcalc.record import Field
from archcalc.volume import Dim, Volume

AXES = {"h": "height", "w": "width", "c": "depth"}


class Source(NamedTuple):
    """Where a side of a volume was made; of a depth also how, if it is more than a given number."""

    about: str
    made: Dim | None = None


Sources = tuple[Source, ...]  # of height, width, depth


def sources_of(report: Report) -> list[Sources]:
    """Where the sides of each layer's output were made: a layer that keeps one hands its source on."""
    rows = iter(report.rows)

    def step(node: Node, before: list[Sources]) -> Sources:
        row = next(rows)
        x = [arriving(volume, sources) for volume, sources in zip(row.inputs, before, strict=True)]
        known = {
            id(n): source
            for volume, sources in zip(x, before, strict=True)
            for n, source in zip(volume, sources, strict=True)
        }
        y = lettered(node.op).out(*x)
        return tuple(
            known.get(id(n)) or Source(f"{word} of {row.name}", n if axis == "c" and _is_made(n) else None)
            for n, (axis, word) in zip(y, AXES.items(), strict=True)
        )

    return walk(report.graph, step)


def _is_made(n: Dim) -> bool:
    return not isinstance(n, (int, Letter))


def arriving(volume: Volume, sources: Sources, number: str = "") -> Volume:
    """A volume that arrives: H, W and C, with a number behind where there are several."""
    h, w, c = (
        Letter(n, f"{axis.upper()}{number}", source.about, axis, source.made)
        for n, axis, source in zip(volume, AXES, sources, strict=True)
    )
    return Volume(h, w, c)


def leaving(y: Volume, out: Volume) -> Volume:
    """An output whose sides are formulas, with the letters h, w and c for these; a plain side stays as it is."""
    h, w, c = (
        Letter(value, axis, f"{word} of the output", axis) if _is_made(n) else n
        for n, value, (axis, word) in zip(y, out, AXES.items(), strict=True)
    )
    return Volume(h, w, c)


def lettered(op: Op, *x: Volume) -> Op:
    """A layer with its arguments as letters, of which each has its value.

    What the text of the layer leaves out stays a plain number. From the volumes `x`, in numbers, follow the numbers
    that a word such as `same` stands for; without them it stays a word.
    """
    letters = {}
    for name, value in op.arguments(*x).items():
        field = op.fields[name]
        if not (field.named or field.brief) or getattr(op, name) != field.default:
            letters[name] = _letters(field, value)
    return op.replace(**letters)


def _letters(field: Field, value: Any) -> Any:
    letter, name = field.symbol or field.name, field.name
    match field.kind.removesuffix(" | None"):
        case "Pair":
            return _pair(value, letter, name)
        case "Padding" if not isinstance(value, str):
            return _sides(value, letter, name)
        case "Count" | "Whole":
            return Letter(value, letter, name)
        case "Range":
            return Letter(value[0], "first", f"start of {name}"), Letter(value[1], "last", f"end of {name}")
        case "Volume":
            return arriving(value, tuple(Source(f"{word}, given") for word in AXES.values()))
    return value


def _pair(value: Any, letter: str, name: str) -> tuple[Letter, Letter]:
    """One letter for both where they are equal."""
    h, w = value
    if h == w:
        return Letter(h, letter, name), Letter(w, letter, name)
    return Letter(h, f"{letter}h", f"{name} along the height"), Letter(w, f"{letter}w", f"{name} along the width")


def _sides(value: Any, letter: str, name: str) -> tuple[tuple[Letter, Letter], tuple[Letter, Letter]]:
    """One letter for as many sides as are equal."""
    (top, bottom), (left, right) = value
    if top == bottom and left == right:
        h, w = _pair((top, left), letter, name)
        return (h, h), (w, w)
    if value[0] == value[1]:
        ends = Letter(top, f"{letter}b", f"{name} before"), Letter(bottom, f"{letter}a", f"{name} after")
        return ends, ends
    sides = {"top": top, "bottom": bottom, "left": left, "right": right}
    four = [Letter(n, f"{letter}{side[0]}", f"{name} {side}") for side, n in sides.items()]
    return (four[0], four[1]), (four[2], four[3])
