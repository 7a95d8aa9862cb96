"""Answers to questions that are no table to fill in: any that solves is right."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from archcalc.homework.answers import Figure
from archcalc.homework.exercises.keys import answer_of, causes, wrong_cell
from archcalc.homework.exercises.questions import COLUMNS, TOTAL, Cell, Question
from archcalc.homework.exercises.tables import figures_of, is_right
from archcalc.lang.errors import SpecError, quoted
from archcalc.solving import Question as Sought
from archcalc.solving.conditions import SizeCondition, Trial, total
from archcalc.solving.unknowns import Unknown
from archcalc.volume import Volume

MOST_VALUES = 100  # that one answer may name
LARGEST = 10**9
LONGEST = 200  # characters of an answer
SAID = "as said"  # how `solve` calls bounds that the question gives
_RANGE = re.compile(r"(\d+)\s*(?:\.{2,3}|…|–|-|to|bis|<=\s*[A-Za-z]\w*\s*<=)\s*(\d+)")
_PAIR = re.compile(  # one size, not several: `(31, 31, 3)`, `H = 31, W = 35`
    r"\(\s*(\d{1,9})\s*,\s*(\d{1,9})\s*(?:,\s*\d{1,9}\s*)?\)|H\s*=\s*(\d{1,9})\W+W\s*=\s*(\d{1,9})", re.IGNORECASE
)
_BESIDE = re.compile(r"[{}]|\b(?:px|pixels?|cells)\b", re.IGNORECASE)  # what may stand beside a size
_NAMED = re.compile(r"([A-Za-z]\w*)(?:\s+(?:size|is|of))*\s*[=:]?\s*(\d{1,10})(?!\w)")
_SQUARE = re.compile(r"\b(\d+)\s*[xX×]\s*\1\b")
_SIZE = re.compile(r"\(\s*\d+(?:\s*,\s*\d+){1,2}\s*\)|\d+(?:\s*[xX×*]\s*\d+){1,2}")
_NUMBER = re.compile(r"\d(?:[\d,.'_]*\d)?(?:\s\d{3}\b)*(?:\s?[kKMG]\b)?")
_FILLING = re.compile(
    r"(?:\b(?:is|are|was|should|be|the|right|correct|wrong|instead|not|of|in|place)\b|[\W\d_])*", re.IGNORECASE
)


class Verdict(NamedTuple):
    """Whether an answer is right, and why not."""

    right: bool
    note: str = ""


def judge(question: Question, text: str) -> Verdict:
    """An answer to a question backwards, in the words of a student. Raises `ValueError` for what cannot be read."""
    if len(text) > LONGEST:
        raise ValueError(f"{len(text):,} characters are too many for an answer")
    sought = question.sought
    if question.kind == "input":
        verdicts = [_of_input(sought, size) for size in _sizes(text)]
    else:
        verdicts = [_of_values(sought, _values(sought, text))]
    return next((each for each in verdicts if not each.right), verdicts[0])


# ---------------------------------------------------------------- which input


def _sizes(text: str) -> list[tuple[int, int]]:
    """Heights and widths: `29`, `29x29x3`, `H = 29`, `29 to 32`, `29, 30`, `29 <= H <= 32`."""
    plain = _BESIDE.sub("", re.sub("[×*]", "x", text).replace("≤", "<=").replace("∈", "=").strip(" .;"))
    pair = _PAIR.fullmatch(plain)
    if pair:
        return [(int(pair[1] or pair[3]), int(pair[2] or pair[4]))]
    found = _RANGE.search(plain)
    if found:
        least, most = int(found[1]), int(found[2])
        if not least <= most < least + MOST_VALUES:
            raise ValueError(f"{quoted(text)} is no range of at most {MOST_VALUES} sizes")
        return [(n, n) for n in range(least, most + 1)]
    sizes = []
    for part in re.split(r"[,;]|\b(?:or|and|oder|und|ou|et)\b", plain):
        numbers = [int(n) for n in re.findall(r"\d{1,10}", part)]
        if not 1 <= len(numbers) <= 3 or not re.fullmatch(r"[\sA-Za-z=()]*\d[\d\sxX=HWCL()]*", part):
            raise ValueError(f"{quoted(text.strip())} is no input: write one such as `29` or `29x29`")
        sizes.append((numbers[0], numbers[1] if len(numbers) > 1 else numbers[0]))
    if len(sizes) > MOST_VALUES or any(n > LARGEST for size in sizes for n in size):
        raise ValueError(f"{quoted(text)} is too much for an answer")
    return sizes


def _of_input(sought: Sought, size: tuple[int, int]) -> Verdict:
    height, width = size
    for unknown in sought.unknowns:
        beyond = [n for n in size if unknown.bound == SAID and not unknown.least <= n <= unknown.most]
        if beyond:
            return Verdict(False, f"{beyond[0]:,} is not from {unknown.least:,} to {unknown.most:,}")
    depth = sought.own_input.size.parts[-1] if sought.own_input else None  # type: ignore[attr-defined]  # of three
    try:
        trial = Trial(sought.net.build(f"{height}x{width}x{getattr(depth, 'text', 3)}"))
    except SpecError as error:
        return Verdict(False, f"on {height:,}x{width:,} there is no such net: {error.faults[0].message}")
    return _verdict(sought, trial, f"{height:,}x{width:,}")


# ---------------------------------------------------------------- which arguments


def _values(sought: Sought, text: str) -> dict[str, int]:
    """A number for each unknown: `f = 5, s = 2`, `kernel 5 stride 2`, or the numbers in order, `5, 2`."""
    plain = _SQUARE.sub(r"\1", text.replace("?", ""))
    words = [
        (unknown.name, int(n))
        for unknown in sought.unknowns
        for word, n in _NAMED.findall(plain)
        if _is_called(unknown, word)
    ]
    named = dict(words)
    if any(named[name] != n for name, n in words):
        raise ValueError(f"{quoted(text.strip())} says two numbers for one")
    numbers = [int(n) for n in re.findall(r"\d{1,10}", plain)]
    if named.keys() != {unknown.name for unknown in sought.unknowns}:
        if len(numbers) != len(sought.unknowns) or named:
            names = ", ".join(f"`{unknown.name.removeprefix('?')} = …`" for unknown in sought.unknowns)
            raise ValueError(f"{quoted(text.strip())} does not say {names}")
        named = dict(zip((unknown.name for unknown in sought.unknowns), numbers, strict=True))
    if any(n > LARGEST for n in named.values()):
        raise ValueError(f"{quoted(text)} is too large")
    return named


def _is_called(unknown: Unknown, word: str) -> bool:
    """Whether a word names an unknown: as in the net, or as the argument that it is, perhaps shortened: `pad`."""
    return word.lower() == unknown.name.removeprefix("?").lower() or unknown.kind.startswith(word.lower())


def _of_values(sought: Sought, values: dict[str, int]) -> Verdict:
    told = ", ".join(f"{name.removeprefix('?')} = {n:,}" for name, n in values.items())
    for unknown in sought.unknowns:
        n = values[unknown.name]
        if unknown.bound == SAID and not unknown.least <= n <= unknown.most:
            name = unknown.name.removeprefix("?")
            return Verdict(False, f"{name} = {n:,} is not from {unknown.least:,} to {unknown.most:,}")
    try:
        trial = Trial(sought.net.attempt(sought.size, values))
    except SpecError as error:
        return Verdict(False, f"with {told} there is no such net: {error.faults[0].message}")
    return _verdict(sought, trial, told)


def _verdict(sought: Sought, trial: Trial, told: str) -> Verdict:
    """Whether a net is as it is wanted; else what is found in place of it."""
    gaps = [(condition, condition.gap(trial)) for condition in sought.conditions]
    if total([gap for _, gap in gaps]).low == 0:
        return Verdict(True)
    return Verdict(False, f"{told} gives {' and '.join(_found(each, trial) for each, gap in gaps if gap.low)}")


def _found(condition: Any, trial: Trial) -> str:
    found = condition.found(trial)
    if isinstance(condition, SizeCondition):
        wanted = [n for n in condition.wanted(trial) if n is not None]
        return f"{'x'.join(map(str, found[: len(wanted)]))}, not {'x'.join(map(str, wanted))}"
    if condition.title == "dropped":
        return f"{found:,} rows and columns that are never seen"
    return f"{found:,} {condition.title}" if isinstance(found, int) else f"{condition.title} {found}"


# ---------------------------------------------------------------- which figure is wrong


class Claim(NamedTuple):
    """What somebody says of a table: which figure is wrong, what is right, how it came about."""

    cell: Cell | None
    figures: tuple[Figure, ...]
    mistake: str = ""


def judge_claim(question: Question, claim: Claim) -> tuple[Verdict, Verdict]:
    """Of which figure is wrong, and of what is right in its place; the mistake is told with the second."""
    given = wrong_cell(question)
    if claim.cell != given.cell:
        return Verdict(False, _not_wrong(question, claim.cell)), Verdict(False, "")
    right = is_right(claim.figures, question.right(given.cell))
    return Verdict(True), Verdict(right, _of_mistake(question, claim.mistake) if right else "")


def _not_wrong(question: Question, cell: Cell | None) -> str:
    if cell is None:
        return "no figure of the table is named"
    if cell not in [given.cell for given in question.table]:
        return f"{cell.layer or TOTAL} has no {COLUMNS.get(cell.quantity, cell.quantity)} in the table"
    return f"{cell.layer or TOTAL}, {COLUMNS[cell.quantity]}: that figure is right"


def _of_mistake(question: Question, said: str) -> str:
    """What is to be said of the mistake that somebody names."""
    if not said.strip(" -?"):
        return ""
    names = [each.name for each in causes(question)]
    alike = any(_bare(said) == _bare(name) or _bare(name) in _bare(said) for name in names)
    return f"and the mistake: {said.strip()}" if alike else f"but the mistake is rather: {names[0]}" if names else ""


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def read_claim(question: Question, text: str) -> Claim:
    """A claim in words: `conv2 params 34,944, bias forgotten`. Raises `ValueError` for what cannot be read."""
    if len(text) > LONGEST:
        raise ValueError(f"{len(text):,} characters are too many for an answer")
    layer = _first(text, {given.cell.layer or TOTAL: (given.cell.layer or TOTAL,) for given in question.table})
    column = _first(text, {name: _words(name) for name in question.columns})
    named = [each for each in (layer, column) if each]
    rest = "".join(" " if any(each.start <= at < each.end for each in named) else char for at, char in enumerate(text))
    if column is None and "size" in question.columns and _SIZE.search(rest):
        column = _Found(0, 0, "size")
    if layer is None or column is None:
        raise ValueError(f"{quoted(text.strip())} names no figure of the table: write such as `conv1 params 34,944`")
    cell = Cell(None if layer.word == TOTAL else layer.word, column.word)
    found = _figure(question, cell, rest)
    if not found:
        return Claim(cell, (), _said(rest[max(layer.end, column.end) :]))
    return Claim(cell, figures_of(found[0], cell.quantity), _said(rest[found.end() :]))


def _figure(question: Question, cell: Cell, text: str) -> re.Match[str] | None:
    """The first figure of a text, but the wrong one that the table prints: `54x54x96 is wrong, 55x55x96 is right`.

    Nor is it a part of an expression, as the 96 of `34,944 (= 34,848 + 96)`.
    """
    kinds = (_SIZE, _NUMBER) if cell.quantity == "size" else (_NUMBER,)
    found = next((some for kind in kinds if (some := [*kind.finditer(text)])), [])
    printed = {re.sub(r"\D+", " ", given.text) for given in question.table if given.cell == cell}
    others = [each for each in found if re.sub(r"\D+", " ", each[0].strip("( )")) not in printed]
    return next((each for each in others if not _is_part(each)), next(iter(others or found), None))


def _is_part(found: re.Match[str]) -> bool:
    """Whether a sign of arithmetic stands before or behind it."""
    around = found.string[: found.start()].rstrip()[-1:], found.string[found.end() :].lstrip()[:1]
    return any(sign and sign in "*×+/^" for sign in around)


def _said(text: str) -> str:
    """What a text says of the mistake; empty for words that say nothing."""
    return "" if _FILLING.fullmatch(text) else text.strip(" ,;:.-=")


class _Found(NamedTuple):
    """Which word a text has first, and where it ends."""

    start: int
    end: int
    word: str


def _first(text: str, words: dict[str, tuple[str, ...]]) -> _Found | None:
    """What a text names first, of things that go by several words each; the longer of two that start together."""
    found = [
        _Found(place.start(), place.end(), name)
        for name, known in words.items()
        for word in known
        for place in [re.search(rf"(?<![\w.]){_loosely(word)}(?![\w.]\w|\w)", text, re.IGNORECASE)]
        if place
    ]
    return min(found, key=lambda each: (each.start, -each.end), default=None)


def _loosely(word: str) -> str:
    """The pattern of a word, with or without a blank before its number: `conv 1`."""
    return re.sub(r"(?<=[A-Za-z])(?=\d)", r"[ _-]?", re.escape(word))


def _words(column: str) -> tuple[str, ...]:
    """What a column may be called."""
    return (COLUMNS[column], column, *_ALSO[column])


_ALSO = {
    "size": ("shape", "dimensions", "height", "volume"),
    "memory": ("memory", "values", "activations"),
    "params": ("parameters", "weights", "param"),
    "macs": ("mac", "multiply-adds", "operations"),
    "receptive": ("field",),
}


def right_answer(question: Question) -> str:
    """The key of a question that is no table to fill in, in words."""
    if question.kind != "mistake":
        return answer_of(question)
    cell = wrong_cell(question).cell
    right = question.right(cell)
    return f"{cell.layer or TOTAL} {COLUMNS[cell.quantity]} {right if isinstance(right, Volume) else f'{right:,}'}"
