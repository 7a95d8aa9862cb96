"""Faults of a text as data, and how they are shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from typing import NamedTuple

from archcalc.lang.source import Span

MOST_SHOWN = 50
MOST_COMPARED = 1000
MOST_COLUMNS = 160


class Fault(NamedTuple):
    """One thing that is wrong: what, where, and the likely mend."""

    message: str
    span: Span | None = None
    label: str = ""
    help: str = ""
    notes: tuple[str, ...] = ()
    undecided: bool = False  # of symbols or bounds: with numbers for them there may be no fault


class SpecError(Exception):
    """All faults of a text."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n\n".join(show(fault) for fault in self.faults[:MOST_SHOWN]))


def in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The faults as they stand in the text, each once, though several nets of a file or several calls may have it."""
    once: dict[tuple[str, Span | None], Fault] = {}
    for fault in faults:
        once.setdefault((fault.message, fault.span), fault)
    return tuple(sorted(once.values(), key=_place))


def _place(fault: Fault) -> tuple[str, int]:
    return (fault.span.source.name, fault.span.start) if fault.span else ("", -1)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one most likely stood for; case, `-`, `_` and spaces count little.

    >>> nearest("maxpol", ["conv", "maxpool", "avgpool"]), nearest("VGG-61", ["vgg19", "vgg16"])
    ('maxpool', 'vgg16')
    """
    bare = _bare(word[:80])
    alike = islice((each for each in known if abs(len(each) - len(word)) < 5), MOST_COMPARED)
    meant = {each: _bare(each) for each in alike}
    found = get_close_matches(bare, list(meant.values()), n=3, cutoff=0.6)
    if not found:
        return None
    turned = [each for each in found if sorted(each) == sorted(bare)]  # letters turned round
    best = (turned or found)[0]
    return next(each for each, own in meant.items() if own == best)


def _bare(word: str) -> str:
    return re.sub(r"[-_ ]", "", word.lower())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The `help` for an unknown word, empty where nothing is near."""
    found = nearest(word, known)
    return f"did you mean `{found}`?" if found else ""


def quoted(text: str, most: int = 40) -> str:
    """What the user typed, in backticks, made printable and cut to a readable length."""
    shown = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text[: most + 1])
    return f"`{shown}`" if len(text) <= most else f"`{shown[:most]}…`"


def show(fault: Fault, level: str = "error") -> str:
    """The fault as text: what, where, the line with a caret under the span, the notes, the help."""
    lines = [f"{level}: {fault.message}"]
    behind = ""
    if fault.span is not None:
        lines += _excerpt(fault.span, fault.label)
        behind = " " * len(str(fault.span.line)) + " = "
    lines += [f"{behind}note: {note}" for note in fault.notes]
    lines += [f"{behind}help: {fault.help}"] * bool(fault.help)
    return "\n".join(lines)


def show_all(faults: tuple[Fault, ...], level: str = "error") -> str:
    """All faults, an empty line between them; past `MOST_SHOWN` only their number."""
    shown = [show(fault, level) for fault in faults[:MOST_SHOWN]]
    if len(faults) > MOST_SHOWN:
        shown.append(f"{level}: and {len(faults) - MOST_SHOWN:,} more")
    return "\n\n".join(shown)


def _excerpt(span: Span, label: str) -> list[str]:
    number, column = span.source.place(span.start)
    text, start = span.source.line(number), column - 1
    width = max(1, min(span.end - span.start, len(text) - start))
    if len(text) > MOST_COLUMNS:  # a very long line: the part around the caret
        cut = max(0, start - MOST_COLUMNS // 4)
        head = "…" if cut else ""
        tail = "…" if len(text) > cut + MOST_COLUMNS else ""
        text = head + text[cut : cut + MOST_COLUMNS] + tail
        start += len(head) - cut
        width = max(1, min(width, len(text) - len(tail) - start))
    text = "".join(char if char.isprintable() else " " for char in text)
    gutter = " " * len(str(number))
    carets = f"{gutter} | {' ' * start}{'^' * width} {label}".rstrip()
    return [
        f"{gutter}--> {span.source.name}:{number}:{column}",
        f"{gutter} |",
        f"{number} | {text}".rstrip(),
        carets,
    ]


def github_line(fault: Fault, level: str = "error") -> str:
    """The fault as GitHub Actions shows it beside its line: an `error`, a `warning` or a `notice`."""
    message = _on_one_line(fault.message)
    if fault.span is None:
        return f"::{level} title=archcalc::{message}"
    file = _on_one_line(fault.span.source.name).replace(":", "%3A").replace(",", "%2C")
    return f"::{level} file={file},line={fault.span.line},title=archcalc::{message}"


def _on_one_line(text: str) -> str:
    """A text as GitHub's commands take it: nothing in it ends the line, and begins another command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
