"""Quizzes: questions drawn from a seed, for one sheet or for each student of a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from archcalc.homework.exercises.chance import Chance, derived
from archcalc.homework.exercises.levels import Level, find_levels
from archcalc.homework.exercises.questions import Question
from archcalc.lang.errors import Fault, SpecError

MOST_QUESTIONS = 200
REDRAWN = 200  # times that a question is drawn again that somebody has already


class Quiz(NamedTuple):
    """Some questions; `student` is whom they are for."""

    title: str
    questions: tuple[Question, ...]
    student: str = ""


def draw(
    levels: Sequence[str] = (),
    seed: int = 1,
    count: int | None = None,
    whole: bool = True,
    students: Sequence[str] = (),
) -> tuple[Quiz, ...]:
    """A quiz, or one for each student: the levels in turn, no question twice where there are enough.

    The first questions are the same however many are drawn. What a student gets hangs on the seed and the name. Only
    where two would get the same question, the later one gets another: a name that is added at the end changes nothing
    for those before it. Raises `SpecError` for a level that there is not, and for too many questions.
    """
    found, taken = find_levels(levels), set[tuple[str, str]]()
    number = len(found) if count is None else count
    if not 1 <= number <= MOST_QUESTIONS:
        raise SpecError([Fault(f"{number:,} questions; from 1 to {MOST_QUESTIONS} are drawn")])
    return tuple(_drawn(found, seed, number, whole, student, taken) for student in students or [""])


def _drawn(
    levels: Sequence[Level], seed: int, count: int, whole: bool, student: str, taken: set[tuple[str, str]]
) -> Quiz:
    questions = []
    for number in range(count):
        level = levels[number % len(levels)]
        for attempt in range(REDRAWN):
            question = level.draw(Chance(derived(seed, student, number, level.name, whole, attempt)), whole)
            if (question.kind, question.net) not in taken:
                break
        taken.add((question.kind, question.net))
        questions.append(question._replace(level=level.name))
    return Quiz(f"Quiz {seed}", tuple(questions), student)
