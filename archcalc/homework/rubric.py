"""Rubrics: what a cell is worth, what is accepted, and what a known mistake still earns, as a file of TOML.

    digits = 3

    [points]
    size = 2
    conv1.params = 3
    total.macs = 5

    [accept]
    biases = "either"
    megabytes = "MiB"

    [partial]
    "bias forgotten" = 0.5
    carried = 1

`docs/homework.md` is the reference.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.quantities import NoLayer, part_of
from archcalc.analyses.rules import find_rule
from archcalc.homework.answers import QUANTITIES, Answer
from archcalc.homework.mistakes import catalogue
from archcalc.homework.mistakes.drafts import SIDES
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.source import Source, Span
from archcalc.lang.tomlfiles import key_span, read_toml
from archcalc.units import BYTES_PER_VALUE

TOTAL = "total"  # how a rubric calls the whole net
DEFAULT_POINTS, CARRIED, ANY_MISTAKE = "default", "carried", "mistake"
MOST_POINTS = 10**6
MOST_IMAGES = 10**9
MOST_DIGITS = 30
CHOICES = {  # what one word is chosen for
    "biases": ("with", "without", "either"),
    "megabytes": ("MB", "MiB", "either"),
    "order": ("hwc", "either"),
    "dtype": (*BYTES_PER_VALUE,),
}
LISTS = {  # what one word or several are chosen for
    "flops": ("all", "2macs", "macs"),
    "memory": ("values", "bytes"),
    "rounding": ("rounded", "truncated"),
    "columns": QUANTITIES,
}
MOST_JOINED = 6  # parts of the name of two mistakes, which may have an `and` of their own
NEVER_EMPTY = ("flops", "memory")  # no `rounding` is exactness, no `columns` are those that are answered
NUMBERS = {"digits": (1, MOST_DIGITS), "batch": (1, MOST_IMAGES)}
OTHERS = ("zeros", "missing", "rule", "layers")
SETTINGS = (*CHOICES, *LISTS, *NUMBERS, *OTHERS)  # above the tables, or in `[accept]`
TABLES = ("points", "accept", "partial")

NOT_ACCEPTED = {  # what is said of a figure that only another convention than the accepted ones makes right
    **{"with": "biases counted", "without": "bias forgotten"},
    **{"all": "every operation counted", "2macs": "only 2 a multiply-add", "macs": "MACs for FLOPs"},
    **{"values": "values for bytes", "bytes": "bytes for values", "MiB": "MB for MiB"},
    **{"depth first": "depth first", "rounded": "rounded"},
}
TOO_FEW_DIGITS = "too few digits"


class Worth(NamedTuple):
    """What some cells are worth: those of a layer, of a quantity, or of both; an empty word stands for any."""

    layer: str
    quantity: str
    points: Fraction
    span: Span | None = None

    def fits(self, layer: str, quantity: str) -> bool:
        """Whether it speaks of a cell."""
        return self.layer in ("", layer) and self.quantity in ("", quantity)


class Rubric(NamedTuple):
    """How answers are marked. Points and shares are exact."""

    worth: tuple[Worth, ...] = ()  # the most special decides
    default: Fraction = Fraction(1)  # points of any other cell
    partial: Mapping[str, Fraction] = MappingProxyType({})  # the share of a cell's points that a mistake leaves
    mistake: Fraction = Fraction(0)  # … any other recognised one
    carried: Fraction = Fraction(1)  # … an error carried forward
    missing: Fraction = Fraction(0)  # points of a blank cell
    biases: str = "with"  # among the parameters: with, without, either
    flops: tuple[str, ...] = ()  # all, 2macs, macs; none said: all or 2macs, and by another rule what that counts
    megabytes: str = "MB"  # what an MB is: 10**6 bytes, 2**20 (MiB), either; KB and GB alike
    memory: tuple[str, ...] = ("values", "bytes")
    rounding: tuple[str, ...] = ("rounded",)
    zeros: bool = False  # whether zeros at the end of a number may stand for rounding: 35000
    digits: int = 1  # significant digits that a rounded figure has at least
    order: str = "hwc"  # of a size; either: also with the depth first
    dtype: str = "float32"
    batch: int = 1  # images that memory and operations are for
    rule: str = ""  # of counting; empty is ours
    columns: tuple[str, ...] = ()  # quantities that are asked; none said: those that are answered
    layers: tuple[str, ...] = ()  # … and layers
    spans: Mapping[str, Span] = MappingProxyType({})  # where settings stand
    source: Source | None = None

    @property
    def bytes_per_value(self) -> int:
        """Bytes that a value takes."""
        return BYTES_PER_VALUE[self.dtype]

    def points(self, answer: Answer) -> Fraction:
        """What a cell is worth: by layer and quantity, else by layer, else by quantity; a side is a third of a size."""
        own = self._worth(answer, answer.quantity)
        if answer.quantity in SIDES and not (own and own.quantity):
            size = self._worth(answer, "size")
            if size and size.quantity:
                return size.points * len(SIDES[answer.quantity]) / len(SIDES["size"])
        return own.points if own else self.default

    def _worth(self, answer: Answer, quantity: str) -> Worth | None:
        """The line that speaks of a quantity of a layer most specially."""
        fitting = [each for each in self.worth if each.fits(answer.layer or TOTAL, quantity)]
        return max(fitting, key=lambda each: (bool(each.layer), bool(each.quantity)), default=None)

    def share(self, mistake: str) -> Fraction:
        """The share of a cell's points that a mistake leaves."""
        return self.partial.get(mistake, self.mistake)

    def asks(self, answer: Answer) -> bool:
        """Whether a cell is asked."""
        layer_asked = not self.layers or (answer.layer or TOTAL) in self.layers
        asked = {answer.quantity, *(("size",) if answer.quantity in SIDES else ())}
        return layer_asked and (not self.columns or bool(asked & {*self.columns}))


DEFAULT = Rubric()


def refuse_strangers(rubric: Rubric, report: Report) -> None:
    """Raises `SpecError` with all layers of which a rubric speaks and that a net does not have."""
    faults = []
    spoken = [(each.layer, each.span) for each in rubric.worth if each.layer]
    for name, span in (*spoken, *((layer, rubric.spans.get("layers")) for layer in rubric.layers)):
        if name == TOTAL:
            continue
        try:
            part_of(report, name)
        except NoLayer:
            known = (TOTAL, *report.graph.volumes, *(row.name for row in report.rows))
            help = did_you_mean(name, (*QUANTITIES, *known)) or "a cell is called `conv1.params`, a total `total.macs`"
            message = f"{quoted(name)} is neither a quantity nor a layer of {report.graph.name}"
            faults.append(Fault(message, span, help=help))
    if faults:
        raise SpecError(in_order(faults))


def read_rubric(source: Source) -> Rubric:
    """The rubric of a file. Raises `SpecError` with all faults of the file."""
    return _Reader(source).rubric()


class _Reader:
    """Reads a rubric; gathers its faults."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.faults: list[Fault] = []
        self.spans: dict[str, Span] = {}

    def rubric(self) -> Rubric:
        content = read_toml(self.source)
        tables = {name: self.table(name, content.pop(name, {})) for name in TABLES}
        settings = dict(self.settings(content, "")) | dict(self.settings(tables["accept"], "accept", content))
        worth = tuple(self.worth(tables["points"]))
        default = next((each.points for each in worth if not each.layer and not each.quantity), Fraction(1))
        shares = dict(self.shares(tables["partial"]))
        carried, mistake = shares.pop(CARRIED, Fraction(1)), shares.pop(ANY_MISTAKE, Fraction(0))
        if self.faults:
            raise SpecError(in_order(self.faults))
        named = tuple(each for each in worth if each.layer or each.quantity)
        partial, spans = MappingProxyType(shares), MappingProxyType(self.spans)
        return Rubric(named, default, partial, mistake, carried, **settings, spans=spans, source=self.source)

    def table(self, name: str, value: object) -> dict[str, Any]:
        if isinstance(value, dict):
            return value
        self.refuse(f"`{name}` has to be a table", self.span(name), f"write `[{name}]`, and its lines below")
        return {}

    # ------------------------------------------------ settings

    def settings(self, table: dict[str, Any], path: str, above: Mapping[str, Any] = MappingProxyType({})) -> Any:
        """Settings by name, as far as they are right."""
        for key, value in table.items():
            span = self.spans[key] = self.span(key, path)
            if key not in SETTINGS:
                help = did_you_mean(key, (*SETTINGS, *TABLES)) or f"there are {', '.join((*SETTINGS, *TABLES))}"
                self.refuse(f"unknown key {quoted(key)}", span, help)
            elif key in above:
                self.refuse(f"`{key}` is said twice", span)
            else:
                found = self.setting(key, value, span)
                if found is not None:
                    yield key, found

    def setting(self, key: str, value: Any, span: Span) -> Any:
        """The value of a setting; None where it is refused."""
        if key in CHOICES:
            return self.word(key, value, CHOICES[key], span)
        if key in LISTS:
            return self.words(key, value, LISTS[key], span)
        if key in NUMBERS:
            return self.whole(key, value, *NUMBERS[key], span)
        return _OTHERS[key](self, key, value, span)

    def word(self, key: str, value: object, known: tuple[str, ...], span: Span) -> str | None:
        if isinstance(value, str) and value in known:
            return value
        help = did_you_mean(str(value), known) or f"there are {', '.join(known)}"
        self.refuse(f"`{key}` cannot be {quoted(str(value))}", span, help)
        return None

    def words(self, key: str, value: object, known: tuple[str, ...], span: Span) -> tuple[str, ...] | None:
        given = value if isinstance(value, list) else [value]
        if not given and key in NEVER_EMPTY:
            self.refuse(f"`{key}` is empty", span, f"there are {', '.join(known)}")
            return None
        found = [self.word(key, each, known, span) for each in given]
        return None if None in found else tuple(dict.fromkeys(word for word in found if word))

    def whole(self, key: str, value: object, least: int, most: int, span: Span) -> int | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.refuse(f"`{key}` has to be a whole number from {least:,} to {most:,}", span)
        return None

    def flag(self, key: str, value: object, span: Span) -> bool | None:
        if isinstance(value, bool):
            return value
        self.refuse(f"`{key}` has to be true or false", span)
        return None

    def texts(self, key: str, value: object, span: Span) -> tuple[str, ...] | None:
        given = value if isinstance(value, list) else [value]
        if all(isinstance(each, str) and each for each in given):
            return tuple(dict.fromkeys(given))
        self.refuse(f"`{key}` has to be a list of names", span, f'such as `["conv1", "{TOTAL}"]`')
        return None

    def rule(self, key: str, value: object, span: Span) -> str | None:
        if not isinstance(value, str):
            self.refuse(f"`{key}` has to be the name of a counting rule", span, 'such as `"torchvision"`')
            return None
        try:
            find_rule(value, Path(self.source.name).parent)
        except SpecError as error:
            self.faults += [fault if fault.span else fault._replace(span=span) for fault in error.faults]
            return None
        return value

    # ------------------------------------------------ points

    def worth(self, table: dict[str, Any]) -> Iterator[Worth]:
        """What cells are worth, in the order of the file."""
        for names, value in _leaves(table):
            name = ".".join(names)
            span = self.span(name, "points")
            points = self.number(name, value, MOST_POINTS, span)
            if name == DEFAULT_POINTS:
                yield Worth("", "", points, span)
            elif names[-1] in QUANTITIES:
                yield Worth(".".join(names[:-1]), names[-1], points, span)
            else:
                yield Worth(name, "", points, span)

    def shares(self, table: dict[str, Any]) -> Iterator[tuple[str, Fraction]]:
        """Shares of a cell's points by the name of a mistake."""
        known = (*(kind.name for kind in catalogue()), *NOT_ACCEPTED.values(), TOO_FEW_DIGITS)
        patterns = {CARRIED, ANY_MISTAKE, *map(_without_sizes, known)}
        for key, value in table.items():
            span = self.span(key, "partial")
            if not _is_known(_without_sizes(key), patterns):
                help = did_you_mean(key, known) or "`docs/homework.md` lists the mistakes that are known"
                self.refuse(f"there is no mistake {quoted(key)}", span, help)
            else:
                yield key, self.number(key, value, 1, span)

    def number(self, key: str, value: object, most: int, span: Span) -> Fraction:
        """Points or a share: a number, or a fraction in quotes."""
        if isinstance(value, str) and re.fullmatch(r"\d{1,9}/[1-9]\d{0,8}", value):
            found = Fraction(value)
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            self.refuse(f"{quoted(key)} has to be a number", span, 'such as `2`, `0.5` or `"1/3"`')
            return Fraction(0)
        else:
            found = Fraction(repr(value)) if 0 <= value <= most else Fraction(-1)  # 0.1 is a tenth
        if not 0 <= found <= most:
            self.refuse(f"{quoted(key)} has to be from 0 to {most:,}, not {quoted(str(value))}", span)
        return found

    def blank(self, key: str, value: object, span: Span) -> Fraction:
        return self.number(key, value, MOST_POINTS, span)

    # ------------------------------------------------ places

    @property
    def top(self) -> Span:
        return Span(self.source, 0, len(self.source.line(1)))

    def refuse(self, message: str, span: Span, help: str = "") -> None:
        self.faults.append(Fault(message, span, help=help))

    def span(self, key: str, path: str = "") -> Span:
        """Where a key stands: below the header of its table, bare or in quotes; else where its last part does."""
        start, end = self.stretch(path)
        last = key.rpartition(".")[2]
        for written in (key, f'"{key}"', f"'{key}'", last, f'"{last}"'):
            found = key_span(self.source, written, start, end) or key_span(self.source, written, 0, end)
            if found:
                return found
        header = re.search(rf"^[ \t]*\[[ \t]*({re.escape(key)})[ \t]*\]", self.source.text, re.MULTILINE)
        inline = header or re.search(rf"(?<![\w.-])({re.escape(last)})[\"']?[ \t]*=", self.source.text)
        return Span(self.source, *inline.span(1)) if inline else self.top

    def stretch(self, path: str) -> tuple[int, int]:
        """From the header of a table to the next; or all above the first."""
        text = self.source.text
        headers = [*re.finditer(r"^[ \t]*\[[ \t]*([^\]\n]*?)[ \t]*\]", text, re.MULTILINE)]
        if not path:
            return 0, headers[0].start() if headers else len(text)
        own = [at for at, header in enumerate(headers) if header[1].partition(".")[0] == path]
        if not own:
            return 0, len(text)
        behind = headers[own[-1] + 1 : own[-1] + 2]
        return headers[own[0]].end(), behind[0].start() if behind else len(text)


_OTHERS: dict[str, Callable[[_Reader, str, Any, Span], Any]] = {
    "zeros": _Reader.flag,
    "missing": _Reader.blank,
    "rule": _Reader.rule,
    "layers": _Reader.texts,
}


def _without_sizes(name: str) -> str:
    """The name of a mistake with any size in place of its sizes: `input 224 for 227`, `input 227 for 224`."""
    return re.sub(r"\d{3,}", "#", name)


def _is_known(name: str, known: set[str]) -> bool:
    """Whether a name is known, or two joined by `and` are."""
    words = name.split(" and ")[:MOST_JOINED]
    pairs = ((" and ".join(words[:at]), " and ".join(words[at:])) for at in range(1, len(words)))
    return name in known or any(first in known and second in known for first, second in pairs)


def _leaves(table: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of a table and the tables in it, with the names that lead there, in the order of the file."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), table)]
    while waiting:
        names, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*names, *key.split(".")), inner) for key, inner in reversed(value.items())]
        else:
            yield names, value
