"""Arrays in NumPy's own files, `.npy` and `.npz`, read without trust and written one by one."""

from __future__ import annotations

import io
import math
import os
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import numpy as np

from archcalc.executor.base import Array
from archcalc.lang.errors import Fault, SpecError, quoted

MAGIC = b"\x93NUMPY"
LENGTHS = {(1, 0): 2, (2, 0): 4}  # versions of the format, and the bytes that the length of the header takes
MOST_HEADER = 10_000  # bytes: what NumPy itself takes as safe to evaluate
AT_ONCE = 2**18  # values read at a time
FLOATS = ("float16", "float32", "float64")


class Stored(NamedTuple):
    """What a file says of an array before any of it is read."""

    shape: tuple[int, ...]
    type: str  # of its numbers, in words: `float32`
    dtype: np.dtype[Any] | None = None  # where NumPy reads it
    fortran: bool = False


class Broken(Exception):
    """A file or an array in it that cannot be read; the message says why."""


def refused(message: str, help: str = "") -> SpecError:
    """A fault that has no place in a text."""
    return SpecError([Fault(message, help=help)])


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turns whatever a file trips in a reader into a fault that names the file. Raises `SpecError`."""
    try:
        yield
    except (SpecError, MemoryError):
        raise
    except OSError as error:
        raise refused(f"cannot read {quoted(path, 200)}: {(error.strerror or str(error)).lower()}") from None
    except Exception as error:  # a hostile file may trip anything in zipfile, zlib, NumPy, safetensors or Pillow
        said = " ".join(str(error).split())[:160] or type(error).__name__
        raise refused(f"cannot read {quoted(path, 200)}: {said}") from None


def read_header(file: IO[bytes]) -> Stored:
    """The head of an `.npy` file, which is left at the first value. Raises `Broken`.

    The length is looked at before the header is read: in a compressed file four bytes of length could ask for 4 GiB.
    """
    start = file.read(8)
    if start[:6] != MAGIC:
        raise Broken("it is not in NumPy's format" if start else "it is empty")
    if len(start) < 8:
        raise Broken("it ends too soon")
    size = LENGTHS.get((start[6], start[7]))
    if size is None:
        raise Broken("it is in a version of NumPy's format that is not read here")
    length = file.read(size)
    count = int.from_bytes(length, "little")
    if len(length) < size or count > MOST_HEADER:
        raise Broken(f"its header is longer than {MOST_HEADER:,} bytes" if len(length) == size else "it ends too soon")
    header = file.read(count)
    if len(header) < count:
        raise Broken("it ends too soon")
    parse = np.lib.format.read_array_header_1_0 if size == 2 else np.lib.format.read_array_header_2_0
    try:
        shape, fortran, dtype = parse(io.BytesIO(length + header))
    except Exception as error:  # the header is text that NumPy evaluates: what goes wrong there has many names
        raise Broken("its header is not one of an array") from error
    return Stored(tuple(shape), told_type(dtype), dtype, bool(fortran))


def told_type(dtype: np.dtype[Any]) -> str:
    """The type of numbers in words: `float32`, `Python objects`."""
    if dtype.hasobject:
        return "Python objects, which are never loaded"
    return "records" if dtype.names else dtype.newbyteorder("=").name


def size_text(shape: tuple[int, ...]) -> str:
    """The shape of an array in words.

    >>> size_text((3, 3, 64, 128)), size_text((64,)), size_text(())
    ('3x3x64x128', '64 values', 'a single number')
    """
    if len(shape) < 2:
        return f"{shape[0]:,} values" if shape else "a single number"
    return "x".join(map(str, shape))


def fill(file: IO[bytes], stored: Stored, out: Array, scale: float = 1.0) -> None:
    """Reads the values of an array into `out`, which has its shape, and its own type of numbers.

    A part at a time: a large array is never in memory twice. Raises `Broken` for too few values or too many, and for
    NaN or infinity among them, also where a value is too large for the type of `out`.
    """
    assert stored.dtype is not None
    for part in parts(out, stored.fortran):
        data = read_fully(file, part.size * stored.dtype.itemsize)
        if len(data) < part.size * stored.dtype.itemsize:
            raise Broken("it ends too soon")
        take(np.frombuffer(data, stored.dtype).reshape(part.shape), part, scale)
    if file.read(1):
        raise Broken("it goes on behind its last value")


def weigh(stored: Stored, there: int) -> None:
    """Raises `Broken` where an array has not as many bytes as its numbers take."""
    assert stored.dtype is not None
    bytes_ = math.prod(stored.shape) * stored.dtype.itemsize
    if there != bytes_:
        raise Broken(f"{size_text(stored.shape)} of {stored.type} are {bytes_:,} bytes, and it has {there:,}")


def parts(out: Array, fortran: bool) -> Iterator[Array]:
    """An array in parts to write to, in the order in which a file holds its values."""
    whole = out.T if fortran else out.reshape(-1)
    step = max(1, AT_ONCE * len(whole) // max(1, whole.size))
    return (whole[start : start + step] for start in range(0, len(whole), step))


def read_fully(file: IO[bytes], size: int) -> bytes:
    """So many bytes, or all that are left: a member of a zip may hand them out in parts."""
    parts: list[bytes] = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def take(values: Array, out: Array, scale: float = 1.0) -> None:
    """Copies finite values, scaled. Raises `Broken` for others."""
    with np.errstate(over="ignore"):
        np.copyto(out, values, casting="unsafe")
    if scale != 1.0:
        out *= out.dtype.type(scale)
    if not (np.isfinite(out.min(initial=0)) and np.isfinite(out.max(initial=0))):
        raise Broken(unfit(values, out))


def unfit(values: Array, out: Array) -> str:
    """What makes values not finite once they are copied."""
    if np.isnan(values).any():
        return "it holds NaN"
    if np.isinf(values).any():
        return "it holds an infinity"
    return f"it holds a value too large for {out.dtype.name}"


class Archive:
    """An `.npz` file: arrays by name, of which only what is asked for is read."""

    def __init__(self, path: str) -> None:
        self.zip = zipfile.ZipFile(path)
        names = [name.removesuffix(".npy") for name in self.zip.namelist()]
        self.names = frozenset(names)
        if len(self.names) < len(names):
            raise Broken(f"it holds {quoted(Counter(names).most_common(1)[0][0])} twice")

    def look(self, name: str) -> Stored:
        """The head of an array. Raises `Broken`, also where its values are not as many bytes as the archive says."""
        info = self._info(name)
        with self.zip.open(info) as file:
            stored = read_header(file)
            declared = info.file_size - file.tell()
        if stored.type in FLOATS:
            weigh(stored, declared)
        return stored

    def read(self, name: str, stored: Stored, out: Array) -> None:
        """The values of an array. Raises `Broken`."""
        with self.zip.open(self._info(name)) as file:
            read_header(file)
            fill(file, stored, out)

    def _info(self, name: str) -> zipfile.ZipInfo:
        names = self.zip.NameToInfo
        return names[f"{name}.npy"] if f"{name}.npy" in names else names[name]


class Writer:
    """An `.npz` file that is written array by array, so that none has to be kept.

    It has another name until it is whole: a run that fails leaves none, and an older one as it was. Raises `SpecError`.
    """

    whole = True  # else it is given up where the block ends

    def __init__(self, path: str) -> None:
        self.path = path
        if Path(path).suffix != ".npz":
            raise refused(f"cannot save to {quoted(path, 200)}: its name does not end in `.npz`")
        if Path(path).is_dir():
            raise refused(f"cannot write {quoted(path, 200)}: it is a directory")
        with self._writing():
            self.file = open(f"{path}.part", "wb")  # noqa: SIM115  # open until the block ends
            self.zip = zipfile.ZipFile(self.file, "w", zipfile.ZIP_STORED)

    def add(self, name: str, array: Array) -> None:
        """One more array."""
        with self._writing(), self.zip.open(f"{name}.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array(file, array, allow_pickle=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self.whole:
            self._end()
        else:
            self._discard()

    def _end(self) -> None:
        """Gives the file its name."""
        with self._writing():
            self.zip.close()
            self.file.close()
            os.replace(f"{self.path}.part", self.path)

    def _discard(self) -> None:
        """Leaves no half of a file behind."""
        self.zip.fp = None  # else it would be ended at last, as if it were whole
        self.file.close()
        Path(f"{self.path}.part").unlink(missing_ok=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise refused(f"cannot write {quoted(self.path, 200)}: {(error.strerror or str(error)).lower()}") from None
