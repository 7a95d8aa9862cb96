"""Quizzes and their keys in every format, to one place or as the files of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import dropwhile
from textwrap import wrap
from typing import Any, NamedTuple, TextIO

from archcalc.homework.exercises.keys import Line, blank_lines, causes, columns_of, in_words, key_lines, wrong_cell
from archcalc.homework.exercises.questions import ANSWER, COLUMNS, TOTAL, Question, solved
from archcalc.homework.exercises.quizfiles import table_text, toml_lines
from archcalc.homework.exercises.quizzes import Quiz
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.notation.formulas import TEXT as PLAIN
from archcalc.notation.formulas import Script
from archcalc.render import show, terminal
from archcalc.render.questions import capitalized, steps, table, task, words, written
from archcalc.render.table import Column, Row, Table
from archcalc.render.terminal import Screen

ROOM = "________"  # for a figure
WIDEST = 100
GAP = "  "
MOST_SHOWN = 5  # solutions of a question backwards


class Worked(NamedTuple):
    """A line of a derivation: formula, numbers and result, each empty where there is none."""

    layer: str
    label: str
    parts: tuple[str, ...]
    remark: str = ""


def lines(quiz: Quiz, key: bool, format_: str, stream: TextIO) -> Iterator[str]:
    """A quiz, or its key, in the format that is wanted.

    Raises `SpecError` for a format that there is not, and for the key of a file that holds none.
    """
    if format_ == "toml" and key:
        help = "`check` works the answers out; the key is there as csv, md, latex and json"
        raise SpecError([Fault("a quiz file holds no key", help=help)])
    if format_ == "toml":
        return toml_lines((quiz,))
    if format_ == "json":
        return _json_lines(quiz, key)
    if format_ == "csv":
        return show.table_lines(sheet(quiz, key), show.View("csv"), stream)
    if format_ in ("md", "latex"):
        from archcalc.render import examsheets

        told = examsheets.markdown_lines if format_ == "md" else examsheets.latex_lines
        return told(quiz, key)
    if format_ != "table":
        raise SpecError(
            [Fault(f"there is no format {quoted(format_)}", help="there are table, csv, md, latex, json, toml")]
        )
    return _text_lines(quiz, key, Screen(stream))


# ---------------------------------------------------------------- what is told


def sheet(quiz: Quiz, key: bool) -> Table:
    """The answer sheet, empty or filled in: a row a layer, the questions one below the other."""
    names = columns_of(quiz)
    heads = {**COLUMNS, ANSWER: ANSWER}
    columns = [Column("question", "question", "text"), Column("layer", "layer", "text")]
    columns += [Column(heads[name], heads[name], "text") for name in names]
    rows = [Row(tuple(_cells(line, names))) for line in (key_lines if key else blank_lines)(quiz)]
    return Table("Answers", tuple(columns), tuple(rows))


def _cells(line: Line, names: Sequence[str]) -> Iterator[Any]:
    yield str(line.question)
    yield line.layer
    for name in names:
        value = line.answer if name == ANSWER else line.cells.get(name)
        yield "" if value is None else str(value)


def heading(question: Question, number: int) -> str:
    """A question in a word or two."""
    return f"{number}. {capitalized(question.level)}" if question.level else f"Question {number}"


def key_sentences(question: Question) -> Iterator[str]:
    """What is right, of a question that is no table to fill in."""
    if question.kind == "mistake":
        given = wrong_cell(question)
        name = f"{given.cell.layer or TOTAL}, {COLUMNS[given.cell.quantity]}"
        yield f"{name}: {given.text} is wrong, {written(question.right(given.cell))} is right."
        for each in causes(question)[:1]:
            yield f"{capitalized(each.name)}: {each.arithmetic}{f' ({each.note})' if each.note else ''}"
    elif question.kind != "table":
        answer = solved(question)
        found = [in_words(question, each) for each in answer.solutions[:MOST_SHOWN]]
        yield found[0] if found else "Nothing solves it."
        if len(answer.series) == 1 and answer.number != 1:
            name = "H" if question.kind == "input" else answer.unknowns[0].name.removeprefix("?")
            yield f"All that solves it: {answer.series[0].text(name)}."
        elif answer.number is not None and answer.number > 1:
            more = f" and {answer.number - len(found)} more" if answer.number > len(found) else ""
            yield f"All that solves it: {'; '.join(found)}{more}."


def derivation(question: Question, script: Script) -> Iterator[Worked]:
    """How the figures of a key come about: all of a table, of a wrong table the right figure."""
    if question.kind == "table":
        for step in steps(question, script):
            if step.entry.numbers or step.entry.formula:
                yield _worked(step.layer, step.entry)
    elif question.kind == "mistake":
        cell = wrong_cell(question).cell
        for step in steps(question, script, cell.layer) if cell.layer else ():
            if step.quantity == cell.quantity:
                yield _worked(step.layer, step.entry)


def _worked(layer: str, entry: Any) -> Worked:
    numbers = tuple(part for part in (entry.formula, entry.numbers, entry.result) if part)
    return Worked(layer, entry.label, numbers, entry.remark)


# ---------------------------------------------------------------- text


def _text_lines(quiz: Quiz, key: bool, screen: Screen) -> Iterator[str]:
    yield screen.paint(screen.plain(title(quiz, key)), "bold")
    for number, question in enumerate(quiz.questions, 1):
        yield ""
        yield screen.paint(heading(question, number), "bold")
        yield from question_lines(question, screen)
        yield from table_lines(question, number, key, screen)
        if key:
            yield from _key_lines(question, screen)
        elif question.kind != "table":
            yield from ["", f"{GAP}answer: {ROOM * 3}"]


def title(quiz: Quiz, key: bool) -> str:
    """What stands above a quiz."""
    return f"{quiz.title}{f', {quiz.student}' if quiz.student else ''}{', key' if key else ''}"


def question_lines(question: Question, screen: Screen) -> Iterator[str]:
    """The task, the net, and the net in words."""
    yield from (screen.plain(line) for line in wrap(task(question), _width(screen), break_on_hyphens=False))
    yield ""
    yield from (f"{GAP}{screen.plain(line)}" for line in question.net.splitlines())
    yield ""
    told = list(words(question))
    indent = max(len(name) for name, _ in told) + 2 * len(GAP)
    for name, text in told:
        folded = wrap(text, max(20, _width(screen) - indent), break_on_hyphens=False)
        yield from (screen.plain(f"{GAP + name if not at else '':{indent}}{part}") for at, part in enumerate(folded))


def table_lines(question: Question, number: int, key: bool, screen: Screen) -> Iterator[str]:
    """The table of a question without its title, a blank line before it; nothing where it has none."""
    if question.kind in ("table", "mistake"):
        told = terminal.lines(table(question, number, key, ROOM), screen, True)
        yield from (f"{GAP}{line}".rstrip() for line in dropwhile(str.strip, told))


def _key_lines(question: Question, screen: Screen) -> Iterator[str]:
    sentences = list(key_sentences(question))
    yield from ["", *(f"{GAP}{screen.plain(line)}" for each in sentences for line in wrap(each, _width(screen) - 2))]
    worked = list(derivation(question, PLAIN))
    yield from [""] * (bool(worked) and bool(sentences))
    layers, labels = (max((len(each[at]) for each in worked), default=0) for at in (0, 1))
    before = ""
    for each in worked:
        name = each.layer if each.layer != before else ""
        before = each.layer
        text = " = ".join(each.parts) + (f", {each.remark}" if each.remark else "")
        head = f"{GAP}{name:{layers}}{GAP}{each.label:{labels}}{GAP}"
        folded = wrap(text, max(30, _width(screen) - len(head)), subsequent_indent=GAP) or [""]
        yield from (screen.plain((head if not at else " " * len(head)) + part) for at, part in enumerate(folded))


def _width(screen: Screen) -> int:
    return max(40, min(screen.width or WIDEST, WIDEST))


# ---------------------------------------------------------------- JSON


def _json_lines(quiz: Quiz, key: bool) -> Iterator[str]:
    """The quiz with its answer sheet, empty or as the key; `check` takes the sheet, which therefore comes first."""
    from archcalc.render.structured import document

    answers = [_record(line) for line in (key_lines if key else blank_lines)(quiz)]
    questions = [_plain(question, number) for number, question in enumerate(quiz.questions, 1)]
    yield document("quiz", title=quiz.title, student=quiz.student or None, answers=answers, questions=questions)


def _record(line: Line) -> dict[str, Any]:
    """A line of the sheet; null is to be filled in, and what does not apply is left out."""
    cells = {_named(name): n for name, n in line.cells.items()}
    record = {"question": line.question, "layer": line.layer, **cells, ANSWER: line.answer}
    return {name: value for name, value in record.items() if value != ""}


def _named(column: str) -> str:
    """A column as a key: `receptive_field`."""
    return COLUMNS[column].partition(" (")[0].replace(" ", "_").lower()


def _plain(question: Question, number: int) -> dict[str, Any]:
    own = {"question": number, "level": question.level or None, "kind": question.kind, "task": task(question)}
    wanted = {"wanted": question.wanted or None, "such_that": question.such_that, "no_drops": question.no_drops}
    rest = wanted if question.kind in ("input", "arguments") else {"columns": tuple(map(_named, question.columns))}
    printed = {"table": table_text(question)} if question.table else {}
    return {**own, "net": question.net, "words": dict(words(question)), **rest, **printed}
