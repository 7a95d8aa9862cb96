"""Files in JSON: what they hold, and where a value of theirs stands."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.lang.source import Source, Span

_SPACE = re.compile(r"[ \t\r\n]*")
_CONFLICT = re.compile(r"^[ \t]*((<<<<<<<|=======|>>>>>>>)[^\n]*)", re.MULTILINE)  # what git leaves in a file
_SCALAR = re.compile(r'"(?:[^"\\\n]|\\.)*"|[^\s,:\[\]{}"]+')


class _Twice(Exception):
    """A key that an object has twice."""


def read_json(source: Source) -> Any:
    """What a file holds. Raises `SpecError` with the place where it is no JSON, or where an object repeats a key."""
    try:
        return json.loads(source.text, object_pairs_hook=_object, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise SpecError([_fault(source, error)]) from None
    except _Twice as twice:
        key = str(twice)
        places = [found.span() for found in re.finditer(re.escape(json.dumps(key, ensure_ascii=False)), source.text)]
        span = Span(source, *(places[1] if len(places) > 1 else (0, 1)))
        raise SpecError([Fault(f"{quoted(key)} is there twice", span)]) from None
    except RecursionError:
        raise SpecError([Fault("not JSON: nested too deeply", Span(source, 0, 1))]) from None
    except ValueError as error:  # NaN, or a number longer than Python reads
        named = str(error) if str(error) in ("NaN", "Infinity", "-Infinity") else "a number of more than 4,300 digits"
        start = max(0, source.text.find(named))
        raise SpecError([Fault(f"not JSON: {named}", Span(source, start, start + 1))]) from None


def span_of(source: Source, path: Sequence[str | int]) -> Span:
    """Where a value stands that is reached by keys and positions: an object or a list by its first character."""
    at = _skip(source.text, 0)
    for step in path:
        at = _inside(source.text, at, step)
    found = _SCALAR.match(source.text, at)
    return Span(source, at, found.end() if found else at + 1)


def _inside(text: str, at: int, step: str | int) -> int:
    """Where the value begins that an object or a list, which begins at an offset, has under a key or at a position."""
    decoder = json.JSONDecoder()
    at, number = _skip(text, at + 1), 0
    while True:
        key: str | int = number
        if isinstance(step, str):
            key, at = decoder.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)  # the colon
        if key == step:
            return at
        at = _skip(text, _skip(text, decoder.raw_decode(text, at)[1]) + 1)  # the comma
        number += 1


def _skip(text: str, at: int) -> int:
    space = _SPACE.match(text, at)
    assert space is not None
    return space.end()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(next(key for at, key in enumerate(keys) if key in keys[:at]))
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _fault(source: Source, error: json.JSONDecodeError) -> Fault:
    conflict = _CONFLICT.search(source.text)
    if conflict:
        return Fault("not JSON: a merge has left its marks here", Span(source, *conflict.span(1)))
    at = min(error.pos, max(0, len(source.text) - 1))
    if not source.text.strip():
        return Fault("not JSON: the file is empty", Span(source, 0, 1))
    return Fault(f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", Span(source, at, at + 1))
