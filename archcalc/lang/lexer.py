"""Text to tokens.

A token knows whether white space stands before it, because `cbr(3)` calls a block and `conv (3)` gives a layer an
argument; and `x` between two sizes is a token of its own: `3x3`, `1xn`, `HxWx3`, `(f)x1`. An unknown, `?` or `?f`, has
no `x` in its name, so that `?x3` and `?fx3` are sizes.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from archcalc.lang.errors import Fault, quoted
from archcalc.lang.source import Source, Span

MOST_DIGITS = 40
MOST_FAULTS = 10_000
SUFFIXES = ("", "K", "M", "G", "T", "B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")

# Every character is in a token but white space: blanks, the no-break space that copied text brings, a byte order mark.
# Nothing here is tried twice (`++`, `(?>`), so that a text is read in time linear in its length.
_TOKEN = re.compile(
    rf"""
      (?P<x>(?:(?<=[0-9A-Z_)?])|(?<=\?[a-z]))x(?=[0-9A-Za-z_(?]) | ×)
    | (?P<sought>\?(?:[A-Za-wyz][0-9A-Za-wyz_]*+)?+)
    | (?P<part>(?<=\.)[0-9]++(?![A-Za-wyz_]))
    | (?P<number>(?>[0-9]+(?:_[0-9]+)*(?:\.[0-9]+(?:_[0-9]+)*)?(?:[eE][+-]?[0-9]{{1,3}})?
                 (?:{"|".join(sorted(SUFFIXES, key=len, reverse=True))}))(?![0-9A-Za-wyz_]))
    | (?P<name>[A-Z][A-Z0-9_]*+(?=x[A-Z0-9(?]) | [A-Za-z_][A-Za-z0-9_]*)
    | (?P<mark>\*\*|//|==|!=|<=|>=|[-+*/%<>=~(){{}}\[\]|;:,.])
    | (?P<newline>\n)
    | (?P<comment>\#[^\n]*)
    | (?P<text>"(?:[^"\\\n]++|\\[^\n])*+")
    | (?P<unclosed>"[^\n]*)
    | (?P<huge>[0-9][0-9_.]*+[eE][+-]?[0-9]{{4,}})
    | (?P<mixed>[0-9][0-9A-Za-z_.]*)
    | (?P<quote>[“”„‘’'][^“”„‘’'\n]*[“”„‘’']?)
    | (?P<unknown>[^\s!-~×“”„‘’\u00a0\ufeff]++ | [!$&@\\^`]++)
    """,
    re.VERBOSE | re.ASCII,
)
_FAULTY = ("huge", "mixed", "unclosed", "quote", "unknown")
_QUOTES = "“”„‘’'"
_MEANT = {"−": "-", "–": "-", "·": "*", "∗": "*", "≤": "<=", "≥": ">=", "≠": "!=", "≈": "~"}
_MEANT |= {"^": "**", "&": "and", "&&": "and", "!": "not"}


class Token(NamedTuple):
    """A word of the text. `kind` is number, name, sought, text, comment, newline, end, x, or the mark itself."""

    kind: str
    text: str
    start: int
    end: int
    spaced: bool  # white space stands before it


def tokenize(source: Source) -> tuple[list[Token], list[Fault]]:
    """All tokens of a source, the last of kind `end`, and what could not be read, the first `MOST_FAULTS` of it.

    A number that cannot be read is a token without text.
    """
    tokens: list[Token] = []
    faults: list[Fault] = []
    last = 0
    for found in _TOKEN.finditer(source.text):
        kind, text, (start, end) = found.lastgroup, found[0], found.span()
        if kind == "mark":
            kind = text
        elif kind == "comment":
            text = text.rstrip()
            end = start + len(text)
        elif kind == "part":
            kind = "number"
        if kind in _FAULTY or (kind == "number" and len(text) > MOST_DIGITS):
            if len(faults) < MOST_FAULTS:
                faults.append(_fault(kind, text, Span(source, start, end)))
            if kind in ("quote", "unknown"):
                continue
            kind, text = ("text", text) if kind == "unclosed" else ("number", "")
        tokens.append(Token(kind or "", text, start, end, start > last))
        last = end
    tokens.append(Token("end", "", len(source.text), len(source.text), len(source.text) > last))
    return tokens, faults


def _fault(kind: str, text: str, span: Span) -> Fault:
    if kind == "unclosed":
        return Fault("a text in quotes must end on its line", span, help='close it with `"`')
    if kind == "quote":
        inner = text.strip(_QUOTES)[:MOST_DIGITS]
        return Fault(f"unexpected {quoted(text)}", span, help=f'a text stands in plain quotes: `"{inner}"`')
    if kind == "unknown":
        single = len(text) == 1 and not text.isprintable()
        what = f"character U+{ord(text):04X}" if single else quoted(text)
        return Fault(f"unexpected {what}", span, help=f"write `{_MEANT[text]}`" if text in _MEANT else "")
    if kind == "mixed":
        return Fault(f"{quoted(text)} is neither a number nor a name", span, help="a name starts with a letter")
    if len(text) > MOST_DIGITS:
        return Fault(f"number too long: {len(text):,} characters, at most {MOST_DIGITS}", span)
    return Fault(f"the exponent of {quoted(text)} is too large", span)
