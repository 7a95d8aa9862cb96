"""The search: which values of some unknowns are as wanted, all of them, by halving what is open.

A box is a range for each unknown, of its values or of their places among the legal ones. The rules of the net run on
the whole box at once and give bounds of its gap. A box whose gap is surely 0 is a solution as a whole; one that is
surely refused is left out; any other is halved, the one that may be nearest first, down to single values, for which
everything is exact. So nothing between the bounds is missed, and the first single value that is no solution is as near
as any other.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from archcalc.lang.errors import Fault, SpecError
from archcalc.solving.unknowns import Unknown

MOST_WORK = 300_000
TRIAL = 16
ENOUGH = 5  # nearest misses
PATIENCE = 3  # cuts that tell nothing new
MOST_ALIKE = 40  # misses that are equally near

Box = tuple[tuple[int, int], ...]


class Finding(NamedTuple):
    """What is known of a box: bounds of its gap, whether surely no value of it is refused, the layers built for it."""

    low: Fraction
    high: Fraction | None
    sure: bool
    layers: int
    open: bool = False  # the net cannot be built on bounds


class Found(NamedTuple):
    """All solutions, as boxes that do not overlap, and the nearest misses, the nearest first."""

    boxes: tuple[Box, ...]
    misses: tuple[tuple[Fraction, Box], ...]
    trials: int

    @property
    def number(self) -> int:
        """How many solutions there are."""
        return sum(volume(box) for box in self.boxes)


Test = Callable[[Box], "Finding | None"]  # None where all of a box is refused


def search(unknowns: tuple[Unknown, ...], test: Test, text: int, misses: int = ENOUGH) -> Found:
    """All boxes as wanted, and some misses: `misses` if there is no solution, and with one the nearest alone.

    `text` is how long the text is that each trial runs through, in layers. Raises `SpecError` where that would take too
    long.
    """
    todo = _Todo(unknowns, test, TRIAL + text)
    for box in product(*map(_parts, unknowns)):
        todo.add(box, Fraction(0))
    near: list[tuple[Fraction, Box]] = []
    while todo.heap:
        low, _, box, finding = todo.heap[0]
        if low > 0 and len(near) >= (1 if todo.solved else misses) and (todo.solved or low > near[-1][0]):
            break
        heapq.heappop(todo.heap)
        if volume(box) == 1:
            near.append((low, box))
            if len(near) >= MOST_ALIKE:
                break
        else:
            todo.split(box, finding, low)
    return Found(_joined(todo.solved), tuple(near), todo.trials)


def _parts(unknown: Unknown) -> list[tuple[int, int]]:
    """Its least value by itself, and the others: rules ask for no padding, one group, a step of 1."""
    least, most = unknown.places
    return [(least, least), (least + 1, most)] if least < most else [(least, least)]


def volume(box: Box) -> int:
    """How many values a box holds."""
    product = 1
    for least, most in box:
        product *= most - least + 1
    return product


class _Todo:
    """Boxes that are open, the one that may be nearest first; and those that are solutions."""

    def __init__(self, unknowns: tuple[Unknown, ...], test: Test, effort: int) -> None:
        self.unknowns = unknowns
        self.test = test
        self.effort = effort  # of a trial, beside its layers
        self.heap: list[tuple[Fraction, int, Box, Finding]] = []
        self.solved: list[Box] = []
        self.idle = [0] * len(unknowns)  # how often in a row cutting an unknown told nothing new
        self.trials = 0
        self.work = 0
        self.dearest = 0  # layers of the largest net so far: a net that is refused may be as large

    def add(self, box: Box, least: Fraction) -> Finding | None:
        """Looks at a box within one whose gap is at least so much."""
        finding = self.test(box)
        self.trials += 1
        self.dearest = max(self.dearest, finding.layers if finding else 0)
        self.work += self.effort + (finding.layers if finding else self.dearest)
        if self.work > MOST_WORK:
            raise SpecError([self.too_much()])
        if finding and finding.sure and finding.high == 0:
            self.solved.append(box)
        elif finding:
            heapq.heappush(self.heap, (max(least, finding.low), self.trials, box, finding))
        return finding

    def split(self, box: Box, finding: Finding, low: Fraction) -> None:
        """Cuts a box in two and looks at both."""
        at = self.side(box, finding)
        least, most = box[at]
        middle = (least + most) // 2
        halves = [self.add((*box[:at], ends, *box[at + 1 :]), low) for ends in ((least, middle), (middle + 1, most))]
        news = any(half is None or half[:3] != finding[:3] for half in halves)
        self.idle[at] = 0 if news else self.idle[at] + 1

    def side(self, box: Box, finding: Finding) -> int:
        """Where a box is cut: at its widest side that tells something.

        If no net can be built on the box: at what shapes the net, or else at what is soon single.
        """
        widths = {i: most - least for i, (least, most) in enumerate(box) if most > least}
        shaping = [i for i in widths if self.unknowns[i].shapes]
        if shaping or finding.open:
            return shaping[0] if shaping else min(widths, key=widths.__getitem__)
        return max(widths, key=lambda i: (self.idle[i] < PATIENCE, widths[i]))

    def too_much(self) -> Fault:
        within = ", ".join(unknown.within() for unknown in self.unknowns)
        names = [unknown.name for unknown in self.unknowns if unknown.name[1:2].isalpha()]
        name = names[0] if names else "?" if len(self.unknowns) == 1 else "?f"
        first = "" if names or name == "?" else "name what is sought, `?f`, and "
        message = f"too much to try: {self.trials:,} trials do not settle {within}"
        return Fault(message, help=f'{first}bound it: `--such-that "{name} <= 50"`')


def _joined(boxes: list[Box]) -> tuple[Box, ...]:
    """Boxes in order, neighbours of a single unknown made one."""
    found: list[Box] = []
    for box in sorted(boxes):
        if found and len(box) == 1 and found[-1][0][1] + 1 == box[0][0]:
            found[-1] = ((found[-1][0][0], box[0][1]),)
        else:
            found.append(box)
    return tuple(found)
