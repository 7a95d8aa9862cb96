"""The answers to a quiz, marked: one sheet with a column that says which question a row answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from archcalc.homework.answers import Answer, Figure, Mark, Marked, Place, Status, Submission
from archcalc.homework.exercises.judging import Claim, Verdict, judge, judge_claim, read_claim, right_answer
from archcalc.homework.exercises.keys import causes, wrong_cell
from archcalc.homework.exercises.questions import ANSWER, COLUMNS, TOTAL, Cell, Question
from archcalc.homework.exercises.quizreading import read_quizzes
from archcalc.homework.exercises.quizzes import Quiz
from archcalc.homework.exercises.rosters import file_name, file_names
from archcalc.homework.exercises.tables import figures_of
from archcalc.homework.figures import is_blank
from archcalc.homework.headings import Headings, find_headings
from archcalc.homework.marking import NO_ANSWER, mark
from archcalc.homework.reading import read_tables
from archcalc.homework.rubric import DEFAULT, Rubric
from archcalc.homework.sheets import Grid, read_grids
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.lang.source import Source

QUESTION = "question"
LONGEST = 60  # characters of an answer that are shown
WHICH, RIGHT = "which figure", "what is right"  # what is asked of a table with a mistake


class Sheet(NamedTuple):
    """What a file answers of one question: its rows as a table by themselves, and where they stand."""

    grid: Grid
    headings: Headings

    def cells(self, meanings: Iterable[str]) -> Iterator[tuple[str, str, Place]]:
        """What stands in the columns of some meanings, row by row: meaning, text, place; blanks left out."""
        wanted = frozenset(meanings)
        for row in range(self.headings.row + 1, len(self.grid.rows)):
            for at, heading in enumerate(self.headings.columns[: len(self.grid.rows[row])]):
                text = self.grid.rows[row][at]
                if heading.meaning in wanted and not is_blank(text):
                    yield heading.meaning, text, self.grid.place(row, at, heading.title)


def mark_quiz(answers: Path, quiz: Source, rubric: Rubric = DEFAULT, solutions: bool = True) -> Marked:
    """A file of answers marked against a quiz; of the quizzes of a class, against that of the student.

    The name of the file, or of its folder, says whose it is. Layers are called `2: conv1`, of the second question.
    Raises `SpecError` for a file of either kind that cannot be read.
    """
    own = _of_student(answers, _quizzes(quiz))
    sheets, remarks = _sheets(answers, own)
    marked = [
        _marked(number, question, sheets.get(number), answers.name, rubric, solutions)
        for number, question in enumerate(own.questions, 1)
    ]
    parts = [each.submission for each in marked]
    submission = Submission(
        answers.name,
        tuple(each for part in parts for each in part.answers),
        tuple(dict.fromkeys((*remarks, *(each for part in parts for each in part.remarks)))),
        tuple(each for part in parts for each in part.unread),
        tuple(each for part in parts for each in part.missing),
        tuple(each for part in parts for each in part.unanswered),
    )
    return Marked(
        own.title,
        submission,
        tuple(each for one in marked for each in one.marks),
        tuple(dict.fromkeys(each for one in marked for each in one.conventions)),
        tuple(each for one in marked for each in one.patterns),
    )


@lru_cache(4)
def _quizzes(source: Source) -> tuple[Quiz, ...]:
    """The quizzes of a file, read once for a whole class."""
    return read_quizzes(source)


def _of_student(answers: Path, quizzes: Sequence[Quiz]) -> Quiz:
    """The only quiz, or that of the student by whom the file, or the folder that it lies in, is named."""
    if len(quizzes) == 1:
        return quizzes[0]
    names = [quiz.student for quiz in quizzes]
    files = file_names(names)
    named = dict(zip((*names, *files), (*quizzes, *quizzes), strict=True))
    for name in (answers.stem, answers.absolute().parent.name):
        for known in (name, file_name(name)):
            if known in named:
                return named[known]
    help = did_you_mean(answers.stem, files) or f"such as `{files[0]}{answers.suffix}`"
    message = f"none of the {len(quizzes):,} quizzes is for {quoted(answers.stem)}: a file is called by its student"
    raise SpecError([Fault(message, help=help)])


# ---------------------------------------------------------------- which rows answer which question


def _sheets(answers: Path, quiz: Quiz) -> tuple[dict[int, Sheet], tuple[str, ...]]:
    """The rows of a file by question, and what is to be said of others. Raises `SpecError`."""
    known = [(grid, found) for grid in read_grids(answers) if (found := find_headings(grid.rows)) is not None]
    apart = [(grid, found) for grid, found in known if QUESTION in [each.meaning for each in found.columns]]
    if not apart and known and len(quiz.questions) == 1:
        return {1: Sheet(*known[0])}, ()
    if not apart:
        help = "the first row of `quiz.csv` has them all: question, layer, output, …"
        raise SpecError([Fault(f"{answers.name}: no column is called `{QUESTION}`", help=help)])
    sheets: dict[int, Sheet] = {}
    strange: list[str] = []
    for grid, found in apart:
        for number, rows in _by_question(grid, found).items():
            if 1 <= number <= len(quiz.questions):
                sheets.setdefault(number, _part(grid, found, rows))
            else:
                strange += [grid.places[row] for row in rows]
    told = f"rows of no question are left alone: {', '.join(strange[:6])}{', …' if len(strange) > 6 else ''}"
    return sheets, (told,) if strange else ()


def _by_question(grid: Grid, headings: Headings) -> dict[int, list[int]]:
    """The rows of each question; a row that does not say goes with the one above it. 0 for those of none."""
    at = next(i for i, each in enumerate(headings.columns) if each.meaning == QUESTION)
    found: dict[int, list[int]] = {}
    number = 0
    for row in range(headings.row + 1, len(grid.rows)):
        text = grid.rows[row][at] if at < len(grid.rows[row]) else ""
        if not any(cell.strip() for cell in grid.rows[row]):
            continue
        if text.strip():
            said = re.search(r"\d{1,6}", text)
            number = int(said[0]) if said else 0
        found.setdefault(number, []).append(row)
    return found


def _part(grid: Grid, headings: Headings, rows: list[int]) -> Sheet:
    """Some rows as a table by themselves, below the headings, without the column that says the question."""
    at = [i for i, each in enumerate(headings.columns) if each.meaning == QUESTION]
    kept = [*range(headings.row + 1), *rows]
    cells = tuple(tuple("" if i in at else cell for i, cell in enumerate(grid.rows[row])) for row in kept)
    unread = frozenset((new, column) for new, row in enumerate(kept) for old, column in grid.unread if old == row)
    columns = tuple(each._replace(title="", meaning="") if i in at else each for i, each in enumerate(headings.columns))
    places = tuple(grid.places[row] for row in kept)
    return Sheet(grid._replace(rows=cells, places=places, unread=unread), headings._replace(columns=columns))


# ---------------------------------------------------------------- the marks of a question


def _marked(number: int, question: Question, sheet: Sheet | None, file: str, rubric: Rubric, solutions: bool) -> Marked:
    if question.kind == "table":
        return _of_table(number, question, sheet, file, rubric, solutions)
    if question.kind == "mistake":
        marks = tuple(_of_claim(number, question, sheet, file, rubric, solutions))
    else:
        marks = tuple(_of_answer(number, question, sheet, file, rubric))
    answers = tuple(each.answer for each in marks)
    return Marked("", Submission(file, answers), marks)


def _of_table(
    number: int, question: Question, sheet: Sheet | None, file: str, rubric: Rubric, solutions: bool
) -> Marked:
    """The cells of a table, marked as any homework."""
    read = read_tables([sheet.grid], file, question.report) if sheet else Submission(file, ())
    found = _asked(question, read, Place(file, f"question {number}"))
    marked = mark(found, question.report, rubric, solutions)
    answers, unanswered = (tuple(_named(number, each) for each in some) for some in (found.answers, found.unanswered))
    remarks = tuple(f"question {number}: {each}" for each in found.remarks)
    return marked._replace(
        submission=found._replace(answers=answers, unanswered=unanswered, remarks=remarks),
        marks=tuple(each._replace(answer=_named(number, each.answer)) for each in marked.marks),
        conventions=tuple(f"question {number}: {each}" for each in marked.conventions),
        patterns=tuple(f"question {number}: {each}" for each in marked.patterns),
    )


def _asked(question: Question, found: Submission, place: Place) -> Submission:
    """What was asked of what was found; a cell without a row is one without an answer, at a place."""
    asked = question.cells
    said = [Cell(each.layer, each.quantity) for each in (*found.answers, *found.unanswered)]
    rows = {cell.layer for cell in said}
    absent = [cell for cell in asked if cell not in said and (cell.layer not in rows or question.right(cell) != 0)]
    open_ = (each for each in found.unanswered if Cell(each.layer, each.quantity) in asked)
    return found._replace(
        answers=tuple(each for each in found.answers if Cell(each.layer, each.quantity) in asked),
        unanswered=(*open_, *(Answer(cell.layer, cell.quantity, "", (), place) for cell in absent)),
        missing=(),
    )


def _named(number: int, answer: Answer) -> Answer:
    """An answer whose layer says which question it is of."""
    return answer._replace(layer=f"{number}: {answer.layer or TOTAL}")


def _of_answer(number: int, question: Question, sheet: Sheet | None, file: str, rubric: Rubric) -> Iterator[Mark]:
    """The answer to a question backwards; any that solves is right."""
    written = list(sheet.cells((ANSWER,))) if sheet else []
    if not written and sheet:  # somebody has put the number into another column
        written = list(sheet.cells(each.meaning for each in sheet.headings.columns if each.meaning != "layer"))
    text, place = (written[0][1], written[0][2]) if written else ("", Place(file, f"question {number}"))
    verdict = Verdict(False, NO_ANSWER)
    if text:
        try:
            verdict = judge(question, text)
        except ValueError as error:
            verdict = Verdict(False, str(error))
    answer = Answer(f"{number}", ANSWER, text[:LONGEST], (), place)
    right = text if verdict.right else right_answer(question)
    yield _verdict_mark(answer, verdict, right, rubric)


def _of_claim(
    number: int, question: Question, sheet: Sheet | None, file: str, rubric: Rubric, solutions: bool
) -> Iterator[Mark]:
    """Which figure of a table is wrong, and what is right."""
    claim, text, place, unread = _claim(question, sheet, Place(file, f"question {number}"))
    which, right = judge_claim(question, claim)
    if not text:
        which, right = Verdict(False, NO_ANSWER), Verdict(False, NO_ANSWER)
    elif unread:
        which = Verdict(False, unread)
    given = wrong_cell(question)
    told = f"{given.cell.layer or TOTAL} {COLUMNS[given.cell.quantity]}: {given.text} is wrong"
    yield _verdict_mark(Answer(f"{number}: {WHICH}", ANSWER, text, (), place), which, told, rubric)
    answer = Answer(f"{number}: {RIGHT}", ANSWER, text, claim.figures, place)
    why = tuple(f"{each.name}: {each.arithmetic}" for each in causes(question)[:1]) if solutions else ()
    found = _verdict_mark(answer, right, right_answer(question), rubric)
    yield found if right.right else found._replace(solution=why)


def _claim(question: Question, sheet: Sheet | None, nowhere: Place) -> tuple[Claim, str, Place, str]:
    """What a sheet says of a table with a mistake: in its columns, or in words; as written, where, and what is odd."""
    nothing = Claim(None, ())
    if sheet is None:
        return nothing, "", nowhere, ""
    words = next(iter(sheet.cells((ANSWER,))), ("", "", nowhere))
    figures = list(sheet.cells(question.columns))
    layer = next((text for _, text, _ in sheet.cells(("layer",))), "")
    try:
        if not figures:
            return read_claim(question, f"{layer} {words[1]}"), words[1][:LONGEST], words[2], ""
        column, text, place = figures[0]
        cell = _cell_of(question, layer, column)
        shown = f"{layer} {COLUMNS[column]} {text}"[:LONGEST]
        odd = "" if len(figures) == 1 else f"{len(figures)} figures are given, and one is wrong"
        known: tuple[Figure, ...] = figures_of(text, column)
        return Claim(None if odd else cell, known, words[1]), shown, place, odd
    except ValueError as error:
        return nothing, (words[1] or layer)[:LONGEST], words[2], str(error)


def _cell_of(question: Question, layer: str, column: str) -> Cell:
    """The cell that a layer and a column name; case and blanks count little."""
    bare = {re.sub(r"[\W_]+", "", (given.cell.layer or TOTAL).lower()): given.cell.layer for given in question.table}
    name = re.sub(r"[\W_]+", "", layer.lower())
    return Cell(bare.get(name, layer), column)


def _verdict_mark(answer: Answer, verdict: Verdict, right: str, rubric: Rubric) -> Mark:
    """A verdict as a mark."""
    of = rubric.points(answer)
    none = rubric.missing if verdict.note == NO_ANSWER else Fraction(0)
    status: Status = "right" if verdict.right else "wrong"
    return Mark(answer, right, status, (), verdict.note, (), of if verdict.right else min(none, of), of)
