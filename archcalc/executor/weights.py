"""The weights of a net: drawn from a seed or read from a file, the arrays of one layer at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from hashlib import sha256
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import numpy as np

from archcalc.analyses.costs import Report, Row
from archcalc.executor.base import Array
from archcalc.executor.stored import (
    AT_ONCE,
    FLOATS,
    Archive,
    Broken,
    Stored,
    reading,
    refused,
    size_text,
    take,
)
from archcalc.executor.threads import share
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.ops.base import Op
from archcalc.volume import Shape

BLOCK = 2**20  # values with a stream of their own, so that threads may share an array and give the same as one
CHUNK = 2**16  # values drawn at a time: they stay in the cache
SAFETENSORS = {"F16": "float16", "F32": "float32", "F64": "float64", "BF16": "bfloat16"}  # its names of types
VARIANCE = "variance"
SAMPLE = 2**17
MOST_TOLD = 10  # arrays too many in a file
INSTALL = "pip install 'archcalc[safetensors]'"


class Wanted(NamedTuple):
    """An array that a layer owns, and how it is made where no file has it."""

    layer: str
    name: str
    shape: tuple[int, ...]
    limit: float  # its values are drawn evenly between -limit and limit …
    start: float  # … or, where that is 0, are all this number
    nonnegative: bool  # none of its values is negative

    @property
    def key(self) -> str:
        """Its name in a file: `conv1.w`."""
        return f"{self.layer}.{self.name}"

    @property
    def size(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)


class Weights(Protocol):
    """Where the values of weights come from."""

    def told(self) -> str:
        """Where from, in words."""

    def fill(self, wanted: Wanted, out: Array) -> None:
        """The values of an array, written into it. Raises `SpecError`."""


def owned(row: Row) -> tuple[Wanted, ...]:
    """The arrays of a layer by itself; none where it uses those of another.

    What is multiplied and added up is drawn as He et al. 2015 have it, equation 10: evenly, with a variance of 2 by the
    connections of an output, which are its multiply-adds. Biases start at 0, all else where its layer type says.
    """
    if row.node.share is not None:
        return ()
    op = row.node.op
    found = []
    for name, shape in op.weights(*row.inputs).items():
        drawn = row.macs != 0 and name not in op.biases
        limit = math.sqrt(6 / _connections(row)) if drawn else 0.0
        found.append(Wanted(row.name, name, ints(shape), limit, op.starts.get(name, 0.0), name in op.nonnegative))
    return tuple(found)


def _connections(row: Row) -> float:
    """Multiply-adds for each value of the output; a transposed convolution need not have a whole number of them."""
    return float(Fraction(*ints((row.macs, row.output.values))))


def ints(shape: Shape) -> tuple[int, ...]:
    """A shape in numbers, which a net that is run has made sure of."""
    assert all(isinstance(n, int) for n in shape)
    return shape  # type: ignore[return-value]


def make(wanted: Iterable[Wanted], weights: Weights, dtype: str) -> dict[str, Array]:
    """The arrays of a layer by name. Raises `SpecError` for those of a file that are not finite."""
    arrays = {each.name: (each, np.empty(each.shape, dtype)) for each in wanted}
    for each, array in arrays.values():
        weights.fill(each, array)
    return {name: array for name, (_, array) in arrays.items()}


# ---------------------------------------------------------------- from a seed


class Seeded(NamedTuple):
    """Weights drawn from a seed: each array from its own stream, whatever other layers there are.

    The values are those of float32 for any type of numbers, and the same on any machine: whole numbers from SFC64 are
    scaled, and no function of the system's library is asked.
    """

    seed: int

    def told(self) -> str:
        """Where the values come from, in words."""
        return f"drawn from seed {self.seed}, of variance 2/fan-in (He et al. 2015), biases 0"

    def fill(self, wanted: Wanted, out: Array) -> None:
        """The values of an array."""
        if wanted.limit:
            draw(out, wanted.limit, self.seed, wanted.key)
        else:
            out.fill(wanted.start)


def settled(op: Op, weights: Mapping[str, Array], x: Array) -> dict[str, Array]:
    """The variances among a layer's buffers, set to the mean square of what arrives: so that it leaves with 1.

    Without that the values of a residual net double from block to block. One number for all slices, and means of 0,
    do not change what the net computes but for its scale; statistics of each slice would, and a deep net of drawn
    weights then blows up the rounding of float32 until two machines have nothing in common. Taken of at most about
    `SAMPLE` values, evenly spread.
    """
    names = [name for name in weights if name == VARIANCE and name in op.buffers]
    if not names:
        return {}
    step = math.ceil(math.sqrt(x.size / SAMPLE))
    sample = x[:, ::step, ::step].astype(np.float64)
    return {name: np.full_like(weights[name], np.square(sample, out=sample).mean()) for name in names}


def draw(out: Array, limit: float, seed: int, key: str) -> None:
    """Fills an array with values between -limit and limit, all alike likely, by a seed and a name."""
    flat = out.reshape(-1)
    entropy = [seed, int.from_bytes(sha256(key.encode()).digest()[:16], "big")]
    blocks = range(0, flat.size, BLOCK)

    def fill(_: int, start: int) -> None:
        stream = np.random.SFC64(np.random.SeedSequence(entropy, spawn_key=(start // BLOCK,)))
        _draw_block(flat[start : start + BLOCK], limit, np.random.Generator(stream))

    share(fill, blocks)


def _draw_block(out: Array, limit: float, rng: np.random.Generator) -> None:
    for start in range(0, out.size, CHUNK):
        part = out[start : start + CHUNK]
        values = part if part.dtype == np.float32 else np.empty(part.size, np.float32)
        rng.random(out=values, dtype=np.float32)
        values -= np.float32(0.5)
        values *= np.float32(2 * limit)
        if values is not part:
            part[...] = values


# ---------------------------------------------------------------- from a file


class Holder(Protocol):
    """A file of arrays by name. Its functions raise `Broken`."""

    names: frozenset[str]

    def look(self, name: str) -> Stored:
        """The head of an array."""

    def read(self, name: str, stored: Stored, out: Array) -> None:
        """The values of an array."""


class Filed(NamedTuple):
    """Weights from a file, whose arrays have been looked at and fit."""

    path: str
    holder: Holder
    stored: dict[str, Stored]

    def told(self) -> str:
        """Where the values come from, in words."""
        return f"from {self.path}"

    def fill(self, wanted: Wanted, out: Array) -> None:
        """The values of an array. Raises `SpecError`, also for NaN, infinities, and variances below 0."""
        with reading(self.path):
            try:
                self.holder.read(wanted.key, self.stored[wanted.key], out)
                if wanted.nonnegative and out.min(initial=0) < 0:
                    raise Broken("it holds a negative value")
            except Broken as error:
                raise refused(f"{quoted(wanted.key)} in {quoted(self.path, 200)} cannot be used: {error}") from None


def open_weights(path: str, report: Report, rows: Iterable[Row]) -> Filed:
    """A file of weights, `.npz` or `.safetensors`, its arrays for some rows looked at, not yet read.

    Raises `SpecError` with all that does not fit: arrays missing, surplus, of a wrong shape or type.
    """
    with reading(path):
        try:
            holder = _holder(path)
        except Broken as error:
            raise refused(f"cannot read {quoted(path, 200)}: {error}") from None
        needed = [each for row in rows for each in owned(row)]
        stored = {each.key: _look(holder, each.key) for each in needed if each.key in holder.names}
        known = {each.key for row in report.rows for each in owned(row)}
        faults = [*_surplus(path, holder.names, known, report.graph.name), *_unfit(path, needed, stored)]
    if faults:
        raise SpecError(faults)
    return Filed(path, holder, {key: head for key, head in stored.items() if isinstance(head, Stored)})


def _holder(path: str) -> Holder:
    suffix = Path(path).suffix.lower()
    if suffix == ".npz":
        if Path(path).is_file() and not Path(path).stat().st_size:
            raise Broken("it is empty")
        return Archive(path)
    if suffix == ".safetensors":
        return Tensors(path)
    raise Broken("weights are `.npz` or `.safetensors` files")


def _look(holder: Holder, name: str) -> Stored | str:
    """The head of an array, or why there is none."""
    try:
        return holder.look(name)
    except Broken as error:
        return str(error)


def _surplus(path: str, names: Iterable[str], known: set[str], arch: str) -> Iterator[Fault]:
    surplus = sorted(set(names) - known)
    for name in surplus[:MOST_TOLD]:
        message = f"{quoted(name)} in {quoted(path, 200)} is no array of {quoted(arch)}"
        yield Fault(message, help=did_you_mean(name, known - set(names)))
    if len(surplus) > MOST_TOLD:
        yield Fault(f"… and {len(surplus) - MOST_TOLD:,} more in {quoted(path, 200)} are none either")


def _unfit(path: str, needed: Iterable[Wanted], stored: dict[str, Stored | str]) -> Iterator[Fault]:
    for each in needed:
        head = stored.get(each.key)
        where = f"{quoted(each.key)} in {quoted(path, 200)}"
        if head is None:
            yield Fault(f"{quoted(path, 200)} lacks {quoted(each.key)}, {size_text(each.shape)}")
        elif isinstance(head, str):
            yield Fault(f"{where} cannot be used: {head}")
        elif head.type not in FLOATS:
            yield Fault(f"{where} holds {head.type}, not {', '.join(FLOATS[:-1])} or {FLOATS[-1]}")
        elif head.shape != each.shape:
            message = f"{where} is {size_text(head.shape)}, not {size_text(each.shape)}"
            yield Fault(message, help=turned(head.shape, each.shape))


def turned(found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    """The help for an array whose axes stand in another order, PyTorch's before others; empty where none fits.

    >>> turned((96, 3, 11, 11), (11, 11, 3, 96))
    'its axes are in another order: `array.transpose(2, 3, 1, 0)` has the right one'
    """
    if len(found) != len(wanted) or not 1 < len(found) < 6:
        return ""
    orders = [(2, 3, 1, 0), *permutations(range(len(found)))]
    for order in orders:
        if len(order) == len(found) and tuple(found[axis] for axis in order) == wanted:
            return f"its axes are in another order: `array.transpose({', '.join(map(str, order))})` has the right one"
    return ""


class Tensors:
    """A `.safetensors` file: arrays by name, of which only what is asked for is read."""

    def __init__(self, path: str) -> None:
        try:
            from safetensors import safe_open
        except ImportError:
            message = f"reading {quoted(path, 200)} takes the package `safetensors`, which is not installed"
            raise refused(message, INSTALL) from None
        self.file = cast(Any, safe_open(path, framework="np"))  # its stubs leave its methods untyped
        self.names = frozenset(self.file.keys())

    def look(self, name: str) -> Stored:
        """The head of an array. Raises `Broken` for numbers that NumPy does not have."""
        part = self.file.get_slice(name)
        code = part.get_dtype()
        return Stored(tuple(part.get_shape()), SAFETENSORS.get(code, code))

    def read(self, name: str, stored: Stored, out: Array) -> None:
        """The values of an array, some rows at a time. Raises `Broken`."""
        rows = self.file.get_slice(name)
        step = max(1, AT_ONCE * len(out) // out.size)
        for start in range(0, len(out), step):
            part = out[start : start + step]
            take(rows[start : start + len(part)], part)
