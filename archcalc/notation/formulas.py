"""Terms written out, with their letters or with the numbers in place of them, as text or as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from archcalc.analyses.terms import Divisor, Letter, Product, Quotient, Sum, Term, Whole, value_of
from archcalc.notation.escapes import escaped
from archcalc.units import exact
from archcalc.volume import Dim

LOOSE, TIGHT, ATOM = range(3)  # a sum, a product or division, what needs no brackets
_FACTOR = re.compile(r"\w+|\w*\([^()]*\)")  # a symbol, or a function of one


class Script(NamedTuple):
    """How formulas are written."""

    times: str  # between factors that belong together
    apart: str  # between groups of them
    quotients: dict[str, tuple[str, int]]  # by rounding, and how firmly it holds together
    gcd: str
    name: Callable[[str], str]
    number: Callable[[Dim], str]
    words: Callable[[str], str]


def figure(value: Dim) -> str:
    """A value with all its digits in threes; one in symbols as it is."""
    return exact(value) if isinstance(value, int) else str(value)


def _latex_name(name: str) -> str:
    if len(name) == 1:
        return name
    letter, index = name[0], name[1:]
    return f"{letter}_{{{index}}}" if index.isdigit() or len(index) == 1 else rf"\text{{{escaped(name)}}}"


def _latex_number(value: Dim) -> str:
    if isinstance(value, int):
        return exact(value).replace(",", "{,}")
    return str(value) if len(str(value)) == 1 else rf"\text{{{escaped(str(value))}}}"


TEXT = Script(
    "*",
    " * ",
    {"exact": ("{0}/{1}", TIGHT), "floor": ("floor({0}/{1})", ATOM), "ceil": ("ceil({0}/{1})", ATOM)},
    "gcd({0}, {1})",
    str,
    figure,
    str,
)
LATEX = Script(
    r" \cdot ",
    r" \cdot ",
    {
        "exact": (r"\frac{{{0}}}{{{1}}}", ATOM),
        "floor": (r"\left\lfloor \frac{{{0}}}{{{1}}} \right\rfloor", ATOM),
        "ceil": (r"\left\lceil \frac{{{0}}}{{{1}}} \right\rceil", ATOM),
    },
    r"\gcd({0}, {1})",
    _latex_name,
    _latex_number,
    lambda text: rf"\text{{{escaped(text)}}}",
)


def formula(n: Dim, script: Script = TEXT) -> str:
    """A term in its letters.

    >>> h, p, f, s = (Letter(value, name) for name, value in {"H": 227, "P": 0, "F": 11, "S": 4}.items())
    >>> formula((h + p + p - f) // s + 1), substitution((h + p + p - f) // s + 1)
    ('floor((H + 2*P - F)/S) + 1', 'floor((227 + 2*0 - 11)/4) + 1')
    """
    return _Writer(script, True).write(n)[0]


def substitution(n: Dim, script: Script = TEXT) -> str:
    """A term with numbers in place of its letters."""
    return _Writer(script, False).write(n)[0]


class _Writer(NamedTuple):
    script: Script
    with_letters: bool

    def write(self, n: Dim) -> tuple[str, int]:
        """The text, and how firmly it holds together."""
        match n:
            case Letter():
                return (self.script.name(n.name), ATOM) if self.with_letters else self.value(n.value)
            case Whole():
                return self.write(n.of) if self.with_letters else self.value(n.value)
            case Sum():
                return self.sum(n), LOOSE
            case Product():
                return self.product(n.factors), TIGHT
            case Quotient():
                return self.quotient(n)
            case Divisor():
                return self.script.gcd.format(self.write(n.a)[0], self.write(n.b)[0]), ATOM
        return self.value(value_of(n))

    def value(self, value: Dim) -> tuple[str, int]:
        text = self.script.number(value)
        whole = isinstance(value, int) or self.script is LATEX or _FACTOR.fullmatch(text)
        return text, ATOM if whole else LOOSE

    def sum(self, n: Sum) -> str:
        text = ""
        for times, part in n.parts:
            sign = "-" if times < 0 else "+"
            written = self.factor(part) if abs(times) == 1 and isinstance(part, Sum) else self.times(abs(times), part)
            text += f" {sign} {written}" if text else sign.strip("+") + written
        if n.number:
            text += f" {'-' if n.number < 0 else '+'} {self.script.number(abs(n.number))}"
        return text

    def times(self, count: int, part: Term) -> str:
        factors = part.factors if isinstance(part, Product) else (part,)
        return self.product((count, *factors)) if count > 1 else self.write(part)[0]

    def product(self, factors: tuple[Dim, ...]) -> str:
        if self.with_letters:
            factors = tuple(factor for n in factors for factor in _opened(n))
        return self.script.apart.join(self.script.times.join(map(self.factor, group)) for group in _groups(factors))

    def factor(self, n: Dim) -> str:
        text, firmness = self.write(n)
        return text if firmness == ATOM else f"({text})"

    def quotient(self, n: Quotient) -> tuple[str, int]:
        template, firmness = self.script.quotients[n.rounding]
        over, under = self.write(n.over), self.write(n.under)
        if self.script is LATEX:  # a fraction has bars in place of brackets
            return template.format(over[0], under[0]), firmness
        texts = (over[0] if over[1] > LOOSE else f"({over[0]})", under[0] if under[1] == ATOM else f"({under[0]})")
        return template.format(*texts), firmness


def _opened(n: Dim) -> tuple[Dim, ...]:
    """The factors of what counts as one."""
    return n.of.factors if isinstance(n, Whole) and isinstance(n.of, Product) else (n,)


def _groups(factors: tuple[Dim, ...]) -> list[list[Dim]]:
    """Factors that belong together: the sides of a volume, a sum by itself, what stands between."""
    groups: list[list[Dim]] = [[]]
    at = 0
    while at < len(factors):
        axes = [n.axis for n in factors[at : at + 2] if isinstance(n, Letter)]
        if axes == ["h", "w"]:
            behind = factors[at + 2 : at + 4]
            sides = 3 if behind and not isinstance(behind[0], Sum) and not _is_pair(behind) else 2
            groups += [list(factors[at : at + sides]), []]
            at += sides
        elif isinstance(factors[at], Sum):
            groups += [[factors[at]], []]
            at += 1
        else:
            groups[-1].append(factors[at])
            at += 1
    return [group for group in groups if group]


def _is_pair(factors: tuple[Dim, ...]) -> bool:
    """Whether two factors are the height and the width of one window."""
    a, b = factors if len(factors) == 2 else (None, None)
    along = isinstance(a, Letter) and isinstance(b, Letter) and a.about.endswith("along the height")
    return isinstance(a, Letter) and (a == b or along)
