"""How a net is read wrongly: another layer's argument or depth, another volume, another input."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Any

from archcalc.homework.mistakes.registry import ALL, DONE, LEARNT, SIDE, Misread, misreading
from archcalc.homework.mistakes.rewriting import numbers
from archcalc.homework.mistakes.scenes import Net, Scene, kernels, neighbours
from archcalc.ops.base import shown
from archcalc.units import exact
from archcalc.volume import Volume

BORROWED = {  # arguments, where they count, and an example
    "kernel": (ALL, "11*11*96*256 + 256 for 5*5*96*256 + 256"),
    "stride": (ALL, "(27 + 2*2 - 5)/2 + 1 = 14 for S = 1"),
    "padding": (ALL, "(27 + 2*1 - 5)/1 + 1 = 25 for P = 2"),
    "dilation": (SIDE, "(32 - 3)/1 + 1 = 30 for D = 2"),
    "filters": ((*LEARNT, *DONE, "memory"), "5*5*96*96 + 96 for 256 filters"),
}
USUAL = ((224, 227, 256, 299), (28, 32))  # inputs of nets that lectures draw, of photographs and of digits


def usual_inputs(net: Net) -> Iterator[tuple[str, int, str, Net]]:
    """The net on square inputs that other nets take: the mistake's name, its weight, a note, the net."""
    if net.source is None:
        return
    own: Any = net.volumes[net.source].h
    for side in (side for sides in USUAL if own in sides for side in sides if side != own):
        other = net.on(side)
        if other:
            note = f"the input is {exact(own)}x{exact(own)}, not {side}x{side}"
            name = f"input {side} for {own}"
            yield (name, 10, note, other) if name in LECTURED else (UNUSUAL, 30, note, other)


def _on_another_input(wanted: str) -> Callable[[Scene], Iterator[Misread]]:
    def change(scene: Scene) -> Iterator[Misread]:
        for name, _, note, net in usual_inputs(scene.net):
            found = net.scene(scene.at) if name == wanted else None
            if found and (found.inputs, found.output) != (scene.inputs, scene.output):
                yield Misread(found, note)

    return change


LECTURED = ("input 224 for 227", "input 227 for 224")  # AlexNet's paper says 224, its arithmetic 227
UNUSUAL = "another usual input"
for _name, _weight in (*((each, 10) for each in LECTURED), (UNUSUAL, 30)):
    misreading(_name, _weight, ALL, "the net worked through on another input", "(224 - 11)/4 + 1: 54 for 55")(
        _on_another_input(_name)
    )


def _borrowed(field: str, where: str) -> Callable[[Scene], Iterator[Misread]]:
    """The argument of a layer near by in place of its own."""

    def change(scene: Scene) -> Iterator[Misread]:
        if field not in scene.op.fields:
            return
        own = scene.op.arguments(*scene.inputs)[field]
        for at, side in neighbours(scene.net, scene.at, field):
            row = scene.net.report.rows[at]
            value = row.node.op.arguments(*row.inputs)[field]
            if side == where and value != own:
                yield from _with(scene, {field: value}, f"{shown(value)} is the {field} of {row.name}")

    return change


for _field, (_quantities, _example) in BORROWED.items():
    for _where, _weight in (("before", 15), ("after", 20)):
        misreading(
            f"{_field} of the layer {_where}",
            _weight,
            _quantities,
            f"the {_field} of the nearest layer {_where} it that has one, or of the nearest of its type",
            _example,
        )(_borrowed(_field, _where))


@misreading("kernel of another layer", 25, (*LEARNT, *DONE), "the kernel of a layer further off", "11*11*256*384 + 384")
def other_kernel(scene: Scene) -> Iterator[Misread]:
    """Each kernel of the net; that of the nearest layer that has it."""
    if "kernel" not in scene.op.fields:
        return
    rows = scene.net.report.rows
    near = {
        rows[at].node.op.arguments(*rows[at].inputs)["kernel"] for at, _ in neighbours(scene.net, scene.at, "kernel")
    }
    for value, at in kernels(scene.net, scene.at).items():
        if value not in near and value != scene.op.arguments(*scene.inputs)["kernel"]:
            yield from _with(scene, {"kernel": value}, f"{shown(value)} is the kernel of {rows[at].name}")


@misreading("arguments of another layer", 25, ALL, "window, stride and padding of another layer", "3/2/0 for 5/1/2")
def other_window(scene: Scene) -> Iterator[Misread]:
    """All that windows have."""
    for at, _ in neighbours(scene.net, scene.at, "stride"):
        row = scene.net.report.rows[at]
        values = row.node.op.arguments(*row.inputs)
        both: dict[str, Any] = {name: values[name] for name in ("kernel", "stride", "padding") if name in values}
        if both.keys() <= scene.op.fields.keys():
            yield from _with(scene, both, f"{row.node.op.text()} is {row.name}")


@misreading("input of another layer", 20, ALL, "another volume than the one that arrives", "55x55x96 for 27x27x96")
def other_input(scene: Scene) -> Iterator[Misread]:
    """The volumes before and behind it, and the image."""
    if len(scene.inputs) != 1:
        return
    rows, shown = scene.net.report.rows, scene.net.shown
    here, after = bisect_left(shown, scene.at), bisect_right(shown, scene.at)
    before, behind = shown[max(0, here - 3) : here], shown[after : after + 1]
    seen = {scene.inputs[0]}
    for at in (*reversed(before), scene.at, *behind, 0):
        volume = rows[at].output
        if volume not in seen:
            seen.add(volume)
            yield from _arriving(scene, volume, f"{volume} is what leaves {rows[at].name}", 2 * len(seen))


@misreading("input off by one", 30, (*LEARNT, *DONE), "a row and a column more or less arrive", "7*7*256 for 6*6*256")
def other_size(scene: Scene) -> Iterator[Misread]:
    """A size that went wrong on the way."""
    for more in (1, -1) if len(scene.inputs) == 1 else ():
        x: Any = scene.inputs[0]
        volume = Volume(x.h + more, x.w + more, x.c)
        yield from _arriving(scene, volume, f"{x} arrives, not {volume}", 0)


@misreading("depth of the wrong layer", 10, (*LEARNT, *DONE), "the depth of another volume", "11*11*96*96 + 96")
def other_depth(scene: Scene) -> Iterator[Misread]:
    """The depth that leaves it, then those of layers near by and further off."""
    if len(scene.inputs) != 1:
        return
    for extra, at in enumerate(scene.net.nearest(scene.at, "c")):
        depth = scene.net.volumes[at].c
        if depth != scene.inputs[0].c:
            whose = "its own output" if at == scene.at else scene.net.report.rows[at].name
            note = f"{exact(numbers(depth))} is the depth of {whose}"
            yield from _arriving(scene, scene.inputs[0]._replace(c=depth), note, 2 * extra)


@misreading("H and W swapped", 15, ALL, "height and width are taken for each other", "180x320 for 320x180, 7x1 for 1x7")
def turned(scene: Scene) -> Iterator[Misread]:
    """The sides of the volume that arrives; of the window."""
    swapped = tuple(Volume(x.w, x.h, x.c) for x in scene.inputs)
    if swapped != scene.inputs:
        found = scene.net.scene(scene.at, scene.op, swapped)
        if found:
            yield Misread(found, f"{scene.inputs[0]} is height x width x depth")
    values = scene.op.arguments(*scene.inputs)
    pairs = {name: value for name, value in values.items() if isinstance(value, tuple) and len(value) == 2}
    other = {name: value[::-1] for name, value in pairs.items() if scene.op.fields[name].kind != "Range"}
    if any(values[name] != value for name, value in other.items()):
        yield from _with(scene, other, f"{scene.op.text()} is height x width")


@misreading("groups of another layer", 30, (*LEARNT, *DONE), "cut into groups that another layer has", "96/2 for 96")
def other_groups(scene: Scene) -> Iterator[Misread]:
    """Groups where there are none, or others."""
    for groups in scene.net.groups if "groups" in scene.op.fields else ():
        if groups != getattr(scene.op, "groups", 1):
            yield from _with(scene, {"groups": groups}, f"this layer has no {groups} groups")


def _with(scene: Scene, values: dict[str, Any], note: str) -> Iterator[Misread]:
    new = {name: value for name, value in values.items() if name in scene.op.fields and not isinstance(value, str)}
    found = scene.net.scene(scene.at, scene.op.replace(**new), scene.inputs)
    if found and new:
        yield Misread(found, note)


def _arriving(scene: Scene, volume: Volume, note: str, extra: int) -> Iterator[Misread]:
    found = scene.net.scene(scene.at, scene.op, (volume,))
    if found:
        yield Misread(found, note, extra)
