"""Which way of counting gives a printed figure: a rule, with what is left out or added, or doubled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain, combinations
from typing import NamedTuple

from archcalc.analyses.costs import Report, Row, size, sum_of
from archcalc.analyses.counting import Totals
from archcalc.analyses.rules import OURS, Rule
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.units import BINARY, BYTES, BYTES_PER_VALUE, DECIMAL, Printed, read_printed

WORDS = {  # what people call a figure, and the kind that it is
    "params": "params",
    "parameters": "params",
    "weights": "params",
    "macs": "cost",
    "flops": "cost",
    "ops": "cost",
    "cost": "cost",
    "maccs": "cost",
    "madds": "cost",
    "mult-adds": "cost",
    "multiply-adds": "cost",
    "gflops": "cost",
    "activations": "activations",
    "memory": "bytes",
    "bytes": "bytes",
}
UNNAMED = ("cost", "params", "activations")  # what a figure without a name may be; one in bytes is memory
KINDS = {  # the figures of rules, by kind
    "params": ("params", "buffers"),
    "cost": ("cost", "macs", "flops", "adds", "compares", "divs", "exps"),
    "activations": ("activations",),
    "bytes": ("bytes",),
}
USUAL = ("cost", "params", "bytes")
USUAL_TYPE = "float32"
MOST_TERMS = 2
MOST_IMAGES = 1024
FACTORS = {
    Fraction(2): "2 operations a multiply-add",
    Fraction(1, 2): "a multiply-add for 2 operations",
    Fraction(3): "forward and backward, the backward pass as two forward",
    Fraction(6): "2 operations a multiply-add, forward and backward",
}
IN_BINARY = {name: Fraction(BINARY[f"{name[0]}iB"], unit) for name, unit in BYTES.items() if len(name) == 2}
SCALES = ("G", "M", "K")  # what a heading says, and the figure below it does not: 4.11 under GFLOPs
SMALLEST, LARGEST = Fraction(1, 10**9), 10**30
_SCALES = "[KMGTB]|thousand|million|billion|bn|trillion"
_UNITS = "|".join(rf"{word.removesuffix('s')}s?" for word in WORDS if word not in ("memory", "bytes", "cost", "gflops"))
# How far an explanation is from just being a figure of a rule.
# Half of what has 2 operations a multiply-add is a multiply-add, which other rules give as it is.
_TERM, _FACTOR, _HALF, _TRUNCATED, _BATCH, _MISCALLED = 4, 3, 5, 2, 8, 1


class Asked(NamedTuple):
    """A printed figure, and what it is said to be: `params=25.6M`."""

    text: str
    printed: Printed
    kinds: tuple[str, ...]
    called: str = ""  # its unit, where people mean a binary one by it too: MB for MiB
    headed: bool = False  # no unit, and no whole number: the unit stands in a heading

    @property
    def readings(self) -> tuple[tuple[Printed, str], ...]:
        """What it may say, and the unit that it then miscalls, or leaves to a heading."""
        if self.headed:
            return tuple(
                (Printed(*(DECIMAL[each] * value for value in self.printed)), f", in {each}") for each in SCALES
            )
        if not self.called:
            return ((self.printed, ""),)
        larger = Printed(*(IN_BINARY[self.called] * value for value in self.printed))
        return (self.printed, ""), (larger, f", {self.called} for {self.called[0]}iB")

    @property
    def exact(self) -> bool:
        """Whether all its digits are there."""
        return self.printed.half_unit <= Fraction(1, 2) and not self.headed

    def ratio(self, value: int) -> Fraction:
        """How many times as much a value is, by the reading that comes nearest to it."""
        return min((value / printed.value for printed, _ in self.readings), key=lambda ratio: max(ratio, 1 / ratio))

    def agrees(self, value: Fraction | int) -> str:
        """`is`, `rounds to` or `is cut off to` the figure, and the unit that it miscalls; empty where it does not."""
        if self.exact:
            return "is" if value == self.printed.value else ""
        rounded = (f"rounds to{note}" for printed, note in self.readings if printed.rounds_from(value))
        cut = (f"is cut off to{note}" for printed, note in self.readings if printed.truncates_from(value))
        return next(chain(rounded, cut), "")


class Term(NamedTuple):
    """A known difference: what is added to a figure (or, below nought, left out of it), and what that is."""

    about: str
    value: int


class Base(NamedTuple):
    """A figure that rules give, all that give the same: each rule, with what it calls the figure."""

    kind: str
    by: tuple[tuple[str, str], ...]
    value: int
    usual: bool  # some print it as their cost, their parameters or their memory, and not only beside these


class Match(NamedTuple):
    """An explanation of a printed figure."""

    base: Base
    terms: tuple[Term, ...]
    factor: Fraction
    factor_about: str
    value: Fraction
    agreement: str

    @property
    def weight(self) -> int:
        """How much it takes to believe; less is better."""
        usual = _HALF if self.factor == Fraction(1, 2) else _FACTOR
        factor = 0 if self.factor == 1 else usual if self.factor in FACTORS else _BATCH
        truncated = _TRUNCATED * self.agreement.startswith("is cut off to") + _MISCALLED * (", " in self.agreement)
        mixed = len({term.value > 0 for term in self.terms}) == 2
        return _TERM * len(self.terms) + mixed + factor + truncated + (not self.base.usual)


# ---------------------------------------------------------------- reading


def read_asked(text: str) -> tuple[Asked, ...]:
    """The figures of a text: `4.13G`, `25636712`, `4.1G params=25.6M`, `4.13 GFLOPs`. Raises `SpecError`."""
    words = re.sub(r"\s*=\s*", "=", text).split()
    joined: list[str] = []
    for word in words:  # `4.1 G` is one figure, and `25.6M params`
        if (
            joined
            and re.fullmatch(r"[A-Za-z]+(-[A-Za-z]+)*", word)
            and re.search(rf"\d({_SCALES})?$", joined[-1], re.IGNORECASE)
        ):
            joined[-1] += word
        else:
            joined.append(word)
    if not joined:
        raise SpecError([Fault("no figure is given", help='such as `"4.13G"`, `25636712` or `"params=25.6M"`')])
    return tuple(map(_asked, joined))


def _asked(word: str) -> Asked:
    name, _, figure = word.rpartition("=")
    if name and name.lower() not in WORDS:
        help = did_you_mean(name, WORDS) or f"there are {', '.join(WORDS)}"
        raise SpecError([Fault(f"unknown figure {quoted(name)}", help=help)])
    found = re.fullmatch(rf"(.*?\d)\s*((?:{_SCALES})?)({_UNITS})?", figure, re.IGNORECASE)
    said = f"{(found[3].lower().rstrip('s'))}s" if found and found[3] else ""
    try:
        printed = read_printed(f"{found[1]}{found[2]}" if found else figure)
    except ValueError:
        help = 'write it as it is printed: `4.13G`, `25,636,712`, `"params=25.6M"`'
        raise SpecError([Fault(f"cannot read {quoted(figure)} as a figure", help=help)]) from None
    if not SMALLEST <= printed.value <= LARGEST or figure.endswith("%"):
        help = "a figure is more than 0, at most 10^30, and no share"
        raise SpecError([Fault(f"cannot look for {quoted(figure)}", help=help)])
    unit = re.search(r"[A-Za-z]*$", figure)
    assert unit
    if unit[0] in (BINARY | BYTES).keys() - {"B"}:
        return Asked(word, printed, ("bytes",), unit[0] if unit[0] in IN_BINARY else "")
    kinds = (WORDS[name.lower() or said],) if name or said else UNNAMED
    asked = Asked(word, printed, kinds, headed=printed.value.denominator != 1)
    return asked._replace(kinds=(*UNNAMED, "bytes")) if asked.exact and asked.kinds == UNNAMED else asked


# ---------------------------------------------------------------- searching


class Candidates:
    """What rules make of a net, and the differences that are known of it."""

    def __init__(self, report: Report, rules: Iterable[Rule], kinds: Iterable[str]) -> None:
        self.report = report
        totals = Totals(report)
        self.bases = {kind: _bases(report, totals, tuple(rules), kind) for kind in kinds}

    def matches(self, asked: Asked, deep: bool = True) -> list[Match]:
        """The explanations of a figure, the simplest first; without `deep` only figures of rules, as they are."""
        found: dict[tuple[object, ...], Match] = {}
        for kind in asked.kinds:
            terms = _terms(self.report, kind) if deep else ()
            for base in self.bases[kind]:
                for match in _explained(base, terms, asked, deep):
                    key = (match.base, frozenset(match.terms), match.factor)
                    found.setdefault(key, match)
        best = sorted(found.values(), key=lambda match: match.weight)
        return _without_more_of_the_same(best, asked)

    def nearest(self, asked: Asked) -> list[Base]:
        """The figures of rules that come nearest."""
        bases = [base for kind in asked.kinds for base in self.bases[kind] if base.value]
        ratios = {base: asked.ratio(base.value) for base in bases}
        return sorted(bases, key=lambda base: max(ratios[base], 1 / ratios[base]))[:3]


def _bases(report: Report, totals: Totals, rules: tuple[Rule, ...], kind: str) -> tuple[Base, ...]:
    """The figures of rules, equal ones together."""
    found: dict[int, dict[tuple[str, str], bool]] = {}
    for rule in rules:
        for name in KINDS[kind]:
            value = totals.total(rule, name)
            if isinstance(value, int) and value:
                usual = name in USUAL
                found.setdefault(value, {})[rule.name, rule.figures[name].unit if usual else name] = usual
    bases = [Base(kind, tuple(by), value, any(by.values())) for value, by in found.items()]
    return (*bases, *_beside_rules(report, kind))


def _beside_rules(report: Report, kind: str) -> Iterator[Base]:
    """Figures that no rule has: activations with the input of every conv and fc, and memory in each type of numbers."""
    totals = report.total()
    if kind == "activations" and isinstance(totals.with_inputs, int) and totals.with_inputs:
        yield Base(kind, ((OURS, "with_inputs"),), totals.with_inputs, usual=False)
    if kind != "bytes":
        return
    held = {name: getattr(totals, name) for name in ("params", "activations", "with_inputs")}
    if totals.buffers != 0:
        held["params and buffers"] = totals.params + totals.buffers
    for what, value in held.items():
        for dtype, each in BYTES_PER_VALUE.items():
            if isinstance(value, int) and value and dtype != "bfloat16":
                yield Base(kind, ((OURS, f"{what} in {dtype}"),), value * each, usual=dtype == USUAL_TYPE)


def _explained(base: Base, terms: tuple[Term, ...], asked: Asked, deep: bool) -> Iterator[Match]:
    most = MOST_TERMS if asked.exact else 1
    factors = {Fraction(1): "", **(FACTORS if deep and base.kind == "cost" else {})}
    for number in range(most + 1 if deep else 1):
        for chosen in combinations(terms, number):
            value = base.value + sum(term.value for term in chosen)
            if 2 * value == base.value:  # as the factor says it
                continue
            for factor, about in factors.items():
                if factor != 1 and (number > 1 or (number and not asked.exact)):
                    continue
                agreement = asked.agrees(factor * value) if value > 0 else ""
                if agreement:
                    yield Match(base, chosen, factor, about, factor * value, agreement)
    images = asked.printed.value / base.value
    whole = asked.exact and images.denominator == 1 and 1 < images <= MOST_IMAGES
    if deep and whole and base.kind != "params" and images not in factors:
        yield Match(base, (), images, f"a batch of {images}", asked.printed.value, "is")


def _without_more_of_the_same(matches: list[Match], asked: Asked) -> list[Match]:
    """Leaves out what is much harder to believe than the simplest, and what only adds to one that is there.

    A count is not told again as memory of one byte a value.
    With a rounded figure many sums agree: there nothing is kept beside what is a figure of a rule.
    """
    kept: list[Match] = []
    for match in matches:
        simpler = [each for each in kept if each.base == match.base and each.weight < match.weight]
        longer = any(set(each.terms) <= set(match.terms) for each in simpler)
        far = kept and match.weight > kept[0].weight + (_TERM if asked.exact else _TRUNCATED)
        counted = {each.base.value for each in kept if each.base.kind != "bytes"}
        again = match.base.kind == "bytes" and match.base.value in counted
        if not longer and not far and not again:
            kept.append(match)
    return kept


# ---------------------------------------------------------------- known differences


def _terms(report: Report, kind: str) -> tuple[Term, ...]:
    """What is known to be left out or added by some."""
    terms = [*_parameter_terms(report), *_last(report, "params")] if kind == "params" else []
    terms += [*_cost_terms(report), *_last(report, "macs")] if kind == "cost" else []
    once: dict[int, Term] = {}
    for term in terms:
        if term.value:
            once.setdefault(term.value, term)
    return tuple(once.values())


def _parameter_terms(report: Report) -> Iterator[Term]:
    rows = report.rows
    yield from _by_type(rows, lambda row: row.cost.buffers, "buffers of {}: mean and variance")
    yield from _by_type(rows, lambda row: int(row.cost.buffers != 0), "counters of {}, one a layer")
    yield from _by_type(rows, _missing_biases, "biases of {} that the net does not have")
    yield from _by_type(rows, lambda row: -_whole(row.cost.biases), "biases of {} left out")
    yield from _by_type(rows, lambda row: -_whole(row.cost.weights + row.cost.biases), "{} left out")


def _cost_terms(report: Report) -> Iterator[Term]:
    """Operations that some count beside multiply-adds."""
    rows = report.rows
    biased = [row for row in rows if row.cost.biases != 0 and row.cost.work.macs != 0]
    yield from _by_type(biased, lambda row: row.output.values, "biases of {}, 1 an output")
    free = [row for row in rows if row.inputs and row.cost.work.macs == 0]
    yield from _by_type(free, lambda row: row.cost.weights + row.cost.biases, "parameters of {}, 1 each")
    yield from _by_type(free, lambda row: row.output.values, "{}, 1 an output")
    yield from _by_type(free, lambda row: 2 * row.output.values, "{}, 2 an output")
    yield from _by_type(free, lambda row: sum_of(x.values for x in row.inputs), "{}, 1 an input")
    working = [row for row in rows if row.cost.work.macs != 0]
    yield from _by_type(working, lambda row: -_whole(row.cost.work.macs), "{} left out")


def _last(report: Report, figure: str) -> Iterator[Term]:
    """The last layer with parameters: some tables leave the classifier out."""
    weighted = [row for row in report.rows if row.cost.weights != 0 and row.cost.work.macs != 0]
    if weighted:
        yield Term(f"`{weighted[-1].name}`, the last layer, left out", -_whole(getattr(weighted[-1].cost, figure)))


def _by_type(rows: Iterable[Row], value: Callable[[Row], object], about: str) -> Iterator[Term]:
    """A term for each layer type."""
    sums: dict[str, int] = {}
    for row in rows:
        type_ = row.node.op.type
        sums[type_] = sums.get(type_, 0) + _whole(value(row))
    yield from (Term(about.format(type_), total) for type_, total in sums.items())


def _missing_biases(row: Row) -> int:
    """Biases that a layer would have if it were not told `nobias`."""
    op = row.node.op
    if row.node.share is not None or "bias" not in op.fields or op.bias:  # type: ignore[attr-defined]
        return 0
    shapes, own = op.replace(bias=True).weights(*row.inputs), op.weights(*row.inputs)
    return _whole(sum_of(size(shape) for name, shape in shapes.items() if name not in own))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
