"""What became of a net since its baseline: which sums grew, by how much, and in which layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal, NamedTuple

from archcalc.analyses.alignment import Profile, align_profiles
from archcalc.analyses.baselines import Figures, Held, Snapshot
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.lang.source import Source, Span
from archcalc.ops import REGISTRY
from archcalc.units import BYTES_PER_VALUE, read_bytes, read_printed
from archcalc.volume import Volume

GUARDED = ("params", "macs", "flops", "memory")  # what may not grow
FAILING = ("new", "resized", "grew")  # what became of a net that is not let pass
_ALLOWED = re.compile(r"\s*(?:(?P<name>[A-Za-z_]*)\s*=)?\s*(?P<figure>[^=]*?)\s*")

Outcome = Literal["same", "shrank", "allowed", "grew"]
Status = Literal["same", "renamed", "changed", "shrank", "allowed", "gone", "new", "resized", "grew"]


class Limit(NamedTuple):
    """By how much a sum may grow: by a share of what it was, or by so many units."""

    share: Fraction = Fraction(0)
    amount: Fraction = Fraction(0)

    def allows(self, before: int, after: int) -> bool:
        """Whether a sum is within it."""
        return after - before <= max(self.share * before, self.amount)


class Sum(NamedTuple):
    """A sum of a net, before and now."""

    quantity: str  # one of GUARDED; memory in bytes
    before: int
    after: int
    outcome: Outcome

    @property
    def delta(self) -> int:
        """By how much it is more."""
        return self.after - self.before


class Shift(NamedTuple):
    """A layer that is not what it was: `follows` if only what arrives is other, or how it is counted."""

    kind: Literal["added", "removed", "changed", "follows", "renamed"]
    before: Held | None
    after: Held | None

    @property
    def layer(self) -> Held:
        """The layer as it is now, or was."""
        layer = self.after or self.before
        assert layer is not None
        return layer

    @property
    def delta(self) -> Figures:
        """What it costs more than before."""
        return (self.after.figures if self.after else Figures()) - (self.before.figures if self.before else Figures())


class Growth(NamedTuple):
    """A net against its baseline; `before` is None where it is new, `after` where it is gone."""

    name: str
    before: Snapshot | None
    after: Snapshot | None
    sums: tuple[Sum, ...]
    shifts: tuple[Shift, ...]
    was: str = ""  # what it went by in the baseline, if that is another name
    span: Span | None = None  # where the net stands

    @property
    def status(self) -> Status:
        """What became of the net: the worst of all that happened."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        if list(self.resized()):
            return "resized"
        outcomes = {each.outcome for each in self.sums}
        if outcomes != {"same"}:
            return "grew" if "grew" in outcomes else "allowed" if "allowed" in outcomes else "shrank"
        kinds = {shift.kind for shift in self.shifts}
        if kinds - {"renamed"} or self.before.dtype != self.after.dtype:
            return "changed"
        ends = (self.before.inputs, self.before.outputs) != (self.after.inputs, self.after.outputs)
        return "renamed" if kinds or ends or self.was else "same"

    def resized(self) -> Iterator[tuple[str, tuple[Volume, ...], tuple[Volume, ...]]]:
        """The ends of the net that have other sizes: `input` or `output`, before, now."""
        if self.before is not None and self.after is not None:
            ends = ((self.before.inputs, self.after.inputs), (self.before.outputs, self.after.outputs))
            for what, (before, after) in zip(("input", "output"), ends, strict=True):
                sizes = [tuple(size for _, size in each) for each in (before, after)]
                if sizes[0] != sizes[1]:
                    yield what, sizes[0], sizes[1]

    def fails(self, strict: bool) -> bool:
        """Whether it is not let pass; `strict` lets nothing pass that differs."""
        return self.status in FAILING or (strict and self.status != "same")

    def largest(self) -> list[Shift]:
        """The layers that changed, those first that weigh most in the sums that grew, or else in any."""
        grown = [each for each in self.sums if each.outcome == "grew"] or list(self.sums)
        scales = {each.quantity: Fraction(1, max(1, each.before)) for each in grown}
        bytes_per_value = max(BYTES_PER_VALUE[net.dtype] for net in (self.before, self.after) if net)

        def weight(shift: Shift) -> Fraction:
            delta = shift.delta._asdict() | {"memory": shift.delta.activations * bytes_per_value}
            return sum((abs(delta[name]) * scale for name, scale in scales.items()), Fraction(0))

        return sorted(self.shifts, key=weight, reverse=True)


def read_limits(text: str | None) -> dict[str, Limit]:
    """`params=1%,macs=0,memory=64KiB`, or `1%` for all: by how much each sum may grow. Raises `SpecError`.

    >>> read_limits("params=1%")["params"], read_limits("2%")["macs"].allows(100, 102)
    (Limit(share=Fraction(1, 100), amount=Fraction(0, 1)), True)
    """
    limits = dict.fromkeys(GUARDED, Limit())
    if text is None:
        return limits
    source, start, seen = Source("--allow", text), 0, set[str]()
    for word in text.split(","):
        span = Span(source, start, start + max(1, len(word)))
        start += len(word) + 1
        names, limit = _limit(word, span)
        if seen & set(names):
            raise SpecError([Fault(f"{quoted(names[0])} is allowed twice", span)])
        seen |= {*names}
        limits |= dict.fromkeys(names, limit)
    return limits


def _limit(word: str, span: Span) -> tuple[tuple[str, ...], Limit]:
    """What one word allows, and which sums that holds for."""
    found = _ALLOWED.fullmatch(word)
    name, figure = (found["name"], found["figure"]) if found else (None, "")
    if name is not None and name not in GUARDED:
        help = did_you_mean(name, GUARDED) or f"there are {', '.join(GUARDED)}"
        raise SpecError([Fault(f"{quoted(name)} is no sum that could grow", span, help=help)])
    try:
        share = figure.endswith("%")
        value = read_printed(figure[:-1]).value / 100 if share else _amount(name, figure)
    except ValueError:
        value = Fraction(-1)
    if value < 0 or (name is None and not share and value):
        help = "write `params=1%`, `macs=0`, `params=10K`, `memory=64KiB`, or `1%` for all"
        raise SpecError([Fault(f"{quoted(word.strip())} does not say by how much a sum may grow", span, help=help)])
    return (name,) if name else GUARDED, Limit(share=value) if share else Limit(amount=value)


def _amount(name: str | None, figure: str) -> Fraction:
    if name == "memory":
        return Fraction(read_bytes(figure))
    if figure.endswith(("iB", "KB", "MB", "GB", "TB")):
        raise ValueError(figure)
    return read_printed(figure).value


def compare_net(
    name: str, before: Snapshot | None, after: Snapshot | None, limits: Mapping[str, Limit], span: Span | None = None
) -> Growth:
    """A net against what it was; one that is new or gone has no layers to compare."""
    sums = tuple(_sum(quantity, before, after, limits[quantity]) for quantity in GUARDED)
    shifts = tuple(_shifts(before, after)) if before and after else ()
    return Growth(name, before, after, sums, shifts, span=span)


def figure_of(net: Snapshot | None, quantity: str) -> int:
    """One of the sums that may not grow, of a net; 0 where there is none."""
    if net is None:
        return 0
    return net.memory if quantity == "memory" else getattr(net.totals, quantity)


def _sum(quantity: str, before: Snapshot | None, after: Snapshot | None, limit: Limit) -> Sum:
    old, new = figure_of(before, quantity), figure_of(after, quantity)
    if new <= old:
        return Sum(quantity, old, new, "same" if new == old else "shrank")
    return Sum(quantity, old, new, "allowed" if limit.allows(old, new) else "grew")


def _shifts(before: Snapshot, after: Snapshot) -> Iterator[Shift]:
    """The layers that are not what they were, in the order of the text."""
    for a, b in align_profiles([*map(_profile, before.layers)], [*map(_profile, after.layers)]):
        old = None if a is None else before.layers[a]
        new = None if b is None else after.layers[b]
        if old is None or new is None:
            yield Shift("added" if old is None else "removed", old, new)
        elif old.text != new.text:
            yield Shift("changed", old, new)
        elif (old.output, old.figures) != (new.output, new.figures):
            yield Shift("follows", old, new)
        elif old.name != new.name:
            yield Shift("renamed", old, new)


def _profile(layer: Held) -> Profile:
    op = REGISTRY.get(layer.type)  # None: of an archcalc that has other layer types
    return Profile(layer.name, layer.group, layer.type, op.kind() if op else layer.type, layer.text)
