"""A file of answers read against a net: which cell answers what of which layer, with a word on everything odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report, Row
from archcalc.analyses.quantities import part_of, quantity
from archcalc.homework.answers import QUANTITIES, Answer, Figure, Place, Submission
from archcalc.homework.figures import is_blank, read_number, read_sides, shown
from archcalc.homework.headings import Heading, Headings, find_headings, read_heading
from archcalc.homework.labels import read_label
from archcalc.homework.pairing import WAYS, Match, paired
from archcalc.homework.sheets import MOST_COLUMNS, Grid, read_grids, turned
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.volume import Volume

MOST_SHOWN = 60  # characters of an answer
MOST_LISTED = 6
SIZES = ("size", "area")
WHOLE_OR_PARTS = (*SIZES, "height", "width", "depth")
FORMULA = "a formula whose value the file does not hold: open it in a spreadsheet and save it, or write the number"


class Cell(NamedTuple):
    """A cell of a column that asks for something."""

    heading: Heading
    text: str
    where: Place
    figures: tuple[Figure, ...] = ()  # those of a size in the order in which they are written, until it is arranged
    turned: bool = False  # a size that was not written as height, width, depth
    shape: str = ""  # what a size has turned out to be: size, area
    depth_first: bool = False  # said by the cell itself
    why: str = ""  # it cannot be read
    remark: str = ""

    @property
    def quantity(self) -> str:
        """What it answers."""
        return self.shape or self.heading.meaning

    @property
    def blank(self) -> bool:
        """Whether nothing is answered."""
        return not self.why and not self.figures


class Line(NamedTuple):
    """What a sheet says of one layer: a row, or several where each asks for one thing."""

    label: str
    type: str
    place: str
    cells: tuple[Cell, ...]


def read_submission(path: Path, report: Report) -> Submission:
    """The answers that a file gives of a net, in the order of the net, the totals last.

    Raises `SpecError` for a file that cannot be read, or that has no headings that are known.
    """
    _refuse_symbols(report)
    return read_tables(read_grids(path), path.name, report)


def read_tables(grids: Sequence[Grid], name: str, report: Report) -> Submission:
    """As `read_submission`, of tables that are read already; `name` is that of their file."""
    grid, headings, remarks = _chosen(name, grids)
    headings, guessed = _with_layers(grid, headings)
    remarks += guessed
    lines, told = _lines(grid, headings)
    return _Reader(report, name, lines, [*grid.remarks, *remarks, *_columns(headings), *told]).submission()


def _refuse_symbols(report: Report) -> None:
    for row in report.rows:
        if not all(isinstance(n, int) for n in row.output):
            message = f"`{row.name}` has sizes in symbols: answers are read against numbers"
            raise SpecError([Fault(message, row.node.span, help="give every `input` in numbers")])


def _numbers(volume: Volume) -> tuple[int, int, int]:
    sides: Any = tuple(volume)  # no symbols: they are refused
    return sides  # type: ignore[no-any-return]


def _chosen(name: str, grids: Sequence[Grid]) -> tuple[Grid, Headings, list[str]]:
    """The first table with headings that are known, in its first rows or else in its first columns."""
    for grid in (*grids, *(turned(grid) for grid in grids if len(grid.rows) <= MOST_COLUMNS)):
        headings = find_headings(grid.rows)
        if headings is not None:
            others = len(grids) > 1
            where = f"worksheet {quoted(grid.sheet)}" if grid.sheet else f"the table at {grid.places[0]}"
            named = grid if others else grid._replace(sheet="")
            return named, headings, [f"{len(grids)} tables in the file: {where} is read"] if others else []
    help = (
        "a heading for the layers (layer, name, Schicht, ...) and one of output, H, W, C, memory, params, MACs, FLOPs"
    )
    if not any(grid.rows for grid in grids):
        raise SpecError([Fault(f"{name}: there is nothing in it")])
    firsts = (", ".join(quoted(cell, 20) for cell in row[:6]) for grid in grids for row in grid.rows[:1])
    message = f"{name}: no row of headings is known: the first row is {next(firsts, 'empty')}"
    raise SpecError([Fault(message, help=f"{help}, receptive field; or the three layer, quantity, answer")])


def _with_layers(grid: Grid, headings: Headings) -> tuple[Headings, list[str]]:
    """The headings with a column of layers: where none is called so, the first of unknown words."""
    if any(each.meaning == "layer" for each in headings.columns):
        return _of_one_name(grid, headings), []
    long = any(each.meaning == "answer" for each in headings.columns)
    for at, each in enumerate(headings.columns):
        if each.meaning and (long or each.meaning != "quantity"):
            continue
        cells = [row[at] for row in grid.rows[headings.row + 1 :] if at < len(row) and row[at]]
        words = sum(any(char.isalpha() for char in cell) for cell in cells)
        if cells and words * 2 > len(cells):
            columns = (*headings.columns[:at], each._replace(meaning="layer"), *headings.columns[at + 1 :])
            told = [f"the column {quoted(each.title)} is taken for that of the layers"] if each.title.strip() else []
            return headings._replace(columns=columns), told
    types = [at for at, each in enumerate(headings.columns) if each.meaning == "type"]
    if types:  # `inception (3a)`
        at, each = types[0], headings.columns[types[0]]
        columns = (*headings.columns[:at], each._replace(meaning="layer"), *headings.columns[at + 1 :])
        return headings._replace(columns=columns), []
    return headings, []


def _of_one_name(grid: Grid, headings: Headings) -> Headings:
    """The headings with the column of layers that tells most of them apart, beside one of blocks or stages."""
    several = [at for at, each in enumerate(headings.columns) if each.meaning == "layer"]
    below = grid.rows[headings.row + 1 :]
    labels = {at: [row[at] if at < len(row) else "" for row in below] for at in several}
    best = max(several, key=lambda at: len({*labels[at]} - {""}))  # of equals the first
    left = [at for at in several if at != best and all(map(_either, labels[best], labels[at]))]
    columns = (each._replace(meaning="copied") if at in left else each for at, each in enumerate(headings.columns))
    return headings._replace(columns=tuple(columns))


def _either(label: str, other: str) -> bool:
    return bool(label) or not other


def _columns(headings: Headings) -> Iterator[str]:
    """What is said of columns that are left alone, twice there, or guessed."""
    titles = [each for each in headings.columns if each.title]
    unknown = [each.title for each in titles if not each.meaning]
    copied = [each.title for each in titles if each.meaning == "copied"]
    if unknown:
        yield f"columns that are not known are left alone: {_listed(unknown)}"
    if copied:
        yield f"columns that ask for nothing are left alone: {_listed(copied)}"
    for each in titles:
        if each.guessed:
            yield f"the heading {quoted(each.title)} is read as {each.meaning}"
    again = [headings.columns[at].title for at in _repeated(headings)]
    if again:
        yield f"columns that ask once more for what another asks are left alone: {_listed(again)}"


def _repeated(headings: Headings) -> list[int]:
    """Columns that ask for what one before them does; memory in values, in MB and in MiB are three things."""
    asked = [(each.meaning, _counted_in(each)) if each.meaning in QUANTITIES else None for each in headings.columns]
    return [at for at, each in enumerate(asked) if each is not None and each in asked[:at]]


def _counted_in(heading: Heading) -> str:
    return heading.unit.suffix or heading.unit.unit if heading.meaning == "memory" else heading.unit.unit


def _listed(texts: Iterable[str]) -> str:
    quotes = [quoted(text) for text in texts]
    more = f" and {len(quotes) - MOST_LISTED} more" if len(quotes) > MOST_LISTED else ""
    return ", ".join(quotes[:MOST_LISTED]) + more


# ---------------------------------------------------------------- lines


def _lines(grid: Grid, headings: Headings) -> tuple[list[Line], list[str]]:
    """The lines below the headings, and what has to be said of how they are laid out."""
    meanings = [each.meaning for each in headings.columns]
    columns = [at for at, each in enumerate(meanings) if each in QUANTITIES and at not in _repeated(headings)]
    pairs = "answer" in meanings and "quantity" in meanings
    numeric = [at for at in columns if _has_numbers(grid, headings, at)] or ([] if pairs else columns)
    remarks = [
        f"the column {quoted(headings.columns[at].title)} holds no numbers: left alone"
        for at in columns
        if at not in numeric
    ]
    long = not numeric and pairs
    lines = [_line(grid, headings, row, numeric) for row in range(headings.row + 1, len(grid.rows))]
    if long:
        lines, told = _gathered(grid, headings)
        remarks += told
    return [line for line in lines if line.label or line.type or any(cell.text for cell in line.cells)], remarks


def _has_numbers(grid: Grid, headings: Headings, column: int) -> bool:
    cells = [row[column] for row in grid.rows[headings.row + 1 :] if column < len(row) and not is_blank(row[column])]
    return not cells or any(any(char.isdigit() for char in cell) for cell in cells)


def _of(grid: Grid, headings: Headings, row: int, meaning: str) -> str:
    """What the first column of a meaning holds in a row, the first that holds something."""
    cells = grid.rows[row]
    found = [cells[at] for at, each in enumerate(headings.columns) if each.meaning == meaning and at < len(cells)]
    return next((cell for cell in found if cell), "")


def _line(grid: Grid, headings: Headings, row: int, columns: Sequence[int]) -> Line:
    label = _of(grid, headings, row, "layer")
    cells = (_cell(grid, headings.columns[at], row, at) for at in columns)
    return Line(label, _of(grid, headings, row, "type"), grid.places[row], tuple(cells))


def _cell(grid: Grid, heading: Heading, row: int, column: int) -> Cell:
    text = grid.rows[row][column] if column < len(grid.rows[row]) else ""
    where = grid.place(row, column, heading.title)
    if (row, column) in grid.unread:
        return Cell(heading, text, where, why=FORMULA)
    return read_cell(heading, text, where, grid.decimal_comma)


def read_cell(heading: Heading, text: str, where: Place, decimal_comma: bool = False) -> Cell:
    """What a cell below a heading says; the fault of one that cannot be read is in its `why`."""
    if is_blank(text):
        return Cell(heading, text, where)
    try:
        if heading.meaning in SIZES or (heading.meaning == "receptive" and len(_sides(text)) == 2):
            sides = read_sides(text, decimal_comma)
            return Cell(heading, text, where, sides.figures, depth_first=sides.depth_first)
        figure, remark = read_number(text, heading.meaning, heading.unit, decimal_comma)
    except ValueError as error:
        return Cell(heading, text, where, why=str(error))
    return Cell(heading, text, where, (figure,), remark=remark)


def _sides(text: str) -> tuple[Figure, ...]:
    try:
        return read_sides(text).figures
    except ValueError:
        return ()


def _gathered(grid: Grid, headings: Headings) -> tuple[list[Line], list[str]]:
    """The lines of a sheet whose rows each give layer, quantity and answer."""
    answer = next(at for at, each in enumerate(headings.columns) if each.meaning == "answer")
    lines: dict[tuple[str, str], Line] = {}
    unknown = []
    for row in range(headings.row + 1, len(grid.rows)):
        asked = read_heading(_of(grid, headings, row, "quantity"))
        if asked.meaning not in QUANTITIES:
            unknown.append(asked.title or grid.places[row])
            continue
        label, type_ = _of(grid, headings, row, "layer"), _of(grid, headings, row, "type")
        line = lines.setdefault((label, type_), Line(label, type_, grid.places[row], ()))
        cell = _cell(grid, asked, row, answer)
        lines[label, type_] = line._replace(cells=(*line.cells, cell))
    told = [f"quantities that are not known: {_listed(dict.fromkeys(unknown))}"] if unknown else []
    return list(lines.values()), told


# ---------------------------------------------------------------- a submission


class _Reader:
    """Reads the lines of one sheet against a net."""

    def __init__(self, report: Report, name: str, lines: list[Line], remarks: list[str]) -> None:
        self.report = report
        self.name = name
        self.lines = lines
        self.remarks = remarks
        self.longest = max(max(_numbers(row.output)[:2]) for row in report.rows)  # side of a volume
        silent = [all(cell.blank for cell in line.cells) for line in lines]
        labels = [read_label(line.label, line.type)._replace(silent=silent[at]) for at, line in enumerate(lines)]
        self.pairing = paired(report, labels, self._fits)

    def submission(self) -> Submission:
        """The answers with all that has to be said of them."""
        found = [(self.pairing.found[at], line) for at, line in enumerate(self.lines) if at in self.pairing.found]
        found.sort(key=lambda pair: self._place(pair[0]))
        order = self._order(found)
        self.remarks += [*self._matching(), *self._extra()]
        cells = [(match, self._arranged(match, cell, order)) for match, line in found for cell in _said_once(line)]
        filled = {cell.heading for _, cell in cells if not cell.blank}
        answers = tuple(self._answer(match, cell) for match, cell in cells if cell.figures)
        open_ = [
            (match, cell) for match, cell in cells if cell.why or (cell.blank and self._asked(match, cell, filled))
        ]
        if not answers and not open_:
            self.remarks.append("no answers are found")
        self.remarks += [*self._turned(cells)]
        self.remarks += _grouped([cell for _, cell in cells if cell.remark])
        unread = tuple((cell.where, cell.text[:MOST_SHOWN], cell.why or "blank") for _, cell in open_)
        unanswered = tuple(self._answer(match, cell) for match, cell in open_)
        return Submission(self.name, answers, tuple(self.remarks), unread, self._missing(), unanswered)

    def _place(self, match: Match) -> int:
        return len(self.report.rows) if match.name is None else self.pairing.names.at(match.name)

    def _answer(self, match: Match, cell: Cell) -> Answer:
        return Answer(match.name, cell.quantity, _cut(cell.text), cell.figures, cell.where)

    # ------------------------------------------------------------ what is right

    def _right(self, name: str | None, what: str) -> Any:
        """A figure of a layer, a group or the net; None where there is none."""
        part = part_of(self.report, name)
        if what == "area":
            return (part.size.h, part.size.w)
        return quantity(part, "activations" if what == "memory" else what)

    def _fits(self, at: int, i: int) -> int:
        """How many answers of a line are right for a layer."""
        return sum(_is_right(self.report.rows[i], cell) for cell in self.lines[at].cells)

    def _asked(self, match: Match, cell: Cell, filled: set[Heading]) -> bool:
        """Whether a blank cell is an answer that is missing: others of its column are there, and it is not nought.

        A total need not be given of every column.
        """
        what = cell.heading.meaning
        if cell.heading not in filled or match.name is None:
            return False
        if what == "receptive" and tuple(self._right(match.name, "size"))[:2] == (1, 1):
            return False  # behind the flattening nobody asks for one
        is_input = match.name in self.pairing.names.layers and not self.report.rows[self._place(match)].inputs
        return not is_input and (what == "receptive" or self._right(match.name, what) != 0)

    # ------------------------------------------------------------ sizes

    def _order(self, found: Sequence[tuple[Match, Line]]) -> str:
        """The order in which most sizes of the sheet are written, as far as they tell."""
        told = Counter(
            order
            for match, line in found
            for cell in line.cells
            if cell.heading.meaning in SIZES and (order := self._told(match, cell))
        )
        return "chw" if told["chw"] > told["hwc"] else "hwc"

    def _told(self, match: Match, cell: Cell) -> str:
        """The order that a cell itself tells: by its heading, by the net, by which sides are alike; else empty."""
        values = [figure.value for figure in cell.figures]
        if cell.heading.order in ("hwc", "chw", "whc") or cell.depth_first:
            return "chw" if cell.depth_first else cell.heading.order
        if len(values) != 3 or len(set(values)) == 1:
            return ""
        h, w, c = self._right(match.name, "size")
        straight, turned = values == [h, w, c], values == [c, h, w]
        if straight or turned:
            return "hwc" if straight else "chw"
        a, b, d = values
        if h == w and (a == b) != (b == d):
            return "hwc" if a == b else "chw"
        return ""

    def _turned(self, cells: Sequence[tuple[Match, Cell]]) -> Iterator[str]:
        """What is said of sizes that do not begin with the height."""
        turned = [cell for _, cell in cells if cell.turned]
        if turned:
            first = turned[0]
            sides = "x".join(shown(figure.value) for figure in first.figures)
            count = f"{len(turned)} size{'s' * (len(turned) != 1)}"
            yield f"{count} written in another order: {quoted(first.text)} at {first.where.cell} is {sides}"

    def _arranged(self, match: Match, cell: Cell, order: str) -> Cell:
        """A size as height, width and depth; of two numbers as an area, of one as a vector or as equal sides."""
        if cell.heading.meaning not in SIZES or not cell.figures:
            return cell
        figures = cell.figures
        if len(figures) == 3:
            written = self._told(match, cell) or order
            a, b, c = figures
            sides = {"chw": (b, c, a), "whc": (b, a, c)}.get(written, figures)
            return cell._replace(shape="size", figures=sides, turned=written != "hwc" and sides != figures)
        return self._short(match, cell)

    def _short(self, match: Match, cell: Cell) -> Cell:
        """A size of one or two numbers."""
        volume = self._right(match.name, "size")
        one, figures, shape = Figure(Fraction(1)), cell.figures, "area"
        longest = max(figures, key=lambda figure: figure.value)
        beside = len(figures) == 1 or (one in figures and longest != one and cell.heading.meaning == "size")
        vector = (volume.h, volume.w) == (1, 1) and beside
        if vector or (len(figures) == 1 and longest.value > self.longest):
            figures, shape = (one, one, longest), "size"
        elif len(figures) == 1:
            figures = (longest, longest)
        elif cell.heading.order == "wh":
            figures = figures[::-1]
        return cell._replace(shape=shape, figures=figures)

    # ------------------------------------------------------------ what is said

    def _matching(self) -> Iterator[str]:
        """How many rows were found in which way, with those that are not named as in the net."""
        by_way: dict[str, list[int]] = {way: [] for way in WAYS}
        for at, match in sorted(self.pairing.found.items()):
            by_way[match.way].append(at)
        told = []
        for way, rows in by_way.items():
            pairs = [f"{self._label(at)} is {self.pairing.found[at].name}" for at in rows]
            named = f": {', '.join(pairs[:MOST_LISTED])}" + (", …" if len(pairs) > MOST_LISTED else "")
            told += [f"{len(rows)} by {way}" + (named if way != "name" else "")] * bool(rows)
        if told and (by_way["name"] != sorted(self.pairing.found)):
            first, *rest = told
            first = first.replace(" by", f" row{'s' * (not first.startswith('1 '))} by", 1)
            yield "; ".join((first, *rest))
        elif told:
            yield f"{len(by_way['name'])} row{'s' * (len(by_way['name']) != 1)} by name"

    def _label(self, at: int) -> str:
        line = self.lines[at]
        return quoted(line.label) if line.label else line.place

    def _extra(self) -> Iterator[str]:
        """Rows that stand for no layer, or for one that another row stands for."""
        rows = range(len(self.lines))
        extra = [at for at in rows if at not in self.pairing.found and at not in self.pairing.twice]
        extra = [at for at in extra if any(not cell.blank for cell in self.lines[at].cells)]
        several = [at for at in extra if self.pairing.labels[at].several]
        for left, what in (
            (several, "rows that stand for several layers at once"),
            ([at for at in extra if at not in several], f"rows that are no layer of {self.report.graph.name}"),
        ):
            if left:
                yield f"{what}: {self._rows(left)}"
        twice = list(self.pairing.twice.items())
        for at, name in twice[:MOST_LISTED]:
            yield f"{self.lines[at].place}: {quoted(name)} has a row already: this one is left alone"
        if len(twice) > MOST_LISTED:
            yield f"{len(twice) - MOST_LISTED} more rows for layers that have one already are left alone"
        if self.pairing.given_up:
            yield "too many rows and layers to bring them together by their order"

    def _rows(self, rows: Sequence[int]) -> str:
        lines = [self.lines[at] for at in rows[:MOST_LISTED]]
        named = [f"{quoted(line.label)} ({line.place})" if line.label else line.place for line in lines]
        more = f" and {len(rows) - MOST_LISTED} more" if len(rows) > MOST_LISTED else ""
        return ", ".join(named) + more

    def _missing(self) -> tuple[str, ...]:
        """Layers without a row, of a type of which others have one."""
        covered = self.pairing.covered()
        types = {type(self.report.rows[i].node.op) for i in covered if self._single(i)}
        rows = enumerate(self.report.rows)
        return tuple(row.name for i, row in rows if i not in covered and row.inputs and type(row.node.op) in types)

    def _single(self, i: int) -> bool:
        """Whether a layer has a row of its own and is not only part of a group."""
        return any(match.name == self.report.rows[i].name for match in self.pairing.found.values())


def _is_right(row: Row, cell: Cell) -> bool:
    """Whether a cell is the right answer of a layer, and no nought, which many have."""
    what, figures = cell.heading.meaning, cell.figures
    if not figures or what == "receptive":
        return False
    if what in SIZES:
        values = sorted(figure.value for figure in figures)
        h, w, c = _numbers(row.output)
        return values in (sorted((h, w, c)), sorted((h, w)), [c])
    right = getattr(row.output, what[0] if what != "depth" else "c") if what in ("height", "width", "depth") else None
    right = getattr(row.cost, "activations" if what == "memory" else what) if right is None else right
    return right != 0 and figures[0].rounds_from(right)


def _said_once(line: Line) -> Iterator[Cell]:
    """The cells of a line, blank ones left out whose size is written in others: three cells in place of one."""
    sized = any(not cell.blank and cell.heading.meaning in WHOLE_OR_PARTS for cell in line.cells)
    for cell in line.cells:
        if not (sized and cell.blank and cell.heading.meaning in WHOLE_OR_PARTS and _has_rest(line, cell)):
            yield cell


def _has_rest(line: Line, blank: Cell) -> bool:
    """Whether a size is whole without a blank cell."""
    said = {cell.heading.meaning for cell in line.cells if not cell.blank}
    return "size" in said or (bool({"height", "width", "area"} & said) and blank.heading.meaning in SIZES)


def _grouped(cells: Sequence[Cell]) -> Iterator[str]:
    """What is said of single cells; of readings alike, which are many in a sheet, once."""
    alike = [cell for cell in cells if " is read as " in cell.remark]
    others = [cell for cell in cells if " is read as " not in cell.remark]
    yield from (f"{cell.where.cell}: {cell.remark}" for cell in others[:MOST_LISTED])
    if len(others) > MOST_LISTED:
        yield f"{len(others) - MOST_LISTED} more formulas that do not come to what stands beside them"
    if alike:
        more = f", and {len(alike) - 1} more in this way" if len(alike) > 1 else ""
        yield f"{alike[0].where.cell}: {alike[0].remark}{more}"


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"
