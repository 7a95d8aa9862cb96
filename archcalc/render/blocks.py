"""The block table of papers: `[3×3, 64; 3×3, 64] × 3`, stage by stage."""

from __future__ import annotations

from archcalc.analyses.costs import Report, Row, add_up
from archcalc.analyses.stages import Block, Branch, divide, look
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
    "k×k, depth of the output; in brackets what is repeated; a stride is said of single layers; shortcuts are left out"
)


def block_table(report: Report, title: str, setting: Setting) -> Table:
    """A row a stage, as the tables of He, Zhang, Ren & Sun 2015 (Table 1) have it."""
    rows = []
    for stage in divide(report):
        totals = add_up(stage.rows).of_batch(setting.batch)
        text = "; ".join(map(block_text, stage.blocks))
        rows.append(table.Row((stage.name, stage.rows[-1].output, text, totals.params, totals.macs)))
    whole = report.total().of_batch(setting.batch)
    sums = table.Row(("total", None, None, whole.params, whole.macs), "total")
    return Table(title, COLUMNS, tuple(rows), sums, (("layers", READ),))


def block_text(block: Block) -> str:
    """`[1×1, 64; 3×3, 64; 1×1, 256] × 3`, branches parted by `|`; a layer by itself has its stride."""
    branches = block.branches
    if len(branches) == 1 and len(branches[0]) == 1 and block.times == 1:
        return _single(branches[0][0])
    text = f"[{' | '.join(map(_branch, branches))}]"
    return f"{text} × {block.times}" if block.times > 1 else text


def _single(row: Row) -> str:
    step = getattr(row.node.op, "stride", None)
    if not look(row).multiplies or look(row).kernel is None:
        return row.node.op.text()
    return _layer(row) + (f", stride {shown(step)}" if step not in (None, (1, 1)) else "")


def _branch(branch: Branch) -> str:
    return "; ".join(map(_layer, branch))


def _layer(row: Row) -> str:
    kernel, channels, groups, multiplies = look(row)
    if kernel is None:
        return row.node.op.text()
    if not multiplies:
        return f"{kernel[0]}×{kernel[1]} {row.node.op.type}"
    if groups > 1 and groups == row.inputs[0].c:
        return f"{kernel[0]}×{kernel[1]} depthwise, {channels}"
    return f"{kernel[0]}×{kernel[1]}, {channels}" + (f", {groups} groups" if groups > 1 else "")
