"""The Jacobian of a layer shown: what went in and came out, and the matrix between them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from archcalc import __version__
from archcalc.render import webpage
from archcalc.render.markup import escaped
from archcalc.render.show import View

if TYPE_CHECKING:  # the room of NumPy stays shut until a command opens it
    from archcalc.executor.base import Array
    from archcalc.executor.jacobians import Jacobian

PLACES = 6  # figures of a value


def lines(found: Jacobian, view: View) -> Iterator[str]:
    """In the format that is wanted; as CSV the matrix alone, that of several inputs side by side."""
    if view.format == "json":
        return iter([_document(found)])
    if view.format == "csv":
        return _separated(found)
    text = _text(found)
    if view.format == "html":
        return webpage.page(next(text), ("<pre>", *map(escaped, text), "</pre>"))
    around = {"md": ("```", "```"), "latex": (r"\begin{verbatim}", r"\end{verbatim}")}.get(view.format, ())
    return iter([*around[:1], *text, *around[1:]])


def _text(found: Jacobian) -> Iterator[str]:
    row = found.row
    inputs, output = [f"{x.h}x{x.w}x{x.c}" for x in row.inputs], row.output
    yield f"{row.name}: {row.node.op.text()} on {' and '.join(inputs)} gives {output.h}x{output.w}x{output.c}"
    yield from _volumes([(name, x) for name, x in zip(_names("x", found), found.x, strict=True)] + [("y", found.y)])
    for at, (name, a) in enumerate(zip(_names("x", found), found.matrices, strict=True)):
        yield ""
        height, width = a.shape
        yield f"d vec(y) / d vec({name}): {height}x{width}, vec() takes row after row, of each cell its depth"
        yield from _grid(a)
        if at == len(found.matrices) - 1:
            names = " + ".join(f"A vec({each})" for each in _names("x", found))
            yield ""
            yield f"the layer is this matrix here: vec(y) = {names}" if found.is_product else _shifted(names)


def _shifted(names: str) -> str:
    return f"the derivative here; vec(y) is not {names} alone: a bias is added, or the layer is no linear one"


def _names(letter: str, found: Jacobian) -> list[str]:
    return [letter] if len(found.x) == 1 else [f"{letter}{at}" for at in range(1, len(found.x) + 1)]


def _volumes(named: list[tuple[str, Array]]) -> Iterator[str]:
    """Each slice of each volume under its name."""
    for name, volume in named:
        for at in range(volume.shape[2]):
            yield ""
            yield name if volume.shape[2] == 1 else f"{name}, slice {at + 1} of {volume.shape[2]}"
            yield from _grid(volume[..., at])


def _grid(values: Array) -> Iterator[str]:
    """Numbers in columns of one width."""
    words = [[_figure(value) for value in row] for row in values.tolist()]
    width = max((len(word) for row in words for word in row), default=1)
    for row in words:
        yield "  " + " ".join(word.rjust(width) for word in row)


def _figure(value: float) -> str:
    return f"{value + 0.0:.{PLACES}g}"


def _separated(found: Jacobian) -> Iterator[str]:
    for row in zip(*(a.tolist() for a in found.matrices), strict=True):
        yield ",".join(repr(value + 0.0).removesuffix(".0") for part in row for value in part)


def _document(found: Jacobian) -> str:
    return json.dumps(
        {
            "archcalc": __version__,
            "kind": "jacobian",
            "layer": found.row.name,
            "type": found.row.node.op.type,
            "inputs": [each.tolist() for each in found.x],
            "output": found.y.tolist(),
            "matrices": [each.tolist() for each in found.matrices],
            "product": found.is_product,
        }
    )
