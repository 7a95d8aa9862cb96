"""The questions asked backwards: which sizes, arguments and counts give what is wanted."""

from archcalc.solving.answers import CHOICES, Answer, Series, solve_by_search
from archcalc.solving.orders import Solution
from archcalc.solving.questions import Question, ask

__all__ = ["CHOICES", "Answer", "Question", "Series", "Solution", "ask", "solve_by_search"]
