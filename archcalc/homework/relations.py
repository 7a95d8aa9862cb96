"""Figures that follow from others of the same row: MACs from parameters, FLOPs from MACs, bytes from values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.homework.acceptance import Facts, flops_accepted
from archcalc.homework.beliefs import Told
from archcalc.homework.rubric import Rubric
from archcalc.homework.solutions import figure_text
from archcalc.volume import Volume


class Beside(NamedTuple):
    """What a figure may be counted from: the right figures of its layer, and those of the student in its row."""

    right: Facts
    output: Volume  # the student's
    figures: Mapping[str, Told]  # by quantity; only those that are not the right ones
    rubric: Rubric


class Related(NamedTuple):
    """A value that follows, the convention by which it is one, and how it follows."""

    value: Fraction
    convention: str
    how: str


def related(quantity: str, beside: Beside) -> Iterator[Related]:
    """The values that follow for a quantity from other figures of the row."""
    return RELATIONS[quantity](beside) if quantity in RELATIONS else iter(())


def _macs(beside: Beside) -> Iterator[Related]:
    """Each weight once at each position, where that is what the layer does."""
    right, area = beside.right, beside.right.size.area
    if beside.rubric.rule or not right.weights or right.macs != right.weights * area:
        return
    for positions in dict.fromkeys((area, beside.output.area)):
        for name, biases in (("weights", 0), ("params", right.biases), ("params", 0)):
            if name in beside.figures:
                yield _at_positions(beside.figures[name].value, name, biases, positions, beside.rubric.batch)


def _at_positions(own: Fraction, name: str, biases: int, positions: Any, images: int) -> Related:
    """So many weights, or parameters less their biases, at each position."""
    value = (own - biases) * positions * images
    factor = f"({figure_text(own)} - {figure_text(biases)})" if biases else figure_text(own)
    times = f"*{figure_text(images)}" if images > 1 else ""
    named = f"{figure_text(own)} {'parameters' if name == 'params' else name}"
    return Related(value, "", f"{named}: {factor}*{figure_text(positions)}{times} = {figure_text(value)}")


def _flops(beside: Beside) -> Iterator[Related]:
    """Two for each multiply-add, with or without the other operations."""
    if "macs" not in beside.figures:
        return
    own, right = beside.figures["macs"].value, beside.right
    rest = (right.flops - 2 * right.macs) * beside.rubric.batch
    values = {
        "all": (2 * own + rest, f"2*{figure_text(own)} + {figure_text(rest)}"),
        "2macs": (2 * own, f"2*{figure_text(own)}"),
        "macs": (own, figure_text(own)),
    }
    for convention in flops_accepted(beside.rubric):
        value, how = values[convention]
        yield Related(value, convention, f"{figure_text(own)} MACs: {how} = {figure_text(value)}")


def _params(beside: Beside) -> Iterator[Related]:
    """Weights and biases together."""
    if beside.rubric.rule or not {"weights", "biases"} & beside.figures.keys():
        return
    parts = (
        beside.figures[name].value if name in beside.figures else Fraction(getattr(beside.right, name))
        for name in ("weights", "biases")
    )
    weights, biases = parts
    numbers = f"{figure_text(weights)} + {figure_text(biases)} = {figure_text(weights + biases)}"
    yield Related(weights + biases, "with", f"weights and biases: {numbers}")


def _memory(beside: Beside) -> Iterator[Related]:
    """Bytes for values, or the other way round."""
    if "memory" not in beside.figures:
        return
    told, each = beside.figures["memory"], beside.rubric.bytes_per_value
    own = told.value
    if told.answer.figures[0].unit == "bytes":
        how = f"{figure_text(own)} bytes: {figure_text(own)}/{each} = {figure_text(own / each)}"
        yield Related(own / each, "values", how)
    else:
        how = f"{figure_text(own)} values: {figure_text(own)}*{each} = {figure_text(own * each)}"
        yield Related(own * each, "bytes", how)


RELATIONS: dict[str, Callable[[Beside], Iterator[Related]]] = {
    "macs": _macs,
    "flops": _flops,
    "params": _params,
    "memory": _memory,
}
