"""Where a piece of text stands."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple


class Source:
    """A text with the name it came by (a path, `<stdin>`, `<net>`)."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def starts(self) -> list[int]:
        """Offset at which each line starts."""
        return [0, *(at + 1 for at, char in enumerate(self.text) if char == "\n")]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, without its end."""
        start = self.starts[number - 1]
        end = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


class Span(NamedTuple):
    """A stretch of a source, from `start` up to but not including `end`."""

    source: Source
    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The stretch from here to the end of another."""
        return Span(self.source, self.start, other.end)

    @property
    def line(self) -> int:
        """Line of the start, from 1."""
        return self.source.place(self.start)[0]
