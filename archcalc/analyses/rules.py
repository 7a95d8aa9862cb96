"""Rules of counting: what a tool, a paper or a lecture calls a cost, as a file of TOML.

A rule says for kinds of layers how a figure follows from their sizes:

    unit = "FLOPs"

    [cost]
    conv = "macs"
    bn = "2*out"

    [params]
    buffers = false

`docs/rules.md` is the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.analyses.costs import Row
from archcalc.analyses.touched import count_touched
from archcalc.builder.values import names_in
from archcalc.files import read_spec, rule_files
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.source import Source, Span
from archcalc.lang.syntax import Expr
from archcalc.lang.tomlfiles import key_span, read_expression, read_toml
from archcalc.ops import REGISTRY, Op
from archcalc.ops.reshape import Input
from archcalc.volume import Dim, Volume

OURS = "archcalc"
FIGURES = {  # what a rule may count, and what it counts it in
    "cost": "",
    "macs": "MACs",
    "flops": "FLOPs",
    "params": "parameters",
    "buffers": "values",
    "activations": "values",
    "bytes": "bytes",
    "adds": "additions",
    "muls": "multiplications",
    "compares": "comparisons",
    "divs": "divisions",
    "exps": "exponentials",
}
TEXTS = ("tool", "version", "unit", "about", "source", "note")
PARTS = {"biases": True, "buffers": False}  # whether they are among the parameters
DEFAULT = "default"
IMAGE = Input.types[0]  # no layer: no family and no default stands for it
NOTHING_COUNTED = "0"


class Formula(NamedTuple):
    """How a figure of a layer follows from its sizes."""

    text: str
    expr: Expr
    names: tuple[str, ...]
    span: Span


class Figure(NamedTuple):
    """One thing that a rule counts: what it calls it, and a formula for each layer type that it does not count as 0."""

    name: str
    unit: str
    formulas: dict[str, Formula]


class Otherwise(NamedTuple):
    """Nets that a tool sees otherwise than the text of a net says, and its figures for them."""

    nets: tuple[str, ...]
    figures: dict[str, Figure]
    why: str


class Rule(NamedTuple):
    """A way of counting, with where it is from. Without a version it is nobody's tool."""

    name: str
    tool: str
    version: str
    about: str
    source: str
    note: str
    figures: dict[str, Figure]
    exceptions: tuple[Otherwise, ...]

    @property
    def unit(self) -> str:
        """What it calls its cost; of a rule that has none, what it counts instead."""
        return (self.figures.get("cost") or next(iter(self.figures.values()))).unit

    @property
    def macs_unit(self) -> str:
        """What it calls that which it has in the place of multiply-adds."""
        found = self.stands_for("macs")
        return self.figures[found].unit if found else FIGURES["macs"]

    @property
    def alike(self) -> Rule:
        """The rule as it counts nets that it makes no exception of."""
        return self._replace(exceptions=())

    def figure(self, name: str, net: str = "") -> Figure | None:
        """What it counts by a name, as it does for a net."""
        found = self.figures.get(name)
        if found is None:
            return None
        for exception in self.exceptions:
            if any(fnmatchcase(net, pattern) for pattern in exception.nets) and name in exception.figures:
                return Figure(name, found.unit, {**found.formulas, **exception.figures[name].formulas})
        return found

    def why(self, net: str) -> str:
        """Why it counts a net otherwise; empty where it does not."""
        found = (each.why for each in self.exceptions if any(fnmatchcase(net, pattern) for pattern in each.nets))
        return next(found, "")

    def stands_for(self, quantity: str) -> str:
        """The figure that a quantity is under the rule; empty where it is as ever. MACs and FLOPs are the cost."""
        if quantity in self.figures:
            return quantity
        return "cost" if quantity in ("macs", "flops") and "cost" in self.figures else ""


def _window(row: Row) -> Dim:
    """Cells under the window; where a layer has none, those that go in for one that comes out."""
    kernel = getattr(row.node.op, "kernel", None)
    if kernel is not None:
        return int(kernel[0] * kernel[1])
    x, y = (row.inputs or (row.output,))[0], row.output
    if (x.h, x.w) == (y.h, y.w):
        return 1
    cells = x.area // y.area
    return max(1, cells) if isinstance(cells, int) else cells


def _step(row: Row) -> int:
    """Cells from one window to the next, both ways; 1 where there is no window."""
    rows, columns = getattr(row.node.op, "step", (1, 1))
    return int(rows * columns)


def _arriving(row: Row) -> Dim:
    total: Dim = 0
    for x in row.inputs:
        total = total + x.values
    return total


SIZES: dict[str, Callable[[Row], Any]] = {
    "in": _arriving,
    "out": lambda row: row.output.values,
    "h": lambda row: row.output.h,
    "w": lambda row: row.output.w,
    "c": lambda row: row.output.c,
    "positions": lambda row: row.output.area,
    "in_c": lambda row: (row.inputs or (Volume(0, 0, 0),))[0].c,
    "inputs": lambda row: len(row.inputs),
    "kernel": _window,
    "stride": _step,
    "weights": lambda row: row.cost.weights,
    "biases": lambda row: row.cost.biases,
    "params": lambda row: row.cost.weights + row.cost.biases,
    "buffers": lambda row: row.cost.buffers,
    "activations": lambda row: row.cost.activations,
    "macs": lambda row: row.cost.work.macs,
    "flops": lambda row: row.cost.work.flops,
    "adds": lambda row: row.cost.work.adds,
    "muls": lambda row: row.cost.work.muls,
    "compares": lambda row: row.cost.work.compares,
    "divs": lambda row: row.cost.work.divs,
    "exps": lambda row: row.cost.work.exps,
    "touched": lambda row: count_touched((row,))[0].touched,
}
_COUNTING_KINDS = ("Count", "Whole", "Flag")  # arguments that a formula can name


# ---------------------------------------------------------------- finding


@cache
def shipped() -> dict[str, Path]:
    """The rules that come with archcalc, by name; ours first."""
    paths = {path.stem: path for path in rule_files()}
    return {OURS: paths[OURS], **paths}


def find_rule(name: str, beside: Path | None = None) -> Rule:
    """A rule by name, or from a file: `mine.toml`, looked for in a folder first. Raises `SpecError`."""
    if name in shipped():
        return _shipped(name)
    if name.endswith(".toml"):
        near = beside / name if beside else None
        return read_rule(read_spec(near if near and near.is_file() else Path(name)))
    known = ", ".join(f"`{each}`" for each in shipped())
    help = did_you_mean(name, shipped()) or f"there are {known}; a file of yours is called `mine.toml`"
    raise SpecError([Fault(f"unknown counting rule {quoted(name)}", help=help)])


def rules_of(name: str) -> tuple[Rule, ...]:
    """One rule, or `all` that come with archcalc. Raises `SpecError`."""
    return tuple(map(_shipped, shipped())) if name == "all" else (find_rule(name),)


@cache
def _shipped(name: str) -> Rule:
    path = shipped()[name]
    return read_rule(Source(path.name, read_spec(path).text))


# ---------------------------------------------------------------- reading


def read_rule(source: Source) -> Rule:
    """The rule of a file. Raises `SpecError` with all faults of the file."""
    return _Reader(source).rule()


class _Reader:
    """Reads a rule file; gathers its faults."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.faults: list[Fault] = []

    def rule(self) -> Rule:
        content = read_toml(self.source)
        exceptions = content.pop("except", [])
        tables = {key: value for key, value in content.items() if isinstance(value, dict)}
        head = {key: value for key, value in content.items() if key not in tables}
        for key, value in head.items():
            self.check_head(key, value)
        figures = {key: self.figure(key, table, key) for key, table in tables.items() if self.known_figure(key)}
        if not tables:
            help = 'a cost is a table: `[cost]`, and below it `conv = "macs"`'
            self.refuse("the rule counts nothing", self.top, help)
        if "cost" in figures and not head.get("unit"):
            self.refuse("the rule has no `unit`", self.top, 'say what it calls its cost: `unit = "FLOPs"`')
        found = tuple(self.exceptions(exceptions, figures))
        if self.faults:
            raise SpecError(in_order(self.faults))
        stem = Path(self.source.name).stem
        told = {key: head.get(key, "") for key in ("version", "about", "source", "note")}
        figures = {key: _called(figure, head.get("unit", "")) for key, figure in figures.items()}
        return Rule(stem, head.get("tool", stem), **told, figures=_in_order(figures), exceptions=found)

    @property
    def top(self) -> Span:
        return Span(self.source, 0, len(self.source.line(1)))

    def refuse(self, message: str, span: Span, help: str = "") -> None:
        self.faults.append(Fault(message, span, help=help))

    def check_head(self, key: str, value: object) -> None:
        span = self.span(key)
        if key in FIGURES:
            self.refuse(f"`{key}` has to be a table", span, f"write `[{key}]`, and its formulas below")
        elif key not in TEXTS:
            self.refuse(f"unknown key {quoted(key)}", span, did_you_mean(key, (*TEXTS, *FIGURES, "except")))
        elif not isinstance(value, str):
            self.refuse(f"`{key}` has to be text", span)

    def known_figure(self, key: str) -> bool:
        if key not in FIGURES:
            help = did_you_mean(key, (*FIGURES, "except")) or f"there are {', '.join(FIGURES)}"
            self.refuse(f"there is no figure {quoted(key)}", self.header(key) or self.span(key), help)
        return key in FIGURES

    def figure(self, name: str, table: dict[str, Any], path: str) -> Figure:
        """A table of formulas by kind of layer; a type comes before its family, and that before `default`."""
        unit = table.get("unit", FIGURES[name])
        if not isinstance(unit, str):
            self.refuse("`unit` has to be text", self.span("unit", path))
        formulas = self.parts(table, path) if name == path == "params" else {}
        owners = {type_: key for key in sorted(table, key=_rank) for type_ in _meant(key)}
        for key, value in table.items():
            if key == "unit" or (key in PARTS and name == "params"):
                continue
            span = self.span(key, path)
            types = tuple(type_ for type_, owner in owners.items() if owner == key)
            if not _meant(key):
                known = (*_types(), *_families(), DEFAULT, IMAGE, "unit")
                help = did_you_mean(key, (*known, *REGISTRY)) or "`archcalc layers` shows the layer types"
                self.refuse(f"{quoted(key)} is neither a layer type nor a family of them", span, help)
            elif isinstance(value, bool) or not isinstance(value, (str, int)):
                self.refuse(f'`{key}` has to be an expression in quotes, such as `"2*out"`, or a whole number', span)
            elif found := self.formula(str(value), span, types):
                formulas |= dict.fromkeys(types, found)
        return Figure(name, unit, formulas)

    def parts(self, table: dict[str, Any], path: str) -> dict[str, Formula]:
        """What makes up the parameters of every layer that has no formula of its own."""
        for key in PARTS.keys() & table.keys():
            if not isinstance(table[key], bool):
                self.refuse(f"`{key}` has to be true or false", self.span(key, path))
        parts = ["weights", *(key for key, default in PARTS.items() if table.get(key, default) is True)]
        found = self.formula(" + ".join(parts), self.header(path) or self.top, _types())
        return dict.fromkeys(_types(), found) if found else {}

    def formula(self, text: str, span: Span, types: tuple[str, ...]) -> Formula | None:
        expr = read_expression(text)
        if isinstance(expr, str):
            self.refuse(f"cannot read the expression {quoted(text)}{expr}", self.within(span, text))
            return None
        names = names_in(expr)
        arguments = [_arguments(REGISTRY.get(type_)) for type_ in types]
        own = set.intersection(*arguments) if arguments else set()
        for name in names:
            if name not in SIZES and name not in own:
                help = did_you_mean(name, (*SIZES, *sorted(own))) or f"there are {', '.join((*SIZES, *sorted(own)))}"
                some = sorted({type_ for type_, each in zip(types, arguments, strict=True) if name not in each})
                what = f"; `{some[0]}` has no such argument" if len(some) < len(types) else ""
                self.refuse(f"unknown name {quoted(name)} in {quoted(text)}{what}", self.within(span, text, name), help)
                return None
        return Formula(text, expr, names, self.within(span, text))

    def exceptions(self, found: object, figures: dict[str, Figure]) -> Iterator[Otherwise]:
        tables = found if isinstance(found, list) and all(isinstance(each, dict) for each in found) else None
        if tables is None:
            self.refuse("exceptions are written as `[[except]]`", self.header("except") or self.span("except"))
        for table in tables or ():
            nets, why = table.get("nets"), table.get("why", "")
            fits = isinstance(nets, list) and nets and all(isinstance(each, str) for each in nets)
            if not fits or not isinstance(why, str):
                help = 'such as `nets = ["densenet*"]`, and `why = "…"`'
                self.refuse("an exception has to name its `nets`", self.header("except") or self.top, help)
            own = {key: value for key, value in table.items() if key not in ("nets", "why")}
            for key, value in own.items():
                if key not in figures or not isinstance(value, dict):
                    span = self.header(f"except.{key}") or self.span(key, "except")
                    self.refuse(
                        f"{quoted(key)} is no figure of this rule", span, did_you_mean(key, (*figures, "nets", "why"))
                    )
            good = {key: value for key, value in own.items() if key in figures and isinstance(value, dict)}
            read = {key: self.figure(key, value, f"except.{key}") for key, value in good.items()}
            yield Otherwise(tuple(nets) if fits and nets else (), read, str(why))

    def within(self, key: Span, text: str, name: str = "") -> Span:
        """Where a formula stands behind its key, or a name in it; the key, where the file writes it with escapes."""
        before = self.source.text[key.end :].partition("\n")[0].find(text)
        if before < 0:
            return key
        start = key.end + before
        found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) if name else None
        first, last = found.span() if found else (0, len(text))
        return Span(self.source, start + first, start + last)

    def header(self, path: str) -> Span | None:
        """Where `[path]` or `[[path]]` stands."""
        found = re.search(rf"^[ \t]*\[\[?[ \t]*({re.escape(path)})[ \t]*\]", self.source.text, re.MULTILINE)
        return Span(self.source, *found.span(1)) if found else None

    def span(self, key: str, path: str = "") -> Span:
        """Where a key stands: below the header of its table, or before the first of them."""
        text = self.source.text
        header = self.header(path) if path else None
        start = header.end if header else 0
        following = re.compile(r"^[ \t]*\[", re.MULTILINE).search(text, start + 1 if start else 0)
        end = following.start() if following else len(text)
        inline = re.compile(rf"(?<![\w.-])({re.escape(key)})[ \t]*=").search(text)
        anywhere = Span(self.source, *inline.span(1)) if inline else self.top
        return key_span(self.source, key, start, end) or anywhere


def _rank(key: str) -> int:
    """The most general first, so that what is more special takes its place."""
    return 0 if key == DEFAULT else 2 if key in REGISTRY and key not in _families() else 1


@cache
def _types() -> tuple[str, ...]:
    """The layer types by their canonical names."""
    return tuple(dict.fromkeys(cls.types[0] for cls in REGISTRY.values()))


@cache
def _families() -> dict[str, tuple[str, ...]]:
    """The families of layer types, and who is in them."""
    families: dict[str, tuple[str, ...]] = {}
    for type_ in _types():
        family = REGISTRY[type_].kind()
        families[family] = (*families.get(family, ()), type_)
    return families


def _meant(key: str) -> tuple[str, ...]:
    """The layer types that a key of a rule stands for; the name of a family stands for all of it, `conv` among them."""
    if key == DEFAULT:
        return _types()
    if key == IMAGE:
        return (IMAGE,)
    if key in _families():
        return _families()[key]
    return (REGISTRY[key].types[0],) if key in REGISTRY else ()


def _arguments(cls: type[Op] | None) -> set[str]:
    """Arguments of a layer type that are numbers or yes and no."""
    return {name for name, field in cls.fields.items() if field.kind in _COUNTING_KINDS} if cls else set()


def _called(figure: Figure, unit: str) -> Figure:
    return figure._replace(unit=figure.unit or unit)


def _in_order(figures: dict[str, Figure]) -> dict[str, Figure]:
    return {name: figures[name] for name in FIGURES if name in figures}
