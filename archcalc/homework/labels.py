"""What the label of a row says: which layer or group by name, or what type of layer and which number."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from archcalc.analyses.costs import Report, Row
from archcalc.homework.headings import listed
from archcalc.homework.words import HEADINGS, INPUTS, LAYERS, TOTALS
from archcalc.ops import REGISTRY, Op

MOST_TOKENS = 40

Key = tuple[str, ...]


class Label(NamedTuple):
    """A label taken apart."""

    text: str
    type: type[Op] | None = None  # the layer type that its words stand for
    numbers: Key = ()  # those behind the words of the type, else those before them
    words: bool = False  # whether it says something that is no number and no word for `layer`
    total: bool = False
    input: bool = False
    several: bool = False  # layers alike in one row: `mixed6c ×2`
    silent: bool = False  # nothing is answered in its row


def key_of(text: str) -> Key:
    """The letters and the numbers of a name apart, without case, accents and what stands between them.

    >>> key_of("conv1_1") == key_of("Conv 1-1") == key_of("CONV1.1"), key_of("conv11")
    (True, ('conv', '11'))
    """
    apart = unicodedata.normalize("NFKD", text[:400].casefold())
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    return tuple(re.findall(r"[^\W\d_]+|\d+", unicodedata.normalize("NFC", bare))[:MOST_TOKENS])


def read_label(text: str, type_text: str = "") -> Label:
    """A label, and what a column of types says beside it."""
    key = key_of(text)
    joined = "".join(key)
    op, at, length = _type_of(key)
    if op is None and type_text:
        op = _type_of(key_of(type_text))[0]
        numbers = tuple(each for each in key if each.isdigit())
    else:
        numbers = _numbers(key, at, length)
    letters = [each for each in key if not each.isdigit()]
    words = any(each not in _LAYER_WORDS for each in letters)
    total = joined in _TOTALS or (bool(letters) and op is None and key[0] in _TOTALS and len(letters) == len(key))
    several = bool(re.search(r"(?:\s×|[^\d\s]\s+[x*])\s?\d+$", text))
    return Label(text, op, numbers, words, total, _is_input(text, op), several)


def _is_input(text: str, op: type[Op] | None) -> bool:
    """Whether a label is that of the image: `Input`, `INPUT: [224x224x3]`, `input_1 (InputLayer)`."""
    head = "".join(each for each in key_of(head_of(text)) if not each.isdigit())
    return "".join(key_of(text)) in _INPUTS or (op is None and head in _INPUTS)


def _type_of(key: Key) -> tuple[type[Op] | None, int, int]:
    """The layer type that some of the words stand for, the first and of these the most of them, and where they are."""
    for at in range(len(key)):
        for length in range(min(5, len(key) - at), 0, -1):
            words = key[at : at + length]
            if not any(each.isdigit() for each in words) and "".join(words) in _TYPES:
                return _TYPES["".join(words)], at, length
            if length > 1 and words[-1] in ("d",) and "".join(words) in _TYPES:  # conv2d
                return _TYPES["".join(words)], at, length
    return None, 0, 0


def _numbers(key: Key, at: int, length: int) -> Key:
    behind = []
    for each in key[at + length :]:
        if not each.isdigit():
            break
        behind.append(each)
    before = [each for each in key[:at] if each.isdigit()]
    return tuple(behind or before)


def _types() -> dict[str, type[Op]]:
    """Layer types by the words for them, in the language of nets, elsewhere, and in the languages of courses."""
    foreign = {"".join(key_of(name)): cls for cls in REGISTRY.values() for name in cls.known_as}
    spoken = {"".join(key_of(word)): REGISTRY[name] for name, words in LAYERS.items() for word in listed(words)}
    return {**spoken, **foreign, **{"".join(key_of(name)): cls for name, cls in REGISTRY.items()}}


_TYPES = _types()
_LAYER_WORDS = frozenset("".join(key_of(word)) for word in listed(HEADINGS["layer"]))
_TOTALS = frozenset("".join(key_of(word)) for word in listed(TOTALS))
_INPUTS = frozenset("".join(key_of(word)) for word in listed(INPUTS))


class Names:
    """The names of a net's layers and groups, as they may be written."""

    def __init__(self, report: Report) -> None:
        self.layers = {row.name: at for at, row in enumerate(report.rows)}
        self.groups: dict[str, int] = {}  # the last layer of each
        self.rows = report.rows
        for at, row in enumerate(report.rows):
            self.groups |= dict.fromkeys(groups_of(row), at)
        self.by_key: dict[Key, str] = {}
        for name in (*self.groups, *self.layers):
            self.by_key.setdefault(key_of(name), name)
        for name in self.groups:
            if key_of(name)[-1:] == ("x",):  # conv2_x is written conv2
                self.by_key.setdefault(key_of(name)[:-1], name)

    def at(self, name: str) -> int:
        """The place of a layer, or of the last one of a group, among the layers."""
        return self.groups[name] if name in self.groups else self.layers[name]

    def find(self, text: str) -> str | None:
        """The layer or group that a label names, perhaps with an enumeration before it and a note behind it."""
        for part in _parts(text):
            found = part if part in self.groups or part in self.layers else self.by_key.get(key_of(part))
            if found is not None and (part == text or "/" not in text or self._is_one(found)):
                return found
        return None

    def _is_one(self, name: str) -> bool:
        """Whether a layer, or a group with at most one that has weights: what `conv2/3x3` is a part of."""
        inside = [row for row in self.rows if name in (row.name, *groups_of(row))]
        return sum(row.cost.work.macs != 0 for row in inside) <= 1


def groups_of(row: Row) -> list[str]:
    """The groups that a layer is in, the outermost first."""
    return [".".join(row.node.group[:depth]) for depth in range(1, len(row.node.group) + 1)]


def head_of(text: str) -> str:
    """A label without what stands in brackets or behind a mark: `CONV3-64: [224x224x64]` is `CONV3-64`."""
    return re.split(r"\s*(?:[:;,+&/|–—→×]|\s-\s|->)", _unbracketed(text))[0].strip()


def _unbracketed(text: str) -> str:
    return re.sub(r"\([^()]*\)|\[[^\[\]]*\]", " ", text).strip()


def _parts(text: str) -> Iterator[str]:
    """A label, then what is left of it without notes and enumerations."""
    yield text
    plain, head = _unbracketed(text), head_of(text)
    yield from (plain, head)
    for each in (plain, head):
        yield re.sub(r"^\s*(?:\d+|[a-z])\s*[.):]\s*", "", each)
    words = plain.split()
    if len(words) > 1:
        yield words[0]


def is_of(row: Row, op: type[Op], kind: bool = False) -> bool:
    """Whether a layer is of a type, or of its kind."""
    return isinstance(row.node.op, op) or (kind and row.node.op.kind() == op.kind())
