"""Exercises with a key: nets to be done by hand, drawn from a seed, and the marking of what is answered."""

from archcalc.homework.exercises.quizmarking import mark_quiz
from archcalc.homework.exercises.quizzes import Quiz, draw
from archcalc.homework.exercises.rosters import read_roster

__all__ = ["Quiz", "draw", "mark_quiz", "read_roster"]
