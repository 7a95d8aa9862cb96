"""A marked submission as it is told, whatever the format: the student's own table, what is wrong, what was accepted."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.homework.answers import Mark, Marked, Mistake, Status
from archcalc.homework.mistakes.digits import DIGIT
from archcalc.homework.mistakes.fields import BY_ONE
from archcalc.homework.submissions import Paper
from archcalc.homework.summaries import in_order, share
from archcalc.lang.errors import Fault
from archcalc.units import exact, percent

SIGNS: dict[Status, str] = {"right": "✓", "carried": "~", "wrong": "✗"}
MEANT: dict[Status, str] = {"right": "right", "carried": "right for an own earlier answer", "wrong": "wrong"}
WHOLE = "total"  # the row of what is asked of the whole net
BLANK = "-"  # where nothing was written
LONGEST = 40  # letters of a cell that are shown
MOST_MISTAKES = 4  # told of a cell
TITLES = {"size": "output", "macs": "MACs", "flops": "FLOPs", "receptive": "receptive field"}
DIGITS = 4  # behind the point of points that have no more


class Finding(NamedTuple):
    """A cell that is not right: what was written, what is right, and how it came about."""

    where: str  # conv1 params
    place: str  # line 3, params
    status: Status
    given: str
    right: str  # empty where it is not to be told
    mistakes: tuple[tuple[str, str], ...]  # name, arithmetic
    note: str
    solution: tuple[str, ...]
    points: str  # 0.5 of 1


class Feedback(NamedTuple):
    """All that is told of a submission."""

    name: str
    arch: str
    titles: tuple[str, ...]  # of the columns, the layer first
    rows: tuple[tuple[str, tuple[Mark | None, ...]], ...]  # layer; the cells, None where there is none
    findings: tuple[Finding, ...]
    sections: tuple[tuple[str, tuple[str, ...]], ...]  # heading, sentences
    score: str
    counts: str


def feedback_of(marked: Marked, solutions: bool) -> Feedback:
    """What is told of a submission; without `solutions` no right figure is."""
    titles, rows = _sheet(marked.marks)
    findings = tuple(finding_of(mark, solutions) for mark in marked.marks if mark.status != "right")
    name = printable(marked.submission.name, 200)
    return Feedback(name, marked.arch, titles, rows, findings, _sections(marked), score(marked), counts(marked))


def score(marked: Marked) -> str:
    """`17.5 of 20 points (88%)`."""
    points = "point" if marked.of == 1 else "points"
    return f"{amount(marked.score)} of {amount(marked.of)} {points} ({percent_of(share(marked))})"


def counts(marked: Marked) -> str:
    """`17 right, 1 carried, 2 wrong`."""
    found = [mark.status for mark in marked.marks]
    return ", ".join(f"{found.count(status):,} {status}" for status in SIGNS)


def _sections(marked: Marked) -> tuple[tuple[str, tuple[str, ...]], ...]:
    submission = marked.submission
    missing = [f"no row for {', '.join(submission.missing)}"] if submission.missing else []
    told = (("repeated", marked.patterns), ("accepted", marked.conventions))
    found = (*told, ("reading", (*submission.remarks, *missing)))
    return tuple((heading, tuple(map(printable_line, sentences))) for heading, sentences in found if sentences)


# ---------------------------------------------------------------- the student's own table


def _sheet(marks: Sequence[Mark]) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[Mark | None, ...]], ...]]:
    """The titles of the columns, and the rows with the cells that they have, layer by layer."""
    rows: dict[str | None, dict[tuple[str, int], Mark]] = {}
    for mark in marks:
        own = rows.setdefault(mark.answer.layer, {})
        times = sum(1 for quantity, _ in own if quantity == mark.answer.quantity)  # memory in values, and in bytes
        own[mark.answer.quantity, times] = mark
    keys = in_order([list(own) for own in rows.values()])
    twice = {quantity for quantity, times in keys if times}
    titles = [_title(key, [own[key] for own in rows.values() if key in own], key[0] in twice) for key in keys]
    cells = tuple((layer_text(layer), tuple(own.get(key) for key in keys)) for layer, own in rows.items())
    return ("layer", *titles), cells


def _title(key: tuple[str, int], marks: Sequence[Mark], twice: bool) -> str:
    units = {figure.unit for mark in marks for figure in mark.answer.figures if figure.unit}
    unit = f" ({next(iter(units))})" if twice and len(units) == 1 else ""
    return f"{quantity_text(key[0])}{unit}"


def layer_text(layer: str | None) -> str:
    """A layer as a row is called."""
    return WHOLE if layer is None else printable(layer, LONGEST)


def quantity_text(quantity: str) -> str:
    """A quantity as a column is called."""
    return TITLES.get(quantity, quantity)


def cell_text(mark: Mark | None) -> str:
    """A cell as it was written; a dash where nothing was."""
    return (printable(mark.answer.text, LONGEST) or BLANK) if mark is not None else ""


def mistakes_of(mark: Mark, solutions: bool) -> tuple[Mistake, ...]:
    """The mistakes that fit; without `solutions` nothing is said that holds the right figure."""
    if solutions:
        return mark.mistakes
    return tuple(_silenced(each, mark) for each in mark.mistakes)


def _silenced(mistake: Mistake, mark: Mark) -> Mistake:
    """A mistake without the sentences that hold the right figure; of some each does."""
    if mistake.name in (DIGIT.name, BY_ONE.name):
        return mistake._replace(arithmetic="", note="")
    return mistake._replace(arithmetic=_kept(mistake.arithmetic, mark), note=_kept(mistake.note, mark))


def _kept(sentence: str, mark: Mark) -> str:
    """A sentence, empty where it holds the right figure, or says one side of it."""
    right = {right_text(mark), str(mark.right)} - {""}
    right |= {exact(mark.right)} if isinstance(mark.right, int) else set()
    told = [re.escape(each) for each in right]
    told += [rf"(?:for|is) {exact(side)}" for side in mark.right] if isinstance(mark.right, tuple) else []
    return "" if any(re.search(rf"(?<![\d,.]){each}(?![\d,.]*\d)", sentence) for each in told) else sentence


def finding_of(mark: Mark, solutions: bool) -> Finding:
    """What is told of a cell."""
    answer = mark.answer
    given = printable(answer.text, LONGEST)
    note = printable_line(mark.note if solutions else _kept(mark.note, mark))
    mistakes = mistakes_of(mark, solutions)
    return Finding(
        f"{layer_text(answer.layer)} {quantity_text(answer.quantity)}",
        printable(answer.where.cell, LONGEST),
        mark.status,
        given or note or "blank",
        right_text(mark) if solutions else "",
        tuple((each.name, ": ".join(filter(None, (each.arithmetic, each.note)))) for each in mistakes),
        note if given else "",
        mark.solution if solutions else (),
        f"{amount(mark.points)} of {amount(mark.of)}",
    )


def right_text(mark: Mark) -> str:
    """The right value in words: 55x55x96, 34,944."""
    value: Any = mark.right
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if not isinstance(value, int):
        return "" if value is None else str(value)
    units = {figure.unit for figure in mark.answer.figures if mark.answer.quantity == "memory" and figure.unit}
    return " ".join((exact(value), *units))


# ---------------------------------------------------------------- words


def amount(points: Fraction) -> str:
    """Points in all their digits; as a fraction where these do not end.

    >>> amount(Fraction(35, 2)), amount(Fraction(20)), amount(Fraction(10, 3)), amount(Fraction(1, 3))
    ('17.5', '20', '3 1/3', '1/3')
    """
    scaled = points * 10**DIGITS
    if scaled.denominator == 1:
        whole, rest = divmod(abs(int(scaled)), 10**DIGITS)
        digits = f"{rest:0{DIGITS}}".rstrip("0")
        return f"{'-' * (points < 0)}{whole:,}{'.' * bool(digits)}{digits}"
    whole, rest = divmod(abs(points.numerator), points.denominator)
    return f"{'-' * (points < 0)}{f'{whole:,} ' * bool(whole)}{rest}/{points.denominator}"


def percent_of(part: Fraction) -> str:
    """A share of 1 in percent; what is nearly all or nearly nothing is not told as such."""
    return "99%" if Fraction(99, 100) < part < 1 else percent(part.numerator, part.denominator)


def tenths(part: Fraction) -> str:
    """A share of 1 in percent, to a tenth; halves go up.

    >>> tenths(Fraction(13, 18)), tenths(Fraction(1))
    ('72.2%', '100.0%')
    """
    whole, rest = divmod((2000 * part.numerator + part.denominator) // (2 * part.denominator), 10)
    return f"{whole}.{rest}%"


def printable(text: str, most: int) -> str:
    r"""What a student wrote, in one line that does nothing to a terminal, and cut.

    >>> printable("5\n 5\x1b[31m\u202e", 20), printable("1234567", 6)
    ('5 5\\x1b[31m\\u202e', '12345…')
    """
    line = printable_line(text[: 4 * most])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def printable_line(text: str) -> str:
    """As `printable`, however long."""
    return "".join(char if char.isprintable() else _code(char) for char in " ".join(text.split()))


def _code(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"


def columns(text: str) -> int:
    """Columns of a terminal that a text takes: wide letters take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else not unicodedata.combining(char) for char in text)


def harmless(text: str) -> str:
    """A text as a cell of a CSV file that no spreadsheet takes for a formula: with an apostrophe before it.

    >>> harmless("=1+1"), harmless("-"), harmless("34,848"), harmless(" @x")
    ("'=1+1", "'-", '34,848', "' @x")
    """
    return f"'{text}" if _FORMULA.match(text) else text


_FORMULA = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")


def finding_lines(finding: Finding) -> Iterator[str]:
    """The mistakes, the note and the derivation, a line each."""
    for at, (name, how) in enumerate(finding.mistakes[:MOST_MISTAKES]):
        yield f"{'or ' * (at > 0)}{name}" + f": {how}" * bool(how)
    if finding.note:
        yield finding.note
    yield from finding.solution


def fault_lines(paper: Paper) -> Iterator[str]:
    """What is wrong with a file that could not be read."""
    return (_fault_line(fault) for fault in paper.faults)


def _fault_line(fault: Fault) -> str:
    place = f" (line {fault.span.line})" if fault.span is not None else ""
    help = f"; {fault.help}" if fault.help else ""
    return printable_line(f"{fault.message}{place}{help}")
