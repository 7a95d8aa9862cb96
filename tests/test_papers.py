"""Tables of papers and lectures: what they print holds, all that the lectures say is there; how tables are judged."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest

from archcalc.analyses.costs import measure
from archcalc.analyses.papers import Outcome, agrees, read_table
from archcalc.analyses.quantities import NoLayer, known_quantities, part_of, quantity
from archcalc.lang.errors import Fault, SpecError
from archcalc.library import load, paper_files, read_spec
from archcalc.units import read_printed
from archcalc.verification import verify
from archcalc.volume import Volume

# Every checkable figure of the five lectures, with what an independent calculation made of it.
RECORDS = {
    row["id"]: row["verdict"]
    for row in csv.DictReader((Path(__file__).parent / "data" / "claims.csv").read_text("utf-8").splitlines())
}
# The printed figures of the papers that are to be covered, each with the cell (or cells) that it stands in.
FIGURES = tuple(csv.DictReader((Path(__file__).parent / "data" / "papers.csv").read_text("utf-8").splitlines()))
FINISHED = ("S0", "S1", "S2", "S3", "S4")  # lectures of which every record is in a table

each_table = pytest.mark.parametrize("path", paper_files(), ids=lambda path: path.stem)
each_lecture = pytest.mark.parametrize("lecture", FINISHED)


@cache
def outcomes(table: str) -> tuple[Outcome, ...]:
    return verify((table,)).outcomes


@cache
def verdicts() -> dict[str, set[str]]:
    """What was found for each record of the lectures."""
    found: dict[str, set[str]] = {}
    for path in paper_files():
        for outcome in outcomes(path.stem):
            for each in outcome.claim.ids:
                found.setdefault(each, set()).add(outcome.status)
    return found


# ---------------------------------------------------------------- all tables


@each_table
def test_no_claim_fails(path: Path) -> None:
    assert [each for each in outcomes(path.stem) if each.status == "fails"] == []


@each_table
def test_an_erratum_is_wrong_and_what_is_right_is_found(path: Path) -> None:
    assert {each.status for each in outcomes(path.stem) if each.claim.erratum} <= {"erratum"}


@each_table
def test_a_table_says_where_it_is_printed(path: Path) -> None:
    for claim in read_table(read_spec(path)):
        assert len(claim.source) > 10
        assert len(claim.erratum) == 0 or len(claim.erratum) > 20  # a sentence that teaches


@each_table
def test_a_figure_is_computed_and_not_copied(path: Path) -> None:
    for claim in read_table(read_spec(path)):
        digits = re.sub(r"\D", "", claim.printed)
        assert claim.waits or len(digits) < 4 or digits != re.sub(r"\D", "", claim.compute)


# ---------------------------------------------------------------- the papers


def test_there_are_122_rows_of_papers() -> None:
    assert len({(row["paper"], row["model"], row["quantity"]) for row in FIGURES}) == 122


@pytest.mark.parametrize("table", sorted({row["table"] for row in FIGURES}))
def test_every_figure_of_a_paper_is_in_its_table(table: str) -> None:
    claims = read_table(next(read_spec(path) for path in paper_files() if path.stem == table))
    cells = {(part, each.quantity, each.printed) for each in claims for part in (each.layer, each.arch, each.place)}
    wanted = {(row["part"], row["cell"], row["printed"]) for row in FIGURES if row["table"] == table}
    assert wanted - cells == set()


# ---------------------------------------------------------------- the lectures


def test_there_are_345_records_and_14_cannot_be_checked() -> None:
    assert len(RECORDS) == 345
    assert sum(verdict == "not-checkable" for verdict in RECORDS.values()) == 14


@each_lecture
def test_every_record_of_a_lecture_is_in_a_table(lecture: str) -> None:
    wanted = {id for id, verdict in RECORDS.items() if id.startswith(lecture) and verdict != "not-checkable"}
    assert wanted - set(verdicts()) == set()


def test_every_id_is_that_of_a_record_that_can_be_checked() -> None:
    assert {id for id in verdicts() if RECORDS.get(id, "not-checkable") == "not-checkable"} == set()


@each_lecture
def test_errata_of_a_lecture_are_errata_here_and_no_others_are(lecture: str) -> None:
    recorded = {id for id, verdict in RECORDS.items() if verdict == "erratum" and id.startswith(lecture)}
    found = {id for id, statuses in verdicts().items() if "erratum" in statuses and id.startswith(lecture)}
    assert found == recorded


@each_lecture
def test_what_is_recorded_as_cut_off_is_not_exact(lecture: str) -> None:
    for id, verdict in RECORDS.items():
        if verdict == "truncated" and id.startswith(lecture):
            assert verdicts()[id] & {"truncates", "rounds"}, id  # 14.4GB to 14GB is both


# ---------------------------------------------------------------- figures as printed


@pytest.mark.parametrize(
    ("text", "value", "half_unit"),
    [
        ("138M", 138_000_000, 500_000),
        ("61,706", 61_706, Fraction(1, 2)),
        ("3.8×10^9", 3_800_000_000, 50_000_000),
        ("3.6e9", 3_600_000_000, 50_000_000),
        ("~70k", 70_000, 500),
        ("1.5 billion", 1_500_000_000, 50_000_000),
        ("60 million", 60_000_000, 500_000),
        ("12x", 12, Fraction(1, 2)),
        ("81%", Fraction(81, 100), Fraction(1, 200)),
        ("1e-4", Fraction(1, 10_000), Fraction(1, 20_000)),
        ("93MB", 93_000_000, 500_000),
        ("58.1 MiB", Fraction(581 * 2**20, 10), Fraction(2**20, 20)),
    ],
)
def test_a_printed_figure_is_read_with_its_last_digit(text: str, value: Fraction, half_unit: Fraction) -> None:
    assert read_printed(text) == (value, half_unit)


def test_k_is_1024_where_the_table_says_so() -> None:
    assert read_printed("112K", kilo=1024) == (114_688, 512)
    assert read_printed("2M", kilo=1024).value == 2 * 1024**2
    assert read_printed("93MB", kilo=1024).value == 93_000_000


@pytest.mark.parametrize("text", ["", "M", "abc", "1.2.3", "12 apples", "1" * 50, "1e9999", "--1"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_printed(text)


@pytest.mark.parametrize(
    ("text", "digits", "half_unit"),
    [("800K", 1, 50_000), ("800K", 2, 5_000), ("150K", 2, 5_000), ("25K", 2, 500), ("4096", 1, Fraction(1, 2))],
)
def test_only_zeros_fill_up_a_figure(text: str, digits: int, half_unit: Fraction) -> None:
    assert read_printed(text).with_digits(digits).half_unit == half_unit


def test_a_zero_has_no_digits_to_fill_up() -> None:
    assert read_printed("0").with_digits(1) == (0, Fraction(1, 2))


# ---------------------------------------------------------------- agreement


@pytest.mark.parametrize(
    ("computed", "printed", "verdict"),
    [
        (61_706, "61,706", "holds"),
        (138_357_544, "138M", "rounds"),
        (138_500_001, "138M", ""),
        (60_965_224, "60M", ""),
        (Fraction(7, 3), "2.33", "rounds"),
        (Fraction(7, 3), "2.34", ""),
        (Fraction(1, 2), "50%", "holds"),
        (Volume(55, 55, 96), "55 x 55 x 96", "holds"),
        (Volume(55, 55, 96), "55x55", "holds"),
        (Volume(55, 55, 96), "55x56", ""),
        (Volume(55, 55, 96), "(55, 55, 96)", "holds"),
        (Volume(1, 1, 4096), "4096", "holds"),
        (Volume(6, 6, 4096), "4096", ""),
        (1_728, "1,728", "holds"),
        (75, "5 x 5 x 3", "holds"),
        (208_896, "128x1x1x32 + 32x5x5x256", "holds"),
        (23_834_568, "<25M", "holds"),
        (25_000_000, "<25M", ""),
        (1_202, "1000+", "holds"),
        (999, "1000+", ""),
        ((11, 11, 3, 96), "11x11x3x96", "holds"),
        ((4, 4), "4", "holds"),
        ((1, 7), "7", ""),
        (5, "nonsense", ""),
    ],
)
def test_a_figure_agrees_as_far_as_its_digits_say(computed: object, printed: str, verdict: str) -> None:
    assert agrees(computed, printed) == verdict


def test_a_figure_may_be_cut_off_where_that_is_said() -> None:
    assert agrees(60_965_224, "60M", truncated=True) == "truncates"
    assert agrees(61_000_000, "60M", truncated=True) == ""
    assert agrees(60_000_000, "60M", truncated=True) == "holds"
    assert agrees(659_272, "650,000", digits=2, truncated=True) == "truncates"


# ---------------------------------------------------------------- quantities


def test_a_part_is_a_layer_a_group_or_a_stretch_of_either() -> None:
    report = measure(load("googlenet").build().graph)
    assert part_of(report, "inception3a").size == (28, 28, 256)
    assert len(part_of(report, "pool1..pool2").rows) == 8
    assert part_of(report, "conv1..inception3a").size == (28, 28, 256)
    assert quantity(part_of(report, "conv1..inception5b"), "weighted_layers") == 21
    assert quantity(part_of(report, "input"), "activations") == 224 * 224 * 3
    for name in ("inception9", "conv1..inception9", "pool2..pool1", "conv1.."):
        with pytest.raises(NoLayer):
            part_of(report, name)


def test_sums_over_layers_of_one_type_make_up_the_whole() -> None:
    report = measure(load("vgg16").build().graph)
    part = part_of(report, None)
    assert quantity(part, "conv_layers") == 13
    assert quantity(part, "maxpool_layers") == 5
    assert quantity(part, "dwconv_layers") == 0
    assert quantity(part, "conv_params") + quantity(part, "fc_params") == quantity(part, "params") == 138_357_544
    assert quantity(part, "conv_layer") is None
    assert quantity(part, "wheel_params") is None
    assert all(quantity(part_of(report, "conv1_1"), name) is not None for name in known_quantities())


def test_a_single_layer_has_its_arguments_and_the_shape_of_its_weights() -> None:
    report = measure(load("alexnet_grouped").build().graph)
    conv2 = part_of(report, "conv2")
    assert [quantity(conv2, name) for name in ("kernel", "stride", "filters", "groups")] == [(5, 5), (1, 1), 256, 2]
    assert quantity(conv2, "padding") == (2, 2, 2, 2)  # top, bottom, left, right
    assert quantity(conv2, "shape") == (5, 5, 48, 256)
    assert quantity(part_of(report, "fc6"), "shape") == (9216, 4096)
    assert quantity(part_of(report, "dropout1"), "rate") == Fraction(1, 2)
    assert quantity(part_of(report, None), "kernel") is None


# ---------------------------------------------------------------- tables of one's own

HEAD = 'source = "a table"\nplace = "here"\n'


def judged(text: str, folder: Path, head: str = HEAD) -> tuple[Outcome, ...]:
    path = folder / "mine.toml"
    path.write_text(head + text, "utf-8")
    return verify((str(path),)).outcomes


def faults(text: str, folder: Path, head: str = HEAD) -> list[Fault]:
    with pytest.raises(SpecError) as caught:
        judged(text, folder, head)
    return list(caught.value.faults)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[row]]\narch = "vgg16"\nparams = ', "not TOML: invalid value"),
        ('[[row]]\narch = "vgg16"\nlayer = "fc6"', "the row prints nothing"),
        ('[[row]]\narch = "vgg16"\nparams = {}', "the cell `params` prints nothing"),
        ('[[row]]\narch = "vgg16"\nparams = true', "`printed` has to be the figure as printed"),
        ('[[row]]\narch = "vgg16"\nparams = { printed = "1", trunkated = true }', "unknown key `trunkated`"),
        ('[[row]]\narch = "vgg16"\nparams = { printed = "1", truncated = 1 }', "`truncated` has to be true or false"),
        ('[[row]]\narch = "vgg16"\nparams = { printed = "1", id = [7] }', "`id` has to be text, or a list of texts"),
        ('[[row]]\narch = 16\nparams = "1"', "`arch` has to be text"),
        ('[[row]]\narch = "vgg16"\nparams = "many"', "cannot read `many` as a figure or a size"),
        ('[[row]]\narch = "vgg16"\nparams = { printed = "1", compute = "2 *" }', "cannot read the expression `2 *`"),
        ('[[row]]\narch = "vgg16"\nparams = { printed = "1", erratum = "no" }', "has to say what is right"),
        ('[[row]]\narch = "vgg16"\nparams = { printed = "1", right = "2" }', "has to say why it is wrong"),
        ('[[row]]\narch = "vgg16"\nwhere = "f > 1"\nparams = "1"', "`where` is for formulas"),
        (
            '[[row]]\narch = "vgg16"\nthan = "vgg19"\nparams = { printed = "1", per = "macs" }',
            "only one of `than`, `per`",
        ),
        ('[[row]]\narch = "vgg16"\neach = { f = "1-3" }\nparams = "f"', "cannot read the range `1-3`"),
        ('[[row]]\narch = "vgg16"\neach = { f = "3..1" }\nparams = "f"', "cannot read the range `3..1`"),
        ('[[row]]\narch = "vgg16"\neach = 3\nparams = "f"', "`each` has to be a table of ranges"),
        ('[[row]]\narch = "vgg61"\nparams = "1"', "`vgg61`: there is no net `vgg61` in the zoo"),
        ('[[row]]\narch = "vgg16"\nlayer = "fc9"\nparams = "1"', "`vgg16` has no layer `fc9`"),
        ('[[row]]\narch = "vgg16"\nlayer = "fc6..fc9"\nparams = "1"', "`vgg16` has no layer `fc9`"),
        ('[[row]]\narch = "vgg16"\nparms = "1"', "unknown quantity `parms`"),
        ('[[row]]\narch = "vgg16"\nbytes = { printed = "1", compute = "4 * parms" }', "unknown quantity `parms`"),
        ('[[row]]\nparams = "1"', "`params` is a quantity of a net, but the row names none"),
        ('[[row]]\nsum = { printed = "1", compute = "1 // 0" }', "cannot divide by 0"),
        ('[[row]]\nsum = { printed = "1", compute = "1", per = "1 - 1" }', "cannot divide 1 by 0"),
        ('[[row]]\narch = "vgg16"\nthan = "vgg19"\nsize = "1"', "cannot divide 1x1x1000 by 1x1x1000"),
        ('[[row]]\narch = "input HxWx3; conv 3 8"\nheight = "1"', "`height` of `input HxWx3; conv 3 8` is H - 2"),
        ('[[row]]\narch = "conv 3"\nparams = "1"', "`conv 3`: "),
        ("row = 7", "the table has no rows"),
        ("", "the table has no rows"),
    ],
)
def test_a_bad_table_is_refused(text: str, message: str, tmp_path: Path) -> None:
    assert message in faults(text, tmp_path)[0].message


def test_a_fault_points_at_the_figure_and_suggests(tmp_path: Path) -> None:
    text = '[[row]]\narch = "vgg16"\nlayer = "fc6"\nmacs = "1"\n[[row]]\narch = "vgg16"\nparms = "1"\n'
    fault = faults(text, tmp_path)[0]
    assert fault.span is not None
    assert (fault.span.line, fault.help) == (9, "did you mean `params`?")


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("", "the table has no `source`"),
        ("source = 7\n", "`source` has to be text"),
        (HEAD + "sauce = 7\n", "unknown key `sauce`"),
        (HEAD + "kilo = 1024\n", "`kilo` has to be a table of numbers"),
        (HEAD + 'kilo = { params = "1024" }\n', "`kilo` has to be a table of numbers"),
        (HEAD + "kilo = { params = 1023 }\n", "`kilo` is 1000 or 1024"),
        (HEAD + "digits = { params = 1_000_000 }\n", "`digits` a small number"),
        (HEAD + "means = { params = 7 }\n", "`means` has to be a table of words"),
        (HEAD + 'year = "2014"\n', "`year` has to be a number"),
    ],
)
def test_a_bad_head_of_a_table_is_refused(head: str, message: str, tmp_path: Path) -> None:
    assert message in faults('[[row]]\narch = "lenet5"\nparams = "61,706"', tmp_path, head)[0].message


def test_all_faults_of_a_table_are_told_at_once(tmp_path: Path) -> None:
    found = faults('sauce = 1\n[[row]]\nparams = "x"\n[[row]]\narch = 7\nmacs = "1"\n', tmp_path, "")
    assert [fault.message.split("`")[1] for fault in found] == ["sauce", "source", "x", "arch"]


def test_the_same_claim_twice_is_refused(tmp_path: Path) -> None:
    row = '[[row]]\narch = "lenet5"\nparams = "61,706"\n'
    assert faults(row + row, tmp_path)[0].message == "the same claim stands at line 5 already: params"


def test_the_same_quantity_of_another_part_is_another_claim(tmp_path: Path) -> None:
    rows = '[[row]]\narch = "lenet5"\nlayer = "C1"\nparams = "156"\n[[row]]\narch = "lenet5"\nparams = "61,706"\n'
    assert [each.status for each in judged(rows, tmp_path)] == ["holds", "holds"]


def test_rows_may_be_written_in_one_list(tmp_path: Path) -> None:
    assert judged('row = [{ arch = "lenet5", params = "61,705" }]', tmp_path)[0].status == "fails"


# ---------------------------------------------------------------- verdicts


def status(cell: str, folder: Path) -> str:
    return judged(f'[[row]]\narch = "lenet5"\nparams = {cell}\n', folder)[0].status  # 61,706


def test_a_figure_holds_rounds_or_fails(tmp_path: Path) -> None:
    assert status('"61,706"', tmp_path) == "holds"
    assert status('"62K"', tmp_path) == "rounds"
    assert status('"61K"', tmp_path) == "fails"
    assert status('{ printed = "61K", truncated = true }', tmp_path) == "truncates"
    assert status('{ printed = "60K", digits = 1 }', tmp_path) == "rounds"


def test_a_recorded_erratum_is_one_as_long_as_the_engine_disagrees(tmp_path: Path) -> None:
    assert status('{ printed = "60K", erratum = "why", right = "61,706" }', tmp_path) == "erratum"


@pytest.mark.parametrize("printed", ["61,706", "62K", "61K"])  # exact, rounded, cut off
def test_a_recorded_erratum_fails_if_the_engine_agrees_with_it(printed: str, tmp_path: Path) -> None:
    assert status(f'{{ printed = "{printed}", erratum = "why", right = "61,706" }}', tmp_path) == "fails"


def test_an_erratum_fails_if_what_is_right_is_not_found(tmp_path: Path) -> None:
    assert status('{ printed = "60K", erratum = "why", right = "61,707" }', tmp_path) == "fails"


def test_a_claim_that_waits_is_not_judged(tmp_path: Path) -> None:
    assert status('{ printed = "6 8; 3 4", waits = "a spec of the net" }', tmp_path) == "waits"


MAP = """[[row]]
arch = "input 4x4x1; avgpool 2"
image = "1 1 2 4; 5 6 7 8; 3 2 1 0; 1 2 3 5"
values = {}
"""


@pytest.mark.parametrize(
    ("printed", "verdict"),
    [
        ("3.25 5.25; 2 2.25", "holds"),
        ("3.25 5.25; 2 2.3", "rounds"),
        ("3.25 5.25; 2 2.2", "fails"),
        ("3.25 5.25 2 2.25", "fails"),
    ],
)
def test_values_are_worked_out_each_to_its_last_digit(printed: str, verdict: str, tmp_path: Path) -> None:
    assert [each.status for each in judged(MAP.format(f'"{printed}"'), tmp_path)] == [verdict]


def test_values_are_recorded_beside_what_was_found(tmp_path: Path) -> None:
    (found,) = judged(MAP.format('{ follows = "1 2" }'), tmp_path)
    assert (found.status, found.computed) == ("fails", "3.25 5.25; 2 2.25")


def test_values_may_be_cut_off_or_wrong_as_any_figure(tmp_path: Path) -> None:
    cut_off = '{ printed = "3.2 5.25; 2 2.2", truncated = true }'
    wrong = '{ printed = "3 5; 2 3", erratum = "why", right = "3.25 5.25; 2 2.25" }'
    agreed = wrong.replace("3 5; 2 3", "3.2 5.2; 2 2.2")
    found = [judged(MAP.format(cell), tmp_path)[0].status for cell in (cut_off, wrong, agreed)]
    assert found == ["truncates", "erratum", "fails"]


@pytest.mark.parametrize(
    ("arch", "numbers", "message"),
    [
        ("input 2x2x1; pool 2", 'image = "1 2 3"', "the image is 1x3x1, the input of"),
        ("input 2x2x2; pool 2", 'image = ["1 2; 3 4", "1 2 3"]', "the slices of an image or a filter differ in size"),
        ("input 2x2x1; pool 2", 'image = "1 2; 3"', "cannot read `1 2; 3` as rows of numbers"),
        ("input 2x2x1; pool 2", 'image = "1 2; 3 x"', "cannot read `1 2; 3 x` as rows of numbers"),
        ("input 2x2x1; pool 2", "image = 7", "`image` has to be rows of numbers, or a list of them"),
        ("a: input 2x2x1; b: input 2x2x1; add a, b", 'image = "1 2; 3 4"', "the image is 2x2x1, the input of"),
        ("input 2x2x1; conv 2 1 nobias", 'image = "1 2; 3 4"', "the filter is none, the weights of"),
        ("input 2x2x1; conv 2 1", 'image = "1 2; 3 4"\nfilter = "1 2; 3 4"', "are 2x2x1x1 and 1 values"),
        ("input 2x2x1; pool 2", 'image = "1 2; 3 4"\nfilter = "1 2; 3 4"', "are none"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(arch: str, numbers: str, message: str, tmp_path: Path) -> None:
    row = f'[[row]]\narch = "{arch}"\n{numbers}\nvalues = "1"\n'
    assert message in faults(row, tmp_path)[0].message


def test_only_small_nets_are_worked_out(tmp_path: Path) -> None:
    image, filter = ("; ".join(["1 " * n] * n) for n in (40, 9))
    row = f'[[row]]\narch = "input 40x40x1; conv 9 1 nobias"\nimage = "{image}"\nfilter = "{filter}"\nvalues = "1"\n'
    assert "more than 50,000 multiply-adds" in faults(row, tmp_path)[0].message


def test_values_are_those_of_a_layer_where_one_is_named(tmp_path: Path) -> None:
    row = '[[row]]\narch = "input 1x2x1; a: relu; upsample 2"\nimage = "-1 2"\nlayer = "{}"\nvalues = "0 2"\n'
    assert judged(row.format("a"), tmp_path)[0].status == "holds"
    assert "has no layer `b`" in faults(row.format("b"), tmp_path)[0].message


def test_a_word_means_what_the_table_says(tmp_path: Path) -> None:
    rows = """
[means]
params = "weights"
[[row]]
arch = "lenet5"
params = "61,470"
all = { printed = "61,706", compute = "params" }
"""
    assert [each.status for each in judged(rows, tmp_path)] == ["holds", "holds"]


def test_a_ratio_is_to_another_net_another_layer_or_another_figure(tmp_path: Path) -> None:
    rows = """
[[row]]
arch = "input 8x8x4; conv 3 8 nobias"
than = "input 8x8x4; conv 3 4 nobias"
params = "2x"
[[row]]
arch = "lenet5"
layer = "C5"
than_layer = "C3"
weights = "20x"
[[row]]
arch = "lenet5"
share = { printed = "96%", compute = "fc_params", per = "params" }
"""
    assert [each.status for each in judged(rows, tmp_path)] == ["holds", "holds", "rounds"]


# ---------------------------------------------------------------- formulas

FORMULA = """[[row]]
arch = "input {{w}}x{{w}}x1; conv {{f}}/{{S}}/{{P}} 1"
each = {{ w = "7..12", f = [1, 3, 5], S = [1, 2], P = "0..2" }}
{where}
height = {{ printed = "?", {cell} }}
"""


def formula(cell: str, folder: Path, where: str = "") -> Outcome:
    return judged(FORMULA.format(cell=cell, where=where), folder)[0]


def test_a_formula_holds_for_every_value_of_its_letters(tmp_path: Path) -> None:
    assert formula('compute = "(w + 2*P - f)//S + 1"', tmp_path).status == "holds"


def test_a_formula_fails_at_the_first_value_for_which_it_is_wrong(tmp_path: Path) -> None:
    found = formula('compute = "(w + 2*P - f + S)//(2*S) * 2"', tmp_path)
    assert found.status == "fails"
    assert found.note == "w = 7, f = 1, S = 1, P = 0: 6 by the formula, 7 by the engine"


def test_a_formula_claims_nothing_of_values_that_are_left_out(tmp_path: Path) -> None:
    cell = 'compute = "w", equals = "height * S + f - S - 2*P"'
    assert formula(cell, tmp_path).status == "fails"
    assert formula(cell, tmp_path, 'where = "(w + 2*P - f) % S == 0"').status == "holds"


def test_a_wrong_formula_is_an_erratum_if_the_right_one_holds(tmp_path: Path) -> None:
    wrong = 'compute = "(w - 2*P - f)//S + 1", erratum = "why"'
    assert formula(wrong + ', right = "(w + 2*P - f)//S + 1"', tmp_path).status == "erratum"
    assert formula(wrong + ', right = "(w + P - f)//S + 1"', tmp_path).status == "fails"
    assert formula(wrong.replace("- 2", "+ 2") + ', right = "(w + 2*P - f)//S + 1"', tmp_path).status == "fails"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('arch = "input {w}x{w}x1; conv 3 1"\neach = { w = "7..9" }\nheight = "w - 2"', "`height` is not a letter"),
        (
            'arch = "input {w}x{w}x1; conv 3 1"\neach = { w = "7..9" }\nwidth = { printed = "", compute = "v - 2" }',
            "`v` is not",
        ),
        (
            'arch = "input {w}x{w}x1; conv 3 1"\neach = { w = "7..9" }\nwhere = "v > 1"\nwidth = "w"',
            "`v` is not a letter",
        ),
        (
            'arch = "input {w}x{w}x1; convv 3 1"\neach = { w = "7..9" }\nwidth = { printed = "", compute = "w" }',
            "`convv`",
        ),
        (
            'arch = "input {w}x{w}x1; conv 3 1"\neach = { w = "1..2" }\nwidth = { printed = "", compute = "w" }',
            "larger than",
        ),
        (
            'arch = "input {w}x{w}x1; id"\neach = { w = [] }\nwidth = { printed = "", compute = "w" }',
            "tried on no case",
        ),
        (
            'each = { a = "1..999", b = "1..999" }\nwhere = "a > 9999"\nwidth = { printed = "", compute = "a" }',
            "at most",
        ),
    ],
)
def test_a_formula_that_cannot_be_tried_is_refused(row: str, message: str, tmp_path: Path) -> None:
    assert message in faults(f"[[row]]\n{row}\n", tmp_path)[0].message


# ---------------------------------------------------------------- the reference page


def test_the_examples_of_the_reference_page_are_tables(tmp_path: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "tables.md").read_text("utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    assert {each.status for each in judged("".join(blocks), tmp_path, "")} == {"holds", "rounds", "erratum"}
