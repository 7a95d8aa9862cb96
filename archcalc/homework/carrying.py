"""Errors carried forward: whether a wrong figure is right given what the student has written before.

The rules of the layer's own class are run on the student's volumes; what is counted from another figure of the row is
counted from the student's; a total is held against the student's own column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report
from archcalc.homework.acceptance import ADDED_UP, Facts, Meaning, accepted, meanings
from archcalc.homework.answers import Figure
from archcalc.homework.beliefs import Basis, Beliefs, Told, facts_of, is_legal, worked_out
from archcalc.homework.mistakes.drafts import SIDES
from archcalc.homework.mistakes.fields import Fields, maker
from archcalc.homework.mistakes.scenes import net_of
from archcalc.homework.relations import Beside, related
from archcalc.homework.rubric import Rubric
from archcalc.homework.solutions import arithmetic, figure_text
from archcalc.volume import Volume

MOST_ADDENDS = 8  # of a sum in a sentence
MOST_NAMED = 4  # layers in a sentence
LEAST_ROWS = 2  # of a column that is added up without the layers that have no row


class Carried(NamedTuple):
    """A figure that is right given what was written before: why, and by which conventions."""

    note: str
    conventions: tuple[str, ...]


class Way(NamedTuple):
    """How a figure may have come about: values that it would be, and what gives the sentence that says so."""

    meaning: Meaning
    note: Callable[[], str]
    spread: Fraction = Fraction(0)  # how far the values that it was made from are rounded


class Own(NamedTuple):
    """What a student has for the volumes of a layer, where that is not right; `output` is None where the rules say."""

    inputs: tuple[Volume, ...]
    output: Volume | None
    text: str


class Carrier:
    """Tells for the wrong figures of a submission which of them are carried."""

    def __init__(self, report: Report, told: Iterable[Told], rubric: Rubric) -> None:
        self.report = report
        self.rubric = rubric
        self.beliefs = Beliefs(report, told, rubric)

    def carried(self, cell: Told) -> Carried | None:
        """Why a wrong figure is right given the others; None where it is not."""
        for way in self._ways(cell):
            conventions = accepted(cell.answer.figures, way.meaning, self.rubric)
            if conventions is not None:
                return Carried(way.note(), conventions)
            if _within(cell.answer.figures, way):
                conventions = (way.meaning.convention,) if way.meaning.convention else ()
                return Carried(f"{way.note()}, as far as your rounding tells", conventions)
        return None

    def own(self, cell: Told) -> Own | None:
        """The student's volumes for the layer of a cell; None where they are the right ones, or cannot be had."""
        row, quantity = self.report.rows[cell.at], cell.answer.quantity
        sized = quantity in SIDES
        x, y = self.beliefs.inputs(cell.at), self.beliefs.outputs[cell.at]
        if (len(cell.part.rows) > 1 and not sized) or quantity == "receptive" or x is None or y is None:
            return None
        if not is_legal(row.node.op, x) or (x == row.inputs and (sized or y == row.output)):
            return None
        return Own(x, None if sized else y, self._basis_text(cell, Basis(row.node.op, x, row.output if sized else y)))

    def own_fields(self, cell: Told) -> tuple[Fields, str] | None:
        """The student's receptive fields, where one that the layer of a cell goes on from is not the right one."""
        at = maker(net_of(self.report), cell.at)
        fields = self.beliefs.fields
        own = [index for index in self.report.rows[at].node.inputs if fields[index] != self.beliefs.field(index)]
        text = " and your ".join(self._field_text(index, fields[index]) for index in own)
        return (tuple(fields), text) if own else None

    def bases(self, cell: Told) -> list[Basis]:
        """What the layer of a cell may have been worked out from; nothing for a sum over several."""
        if cell.answer.quantity in ADDED_UP and len(cell.part.rows) > 1:
            return []
        return self.beliefs.bases(cell.at)

    def _ways(self, cell: Told) -> Iterator[Way]:
        quantity = cell.answer.quantity
        if quantity == "receptive":
            yield from self._receptive(cell)
        elif quantity in SIDES:
            yield from self._same_row(cell)
            yield from self._by_rules(cell)
        elif len(cell.part.rows) == 1:
            yield from self._by_relation(cell)
            yield from self._by_rules(cell)
        else:
            yield from self._by_column(cell)

    def _meanings(self, cell: Told, facts: Facts) -> Iterator[Meaning]:
        return meanings(cell.answer.quantity, facts, self.rubric, cell.answer.figures)

    # ------------------------------------------------ by the rules

    def _by_rules(self, cell: Told) -> Iterator[Way]:
        """The rules of the layer, on the student's volumes."""
        row = self.report.rows[cell.at]
        for basis in self.bases(cell):
            if cell.answer.quantity in SIDES:
                if basis.inputs == row.inputs or basis.op is not row.node.op:
                    continue
                basis = basis._replace(output=basis.op.out(*basis.inputs))
                facts = facts_of((), basis.output)
            else:
                found = worked_out(self.report, row, basis, self.rubric)
                facts = facts_of((found,), found.output)
            for meaning in self._meanings(cell, facts):
                yield Way(meaning, partial(self._from_basis, cell, basis, meaning))

    def _from_basis(self, cell: Told, basis: Basis, meaning: Meaning) -> str:
        origin = self.beliefs.origins[self.report.rows[cell.at].node.inputs[0]] if basis.inputs else -1
        if len(cell.part.rows) > 1 and origin >= 0:
            volume, name = self.beliefs.outputs[origin], self.beliefs.name(origin)
            return f"right for your {volume} of {name}: the rules of the layers in between give {basis.output}"
        found = arithmetic(self.report, cell.at, basis, cell.answer.quantity, meaning, self.rubric)
        return f"right for your {self._basis_text(cell, basis)}: {found}"

    def _basis_text(self, cell: Told, basis: Basis) -> str:
        """What of a basis is the student's: `54x54x96 of conv1`."""
        row = self.report.rows[cell.at]
        pairs = zip(row.node.inputs, basis.inputs, row.inputs, strict=True)
        own = [self._named(at, volume) for at, volume, right in pairs if volume != right]
        sized = cell.answer.quantity in SIDES
        own += [_different(basis.output, row.output)] * (basis.output != row.output and not sized)
        return " and your ".join(dict.fromkeys(own))

    def _named(self, at: int, volume: Volume) -> str:
        """A volume that arrives, or what of it is the student's, with the row that it stands in or follows from."""
        rows, outputs, origin = self.report.rows, self.beliefs.outputs, self.beliefs.origins[at]
        own, text = outputs[at], _different(volume, rows[at].output)
        if outputs[origin] == own or origin < 0:
            return f"{text} of {self.beliefs.name(origin if origin >= 0 else at)}"
        while rows[at].node.op.inplace and outputs[rows[at].node.inputs[0]] == own:
            at = rows[at].node.inputs[0]
        return f"{text} of {rows[at].name}, which follows from {outputs[origin]} of {self.beliefs.name(origin)}"

    # ------------------------------------------------ by other figures of the row

    def _same_row(self, cell: Told) -> Iterator[Way]:
        """A side of a volume that stands in the same row, before it."""
        sides: Any = self.beliefs.sides_before(cell)
        if set(SIDES[cell.answer.quantity]) <= sides.keys():
            volume = self.report.rows[cell.at].output._replace(**sides)
            for meaning in self._meanings(cell, facts_of((), volume)):
                yield Way(meaning, partial(str, f"as in your {volume} of {self.beliefs.name(cell.at)}"))

    def _by_relation(self, cell: Told) -> Iterator[Way]:
        """A figure that is counted from another one of the row, which is not right."""
        figures = {each.answer.quantity: each for each in self._row(cell) if each.differs}
        right, own = facts_of(cell.part.rows, cell.part.size), self.beliefs.outputs[cell.at]
        for found in related(cell.answer.quantity, Beside(right, own or cell.part.size, figures, self.rubric)):
            yield Way(Meaning((found.value,), found.convention), partial(str, f"right for your {found.how}"))

    def _row(self, cell: Told) -> Iterator[Told]:
        """Single figures of the same row; of the same quantity, which is memory in another unit, only those before."""
        before = True
        for each in self.beliefs.told:
            before = before and each is not cell
            same_row = each.answer.layer == cell.answer.layer and len(each.answer.figures) == 1
            if same_row and (before or each.answer.quantity != cell.answer.quantity):
                yield each

    # ------------------------------------------------ receptive fields

    def _receptive(self, cell: Told) -> Iterator[Way]:
        """The student's fields of the layers before, and what the layer adds."""
        own = self.beliefs.grown(cell.at)
        if own is not None:
            for meaning in self._meanings(cell, facts_of((), cell.part.size, own)):
                yield Way(meaning, partial(self._from_fields, cell.at, own))

    def _from_fields(self, at: int, own: tuple[int, ...]) -> str:
        before = {index: self.beliefs.fields[index] for index in self.report.rows[at].node.inputs}
        told = [self._field_text(index, field) for index, field in before.items() if field != self.beliefs.field(index)]
        more = own[0] - max(field[0] for field in before.values() if field)
        return f"right for your {' and your '.join(told)}: {more} more are {own[0]}"

    def _field_text(self, at: int, field: tuple[int, ...] | None) -> str:
        """A receptive field of the student's, with the layer in whose row it stands."""
        rows, fields = self.report.rows, self.beliefs.fields
        while (
            len(rows[at].inputs) == 1
            and at not in self.beliefs.fields_written
            and fields[rows[at].node.inputs[0]] == field
        ):
            [at] = rows[at].node.inputs
        return f"{'x'.join(map(str, dict.fromkeys(field or ())))} of {rows[at].name}"

    # ------------------------------------------------ sums

    def _by_column(self, cell: Told) -> Iterator[Way]:
        """The student's own column added up; for layers without a figure the right ones, the own ones, or none."""
        for finest in (True, False):
            addends = self._addends(cell, finest)
            for right in self._meanings(cell, facts_of(cell.part.rows, cell.part.size)):
                yield from self._sums(cell, addends, right.convention)
        yield from self._of_own_volumes(cell)

    def _addends(self, cell: Told, finest: bool) -> list[Told]:
        """Figures of the column for parts of a part, none of them within another: the smallest or the largest."""
        inside = {id(row) for row in cell.part.rows}
        column = [
            each
            for each in self.beliefs.told
            if each.answer.quantity == cell.answer.quantity
            and len(each.part.rows) < len(cell.part.rows)
            and all(id(row) in inside for row in each.part.rows)
        ]
        chosen: list[Told] = []
        covered: set[int] = set()
        for each in sorted(column, key=lambda each: len(each.part.rows) * (1 if finest else -1)):
            rows = {id(row) for row in each.part.rows}
            if not rows & covered:
                chosen.append(each)
                covered |= rows
        return sorted(chosen, key=lambda each: each.at)

    def _sums(self, cell: Told, addends: list[Told], convention: str) -> Iterator[Way]:
        """The figures of the column, with the right ones for layers that have none, and without these."""
        values = [_in_unit(each, convention, self.rubric) for each in addends]
        covered = {id(row) for each in addends for row in each.part.rows}
        rest = [row for row in cell.part.rows if id(row) not in covered]
        left = self._amount(cell, rest, convention)
        spread = sum((each.answer.figures[0].half_unit for each in addends), Fraction(0))
        wrong = any(not each.is_right for each in addends)
        total = sum(values, Fraction(0))
        note = f"the sum of your {_rows(len(addends))}{_addition(values)}"
        if any(each.differs for each in addends):
            more = f", and the right {figure_text(left)} of the others" if left else ""
            yield Way(Meaning((total + left,), convention), partial(str, f"{note}{more}"), spread * wrong)
        if left and len(addends) >= LEAST_ROWS:

            def without() -> str:
                names = [row.name for row in rest if self._amount(cell, [row], convention)]
                return f"{note}; {_listed(names)}"

            yield Way(Meaning((total,), convention), without, spread * wrong)

    def _amount(self, cell: Told, rows: Any, convention: str) -> int:
        """The right figure of some layers together under a convention."""
        found = self._meanings(cell, facts_of(rows, cell.part.size))
        return next(int(meaning.values[0]) for meaning in found if meaning.convention == convention)

    def _of_own_volumes(self, cell: Told) -> Iterator[Way]:
        """What the layers come to with the student's volumes, and where there is a figure, with that."""
        rows = []
        for row in cell.part.rows:
            index = self.beliefs.indices[id(row)]
            x, y = self.beliefs.inputs(index), self.beliefs.outputs[index]
            if x is None or y is None:
                return
            same = (x, y) == (row.inputs, row.output)
            rows.append(row if same else worked_out(self.report, row, Basis(row.node.op, x, y), self.rubric))
        if all(new is old for new, old in zip(rows, cell.part.rows, strict=True)):
            return
        own = {id(old): new for new, old in zip(rows, cell.part.rows, strict=True)}
        addends = self._addends(cell, True)
        covered = {id(row) for each in addends for row in each.part.rows}
        left = [new for old, new in own.items() if old not in covered]
        for meaning in self._meanings(cell, facts_of(left, cell.part.size)):
            values = [_in_unit(each, meaning.convention, self.rubric) for each in addends]
            total = sum(values, Fraction(meaning.values[0]))
            note = f"right for your volumes: the layers come to {figure_text(total)}"
            yield Way(Meaning((total,), meaning.convention), partial(str, note))


def _different(volume: Volume, right: Volume) -> str:
    """A volume, or the half of it that is not the right one."""
    if volume.c == right.c and (volume.h, volume.w) != (right.h, right.w):
        return str(volume)
    if (volume.h, volume.w) == (right.h, right.w):
        return f"depth {volume.c}" if volume.h != 1 else str(volume)
    return str(volume)


def _within(figures: tuple[Figure, ...], way: Way) -> bool:
    """Whether a figure may be the sum of figures that were rounded after they had been added."""
    if not way.spread or len(figures) != 1:
        return False
    return abs(figures[0].value - way.meaning.values[0]) <= way.spread + figures[0].half_unit


def _in_unit(told: Told, convention: str, rubric: Rubric) -> Fraction:
    """A figure of memory in the unit of a convention, values or bytes; any other as it is."""
    unit = told.answer.figures[0].unit or told.convention
    if told.answer.quantity != "memory" or unit == convention or unit not in ("values", "bytes"):
        return told.value
    return told.value * rubric.bytes_per_value if convention == "bytes" else told.value / rubric.bytes_per_value


def _rows(count: int) -> str:
    return f"{count} row{'s' * (count != 1)}" if count != 1 else "one row"


def _addition(values: list[Fraction]) -> str:
    """A sum written out where it is short."""
    if not 1 < len(values) <= MOST_ADDENDS:
        return f", {figure_text(sum(values, Fraction(0)))}"
    return f": {' + '.join(map(figure_text, values))} = {figure_text(sum(values, Fraction(0)))}"


def _listed(names: list[str]) -> str:
    """`lrn1 and lrn2 have no row`."""
    shown = names[:MOST_NAMED] + [f"{len(names) - MOST_NAMED} more"] * (len(names) > MOST_NAMED)
    joined = " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    return f"{joined} {'has' if len(names) == 1 else 'have'} no row"
