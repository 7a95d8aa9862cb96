"""Sizes that are symbols. The only file that imports sympy.

A size in a symbol is kept in one normal form, k*floor((H + b)/m) + c with integers, 0 <= b < m and k >= 1. Adding an
integer changes c; dividing by s, rounding down, gives for k = 1 floor((H + b + m*c)/(m*s)) and then carries; only
upsampling makes k larger than 1, and a k that s divides is divided. So every convolution and pooling stays in the
form, and two sizes are equal for every H exactly when their forms are. Products and sums are sympy polynomials whose
atoms are such sizes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from archcalc.ops.base import Op
from archcalc.record import MISSING, Field
from archcalc.volume import Dim, Symbolic, Truth, Undecided, Volume

LONGEST_PERIOD = 4096  # of the sizes whose equality is looked into
_ATOMS: dict[Any, Size] = {}  # what a sympy symbol of a product stands for


class Size:
    """k*floor((symbol + b)/m) + c, with 0 <= b < m.

    >>> (((symbol("H") + 2 - 3) // 2 + 1) + 2 - 3) // 2 + 1
    ceil(H/4)
    """

    __slots__ = ("b", "c", "k", "m", "symbol")

    def __init__(self, symbol: str, b: int = 0, m: int = 1, c: int = 0, k: int = 1) -> None:
        self.symbol, self.b, self.m, self.c, self.k = symbol, b % m, m, c + k * (b // m), k

    def at(self, value: int) -> int:
        """The size for a value of the symbol."""
        return self.k * ((value + self.b) // self.m) + self.c

    def _key(self) -> tuple[str, int, int, int, int]:
        return self.symbol, self.b, self.m, self.k, self.c

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        if self.m == 1:
            form = self.symbol
        elif self.b == 0:
            form = f"floor({self.symbol}/{self.m})"
        elif self.b == self.m - 1:
            form = f"ceil({self.symbol}/{self.m})"
        else:
            form = f"floor(({self.symbol} + {self.b})/{self.m})"
        form = form if self.k == 1 else f"{self.k}*{form}"
        return f"{form} {'+' if self.c > 0 else '-'} {abs(self.c)}" if self.c else form

    def _sympy_(self) -> Any:
        """The size in a polynomial: k, a symbol named after the rounded part, and c."""
        bare = Size(self.symbol, self.b, self.m)
        sign = {"positive": True} if self.b == self.m - 1 else {"nonnegative": True}  # of the least, at symbol = 1
        atom = sympy.Symbol(repr(bare), integer=True, **sign)
        _ATOMS[atom] = bare
        return self.k * atom + self.c

    def __add__(self, other: Dim) -> Dim:
        if isinstance(other, int):
            return Size(self.symbol, self.b, self.m, self.c + other, self.k)
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
            return Size(self.symbol, self.b, self.m, self.c * other, self.k * other)
        product: Dim = sympy.expand(_polynomial(self) * other)
        return product

    __rmul__ = __mul__

    def __floordiv__(self, other: Dim) -> Dim:
        """(k*f + c)/s with the divisors that k and s share taken out first: they leave no remainder of k*f."""
        if isinstance(other, int) and other > 0:
            shared = math.gcd(self.k, other)
            k, s, c = self.k // shared, other // shared, self.c // shared
            if s == 1:
                return Size(self.symbol, self.b, self.m, c, k)
            if k == 1:
                return Size(self.symbol, self.b + self.m * c, self.m * s)
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
            return True if least <= 1 else Undecided(f"{self.symbol} >= {least}")
        difference = self - other
        return difference >= 0 if isinstance(difference, int) else Undecided(f"{self} >= {other}")

    def __le__(self, other: Dim) -> Truth:
        if isinstance(other, int):
            most = self.m * ((other - self.c) // self.k + 1) - 1 - self.b
            return False if most < 1 else Undecided(f"{self.symbol} <= {most}")
        difference = self - other
        return difference <= 0 if isinstance(difference, int) else Undecided(f"{self} <= {other}")

    def same(self, other: Size) -> Truth:
        """Whether two sizes are equal: sizes that grow alike differ by what repeats with their common period.

        >>> bool(symbol("H").same(symbol("H") + 1)), (symbol("H") // 16 * 16).same(symbol("H")).text
        (False, '16 divides H')
        """
        open_ = Undecided(f"{self} = {other}")
        if self.symbol != other.symbol or self.k * other.m != other.k * self.m:
            return open_
        period = math.lcm(self.m, other.m)
        if period > LONGEST_PERIOD:
            return open_
        equal = [n for n in range(1, period + 1) if self.at(n) == other.at(n)]
        if len(equal) in (0, period):
            return bool(equal)
        step = equal[0]
        return Undecided(f"{step} divides {self.symbol}") if equal == list(range(step, period + 1, step)) else open_


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
        """gcd, left standing."""
        return sympy.Function("gcd")(self, other)


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
