"""The block table of papers: `[3×3, 64; 3×3, 64] × 3`, stage by stage."""

from __future__ import annotations

from itertools import zip_longest
from typing import NamedTuple

from archcalc.analyses.costs import Report, Row, add_up
from archcalc.analyses.stages import Block, divide, look
from archcalc.notation.escapes import escaped
from archcalc.ops.base import shown
from archcalc.render import table
from archcalc.render.costs import Setting
from archcalc.render.table import Column, Table

COLUMNS = (
    Column("layer", "stage", "text"),
    Column("output", "output", "size"),
    Column("block", "layers", "text"),
    Column("params", "params", "count", 8),
    Column("macs", "MACs", "count", 8),
)
KEYS = tuple(column.key for column in COLUMNS)
READ = (
    "k×k, depth of the output; in brackets what is repeated, or stands side by side; a stride is not said of what is "
    "repeated; shortcuts are left out"
)


class Told(NamedTuple):
    """The blocks of a stage, as text or as mathematics."""

    blocks: tuple[Block, ...]

    def __str__(self) -> str:
        return "; ".join(map(block_text, self.blocks))

    @property
    def latex(self) -> str:
        """Layers one above the other in large brackets, branches side by side; without the dollars around it."""
        return r";\ ".join(map(_matrix, self.blocks))


def block_table(report: Report, title: str, setting: Setting, depth: int = 1) -> Table:
    """A row a stage, as the tables of He, Zhang, Ren & Sun 2015 (Table 1) have it; stages are groups of a depth."""
    rows = []
    for stage in divide(report, depth):
        totals = add_up(stage.rows).of_batch(setting.batch)
        rows.append(table.Row((stage.name, stage.rows[-1].output, Told(stage.blocks), totals.params, totals.macs)))
    whole = report.total().of_batch(setting.batch)
    sums = table.Row(("total", None, None, whole.params, whole.macs), "total")
    return Table(title, COLUMNS, tuple(rows), sums, (("layers", READ),))


def block_text(block: Block) -> str:
    """`[1×1, 64; 3×3, 64; 1×1, 256] × 3`, branches parted by `|`; a layer by itself has no brackets."""
    branches = _texts(block)
    text = " | ".join(map("; ".join, branches))
    if len(branches) == 1 and len(branches[0]) == 1 and block.times == 1:
        return text
    return f"[{text}] × {block.times}" if block.times > 1 else f"[{text}]"


def _matrix(block: Block) -> str:
    branches = [[rf"\text{{{escaped(layer)}}}" for layer in branch] for branch in _texts(block)]
    if len(branches) == 1 and len(branches[0]) == 1 and block.times == 1:
        return branches[0][0]
    lines = (" & ".join(line) for line in zip_longest(*branches, fillvalue=""))
    inside = r" \\ ".join(lines)
    array = rf"\begin{{array}}{{{'|'.join('c' * len(branches))}}} {inside} \end{{array}}"
    return rf"\left[{array}\right]" + (rf" \times {block.times}" if block.times > 1 else "")


def _texts(block: Block) -> list[list[str]]:
    """The layers of each branch; only what stands once has a stride for all of it."""
    return [[_layer(row, block.times == 1) for row in branch] for branch in block.branches]


def _layer(row: Row, once: bool) -> str:
    kernel, channels, groups, multiplies = look(row)
    if kernel is None:
        return row.node.op.text()
    step = getattr(row.node.op, "step", getattr(row.node.op, "stride", None))
    stride = f", stride {shown(step)}" if once and step not in (None, (1, 1)) else ""
    if not multiplies:
        return f"{kernel[0]}×{kernel[1]} {row.node.op.type}{stride}"
    if groups > 1 and groups == row.inputs[0].c:
        return f"{kernel[0]}×{kernel[1]} depthwise, {channels}{stride}"
    return f"{kernel[0]}×{kernel[1]}, {channels}" + (f", {groups} groups" if groups > 1 else "") + stride
