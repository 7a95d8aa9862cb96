"""Files in TOML: what they hold, where a key of theirs stands, and the expressions in them."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Any

from archcalc.lang.errors import Fault, SpecError
from archcalc.lang.parser import parse
from archcalc.lang.source import Source, Span
from archcalc.lang.syntax import Expr, Let


def read_toml(source: Source) -> dict[str, Any]:
    """What a file holds. Raises `SpecError` with the place where it is no TOML."""
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError([_fault(source, error)]) from None
    except RecursionError:
        raise SpecError([Fault("not TOML: nested too deeply", Span(source, 0, 1))]) from None
    except ValueError:  # Python reads no longer number
        raise SpecError([Fault("not TOML: a number of more than 4,300 digits", Span(source, 0, 1))]) from None


def key_span(source: Source, key: str, start: int, end: int) -> Span | None:
    """Where a key stands at the start of a line, between two offsets; None where it is written another way."""
    found = re.compile(rf"^[ \t]*({re.escape(key)})[ \t]*=", re.MULTILINE).search(source.text, start, end)
    return Span(source, *found.span(1)) if found else None


@cache
def read_expression(text: str) -> Expr | str:
    """The expression of a text, or why there is none."""
    tree, faults = parse(Source("compute", f"let value = {text}"))
    statement = tree.items[0].statement if tree.items else None
    if faults or not isinstance(statement, Let) or len(tree.items) != 1:
        return f": {faults[0].message}" if faults else ""
    return statement.value


def _fault(source: Source, error: tomllib.TOMLDecodeError) -> Fault:
    place = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
    message = str(error)[: place.start()] if place else re.sub(r" \(at .*\)$", "", str(error))
    start = source.starts[int(place[1]) - 1] + int(place[2]) - 1 if place else max(0, len(source.text) - 1)
    return Fault(f"not TOML: {message[:1].lower()}{message[1:]}", Span(source, start, start + 1))
