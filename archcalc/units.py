"""Numbers as people write them, and back: 138357544 as "138.4M", "138M" as the interval of what rounds to it."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

DECIMAL = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
BYTES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
BINARY = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
SUFFIXES = DECIMAL | BYTES | BINARY
BYTES_PER_VALUE = {"float32": 4, "float16": 2, "bfloat16": 2, "float64": 8, "int8": 1}
COMPUTED = ("float32", "float64")  # types that a net is run in: others only take less room


class Printed(NamedTuple):
    """A figure as it stands in print: its value, and half a unit of its last digit."""

    value: Fraction
    half_unit: Fraction

    def rounds_from(self, exact: int | Fraction) -> bool:
        """Whether an exact value rounds to the figure: 137.5M is 138M, 138.5M is not."""
        return -self.half_unit <= exact - self.value < self.half_unit

    def with_digits(self, digits: int) -> Printed:
        """The figure with all zeros but those among its first digits only filling up: 800K, to within 5K for 2."""
        units, half_unit = abs(self.value) / (2 * self.half_unit), self.half_unit
        while units and units % 10 == 0 and units >= 10**digits:
            units, half_unit = units / 10, half_unit * 10
        return Printed(self.value, half_unit)

    def truncates_from(self, exact: int | Fraction) -> bool:
        """Whether the figure is an exact value cut off after its last digit."""
        return self.value <= exact < self.value + 2 * self.half_unit


def decimal(value: int) -> str:
    """A count to four figures with a decimal prefix; below ten thousand as it is.

    >>> decimal(138357544), decimal(1792), decimal(36928), decimal(4089184256), decimal(999_960)
    ('138.4M', '1,792', '36.93K', '4.089G', '1.000M')
    """
    return f"{value:,}" if abs(value) < 10_000 else _scaled(value, DECIMAL)


def binary(value: int) -> str:
    """Bytes with a binary prefix.

    >>> binary(60950432), binary(588 * 1024), binary(12)
    ('58.1 MiB', '588.0 KiB', '12 B')
    """
    return _scaled(value, BINARY, " ", 1)


def megabytes(value: int) -> str:
    """Bytes with a decimal prefix.

    >>> megabytes(60950432), megabytes(14_400_000_400)
    ('60.95 MB', '14.40 GB')
    """
    return _scaled(value, BYTES, " ")


def exact(value: int) -> str:
    """All digits, in threes.

    >>> exact(138357544)
    '138,357,544'
    """
    return f"{value:,}"


def rows_and_columns(rows: int, columns: int) -> str:
    """Rows and columns in words, empty where there are none.

    >>> rows_and_columns(3, 1), rows_and_columns(0, 2), rows_and_columns(0, 0)
    ('3 rows and 1 column', '2 columns', '')
    """
    named = ((rows, "row"), (columns, "column"))
    return " and ".join(f"{n:,} {what}{'s' * (n != 1)}" for n, what in named if n)


def percent(part: int, whole: int) -> str:
    """A share, rounded to whole percent; a dash where there is nothing to share.

    >>> percent(102764544, 138357544), percent(1, 100000), percent(0, 0)
    ('74%', '<1%', '-')
    """
    if not whole:
        return "-"
    share = 100 * part / whole
    return "<1%" if 0 < share < 1 else f"{share:.0f}%"


def change(difference: int | Fraction, base: int | Fraction) -> str:
    """By how much more something is than it was, to a tenth of a percent; what is less than that is said to be so.

    >>> change(-231211008, 4089184256), change(30, 100), change(1, 10**6), change(-1, 10**6)
    ('-5.7%', '+30.0%', '+<0.1%', '-<0.1%')
    """
    text = f"{float(100 * Fraction(difference) / abs(Fraction(base))):+,.1f}%"
    return text if text[1:] != "0.0%" or not difference else f"{text[0]}<0.1%"


def duration(seconds: float) -> str:
    """A time to three figures.

    >>> duration(0.0000016), duration(0.01234), duration(4.567), duration(154.2), duration(0)
    ('1.60 us', '12.3 ms', '4.57 s', '154 s', '0 s')
    >>> duration(0.000000004)
    '4.00 ns'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 1e-9)):
        if seconds >= 0.9995 * size or unit == "ns":
            value = seconds / size
            digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
            return f"{value:,.{digits}f} {unit}" if seconds > 0 else "0 s"
    raise AssertionError


def _scaled(value: int, prefixes: dict[str, int], space: str = "", places: int | None = None) -> str:
    """To `places` decimal places, or to four figures; halves go up."""
    named = [(prefix, unit) for prefix, unit in prefixes.items() if unit <= max(1, value)]
    if named[-1][1] == 1:
        return f"{value:,}{space}{named[-1][0]}"
    larger = list(prefixes.items())[len(named) : len(named) + 1]
    for prefix, unit in (named[-1], *larger):
        digits = max(0, 4 - len(str(max(1, value // unit))) if places is None else places)
        whole, rest = divmod((2 * value * 10**digits + unit) // (2 * unit), 10**digits)
        text = f"{whole:,}.{rest:0{digits}}{space}{prefix}" if digits else f"{whole:,}{space}{prefix}"
        if not larger or whole * unit < larger[0][1]:
            break  # else rounding has carried into the larger prefix: 999,960 is 1.000M, not 1000K
    return text


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


def read_bytes(text: str) -> int:
    """A size of memory: `8GiB`, `8 GB`, or a number of bytes; a part of a byte is cut off. Raises `ValueError`.

    >>> read_bytes("8 GB"), read_bytes("11.5GiB"), read_bytes("4_096")
    (8000000000, 12348030976, 4096)
    """
    found = re.fullmatch(
        r"(\d{1,30}(?:\.\d{1,30})?) *([A-Za-z]*)", text.strip().replace("_", "").replace(",", ""), re.ASCII
    )
    units = {name.lower(): unit for name, unit in (BYTES | BINARY).items()} | {"": 1}
    if not found or found[2].lower() not in units:
        raise ValueError(text)
    return int(Fraction(found[1]) * units[found[2].lower()])


# B is a billion here and not bytes.
_WORDS = {"million": "M", "billion": "G", "bn": "G", "b": "G", "thousand": "K", "k": "K", "trillion": "T"}


def read_printed(text: str, kilo: int = 1000) -> Printed:
    """A figure as papers print it: `138M`, `3.6B`, `3.8×10^9`, `~70k`, `14 GB`, `12x`, `81%`. Raises `ValueError`.

    K, M and G are powers of `kilo`, which is 1024 in a few tables.

    >>> read_printed("3.8×10^9").rounds_from(3_857_973_248), read_printed("159K", kilo=1024).truncates_from(163_328)
    (False, True)
    """
    short = re.sub(r"[\s,_]", "", text).lstrip("~≈").removesuffix("x").removesuffix("×")
    short = re.sub(r"[x×*·]10\^?([-+]?\d+)", r"e\1", short)
    found = re.fullmatch(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d{1,3})?)([A-Za-z%]*)", short)
    if not found or len(found[1]) > 40:
        raise ValueError(text)
    word = _WORDS.get(found[2].lower(), found[2])
    if word == "%":
        percent_ = read(found[1])
        return Printed(percent_.value / 100, percent_.half_unit / 100)
    if word in DECIMAL and kilo != 1000:
        scale = kilo ** list(DECIMAL).index(word)
        plain = read(found[1])
        return Printed(plain.value * scale, plain.half_unit * scale)
    return read(found[1] + word)
