"""What goes into a net: a picture or an array from a file, or values drawn from a seed."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from archcalc.analyses.costs import Row
from archcalc.executor.base import Array, sizes
from archcalc.executor.stored import FLOATS, Broken, Stored, fill, read_header, reading, refused, size_text, take, weigh
from archcalc.executor.weights import draw
from archcalc.files import read_spec
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted

DEEPEST = 255  # what a byte of a picture can be: its values are divided by it
DRAWN = math.sqrt(3)  # values even between -DRAWN and DRAWN have mean 0 and variance 1
DEPTHS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}  # kinds of picture of 8 bits a channel, as Pillow calls them
WRITTEN_AS = {"1": "L", "P": "RGB"}  # one bit a pixel, colours by number: the same picture written shorter
WITH_ALPHA = {"L": "LA", "RGB": "RGBA"}  # where a colour, or one of a palette, stands for transparent
TEXTS = (".csv", ".txt")
INSTALL = "pip install 'archcalc[images]'"


class Given(NamedTuple):
    """What stands for one input: a file, if one is given, and how many images are in it."""

    name: str
    size: tuple[int, ...]  # h, w, c
    path: str | None = None
    images: int = 0

    def told(self, batch: int, seed: int) -> str:
        """Where the values come from, in words."""
        if self.path is None:
            return f"{self.name} drawn from seed {seed}, of mean 0 and variance 1"
        again = f", once for each of {batch} images" if self.images < batch else ""
        return f"{self.name} from {self.path}{again}"


def assign(images: tuple[str, ...], rows: Iterable[Row], batch: int) -> dict[str, Given]:
    """Which file is for which input, each looked at, none read in full. Raises `SpecError` with all faults.

    `images` are paths, or `name=path` where a net has several inputs.
    """
    inputs = {row.name: Given(row.name, sizes(row.output)) for row in rows if not row.inputs}
    faults: list[Fault] = []
    for text in images:
        try:
            name, path = _named(text, inputs)
            if inputs[name].path:
                raise refused(f"there are two images for the input {quoted(name)}")
            inputs[name] = inputs[name]._replace(path=path, images=_look(path, inputs[name].size, batch))
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(faults)
    return inputs


def _named(text: str, inputs: dict[str, Given]) -> tuple[str, str]:
    """`left=a.png` as input and path; a path alone is for the only input."""
    name, equals, path = text.partition("=")
    if equals and name in inputs:
        return name, path
    if len(inputs) == 1 and (not equals or Path(text).exists() or not name.isidentifier()):
        return next(iter(inputs)), text
    names = ", ".join(f"`{each}`" for each in inputs)
    if equals and name.isidentifier():
        raise refused(f"there is no input {quoted(name)}", did_you_mean(name, inputs) or f"there is {names}")
    first = next(iter(inputs))
    raise refused(f"{quoted(text, 200)} could be for any of the inputs {names}", f"name one: `--image {first}={text}`")


def read(given: Given, batch: int, dtype: str, seed: int) -> Array:
    """The values of an input: (batch, h, w, c). One image given for many stands for each. Raises `SpecError`."""
    out = np.empty((batch, *given.size), dtype)
    if given.path is None:
        draw(out, DRAWN, seed, given.name)
        return out
    with reading(given.path):
        try:
            _fill(given, out[: given.images])
        except Broken as error:
            raise _unusable(given.path, error) from None
    out[given.images :] = out[:1]
    return out


def _fill(given: Given, out: Array) -> None:
    assert given.path is not None
    suffix = Path(given.path).suffix.lower()
    if suffix == ".png":
        take(_pixels(given.path, given.size), out[0], 1 / DEEPEST)
        return
    if suffix in TEXTS:
        take(_numbers(given.path, given.size), out[0])
        return
    with open(given.path, "rb") as file:
        stored = read_header(file)
        fill(file, stored, out.reshape(stored.shape), 1 / DEEPEST if stored.type == "uint8" else 1.0)


def _look(path: str, size: tuple[int, ...], batch: int) -> int:
    """How many images a file holds, all of one size. Raises `SpecError` where they are of another."""
    with reading(path):
        try:
            suffix = Path(path).suffix.lower()
            if suffix == ".png":
                _pixels(path, size)
                return 1
            if suffix in TEXTS:
                _numbers(path, size)
                return 1
            if suffix == ".npy":
                with open(path, "rb") as file:
                    return _count(path, _whole(file), size, batch)
        except Broken as error:
            raise _unusable(path, error) from None
    raise refused(f"{quoted(path, 200)} is no image: images are `.png`, `.npy`, `.csv` or `.txt` files")


def _unusable(path: str, error: Broken) -> SpecError:
    return refused(f"{quoted(path, 200)} cannot be used: {error}")


def _whole(file: IO[bytes]) -> Stored:
    """The head of an array of numbers whose values are all there. Raises `Broken`."""
    stored = read_header(file)
    if stored.type not in (*FLOATS, "uint8"):
        raise Broken(f"it holds {stored.type}, not {', '.join(FLOATS)} or uint8")
    head = file.tell()
    weigh(stored, file.seek(0, 2) - head)
    return stored


def _count(path: str, stored: Stored, size: tuple[int, ...], batch: int) -> int:
    images = stored.shape[0] if len(stored.shape) == 4 else 1
    if stored.shape not in (size, (images, *size)):
        help = _other_axes(stored.shape, size) or _other_size(stored.shape)
        raise refused(f"{quoted(path, 200)} is {size_text(stored.shape)}, not {size_text(size)}", help)
    if not images:
        raise refused(f"{quoted(path, 200)} holds no image: it is {size_text(stored.shape)}")
    if images not in (1, batch):
        raise refused(f"{quoted(path, 200)} holds {images} images, the batch is {batch}", f"say `--batch {images}`")
    return images


def _other_axes(shape: tuple[int, ...], size: tuple[int, ...]) -> str:
    """The help for an array that has the right values, but not its depth last; empty for others.

    >>> _other_axes((3, 224, 224), (224, 224, 3))
    'its axes are in another order: `array.transpose(1, 2, 0)` has the right one'
    >>> _other_axes((8, 8), (8, 8, 1))
    'the depth is an axis too: `array[..., None]` has it'
    """
    h, w, c = size
    if c == 1 and len(shape) in (2, 3) and shape[-2:] == (h, w):
        return "the depth is an axis too: `array[..., None]` has it"
    if shape[-3:] != (c, h, w) or len(shape) not in (3, 4):
        return ""
    order = "1, 2, 0" if len(shape) == 3 else "0, 2, 3, 1"
    return f"its axes are in another order: `array.transpose({order})` has the right one"


def _other_size(shape: tuple[int, ...]) -> str:
    own = "x".join(map(str, shape[-3:]))
    return f"bring it to this size first, or run the net on its own: `--input {own}`" if len(shape) in (3, 4) else ""


def _pixels(path: str, size: tuple[int, ...]) -> Array:
    """The pixels of a picture as they stand in it: (h, w, c) of bytes.

    Grey stands for each of three channels, and an opaque alpha channel is left out. Raises `Broken` for other kinds,
    `SpecError` for another size.
    """
    try:
        from PIL import Image
    except ImportError:
        message = f"reading {quoted(path, 200)} takes the package `pillow`, which is not installed"
        raise refused(message, INSTALL) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # its size is looked at next
        image = Image.open(path, formats=["PNG"])
    with image:
        if (image.height, image.width) != size[:2]:
            message = f"{quoted(path, 200)} is {image.height}x{image.width}, not {size[0]}x{size[1]}"
            raise refused(message, _other_size((image.height, image.width, size[2])))
        kind = WRITTEN_AS.get(image.mode, image.mode)
        if "transparency" in image.info:
            kind = WITH_ALPHA.get(kind, kind)
        if kind not in DEPTHS:
            raise Broken(f"its pixels are {image.mode}, not 8 bits a channel")
        return _fitted(np.asarray(image.convert(kind)).reshape(*size[:2], DEPTHS[kind]), size[2])


def _numbers(path: str, size: tuple[int, ...]) -> Array:
    """The numbers of a text, a row a line: (h, w, 1) of an input of depth 1. Raises `Broken`, `SpecError`."""
    lines = [line.replace(",", " ").replace(";", " ").split() for line in read_spec(Path(path)).text.splitlines()]
    rows = [line for line in lines if line]
    if not rows or {len(row) for row in rows} != {len(rows[0])}:
        raise Broken("it is no rectangle of numbers, a row a line")
    try:
        values = np.array([[float(word) for word in row] for row in rows])
    except ValueError as error:
        raise Broken(str(error)) from None
    if (*values.shape, 1) != size:
        message = f"{quoted(path, 200)} is {size_text(values.shape)}, not {size_text(size)}"
        deeper = size[2] != 1 and values.shape == size[:2]
        raise refused(
            message, "a text has no depth: take an `.npy` file" if deeper else _other_size((*values.shape, 1))
        )
    return values[..., None]


def _fitted(pixels: Array, depth: int) -> Array:
    """Pixels with the depth of an input. Raises `Broken` where that would take a choice."""
    found = pixels.shape[2]
    if found in (2, 4) and found != depth:
        if (pixels[..., -1] != DEEPEST).any():
            raise Broken(
                f"it is transparent in places: the input has {_channels(depth)}, and what is behind is not said"
            )
        pixels = pixels[..., :-1]
    if pixels.shape[2] == 1 and depth == 3:
        return np.repeat(pixels, 3, axis=2)
    if pixels.shape[2] != depth:
        raise Broken(f"it has {_channels(found)}, the input {_channels(depth)}")
    return pixels


def _channels(count: int) -> str:
    return f"{count} channel{'s' * (count != 1)}"
