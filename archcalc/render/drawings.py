"""Windows drawn along one axis, a character a cell."""

from __future__ import annotations

import math
from typing import NamedTuple

from archcalc.notation.formulas import figure
from archcalc.volume import Sweep, footprint, unseen

BREAK = " ~ "  # for cells left out in the middle of a long axis
MOST_WINDOWS = 6
SHORTEST = 24  # cells at either end of a break
FIRST, LAST = 3, 2  # windows that are drawn of more
LEGEND = {"x": "never seen", "0": "padding"}


class _Axis(NamedTuple):
    """A sweep in numbers."""

    n: int
    k: int
    s: int
    before: int
    after: int
    d: int
    places: int

    @property
    def span(self) -> int:
        return footprint(self.k, self.d)

    def start(self, place: int) -> int:
        """The cell at which a window starts, counted from the first of the input."""
        return place * self.s - self.before

    def seen(self, cell: int) -> bool:
        """Whether any window has a tap on a cell: one of the places around it that lies whole dilations before it."""
        distance = cell + self.before  # from the start of the first window: place*s = distance, modulo d
        first = max(0, -((self.span - 1 - distance) // self.s))
        last = min(self.places - 1, distance // self.s)
        shared = math.gcd(self.s, self.d)
        if distance % shared:
            return False
        period = self.d // shared
        place = distance // shared * pow(self.s // shared, -1, period)
        return first + (place - first) % period <= last


def draw(sweep: Sweep, room: int) -> list[tuple[str, str]]:
    """The cells of an axis and its windows below them, each line with its name; at most `room` characters wide.

    `.` is a cell that is seen, `x` one that never is, `0` padding. Of a long axis only the ends are drawn, of many
    windows only the first and the last.

    >>> for name, line in draw(Sweep(6, 3, 2, 1, 0, 1, 3), 40):
    ...     print(f"{name:8}  {line}")
    cells     0......
    window 1  [=]
    window 2    [=]
    window 3      [=]
    """
    axis = _Axis(*sweep)  # type: ignore[arg-type]  # numbers
    end = max(axis.n + axis.after, axis.start(axis.places - 1) + axis.span)
    cells = _visible(axis, end, room)
    lines = [("cells", "".join(_cell(axis, cell) for cell in cells).replace(" " * len(BREAK), BREAK, 1))]
    places = range(axis.places)
    gap = axis.places > MOST_WINDOWS
    shown = [*places[:FIRST], *places[-LAST:]] if gap else [*places]
    for place in shown:
        lines.append((f"window {place + 1:,}", _window(axis, place, cells)))
        if gap and place == FIRST - 1:
            lines.append(("...", "~"))
    return [(name, line.rstrip()) for name, line in lines if line.strip()]


def lines(sweep: Sweep, indent: int, width: int) -> list[str]:
    """A drawing with the names of its lines before them, the indent wider where they need it."""
    indent = max(indent, len(f"window {sweep.places:,}") + 2)
    return [f"{name:{indent}}{line}" for name, line in draw(sweep, width - indent)]


def legend(sweep: Sweep) -> str:
    """What the characters of a drawing mean, those that stand in it."""
    axis = _Axis(*sweep)  # type: ignore[arg-type]  # numbers
    left_out = unseen(axis.n, axis.k, axis.s, axis.before, axis.d, axis.places)
    marks = {"x": left_out > 0, "0": axis.before > 0 or axis.after > 0}
    return ", ".join(f"{mark} {LEGEND[mark]}" for mark, stands in marks.items() if stands)


def _visible(axis: _Axis, end: int, room: int) -> list[int | None]:
    """The cells that are drawn, padding among them; None for the break in the middle."""
    start = -axis.before
    if end - start <= room:
        return [*range(start, end)]
    half = min((room - len(BREAK)) // 2, max(SHORTEST, axis.span + (FIRST - 1) * axis.s + 2))
    return [*range(start, start + half), *[None] * len(BREAK), *range(end - half, end)]


def _cell(axis: _Axis, cell: int | None) -> str:
    if cell is None or cell >= axis.n + axis.after:
        return " "
    if not 0 <= cell < axis.n:
        return "0"
    return "." if axis.seen(cell) else "x"


def _window(axis: _Axis, place: int, cells: list[int | None]) -> str:
    return "".join(" " if cell is None else _mark(axis, cell - axis.start(place)) for cell in cells)


def _mark(axis: _Axis, offset: int) -> str:
    if not 0 <= offset < axis.span:
        return " "
    if axis.d > 1 or axis.k == 1:
        return "#" if offset % axis.d == 0 else "-"
    return "[" if offset == 0 else "]" if offset == axis.span - 1 else "="


def swept(sweep: Sweep) -> str:
    """A drawing in words."""
    windows, cells = (
        f"{figure(n)} {what}{'s' * (n != 1)}" for n, what in ((sweep.places, "window"), (sweep.k, "cell"))
    )
    text = f"{windows} of {cells}, {figure(sweep.s)} apart, over {figure(sweep.n)}"
    return f"{text}; {legend(sweep)}" if legend(sweep) else text
