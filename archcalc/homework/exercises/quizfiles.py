"""Quizzes as files of TOML: the questions without their answers, for `archcalc check`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from archcalc.homework.exercises.questions import COLUMNS, TOTAL, Question
from archcalc.homework.exercises.quizzes import Quiz

HEADER = "[[question]]"


def toml_lines(quizzes: Sequence[Quiz]) -> Iterator[str]:
    """The file of a quiz, or of all quizzes of a class."""
    yield "# The questions of a quiz, without their answers: `archcalc check ANSWERS` and the name of this file."
    yield f"title = {_text(quizzes[0].title)}"
    for quiz in quizzes:
        for question in quiz.questions:
            yield ""
            yield HEADER
            yield from (f"{key} = {_value(value)}" for key, value in _said(question, quiz.student))


def _said(question: Question, student: str) -> Iterator[tuple[str, Any]]:
    """The keys of a question and their values, those left out that say nothing."""
    columns = () if question.table else tuple(COLUMNS[name] for name in question.columns)
    all_ = {
        "student": student,
        "level": question.level,
        "kind": question.kind,
        "net": question.net,
        "columns": columns,
        "wanted": question.wanted,
        "no_drops": question.no_drops,
        "such_that": question.such_that,
        "table": table_text(question),
    }
    yield from ((key, value) for key, value in all_.items() if value)


def table_text(question: Question) -> str:
    """The printed table of a question as CSV; empty where it has none."""
    if not question.table:
        return ""
    rows: dict[str, dict[str, str]] = {}
    for cell, text in question.table:
        rows.setdefault(cell.layer or TOTAL, {})[cell.quantity] = text
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["layer", *(COLUMNS[name] for name in question.columns)])
    writer.writerows([layer, *(own.get(name, "") for name in question.columns)] for layer, own in rows.items())
    return buffer.getvalue()


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    return _text(value)


def _text(text: str) -> str:
    """A text as TOML has it: on several lines where it has several."""
    escaped = "".join(_escaped(char) for char in text)
    if "\n" not in text:
        return f'"{escaped}"'
    return f'"""\n{escaped.rstrip(chr(10))}\n"""'


def _escaped(char: str) -> str:
    if char in '\\"':
        return f"\\{char}"
    return char if char.isprintable() or char == "\n" else f"\\U{ord(char):08x}"
