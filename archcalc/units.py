"""Numbers as people write them, and back: 138357544 as "138.4M", "138M" as the interval of what rounds to it."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

DECIMAL = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BINARY = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
SUFFIXES = DECIMAL | BYTES | BINARY
BYTES_PER_VALUE = {"float32": 4, "float16": 2, "bfloat16": 2, "float64": 8, "int8": 1}


class Printed(NamedTuple):
    """A figure as it stands in print: its value, and half a unit of its last digit."""

    value: Fraction
    half_unit: Fraction

    def rounds_from(self, exact: int) -> bool:
        """Whether an exact value rounds to the figure (both ends count: papers round halves either way)."""
        return abs(self.value - exact) <= self.half_unit


def decimal(value: int, digits: int = 4) -> str:
    """A count with a decimal prefix, to `digits` figures at most and one decimal place at least.

    >>> decimal(138357544), decimal(1792), decimal(96), decimal(4089184256), decimal(999_960)
    ('138.4M', '1.8K', '96', '4.09G', '1.0M')
    """
    return _scaled(value, DECIMAL, 1000)


def binary(value: int) -> str:
    """Bytes with a binary prefix.

    >>> binary(60950432), binary(588 * 1024), binary(12)
    ('58.1 MiB', '588.0 KiB', '12 B')
    """
    return _scaled(value, BINARY, 1024, " ")


def exact(value: int) -> str:
    """All digits, in threes.

    >>> exact(138357544)
    '138,357,544'
    """
    return f"{value:,}"


def percent(part: int, whole: int) -> str:
    """A share, rounded to whole percent; a dash where there is nothing to share.

    >>> percent(102764544, 138357544), percent(1, 100000), percent(0, 0)
    ('74%', '<1%', '-')
    """
    if not whole:
        return "-"
    share = 100 * part / whole
    return "<1%" if 0 < share < 1 else f"{share:.0f}%"


def _scaled(value: int, prefixes: dict[str, int], step: int, space: str = "") -> str:
    names = list(prefixes)
    at = 0
    while at + 1 < len(names) and value >= prefixes[names[at + 1]]:
        at += 1
    while True:
        unit = prefixes[names[at]]
        places = 2 if prefixes is DECIMAL and unit >= DECIMAL["G"] and value < 100 * unit else 1
        shown = f"{value / unit:,.{places}f}" if at else f"{value:,}"
        if at and float(shown.replace(",", "")) >= step and at + 1 < len(names):
            at += 1  # 999,960 is 1.0M and not 1,000.0K
            continue
        return f"{shown}{space}{names[at]}"


def read(text: str) -> Printed:
    """A printed figure, its suffix read: 4.09G, 62.4M, 25_557_032, 58.1MiB. Raises `ValueError`.

    >>> read("62.4M").rounds_from(62_378_344), read("62.3M").rounds_from(62_378_344)
    (True, False)
    """
    digits = text.rstrip("KMGTiB")
    suffix = text[len(digits) :]
    if suffix not in SUFFIXES:
        raise ValueError(text)
    value = Fraction(digits.replace("_", "").replace(",", ""))
    mantissa, _, exponent = digits.lower().partition("e")
    places = len(mantissa.partition(".")[2].replace("_", "")) - int(exponent or 0)
    scale = SUFFIXES[suffix]
    return Printed(value * scale, Fraction(scale, 2) / Fraction(10) ** places)
