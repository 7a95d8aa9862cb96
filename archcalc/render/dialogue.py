"""A quiz in a terminal: one question at a time, told at once what is right, with hints."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import NamedTuple, TextIO

from archcalc.homework.answers import Answer, Mark, Place, Submission
from archcalc.homework.exercises.judging import Verdict, judge, judge_claim, read_claim, right_answer
from archcalc.homework.exercises.keys import causes, wrong_cell
from archcalc.homework.exercises.questions import COLUMNS, TOTAL, Cell, Question, solved
from archcalc.homework.exercises.quizzes import Quiz
from archcalc.homework.exercises.tables import figures_of
from archcalc.homework.figures import is_blank
from archcalc.homework.marking import mark
from archcalc.notation.formulas import TEXT
from archcalc.render.exercises import heading, question_lines, table_lines, title
from archcalc.render.feedback import mistakes_of
from archcalc.render.questions import sizes_on_the_way, steps, written
from archcalc.render.terminal import Screen

HELP = "Answer each line, or type: hint, skip, quit."
NO_HINT = "there is no further hint"
INTERRUPTED = 130  # the exit code of who stops it by Ctrl-C
MOST_MISTAKES = 2  # told of a wrong answer
GAP = "  "
Ask = Callable[[str], str]  # raises EOFError at the end of what is typed, KeyboardInterrupt for Ctrl-C


class Task(NamedTuple):
    """One thing that a question asks for."""

    prompt: str
    judged: Callable[[str], Verdict]  # raises ValueError for what cannot be read
    hints: Callable[[], Iterator[str]]
    right: str


class Score(NamedTuple):
    """How it went so far."""

    at_once: int = 0  # right at the first try, without a hint
    later: int = 0
    skipped: int = 0
    hints: int = 0
    mistaken: bool = False  # whether any answer was wrong

    @property
    def asked(self) -> int:
        """What was answered or skipped."""
        return self.at_once + self.later + self.skipped

    def text(self) -> str:
        """In words."""
        if not self.asked:
            return "no answer was right" if self.mistaken else "nothing was answered"
        counts = ((self.later, "later or with a hint"), (self.skipped, "skipped"))
        rest = "".join(f", {count} {what}" for count, what in counts if count)
        return f"{self.at_once} of {self.asked} right at once{rest}"


class _Quit(Exception):
    """Somebody has had enough."""


def hold(quiz: Quiz, ask: Ask, stream: TextIO) -> int:
    """Asks a quiz, question by question, and tells the score; however it ends.

    Gives the exit code: 0, 1 if an answer was wrong, 130 if it was interrupted.
    """
    session, code = _Session(ask, stream), 0
    try:
        session.hold(quiz)
    except (_Quit, EOFError):
        pass
    except KeyboardInterrupt:
        code = INTERRUPTED
    session.tell("")
    session.tell(f"Score: {session.score.text()}.")
    return code or int(session.score.mistaken)


class _Session:
    """A quiz that is held."""

    def __init__(self, ask: Ask, stream: TextIO) -> None:
        self.ask = ask
        self.stream = stream
        self.screen = Screen(stream)
        self.score = Score()

    def tell(self, line: str) -> None:
        encoding = self.stream.encoding or "utf-8"
        self.stream.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        self.stream.flush()

    def hold(self, quiz: Quiz) -> None:
        self.tell(self.screen.paint(title(quiz, key=False), "bold"))
        self.tell(HELP)
        for number, question in enumerate(quiz.questions, 1):
            self.tell("")
            self.tell(self.screen.paint(heading(question, number), "bold"))
            for line in question_lines(question, self.screen):
                self.tell(line)
            if question.kind == "mistake":
                for line in table_lines(question, number, False, self.screen):
                    self.tell(line)
            self.tell("")
            for task in tasks(question):
                self.one(task)

    def one(self, task: Task) -> None:
        """Asks one thing until it is right or skipped."""
        hints, at_once = task.hints(), True
        while True:
            text = self.ask(self.screen.plain(task.prompt)).strip()
            word = text.lower()
            if word in ("quit", "exit", "q"):
                raise _Quit
            if word in ("skip", "s"):
                self.say("", f"it is {task.right}")
                self.score = self.score._replace(skipped=self.score.skipped + 1)
                return
            if word in ("hint", "h"):
                at_once = False
                self.say("", next(hints, NO_HINT))
                self.score = self.score._replace(hints=self.score.hints + 1)
            elif verdict := self.judged(task, text):
                if verdict.right:
                    done = self.score
                    self.score = done._replace(at_once=done.at_once + at_once, later=done.later + (not at_once))
                    return
                at_once = False

    def judged(self, task: Task, text: str) -> Verdict | None:
        """Tells what is to be said of an answer, and whether it is right; what is none is None, and costs nothing."""
        if is_blank(text) or text.lower() == "help":
            self.say("", HELP)
            return None
        try:
            verdict = task.judged(text)
        except ValueError as error:
            self.say("", str(error))
            return None
        if not verdict.right:
            self.score = self.score._replace(mistaken=True)
        self.say("right" if verdict.right else "wrong", verdict.note)
        return verdict

    def say(self, verdict: str, note: str) -> None:
        """A verdict, and what there is to say, within the width of the screen."""
        painted = self.screen.paint(verdict, {"right": "merge", "wrong": "warning"}.get(verdict, ""))
        text = self.screen.plain(f"{verdict}{': ' if verdict and note else ''}{note}")
        for line in wrap(text, max(40, min(self.screen.width or 100, 100)) - len(GAP), subsequent_indent=GAP):
            self.tell(f"{GAP}{line.replace(verdict, painted, 1) if verdict and line.startswith(verdict) else line}")


# ---------------------------------------------------------------- what is asked


def tasks(question: Question) -> Iterator[Task]:
    """What a question asks for: each cell of its table, else one answer."""
    if question.kind == "table":
        yield from (_cell_task(question, cell) for cell in question.cells)
        return
    judged = _claimed if question.kind == "mistake" else judge
    hints = _hints_of_mistake if question.kind == "mistake" else _hints_backwards
    yield Task("answer: ", lambda text: judged(question, text), lambda: hints(question), right_answer(question))


def _cell_task(question: Question, cell: Cell) -> Task:
    return Task(
        f"{cell.layer or TOTAL}, {COLUMNS[cell.quantity]}: ",
        lambda text: _marked(question, cell, text),
        lambda: _hints_of_cell(question, cell),
        written(question.right(cell)),
    )


def _marked(question: Question, cell: Cell, text: str) -> Verdict:
    """A cell as `check` marks it, with what was likely done."""
    answer = Answer(cell.layer, cell.quantity, text, figures_of(text, cell.quantity), Place("", ""))
    found: Mark = mark(Submission("", (answer,)), question.report, solutions=False).marks[0]
    if found.status == "right":
        return Verdict(True)
    known = mistakes_of(found, solutions=False)[:MOST_MISTAKES]
    told = [": ".join(filter(None, (each.name, each.arithmetic))) for each in known]
    return Verdict(False, "; or ".join(told))


def _claimed(question: Question, text: str) -> Verdict:
    """Whether it is the wrong figure that is named, and the right one that is told."""
    claim = read_claim(question, text)
    place, figure = judge_claim(question, claim)
    if not place.right:
        return place
    if not claim.figures:
        raise ValueError("that is the one: write also what is right")
    return figure if figure.right else Verdict(False, "that is the one, but it is not right either")


# ---------------------------------------------------------------- hints


def _hints_of_cell(question: Question, cell: Cell) -> Iterator[str]:
    """The derivation line by line: formula, with numbers, result; of a sum what is added up."""
    if cell.layer is None:
        parts = [question.right(Cell(layer, cell.quantity)) for layer in question.layers]
        yield "the sum of the column"
        yield " + ".join(written(part) for part in parts if part)
        yield written(question.right(cell))
        return
    for step in steps(question, TEXT, cell.layer):
        if step.quantity == cell.quantity:
            entry = step.entry
            yield from (f"{entry.label} = {part}" for part in (entry.formula, entry.numbers, entry.result) if part)


def _hints_backwards(question: Question) -> Iterator[str]:
    """The formulas of the sizes on the way, then with the numbers of a solution, then the solution."""
    some = solved(question).solutions[:1]
    entries = [each for solution in some for each in sizes_on_the_way(solution.trial.report)]
    yield from (f"{name}: {entry.label} = {entry.formula}" for name, entry in entries if entry.formula)
    if some and question.kind == "arguments" and not question.wanted:
        yield f"{written(some[0].trial.report.total().params)} = the parameters of all layers added up"
    yield from (f"{name}: {entry.label} = {entry.numbers} = {entry.result}" for name, entry in reversed(entries))
    yield right_answer(question)


def _hints_of_mistake(question: Question) -> Iterator[str]:
    """The column, the layer, the mistake, then the derivation of what is right."""
    cell = wrong_cell(question).cell
    yield f"look at the column {COLUMNS[cell.quantity]}"
    yield f"look at {cell.layer or TOTAL}"
    yield from (f"{each.name}: {each.arithmetic}" for each in causes(question)[:1])
    yield from _hints_of_cell(question, cell)
