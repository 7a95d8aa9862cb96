"""What was handed in, marked: by one student, or by a class."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.homework.answers import Marked
from archcalc.lang.errors import Fault


class Paper(NamedTuple):
    """One submission: marked, or what is wrong with its file."""

    name: str  # of the file, from the folder on: `anna.csv`, `Anna Muster/answers.csv`
    student: str  # the name of the file without its ending, or of the folder that it lies in
    marked: Marked | None
    faults: tuple[Fault, ...] = ()


class Checked(NamedTuple):
    """What was handed in, marked."""

    arch: str
    papers: tuple[Paper, ...]
    folder: bool  # whether it is a class; else one file
    solutions: bool = True  # whether right figures are told
    skipped: tuple[tuple[str, str], ...] = ()  # what was left aside in the folder, and why

    @property
    def marked(self) -> tuple[Marked, ...]:
        """The submissions that could be read, in the order of their names."""
        return tuple(paper.marked for paper in self.papers if paper.marked is not None)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What is wrong with files that could not be read."""
        return tuple(fault for paper in self.papers for fault in paper.faults)

    @property
    def code(self) -> int:
        """The exit code: 2 where a file could not be read, else 1 where an answer is not right, else 0."""
        if self.faults:
            return 2
        return 0 if all(_all_right(marked) for marked in self.marked) else 1


def _all_right(marked: Marked) -> bool:
    return bool(marked.marks) and all(mark.status == "right" for mark in marked.marks)
