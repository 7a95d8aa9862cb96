"""Quizzes read from files of TOML.

    title = "Quiz 7"

    [[question]]
    kind = "table"
    net = "input 32x32x3; conv1: conv 5/1/2 10"
    columns = ["output", "params"]

    [[question]]
    student = "Anna"
    kind = "input"
    net = "input HxHx3; conv1: conv 5/2/0 10"
    wanted = "14x14"
    no_drops = true

`docs/quiz.md` is the reference.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from archcalc.homework.exercises.questions import COLUMNS, KINDS, TOTAL, Cell, Given, Question
from archcalc.homework.exercises.quizfiles import HEADER
from archcalc.homework.exercises.quizzes import MOST_QUESTIONS, Quiz
from archcalc.homework.exercises.rosters import MOST as MOST_STUDENTS
from archcalc.homework.exercises.tables import figures_of, is_right
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.source import Source, Span
from archcalc.lang.tomlfiles import key_span, read_toml

FILE_KEYS = ("title", "question")
ANY_KEYS = ("kind", "net", "student", "level")
BACKWARDS = ("wanted", "such_that", "no_drops")
WANTS = {"table": ("columns",), "mistake": ("table",)}  # what a question of a kind has to say beside its net
TAKES = {**WANTS, "input": BACKWARDS, "arguments": BACKWARDS}  # … and may say
KEYS = (*ANY_KEYS, *dict.fromkeys(key for keys in TAKES.values() for key in keys))
HEADED = {heading.lower(): name for name, heading in COLUMNS.items()}  # columns as they are written
MOST_NAMED = 6  # wrong figures in a fault


def read_quizzes(source: Source) -> tuple[Quiz, ...]:
    """The quiz of a file, or the quizzes of a class, in the order of the file. Raises `SpecError` with all faults."""
    content = read_toml(source)
    whole = _Place(source, 0, len(source.text))
    title, rows = content.get("title", "Quiz"), content.get("question", [])
    faults = [_unknown(key, FILE_KEYS, whole.span(key)) for key in content if key not in FILE_KEYS]
    if not isinstance(title, str):
        faults.append(Fault("`title` has to be text", whole.span("title")))
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SpecError(in_order([*faults, Fault(f"questions are written as `{HEADER}`", whole.span("question"))]))
    if not rows:
        faults.append(Fault("the quiz has no questions", whole.span(""), help=f"a question starts with `{HEADER}`"))
    readers = [_Reader(row, place) for row, place in zip(rows, _places(source, len(rows)), strict=True)]
    found = [(reader.student, reader.question()) for reader in readers]
    faults += [*_too_many(found, whole), *(fault for reader in readers for fault in reader.faults)]
    if faults:
        raise SpecError(in_order(faults))
    return tuple(
        Quiz(title, tuple(each for whose, each in found if whose == student and each), student)
        for student in dict.fromkeys(student for student, _ in found)
    )


class _Place(NamedTuple):
    """A stretch of the file: all of it, or a question."""

    source: Source
    start: int
    end: int

    def span(self, key: str) -> Span:
        """Where a key stands in it; else its first line."""
        found = key_span(self.source, key, self.start, self.end) if key else None
        return found or Span(self.source, self.start, min(self.end, self.start + len(HEADER)))


def _places(source: Source, count: int) -> list[_Place]:
    """Where each `[[question]]` stands; the whole text where they are written another way."""
    found = re.finditer(r"^[ \t]*(\[\[[ \t]*question[ \t]*\]\])", source.text, re.MULTILINE)
    starts = [each.start(1) for each in found]
    if len(starts) != count or not starts:
        return [_Place(source, 0, len(source.text))] * count
    return [_Place(source, *ends) for ends in zip(starts, [*starts[1:], len(source.text)], strict=True)]


def _too_many(found: Sequence[tuple[str, object]], whole: _Place) -> Iterator[Fault]:
    counts = Counter(student for student, _ in found)
    if len(counts) > MOST_STUDENTS or max(counts.values(), default=0) > MOST_QUESTIONS:
        message = f"at most {MOST_QUESTIONS} questions for each of {MOST_STUDENTS:,} students are taken"
        yield Fault(message, whole.span(""))


def _unknown(key: str, known: tuple[str, ...], span: Span) -> Fault:
    return Fault(f"unknown key {quoted(key)}", span, help=did_you_mean(key, known) or f"there are {', '.join(known)}")


class _Reader:
    """Reads a question; gathers its faults."""

    def __init__(self, row: dict[str, Any], place: _Place) -> None:
        self.row = row
        self.place = place
        self.faults: list[Fault] = []

    @property
    def student(self) -> str:
        """Whom the question is for."""
        said = self.row.get("student", "")
        return said if isinstance(said, str) else ""

    def refuse(self, message: str, key: str = "", help: str = "") -> None:
        self.faults.append(Fault(message, self.place.span(key), help=help))

    def question(self) -> Question | None:
        """The question, tried; None where it is refused."""
        for key, value in self.row.items():
            self.typed(key, value)
        kind = self.row.get("kind")
        if kind not in KINDS:
            self.no_kind(kind)
        if self.faults:
            return None
        for key in (key for key in ("net", *WANTS.get(str(kind), ())) if key not in self.row):
            self.refuse(f"the question has no `{key}`")
        if kind in BACKWARDS_KINDS and not {*BACKWARDS} & self.row.keys():
            self.refuse("nothing is wanted of the net", help=f"say it with {', '.join(BACKWARDS)}")
        for key in (key for key in self.row if key not in (*ANY_KEYS, *TAKES[str(kind)])):
            self.refuse(f"a question of kind `{kind}` takes no `{key}`", key)
        return None if self.faults else self.tried()

    def typed(self, key: str, value: object) -> None:
        """Refuses a key that there is not, and a value of the wrong type."""
        if key not in KEYS:
            self.faults.append(_unknown(key, KEYS, self.place.span(key)))
        elif key == "no_drops":
            if not isinstance(value, bool):
                self.refuse("`no_drops` has to be true or false", key)
        elif key in ("columns", "such_that"):
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                self.refuse(f"`{key}` has to be a list of texts", key)
        elif not isinstance(value, str):
            self.refuse(f"`{key}` has to be text", key)

    def no_kind(self, kind: object) -> None:
        known = f"there are {', '.join(KINDS)}"
        if kind is None:
            self.refuse("the question has no `kind`", help=known)
        elif isinstance(kind, str):
            self.refuse(f"there is no kind {quoted(kind)}", "kind", did_you_mean(kind, KINDS) or known)

    def tried(self) -> Question | None:
        """The question; its net has to stand, and its table to be one of the net."""
        row = self.row
        question = Question(
            kind=row["kind"],
            net=row["net"].strip(),
            columns=self.columns(row.get("columns", ()), "columns"),
            wanted=row.get("wanted", ""),
            such_that=tuple(row.get("such_that", ())),
            no_drops=row.get("no_drops", False),
            level=row.get("level", ""),
            source=self.place.source,
        )
        try:
            if question.kind in BACKWARDS_KINDS:
                self.solvable(question)
            else:
                self.answerable(question)
        except SpecError as error:
            self.faults += map(self.placed, error.faults)
        if question.kind == "mistake" and not self.faults:
            question = self.printed(question, row["table"])
        return None if self.faults else question

    def solvable(self, question: Question) -> None:
        """Refuses a net with unknowns in the wrong place. Raises `SpecError`."""
        of_sides = question.sought.of_sides
        if question.kind == "arguments" and of_sides:
            self.refuse("the net has nothing that is sought", "net", "put `?f` in place of an argument of a layer")
        elif question.kind == "input" and not of_sides:
            self.refuse("the input is sought, and something else too", "net", 'then it is of kind "arguments"')

    def answerable(self, question: Question) -> None:
        """Refuses a net whose figures are no numbers, or that has no layers. Raises `SpecError`."""
        report = question.report
        if not all(isinstance(n, int) for row in report.rows for n in row.output):
            self.refuse("the net has symbols: answers are numbers", "net")
        elif not question.layers:
            self.refuse("the net has no layers to ask for", "net")

    def columns(self, names: Iterable[str], key: str) -> tuple[str, ...]:
        """Columns by their quantities."""
        found = [HEADED.get(name.strip().lower(), name.strip().lower()) for name in names]
        for name in found:
            if name not in COLUMNS:
                help = did_you_mean(name, (*COLUMNS, *HEADED)) or f"there are {', '.join(COLUMNS.values())}"
                self.refuse(f"there is no column {quoted(name)}", key, help)
        if not found and key in self.row:
            self.refuse("no column is asked for", key, f"there are {', '.join(COLUMNS.values())}")
        return tuple(dict.fromkeys(found))

    # ------------------------------------------------ a table with a mistake

    def printed(self, question: Question, text: str) -> Question:
        """The question with its table; exactly one figure of it is wrong."""
        heads, *rows = [[cell.strip() for cell in row] for row in csv.reader(text.strip().splitlines())] or [[""]]
        if heads[0].lower() != "layer" or len(heads) < 2:
            self.refuse("the table has no heading", "table", "its first line is such as `layer,output,params`")
            return question
        question = question._replace(columns=self.columns(heads[1:], "table"))
        table = tuple(self.given(question, rows)) if not self.faults else ()
        wrong = [given for given in table if not self.is_right(question, given)]
        if not self.faults and len(wrong) != 1:
            named = ", ".join(f"{given.cell.layer or TOTAL} {given.text}" for given in wrong[:MOST_NAMED])
            found = (
                f"{len(wrong)} figures of the table are wrong: {named}" if wrong else "no figure of the table is wrong"
            )
            self.refuse(f"{found}; one has to be", "table")
        return question._replace(table=table)

    def given(self, question: Question, rows: Sequence[Sequence[str]]) -> Iterator[Given]:
        """The figures of the rows of a table; refuses a layer that there is not."""
        for layer, *cells in (row for row in rows if row):
            if layer != TOTAL and layer not in question.layers:
                message = f"the net has no layer {quoted(layer)} to ask for"
                self.refuse(message, "table", did_you_mean(layer, question.layers))
            for name, text in zip(question.columns, cells, strict=False):
                if text:
                    yield Given(Cell(None if layer == TOTAL else layer, name), text)

    def is_right(self, question: Question, given: Given) -> bool:
        """Whether a printed figure is right; refuses one that is none."""
        if self.faults:
            return True
        try:
            return is_right(figures_of(given.text, given.cell.quantity), question.right(given.cell))
        except ValueError as error:
            self.refuse(f"{quoted(given.text)} of {given.cell.layer or TOTAL} is no figure: {error}", "table")
            return True

    # ------------------------------------------------ places

    def placed(self, fault: Fault) -> Fault:
        """A fault of a net or of a condition, where that stands in the file."""
        if fault.span is None:
            return fault._replace(span=self.place.span("net"))
        text, (source, start, end) = fault.span.source.text, self.place
        at = source.text.find(text, start, end) if text.strip() else -1
        if at < 0:
            return fault._replace(span=self.place.span("net"))
        return fault._replace(span=Span(source, at + fault.span.start, at + fault.span.end))


BACKWARDS_KINDS = tuple(kind for kind, keys in TAKES.items() if keys is BACKWARDS)
