"""The files that texts come from: those of the user, and those that come with archcalc."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.lang.source import Source

MOST_BYTES = 2**20


@cache
def specs() -> Path:
    """Where specs, tables and rules lie: in the wheel in the package, in a checkout beside it."""
    inside = Path(__file__).parent / "specs"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "specs"


def paper_files() -> list[Path]:
    """The tables of papers and lectures that come with archcalc."""
    return sorted((specs() / "papers").glob("*.toml"))


def rule_files() -> list[Path]:
    """The rules of counting that come with archcalc."""
    return sorted((specs() / "rules").glob("*.toml"))


def device_files() -> list[Path]:
    """The devices that come with archcalc."""
    return sorted((specs() / "devices").glob("*.toml"))


def read_spec(path: Path, most: int = MOST_BYTES) -> Source:
    """A file as a source, of at most so many bytes. Raises `SpecError`."""
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        message = f"cannot read {quoted(str(path), 200)}: {(error.strerror or str(error)).lower()}"
        raise SpecError([Fault(message)]) from None
    except ValueError:  # a NUL in the name
        raise SpecError([Fault(f"{quoted(str(path), 200)} is not the name of a file")]) from None
    return Source(str(path), decode(str(path), data, most))


def decode(name: str, data: bytes, most: int = MOST_BYTES) -> str:
    """What was read as text, its line ends made one. Raises `SpecError` for what is too large or not UTF-8."""
    if len(data) > most:
        raise SpecError([Fault(f"{name} is larger than {most:,} bytes")])
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        help = "it seems to be UTF-16: save it as UTF-8" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        message = f"{name} is not UTF-8: byte 0x{data[error.start]:02x} in line {line}"
        raise SpecError([Fault(message, help=help)]) from None
