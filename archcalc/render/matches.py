"""How printed figures come about, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any, TextIO

from archcalc.analyses.matching import Asked, Base, Match
from archcalc.analyses.rules import OURS
from archcalc.render import terminal
from archcalc.render.show import View, table_lines
from archcalc.render.table import Column, Row, Table
from archcalc.search import Answer, Hit
from archcalc.units import exact

COLUMNS = (
    Column("asked", "figure", "text"),
    Column("net", "net", "text"),
    Column("input", "input", "size", 5),
    Column("value", "exactly", "text"),
    Column("how", "is", "text"),
)
MOST_NETS = 12
MOST_WAYS = 6
MOST_RULES = 4
LINE = 1000  # letters, where there is no screen
FAR = 10  # times as much: from there on percent say nothing


def lines(answer: Answer, view: View, stream: TextIO) -> Iterator[str]:
    """The answer in the format that is wanted."""
    if view.format == "json":
        from archcalc.render import structured

        found = [_plain(hit, answer.asked) for hit in answer.hits]
        nearest = [{"figure": asked.text, **_plain_base(base)} for asked, bases in answer.nearest for base in bases]
        return iter(
            [structured.document("match", asked=[each.text for each in answer.asked], hits=found, nearest=nearest)]
        )
    every = view.exactly or view.format == "csv"
    hits = answer.hits[: None if every else MOST_NETS]
    if view.format == "table":
        return _told(answer, hits, every, terminal.Screen(stream))
    rows = tuple(row for hit in hits for row in _rows(hit, answer.asked, every))
    return table_lines(Table(_figures(answer), COLUMNS, rows, footer=tuple(_footer(answer, every))), view, stream)


def _told(answer: Answer, hits: tuple[Hit, ...], every: bool, screen: terminal.Screen) -> Iterator[str]:
    """The ways, net by net; sums are too long for a column."""
    if not hits:
        yield from terminal.wrapped(f"{_figures(answer)}: in no way found, in {answer.searched}", screen, "")
    for hit in hits:
        yield screen.paint(f"{hit.net}, input {hit.input}", "bold")
        rows = tuple(_rows(hit, answer.asked, every))
        wide = max(len(row.cells[0]) for row in rows)
        digits = max(len(row.cells[3]) for row in rows)
        for row in rows:
            start = f"  {row.cells[0]:{wide}}  {row.cells[3]:>{digits}}  "
            room = max(terminal.NARROWEST_TEXT, screen.width - len(start)) if screen.width else LINE
            first, *more = wrap(row.cells[4], room, break_on_hyphens=False)
            yield screen.plain(start + first)
            yield from (screen.plain(" " * len(start) + part) for part in more)
    for key, text in _footer(answer, every):
        yield from terminal.wrapped(f"{key}: {text}", screen, "")


def _figures(answer: Answer) -> str:
    return " ".join(each.text for each in answer.asked)


def _rows(hit: Hit, asked: tuple[Asked, ...], every: bool) -> Iterator[Row]:
    for each, matches in zip(asked, hit.matches, strict=True):
        for match in matches[: None if every else MOST_WAYS]:
            yield Row((each.text, hit.net, hit.input, _digits(match.value), _agreement(match) + _how(match)))


def _agreement(match: Match) -> str:
    """`rounds, `; `is cut off, MB for MiB, `; nothing where it is the figure."""
    return "" if match.agreement == "is" else match.agreement.replace(" to", "", 1) + ", "


def _how(match: Match) -> str:
    """`thop MACs`; `25,557,032 (archcalc parameters) + 53,120 (buffers of bn)`."""
    base = _named(match.base)
    figure = f"{exact(match.base.value)} ({base})" if match.terms or match.factor != 1 else base
    terms = "".join(
        f" {'+' if term.value > 0 else '-'} {exact(abs(term.value))} ({term.about})" for term in match.terms
    )
    if match.factor == 1:
        return figure + terms
    whole = f"({figure}{terms})" if terms else figure
    return f"{match.factor} x {whole}: {match.factor_about}"


def _named(base: Base) -> str:
    """The rules that give a figure, and what they call it: ours first."""
    named: dict[str, list[str]] = {}
    for rule, unit in sorted(base.by, key=lambda each: each[0] != OURS):
        named.setdefault(unit, []).append(rule)
    return "; ".join(f"{_listed(rules)} {unit}" for unit, rules in named.items())


def _listed(rules: list[str]) -> str:
    more = len(rules) - MOST_RULES
    return ", ".join(rules[:MOST_RULES]) + (f" and {more} more" if more > 0 else "")


def _footer(answer: Answer, every: bool) -> Iterator[tuple[str, str]]:
    if len(answer.hits) > MOST_NETS and not every:
        yield "more", f"{len(answer.hits) - MOST_NETS} nets more; --exact shows all"
    for asked, bases in answer.nearest if not answer.hits else ():
        for base in bases:
            yield "nearest", f"{asked.text}: {exact(base.value)} by {_named(base)}, {_apart(base.value, asked)}"


def _apart(value: int, asked: Asked) -> str:
    """By how much a figure is more or less than the one that was asked for."""
    ratio = asked.ratio(value)
    if ratio >= FAR:
        return f"{exact(round(ratio))} times as much"
    return f"1/{exact(round(1 / ratio))} of it" if ratio <= 1 / FAR else f"{100 * float(ratio - 1):+.2f}%"


def _digits(value: Any) -> str:
    return exact(int(value)) if value.denominator == 1 else f"{float(value):,.1f}"


def _plain(hit: Hit, asked: tuple[Asked, ...]) -> dict[str, Any]:
    from archcalc.render import structured

    figures = [
        {
            "figure": each.text,
            "value": structured.plain(match.value),
            "agreement": match.agreement,
            **_plain_base(match.base),
            "terms": [{"value": term.value, "about": term.about} for term in match.terms],
            "factor": structured.plain(match.factor),
            "factor_about": match.factor_about,
        }
        for each, matches in zip(asked, hit.matches, strict=True)
        for match in matches
    ]
    return {"arch": hit.net, "input": structured.plain(hit.input), "figures": figures}


def _plain_base(base: Base) -> dict[str, Any]:
    return {"base": base.value, "rules": [{"rule": rule, "unit": unit} for rule, unit in base.by]}
