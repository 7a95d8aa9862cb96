"""Sizes and polynomials written out: for people, for Python, for LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple


class Spelling(NamedTuple):
    """How a formula is written."""

    floor: str  # of {0}/{1}
    ceil: str
    times: str
    power: str
    fraction: str
    call: str  # of a function {0} of {1}
    word: str  # a symbol of several letters
    group: str = "({0})"


TEXT = Spelling("floor({0}/{1})", "ceil({0}/{1})", "*", "{0}^{1}", "{0}/{1}", "{0}({1})", "{0}")
PYTHON = TEXT._replace(power="{0}**{1}")
LATEX = Spelling(
    r"\left\lfloor \frac{{{0}}}{{{1}}} \right\rfloor",
    r"\left\lceil \frac{{{0}}}{{{1}}} \right\rceil",
    r"\,",
    "{0}^{{{1}}}",
    r"\frac{{{0}}}{{{1}}}",
    r"\mathrm{{{0}}}\left({1}\right)",
    r"\mathrm{{{0}}}",
    r"\left({0}\right)",
)
Term = tuple[Fraction, Sequence[tuple[Any, int]]]  # coefficient, atoms with their powers


def symbol(name: str, spelling: Spelling = TEXT) -> str:
    """The name of a symbol."""
    return name if len(name) == 1 else spelling.word.format(name.replace("_", r"\_") if spelling is LATEX else name)


def size(inner: Any, b: int, m: int, c: int, k: int, spelling: Spelling = TEXT) -> str:
    """k*floor((inner + b)/m) + c, where `inner` is a symbol or a size; rounding up is written as such.

    >>> size("H", 31, 32, 0, 1), size("H", 29, 32, -2, 1)
    ('ceil(H/32)', 'floor((H + 29)/32) - 2')
    >>> print(size("H", 31, 32, 0, 1, LATEX))
    \\left\\lceil \\frac{H}{32} \\right\\rceil
    """
    within = symbol(inner, spelling) if isinstance(inner, str) else inner.written(spelling)
    if m == 1:
        form = within
    elif b in (0, m - 1):
        form = (spelling.floor if b == 0 else spelling.ceil).format(within, m)
    else:
        whole = f"{within} + {b}" if spelling is LATEX else f"({within} + {b})"
        form = spelling.floor.format(whole, m)
    form = form if k == 1 else f"{k}{spelling.times}{form}"
    return f"{form} {'+' if c > 0 else '-'} {abs(c)}" if c else form


def polynomial(terms: Sequence[Term], spelling: Spelling = TEXT) -> str:
    """A sum of products, in their order; none that is taken away stands first if something is added."""
    added = next((at for at, (coefficient, _) in enumerate(terms) if coefficient > 0), 0)
    text = ""
    for coefficient, atoms in (*terms[added : added + 1], *terms[:added], *terms[added + 1 :]):
        sign = "-" if coefficient < 0 else "+"
        text += (f" {sign} " if text else sign.strip("+")) + _product(abs(coefficient), atoms, spelling)
    return text or "0"


def _product(coefficient: Fraction, atoms: Sequence[tuple[Any, int]], spelling: Spelling) -> str:
    over = [_power(_factor(atom, spelling), power, spelling) for atom, power in atoms if power > 0]
    under = [_power(_factor(atom, spelling), -power, spelling) for atom, power in atoms if power < 0]
    if coefficient.numerator != 1 or not over:
        over.insert(0, str(coefficient.numerator))
    if coefficient.denominator != 1:
        under.insert(0, str(coefficient.denominator))
    product, divisor = spelling.times.join(over), spelling.times.join(under)
    if not under:
        return product
    return spelling.fraction.format(product, divisor if len(under) == 1 or spelling is LATEX else f"({divisor})")


def _factor(atom: Any, spelling: Spelling) -> str:
    """An atom in a product: in brackets where it has an offset."""
    return spelling.group.format(atom.written(spelling)) if getattr(atom, "c", 0) else str(atom.written(spelling))


def _power(base: str, power: int, spelling: Spelling) -> str:
    return base if power == 1 else spelling.power.format(base, power)
