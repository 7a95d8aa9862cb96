"""What training keeps of a forward pass for the backward pass, as PyTorch does: each tensor once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from archcalc.analyses.costs import Report, Row
from archcalc.analyses.liveness import owners
from archcalc.analyses.training import learns
from archcalc.graph import Node, walk
from archcalc.ops.base import Kept, Own

STAGE = "stage"


class Piece(NamedTuple):
    """A tensor that is kept: `layer` made it, `by` was the first to keep it."""

    layer: int
    by: int
    own: Own


class Segment(NamedTuple):
    """A checkpointed stretch of layers, the number of its last, and what its second forward pass makes and keeps."""

    name: str
    last: int
    pieces: tuple[Piece, ...]


class Retention(NamedTuple):
    """What is kept of a forward pass, what its losses keep, and what each checkpointed segment makes again.

    The way back begins with the losses: when the turn of a segment comes, what they kept is gone.
    """

    pieces: tuple[Piece, ...]
    losses: tuple[Piece, ...] = ()
    segments: tuple[Segment, ...] = ()


def retain(report: Report, inplace: bool = True, checkpoint: str | None = None) -> Retention:
    """What is kept of a forward pass with a cross-entropy at every output.

    A layer keeps what its class says (`keeps`) where a gradient goes through it: behind the first layer that learns.
    What two layers keep is one tensor. With `inplace` ReLU and its kin write over their input where PyTorch lets
    them. `checkpoint` is `stage`, neighbours of one height and width, or a depth of groups: of such a stretch only
    what enters it is kept, and the rest is made again; nothing is kept of one whose layers keep nothing
    (`torch.utils.checkpoint` with `use_reentrant=False`).
    """
    wanted, in_losses = _wanted(report), _in_losses(report)
    kept = tuple(Kept() if at in in_losses else _kept(report, at, wanted) for at in range(len(report.rows)))
    parts, names = _parts(report, checkpoint, in_losses)
    owner = owners(
        report.graph,
        views=lambda node: node.op.views(training=True),
        overwrites=lambda node: inplace and node.op.overwrites,
        holds=lambda at, own: parts[at] is not None and parts[own] != parts[at],
        keeps=lambda at, so_far: _tensors(kept[at], at, report.graph.nodes[at], so_far),
    )
    record = _Record(report, owner, kept)
    asked = {part for part, each in zip(parts, kept, strict=True) if each != Kept()}
    seen: dict[int, int] = {}
    pieces: list[Piece] = []
    for at, part in enumerate(parts):
        if part is None:
            pieces += record.kept_by(at, seen)
        elif part in asked:
            entering = (i for i in report.graph.nodes[at].inputs if parts[i] != part)
            pieces += [piece for i in entering for piece in record.output(owner[i], at, seen)]
    losses = tuple(record.kept_by_losses(wanted, in_losses))
    return Retention(tuple(pieces), losses, tuple(_segments(parts, names, record, seen)))


class _Record(NamedTuple):
    """Who keeps what. A tensor is told the first time: `seen` holds those that were, and by which layer."""

    report: Report
    owner: tuple[int, ...]
    kept: tuple[Kept, ...]

    def output(self, own: int, by: int, seen: dict[int, int]) -> Iterator[Piece]:
        """The output of a layer."""
        if own not in seen:
            seen[own] = by
            yield Piece(own, by, Own("output", self.report.rows[own].output.values))

    def kept_by(self, at: int, seen: dict[int, int]) -> Iterator[Piece]:
        """What a layer keeps."""
        for own in _tensors(self.kept[at], at, self.report.graph.nodes[at], self.owner):
            yield from self.output(own, at, seen)
        yield from (Piece(at, at, each) for each in self.kept[at].own)

    def kept_by_losses(self, wanted: list[bool], in_losses: frozenset[int]) -> Iterator[Piece]:
        """What the cross-entropy of each output keeps, as wide as parameters."""
        for _, at in self.report.graph.outputs:
            row = self.report.rows[at]
            if wanted[at]:
                if at in in_losses:
                    yield Piece(at, at, Own("output", row.output.values, "params"))
                yield from (Piece(at, at, each) for each in row.node.op.loss_keeps(row.output))


def _tensors(kept: Kept, at: int, node: Node, owner: Sequence[int]) -> list[int]:
    """The owners of the tensors that a layer keeps of its inputs and its output."""
    return [owner[node.inputs[i]] for i in kept.inputs] + [owner[at]] * kept.output


def _wanted(report: Report) -> list[bool]:
    """For each layer whether a gradient goes through it: it learns, or something before it does."""
    rows = iter(report.rows)

    def step(node: Node, before: list[bool]) -> bool:
        row = next(rows)
        return any(before) or learns(row)

    return walk(report.graph, step)


def _in_losses(report: Report) -> frozenset[int]:
    """Layers at an end of the net whose work the loss does: they have a cross-entropy of their own."""
    read = {i for node in report.graph.nodes for i in node.inputs}
    ends = (i for _, i in report.graph.outputs if i not in read)
    return frozenset(i for i in ends if hasattr(report.rows[i].node.op, "cross_entropy"))


def _kept(report: Report, at: int, wanted: list[bool]) -> Kept:
    row = report.rows[at]
    if not wanted[at]:
        return Kept()
    return row.node.op.keeps(row.output, *row.inputs, wanted=tuple(wanted[i] for i in row.node.inputs))


def _parts(report: Report, checkpoint: str | None, in_losses: frozenset[int]) -> tuple[list[int | None], list[str]]:
    """For each layer the number of the segment that it belongs to, None for none; and the segments' groups.

    What the loss does lies behind all segments.
    """
    found: list[int | None] = []
    names: list[str] = []
    before: object = None
    for at, row in enumerate(report.rows):
        here = None if at in in_losses else _place(row, checkpoint)
        if here is not None and here != before:
            names.append("" if checkpoint == STAGE else ".".join(map(str, here)))
        found.append(None if here is None else len(names) - 1)
        before = here
    return found, names


def _place(row: Row, checkpoint: str | None) -> tuple[object, ...] | None:
    """What neighbours of one segment have in common."""
    if checkpoint is None or not row.inputs:
        return None
    if checkpoint == STAGE:
        return row.output[:2]
    depth = int(checkpoint)
    return row.node.group[:depth] if len(row.node.group) >= depth else None


def _segments(parts: list[int | None], names: list[str], record: _Record, kept: dict[int, int]) -> Iterator[Segment]:
    """The segments, with what each keeps when it runs again: then all that later layers kept is gone."""
    layers: dict[int, list[int]] = {}
    for at, part in enumerate(parts):
        if part is not None:
            layers.setdefault(part, []).append(at)
    later = sorted(kept.items(), key=lambda item: -item[1])
    seen: dict[int, int] = {}
    for part, members in layers.items():
        while later and later[-1][1] <= members[-1]:
            own, by = later.pop()
            seen[own] = by
        again = tuple(piece for at in members for piece in record.kept_by(at, seen))
        first, last = (record.report.rows[at].name for at in (members[0], members[-1]))
        stretch = first if first == last else f"{first} to {last}"
        yield Segment(names[part] or stretch, members[-1], again)
