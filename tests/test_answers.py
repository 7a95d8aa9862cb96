"""Answers of students read: numbers, sizes, headings, files, and which row is which layer."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.quantities import part_of, quantity
from archcalc.builder import Built
from archcalc.homework.answers import QUANTITIES, Answer, Submission
from archcalc.homework.figures import is_blank, read_figure, read_number, read_sides, read_unit
from archcalc.homework.headings import find_headings, guess_heading, listed, read_heading
from archcalc.homework.labels import key_of, read_label
from archcalc.homework.reading import read_submission
from archcalc.homework.sheets import letters_of, read_grids
from archcalc.homework.words import COUNTED_IN, HEADINGS, LAYERS
from archcalc.lang.errors import SpecError
from archcalc.library import load, zoo_nets
from archcalc.ops import REGISTRY
from archcalc.render.costs import Setting
from archcalc.render.show import View, report_lines
from archcalc.volume import Volume

# AlexNet as the lectures draw it, worked out by hand: (227 - 11)/4 + 1 = 55; (11*11*3 + 1)*96 = 34,944;
# 55*55*96*11*11*3 = 105,415,200; 55*55*96*4 = 1,161,600 bytes; (5*5*96 + 1)*256 = 614,656.
CONV1 = {"size": (55, 55, 96), "params": (34_944,), "macs": (105_415_200,), "memory": (1_161_600,)}


@cache
def report_of(net: str) -> Report:
    built = load(net).build()
    return measure(built.graph, built.assumptions)


def values(answer: Answer) -> tuple[Fraction, ...]:
    return tuple(figure.value for figure in answer.figures)


def read(tmp_path: Path, text: str | bytes, name: str = "answers.csv", net: str = "alexnet") -> Submission:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return read_submission(path, report_of(net))


def told(found: Submission) -> dict[tuple[str | None, str], tuple[Fraction, ...]]:
    return {(answer.layer, answer.quantity): values(answer) for answer in found.answers}


def refused(tmp_path: Path, text: str | bytes, name: str = "answers.csv") -> str:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, text, name)
    assert name in str(caught.value)
    return str(caught.value)


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    "text",
    [
        *("34,944", "34 944", "34944", "34_944", "34.944", "34'944", "34’944", " 34944 ", "+34944", "34944.0"),
        *("34\u00a0944", "34\u2009944", "34\u202f944", "３４９４４", "٣٤٩٤٤", "34,944 params", "34944 Parameter"),
        *("(11*11*3+1)*96", "=(11*11*3+1)*96", "11×11×3×96 + 96", "11x11x3x96+96", "11 X 11 X 3 X 96 + 96"),
        *("11·11·3·96 + 96", "11²·3·96+96", "11^2*3*96 + 96", "11**2*3*96+96", "(121 * 3 + 1) × 96", "34,848 + 96"),
        *("34 848 + 96", "69888/2", "69,888 ÷ 2", "34848 + 96 = 34944", "(363+1)*96 = 364*96 = 34,944", "P = 34944"),
        *("34944 = (363+1)*96", "363*96+96 → 34944", "34944 (with bias)", "34944 (363*96+96)", "34.944 Gewichte"),
    ],
)
def test_a_number_is_read_exactly_however_it_is_written(text: str) -> None:
    figure, remark = read_number(text)
    assert figure.value == 34_944
    assert figure.half_unit == (Fraction(1, 20) if "." in text and text.endswith(".0") else 0)
    assert remark == ("`34.944` is read as 34,944" if text.startswith("34.944") else "")


@pytest.mark.parametrize(
    ("text", "value", "half_unit"),
    [
        *(("35k", 35_000, 500), ("35 K", 35_000, 500), ("34.9 K", 34_900, 50), ("34.94k", 34_940, 5)),
        *(("3.5e4", 35_000, 500), ("3.5E+4", 35_000, 500), ("3.5×10^4", 35_000, 500), ("3.5·10⁴", 35_000, 500)),
        *(("3.5 x 10^4", 35_000, 500), ("3.5*10**4", 35_000, 500), ("3,5e4", 35_000, 500), ("34,9k", 34_900, 50)),
        *(("~35k", 35_000, 500), ("ca. 35k", 35_000, 500), ("≈ 35 000", 35_000, 500), ("about 34,900", 34_900, 50)),
        *(("35 thousand", 35_000, 500), ("35 Tsd.", 35_000, 500), ("3.5万", 35_000, 500), ("0.035M", 35_000, 500)),
        *(
            ("1.135G", 1_135_000_000, 500_000),
            ("1.135 GMACs", 1_135_000_000, 500_000),
            ("62.4 million", 62_400_000, 50_000),
        ),
        *(("62,4 Mio. Parameter", 62_400_000, 50_000), ("2.3 GFLOPs", 2_300_000_000, 50_000_000)),
        *(("211.1 MFLOPs", 211_100_000, 50_000), ("105 MMACs", 105_000_000, 500_000)),
        *(("2^10", 1024, 0), ("2**10", 1024, 0), ("4*1024^2", 2**22, 0), ("0", 0, 0), ("12 = 3*4", 12, 0)),
        *(("1,161,600 B", 1_161_600, 0), ("1161600 bytes", 1_161_600, 0), ("290400 values", 290_400, 0)),
        *(("1.1 MiB", Fraction(11 * 2**20, 10), Fraction(2**20, 20)), ("1.16 MB", 1_160_000, 5_000)),
        *(("1.16mb", 1_160_000, 5_000), ("1134 KiB", 1134 * 1024, 512), ("1,16 Mo", 1_160_000, 5_000)),
        *(
            ("1.234,5", Fraction(2469, 2), Fraction(1, 20)),
            ("1.234.567", 1_234_567, 0),
            ("1e-3", Fraction(1, 1000), Fraction(1, 2000)),
        ),
        *(("(227-11)/4+1", 55, 0), ("(224-11)/4+1", Fraction(217, 4), 0), ("⌊(224-11)/4⌋+1", 54, 0)),
        *(("(224-11)//4+1", 54, 0), ("ceil((112-3)/2)+1", 56, 0), ("55*55*96*4/2^20 MiB", 1_161_600, 0)),
    ],
)
def test_a_rounded_number_says_how_exact_it_is(text: str, value: Fraction, half_unit: Fraction) -> None:
    figure = read_figure(text)
    assert (figure.value, figure.half_unit) == (value, half_unit)


def test_a_unit_is_kept_beside_the_value() -> None:
    assert read_figure("1.1 MiB")[2:] == ("bytes", "MiB", 2**20)
    assert read_figure("1.2 mb")[2:] == ("bytes", "MB", 10**6)
    assert read_figure("35k")[2:] == ("", "k", 1000)
    assert read_figure("105.4 MMACs")[2:] == ("macs", "M", 10**6)
    assert read_figure("12 B")[2:] == ("bytes", "", 1)
    assert read_figure("15.5B", "macs")[2:] == ("", "B", 10**9)
    assert read_figure("34944 params")[2:] == ("params", "", 1)


def test_a_comma_is_decimal_where_the_sheet_has_decimal_commas_and_a_unit_follows() -> None:
    assert read_number("1,135G").figure.value == 1_135 * 10**9
    assert read_number("1,135G", decimal_comma=True).figure.value == 1_135_000_000
    assert read_number("34,944", decimal_comma=True).figure.value == 34_944


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(("banana", "no number"), ("12 34", "do not part thousands"), ("1,23,456", "do not part thousands")),
        *(("35 kg", "no unit"), ("5%", "no unit"), ("12 MB K", "two units"), ("B2*3", "no number")),
        *(("=SUM(A1:A3)", "no number"), ("#REF!", "error of the spreadsheet"), ("#DIV/0!", "error of the spreadsheet")),
        *(
            ("2026-03-01", "is a date"),
            ("1/0", "division by 0"),
            ("2^10^10^10", "not worked out"),
            ("9^9^9", "not worked out"),
        ),
        *(
            ("10^90*10^90", "too large"),
            ("1e400", "too many digits"),
            ("9" * 41, "too many digits"),
            ("(1+2", "never closed"),
        ),
        *(
            ("__import__('os')", "is no number"),
            ("1 if 2 else 3", "is no number"),
            ("5 " * 200, "too many"),
            ("0^-1", "division"),
        ),
        *(
            ("3*4; 5", "no"),
            ("[1,2,3]", "no"),
            ("1<2", "no"),
            ("min(1,2)", "only numbers"),
            ("2^0.5", "not worked out"),
        ),
    ],
)
def test_what_is_no_number_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(")):
        read_figure(text)


@pytest.mark.parametrize(
    "text", ["", " ", "-", "–", "—", "n/a", "N/A", "none", "None", "null", "?", "k.A.", "(-)", "nan"]
)
def test_a_blank_is_no_nought(text: str) -> None:
    assert is_blank(text)
    assert not is_blank("0")
    with pytest.raises(ValueError, match="blank"):
        read_figure(text)


def test_a_formula_that_comes_to_something_else_than_is_said_is_told() -> None:
    figure, remark = read_number("11*11*3*96 = 34944")
    assert figure.value == 34_944
    assert remark == "`11*11*3*96` comes to 34,848, not 34,944"
    assert read_number("11*11*3*96 = 34.8k").remark == ""
    assert read_number("290,400 values (1.16 MB)", "memory").remark == ""  # in other units


def test_a_formula_counts_whose_result_has_zeros_for_its_last_digits() -> None:
    """The table of VGG-16 in CS231n has cells such as these."""
    figure, remark = read_number("224*224*3=150K")
    assert (figure.value, remark) == (150_528, "`224*224*3 = 150K` is read as 150,528")
    assert read_number("112*112*64=800K").figure.value == 802_816
    assert read_number("14*14*512=100K") == (read_figure("100K"), "")  # rounds so
    assert read_number("224*224*3=160K") == (read_figure("160K"), "`224*224*3` comes to 150,528, not 160,000")
    assert read_number("224*224*3=150.0K").figure.value == 150_000  # says that these zeros are known


def test_what_is_no_number_before_a_plain_result_is_left_out_and_said() -> None:
    figure, remark = read_number("24M*4 bytes ~= 93MB", "memory")
    assert (figure.value, figure.unit) == (93_000_000, "bytes")
    assert remark == "`M` is no number in `24M*4`: what it comes to counts"


# ---------------------------------------------------------------- sizes


@pytest.mark.parametrize(
    "text",
    [
        *("55x55x96", "55×55×96", "55X55X96", "55*55*96", "55 x 55 x 96", "(55, 55, 96)", "[55,55,96]", "55, 55, 96"),
        *("55 55 96", "1x55x55x96", "(None, 55, 55, 96)", "[-1, 55, 55, 96]", "(N,55,55,96)", "55²×96", "55^2*96"),
        *("H=55, W=55, C=96", "５５×５５×９６", "55x55x96 (HxWxC)", "torch.Size([1, 55, 55, 96])", "55 by 55 by 96"),
        *("55x55, 96", "55.0x55.0x96", "55;55;96", "55x55x96 = 290,400", "55*55*96=290400 values", "55x55x96 HWC"),
        *("55x55 (96)", "55x55, 96 channels", "55 x 55 (96 feature maps)", "(55x55)x96", "(55,55),96", "55x55x96?"),
        *("(227-11)/4+1 = 55x55x96", "55x55x96 px"),
    ],
)
def test_a_size_is_read_however_it_is_written(text: str) -> None:
    sides = read_sides(text)
    assert tuple(figure.value for figure in sides.figures) == (55, 55, 96)
    assert not sides.depth_first


def test_a_size_may_be_a_vector_an_area_or_maps_at_an_area() -> None:
    assert [
        [int(side.value) for side in read_sides(text).figures] for text in ("4096", "9,216", "(4096,)", "27x27")
    ] == [
        *([4096], [9216], [4096], [27, 27]),
    ]
    for text in ("6@28x28", "6 maps of 28x28", "6 feature maps, 28x28", "6@(28x28)"):
        maps = read_sides(text)
        assert maps.depth_first
        assert [int(side.value) for side in maps.figures] == [6, 28, 28]
    assert [int(side.value) for side in read_sides("4096 neurons").figures] == [4096]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        *(("55x55x96 or 54x54x96", "more than one size"), ("55x55x96 / 54x54x96", "more than one size")),
        *(
            ("(227-11)/4+1 x 55 x 96", "expression"),
            ("55x55x(48+48)", "expression"),
            ("55*55*96*4", "4 numbers"),
        ),
        *(("1x2x3x4x5", "5 numbers"), ("banana", "no side"), ("55x", "no side"), ("9" * 50, "no side")),
    ],
)
def test_a_size_that_is_none_is_refused_in_words(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_sides(text)


# ---------------------------------------------------------------- headings


@pytest.mark.parametrize(
    ("text", "meaning", "suffix", "unit"),
    [
        *(
            ("Memory (MB)", "memory", "MB", "bytes"),
            ("Parameter [K]", "params", "K", ""),
            ("#params", "params", "", ""),
        ),
        *(("Params (with bias)", "params", "", ""), ("MACs (M)", "macs", "M", ""), ("GFLOPs", "flops", "G", "")),
        *(("Params (without biases)", "weights", "", ""), ("params in thousands", "params", "thousands", "")),
        *(
            ("Speicher in MB", "memory", "MB", "bytes"),
            ("memory_mb", "memory", "MB", "bytes"),
            ("Memory, KiB", "memory", "KiB", "bytes"),
        ),
        *(
            ("MACs ×10⁶", "macs", "10^6", ""),
            ("FLOPs [10^9]", "flops", "10^9", ""),
            ("Params/10^3", "params", "10^3", ""),
        ),
        *(
            ("Mémoire (Mo)", "memory", "MB", "bytes"),
            ("Параметры (тыс.)", "params", "тыс", ""),
            ("显存 (MB)", "memory", "MB", "bytes"),
        ),
        *(
            ("activations", "memory", "", "values"),
            ("bytes", "memory", "", "bytes"),
            ("Memory (values)", "memory", "", "values"),
        ),
        *(("Output (H)", "height", "", ""), ("Output (C)", "depth", "", ""), ("Ausgabe T", "depth", "", "")),
        *(("Sortie L", "width", "", ""), ("Ausgabe Tiefe", "depth", "", ""), ("ouput", "", "", "")),
        *(("Size (MB)", "memory", "MB", "bytes"), ("Output (KB)", "memory", "KB", "bytes")),
        *(("output bytes", "memory", "", "bytes"), ("Output size (values)", "memory", "", "values")),
        *(("Output size (pixels)", "size", "", ""), ("Output (HxWxC)", "size", "", "")),
        *(("Gewichte + Bias", "params", "", ""), ("weights incl. bias", "params", "", "")),
        *(("Parameter inkl. Bias", "params", "", ""), ("poids et biais", "params", "", "")),
        *(("params (weights only)", "weights", "", ""), ("Parameter (nur Gewichte)", "weights", "", "")),
        *(("Param #", "params", "", ""), ("No. of parameters", "params", "", ""), ("Output Shape", "size", "", "")),
        *(
            ("Layer (type)", "layer", "", ""),
            ("Schicht", "layer", "", ""),
            ("H", "height", "", ""),
            ("w", "width", "", ""),
        ),
        *(
            ("C", "depth", "", ""),
            ("RF", "receptive", "", ""),
            ("kernel size", "copied", "", ""),
            ("Schrittweite", "copied", "", ""),
        ),
        *(
            ("**Output**", "size", "", ""),
            ("OUTPUT SIZE:", "size", "", ""),
            ("Mult-Adds", "macs", "", ""),
            ("banana", "", "", ""),
        ),
    ],
)
def test_a_heading_says_what_it_asks_for_and_in_what(text: str, meaning: str, suffix: str, unit: str) -> None:
    found = read_heading(text)
    assert (found.meaning, found.unit.suffix, found.unit.unit) == (meaning, suffix, unit)


@pytest.mark.parametrize(
    ("text", "order"),
    [("Output (HxWxC)", "hwc"), ("Output (C, H, W)", "chw"), ("W x H x D", "whc"), ("Ausgabe (Höhe x Breite)", "hw")],
)
def test_a_heading_says_in_which_order_a_size_is_written(text: str, order: str) -> None:
    assert read_heading(text).order == order


LANGUAGES = {
    "en": """
        layer, output size, memory, parameters, MACs,
        FLOPs, receptive field, height, width, depth
    """,
    "de": """
        Schicht, Ausgabegröße, Speicher, Parameter, MACs,
        Operationen, rezeptives Feld, Höhe, Breite, Tiefe
    """,
    "fr": """
        couche, taille de sortie, mémoire, paramètres, MACs,
        opérations, champ récepteur, hauteur, largeur, profondeur
    """,
    "es": """
        capa, tamaño de salida, memoria, parámetros, MACs,
        operaciones, campo receptivo, altura, ancho, profundidad
    """,
    "it": """
        strato, dimensione di uscita, memoria, parametri, MACs,
        operazioni, campo recettivo, altezza, larghezza, profondità
    """,
    "pt": """
        camada, tamanho da saída, memória, parâmetros, MACs,
        operações, campo receptivo, altura, largura, profundidade
    """,
    "zh": """
        层, 输出尺寸, 内存, 参数量, 乘加次数,
        浮点运算, 感受野, 高度, 宽度, 通道数
    """,
    "ja": """
        層, 出力サイズ, メモリ, パラメータ数, 積和演算,
        浮動小数点演算, 受容野, 高さ, 幅, チャンネル数
    """,
    "ru": """
        слой, размер выхода, память, параметры, умножения,
        операции, рецептивное поле, высота, ширина, глубина
    """,
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_are_known_in_the_language(language: str) -> None:
    meanings = ("layer", "size", "memory", "params", "macs", "flops", "receptive", "height", "width", "depth")
    for change in (str, str.upper, str.title, lambda text: f" {text}: "):
        assert [read_heading(change(word)).meaning for word in listed(LANGUAGES[language])] == list(meanings)


def test_every_word_of_the_lists_is_read_as_what_it_is_listed_under() -> None:
    wrong = [
        (word, read_heading(word))
        for meaning, words in HEADINGS.items()
        for word in listed(words)
        if read_heading(word).meaning != meaning
    ]
    assert not wrong
    for unit, words in COUNTED_IN.items():
        assert all(read_heading(word)[1:3] == ("memory", read_unit(unit)) for word in listed(words))


def test_a_misspelt_heading_is_guessed() -> None:
    assert (guess_heading("Paramters").meaning, guess_heading("Recptive field").meaning) == ("params", "receptive")
    assert guess_heading("banana").meaning == ""


def test_headings_stand_below_a_title_or_in_two_rows() -> None:
    rows = [["Name: Anna", "", ""], ["layer", "output", "params"], ["conv1", "55x55x96", "34944"]]
    found = find_headings(rows)
    assert found is not None
    assert (found.row, [each.meaning for each in found.columns]) == (1, ["layer", "size", "params"])
    rows = [["Layer", "Output", "", "", "Params"], ["", "H", "W", "C", ""], ["conv1", "55", "55", "96", "34944"]]
    found = find_headings(rows)
    assert found is not None
    assert (found.row, [each.meaning for each in found.columns]) == (1, ["layer", "height", "width", "depth", "params"])
    assert find_headings([["foo", "bar"], ["1", "2"]]) is None


def test_words_for_layers_are_of_layers_that_there_are() -> None:
    assert LAYERS.keys() <= REGISTRY.keys()
    for name, words in LAYERS.items():
        assert all(read_label(word).type is REGISTRY[name] for word in listed(words)), name
    assert all(read_label(name).type is cls for name, cls in REGISTRY.items() if name.isalpha())


# ---------------------------------------------------------------- files

TABLE = [("layer", "output", "params"), ("conv1", "55x55x96", "34944"), ("pool1", "27x27x96", "0")]
WANTED = {
    **{("conv1", "size"): (55, 55, 96), ("conv1", "params"): (34_944,)},
    **{("pool1", "size"): (27, 27, 96), ("pool1", "params"): (0,)},
}
JSON = """[
    {"layer": "conv1", "output": [55, 55, 96], "params": 34944}, {"layer": "pool1", "output": "27x27x96", "params": 0}
]"""
TOML = '[conv1]\noutput = "55x55x96"\nparams = 34_944\n\n[pool1]\noutput = [27, 27, 96]\nparams = 0\n'


def joined(mark: str) -> str:
    return "".join(mark.join(row) + "\n" for row in TABLE)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("a.csv", joined(",")), ("a.csv", joined(";")), ("a.csv", joined("\t")), ("a.csv", joined("|"))),
        *(("a.csv", joined(", ")), ("a.csv", "sep=;\n" + joined(";")), ("a.csv", joined(",").replace("\n", "\r\n"))),
        *(
            ("a.csv", "\ufeff" + joined(",")),
            ("a.tsv", joined("\t")),
            ("a.txt", joined(";")),
            ("a.csv", "Name: Anna;3\n\n" + joined(";")),
        ),
        ("a.csv", '"layer","output","params"\n"conv1","55x55x96","34,944"\n"pool1","27x27x96","0"\n'),
        (
            "a.md",
            "# Homework\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n| "
            + joined(" | ").replace("\n", " |\n|--|--|--|\n| ", 1).replace("6\n", "6\n|")
            + "\n\nDone.",
        ),
        ("a.txt", "|layer|output|params|\n|:-|:-:|-:|\n|**conv1**|`55x55x96`|34,944|\n|pool1|27x27x96|0|\n"),
        *(("a.json", JSON), ("a.json", f'{{"layers": {JSON}}}'), ("a.txt", JSON), ("a.toml", TOML)),
        (
            "a.json",
            '{"conv1": {"output": "55x55x96", "params": "34,944"}, "pool1": {"output": "27x27x96", "params": 0}}',
        ),
        (
            "a.json",
            '{"layers": {"conv1": {"output": [55, 55, 96], "params": 34944},'
            '"pool1": {"output": [27, 27, 96], "params": 0}}}',
        ),
        (
            "a.toml",
            '[[layers]]\nname = "conv1"\noutput = [55, 55, 96]\nparams = 34944\n'
            '[[layers]]\nname = "pool1"\noutput = "27x27x96"\nparams = 0\n',
        ),
        (
            "a.csv",
            "layer,quantity,answer\nconv1,output size,55x55x96\nconv1,params,34944\n"
            "pool1,output,27x27x96\npool1,parameters,0\n",
        ),
        ("a.csv", "Parameter;Bemerkung;Schicht;Ausgabe\n34944;;conv1;55x55x96\n0;x;pool1;27x27x96\n"),
    ],
    ids=lambda text: text[:24],
)
def test_a_table_is_read_from_every_kind_of_text(tmp_path: Path, name: str, text: str) -> None:
    found = read(tmp_path, text, name)
    assert told(found) == WANTED
    assert not found.unread
    assert found.missing == ("conv2", "pool2", "conv3", "conv4", "conv5", "pool5")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "layer,conv1,pool1\noutput,55x55x96,27x27x96\nparams,34944,0\n"),
        ("a.csv", "quantity;conv1;pool1\nAusgabe;55x55x96;27x27x96\nParameter;34944;0\n"),
        ("a.json", '{"params": {"conv1": 34944, "pool1": 0}, "output": {"conv1": [55, 55, 96], "pool1": "27x27x96"}}'),
    ],
)
def test_a_table_with_its_layers_side_by_side_is_turned(tmp_path: Path, name: str, text: str) -> None:
    found = read(tmp_path, text, name)
    assert told(found) == WANTED
    assert [answer.where.cell.partition(",")[0] for answer in found.answers] == ["conv1", "conv1", "pool1", "pool1"]


def test_what_formulas_in_latex_say_is_read(tmp_path: Path) -> None:
    text = (
        "Layer | Output | Params\n--|--|--\nconv1 | $55 \\times 55 \\times 96$ | $34{,}944$\npool1|27&times;27\\*96|0\n"
    )
    assert told(read(tmp_path, text, "a.md")) == WANTED


def test_a_value_may_be_an_object_with_its_unit_and_a_size_one_with_its_sides(tmp_path: Path) -> None:
    text = '{"answers": {"conv1": {"output": {"h": 55, "w": 55, "c": 96}, "memory": {"value": 1.1, "unit": "MiB"}}}}'
    assert told(read(tmp_path, text, "a.json")) == {
        **{("conv1", "height"): (55,), ("conv1", "width"): (55,), ("conv1", "depth"): (96,)},
        ("conv1", "memory"): (Fraction(11 * 2**20, 10),),
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252"])
def test_a_text_is_read_in_the_encoding_that_it_has(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, "Schicht;Ausgabegröße\nconv1;55x55x96\n".encode(encoding))
    assert told(found) == {("conv1", "size"): (55, 55, 96)}
    assert any("Windows-1252" in each for each in found.remarks) == (encoding in ("latin-1", "cp1252"))


@pytest.mark.parametrize(
    "text",
    [
        "layer,output,params\nconv1,(96,55,55),34944\npool1,[96, 27, 27],0\n",
        "layer,output,params\nconv1,(1,96,55,55),34,944\npool1,(96,27,27),0\n",
        "layer,output,params\nconv1,55x55x96,34,944\npool1,27x27x96,0\n",
    ],
)
def test_commas_within_brackets_and_thousands_part_no_cells(tmp_path: Path, text: str) -> None:
    found = told(read(tmp_path, text))
    assert found["conv1", "size"] == (55, 55, 96)
    assert found["conv1", "params"] == (34_944,)
    assert found["pool1", "size"] == (27, 27, 96)
    assert found["pool1", "params"] == (0,)


def test_a_row_with_more_cells_than_headings_is_said(tmp_path: Path) -> None:
    found = read(tmp_path, "layer,params,MACs\nconv1,34,944,105,415,200\nconv2,614,656,0\n")
    assert "line 2 has more cells than headings: a number with commas needs quotes" in found.remarks
    assert told(found)["conv2", "params"] == (614_656,)
    assert "line 3 has more cells than headings: commas between thousands are taken for no separators" in found.remarks


@pytest.mark.parametrize(
    "text",
    [
        "    Layer (type)        Output Shape     Param #\n=========================================\n"
        "        Conv2d-1   [-1, 96, 55, 55]      34,944\n          ReLU-2   [-1, 96, 55, 55]           0\n"
        "     MaxPool2d-3   [-1, 96, 27, 27]           0\n=========================================\n"
        "Total params: 34,944\n",
        "┏━━━━━━━━━┳━━━━━━━━━━┳━━━━┓\n┃ Layer (type) ┃ Output Shape ┃ Param # ┃\n┡━━━━━━━━━╇━━━━━━━━━━╇━━━━┩\n"
        "│ conv2d (Conv2D) │ (None, 55, 55, 96) │ 34,944 │\n├─────────┼──────────┼────┤\n"
        "│ max_pooling2d (MaxPooling2D) │ (None, 27, 27, 96) │ 0 │\n└─────────┴──────────┴────┘\n",
        "layer    output    params\n-----    ------    ------\nconv1    55x55x96    34944\npool1    27x27x96    0\n",
    ],
)
def test_a_printed_summary_is_read(tmp_path: Path, text: str) -> None:
    found = told(read(tmp_path, text, "a.txt"))
    assert found["conv1", "size"] == (55, 55, 96)
    assert found["conv1", "params"] == (34_944,)
    assert found["pool1", "size"] == (27, 27, 96)
    assert not {layer for layer, _ in found} - {"conv1", "relu1", "pool1"}


def test_a_sheet_without_answers_is_said(tmp_path: Path) -> None:
    assert "no answers are found" in read(tmp_path, "layer,params\nconv1,\n").remarks


def test_memory_in_two_units_is_two_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "layer,memory (MB),memory (MiB)\nconv1,1.16,1.11\n")
    assert [answer.figures[0].suffix for answer in found.answers] == ["MB", "MiB"]


def test_no_receptive_field_is_asked_behind_the_flattening(tmp_path: Path) -> None:
    found = read(tmp_path, "layer,params,RF\nconv1,34944,11\nconv2,614656,\nfc6,37752832,\n")
    assert [place.cell for place, _, _ in found.unread] == ["line 3, RF"]


def test_a_place_is_the_line_and_the_heading(tmp_path: Path) -> None:
    found = read(tmp_path, 'Name: Anna\n\nlayer,output\n\n"conv1\n(first)",55x55x96\npool1,27x27x96\n')
    assert [str(answer.where) for answer in found.answers] == [
        "answers.csv: line 5, output",
        "answers.csv: line 7, output",
    ]


def workbook(*sheets: tuple[str, list[list[object]]], merged: str = "") -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
        if merged:
            sheet.merge_cells(merged)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def test_a_workbook_is_read_from_the_first_sheet_with_headings_that_are_known(tmp_path: Path) -> None:
    rows = [
        ["Homework 3"],
        [],
        ["layer", "output", "MACs (M)"],
        ["conv1", "55x55x96", 105.4152],
        ["pool1", "27x27x96", 0],
    ]
    found = read(tmp_path, workbook(("Notes", [["hello"]]), ("Answers", rows)), "answers.xlsx")
    assert told(found) == {
        **{("conv1", "size"): (55, 55, 96), ("conv1", "macs"): (105_415_200,)},
        **{("pool1", "size"): (27, 27, 96), ("pool1", "macs"): (0,)},
    }
    assert [answer.where.cell for answer in found.answers] == ["Answers!B4", "Answers!C4", "Answers!B5", "Answers!C5"]
    assert "2 tables in the file: worksheet `Answers` is read" in found.remarks


def test_a_formula_of_a_workbook_is_never_worked_out(tmp_path: Path) -> None:
    rows = [["layer", "output", "params"], ["conv1", "55x55x96", "=SUM(A1:A3)+96"], ["pool1", "27x27x96", 0]]
    data = workbook(("Answers", rows))
    found = read(tmp_path, data, "answers.xlsx")
    assert ("conv1", "params") not in told(found)
    assert [(place.cell, text, why[:30]) for place, text, why in found.unread] == [
        ("C2", "=SUM(A1:A3)+96", "a formula whose value the file")
    ]
    cached = rewritten(
        data,
        "xl/worksheets/sheet1.xml",
        lambda part: part.replace(b"<v></v>", b"<v>34944</v>").replace(b"<v />", b"<v>34944</v>"),
    )
    assert told(read(tmp_path, cached, "answers.xlsx"))["conv1", "params"] == (34_944,)


def test_arithmetic_in_a_workbook_is_read_as_in_any_other_file(tmp_path: Path) -> None:
    rows = [["layer", "params"], ["conv1", "=11*11*3*96+96"], ["conv2", "=B2*2"], ["conv3", "=2^10^10^10"]]
    found = read(tmp_path, workbook(("Answers", rows)), "answers.xlsx")
    assert told(found) == {("conv1", "params"): (34_944,)}
    assert [(place.cell, why[:13]) for place, _, why in found.unread] == [
        ("B3", "a formula who"),
        ("B4", "an exponent o"),
    ]


def test_of_two_columns_of_names_that_of_the_layers_counts(tmp_path: Path) -> None:
    rows = [["Block", "Layer", "Output"], ["Stage 1", "conv1", "55x55x96"], [None, "pool1", "27x27x96"]]
    found = read(tmp_path, workbook(("Answers", [*rows, ["Stage 2", "conv2", "27x27x256"]])), "answers.xlsx")
    assert [answer.layer for answer in found.answers] == ["conv1", "pool1", "conv2"]
    assert "3 rows by name" in found.remarks


def excel_workbook() -> bytes:
    """Shared strings, and a formula with the value that it had: as Excel writes a workbook, and openpyxl does not."""
    folder = Path(__file__).parent / "data" / "homework" / "workbook"
    parts = sorted(path for path in folder.rglob("*") if path.is_file())
    return zipped(*((path.relative_to(folder).as_posix(), path.read_bytes()) for path in parts))


def test_a_workbook_as_excel_writes_it_is_read_with_the_values_of_its_formulas(tmp_path: Path) -> None:
    data = excel_workbook()
    found = read(tmp_path, data, "answers.xlsx")
    assert told(found) == {("conv1", "size"): (55, 55, 96), ("conv1", "params"): (34_944,)}
    assert [answer.where.cell for answer in found.answers] == ["B2", "C2"]
    broken = rewritten(data, "xl/sharedStrings.xml", lambda part: part[:-12])
    assert "no workbook" in refused(tmp_path, broken, "answers.xlsx")


def test_merged_cells_and_headings_in_two_rows_are_read(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["layer", "quantity", "answer"],
        ["conv1", "output", "55x55x96"],
        [None, "params", 34944],
    ]
    found = read(tmp_path, workbook(("a", rows), merged="A2:A3"), "answers.xlsx")
    assert told(found) == {("conv1", "size"): (55, 55, 96), ("conv1", "params"): (34_944,)}
    rows = [["layer", "output", None, None], [None, "H", "W", "C"], ["conv1", 55, 55, 96]]
    found = read(tmp_path, workbook(("a", rows), merged="B1:D1"), "answers.xlsx")
    assert told(found) == {("conv1", "height"): (55,), ("conv1", "width"): (55,), ("conv1", "depth"): (96,)}


def test_a_column_that_asks_once_more_and_a_formula_that_is_wrong_are_said(tmp_path: Path) -> None:
    found = read(tmp_path, "layer,params,Params (K),output,H x W\nconv1,11*11*3*96 = 34944,35,55x55x96,55x55\n")
    assert found.remarks == (
        "columns that ask once more for what another asks are left alone: `Params (K)`",
        "1 row by name",
        "line 2, params: `11*11*3*96` comes to 34,848, not 34,944",
    )
    assert told(found)["conv1", "area"] == (55, 55)


def test_letters_count_columns() -> None:
    assert [letters_of(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


# ---------------------------------------------------------------- which row is which layer


def found_in(tmp_path: Path, labels: list[str], net: str = "alexnet", heading: str = "layer") -> list[str | None]:
    text = f"{heading},receptive\n" + "".join(f'"{label}",{at}\n' for at, label in enumerate(labels, 1))
    answers = {int(answer.figures[0].value): answer.layer for answer in read(tmp_path, text, net=net).answers}
    return [answers.get(at, "") for at in range(1, len(labels) + 1)]


@pytest.mark.parametrize(
    "label",
    [
        *("conv1_1", "Conv 1-1", "CONV1.1", "conv1-1", "conv 1_1", "conv1_1 (3x3, 64)", "conv1_1: 3x3", "1. conv1_1"),
        *("(1) conv1_1", "conv1_1 + relu", "**conv1_1**", "[224x224x64] conv1_1", "Faltung 1-1", "Convolution 1_1"),
    ],
)
def test_a_layer_is_found_by_its_name_however_it_is_written(tmp_path: Path, label: str) -> None:
    assert found_in(tmp_path, [label], "vgg16") == ["conv1_1"]


@pytest.mark.parametrize(
    ("net", "labels", "layers"),
    [
        (
            "alexnet",
            ["conv 1", "Max-Pooling 1", "Faltung 2", "pool2", "FC6"],
            ["conv1", "pool1", "conv2", "pool2", "fc6"],
        ),
        ("vgg16", ["conv 1", "conv 2", "conv 3", "pool 1"], ["conv1_1", "conv1_2", "conv2_1", "pool1"]),
        ("lenet_caffe", ["conv1", "FC6", "FC7"], ["conv1", "fc1", "fc2"]),
        (
            "alexnet_d2l",
            ["Pooling", "Pooling", "Pooling", "dense", "dense", "dense"],
            ["pool1", "pool2", "pool5", "fc6", "fc7", "fc8"],
        ),
        ("lenet5", ["C1", "S2", "C3", "S4", "C5", "F6"], ["C1", "S2", "C3", "S4", "C5", "F6"]),
        ("lenet5", ["Faltung 1", "Faltung 2"], ["C1", "C3"]),
        ("lenet5", ["Faltung 1", "Faltung 3"], ["C1", "C3"]),
        ("lenet5", ["pooling 1", "pooling 2"], ["S2", "S4"]),
        (
            "resnet18",
            ["conv1", "conv2_x", "Conv3x", "conv 4", "conv5_x", "fc"],
            ["conv1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "fc1"],
        ),
        (
            "googlenet",
            ["inception (3a)", "Inception 3b", "inception_4a"],
            ["inception3a", "inception3b", "inception4a"],
        ),
        ("alexnet", ["Eingabe", "合计", "全连接6", "свёртка 2", "畳み込み3"], ["input", None, "fc6", "conv2", "conv3"]),
        ("alexnet", ["conv1", "conv9", "banana", "Total"], ["conv1", "", "", None]),
        ("alexnet", ["conv4", "conv6", "pool5"], ["conv4", "conv5", "pool5"]),
    ],
    ids=str,
)
def test_rows_are_found_by_type_and_number(
    tmp_path: Path, net: str, labels: list[str], layers: list[str | None]
) -> None:
    assert found_in(tmp_path, labels, net) == layers


def test_the_rows_of_the_vgg_tables_are_found_in_their_order(tmp_path: Path) -> None:
    labels = ["conv3-64", "conv3-64", "maxpool", "conv3-128", "conv3-128", "maxpool", *["conv3-256"] * 3, "maxpool"]
    labels += [
        *["conv3-512"] * 3,
        "maxpool",
        *["conv3-512"] * 3,
        "maxpool",
        "FC-4096",
        "FC-4096",
        "FC-1000",
    ]
    wanted = [row.name for row in report_of("vgg16").rows if row.inputs and not row.node.op.inplace]
    assert found_in(tmp_path, labels, "vgg16") == wanted


def test_rows_with_words_of_their_own_stand_for_groups_and_parts_for_the_layer_of_one(tmp_path: Path) -> None:
    text = "stage,output\nLayer1,56x56x64\nLayer2,28x28x128\nStage 4,14x14x256\nthe last one,7x7x512\n"
    found = read(tmp_path, text, net="resnet18")
    assert [answer.layer for answer in found.answers] == ["conv2_x", "conv3_x", "conv4_x", "conv5_x"]
    text = "layer,output\nconv1/7x7_s2,112x112x64\nconv2/3x3,56x56x192\n3a,28x28x256\ninception (3b),28x28x480\n"
    found = read(tmp_path, text, net="googlenet")
    assert [answer.layer for answer in found.answers] == ["conv1", "conv2", "inception3a", "inception3b"]


def test_a_row_for_several_layers_is_left_alone_and_said(tmp_path: Path) -> None:
    found = read(tmp_path, "layer,params\nmixed6b,1,\nmixed6c ×2,2\n", net="inception_v3")
    assert [answer.layer for answer in found.answers] == ["mixed6b"]
    assert "rows that stand for several layers at once: `mixed6c ×2` (line 3)" in found.remarks


def test_labels_that_come_again_and_again_are_no_names(tmp_path: Path) -> None:
    """The table of CS231n: `POOL2` is five times a pooling of 2x2."""
    shapes = {"CONV3-64": [224, 224, 64], "CONV3-128": [112, 112, 128], "CONV3-256": [56, 56, 256]}
    rows = [(name, shapes[name]) for name in ("CONV3-64", "CONV3-64")] + [("POOL2", [112, 112, 64])]
    rows += [(name, shapes[name]) for name in ("CONV3-128", "CONV3-128")] + [("POOL2", [56, 56, 128])]
    rows += [("CONV3-256", shapes["CONV3-256"])] * 3 + [("POOL2", [28, 28, 256])]
    text = "layer,output\n" + "".join(f"{name},{'x'.join(map(str, size))}\n" for name, size in rows)
    wanted = "conv1_1 conv1_2 pool1 conv2_1 conv2_2 pool2 conv3_1 conv3_2 conv3_3 pool3"
    assert [answer.layer for answer in read(tmp_path, text, net="vgg16").answers] == wanted.split()


def test_the_running_numbers_of_a_printout_are_no_names(tmp_path: Path) -> None:
    text = (
        "Layer (type),Output Shape,Param #\n"
        'Conv2d-1,"[-1, 96, 55, 55]","34,944"\nReLU-2,"[-1, 96, 55, 55]",0\nMaxPool2d-4,"[-1, 96, 27, 27]",0\n'
        'Conv2d-5,"[-1, 256, 27, 27]","614,656"\n'
    )
    found = read(tmp_path, text)
    assert [answer.layer for answer in found.answers if answer.quantity == "size"] == [
        "conv1",
        "relu1",
        "pool1",
        "conv2",
    ]
    assert "4 sizes written in another order: `[-1, 96, 55, 55]` at line 2, Output Shape is 55x55x96" in found.remarks


def test_notes_behind_labels_that_come_again_do_not_make_them_names(tmp_path: Path) -> None:
    rows = [("CONV3-64", 224, 64), ("CONV3-64", 224, 64), ("POOL2", 112, 64), ("CONV3-128", 112, 128)]
    rows += [("CONV3-128", 112, 128), ("POOL2", 56, 128)]
    lines = (f"{name}: [{side}x{side}x{depth}] | {side}*{side}*{depth}" for name, side, depth in rows)
    found = read(tmp_path, "Layer | values\n" + "\n".join(lines), "a.txt", net="vgg16")
    wanted = ["conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2"]
    assert [answer.layer for answer in found.answers] == wanted


def test_a_name_that_only_some_labels_of_a_type_have_gives_way_to_their_number(tmp_path: Path) -> None:
    """The last layer of this LeNet-5 is called `fc1`; who counts `fc1`, `fc2`, `fc3` means C5 by it."""
    text = "name,output,params\nconv1,28x28x6,156\nfc1,120,48120\nfc2,84,10164\nfc3,10,850\n"
    found = read(tmp_path, text, net="lenet5")
    assert [answer.layer for answer in found.answers if answer.quantity == "size"] == ["C1", "C5", "F6", "fc1"]
    found = read(tmp_path, "name,params\nC5,48120\nfc1,850\n", net="lenet5")
    assert [answer.layer for answer in found.answers] == ["C5", "fc1"]


def test_a_column_of_types_is_that_of_the_layers_where_there_is_no_other(tmp_path: Path) -> None:
    text = "type,output size\nconvolution,112x112x64\nmax pool,56x56x64\ninception (3a),28x28x256\n"
    found = read(tmp_path, text, net="googlenet")
    assert [answer.layer for answer in found.answers] == ["conv1.conv1", "pool1", "inception3a"]


def test_the_image_is_known_by_its_type_and_a_lone_label_takes_no_place(tmp_path: Path) -> None:
    text = 'Layer (type),Output Shape\ninput_1 (InputLayer),"(None, 227, 227, 3)"\nconv2d,55x55x96\nParams: 62M,\n'
    assert [answer.layer for answer in read(tmp_path, text).answers] == ["input", "conv1"]
    assert read(tmp_path, text).unread == ()


SIZES = [
    "55x55x96",
    "27x27x96",
    "27x27x256",
    "13x13x256",
    "13x13x384",
    "13x13x384",
    "13x13x256",
    "6x6x256",
    "4096",
    "4096",
    "1000",
]
LAYERS_OF_ALEXNET = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5", "fc6", "fc7", "fc8"]


def test_rows_without_names_are_found_by_shape_and_by_position(tmp_path: Path) -> None:
    found = read(tmp_path, "output\n" + "\n".join(SIZES) + "\n")
    assert [answer.layer for answer in found.answers] == LAYERS_OF_ALEXNET
    wrong = [
        "54x54x96",
        "26x26x96",
        "26x26x256",
        "12x12x256",
        "12x12x384",
        "12x12x384",
        "12x12x256",
        "5x5x256",
        "4096",
        "4096",
        "1000",
    ]
    found = read(tmp_path, "no,output\n" + "".join(f"{at},{size}\n" for at, size in enumerate(wrong, 1)))
    assert [answer.layer for answer in found.answers] == LAYERS_OF_ALEXNET
    assert any("3 rows by shape" in each and "8 by position" in each for each in found.remarks)


def test_how_rows_were_found_is_said_and_what_is_missing_and_extra(tmp_path: Path) -> None:
    text = "layer,output,kernel,mood\nconv1,55x55x96,11,x\npool1,27x27x96,3,x\nFaltung 2,27x27x256,5,x\n"
    text += "conv9,3x3x3,,\nconv1,1x1x1,,\n"
    found = read(tmp_path, text)
    assert found.remarks == (
        "columns that are not known are left alone: `mood`",
        "columns that ask for nothing are left alone: `kernel`",
        "2 rows by name; 1 by type and number: `Faltung 2` is conv2",
        "rows that are no layer of alexnet: `conv9` (line 5)",
        "line 6: `conv1` has a row already: this one is left alone",
    )
    assert found.missing == ("pool2", "conv3", "conv4", "conv5", "pool5")


def test_a_cell_that_is_blank_or_cannot_be_read_is_no_answer_and_is_said(tmp_path: Path) -> None:
    text = "layer,output,params,MACs\nconv1,55x55x96,banana,1\npool1,,-,-\nconv2,27x27x256,614656,5*\nconv3,1x1x1,,1\n"
    found = read(tmp_path, text)
    assert [(place.cell, text, why) for place, text, why in found.unread] == [
        ("line 2, params", "banana", "`banana` is no number"),
        ("line 3, output", "", "blank"),
        ("line 4, MACs", "5*", "`5*` is no number"),
        ("line 5, params", "", "blank"),
    ]  # no parameters are asked of a pooling
    assert [(each.layer, each.quantity, each.figures) for each in found.unanswered] == [
        *(("conv1", "params", ()), ("pool1", "size", ()), ("conv2", "macs", ()), ("conv3", "params", ())),
    ]


def test_a_total_need_not_be_given_of_every_column(tmp_path: Path) -> None:
    found = read(tmp_path, "layer,output,params,MACs\nconv1,55x55x96,34944,105415200\ntotal,,62378344,\n")
    assert not found.unread
    assert told(found)[None, "params"] == (62_378_344,)
    assert (None, "macs") not in told(found)


# ---------------------------------------------------------------- orders and shapes of sizes


@pytest.mark.parametrize("text", ["(96,55,55)", "[96, 55, 55]", "96x55x55", "(N,96,55,55)", "1x96x55x55", "96@55x55"])
def test_a_size_with_its_depth_first_is_turned_and_said(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, f'layer,output\nconv1,"{text}"\n')
    assert told(found) == {("conv1", "size"): (55, 55, 96)}
    assert found.remarks[-1] == f"1 size written in another order: `{text}` at line 2, output is 55x55x96"


def test_where_the_net_does_not_tell_the_order_the_other_rows_do(tmp_path: Path) -> None:
    net = "input 32x20x3; conv1: conv 3/1/1 8; pool1: pool 2"  # not square: 32x20x8, 16x10x8
    text = "layer,output\ninput,3x32x20\nconv1,8x32x20\npool1,8x16x9\n"
    assert told(read(tmp_path, text, net=net))["pool1", "size"] == (16, 9, 8)
    text = "layer,output\ninput,32x20x3\nconv1,32x20x8\npool1,8x16x9\n"
    assert told(read(tmp_path, text, net=net))["pool1", "size"] == (8, 16, 9)
    text = 'layer,"output (C, H, W)"\ninput,3x32x20\npool1,8x16x9\n'
    assert told(read(tmp_path, text, net=net))["pool1", "size"] == (16, 9, 8)
    text = "layer,output (W x H x C)\nconv1,20x32x8\n"
    assert told(read(tmp_path, text, net=net))["conv1", "size"] == (32, 20, 8)


def test_a_short_size_is_a_vector_or_an_area(tmp_path: Path) -> None:
    found = told(
        read(tmp_path, "layer,output\nconv1,55x55\npool1,27\nfc6,4096\nfc7,1x1x4096\nfc8,1x1000\npool5,9216\n")
    )
    assert found == {
        **{("conv1", "area"): (55, 55), ("pool1", "area"): (27, 27), ("fc6", "size"): (1, 1, 4096)},
        **{("fc7", "size"): (1, 1, 4096), ("fc8", "size"): (1, 1, 1000), ("pool5", "size"): (1, 1, 9216)},
    }


def test_a_receptive_field_is_one_number_or_two(tmp_path: Path) -> None:
    found = told(read(tmp_path, "layer,receptive field\nconv1,11\npool1,19x19\n"))
    assert found == {("conv1", "receptive"): (11,), ("pool1", "receptive"): (19, 19)}


# ---------------------------------------------------------------- our own tables


def small_nets() -> Iterator[Built]:
    for net in zoo_nets():
        built = net.build()
        if len(built.graph.nodes) < 60:
            yield built


def right(report: Report, answer: Answer) -> tuple[int, ...]:
    part = part_of(report, answer.layer)
    if answer.quantity == "memory":
        return (quantity(part, "activations") * (4 if answer.figures[0].unit == "bytes" else 1),)
    found = quantity(part, answer.quantity)
    return tuple(found) if isinstance(found, Volume) else (found,)


@pytest.mark.parametrize("built", [pytest.param(built, id=built.graph.name) for built in small_nets()])
@pytest.mark.parametrize(
    ("format", "exactly", "depth"), [("csv", False, None), ("md", False, None), ("md", True, 1), ("json", False, None)]
)
def test_our_own_table_is_read_back_as_it_was(
    tmp_path: Path, built: Built, format: str, exactly: bool, depth: int | None
) -> None:
    report = measure(built.graph, built.assumptions)
    path = tmp_path / f"table.{format}"
    path.write_text(
        "\n".join(report_lines(report, built, Setting(), View(format, exactly, None, depth), io.StringIO())), "utf-8"
    )
    found = read_submission(path, report)
    for answer in found.answers:
        fits = zip(answer.figures, right(report, answer), strict=True)
        assert all(figure.rounds_from(value) for figure, value in fits), answer
    sized = {answer.layer for answer in found.answers if answer.quantity == "size"}
    assert depth or sized == {row.name for row in report.rows}
    assert (found.unread, found.missing) == ((), ())
    assert [each for each in found.remarks if "by name" not in each and "ask for nothing" not in each] == []


# ---------------------------------------------------------------- hostile files


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        *(("a.csv", b"", "nothing in it"), ("a.csv", b"foo,bar\n1,2\n", "no row of headings is known")),
        *(
            ("a.csv", b"%PDF-1.4", "a PDF"),
            ("a.csv", b"PK\x03\x04", "a zip archive"),
            ("a.txt", b"\x89PNG", "a picture"),
        ),
        *(
            ("a.ods", b"x", "are not read"),
            ("a.docx", b"x", "are not read"),
            ("a.xls", b"\xd0\xcf\x11\xe0", "Office file"),
        ),
        *(
            ("a.csv", b"layer,params\0\nconv1,1\n", "NUL bytes"),
            ("a.csv", bytes(range(1, 32)) * 9, "control characters"),
        ),
        *(
            ("a.csv", b"layer,params\n" + b"conv1,1\n" * 200_000, "larger than 1,048,576"),
            ("a.csv", b"\xff\xfe\x00", "not UTF-16"),
        ),
        *(("a.csv", b"layer,params\n" + b"conv1,1\n" * 10_001, "more than 10,000 rows"),),
        *(("a.csv", b"layer,params" + b",x" * 300 + b"\nconv1,1\n", "more than 200 columns"),),
        *(
            ("a.csv", b'layer,params\nconv1,"3494\n', "quotation mark"),
            ("a.csv", b"layer,params\nconv1," + b"1" * 200_000, "a cell of more"),
        ),
        *(
            ("a.json", b'{"layer": }', "line 1, column 11"),
            ("a.json", b"[" * 100_000, "nested too deeply"),
            ("a.json", b"3", "no list"),
        ),
        *(
            ("a.toml", b"[conv1\n", "not TOML"),
            ("a.toml", b"[a]\nparams = " + b"9" * 5000, "4,300 digits"),
            ("a.md", b"hello", "no row"),
        ),
        *(("a.xlsx", b"layer,params\n", "archive cannot be read"), ("a.xlsx", b"\xd0\xcf\x11\xe0", "password")),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_bad_file_is_refused_with_a_reason(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    assert why in refused(tmp_path, data, name)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.csv", f'layer,params\nconv1,"{" " * 100_000}x"\n', "no answers"),
        ("a.csv", f'layer,params\nconv1,"{"x" * 120_000}"\n', "no answers"),
        ("a.csv", f"{'x' * 120_000},params\nconv1,34944\n", ""),
        ("a.md", "|layer|params|\n|-|-|\n|conv1|**" + "\\**" * 300_000 + "|\n", "no answers"),
        ("a.md", "|layer|params|\n" + "-" * 100_000 + "|x\n|conv1|1|\n", ""),
        ("a.json", "[" + ",".join(f'{{"k{i}": 1}}' for i in range(50_000)) + "]", "more than"),
    ],
    ids=["blanks", "letters", "heading", "stars", "dashes", "keys"],
)
def test_long_cells_and_many_keys_take_no_time(tmp_path: Path, name: str, text: str, why: str) -> None:
    """Each of them took minutes, when a pattern went through a cell from every letter of it on."""
    if why == "more than":
        assert why in refused(tmp_path, text, name)
    else:
        found = read(tmp_path, text, name)
        assert (not found.answers) == (why == "no answers")


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: no such file"):
        read_grids(tmp_path / "nowhere.csv")
    with pytest.raises(SpecError, match="cannot be read"):
        read_grids(tmp_path)


def rewritten(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            part = old.read(info)
            new.writestr(info.filename, change(part) if info.filename == name else part)
    return target.getvalue()


def zipped(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    assert "when unpacked" in refused(tmp_path, zipped(("xl/worksheets/sheet1.xml", bytes(30 * 2**20))), "a.xlsx")
    assert "bytes of cells" in refused(tmp_path, zipped(("xl/worksheets/sheet1.xml", bytes(7 * 2**20))), "a.xlsx")
    assert "200 times" in refused(tmp_path, zipped(("xl/media/a.bin", bytes(15 * 2**20))), "a.xlsx")
    assert "1,000 files" in refused(tmp_path, zipped(*((f"{at}.txt", b"") for at in range(1000))), "a.xlsx")


SHEET = "xl/worksheets/sheet1.xml"
PLAIN = [["layer", "params"], ["conv1", 34944]]


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        (
            SHEET,
            lambda part: part.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet', 1),
            "not as spreadsheets",
        ),
        (SHEET, lambda part: part.decode().encode("utf-16"), "not as spreadsheets"),
        (SHEET, lambda part: part[: len(part) // 2], "no workbook"),
        (SHEET, lambda part: b"", "no workbook"),
        ("xl/workbook.xml", lambda part: b"<a/>", "nothing in it"),
        ("xl/_rels/workbook.xml.rels", lambda part: b"<a", "no workbook"),
        (
            SHEET,
            lambda part: part.replace(
                b"</sheetData>",
                b"".join(b'<row r="%d"><c><v>1</v></c></row>' % n for n in range(9, 10_005)) + b"</sheetData>",
            ),
            "10,000 rows",
        ),
    ],
)
def test_a_broken_or_a_hostile_workbook_is_refused(
    tmp_path: Path, name: str, change: Callable[[bytes], bytes], why: str
) -> None:
    assert why in refused(tmp_path, rewritten(workbook(("a", PLAIN)), name, change), "a.xlsx")


def test_merged_cells_without_end_and_far_cells_cost_nothing(tmp_path: Path) -> None:
    data = workbook(("a", PLAIN), merged="A2:A3")
    far = rewritten(data, SHEET, lambda part: part.replace(b'ref="A2:A3"', b'ref="A2:XFD1048576"'))
    assert told(read(tmp_path, far, "a.xlsx")) == {("conv1", "params"): (34_944,)}


def test_a_text_that_looks_like_a_command_is_a_text(tmp_path: Path) -> None:
    cells = ["=CMD|/C calc!A0", '=HYPERLINK(""http://x"")', "@SUM(1+1)", "\x1b[31m5", "=1+1"]
    rows = "".join(f'conv{at},"{cell}"\n' for at, cell in enumerate(cells, 1))
    found = read(tmp_path, "layer,params\n" + rows)
    assert told(found) == {("conv5", "params"): (2,)}
    assert len(found.unread) == 4
    assert all("\x1b" not in why for _, _, why in found.unread)


def test_without_openpyxl_it_is_said_what_to_install(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(workbook(("a", PLAIN)))
    code = (
        "import sys\nsys.modules['openpyxl'] = None\n"
        "from pathlib import Path\nfrom archcalc.homework.sheets import read_grids\n"
        "from archcalc.lang.errors import SpecError\n"
        f"try:\n    read_grids(Path({str(path)!r}))\nexcept SpecError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'archcalc[sheets]'" in done.stdout


def test_pandas_stays_shut_for_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(joined(","), "utf-8")
    code = (
        "import sys\nfrom pathlib import Path\nfrom archcalc.homework.sheets import read_grids\n"
        f"read_grids(Path({str(path)!r}))\nprint(*{{'pandas', 'numpy', 'sympy', 'openpyxl'}} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# ---------------------------------------------------------------- whatever there is in a file

SCRAPS = st.sampled_from(
    [
        *(
            "layer",
            "output",
            "params",
            "MACs (M)",
            "H",
            "memory (MB)",
            "answer",
            "quantity",
            ",",
            ";",
            "\t",
            "|",
            "\n",
            '"',
            "\r\n",
        ),
        *(
            "conv1",
            "pool1",
            "conv 2",
            "total",
            "fc",
            "55x55x96",
            "(96,55,55)",
            "34,944",
            "35k",
            "2^10^10",
            "=1+1",
            "1e999",
        ),
        *(
            "|--|--|",
            "\ufeff",
            "²",
            "Σ",
            "{",
            "[",
            "]",
            "}",
            ":",
            "'",
            "=",
            "\x00",
            "\x1b",
            "9" * 50,
            "(",
            ")",
            "^",
            "/",
            "-",
            " ",
        ),
    ]
)


@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(st.binary(max_size=300), st.lists(SCRAPS, max_size=60).map(lambda parts: "".join(parts).encode())),
    type=st.sampled_from([".csv", ".md", ".json", ".toml", ".txt", ".tsv"]),
)
@example(data=b"layer,params\n\xff\xfe,\n", type=".csv")
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes, type: str) -> None:
    path = tmp_path / f"any{type}"
    path.write_bytes(data)
    found = read_or_refused(path)
    if isinstance(found, SpecError):
        assert path.name in str(found)
    else:
        assert all(answer.quantity in QUANTITIES and answer.figures for answer in found.answers)
        assert len(found.unread) == len(found.unanswered)


def read_or_refused(path: Path) -> Submission | SpecError:
    try:
        return read_submission(path, report_of("alexnet"))
    except SpecError as error:
        return error


@settings(max_examples=60, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.booleans())
def test_a_workbook_with_a_byte_changed_is_read_or_refused(tmp_path: Path, at: int, byte: int, cut: bool) -> None:
    data = bytearray(workbook_once())
    at %= len(data)
    data[at] = byte
    path = tmp_path / "any.xlsx"
    path.write_bytes(bytes(data[:at] if cut else data))
    found = read_or_refused(path)
    assert isinstance(found, Submission) or path.name in str(found)


@cache
def workbook_once() -> bytes:
    return workbook(("a", [["layer", "output", "params"], ["conv1", "55x55x96", 34944], ["pool1", "27x27x96", "=1+1"]]))


@settings(max_examples=300, deadline=500)
@given(
    text=st.one_of(
        st.text(max_size=60), st.lists(st.sampled_from([*"0123456789.,'_ +-*/^()=xkKMe²×~%"]), max_size=30).map("".join)
    )
)
@example(text="9**9**9**9")
@example(text="((((((((((1))))))))))^99999999")
@example(text="2^100^2*3e30")
def test_any_text_is_a_number_or_is_refused_at_once(text: str) -> None:
    for reader in (read_figure, read_sides):
        with suppress(ValueError):
            reader(text)
    read_heading(text)
    key_of(text)
    read_label(text)
