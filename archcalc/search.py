"""Which net, on which input, by which rule of counting gives a printed figure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from archcalc.analyses.costs import measure
from archcalc.analyses.matching import Asked, Base, Candidates, Match, read_asked
from archcalc.analyses.rules import Rule, rules_of
from archcalc.builder import Built
from archcalc.lang.errors import SpecError
from archcalc.library import Net, load, zoo_nets
from archcalc.volume import Volume

Progress = Callable[[str, int, int], None]  # what, its number, of how many
_T = TypeVar("_T")
ZOO = "all nets of the zoo"
MOST_SIDES = 3  # of them for a search of the whole zoo
SIDES = (224, 227, 299, 256, 320, 384, 512)  # of the images that are usual beside a net's own


class Hit(NamedTuple):
    """A net that gives all the figures: explanations of each, the simplest first."""

    net: str
    input: Volume
    own_input: bool
    matches: tuple[tuple[Match, ...], ...]  # of each figure

    @property
    def weight(self) -> int:
        """How much it takes to believe; less is better."""
        return sum(each[0].weight for each in self.matches) + (0 if self.own_input else 3)

    @property
    def rules(self) -> frozenset[str]:
        """The rules that give every one of the figures as they are, none more simply."""
        plain = ([match for match in each if not match.terms and match.factor == 1] for each in self.matches)
        simplest = ([match for match in each if match.weight == each[0].weight] for each in plain)
        return frozenset.intersection(*(frozenset(rule for m in each for rule, _ in m.base.by) for each in simplest))


class Answer(NamedTuple):
    """What was asked and found; where nothing was, the nearest figures of the net that was named."""

    asked: tuple[Asked, ...]
    hits: tuple[Hit, ...]
    searched: str  # what was looked through, in words
    nearest: tuple[tuple[Asked, tuple[Base, ...]], ...] = ()


def match(
    value: str,
    arch: str | None = None,
    size: str | None = None,
    rule: str = "all",
    progress: Progress = lambda what, at, count: None,
) -> Answer:
    """The ways in which figures come about, the simplest first.

    Of a net, on its own input and then on others that are usual; without one, of all nets of the zoo, and `progress`
    is told which is looked at. Raises `SpecError`.
    """
    asked, rules = read_asked(value), rules_of(rule)
    return _of_zoo(asked, rules, progress) if arch is None else _of_net(asked, rules, arch, size)


def _of_net(asked: tuple[Asked, ...], rules: tuple[Rule, ...], arch: str, size: str | None) -> Answer:
    net = load(arch)
    built = net.build(size)
    own = _candidates(built, asked, rules)
    hit = _hit(built, own, asked, True, deep=True)
    if hit:
        return Answer(asked, (hit,), f"`{net.name}`")
    sides = SIDES if size is None else ()
    hits = _in_order(_on_other_images(net, _input(built), asked, rules, sides))
    near = tuple((each, tuple(own.nearest(each))) for each in asked)
    sizes = f", and on images of {', '.join(map(str, sides))}" if sides else ""
    return Answer(asked, hits, f"`{net.name}`{sizes}", near)


def _of_zoo(asked: tuple[Asked, ...], rules: tuple[Rule, ...], progress: Progress) -> Answer:
    """Figures of rules as they are; if no net has them, with known differences; then on other images."""

    def told(what: str, items: Sequence[_T]) -> Iterator[_T]:
        for at, item in enumerate(items):
            progress(what, at, len(items))
            yield item

    named = told("figures of rules", tuple(zoo_nets()))
    nets = [(net, built, _candidates(built, asked, rules)) for net in named for built in (net.build(),)]
    for deep in (False, True):
        looked = told("known differences", nets) if deep else nets
        found = [_hit(built, candidates, asked, True, deep) for _, built, candidates in looked]
        if any(found):
            return Answer(asked, _in_order(found), ZOO)
    sides, looked = SIDES[:MOST_SIDES], told("other images", nets)
    hits = [hit for net, built, _ in looked for hit in _on_other_images(net, _input(built), asked, rules, sides)]
    return Answer(asked, _in_order(hits), f"{ZOO}, and on images of {', '.join(map(str, sides))}")


def _on_other_images(
    net: Net, own: Volume, asked: tuple[Asked, ...], rules: tuple[Rule, ...], sides: tuple[int, ...]
) -> Iterator[Hit]:
    for side in sides:
        try:
            built = net.build(f"{side}x{side}x{own.c}")
            hit = _hit(built, _candidates(built, asked, rules), asked, False, deep=False)
        except SpecError:  # the net does not take an image of that size
            continue
        if hit and hit.input != own:
            yield hit


def _in_order(hits: Iterable[Hit | None]) -> tuple[Hit, ...]:
    """The easiest to believe first; of these the nets of which most rules give all the figures."""
    return tuple(sorted((hit for hit in hits if hit), key=lambda hit: (hit.weight, -len(hit.rules))))


def _candidates(built: Built, asked: tuple[Asked, ...], rules: tuple[Rule, ...]) -> Candidates:
    kinds = tuple(dict.fromkeys(kind for each in asked for kind in each.kinds))
    return Candidates(measure(built.graph, built.assumptions), rules, kinds)


def _hit(built: Built, candidates: Candidates, asked: tuple[Asked, ...], own: bool, deep: bool) -> Hit | None:
    """The net with explanations of every figure; None where one of them has none."""
    found = []
    for each in asked:
        matches = candidates.matches(each, deep)
        if not matches:
            return None
        found.append(tuple(matches))
    return Hit(built.graph.name, _input(built), own, tuple(found))


def _input(built: Built) -> Volume:
    return next(node.op.out() for node in built.graph.nodes if not node.inputs)
