"""Quizzes to be handed out: as Markdown, and as LaTeX documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import dropwhile

from archcalc.homework.exercises.questions import Question
from archcalc.homework.exercises.quizzes import Quiz
from archcalc.notation.escapes import escaped
from archcalc.notation.formulas import LATEX, TEXT
from archcalc.render import markdown
from archcalc.render.exercises import Worked, derivation, heading, key_sentences, sheet, title
from archcalc.render.questions import table, task, words
from archcalc.render.table import Table, text_of, title_of

# ---------------------------------------------------------------- Markdown


def markdown_lines(quiz: Quiz, key: bool) -> Iterator[str]:
    """The questions, and at the end the answer sheet as one table; of a key the sheet comes first."""
    yield f"# {markdown.escaped(title(quiz, key))}"
    if key:
        yield from _markdown_table(sheet(quiz, key))
    for number, question in enumerate(quiz.questions, 1):
        yield from ["", f"## {heading(question, number)}", ""]
        yield from _markdown_key(question) if key else _markdown_question(question, number)
    if not key:
        yield from ["", "## Answers", "", "Fill in this table, and hand in the file."]
        yield from _markdown_table(sheet(quiz, key))


def _markdown_table(found: Table) -> Iterator[str]:
    """A table below a blank line, without its title."""
    return dropwhile(str.strip, markdown.lines(found, True))


def _markdown_question(question: Question, number: int) -> Iterator[str]:
    yield markdown.escaped(task(question))
    yield from ["", "```text", *question.net.splitlines(), "```", ""]
    yield from (f"- `{name}`: {markdown.escaped(text)}" for name, text in words(question))
    if question.kind == "mistake":
        yield from _markdown_table(table(question, number, False))


def _markdown_key(question: Question) -> Iterator[str]:
    yield from ["```text", *question.net.splitlines(), "```"]
    for sentence in key_sentences(question):
        yield from ["", markdown.escaped(sentence)]
    worked = list(derivation(question, TEXT))
    yield from [""] * bool(worked)
    for each in worked:
        remark = f", {each.remark}" if each.remark else ""
        yield f"- `{each.layer}` {markdown.escaped(each.label)}: `{' = '.join(each.parts)}`{markdown.escaped(remark)}"


# ---------------------------------------------------------------- LaTeX

_HEAD = (
    r"\documentclass[11pt,a4paper]{article}",
    r"\usepackage[T1]{fontenc}",
    r"\usepackage[utf8]{inputenc}",
    r"\usepackage{amsmath, booktabs}",
    r"\usepackage[margin=2.2cm]{geometry}",
    r"\setlength{\parindent}{0pt}",
    r"\begin{document}",
)
_T1 = ("cp1252", "latin2", "latin5")  # whose letters T1, the Cork encoding, has: Latin-1, -2, -5, and quotes
_ROOM = r"\hspace{2.6cm}"


def latex_lines(quiz: Quiz, key: bool) -> Iterator[str]:
    """A document of its own: an exam sheet with room for the answers, or its key."""
    yield from _HEAD
    yield rf"\section*{{{escaped(quiz.title)}{', key' if key else ''}}}"
    yield from ["", *_name(quiz.student)] if quiz.student or not key else []
    for number, question in enumerate(quiz.questions, 1):
        yield from ["", rf"\subsection*{{{escaped(heading(question, number))}}}"]
        yield from ([] if key else [escaped(task(question))])
        yield from [r"\begin{verbatim}", *question.net.splitlines(), r"\end{verbatim}"]
        if not key:
            items = (rf"  \item \texttt{{{escaped(name)}}}: {escaped(text)}" for name, text in words(question))
            yield from [r"\begin{itemize}", *items, r"\end{itemize}"]
        if question.kind == "table" or (question.kind == "mistake" and not key):
            yield from _tabular(table(question, number, key, _ROOM))
        yield from _latex_key(question) if key else _latex_room(question)
    yield from ["", r"\end{document}"]


def _name(student: str) -> Iterator[str]:
    """Whose sheet it is; a rule to write on where nobody is named, or in letters that the document's fonts lack."""
    known = all(any(_holds(encoding, char) for encoding in _T1) for char in student)
    yield from [] if known else [f"% {escaped(student)}"]
    yield rf"Name: {escaped(student)}" if student and known else r"Name: \hrulefill"


def _holds(encoding: str, char: str) -> bool:
    return bool(char.encode(encoding, "ignore"))


def _tabular(found: Table) -> Iterator[str]:
    yield from [r"\begin{center}", r"\renewcommand{\arraystretch}{1.5}"]
    yield rf"\begin{{tabular}}{{{''.join('r' if column.right else 'l' for column in found.columns)}}}"
    yield r"\toprule"
    yield _line([escaped(title_of(column, True)) for column in found.columns])
    yield r"\midrule"
    for row in found.rows:
        pairs = zip(row.cells, found.columns, strict=True)
        yield _line([cell if cell == _ROOM else escaped(text_of(cell, column, True)) for cell, column in pairs])
        if _ROOM in row.cells:
            yield rf"\cmidrule(l){{2-{len(row.cells)}}}"
    yield from [r"\bottomrule", r"\end{tabular}", r"\end{center}"]


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex_room(question: Question) -> Iterator[str]:
    if question.kind != "table":
        yield from ["", r"Answer: \hrulefill"]


def _latex_key(question: Question) -> Iterator[str]:
    for sentence in key_sentences(question):
        yield from ["", escaped(sentence)]
    worked = list(derivation(question, LATEX))
    if worked:
        yield from ["", r"\begin{itemize}", *map(_item, worked), r"\end{itemize}"]


def _item(each: Worked) -> str:
    remark = f", {escaped(each.remark)}" if each.remark else ""
    formula = " = ".join(each.parts)
    return rf"  \item \texttt{{{escaped(each.layer)}}}, {escaped(each.label)}: ${formula}${remark}"
