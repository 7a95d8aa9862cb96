"""Rules of counting by name."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError


def output(*words: str) -> str:
    result = CliRunner().invoke(group, ["count", *words], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.output


def values(*words: str) -> dict[str, int]:
    found = json.loads(output(*words, "--format", "json"))
    assert found["kind"] == "count"
    return {each["rule"]: each["value"] for each in found["counts"]}


def test_all_rules_stand_side_by_side() -> None:
    macs = 4_089_184_256  # what torchvision prints as 4.09 GFLOPS
    found = values("resnet50")
    assert (found["archcalc"], found["torchvision"], found["lecture"]) == (macs, macs, macs)
    assert found["touched"] < macs


def test_a_window_over_padding_multiplies_zeros() -> None:
    net = "input 7x7x512; conv 3/1/1 512"
    # per row 3 taps at 7 places less 1 at each end: 19 of 21, squared 361 of 441
    assert values(net, "--rule", "touched") == {"touched": 361 * 512 * 512}
    assert values(net, "--rule", "archcalc") == {"archcalc": 441 * 512 * 512}
    assert "difference  20,971,520 fewer than ours, 18.1%" in output(net, "--rule", "touched")


def test_a_batch_multiplies() -> None:
    assert values("vgg16", "--batch", "3")["archcalc"] == 3 * 15_470_264_320


def test_a_rule_can_be_expected_and_asked_of_a_layer() -> None:
    text = "input 7x7x512; c: conv 3/1/1 512; expect macs[touched] = 94_633_984; expect c.macs[touched] = 94_633_984"
    assert "conv 3/1/1 512" in output(text, "--rule", "touched")
    result = CliRunner().invoke(group, ["verify", text], standalone_mode=False)
    assert (result.exception, result.return_value) == (None, 0)


@pytest.mark.parametrize("rule", ["toched", "", "ALL", "archcalc,touched", "../x", "é" * 500])
def test_an_unknown_rule_is_refused(rule: str) -> None:
    with pytest.raises(SpecError, match="unknown counting rule"):
        output("vgg16", "--rule", rule)


def test_zeros_are_counted_on_numbers_only() -> None:
    with pytest.raises(SpecError, match="padding zeros are counted on numbers"):
        output("input HxWx3; conv 3/1/1 8", "--rule", "touched")
