"""Sizes that are symbols. The only file that imports sympy.

A size in a symbol is kept in one normal form, k*floor((H + b)/m) + c with integers, 0 <= b < m and k >= 1. Adding an
integer changes c; dividing by s, rounding down, gives for k = 1 floor((H + b + m*c)/(m*s)) and then carries; only
upsampling makes k larger than 1, and what k and s share is divided out. What is left of k then stands in place of H:
floor((2*floor(H/2) + 1)/3). So every layer stays in the form; without such nesting two sizes are equal for every H
exactly when their forms are. Products and sums are sympy polynomials whose atoms are such sizes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from archcalc.builder.values import LARGEST
from archcalc.lang.errors import Fault, SpecError
from archcalc.ops.base import Op
from archcalc.record import MISSING, Field
from archcalc.volume import Dim, Symbolic, Truth, Undecided, Volume

LONGEST_PERIOD = 4096  # of the sizes whose equality is looked into
DEEPEST = 20  # sizes nested in each other
_ATOMS: dict[Any, Size] = {}  # what a sympy symbol of a product stands for


class Size:
    """k*floor((inner + b)/m) + c, with 0 <= b < m; `inner` is a symbol, or a multiple of such a size.

    >>> (((symbol("H") + 2 - 3) // 2 + 1) + 2 - 3) // 2 + 1
    ceil(H/4)
    """

    __slots__ = ("b", "c", "depth", "inner", "k", "m")

    def __init__(self, inner: str | Size, b: int = 0, m: int = 1, c: int = 0, k: int = 1) -> None:
        """Raises `SpecError` where numbers are larger than a size can be, or the nesting is without end."""
        self.inner, self.b, self.m, self.c, self.k = inner, b % m, m, c + k * (b // m), k
        self.depth: int = inner.depth + 1 if isinstance(inner, Size) else 0
        if max(m, k, abs(self.c)) > LARGEST or self.depth > DEEPEST:
            message = f"the sizes that follow from the symbol `{self.symbol}` become too long"
            raise SpecError([Fault(message, help="give the input in numbers, here or with `--input`")])

    @property
    def symbol(self) -> str:
        """The symbol that the size depends on."""
        return self.inner if isinstance(self.inner, str) else self.inner.symbol

    def at(self, value: int) -> int:
        """The size for a value of the symbol."""
        inner = value if isinstance(self.inner, str) else self.inner.at(value)
        return self.k * ((inner + self.b) // self.m) + self.c

    def period(self) -> tuple[int, int]:
        """By how much the symbol grows until the size has grown by a fixed number, and that number."""
        step, rise = (1, 1) if isinstance(self.inner, str) else self.inner.period()
        times = self.m // math.gcd(self.m, rise)
        return step * times, self.k * (rise * times // self.m)

    def _key(self) -> tuple[str | Size, int, int, int, int]:
        return self.inner, self.b, self.m, self.k, self.c

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        if self.m == 1:
            form = f"{self.inner}"
        elif self.b == 0:
            form = f"floor({self.inner}/{self.m})"
        elif self.b == self.m - 1:
            form = f"ceil({self.inner}/{self.m})"
        else:
            form = f"floor(({self.inner} + {self.b})/{self.m})"
        form = form if self.k == 1 else f"{self.k}*{form}"
        return f"{form} {'+' if self.c > 0 else '-'} {abs(self.c)}" if self.c else form

    def _sympy_(self) -> Any:
        """The size in a polynomial: k, a symbol named after the rounded part, and c."""
        bare = Size(self.inner, self.b, self.m)
        sign = "positive" if bare.at(1) > 0 else "nonnegative"
        atom = sympy.Symbol(repr(bare), integer=True, **{sign: True})
        _ATOMS[atom] = bare
        return self.k * atom + self.c

    def __add__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return Size(self.inner, self.b, self.m, self.c + other, self.k)
        return _polynomial(self) + other

    __radd__ = __add__

    def __sub__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return self + -other
        if isinstance(other, Size) and self._key()[:4] == other._key()[:4]:
            return self.c - other.c
        return _polynomial(self) - other

    def __rsub__(self, other: int) -> Dim:
        return other - _polynomial(self)

    def __mul__(self, other: Dim) -> Dim:
        if isinstance(other, int) and other > 0:
            return Size(self.inner, self.b, self.m, self.c * other, self.k * other)
        product: Dim = sympy.expand(_polynomial(self) * other)
        return product

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        """(k*f + c)/s with the divisors that k and s share taken out first: they leave no remainder of k*f."""
        if isinstance(other, int) and other > 0:
            shared = math.gcd(self.k, other)
            k, s, c = self.k // shared, other // shared, self.c // shared
            if s == 1:
                return Size(self.inner, self.b, self.m, c, k)
            if k == 1:
                return Size(self.inner, self.b + self.m * c, self.m * s)
            return Size(Size(self.inner, self.b, self.m, 0, k), c, s)
        return _polynomial(self) // other

    def __rfloordiv__(self, other: int) -> Dim:
        return other // _polynomial(self)

    def __truediv__(self, other: Dim) -> Any:
        return sympy.sympify(self) / other

    def __mod__(self, other: int) -> Any:
        return self - (self // other) * other

    def __ge__(self, other: Dim) -> Truth:
        """k*floor((H + b)/m) + c >= n exactly when H >= m*ceil((n - c)/k) - b."""
        if isinstance(other, int):
            least = self.m * -((self.c - other) // self.k) - self.b
            if isinstance(self.inner, Size):
                return self.inner >= least
            return least <= 1 if not 1 < least <= LARGEST else Undecided(f"{self.inner} >= {least}")
        difference = self - other
        return difference >= 0 if isinstance(difference, int) else Undecided(f"{self} >= {other}")

    def __le__(self, other: Dim) -> Truth:
        if isinstance(other, int):
            most = self.m * ((other - self.c) // self.k + 1) - 1 - self.b
            if isinstance(self.inner, Size):
                return self.inner <= most
            return False if most < 1 else Undecided(f"{self.inner} <= {most}")
        difference = self - other
        return difference <= 0 if isinstance(difference, int) else Undecided(f"{self} <= {other}")

    def same(self, other: Size) -> Truth:
        """Whether two sizes are equal: sizes that grow alike differ by what repeats with their common period.

        >>> bool(symbol("H").same(symbol("H") + 1)), (symbol("H") // 16 * 16).same(symbol("H")).text
        (False, '16 divides H')
        """
        if self == other:
            return True
        open_ = Undecided(f"{self} = {other}")
        (own, rise), (others, others_rise) = self.period(), other.period()
        period = math.lcm(own, others)
        if self.symbol != other.symbol or rise * others != others_rise * own or period > LONGEST_PERIOD:
            return open_
        equal = [n for n in range(1, period + 1) if self.at(n) == other.at(n)]
        if len(equal) in (0, period):
            return bool(equal)
        step = equal[0]
        return Undecided(f"{step} divides {self.symbol}") if equal == list(range(step, period + 1, step)) else open_

    def common_divisor(self, other: int) -> Any:
        """Greatest common divisor with a number."""
        return gcd(sympy.sympify(self), sympy.Integer(other))


class gcd(sympy.Function):  # type: ignore[misc]  # sympy has no types; its functions have small letters
    """Greatest common divisor, left standing until it meets numbers."""

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        """The number, where both are."""
        return sympy.Integer(math.gcd(int(a), int(b))) if a.is_Integer and b.is_Integer else None


def _polynomial(size: Size) -> Symbolic:
    polynomial: Symbolic = sympy.sympify(size)
    return polynomial


def symbol(name: str) -> Size:
    """A size that is not known yet; at least 1."""
    return Size(name)


def at(value: Dim, numbers: Mapping[str, int]) -> int:
    """A size or a polynomial of sizes with numbers for its symbols: an exact integer.

    >>> at(symbol("H") * 3 + 1, {"H": 224})
    673
    """
    if isinstance(value, int):
        return value
    if isinstance(value, Size):
        return value.at(numbers[value.symbol])
    expr: Any = value
    sizes = {atom: _ATOMS[atom] for atom in expr.free_symbols}
    found = expr.xreplace({atom: sympy.Integer(size.at(numbers[size.symbol])) for atom, size in sizes.items()})
    assert found.is_Integer, (
        f"{expr} is {found} at {dict(numbers)}"
    )  # else an assumption of the net does not hold there
    return int(found)


# ---------------------------------------------------------------- the general formulas of a layer type


class Letter(sympy.Symbol):  # type: ignore[misc]  # sympy has no types
    """An argument as a letter."""

    def common_divisor(self, other: Any) -> Any:
        """Greatest common divisor."""
        return gcd(self, other)


class _Printer(StrPrinter):  # type: ignore[misc]  # sympy has no types
    """Sums as people write them: what is added first, what is taken away after it."""

    def _print_Add(self, expr: Any, order: Any = None) -> str:
        terms = sorted(self._as_ordered_terms(expr, order=order), key=lambda term: term.could_extract_minus_sign())
        terms = sorted(terms, key=lambda term: (term.could_extract_minus_sign(), not term.free_symbols))
        text = ""
        for term in terms:
            shown = self.parenthesize(term, 0) if not term.is_Add else f"({self._print(term)})"
            minus = shown.startswith("-")
            text += (" - " if minus else " + ") + shown.removeprefix("-") if text else shown
        return text


def written(value: Any) -> str:
    """A formula as text."""
    return str(_Printer().doprint(sympy.sympify(value))).replace("**", "^")


def general(cls: type[Op]) -> dict[str, str]:
    """Size, weights, parameters and operations of a layer type as formulas, made by its own rules run on letters.

    The input is HxWxC, the output hxwxc; both in letters, so the formulas are those that the engine uses.
    """
    h, w, c = (Letter(name, integer=True, positive=True) for name in "HWC")
    op = cls(**{name: _letters(field) for name, field in cls.fields.items()})
    x = Volume(h, w, c)
    inputs = (x,) if cls.arity == "one" else (x, x)
    y = op.out(*inputs)
    shapes = op.weights(*inputs)
    out = Volume(*(_named(n, letter) for n, letter in zip(y, "hwc", strict=True)))
    work = op.work(out, *inputs)
    learnt = [shape for name, shape in shapes.items() if name not in op.buffers]
    formulas = {"height": written(y.h), "width": written(y.w), "depth": written(y.c)}
    if shapes:
        formulas["weights"] = ", ".join(
            f"{name} {'x'.join(_factor(n) for n in shape)}" for name, shape in shapes.items()
        )
        formulas["parameters"] = written(sum((sympy.prod(shape) for shape in learnt), sympy.Integer(0)))
    formulas["MACs"] = written(work.macs)
    kinds = [f"{written(n)} {kind}" for kind, n in zip(work._fields, work, strict=True) if kind != "macs" and n != 0]
    formulas["other operations"] = ", ".join(kinds) or "none"
    formulas["FLOPs"] = written(sympy.factor_terms(sympy.expand(work.flops)))
    return formulas


def _named(n: Any, letter: str) -> Any:
    """An output size as a letter of its own where it is a formula; plain sizes stay as they are."""
    plain = isinstance(n, int) or getattr(n, "is_Symbol", False) or getattr(n, "is_Integer", False)
    return n if plain else Letter(letter, integer=True, positive=True)


def _factor(n: Any) -> str:
    text = written(n)
    return text if text.isalnum() or ("/" in text and " " not in text) else f"({text})"


def _letters(field: Field) -> Any:
    letter = Letter(field.symbol or field.name, integer=True, positive=True)
    match field.kind.removesuffix(" | None"):
        case "Pair":
            return (letter, letter)
        case "Padding":
            return ((letter, letter), (letter, letter))
        case "Count" | "Whole":
            return letter
        case "Range":
            return (Letter("first", integer=True), Letter("last", integer=True))
    return letter if field.default is MISSING else field.default
