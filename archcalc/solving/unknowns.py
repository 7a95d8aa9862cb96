"""What is sought: the unknowns of a text, what each of them is, and within which bounds it is looked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from archcalc.builder.arguments import usage
from archcalc.lang.errors import Fault, SpecError
from archcalc.lang.syntax import (
    Arch,
    Between,
    BlockCall,
    Expr,
    Input,
    Layer,
    Name,
    Number,
    Repeat,
    Sizes,
    Slashed,
    parts,
)
from archcalc.library import Net
from archcalc.ops import REGISTRY, Op
from archcalc.record import Field, Record

MOST = 1_000_000  # of a number that nothing bounds
MOST_COPIES = (200, 40, 12, 6)  # of what decides how a net is built; of two such numbers, three, more
WIDEST = 65_536  # side of an input
LONGEST_WINDOW = 65_536  # that is dilated
ANY_SIDE = 32  # window on an input in symbols
MOST_UNKNOWNS = 6
KINDS = ("Pair", "Padding", "Count", "Whole", "Range")  # of arguments that are whole numbers
AXES = ("height", "width", "depth")


class Unknown(NamedTuple):
    """A whole number that is sought, from `least` to `most`."""

    name: str  # in the text: `?f`, or `?1` for the first of several without a name
    title: str  # in an answer: `?f`, `kernel`, `copies`
    least: int
    most: int
    bound: str = ""  # what `most` is, in words; empty where nothing bounds it
    kind: str = ""  # the argument of a layer that it is
    shapes: bool = False  # it decides how the net is built: bounds of it say nothing
    side: bool = False  # of the input
    legal: tuple[int, ...] = ()  # the values looked at, rising, where those are not all from `least` to `most`

    @property
    def places(self) -> tuple[int, int]:
        """The first and the last of what a search runs over: the values, or where they stand among the legal ones."""
        return (0, len(self.legal) - 1) if self.legal else (self.least, self.most)

    def value(self, place: int) -> int:
        """The value at a place that a search runs over."""
        return self.legal[place] if self.legal else place

    def within(self) -> str:
        """The bounds in words: `kernel 1 to 227 (the input)`."""
        return f"{self.title} {self.least:,} to {self.most:,}{f' ({self.bound})' if self.bound else ''}"


class Extent(NamedTuple):
    """How far the windows of a net reach: the longer side of its input, and that of the sizes that are wanted."""

    side: int | None  # None where it is no number
    wanted: int = 0


class Place(NamedTuple):
    """Where an unknown stands: as an argument of a layer, as a side of the input, or as something else."""

    unknown: Name
    title: str
    field: Field | None = None
    layer: Layer | None = None
    side: bool = False
    shapes: bool = False


def numbered(net: Net, size: Expr | None) -> tuple[Net, Expr | None]:
    """The net and the size with a name of its own for each `?` without one, where there are several: `?1`, `?2`."""
    bare = {id(each): each for each in sought_in((net.tree, net.args, size)) if each.id == "?"}
    if len(bare) < 2:
        return net, size
    names = {key: f"?{at}" for at, key in enumerate(bare, 1)}
    tree, args = _renamed(net.tree, names), _renamed(net.args, names)
    arches = [item.statement for item in tree.items if isinstance(item.statement, Arch)]
    arch = next((each for each in arches if net.arch and each.name == net.arch.name), None)
    return net._replace(tree=tree, arch=arch, args=args), _renamed(size, names)


def _renamed(part: Any, names: dict[int, str]) -> Any:
    """A part of a tree with other names in it, by id; what does not change stays the same object.

    Loops, where comprehensions would take twice the frames: a tree may be some hundred deep.
    """
    if id(part) in names:
        return part.replace(id=names[id(part)])
    if isinstance(part, tuple):
        new = []
        for each in part:
            new.append(_renamed(each, names))
        return part if all(a is b for a, b in zip(new, part, strict=True)) else tuple(new)
    if not isinstance(part, Record):
        return part
    changed = {}
    for name in part.fields:
        old = None if name == "span" else getattr(part, name)
        found = _renamed(old, names)
        if found is not old:
            changed[name] = found
    return part.replace(**changed) if changed else part


def unknowns_of(net: Net, size: Expr | None, extent: Extent) -> tuple[Unknown, ...]:
    """The unknowns of a net and of the size of its input, in the order of the text.

    Raises `SpecError` where an unknown cannot stand.
    """
    found: dict[str, Place] = {}
    for place in (*_places(net), *_of_size(size)):
        known = found.get(place.unknown.id)
        if known is None or (known.field is None and place.field is not None):
            found[place.unknown.id] = place
        elif place.shapes:
            found[place.unknown.id] = known._replace(shapes=True)
    if len(found) > MOST_UNKNOWNS:
        surplus = list(found.values())[MOST_UNKNOWNS].unknown.span
        raise SpecError([Fault(f"more than {MOST_UNKNOWNS} unknowns", surplus, help="equal ones share a name: `?a`")])
    titles: list[str] = []
    for place in found.values():
        same = sum(each.partition(" #")[0] == place.title for each in titles)
        titles.append(f"{place.title} #{same + 1}" if same else place.title)
    return tuple(_bounded(place, title, extent) for place, title in zip(found.values(), titles, strict=True))


def shaping(unknowns: tuple[Unknown, ...]) -> tuple[Unknown, ...]:
    """The unknowns, those that decide how the net is built within bounds that let all of them be tried."""
    shapes = sum(unknown.shapes for unknown in unknowns)
    most = MOST_COPIES[min(shapes, len(MOST_COPIES)) - 1]
    free = [each.shapes and not each.bound for each in unknowns]
    bounded = [each._replace(least=0, most=most, bound="it shapes the net") for each in unknowns]
    return tuple(new if change else old for new, old, change in zip(bounded, unknowns, free, strict=True))


# ---------------------------------------------------------------- where they stand


def sought_in(part: object) -> Iterator[Name]:
    """The unknowns in a part of a tree, as often as they stand there."""
    return (each for each in parts(part) if isinstance(each, Name) and each.id.startswith("?"))


def _called(name: Name, role: str) -> str:
    """What an unknown is called in an answer: by its name if it has one, else by what it is."""
    return name.id if name.id[1:2].isalpha() else role


def _places(net: Net) -> Iterator[Place]:
    """All unknowns of a net, each as often as it stands there."""
    params = net.arch.params if net.arch else ()
    for at, arg in enumerate(net.args):
        title = arg.name or (params[at].name if at < len(params) else "number")
        yield from (Place(name, _called(name, title)) for name in sought_in(arg.value))
    for param in params:
        yield from (Place(name, _called(name, param.name)) for name in sought_in(param.default))
    items = net.tree.items
    for part in parts(
        tuple(item for item in items if not isinstance(item.statement, Arch) or item.statement is net.arch)
    ):
        if isinstance(part, Layer):
            yield from _of_layer(part)
        elif isinstance(part, Input):
            yield from _of_size(part.size)
        elif isinstance(part, (Repeat, BlockCall)):
            count = part.count if isinstance(part, Repeat) else part.times
            yield from (Place(name, _called(name, "copies"), shapes=True) for name in sought_in(count))
        elif isinstance(part, Name) and part.id.startswith("?"):
            yield Place(part, _called(part, "number"))


def _of_size(size: Expr | None) -> Iterator[Place]:
    """The unknown sides of an input."""
    sides: tuple[Expr | None, ...] = size.parts if isinstance(size, Sizes) else (size,)
    for at, side in enumerate(sides):
        if isinstance(side, Name) and side.id.startswith("?"):
            title = AXES[at] if len(sides) == len(AXES) else "length"
            square = len(sides) == len(AXES) and side == sides[0] == sides[1]
            yield Place(side, _called(side, "side" if square else title), side=title in AXES[:2])


def _of_layer(layer: Layer) -> Iterator[Place]:
    """The unknowns that are an argument of a layer, or a part of one."""
    cls = REGISTRY.get(layer.type.id)
    for field, expr in _arguments(cls, layer) if cls else ():
        for name, part in _direct(expr):
            yield Place(name, _called(name, f"{field.name}{part}"), field, layer)


def _direct(expr: Expr, part: str = "") -> Iterator[tuple[Name, str]]:
    """The unknowns that stand by themselves, with the part of the argument that they are."""
    if isinstance(expr, Name) and expr.id.startswith("?"):
        yield expr, part
    elif isinstance(expr, Sizes):
        for axis, each in zip(AXES, expr.parts, strict=False):
            yield from _direct(each, f"{part} {axis}")
    elif isinstance(expr, Between):
        yield from _direct(expr.before, f"{part} before")
        yield from _direct(expr.after, f"{part} after")


def _arguments(cls: type[Op], layer: Layer) -> Iterator[tuple[Field, Expr]]:
    """The arguments of a layer by field; those that are wrong are left to who builds it."""
    slots, flags = list(usage(cls).slots), usage(cls).flags
    for arg in layer.args:
        if arg.name is not None:
            slots = [slot for slot in slots if slot[0].name != arg.name]
            yield from ((field, arg.value) for field in cls.fields.values() if field.name == arg.name)
        elif slots and not (isinstance(arg.value, Name) and arg.value.id in flags):
            values = arg.value.parts if isinstance(arg.value, Slashed) else (arg.value,)
            yield from zip(slots.pop(0), values, strict=False)


# ---------------------------------------------------------------- within which bounds


def _bounded(place: Place, title: str, extent: Extent) -> Unknown:
    unknown, field, layer = place.unknown, place.field, place.layer
    if field is None or layer is None:
        most = WIDEST if place.side else MOST
        return Unknown(unknown.id, title, 1 - place.shapes, most, shapes=place.shapes, side=place.side)
    kind = field.kind.removesuffix(" | None")
    if kind not in KINDS:
        message = f"an unknown is a whole number, and {field.name} of `{layer.type.id}` is none"
        raise SpecError([Fault(message, unknown.span)])
    least = 0 if kind in ("Padding", "Whole", "Range") or field.default == (0, 0) else 1
    rule = _BOUNDS.get(field.name)
    most, bound = rule(layer, extent) if rule else (MOST, "")
    if rule and most > LONGEST_WINDOW and _number(layer, "dilation", 1) != 1:
        most, bound = LONGEST_WINDOW, ""
    return Unknown(unknown.id, title, least, max(least, most), bound, field.name)


def _number(layer: Layer, name: str, default: int) -> int | None:
    """An argument of a layer that stands there as a plain number; None if it is something else."""
    for field, expr in _arguments(REGISTRY[layer.type.id], layer):
        if field.name == name:
            return int(expr.text) if isinstance(expr, Number) and expr.text.isdigit() else None
    return default


def _reach(layer: Layer, extent: Extent) -> tuple[int, str]:
    """How far a window may reach: over the input with its padding; or over what it makes, if that is larger.

    A transposed convolution lays its windows on its output, which its padding is then cut from.
    """
    padding = _number(layer, "padding", 0)
    most, bound = max((extent.side or 0, "the input"), (extent.wanted, "the wanted output"))
    if extent.side is None:
        most, bound = ANY_SIDE, "any input"
    if padding is None:
        return most, f"{bound}, unpadded"
    return most + 2 * padding, f"{bound} with its padding" if padding else bound


def _padding(layer: Layer, extent: Extent) -> tuple[int, str]:
    kernel, dilation = _number(layer, "kernel", 0), _number(layer, "dilation", 1)
    reach = ANY_SIDE if extent.side is None else max(extent.side, extent.wanted)
    return (dilation * (kernel - 1) if kernel and dilation else reach), "never a whole window"


def _groups(layer: Layer, _: Extent) -> tuple[int, str]:
    filters = _number(layer, "filters", 0)
    return (filters, "the filters") if filters else (MOST, "")


_BOUNDS: dict[str, Callable[[Layer, Extent], tuple[int, str]]] = {
    "kernel": _reach,
    "stride": _reach,
    "padding": _padding,
    "dilation": _reach,
    "groups": _groups,
}
