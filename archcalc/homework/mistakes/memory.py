"""How the memory of activations comes out wrong."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.homework.mistakes.drafts import Draft, Part, number
from archcalc.homework.mistakes.registry import Slipped, slip
from archcalc.homework.mistakes.rewriting import numbers
from archcalc.homework.mistakes.scenes import Scene
from archcalc.units import exact
from archcalc.volume import Dim

MEMORY = ("memory",)


@slip("in-place layers counted", 10, MEMORY, "layers that work in place counted", "290,400 for relu1")
def in_place(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """The output of a layer that writes over its input."""
    if scene.op.inplace and not count.parts:
        yield Slipped(_values(scene.out.values), f"{scene.op.type} writes over its input")


@slip("input in place of output", 15, MEMORY, "the volume that arrives", "227*227*3 = 154,587 for 55*55*96")
def input_values(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """H*W*C."""
    for volume in scene.x:
        yield from _other(count, _values(volume.values), "what leaves the layer is kept, and counted with it")


@slip("inputs counted again", 20, MEMORY, "the input of each conv and fc counted too", "290,400 + 154,587 = 444,987")
def rereads(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Input and output of layers that multiply and add."""
    if scene.row.cost.macs != 0:
        for volume in scene.x[:1]:
            yield Slipped(count.plus("values", volume.values), "the input is counted with the layer that it leaves")


@slip("parameters counted in the memory", 20, MEMORY, "activations and parameters", "290,400 + 34,944 = 325,344")
def with_parameters(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Values and parameters."""
    learnt = numbers(scene.row.params)
    if learnt:
        yield Slipped(count.plus("params", number(learnt)), f"{exact(learnt)} of them are parameters")


@slip("depth forgotten", 15, MEMORY, "one slice of the volume", "55*55 = 3,025 for 55*55*96")
def one_slice(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """h*w."""
    if count.parts:
        yield from _other(count, _values(scene.out.area), f"the volume is {exact(numbers(scene.output.c))} slices deep")


@slip("positions once", 20, MEMORY, "height in place of height times width", "55*96 = 5,280 for 55*55*96")
def one_row(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """h*c."""
    if count.parts:
        yield from _other(count, _values(scene.out.h * scene.out.c), "a volume has a height and a width")


def _values(term: Dim) -> Draft:
    return Draft((Part("values", term),))


def _other(count: Draft, made: Draft, note: str) -> Iterator[Slipped]:
    if made.value != count.value:
        yield Slipped(made, note)
