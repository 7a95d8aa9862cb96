"""Where quizzes are written to: one place, or the files of a folder, for one sheet or for a class."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from archcalc.homework.exercises.quizfiles import toml_lines
from archcalc.homework.exercises.quizzes import Quiz
from archcalc.homework.exercises.rosters import file_names
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.render import progress
from archcalc.render.exercises import lines
from archcalc.render.feedback import harmless

ENDINGS = {"md": "md", "latex": "tex", "csv": "csv"}
TEXT = "table"  # the format that goes to no file of a folder
KEYS, INDEX, ALL = "keys", "index.csv", "quiz.toml"  # of a class
Told = Callable[[TextIO], Iterator[str]]


class Wanted(NamedTuple):
    """How a quiz is wanted, and where: nowhere is standard output."""

    format: str = TEXT
    key: bool = False
    path: str | None = None


def targets(quizzes: Sequence[Quiz], wanted: Wanted) -> Iterator[tuple[str | None, Told]]:
    """What is to be written, and where to.

    Raises `SpecError` before anything is written: for a class without a folder, for a format of a folder, which has
    all, and for what stands in the way.
    """
    whole = any(quiz.student for quiz in quizzes)
    if whole and wanted.path is None:
        raise SpecError([Fault("the quizzes of a class need a folder", help="such as `-o exam/`")])
    folder = Path(wanted.path) if whole and wanted.path else _folder(wanted.path)
    if folder is None:
        yield wanted.path, _told(quizzes[0], wanted.key, wanted.format)
        return
    said = [name for name, there in (("--format", wanted.format != TEXT), ("--key", wanted.key)) if there]
    if said:
        raise SpecError([Fault(f"a folder gets quiz and key in all formats: `{said[0]}` is for a single file")])
    files = dict(_of_class(quizzes) if whole else _of_one(quizzes[0]))
    _refuse_others(folder, files)
    for name, text in files.items():
        _make(folder / Path(name).parent)
        yield str(folder / name), _again(text)


def _told(quiz: Quiz, key: bool, format_: str) -> Told:
    return lambda stream: lines(quiz, key, format_, stream)


def _again(text: str) -> Told:
    return lambda stream: iter(text.splitlines())


def _folder(path: str | None) -> Path | None:
    """The folder that is meant; None for a file or for standard output."""
    if not path or not (path.endswith(("/", os.sep)) or Path(path).is_dir()):
        return None
    return Path(path)


def _of_one(quiz: Quiz) -> Iterator[tuple[str, str]]:
    """The quiz and its key, each in all formats for paper and hand-in, and the quiz for `check`."""
    for name, key in (("quiz", False), ("key", True)):
        yield from ((f"{name}.{ending}", _text(quiz, key, format_)) for format_, ending in ENDINGS.items())
    yield ALL, _text(quiz, False, "toml")


def _of_class(quizzes: Sequence[Quiz]) -> Iterator[tuple[str, str]]:
    """A folder for each student, with nothing of the key; the keys apart, and a list of all."""
    names = file_names([quiz.student for quiz in quizzes])
    index = [["student", "folder", "key"]]
    with progress.told(sys.stderr) as tell:
        for at, (name, quiz) in enumerate(zip(names, quizzes, strict=True)):
            tell(quiz.student, at, len(quizzes))
            for format_, ending in ENDINGS.items():
                yield f"{name}/quiz.{ending}", _text(quiz, False, format_)
                yield f"{KEYS}/{name}.{ending}", _text(quiz, True, format_)
            yield f"{name}/{ALL}", _text(quiz, False, "toml")
            index.append([harmless(quiz.student), name, f"{KEYS}/{name}.md"])
    yield f"{KEYS}/{ALL}", _joined(toml_lines(quizzes))
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(index)
    yield INDEX, buffer.getvalue()


def _text(quiz: Quiz, key: bool, format_: str) -> str:
    return _joined(lines(quiz, key, format_, io.StringIO()))


def _joined(told: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in told)


# ---------------------------------------------------------------- what stands in the way


def _refuse_others(folder: Path, files: dict[str, str]) -> None:
    """Raises `SpecError` where another file has the name of one that is to be written; the same one may."""
    faults = []
    for name, text in files.items():
        path = folder / name
        try:
            if (path.exists() or path.is_symlink()) and path.read_bytes() != text.encode("utf-8", "replace"):
                message = f"{quoted(str(path), 200)} is there already, and is another"
                faults.append(Fault(message, help="take another folder, or remove it"))
        except OSError as error:
            faults.append(Fault(f"cannot write {quoted(str(path), 200)}: {(error.strerror or str(error)).lower()}"))
    if faults:
        more = f"{len(faults) - 1:,} more files are in the way" if len(faults) > 1 else ""
        raise SpecError([faults[0]._replace(notes=(more,) if more else ())])


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise SpecError([Fault(f"cannot make {quoted(str(folder), 200)}: {(why or str(error)).lower()}")]) from None
