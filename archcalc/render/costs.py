"""The layer table of a report: which figures stand in it, and the sentences below."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, NamedTuple

from archcalc.analyses.costs import Fold, Report, Row, Totals, fold
from archcalc.render import table
from archcalc.render.table import Column, Share, Table
from archcalc.units import BYTES_PER_VALUE, binary, decimal, exact, megabytes, percent, rows_and_columns
from archcalc.volume import Dim, Volume

if TYPE_CHECKING:
    from archcalc.analyses.rules import Rule

ONCE = "every output once, the input too; ReLU and its kin, dropout and reshapes work in place"
TWICE = "every output, and the input of every conv and fc a second time: so CS231n comes to 93MB for VGG-16"


class Setting(NamedTuple):
    """What multiplies at the exit."""

    batch: Dim = 1
    dtype: str = "float32"
    rule: Rule | None = None  # that MACs, FLOPs and parameters are counted by; None is ours

    @property
    def bytes_per_value(self) -> int:
        """Bytes of one number."""
        return BYTES_PER_VALUE[self.dtype]


COLUMNS = (
    Column("layer", "layer", "text"),
    Column("type", "type", "text"),
    Column("inputs", "from", "text", 1),
    Column("output", "output", "size"),
    Column("activations", "values", "count", 2),
    Column("bytes", "memory", "bytes", 8),
    Column("params", "params", "count", 8),
    Column("weights", "weights", "count", 2),
    Column("biases", "biases", "count", 2),
    Column("buffers", "buffers", "count", 2),
    Column("macs", "MACs", "count", 8),
    Column("flops", "FLOPs", "count", 4),
    Column("dropped", "never seen", "text", 2),
    Column("share", "share of MACs", "share", 3),
)
DEFAULT = ("layer", "type", "output", "bytes", "params", "macs", "flops", "share")
KEYS = tuple(column.key for column in COLUMNS)
ALIASES = {"memory": "bytes", "name": "layer", "values": "activations", "from": "inputs"}


def layer_table(
    report: Report, title: str, setting: Setting, depth: int | None = None, facts: dict[str, str] | None = None
) -> Table:
    """All columns of the layer table, folded by group to a depth; below it what the text says of its source."""
    totals = report.total()
    folds = fold(report.rows, depth)
    symbolic = any(map(is_symbolic, (*totals, setting.batch, *(row.output for row in report.rows))))
    if depth == 0:  # the whole net in a row
        folds = [each._replace(name=report.graph.name) if len(each.rows) > 1 else each for each in folds]
    feeders = _feeders(folds)
    rows = tuple(_row(each, feeds, report, totals, setting) for each, feeds in zip(folds, feeders, strict=True))
    said = [(key, text) for key, text in (facts or {}).items() if key != "year"]
    if not symbolic:
        sums = table.Row(_cells("total", _layers(totals.layers), None, totals, setting, None), "total")
        return Table(title, COLUMNS, rows, sums, (*_footer(report, totals, setting), *said))
    from archcalc.render import formulas

    kinds = (
        "formula" if any(is_symbolic(row.cells[at]) for row in rows) else COLUMNS[at].kind for at in range(len(KEYS))
    )
    columns = tuple(column._replace(kind=kind) for column, kind in zip(COLUMNS, kinds, strict=True))
    by = [_rule(setting.rule)] if setting.rule else []
    return Table(title, columns, rows, None, (*by, *formulas.footer(report, totals, setting), *said))


def is_symbolic(cell: Any) -> bool:
    """Whether a cell is a formula, or a volume with one among its sides."""
    if isinstance(cell, Volume):
        return any(map(is_symbolic, cell))
    return not isinstance(cell, (int, str, Share, NoneType))  # quicker than to ask a protocol


def _feeders(folds: list[Fold]) -> list[str]:
    """The rows that feed each row, by name; a group does not feed itself."""
    owners = [at for at, each in enumerate(folds) for _ in range(len(each.rows) * each.times)]
    found = []
    for at, each in enumerate(folds):
        before = dict.fromkeys(owners[i] for row in each.rows for i in row.node.inputs if owners[i] != at)
        found.append(", ".join(folds[i].name for i in before))
    return found


def _row(each: Fold, feeders: str, report: Report, totals: Totals, setting: Setting) -> table.Row:
    last = each.rows[-1]
    single = len(each.rows) == 1
    times = f" ×{each.times}" if each.times > 1 else ""
    type_ = last.node.op.text() if single else _layers(sum(1 for row in each.rows if row.inputs))
    if not single and times:
        type_ += " each"
    if last.node.op.type == "input":
        type_ = "input"
    if single and last.node.share is not None:
        type_ += f" (weights of {report.graph.nodes[last.node.share].name})"
    note = never_seen(last) if single else ""
    whole = _number(totals.macs)
    share = Share(_number(each.totals.macs), whole) if whole and each.totals.macs else None
    cells = _cells(each.name + times, type_, last, each.totals, setting, share, feeders)
    if single and last.node.op.inplace:
        cells = tuple(
            None if column.key in ("activations", "bytes") else cell
            for cell, column in zip(cells, COLUMNS, strict=True)
        )
    faint = single and (last.node.op.inplace or last.node.op.type == "input")
    return table.Row(cells, "faint" if faint else last.node.op.kind() if single else "", note)


def _cells(
    name: str,
    type_: str,
    last: Row | None,
    figures: Totals,
    setting: Setting,
    share: Share | None,
    feeders: str = "",
) -> tuple[Any, ...]:
    values = {
        "layer": name,
        "type": type_,
        "inputs": feeders or None,
        "output": last.cost.out if last else None,
        "activations": figures.activations * setting.batch,
        "bytes": figures.activations * (setting.batch * setting.bytes_per_value),
        "params": figures.params,
        "weights": figures.weights,
        "biases": figures.biases,
        "buffers": figures.buffers,
        "macs": figures.macs * setting.batch,
        "flops": figures.flops * setting.batch,
        "dropped": never_seen(last) or None if last else None,
        "share": share,
    }
    quiet = last is not None and last.node.inputs == ()
    return tuple(None if quiet and key in _COUNTS else values[key] for key in KEYS)


_COUNTS = ("params", "weights", "biases", "buffers", "macs", "flops")


def never_seen(row: Row) -> str:
    """`3 rows and 3 columns never seen`, empty where all are."""
    unseen = rows_and_columns(*(row.cost.dropped or (0, 0)))
    return f"{unseen} never seen" if unseen else ""


def _layers(count: int) -> str:
    return f"{count:,} layer{'s' * (count != 1)}"


def _number(value: Dim) -> int:
    return value if isinstance(value, int) else 0


def _footer(report: Report, totals: Totals, setting: Setting) -> list[tuple[str, str]]:
    of_batch = f" for {setting.batch} images" if setting.batch != 1 else ""
    each = setting.bytes_per_value

    def memory(values: Dim) -> str:
        count = _number(values * setting.batch)
        size = f"{decimal(count)} values = {binary(count * each)} in {setting.dtype}"
        return f"{size} ({exact(count)} * {each} bytes = {megabytes(count * each)}){of_batch}"

    def whole(value: Dim) -> str:
        return exact(_number(value))

    said = [("memory", f"{memory(totals.activations)}: {ONCE}"), ("", f"{memory(totals.with_inputs)}: {TWICE}")]
    if setting.rule:
        return [*said, *_ruled(totals, setting, setting.rule), *_most(report, totals)]
    learnt = f"{whole(totals.params)} = {whole(totals.weights)} weights + {whole(totals.biases)} biases"
    buffers = f"; {whole(totals.buffers)} buffers are not learnt" if totals.buffers else ""
    macs, flops = (whole(value * setting.batch) + of_batch for value in (totals.macs, totals.flops))
    return [
        *said,
        ("parameters", f"{learnt}, {binary(_number(totals.params) * each)} in {setting.dtype}{buffers}"),
        ("MACs", f"{macs}: multiply-adds of conv and fc, biases not counted"),
        ("FLOPs", f"{flops}: 2 a MAC, 1 for every other operation"),
        *_most(report, totals),
    ]


def _ruled(totals: Totals, setting: Setting, rule: Rule) -> list[tuple[str, str]]:
    """What is counted by another rule than ours, and what it comes to."""
    columns = (("params", "params", totals.params), ("macs", "MACs", totals.macs), ("flops", "FLOPs", totals.flops))
    told = []
    for key, title, value in columns:
        times = 1 if key == "params" else setting.batch
        told.append((title, f"{exact(_number(value * times))} {_whose(rule, key)}"))
    return [_rule(rule), *told]


def rule_told(rule: Rule | None) -> list[tuple[str, str]]:
    """What some nets are counted by, for the lines below their table; nothing where that is ours."""
    if rule is None:
        return []
    whose = (
        f"{title} {_whose(rule, key)}" for key, title in (("params", "params"), ("macs", "MACs"), ("flops", "FLOPs"))
    )
    return [_rule(rule), ("", "; ".join(whose))]


def _whose(rule: Rule, key: str) -> str:
    figure = rule.stands_for(key)
    printed = f", printed as {rule.unit}" if figure == "cost" else ""
    return f"by the rule{printed}" if figure else "as ever: the rule has none"


def _rule(rule: Rule) -> tuple[str, str]:
    about = f": {rule.about}" if rule.about else ""
    tool = " ".join(filter(None, (rule.tool, rule.version)))
    return "rule", f"{rule.name}{about}" + (f" ({tool})" if tool != rule.name else "")


def _most(report: Report, totals: Totals) -> list[tuple[str, str]]:
    """The two facts of the lecture: where most memory is, where most parameters are."""
    found = []
    for what, key in (("most memory", "activations"), ("most params", "params")):
        figures = [(_number(getattr(row.cost, key)), row.node.name) for row in report.rows]
        most = max(figures)[0]
        whole = _number(getattr(totals, key))
        if not most:
            continue
        names = [name for figure, name in figures if figure == most]
        unit = " values" if key == "activations" else ""
        apiece = " each" if len(names) > 1 else ""
        shown = _listed(names)
        found.append((what, f"{shown}: {decimal(most)}{unit}{apiece}, {percent(most * len(names), whole)} of all"))
    return found


def _listed(names: list[str], most: int = 3) -> str:
    if len(names) > most + 1:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
