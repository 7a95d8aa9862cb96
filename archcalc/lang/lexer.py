"""Text to tokens.

A token knows whether white space stands before it, because `cbr(3)` calls a block and `conv (3)` gives a layer an
argument; and `x` between two sizes is a token of its own: `3x3`, `1xn`, `HxWx3`, `(f)x1`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from archcalc.lang.errors import Fault, quoted
from archcalc.lang.source import Source, Span

MOST_DIGITS = 40
SUFFIXES = ("", "K", "M", "G", "T", "B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r\f\v]+)
    | (?P<comment>\#[^\n]*)
    | (?P<newline>\n)
    | (?P<number>[0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<text>"(?:[^"\\\n]|\\[^\n])*"?)
    | (?P<mark>\*\*|//|==|!=|<=|>=|[-+*/%<>=~(){}\[\]|;:,.?])
    """,
    re.VERBOSE | re.ASCII,
)
_WHOLE = re.compile(r"[0-9]+")
_SYMBOLS = re.compile(r"[A-Z][A-Z0-9_]*(?=x[A-Z0-9(])")
_TAIL = re.compile(r"[A-Za-z]+")


class Token(NamedTuple):
    """A word of the text. `kind` is number, name, text, comment, newline, end, x, or the mark itself."""

    kind: str
    text: str
    start: int
    end: int
    spaced: bool  # white space stands before it


def tokenize(source: Source) -> tuple[list[Token], list[Fault]]:
    """All tokens of a source, the last of kind `end`, and what could not be read."""
    return _Lexer(source).run()


class _Lexer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens: list[Token] = []
        self.faults: list[Fault] = []

    def run(self) -> tuple[list[Token], list[Fault]]:
        text, at, spaced = self.source.text, 0, False
        while at < len(text):
            before = len(self.tokens)
            found = _TOKEN.match(text, at)
            kind = found.lastgroup if found else None
            if found is None or kind is None:
                at = self._unknown(at)
            elif kind == "space":
                at, spaced = found.end(), True
                continue
            elif kind in ("number", "name") and self._separates(at, spaced):
                self._add("x", at, at + 1, spaced)
                at += 1
            elif kind == "number":
                at = self._number(at, found.end(), spaced)
            elif kind == "name":
                at = self._name(at, found.end(), spaced)
            else:
                self._mark(kind, at, found.end(), spaced)
                at = found.end()
            spaced = spaced and len(self.tokens) == before
        self._add("end", at, at, spaced)
        return self.tokens, self.faults

    def _add(self, kind: str, start: int, end: int, spaced: bool) -> None:
        self.tokens.append(Token(kind, self.source.text[start:end], start, end, spaced))

    def _fault(self, message: str, start: int, end: int, help: str = "") -> None:
        self.faults.append(Fault(message, Span(self.source, start, end), help=help))

    def _separates(self, at: int, spaced: bool) -> bool:
        """Whether the `x` here parts two sizes: it touches a number, a symbol or a bracket on its left."""
        if spaced or self.source.text[at] not in "x" or not self.tokens:
            return False
        last = self.tokens[-1]
        sized = last.kind in ("number", ")") or (last.kind == "name" and last.end == at)
        following = self.source.text[at + 1 : at + 2]
        return sized and last.end == at and (following.isalnum() or following in ("(", "_"))

    def _name(self, start: int, end: int, spaced: bool) -> int:
        symbol = _SYMBOLS.match(self.source.text, start, end)
        if symbol:  # `HxWx3`: the name ends before the x
            end = symbol.end()
        self._add("name", start, end, spaced)
        return end

    def _number(self, start: int, end: int, spaced: bool) -> int:
        text = self.source.text
        if self.tokens and self.tokens[-1].kind == "." and not spaced:  # `conv2_x.1.conv2`
            whole = _WHOLE.match(text, start)
            end = whole.end() if whole else end
        tail = _TAIL.match(text, end)
        if tail and not tail[0].startswith("x"):
            if tail[0] in SUFFIXES:
                end = tail.end()
            else:
                self._fault(f"{quoted(text[start : tail.end()])} is neither a number nor a name", start, tail.end())
                self._add("number", start, start, spaced)
                return tail.end()
        digits, _, exponent = text[start:end].lower().partition("e")
        if len(digits) > MOST_DIGITS or len(exponent) > 3:
            self._fault(f"number too long: {end - start:,} characters, at most {MOST_DIGITS}", start, end)
            self._add("number", start, start, spaced)
            return end
        self._add("number", start, end, spaced)
        return end

    def _mark(self, kind: str, start: int, end: int, spaced: bool) -> None:
        text = self.source.text[start:end]
        if kind == "text" and (len(text) < 2 or text[-1] != '"' or text.endswith('\\"') and not text.endswith('\\\\"')):
            self._fault("a text in quotes must end on its line", start, end, help='close it with `"`')
        self._add(text if kind == "mark" else kind, start, end, spaced)

    def _unknown(self, start: int) -> int:
        text, end = self.source.text, start + 1
        if text[start] == "×":  # 55×55×96, as slides print it
            self._add("x", start, end, False)
            return end
        while end < len(text) and not text[end].isspace() and text[end] != "×" and not _TOKEN.match(text, end):
            end += 1
        found = text[start:end]
        if len(found) == 1 and not found.isprintable():
            self._fault(f"unexpected character U+{ord(found):04X}", start, end)
        else:
            self._fault(f"unexpected {quoted(found)}", start, end)
        return end
