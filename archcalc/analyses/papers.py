"""Printed figures held against the engine: a table of a paper or a lecture is a file, a cell is what is printed.

A file names its source, and what its words mean where they differ from ours; each row names a net (and a layer) and
the figures printed for it:

    source = "Simonyan & Zisserman 2014, arXiv:1409.1556"
    place = "Table 2"
    [[row]]
    arch = "vgg16"
    params = "138M"

`docs/tables.md` is the reference.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report, Row, add_up, work_of
from archcalc.analyses.paths import receptive_sizes, weighted_layers
from archcalc.builder.values import Evaluator, Refused, Scope, Unknown
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.lang.parser import parse
from archcalc.lang.source import Source, Span
from archcalc.lang.syntax import Expr, Let
from archcalc.units import Printed, read_printed
from archcalc.volume import Volume

STATUSES = ("holds", "rounds", "truncates", "erratum", "fails", "waits")
FILE_KEYS = ("source", "place", "year", "note", "arch", "means", "kilo", "row")
ROW_KEYS = ("arch", "input", "layer", "than", "than_layer", "note", "id", "place", "each", "where")
CELL_KEYS = ("printed", "id", "note", "compute", "equals", "truncated", "erratum", "right", "waits")
MOST_CASES = 20_000

Find = Callable[[str, str | None], Report]  # the report of a net, by what the command line calls ARCH; its input
Figures = dict[str, Any]


class Claim(NamedTuple):
    """A printed figure, and how it is to be computed."""

    source: str
    place: str
    arch: str
    input: str | None
    layer: str | None
    than: str | None  # the figure is a ratio: of `arch` to this net
    than_layer: str | None
    quantity: str
    printed: str
    compute: str  # an expression of our quantities; of a formula, what is printed
    equals: str  # of a formula: what it must come to
    kilo: int
    truncated: bool  # the printed figure may be cut off
    erratum: str  # why the printed figure is wrong; empty where it is not
    right: str  # what it should be
    waits: str  # what is missing to check it
    ids: tuple[str, ...]
    note: str
    each: tuple[tuple[str, tuple[int, ...]], ...]  # values of the letters of a formula
    where: str
    span: Span


class Outcome(NamedTuple):
    """A claim with what the engine found."""

    claim: Claim
    computed: Any  # int, Fraction, Volume; None where nothing was computed
    status: str
    note: str = ""


class _Bad(Exception):
    """A fault of the file; carries it."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


# ---------------------------------------------------------------- reading


def read_table(source: Source) -> tuple[Claim, ...]:
    """The claims of a table file. Raises `SpecError` with all faults of the file."""
    try:
        content = tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError([_toml_fault(source, error)]) from None
    faults: list[Fault] = []
    claims: list[Claim] = []
    top = Span(source, 0, len(source.line(1)))
    for key in content:
        if key not in FILE_KEYS:
            help = did_you_mean(key, FILE_KEYS)
            faults.append(Fault(f"unknown key {quoted(key)}", _key_span(source, key, 0, len(source.text)), help=help))
    if not isinstance(content.get("source"), str):
        faults.append(Fault("the table has no `source`", top, help='say where it is printed: `source = "…"`'))
        content["source"] = ""
    rows = content.get("row", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        faults.append(Fault("the table has no rows", top, help="a row starts with `[[row]]`"))
        rows = []
    seen: dict[object, Span] = {}
    for row, (start, end) in zip(rows, _row_spans(source), strict=False):
        for claim in _claims(content, row, source, start, end, faults):
            key = (claim.arch, claim.input, claim.layer, claim.than, claim.quantity, claim.place, claim.ids)
            if key in seen:
                line = seen[key].line
                faults.append(Fault(f"the same claim stands at line {line} already: {claim.quantity}", claim.span))
            seen[key] = claim.span
            claims.append(claim)
    if faults:
        raise SpecError(faults)
    return tuple(claims)


def _toml_fault(source: Source, error: tomllib.TOMLDecodeError) -> Fault:
    place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
    message = str(error)[: place.start()] if place else re.sub(r" \(at .*\)$", "", str(error))
    start = source.starts[int(place[1]) - 1] + int(place[2]) - 1 if place else max(0, len(source.text) - 1)
    return Fault(f"not TOML: {message[:1].lower()}{message[1:]}", Span(source, start, start + 1))


def _row_spans(source: Source) -> list[tuple[int, int]]:
    """Where each `[[row]]` starts and ends in the text."""
    starts = [found.start() for found in re.finditer(r"^[ \t]*\[\[\s*row\s*\]\]", source.text, re.MULTILINE)]
    return list(zip(starts, [*starts[1:], len(source.text)], strict=True))


def _key_span(source: Source, key: str, start: int, end: int) -> Span:
    found = re.compile(rf"^[ \t]*({re.escape(key)})[ \t]*=", re.MULTILINE).search(source.text, start, end)
    if found:
        return Span(source, *found.span(1))
    return Span(source, start, min(end, start + len("[[row]]")))


def _claims(
    table: dict[str, Any], row: dict[str, Any], source: Source, start: int, end: int, faults: list[Fault]
) -> Iterator[Claim]:
    """The claims of one row: each key that is not about the row itself is a printed figure."""
    cells = [key for key in row if key not in ROW_KEYS]
    if not cells:
        faults.append(Fault("the row prints nothing", _key_span(source, "", start, end)))
    for key in cells:
        span = _key_span(source, key, start, end)
        try:
            yield _claim(table, row, key, span)
        except _Bad as bad:
            faults.append(bad.fault)


def _claim(table: dict[str, Any], row: dict[str, Any], key: str, span: Span) -> Claim:
    cell = row[key] if isinstance(row[key], dict) else {"printed": row[key]}
    for word in cell:
        if word not in CELL_KEYS:
            help = did_you_mean(word, CELL_KEYS)
            raise _Bad(Fault(f"unknown key {quoted(word)} in the cell `{key}`", span, help=help))
    printed = cell.get("printed")
    if isinstance(printed, bool) or not isinstance(printed, (str, int, float)):
        raise _Bad(Fault(f"the cell `{key}` prints nothing", span, help='write it as printed: `"138M"`'))
    means = table.get("means", {})
    kilo = table.get("kilo", {}).get(key, 1000)
    ids = cell.get("id", row.get("id", ()))
    claim = Claim(
        table["source"],
        str(row.get("place", table.get("place", ""))),
        str(row.get("arch", table.get("arch", ""))),
        row.get("input"),
        row.get("layer"),
        row.get("than"),
        row.get("than_layer"),
        key,
        str(printed),
        str(cell.get("compute", means.get(key, key))),
        str(cell.get("equals", key)),
        kilo,
        bool(cell.get("truncated", False)),
        str(cell.get("erratum", "")),
        str(cell.get("right", "")),
        str(cell.get("waits", "")),
        (ids,) if isinstance(ids, str) else tuple(ids),
        str(cell.get("note", row.get("note", table.get("note", "")))),
        tuple((letter, _range(text, span)) for letter, text in row.get("each", {}).items()),
        str(row.get("where", "")),
        span,
    )
    _check(claim)
    return claim


def _range(text: object, span: Span) -> tuple[int, ...]:
    """`1..7` or `[1, 3]` as the values of a letter."""
    if isinstance(text, list) and all(isinstance(each, int) for each in text):
        return tuple(text)
    found = re.fullmatch(r"\s*(\d{1,6})\s*\.\.\s*(\d{1,6})\s*", str(text))
    if not found or int(found[1]) > int(found[2]):
        raise _Bad(Fault(f"cannot read the range {quoted(str(text))}", span, help="write `1..7`"))
    return tuple(range(int(found[1]), int(found[2]) + 1))


def _check(claim: Claim) -> None:
    """Refuses a claim that could never be judged."""
    if claim.waits:
        return
    if bool(claim.erratum) != bool(claim.right):
        lacks = "what is right: `right = …`" if claim.erratum else "why it is wrong: `erratum = …`"
        raise _Bad(Fault(f"an erratum has to say {lacks}", claim.span))
    for text in (claim.printed, claim.right) if not claim.each else ():
        if text and _figure(text, claim.kilo) is None:
            raise _Bad(Fault(f"cannot read {quoted(text)} as a figure or a size", claim.span))
    _expression(claim.compute, claim.span)


def _figure(text: str, kilo: int) -> Printed | tuple[int, ...] | None:
    """A printed text as a number, or as a size `55x55x96`."""
    size = re.fullmatch(r"\(?\s*(\d+(?:\s*[x×*,]\s*\d+){1,3})\s*\)?", text.replace(" ", ""))
    if size and not re.fullmatch(r"\d{1,3}(,\d{3})+", size[1]):
        return tuple(int(part) for part in re.split(r"[x×*,]", size[1]))
    try:
        return read_printed(text, kilo)
    except ValueError:
        return None


def _expression(text: str, span: Span) -> Expr:
    """An expression of quantities, in the language of specs."""
    tree, faults = parse(Source("compute", f"let value = {text}"))
    statement = tree.items[0].statement if tree.items else None
    if faults or not isinstance(statement, Let) or len(tree.items) != 1:
        why = f": {faults[0].message}" if faults else ""
        raise _Bad(Fault(f"cannot read the expression {quoted(text)}{why}", span))
    return statement.value


# ---------------------------------------------------------------- judging


def judge(claim: Claim, find: Find) -> Outcome:
    """What the engine finds, and whether the printed figure holds. Raises `SpecError` for a net or layer unknown."""
    if claim.waits:
        return Outcome(claim, None, "waits", claim.waits)
    if claim.each:
        return _judge_formula(claim, find)
    computed = _computed(claim, find)
    agreement = agrees(computed, claim.printed, claim.kilo, claim.truncated or bool(claim.erratum))
    if not claim.erratum:
        return Outcome(claim, computed, agreement or "fails", claim.note)
    if agreement:
        return Outcome(claim, computed, "fails", "recorded as an erratum, but the engine agrees with it")
    if not agrees(computed, claim.right, claim.kilo, False):
        return Outcome(claim, computed, "fails", f"an erratum, but what is said to be right, {claim.right}, is not found")
    return Outcome(claim, computed, "erratum", claim.erratum)


def agrees(computed: Any, printed: str, kilo: int, truncated: bool) -> str:
    """`holds` exactly, `rounds` to the printed digits, `truncates` to them where that is allowed, or empty."""
    figure = _figure(printed, kilo)
    if isinstance(computed, Volume):
        sizes = figure if isinstance(figure, tuple) else (1, 1, int(figure.value)) if figure else ()
        own = (computed.h, computed.w, computed.c)
        return "holds" if sizes in (own, own[:2]) else ""
    if not isinstance(figure, Printed):
        return ""
    if figure.value == computed:
        return "holds"
    if figure.rounds_from(computed):
        return "rounds"
    return "truncates" if truncated and figure.truncates_from(computed) else ""


def _computed(claim: Claim, find: Find, letters: Figures | None = None) -> Any:
    expr = _expression(claim.compute, claim.span)
    value = _value(claim, find, claim.arch, claim.layer, expr, letters or {})
    if claim.than is None and claim.than_layer is None:
        return value
    other = _value(claim, find, claim.than or claim.arch, claim.than_layer, expr, letters or {})
    return Fraction(value, other)


def _value(claim: Claim, find: Find, arch: str, layer: str | None, expr: Expr, letters: Figures) -> Any:
    figures = {**letters, **(_figures(find(arch, claim.input), layer, claim) if arch else {})}
    if claim.compute == "size":
        return figures["size"]
    try:
        return Evaluator(Scope(names=figures), None).value(expr)
    except Refused as refused:
        known = [name for name in figures if name != "size"]
        help = did_you_mean(claim.compute, known) or f"there are {', '.join(known)}"
        raise SpecError([Fault(refused.fault.message, claim.span, help=help)]) from None
    except Unknown:
        raise SpecError([Fault(f"cannot work out {quoted(claim.compute)}", claim.span)]) from None


def _figures(report: Report, layer: str | None, claim: Claim) -> Figures:
    """The quantities of a net, or of one layer or group of it, by name."""
    last = report.graph.outputs[0][1]
    rows = list(report.rows)
    if layer is not None and ".." in layer:
        rows = _stretch(report, layer, claim)
        last = report.rows.index(rows[-1])
    elif layer is not None:
        found = report.graph.volumes.get(layer)
        group = tuple(layer.split("."))
        rows = [row for row in report.rows if row.node.group[: len(group)] == group]
        if found is None and not rows:
            help = did_you_mean(layer, report.graph.volumes)
            raise SpecError([Fault(f"`{claim.arch}` has no layer {quoted(layer)}", claim.span, help=help)])
        last = found if found is not None else report.rows.index(rows[-1])
        rows = rows or [report.rows[last]]
    size = report.rows[last].cost.out
    sums = add_up(rows)._asdict() | work_of(rows)._asdict()
    counts: dict[str, int] = {}
    for row in rows:
        key = f"{row.node.op.type}_layers"
        counts[key] = counts.get(key, 0) + 1
    return {
        **{f"{kind}_layers": 0 for kind in ("conv", "fc", "maxpool", "avgpool", "dropout", "add", "concat", "bn")},
        **counts,
        **sums,
        "arriving": sum(x.values for x in rows[0].inputs),
        "dropped_rows": (rows[-1].cost.dropped or (0, 0))[0],
        "height": size.h,
        "width": size.w,
        "depth": size.c,
        "size": size,
        "weighted_layers": weighted_layers(report.graph, {id(row) for row in rows}, report),
        "receptive": receptive_sizes(report.graph)[last],
    }


def _stretch(report: Report, layers: str, claim: Claim) -> list[Row]:
    """The layers from one name to another, both among them: `conv1_1..pool2`."""
    names = [row.node.name for row in report.rows]
    ends = []
    for name in layers.split("..", 1):
        if name not in names:
            raise SpecError([Fault(f"`{claim.arch}` has no layer {quoted(name)}", claim.span, help=did_you_mean(name, names))])
        ends.append(names.index(name))
    return list(report.rows[ends[0] : ends[1] + 1]) or [report.rows[ends[0]]]


def _judge_formula(claim: Claim, find: Find) -> Outcome:
    """A printed formula against the engine, for every value of its letters.

    `arch` is a text with `{letters}`; `equals` is what the formula must come to. An erratum must be wrong somewhere,
    and its right formula nowhere.
    """
    wrong = _first_miss(claim, claim.compute, find)
    shown = f"{claim.printed} = {claim.equals}"
    if not claim.erratum:
        return Outcome(claim, shown if not wrong else wrong, "fails" if wrong else "holds", wrong or claim.note)
    if not wrong:
        return Outcome(claim, shown, "fails", "recorded as an erratum, but the engine agrees with it")
    still = _first_miss(claim, claim.right, find)
    if still:
        return Outcome(claim, still, "fails", f"an erratum, but what is said to be right fails too: {still}")
    return Outcome(claim, claim.right, "erratum", f"{claim.erratum} ({wrong})")


def _first_miss(claim: Claim, formula: str, find: Find) -> str:
    """The first case in which a formula differs from the engine, in words; empty if there is none."""
    expr = _expression(formula, claim.span)
    equals = _expression(claim.equals, claim.span)
    where = _expression(claim.where, claim.span) if claim.where else None
    letters = [letter for letter, _ in claim.each]
    cases = 0
    for values in product(*(values for _, values in claim.each)):
        case: Figures = dict(zip(letters, values, strict=True))
        evaluator = Evaluator(Scope(names=case), None)
        if where is not None and not evaluator.truth(where):
            continue
        cases += 1
        if cases > MOST_CASES:
            raise SpecError([Fault(f"a formula is tried on at most {MOST_CASES:,} cases", claim.span)])
        text = re.sub(r"\{(\w+)\}", lambda found, case=case: str(case.get(found[1], found[0])), claim.arch)  # type: ignore[misc]
        try:
            figures = _figures(find(text, claim.input), claim.layer, claim) if text else {}
        except SpecError:
            continue  # there is no such net: a window larger than its input
        found = Evaluator(Scope(names={**figures, **case}), None).value(equals)
        said = evaluator.value(expr)
        if said != found:
            shown = ", ".join(f"{letter} = {value}" for letter, value in case.items())
            return f"{shown}: {said} by the formula, {found} by the engine"
    if not cases:
        raise SpecError([Fault("the formula is tried on no case", claim.span)])
    return ""


