"""The block tables of papers, from the graph: what they print of their nets is what is printed here."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from archcalc.analyses.costs import measure
from archcalc.analyses.stages import divide
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError
from archcalc.library import load, zoo_nets
from archcalc.render import blocks
from archcalc.render.costs import Setting


def told(arch: str, depth: int = 1) -> dict[str, tuple[str, str]]:
    """Output and layers of each stage."""
    built = load(arch).build()
    table = blocks.block_table(measure(built.graph, built.assumptions), "", Setting(), depth)
    return {row.cells[0]: (str(row.cells[1]), str(row.cells[2])) for row in table.rows}


def test_resnet18_and_50_are_as_in_table_1_of_their_paper() -> None:
    """He, Zhang, Ren & Sun 2015, Table 1, columns 18-layer and 50-layer."""
    small, large = told("resnet18"), told("resnet50")
    assert small["conv1"] == ("112x112x64", "7×7, 64, stride 2")
    assert small["pool1"] == ("56x56x64", "3×3 maxpool, stride 2")
    assert small["conv2_x"] == ("56x56x64", "[3×3, 64; 3×3, 64] × 2")
    assert small["conv5_x"] == ("7x7x512", "[3×3, 512; 3×3, 512] × 2")
    assert large["conv2_x"] == ("56x56x256", "[1×1, 64; 3×3, 64; 1×1, 256] × 3")
    assert large["conv3_x"] == ("28x28x512", "[1×1, 128; 3×3, 128; 1×1, 512] × 4")
    assert large["conv4_x"] == ("14x14x1024", "[1×1, 256; 3×3, 256; 1×1, 1024] × 6")
    assert large["conv5_x"] == ("7x7x2048", "[1×1, 512; 3×3, 512; 1×1, 2048] × 3")


def test_resnext50_has_its_groups() -> None:
    """Xie et al. 2016, Table 1, right column: C=32."""
    assert told("resnext50_32x4d")["conv2_x"][1] == "[1×1, 128; 3×3, 128, 32 groups; 1×1, 256] × 3"


def test_densenet121_repeats_6_12_24_16_and_halves_between() -> None:
    """Huang et al. 2016, Table 1, k = 32."""
    found = told("densenet121")
    counts = [found[f"denseblock{i}"][1].rpartition(" ")[2] for i in range(1, 5)]
    assert counts == ["6", "12", "24", "16"]
    assert found["transition1"] == ("28x28x128", "[1×1, 128; 2×2 avgpool, stride 2]")


def test_an_inception_has_its_branches_side_by_side() -> None:
    """Szegedy et al. 2014, Table 1, inception (3a)."""
    wanted = "[1×1, 64 | 1×1, 96; 3×3, 128 | 1×1, 16; 5×5, 32 | 3×3 maxpool; 1×1, 32]"
    assert told("googlenet")["inception3a"] == ("28x28x256", wanted)


def test_mobilenet_says_what_is_depthwise() -> None:
    """Howard et al. 2017, Table 1: 5 times `3x3x512 dw`, `1x1x512x512`."""
    found = told("mobilenet_v1")
    assert found["conv3"][1] == "[3×3 depthwise, 64, stride 2; 1×1, 128]"
    assert found["conv8_12"][1] == "[3×3 depthwise, 512; 1×1, 512] × 5"


def test_what_changes_nothing_that_papers_tell_is_left_out() -> None:
    assert told("input 8x8x3; conv 3/1/1 4; bn; relu; dropout; pool 2; fc 10; softmax") == {
        "conv1": ("8x8x4", "3×3, 4"),
        "pool1": ("4x4x4", "2×2 maxpool, stride 2"),
        "fc1": ("1x1x10", "fc 10"),
    }


def test_a_block_with_very_many_ways_is_told_as_a_list_of_its_layers() -> None:
    fork = "concat { conv 1 4 | conv 3/1/1 4 }"
    few, many = (told(f"block b {{ {'; '.join([fork] * n)} }}\ninput 8x8x3; a: b()")["a"] for n in (3, 4))
    assert few[1].count("|") == 2**3 - 1
    assert many == ("8x8x8", f"[{'; '.join(['1×1, 4; 3×3, 4'] * 4)}]")


@pytest.mark.parametrize("net", list(zoo_nets()), ids=lambda net: net.name)
def test_no_multiply_add_of_the_zoo_is_lost_between_stages(net: object) -> None:
    report = measure(net.build().graph)  # type: ignore[attr-defined]
    table = blocks.block_table(report, "", Setting())
    assert sum(row.cells[4] for row in table.rows) == report.total().macs
    assert table.totals is not None
    assert table.totals.cells[3:] == (report.total().params, report.total().macs)


@pytest.mark.parametrize("format_", ["table", "csv", "md", "latex", "html"])
def test_the_table_leaves_in_every_format(format_: str) -> None:
    result = CliRunner().invoke(group, ["table", "resnet18", "--style", "paper", "--format", format_])
    layer = r"\text{3\ensuremath{\times}3, 64}"
    stacked = rf"$\left[\begin{{array}}{{c}} {layer} \\ {layer} \end{{array}}\right] \times 2$"
    assert result.exit_code == 0
    assert (stacked if format_ == "latex" else "[3×3, 64; 3×3, 64] × 2") in result.output


def test_branches_stand_side_by_side_in_latex() -> None:
    (stage,) = divide(measure(load("inception3a").build().graph))
    ways = [
        ("1, 64", "1, 96", "1, 16", "3 maxpool"),
        ("", "3, 128", "5, 32", "1, 32"),
    ]
    lines = (" & ".join(rf"\text{{{w[0]}\ensuremath{{\times}}{w}}}" if w else "" for w in way) for way in ways)
    inside = r" \\ ".join(lines)
    assert blocks.Told(stage.blocks).latex == rf"\left[\begin{{array}}{{c|c|c|c}} {inside} \end{{array}}\right]"


def test_deeper_stages_are_groups_of_that_depth() -> None:
    found = told("resnet18", depth=2)
    assert found["conv3_x"] == ("28x28x128", "[3×3, 128, stride 2; 3×3, 128]")
    assert found["conv3_x.1"] == ("28x28x128", "[3×3, 128; 3×3, 128]")


def invoke(*words: str) -> Result:
    return CliRunner().invoke(group, ["table", "resnet18", "--style", "paper", *words])


def test_columns_are_chosen_among_those_of_the_style() -> None:
    assert invoke("--columns", "layer,block", "--format", "csv").output.splitlines()[1] == 'conv1,"7×7, 64, stride 2"'
    result = invoke("--columns", "layer,blok")
    assert str(result.exception) == "error: there is no column `blok`\nhelp: did you mean `block`?"


def test_no_depth_at_all_is_refused() -> None:
    result = invoke("--depth", "0")
    assert isinstance(result.exception, SpecError)
    assert "has a row for each stage: its `--depth` is at least 1" in str(result.exception)


def test_symbols_stay_symbols() -> None:
    assert told("input HxWx3; conv 3/2/1 8; pool 2")["conv1"] == ("ceil(H/2) x ceil(W/2) x 8", "3×3, 8, stride 2")
