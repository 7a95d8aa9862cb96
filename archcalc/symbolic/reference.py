"""The general formulas of a layer type: its own rules run on letters."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from archcalc.ops.base import Op
from archcalc.record import MISSING, Field
from archcalc.symbolic.sizes import gcd
from archcalc.volume import Volume


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
    return str(_Printer().doprint(value)).replace("**", "^")


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
