"""Figures as they are worked out: formulas with numbers, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from archcalc.analyses.terms import Letter, Term
from archcalc.homework.mistakes.rewriting import multiplied, numbers
from archcalc.homework.mistakes.scenes import Scene
from archcalc.volume import Dim, Work

SIDES = {"size": "hwc", "area": "hw", "height": "h", "width": "w", "depth": "c"}  # which sides a quantity asks for
PARAMETERS = {"params": ("weights", "biases"), "weights": ("weights",), "biases": ("biases",), "buffers": ("buffers",)}
BYTES = 4  # of a value: float32


class Part(NamedTuple):
    """A part of a figure: what it counts, and its formula."""

    role: str  # h, w, c; weights, biases, buffers; macs, adds and the other operations; values
    term: Dim


class Draft(NamedTuple):
    """A figure as somebody works it out: sides of a volume, or parts that are added up."""

    parts: tuple[Part, ...]

    @property
    def term(self) -> Dim:
        """The parts added up."""
        total: Dim = 0
        for part in self.parts:
            total = total + part.term
        return total

    @property
    def value(self) -> int:
        """What they come to."""
        return sum(numbers(part.term) for part in self.parts)

    @property
    def values(self) -> tuple[int, ...]:
        """The value of each part."""
        return tuple(numbers(part.term) for part in self.parts)

    @property
    def roles(self) -> tuple[str, ...]:
        """What its parts count."""
        return tuple(part.role for part in self.parts)

    def has(self, role: str) -> bool:
        """Whether it counts something of a role."""
        return any(part.role == role and numbers(part.term) for part in self.parts)

    def of(self, role: str) -> Dim:
        """The formula of the parts of one role."""
        return Draft(tuple(part for part in self.parts if part.role == role)).term

    def change(self, roles: str | tuple[str, ...], new: Callable[[Dim], Dim]) -> Draft:
        """The same with another formula in the parts of some roles."""
        chosen = (roles,) if isinstance(roles, str) else roles
        return Draft(tuple(part._replace(term=new(part.term)) if part.role in chosen else part for part in self.parts))

    def without(self, role: str) -> Draft:
        """The same without the parts of a role."""
        return Draft(tuple(part for part in self.parts if part.role != role))

    def plus(self, role: str, term: Dim) -> Draft:
        """The same and a part more."""
        return Draft((*self.parts, Part(role, term)))


def draft(scene: Scene, quantity: str) -> Draft:
    """A figure of a layer as its rules work it out; memory in values."""
    if quantity in SIDES:
        return Draft(tuple(Part(axis, side) for axis, side in zip("hwc", scene.y, strict=True)))
    if quantity in PARAMETERS:
        return Draft(() if scene.row.node.share is not None else tuple(arrays(scene, PARAMETERS[quantity])))
    if quantity == "memory":
        return Draft(() if scene.op.inplace else (Part("values", scene.out.values),))
    work = scene.lettered.work(scene.out, *scene.x)
    return Draft(tuple(operations(work, quantity)))


def arrays(scene: Scene, roles: tuple[str, ...]) -> Iterator[Part]:
    """The numbers in each array of a layer that has one of the roles."""
    op = scene.lettered
    for name, shape in op.weights(*scene.x).items():
        role = "biases" if name in op.biases else "buffers" if name in op.buffers else "weights"
        if role in roles:
            yield Part(role, multiplied(shape))


def operations(work: Work, quantity: str) -> Iterator[Part]:
    """The multiply-adds; for FLOPs two for each of them, and every other operation."""
    for kind, term in work._asdict().items():
        if isinstance(term, int) and term == 0:
            continue
        if kind == "macs":
            yield Part(kind, term if quantity == "macs" else 2 * term)
        elif quantity == "flops":
            yield Part(kind, term)


def number(value: int, name: str = "") -> Term:
    """A plain number that keeps its place in a formula."""
    return Letter(value, name or str(value))
