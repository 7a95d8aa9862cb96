"""Answers marked: right, carried and wrong by numbers worked out by hand, and as laws over the zoo."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.quantities import part_of
from archcalc.analyses.receptive import follow
from archcalc.files import read_spec
from archcalc.homework.acceptance import Facts, Meaning, digits_of, meanings, readings
from archcalc.homework.answers import QUANTITIES, Answer, Figure, Mark, Marked, Place, Submission
from archcalc.homework.figures import with_zeros
from archcalc.homework.marking import mark
from archcalc.homework.reading import read_submission
from archcalc.homework.rubric import DEFAULT, Rubric, read_rubric, refuse_strangers
from archcalc.homework.solutions import Solver
from archcalc.lang.errors import Fault, SpecError
from archcalc.lang.source import Source
from archcalc.library import load, zoo
from archcalc.units import DECIMAL, read
from archcalc.volume import Volume

DATA = Path(__file__).parent / "data" / "homework"
MOST_ROWS = 200  # of nets of the zoo that are marked here
EACH_LAYER = ("size", "memory", "params", "weights", "biases", "buffers", "macs", "flops", "receptive")
UNITS = {"B": ("bytes", 1), "KB": ("bytes", 10**3), "MB": ("bytes", 10**6), "MiB": ("bytes", 2**20)}


@cache
def report_of(net: str) -> Report:
    built = load(net).build()
    return measure(built.graph, built.assumptions)


# ---------------------------------------------------------------- answers


def figure(text: str) -> Figure:
    """A number as a student writes it: 34944, 34.9K, 1.1 MiB, 290400 values."""
    number, _, unit = text.partition(" ")
    if unit in UNITS:
        kind, scale = UNITS[unit]
        printed = read(number)
        rounded = "." in number
        return Figure(printed.value * scale, printed.half_unit * scale * rounded, kind, unit, scale)
    suffix = number[-1] if number[-1] in DECIMAL else ""
    half_unit = read(number).half_unit if suffix or "." in number else Fraction(0)
    return Figure(read(number).value, half_unit, unit, suffix, DECIMAL[suffix])


def answer(layer: str | None, quantity: str, text: str) -> Answer:
    """One cell; an empty one has no figures."""
    sides = text.split("x") if quantity in ("size", "area", "receptive") else [text]
    figures = tuple(figure(side) for side in sides) if text else ()
    return Answer(layer, quantity, text, figures, Place("anna.csv", f"{layer}, {quantity}"))


def sheet(table: str) -> Submission:
    """The answers of a table; a dash is no cell at all, a blank is one without an answer."""
    heading, *rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    cells = [
        answer(None if row[0] == "total" else row[0], quantity, text)
        for row in rows
        for quantity, text in zip(heading[1:], row[1:], strict=True)
        if text != "-"
    ]
    blank = tuple(cell for cell in cells if not cell.figures)
    unread = tuple((cell.where, cell.text, "blank") for cell in blank)
    return Submission("anna.csv", tuple(cell for cell in cells if cell.figures), unread=unread, unanswered=blank)


def rubric_of(text: str) -> Rubric:
    return read_rubric(Source("rubric.toml", text))


def faults_of(rubric: str) -> tuple[Fault, ...]:
    try:
        rubric_of(rubric)
    except SpecError as error:
        return error.faults
    return ()


def marked(table: str, net: str = "alexnet", rubric: str = "", solutions: bool = True) -> Marked:
    return mark(sheet(table), report_of(net), rubric_of(rubric), solutions)


def cell(found: Marked, layer: str | None, quantity: str) -> Mark:
    [mark] = [each for each in found.marks if (each.answer.layer, each.answer.quantity) == (layer, quantity)]
    return mark


def statuses(found: Marked) -> dict[str, str]:
    """`conv1.size` and its status, in the order of the marks."""
    return {f"{each.answer.layer or 'total'}.{each.answer.quantity}": each.status for each in found.marks}


# ---------------------------------------------------------------- by hand

# alexnet with 54x54x96 behind conv1, as an input of 224 gives it: floor((224 - 11)/4) + 1 = 54.
# pool1 3/2: floor((54 - 3)/2) + 1 = 26. conv2 5/1/2: 26 + 4 - 5 + 1 = 26. pool2: floor((26 - 3)/2) + 1 = 12.
# conv3 to conv5 3/1/1 keep 12. pool5: floor((12 - 3)/2) + 1 = 5. fc6: 5*5*256 = 6,400; 6,400*4,096 = 26,214,400.
# conv1: 54*54*96 * 11*11*3 = 279,936*363 = 101,616,768. conv2: 26*26*256 * 5*5*96 = 173,056*2,400 = 415,334,400.
CARRIED = """
layer | size      | params   | macs
conv1 | 54x54x96  | 34944    | 101616768
pool1 | 26x26x96  | 0        | 0
conv2 | 26x26x256 | 614656   | 415334400
pool2 | 12x12x256 | 0        | 0
conv3 | 12x12x384 | 885120   | -
conv4 | 12x12x384 | 1327488  | -
conv5 | 12x12x256 | 884992   | -
pool5 | 5x5x256   | 0        | -
fc6   | 1x1x4096  | 26218496 | 26214400
fc7   | 1x1x4096  | 16781312 | 16777216
fc8   | 1x1x1000  | 4097000  | 4096000
"""


def test_one_wrong_size_is_wrong_once_and_carried_from_there_on() -> None:
    found = marked(CARRIED)
    assert [name for name, status in statuses(found).items() if status == "wrong"] == ["conv1.size"]
    carried = [name for name, status in statuses(found).items() if status == "carried"]
    sizes = [f"{name}.size" for name in ("pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5")]
    assert sorted(carried) == sorted([*sizes, "conv1.macs", "conv2.macs", "fc6.params", "fc6.macs"])
    assert (int(found.score), int(found.of)) == (28, 29)  # 11 sizes, 11 parameters, 7 MACs


def test_what_is_carried_says_from_which_answer_and_by_which_numbers() -> None:
    found = marked(CARRIED)
    notes = {
        "pool1.size": "right for your 54x54x96 of conv1: height, width floor((54 - 3)/2) + 1 = 26",
        "conv2.macs": "right for your 26x26x256: 26*26*256 * 5*5*96 = 415,334,400",
        "fc6.params": "right for your 5x5x256 of pool5: (6,400 + 1) * 4,096 = 26,218,496",
    }
    for name, note in notes.items():
        assert cell(found, *name.split(".")).note == note
    assert cell(found, "pool1", "size").right == Volume(27, 27, 96)


def test_a_wrong_cell_has_its_mistakes_and_the_way_to_the_right_figure() -> None:
    wrong = cell(marked(CARRIED), "conv1", "size")
    assert {"+1 forgotten", "input 224 for 227"} <= {each.name for each in wrong.mistakes}
    assert wrong.solution == (
        "height, width = floor((H + 2*P - F)/S) + 1",
        "= floor((227 + 2*0 - 11)/4) + 1 = 55",
        "depth = N = 96",
    )
    assert cell(marked(CARRIED, solutions=False), "conv1", "size").solution == ()


def test_layers_that_a_sheet_leaves_out_hand_the_volume_on() -> None:
    # behind conv1's 54x54x96 a sheet goes on with conv3 alone: 54 -> 26 -> 26 -> 12 -> 12
    found = marked("layer | size\nconv1 | 54x54x96\nconv3 | 12x12x384")
    note = cell(found, "conv3", "size").note
    assert statuses(found) == {"conv1.size": "wrong", "conv3.size": "carried"}
    assert note.startswith("right for your 12x12x256 of pool2, which follows from 54x54x96 of conv1: ")


def test_an_error_on_top_of_a_carried_one_is_wrong_and_found_on_the_students_own_numbers() -> None:
    # conv3 on 12x12x256 without its padding: 12 - 3 + 1 = 10
    found = marked("layer | size\npool2 | 12x12x256\nconv3 | 10x10x384")
    wrong = cell(found, "conv3", "size")
    assert wrong.status == "wrong"
    [own] = [each for each in wrong.mistakes if each.name == "P ignored"]
    assert own.note.endswith("with your 12x12x256 of pool2")


def test_what_the_rules_refuse_carries_nothing() -> None:
    # a 2x2 volume holds no 3x3 window of pool1, and an answer of 0 is not right for it
    found = marked("layer | size\nconv1 | 2x2x96\npool1 | 0x0x96\nconv2 | 0x0x256")
    assert set(statuses(found).values()) == {"wrong"}


def test_memory_is_carried_from_the_own_size_of_its_row() -> None:
    # 54*54*96 = 279,936 values are 1,119,744 bytes in float32
    for text in ("279936", "279936 values", "1119744 B", "1.12 MB"):
        found = marked(f"layer | size | memory\nconv1 | 54x54x96 | {text}")
        assert statuses(found) == {"conv1.size": "wrong", "conv1.memory": "carried"}, text


def test_macs_are_carried_from_own_parameters_and_flops_from_own_macs() -> None:
    # depth forgotten: 11*11*96 + 96 = 11,712 parameters; (11,712 - 96)*55*55 = 35,138,400 MACs; twice that in FLOPs
    found = marked("layer | params | macs | flops\nconv1 | 11712 | 35138400 | 70276800")
    assert statuses(found) == {"conv1.params": "wrong", "conv1.macs": "carried", "conv1.flops": "carried"}
    assert cell(found, "conv1", "macs").note == ("right for your 11,712 parameters: (11,712 - 96)*3,025 = 35,138,400")
    assert cell(found, "conv1", "flops").note == "right for your 35,138,400 MACs: 2*35,138,400 = 70,276,800"


def test_flops_of_all_operations_are_carried_too() -> None:
    # 2*35,138,400 and 290,400 additions of biases
    found = marked("layer | macs | flops\nconv1 | 35138400 | 70567200")
    assert statuses(found) == {"conv1.macs": "wrong", "conv1.flops": "carried"}


def test_an_own_depth_is_carried_into_the_parameters_of_its_own_row_and_of_the_next() -> None:
    # 64 filters for 96: 11*11*3*64 + 64 = 23,296; conv2 on 64: 5*5*64*256 + 256 = 409,856
    found = marked("layer | size | params\nconv1 | 55x55x64 | 23296\nconv2 | 27x27x256 | 409856")
    assert statuses(found) == {
        **{"conv1.size": "wrong", "conv1.params": "carried"},
        **{"conv2.size": "right", "conv2.params": "carried"},
    }
    assert cell(found, "conv1", "params").note == "right for your depth 64: (11*11*3 + 1) * 64 = 23,296"


def test_a_receptive_field_is_carried_by_what_the_layer_adds() -> None:
    # conv1 12 for 11; pool1 adds (3 - 1)*4 = 8, conv2 (5 - 1)*8 = 32
    found = marked("layer | receptive\nconv1 | 12\npool1 | 20\nconv2 | 52\npool2 | 68")
    assert list(statuses(found).values()) == ["wrong", "carried", "carried", "carried"]
    assert cell(found, "pool1", "receptive").note == "right for your 12 of conv1: 8 more are 20"


def test_a_mistake_on_top_of_an_own_receptive_field_is_told_with_it() -> None:
    found = marked("layer | receptive\nconv1_1 | 3\nconv1_2 | 5\npool1 | 7\nconv2_1 | 9\nconv2_2 | 13", "vgg16")
    assert statuses(found)["conv2_2.receptive"] == "carried"  # 9 + (3 - 1)*2
    (first, *_) = cell(found, "conv2_1", "receptive").mistakes
    assert (first.name, first.arithmetic) == ("receptive field added instead of scaled", "7 + 3 - 1 = 9")
    assert first.note.endswith("with your 7 of pool1")


def test_a_sheet_that_is_wrong_throughout_is_marked_and_says_what_was_not_looked_for() -> None:
    report = report_of("resnet50")
    rows = [f"{row.name} | {row.params + 17}" for row in report.rows if not row.node.op.inplace]
    found = marked("\n".join(["layer | params", *rows]), "resnet50")
    assert {mark.status for mark in found.marks} == {"wrong"}
    [said] = [each for each in found.conventions if each.startswith("no usual mistake explains")]
    assert "two at once were looked for in the first 30" in said


def test_a_total_is_held_against_the_students_own_column() -> None:
    # without their biases: 62,378,344 - 10,568 = 62,367,776
    rows = {"conv1": 34848, "conv2": 614400, "conv3": 884736, "conv4": 1327104, "conv5": 884736}
    rows |= {"fc6": 37748736, "fc7": 16777216, "fc8": 4096000}
    table = "layer | params\n" + "\n".join(f"{name} | {params}" for name, params in rows.items())
    found = marked(f"{table}\ntotal | 62367776")
    assert cell(found, None, "params").status == "carried"
    assert cell(found, None, "params").note.startswith("the sum of your 8 rows: 34,848 + 614,400 + ")
    assert found.patterns == ("bias forgotten in 8 of 9 cells of params",)
    assert cell(marked(f"{table}\ntotal | 62367777"), None, "params").status == "wrong"


def test_a_total_of_rounded_rows_is_their_sum() -> None:
    # 0.03 + 0.61 + 0.89 + 1.33 + 0.88 + 37.75 + 16.78 + 4.10 = 62.37, and the right 62,378,344 rounds to 62.38
    rows = ("conv1 | 0.03M", "conv2 | 0.61M", "conv3 | 0.89M", "conv4 | 1.33M", "conv5 | 0.88M", "fc6 | 37.75M")
    table = "\n".join(("layer | params", *rows, "fc7 | 16.78M", "fc8 | 4.10M"))
    assert cell(marked(f"{table}\ntotal | 62.38M"), None, "params").status == "right"
    assert cell(marked(f"{table}\ntotal | 62.37M"), None, "params").status == "carried"
    assert cell(marked(f"{table}\ntotal | 62.36M"), None, "params").status == "wrong"


def test_a_total_of_the_rows_that_a_sheet_has_names_those_that_it_does_not_have() -> None:
    # 290,400 + 69,984 + 186,624 + 43,264 values
    rows = "conv1 | 290400\npool1 | 69984\nconv2 | 186624\npool2 | 43264"
    total = cell(marked(f"layer | memory\n{rows}\ntotal | 590272"), None, "memory")
    assert total.status == "carried"
    assert total.note.endswith("= 590,272; input, lrn1, lrn2, conv3 and 7 more have no row")


BRANCHES = """
input 32x32x3
c: conv 3/1/1 16
a: add { b1: conv 3/1/1 16 ; relu | id }
k: concat { b2: conv 1 8 | b3: conv 3/1/1 24 }
p: pool 2
f: fc 10
"""


def test_branches_carry_each_its_own_volume_and_may_be_half_right() -> None:
    # c without its padding is 30x30x16, and so are b1 and their sum; b2 right for it but with 9 filters: 9 + 24 = 33
    table = "layer | size\nc | 30x30x16\nb1 | 30x30x16\na | 30x30x16\nb2 | 30x30x9\nk | 30x30x33\np | 15x15x33"
    found = marked(table, BRANCHES)
    assert list(statuses(found).values()) == ["wrong", "carried", "carried", "wrong", "carried", "carried"]
    # b2 alone is wrong: the concatenation of an own 9 and the right 24, and one that goes on from the right 8
    assert statuses(marked("layer | size\nb2 | 32x32x9\nk | 32x32x33", BRANCHES))["k.size"] == "carried"
    assert statuses(marked("layer | size\nb2 | 32x32x9\nk | 32x32x32", BRANCHES))["k.size"] == "right"


def test_volumes_that_do_not_meet_carry_nothing() -> None:
    # 30x30 of the one branch and 32x32 of the other cannot be added
    found = marked("layer | size\nb1 | 30x30x16\na | 30x30x16", BRANCHES)
    assert statuses(found) == {"b1.size": "wrong", "a.size": "wrong"}


def test_groups_are_rows_like_others() -> None:
    # conv2_x keeps the 55x55 of a pool1 without its padding: floor((112 - 3)/2) + 1 = 55; conv3_x halves it, up: 28
    found = marked("layer | size\npool1 | 55x55x64\nconv2_x | 55x55x256\nconv3_x | 28x28x512", "resnet50")
    assert list(statuses(found).values()) == ["wrong", "carried", "right"]


def test_a_group_is_the_sum_of_the_rows_in_it() -> None:
    net = "input 8x8x3; s: add { c1: conv 3/1/1 3 | id }; block g(n) { d1: conv 1 n ; d2: conv 1 n }; e: g(4)"
    # d1: 3*4 + 4 = 16, d2: 4*4 + 4 = 20; without biases 12 and 16
    found = marked("layer | params\ne.d1 | 12\ne.d2 | 20\ne | 32", net)
    assert list(statuses(found).values()) == ["wrong", "right", "carried"]


# ---------------------------------------------------------------- conventions


def test_each_convention_is_said_once_with_its_cells() -> None:
    # conv1: 2*105,415,200 = 210,830,400; with its 290,400 additions 211,120,800
    found = marked("layer | flops | memory | params\nconv1 | 210830400 | 290400 | 34.9K\nfc8 | 8192000 | 3.9 KB | 4.1M")
    assert found.score == 5  # 1,000 values are 4,000 bytes, and no 3.9 KB
    assert found.conventions == (
        "FLOPs as 2 a multiply-add and nothing else: 2 cells",
        "memory in values: 1 cell",
        "figures rounded as they are written: 2 cells",
    )


def test_with_and_without_biases_are_each_said_where_either_is_accepted() -> None:
    table = "layer | params\nconv1 | 34848\npool1 | 0\nconv2 | 614656\nconv3 | 885120"
    found = marked(table, rubric='biases = "either"')
    assert found.score == 4
    assert found.conventions == ("parameters with biases: 2 cells", "parameters without biases: 1 cell")


@pytest.mark.parametrize(
    ("quantity", "text", "rubric", "right"),
    [
        ("params", "34848", "", False),
        ("params", "34848", 'biases = "without"', True),
        ("params", "34848", 'biases = "either"', True),
        ("params", "34944", 'biases = "without"', False),
        ("params", "34944", 'biases = "either"', True),
        ("flops", "211120800", "", True),
        ("flops", "210830400", "", True),
        ("flops", "105415200", "", False),
        ("flops", "210830400", 'flops = "all"', False),
        ("flops", "105415200", 'flops = ["2macs", "macs"]', True),
        ("memory", "1161600", "", True),
        ("memory", "1161600 values", "", False),
        ("memory", "290400 values", "", True),
        ("memory", "290400", 'memory = "bytes"', False),
        ("memory", "580800", 'dtype = "float16"', True),
        ("memory", "1.16 MB", "", True),
        ("memory", "1.11 MB", "", False),  # 1,161,600 bytes are 1.108 MiB
        ("memory", "1.11 MiB", "", True),
        ("memory", "1.11 MB", 'megabytes = "MiB"', True),
        ("memory", "1.16 MB", 'megabytes = "MiB"', False),
        ("memory", "1.16 MB", 'megabytes = "either"', True),
        ("params", "34.9K", "", True),
        ("params", "34.9K", "digits = 4", False),
        ("params", "34.9K", "rounding = []", False),
        ("params", "0.0M", "", False),  # rounds so, and says nothing
        ("macs", "105.4M", "", True),
        ("macs", "105.4M", 'rounding = "truncated"', True),
        ("macs", "105.5M", "", False),
        ("params", "35000", "", False),
        ("params", "35000", "zeros = true", True),
        ("params", "35000", "zeros = true\ndigits = 3", False),  # 34,944 is 34,900 to three digits
        ("params", "34900", "zeros = true\ndigits = 3", True),
        *(("memory", "300K", "", False), ("memory", "300K", "zeros = true", True)),  # of 290,400 values
        ("size", "96x55x55", "", False),
        ("size", "96x55x55", 'order = "either"', True),
        ("macs", "843321600", "batch = 8", True),
        ("params", "34944", "batch = 8", True),
    ],
)
def test_what_is_accepted_of_conv1(quantity: str, text: str, rubric: str, right: bool) -> None:
    [found] = marked(f"layer | {quantity}\nconv1 | {text}", rubric=rubric).marks
    assert (found.status == "right") is right
    assert found.points == right


def test_truncation_is_accepted_only_where_the_rubric_says_so() -> None:
    # 16,781,312 is 16.8M rounded, 16.7M cut off
    table = "layer | params\nfc7 | 16.7M"
    [wrong] = marked(table).marks
    assert (wrong.status, wrong.mistakes[0].name) == ("wrong", "cut off instead of rounded")
    assert statuses(marked(table, rubric='rounding = ["rounded", "truncated"]')) == {"fc7.params": "right"}


@pytest.mark.parametrize(
    ("quantity", "text", "rubric", "name"),
    [
        ("params", "34848", "", "bias forgotten"),
        ("params", "34944", 'biases = "without"', "biases counted"),
        ("flops", "105415200", "", "MACs for FLOPs"),
        ("flops", "211120800", 'flops = "2macs"', "every operation counted"),
        ("flops", "210830400", 'flops = "all"', "bias forgotten"),  # its only other operations
        ("memory", "1.11 MB", "", "MB for MiB"),
        ("memory", "290400", 'memory = "bytes"', "values for bytes"),
        ("params", "34.9K", "digits = 4", "too few digits"),
        ("params", "34.9K", "rounding = []", "rounded"),
    ],
)
def test_what_is_not_accepted_has_the_name_of_what_was_done(quantity: str, text: str, rubric: str, name: str) -> None:
    [found] = marked(f"layer | {quantity}\nconv1 | {text}", rubric=rubric).marks
    assert name in {each.name for each in found.mistakes}


def test_too_few_digits_are_counted() -> None:
    [found] = marked("layer | params\nconv1 | 35K", rubric="digits = 3\n[partial]\n'too few digits' = 0.5").marks
    [told] = found.mistakes
    assert (told.name, told.arithmetic) == ("too few digits", "34,944 with 2 digits, of at least 3")
    assert found.points == Fraction(1, 2)


def test_by_another_rule_its_figures_are_right() -> None:
    # torchvision leaves out nothing of conv1 but counts a multiply-add once, and calls that FLOPs
    found = marked("layer | flops | macs\nconv1 | 105415200 | 105415200", rubric='rule = "torchvision"')
    assert statuses(found) == {"conv1.flops": "right", "conv1.macs": "right"}
    assert found.conventions[0] == "counted by the rule torchvision"
    [wrong] = marked("layer | flops\nconv1 | 1", rubric='rule = "torchvision"').marks
    assert wrong.right == 105415200
    assert wrong.solution[-1] == "= 105,415,200"


def test_a_receptive_field_that_is_no_square_takes_both_sides_or_the_larger() -> None:
    net = "input 9x9x1; c: conv 1x7 2"
    for text, status in (("1x7", "right"), ("7", "right"), ("1", "wrong"), ("7x1", "wrong")):
        [found] = marked(f"layer | receptive\nc | {text}", net).marks
        assert found.status == status, text
    assert marked("layer | receptive\nc | 7", net).conventions == ("receptive fields by their larger side: 1 cell",)


def test_figures_are_read_as_exactly_as_they_are_written() -> None:
    assert digits_of(figure("34.9K")) == 3
    assert digits_of(figure("0.03M")) == 1
    assert digits_of(figure("0.0M")) == 0
    assert with_zeros(figure("35000"), digits=4).half_unit == 5
    assert with_zeros(figure("800K")).half_unit == 50_000
    assert with_zeros(figure("8.00M")) == figure("8.00M")  # says that its zeros are known
    mebibytes = rubric_of('megabytes = "MiB"')
    assert [each.value for each, _ in readings(figure("1 MB"), mebibytes)] == [2**20]
    facts = Facts(Volume(1, 1, 1), 0, 0, 0, 0, 0, 3, 7)
    assert [each.values for each in meanings("flops", facts, DEFAULT, ())] == [(7,), (6,)]


# ---------------------------------------------------------------- points


def test_points_are_those_of_the_most_special_line_of_the_rubric() -> None:
    rubric = read_rubric(read_spec(DATA / "rubric.toml"))
    worth: dict[tuple[str | None, str], int | str] = {
        ("conv2", "size"): "3/2",
        ("conv1", "params"): 3,
        ("pool1", "size"): "1/3",
        ("pool1", "macs"): 4,
    }
    worth |= {(None, "macs"): 5, ("conv2", "macs"): 2}
    for (layer, quantity), points in worth.items():
        assert rubric.points(answer(layer, quantity, "")) == Fraction(points)


def test_a_known_mistake_keeps_its_share_and_a_carried_error_its_own() -> None:
    rubric = "points.default = 4\n[partial]\n'bias forgotten' = 0.5\nmistake = 0.25\ncarried = 0.1"
    table = "layer | params | size\nconv1 | 34848 | 54x54x96\npool1 | 123456789 | 26x26x96"
    found = marked(table, rubric=rubric)
    points = {name: each.points for name, each in zip(statuses(found), found.marks, strict=True)}
    assert points == {
        **{"conv1.params": 2, "conv1.size": 1},
        **{"pool1.params": 0, "pool1.size": Fraction(2, 5)},
    }
    assert found.of == 16


def test_a_blank_cell_is_no_answer_and_has_the_points_of_a_missing_one() -> None:
    table = "layer | params | macs\nconv1 |  | 105415200\nconv2 | 614656 |"
    found = marked(table)
    assert statuses(found) == {
        **{"conv1.params": "wrong", "conv1.macs": "right"},
        **{"conv2.params": "right", "conv2.macs": "wrong"},
    }
    assert cell(found, "conv1", "params").note == "no answer"
    assert found.score == 2
    assert marked(table, rubric="missing = '1/2'").score == 3


def test_what_is_not_asked_is_not_marked_and_what_is_asked_and_not_there_is_wrong() -> None:
    rubric = "columns = ['size', 'params']\nlayers = ['conv1', 'pool1', 'total']"
    found = marked("layer | size | macs\nconv1 | 55x55x96 | 1\nconv2 | 27x27x256 | 1", rubric=rubric)
    assert statuses(found) == {
        **{"conv1.size": "right", "conv1.params": "wrong"},
        **{"pool1.size": "wrong", "total.params": "wrong"},  # pool1 has no parameters that could be told
    }
    assert cell(found, "pool1", "size").note == "no answer"
    assert "not asked, and not marked: 3 cells" in found.conventions
    assert "blank where there is nothing to count, and not marked: 1 cell" in found.conventions


def test_all_faults_of_a_rubric_are_told_at_once_each_in_its_place() -> None:
    with pytest.raises(SpecError) as error:
        read_rubric(read_spec(DATA / "rubric_faulty.toml"))
    told = [(fault.span.line if fault.span else 0, fault.message) for fault in error.value.faults]
    assert told == [
        (1, "unknown key `digit`"),
        (2, "`batch` has to be a whole number from 1 to 1,000,000,000"),
        (3, "unknown counting rule `torchvison`"),
        (4, "unknown key `colums`"),
        (5, "`columns` cannot be `sizes`"),
        (5, "`columns` cannot be `3`"),
        (6, "`layers` has to be a list of names"),
        (7, "`zeros` has to be true or false"),
        (8, "`missing` has to be from 0 to 1,000,000, not `-1`"),
        (11, "`size` has to be a number"),
        (12, "`conv1.params` has to be from 0 to 1,000,000, not `1000000000.0`"),
        (13, "`conv1.macs` has to be a number"),
        (16, "`biases` cannot be `wihtout`"),
        (17, "`flops` cannot be `2mac`"),
        (18, "`rounding` cannot be `5`"),
        (19, "`batch` is said twice"),
        (22, "there is no mistake `bias forgoten`"),
        (23, "`bias forgotten` has to be from 0 to 1, not `1.5`"),
        (24, "`carried` has to be from 0 to 1, not `nan`"),
        (26, "unknown key `point`"),
    ]
    helps = {fault.message: fault.help for fault in error.value.faults}
    assert helps["unknown key `digit`"] == "did you mean `digits`?"
    assert helps["there is no mistake `bias forgoten`"] == "did you mean `bias forgotten`?"


def test_layers_that_a_net_does_not_have_are_faults_of_the_rubric() -> None:
    rubric = rubric_of("layers = ['conv1', 'conv9']\n[points]\nparms = 2\nconv7.size = 1\ntotal.macs = 1")
    with pytest.raises(SpecError) as error:
        refuse_strangers(rubric, report_of("alexnet"))
    assert [(fault.span.line if fault.span else 0, fault.message, fault.help) for fault in error.value.faults] == [
        (1, "`conv9` is neither a quantity nor a layer of alexnet", "did you mean `conv5`?"),
        (3, "`parms` is neither a quantity nor a layer of alexnet", "did you mean `params`?"),
        (4, "`conv7` is neither a quantity nor a layer of alexnet", "did you mean `conv5`?"),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[points]", "points = 3", "[points]\n[partial]\n[accept]", "x = ", "points.a.b.c.size = 1", "a = 1979-05-27"],
)
def test_a_rubric_is_read_or_refused(text: str) -> None:
    faults = faults_of(text)
    assert all(fault.span for fault in faults)
    assert faults or isinstance(rubric_of(text), Rubric)


def test_numbers_of_a_rubric_are_exact() -> None:
    rubric = rubric_of("[points]\nsize = 0.1\nmacs = '1/3'\n[partial]\n'+1 forgotten' = 0.7")
    assert [each.points for each in rubric.worth] == [Fraction(1, 10), Fraction(1, 3)]
    assert rubric.share("+1 forgotten") == Fraction(7, 10)


def test_a_net_with_symbols_is_refused() -> None:
    with pytest.raises(SpecError, match="has sizes in symbols"):
        marked("layer | size\nconv1 | 1x1x1", "input HxWx3; conv1: conv 3 8")


# ---------------------------------------------------------------- laws


def small_nets() -> Iterator[str]:
    """The nets of the zoo that are not too long to be marked whole."""
    return (name for name in zoo() if len(report_of(name).rows) <= MOST_ROWS)


each_small_net = pytest.mark.parametrize("net", [*small_nets()])


def cells_of(report: Report, quantities: Iterable[str] = EACH_LAYER) -> Iterator[Answer]:
    """Every figure of every layer as the engine has it, and the totals."""
    views = follow(report)
    for row, seen in zip(report.rows, views, strict=True):
        values: dict[str, tuple[object, ...]] = {
            name: (getattr(row.cost, name),) for name in ("params", "weights", "biases", "buffers")
        }
        values |= {"size": (*row.output,), "memory": (row.cost.activations,), "macs": (row.macs,)}
        values |= {"flops": (row.flops,), "receptive": seen[0].size if seen else (0, 0)}
        for quantity in quantities:
            yield exact(row.name, quantity, values[quantity])
    totals = report.total()
    for quantity in ("params", "macs", "flops"):
        yield exact(None, quantity, (getattr(totals, quantity),))
    yield exact(None, "memory", (totals.activations,))


def exact(layer: str | None, quantity: str, values: Iterable[object]) -> Answer:
    figures = tuple(Figure(Fraction(str(value))) for value in values)
    return Answer(layer, quantity, "x".join(map(str, values)), figures, Place("own.csv", f"{layer}, {quantity}"))


@each_small_net
def test_the_engines_own_figures_have_full_marks(net: str) -> None:
    report = report_of(net)
    found = mark(Submission("own.csv", tuple(cells_of(report))), report)
    assert [each for each in found.marks if each.status != "right"] == []
    assert found.score == found.of == len(found.marks)
    assert found.patterns == ()


STRETCHES = {  # a head whose last volume is told wrongly, and a tail that can stand by itself
    "chain": (
        "input 64x64x3 ; c1: conv 5/2/1 16 ; r1: relu ; p1: pool 3/2",
        "c2: conv 3/1/1 24 ; r2: relu ; p2: pool 2 ; c3: conv 3/2 32 nobias ; n3: bn ; r3: relu ; f4: fc 20 ; f5: fc 9",
    ),
    "residual": (
        "input 48x40x3 ; c1: conv 3/1/1 16",
        "a1: add { x1: conv 3/1/1 16 nobias ; b1: bn ; r1: relu ; x2: conv 3/1/1 16 | id } ; r2: relu ; "
        "a2: add { x3: conv 3/2/1 32 | x4: conv 1/2 32 } ; g: gap ; f: fc 10 ; s: softmax",
    ),
    "inception": (
        "input 56x56x3 ; c1: conv 3/2/1 24",
        "k1: concat { i1: conv 1 8 ; ir1: relu | i2: conv 1 6 ; i3: conv 3/1/1 16 | i4: pool 3/1/1 ; i5: conv 1 4 } ; "
        "p1: pool 3/2/1 ceil ; d1: dwconv 3/2/same ; l1: lrn 5 ; k2: concat { id | j1: conv 3/1/1 12 } ; "
        "v: avgpool 2 ; f: fc 7",
    ),
    "decoder": (
        "input 30x26x4 ; c1: conv 3/1/1 12",
        "p1: pool 2 ; c2: conv 3/1/2 20 dilation=2 groups=4 ; u1: deconv 4/2/1 12 ; u2: upsample 2 ; c3: conv 1 5",
    ),
}


def tail_of(stretch: str, volume: Volume) -> Report | None:
    """The tail by itself on another volume; None where it cannot stand on it."""
    try:
        return report_of(f"input {volume} ; {STRETCHES[stretch][1]}")
    except SpecError:
        return None


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("seed", range(12))
def test_one_wrong_size_is_one_wrong_cell_and_all_behind_it_is_carried(stretch: str, seed: int) -> None:
    head, tail = STRETCHES[stretch]
    report = report_of(f"{head} ; {tail}")
    rng = random.Random(seed)
    at = len(report_of(head).rows) - 1
    right = report.rows[at].output
    wrong, other = right, None
    while wrong == right or other is None:
        sides = [int(str(n)) + rng.choice((-5, -2, -1, 0, 1, 2, 7)) for n in right]
        wrong = Volume(*sides)
        other = tail_of(stretch, wrong) if min(sides) > 0 else None
    quantities = ("size", "memory", "params", "macs", "flops")
    own = [each for each in cells_of(other, quantities) if each.layer not in (None, "input")]
    name = report.rows[at].name
    found = mark(Submission("anna.csv", (exact(name, "size", wrong), *own)), report)
    assert [each.answer.layer for each in found.marks if each.status == "wrong"] == [name]
    figures = {(each.answer.layer, each.answer.quantity): each for each in found.marks}
    rights = {(each.layer, each.quantity): each.figures for each in cells_of(report, quantities)}
    for each in own:
        same = each.figures == rights[each.layer, each.quantity]
        status = figures[each.layer, each.quantity].status
        assert status == "right" if same else status == "carried", each
    assert found.score == found.of - 1


@pytest.mark.parametrize("net", ["alexnet", "resnet18", "googlenet", "mobilenet_v1"])
def test_a_carried_count_says_the_sum_that_it_is(net: str) -> None:
    report = report_of(net)
    rows = [row for row in report.rows if row.inputs]
    first = rows[0]
    wrong = first.output._replace(h=first.output.h - 2, w=first.output.w - 2)
    column = [exact(row.name, "macs", (row.macs + (row is rows[0]),)) for row in rows]
    total = exact(None, "macs", (report.total().macs + 1,))
    found = mark(Submission("anna.csv", (exact(first.name, "size", wrong), *column, total)), report)
    assert found.marks[-1].status == "carried"
    assert f"{report.total().macs + 1:,}" in found.marks[-1].note


@pytest.mark.parametrize("net", ["alexnet_grouped", "resnet18", "densenet121", "mobilenet_v1", "enet", BRANCHES])
def test_the_solution_of_each_figure_comes_to_it(net: str) -> None:
    report = report_of(net)
    solver = Solver(report, DEFAULT)
    for each in cells_of(report):
        convention = {"params": "with", "flops": "all", "memory": "values"}.get(each.quantity, "")
        right = Meaning(tuple(int(figure.value) for figure in each.figures), convention)
        lines = solver.lines(part_of(report, each.layer), each, right)
        said = re.sub(r"(?<=\d),(?=\d{3})", "", " ".join(lines))
        assert all(re.search(rf"(?<!\d){value}(?!\d)", said) for value in right.values), (each, lines)


def test_marks_stand_in_the_order_of_the_net_and_are_the_same_each_time() -> None:
    table = sheet(CARRIED)
    turned = table._replace(answers=table.answers[::-1])
    report = report_of("alexnet")
    names = [each.answer.layer for each in mark(turned, report).marks]
    assert list(dict.fromkeys(names)) == [line.split(" ")[0] for line in CARRIED.strip().splitlines()[1:]]
    assert mark(turned, report) == mark(turned, report)


@st.composite
def wild_answers(draw: st.DrawFn, names: list[str | None]) -> Answer:
    """Any figures in any cell: huge, negative, broken, rounded to nothing."""
    quantity = draw(st.sampled_from(QUANTITIES))
    count = {"size": 3, "area": 2}.get(quantity, 1)
    if quantity == "receptive":
        count = draw(st.integers(1, 2))
    plain = st.one_of(st.integers(-3, 300), st.integers(0, 10**40), st.sampled_from([10**9, 10**9 + 1]))
    values = st.builds(Fraction, plain, st.sampled_from([1, 1, 1, 2, 7]))
    half_units = st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 2), Fraction(500)])
    units, scales = st.sampled_from(["", "values", "bytes", "macs"]), st.sampled_from([1, 1000, 10**6])
    figures = draw(
        st.lists(st.builds(Figure, values, half_units, units, st.just(""), scales), min_size=count, max_size=count)
    )
    return Answer(draw(st.sampled_from(names)), quantity, "?", tuple(figures), Place("x.csv", "x"))


WILD = (
    "input 32x30x6; conv 3x5/2x3/1:0x2:1 8 groups=2 dilation=2x1; pool 3/2 ceil; dwconv 3/2/same multiplier=2; fc 3",
    "input 9x9x4; bn; ln; prelu; lrn 3; pad 1:2x0; crop 1:0; upsample 2x3; adaptiveavgpool 4x3; flatten; fc 2; softmax",
    "l: input 8x8x3; r: input 8x8x1; concat l, r; x: conv 3/1/1 4; conv 3/1/1 4 share=x; add { id | conv 1 4 | "
    "concat { conv 1 2 | conv 1 2 ; relu } }; mul { id | gap ; fc 4 ; sigmoid }; fc 10 nobias",
)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_written_is_marked(data: st.DataObject) -> None:
    report = report_of(data.draw(st.sampled_from(WILD)))
    names: list[str | None] = [None, *(row.name for row in report.rows)]
    answers = data.draw(st.lists(wild_answers(names), max_size=8))
    rubric = DEFAULT._replace(
        biases=data.draw(st.sampled_from(["with", "without", "either"])),
        megabytes=data.draw(st.sampled_from(["MB", "MiB", "either"])),
        zeros=data.draw(st.booleans()),
        rule=data.draw(st.sampled_from(["", "torchvision"])),
    )
    found = mark(Submission("x.csv", tuple(answers)), report, rubric)
    assert len(found.marks) == len(answers)
    assert 0 <= found.score <= found.of


def test_a_file_is_read_and_marked(tmp_path: Path) -> None:
    path = tmp_path / "anna.csv"
    path.write_text(
        "Layer,Output,Parameters\nConv 1,54x54x96,34848\nPool 1,26x26x96,0\nConv 2,26x26x256,abc\n", "utf-8"
    )
    report = report_of("alexnet")
    found = mark(read_submission(path, report), report)
    assert [each.status for each in found.marks] == ["wrong", "wrong", "carried", "right", "carried", "wrong"]
    assert cell(found, "conv2", "params").note == "`abc` is no number"


def test_two_wrong_cells_of_a_row_do_not_excuse_each_other() -> None:
    # 54x54 told twice, and 100 values told twice: the first of both is the error
    found = marked("layer | size | area\nconv1 | 54x54x96 | 54x54")
    assert list(statuses(found).values()) == ["wrong", "carried"]
    assert cell(found, "conv1", "area").note == "as in your 54x54x96 of conv1"
    first, second = answer("conv1", "memory", "100 values"), answer("conv1", "memory", "400 B")
    marks = mark(Submission("anna.csv", (first, second)), report_of("alexnet")).marks
    assert [each.status for each in marks] == ["wrong", "carried"]


def test_a_size_in_three_columns_is_worth_as_much_as_one_in_one() -> None:
    rubric = "columns = 'size'\n[points]\nsize = 3\nconv2.size = 1"
    found = marked("layer | height | width | depth\nconv1 | 55 | 55 | 95\nconv2 | 27 | 27 | 256", rubric=rubric)
    assert [each.of for each in found.marks] == [1, 1, 1, *[Fraction(1, 3)] * 3]
    assert (int(found.score), int(found.of)) == (3, 4)


def test_a_mistake_made_again_and_again_is_the_likelier_one() -> None:
    # vgg16 without padding: 224 - 2 = 222, 222 - 2 = 220, pool1 110, 108, 106. 224 - 2 - 3 + 1 = 220 fits as well
    table = "layer | size\nconv1_1 | 222x222x64\nconv1_2 | 220x220x64\npool1 | 110x110x64\nconv2_1 | 108x108x128\n"
    found = marked(f"{table}conv2_2 | 106x106x128\npool2 | 53x53x128\nconv3_1 | 51x51x256", "vgg16")
    wrong = [each for each in found.marks if each.status == "wrong"]
    assert [each.mistakes[0].name for each in wrong] == ["P ignored"] * 5
    assert [each.answer.layer for each in found.marks if each.status == "carried"] == ["pool1", "pool2"]
    assert found.patterns == ("P ignored in 5 of 7 cells of size",)


@pytest.mark.parametrize(
    ("dtype", "text", "name", "note"),
    [
        ("float16", "1161.6 KB", "bytes of another type", "a value of float16 takes 2 bytes, not 4 as in float32"),
        ("float64", "1161.6 KB", "bytes of another type", "a value of float64 takes 8 bytes, not 4 as in float32"),
        ("float64", "290.4 KB", "values for bytes", "that are values: each takes 8 bytes in float64"),
        ("int8", "1161.6 KB", "bytes of another type", "a value of int8 takes 1 byte, not 4 as in float32"),
    ],
)
def test_mistakes_are_sought_in_the_type_of_numbers_of_the_rubric(
    tmp_path: Path, dtype: str, text: str, name: str, note: str
) -> None:
    path = tmp_path / "answers.csv"
    path.write_text(f"layer,memory\nconv1,{text}\n")
    rubric = DEFAULT._replace(dtype=dtype, memory=("bytes",))
    [found] = mark(read_submission(path, report_of("alexnet")), report_of("alexnet"), rubric).marks
    assert (found.mistakes[0].name, found.mistakes[0].note) == (name, note)
