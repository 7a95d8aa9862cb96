"""Rows of a sheet and layers of a net brought together: by name, by type and number, by shape, by position."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from archcalc.analyses.costs import Report, Row
from archcalc.homework.labels import Key, Label, Names, groups_of, head_of, is_of, key_of
from archcalc.ops import Op

MOST_STEPS = 300_000  # rows times layers that are tried in order
WAYS = ("name", "type and number", "shape", "position")


class Match(NamedTuple):
    """What a row stands for: a layer or a group; None is the whole net."""

    name: str | None
    way: str


Fits = Callable[[int, int], int]  # how many answers of a row are right for a layer, by their places


def paired(report: Report, labels: Sequence[Label], fits: Fits) -> Pairing:
    """The rows of a sheet brought together with the layers of a net.

    Numbers that run on from type to type (`Conv2d-1`, `ReLU-2`, `MaxPool2d-3`) and those of labels that come again and
    again (`CONV3-64`, `POOL2`) are the names of no layers, if more answers are right without them. Nor are those that
    only some labels of a type have: `fc1`, `fc2`, `fc3` of a net with layers `C5`, `F6`, `fc1`.
    """
    best = Pairing(report, labels, fits)
    for numbered in (_running(labels), _repeated(labels)):
        if numbered:
            plain = [_without_number(each) if at in numbered else each for at, each in enumerate(labels)]
            best = _better(best, Pairing(report, plain, fits))
    partly = best.partly_named()
    return _better(best, Pairing(report, best.labels, fits, partly)) if partly else best


def _better(one: Pairing, other: Pairing) -> Pairing:
    return other if other.right > one.right else one


def _running(labels: Sequence[Label]) -> set[int]:
    """The rows with a type, if their numbers grow from each to the next, whatever the type."""
    typed = [at for at, each in enumerate(labels) if each.type is not None]
    numbers = [int(labels[at].numbers[0][:9]) for at in typed if len(labels[at].numbers) == 1]
    grow = len(numbers) == len(typed) > 2 and all(a < b for a, b in pairwise(numbers))
    return set(typed) if grow and len({labels[at].type for at in typed}) > 1 else set()


def _repeated(labels: Sequence[Label]) -> set[int]:
    """The rows with a type whose label is that of others too."""
    keys = [key_of(head_of(each.text)) for each in labels]
    times = Counter(keys)
    return {at for at, each in enumerate(labels) if each.type is not None and times[keys[at]] > 1}


def _without_number(label: Label) -> Label:
    return label._replace(text=re.sub(r"\d+", "", label.text), numbers=())


class Pairing:
    """Brings the rows of a sheet together with the layers of a net."""

    def __init__(
        self, report: Report, labels: Sequence[Label], fits: Fits, nameless: frozenset[int] = frozenset()
    ) -> None:
        self.report = report
        self.nameless = nameless  # rows that are not found by name
        self.labels = labels
        self.fits = fits
        self.names = Names(report)
        self.found: dict[int, Match] = {}  # by the place of the row
        self.twice: dict[int, str] = {}  # rows that name a layer once more
        self.given_up = False  # too many rows to try them in order
        types = {label.type for label in labels if label.type is not None}
        self.of_type = {op: self._of_type(op) for op in types}
        self._by_name()
        named = (labels[at] for at, match in self.found.items() if match.way == "name")
        self.numbered = {label.type for label in named if label.type is not None and label.numbers}
        for op in dict.fromkeys(label.type for label in self.labels):
            if op is not None:
                self._by_number(op)
        self._in_order()
        self._as_groups()

    @property
    def right(self) -> int:
        """How many answers are right for the layers that were found."""
        return sum(self.fits(at, self.names.at(match.name)) for at, match in self.found.items() if match.name)

    def partly_named(self) -> frozenset[int]:
        """Rows with a number whose type has some that name a layer and some that do not."""
        rows = [at for at, each in enumerate(self.labels) if each.type is not None and each.numbers]
        named = {at for at in rows if at in self.found and self.found[at].way == "name"}
        both = {self.labels[at].type for at in named} & {self.labels[at].type for at in rows if at not in named}
        return frozenset(at for at in rows if self.labels[at].type in both)

    def _take(self, at: int, name: str | None, way: str) -> None:
        if any(match.name == name for match in self.found.values()):
            self.twice[at] = name or "the whole net"
        else:
            self.found[at] = Match(name, way)

    def _open(self) -> list[int]:
        closed = {*self.found, *self.twice}
        return [at for at, label in enumerate(self.labels) if at not in closed and not label.several]

    def _taken(self) -> set[int]:
        return {self.names.layers[match.name] for match in self.found.values() if match.name in self.names.layers}

    # ------------------------------------------------------------ by name

    def _by_name(self) -> None:
        inputs = [row.name for row in self.report.rows if not row.inputs]
        for at in self._open():
            label = self.labels[at]
            name = self.names.find(label.text) if at not in self.nameless else None
            if name is not None:
                self._take(at, name, "name")
            elif label.total:
                self._take(at, None, "name")
            elif label.input:
                free = [name for name in inputs if not any(match.name == name for match in self.found.values())]
                self._take(at, (free or inputs)[0], "name")

    # ------------------------------------------------------------ by type and number

    def _by_number(self, op: type[Op]) -> None:
        """Rows of one type: by the numbers in the names of the layers, else by counting, else one after the other."""
        rows = [at for at in self._open() if self.labels[at].type is op and not self._strange(at)]
        everyone = self.of_type[op]
        taken = self._taken()
        free = [i for i in everyone if i not in taken]
        ways = (self._by_digits(rows, free), self._by_count(rows, everyone, taken), self._one_by_one(rows, free))
        known = [way for way in ways if way is not None]
        if rows and known:
            best = max(known, key=lambda way: sum(map(self.fits, rows, way)))  # of equals the first
            for at, i in zip(rows, best, strict=True):
                self._take(at, self.report.rows[i].name, "type and number")

    def _strange(self, at: int) -> bool:
        """Whether a row has a number that no layer of its type has, where others are numbered as in the net."""
        label = self.labels[at]
        if label.type not in self.numbered or not label.numbers:
            return False
        return label.numbers not in {self._digits(i) for i in self.of_type[label.type]}

    def _digits(self, i: int) -> Key:
        return tuple(each for each in key_of(self.report.rows[i].name) if each.isdigit())

    def _of_type(self, op: type[Op]) -> list[int]:
        """The layers of a type; where there are none, those of its kind."""
        rows = [(i, row) for i, row in enumerate(self.report.rows) if row.inputs]
        return [i for i, row in rows if is_of(row, op)] or [i for i, row in rows if is_of(row, op, kind=True)]

    def _by_digits(self, rows: list[int], free: list[int]) -> list[int] | None:
        digits: dict[Key, int] = {}
        for i in free:
            digits.setdefault(self._digits(i), i)
        found = [digits.get(self.labels[at].numbers) if self.labels[at].numbers else None for at in rows]
        known = [i for i in found if i is not None]
        return known if len(known) == len(rows) == len(set(known)) else None

    def _by_count(self, rows: list[int], everyone: list[int], taken: set[int]) -> list[int] | None:
        numbers = [self.labels[at].numbers for at in rows]
        if not all(len(each) == 1 and 1 <= int(each[0][:9]) <= len(everyone) for each in numbers):
            return None
        found = [everyone[int(each[0]) - 1] for each in numbers]
        return found if len(set(found)) == len(found) and not taken & set(found) else None

    def _one_by_one(self, rows: list[int], free: list[int]) -> list[int] | None:
        return free if len(free) == len(rows) else None

    # ------------------------------------------------------------ in order

    def _in_order(self) -> None:
        """The rows that are left, between those that are found, where their order is that of the net."""
        anchors = [(at, self.names.at(name)) for at, name in self._anchors()]
        ordered = all(a[1] < b[1] for a, b in pairwise(anchors))
        known = bool(anchors)
        ends = [(-1, -1), *(anchors if ordered else []), (len(self.labels), len(self.report.rows))]
        taken = self.covered()
        for (row, layer), (next_row, next_layer) in pairwise(ends):
            rows = [at for at in self._open() if row < at < next_row]
            layers = [i for i in range(layer + 1, next_layer) if i not in taken and self.report.rows[i].inputs]
            if len(rows) * len(layers) > MOST_STEPS:
                self.given_up = True
            elif rows and layers:
                self._align(rows, layers, _Between(known, row >= 0 and next_row < len(self.labels)))

    def _anchors(self) -> list[tuple[int, str]]:
        return [(at, match.name) for at, match in sorted(self.found.items()) if match.name is not None]

    def covered(self) -> set[int]:
        """The layers that are found, by themselves or within a group."""
        names = {match.name for match in self.found.values()}
        return {i for i, row in enumerate(self.report.rows) if names & {row.name, *groups_of(row)}}

    def _align(self, rows: list[int], layers: list[int], where: _Between) -> None:
        """The best way to lay rows beside layers, both in order: the most that is right, the least left out."""
        best = [[0] * (len(layers) + 1) for _ in range(len(rows) + 1)]
        step = [[""] * (len(layers) + 1) for _ in range(len(rows) + 1)]
        skipped = [_skipped(self.report.rows[i]) for i in layers]
        for r in range(len(rows), -1, -1):
            for n in range(len(layers), -1, -1):
                choices = []
                if r < len(rows) and n < len(layers):
                    gain = self._gain(rows[r], layers[n], where)
                    choices += [(best[r + 1][n + 1] + gain, "both")] if gain is not None else []
                choices += [(best[r][n + 1] - skipped[n], "layer")] if n < len(layers) else []
                choices += [(best[r + 1][n] - LEFT_OUT, "row")] if r < len(rows) else []
                if choices:
                    best[r][n], step[r][n] = max(choices, key=lambda choice: choice[0])
        r = n = 0
        while step[r][n]:
            if step[r][n] == "both":
                way = "shape" if self.fits(rows[r], layers[n]) else "position"
                self._take(rows[r], self.report.rows[layers[n]].name, way)
            r, n = r + (step[r][n] != "layer"), n + (step[r][n] != "row")

    def _as_groups(self) -> None:
        """Rows with words of their own that are the only ones within a group stand for the group: `Stage 3`."""
        inside = Counter(group for i in self._taken() for group in groups_of(self.report.rows[i])[:1])
        for at, match in self.found.items():
            label = self.labels[at]
            worded = label.type is None and any(char.isalpha() for char in label.text)
            if match.way in ("shape", "position") and worded and match.name is not None:
                group = groups_of(self.report.rows[self.names.at(match.name)])[:1]
                if group and inside[group[0]] == 1:
                    self.found[at] = match._replace(name=group[0])

    def _gain(self, at: int, i: int, where: _Between) -> int | None:
        """How well a row goes with a layer; None where it does not: another type, or words that name no layer."""
        label, row = self.labels[at], self.report.rows[i]
        if label.type is not None and i not in self.of_type[label.type]:
            return None
        if label.type is None and label.words and label.silent:  # `Total params: 138,357,544`, alone in its row
            return None
        fits = self.fits(at, i)
        if not fits and (where.known if label.type is None else self._strange(at) and not where.closed):
            return None
        return RIGHT * fits + (TYPE if label.type is not None else 0) - (INPLACE if row.node.op.inplace else 0)


class _Between(NamedTuple):
    """What stands around rows that are laid beside layers."""

    known: bool  # other rows are found
    closed: bool  # one is found before them and one behind them


RIGHT, TYPE, LEFT_OUT, INPLACE = 100, 60, 200, 50


def _skipped(row: Row) -> int:
    """What it costs to leave a layer out: what students leave out, works in place; least often what has weights."""
    if row.node.op.inplace:
        return 0
    if row.cost.work.macs != 0:
        return 40
    return 30 if row.output not in row.inputs else 10
