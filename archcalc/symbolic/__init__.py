"""Sizes that are symbols, formulas, and what they hold for. The only room that imports sympy."""

from archcalc.symbolic.reference import general
from archcalc.symbolic.sizes import Polynomial, Size, at, holds, symbol, symbols_of
from archcalc.symbolic.validity import failing, refuse_impossible

__all__ = ["Polynomial", "Size", "at", "failing", "general", "holds", "refuse_impossible", "symbol", "symbols_of"]
