"""The text of a net, coloured for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TextIO

from archcalc.lang.lexer import Token, tokenize
from archcalc.lang.parser import KEYWORDS
from archcalc.lang.printer import print_tree
from archcalc.lang.source import Source
from archcalc.lang.syntax import Body
from archcalc.render.terminal import Screen


def lines(tree: Body, stream: TextIO) -> Iterator[str]:
    """The canonical text of a tree, line by line."""
    text = print_tree(tree)
    screen = Screen(stream)
    if not screen.colour:
        yield from text.splitlines()
        return
    painted, at = "", 0
    tokens, _ = tokenize(Source("", text))
    for token, following in pairwise(tokens):
        painted += text[at : token.start] + screen.paint(token.text, _style(token, following))
        at = token.end
    yield from painted.splitlines()


def _style(token: Token, following: Token) -> str:
    if token.kind == "comment":
        return "faint"
    if token.kind == "text":
        return "merge"
    if token.kind == "name" and token.text in KEYWORDS:
        return "pool"
    if token.kind == "name" and following.kind == ":":
        return "bold"
    return "conv" if token.kind == "number" else ""
