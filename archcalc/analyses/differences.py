"""What makes one net cost more or less than another: its changes, and what follows from each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from archcalc.analyses.alignment import Pair, align
from archcalc.analyses.costs import Report, Row, Totals, add_up
from archcalc.graph import Node
from archcalc.volume import Volume

OWN = ("moved", "changed", "added", "removed")  # what happens to a layer itself


class Edit(NamedTuple):
    """An argument of a layer, or what feeds it, before and after."""

    name: str
    before: Any
    after: Any


class Step(NamedTuple):
    """Layers that the same happens to, and what that costs.

    `kind` is one of `OWN`, or `follows`: the layers are as before, but another input arrives, because of the step
    `cause`.
    Where an argument moved, the first of a pair of layers is the one that it came to, the second the one that it left;
    where layers moved, there are no edits, and they are told once as they were and once as they are.
    """

    kind: str
    edits: tuple[Edit, ...]
    pairs: tuple[Pair, ...]
    names: tuple[str, ...]  # where it happens: layers, or the groups that were added or removed, or moved within
    delta: Totals
    cause: int | None = None  # index of a step


class Difference(NamedTuple):
    """Two nets, layer by layer, and the steps from one to the other; the costs of the steps add up to `delta`."""

    before: Report
    after: Report
    pairs: tuple[Pair, ...]
    steps: tuple[Step, ...]

    @property
    def delta(self) -> Totals:
        """By how much the sums of the net after are more than those of the net before."""
        return difference(self.before.total(), self.after.total())

    def rows(self, step: Step, after: bool) -> tuple[Row, ...]:
        """The layers of a step, in the net before or in the one after."""
        return _rows(self.after if after else self.before, (pair[after] for pair in step.pairs))


class _Event(NamedTuple):
    """What happens to a layer, or to several that go together. Those with the same key are one step."""

    kind: str
    name: str
    edits: tuple[Edit, ...] = ()
    pairs: tuple[Pair, ...] = ()
    key: Any = None


def diff(before: Report, after: Report, depth: int | None = None) -> Difference:
    """What changed from one net to another, for nets whose sizes are numbers.

    A layer whose own arguments changed is counted whole under that change; one that is as it was, but gets another
    input, under what it follows from. Steps gather what is the same everywhere, or within each group of a depth.
    """
    pairs = align(before.graph, after.graph)
    told = _Telling(before, after, pairs)
    own = [told.event(pair) for pair in pairs]
    blocks = _carried([*_blocks(told, own)])
    events = [*blocks, *_moves(told, [event for event in own if event.kind == "changed"])]
    return Difference(before, after, pairs, _steps(told, events, depth))


def difference(before: Totals, after: Totals) -> Totals:
    """Sums minus sums."""
    figures: Any = [b - a for a, b in zip(before, after, strict=True)]
    return Totals(*figures)


def _rows(report: Report, indices: Iterable[int | None]) -> tuple[Row, ...]:
    return tuple(report.rows[i] for i in indices if i is not None)


# ---------------------------------------------------------------- layer by layer


class _Telling:
    """Tells what happens to each pair of layers."""

    def __init__(self, before: Report, after: Report, pairs: tuple[Pair, ...]) -> None:
        self.before, self.after, self.pairs = before, after, pairs
        self.later = {a: b for a, b in pairs if a is not None and b is not None}
        self.earlier = {b: a for a, b in self.later.items()}

    def rows(self, pair: Pair) -> tuple[Row | None, Row | None]:
        """The layer before and the layer after."""
        a, b = pair
        return None if a is None else self.before.rows[a], None if b is None else self.after.rows[b]

    def node(self, pair: Pair) -> Node:
        """The layer as it stands after, if it is still there."""
        before, after = self.rows(pair)
        row = after or before
        assert row is not None
        return row.node

    def event(self, pair: Pair) -> _Event:
        """What happens to a layer by itself."""
        before, after = self.rows(pair)
        node = self.node(pair)
        if before is None or after is None:
            return _Event("added" if before is None else "removed", node.name, (), (pair,))
        edits = (*_arguments(before, after), *self._feeds(before, after), *self._sharing(before, after))
        if edits:
            return _Event("changed", node.name, edits, (pair,), (node.op.type, edits))
        same = before.inputs == after.inputs
        assert not same or before.cost == after.cost
        return _Event("same" if same else "follows", node.name, (), (pair,))

    def _feeds(self, before: Row, after: Row) -> Iterator[Edit]:
        """Whether it hangs on another layer of both nets: not where layers were only put between, or taken out."""
        old, new = before.node.inputs, after.node.inputs
        left = [i for i in old if i in self.later and self.later[i] not in new]
        come = [i for i in new if i in self.earlier and self.earlier[i] not in old]
        other = (left and come) or (come and len(new) > len(old)) or (left and len(new) < len(old))
        if other or _turned([self.later.get(i) for i in old], new):
            yield Edit("fed by", _names(self.before, old), _names(self.after, new))

    def _sharing(self, before: Row, after: Row) -> Iterator[Edit]:
        """Whether it has other weights: its own, or those of another layer."""
        old, new = before.node.share, after.node.share
        if (old is None) != (new is None) or (old is not None and self.later.get(old) != new):
            yield Edit(
                "weights",
                "its own" if old is None else f"those of {self.before.rows[old].name}",
                "its own" if new is None else f"those of {self.after.rows[new].name}",
            )

    def roots(self, owner: dict[Pair, int]) -> dict[Pair, int]:
        """For each pair that only follows, the event from which it does; `owner` has the others."""
        found: dict[int, int] = {}  # by index after: the event that what leaves the layer comes from
        roots: dict[Pair, int] = {}
        removed = {pair.before: event for pair, event in owner.items() if pair.after is None}
        for pair in self.pairs:
            before, after = self.rows(pair)
            if pair.after is None or after is None:
                continue
            if pair in owner:
                found[pair.after] = owner[pair]
            elif before is not None and before.inputs != after.inputs:
                near = [found[i] for i in _other_inputs(before, after) if i in found and self._differs(i)]
                gone = [removed[i] for i in before.node.inputs if i in removed]
                roots[pair] = found[pair.after] = (near or gone or [0])[0]
        return roots

    def _differs(self, index: int) -> bool:
        """Whether what leaves a layer is new, or of another size than before."""
        earlier = self.earlier.get(index)
        return earlier is None or self.before.rows[earlier].output != self.after.rows[index].output


def _arguments(before: Row, after: Row) -> Iterator[Edit]:
    """What it was told, argument by argument, where that is another number; a layer of another type as a whole."""
    one, other = before.node.op, after.node.op
    if type(one) is not type(other):
        yield Edit("type", one.text(), other.text())
    elif one != other:
        old, new = one.arguments(*before.inputs), other.arguments(*after.inputs)
        for name in one.fields:
            if getattr(one, name) != getattr(other, name) and old[name] != new[name]:
                yield Edit(name, old[name], new[name])


def _turned(old: list[int | None], new: tuple[int, ...]) -> bool:
    """Whether the same layers feed it in another order."""
    return set(old) == set(new) and old != [*new]


def _names(report: Report, indices: tuple[int, ...]) -> str:
    return ", ".join(report.rows[i].name for i in indices)


def _other_inputs(before: Row, after: Row) -> Iterator[int]:
    """The layers from which something else arrives than before."""
    for at, index in enumerate(after.node.inputs):
        if at >= len(before.inputs) or before.inputs[at] != after.inputs[at]:
            yield index


# ---------------------------------------------------------------- what goes together


def _blocks(told: _Telling, own: list[_Event]) -> Iterator[_Event]:
    """Layers added or removed one after the other: a whole group of the text by itself, others as they stand."""
    whole = {kind: _whole_groups(told, own, kind) for kind in ("added", "removed")}
    run: list[_Event] = []
    place: tuple[str, tuple[str, ...] | None, tuple[str, ...]] | None = None
    for event in [*own, _Event("same", "")]:
        here = None
        if event.kind in whole:
            group = told.node(event.pairs[0]).group
            tops = (group[:depth] for depth in range(1, len(group) + 1))
            top = next((each for each in tops if each in whole[event.kind]), None)
            here = (event.kind, top, group if top is None else ())
        if place is not None and here != place:
            yield _block(told, run, place[1])
            run = []
        if here is not None:
            run.append(event)
        place = here


def _carried(blocks: list[_Event]) -> Iterator[_Event]:
    """Blocks; what is removed in one place and added, as it was and with its name, in another as moved."""
    removed = {(event.name, event.key): event for event in blocks if event.kind == "removed"}
    added = {(event.name, event.key): event for event in blocks if event.kind == "added"}
    for event in blocks:
        before, after = removed.get((event.name, event.key)), added.get((event.name, event.key))
        if before is None or after is None:
            yield event
        elif event is before:
            yield _Event("moved", event.name, (), (*before.pairs, *after.pairs), event.key)


def _whole_groups(told: _Telling, own: list[_Event], kind: str) -> set[tuple[str, ...]]:
    """The groups of which every layer is added, or removed."""
    report, side = (told.after, 1) if kind == "added" else (told.before, 0)
    hit = {event.pairs[0][side] for event in own if event.kind == kind}
    sizes: Counter[tuple[str, ...]] = Counter()
    hits: Counter[tuple[str, ...]] = Counter()
    for at, row in enumerate(report.rows):
        for depth in range(1, len(row.node.group) + 1):
            sizes[row.node.group[:depth]] += 1
            hits[row.node.group[:depth]] += at in hit
    return {group for group, size in sizes.items() if hits[group] == size}


def _block(told: _Telling, run: list[_Event], top: tuple[str, ...] | None) -> _Event:
    pairs = tuple(event.pairs[0] for event in run)
    ops = tuple(told.node(pair).op for pair in pairs)
    return _Event(run[0].kind, ".".join(top) if top else run[0].name, (), pairs, ops)


def _moves(told: _Telling, changed: list[_Event]) -> Iterator[_Event]:
    """Changes; where an argument left one layer for another of its group, both in one event."""
    left: dict[object, list[_Event]] = {}
    moved: dict[Pair, _Event] = {}
    for event in changed:
        if len(event.edits) == 1:
            group, edit = told.node(event.pairs[0]).group, event.edits[0]
            waiting = left.get((group, edit.name, edit.after, edit.before))
            if waiting and _usual(told, event) is not None:
                other = waiting.pop(0)
                moved[event.pairs[0]] = moved[other.pairs[0]] = _move(told, other, event)
            else:
                left.setdefault((group, *edit), []).append(event)
    for event in changed:
        both = moved.get(event.pairs[0], event)
        if event.pairs[0] in both.pairs[:1] or both is event:
            yield both


def _usual(told: _Telling, event: _Event) -> bool | None:
    """Whether the only argument that changed has its default now (True), had it before, or neither (None)."""
    row, edit = told.rows(event.pairs[0])[1], event.edits[0]
    field = row.node.op.fields.get(edit.name) if row else None
    if field is None or field.default not in (edit.before, edit.after):
        return None
    return bool(field.default == edit.after)


def _move(told: _Telling, one: _Event, other: _Event) -> _Event:
    """Two changes, one the reverse of the other, as a move of what is not the default."""
    giver, taker = (other, one) if _usual(told, other) else (one, other)
    rows = [told.rows(event.pairs[0])[1] for event in (giver, taker)]
    names = tuple(row.name.rpartition(".")[2] for row in rows if row)
    edit = giver.edits[0]
    edits = (Edit(edit.name, edit.before, edit.before), Edit("layer", *names))
    group = ".".join(told.node(taker.pairs[0]).group)
    return _Event("moved", group or taker.name, edits, (taker.pairs[0], giver.pairs[0]), edits)


# ---------------------------------------------------------------- steps


def _steps(told: _Telling, events: list[_Event], depth: int | None) -> tuple[Step, ...]:
    """Events of one key gathered, in the order of the text, each with what follows from it behind it."""
    at = {pair: index for index, pair in enumerate(told.pairs)}
    events = sorted(events, key=lambda event: min(at[pair] for pair in event.pairs))
    gathered: dict[object, list[_Event]] = {}
    for event in events:
        gathered.setdefault((event.kind, event.key, _within(told, event.pairs[0], depth)), []).append(event)
    kinds = list(gathered.values())
    owner = {pair: index for index, kind in enumerate(kinds) for event in kind for pair in event.pairs}
    behind: dict[int, dict[tuple[str, ...], list[Pair]]] = {}
    for pair, index in told.roots(owner).items():
        behind.setdefault(index, {}).setdefault(_within(told, pair, depth), []).append(pair)
    steps: list[Step] = []
    for index, kind in enumerate(kinds):
        cause = len(steps)
        pairs = tuple(pair for event in kind for pair in event.pairs)
        names = tuple(event.name for event in kind)
        steps.append(Step(kind[0].kind, kind[0].edits, pairs, names, _delta(told, pairs)))
        for follows in behind.get(index, {}).values():
            names = tuple(told.node(pair).name for pair in follows)
            steps.append(Step("follows", (), tuple(follows), names, _delta(told, follows), cause))
    return tuple(steps)


def _within(told: _Telling, pair: Pair, depth: int | None) -> tuple[str, ...]:
    """The group of a depth that a layer stands in."""
    return told.node(pair).group[: depth or 0]


def _delta(told: _Telling, pairs: Iterable[Pair]) -> Totals:
    """What some layers cost more than before."""
    both = list(zip(*pairs, strict=True))
    return difference(add_up(_rows(told.before, both[0])), add_up(_rows(told.after, both[1])))


def arrivals(difference: Difference, step: Step) -> tuple[Volume, Volume] | None:
    """What arrives first at the layers that follow from a step, before and after, if it is the same for all of them."""
    both = zip(difference.rows(step, False), difference.rows(step, True), strict=False)
    found = {(before.inputs[0], after.inputs[0]) for before, after in both if before.inputs and after.inputs}
    if step.kind != "follows" or len(found) != 1:
        return None
    ((before, after),) = found
    return (before, after) if before != after else None
