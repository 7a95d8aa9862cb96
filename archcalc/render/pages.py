"""Explanations as text: a page for a layer, or in short a few lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import wrap
from typing import TextIO

from archcalc.analyses.explanation import Explained, Explanation, Step
from archcalc.notation.derivations import (
    Entry,
    agreement,
    arrival,
    entries,
    fed,
    grown,
    origins,
    said,
    short_entries,
    start,
    sweeps,
)
from archcalc.notation.formulas import TEXT
from archcalc.render import drawings, terminal
from archcalc.render.derivations import View, sums
from archcalc.render.terminal import Screen

INDENT = 16
WIDEST = 120
DRAWN = 80  # characters
_UNIT = re.compile(r" (?=[KMGT]iB)")


def lines(explanation: Explanation, view: View, stream: TextIO) -> Iterator[str]:
    """The lines of an explanation; below several layers how their figures add up."""
    screen = Screen(stream)
    for part in wrap(view.title, _width(screen), break_on_hyphens=False):
        yield screen.paint(screen.plain(part), "bold")
    page = _page if view.full else _digest
    for at, layer in enumerate(explanation.layers):
        yield from [""] * (view.full or at == 0)
        yield from (screen.plain(line) for line in page(layer, explanation.bytes_per_value, screen))
    table = sums(explanation, view.setting)
    if table:
        yield ""
        yield from terminal.lines(table, screen, True)


def _digest(layer: Explained, each: int, screen: Screen) -> Iterator[str]:
    gives = f" gives {layer.row.output}" if layer.row.inputs else ""
    yield from _heading(layer, f"{layer.row.node.op.text()}{gives}", screen)
    for entry in short_entries(layer, each, TEXT):
        yield from _labelled(f"  {entry.label}", _written(entry)[-1:], screen)


def _page(layer: Explained, each: int, screen: Screen) -> Iterator[str]:
    yield from _heading(layer, layer.row.node.op.text(), screen)
    for line in (said(type(layer.row.node.op)), arrival(layer)):
        yield from wrap(line, _width(screen))
    yield ""
    for entry in entries(layer, each, TEXT):
        yield from _labelled(entry.label, _written(entry), screen)
    factors = [text + about for text, about in origins(layer, TEXT)]
    if factors:
        yield ""
        yield from _labelled("where", factors, screen)
    for axis, sweep in sweeps(layer):
        yield ""
        yield from _labelled(axis, [drawings.swept(sweep)], screen)
        yield from drawings.lines(sweep, INDENT, min(DRAWN, _width(screen)))
    if layer.paths:
        yield ""
        yield from _paths(layer, screen)


def _heading(layer: Explained, text: str, screen: Screen) -> Iterator[str]:
    """The name of a layer, and what is said of it."""
    name = f"{layer.row.name}:"
    for part in wrap(f"{name} {text}", _width(screen), break_on_hyphens=False):
        yield part.replace(name, screen.paint(name, "bold"), 1) if part.startswith(name) else part


def _paths(layer: Explained, screen: Screen) -> Iterator[str]:
    yield from _labelled("paths", [f"{len(layer.paths)} from {start(layer)}"], screen)
    for number, path in enumerate(layer.paths, 1):
        yield from _labelled(f"  {number}", _path(layer, path, screen) or ["the identity"], screen)
    if agreement(layer):
        yield from _labelled("", [agreement(layer)], screen)


def _path(layer: Explained, path: tuple[Step, ...], screen: Screen) -> list[str]:
    """The layers of a path: size, name and type, and behind or below it how the height came about."""
    width = max((len(str(step.row.output)) for step in path), default=0)
    found = []
    for step, feeders in zip(path, fed(layer, path), strict=True):
        line = f"{step.row.output!s:{width}}  {step.row.name}: {step.row.node.op.text()}{feeders}"
        how = grown(step, TEXT)
        fits = INDENT + len(line) + len(how) + 2 <= _width(screen)
        found += [f"{line}  {how}".rstrip()] if fits or not how else [line, f"{'':{width}}  {how}"]
    return found


def _written(entry: Entry) -> list[str]:
    """The formula; then the numbers, the result and the remark."""
    last = " = ".join(part for part in (entry.numbers or entry.formula, entry.result) if part)
    last = ", ".join(part for part in (last, entry.remark) if part)
    return [entry.formula, last] if entry.numbers and entry.formula else [last]


def _labelled(label: str, lines: list[str], screen: Screen) -> Iterator[str]:
    """Lines behind a label; what is too long goes on below itself."""
    room = _width(screen) - INDENT
    for line in lines:
        held = _UNIT.sub("\xa0", line)
        for part in wrap(held, room, subsequent_indent="  ", break_on_hyphens=False) if len(line) > room else [line]:
            yield f"{screen.paint(f'{label:{INDENT}}', 'bold' if label else '')}{part}".rstrip().replace("\xa0", " ")
            label = ""


def _width(screen: Screen) -> int:
    return max(40, min(screen.width or WIDEST, WIDEST))
