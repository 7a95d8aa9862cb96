"""What changed between two nets: the alignment, the steps, their sums, and how they are told."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses import alignment
from archcalc.analyses.alignment import align
from archcalc.analyses.costs import Report, Totals, measure
from archcalc.analyses.differences import OWN, Difference, Step, diff
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError
from archcalc.library import load, zoo_nets


def report(text: str) -> Report:
    return measure(load(text).build().graph)


def differing(before: str, after: str, depth: int | None = None) -> Difference:
    found = diff(report(before), report(after), depth)
    keeps_the_laws(found)
    return found


def keeps_the_laws(found: Difference) -> None:
    """Each layer is in one pair, in order, and the steps account for every unit of the difference."""
    for side, rows in ((0, found.before.rows), (1, found.after.rows)):
        assert [pair[side] for pair in found.pairs if pair[side] is not None] == list(range(len(rows)))
    stepped = [pair for step in found.steps for pair in step.pairs]
    assert len(stepped) == len(set(stepped))
    sums = Totals(*(sum(column) for column in zip(Totals(0), *(step.delta for step in found.steps), strict=True)))  # type: ignore[arg-type]
    assert sums == found.delta
    for at, step in enumerate(found.steps):
        assert (step.kind in OWN) == (step.cause is None)
        assert step.cause is None or (step.cause < at and found.steps[step.cause].kind in OWN)
        assert step.kind in OWN or step.kind == "follows"


def told(step: Step) -> tuple[str, tuple[str, ...], Any, Any]:
    return step.kind, step.names, step.delta.macs, step.delta.params


def invoke(*words: str, columns: int | None = 200, input: str | None = None) -> Result:
    environment = {"NO_COLOR": "1", "COLUMNS": str(columns or "")}
    return CliRunner().invoke(group, ["diff", *words], standalone_mode=False, env=environment, input=input)


def shown(*words: str, columns: int | None = 200) -> str:
    result = invoke(*words, columns=columns)
    if result.exception:
        raise result.exception
    return " ".join(result.output.split())


# ---------------------------------------------------------------- known nets


def test_resnet50_of_the_paper_has_its_strides_elsewhere_and_231_million_macs_less() -> None:
    found = differing("resnet50", "resnet50_v1")
    moved, follows = found.steps
    # a 1x1 convolution at a quarter of the places in three stages: 3 * 3/4 * 102,760,448
    assert told(moved) == ("moved", ("conv3_x", "conv4_x", "conv5_x"), -231_211_008, 0)
    assert [row.name for row in found.rows(moved, True)[:2]] == ["conv3_x.conv1", "conv3_x.conv2"]
    assert (follows.kind, follows.cause, len(follows.pairs), follows.delta.macs) == ("follows", 0, 6, 0)
    assert found.delta.params == 0
    assert "stride 2 moved from conv2 to conv1 at conv3_x, conv4_x, conv5_x: -231.2M MACs" in shown(
        "resnet50", "resnet50_v1"
    )
    assert "MACs -231,211,008 (-5.7%) FLOPs -464,002,560 (-5.6%) params as before" in shown("resnet50", "resnet50_v1")


def test_the_way_back_is_the_same_with_the_other_sign() -> None:
    moved, follows = differing("resnet50_v1", "resnet50").steps
    assert told(moved) == ("moved", ("conv3_x", "conv4_x", "conv5_x"), 231_211_008, 0)
    assert "stride 2 moved from conv1 to conv2" in shown("resnet50_v1", "resnet50")
    assert follows.cause == 0


def test_with_a_depth_groups_are_kept_apart() -> None:
    found = differing("resnet50", "resnet50_v1", depth=1)
    assert [told(step)[:3] for step in found.steps if step.kind == "moved"] == [
        ("moved", (stage,), -77_070_336) for stage in ("conv3_x", "conv4_x", "conv5_x")
    ]
    assert "then input 56x56x128 -> 28x28x128" in shown("resnet50", "resnet50_v1", "--depth", "1")


def test_vgg19_has_three_convolutions_more_than_vgg16() -> None:
    found = differing("vgg16", "vgg19")
    # 3*3*256*256 + 256 = 590,080 and twice 3*3*512*512 + 512 = 2,359,808
    assert [told(step) for step in found.steps] == [
        ("added", ("conv3_4",), 56 * 56 * 589_824, 590_080),
        ("added", ("conv4_4", "conv5_4"), (28 * 28 + 14 * 14) * 2_359_296, 2 * 2_359_808),
    ]


def test_alexnet_in_groups_differs_in_three_layers() -> None:
    (step,) = differing("alexnet", "alexnet_grouped").steps
    assert told(step) == ("changed", ("conv2", "conv4", "conv5"), 724_406_816 - 1_135_256_096, 60_965_224 - 62_378_344)
    assert "conv: groups 1 -> 2" in shown("alexnet", "alexnet_grouped")


def test_resnet101_has_seventeen_blocks_more_in_one_stage() -> None:
    found = differing("resnet50", "resnet101")
    (step,) = found.steps
    assert step.names == tuple(f"conv4_x.{block}" for block in range(6, 23))
    assert (step.kind, step.delta.params, len(step.pairs)) == ("added", 44_549_160 - 25_557_032, 170)
    said = shown("resnet50", "resnet101")
    assert "added 17x: 10 layers" in said
    assert "└ conv4_x.6..22" in said


def test_blocks_count_where_they_are_and_what_is_behind_them_follows() -> None:
    found = differing("densenet121", "densenet169")
    kinds = [(step.kind, step.cause) for step in found.steps]
    assert kinds == [("added", None), ("follows", 0), ("changed", None), ("follows", 2)]
    assert "24x: 8 layers" in shown("densenet121", "densenet169")
    assert "denseblock3.25..32, denseblock4.17..32" in shown("densenet121", "densenet169")


def test_wider_blocks_cost_in_themselves_and_in_what_follows() -> None:
    found = differing("resnet50", "wide_resnet50_2")
    assert [step.kind for step in found.steps] == ["changed", "follows"] * 4
    assert found.delta.params == 68_883_240 - 25_557_032
    # conv1 and conv2 of three blocks: 1x1x64 or 256 to 64 more filters, 3x3x128x128 - 3x3x64x64
    own = 64 * 64 + 2 * 256 * 64 + 3 * 9 * (128 * 128 - 64 * 64)
    assert found.steps[0].delta.params == own
    # conv3 has 64 inputs more, for 256 filters; two batch normalizations 64 slices more
    assert found.steps[1].delta.params == 3 * (64 * 256 + 2 * 2 * 64)


def test_batch_normalization_put_between_is_thirteen_layers_and_nothing_else() -> None:
    (step,) = differing("vgg16", "vgg16_bn").steps
    assert (step.kind, len(step.pairs), len(step.names)) == ("added", 13, 13)
    assert "added 13x: bn" in shown("vgg16", "vgg16_bn")


# ---------------------------------------------------------------- single changes

BASE = "input 16x16x8; conv1: conv 3/1/1 8; relu; a: conv 1 8; relu; pool1: pool 2; fc 10"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("conv1: conv 3/1/1 8", "conv1: conv 5/1/2 8", "conv: kernel 3 -> 5, padding 1 -> 2"),
        ("conv1: conv 3/1/1 8", "conv1: conv 3/1/1 8 nobias", "conv: bias -> nobias"),
        ("conv1: conv 3/1/1 8", "conv1: conv 1x3/1/half 8", "conv: kernel 3 -> 1x3, padding 1 -> 0x1"),
        ("pool1: pool 2", "pool1: pool 3/2 ceil", "noceil -> ceil"),
        ("pool1: pool 2", "pool1: avgpool 2", "maxpool 2/2 -> avgpool 2"),
        ("relu; a", "prelu; a", "relu -> prelu"),
        ("16x16x8", "15x16x8", "input: size 16x16x8 -> 15x16x8"),
        ("relu; pool1", "relu; bn; pool1", "added: bn"),
        ("; a: conv 1 8", "", "removed: conv 1/1/0 8"),
        ("fc 10", "fc 10; softmax", "added: softmax"),
        ("a: conv 1 8", "a: conv 1 8 nobias; bn", "conv: bias -> nobias"),
    ],
)
def test_a_change_is_told_in_the_words_of_the_language(before: str, after: str, words: str) -> None:
    assert before in BASE
    differing(BASE, BASE.replace(before, after))
    assert words in shown(BASE, BASE.replace(before, after))


def test_shared_weights_are_a_change_of_their_own() -> None:
    text = "input 8x8x4; a: conv 1 4; b: conv 1 4"
    (step,) = differing(text, f"{text} share=a").steps
    assert (step.kind, step.names, step.delta.params) == ("changed", ("b",), -20)
    assert "weights its own -> those of a" in shown(text, f"{text} share=a")


def test_another_connection_is_a_change_though_the_layers_are_the_same() -> None:
    text = "input 8x8x4; a: conv 1 4; b: conv 1 4; c: conv 1 4; add c, a"
    (step,) = differing(text, text.replace("add c, a", "add c, b")).steps
    assert (step.kind, step.names) == ("changed", ("add1",))
    assert "add: fed by c, a -> c, b" in shown(text, text.replace("add c, a", "add c, b"))


def test_another_order_of_a_concat_is_a_change() -> None:
    text = "input 8x8x4; a: conv 1 4; b: conv 1 6; concat a, b"
    (step,) = differing(text, text.replace("concat a, b", "concat b, a")).steps
    assert "concat: fed by a, b -> b, a" in shown(text, text.replace("concat a, b", "concat b, a"))
    assert (step.delta.macs, step.delta.activations) == (0, 0)


def test_what_follows_from_a_removal_is_laid_to_it() -> None:
    found = differing("input 16x16x3; conv 3/1/1 8; pool 2; conv 3/1/1 8", "input 16x16x3; conv 3/1/1 8; conv 3/1/1 8")
    removed, follows = found.steps
    assert (removed.kind, removed.names, follows.kind, follows.cause) == ("removed", ("pool1",), "follows", 0)
    assert follows.delta.macs == (256 - 64) * 9 * 8 * 8
    said = shown("input 16x16x3; conv 3/1/1 8; pool 2; conv 3/1/1 8", "input 16x16x3; conv 3/1/1 8; conv 3/1/1 8")
    assert "then input 8x8x8 -> 16x16x8" in said


BLOCKS = """block wide() { conv 3/1/1 8; relu; conv 1 8 }
block deep() { dwconv 3/1/1; conv 1 8; bn }
"""


def test_a_block_that_stands_elsewhere_has_moved() -> None:
    before = BLOCKS + "arch a { input 16x16x8; one: wide(); two: deep(); three: wide() }"
    found = differing(before, BLOCKS + "arch a { input 16x16x8; two: deep(); one: wide(); three: wide() }")
    (step,) = found.steps
    assert told(step) == ("moved", ("one",), 0, 0)
    assert [row.name for row in found.rows(step, False)] == ["one.conv1", "one.relu1", "one.conv2"]
    assert found.rows(step, False)[0].inputs == found.rows(step, True)[0].inputs
    # behind a pooling it works at a quarter of the places: 3/4 * 8*8 * (3*3*8*8 + 8*8) * 4
    found = differing(before, BLOCKS + "arch a { input 16x16x8; two: deep(); pool 2; one: wide(); three: wide() }")
    moved = next(step for step in found.steps if step.kind == "moved")
    assert told(moved) == ("moved", ("one",), -3 * 64 * (576 + 64), 0)


def test_a_move_is_told_once_and_counted_once() -> None:
    one, other = "input 8x8x4; x: conv 3/1/1 4; y: pool 2", "input 8x8x4; y: pool 2; x: conv 3/1/1 4"
    said = shown(one, other)
    assert "moved: conv 3/1/1 4 0 -6,912 0" in said  # 3/4 * 8*8 * 3*3*4*4
    assert "added" not in said
    assert "removed" not in said
    assert "1 layer in both nets: 1 as before; 1 moved" in said or "; 1 moved" in said
    found = json.loads(invoke(one, other, "--format", "json").output)
    assert [(step["kind"], step["before"], step["after"]) for step in found["steps"] if step["kind"] != "follows"] == [
        ("moved", ["x"], ["x"])
    ]


def test_another_layer_of_the_name_is_no_move() -> None:
    found = differing("input 8x8x4; x: conv 3/1/1 4; y: pool 2", "input 8x8x4; y: pool 2; x: conv 5/1/2 4")
    assert "moved" not in {step.kind for step in found.steps}


def test_groups_of_one_label_belong_together_whatever_is_in_them() -> None:
    block = "block b(n) {{ conv 3/1/1 n; relu }}; arch net {{ input 8x8x4; {} }}"
    before, after = block.format("one: b(4); two: b(8)"), block.format("zero: b(8); one: b(4); two: b(8)")
    (step,) = differing(before, after).steps[:1]
    assert (step.kind, step.names) == ("added", ("zero",))


def test_a_layer_and_a_group_of_its_label_are_aligned() -> None:
    plain = "input 8x8x4; c: conv 3/1/1 4; relu; fc 2"
    grouped = "block cbr { conv 3/1/1 4; bn; relu }; arch net { input 8x8x4; c: cbr(); fc 2 }"
    (step,) = differing(plain, grouped).steps
    assert (step.kind, len(step.pairs)) == ("added", 1)
    assert "added: bn" in shown(plain, grouped)


def test_equal_changes_of_two_layers_are_one_step_and_a_move_needs_a_default() -> None:
    text = "input 16x16x4; a: conv 3/{}/1 4; b: conv 3/{}/1 4; fc 3"
    assert [step.kind for step in differing(text.format(2, 1), text.format(1, 2)).steps] == ["moved"]
    # 2 and 4 change places: neither is the usual stride, so nothing was moved
    assert [step.kind for step in differing(text.format(2, 4), text.format(4, 2)).steps] == ["changed", "changed"]


# ---------------------------------------------------------------- nothing


@pytest.mark.parametrize("name", ["vgg16", "resnet50", "googlenet_aux", "inception_v4", "densenet_bc250_24_cifar"])
def test_a_net_does_not_differ_from_itself(name: str) -> None:
    assert differing(name, name).steps == ()
    layers = len(report(name).rows) - 1
    assert f"same nothing differs in {layers:,} layers" in shown(name, name)


def test_other_names_are_no_difference_but_are_told() -> None:
    assert "nothing differs but names: conv1 is first" in shown("input 8x8x3; conv 1 2", "input 8x8x3; first: conv 1 2")


# ---------------------------------------------------------------- laws


def test_every_net_of_the_zoo_keeps_the_laws_beside_its_neighbour() -> None:
    reports = [measure(net.build().graph) for net in zoo_nets()]
    for before, after in pairwise(reports):
        found = diff(before, after)
        keeps_the_laws(found)
        back = diff(after, before)
        keeps_the_laws(back)
        assert back.delta == Totals(*(-each for each in found.delta))  # type: ignore[operator]


LAYERS = ("conv 3/1/1 8", "conv 1 8", "conv 3/1/1 16", "relu", "bn", "pool 2/1", "gelu", "lrn 5")
texts = st.lists(st.sampled_from(LAYERS), min_size=1, max_size=12)
blocks = st.lists(st.tuples(st.sampled_from("abcd"), texts), min_size=1, max_size=4, unique_by=lambda each: each[0])


def net(groups: list[tuple[str, list[str]]]) -> str:
    """A net of labelled groups."""
    bodies = "; ".join(f"block in_{label} {{ {'; '.join(layers)} }}" for label, layers in groups)
    calls = "; ".join(f"{label}: in_{label}()" for label, _ in groups)
    return f"{bodies}; arch net {{ input 64x64x8; {calls}; fc 2 }}"


@settings(max_examples=60, deadline=None)
@given(blocks, blocks)
def test_any_two_nets_keep_the_laws(before: list[tuple[str, list[str]]], after: list[tuple[str, list[str]]]) -> None:
    differing(net(before), net(after))


@settings(max_examples=60, deadline=None)
@given(texts, st.data())
def test_layers_put_in_are_the_only_ones_that_are_added(layers: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(layers)))
    more = data.draw(st.lists(st.sampled_from(LAYERS), min_size=1, max_size=3))
    pairs = align(
        *(report(f"input 64x64x8; {'; '.join(each)}").graph for each in (layers, layers[:at] + more + layers[at:]))
    )
    assert [pair for pair in pairs if pair.after is None] == []
    assert len([pair for pair in pairs if pair.before is None]) == len(more)


@pytest.mark.parametrize("most", [alignment.MOST_CELLS, 4])
def test_long_nets_are_cut_at_anchors_and_still_aligned(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alignment, "MOST_CELLS", most)
    draws = random.Random(5)
    layers = [draws.choice(LAYERS) for _ in range(60)]
    longer = [*layers[:20], "conv 5/1/2 24", *layers[20:]]
    found = differing(f"input 200x200x8; {'; '.join(layers)}", f"input 200x200x8; {'; '.join(longer)}")
    assert [(step.kind, len(step.pairs)) for step in found.steps if step.kind != "follows"] == [("added", 1)]
    for name in ("resnet18", "vgg19", "densenet121"):
        differing(name, "resnet34")


def test_nets_of_tens_of_thousands_of_layers_are_aligned() -> None:
    text = "input 8x8x4; repeat {} {{ conv 1 {}; bn; relu }}"
    (added,) = differing(text.format(9_000, 4), text.format(10_000, 4)).steps
    assert (len(added.names), len(added.pairs)) == (1_000, 3_000)
    changed, follows = differing(text.format(10_000, 4), text.format(10_000, 8)).steps
    assert (len(changed.pairs), len(follows.pairs)) == (10_000, 20_000)


# ---------------------------------------------------------------- formats


def test_csv_adds_up_from_the_first_line_to_the_last() -> None:
    rows = list(csv.DictReader(io.StringIO(invoke("resnet50", "wide_resnet50_2", "--format", "csv").output)))
    assert (rows[0]["kind"], rows[-1]["kind"]) == ("before", "after")
    for key in ("layers", "macs", "params", "bytes", "flops"):
        assert sum(int(row[key]) for row in rows[:-1]) == int(rows[-1][key])
    assert (rows[0]["params"], rows[-1]["params"]) == ("25557032", "68883240")


def test_json_has_totals_steps_and_every_layer() -> None:
    words = ("resnet50", "resnet50_v1", "--format", "json", "--batch", "2", "--dtype", "float16")
    found: dict[str, Any] = json.loads(invoke(*words).output)
    assert (found["kind"], found["batch"], found["dtype"]) == ("diff", 2, "float16")
    assert (found["before"]["arch"], found["after"]["arch"]) == ("resnet50", "resnet50_v1")
    assert found["difference"]["macs"] == -2 * 231_211_008 == found["after"]["macs"] - found["before"]["macs"]
    first, second = found["steps"]
    assert (first["kind"], first["where"], first["cause"]) == ("moved", ["conv3_x", "conv4_x", "conv5_x"], None)
    assert (second["kind"], second["cause"]) == ("follows", 0)
    assert len(found["layers"]) == 175
    assert {"before": "conv3_x.conv1", "after": "conv3_x.conv1", "status": "moved"} in found["layers"]


def test_markdown_names_the_places_in_a_column() -> None:
    text = invoke("vgg16", "vgg19", "--format", "md").output
    assert "| added 2x: conv 3/1/1 512, relu | conv4\\_4, conv5\\_4 | +4 | +2.312G | +4.720M | +1.9 MiB |" in text


@pytest.mark.parametrize("format_", ["latex", "html"])
def test_papers_and_pages_have_the_places_in_a_column_too(format_: str) -> None:
    text = invoke("vgg16", "vgg19", "--format", format_).output
    assert "conv4" in text
    assert "\u2588" not in text


def test_the_waterfall_falls_and_rises_where_the_sums_do() -> None:
    lines = invoke("alexnet", "alexnet_grouped").output.splitlines()
    bars = [line[line.index("█") :] for line in lines if "█" in line]
    assert bars == ["█" * 12, "█" * 4, "█" * 8]  # 1.135G, 724.4M of it: 8 of 12 cells
    starts = [line.index("█") for line in lines if "█" in line]
    assert starts[1] - starts[0] == 8  # what falls away hangs at the right


def test_on_a_page_the_waterfall_is_drawn_to_scale() -> None:
    page = invoke("resnet50", "resnet101", "--format", "html").output
    bars = re.findall(r"<i style=\"margin-left: ([\d.]+)%; width: ([\d.]+)%", page)
    share = round(100 * 4_089_184_256 / 7_801_405_440, 1)  # of the MACs of the two
    assert [tuple(map(float, bar)) for bar in bars] == [(0, share), (share, round(100 - share, 1)), (0, 100)]
    assert 'data-value="3712221184" title="3,712,221,184">+3.712G<' in page


def test_very_many_steps_are_drawn_together_and_the_sums_stay() -> None:
    text = "input 16x16x8; " + "; ".join(f"l{at}: conv 1 {{{at}}}" for at in range(60))
    before, after = text.format(*[8] * 60), text.format(*range(9, 69))
    said = shown(before, after)
    assert "21 smaller steps" in said  # 39 of 60 are shown
    assert len(invoke(before, after, "--format", "csv").output.splitlines()) == 1 + 60 + 2


def test_a_step_is_never_shown_without_what_it_follows_from() -> None:
    text = "input 8x8x8; " + "; ".join(f"l{at}: conv 1 {{}}; n{at}: bn" for at in range(30))
    lines = invoke(text.format(*range(9, 39)), text.format(*range(10, 40))).output.splitlines()
    steps = [line for line in lines if line.startswith(("conv", "  then"))]
    assert len(steps) == 38
    assert all(line.startswith(("conv", "  then")[at % 2]) for at, line in enumerate(steps))
    assert any(line.startswith("  22 smaller steps") for line in lines)


def test_words_that_come_to_the_same_number_are_no_difference() -> None:
    assert differing("input 8x8x3; conv 3/1/1 4; pool 2", "input 8x8x3; conv 3/1/same 4; pool 2/2").steps == ()


def test_exact_figures_have_all_digits() -> None:
    said = shown("vgg16", "vgg19", "--exact", "--batch", "2")
    assert "15,470,264,320" not in said
    assert "30,940,528,640" in said
    assert f"+{2 * 4_161_798_144:,}" in said


@pytest.mark.parametrize("pair", [("resnet50", "wide_resnet50_2"), ("alexnet", "resnet50"), ("vgg16", "vgg19")])
def test_the_table_fits_80_columns(pair: tuple[str, str]) -> None:
    assert max(map(len, invoke(*pair, columns=80).output.splitlines())) <= 80


# ---------------------------------------------------------------- faults and names


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    for file, filters in (("a.arch", 8), ("b.arch", 16)):
        (tmp_path / file).write_text(f"arch mine {{ input 8x8x3; conv 3 {filters} }}", "utf-8")
    assert f"{tmp_path}/a.arch -> {tmp_path}/b.arch; input" in shown(f"{tmp_path}/a.arch", f"{tmp_path}/b.arch")


def test_symbols_and_unknown_nets_are_refused() -> None:
    for words, message in (
        (("vgg16", "input HxWx3; conv 3 8"), "only numbers can be compared"),
        (("vgg61", "resnet05"), "did you mean `vgg16`?"),
    ):
        result = invoke(*words)
        assert isinstance(result.exception, SpecError)
        assert message in str(result.exception)


def test_the_input_is_that_of_both() -> None:
    assert "vgg16 -> vgg19; input 192x192x3, float32" in shown("vgg16", "vgg19", "--input", "192x192x3")


def test_a_rule_counts_both_nets_and_says_so() -> None:
    found = archcalc.diff("resnet50_v1", "resnet50", rule="torch")
    assert (found.delta.macs, found.after.total().macs) == (2 * 231_211_008, 8_178_368_512)
    text = shown("resnet50_v1", "resnet50", "--rule", "torch")
    assert "MACs +462,422,016 (+6.0%)" in text
    assert "rule torch: 2 a multiply-add" in text


def test_under_a_rule_layers_alike_are_counted_alike_whatever_their_net_is_called() -> None:
    # thop does not see the pool of torchvision's DenseNets: here the same layers stand under another name
    text = "arch dense; use densenet; input 224x224x3; densenet(6, 12, 24, 16, 32, 1000)"
    told = shown("densenet121", text, "--rule", "thop")
    assert "nothing differs in 484 layers" in told
    assert "layers alike are counted alike" in told
    assert "layers alike are counted alike" not in shown("densenet121", text, "--rule", "torch")


def test_python_has_it_too() -> None:
    found = archcalc.diff("vgg16", "vgg19", input="192x192x3")
    assert [step.names for step in found.steps] == [("conv3_4",), ("conv4_4", "conv5_4")]
