"""Sizes whose sides have gone wrong in different ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import permutations, product

from archcalc.analyses.terms import Quotient, Term
from archcalc.homework.answers import Mistake
from archcalc.homework.mistakes.attempts import TWO, Attempt, Cell, misread, mistake
from archcalc.homework.mistakes.registry import other
from archcalc.homework.mistakes.rewriting import exactly, rewritten
from archcalc.notation.formulas import substitution
from archcalc.units import exact
from archcalc.volume import Dim

ALONG = {"h": "height", "w": "width", "c": "depth"}
MOST = 6  # causes tried for each side
SIZES = ("size", "area", "height", "width")

SWAPPED = other("H and W swapped", 10, SIZES, "height and width in the wrong order", "640x360 for 360x640")
ORDER = other("order of the sides", 15, ("size",), "depth first, or in the middle", "96x55x55 for 55x55x96")

FRACTION = other("not rounded", 10, SIZES, "a size that is not whole is left so", "(224 - 11)/4 + 1 = 54.25")


def reordered(cell: Cell) -> Iterator[Mistake]:
    """The right sides in another order; the width for the height."""
    right = dict(zip("hwc", cell.right.values, strict=True))
    wanted = cell.target()
    for order in permutations("hwc"):
        mapped = dict(zip("hwc", order, strict=True))
        values = tuple(right[mapped[side]] for side in cell.sides)
        if wanted.met(values) and values != cell.values(cell.right):
            kind = SWAPPED if mapped["c"] == "c" else ORDER
            if cell.quantity in kind.quantities:
                text = "x".join(map(exact, values))
                yield Mistake(kind.name, text, kind.weight, f"it is {'x'.join(map(str, right.values()))}, height first")


def unrounded(cell: Cell) -> Iterator[Mistake]:
    """Sizes with what is left over as a fraction; on a volume that is another for a mistake of its own."""
    if any(figure.value.denominator > 1 for figure in cell.figures):
        yield from _unrounded(cell)
        for scene, one in misread(cell):
            for found in _unrounded(cell._replace(scene=scene)):
                yield Mistake(
                    f"{one.name} and {found.name}",
                    found.arithmetic,
                    one.weight + found.weight + TWO,
                    f"{'; '.join(one.notes)}; {found.note}",
                )


def _unrounded(cell: Cell) -> Iterator[Mistake]:
    terms = [part.term for part in cell.right.parts if part.role in cell.sides]
    values = [exactly(term) for term in terms]
    if all(figure.rounds_from(value) for figure, value in zip(cell.figures, values, strict=True)):
        left = {substitution(rewritten(term, _plain)): value for term, value in zip(terms, values, strict=True)}
        told = [f"{text} = {float(value):,.6g}" for text, value in left.items() if value.denominator > 1]
        if told:
            yield Mistake(FRACTION.name, ", ".join(told), FRACTION.weight, "there is no part of a place: it is rounded")


def _plain(part: Term) -> Dim | None:
    """A division without its rounding, to be shown."""
    if isinstance(part, Quotient) and part.rounding != "exact":
        return Quotient(part.value, part.over, part.under, "exact")
    return None


def mixed(cell: Cell, attempts: Iterable[Attempt]) -> Iterator[Mistake]:
    """A cause for each wrong side: one for two sides, or for one of them alone, or different ones."""
    bounds = cell.target().bounds
    right = cell.values(cell.right)
    wrong = tuple(at for at, (n, (low, high)) in enumerate(zip(right, bounds, strict=True)) if not low <= n <= high)
    fitting: dict[int, list[Attempt]] = {at: [] for at in wrong}
    for attempt in sorted(attempts, key=lambda each: (each.weight, each.names)):
        values = cell.values(attempt.draft)
        for at in wrong:
            low, high = bounds[at]
            names = {each.name for each in fitting[at]}
            if low <= values[at] <= high and len(fitting[at]) < MOST and attempt.name not in names:
                fitting[at].append(attempt)
    for causes in product(*fitting.values()):
        yield _together(cell, dict(zip(wrong, causes, strict=True)))


def _together(cell: Cell, causes: dict[int, Attempt]) -> Mistake:
    """A mistake for each wrong side; one that two sides share is said once."""
    names: dict[str, list[str]] = {}
    for at, attempt in causes.items():
        names.setdefault(attempt.name, []).append(ALONG[cell.sides[at]])
    weights = {attempt.name: attempt.weight for attempt in causes.values()}
    told = [mistake(cell._replace(quantity=ALONG[cell.sides[at]]), each) for at, each in causes.items()]
    notes = [f"{' and '.join(names[each.name])}: {each.note}" for each in {each.name: each for each in told}.values()]
    arithmetic = ", ".join(dict.fromkeys(each.arithmetic for each in told))
    return Mistake(" and ".join(names), arithmetic, sum(weights.values()) + TWO, "; ".join(notes))
