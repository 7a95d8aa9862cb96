"""The submissions of a class: a file, or a folder of files, each marked by itself; a bad one stops no other."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.expectations import unmet
from archcalc.homework.answers import Marked
from archcalc.homework.exercises import mark_quiz
from archcalc.homework.exercises.quizreading import read_quizzes
from archcalc.homework.marking import mark
from archcalc.homework.reading import read_submission
from archcalc.homework.rubric import DEFAULT, Rubric, read_rubric, refuse_strangers
from archcalc.homework.sheets import TYPES
from archcalc.homework.submissions import Checked, Paper
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.library import load, read_spec

Judge = Callable[[Path], Marked]
Tell = Callable[[str, int, int], None]  # what is done next, its number, how many there are
HANDED_IN = (  # also answers, if none that can be read: whose they are is told
    *(".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".doc", ".docx", ".odt", ".pages", ".rtf", ".pdf"),
    *TYPES,
)
FOREIGN = ("__MACOSX",)  # what macOS puts into archives beside the files
MOST_NAMED = 4
LONGEST = 200  # letters of a file's name in a fault


class Terms(NamedTuple):
    """What a class is marked by, beside the net."""

    rubric: Path | None = None
    solutions: bool = True
    input: str | None = None
    batch: int | None = None
    dtype: str | None = None


OURS = Terms()


def check(answers: Path, arch: str, terms: Terms = OURS, tell: Tell | None = None) -> Checked:
    """A file of answers, or a folder of them, marked against a net or, as a .toml file, against a quiz.

    Raises `SpecError` for faults of the net, the rubric or the quiz; those of answers are told by what is returned.
    """
    rubric = _rubric(terms)
    name, judge = _against_quiz(arch, rubric, terms) if arch.endswith(".toml") else _against_net(arch, rubric, terms)
    if not os.path.isdir(answers):  # of a name that is too long pathlib raises
        return Checked(name, (_paper(answers, answers.name, answers.stem, judge),), False, terms.solutions)
    found, skipped = _handed_in(answers, terms.rubric)
    if not found:
        nobody = Paper(answers.name, answers.name, None, (_empty(answers),))
        return Checked(name, (nobody,), False, terms.solutions, tuple(skipped))
    papers = []
    for at, (name_, student, path) in enumerate(found):
        if tell is not None:
            tell("marking", at, len(found))  # the names of files are not ours to print
        papers.append(_paper(path, name_, student, judge))
    return Checked(name, tuple(papers), True, terms.solutions, tuple(skipped))


def refuse_within(answers: Path, path: str | None) -> None:
    """Raises `SpecError` where what is written would replace answers, or be taken for some the next time."""
    if path is None or path == "-":
        return
    own, target = (Path(os.path.realpath(each)) for each in (answers, path))
    if target == own or own in target.parents:
        message = f"{quoted(path, LONGEST)} would stand among the answers"
        raise SpecError([Fault(message, help="write to another folder: what lies in this one is marked")])


def _rubric(terms: Terms) -> Rubric:
    """The rubric of the file, or ours, for the batch and the type of numbers that are asked for."""
    rubric = DEFAULT if terms.rubric is None else read_rubric(read_spec(terms.rubric))
    batch, dtype = terms.batch or rubric.batch, terms.dtype or rubric.dtype
    return rubric._replace(batch=batch, dtype=dtype)


def _against_net(arch: str, rubric: Rubric, terms: Terms) -> tuple[str, Judge]:
    built = load(arch).build(terms.input)
    report = measure(built.graph, built.assumptions)
    faults = unmet(report, built.claimed) or _symbols(report)
    if faults:
        raise SpecError(faults)
    refuse_strangers(rubric, report)

    def judge(path: Path) -> Marked:
        return mark(read_submission(path, report), report, rubric, terms.solutions)

    return report.graph.name, judge


def _symbols(report: Report) -> list[Fault]:
    if not report.assumptions and all(isinstance(n, int) for n in report.total()):
        return []
    sizes = " and ".join(str(row.output) for row in report.rows if not row.inputs)
    message = f"{quoted(report.graph.name)} has symbols in its input {sizes}: answers are numbers"
    return [Fault(message, help="give it one in numbers: `--input 224x224x3`")]


def _against_quiz(arch: str, rubric: Rubric, terms: Terms) -> tuple[str, Judge]:
    if terms.input is not None:
        raise SpecError([Fault("a quiz has nets of its own", help="leave out `--input`")])
    source = read_spec(Path(arch))
    quizzes = read_quizzes(source)  # its faults are not those of answers
    name = quizzes[0].title if len(quizzes) == 1 else Path(arch).stem
    return name, lambda path: mark_quiz(path, source, rubric, terms.solutions)


def _paper(path: Path, name: str, student: str, judge: Judge) -> Paper:
    if os.path.isdir(path):
        return Paper(name, student, None, (_empty(path),))
    try:
        marked = judge(path)
    except SpecError as error:
        return Paper(name, student, None, tuple(_named(fault, path, name) for fault in error.faults))
    except Exception as error:  # a file that nobody thought of must not cost the others their marks
        message = f"{name}: {type(error).__name__}: {quoted(str(error), LONGEST)}"
        return Paper(name, student, None, (Fault(message, help="this is a fault of archcalc: please report it"),))
    return Paper(name, student, marked._replace(submission=marked.submission._replace(name=name)))


def _named(fault: Fault, path: Path, name: str) -> Fault:
    """A fault that tells the file by its name from the folder on."""
    return fault._replace(message=f"{name}: {fault.message.removeprefix(f'{path.name}: ')}")


# ---------------------------------------------------------------- the folder


def _handed_in(folder: Path, rubric: Path | None) -> tuple[list[tuple[str, str, Path]], list[tuple[str, str]]]:
    """The submissions of a folder, name, student and path; and what was left aside, with why."""
    found: list[tuple[str, str, Path]] = []
    skipped: list[tuple[str, str]] = []
    apart = Path(os.path.realpath(rubric)) if rubric is not None else None
    for path in _listed(folder):
        why = _why_not(path, apart)
        if why:
            skipped.append((path.name, why))
        elif path.is_dir():
            own, left = _of_student(path, apart)
            found += own
            skipped += left
        elif path.suffix.lower() in HANDED_IN:
            found.append((path.name, path.stem, path))
        else:
            skipped.append((path.name, "no type of answers"))
    return found, skipped


def _of_student(folder: Path, apart: Path | None) -> tuple[list[tuple[str, str, Path]], list[tuple[str, str]]]:
    """As `_handed_in`, of a student's folder; without answers it stands for them itself: no student gets lost."""
    found: list[tuple[str, str, Path]] = []
    skipped: list[tuple[str, str]] = []
    for path in _listed(folder):
        name = f"{folder.name}/{path.name}"
        why = _why_not(path, apart) or ("a folder within a student's" if path.is_dir() else "")
        if not why and path.suffix.lower() not in HANDED_IN:
            why = "no type of answers"
        if why:
            skipped.append((name, why))
        else:
            found.append((name, folder.name, path))
    return found or [(f"{folder.name}/", folder.name, folder)], skipped


def _listed(folder: Path) -> list[Path]:
    """What lies in a folder, by name. Raises `SpecError`."""
    try:
        return sorted(folder.iterdir(), key=lambda path: path.name)
    except OSError as error:
        message = f"cannot read {quoted(str(folder), LONGEST)}: {(error.strerror or str(error)).lower()}"
        raise SpecError([Fault(message)]) from None


def _why_not(path: Path, apart: Path | None) -> str:
    """Why a file or a folder is left aside; empty where it is not."""
    if path.name.startswith("."):
        return "hidden"
    if path.name in FOREIGN:
        return "made by macOS"
    if path.is_symlink():
        return "a link"
    if path.resolve() == apart:
        return "the rubric"
    return "" if path.is_file() or path.is_dir() else "no file"


def _empty(folder: Path) -> Fault:
    names = [path.name for path in _listed(folder)]
    held = f": it holds {', '.join(quoted(name) for name in names[:MOST_NAMED])}" if names else ""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    message = f"there are no answers in {quoted(folder.name, LONGEST)}{held}{more}"
    return Fault(message, help=f"answers are files in {', '.join(TYPES)}")
