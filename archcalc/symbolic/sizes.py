"""Sizes that are symbols, exact through a whole net.

A size in a symbol is kept in one normal form, k*floor((H + b)/m) + c with integers, 0 <= b < m and k >= 1. Adding an
integer changes c; dividing by s, rounding down, gives for k = 1 floor((H + b + m*c)/(m*s)) and then carries; only
upsampling makes k larger than 1, and what k and s share is divided out. What is left of k then stands in place of H:
floor((2*floor(H/2) + 1)/3). So every layer stays in the form; without such nesting two sizes are equal for every H
exactly when their forms are. Products and sums are sympy polynomials whose atoms are such sizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any

import sympy

from archcalc.builder.values import LARGEST
from archcalc.lang.errors import Fault, SpecError
from archcalc.symbolic import writing
from archcalc.symbolic.tidying import tidy
from archcalc.symbolic.writing import TEXT, Spelling, Term
from archcalc.volume import RELATIONS, Dim, Truth, Undecided

LONGEST_PERIOD = 4096  # of the sizes whose equality is looked into
LONGEST_SEARCH = 65536  # for the places where sizes that grow unlike are equal
DEEPEST = 20  # sizes nested in each other
MOST_TERMS = 10_000  # of a product
HIGHEST_DEGREE = 64  # of a polynomial
MOST_TIDIED = 64  # terms
COST_OF_FLOOR = 8  # in degrees: what is rounded down again and again is bounded too
MOST_RESIDUES = 4  # that a sentence names
_ATOMS: dict[Any, Size] = {}  # what a sympy symbol of a polynomial stands for


class Formula:
    """What sizes and polynomials share: arithmetic that ends in a size where it can, else in a polynomial."""

    __slots__ = ()

    def _sympy_(self) -> Any:
        raise NotImplementedError

    def __add__(self, other: Any) -> Dim:
        return _dim(_expr(self) + _expr(other), max(_degree(self), _degree(other)))

    def __sub__(self, other: Any) -> Dim:
        return _dim(_expr(self) - _expr(other), max(_degree(self), _degree(other)))

    def __rsub__(self, other: Any) -> Dim:
        return _dim(_expr(other) - _expr(self), _degree(self))

    def __mul__(self, other: Any) -> Dim:
        if isinstance(other, int) and other == 1:
            return self
        a, b, degree = _expr(self), _expr(other), _degree(self) + _degree(other)
        if degree > HIGHEST_DEGREE or _count(a) * _count(b) > MOST_TERMS:
            raise _too_long("the formulas")
        sums = (a.is_Add or b.is_Add) and not (a.is_Number or b.is_Number)  # sympy multiplies numbers into sums itself
        return _dim(sympy.expand(a * b) if sums else a * b, degree)

    def __radd__(self, other: Any) -> Dim:
        return self.__add__(other)

    def __rmul__(self, other: Any) -> Dim:
        return self.__mul__(other)

    def __floordiv__(self, other: Any) -> Dim:
        return _floored(sympy.expand_mul(_expr(self) / _expr(other)), _degree(self) + COST_OF_FLOOR)

    def __rfloordiv__(self, other: Any) -> Dim:
        return _floored(_expr(other) / _expr(self), COST_OF_FLOOR)

    def __truediv__(self, other: Any) -> Dim:
        """Exact: who divides has made sure that nothing is left."""
        return _dim(sympy.expand_mul(_expr(self) / _expr(other)), _degree(self))

    def __rtruediv__(self, other: Any) -> Dim:
        return _dim(_expr(other) / _expr(self), 1)

    def __mod__(self, other: Any) -> Dim:
        return self.__sub__(self.__floordiv__(other) * other)

    def __ge__(self, other: Any) -> Truth:
        return _at_least_zero(self - other, Undecided(f"{self} >= {other}", ">=", self, other))

    def __le__(self, other: Any) -> Truth:
        return _at_least_zero(other - self, Undecided(f"{self} <= {other}", "<=", self, other))

    def same(self, other: Dim) -> Truth:
        """Whether two are equal, for every value of their symbols."""
        difference = self - other
        if isinstance(difference, int):
            return difference == 0
        if isinstance(difference, Size):
            return difference.same(0)
        return Undecided(f"{self} = {other}", "=", self, other)

    def divisible_by(self, other: Dim) -> Truth:
        """Whether a number divides it, for every value of its symbols."""
        quotient = Polynomial(sympy.expand_mul(_expr(self) / _expr(other)), 1)
        if all(coefficient.denominator == 1 and _whole(atoms) for coefficient, atoms in quotient.terms):
            return True
        return Undecided(f"{other} divides {self}", "divides", other, self)

    def common_divisor(self, other: int) -> Any:
        """Greatest common divisor with a number."""
        return _dim(gcd(_expr(self), sympy.Integer(other)), 1)

    def __repr__(self) -> str:
        return self.written()

    @property
    def latex(self) -> str:
        """As a formula in LaTeX."""
        return self.written(writing.LATEX)

    def written(self, spelling: Spelling = TEXT) -> str:
        """As a formula."""
        raise NotImplementedError


class Size(Formula):
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
            raise _too_long(f"the sizes that follow from the symbol `{self.symbol}`")

    @property
    def symbol(self) -> str:
        """The symbol that the size depends on."""
        return self.inner if isinstance(self.inner, str) else self.inner.symbol

    @property
    def bare(self) -> Size:
        """The rounded part alone: k = 1, c = 0."""
        return self if self.k == 1 and self.c == 0 else Size(self.inner, self.b, self.m)

    def at(self, value: Any) -> Any:
        """The size for a value of the symbol: a number, or an array of numbers."""
        inner = value if isinstance(self.inner, str) else self.inner.at(value)
        return self.k * ((inner + self.b) // self.m) + self.c

    def least(self, wanted: int) -> int:
        """The smallest value of the symbol, negative ones too, for which the size is at least that much."""
        least = self.m * -((self.c - wanted) // self.k) - self.b
        return self.inner.least(least) if isinstance(self.inner, Size) else least

    def most(self, wanted: int) -> int:
        """The largest value of the symbol for which the size is at most that much."""
        return self.least(wanted + 1) - 1

    def period(self) -> tuple[int, int]:
        """By how much the symbol grows until the size has grown by a fixed number, and that number."""
        step, rise = (1, 1) if isinstance(self.inner, str) else self.inner.period()
        times = self.m // math.gcd(self.m, rise)
        return step * times, self.k * (rise * times // self.m)

    def _key(self) -> tuple[str | Size, int, int, int, int]:
        return self.inner, self.b, self.m, self.k, self.c

    def _like(self, other: object) -> bool:
        """Whether the rounded parts are the same."""
        return isinstance(other, Size) and (self.inner, self.b, self.m) == (other.inner, other.b, other.m)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Size) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def written(self, spelling: Spelling = TEXT) -> str:
        """As a formula: ceil(H/32)."""
        return writing.size(self.inner, self.b, self.m, self.c, self.k, spelling)

    def _sympy_(self) -> Any:
        """The size in a polynomial: k, a symbol named after the rounded part, and c."""
        bare = self.bare
        sign = "positive" if bare.at(1) > 0 else "nonnegative"
        atom = sympy.Symbol(repr(bare), integer=True, **{sign: True})
        _ATOMS[atom] = bare
        return self.k * atom + self.c

    def __add__(self, other: Any) -> Dim:
        if isinstance(other, int):
            return Size(self.inner, self.b, self.m, self.c + other, self.k)
        if self._like(other):
            return Size(self.inner, self.b, self.m, self.c + other.c, self.k + other.k)
        return super().__add__(other)

    def __sub__(self, other: Any) -> Dim:
        if isinstance(other, int):
            return self.__add__(-other)
        if self._like(other) and self.k >= other.k:
            rest = self.c - other.c
            return Size(self.inner, self.b, self.m, rest, self.k - other.k) if self.k > other.k else rest
        return super().__sub__(other)

    def __mul__(self, other: Any) -> Dim:
        if isinstance(other, int) and other > 0:
            return Size(self.inner, self.b, self.m, self.c * other, self.k * other)
        return super().__mul__(other)

    def __floordiv__(self, other: Any) -> Dim:
        """(k*f + c)/s with the divisors that k and s share taken out first: they leave no remainder of k*f."""
        if isinstance(other, int) and other > 0:
            shared = math.gcd(self.k, other)
            k, s, c = self.k // shared, other // shared, self.c // shared
            if s == 1:
                return Size(self.inner, self.b, self.m, c, k)
            if k == 1:
                return Size(self.inner, self.b + self.m * c, self.m * s)
            return Size(Size(self.inner, self.b, self.m, 0, k), c, s)
        return super().__floordiv__(other)

    def __truediv__(self, other: Any) -> Dim:
        if isinstance(other, int) and other > 0 and self.k % other == self.c % other == 0:
            return self // other
        return super().__truediv__(other)

    def __ge__(self, other: Any) -> Truth:
        """k*floor((H + b)/m) + c >= n exactly when H >= m*ceil((n - c)/k) - b."""
        if not isinstance(other, int):
            return super().__ge__(other)
        least = self.least(other)
        if not 1 < least <= LARGEST:
            return least <= 1
        return Undecided(f"{self.symbol} >= {least}", ">=", symbol(self.symbol), least)

    def __le__(self, other: Any) -> Truth:
        if not isinstance(other, int):
            return super().__le__(other)
        most = self.most(other)
        return False if most < 1 else Undecided(f"{self.symbol} <= {most}", "<=", symbol(self.symbol), most)

    def same(self, other: Dim) -> Truth:
        """Whether two sizes are equal: sizes that grow alike differ by what repeats with their common period.

        >>> bool(symbol("H").same(symbol("H") + 1)), (symbol("H") // 16 * 16).same(symbol("H")).text
        (False, '16 divides H')
        >>> (symbol("H") // 2).same(7).text
        '14 <= H <= 15'
        """
        if self == other:
            return True
        if isinstance(other, int):
            least, most = max(1, self.least(other)), self.most(other)
            text = _between(self.symbol, least, most)
            return Undecided(text, "=", self, other) if least <= most else False
        if not isinstance(other, Size) or other.symbol != self.symbol:
            return super().same(other)
        open_ = Undecided(f"{self} = {other}", "=", self, other)
        if grow_alike(self, other):
            period = math.lcm(self.period()[0], other.period()[0])
            return _periodic(open_, self.symbol, period, lambda n: bool(self.at(n) == other.at(n)))
        return _where_unlike_sizes_meet(open_, self, other)

    def divisible_by(self, other: Dim) -> Truth:
        """Whether a number divides it: what is left over repeats with a period."""
        if not isinstance(other, int):
            return super().divisible_by(other)
        open_ = Undecided(f"{other} divides {self}", "divides", other, self)
        own, rise = self.period()
        period = own * (other // math.gcd(other, rise))
        return _periodic(open_, self.symbol, period, lambda n: bool(self.at(n) % other == 0))


class Polynomial(Formula):
    """A sum of products of sizes, or of what of them is rounded down; `expr` is the sympy expression, expanded."""

    __slots__ = ("__dict__", "degree", "expr")

    def __init__(self, expr: Any, degree: int) -> None:
        self.expr, self.degree = expr, degree

    def _sympy_(self) -> Any:
        return self.expr

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and bool(self.expr == other.expr)

    def __hash__(self) -> int:
        return hash(self.expr)

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """Coefficients, each with atoms and their powers; the largest degree and the finest sizes first."""
        terms: list[Term] = []
        for product, coefficient in self.expr.as_coefficients_dict().items():
            powers = {} if product == 1 else product.as_powers_dict()
            atoms = tuple((_atom(base), int(power)) for base, power in powers.items())
            terms.append((Fraction(int(coefficient.p), int(coefficient.q)), atoms))
        return _sorted(terms)

    @property
    def plain(self) -> bool:
        """Whether it is a sum of products of sizes, with nothing rounded down in it and nothing to divide by."""
        return all(isinstance(atom, Size) and power > 0 for _, atoms in self.terms for atom, power in atoms)

    @cached_property
    def denominator(self) -> int:
        """What all coefficients are fractions of; 1 nearly always."""
        return math.lcm(*(coefficient.denominator for coefficient, _ in self.terms))

    @cached_property
    def scaled(self) -> tuple[tuple[int, Sequence[tuple[Any, int]]], ...]:
        """The terms times the denominator: whole coefficients."""
        return tuple((int(coefficient * self.denominator), atoms) for coefficient, atoms in self.terms)

    def written(self, spelling: Spelling = TEXT) -> str:
        """As a formula: 38592*H*W + 512."""
        expanded = writing.polynomial(self.terms, spelling)
        if not self.plain or len(self.terms) > MOST_TIDIED:
            return expanded
        return min(writing.polynomial(_sorted(tidy(self.terms)), spelling), expanded, key=len)


class Call:
    """What stays standing in a polynomial: a floor, a greatest common divisor, a sum that something is divided by."""

    def __init__(self, expr: Any) -> None:
        self.name, args = ("", (expr,)) if expr.is_Add else (str(expr.func), expr.args)
        self.args = tuple(Polynomial(sympy.expand_mul(arg), 1) for arg in args)
        self.rule: Callable[..., Any] = _CALLS[self.name]

    def at(self, numbers: Mapping[str, int]) -> int | Fraction:
        """Its value for numbers."""
        found: int | Fraction = self.rule(*(_sum(arg, numbers) for arg in self.args))
        return found

    def written(self, spelling: Spelling = TEXT) -> str:
        """As a formula: gcd(H, 6)."""
        return spelling.call.format(self.name, ", ".join(arg.written(spelling) for arg in self.args))


class floor(sympy.Function):  # type: ignore[misc]  # sympy has no types; its functions have small letters
    """Rounding down, left standing until it meets numbers; sympy's own looks for more, and takes its time."""

    @classmethod
    def eval(cls, a: Any) -> Any:
        """The number, where there is one."""
        return sympy.Integer(int(a.p) // int(a.q)) if a.is_Rational else None


class gcd(sympy.Function):  # type: ignore[misc]  # sympy has no types; its functions have small letters
    """Greatest common divisor, left standing until it meets numbers."""

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        """The number, where both are."""
        return sympy.Integer(math.gcd(int(a), int(b))) if a.is_Integer and b.is_Integer else None


_CALLS: dict[str, Callable[..., Any]] = {
    "": lambda a: a,
    "floor": math.floor,
    "gcd": lambda a, b: math.gcd(int(a), int(b)),
}


def symbol(name: str) -> Size:
    """A size that is not known yet; at least 1."""
    return Size(name)


def symbols_of(value: Dim) -> frozenset[str]:
    """The names of the symbols that a size or a polynomial depends on."""
    if isinstance(value, Size):
        return frozenset([value.symbol])
    if isinstance(value, Polynomial):
        return frozenset(_ATOMS[atom].symbol for atom in value.expr.free_symbols)
    return frozenset()


def at(value: Dim, numbers: Mapping[str, int]) -> int:
    """A size or a polynomial of sizes with numbers for its symbols: an exact integer.

    >>> at(symbol("H") * 3 + 1, {"H": 224})
    673
    """
    found = _exactly(value, numbers)
    assert found.denominator == 1, f"{value} is {found} at {dict(numbers)}"  # else an assumption does not hold there
    return int(found)


def holds(condition: Undecided, numbers: Mapping[str, int]) -> bool:
    """Whether a condition holds for some values of its symbols; not where it would divide by nothing."""
    try:
        return RELATIONS[condition.relation](_exactly(condition.a, numbers), _exactly(condition.b, numbers))
    except ZeroDivisionError:
        return False


def _exactly(value: Any, numbers: Mapping[str, int]) -> int | Fraction:
    if isinstance(value, Size):
        return int(value.at(numbers[value.symbol]))
    return _sum(value, numbers) if isinstance(value, Polynomial) else value


def _sum(value: Polynomial, numbers: Mapping[str, int]) -> int | Fraction:
    total: int | Fraction = 0
    for coefficient, atoms in value.scaled:
        product: int | Fraction = coefficient
        for atom, power in atoms:
            base = atom.at(numbers[atom.symbol]) if isinstance(atom, Size) else atom.at(numbers)
            product *= base**power if power > 0 else Fraction(base) ** power
        total += product
    return total if value.denominator == 1 else Fraction(total, value.denominator)


# ---------------------------------------------------------------- between sizes and sympy


def _expr(value: Any) -> Any:
    """A number, a size or a polynomial as a sympy expression."""
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    return value._sympy_() if isinstance(value, Formula) else sympy.Integer(value)


def _dim(expr: Any, degree: int) -> Dim:
    """An expanded expression as a number, as a size where it has the normal form, else as a polynomial."""
    if expr.is_Integer:
        return int(expr)
    c, rest = expr.as_coeff_Add()
    k, atom = rest.as_coeff_Mul()
    if atom.is_Symbol and c.is_Integer and k.is_Integer and k > 0:
        size = _ATOMS[atom]
        return Size(size.inner, size.b, size.m, int(c), int(k))
    return Polynomial(expr, degree)


def _floored(expr: Any, degree: int) -> Dim:
    """An expanded expression rounded down: what is whole is taken out, what is left of one size stays a size."""
    if degree > HIGHEST_DEGREE:
        raise _too_long("the formulas")
    constant, rest = expr.as_coeff_Add()
    whole = sympy.Integer(int(constant.p) // int(constant.q))
    left = [term for term in sympy.Add.make_args(rest) if not _is_whole(term)]
    whole += rest - sympy.Add(*left)
    if len(left) == 1:
        coefficient, atom = left[0].as_coeff_Mul()
        if atom.is_Symbol and coefficient > 0:
            under = math.lcm(int(coefficient.q), int(constant.q))
            over = _ATOMS[atom] * int(coefficient * under) + int((constant - constant // 1) * under)
            return _dim(_expr(over // under) + whole, degree)
    if not left:
        return _dim(whole, degree - COST_OF_FLOOR)
    return _dim(whole + floor(sympy.Add(*left) + constant - constant // 1), degree)


def _is_whole(term: Any) -> bool:
    """Whether a product is a whole number for all values of its symbols."""
    coefficient, product = term.as_coeff_Mul()
    return bool(coefficient.is_Integer and all(power > 0 for power in product.as_powers_dict().values()))


def _degree(value: Any) -> int:
    return value.degree if isinstance(value, Polynomial) else int(isinstance(value, Size))


def _count(expr: Any) -> int:
    return len(expr.args) if expr.is_Add else 1


def _atom(base: Any) -> Size | Call:
    return _ATOMS[base] if base.is_Symbol else Call(base)


def _order(factor: tuple[Size | Call, int]) -> tuple[Any, ...]:
    atom, power = factor
    if isinstance(atom, Call):
        return 1, 0, 0, atom.written(), -power
    return 0, atom.m, atom.depth, f"{atom.symbol} {atom.b} {atom.c}", -power


def _sorted(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Terms of the largest degree first, then those of the finest sizes."""
    ordered = [(coefficient, tuple(sorted(atoms, key=_order))) for coefficient, atoms in terms]
    return tuple(sorted(ordered, key=lambda term: (-sum(p for _, p in term[1]), *map(_order, term[1]))))


def _whole(atoms: Any) -> bool:
    return all(power > 0 for _, power in atoms)


def _too_long(what: str) -> SpecError:
    return SpecError([Fault(f"{what} become too long", help="give the input in numbers, here or with `--input`")])


# ---------------------------------------------------------------- conditions


def _at_least_zero(difference: Dim, open_: Undecided) -> Truth:
    """Decided where a number is left, or a polynomial without a negative term."""
    if isinstance(difference, int):
        return difference >= 0
    if isinstance(difference, Size):
        return Size.__ge__(difference, 0)
    assert isinstance(difference, Polynomial)
    grows = difference.plain and all(coefficient > 0 for coefficient, atoms in difference.terms if atoms)
    least = dict.fromkeys(symbols_of(difference), 1)
    return True if grows and _sum(difference, least) >= 0 else open_


def _periodic(open_: Undecided, name: str, period: int, test: Callable[[int], bool]) -> Truth:
    """A condition that repeats with a period: decided, or in words."""
    if period > LONGEST_PERIOD:
        return open_
    true = [n for n in range(1, period + 1) if test(n)]
    if len(true) in (0, period):
        return bool(true)
    return open_.replace(text=_residues(name, true, period) or open_.text)


def _residues(name: str, true: list[int], period: int) -> str:
    """Some of the numbers 1 to `period` and what follows from them, in words; empty where words do not help.

    >>> _residues("H", [16, 32], 32), _residues("H", [1, 3], 4), _residues("H", [2], 3), _residues("H", [1, 2], 3)
    ('16 divides H', 'H is odd', 'H mod 3 is 2', 'H mod 3 is 1 or 2')
    """
    while period % 2 == 0 and [n + period // 2 for n in true if n <= period // 2] == [
        n for n in true if n > period // 2
    ]:
        period, true = period // 2, [n for n in true if n <= period // 2]
    step = true[0]
    if true == list(range(step, period + 1, step)) and period % step == 0:
        return f"{step} divides {name}"
    if (true, period) == ([1], 2):
        return f"{name} is odd"
    left = [str(n % period) for n in sorted(true, key=lambda n: n % period)]
    if len(left) <= MOST_RESIDUES:
        return f"{name} mod {period} is {', '.join(left[:-1])}{' or ' if left[:-1] else ''}{left[-1]}"
    missing = [str(n) for n in range(period) if str(n) not in left]
    if len(missing) <= MOST_RESIDUES:
        return f"{name} mod {period} is not {', '.join(missing[:-1])}{' or ' if missing[:-1] else ''}{missing[-1]}"
    together = int(left[-1]) - int(left[0]) + 1 == len(left)
    return f"{name} mod {period} is {left[0]} to {left[-1]}" if together else ""


def grow_alike(a: Size, b: Size) -> bool:
    """Whether two sizes grow by the same on the whole: their difference repeats."""
    (own, rise), (others, others_rise) = a.period(), b.period()
    return rise * others == others_rise * own


def unlike_until(a: Size, b: Size) -> int | None:
    """For sizes that grow unlike, the last place where they may be equal; None where it is too far to look."""
    periods = a.period(), b.period()
    if sum(step for step, _ in periods) > LONGEST_PERIOD:
        return None
    slopes = [Fraction(rise, step) for step, rise in periods]
    off = sum(
        max(abs(size.at(n) - slope * n) for n in range(1, step + 1))
        for size, slope, (step, _) in zip((a, b), slopes, periods, strict=True)
    )
    last = math.ceil(off / abs(slopes[0] - slopes[1]))
    return last if last <= LONGEST_SEARCH else None


def _where_unlike_sizes_meet(open_: Undecided, a: Size, b: Size) -> Truth:
    last = unlike_until(a, b)
    if last is None:
        return open_
    equal = [n for n in range(1, last + 1) if a.at(n) == b.at(n)]
    if not equal:
        return False
    together = equal == list(range(equal[0], equal[-1] + 1))
    return open_.replace(text=_between(a.symbol, equal[0], equal[-1])) if together else open_


def _between(name: str, least: int, most: int) -> str:
    if least == most:
        return f"{name} = {least}"
    return f"{name} <= {most}" if least <= 1 else f"{least} <= {name} <= {most}"
