"""Likely mistakes: mutated formulas, and which of them give exactly what a student wrote."""

from archcalc.homework.mistakes.registry import Kind, catalogue, known_names
from archcalc.homework.mistakes.searching import ODD, Case, likely

__all__ = ["ODD", "Case", "Kind", "catalogue", "known_names", "likely"]
