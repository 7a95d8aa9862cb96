"""Workbooks (.xlsx) as cells of text: looked over before they are opened, their formulas never worked out.

A formula has the value that the file holds. Where it holds none, arithmetic is text such as in any other file.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import Any, NamedTuple, NoReturn
from xml.etree import ElementTree

from archcalc.lang.errors import Fault, SpecError

MOST_UNPACKED = 20 * 2**20
MOST_XML = 6 * 2**20  # of it what has to be read
MOST_MEMBERS = 500
MOST_TIMES = 200  # that a large member may be larger than it is packed
LARGE = 2**20
MOST_MERGED = 10_000  # cells that merged ones may fill
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

_ARITHMETIC = r"=[\d\s.+*/^()-]+"  # no cell, no function

Cells = dict[tuple[int, int], str]  # by row and column, both from 1


class Worksheet(NamedTuple):
    """The cells of a worksheet as text, and where formulas stand whose value the file does not hold."""

    name: str
    cells: Cells
    unread: frozenset[tuple[int, int]]


def read_workbook(file: str, data: bytes, rows: int, columns: int) -> list[Worksheet]:
    """The worksheets of a workbook, hidden ones left out, to one row and one column more than so many.

    Raises `SpecError`, also where openpyxl is missing.
    """
    merged = _look_over(file, data)
    from archcalc.frame import open_worksheets

    try:
        values, formulas = (open_worksheets(data, wanted, rows, columns) for wanted in (False, True))
    except ImportError:
        help = "pip install 'archcalc[sheets]', or save the table as CSV"
        raise SpecError([Fault(f"{file}: reading .xlsx needs openpyxl", help=help)]) from None
    except Exception as error:  # whatever a broken workbook makes a reader of workbooks stumble over
        _refuse(file, f"no workbook that can be read ({type(error).__name__})", "save it anew, or as CSV")
    found = []
    for name, cells in values.items():
        told = {at: text for at, value in cells.items() if (text := _text(value))}
        written = {at: str(each) for at, each in formulas[name].items() if _is_formula(each) and at not in told}
        told |= {at: each for at, each in written.items() if re.fullmatch(_ARITHMETIC, each)}
        unread = {at: each for at, each in written.items() if at not in told}
        for first, last in merged.get(name, ()):
            told |= _spread(told, first, last)
        found.append(Worksheet(name, told | unread, frozenset(unread)))
    return found


def _refuse(file: str, why: str, help: str = "") -> NoReturn:
    raise SpecError([Fault(f"{file}: {why}", help=help)])


def _is_formula(value: Any) -> bool:
    return (
        value is not None and (not isinstance(value, str) or value.startswith("=")) and not _text(value)[:1].isdigit()
    )


def _text(value: Any) -> str:
    """A value of a cell as text; numbers of twelve digits, for a computed one is not exact to the last."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        whole = value == value // 1 and abs(value) < 10**15
        return str(int(value)) if whole else f"{value:.12g}"
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return " ".join(str(value).split())


def _spread(cells: Cells, first: tuple[int, int], last: tuple[int, int]) -> Cells:
    """What the first of merged cells holds in each of a column of them."""
    if first not in cells or first[1] != last[1] or last[0] - first[0] > MOST_MERGED:
        return {}
    return {(row, first[1]): cells[first] for row in range(first[0], last[0] + 1)}


# ---------------------------------------------------------------- before it is opened


def _look_over(file: str, data: bytes) -> dict[str, list[tuple[tuple[int, int], tuple[int, int]]]]:
    """The merged cells of each worksheet, if the archive is within the limits and holds nothing odd."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        _refuse(file, "an old Office file, or one with a password", "save it without a password as .xlsx or CSV")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _weigh(file, archive.infolist())
            parts = {info.filename: archive.read(info) for info in archive.infolist() if _is_xml(info)}
    except SpecError:
        raise
    except Exception as error:  # a broken archive: wrong sums, unknown packing, names that are no names
        _refuse(file, f"no workbook: the archive cannot be read ({type(error).__name__})", "save it anew, or as CSV")
    for name, part in parts.items():
        if b"\0" in part or re.search(rb"<!\s*(?:DOCTYPE|ENTITY)", part, re.IGNORECASE):
            _refuse(file, f"a workbook whose part {name[:80]!r} is not as spreadsheets write it", "save it as CSV")
    try:
        return {name: list(_merged(parts[path])) for name, path in _sheets(parts) if path in parts}
    except (ElementTree.ParseError, KeyError, ValueError, RecursionError) as error:
        _refuse(file, f"no workbook that can be read ({type(error).__name__})", "save it anew, or as CSV")


def _is_xml(info: zipfile.ZipInfo) -> bool:
    return info.filename.lower().endswith((".xml", ".rels", ".vml"))


def _weigh(file: str, members: list[zipfile.ZipInfo]) -> None:
    """Refuses what would be too much when unpacked: the sizes are those at which reading stops."""
    unpacked = sum(info.file_size for info in members)
    if len(members) > MOST_MEMBERS:
        _refuse(file, f"an archive of {len(members):,} files; a workbook has at most {MOST_MEMBERS}")
    if unpacked > MOST_UNPACKED:
        _refuse(file, f"{unpacked:,} bytes when unpacked; at most {MOST_UNPACKED:,} are read")
    if sum(info.file_size for info in members if _is_xml(info)) > MOST_XML:
        _refuse(
            file, f"more than {MOST_XML:,} bytes of cells when unpacked", "hand in the sheet with the answers alone"
        )
    for info in members:
        if info.flag_bits & 1:
            _refuse(file, "an archive with a password", "save it without one")
        if info.file_size > LARGE and info.file_size > MOST_TIMES * max(1, info.compress_size):
            _refuse(file, f"an archive that unpacks to more than {MOST_TIMES} times its size")


def _sheets(parts: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """The worksheets by name, and the part of the archive that each stands in."""
    relations = ElementTree.fromstring(parts["xl/_rels/workbook.xml.rels"])
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    for sheet in ElementTree.fromstring(parts["xl/workbook.xml"]).iter():
        target = targets.get(sheet.get(_RELATION))
        if sheet.tag.endswith("}sheet") and target:
            yield sheet.get("name", ""), target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _merged(part: bytes) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for found in re.finditer(rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"', part):
        columns = [_column(letters.decode()) for letters in (found[1], found[3])]
        yield (int(found[2]), columns[0]), (int(found[4]), columns[1])


def _column(letters: str) -> int:
    """The number of a column, from 1.

    >>> _column("A"), _column("AA")
    (1, 27)
    """
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number
