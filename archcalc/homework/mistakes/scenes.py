"""A layer as a student has it in hand: its arguments, what arrives and what leaves, all as letters with numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report, Row, measure
from archcalc.analyses.letters import Source, arriving, leaving, lettered
from archcalc.analyses.terms import Letter
from archcalc.homework.mistakes.rewriting import numbers
from archcalc.ops.base import Op
from archcalc.volume import Volume

MOST_MAKERS = 8  # of the sizes of one layer
MOST_SIDES = 12  # that a layer near by may have in place of its own
MOST_SCENES = 20_000  # kept at a time
MOST_NETS = 4  # whose scenes are kept: a class hands in answers to one or two
_PLAIN = (Source(""),) * 3


class Scene(NamedTuple):
    """A layer with letters for its arguments and for the sides of the volumes."""

    net: Net
    at: int  # its place among the layers
    op: Op  # in numbers
    lettered: Op
    inputs: tuple[Volume, ...]  # in numbers
    x: tuple[Volume, ...]
    y: Volume  # the formulas of its sides
    output: Volume  # in numbers
    out: Volume  # letters for the sides that it makes

    @property
    def row(self) -> Row:
        """The layer as it stands in the net."""
        return self.net.report.rows[self.at]

    def letters_of(self, field: str) -> frozenset[Letter]:
        """The letters of an argument; none where it has no such argument, or keeps its default unsaid."""
        return frozenset(_letters(getattr(self.lettered, field, None)))

    @property
    def padding(self) -> frozenset[Letter]:
        """The letters of the padding, whatever the layer calls it."""
        names = (name for name, field in self.op.fields.items() if field.kind == "Padding")
        return frozenset().union(*map(self.letters_of, names))

    def sides(self, axis: str) -> frozenset[Letter]:
        """The letters of the height, width or depth of what arrives."""
        return frozenset(side for volume in self.x if isinstance(side := getattr(volume, axis), Letter))


class Net:
    """A report with the scenes of its layers, kept while answers to it are marked."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._scenes: dict[Any, Scene | None] = {}
        self.memo: dict[Any, Any] = {}  # what else was worked out once
        self.tried: dict[str, dict[Any, tuple[Any, ...]]] = {}  # wrong ways to its figures, by sort; not all of them
        self._others: dict[tuple[int, int], Net | None] = {}

    def scene(
        self,
        index: int,
        op: Op | None = None,
        inputs: tuple[Volume, ...] | None = None,
        output: Volume | None = None,
    ) -> Scene | None:
        """A layer with other arguments, volumes that arrive or that leave; None where its rules refuse them."""
        row = self.report.rows[index]
        op, inputs = op or row.node.op, row.inputs if inputs is None else inputs
        key = op, inputs, output, index
        if key not in self._scenes:
            if len(self._scenes) >= MOST_SCENES:
                self._scenes.clear()
            self._scenes[key] = self._built(index, op, inputs, output)
        return self._scenes[key]

    def _built(self, index: int, op: Op, inputs: tuple[Volume, ...], output: Volume | None) -> Scene | None:
        sides: Any = inputs
        if any(n < 1 for volume in sides for n in volume) or not all(need.condition for need in op.needs(*inputs)):
            return None
        letters = lettered(op)
        several = len(inputs) > 1
        x = tuple(arriving(each, _PLAIN, str(at) if several else "") for at, each in enumerate(inputs, 1))
        y = letters.out(*x)
        made = output or Volume(*map(numbers, y))
        return Scene(self, index, op, letters, inputs, x, y, made, leaving(y, made))

    @cached_property
    def shown(self) -> tuple[int, ...]:
        """The layers that students write down: those with an output of their own."""
        return tuple(at for at, row in enumerate(self.report.rows) if not row.node.op.inplace)

    @cached_property
    def alike(self) -> tuple[int, ...]:
        """For each layer the first with its arguments, on volumes of its size: whose figures are the same."""
        firsts: dict[Any, int] = {}
        rows = enumerate(self.report.rows)
        return tuple(firsts.setdefault((row.node.op, row.inputs, row.node.share is None), at) for at, row in rows)

    @cached_property
    def volumes(self) -> tuple[Volume, ...]:
        """What leaves each layer."""
        return tuple(row.output for row in self.report.rows)

    def makers(self, index: int) -> tuple[int, ...]:
        """A layer, and before it those that made the height, width and depth that it keeps; where paths meet, these."""
        found, todo = [index], [index]
        while todo and len(found) < MOST_MAKERS:
            scene = self.scene(todo.pop())
            kept = [at for at, volume in enumerate(scene.x) if _is_kept(scene.y, volume)] if scene else []
            todo += [self.report.graph.nodes[scene.at].inputs[at] for at in kept] if scene else []
            found += [scene.at] if scene and (not kept or len(scene.x) > 1) else []
        return tuple(dict.fromkeys(found))

    def nearest(self, index: int, side: str) -> tuple[int, ...]:
        """Layers whose outputs have different heights, widths or depths, the nearest to a layer first."""
        key = "nearest", index, side
        if key not in self.memo:
            found: dict[Any, int] = {}
            for at in sorted(self.shown, key=lambda at: (abs(at - index), at)):
                found.setdefault(getattr(self.volumes[at], side), at)
                if len(found) == MOST_SIDES:
                    break
            self.memo[key] = tuple(found.values())
        near: tuple[int, ...] = self.memo[key]
        return near

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """How many groups its layers cut depths into, more than one."""
        known = {row.node.op.arguments().get("groups", 1) for row in self.report.rows}
        return tuple(sorted(known - {1}))

    @cached_property
    def main(self) -> frozenset[int]:
        """The layers on the way to the first output."""
        needed: set[int] = set()
        todo = [self.report.graph.outputs[0][1]]
        while todo:
            at = todo.pop()
            if at not in needed:
                needed.add(at)
                todo += self.report.graph.nodes[at].inputs
        return frozenset(needed)

    @property
    def numeric(self) -> bool:
        """Whether all its sizes are numbers."""
        return all(isinstance(n, int) for volume in self.volumes for n in volume)

    @cached_property
    def source(self) -> int | None:
        """The one input of the net; None where it has several, or is not square."""
        inputs = [at for at, row in enumerate(self.report.rows) if not row.inputs]
        square = len(inputs) == 1 and self.volumes[inputs[0]].h == self.volumes[inputs[0]].w
        return inputs[0] if square else None

    def on(self, side: int) -> Net | None:
        """The net on another square input; None where it cannot be built."""
        key = side, side
        if key not in self._others:
            self._others[key] = self._on(side)
        return self._others[key]

    def _on(self, side: int) -> Net | None:
        if self.source is None:
            return None
        nodes = list(self.report.graph.nodes)
        node = nodes[self.source]
        fields = [name for name, field in node.op.fields.items() if field.kind == "Volume"]
        size = self.volumes[self.source]._replace(h=side, w=side)
        nodes[self.source] = node._replace(op=node.op.replace(**dict.fromkeys(fields, size)))
        outputs: list[Volume] = []
        for node in nodes:
            inputs = tuple(outputs[i] for i in node.inputs)
            if not all(need.condition for need in node.op.needs(*inputs)):
                return None
            outputs.append(node.op.out(*inputs))
        return Net(measure(self.report.graph._replace(nodes=tuple(nodes))))


_nets: list[Net] = []


def net_of(report: Report) -> Net:
    """The net of a report, kept for its next answer."""
    found = next((net for net in _nets if net.report is report), None)
    if found is None:
        found = Net(report)
        _nets.append(found)
        del _nets[:-MOST_NETS]
    return found


def neighbours(net: Net, index: int, field: str) -> tuple[tuple[int, str], ...]:
    """Layers near one that have an argument too, with where they stand: the nearest, and the nearest of its type."""
    key = "neighbours", index, field
    if key not in net.memo:
        net.memo[key] = tuple(_neighbours(net, index, field))
    found: tuple[tuple[int, str], ...] = net.memo[key]
    return found


def kernels(net: Net, index: int) -> dict[Any, int]:
    """The kernels of the net, each with the layer that is nearest to one."""
    key = "kernels", index
    if key not in net.memo:
        found: dict[Any, int] = {}
        for at in sorted(net.shown, key=lambda at: (abs(at - index), at)):
            row = net.report.rows[at]
            if "kernel" in row.node.op.fields:
                found.setdefault(row.node.op.arguments(*row.inputs)["kernel"], at)
        net.memo[key] = found
    kernels: dict[Any, int] = net.memo[key]
    return kernels


def _neighbours(net: Net, index: int, field: str) -> Iterator[tuple[int, str]]:
    rows = net.report.rows
    having = [at for at in net.shown if field in rows[at].node.op.fields and at != index]
    alike = [at for at in having if type(rows[at].node.op) is type(rows[index].node.op)]
    for some in (having, alike):
        yield from [(at, "before") for at in some if at < index][-1:]
        yield from [(at, "after") for at in some if at > index][:1]


def _is_kept(y: Volume, x: Volume) -> bool:
    return all(a is b for a, b in zip(y, x, strict=True))


def _letters(value: Any) -> Iterator[Letter]:
    if isinstance(value, Letter):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from _letters(each)
