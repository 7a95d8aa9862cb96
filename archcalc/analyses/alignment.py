"""Which layer of one net is which of another: by the labels of groups first, then by what the layers are."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from archcalc.graph import Graph, Node

MOST_CELLS = 40_000  # of the table of a best alignment, a fiftieth of a second; what is longer is cut at anchors first
EQUAL, ALIKE, AKIN, LABELLED = 6, 3, 1, 2  # same arguments, same type, same family, same label


class Pair(NamedTuple):
    """A layer before and after, by index; None where it was added or removed."""

    before: int | None
    after: int | None


class Profile(NamedTuple):
    """What is known of a layer before it is aligned; layers of equal type and arguments have the same `form`."""

    name: str
    group: tuple[str, ...]
    type: str
    kind: str  # the family of its type
    form: Hashable


class _Layer(NamedTuple):
    """What a layer is aligned by."""

    at: int
    group: tuple[str, ...]
    label: str  # empty where the name is only a type and a running number
    form: int  # layers of equal type and arguments have the same
    type: str
    kind: str


_Stretch = Sequence[_Layer]


def align(before: Graph, after: Graph) -> tuple[Pair, ...]:
    """Pairs in the order of the text; each layer of either net is in one of them, and matches never cross.

    Groups of one label belong together. Within them, and where no label is the same, the best alignment is that of the
    most layers that are alike.
    """
    return align_profiles(*([_profile(node) for node in graph.nodes] for graph in (before, after)))


def align_profiles(before: Sequence[Profile], after: Sequence[Profile]) -> tuple[Pair, ...]:
    """As `align`, of layers that are no longer, or not yet, those of a graph."""
    forms: dict[Hashable, int] = {}
    a, b = ([_layer(at, each, forms) for at, each in enumerate(layers)] for layers in (before, after))
    return tuple(_aligned(a, b, 0))


def _profile(node: Node) -> Profile:
    return Profile(node.name, node.group, node.op.type, node.op.kind(), node.op)


def _layer(at: int, layer: Profile, forms: dict[Hashable, int]) -> _Layer:
    own = layer.name.rpartition(".")[2]
    numbered = own.startswith(layer.type) and own[len(layer.type) :].isdecimal()
    form = forms.setdefault(layer.form, len(forms))
    return _Layer(at, layer.group, "" if numbered else own, form, layer.type, layer.kind)


def _aligned(a: _Stretch, b: _Stretch, depth: int) -> Iterator[Pair]:
    """Two stretches that stand within the same labels down to a depth."""
    runs_a, runs_b = _groups(a, depth), _groups(b, depth)
    shared = [(run, runs_b[label]) for label, run in runs_a.items() if label in runs_b]
    start_a = start_b = 0
    for run_a, run_b in _rising(shared):
        yield from _matched(a[start_a : run_a.start], b[start_b : run_b.start], 0)
        yield from _aligned(a[run_a.start : run_a.stop], b[run_b.start : run_b.stop], depth + 1)
        start_a, start_b = run_a.stop, run_b.stop
    yield from _matched(a[start_a:], b[start_b:], 0)


def _groups(layers: _Stretch, depth: int) -> dict[str, range]:
    """Where the groups of a stretch lie, by their label at a depth."""
    found: dict[str, range] = {}
    for label, run in groupby(range(len(layers)), lambda i: (*layers[i].group[depth : depth + 1], "")[0]):
        indices = list(run)
        if label:
            found.setdefault(label, range(indices[0], indices[-1] + 1))
    return found


def _rising(shared: Sequence[tuple[range, range]]) -> list[tuple[range, range]]:
    """Of runs that rise on the left, the most that rise on the right too."""
    ends: list[int] = []  # for each length, the least end of a rising row
    last: list[int] = []  # ... and which run that is
    previous: list[int | None] = []
    for at, (_, right) in enumerate(shared):
        length = bisect_left(ends, right.start)
        previous.append(last[length - 1] if length else None)
        ends[length : length + 1] = [right.start]
        last[length : length + 1] = [at]
    chain: list[tuple[range, range]] = []
    at_: int | None = last[-1] if last else None
    while at_ is not None:
        chain.append(shared[at_])
        at_ = previous[at_]
    return chain[::-1]


# ---------------------------------------------------------------- stretches without groups in common

_TOKENS: tuple[Callable[[_Layer], Hashable], ...] = (
    lambda layer: (layer.label, layer.form),
    lambda layer: layer.form,
    lambda layer: layer.type,
)


def _matched(a: _Stretch, b: _Stretch, level: int) -> Iterator[Pair]:
    """The best alignment; of stretches too long for it, between anchors that are ever looser."""
    if not a or not b or level == len(_TOKENS):
        yield from (Pair(layer.at, None) for layer in a)
        yield from (Pair(None, layer.at) for layer in b)
        return
    if len(a) * len(b) <= MOST_CELLS:
        yield from _best(a, b)
        return
    token = _TOKENS[level]
    head, tail = _same_ends([token(layer) for layer in a], [token(layer) for layer in b])
    yield from map(_pair, a[:head], b[:head])
    inner_a, inner_b = a[head : len(a) - tail], b[head : len(b) - tail]
    start_a = start_b = 0
    for run_a, run_b in _rising(_anchors(inner_a, inner_b, token)):
        yield from _matched(inner_a[start_a : run_a.start], inner_b[start_b : run_b.start], level + 1)
        yield _pair(inner_a[run_a.start], inner_b[run_b.start])
        start_a, start_b = run_a.stop, run_b.stop
    yield from _matched(inner_a[start_a:], inner_b[start_b:], level + 1)
    yield from map(_pair, a[len(a) - tail :], b[len(b) - tail :])


def _pair(a: _Layer, b: _Layer) -> Pair:
    return Pair(a.at, b.at)


def _same_ends(a: Sequence[Hashable], b: Sequence[Hashable]) -> tuple[int, int]:
    """How many at the start, and of the others at the end, are the same."""
    most = min(len(a), len(b))
    head = next((i for i in range(most) if a[i] != b[i]), most)
    tail = next((i for i in range(most - head) if a[-1 - i] != b[-1 - i]), most - head)
    return head, tail


def _anchors(a: _Stretch, b: _Stretch, token: Callable[[_Layer], Hashable]) -> list[tuple[range, range]]:
    """The first layer with a token in the one with the first in the other, the second with the second, …"""
    places = {key: i for i, key in enumerate(_numbered(b, token))}
    found = ((i, places.get(key)) for i, key in enumerate(_numbered(a, token)))
    return [(range(i, i + 1), range(j, j + 1)) for i, j in found if j is not None]


def _numbered(layers: _Stretch, token: Callable[[_Layer], Hashable]) -> Iterator[tuple[Hashable, int]]:
    seen: dict[Hashable, int] = {}
    for layer in layers:
        key = token(layer)
        seen[key] = seen.get(key, 0) + 1
        yield key, seen[key]


def _best(a: _Stretch, b: _Stretch) -> Iterator[Pair]:
    """The alignment of the highest score; of several the one whose matches come first."""
    scores = [[0] * (len(b) + 1)]
    for one in a:
        above, row = scores[-1], [0]
        for j, other in enumerate(b):
            row.append(max(row[j], above[j + 1], above[j] + _score(one, other)))
        scores.append(row)
    i, j = len(a), len(b)
    pairs = []
    while i or j:
        if j and scores[i][j] == scores[i][j - 1]:
            j -= 1
            pairs.append(Pair(None, b[j].at))
        elif i and scores[i][j] == scores[i - 1][j]:
            i -= 1
            pairs.append(Pair(a[i].at, None))
        else:
            i, j = i - 1, j - 1
            pairs.append(Pair(a[i].at, b[j].at))
    return reversed(pairs)


def _score(a: _Layer, b: _Layer) -> int:
    """How much speaks for two layers being the same one; nothing where it is 0."""
    labelled = LABELLED if a.label and a.label == b.label else 0
    if a.form == b.form:
        return EQUAL + labelled
    return labelled + (ALIKE if a.type == b.type else AKIN if a.kind == b.kind else 0)
