"""Which way of counting gives a printed figure."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.analyses.matching import read_asked
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError


def run(*words: str) -> Result:
    result = CliRunner().invoke(group, ["match", *words], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result


def hits(*words: str) -> list[dict[str, Any]]:
    document = json.loads(run(*words, "--format", "json").output)
    assert document["kind"] == "match"
    return list(document["hits"])


def ways(*words: str) -> list[tuple[set[str], list[int], int | float]]:
    """Of one net: who gives the figure, with which differences, how many times."""
    (hit,) = hits(*words)
    return [
        ({each["rule"] for each in way["rules"]}, [term["value"] for term in way["terms"]], way["factor"])
        for way in hit["figures"]
    ]


def test_a_rounded_figure_names_the_rules_that_round_to_it() -> None:
    assert ways("4.13G", "resnet50") == [({"ptflops"}, [], 1), ({"thop"}, [], 1)]
    assert {"fvcore"} in [rules for rules, _, _ in ways("2.87G", "densenet121")]  # timm's table
    assert ({"torch", "darknet"}, [], 1) not in ways("8.18G", "resnet50")  # darknet's rounds to 8.17
    assert ways("8.18G", "resnet50")[0] == ({"torch"}, [], 1)


def test_a_sum_of_known_differences_gives_keras_resnet() -> None:
    found = ways("25636712", "resnet50")
    assert found[0] == ({"keras", "onnx-tool"}, [26_560], 1)
    assert ({"archcalc"} <= found[1][0], found[1][1:]) == (True, ([53_120, 26_560], 1))
    text = run("25636712", "resnet50").output
    assert "53,120 (buffers of bn: mean and variance) + 26,560 (biases of conv that the net does not have)" in text


@pytest.mark.parametrize(
    ("value", "net", "rule", "terms"),
    [
        ("25,610,152", "resnet50", "keras", []),
        ("8062504", "densenet121", "keras", []),
        ("25556032", "resnet50", "archcalc", [-1_000]),  # deepdetect#261: the classifier's bias forgotten
        ("3858026368", "resnet50_v1", "archcalc", [53_120]),  # the same: BN by its parameters
        ("4133742592", "resnet50", "thop", []),
        ("macs=4089184256", "resnet50", "torchvision", []),
        ("4.4508G", "resnet50", "onnx-tool", []),
        ("177831744 bytes=177831744", "resnet50", "torchinfo", []),
    ],
)
def test_published_figures_are_found(value: str, net: str, rule: str, terms: list[int]) -> None:
    figures = value.split()[-1]
    assert any(rule in rules and added == terms for rules, added, _ in ways(figures, net))


def test_a_figure_may_be_doubled_or_trained_or_of_a_batch() -> None:
    # calflops' README prints AlexNet as 4.2892 GFLOPS, three times what its docstring does
    (rules, terms, factor), *_ = ways("4.2892G", "alexnet_owt")
    assert (rules, terms, factor) == ({"calflops"}, [], 3)
    assert ways("32713474048", "resnet50")[0][2] == 8  # 8 * 4,089,184,256
    (_, _, half), *_ = ways("2044592128", "resnet50")
    assert half == 0.5


def test_nets_and_sizes_are_searched() -> None:
    found = hits("4.1G params=25.6M")
    assert "resnet50" in {hit["arch"] for hit in found}
    assert all({way["figure"] for way in hit["figures"]} == {"4.1G", "params=25.6M"} for hit in found)
    # on 256x256 every convolution has (256/224)^2 as many places: 64/49 of 4,087,136,256, and the 2,048,000 of fc
    (other,) = hits("5340348416", "resnet50", "--rule", "archcalc")
    assert other["input"] == [256, 256, 3]


def test_the_net_that_one_rule_gives_all_figures_of_comes_first() -> None:
    # preresnet50 has 25,595,048 only with its buffers, and of these rules none rounds to 4.1G
    assert [hit["arch"] for hit in hits("4.1G params=25.6M")] == ["resnet50", "preresnet50"]
    assert hits("params=25.6M")[0]["arch"] == "resnet50"


@pytest.mark.parametrize(
    ("value", "net", "agreement", "rules"),
    [
        ("4.11", "resnet50", "rounds to, in G", {"fvcore"}),  # timm's table
        ("15.47", "vgg16", "rounds to, in G", {"fvcore", "thop", "archcalc"}),  # the same
        ("3.86 GFLOPs", "resnet50_v1", "rounds to", {"paper"}),  # Hu et al. 2017, sec. 3.2
        ("params=4.2", "mobilenet_v1", "rounds to, in M", {"archcalc"}),  # Howard et al. 2017, Table 6
    ],
)
def test_the_unit_may_stand_in_a_heading(value: str, net: str, agreement: str, rules: set[str]) -> None:
    way = hits(value, net)[0]["figures"][0]
    assert (way["agreement"], rules - {each["rule"] for each in way["rules"]}) == (agreement, set())
    assert "rounds, in G, fvcore FLOPs" in run("4.11", "resnet50").output
    assert "nearest: 3.86: 3,948,251,904 by touched MACs, +2.29%" in run("3.86", "resnet50").output


def test_a_layer_left_out_is_easier_to_believe_than_half_of_a_rule() -> None:
    first, second, *_ = ways("15.3e9", "vgg16")  # He et al. 2015, sec. 3.3: VGG-16 without its fc
    assert (first[1:], "paper" in first[0]) == (([-123_633_664], 1), True)
    assert second == ({"darknet"}, [], 0.5)


def test_parameters_are_not_told_again_as_bytes() -> None:
    assert all("int8" not in each["unit"] for way in hits("61100840")[0]["figures"] for each in way["rules"])
    assert hits("memory=61100840")[0]["figures"][0]["rules"][0]["unit"] == "params in int8"


def test_a_figure_cut_off_is_told_from_one_rounded() -> None:
    (hit,) = hits("3.85G", "resnet50_v1", "--rule", "archcalc")
    assert [way["agreement"] for way in hit["figures"]] == ["is cut off to"]
    (hit,) = hits("3.86G", "resnet50_v1", "--rule", "archcalc")
    assert [way["agreement"] for way in hit["figures"]] == ["rounds to"]


def test_bytes_are_memory() -> None:
    (hit,) = hits("58.1MiB", "vgg16")
    assert {each["unit"] for way in hit["figures"] for each in way["rules"]} == {"activations in float32"}
    assert hits("528MiB", "vgg16")[0]["figures"][0]["base"] == 4 * 138_357_544


@pytest.mark.parametrize(
    ("value", "net", "base", "unit"),
    [
        ("93MB", "vgg16", 4 * 24_352_744, "with_inputs in float32"),  # CS231n, the table of VGGNet
        ("58MB", "vgg16", 60_348_320, "bytes"),  # convnet-burden's README
        ("528 MB", "vgg16", 4 * 138_357_544, "params in float32"),  # Keras Applications
        ("98 MB", "resnet50", 4 * 25_610_152, "params and buffers in float32"),  # the same
    ],
)
def test_many_print_mb_where_they_mean_mib(value: str, net: str, base: int, unit: str) -> None:
    way = hits(value, net)[0]["figures"][0]
    assert (way["base"], way["rules"][0]["unit"], way["agreement"]) == (base, unit, "rounds to, MB for MiB")
    assert "rounds, MB for MiB, " in run(value, net).output
    assert "MB for MiB" not in run("60.95MB", "vgg16").output  # 10^6


@pytest.mark.parametrize("value", ["15237608", "24352744", "24M", "177831744"])
def test_activations_and_bytes_need_no_name(value: str) -> None:
    net = "resnet50" if value == "177831744" else "vgg16"
    (hit,) = hits(value, net)
    assert hit["input"] == [224, 224, 3]
    assert {each["rule"] for each in hit["figures"][0]["rules"]} <= {"archcalc", "lecture", "torchinfo"}


def test_lines_are_broken_where_there_is_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run("25636712", "resnet50").output
    monkeypatch.setenv("COLUMNS", "60")
    lines = run("25636712", "resnet50").output.splitlines()
    assert max(map(len, lines)) <= 60
    assert "".join(whole.split()) == "".join("".join(lines).split())


def test_python_has_it_too() -> None:
    (net,) = archcalc.match(25636712, "resnet50").hits
    assert [term.value for term in net.matches[0][0].terms] == [26_560]
    assert {net.net for net in archcalc.match("4.1G params=25.6M").hits} == {"resnet50", "preresnet50"}
    assert not archcalc.match("1.11G", "resnet50", rule="thop").hits


def test_what_is_in_no_way_found_exits_with_1_and_the_nearest() -> None:
    result = run("1.11G", "resnet50")
    assert result.return_value == 1
    assert "in no way found, in `resnet50`, and on images of 224" in result.output
    assert "nearest: 1.11G: 3,948,251,904 by touched MACs, +255.70%" in result.output
    assert "nearest: 1: 53,120 by archcalc buffers, 53,120 times as much" in run("1", "resnet50").output
    assert "by archcalc flops, 1/596 of it" in run("4.9TFLOPs", "resnet50").output
    assert run("4.13G", "resnet50").return_value == 0


def test_a_net_without_parameters_has_figures_to_look_for() -> None:
    assert ways("48", "input 4x4x3")[0] == ({"archcalc", "lecture"}, [], 1)
    assert run("49", "input 4x4x3").return_value == 1


def test_an_exact_figure_has_to_come_out_exactly() -> None:
    assert run("4133742593", "resnet50", "--rule", "thop").return_value == 1
    assert run("4133742592", "resnet50", "--rule", "thop").return_value == 0


def test_the_other_formats_hold_the_same() -> None:
    rows = run("4.13G", "resnet50", "--format", "csv").output.splitlines()
    assert len(rows) == 3
    assert "thop MACs" in run("4.13G", "resnet50", "--format", "md").output


@pytest.mark.parametrize(
    ("text", "value", "kinds"),
    [
        ("4.13G", 4_130_000_000, ("cost", "params", "activations")),
        ("4.13 GFLOPs", 4_130_000_000, ("cost",)),
        ("25.6M params", 25_600_000, ("params",)),
        ("params = 25.6M", 25_600_000, ("params",)),
        ("25,557,032", 25_557_032, ("cost", "params", "activations", "bytes")),
        ("8.174 BFLOPs", 8_174_000_000, ("cost",)),
        ("4.09 G mult-adds", 4_090_000_000, ("cost",)),
        ("25.6 million params", 25_600_000, ("params",)),
        ("3.8 bn FLOPs", 3_800_000_000, ("cost",)),
        ("714.188 MMACs", 714_188_000, ("cost",)),
        ("mult-adds=4.09G", 4_090_000_000, ("cost",)),
        ("97.5 MiB", 102_236_160, ("bytes",)),
        ("memory=97.5MB", 97_500_000, ("bytes",)),
        ("3.8 billion", 3_800_000_000, ("cost", "params", "activations")),
        ("FLOPs=3.8B", 3_800_000_000, ("cost",)),
    ],
)
def test_figures_are_read_as_people_write_them(text: str, value: int, kinds: tuple[str, ...]) -> None:
    (found,) = read_asked(text)
    assert (found.printed.value, found.kinds) == (value, kinds)


def test_several_figures_are_read() -> None:
    assert [each.text for each in read_asked("4.1 G params=25.6M 58MiB")] == ["4.1G", "params=25.6M", "58MiB"]


@pytest.mark.parametrize(
    "value", ["", "4.1X", "foo=3", "0", "=", "params=", "5%", "1e3000", "G", "9" * 60, "é", "1..2", "1e400", "1e-300"]
)
def test_what_is_no_figure_is_refused(value: str) -> None:
    with pytest.raises(SpecError):
        run(value, "resnet50")


def test_an_unknown_net_or_rule_is_refused() -> None:
    with pytest.raises(SpecError, match="there is no net"):
        run("4G", "resnet51")
    with pytest.raises(SpecError, match="unknown counting rule"):
        run("4G", "resnet50", "--rule", "thopp")
