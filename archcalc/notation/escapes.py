"""Text inside of LaTeX."""

from __future__ import annotations

import re

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "×": r"\ensuremath{\times}",
    "→": r"\ensuremath{\to}",
    "–": "--",
    "…": r"\ldots{}",
}
_ESCAPED = str.maketrans(_SPECIAL)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def escaped(text: str) -> str:
    """Text in which nothing is a command, and all on one line.

    >>> print(escaped("conv2_x: 50% of {all}"))
    conv2\\_x: 50\\% of \\{all\\}
    """
    return _CONTROLS.sub(" ", text).translate(_ESCAPED)
