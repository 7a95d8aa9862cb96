"""Files that students hand in, as grids of text: CSV, TSV, Markdown, JSON, TOML and .xlsx.

Whatever a file holds, it is read within limits or refused with a `SpecError`; nothing in it is ever run.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile, zip_longest
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from archcalc.files import MOST_BYTES
from archcalc.homework.answers import QUANTITIES, Place
from archcalc.homework.figures import has_decimal_comma
from archcalc.homework.headings import find_headings, read_heading
from archcalc.homework.workbooks import Worksheet, read_workbook
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.lang.source import Source
from archcalc.lang.tomlfiles import read_toml

MOST_ROWS = 10_000
MOST_COLUMNS = 200
MOST_CHARACTERS = 1_000  # of a cell; what is longer is cut
MOST_WORKBOOK = 8 * 2**20  # bytes of an .xlsx file as it is handed in
TYPES = (".csv", ".tsv", ".tab", ".txt", ".md", ".markdown", ".json", ".toml", ".xlsx")


class Grid(NamedTuple):
    """A table of text cells, as it stands in a file."""

    file: str
    rows: tuple[tuple[str, ...], ...]
    places: tuple[str, ...]  # of each row: `line 3`, `row 2`; of a worksheet its number
    sheet: str = ""  # the worksheet, where there are several
    letters: bool = False  # cells are named as in a worksheet: B7
    unread: frozenset[tuple[int, int]] = frozenset()  # formulas without a value: row, column
    remarks: tuple[str, ...] = ()
    decimal_comma: bool = False  # its numbers have decimal commas, as some of them show

    def place(self, row: int, column: int, title: str) -> Place:
        """Where a cell stands; `title` is that of its column."""
        if self.letters:
            cell = f"{letters_of(column)}{self.places[row]}"
            return Place(self.file, f"{self.sheet}!{cell}" if self.sheet else cell)
        return Place(self.file, f"{self.places[row]}, {title}" if title else self.places[row])


def read_grids(path: Path) -> tuple[Grid, ...]:
    """The tables of a file, those that have headings that are known first. Raises `SpecError`."""
    suffix = path.suffix.lower()
    data = _bytes(path, MOST_WORKBOOK if suffix == ".xlsx" else MOST_BYTES)
    if suffix == ".xlsx":
        return _checked(
            [_of_sheet(path.name, each) for each in read_workbook(path.name, data, MOST_ROWS, MOST_COLUMNS)]
        )
    _refuse_others(path.name, suffix, data)
    text, remarks = decode(path.name, data)
    readers = {".json": _json, ".toml": _toml, ".md": _markdown, ".markdown": _markdown}
    grids = readers.get(suffix, _sniffed)(Source(path.name, text))
    return _checked([grid._replace(remarks=(*remarks, *grid.remarks)) for grid in grids])


def turned(grid: Grid) -> Grid:
    """A table whose layers stand side by side, with a layer in each row; its cells are named by layer and heading."""
    rows = tuple(zip_longest(*grid.rows, fillvalue=""))
    places = tuple(next((cell for cell in row if cell), f"column {at}") for at, row in enumerate(rows, 1))
    unread = frozenset((column, row) for row, column in grid.unread)
    return grid._replace(rows=rows, places=places, letters=False, unread=unread)


def letters_of(column: int) -> str:
    """The name of a column of a worksheet, the first of them 0.

    >>> letters_of(0), letters_of(25), letters_of(26)
    ('A', 'Z', 'AA')
    """
    letters = ""
    while column >= 0:
        column, at = divmod(column, 26)
        letters, column = chr(ord("A") + at) + letters, column - 1
    return letters


def _refuse(file: str, why: str, help: str = "") -> NoReturn:
    raise SpecError([Fault(f"{file}: {why}", help=help)])


def _bytes(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        _refuse(path.name, f"cannot be read: {(error.strerror or str(error)).lower()}")
    except ValueError:  # a NUL in the name
        _refuse(quoted(str(path), 200), "is not the name of a file")
    if len(data) > most:
        _refuse(path.name, f"larger than {most:,} bytes")
    return data


def _checked(grids: Sequence[Grid]) -> tuple[Grid, ...]:
    """The grids, their cells cut to a length, if they are within the limits."""
    for grid in grids:
        if len(grid.rows) > MOST_ROWS or (grid.letters and grid.rows and int(grid.places[-1]) > MOST_ROWS):
            _refuse(grid.file, f"more than {MOST_ROWS:,} rows")
        if any(len(row) > MOST_COLUMNS for row in grid.rows):
            _refuse(grid.file, f"more than {MOST_COLUMNS:,} columns")
    return tuple(map(_finished, grids))


def _finished(grid: Grid) -> Grid:
    rows = tuple(tuple(map(_cut, row)) for row in grid.rows)
    commas = any(has_decimal_comma(cell) for row in rows for cell in row if "," in cell)
    return grid._replace(rows=rows, decimal_comma=commas)


def _cut(cell: str) -> str:
    return cell if len(cell) <= MOST_CHARACTERS else cell[:MOST_CHARACTERS] + "…"


# ---------------------------------------------------------------- bytes to text

_MAGIC = (
    (
        b"PK\x03\x04",
        "a zip archive",
        "an Excel workbook has the ending .xlsx; a LibreOffice one: save it as CSV or .xlsx",
    ),
    (b"\xd0\xcf\x11\xe0", "an old or a protected Office file", "save it without a password as CSV or .xlsx"),
    (b"%PDF", "a PDF", "save the table as CSV or .xlsx"),
    (b"\x89PNG", "a picture", "type the table as CSV, Markdown or .xlsx"),
    (b"\xff\xd8\xff", "a picture", "type the table as CSV, Markdown or .xlsx"),
    (b"\x1f\x8b", "a compressed file", "unpack it"),
    (b"{\\rtf", "an RTF document", "save the table as CSV or .xlsx"),
)
_OTHERS = (
    *(".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".doc", ".docx", ".odt", ".rtf", ".pdf", ".html", ".htm", ".zip"),
    *(".png", ".jpg", ".jpeg", ".heic", ".pages", ".ipynb", ".py", ".tex", ".xml", ".gz", ".7z", ".rar"),
)


def _refuse_others(file: str, suffix: str, data: bytes) -> None:
    for start, what, help in _MAGIC:
        if data.startswith(start):
            _refuse(file, f"{what}, not a table in text", help)
    if suffix in _OTHERS:
        _refuse(file, f"`{suffix}` files are not read", "save the table as CSV or .xlsx")


def decode(file: str, data: bytes) -> tuple[str, tuple[str, ...]]:
    """The text of a file, its line ends made one, and what has to be said of its encoding. Raises `SpecError`.

    UTF-8, with or without a byte order mark, or UTF-16 and UTF-32 with one; what is none of these is read as
    Windows-1252.
    """
    marks = ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
    encoding = next((name for mark, name in marks if data.startswith(mark)), "utf-8-sig")
    remarks: tuple[str, ...] = ()
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8-sig":
            _refuse(file, f"not {encoding.upper()}, though it begins as such", "save it as UTF-8")
        text = data.decode("cp1252", "replace")
        line = data.count(b"\n", 0, error.start) + 1
        remarks = (f"the file is not UTF-8 (line {line}): it is read as Windows-1252",)
    if "\0" in text:
        _refuse(file, "not a text: it holds NUL bytes", "save the table as CSV in UTF-8, or as .xlsx")
    strange = sum(not char.isprintable() and char not in "\n\r\t\v\f\u2028" and char < "\xa0" for char in text)
    if strange * 20 > len(text):
        _refuse(file, "not a text: it is full of control characters", "save the table as CSV in UTF-8, or as .xlsx")
    return text.replace("\r\n", "\n").replace("\r", "\n"), remarks


# ---------------------------------------------------------------- text to grids


def _sniffed(source: Source) -> list[Grid]:
    """The grid of a text of unknown kind: JSON, else a Markdown table, else cells between separators."""
    if source.text.lstrip()[:1] in ("{", "[") and not re.match(r"\s*\[[^\"'{\[]*\]", source.text):
        return _json(source)
    tables = _tables(source)
    return tables if any(find_headings(grid.rows) for grid in tables) else [_separated(source)]


def _separated(source: Source) -> Grid:
    """Cells between commas, semicolons, tabs or bars: whichever makes the most headings known."""
    said = re.match(r"sep=(.)\n", source.text)
    marks = (said[1],) if said else ("\t",) if source.name.lower().endswith((".tsv", ".tab")) else ",;\t|"
    text = (source.text[said.end() :] if said else source.text).translate(_BARS)
    found: list[tuple[tuple[int, int], Grid]] = []
    fault = ""
    for mark in (*marks, *(mark for mark in ",;\t|" if mark not in marks and not said)):
        try:
            grid = _parted(source.name, text, mark, 1 + bool(said))
        except csv.Error as error:
            fault = fault or _CSV_FAULTS.get(str(error).partition(" (")[0], str(error))
        else:
            found.append((_known(grid), _regrouped(grid) if mark == "," else grid))
    if not said:
        grid = _aligned(source.name, text)
        found.append((_known(grid), grid))
    known, best = max(found, key=lambda each: each[0], default=((0, 0), None))  # of equals the first
    if best is None or (fault and not any(known)):
        _refuse(source.name, f"no table that can be read: {fault}")
    return best


_BARS = str.maketrans("│┃║", "|||")
_BORDER = re.compile(r"[\s|=_+─-╿-]*")


def _known(grid: Grid) -> tuple[int, int]:
    """How many headings are known, and how many if the layers stand side by side."""
    straight = find_headings(grid.rows)
    sideways = None if straight or len(grid.rows) > MOST_COLUMNS else find_headings(turned(grid).rows)
    return straight.known if straight else 0, sideways.known if sideways else 0


_CSV_FAULTS = {
    "unexpected end of data": "a quotation mark is not closed",
    "field larger than field limit": f"a cell of more than {csv.field_size_limit():,} characters",
}


def _parted(file: str, text: str, mark: str, first: int) -> Grid:
    rows, places, line = [], [], first
    reader = csv.reader(io.StringIO(text), delimiter=mark, strict=True, skipinitialspace=True)
    for row in reader:
        if not _BORDER.fullmatch("".join(row)):
            cells = [cell.strip() for cell in row]
            if mark == "|" and not cells[0] and not cells[-1]:
                cells = cells[1:-1]
            rows.append(_bracketed(cells) if mark == "," else tuple(cells))
            places.append(f"line {line}")
        line = first + reader.line_num
        if len(rows) > MOST_ROWS:
            break
    return Grid(file, tuple(rows), tuple(places))


def _bracketed(cells: list[str]) -> tuple[str, ...]:
    """Cells with those together that commas within brackets have parted: `(96,55,55)`."""
    whole: list[str] = []
    for cell in cells:
        if whole and whole[-1][:1] in _OPEN and _depth(whole[-1]) > 0:
            whole[-1] += f",{cell}"
        else:
            whole.append(cell)
    return tuple(cells if any(cell[:1] in _OPEN and _depth(cell) for cell in whole) else whole)


_OPEN = ("(", "[")


def _depth(cell: str) -> int:
    return sum(cell.count(mark) for mark in _OPEN) - sum(cell.count(mark) for mark in ")]")


def _regrouped(grid: Grid) -> Grid:
    """The cells of rows longer than the headings with those together that commas between thousands have parted."""
    headings = find_headings(grid.rows)
    if headings is None:
        return grid
    width = len(headings.columns)
    rows = list(grid.rows)
    mended: list[str] = []
    left: list[str] = []
    for at, row in enumerate(grid.rows[headings.row + 1 :], headings.row + 1):
        if any(row[width:]):
            ways = list(islice(_in_thousands(row, width), 2))
            rows[at] = ways[0] if len(ways) == 1 else row
            (mended if len(ways) == 1 else left).append(grid.places[at])
    told = (
        (mended, "commas between thousands are taken for no separators"),
        (left, "a number with commas needs quotes"),
    )
    remarks = (f"{_first(places)} more cells than headings: {what}" for places, what in told if places)
    return grid._replace(rows=tuple(rows), remarks=(*grid.remarks, *remarks))


def _first(places: Sequence[str]) -> str:
    return f"{places[0]} and {len(places) - 1} more have" if len(places) > 1 else f"{places[0]} has"


def _in_thousands(row: tuple[str, ...], width: int) -> Iterator[tuple[str, ...]]:
    """The ways to put cells together to numbers in thousands, `34` and `944`, so that there are so many."""
    surplus = len(row) - width
    if surplus <= 0 or not row:
        yield from [row] if surplus == 0 else []
        return
    longest = 1 + sum(1 for _ in takewhile(lambda cell: re.fullmatch(r"\d{3}", cell), row[1:]))
    for length in range(min(longest, surplus + 1) if re.fullmatch(r"\d{1,3}", row[0]) else 1, 0, -1):
        rest = _in_thousands(row[length:], width - 1) if width > 1 or length == len(row) else ()
        yield from ((",".join(row[:length]), *others) for others in rest)


def _aligned(file: str, text: str) -> Grid:
    """Columns set apart by two blanks or more, as summaries of frameworks are printed."""
    lines = [(n, line.strip()) for n, line in enumerate(text.split("\n"), 1) if not _BORDER.fullmatch(line)]
    rows = (tuple(re.split(r"\s{2,}|\t", line)) for _, line in lines[: MOST_ROWS + 1])
    return Grid(file, tuple(rows), tuple(f"line {n}" for n, _ in lines[: MOST_ROWS + 1]))


def _markdown(source: Source) -> list[Grid]:
    tables = _tables(source)
    return tables or [_separated(source)]


def _tables(source: Source) -> list[Grid]:
    """The tables of a Markdown text: lines with bars, with a line of dashes below the first."""
    found: list[Grid] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate((*source.text.split("\n"), ""), 1):
        if "|" in line:
            block.append((number, line))
            continue
        if len(block) > 1 and "-" in block[1][1] and not block[1][1].strip("|:- \t"):
            rows = [block[0], *block[2:]]
            found.append(
                Grid(source.name, tuple(_cells(text) for _, text in rows), tuple(f"line {n}" for n, _ in rows))
            )
        block = []
    return found


def _cells(line: str) -> tuple[str, ...]:
    inner = line.strip().removeprefix("|")
    inner = inner[:-1] if re.search(r"(?<!\\)\|$", inner) else inner
    return tuple(_unmarked(cell) for cell in re.split(r"(?<!\\)\|", inner))


def _unmarked(cell: str) -> str:
    """A cell of a Markdown table as its reader sees it; what is too long for a cell as it is."""
    if len(cell) > MOST_CHARACTERS:
        return cell
    plain = re.sub(r"<br\s*/?>", " ", cell.strip())
    plain = re.sub(r"(?<!\\)(\*\*|__|`|~~)(.+?)(?<!\\)\1", r"\2", plain)
    plain = re.sub(r"^\*([^*\d][^*]*)\*$|^_([^_]+)_$", lambda found: found[1] or found[2], plain)
    return html.unescape(re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", plain)).strip()


# ---------------------------------------------------------------- JSON and TOML


def _json(source: Source) -> list[Grid]:
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        named = dict(pairs)
        if len(named) < len(pairs):
            twice.extend(key for key in named if sum(key == other for other, _ in pairs) > 1)
        return named

    try:
        held = json.loads(source.text, object_pairs_hook=once, parse_float=str, parse_int=str, parse_constant=str)
    except json.JSONDecodeError as error:
        _refuse(source.name, f"not JSON: line {error.lineno}, column {error.colno}: {error.msg.lower()}")
    except RecursionError:
        _refuse(source.name, "not JSON that is read: nested too deeply")
    remarks = tuple(f"{quoted(key)} stands twice in one object: the last one counts" for key in dict.fromkeys(twice))
    return [_of_records(source.name, held)._replace(remarks=remarks)]


def _toml(source: Source) -> list[Grid]:
    try:
        read_toml(source)  # says where it is no TOML
    except SpecError as error:
        faults = [fault._replace(message=f"{source.name}: {fault.message}") for fault in error.faults]
        raise SpecError(faults) from None
    return [_of_records(source.name, tomllib.loads(source.text, parse_float=str))]  # numbers as they are written


def _of_records(file: str, held: Any) -> Grid:
    """Objects as rows: a list of them, an object of them by layer, or either under some key beside other things."""
    records = list(_records(held))
    if not records:
        help = 'write `[{"layer": "conv1", "output": "55x55x96", "params": 34944}, ...]`'
        _refuse(file, "no list and no object of layers", help)
    keys = list(dict.fromkeys(key for _, record in records for key in record))
    if len(keys) > MOST_COLUMNS or len(records) > MOST_ROWS:
        _refuse(file, f"more than {MOST_COLUMNS:,} columns or {MOST_ROWS:,} rows")
    rows = [tuple(_text(record.get(key)) for key in keys) for _, record in records]
    return Grid(file, (tuple(keys), *rows), ("the keys", *(place for place, _ in records)))


def _records(held: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(held, list):
        yield from ((f"item {at}", _flat(each)) for at, each in enumerate(held, 1) if isinstance(each, dict))
        return
    if not isinstance(held, dict):
        return
    lists = {key: value for key, value in held.items() if _is_list_of_objects(value)}
    if lists:
        key = next((key for key in lists if read_heading(key).meaning == "layer"), next(iter(lists)))
        yield from _records(held[key])
        yield from ((key, {"layer": key, **_flat(sums)}) for key, sums in held.items() if isinstance(sums, dict))
        return
    objects = {key: value for key, value in held.items() if isinstance(value, dict)}
    called = [key for key in objects if read_heading(key).meaning == "layer" or len(objects) == 1]
    inner = [key for key in called if _is_table_of_objects(objects[key])]
    if inner:
        yield from _records(held[inner[0]])
        objects = {key: value for key, value in objects.items() if key != inner[0]}
    yield from ((key, {"layer": key, **_flat(record)}) for key, record in objects.items())


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _is_table_of_objects(value: dict[str, Any]) -> bool:
    """Whether it holds objects by layer, and is not itself one of a layer."""
    objects = bool(value) and all(isinstance(each, dict) for each in value.values())
    return objects and not any(read_heading(key).meaning in QUANTITIES for key in value)


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """An object with the sides of its sizes as keys of its own: `{"output": {"h": 55, "w": 55}}`."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if not isinstance(value, dict):
            flat[key] = value
        elif "value" in value:
            flat[key] = f"{value['value']} {value.get('unit') or ''}"
        elif read_heading(key).meaning in ("size", "area"):
            flat |= {side: n for side, n in value.items() if read_heading(side).meaning in QUANTITIES}
    return flat


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return f"[{', '.join(_text(each) for each in value[:20])}]" if not _nested(value) else ""
    try:
        return " ".join(str(value).split())
    except ValueError:  # Python writes no longer number
        return "a number of more than 4,300 digits"


def _nested(value: Iterable[Any]) -> bool:
    return any(isinstance(each, (list, dict)) for each in value)


# ---------------------------------------------------------------- worksheets


def _of_sheet(file: str, sheet: Worksheet) -> Grid:
    """A worksheet, its empty rows left out."""
    numbers = sorted({row for row, _ in sheet.cells})
    at = {number: index for index, number in enumerate(numbers)}
    rows = [[""] * max((column for _, column in sheet.cells), default=0) for _ in numbers]
    for (row, column), text in sheet.cells.items():
        rows[at[row]][column - 1] = text
    formulas = frozenset((at[row], column - 1) for row, column in sheet.unread)
    return Grid(file, tuple(map(tuple, rows)), tuple(map(str, numbers)), sheet.name, True, formulas)
