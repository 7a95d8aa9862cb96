"""How sums over a net, or over a part of it, come out wrong."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from archcalc.homework.answers import Figure, Mistake
from archcalc.homework.mistakes.attempts import Attempt, Cell, mistake, slipped
from archcalc.homework.mistakes.conversions import conversions_of
from archcalc.homework.mistakes.drafts import BYTES, Draft, draft
from archcalc.homework.mistakes.everywhere import slipped_figures
from archcalc.homework.mistakes.facts import usual_inputs
from archcalc.homework.mistakes.registry import SLIPS, Conversion, Slip, other
from archcalc.homework.mistakes.scenes import Net
from archcalc.homework.mistakes.targets import Target, target
from archcalc.units import exact

SUMMED = ("params", "weights", "biases", "buffers", "macs", "flops", "memory")
TWO = 10
COMMON = 15  # slips up to this weight are also tried two at a time, in all layers
MOST_WAYS = 4
MOST_NAMED = 3
MOST_KINDS = 60  # of layers, in which a single mistake is looked for
NEXT = "next layer counted too"

FORGOTTEN = other("a layer forgotten", 20, SUMMED, "one layer is missing in the sum", "62,378,344 - 37,752,832 (fc6)")
TWICE = other("a layer counted twice", 25, SUMMED, "one layer is there twice in the sum", "62,378,344 + 34,944 (conv1)")
BLOCK = other(
    "a block forgotten", 25, SUMMED, "a whole block is missing in the sum", "6,998,552 - 163,696 (inception3a)"
)
ONLY = other("one kind of layer only", 20, SUMMED, "only the layers of one type", "the five conv layers alone")
WITHOUT = other(
    "one kind of layer forgotten", 20, SUMMED, "the layers of one type are missing", "without the fc layers"
)
HEADS = other(
    "side outputs left out", 20, SUMMED, "only what leads to the main output", "13,378,280 without its two heads"
)
REPEATS = other(
    "repeated blocks counted once", 20, SUMMED, "layers alike are counted once", "conv2_x.2 and .3 forgotten"
)
IMAGE = other("the image not counted", 15, ("memory",), "the input is left out of the memory", "1,414,347 - 154,587")


class Tally(NamedTuple):
    """A sum taken wrongly: a value for each layer."""

    name: str
    weight: int
    note: str
    values: tuple[int, ...]

    @property
    def total(self) -> int:
        """What they add up to."""
        return sum(self.values)


class Choice(NamedTuple):
    """Layers missing in a sum, or there twice: what that adds."""

    name: str
    weight: int
    note: str
    rows: tuple[int, ...]  # places among the layers that are summed
    times: int  # -1 for missing, 1 for twice


class Sum(NamedTuple):
    """A sum that is asked for: over which layers of a net, in which unit."""

    net: Net
    rows: tuple[int, ...]
    quantity: str
    figure: Figure
    times: int = 1  # bytes of a value, of memory in bytes
    bytes_per_value: int = BYTES

    @property
    def unit(self) -> str:
        """What conversions know it as."""
        return "bytes" if self.quantity == "memory" and self.times == self.bytes_per_value else self.quantity

    @property
    def right(self) -> Tally:
        """The figures of its layers as they are."""
        key = "right", self.rows, self.quantity
        if key not in self.net.memo:
            values = tuple(_figure(self.net, at, self.quantity) for at in self.rows)
            self.net.memo[key] = Tally("", 0, "", values)
        found: Tally = self.net.memo[key]
        return found

    def target(self, conversion: Conversion | None = None) -> Target:
        """The sums that the student's figure leaves open."""
        return target((self.figure,), (conversion.factor if conversion else Fraction(1)) * self.times)


def misadded(asked: Sum) -> list[Mistake]:
    """One mistake that gives the sum."""
    right, wanted = asked.right, asked.target()
    found = [
        _told(asked, tally) for tally in tallies(asked) if wanted.met((tally.total,)) and tally.total != right.total
    ]
    found += _chosen(asked, right, right)
    for each in conversions_of(asked.unit, asked.figure, asked.bytes_per_value):
        if asked.target(each).met((right.total,)):
            found.append(_converted(right, each, asked))
    return found


def twice_misadded(asked: Sum) -> list[Mistake]:
    """Two mistakes at once that give the sum."""
    right, wanted = asked.right, asked.target()
    found: list[Mistake] = []
    for tally in tallies(asked):
        if tally.total != right.total:
            found += _chosen(asked, tally, right)
    for each in conversions_of(asked.unit, asked.figure, asked.bytes_per_value):
        scaled = asked.target(each)
        found += [_converted(tally, each, asked) for tally in tallies(asked) if scaled.met((tally.total,))]
        found += [
            _converted(_with(right, choice), each, asked) for choice in _choices(asked) if _meets(scaled, right, choice)
        ]
    found += _in_one_layer(asked)
    both = [tally for tally in _both(asked) if wanted.met((tally.total,)) and tally.total != right.total]
    return found + [_told(asked, tally) for tally in both]


# ---------------------------------------------------------------- the same slip in every layer


def tallies(asked: Sum) -> tuple[Tally, ...]:
    """The sum with one slip made in all layers where it can be made, or on another basis."""
    key = "tallies", asked.rows, asked.quantity
    if key not in asked.net.memo:
        asked.net.memo[key] = (*_slipped(asked), *_elsewhere(asked))
    found: tuple[Tally, ...] = asked.net.memo[key]
    return found


def _slipped(asked: Sum) -> Iterator[Tally]:
    for slip in SLIPS:
        if asked.quantity in slip.kind.quantities and slip.kind.name != NEXT:  # whose layers the sum has anyway
            variants = {at: _variants(asked, at, slip) for at in _kinds(asked)}
            ways = sorted({way for forms in variants.values() for way in forms})
            for order, way in enumerate(ways[:MOST_WAYS]):
                chosen = {at: forms[way].value for at, forms in variants.items() if way in forms}
                yield from _tally(asked, slip.kind.name, slip.kind.weight + order, chosen)


def _kinds(asked: Sum) -> tuple[int, ...]:
    """The layers that are summed, of those alike the first."""
    return tuple(dict.fromkeys(asked.net.alike[at] for at in asked.rows))


def _variants(asked: Sum, at: int, slip: Slip) -> dict[int, Draft]:
    """What a slip makes of the figure of a layer, in each of its ways."""
    key = "variants", at, asked.quantity, slip.kind.name
    if key not in asked.net.memo:
        scene = asked.net.scene(at)
        slips = [*slip.change(scene, draft(scene, asked.quantity))] if scene else []
        asked.net.memo[key] = {new.way: new.draft for new in reversed(slips)}
    found: dict[int, Draft] = asked.net.memo[key]
    return found


def _both(asked: Sum) -> tuple[Tally, ...]:
    """Two usual slips in all layers."""
    key = "both", asked.rows, asked.quantity
    if key not in asked.net.memo:
        usual = [slip for slip in SLIPS if asked.quantity in slip.kind.quantities and slip.kind.weight <= COMMON]
        found: list[Tally] = []
        for first, second in combinations(usual, 2):
            values = {at: _second(asked, at, first, second) for at in _kinds(asked)}
            name = f"{first.kind.name} and {second.kind.name}"
            found += _tally(asked, name, first.kind.weight + second.kind.weight + TWO, values)
        asked.net.memo[key] = tuple(found)
    both: tuple[Tally, ...] = asked.net.memo[key]
    return both


def _second(asked: Sum, at: int, first: Slip, second: Slip) -> int:
    """The figure of a layer with one slip, as far as it can be made there, and another on top."""
    once = _variants(asked, at, first).get(0)
    scene = asked.net.scene(at)
    assert scene is not None
    worked = once or draft(scene, asked.quantity)
    twice = next((new.draft for new in second.change(scene, worked)), worked) if once else None
    return (twice or _variants(asked, at, second).get(0, worked)).value


def _tally(asked: Sum, name: str, weight: int, values: dict[int, int]) -> Iterator[Tally]:
    """The sum with other figures for some kinds of layers, if that changes one."""
    right = asked.right.values
    made = tuple(values.get(asked.net.alike[at], own) for at, own in zip(asked.rows, right, strict=True))
    wrong = [at for at, a, b in zip(asked.rows, made, right, strict=True) if a != b]
    if wrong:
        note = f"in {len(wrong)} layers" if len(wrong) > 1 else f"in {asked.net.report.rows[wrong[0]].name}"
        yield Tally(name, weight, note, made)


def _elsewhere(asked: Sum) -> Iterator[Tally]:
    """The sum for another image, or with sizes that went wrong on the way."""
    for name, weight, note, other_net in usual_inputs(asked.net):
        values = tuple(_figure(other_net, at, asked.quantity) for at in asked.rows)
        yield Tally(name, weight, note, values)
    for slip in SLIPS:
        if slip.everywhere:
            slipped = slipped_figures(asked.net, slip, asked.rows, asked.quantity)
            if slipped is not None:
                yield Tally(slip.kind.name, slip.kind.weight + TWO, "in the sizes of all layers", slipped)


def _figure(net: Net, at: int, quantity: str) -> int:
    cost: Any = net.report.rows[at].cost
    return int(cost.activations if quantity == "memory" else getattr(cost, quantity))


def _in_one_layer(asked: Sum) -> Iterator[Mistake]:
    """A single layer that is wrong, where the sum is exact enough to tell."""
    right, wanted = asked.right.total, asked.target()
    for at in _kinds(asked)[:MOST_KINDS] if not asked.figure.half_unit else ():
        scene = asked.net.scene(at)
        if scene is None:
            continue
        cell = Cell(scene, asked.quantity, (asked.figure,))
        own = cell.right.value
        for attempt in slipped(cell, Attempt((), 0, (), cell.right), scene):
            total = right - own + attempt.draft.value
            if wanted.met((total,)) and total != right:
                one = mistake(cell, attempt)
                note = "; ".join(filter(None, (f"in {scene.row.name}: {one.arithmetic}", one.note)))
                yield _told(asked, Tally(one.name, one.weight + TWO, note, (total,)))


# ---------------------------------------------------------------- layers missing, or there twice


def _choices(asked: Sum) -> tuple[Choice, ...]:
    key = "choices", asked.rows, asked.quantity
    if key not in asked.net.memo:
        asked.net.memo[key] = tuple(each for each in _all_choices(asked) if 0 < len(each.rows) < len(asked.rows))
    found: tuple[Choice, ...] = asked.net.memo[key]
    return found


def _all_choices(asked: Sum) -> Iterator[Choice]:
    yield from _single_layers(asked)
    rows, places = asked.net.report.rows, range(len(asked.rows))
    types = [rows[at].node.op.type for at in asked.rows]
    for type_ in dict.fromkeys(types):
        same = tuple(place for place in places if types[place] == type_)
        rest = tuple(place for place in places if types[place] != type_)
        yield Choice(WITHOUT.name, WITHOUT.weight, f"without the {type_} layers", same, -1)
        yield Choice(ONLY.name, ONLY.weight, f"the {type_} layers alone", rest, -1)
    yield from _blocks(asked)
    heads = tuple(place for place in places if asked.rows[place] not in asked.net.main)
    yield Choice(HEADS.name, HEADS.weight, "without what leads to the other outputs", heads, -1)
    again = tuple(place for place in places if asked.net.alike[asked.rows[place]] != asked.rows[place])
    yield Choice(REPEATS.name, REPEATS.weight, "layers alike are counted each time", again, -1)


def _single_layers(asked: Sum) -> Iterator[Choice]:
    """One layer of each kind: whichever of those alike it is, the sum is the same."""
    rows = asked.net.report.rows
    places: dict[int, list[int]] = {}
    for place, at in enumerate(asked.rows):
        places.setdefault(asked.net.alike[at], []).append(place)
    for some in places.values():
        first = rows[asked.rows[some[0]]]
        names = _listed([rows[asked.rows[place]].name for place in some])
        kind = IMAGE if asked.quantity == "memory" and not first.inputs else FORGOTTEN
        yield Choice(kind.name, kind.weight, f"without {names}", (some[0],), -1)
        yield Choice(TWICE.name, TWICE.weight, f"{names} twice", (some[0],), 1)


def _blocks(asked: Sum) -> Iterator[Choice]:
    """One block of each kind."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place, at in enumerate(asked.rows):
        group = asked.net.report.rows[at].node.group
        for depth in range(1, len(group) + 1):
            groups.setdefault(group[:depth], []).append(place)
    kinds: dict[tuple[int, ...], list[str]] = {}
    for path, some in groups.items():
        kinds.setdefault(tuple(asked.net.alike[asked.rows[place]] for place in some), []).append(".".join(path))
    for names in kinds.values():
        places = tuple(groups[tuple(names[0].split("."))])
        if len(places) > 1:
            yield Choice(BLOCK.name, BLOCK.weight, f"without {_listed(names)}", places, -1)


def _listed(names: list[str]) -> str:
    """Layers of which one is meant."""
    return " or ".join(names[:MOST_NAMED]) + " or …" * (len(names) > MOST_NAMED)


def _with(tally: Tally, choice: Choice) -> Tally:
    values = [value * (1 + choice.times) if place in choice.rows else value for place, value in enumerate(tally.values)]
    two = bool(tally.name)
    name = f"{tally.name} and {choice.name}" if two else choice.name
    note = f"{tally.note}; {choice.note}" if two else choice.note
    return Tally(name, tally.weight + choice.weight + TWO * two, note, tuple(values))


def _meets(wanted: Target, tally: Tally, choice: Choice) -> bool:
    less = sum(tally.values[place] for place in choice.rows)
    return less != 0 and wanted.met((tally.total + choice.times * less,))


def _chosen(asked: Sum, tally: Tally, right: Tally) -> Iterator[Mistake]:
    """The sum without some layers, or with them twice."""
    wanted = asked.target()
    for choice in _choices(asked):
        if _meets(wanted, tally, choice):
            made = _with(tally, choice)
            if made.total not in (0, right.total):
                yield _told(asked, made)


# ---------------------------------------------------------------- as it is told


def _told(asked: Sum, tally: Tally) -> Mistake:
    right, total = asked.right.total * asked.times, tally.total * asked.times
    sign = "-" if total < right else "+"
    return Mistake(
        tally.name, f"{exact(right)} {sign} {exact(abs(total - right))} = {exact(total)}", tally.weight, tally.note
    )


def _converted(tally: Tally, conversion: Conversion, asked: Sum) -> Mistake:
    name = f"{tally.name} and {conversion.kind.name}" if tally.name else conversion.kind.name
    weight = tally.weight + conversion.kind.weight + TWO * bool(tally.name)
    note = f"{tally.note}; {conversion.note}" if tally.note else conversion.note
    return Mistake(name, conversion.arithmetic(tally.total * asked.times), weight, note)
