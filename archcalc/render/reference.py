"""The reference of layer types, made from their classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from inspect import getdoc
from textwrap import wrap
from typing import TextIO

from archcalc.analyses.costs import Row as LayerRow
from archcalc.analyses.costs import measure
from archcalc.builder.arguments import usage
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.library import load
from archcalc.ops.base import REGISTRY, Op, shown
from archcalc.record import MISSING, Field
from archcalc.render import terminal
from archcalc.render.costs import never_seen
from archcalc.render.table import Column, Row, Table

KINDS = {
    "Pair": "size",
    "Padding": "padding",
    "Count": "count",
    "Whole": "number",
    "Range": "range",
    "Real": "number",
    "Flag": "word",
}
Formulas = Callable[[type[Op]], dict[str, str]]


def types() -> dict[str, type[Op]]:
    """The layer types by canonical name, in the order of their families."""
    return {cls.types[0]: cls for cls in REGISTRY.values()}


def overview(stream: TextIO) -> Iterator[str]:
    """One line a layer type."""
    columns = (Column("usage", "how to write it", "text"), Column("about", "what it is", "text"))
    rows = []
    for cls in sorted(types().values(), key=lambda cls: cls.kind()):
        summary = (getdoc(cls) or "").partition("\n")[0].partition(":")[0].rstrip(".")
        words = " { … | … }" if cls.arity == "many" else ""
        also = f", also `{cls.types[1]}`" if len(cls.types) > 1 else ""
        rows.append(Row((usage(cls).text + words, summary + also), cls.kind()))
    footer = (("more", "archcalc layers NAME tells all about one; every layer with weights also takes share=LABEL"),)
    table = Table(f"{len(rows)} layer types", columns, tuple(rows), footer=footer)
    yield from terminal.lines(table, terminal.Screen(stream), True)


def page(name: str, formulas: Formulas, stream: TextIO) -> Iterator[str]:
    """All about one layer type. Raises `SpecError` for one that there is not."""
    cls = REGISTRY.get(name)
    if cls is None:
        help = did_you_mean(name, REGISTRY) or "`archcalc layers` lists them"
        raise SpecError([Fault(f"{quoted(name)} is not a layer type", help=help)])
    screen = terminal.Screen(stream)

    def heading(text: str) -> str:
        return screen.paint(text, "bold")

    yield heading(", ".join(cls.types))
    yield ""
    for line in (getdoc(cls) or "").splitlines():
        yield from wrap(line, screen.width or 120) or [""]
    yield ""
    branches = " { branch | branch }   or   " + f"{name} label, label" if cls.arity == "many" else ""
    yield f"{heading('Write')}      {usage(cls).text}{branches}"
    if cls.fields:
        yield ""
        yield heading("Arguments")
        yield from _aligned([_argument(field) for field in cls.fields.values()], screen)
    yield ""
    yield from (heading(line) for line in wrap(_arrives(cls), screen.width or 120))
    yield from _aligned([(key, formula) for key, formula in formulas(cls).items()], screen)
    if cls.inplace:
        yield "  It works in place: it has no activations of its own."
    yield ""
    yield heading("Examples")
    for example in cls.examples:
        yield from _example(example)


def _arrives(cls: type[Op]) -> str:
    volumes = "HxWxC arrives" if cls.arity == "one" else "two volumes HxWxC arrive"
    return f"Formulas, where {volumes} and h, w, c are height, width and depth of the output"


def _argument(field: Field) -> tuple[str, str, str, str]:
    words = f"{field.name}, no{field.name}" if field.kind == "Flag" else field.name
    kind = KINDS[field.kind.removesuffix(" | None")]
    default = "" if field.default is MISSING or field.default is None else f"; {_default(field)} when left out"
    letter = field.symbol if field.kind != "Flag" else ""
    return words, letter, kind, f"{field.about}{default}"


def _default(field: Field) -> str:
    if field.kind == "Flag":
        return f"{'' if field.default else 'no'}{field.name}"
    return shown(field.default)


def _aligned(rows: list[tuple[str, ...]], screen: terminal.Screen) -> Iterator[str]:
    """Rows in columns, the last of which goes on below itself where the screen ends."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    indent = 2 + sum(widths) + 2 * len(widths)
    room = max(24, (screen.width or 120) - indent)
    for row in rows:
        start = "  " + "".join(f"{cell:{width}}  " for cell, width in zip(row, widths, strict=False))
        for at, part in enumerate(wrap(row[-1], room, break_on_hyphens=False, break_long_words=False)):
            yield (start if at == 0 else " " * indent) + part


def _example(text: str) -> Iterator[str]:
    report = measure(load(text).build().graph)
    row = report.rows[-1]
    yield f"  {text}"
    yield f"    gives {_figures(row)}"


def _figures(row: LayerRow) -> str:
    cost = row.cost
    note = never_seen(row)
    return f"{cost.out}, {cost.params:,} params, {cost.macs:,} MACs, {cost.flops:,} FLOPs" + (
        f"; {note}" if note else ""
    )
