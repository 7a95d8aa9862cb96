"""Right figures in the wrong place: of another row, of another column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archcalc.homework.answers import Mistake
from archcalc.homework.mistakes.attempts import Cell
from archcalc.homework.mistakes.registry import ALL, other
from archcalc.units import exact
from archcalc.volume import Volume

ROW = other("another layer's answer", 30, ALL, "the right figure of another row", "27x27x96 for 55x55x96")
COLUMN = other("another column's answer", 30, ALL, "the right figure of another quantity", "290,400 for 34,944")
FURTHEST = 10  # weight of the rows far off, over that of the next one


def of_another_row(cell: Cell) -> Iterator[Mistake]:
    """What is right for another layer: the nearest that has it."""
    scene, wanted, right = cell.scene, cell.target(), cell.values(cell.right)
    shown = scene.net.shown
    for distance, at in sorted((abs(at - scene.at), at) for at in shown if at != scene.at):
        row = scene.net.report.rows[at]
        values = _figures(cell, row.cost)
        if wanted.met(values) and values != right and any(values):
            text = str(row.output) if len(values) == 3 else "x".join(map(exact, values))
            yield Mistake(ROW.name, text, ROW.weight + min(distance - 1, FURTHEST), f"that is right for {row.name}")


def of_another_column(cell: Cell) -> Iterator[Mistake]:
    """What is right for the same layer in another column."""
    if cell.sides and len(cell.figures) > 1:
        return
    cost, wanted, right = cell.scene.row.cost, cell.target(), cell.values(cell.right)
    volume = cost.out
    columns: dict[str, Any] = {
        **{"parameters": cost.params, "weights": cost.weights, "biases": cost.biases, "buffers": cost.buffers},
        **{"MACs": cost.macs, "FLOPs": cost.flops},
        **{"values of memory": volume.values, "bytes of memory": cell.bytes_per_value * volume.values},
        **{"height": volume.h, "width": volume.w, "depth": volume.c},
    }
    for name, value in columns.items():
        if value > 1 and (value,) != right and wanted.met((value,)):
            yield Mistake(COLUMN.name, exact(value), COLUMN.weight, f"that is right for {name}")


def _figures(cell: Cell, cost: Any) -> tuple[int, ...]:
    if cell.sides:
        volume: Volume = cost.out
        return tuple(int(getattr(volume, side)) for side in cell.sides)
    name = "activations" if cell.quantity == "memory" else cell.quantity
    return (cell.times * int(getattr(cost, name)),)
