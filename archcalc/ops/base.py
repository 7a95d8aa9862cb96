"""What a layer type is: a record of its arguments with four rules, and the registry of all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, ClassVar, NamedTuple, TypeAlias, TypeVar

from archcalc.record import MISSING, Field, Record
from archcalc.volume import Dim, Shape, Sweep, Truth, Volume, Work, unseen

# The kinds of argument. A builder reads them off the annotations of a layer type's fields.
Pair: TypeAlias = tuple[int, int]  # kernel, stride, dilation, size: height, width
Sides: TypeAlias = tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
Padding: TypeAlias = "Sides | str"  # or `same`, which depends on the input
Count: TypeAlias = int  # at least 1
Whole: TypeAlias = int  # at least 0
Range: TypeAlias = tuple[int, int]  # first:last
Real: TypeAlias = Fraction
Flag: TypeAlias = bool  # `bias` or `nobias`
Arrays: TypeAlias = dict[str, Any]  # weights, or their gradients, by name


def arg(
    about: str,
    *,
    default: Any = MISSING,
    symbol: str = "",
    slash: bool = False,
    named: bool = False,
    brief: bool = False,
) -> Any:
    """A field of a layer type, for the people and the builder that read it.

    `symbol` is its letter in formulas; `slash` says that it follows the field before it after a `/`; `named` that it
    must be given by name; `brief` that tables leave it out where it has its default.
    """
    return Field("", "", default, about, symbol, slash, named, brief)


class Need(NamedTuple):
    """A condition on the volume that arrives. False is a fault, undecided an assumption."""

    condition: Truth
    message: str
    field: str = ""  # the argument at fault
    label: str = ""
    help: str = ""
    volumes: tuple[int, ...] = ()  # those at fault, of several that meet


class Own(NamedTuple):
    """A tensor that a layer makes for its way back and that no other layer sees."""

    name: str
    values: Dim
    type: str = ""  # that of the activations; `int64`, or `params` for the type of the parameters
    each_image: bool = True  # else there is one, whatever the batch


class Kept(NamedTuple):
    """What a layer keeps for its way back, its weights left out."""

    inputs: tuple[int, ...] = ()  # which of the volumes that arrive
    output: bool = False
    own: tuple[Own, ...] = ()


class Reach(NamedTuple):
    """The cells that an output sees along one axis of an input: i those j with m*j = s*i - before + d*u for a u < k.

    A window has m = 1. Where a layer enlarges, m is by how much: nearest neighbour and transposed convolution.

    >>> list(Reach(k=3, s=2, before=1).cells(0)), [list(Reach(k=4, before=2, m=2).cells(i)) for i in range(2)]
    ([-1, 0, 1], [[-1, 0], [0, 1]])
    """

    k: Dim = 1
    s: Dim = 1
    before: Dim | None = 0  # None where a padding word depends on a size that is no number
    d: Dim = 1
    m: Dim = 1

    @property
    def period(self) -> tuple[int, int]:
        """After how many outputs it begins anew, and by how many cells it has then gone on; of numbers."""
        s, m = self._numbers("s", "m")
        shared = math.gcd(s, m)
        return m // shared, s // shared

    def cells(self, i: int) -> range:
        """The cells that output i sees; of numbers, and also those before and behind the input."""
        k, s, before, d, m = self._numbers(*self._fields)
        shared = math.gcd(d, m)
        start, apart = s * i - before, m // shared  # of the u that meet a cell
        if start % shared:
            return range(0)
        first = -(start // shared) * pow(d // shared, -1, apart) % apart
        count = max(0, -((first - k) // apart))
        cell, step = (start + d * first) // m, d // shared
        return range(cell, cell + step * count, step)

    def _numbers(self, *names: str) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in names)


class Op(Record):
    """A layer type. Its fields are the arguments of the language; its docstring says what it computes."""

    types: ClassVar[tuple[str, ...]] = ()  # its names in the language, the canonical one first
    examples: ClassVar[tuple[str, ...]] = ()
    known_as: ClassVar[tuple[str, ...]] = ()  # names that it has elsewhere, for who looks for it
    inplace: ClassVar[bool] = False  # its output takes the place of its input: no activations of its own
    overwrites: ClassVar[bool] = False  # PyTorch has a form of it that writes over its input and goes back all the same
    arity: ClassVar[str] = "one"  # or "many": a merge
    slides: ClassVar[bool] = True  # its outputs see windows of one size, whatever arrives
    biases: ClassVar[tuple[str, ...]] = ("b", "shift")  # which of its weights are biases
    buffers: ClassVar[tuple[str, ...]] = ("mean", "variance")  # … are not learnt
    nonnegative: ClassVar[tuple[str, ...]] = ("variance",)  # … are never negative
    starts: ClassVar[dict[str, float]] = {"scale": 1, "variance": 1, "slope": 0.25}  # … start at, where not at 0

    @property
    def type(self) -> str:
        """Its canonical name."""
        return type(self).types[0]

    @classmethod
    def kind(cls) -> str:
        """The family that it belongs to: the name of its module."""
        return cls.__module__.rpartition(".")[2]

    # The rules. `out` and `work` have no default: a forgotten rule must not look free.

    def out(self, *x: Any, **_: Any) -> Volume:
        """The volume that leaves, from the volumes that arrive."""
        raise NotImplementedError

    def work(self, y: Volume, *x: Any, **_: Any) -> Work:
        """Operations for one image, from the shapes alone."""
        raise NotImplementedError

    def run(self, np: Any, w: Arrays, *x: Any, **_: Any) -> Any:
        """The layer done: its definition on arrays, clear rather than fast.

        `x` are batches of images, each (b, h, w, c); `w` its weights by name, in the shapes of `weights`; `np` is
        NumPy, handed in so that a table never waits for its import. Works on any numbers, also on Python objects.
        """
        raise NotImplementedError

    def back(self, np: Any, dy: Any, w: Arrays, *x: Any, **_: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Gradients of a loss by each input and by each learnt weight, from that by the output, `dy` (b, h, w, c)."""
        raise NotImplementedError

    # Memory: tensors as PyTorch keeps them (2.13, on a CPU).

    def views(self, training: bool) -> bool:
        """Whether its output is no tensor of its own but lies in the memory of its input."""
        return False

    def keeps(self, y: Volume, *x: Any, wanted: tuple[bool, ...] = (True,), **_: Any) -> Kept:
        """What it keeps for the backward pass; `wanted` says of which inputs the gradient is asked for."""
        return Kept()

    def loss_keeps(self, y: Volume) -> tuple[Own, ...]:
        """What the cross-entropy of its output keeps, where a net ends in it; one target a position.

        The logarithms of the softmax, the targets, and the sum of the weights of the classes.
        """
        targets = Own("targets", y.area, "int64"), Own("sum of weights", 1, "params", each_image=False)
        return Own("log-probabilities", y.values, "params"), *targets

    def columns(self, y: Volume, *x: Any, **_: Any) -> Dim:
        """Values of the matrix that im2col makes of an image, for one product with the weights; 0 for none."""
        return 0

    def needs(self, *x: Any, **_: Any) -> Iterator[Need]:
        """What must hold of the volumes that arrive."""
        yield from ()

    def weights(self, *x: Any, **_: Any) -> dict[str, Shape]:
        """Shapes of the arrays that the layer owns, by name."""
        return {}

    def touched_macs(self, y: Volume, *x: Any, **_: Any) -> Dim:
        """Multiply-adds of `work` that touch data and no padding zero, for sizes in numbers."""
        return self.work(y, *x).macs

    def sweeps(self, *x: Any, **_: Any) -> tuple[Sweep, ...]:
        """How its window goes along the rows and the columns of its input; empty where it has none."""
        return ()

    def dropped(self, *x: Any) -> tuple[int, int]:
        """Rows and columns of the input (numbers, no symbols) that no window of the layer touches."""
        sweeps: Any = self.sweeps(*x)
        counts = [unseen(n, k, s, before, d, places) for n, k, s, before, _, d, places in sweeps]
        return (counts[0], counts[1]) if counts else (0, 0)

    def reach(self, *x: Any) -> tuple[tuple[Reach, Reach], ...]:
        """The rows and the columns of each input that an output sees: its own, if nothing else is said."""
        return ((Reach(), Reach()),) * len(x)

    def odd(self, *x: Any, **_: Any) -> Iterator[str]:
        """What is legal here but unusual."""
        yield from ()

    def arguments(self, *x: Any) -> dict[str, Any]:
        """The arguments by name, with defaults filled in and words turned to numbers where the input decides them."""
        return {name: getattr(self, name) for name in self.fields}

    def text(self) -> str:
        """The layer as the language writes it: `conv 11/4/0 96`."""
        words = [self.type]
        for field in self.fields.values():
            value = getattr(self, field.name)
            if field.kind == "Flag":
                words += [field.name if value else f"no{field.name}"] * (value != field.default)
            elif field.kind == "Range":
                words.append("{}:{}".format(*value))
            elif value == field.default and (field.named or field.brief):
                continue
            elif field.slash:
                words[-1] += f"/{shown(value)}"
            else:
                words.append(f"{field.name}={shown(value)}" if field.named else shown(value))
        return " ".join(words)


REGISTRY: dict[str, type[Op]] = {}
_Op = TypeVar("_Op", bound=type[Op])


def op(*types: str) -> Callable[[_Op], _Op]:
    """Registers a layer type under its names, the canonical one first."""

    def register(cls: _Op) -> _Op:
        cls.types = types
        REGISTRY.update(dict.fromkeys(types, cls))
        return cls

    return register


def shown(value: object) -> str:
    """An argument as the language writes it.

    >>> shown((3, 3)), shown((1, 7)), shown(((0, 1), (0, 1))), shown(((0, 0), (3, 3))), shown(Fraction(1, 2))
    ('3', '1x7', '0:1', '0x3', '0.5')
    """
    if isinstance(value, Fraction):
        return f"{float(value):.15g}"
    if isinstance(value, tuple) and len(value) == 2:
        if isinstance(value[0], tuple):
            ends = [str(a) if a == b else f"{a}:{b}" for a, b in value]
            return ends[0] if ends[0] == ends[1] else "x".join(ends)
        return str(value[0]) if value[0] == value[1] else f"{value[0]}x{value[1]}"
    return str(value)
