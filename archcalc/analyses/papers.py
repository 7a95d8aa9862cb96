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

import math
import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import chain, product
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.quantities import NoLayer, Part, known_quantities, part_of, quantity
from archcalc.builder.values import Evaluator, Refused, Scope, Unknown, names_in
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.lang.source import Source, Span
from archcalc.lang.syntax import Expr, Name
from archcalc.lang.tomlfiles import key_span, read_expression, read_toml
from archcalc.units import Printed, read_printed
from archcalc.volume import Volume

STATUSES = ("holds", "rounds", "truncates", "erratum", "fails", "waits")
FILE_KEYS = ("source", "place", "year", "note", "arch", "means", "kilo", "digits", "row")
ROW_KEYS = (
    "arch",
    "input",
    "layer",
    "than",
    "than_layer",
    "note",
    "id",
    "place",
    "each",
    "where",
    "image",
    "filter",
)
CELL_KEYS = (
    "printed",
    "follows",
    "id",
    "note",
    "compute",
    "per",
    "equals",
    "truncated",
    "digits",
    "erratum",
    "right",
    "waits",
)
Kinds = dict[str, tuple[type | tuple[type, ...], str]]  # what a value has to be, where it is not text
FILE_KINDS: Kinds = {
    "year": (int, "a number"),
    "means": (dict, "a table of words"),
    "kilo": (dict, "a table of numbers"),
    "digits": (dict, "a table of numbers"),
}
ROW_KINDS: Kinds = {
    "id": ((str, list), "text, or a list of texts"),
    "each": (dict, "a table of ranges"),
    "image": ((str, list), "rows of numbers, or a list of them"),
    "filter": ((str, list), "rows of numbers, or a list of them"),
}
CELL_KINDS: Kinds = {
    "printed": ((str, int, float), "the figure as printed"),
    "follows": ((str, int, float), "the figure that follows"),
    "id": ROW_KINDS["id"],
    "truncated": (bool, "true or false"),
    "digits": (int, "a number"),
}
ASKED = (
    "place",
    "arch",
    "input",
    "layer",
    "than",
    "than_layer",
    "quantity",
    "compute",
    "per",
    "equals",
    "each",
    "where",
    "image",
    "filter",
)
MOST_CASES = 20_000
BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Find = Callable[[str, str | None], Report]  # the report of a net, by what the command line calls ARCH; its input
Figures = dict[str, Any]
Run = Callable[[Part, "Slices", "Slices"], "Rows"]  # what a part of a net makes of an image with a filter


class Rows(NamedTuple):
    """Numbers that are written out row by row: `0 1 2; 3 4 5`."""

    rows: tuple[tuple[Fraction, ...], ...]

    def __str__(self) -> str:
        return "; ".join(" ".join(f"{float(value):.12g}" for value in row) for row in self.rows)


Slices = tuple[Rows, ...]  # of depth


class Claim(NamedTuple):
    """A printed figure, and how it is to be computed."""

    source: str
    arch: str
    quantity: str
    printed: str
    span: Span
    place: str = ""
    input: str | None = None
    layer: str | None = None
    than: str | None = None  # the figure is a ratio: of `arch` to this net
    than_layer: str | None = None
    compute: str = ""  # an expression of our quantities; of a formula, what is printed
    per: str = ""  # an expression that it is divided by; empty where there is none
    equals: str = ""  # of a formula: what it must come to
    kilo: int = 1000
    follows: bool = False  # not printed itself: it follows from what is
    digits: int = 0  # zeros behind so many digits of the printed figure only fill up; 0: all of its digits count
    truncated: bool = False  # the printed figure may be cut off
    erratum: str = ""  # why the printed figure is wrong; empty where it is not
    right: str = ""  # what it should be
    waits: str = ""  # what is missing to check it
    ids: tuple[str, ...] = ()
    note: str = ""
    each: tuple[tuple[str, tuple[int, ...]], ...] = ()  # values of the letters of a formula
    where: str = ""
    image: Slices = ()  # numbers that arrive, of which `values` are what the net makes
    filter: Slices = ()  # its weights


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
    content = read_toml(source)
    faults: list[Fault] = []
    claims: list[Claim] = []
    top = Span(source, 0, len(source.line(1)))
    rows = content.pop("row", [])
    table: dict[str, Any] = {"source": ""}
    for key, value in content.items():
        span = _key_span(source, key, 0, len(source.text))
        misfits = list(_misfits(key, value, FILE_KINDS, span))
        if key not in FILE_KEYS:
            misfits = [Fault(f"unknown key {quoted(key)}", span, help=did_you_mean(key, FILE_KEYS))]
        table |= {} if misfits else {key: value}
        faults += misfits
    if not content.get("source"):
        faults.append(Fault("the table has no `source`", top, help='say where it is printed: `source = "…"`'))
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        faults.append(Fault("the table has no rows", top, help="a row starts with `[[row]]`"))
        rows = []
    seen: dict[object, Span] = {}
    for row, (start, end) in zip(rows, _row_spans(source, len(rows)), strict=True):
        for claim in _claims(table, row, source, start, end, faults):
            asked = tuple(getattr(claim, name) for name in ASKED)
            if asked in seen:
                line = seen[asked].line
                faults.append(Fault(f"the same claim stands at line {line} already: {claim.quantity}", claim.span))
            seen[asked] = claim.span
            claims.append(claim)
    if faults:
        raise SpecError(faults)
    return tuple(claims)


def _misfits(key: str, value: object, kinds: Kinds, span: Span) -> Iterator[Fault]:
    """The fault of a value that is not of the kind its key wants."""
    kind, wanted = kinds.get(key, (str, "text"))
    fits = isinstance(value, kind) and isinstance(value, bool) == (kind is bool)
    if fits and isinstance(value, dict) and key != "each":
        fits = all(isinstance(each, str if key == "means" else int) for each in value.values())
    if fits and isinstance(value, list):
        fits = all(isinstance(each, str) for each in value)
    if not fits:
        yield Fault(f"`{key}` has to be {wanted}", span)


def _row_spans(source: Source, count: int) -> list[tuple[int, int]]:
    """Where each `[[row]]` starts and ends in the text; the whole text where rows are written another way."""
    starts = [found.start() for found in re.finditer(r"^[ \t]*\[\[\s*row\s*\]\]", source.text, re.MULTILINE)]
    if len(starts) != count or not starts:
        return [(0, len(source.text))] * count
    return list(zip(starts, [*starts[1:], len(source.text)], strict=True))


def _key_span(source: Source, key: str, start: int, end: int) -> Span:
    return key_span(source, key, start, end) or Span(source, start, min(end, start + len("[[row]]")))


def _claims(
    table: dict[str, Any], row: dict[str, Any], source: Source, start: int, end: int, faults: list[Fault]
) -> Iterator[Claim]:
    """The claims of one row: each key that is not about the row itself is a printed figure."""
    own = {key: value for key, value in row.items() if key in ROW_KEYS}
    misfits: list[Fault] = []
    for key, value in own.items():
        misfits += _misfits(key, value, ROW_KINDS, _key_span(source, key, start, end))
    cells = [key for key in row if key not in ROW_KEYS]
    if not cells:
        misfits.append(Fault("the row prints nothing", _key_span(source, "", start, end)))
    if misfits:
        faults += misfits
        return
    for key in cells:
        span = _key_span(source, key, start, end)
        try:
            yield _claim(table, row, key, span)
        except _Bad as bad:
            faults.append(bad.fault)


def _claim(table: dict[str, Any], row: dict[str, Any], key: str, span: Span) -> Claim:
    cell = row[key] if isinstance(row[key], dict) else {"printed": row[key]}
    for word, value in cell.items():
        if word not in CELL_KEYS:
            help = did_you_mean(word, CELL_KEYS)
            raise _Bad(Fault(f"unknown key {quoted(word)} in the cell `{key}`", span, help=help))
        for fault in _misfits(word, value, CELL_KINDS, span):
            raise _Bad(fault)
    if "printed" in cell and "follows" in cell:
        raise _Bad(Fault(f"the cell `{key}` is either printed or follows from what is", span))
    if "printed" not in cell and "follows" not in cell:
        raise _Bad(Fault(f"the cell `{key}` prints nothing", span, help='write it as printed: `"138M"`'))
    ids = cell.get("id", row.get("id", ()))
    claim = Claim(
        source=table["source"],
        place=row.get("place", table.get("place", "")),
        arch=row.get("arch", table.get("arch", "")),
        input=row.get("input"),
        layer=row.get("layer"),
        than=row.get("than"),
        than_layer=row.get("than_layer"),
        quantity=key,
        printed=str(cell["printed"] if "printed" in cell else cell["follows"]),
        follows="follows" in cell,
        compute=cell.get("compute", table.get("means", {}).get(key, key)),
        per=cell.get("per", ""),
        equals=cell.get("equals", key),
        kilo=table.get("kilo", {}).get(key, 1000),
        digits=cell.get("digits", table.get("digits", {}).get(key, 0)),
        truncated=cell.get("truncated", False),
        erratum=cell.get("erratum", ""),
        right=cell.get("right", ""),
        waits=cell.get("waits", ""),
        ids=(ids,) if isinstance(ids, str) else tuple(ids),
        note=cell.get("note", row.get("note", table.get("note", ""))),
        each=tuple((letter, _range(text, span)) for letter, text in row.get("each", {}).items()),
        where=row.get("where", ""),
        image=_slices(row.get("image", ()), span),
        filter=_slices(row.get("filter", ()), span),
        span=span,
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


def _slices(texts: str | list[str], span: Span) -> Slices:
    """The slices of an image or a filter."""
    return tuple(_rows(text, span) for text in ([texts] if isinstance(texts, str) else texts))


def _rows(text: str, span: Span) -> Rows:
    words = _words(text)
    numbers = all(re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", word) for row in words for word in row)
    if numbers and len({len(row) for row in words}) == 1:
        return Rows(tuple(tuple(map(Fraction, row)) for row in words))
    raise _Bad(Fault(f"cannot read {quoted(text)} as rows of numbers", span, help="write `0 1 2; 3 4 5`"))


def _words(text: str) -> list[list[str]]:
    return [row.split() for row in text.split(";")]


def _is_worked_out(claim: Claim) -> bool:
    """Whether the claim is about the numbers that a net makes of an image."""
    return claim.quantity == "values" and bool(claim.image)


def _check(claim: Claim) -> None:
    """Refuses a claim that could never be judged."""
    if claim.waits:
        return
    if bool(claim.erratum) != bool(claim.right):
        lacks = "what is right: `right = …`" if claim.erratum else "why it is wrong: `erratum = …`"
        raise _Bad(Fault(f"an erratum has to say {lacks}", claim.span))
    ratio = claim.than is not None or claim.than_layer is not None
    if ratio + bool(claim.per) + bool(claim.each) > 1:
        raise _Bad(Fault("only one of `than`, `per` and `each` can stand beside a figure", claim.span))
    if claim.kilo not in (1000, 1024) or not 0 <= claim.digits <= 20:
        raise _Bad(Fault("`kilo` is 1000 or 1024, `digits` a small number", claim.span))
    formulas = [claim.compute, *filter(None, [claim.per])]
    if claim.each:
        formulas += [claim.equals, *filter(None, [claim.where, claim.right])]
    elif claim.where:
        raise _Bad(Fault("`where` is for formulas, which have letters: `each = …`", claim.span))
    else:
        for text in (claim.printed, *filter(None, [claim.right])):
            if _is_worked_out(claim):
                _rows(text, claim.span)
            elif _figure(_bound(text)[1], claim.kilo) is None:
                raise _Bad(Fault(f"cannot read {quoted(text)} as a figure or a size", claim.span))
    for formula in formulas:
        _expression(formula, claim.span)


def _figure(text: str, kilo: int) -> Printed | tuple[int, ...] | None:
    """A printed text as a number, or as a size `55x55x96`."""
    size = re.fullmatch(r"\(?(\d{1,12}(?:[x×*,]\d{1,12}){1,3})\)?", text.replace(" ", ""))
    if size and not re.fullmatch(r"\d{1,3}(,\d{3})+", size[1]):
        return tuple(int(part) for part in re.split(r"[x×*,]", size[1]))
    try:
        return read_printed(text, kilo)
    except ValueError:
        return _arithmetic(text)


def _bound(text: str) -> tuple[str, str]:
    """`<25M` as a relation and its figure, `1000+` as `>=1000`; no relation where the figure itself is meant."""
    found = re.fullmatch(r"\s*([<>]=?)?\s*([^<>]*?)(\+?)\s*", text)
    if not found:
        return "", text
    return found[1] or (">=" if found[3] else ""), found[2]


def _arithmetic(text: str) -> Printed | None:
    """`128x1x1x32 + 32x5x5x256`, worked out."""
    found = read_expression(re.sub("[x×]", " * ", text)) if re.fullmatch(r"[\d\s()+*x×-]{3,200}", text) else ""
    try:
        value = Evaluator(Scope(), None).value(found) if not isinstance(found, str) else None
    except Refused:
        return None
    return Printed(Fraction(value), Fraction(0)) if isinstance(value, int) else None


def _expression(text: str, span: Span) -> Expr:
    """An expression of quantities, in the language of specs."""
    found = read_expression(text)
    if isinstance(found, str):
        raise _Bad(Fault(f"cannot read the expression {quoted(text)}{found}", span))
    return found


# ---------------------------------------------------------------- judging


def judge(claim: Claim, find: Find, run: Run) -> Outcome:
    """What the engine finds, and whether the printed figure holds. Raises `SpecError` for a net or layer unknown."""
    if claim.waits:
        return Outcome(claim, None, "waits", claim.waits)
    if claim.each:
        return _judge_formula(claim, find)
    found = _worked_out(claim, find, run) if _is_worked_out(claim) else _computed(claim, find)
    computed = str(found) if isinstance(found, Rows) else found
    agreement = agrees(found, claim.printed, claim.kilo, claim.digits, claim.truncated or bool(claim.erratum))
    if not claim.erratum:
        return Outcome(claim, computed, agreement or "fails", claim.note)
    if agreement:
        return Outcome(claim, computed, "fails", "recorded as an erratum, but the engine agrees with it")
    if not agrees(found, claim.right, claim.kilo):
        return Outcome(claim, computed, "fails", f"an erratum, but {claim.right}, said to be right, is not found")
    return Outcome(claim, computed, "erratum", claim.erratum)


def agrees(computed: Any, printed: str, kilo: int = 1000, digits: int = 0, truncated: bool = False) -> str:
    """`holds` exactly, `rounds` to the printed digits, `truncates` to them where that is allowed, or empty.

    >>> agrees(802_816, "800K"), agrees(802_816, "800K", digits=2), agrees(60_965_224, "60M", truncated=True)
    ('', 'rounds', 'truncates')
    >>> agrees(208_896, "128x1x1x32 + 32x5x5x256"), agrees(23_834_568, "<25M"), agrees(1202, "1000+")
    ('holds', 'holds', 'holds')
    """
    if isinstance(computed, Rows):
        return _all_agree(computed, _words(printed), truncated)
    relation, text = _bound(printed)
    figure = _figure(text, kilo)
    if figure is None:
        return ""
    if isinstance(computed, Volume):
        sizes = (1, 1, int(figure.value)) if isinstance(figure, Printed) else figure
        own = (computed.h, computed.w, computed.c)
        return "holds" if sizes in (own, own[:2]) else ""
    if isinstance(computed, tuple):  # a window, the shape of weights
        sides: tuple[Any, ...] = (figure.value,) * len(computed) if isinstance(figure, Printed) else figure
        return "holds" if sides == computed else ""
    if not isinstance(figure, Printed):  # `128x5x5x256` of a number is a product
        figure = Printed(Fraction(math.prod(figure)), Fraction(0))
    if relation:
        return "holds" if BOUNDS[relation](computed, figure.value) else ""
    if figure.value == computed:
        return "holds"
    if digits:
        figure = figure.with_digits(digits)
    if figure.rounds_from(computed):
        return "rounds"
    return "truncates" if truncated and figure.truncates_from(computed) else ""


def _all_agree(computed: Rows, printed: list[list[str]], truncated: bool) -> str:
    """As `agrees`, of each number: the least that is true of all."""
    if [len(row) for row in computed.rows] != [len(row) for row in printed]:
        return ""
    pairs = zip(chain(*computed.rows), chain(*printed), strict=True)
    found = [agrees(value, word, truncated=truncated) for value, word in pairs]
    return "" if "" in found else max(found, key=STATUSES.index)


def _computed(claim: Claim, find: Find) -> Any:
    value = _value(claim, claim.compute, find, claim.arch, claim.layer)
    if claim.than is not None or claim.than_layer is not None:
        return _ratio(claim, value, _value(claim, claim.compute, find, claim.than or claim.arch, claim.than_layer))
    if claim.per:
        return _ratio(claim, value, _value(claim, claim.per, find, claim.arch, claim.layer))
    return value


def _ratio(claim: Claim, value: Any, other: Any) -> Fraction:
    if isinstance(value, tuple) or isinstance(other, tuple) or other == 0:
        raise SpecError([Fault(f"cannot divide {value} by {other}", claim.span)])
    return Fraction(value, other)


def _value(claim: Claim, text: str, find: Find, arch: str, layer: str | None, letters: Figures | None = None) -> Any:
    """An expression of quantities of a net, or of a part of it, worked out."""
    expr = _expression(text, claim.span)
    figures = dict(letters or {})
    wanted = [name for name in names_in(expr) if name not in figures]
    if wanted:
        figures |= _figures(claim, find, arch, layer, wanted)
    if letters is not None or not isinstance(expr, Name):  # a window 3x3 counts as 3
        figures = {
            name: figure[0] if isinstance(figure, tuple) and len(set(figure)) == 1 else figure
            for name, figure in figures.items()
        }
    try:
        value = Evaluator(Scope(names=figures), None).value(expr)
    except Refused as refused:
        raise SpecError([Fault(refused.fault.message, claim.span, help=refused.fault.help)]) from None
    except Unknown:
        raise SpecError([Fault(f"cannot work out {quoted(text)}", claim.span)]) from None
    if not isinstance(value, (int, Fraction, tuple)):
        help = 'give its size in numbers: `input = "224x224x3"`'
        raise SpecError([Fault(f"{quoted(text)} of `{arch}` is {value}", claim.span, help=help)])
    return value


def _figures(claim: Claim, find: Find, arch: str, layer: str | None, wanted: list[str]) -> Figures:
    """The quantities that are wanted, by name."""
    if not arch:
        lacks = "is not a letter of the formula" if claim.each else "is a quantity of a net, but the row names none"
        raise SpecError([Fault(f"{quoted(wanted[0])} {lacks}", claim.span)])
    part = _part(claim, find, arch, layer)
    figures = {name: quantity(part, name) for name in wanted}
    for name, figure in figures.items():
        if figure is None:
            help = did_you_mean(name, known_quantities()) or f"there are {', '.join(known_quantities())}"
            raise SpecError([Fault(f"unknown quantity {quoted(name)}", claim.span, help=help)])
    return figures


def _part(claim: Claim, find: Find, arch: str, layer: str | None) -> Part:
    """The net, or the part of it, that a claim is about."""
    report = find(arch, claim.input)
    try:
        return part_of(report, layer)
    except NoLayer as missing:
        help = did_you_mean(missing.name, report.graph.volumes)
        raise SpecError([Fault(f"`{arch}` has no layer {quoted(missing.name)}", claim.span, help=help)]) from None


def _worked_out(claim: Claim, find: Find, run: Run) -> Rows:
    """The numbers that a net makes of those that are given."""
    return run(_part(claim, find, claim.arch, claim.layer), claim.image, claim.filter)


def _judge_formula(claim: Claim, find: Find) -> Outcome:
    """A printed formula against the engine, for every value of its letters.

    `arch` is a text with `{letters}`; `equals` is what the formula must come to. An erratum must be wrong somewhere,
    and its right formula nowhere.
    """
    wrong = _first_miss(claim, claim.compute, find)
    shown = f"{claim.printed} = {claim.equals}"
    if wrong and not claim.erratum:
        return Outcome(claim, wrong, "fails", wrong)
    if not claim.erratum:
        return Outcome(claim, shown, "holds", claim.note)
    if not wrong:
        return Outcome(claim, shown, "fails", "recorded as an erratum, but the engine agrees with it")
    still = _first_miss(claim, claim.right, find)
    if still:
        return Outcome(claim, still, "fails", f"an erratum, but what is said to be right fails too: {still}")
    return Outcome(claim, wrong, "erratum", claim.erratum)


def _first_miss(claim: Claim, formula: str, find: Find) -> str:
    """The first case in which a formula differs from the engine, in words; empty if there is none."""
    tried = 0
    no_net: SpecError | None = None
    for case in _cases(claim):
        arch = re.sub(r"\{(\w+)\}", lambda found, case=case: str(case.get(found[1], found[0])), claim.arch)  # type: ignore[misc]
        try:
            if arch:
                find(arch, claim.input)
        except SpecError as error:  # the formula claims nothing of it: a window larger than its input
            no_net = error
            continue
        tried += 1
        found = _value(claim, claim.equals, find, arch, claim.layer, case)
        said = _value(claim, formula, find, "", None, case)
        if said != found:
            shown = ", ".join(f"{letter} = {value}" for letter, value in case.items())
            return f"{shown}: {said} by the formula, {found} by the engine"
    if not tried and no_net is not None:
        raise no_net
    if not tried:
        raise SpecError([Fault("the formula is tried on no case", claim.span)])
    return ""


def _cases(claim: Claim) -> Iterator[Figures]:
    """The values of the letters that the formula speaks of."""
    letters = [letter for letter, _ in claim.each]
    for cases, values in enumerate(product(*(values for _, values in claim.each))):
        if cases == MOST_CASES:
            raise SpecError([Fault(f"a formula is tried on at most {MOST_CASES:,} cases", claim.span)])
        case: Figures = dict(zip(letters, values, strict=True))
        if not claim.where or _value(claim, claim.where, _no_net, "", None, case):
            yield case


def _no_net(arch: str, size: str | None) -> Report:
    raise AssertionError("a formula of letters asks for no net")
