"""Figures as the tables of questions print them, and whether they are right."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from archcalc.homework.answers import Figure, Mistake
from archcalc.homework.exercises.questions import Cell, report_of
from archcalc.homework.figures import read_figure, read_sides
from archcalc.homework.mistakes import Case, likely
from archcalc.volume import Volume


def figures_of(text: str, quantity: str) -> tuple[Figure, ...]:
    """A cell as figures: of a size its sides. Raises `ValueError`."""
    return read_sides(text).figures if quantity == "size" else (read_figure(text, quantity),)


def is_right(figures: tuple[Figure, ...], right: Any) -> bool:
    """Whether figures are those of a size or of a number, exact or rounded as they are written.

    >>> is_right(figures_of("55x55x96", "size"), Volume(55, 55, 96)), is_right(figures_of("35k", "params"), 34_944)
    (True, True)
    >>> is_right(figures_of("10", "size"), Volume(1, 1, 10))
    True
    """
    wanted = tuple(right) if isinstance(right, Volume) else (right,)
    if isinstance(right, Volume) and len(figures) == 1 and (right.h, right.w) == (1, 1):
        wanted = (right.c,)
    fits = [figure.rounds_from(n) for figure, n in zip(figures, wanted, strict=False)]
    return len(figures) == len(wanted) and all(fits)


@lru_cache(512)
def causes_of(net: str, cell: Cell, text: str) -> tuple[Mistake, ...]:
    """The mistakes by which a wrong figure of a net comes about, the likeliest first.

    None of four times the memory, where that is wrong as values: it is right in bytes.
    """
    return likely(Case(report_of(net), cell.layer, cell.quantity), figures_of(text, cell.quantity))
