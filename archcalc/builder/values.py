"""Expressions worked out: whole numbers, exact fractions, truth values, and sizes that may be symbols."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any, Protocol, TypeAlias

from archcalc.lang.errors import Fault, did_you_mean, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Span
from archcalc.lang.syntax import Binary, Block, Body, Call, Expr, Let, Name, Number, Unary, parts
from archcalc.record import Record
from archcalc.volume import Dim, Symbolic, Truth, Undecided, Volume, at_least, divides, same

LARGEST = 10**12
MOST_ZEROS = 30  # behind a number with an exponent
MOST_FACTORS = 64  # of a power
SIZE_NAMES = ("height", "width", "depth")

Value: TypeAlias = "int | Fraction | bool | Symbolic"


class Symbols(Protocol):
    """What the builder asks of the room of symbols."""

    def symbol(self, name: str) -> Dim:
        """A size that is not known."""

    def holds(self, condition: Undecided, numbers: Mapping[str, int]) -> bool | None:
        """Whether a condition holds for numbers; None where one of its symbols has none."""


class Refused(Exception):
    """A value that cannot be had; carries the fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Unknown(Exception):
    """A value that depends on something whose fault is already reported."""


Decide = Callable[[Undecided, Expr], "bool | None"]  # what is taken to hold of symbols where a text asks


class Scope:
    """Names and blocks as they are visible from one place: its own, then those around it."""

    __slots__ = ("assume", "blocks", "broken", "decide", "families", "lets", "names", "parent", "text")

    def __init__(
        self, parent: Scope | None = None, names: dict[str, Value | None] | None = None, text: Body | None = None
    ) -> None:
        self.parent = parent
        self.decide: Decide | None = parent.decide if parent else None
        self.assume: Callable[[Undecided, Expr], None] | None = parent.assume if parent else None
        self.text = text  # of the whole file, in the outermost scope
        self.lets: dict[str, Span] | None = None  # of the text, where they stand; found when they are asked for
        self.names: dict[str, Value | None] = names or {}  # None: its value is unknown
        self.blocks: dict[str, tuple[Block, Scope]] = {}
        self.broken: dict[str, None] = {}  # blocks that could not be read
        self.families: set[tuple[str, str]] = set()  # whose blocks are here

    def find(self, name: str) -> Scope | None:
        """The scope that defines a name."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope

    def block(self, name: str) -> tuple[Block, Scope] | None:
        """A block and the scope that it was defined in."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.blocks:
                return scope.blocks[name]
            scope = scope.parent
        return None

    def is_broken(self, name: str) -> bool:
        """Whether a block of this name stands in the text but could not be read."""
        return name in self.broken or (self.parent is not None and self.parent.is_broken(name))

    def definition_below(self, name: Name) -> int | None:
        """The line of a `let` that stands below a place where its name is used."""
        if self.parent is not None:
            return self.parent.definition_below(name)
        if self.lets is None:
            self.lets = {}
            for let in _lets(self.text):
                self.lets.setdefault(let.name.id, let.span)
        found = self.lets.get(name.id)
        below = found is not None and found.source is name.span.source and found.start > name.span.start
        return found.line if found and below else None

    def all_names(self) -> list[str]:
        """All names that are visible."""
        return [*self.names, *(self.parent.all_names() if self.parent else ())]

    def all_blocks(self) -> list[str]:
        """All blocks that are visible."""
        return [*self.blocks, *(self.parent.all_blocks() if self.parent else ())]


def _lets(part: object) -> Iterator[Let]:
    """All `let` of a part of a tree, outside of blocks."""
    if isinstance(part, tuple):
        for each in part:
            yield from _lets(each)
    elif isinstance(part, Let):
        yield part
    elif isinstance(part, Record) and not isinstance(part, (Block, Expr)):
        for name in part.fields:
            yield from _lets(getattr(part, name))


class Evaluator:
    """Works out expressions in a scope; `volume` is the one that arrives, None where there is none."""

    def __init__(self, scope: Scope, volume: Volume | None, unknown_volume: bool = False) -> None:
        self.scope = scope
        self.volume = volume
        self.unknown_volume = unknown_volume

    def value(self, expr: Expr, also: Iterable[str] = ()) -> Value:
        """The value of an expression; `also` are words that a misspelt name may have stood for."""
        if isinstance(expr, Number):
            return number(expr)
        if isinstance(expr, Name):
            return self._name(expr, also)
        if isinstance(expr, Binary):
            return self._binary(expr)
        if isinstance(expr, Unary):
            return self._unary(expr)
        if isinstance(expr, Call):
            return self._call(expr)
        raise Refused(Fault(f"{quoted(print_expr(expr))} cannot stand here: one number is wanted", expr.span))

    def seen(self, name: str) -> object:
        """What a name stands for here, to tell whether an expression would come out the same; nothing is refused."""
        scope = self.scope.find(name)
        if scope is not None:
            return name, scope.names[name]
        return (self.volume, self.unknown_volume) if name in SIZE_NAMES else None

    def number(self, expr: Expr) -> int | Fraction:
        """The value of an expression that neither truth values nor symbols can stand for."""
        found = self.value(expr)
        if isinstance(found, bool):
            raise Refused(Fault(f"a number is wanted, not the truth of {quoted(print_expr(expr))}", expr.span))
        if isinstance(found, (int, Fraction)):
            return found
        raise Refused(self._undecided(expr))

    def truth(self, expr: Expr) -> bool:
        """The truth of a condition; 0 is false."""
        found = self.value(expr)
        if isinstance(found, (bool, int, Fraction)):
            return bool(found)
        return not self._settled(same(found, 0), expr)

    def _name(self, expr: Name, also: Iterable[str]) -> Value:
        scope = self.scope.find(expr.id)
        if scope is not None:
            found = scope.names[expr.id]
            if found is None:
                raise Unknown
            return found
        if expr.id in SIZE_NAMES:
            if self.unknown_volume:
                raise Unknown
            if self.volume is None:
                raise Refused(Fault(f"no volume arrives here that `{expr.id}` could be of", expr.span))
            return self.volume[SIZE_NAMES.index(expr.id)]
        if expr.id.startswith("?"):
            raise Refused(not_sought(expr))
        raise Refused(Fault(f"unknown name {quoted(expr.id)}", expr.span, help=self._help(expr, also)))

    def _help(self, unknown: Name, also: Iterable[str]) -> str:
        """The likely mend for a name that is not known."""
        name = unknown.id
        below = self.scope.definition_below(unknown)
        if below is not None:
            return f"`{name}` is defined below, at line {below}: a name is used after its definition"
        help = did_you_mean(name, [*self.scope.all_names(), *SIZE_NAMES, *also])
        first, cross, rest = name.partition("x")
        if not help and cross and all(part.isdigit() or self.scope.find(part) for part in (first, rest)):
            help = f"write `({first})x{rest}` for {first} by {rest}"
        return help

    def _unary(self, expr: Unary) -> Value:
        if expr.op == "not":
            return not self.truth(expr.operand)
        found = self.value(expr.operand)
        return found if expr.op == "+" else bounded(0 - found, expr)

    def _binary(self, expr: Binary) -> Value:
        if expr.op == "and":
            return self.truth(expr.left) and self.truth(expr.right)
        if expr.op == "or":
            return self.truth(expr.left) or self.truth(expr.right)
        if expr.op == "**":
            return _power(expr, self.number(expr.left), self.number(expr.right))
        left, right = self.value(expr.left), self.value(expr.right)
        if expr.op in _COMPARISONS:
            return self._compared(expr, left, right)
        if expr.op in ("//", "%") and isinstance(right, (int, Fraction)) and right <= 0:
            raise Refused(Fault(f"cannot divide by {right}", expr.right.span))
        if expr.op in ("//", "%") and not isinstance(right, (int, Fraction)):
            self.symbolic(right, 1, expr.right, "what is divided by")
        try:
            return bounded(_ARITHMETIC[expr.op](left, right), expr)
        except TypeError:
            raise Refused(self._undecided(expr)) from None

    def _compared(self, expr: Binary, left: Any, right: Any) -> bool:
        if isinstance(left, (int, Fraction)) and isinstance(right, (int, Fraction)):
            return bool(_COMPARISONS[expr.op](left, right))
        relation, opposite = _ON_SYMBOLS[expr.op]
        return self._settled(relation(left, right), expr) is not opposite

    def symbolic(self, value: Any, least: int, expr: Expr, what: str) -> Value:
        """A whole number of at least `least` that symbols stand in; what has to hold of them is an assumption."""
        under = getattr(value, "denominator", 1)
        conditions = (
            (divides(under, value * under), f"{what} must be a whole number, and {value} never is"),
            (at_least(value, least), f"{what} must be at least {least}, and {value} never is"),
        )
        for condition, message in conditions:
            if condition is False:
                raise Refused(Fault(message, expr.span))
            if isinstance(condition, Undecided) and self.scope.assume:
                self.scope.assume(condition, expr)
        return value  # type: ignore[no-any-return]

    def _settled(self, condition: Truth, expr: Expr) -> bool:
        """The truth of a condition; where symbols leave it open, what is taken to hold."""
        if not isinstance(condition, Undecided):
            return condition
        found = self.scope.decide(condition, expr) if self.scope.decide else None
        if found is None:
            raise Refused(self._undecided(expr))
        return found

    def _undecided(self, expr: Expr) -> Fault:
        return Fault(
            f"{quoted(print_expr(expr))} depends on a symbol",
            expr.span,
            help="give its symbols as numbers: in the text, with `--input`, or by leaving them out of `--free`",
            undecided=True,
        )

    def _call(self, expr: Call) -> Value:
        function = _FUNCTIONS.get(expr.function)
        if function is None:
            span = expr.span._replace(end=expr.span.start + len(expr.function))
            help = (
                did_you_mean(expr.function, _FUNCTIONS) or f"there are {', '.join(f'`{name}`' for name in _FUNCTIONS)}"
            )
            raise Refused(Fault(f"unknown function {quoted(expr.function)}", span, help=help))
        least, most, rule = function
        if not least <= len(expr.args) <= most:
            wanted = "one value" if most == 1 else "at least two values"
            raise Refused(Fault(f"`{expr.function}` takes {wanted}, not {len(expr.args)}", expr.span))
        values = [self.value(arg) for arg in expr.args]
        if all(isinstance(value, (int, Fraction)) for value in values):
            return bounded(rule(*values), expr)
        if rule in _CHOICES:
            return reduce(lambda a, b: self._chosen(rule, a, b, expr), values)
        return rule(values[0])  # type: ignore[no-any-return]

    def _chosen(self, rule: Callable[..., Any], a: Value, b: Value, expr: Expr) -> Value:
        """The smaller or the larger of two."""
        smaller, larger = (a, b) if self._settled(at_least(b, a), expr) else (b, a)  # type: ignore[arg-type]
        return smaller if rule is min else larger


def not_sought(unknown: Name) -> Fault:
    """The fault of an unknown that has no value."""
    return Fault(f"{quoted(unknown.id)} is an unknown", unknown.span, help="`archcalc solve` finds its values")


def names_in(part: object) -> tuple[str, ...]:
    """The names in some arguments or expressions, each once."""
    return tuple(dict.fromkeys(each.id for each in parts(part) if isinstance(each, Name)))


def number(expr: Number) -> int | Fraction:
    """The value of a number as written; raises `Refused` for a suffix or for one that is too large."""
    text = expr.text.replace("_", "")
    if text.isdigit():
        return int(text) if len(text) < 12 else bounded(int(text), expr)  # type: ignore[return-value]  # an int stays one
    if not text:
        raise Unknown
    if text[-1].isalpha():
        raise Refused(Fault(f"the suffix of {quoted(expr.text)} is for `expect` lines only", expr.span))
    mantissa, _, exponent = text.lower().partition("e")
    if int(exponent or 0) > MOST_ZEROS:
        raise Refused(_too_large(expr))
    if int(exponent or 0) < -MOST_ZEROS:
        raise Refused(_too_small(expr))
    return bounded(Fraction(mantissa) * Fraction(10) ** int(exponent or 0), expr)  # type: ignore[return-value]


def bounded(value: Any, expr: Expr) -> Value:
    """The value, refused where it is too large; a whole fraction becomes an int."""
    if type(value) is int and -LARGEST <= value <= LARGEST:  # nearly always
        return value
    if isinstance(value, (int, Fraction)):
        if not -LARGEST <= value <= LARGEST:
            raise Refused(_too_large(expr))
        if isinstance(value, Fraction) and value.denominator == 1:
            return int(value)
        if isinstance(value, Fraction) and value.denominator > LARGEST**3:
            raise Refused(_too_small(expr))
    return value  # type: ignore[no-any-return]


def _too_large(expr: Expr) -> Fault:
    return Fault(f"number too large: more than {LARGEST:,}", expr.span)


def _too_small(expr: Expr) -> Fault:
    return Fault("a fraction with too many digits", expr.span)


def _power(expr: Binary, base: int | Fraction, exponent: int | Fraction) -> Value:
    if not isinstance(exponent, int):
        raise Refused(Fault(f"an exponent must be a whole number, not {float(exponent):g}", expr.right.span))
    if exponent < 0:
        raise Refused(Fault(f"negative exponent {exponent}", expr.right.span))
    if isinstance(base, int) and -1 <= base <= 1:
        exponent = min(exponent, 2 + exponent % 2)
    if exponent > MOST_FACTORS:
        raise Refused(_too_large(expr))
    return bounded(Fraction(base) ** exponent, expr)


_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
# The same on symbols: a condition, and whether its opposite is meant.
_ON_SYMBOLS: dict[str, tuple[Callable[[Any, Any], Truth], bool]] = {
    "==": (same, False),
    "!=": (same, True),
    "<": (at_least, True),
    ">": (lambda a, b: at_least(b, a), True),
    "<=": (lambda a, b: at_least(b, a), False),
    ">=": (at_least, False),
}
_CHOICES = (min, max)
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
_FUNCTIONS: dict[str, tuple[int, int, Callable[..., Any]]] = {
    "min": (2, 1000, min),
    "max": (2, 1000, max),
    "floor": (1, 1, lambda value: value // 1),
    "ceil": (1, 1, lambda value: 0 - (0 - value) // 1),
    "round": (1, 1, lambda value: (value + Fraction(1, 2)) // 1),  # halves go up, as in school
}
