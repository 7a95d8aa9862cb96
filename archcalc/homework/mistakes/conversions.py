"""Right figures in wrong units, and figures of another quantity."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import permutations

from archcalc.homework.answers import Figure
from archcalc.homework.mistakes.drafts import BYTES
from archcalc.homework.mistakes.registry import CONVERSIONS, DONE, LEARNT, Conversion, Kind, other
from archcalc.units import exact

COUNTS = (*LEARNT, *DONE, "memory")


def _conversion(
    name: str, weight: int, quantities: tuple[str, ...], factor: Fraction | int, about: str, example: str, note: str
) -> None:
    CONVERSIONS.append(
        Conversion(Kind(name, weight, quantities, about, example), Fraction(factor), note, (Fraction(factor),))
    )


_conversion(
    "doubled for the way back",
    20,
    ("memory", "bytes"),
    2,
    "forward and backward, where one image goes forward",
    "2*290,400 = 580,800",
    "gradients are counted too",
)
_conversion(
    "trebled for the way back",
    30,
    ("macs", "flops"),
    3,
    "forward and backward, where one image goes forward",
    "3*105,415,200",
    "the way back costs twice the way forward, but is not asked for",
)
_conversion(
    "counted twice", 30, LEARNT, 2, "all parameters twice", "2*34,944 = 69,888", "each is there once, and counted once"
)
_conversion(
    "counted half",
    35,
    LEARNT,
    Fraction(1, 2),
    "half of the parameters, as in one of two towers",
    "34,944/2 = 17,472",
    "that is half of them",
)
_conversion("bits for bytes", 25, ("bytes",), 8, "8 times too much", "8*1,161,600 = 9,292,800", "a byte has 8 bits")
for _images in (8, 10, 16, 32, 64, 100, 128, 256, 512):
    _conversion(
        "batch counted",
        30 if _images in (32, 64, 128, 256) else 40,
        (*DONE, "memory", "bytes"),
        _images,
        "figures of a whole batch",
        "128*290,400 = 37,171,200",
        f"that is for {_images} images",
    )
for _power, _word in ((1, "thousand"), (2, "million")):
    _conversion(
        "thousand for million",
        50,
        (*COUNTS, "bytes"),
        Fraction(1000**_power),
        "a thousand or a million times too much or too little",
        "34.9M for 34.9K",
        f"a {_word} times too much",
    )
    _conversion(
        "thousand for million",
        50,
        (*COUNTS, "bytes"),
        Fraction(1, 1000**_power),
        "a thousand or a million times too much or too little",
        "62.4K for 62.4M",
        f"a {_word} times too little",
    )


MIXED = other(
    "MB for MiB",
    10,
    ("memory",),
    "a prefix of 1,000 for one of 1,024, or the other way round",
    "1.108 MB for 1.108 MiB = 1.162 MB",
)


BYTES_FOR_VALUES = other(
    "bytes for values",
    10,
    ("memory", *LEARNT),
    "4 bytes for each value, where values are asked for",
    "4*290,400 = 1,161,600",
)
VALUES_FOR_BYTES = other(
    "values for bytes", 10, ("memory",), "values, where bytes are asked for", "290,400 for 1,161,600"
)
OTHER_TYPE = other(
    "bytes of another type",
    20,
    ("memory",),
    "the bytes of float64 or float16 values, where they are float32",
    "8*290,400 = 2,323,200 for 4*290,400",
)
NAMES = {8: "float64", 4: "float32", 2: "float16", 1: "int8"}  # types by the bytes of a value


@cache
def _of_types(unit: str, size: int) -> tuple[Conversion, ...]:
    """The wrong units that hang on how many bytes a value takes."""
    name, once = NAMES[size], Fraction(1, size)
    if unit in ("memory", *LEARNT):
        return (Conversion(BYTES_FOR_VALUES, Fraction(size), f"that are bytes of {name}", (Fraction(size),)),)
    if unit != "bytes":
        return ()
    types = (
        Conversion(
            OTHER_TYPE,
            Fraction(n, size),
            f"a value of {name} takes {_bytes(size)}, not {n} as in {meant}",
            (once, Fraction(n)),
        )
        for n, meant in NAMES.items()
        if n != size
    )
    values = f"that are values: each takes {_bytes(size)} in {name}"
    return (*types, Conversion(VALUES_FOR_BYTES, once, values, (once,)))


def _bytes(size: int) -> str:
    return f"{size} byte{'s' * (size != 1)}"


def conversions_of(unit: str, figure: Figure, size: int = BYTES) -> tuple[Conversion, ...]:
    """The wrong units that a figure may be in; `unit` is a quantity, or `bytes` for memory, `size` those of a value."""
    known = tuple(each for each in CONVERSIONS if unit in each.kind.quantities)
    return (*_of_types(unit, size), *known, *(_mixed(figure) if unit == "bytes" else ()))


@cache
def _mixed(figure: Figure) -> tuple[Conversion, ...]:
    """Where it is written with a prefix, the other one of that name."""
    for power, prefix in enumerate("KMGT", 1):
        units = {f"{prefix}B": 1000**power, f"{prefix}iB": 1024**power}
        for (name, unit), (meant, bytes_) in permutations(units.items()):
            if figure.scale == unit:
                note = f"that is in {meant} of {exact(bytes_)} bytes; {name} are {exact(unit)} bytes"
                return (Conversion(MIXED, Fraction(unit, bytes_), note, (Fraction(1, bytes_),)),)
    return ()
