"""Filters cut into panels: as many as a product of matrices takes at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from archcalc.executor.base import Array
from archcalc.executor.products import WIDTH


class Panels(NamedTuple):
    """Filters of one group: where their outputs stand in the depth, what they see of it, and their weights."""

    outputs: slice
    depth: slice
    weights: Array  # panel, …, depth of a group, n


class Prepared(NamedTuple):
    """The filters, group by group, and the bias of each."""

    panels: tuple[Panels, ...]
    bias: Array | None


def cut_by_groups(w: Array, groups: int) -> Iterator[Panels]:
    """Weights (…, depth of a group, filters) cut by groups, as views: into as many panels as are full, and the rest."""
    depth, width = w.shape[-2], w.shape[-1] // groups
    for group in range(groups):
        start, end = group * width, (group + 1) * width
        full = start + width // WIDTH * WIDTH
        for first, last, columns in ((start, full, WIDTH), (full, end, end - full)):
            if first < last:
                panels = w[..., first:last].reshape(*w.shape[:-1], -1, columns)
                seen = slice(group * depth, (group + 1) * depth)
                yield Panels(slice(first, last), seen, np.moveaxis(panels, -2, 0))
