"""Multiply-adds that touch data, without those of padding zeros: what hardware that skips them would be left with."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from archcalc.analyses.costs import Row
from archcalc.lang.errors import Fault, SpecError


class Touch(NamedTuple):
    """Multiply-adds on one image, of a layer or of many: all of them, and those that no padding zero goes into."""

    macs: int
    touched: int

    @property
    def zeros(self) -> int:
        """Multiply-adds of which one factor is a padding zero."""
        return self.macs - self.touched

    @property
    def share(self) -> Fraction | None:
        """The part of all multiply-adds that is spent on zeros; None where there are none at all."""
        return Fraction(self.zeros, self.macs) if self.macs else None


def count_touched(rows: Iterable[Row]) -> tuple[Touch, ...]:
    """A `Touch` for each row, from the shapes alone.

    Only the padding of a layer itself is known to be zero; what a layer before it wrote, `pad` among them, is data.
    Raises `SpecError` where a size is a symbol.
    """
    return tuple(map(_touch, rows))


def _touch(row: Row) -> Touch:
    if not all(isinstance(n, int) for volume in (*row.inputs, row.output) for n in volume):
        message = f"`{row.name}` has sizes in symbols: padding zeros are counted on numbers"
        raise SpecError([Fault(message, row.node.span, help="give every `input` in numbers")])
    macs, touched = row.macs, row.node.op.touched_macs(row.output, *row.inputs)
    assert isinstance(macs, int)
    assert isinstance(touched, int)
    return Touch(macs, touched)


def add_touches(touches: Iterable[Touch]) -> Touch:
    """The sum over some layers.

    >>> add_touches([Touch(441, 361), Touch(9, 9)]).share
    Fraction(8, 45)
    """
    macs, touched = 0, 0
    for each in touches:
        macs, touched = macs + each.macs, touched + each.touched
    return Touch(macs, touched)
