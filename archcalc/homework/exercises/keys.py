"""The answer sheet of a quiz: what is to be written on it, empty or as the key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from archcalc.homework.answers import Mistake
from archcalc.homework.exercises.questions import ANSWER, TOTAL, Given, Question, solved
from archcalc.homework.exercises.quizzes import Quiz
from archcalc.homework.exercises.tables import causes_of, figures_of, is_right
from archcalc.lang.errors import SpecError
from archcalc.solving import Solution

UNSOLVED, IMPOSSIBLE = "any that solves it", "nothing solves it"


class Line(NamedTuple):
    """A line of the sheet: of a layer of a question, or of a question whose answer is a word or a number."""

    question: int  # from 1
    layer: str  # `total` of the whole net; empty where there is no layer, or where it is part of the answer
    cells: dict[str, Any]  # by quantity: Volume, number; None where it is to be filled in
    answer: str | None = ""  # None where it is to be filled in


def blank_lines(quiz: Quiz) -> Iterator[Line]:
    """The sheet to be filled in; of a table with a mistake nothing tells where that is."""
    for number, question in enumerate(quiz.questions, 1):
        if question.kind == "mistake":
            yield Line(number, "", dict.fromkeys(question.columns), None)
        else:
            for line in _lines(question, number):
                yield line._replace(cells=dict.fromkeys(line.cells), answer=None if line.answer else "")


def key_lines(quiz: Quiz) -> Iterator[Line]:
    """The sheet filled in rightly."""
    for number, question in enumerate(quiz.questions, 1):
        yield from _lines(question, number)


def columns_of(quiz: Quiz) -> tuple[str, ...]:
    """The columns that the sheet of a quiz has, `answer` last."""
    asked = dict.fromkeys(name for question in quiz.questions for name in question.columns)
    words = any(question.kind != "table" for question in quiz.questions)
    return (*asked, *([ANSWER] * words))


def _lines(question: Question, number: int) -> Iterator[Line]:
    if question.kind == "table":
        asked = question.cells
        for layer in dict.fromkeys(cell.layer for cell in asked):
            cells = {cell.quantity: question.right(cell) for cell in asked if cell.layer == layer}
            yield Line(number, layer or TOTAL, cells)
    elif question.kind == "mistake":
        cell = wrong_cell(question).cell
        name = next((each.name for each in causes(question)), "-")
        yield Line(number, cell.layer or TOTAL, {cell.quantity: question.right(cell)}, name)
    else:
        yield Line(number, "", {}, answer_of(question))


def answer_of(question: Question) -> str:
    """The most usual answer to a question backwards: `H = 29`, `f = 5, s = 2`; in words where none is found."""
    try:
        solutions = solved(question).solutions
    except SpecError:  # too much to try, of a question that somebody has written
        return UNSOLVED
    return in_words(question, solutions[0]) if solutions else IMPOSSIBLE


def in_words(question: Question, solution: Solution) -> str:
    """A solution as one writes it down."""
    if question.kind == "input":
        return f"H = {solution.trial.input.h}"
    names = [unknown.name.removeprefix("?") for unknown in solved(question).unknowns]
    return ", ".join(f"{name} = {value}" for name, value in zip(names, solution.values, strict=True))


def wrong_cell(question: Question) -> Given:
    """The figure of a printed table that is wrong."""
    return next(
        each
        for each in question.table
        if not is_right(figures_of(each.text, each.cell.quantity), question.right(each.cell))
    )


def causes(question: Question) -> tuple[Mistake, ...]:
    """The mistakes by which the wrong figure of a printed table comes about, the likeliest first."""
    given = wrong_cell(question)
    return causes_of(question.net, given.cell, given.text)
