"""Nets on numbers that are written out: an image and a filter of a lecture, worked out exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from archcalc.analyses.costs import Report
from archcalc.analyses.papers import Rows, Slices
from archcalc.analyses.quantities import Part
from archcalc.executor.base import Array, sizes
from archcalc.executor.stored import refused, size_text
from archcalc.executor.weights import ints
from archcalc.graph import Node, walk

MOST_MACS = 50_000


def work_out(part: Part, image: Slices, filter: Slices) -> Rows:
    """The values that leave a part of a net, row by row, by the definitions of the layers.

    `image` are the slices of the only input, `filter` those of the only filter. Sums and means of fractions are exact;
    roots and powers are those of float64. Raises `SpecError` where the numbers do not fit the net.
    """
    x = _stacked(image)
    w = {"w": _stacked(filter)[..., None]} if filter else {}
    _refuse_others(part.report, x, w)

    def step(node: Node, arriving: list[Any]) -> Any:
        return node.op.run(np, w, *arriving) if arriving else x[None]

    (y,) = walk(part.report.graph, step)[part.last]
    return Rows(tuple(tuple(map(Fraction, row.flatten())) for row in y))


def _refuse_others(report: Report, x: Array, w: dict[str, Array]) -> None:
    """Raises `SpecError` for numbers that do not fit the net, and for a net that is not soon worked out."""
    name = f"`{report.graph.name}`"
    inputs = [sizes(row.output) for row in report.rows if not row.inputs]
    if inputs != [x.shape]:
        raise refused(f"the image is {size_text(x.shape)}, the input of {name} is {_told(inputs)}")
    weights = [ints(shape) for row in report.rows for shape in row.node.op.weights(*row.inputs).values()]
    if weights != [array.shape for array in w.values()]:
        given = _told([array.shape for array in w.values()])
        raise refused(f"the filter is {given}, the weights of {name} are {_told(weights)}")
    if sum(ints(tuple(row.macs for row in report.rows))) > MOST_MACS:
        raise refused(f"{name} has more than {MOST_MACS:,} multiply-adds, too many to be worked out exactly")


def _stacked(slices: Slices) -> Array:
    """h, w, c of fractions."""
    arrays = [np.array(each.rows, object) for each in slices]
    if len({array.shape for array in arrays}) > 1:
        raise refused("the slices of an image or a filter differ in size")
    return np.stack(arrays, axis=-1)


def _told(shapes: Sequence[tuple[int, ...]]) -> str:
    return " and ".join(map(size_text, shapes)) or "none"
