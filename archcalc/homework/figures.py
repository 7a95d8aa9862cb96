"""Numbers and sizes as students write them: `34,944`, `35k`, `3.5×10^4`, `(11*11*3+1)*96`, `55×55×96`, `1.1 MiB`.

Exact all the way: an expression is read by the language's own parser and worked out in whole numbers and fractions.
"""

from __future__ import annotations

import math
import operator
import re
import unicodedata
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

from archcalc.homework.answers import Figure
from archcalc.lang.errors import quoted
from archcalc.lang.syntax import Binary, Call, Expr, Number, Unary
from archcalc.lang.tomlfiles import read_expression
from archcalc.units import BINARY, BYTES

MOST_CHARACTERS = 200
MOST_DIGITS = 40
LARGEST = 10**30
MOST_FACTORS = 100  # of a power

BLANKS = frozenset(
    (
        *("", "-", "--", "---", "_", "/", ".", "...", "?", "??", "???", "n/a", "na", "n.a.", "none", "null", "nil"),
        *("nan", "blank", "not applicable", "todo", "tbd", "k.a.", "keine", "leer", "entfällt", "aucun", "aucune"),
        *("rien", "nada", "ninguno", "nessuno", "nenhum", "無", "无", "なし", "нет"),
    )
)


class Unit(NamedTuple):
    """What stands behind a number, or in brackets in a heading: what it counts, and what it multiplies by."""

    unit: str = ""  # values, bytes, params, macs, flops; empty where none is written
    suffix: str = ""  # k, M, MB, MiB
    scale: int = 1


PLAIN = Unit()


class Reading(NamedTuple):
    """A number with what has to be said of how it was read."""

    figure: Figure
    remark: str = ""


class Sides(NamedTuple):
    """The numbers of a size in the order in which they are written, the batch left out."""

    figures: tuple[Figure, ...]
    depth_first: bool = False  # said by the notation itself: 6@28x28
    batch: str = ""  # what stood for the images


def is_blank(text: str) -> bool:
    """Whether a cell gives no answer; `0` is one.

    >>> is_blank(" n/a "), is_blank("–"), is_blank("0")
    (True, True, False)
    """
    return normalized(text[:MOST_CHARACTERS]).strip("[](){}").strip().lower() in BLANKS


def read_figure(text: str, quantity: str = "") -> Figure:
    """A number as it is written. Raises `ValueError` with the reason in words.

    Of `quantity`, one of `answers.QUANTITIES`, hangs what `B` means: bytes, or a billion of operations.

    >>> read_figure("(11*11*3+1)*96").value, read_figure("34.9 K").rounds_from(34_944)
    (Fraction(34944, 1), True)
    """
    return read_number(text, quantity).figure


def read_number(text: str, quantity: str = "", unit: Unit = PLAIN, decimal_comma: bool = False) -> Reading:
    """As `read_figure`, in a column whose heading gives a unit, and of a sheet that may have decimal commas.

    A formula with its result, `3*4 = 12`, is its result. Raises `ValueError`.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{len(text):,} characters are too many for a number")
    if is_blank(text):
        raise ValueError("blank")
    _refuse_spreadsheet(text.strip())
    plain, about = _about(re.sub(r"(?<=\()\s*=", "", normalized(text)))
    plain = re.sub(r"(?<=\d)[.;:!?✓✔ ]+$", "", plain.removeprefix("="))
    parts = [part.strip(" ~") for part in re.split(r"=|≈|->|→|⇒", plain) if re.search(r"\d", part)]
    if not parts:
        raise ValueError(f"{quoted(text.strip())} is no number")
    return _of_parts(parts, _Kind(quantity, unit, decimal_comma), about)


def normalized(text: str) -> str:
    """A text in plain characters: digits 0 to 9, `*` and `-` and `^` for what looks like them, single blanks.

    >>> normalized("５５ × 10⁶ − 1")
    '55 * 10^6 - 1'
    """
    text = _LATEX.sub(lambda found: _MEANT.get(found[0], ""), text) if "$" in text or "\\" in text else text
    text = re.sub(r"(?<=\d)(?=[¼-¾⅐-⅞])", "+", text)
    raised = re.sub(f"[{_RAISED}]+", lambda found: "^" + found[0].translate(_LOWERED), text)
    plain = unicodedata.normalize("NFKC", raised).translate(_ALIKE)
    plain = "".join(str(unicodedata.decimal(char, char)) if char > "\x7f" else char for char in plain)
    plain = re.sub(r"(?<=[\d)\]\s])[xX](?=[\d(\[\s]|$)", "*", plain)
    return " ".join(plain.replace("**", "^").split())


_LATEX = re.compile(r"\\(?:times|cdot|,|;|!| |text|mathrm|approx|left|right)|\{,\}|[${}]")
_MEANT = {"\\times": "*", "\\cdot": "*", "\\approx": "~", "{,}": ","}
_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_LOWERED = str.maketrans(_RAISED, "0123456789")
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("×·⋅∙•∗✕✖⨯х", "*"),
        **dict.fromkeys("−–—‐‑‒―﹣", "-"),
        **dict.fromkeys("÷∕⁄", "/"),
        **dict.fromkeys("’‘´`ʼ", "'"),
        **dict.fromkeys("∼≃≅", "~"),
        **{"⌊": "floor(", "⌋": ")", "⌈": "ceil(", "⌉": ")", "\u200b": "", "\ufeff": "", "、": ",", "。": "."},
    }
)
_ABOUT = re.compile(
    r"(?:[~≈]|ca\.?|circa|about|approx(?:imately)?\.?|etwa|ungefähr|rund|environ|aprox\.?|около|約|约)(?=[\s\d(])\s*",
    re.IGNORECASE,
)


def _about(text: str) -> tuple[str, bool]:
    """The text without a word that says that it is rounded, and whether there was one."""
    found = _ABOUT.match(text)
    return (text[found.end() :], True) if found else (text, False)


def _refuse_spreadsheet(text: str) -> None:
    """Refuses what a spreadsheet has made of an answer."""
    if re.match(r"#(?:REF|NAME|VALUE|DIV/0|N/A|NUM|NULL|WERT|BEZUG|ZAHL)", text):
        raise ValueError(f"{quoted(text)} is an error of the spreadsheet")
    if re.match(r"\d{4}-\d\d-\d\d(?:[ T]|$)", text):
        raise ValueError(f"{quoted(text)} is a date: the spreadsheet has made one of what was typed")


# ---------------------------------------------------------------- one number


class _Kind(NamedTuple):
    """What is known of a number before it is read."""

    quantity: str
    unit: Unit
    decimal_comma: bool


def _of_parts(parts: list[str], kind: _Kind, about: bool) -> Reading:
    """What is said between `=`; before a plain result may stand what is no number, which is said."""
    readings: dict[str, Reading] = {}
    fault = ""
    for part in parts:
        try:
            readings[part] = _term(part, kind, about)
        except ValueError as error:
            fault = fault or str(error)
    if fault and not (parts[-1] in readings and _PLAIN_NUMBER.fullmatch(parts[-1])):
        raise ValueError(fault)
    found = _result([*readings], [*readings.values()])
    return found._replace(remark=found.remark or f"{fault}: what it comes to counts") if fault else found


def _result(parts: list[str], readings: list[Reading]) -> Reading:
    """The result among a formula and what it is said to come to: the only plain number, else the last.

    Where zeros stand in the place of its last digits, `224*224*3 = 150K`, the formula says it exactly.
    """
    plain = [at for at, part in enumerate(parts) if _PLAIN_NUMBER.fullmatch(part)]
    at = plain[0] if len(plain) == 1 else len(parts) - 1
    given, remark = readings[at]
    for other, part in ((readings[i].figure, part) for i, part in enumerate(parts) if i != at):
        if given.unit != other.unit and given.unit and other.unit:
            continue  # values beside their bytes
        if not (given.rounds_from(other.value) or other.rounds_from(given.value)):
            wide, formula = with_zeros(given), not _PLAIN_NUMBER.fullmatch(part)
            if formula and (wide.rounds_from(other.value) or wide.truncates_from(other.value)):
                said = f"{quoted(f'{part} = {parts[at]}')} is read as {shown(other.value)}"
                return Reading(other._replace(unit=other.unit or given.unit), said)
            remark = f"{quoted(part)} comes to {shown(other.value)}, not {shown(given.value)}"
    return Reading(given, remark)


def with_zeros(figure: Figure, digits: int = 1) -> Figure:
    """A whole number whose zeros at the end, but those among so many first digits, stand for what was rounded.

    >>> with_zeros(Figure(Fraction(35000))).half_unit, with_zeros(Figure(Fraction(35000)), 3).half_unit
    (Fraction(500, 1), Fraction(50, 1))
    """
    whole = figure.value.denominator == 1 and figure.half_unit in (0, Fraction(figure.scale, 2))  # not 1.00M
    text = str(figure.value.numerator) if whole else ""
    zeros = min(len(text) - len(text.rstrip("0")), max(0, len(text) - digits))
    return figure._replace(half_unit=Fraction(10**zeros, 2)) if zeros else figure


def _term(text: str, kind: _Kind, about: bool) -> Reading:
    """A number or an expression with its unit, and perhaps a note in brackets behind it."""
    noted = re.fullmatch(r"([^()]*)\(([^()]*)\)", text)
    if noted and _PLAIN_NUMBER.fullmatch(noted[1]):
        return _noted(noted[1], noted[2], kind, about)
    found = re.fullmatch(r"(?P<body>.*[\d)])\s*(?P<unit>[^\W\d_].*|%.*)?", text)
    if not found:
        raise ValueError(f"{quoted(text)} is no number")
    unit = read_unit(found["unit"] or "", kind.quantity)
    if not unit.suffix and unit.unit != "bytes":
        unit = kind.unit._replace(unit=unit.unit or kind.unit.unit)
    value, half_unit, remark = _value(found["body"].strip(), unit, kind, about)
    if abs(value) > LARGEST:
        raise ValueError(f"{quoted(text)} is too large")
    return Reading(Figure(value * unit.scale, half_unit * unit.scale, unit.unit, unit.suffix, unit.scale), remark)


def _noted(body: str, note: str, kind: _Kind, about: bool) -> Reading:
    """A number with brackets behind it: a formula in them is checked, words are left alone."""
    reading = _term(body.strip(), kind, about)
    if not re.search(r"\d", note) or re.search(r"[^\W\d_]{3}", note):
        return reading
    return _result([note, body], [_term(note.strip(), kind, False), reading])


def _value(body: str, unit: Unit, kind: _Kind, about: bool) -> tuple[Fraction, Fraction, str]:
    """The value before its unit multiplies it, half a unit of its last digit, and what has to be said."""
    raised = re.fullmatch(rf"({_NUMERAL})\s*(?:[eE]|\*\s*10\s*\^)\s*\(?([-+]?\d{{1,3}})\)?", body)
    mantissa = raised[1] if raised else body
    if not re.fullmatch(_NUMERAL, mantissa):
        return _worked_out(body, kind.decimal_comma), Fraction(0), ""
    scaled = raised is not None or unit.scale != 1
    digits, remark = _digits(mantissa, scaled, kind.decimal_comma)
    exponent = int(raised[2]) if raised else 0
    if abs(exponent) > MOST_DIGITS or len(digits) > MOST_DIGITS:
        raise ValueError(f"{quoted(body)} has too many digits")
    tens = Fraction(10) ** exponent
    places = len(digits.partition(".")[2])
    rounded = scaled or places
    if about and not rounded:  # the zeros that fill it up say nothing
        filling = len(digits) - len(digits.rstrip("0"))
        return Fraction(digits), Fraction(10**filling, 2) if filling else Fraction(0), remark
    return Fraction(digits) * tens, tens / 2 / 10**places if rounded else Fraction(0), remark


_NUMERAL = r"[-+]?(?:\d+(?:[ ,.'_]\d+)*|[.,]\d+)"
_PLAIN_NUMBER = re.compile(rf"\s*[~≈]?\s*{_NUMERAL}(?:[eE][-+]?\d{{1,3}})?\s*(?:[^\W\d_][^\d()]*)?")


def _digits(text: str, scaled: bool, decimal_comma: bool) -> tuple[str, str]:
    """A numeral in plain digits with a point, and what has to be said of how its separators were taken.

    A separator that comes twice, or before another one, parts thousands; one before other than three digits is the
    decimal one. A point before three digits parts thousands where the number stands alone (`34.944`: a count is
    whole) and is the decimal one where a unit multiplies it (`1.135G`); a comma before three digits parts thousands,
    but in a sheet with decimal commas it is the decimal one where a unit multiplies it (`1,135G`).
    """
    sign, body = (text[0], text[1:]) if text[0] in "+-" else ("", text)
    marks = re.findall(r"[ ,.'_]", body)
    last = marks[-1] if marks else ""
    fraction = len(body) - body.rindex(last) - 1 if marks else 0
    doubtful = len(marks) == 1 and last in ",." and fraction == 3 and body[0] not in "0,."
    sure = last in (",", ".") and marks.count(last) == 1
    decimal = scaled and (last == "." or decimal_comma) if doubtful else sure
    whole, _, part = body.rpartition(last) if decimal else (body, "", "")
    first, *groups = re.split(r"[ ,.'_]", whole)
    if any(len(group) != 3 for group in groups) or (groups and len(first) > 3):
        raise ValueError(f"the separators in {quoted(text)} do not part thousands")
    digits = f"{first or 0}{''.join(groups)}{'.' if part else ''}{part}"
    remark = f"{quoted(text)} is read as {shown(Fraction(digits))}" if doubtful and decimal != (last == ".") else ""
    return sign + digits, remark


def has_decimal_comma(text: str) -> bool:
    """Whether a number can only be read with a decimal comma: `34,9 K`, `1.234,5`.

    >>> has_decimal_comma("34,9k"), has_decimal_comma("34,944")
    (True, False)
    """
    found = re.fullmatch(r"[-+~≈ ]*(\d+(?:[.' ]\d{3})*),(\d+)\s*([^\W\d_]*)", normalized(text[:MOST_CHARACTERS]))
    return bool(found and (len(found[2]) != 3 or found[1] == "0" or not found[1].isdigit()))


def shown(value: Fraction) -> str:
    """A value in words: its digits in threes, its fraction to six places.

    >>> shown(Fraction(34944)), shown(Fraction(1, 3))
    ('34,944', '0.333333')
    """
    if value.denominator == 1:
        return f"{value.numerator:,}"
    return f"{float(value):,.6f}".rstrip("0")


# ---------------------------------------------------------------- sizes


def read_sides(text: str, decimal_comma: bool = False) -> Sides:
    """The numbers of a size: `55x55x96`, `(96, 55, 55)`, `[1, 96, 55, 55]`, `55*55*96`, `55²×96`, `6@28x28`, `4096`.

    One to three of them, in the order in which they stand; of four the first is the batch. Raises `ValueError`.

    >>> [int(figure.value) for figure in read_sides("(None, 55, 55, 96)").figures]
    [55, 55, 96]
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"{len(text):,} characters are too many for a size")
    plain = re.sub(r"(?<![^\W\d_])[^\W\d_]{1,8}\s*[=:]\s*(?=\d)", "", _about(normalized(text))[0])  # H=55, W=55
    plain = re.sub(r"(\d+)\s*\^\s*2(?!\d)", r"\1*\1", plain)
    plain = re.sub(r"(?<=\d) (?:by|mal|par|por|per|на) (?=\d)", "*", plain)
    plain = _unworded(_size_beside_result(plain))
    if re.search(r"\d[)\] ]*(?: (?:or|oder|ou|o|vs\.?|или|或|または) | ?\| ?| / )[(\[]?\d", plain):
        raise ValueError(f"{quoted(text.strip())} holds more than one size")
    _refuse_spreadsheet(plain)
    maps, at, rest = plain.partition("@")
    parts = _sides(_bare(rest if at else plain))
    parts = [*_sides(_bare(maps)), *parts] if at else parts
    batched = len(parts) == 4 and parts[0] != parts[1]  # 55*55*96*4 are no images
    batch = parts.pop(0) if batched or (len(parts) > 1 and parts[0].lower() in _BATCHES) else ""
    if not 1 <= len(parts) <= 3:
        raise ValueError(f"{quoted(text.strip())} has {len(parts)} numbers: a size has one to three")
    return Sides(tuple(_side(part, text, decimal_comma) for part in parts), bool(at), batch)


def _size_beside_result(text: str) -> str:
    """The size in `55*55*96 = 290,400` and in `(227-11)/4+1 = 55`."""
    before, equals, behind = (part.strip() for part in text.rpartition("="))
    product = re.fullmatch(r"[\[(]?\d+(?:\s*\*\s*\d+)+[\])]?", before)
    return before if product and equals and "*" not in behind else behind


def _unworded(text: str) -> str:
    """A size without words and inner brackets: `96 maps of 55*55` is `96@55*55`, `55*55 (96 maps)` is `55*55*96`."""
    text = re.sub(rf"^(\d+) ?{_MAPS}[ ,*:]*(?:(?:of|von|de|di|à|with|mit)[a-z ]*)?(?=\d)", r"\1@", text)
    text = re.sub(rf"(?<=\d)\W*(?:(?:with|mit|avec|con|com|and|und) )?\b(\d+) ?{_MAPS}\W*$", r"*\1", text)
    text = re.sub(r"(?<=\d) ?[(\[](\d+)[)\]]$", r"*\1", text)
    text = re.sub(r"^[(\[](\d+ ?[*,] ?\d+)[)\]](?= ?[*,] ?\d+$)", r"\1", text)
    text = re.sub(r"^(\d+ ?[*@] ?)[(\[](\d+ ?\* ?\d+)[)\]]$", r"\1\2", text)
    return re.sub(rf"(?<=[\d)\]]) ?(?:{_SIDE_WORDS})$|[?!.✓✔]+$", "", text)


_MAPS = r"(?:feature )?(?:maps?|channels?|filters?|slices?|[Kk]an[aä]le?|tief|deep|canaux|canales|canali)"
_SIDE_WORDS = r"px|pixels?|neurons?|neuronen|units?|nodes?|classes|outputs?|features?|hwc|chw|HWC|CHW|HxWxC|CxHxW"
_BATCHES = ("n", "b", "bs", "batch", "none", "?", "-1", "null")


def _bare(text: str) -> str:
    """A size without the brackets around it, and without a note in words behind it."""
    plain = re.sub(r"\([^\d]*\)\s*$", "", text).strip().removeprefix("torch.Size")
    return plain if re.search(r"[^(\[{< ][(\[{]", plain) else plain.strip("()[]{}<> ")


def _sides(text: str) -> list[str]:
    """The parts between what stands between sides: `x`, else commas, else blanks."""
    if re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+", text):
        return [text]  # 4,096: one number in thousands
    if "*" in text:
        text = re.sub(r", +", "*", text)
    for mark in (r"\s*\*\s*", r"\s*;\s*", r"\s*,\s*", r"\s+"):
        parts = [part for part in re.split(mark, text.rstrip(",; ")) if part]
        if len(parts) > 1:
            return parts
    return parts


def _side(part: str, text: str, decimal_comma: bool) -> Figure:
    if not re.fullmatch(_NUMERAL, part) or len(part) > MOST_DIGITS:
        if re.search(r"\d\s*[-+/^()=]|[-+/^()=]\s*\d", part):
            raise ValueError(f"{quoted(text.strip())} holds an expression, and a size is written in numbers")
        if re.search(r"\d\D+\d", part):
            raise ValueError(f"{quoted(text.strip())} holds more than one size")
        raise ValueError(f"{quoted(part)} is no side of a size")
    digits, _ = _digits(part, False, decimal_comma)
    return Figure(Fraction(digits))


# ---------------------------------------------------------------- expressions


def _worked_out(text: str, decimal_comma: bool) -> Fraction:
    """The value of an expression. Raises `ValueError`."""
    plain = re.sub(r"(?<![\d.])\d+(?:[ ,.'_]\d+)+", lambda found: _numeral(found[0], decimal_comma), text)
    words = set(re.findall(r"[^\W\d_]+", re.sub(r"(?<=\d)[eE](?=[-+]?\d)", "", plain)))
    if not re.fullmatch(r"[\w.+\-*/^%(), ]+", plain) or words - _FUNCTIONS.keys() - {"min", "max"}:
        stranger = next(iter(sorted(words - _FUNCTIONS.keys())), "")
        raise ValueError(f"{quoted(stranger or text)} is no number" + (f" in {quoted(text)}" if stranger else ""))
    exact = "//" not in plain  # the language knows only `//`: a single `/` borrows it
    tree = read_expression((plain.replace("/", "//") if exact else plain).replace("^", "**"))
    if isinstance(tree, str):
        raise ValueError(f"{quoted(text)} is no expression{tree}")
    return _evaluated(tree, exact)


def _numeral(text: str, decimal_comma: bool) -> str:
    if text.count(".") == 1 and not re.search(r"[ ,'_]", text) and not decimal_comma:
        return text  # in a formula a point is the decimal one: 1.024*3
    return _digits(text, False, decimal_comma)[0]


def _evaluated(expr: Expr, exact: bool) -> Fraction:
    """The value of a tree, each step within bounds; `//` divides exactly, or cuts off."""
    if isinstance(expr, Number) and re.fullmatch(r"[\d.eE+\-]+", expr.text):
        value = _number(expr.text)
    elif isinstance(expr, Unary) and expr.op in "+-":
        value = _evaluated(expr.operand, exact) * (-1 if expr.op == "-" else 1)
    elif isinstance(expr, Binary):
        value = _combined(expr.op, _evaluated(expr.left, exact), _evaluated(expr.right, exact), exact)
    elif isinstance(expr, Call) and expr.function in _FUNCTIONS and len(expr.args) == 1:
        value = Fraction(_FUNCTIONS[expr.function](_evaluated(expr.args[0], exact)))
    else:
        raise ValueError("only numbers with + - * / ^ and brackets are worked out")
    if abs(value) > LARGEST or value.denominator > LARGEST:
        raise ValueError("a number in the formula is too large")
    return value


def _number(text: str) -> Fraction:
    exponent = re.search(r"[eE]([-+]?\d+)$", text)
    if exponent and abs(int(exponent[1])) > MOST_DIGITS:
        raise ValueError(f"the exponent of {quoted(text)} is too large")
    return Fraction(text)


def _combined(op: str, left: Fraction, right: Fraction, exact: bool) -> Fraction:
    if op == "**":
        return _power(left, right)
    if op in ("//", "%") and right == 0:
        raise ValueError("a division by 0")
    if op == "//" and exact:
        return left / right
    if op not in _ARITHMETIC:
        raise ValueError(f"`{op}` is no arithmetic")
    return Fraction(_ARITHMETIC[op](left, right))


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > MOST_FACTORS:
        raise ValueError(f"an exponent of {shown(exponent)} is not worked out")
    if base == 0 and exponent < 0:
        raise ValueError("a division by 0")
    largest = max(abs(base.numerator), base.denominator)
    if largest > 1 and largest.bit_length() * abs(exponent) > 2 * LARGEST.bit_length():
        raise ValueError("a number in the formula is too large")
    return base ** int(exponent)


_ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction | int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
_FUNCTIONS: dict[str, Callable[[Fraction], int]] = {
    "floor": math.floor,
    "ceil": math.ceil,
    "round": lambda value: math.floor(value + Fraction(1, 2)),
}


# ---------------------------------------------------------------- units


def read_unit(text: str, quantity: str = "") -> Unit:
    """What stands behind a number: `K`, `MB`, `GMACs`, `million params`, `KiB`; also in the brackets of a heading.

    Case counts little: `mb` is MB. `B` is a billion where operations or parameters are counted, else bytes. Raises
    `ValueError` for words that are no unit.

    >>> read_unit("MMACs"), read_unit("kib").scale, read_unit("B", "macs").scale
    (Unit(unit='macs', suffix='M', scale=1000000), 1024, 1000000000)
    """
    found = PLAIN
    for word in re.findall(r"[^\W\d_]+|%|10\^\d{1,2}|1[, .']?000(?:[, .']?000)*", normalized(text)):
        step = _unit_of(word, quantity)
        if step is None:
            raise ValueError(f"{quoted(text.strip())} is no unit")
        if (step.suffix and found.suffix) or (step.unit and found.unit not in ("", step.unit)):
            raise ValueError(f"{quoted(text.strip())} are two units")
        suffix = (found.suffix or "") + (step.suffix or "")
        found = Unit(step.unit or found.unit, suffix, found.scale * step.scale)
    return found


def _unit_of(word: str, quantity: str) -> Unit | None:
    lower = word.lower()
    if lower == "b" and quantity in COUNTED:
        return Unit("", word, 10**9)
    if lower in _BYTES:
        name = _BYTES[lower]
        return Unit("bytes", "" if name == "B" else name, (BYTES | BINARY)[name])
    if lower in _COUNTS:
        return Unit(_COUNTS[lower])
    if lower in _IGNORED:
        return PLAIN
    if re.fullmatch(r"1[0, .']+|10\^\d+", word):
        scale = 10 ** int(word[3:]) if "^" in word else int(re.sub(r"\D", "", word))
        return Unit("", word, scale)
    if lower in _SCALES:
        return Unit("", word, _SCALES[lower])
    if lower[0] in "kmgt" and lower[1:] in _COUNTS:  # GMACs, MFLOPs
        return Unit(_COUNTS[lower[1:]], word[0], _SCALES[lower[0]])
    return None


COUNTED = ("params", "weights", "biases", "buffers", "macs", "flops")
_SCALES = {
    **{"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "b": 10**9, "bn": 10**9, "mm": 10**6},
    **dict.fromkeys(("thousand", "thousands", "tsd", "tausend", "mille", "mil", "miles", "mila", "тыс", "千"), 10**3),
    **dict.fromkeys(("million", "millions", "mio", "mill", "millionen", "mln", "millones", "milioni"), 10**6),
    **dict.fromkeys(("milhões", "milhoes", "milhão", "millón", "млн", "百万", "百萬"), 10**6),
    **dict.fromkeys(("billion", "billions", "mrd", "milliarden", "milliards", "miliardi", "bilhões", "млрд"), 10**9),
    **{"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8, "十亿": 10**9, "trillion": 10**12, "trillions": 10**12},
}
_BYTES = {
    **{name.lower(): name for name in (*BYTES, *BINARY)},
    **dict.fromkeys(("byte", "bytes", "octet", "octets", "бит", "байт", "字节", "バイト"), "B"),
    **{"ko": "KB", "mo": "MB", "go": "GB", "kio": "KiB", "gio": "GiB", "кб": "KB", "мб": "MB", "гб": "GB"},
    **{f"{name}{end}": f"{name[0].upper()}B" for name in ("k", "m", "g") for end in ("byte", "bytes")},
    **{f"{name}{end}": f"{name[0].upper()}B" for name in ("kilo", "mega", "giga") for end in ("byte", "bytes")},
    **{f"{name}{end}": f"{name[0].upper()}iB" for name in ("kibi", "mebi", "gibi") for end in ("byte", "bytes")},
}
_COUNTS = {
    **dict.fromkeys(("value", "values", "number", "numbers", "floats", "element", "elements"), "values"),
    **dict.fromkeys(("activation", "activations", "neuron", "neurons", "neuronen", "entries", "scalars"), "values"),
    **dict.fromkeys(("wert", "werte", "werten", "zahlen", "valeurs", "valores", "valori", "значений", "值"), "values"),
    **dict.fromkeys(("param", "params", "parameter", "parameters", "parametern", "paramètres", "parámetros"), "params"),
    **dict.fromkeys(("parametri", "parâmetros", "параметров", "参数", "參數", "パラメータ"), "params"),
    **dict.fromkeys(("weight", "weights", "gewichte", "poids", "pesos", "pesi"), "params"),
    **dict.fromkeys(("mac", "macs", "madd", "madds", "mult", "mults", "multiplications", "macc", "maccs"), "macs"),
    **dict.fromkeys(("add", "adds", "multiply", "multiplies", "accumulate", "accumulates", "multadds"), "macs"),
    **dict.fromkeys(("flop", "flops", "op", "ops", "operation", "operations", "operationen"), "flops"),
}
_IGNORED = frozenset(("in", "of", "px", "pixel", "pixels", "cells", "learnable", "float", "fp"))
