"""A class in figures: each cell, the commonest mistakes, the scores. All exact."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeVar

from archcalc.homework.answers import QUANTITIES, Marked, Status
from archcalc.homework.submissions import Checked

BINS = 10  # of the histogram: tenths of the points
STATUSES: tuple[Status, ...] = ("right", "carried", "wrong")
_T = TypeVar("_T")


class Cell(NamedTuple):
    """How a cell of the sheet was answered by those who have it."""

    layer: str | None
    quantity: str
    right: int = 0
    carried: int = 0
    wrong: int = 0

    @property
    def answers(self) -> int:
        """How many have it."""
        return self.right + self.carried + self.wrong


class Common(NamedTuple):
    """A mistake, with the cells and the submissions that it was made in."""

    name: str
    times: int  # in how many cells, over all submissions
    cells: tuple[tuple[str | None, str], ...]
    papers: tuple[str, ...]


class Scores(NamedTuple):
    """How the shares of the points reached are spread: 0 to 1."""

    least: Fraction
    lower: Fraction  # quartile: a quarter of the way from the least to the most, in between by a straight line
    median: Fraction
    upper: Fraction
    most: Fraction
    mean: Fraction
    histogram: tuple[int, ...]  # from 0 to 1 in `BINS` parts; who has all points is in the last


class Summary(NamedTuple):
    """A class in figures."""

    cells: tuple[Cell, ...]  # in the order of the net
    mistakes: tuple[Common, ...]  # the commonest first
    scores: Scores | None  # None where nothing could be read


def summarize(checked: Checked) -> Summary:
    """The figures of a class; of a wrong cell the likeliest mistake is counted."""
    shares = [share(marked) for marked in checked.marked]
    return Summary(_cells(checked.marked), _mistakes(checked), spread(shares) if shares else None)


def share(marked: Marked) -> Fraction:
    """Points reached of those that could be; none of none is 0."""
    return marked.score / marked.of if marked.of else Fraction(0)


def _cells(all_: Sequence[Marked]) -> tuple[Cell, ...]:
    found: Counter[tuple[str | None, str, Status]] = Counter(
        (mark.answer.layer, mark.answer.quantity, mark.status) for marked in all_ for mark in marked.marks
    )
    asked = {(layer, quantity) for layer, quantity, _ in found}
    layers = in_order([mark.answer.layer for mark in marked.marks] for marked in all_)
    return tuple(
        Cell(layer, quantity, *(found[layer, quantity, status] for status in STATUSES))
        for layer in sorted(layers, key=lambda layer: layer is None)  # totals last
        for quantity in QUANTITIES
        if (layer, quantity) in asked
    )


def in_order(sequences: Iterable[Sequence[_T]]) -> list[_T]:
    """All elements of some sequences, each once: what is new stands behind what it first followed, or before the rest.

    >>> in_order([["conv1", "pool1"], ["conv1", "lrn1", "pool1", "fc6"]])
    ['conv1', 'lrn1', 'pool1', 'fc6']
    """
    found: list[_T] = []
    known: set[_T] = set()
    for sequence in sequences:
        at = next((found.index(each) for each in sequence if each in known), len(found))  # where the next would go
        for each in sequence:
            if each in known:
                at = found.index(each) + 1
            else:
                found.insert(at, each)
                known.add(each)
                at += 1
    return found


def _mistakes(checked: Checked) -> tuple[Common, ...]:
    cells: dict[str, list[tuple[str | None, str]]] = defaultdict(list)
    papers: dict[str, dict[str, None]] = defaultdict(dict)
    for paper in checked.papers:
        for mark in paper.marked.marks if paper.marked is not None else ():
            if mark.status == "wrong" and mark.mistakes:
                name = mark.mistakes[0].name
                cells[name].append((mark.answer.layer, mark.answer.quantity))
                papers[name][paper.name] = None
    found = [Common(name, len(own), tuple(dict.fromkeys(own)), tuple(papers[name])) for name, own in cells.items()]
    return tuple(sorted(found, key=lambda each: (-len(each.papers), -each.times, each.name)))


def spread(shares: Sequence[Fraction]) -> Scores:
    """The scores of a class of one or more.

    >>> [str(each) for each in spread([Fraction(n, 4) for n in (4, 1, 2, 4)])[:6]]
    ['1/4', '7/16', '3/4', '1', '1', '11/16']
    """
    ordered = sorted(shares)
    histogram = [0] * BINS
    for each in ordered:
        histogram[min(BINS - 1, max(0, int(each * BINS)))] += 1
    quartiles = [_between(ordered, Fraction(quarter, 4)) for quarter in range(5)]
    least, lower, median, upper, most = quartiles
    return Scores(least, lower, median, upper, most, sum(ordered, Fraction(0)) / len(ordered), tuple(histogram))


def _between(ordered: Sequence[Fraction], part: Fraction) -> Fraction:
    """What lies a part of the way from the first to the last: Hyndman & Fan 1996, definition 7."""
    at = part * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (at - below) * (ordered[above] - ordered[below])
