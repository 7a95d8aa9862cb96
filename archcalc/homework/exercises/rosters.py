"""Who gets an exercise: the names of a class from a file, and the names of their files."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from archcalc.files import read_spec
from archcalc.lang.errors import Fault, SpecError, quoted

MOST = 2000
LONGEST = 200  # letters of a name
NAMES = ("name", "student", "student name", "full name", "fullname", "students", "names", "nom", "nombre", "nome")
FIRST = ("first name", "firstname", "given name", "vorname", "prénom", "nome proprio")
LAST = ("last name", "lastname", "surname", "family name", "nachname", "nom de famille", "apellidos", "cognome")
LONGEST_FILE = 60
# Names that Windows keeps for itself, and those that lie beside the students' folders.
TAKEN = frozenset(("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)), "keys"))


def read_roster(path: Path) -> tuple[str, ...]:
    """The names of a class, each once: a second student of a name is told apart, `Anna Berg (2)`.

    A CSV or TSV file with a column `name` or `student`, or `first name` and `last name`; without such a heading its
    first column. Of any other file each line is a name. Raises `SpecError`.
    """
    source = read_spec(path)
    lines = [line for line in source.text.splitlines() if line.strip()]
    if path.suffix.lower() in (".csv", ".tsv"):
        lines = list(_in_columns(lines))
    elif lines and lines[0].strip().lower() in NAMES:
        lines = lines[1:]
    names = [" ".join(_printable(unicodedata.normalize("NFC", line)).split()) for line in lines]
    found = [name[:LONGEST] for name in names if name]
    if not found:
        raise SpecError([Fault(f"there are no names in {quoted(str(path), 200)}", help="write one on each line")])
    if len(found) > MOST:
        raise SpecError([Fault(f"{len(found):,} names in {quoted(str(path), 200)}; at most {MOST:,} are taken")])
    return tuple(_apart(found))


def _in_columns(lines: Sequence[str]) -> Iterable[str]:
    """The names in the cells of a table."""
    mark = max(",;\t", key=lambda each: lines[0].count(each)) if lines else ","
    try:
        rows = [*csv.reader((f"{line}\n" for line in lines), delimiter=mark)]
    except csv.Error as error:
        raise SpecError([Fault(f"the names are no CSV: {error}")]) from None
    heads = [cell.strip().lower() for cell in rows[0]] if rows else []
    columns = [at for at, head in enumerate(heads) if head in NAMES][:1]
    if not columns:
        columns = [at for some in (FIRST, LAST) for at, head in enumerate(heads) if head in some]
    rows = rows[1:] if columns else rows
    return (" ".join(row[at] for at in columns or [0] if at < len(row)) for row in rows)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _apart(names: Sequence[str]) -> Iterable[str]:
    """Names with a number behind those that were there before."""
    known: set[str] = set()
    for name in names:
        told, number = name, 1
        while told in known:
            number += 1
            told = f"{name} ({number})"
        known.add(told)
        yield told


def file_name(name: str) -> str:
    """A name as a file may be called anywhere: letters and digits of any script, small, `-` for all else.

    >>> file_name("Anna Müller-Weiß"), file_name("../../etc/passwd"), file_name("Con"), file_name("李 雷")
    ('anna-muller-weiss', 'etc-passwd', 'con-student', '李-雷')
    """
    letters = "".join(
        char for char in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(char)
    )
    plain = re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", letters)).strip("-")[:LONGEST_FILE].strip("-")
    return f"{plain}-student" if plain in TAKEN else plain or "student"


def file_names(names: Sequence[str]) -> tuple[str, ...]:
    """A file name for each name, no two alike."""
    found: dict[str, None] = {}
    for name in names:
        plain = told = file_name(name)
        number = 1
        while told in found:
            number += 1
            told = f"{plain}-{number}"
        found[told] = None
    return tuple(found)
