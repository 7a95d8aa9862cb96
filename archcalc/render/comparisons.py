"""Nets side by side: their sums, bars, stages, and what the sums say in a sentence."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple, TextIO

from archcalc.analyses.comparison import Comparison, Member, Stage, scale_text
from archcalc.analyses.costs import Fold
from archcalc.render.costs import ONCE, Setting, rule_told
from archcalc.render.show import View, table_lines, tables_lines
from archcalc.render.table import Column, Row, Share, Table, chosen
from archcalc.units import decimal, exact, percent

SUMS = (
    Column("arch", "net", "text"),
    Column("year", "year", "size", 1),
    Column("input", "input", "size", 4),
    Column("weighted_layers", "layers", "size", 4),
    Column("params", "params", "count"),
    Column("params_ratio", "ratio", "size", 8),
    Column("macs", "MACs", "count"),
    Column("macs_ratio", "ratio", "size", 8),
    Column("flops", "FLOPs", "count", 3),
    Column("activations", "values", "count", 2),
    Column("bytes", "memory", "bytes", 7),
    Column("bytes_ratio", "ratio", "size", 5),
)
FIGURE_KEYS = tuple(column.key for column in SUMS if not column.key.endswith("_ratio"))
BARS = (
    Column("arch", "net", "text"),
    Column("params_share", "params", "share"),
    Column("macs_share", "MACs", "share"),
    Column("bytes_share", "memory", "share"),
)
STAGES = (
    Column("stage", "stage", "text"),
    Column("arch", "net", "text"),
    Column("output", "output", "size", 3),
    Column("parts", "layers and groups", "text"),
    Column("bytes", "memory", "bytes", 2),
    Column("bytes_share", "of memory", "text"),
    Column("params", "params", "count", 2),
    Column("params_share", "of params", "text"),
    Column("macs", "MACs", "count", 2),
    Column("macs_share", "of MACs", "text"),
)
FIGURES = ("params", "macs", "activations")
NOUNS = {"parameters": "params", "multiply-adds": "macs", "activations": "activations"}
MOST_SENTENCES = 6
NEARLY = 1.2  # below that a ratio is told in percent
BAR = 8  # cells of a short bar
LAYERS = "conv and fc layers on the longest path, as papers count them"
STAGE = (
    "1/4 is where height and width are a quarter of the input's, to the nearest power of 2; a group counts where it "
    "ends, one that spans more than two sizes by its parts"
)


class Ratio(NamedTuple):
    """A figure to another, for people: rounded to two digits.

    >>> str(Ratio(138, 25)), str(Ratio(1583, 15470)), str(Ratio(5, 5)), str(Ratio(3, 10_000)), str(Ratio(1, 0))
    ('5.5x', '0.10x', '1x', '<0.001x', '-')
    """

    value: int
    base: int

    @property
    def order(self) -> float:
        """The number that it is sorted by; what has no ratio comes last."""
        return self.value / self.base if self.base else math.inf

    def __str__(self) -> str:
        if not self.base:
            return "-"
        if self.value == self.base:
            return "1x"
        ratio = self.value / self.base
        if ratio >= 0.995:
            return f"{ratio:,.0f}x" if ratio >= 99.5 else f"{ratio:.1f}x"
        return f"{ratio:#.2g}x" if ratio >= 0.001 or not ratio else "<0.001x"


class Bar(NamedTuple):
    """A share, drawn in a few cells.

    >>> str(Bar(1, 3))
    ' 33% ███'
    """

    part: int
    whole: int

    def __str__(self) -> str:
        cells = "█" * round(BAR * self.part / self.whole) if self.whole else ""
        return f"{percent(self.part, self.whole):>4} {cells}".rstrip()


def lines(comparison: Comparison, setting: Setting, view: View, stream: TextIO) -> Iterator[str]:
    """The comparison in the format that is wanted; as CSV the sums alone."""
    if view.format == "json":
        from archcalc.render import structured

        return iter([structured.document("compare", **content(comparison, setting))])
    sums = _sums(comparison, setting)
    if view.format == "csv":
        return table_lines(chosen(sums, FIGURE_KEYS), view, stream)
    bars = [_bars(comparison)] if len(comparison.members) > 1 and view.format in ("table", "html") else []
    stages = _stages(comparison, setting)
    stages = stages if view.format == "html" else _said_once(stages)  # on a page rows may be sorted
    stages = _with_shares(stages) if view.format in ("html", "latex") else stages
    return tables_lines((sums, *bars, stages), view, stream)


# ---------------------------------------------------------------- tables


def _sums(comparison: Comparison, setting: Setting) -> Table:
    base = comparison.base
    rows = []
    for member in comparison.members:
        figures = member.totals.of_batch(setting.batch)
        cells = {
            "arch": member.name,
            "year": member.year,
            "input": member.input,
            "weighted_layers": member.weighted_layers,
            "params": figures.params,
            "params_ratio": Ratio(member.number("params"), base.number("params")),
            "macs": figures.macs,
            "macs_ratio": Ratio(member.number("macs"), base.number("macs")),
            "flops": figures.flops,
            "activations": figures.activations,
            "bytes": figures.activations * setting.bytes_per_value,
            "bytes_ratio": Ratio(member.number("activations"), base.number("activations")),
        }
        rows.append(Row(tuple(cells[column.key] for column in SUMS), "total" if member is comparison.base else ""))
    count = len(comparison.members)
    batch = f", batch {setting.batch}" if setting.batch != 1 else ""
    to = f"; ratios to {comparison.base.name}" if count > 1 else ""
    title = f"{count} net{'s' * (count != 1)}, {setting.dtype}{batch}{to}"
    footer = (*_sentences(comparison, _nouns(setting)), ("layers", LAYERS), ("memory", ONCE), *rule_told(setting.rule))
    table = Table(title, SUMS, tuple(rows), footer=footer)
    return table if count > 1 else chosen(table, FIGURE_KEYS)


def _bars(comparison: Comparison) -> Table:
    """Each figure beside the largest."""
    members = comparison.members
    most = {key: max(member.number(key) for member in members) for key in FIGURES}
    rows = tuple(Row((member.name, *(_share(member.number(key), most[key]) for key in FIGURES))) for member in members)
    return Table("beside the largest", BARS, rows)


def _stages(comparison: Comparison, setting: Setting) -> Table:
    rows = []
    for scale in comparison.scales:
        for member in comparison.members:
            for stage in member.stages:
                if stage.scale == scale:
                    rows.append(Row((scale_text(scale), *_stage(member, stage, setting))))
    most = [
        (f"most {what}", ", ".join(_most(member, key) for member in comparison.members))
        for what, key in (("memory", "activations"), ("params", "params"), ("MACs", "macs"))
    ]
    return Table("stage by stage", STAGES, tuple(rows), footer=(*most, ("stage", STAGE)))


def _said_once(table: Table) -> Table:
    """The table with the first cell of a row empty where it is that of the row above."""
    above = (None, *(row.cells[0] for row in table.rows))
    rows = (
        row._replace(cells=("", *row.cells[1:])) if row.cells[0] == before else row
        for before, row in zip(above, table.rows, strict=False)
    )
    return table._replace(rows=tuple(rows))


def _with_shares(table: Table) -> Table:
    """The table with shares in place of bars that are drawn with characters."""
    rows = tuple(
        row._replace(cells=tuple(Share(*cell) if isinstance(cell, Bar) else cell for cell in row.cells))
        for row in table.rows
    )
    kinds = (any(isinstance(row.cells[at], Share) for row in rows) for at in range(len(table.columns)))
    columns = (
        column._replace(kind="share") if drawn else column for column, drawn in zip(table.columns, kinds, strict=True)
    )
    return table._replace(columns=tuple(columns), rows=rows)


def _stage(member: Member, stage: Stage, setting: Setting) -> tuple[Any, ...]:
    memory, params, macs = (Bar(stage.number(key), member.number(key)) for key in ("activations", "params", "macs"))
    return (
        member.name,
        stage.output,
        _parts(member, stage),
        memory.part * setting.batch * setting.bytes_per_value,
        memory,
        params.part,
        params,
        macs.part * setting.batch,
        macs,
    )


def _parts(member: Member, stage: Stage) -> str:
    """The parts of a stage that have parameters, as stretches: `conv3_1..conv3_3`; all of them if none has."""
    order = {id(row): at for at, row in enumerate(member.report.rows)}
    learnt = [part for each in member.stages for part in each.parts if part.totals.params]
    places = {id(part): at for at, part in enumerate(sorted(learnt, key=lambda part: order[id(part.rows[0])]))}
    own = [part for part in stage.parts if id(part) in places]
    stretches: list[list[Fold]] = []
    for part in own:
        if stretches and places[id(part)] == places[id(stretches[-1][-1])] + 1:
            stretches[-1].append(part)
        else:
            stretches.append([part])
    told = [_stretch(each) for each in stretches] or [part.name for part in stage.parts]
    return ", ".join(told)


def _stretch(parts: list[Fold]) -> str:
    if len(parts) > 1:
        return f"{parts[0].name}..{parts[-1].name}"
    return parts[0].name + (f" ×{parts[0].times}" if parts[0].times > 1 else "")


def _most(member: Member, key: str) -> str:
    """`vgg16 52% at 1/1`."""
    stage = member.most(key)
    share = percent(stage.number(key), member.number(key))
    return f"{member.name} {share} at {scale_text(stage.scale)}"


# ---------------------------------------------------------------- sentences


def _nouns(setting: Setting) -> dict[str, str]:
    """What the figures are called, with their keys; a rule has a name of its own for its cost."""
    if setting.rule is None or setting.rule.stands_for("macs") != "cost":
        return NOUNS
    return {setting.rule.macs_unit if key == "macs" else noun: key for noun, key in NOUNS.items()}


def _sentences(comparison: Comparison, nouns: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What the sums say: each net beside the first, or from where to where many of them go."""
    base = comparison.base
    others = [member for member in comparison.members if member is not base]
    if len(others) <= MOST_SENTENCES:
        for at, member in enumerate(others):
            yield "" if at else "in words", _sentence(member, base, nouns)
        return
    for noun, key in nouns.items():
        ranked = sorted(comparison.members, key=lambda member: member.number(key))
        least, most = ranked[0], ranked[-1]
        ends = [decimal(member.number(key)) for member in (least, most)]
        ratio = Ratio(most.number(key), least.number(key))
        yield noun, f"from {ends[0]} ({least.name}) to {ends[1]} ({most.name}): {ratio}"


def _sentence(member: Member, base: Member, nouns: dict[str, str]) -> str:
    """`googlenet has 8.9 times fewer parameters than alexnet, but 1.4 times the multiply-adds and …`."""
    ways: list[int] = []
    words: list[str] = []
    for noun, key in nouns.items():
        value, other = member.number(key), base.number(key)
        ways.append((value > other) - (value < other))
        word, link = _phrase(value, other, noun)
        words.append(word if words else f"{word} {link} {base.name}")
    first, second, third = words
    if len(set(ways)) == 1:
        return f"{member.name} has {first}, {second} and {third}"
    links = [" and " if way == before else ", but " for before, way in pairwise(ways)]
    return f"{member.name} has {first}{links[0]}{second}{links[1]}{third}"


def _phrase(value: int, base: int, noun: str) -> tuple[str, str]:
    """`1.4 times the multiply-adds`, and the word that comes before what it is beside: of, as, than."""
    if value == base:
        return f"as many {noun}", "as"
    if not value or not base:
        return f"{decimal(value) if value else 'no'} {noun}", f"beside {decimal(base) if base else 'none'} of"
    more, ratio = value > base, max(value, base) / min(value, base)
    if ratio >= NEARLY:
        times = str(Ratio(max(value, base), min(value, base)))[:-1]
        return (f"{times} times the {noun}", "of") if more else (f"{times} times fewer {noun}", "than")
    way, share = "more" if more else "fewer", 100 * abs(value - base) / base
    return f"{share:.1f}% {way} {noun}" if share >= 0.05 else f"{exact(abs(value - base))} {way} {noun}", "than"


# ---------------------------------------------------------------- figures


def _share(part: int, whole: int) -> Share | None:
    return Share(part, whole) if whole else None


def content(comparison: Comparison, setting: Setting) -> dict[str, Any]:
    """The comparison as JSON holds it: exact, for the whole batch."""
    from archcalc.render import structured

    def stages(member: Member) -> list[dict[str, Any]]:
        return [
            {
                "scale": scale_text(stage.scale),
                "output": structured.plain(stage.output),
                "groups": [part.name for part in stage.parts],
                **structured.totals(stage.totals, setting),
            }
            for stage in member.stages
        ]

    archs = [
        {
            "arch": member.name,
            "title": member.built.title,
            "year": member.year,
            "input": structured.plain(member.input),
            "weighted_layers": member.weighted_layers,
            **structured.totals(member.totals, setting),
            "stages": stages(member),
        }
        for member in comparison.members
    ]
    head = {"base": comparison.base.name, "batch": setting.batch, "dtype": setting.dtype}
    return {**head, "rule": structured.rule_of(setting), "archs": archs}
