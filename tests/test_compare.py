"""Nets side by side: their sums, stages and sentences, and the faults of a line-up."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.analyses.comparison import SORTS, Comparison, Member, compare, stages_of
from archcalc.cli.comparison import SORTS as OFFERED
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError
from archcalc.library import zoo
from archcalc.lineup import gather, refuse_twins
from archcalc.render.comparisons import Ratio

LECTURE = ("alexnet", "vgg16", "googlenet")


def compared(*archs: str, depth: int = 1, sort: str | None = None, size: str | None = None) -> Comparison:
    return compare([each.measured for each in refuse_twins(gather(archs, size))], depth, sort)


def member(name: str, depth: int = 1) -> Member:
    return compared(name, depth=depth).members[0]


def invoke(*words: str, columns: int | None = 200, input: str | None = None) -> Result:
    environment = {"NO_COLOR": "1", "COLUMNS": str(columns or "")}
    return CliRunner().invoke(group, ["compare", *words], standalone_mode=False, env=environment, input=input)


def shown(*words: str, columns: int | None = 200) -> str:
    result = invoke(*words, columns=columns)
    if result.exception:
        raise result.exception
    return " ".join(result.output.split())


def refused(*words: str) -> str:
    result = invoke(*words)
    assert isinstance(result.exception, SpecError)
    return str(result.exception)


# ---------------------------------------------------------------- sums


def test_the_claims_of_the_lecture_are_said_from_the_sums() -> None:
    # 62,378,344 / 6,998,552 = 8.9 and 1,582,671,872 / 1,135,256,096 = 1.4: "fewer params than AlexNet, more compute"
    assert (
        "googlenet has 8.9 times fewer parameters than alexnet, but 1.4 times the multiply-adds and 4.8 times the "
        "activations"
    ) in shown(*LECTURE)
    # the paper trained it in two groups: 60,965,224 / 6,998,552 = 8.7, and not 12 as it says
    assert "8.7 times fewer parameters than alexnet_grouped, but 2.2 times the" in shown("alexnet_grouped", "googlenet")


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        ("resnet50", "resnet50_v1", "as many parameters as resnet50, but 5.7% fewer multiply-adds and 3.7% fewer"),
        ("vgg16", "vgg19", "3.8% more parameters than vgg16, 1.3 times the multiply-adds and 8.6% more activations"),
        ("vgg16", "vgg16_bn", "8,448 more parameters than vgg16, but as many multiply-adds, but 1.9 times the"),
    ],
)
def test_small_differences_are_told_in_percent_and_none_as_none(first: str, second: str, sentence: str) -> None:
    assert f"{second} has {sentence}" in shown(first, second)


def test_nets_without_parameters_are_told_as_such() -> None:
    said = shown("lenet5", "arch bare; input 8x8x1; pool 2")
    assert "bare has no parameters beside 61.71K of lenet5, no multiply-adds and" in said
    said = shown("arch bare; input 8x8x1; pool 2", "lenet5")
    assert "lenet5 has 61.71K parameters beside none of bare, 416.5K multiply-adds and" in said


def test_the_layers_are_those_that_papers_count() -> None:
    found = compared("alexnet", "vgg16", "vgg19", "googlenet", "resnet50", "resnet152").members
    assert [each.weighted_layers for each in found] == [8, 16, 19, 22, 50, 152]


@pytest.mark.parametrize(
    ("key", "order"),
    [
        ("params", ["googlenet", "alexnet", "vgg16"]),
        ("macs", ["alexnet", "googlenet", "vgg16"]),
        ("flops", ["alexnet", "googlenet", "vgg16"]),
        ("memory", ["alexnet", "googlenet", "vgg16"]),
        ("name", ["alexnet", "googlenet", "vgg16"]),
    ],
)
def test_nets_are_sorted_from_small_to_large_and_ratios_stay_with_the_first_named(key: str, order: list[str]) -> None:
    found = compared("vgg16", "googlenet", "alexnet", sort=key)
    assert [each.name for each in found.members] == order
    assert found.base.name == "vgg16"
    assert "ratios to vgg16" in shown("vgg16", "googlenet", "alexnet", "--sort", key)


def test_nets_of_no_year_come_after_those_of_one() -> None:
    found = compared("arch bare; input 8x8x1; fc 1", "resnet50", "lenet5", sort="year")
    assert [each.year for each in found.members] == [1998, 2015, None]


def test_every_order_that_there_is_is_offered() -> None:
    assert tuple(SORTS) == OFFERED


@pytest.mark.parametrize(
    ("value", "base", "text"),
    [(3, 3, "1x"), (995, 1000, "1.0x"), (994, 1000, "0.99x"), (0, 3, "0.0x"), (3, 0, "-"), (2000, 2, "1,000x")],
)
def test_ratios_have_two_digits(value: int, base: int, text: str) -> None:
    assert str(Ratio(value, base)) == text


# ---------------------------------------------------------------- stages

# VGG-16 by hand: 150,528 values of the image and 2 * 224*224*64 of conv1; fc6, fc7, fc8 of 102,764,544, 16,781,312 and
# 4,097,000 parameters.
VGG16_MEMORY = [6_573_056, 4_014_080, 2_809_856, 1_404_928, 401_408, 25_088, 9_192]
VGG16_PARAMS = [38_720, 221_440, 1_475_328, 5_899_776, 7_079_424, 0, 123_642_856]


def test_the_stages_of_vgg16_add_up_to_what_is_found_by_hand() -> None:
    stages = member("vgg16").stages
    assert [stage.scale for stage in stages] == [0, 1, 2, 3, 4, 5, None]
    assert [stage.number("activations") for stage in stages] == VGG16_MEMORY
    assert [stage.number("params") for stage in stages] == VGG16_PARAMS


def test_the_stages_of_resnet50_are_its_groups() -> None:
    stages = {stage.scale: [part.name for part in stage.parts] for stage in member("resnet50").stages}
    assert stages[2] == ["pool1", "conv2_x"]
    assert [stages[scale] for scale in (3, 4, 5)] == [["conv3_x"], ["conv4_x"], ["conv5_x"]]
    assert stages[None] == ["gap1", "fc1"]


@pytest.mark.parametrize("name", sorted(zoo())[::7])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_no_layer_is_lost_between_the_stages(name: str, depth: int) -> None:
    found = member(name, depth)
    for key in ("layers", "activations", "params", "macs", "flops", "buffers"):
        assert sum(stage.number(key) for stage in found.stages) == found.number(key)


def test_227_and_224_are_at_one_resolution() -> None:
    found = {each.name: {stage.scale: stage.output for stage in each.stages} for each in compared(*LECTURE).members}
    assert (found["alexnet"][2].h, found["vgg16"][2].h, found["googlenet"][2].h) == (55, 56, 56)
    assert (found["alexnet"][5].h, found["vgg16"][5].h, found["googlenet"][5].h) == (6, 7, 7)


def test_a_group_that_spans_many_sizes_is_counted_by_its_parts() -> None:
    halves = "block halves { conv 3/2/1 8; conv 3/2/1 8; conv 3/2/1 8 }"
    found = archcalc.load(f"{halves}; arch a {{ input 64x64x3; all: halves() }}").analyze()
    assert [stage.scale for stage in stages_of(found.report, 1)] == [0, 1, 2, 3]
    halves = "block halves { conv 3/1/1 8; conv 3/2/1 8 }"
    found = archcalc.load(f"{halves}; arch a {{ input 64x64x3; all: halves() }}").analyze()
    assert [[part.name for part in stage.parts] for stage in stages_of(found.report, 1)] == [["input"], ["all"]]


def test_what_a_net_enlarges_is_finer_than_its_input() -> None:
    stages = stages_of(archcalc.load("input 8x8x3; deconv 2/2 4; deconv 2/2 4").analyze().report, 1)
    assert [(stage.scale, str(stage.output)) for stage in stages] == [
        (-2, "32x32x4"),
        (-1, "16x16x4"),
        (0, "8x8x3"),
    ]


def test_the_two_facts_of_the_lecture_stand_below_the_stages() -> None:
    said = shown("vgg16", "alexnet")
    assert "most memory vgg16 43% at 1/1, alexnet 41% at 1/4" in said  # early: 6,573,056 of 15,237,608
    assert "most params vgg16 89% at 1x1, alexnet 94% at 1x1" in said  # late: 123,642,856 of 138,357,544


def test_stretches_of_layers_are_named_by_their_ends() -> None:
    said = shown("vgg16", "enet")
    assert "conv3_1..conv3_3" in said
    assert "down1..stage1, up4..stage4" in said  # down and, much later, up again


# ---------------------------------------------------------------- formats


def test_json_has_exact_sums_and_stages() -> None:
    result = invoke("vgg16", "resnet50", "--format", "json", "--batch", "2", "--dtype", "float16")
    found: dict[str, Any] = json.loads(result.output)
    assert (found["kind"], found["base"], found["batch"], found["dtype"]) == ("compare", "vgg16", 2, "float16")
    first = found["archs"][0]
    assert (first["arch"], first["year"], first["input"], first["weighted_layers"]) == (
        "vgg16",
        2014,
        [224, 224, 3],
        16,
    )
    assert (first["params"], first["macs"]) == (138_357_544, 2 * 15_470_264_320)
    assert (first["activations"], first["bytes"]) == (2 * 15_237_608, 2 * 2 * 15_237_608)
    assert [stage["params"] for stage in first["stages"]] == VGG16_PARAMS
    assert [stage["scale"] for stage in first["stages"]] == ["1/1", "1/2", "1/4", "1/8", "1/16", "1/32", "1x1"]


def test_csv_has_the_sums_alone() -> None:
    rows = list(csv.DictReader(io.StringIO(invoke("vgg16", "resnet50", "--format", "csv").output)))
    assert [(row["arch"], row["params"], row["bytes"]) for row in rows] == [
        ("vgg16", "138357544", "60950432"),
        ("resnet50", "25557032", "112406432"),
    ]
    assert not any("ratio" in key for key in rows[0])


def test_markdown_has_both_tables() -> None:
    text = invoke("vgg16", "resnet50", "--format", "md").output
    assert "| vgg16 | 2014 | 224x224x3 | 16 | 138.4M | 1x |" in text
    assert "**stage by stage**" in text


def test_for_papers_there_are_the_sums_and_the_stages() -> None:
    text = invoke("vgg16", "resnet50", "--format", "latex").output
    assert r"vgg16 & 2014 & $224 \times 224 \times 3$ & 16 & 138.4M & 1x" in text
    assert text.count(r"\begin{tabular}") == 2
    assert r"1/2 & vgg16 & $112 \times 112 \times 128$ & conv2\_1..conv2\_2 & 15.3 MiB & 26\%" in text
    assert "█" not in text


def test_a_page_has_the_sums_the_bars_and_the_stages() -> None:
    text = invoke("vgg16", "resnet50", "--format", "html").output
    assert text.count("<table") == 3
    assert re.findall("<h[12]>([^<]*)", text) == [
        "2 nets, float32; ratios to vgg16",
        "beside the largest",
        "stage by stage",
    ]
    assert text.count(">1/2</td>") == 2, "each row says its stage: rows may be sorted"
    assert 'title="6,573,056 of 15,237,608"' in text
    assert "vgg16 52% at" not in text
    assert "█" not in text


def test_ratios_sort_as_numbers_on_a_page() -> None:
    text = invoke("vgg16", "resnet50", "googlenet", "--format", "html").output
    found = re.findall('data-value="([^"]*)">([0-9.]*)x</td>', text)
    assert [f"{told}x" for _, told in found[::3]] == ["1x", "0.18x", "0.051x"]
    assert [float(order) for order, _ in found[::3]] == [1, 25_557_032 / 138_357_544, 6_998_552 / 138_357_544]


@pytest.mark.parametrize("columns", [40, 80, 160])
def test_no_line_is_wider_than_the_terminal(columns: int) -> None:
    for nets in (LECTURE, ("alexnet_grouped", "densenet_bc190_40_cifar", "resnext101_64x4d")):
        assert max(map(len, invoke(*nets, columns=columns).output.splitlines())) <= columns


def test_on_a_very_narrow_screen_the_rows_keep_their_names() -> None:
    lines = invoke(*LECTURE, columns=40).output.splitlines()
    assert sum(line.startswith(("alexnet ", "vgg16 ", "googlenet ")) for line in lines) == 6


def test_it_is_told_which_net_comes_next() -> None:
    heard: list[tuple[str, int, int]] = []
    gather(LECTURE, None, lambda *told: heard.append(told))
    assert heard == [("alexnet", 0, 3), ("vgg16", 1, 3), ("googlenet", 2, 3)]


def test_groups_and_the_three_shares_have_room_in_80_columns() -> None:
    assert "stage net layers and groups of memory of params of MACs" in shown(*LECTURE, columns=80)


def test_bars_are_drawn_beside_the_largest() -> None:
    said = shown("vgg16", "resnet50")
    assert "vgg16 100% ████████████ 100% ████████████ 54% ██████▌" in said
    assert "resnet50 18% ██▎ 26% ███▏ 100% ████████████" in said


def test_one_net_has_no_ratios_and_no_bars() -> None:
    said = shown("vgg16")
    assert "ratio" not in said
    assert "beside the largest" not in said


def test_many_nets_are_told_by_their_extremes() -> None:
    names = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "vgg16", "lenet5", "googlenet"]
    said = shown(*names)
    assert "parameters from 61.71K (lenet5) to 138.4M (vgg16): 2,242x" in said
    assert " has " not in said


def test_a_batch_multiplies_what_it_multiplies() -> None:
    said = shown("vgg16", "--batch", "2", "--exact")
    assert "138,357,544 30,940,528,640" in said
    assert "1 net, float32, batch 2" in said


def test_all_nets_get_the_input() -> None:
    assert [str(each.input) for each in compared("vgg16", "resnet50", size="192x192x3").members] == ["192x192x3"] * 2


# ---------------------------------------------------------------- names

TEXT = "arch mine { input 8x8x3; fc 3 }"


def test_nets_of_one_name_in_two_files_are_told_apart_by_their_files(tmp_path: Path) -> None:
    paths = [tmp_path / "a.arch", tmp_path / "b.arch"]
    for path in paths:
        path.write_text(TEXT, "utf-8")
    names = [f"{path}" for path in paths]
    assert [each.name for each in gather(names)] == names
    found = json.loads(invoke(*names, "vgg16", "--format", "json").output)
    assert [each["arch"] for each in found["archs"]] == [*names, "vgg16"]


def test_standard_input_is_told_apart_from_a_text() -> None:
    result = invoke("-", "input 8x8x3; fc 4", "--format", "json", input="input 8x8x3; fc 3")
    assert [each["arch"] for each in json.loads(result.output)["archs"]] == ["<stdin>", "net"]


def test_arguments_are_part_of_a_name() -> None:
    names = ["densenet121", "densenet121(k=24)", "densenet121(k=12 + 12)"]
    assert [each.name for each in compared(*names).members] == names


def test_two_nets_of_one_name_and_source_are_refused() -> None:
    assert refused("vgg16", "vgg16", "resnet50") == (
        "error: there is a net `vgg16` twice\n"
        "help: leave one out, or give it other arguments: `archcalc show vgg16` has them"
    )
    assert refused("input 8x8x3; fc 3", "input 8x8x3; fc 4", "input 8x8x3; fc 5") == (
        'error: there is a net `net` 3 times\nhelp: give each a name of its own: "arch first; input 32x32x3; conv 3 8"'
    )


def test_the_help_for_texts_of_one_name_helps() -> None:
    names = ["arch first; input 32x32x3; conv 3 8", "arch second; input 32x32x3; conv 3 16"]
    assert [each.name for each in compared(*names).members] == ["first", "second"]


def test_the_faults_of_all_nets_come_at_once() -> None:
    told = refused("vgg61", "input 8x8x3; maxpol 2", "nope.arch")
    assert "did you mean `vgg16`?" in told
    assert "did you mean `maxpool`?" in told
    assert "cannot read `nope.arch`" in told


def test_symbols_are_refused_and_numbers_for_them_help() -> None:
    assert refused("vgg16", "input HxWx3; conv 3 8") == (
        "error: `net` has symbols in its input HxWx3: only numbers can be compared\n"
        "help: give it one in numbers: `--input 224x224x3`"
    )
    assert compared("vgg16", "input HxWx3; conv 3 8", size="224x224x3").members[1].number("params") == 224


def test_no_net_is_a_fault_of_usage() -> None:
    assert CliRunner().invoke(group, ["compare"]).exit_code == 2


def test_a_rule_counts_all_nets_and_says_so() -> None:
    result = shown("resnet50", "vgg16", "--rule", "torch")
    assert "vgg16 has 5.4 times the parameters of resnet50 and 3.8 times the FLOPs, but" in result
    assert "rule torch: 2 a multiply-add" in result
    assert "MACs by the rule, printed as FLOPs" in result
    found = archcalc.compare("resnet50", "vgg16", "densenet121", rule="thop").members
    assert [net.totals.macs for net in found] == [4_133_742_592, 15_470_264_320, 2_897_007_104]  # measured with thop


@pytest.mark.parametrize("rule", ["darknet", "onnx-tool"])
def test_a_rule_changes_no_depth(rule: str) -> None:
    (one,) = archcalc.compare("vgg16_bn", rule=rule).members  # fc free, and BN counted
    assert one.weighted_layers == 16


def test_json_names_the_rule() -> None:
    document = json.loads(shown("vgg16", "resnet50", "--rule", "torch", "--format", "json"))
    assert (document["rule"], document["archs"][1]["macs"]) == ("torch", 8_178_368_512)
    assert json.loads(shown("vgg16", "--format", "json"))["rule"] == "archcalc"


def test_python_has_it_too() -> None:
    found = archcalc.compare(*LECTURE, sort="params")
    assert [each.name for each in found.members] == ["googlenet", "alexnet", "vgg16"]
    with pytest.raises(ValueError, match="name one net or more"):
        archcalc.compare()
    with pytest.raises(ValueError, match="sort by one of params, macs"):
        archcalc.compare("vgg16", sort="size")
    with pytest.raises(SpecError, match="twice"):
        archcalc.compare("vgg16", "vgg16")
