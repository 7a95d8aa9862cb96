"""What all exits of `explain` share: how it is wanted, and how the layers add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from archcalc.analyses.costs import Totals, add_up, fold, sum_of
from archcalc.analyses.explanation import Explanation
from archcalc.notation.formulas import figure
from archcalc.render import costs
from archcalc.render.table import Column, Row, Table
from archcalc.units import binary, percent

FIGURES = ("values", "params", "MACs", "FLOPs")
MOST = 3  # layers that carry most


class View(NamedTuple):
    """How an explanation is wanted: the numbers it is for, all of a layer or a few lines, and the format."""

    title: str
    setting: costs.Setting
    full: bool
    format: str = "text"


def sums(explanation: Explanation, setting: costs.Setting) -> Table | None:
    """How the totals of several layers add up, by group; None for a single layer."""
    rows = explanation.rows
    if len(rows) < 2:
        return None
    deepest = max(len(row.node.group) for row in rows)
    folds = next((folds for depth in range(1, deepest + 1) if len(folds := fold(rows, depth)) > 1), fold(rows, None))
    parts = [(each.name + (f" ×{each.times}" if each.times > 1 else ""), each.totals) for each in folds]
    silent = [totals for _, totals in parts if _is_silent(totals)]
    shown = [(name, totals) for name, totals in parts if not _is_silent(totals)]
    if silent:
        count = sum(totals.layers for totals in silent)
        flops = sum_of(totals.flops for totals in silent)
        shown.append((f"{count:,} layer{'s' * (count != 1)} in place", Totals(count, flops=flops)))
    cells = [_cells(name, totals, setting) for name, totals in (*shown, ("sum", add_up(rows)))]
    kinds = ["formula" if any(costs.is_symbolic(row[at]) for row in cells) else "count" for at in range(1, 5)]
    columns = (Column("part", "part", "text", 10), *map(Column, FIGURES, FIGURES, kinds))
    footer = tuple(_carriers(explanation, setting))
    return Table("How the totals add up", columns, tuple(map(Row, cells[:-1])), Row(cells[-1], "total"), footer)


def _is_silent(totals: Totals) -> bool:
    return all(figure == 0 for figure in (totals.activations, totals.params, totals.macs))


def _cells(name: str, of: Totals, setting: costs.Setting) -> tuple[Any, ...]:
    figures = (of.activations * setting.batch, of.params, of.macs * setting.batch, of.flops * setting.batch)
    return (name, *(None if each == 0 else each for each in figures))


def _carriers(explanation: Explanation, setting: costs.Setting) -> Iterator[tuple[str, str]]:
    """The sums in other words, and the layers that carry most of each."""
    total, each = add_up(explanation.rows), setting.bytes_per_value
    values = total.activations * setting.batch
    if not isinstance(values, int) or not isinstance(total.flops, int):
        return
    yield "memory", f"{figure(values)} values * {each} bytes = {figure(values * each)} bytes = {binary(values * each)}"
    yield "params", f"{figure(total.weights)} weights + {figure(total.biases)} biases = {figure(total.params)}"
    for name, key in zip(FIGURES, ("activations", "params", "macs"), strict=False):
        whole = getattr(total, key)
        carried = sorted(((getattr(row.cost, key), row.name) for row in explanation.rows), key=lambda pair: -pair[0])
        most = [f"{name} {percent(part, whole)}" for part, name in carried[:MOST] if part]
        if most:
            yield f"most {name}", ", ".join(most)
