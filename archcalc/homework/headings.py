"""What a heading of an answer sheet stands for, in the languages in which courses are held."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from archcalc.homework.answers import QUANTITIES
from archcalc.homework.figures import PLAIN, Unit, normalized, read_unit
from archcalc.homework.words import COUNTED_IN, HEADINGS, SMALL

MOST_CHARACTERS = 80
MOST_ROWS_ABOVE = 60  # rows in which the headings are looked for
MOST_GUESSED = 15  # … where they are misspelt, which takes its time
ROLES = ("layer", "number", "type", "quantity", "answer", "question", "copied")  # what else a column may hold


class Heading(NamedTuple):
    """A column: what it asks for, or what else stands in it."""

    title: str  # as written
    meaning: str  # one of QUANTITIES, or of ROLES; empty where the words are unknown
    unit: Unit = PLAIN  # what its numbers are counted in: `MACs (M)`
    order: str = ""  # of a size, as the heading says it: `hwc`, `chw`, `whc`
    guessed: bool = False  # misspelt


class Headings(NamedTuple):
    """The headings of a sheet: where they stand, and what each of its columns is."""

    row: int  # the last of their rows
    columns: tuple[Heading, ...]

    @property
    def known(self) -> int:
        """How many columns are understood, those that say no more than the question not counted."""
        return sum(each.meaning in (*QUANTITIES, "layer", "quantity", "answer") for each in self.columns)

    @property
    def complete(self) -> bool:
        """Whether an answer can be read: some quantity, or the pair of quantity and answer."""
        meanings = {each.meaning for each in self.columns}
        return bool(meanings & {*QUANTITIES} or ("answer" in meanings and meanings & {"quantity", "question"}))


def find_headings(rows: Sequence[Sequence[str]]) -> Headings | None:
    """The headings among the first rows: those that are understood best, of one row or of two, the lower one first.

    Below a title and notes, and None where there are none. Misspelt ones are guessed.
    """
    above = rows[:MOST_ROWS_ABOVE]
    found = _best([tuple(map(read_heading, row)) for row in above])
    if found is None:
        return _best([tuple(map(guess_heading, row)) for row in above[:MOST_GUESSED]])
    columns = (each if each.meaning else guess_heading(each.title) for each in found.columns)
    return Headings(found.row, tuple(_lettered(list(columns))))


def _lettered(columns: list[Heading]) -> list[Heading]:
    """Single letters behind that of the height as the other sides: `H; B; T`, `H, L, P`."""
    meanings = [each.meaning for each in columns]
    for letter, side in {"w": "width", "c": "depth"}.items():
        before = meanings.index("height") + (letter == "c") if "height" in meanings else len(columns)
        for at in range(before + 1, min(before + 2, len(columns))):
            if (
                not meanings[at]
                and side not in meanings
                and _LETTERS.get(columns[at].title.strip().casefold()) == letter
            ):
                columns[at], meanings[at] = columns[at]._replace(meaning=side), side
    return columns


def _best(read: Sequence[tuple[Heading, ...]]) -> Headings | None:
    best: Headings | None = None
    for at, row in enumerate(read):
        plain = at > 0 and not any(char.isdigit() for each in row for char in each.title)
        for columns in (row, _joined(read[at - 1], row) if plain else row):
            found = Headings(at, columns)
            if found.complete and _likely(found) and (best is None or found.known > best.known):
                best = found
    return best


def _likely(found: Headings) -> bool:
    """Whether a row is one of headings and not of answers in which a word happens to be known."""
    named = [each for each in found.columns if each.title.strip()]
    figures = sum(bool(re.match(r"[\s~=(\[]*\d", each.title)) for each in named)
    return found.known * 3 >= len(named) and not figures


def _joined(upper: tuple[Heading, ...], lower: tuple[Heading, ...]) -> tuple[Heading, ...]:
    """Two rows of headings as one: `Output` above `H`, `W`, `C`."""
    width = max(len(upper), len(lower))
    nothing = Heading("", "")
    padded = [(*row, *[nothing] * (width - len(row))) for row in (upper, lower)]
    return tuple(b if b.meaning or not a.meaning else a for a, b in zip(*padded, strict=True))


@lru_cache(4096)
def read_heading(text: str) -> Heading:
    """What a heading stands for; its `meaning` is empty where its words are not known.

    >>> read_heading("Memory (MB)").unit.suffix, read_heading("# Parameter [K]").meaning
    ('MB', 'params')
    """
    title = " ".join(text.split())
    if len(title) > MOST_CHARACTERS or not title:
        return Heading(title, "")
    if title in ("#", "№"):
        return Heading(title, "number")
    plain = re.sub(r"\*\*|__|`", "", title)
    words, notes = _parted(plain)
    meaning, unit = _meaning(words)
    order = _order(words) if not meaning else ""
    if order:
        meaning = "size" if "c" in order else "area"
    for note in notes:
        order = order or _order(note)
        unit = _unit(note, meaning) or unit
        meaning = _noted(note, unit, meaning)
    return Heading(title, meaning, unit if meaning in _SCALED else PLAIN, order)


@lru_cache(4096)
def guess_heading(text: str) -> Heading:
    """As `read_heading`, and what a misspelt heading likely stands for.

    >>> guess_heading("Paramters (K)").meaning
    'params'
    """
    found = read_heading(text)
    if len(text) > 2 * MOST_CHARACTERS:
        return found
    words, notes = _parted(text)
    if found.meaning or any(char.isdigit() for char in text) or not 4 < len(_key(words)) <= MOST_CHARACTERS:
        return found
    near = get_close_matches(_key(words), [word for word in _SPELT if len(word) > 5], n=1, cutoff=0.88)
    known = read_heading(" ".join((_SPELT[near[0]], *(f"({note})" for note in notes)))) if near else found
    return known._replace(title=found.title, guessed=bool(near))


_SCALED = tuple(name for name in QUANTITIES if name not in ("size", "area", "height", "width", "depth", "receptive"))


def _parted(text: str) -> tuple[str, list[str]]:
    """The words of a heading, and its notes: what stands in brackets or behind the words and says how they count."""
    brackets = r"[(\[{（【]([^()\[\]{}（）【】]*)[)\]}）】]"
    notes = re.findall(brackets, text)
    words = re.sub(brackets, " ", text).strip() or " ".join(notes)
    for peel in () if _exact(words) else _PEELS:
        found = peel.fullmatch(words)
        if found and _is_note(found[2]):
            words, notes = found[1], [*notes, found[2]]
    return words.strip(), notes


_PEELS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(.+?)\W+((?:without|with|no|w/o|excl\w*\.?|in[ck]l\w*\.?|ohne|mit|sans|avec|sin|con|sem|com|senza|без|с)\b.*)",
        r"(.+?)[\s:]+(\w+(?:\s*[x×*,]\s*\w+){1,3})",
        r"(.+?)\s*(?:[,;:/–—-]|\s(?:in|en|em|à|в)(?=\s))\s*(\S.*)",
        r"(.+?)\s*[x×*]\s*(1\S*)",
        r"(.+)[\s_](\w+)",
    )
)


def _is_note(text: str) -> bool:
    return bool(_unit(text, "memory") or _order(text) or re.search(r"\b(?:bias|biais|sesgo|смещ)", text.lower()))


def _unit(note: str, meaning: str) -> Unit | None:
    """The unit that a note gives; None where it gives none."""
    try:
        found = read_unit(re.sub(r"^\s*(?:in|en|em|x|×|\*)\s*", "", normalized(note)), meaning)
    except ValueError:
        return None
    return found if found != PLAIN else None


def _order(note: str) -> str:
    """The order of the sides that a note gives: `HxWxC`, `(C, H, W)`, `Höhe x Breite`; empty where it gives none."""
    parts = [part for part in re.split(r"[\s,;x×X*·]+", note.strip("()[] ").casefold()) if part]
    letters = "".join(_LETTERS.get(part, "?") for part in parts).lstrip("n")
    return letters if len(letters) == len(set(letters)) and {"h", "w"} <= set(letters) <= {"h", "w", "c"} else ""


_LETTERS = {
    **dict.fromkeys(("h", "height", "höhe", "hauteur", "alto", "altura", "altezza", "高", "高さ", "rows"), "h"),
    **dict.fromkeys(("w", "b", "l", "width", "breite", "largeur", "ancho", "largura", "larghezza", "宽", "幅"), "w"),
    **dict.fromkeys(("c", "d", "t", "p", "ch", "depth", "channels", "tiefe", "kanäle", "profondeur", "canaux"), "c"),
    **dict.fromkeys(("canales", "canais", "canali", "profundidad", "profondità", "通道", "チャンネル"), "c"),
    **dict.fromkeys(("n", "batch"), "n"),
}


def _noted(note: str, unit: Unit, meaning: str) -> str:
    """What a heading stands for with its note: a side of a size, its memory, parameters with biases or without."""
    if meaning in ("size", "area"):
        side = _SIDE_LETTERS.get(_LETTERS.get(note.strip().casefold(), ""))
        return side or ("memory" if unit.unit in ("bytes", "values") else meaning)
    if meaning == "params" and _WEIGHTS_ONLY.search(note):
        return "weights"
    return "params" if meaning == "weights" and _BIASES_TOO.search(note) else meaning


_BIASES = r".*\b(?:bias|biais|sesgo|viés|смещ)"
_WEIGHTS_ONLY = re.compile(
    rf"\b(?:without|no|w/o|excl\w*\.?|ohne|sans|sin|sem|senza|без)\b{_BIASES}|不含偏置|无偏置|バイアスなし"
    r"|^(?:weights only|only weights|nur Gewichte)$",
    re.IGNORECASE,
)
_BIASES_TOO = re.compile(rf"^\W*(?:with|in[ck]l\w*\.?|mit|avec|con|com|с)\s{_BIASES}", re.IGNORECASE)
_SIDE_LETTERS = {"h": "height", "w": "width", "c": "depth"}


def _meaning(text: str) -> tuple[str, Unit]:
    """What some words stand for, and what they count in."""
    for words in (text, *re.split(r"\s*[/|=:]\s*", text)):
        found = _exact(words)
        if found:
            return found
    return "", PLAIN


def _exact(text: str) -> tuple[str, Unit] | None:
    if re.search(r"[,;|]", text):
        return None  # several headings, parted otherwise than was thought
    whole, key = _key(text, small=True), _key(text)
    scaled = re.fullmatch(r"([kmgt])(macs?|flops?|ops|params?|madds?)", key)
    side = re.fullmatch(r"(.+)[\s_]([^\W\d_]+)", text.strip())
    sided = side and whole not in _WORDS and _WORDS.get(_key(side[1])) in ("size", "area")
    letter = _LETTERS.get(side[2].casefold(), "") if side and sided else ""
    if letter in _SIDE_LETTERS:  # Ausgabe H
        return _SIDE_LETTERS[letter], PLAIN
    for word in (whole, key):
        if word in _WORDS:
            return _WORDS[word], _COUNTED_IN.get(word, PLAIN)
    if scaled:
        return _WORDS[scaled[2]], read_unit(scaled[1].upper())
    return ("memory", read_unit(key)) if key in ("kb", "mb", "gb", "kib", "mib", "gib") else None


def _key(text: str, small: bool = False) -> str:
    """Words without case, accents and punctuation, and without the small ones if there are others.

    >>> _key("No. of Parameters"), _key("Taille de la mémoire")
    ('parameters', 'taillememoire')
    """
    apart = unicodedata.normalize("NFKD", re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", text).casefold())
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    words = re.findall(r"[^\W_]+", bare)
    return "".join([word for word in words if small or word not in _SMALL] or words)


def listed(words: str) -> list[str]:
    """The words of a list with commas, over several lines.

    >>> listed("Speicher, mémoire,  память")
    ['Speicher', 'mémoire', 'память']
    """
    return [" ".join(word.split()) for word in words.split(",")]


def _by_key(lists: dict[str, str]) -> dict[str, str]:
    """What each word stands for, as it is written and without its small words; the former counts."""
    words = [(word, meaning) for meaning, each in lists.items() for word in listed(each)]
    return {_key(word): meaning for word, meaning in reversed(words)} | {
        _key(word, True): meaning for word, meaning in words
    }


_SMALL = frozenset(SMALL.split())
_WORDS = _by_key(HEADINGS)
_SPELT = {_key(word): word for words in HEADINGS.values() for word in listed(words)}
_COUNTED_IN = {word: Unit(unit) for word, unit in _by_key(COUNTED_IN).items()}
