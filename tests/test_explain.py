"""`archcalc explain`: every figure that it tells is the engine's, and its arithmetic, worked out anew, comes to it."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses.branches import gates_of, trace
from archcalc.analyses.costs import Report, Row, measure
from archcalc.analyses.explanation import Explained, explain
from archcalc.analyses.terms import Letter, letters
from archcalc.cli.entry import group, main
from archcalc.lang.errors import SpecError
from archcalc.library import load, zoo
from archcalc.notation.formulas import LATEX, formula, substitution
from archcalc.ops import REGISTRY
from archcalc.render.drawings import draw
from archcalc.volume import Dim, Sweep, unseen

# What the zoo does not have: uneven padding, dilation, `same`, rounding up and clipped, several inputs, nested merges.
NETS = (
    *(example for cls in {cls.types[0]: cls for cls in REGISTRY.values()}.values() for example in cls.examples),
    "input 32x30x6; conv 3x5/2x3/1:0x2:1 8 groups=2 dilation=2x1; pool 3/2 ceil; dwconv 3/2/same multiplier=2; fc 3",
    "input 41x40x6; conv 3/2/same 8 dilation=3; avgpool 2/2/1 ceil; pool 2/2/1 ceil; deconv 4/3/1:0 6 groups=2 extra=1",
    "input 9x9x4; bn; ln; prelu; lrn 3; softmax; pad 1:2x0; crop 1:0; upsample 2x3; adaptiveavgpool 4x3; flatten; fc 2",
    "input 57x56x4; conv 1/2/0 4; shortcut 3x2 9; conv 3/5/0 4 dilation=2; split 2 1; slice 0:1; shuffle 1",
    "l: input 8x8x3; r: input 8x8x1; concat l, r; x: conv 3/1/1 4; conv 3/1/1 4 share=x; add { id | conv 1 4 | "
    "concat { conv 1 2 | conv 1 2 ; relu } }; mul { id | gap ; fc 4 ; sigmoid }; fc 10 nobias",
)
each_net = pytest.mark.parametrize("name", list(zoo()))
each_text = pytest.mark.parametrize("text", NETS)


def report_of(text: str, size: str | None = None) -> Report:
    built = load(text).build(size)
    return measure(built.graph, built.assumptions)


def run(*words: str) -> Result:
    return CliRunner().invoke(group, ["explain", *words], standalone_mode=False, env={"COLUMNS": "100"})


# ---------------------------------------------------------------- arithmetic of our own

_TOKEN = re.compile(r"\s*(?:(\d[\d,]*\d|\d)|([A-Za-z_]\w*)|(.))")


@cache
def worked_out(text: str, numbers: tuple[tuple[str, int], ...] = ()) -> Fraction:
    """What `floor((227 + 2*0 - 11)/4) + 1` comes to; letters stand for `numbers`."""
    known = dict(numbers)
    tokens = [match.groups() for match in _TOKEN.finditer(text)]
    at = 0

    def taken(*signs: str) -> str:
        nonlocal at
        if at < len(tokens) and tokens[at][2] in signs:
            at += 1
            return str(tokens[at - 1][2])
        return ""

    def total() -> Fraction:
        value = -term() if taken("-") else term()
        while sign := taken("+", "-"):
            value = value + term() if sign == "+" else value - term()
        return value

    def term() -> Fraction:
        value = factor()
        while sign := taken("*", "/"):
            value = value * factor() if sign == "*" else value / factor()
        return value

    def factor() -> Fraction:
        nonlocal at
        number, name, sign = tokens[at]
        at += 1
        if number:
            return Fraction(number.replace(",", ""))
        if name and not taken("("):
            return Fraction(known[name])
        assert name or sign == "(", text
        values = [total()]
        while taken(","):
            values.append(total())
        assert taken(")"), text
        return Fraction(_FUNCTIONS[name](*values)) if name else values[0]

    value = total()
    assert at == len(tokens), text
    return value


_FUNCTIONS = {"floor": math.floor, "ceil": math.ceil, "gcd": lambda a, b: math.gcd(int(a), int(b))}


def test_our_own_arithmetic_is_right() -> None:
    assert worked_out("floor((227 + 2*0 - 11)/4) + 1") == 55
    assert worked_out("(25,088 + 1) * 4,096") == 102_764_544
    assert worked_out("9 - (7 - 2) - 1") == 3
    assert worked_out("8/2/2*3 - ceil(7/2)") == 2
    assert worked_out("gcd(13,000, 6)*H", (("H", 5),)) == 10


# ---------------------------------------------------------------- the law


def wanted(row: Row, batch: int, each: int) -> dict[str, Dim]:
    """The engine's figures under the names that an explanation has for them."""
    cost = row.cost
    rows, columns = cost.dropped or (0, 0)
    whole = {"activations": cost.activations, "bytes": each * cost.activations, "macs": cost.macs, "flops": cost.flops}
    return {
        **dict(zip(("height", "width", "depth"), row.output, strict=True)),
        **{name: batch * n for name, n in (whole | cost.work._asdict()).items()},
        **{"params": cost.params, "weights": cost.weights, "buffers": cost.buffers},
        **{"dropped_rows": rows, "dropped_columns": columns},
    }


def assert_explained(layer: Explained, row: Row, batch: int = 1, each: int = 4) -> None:
    """Each figure is the engine's; substitution and formula come to it; none that counts is missing."""
    right = wanted(row, batch, each)
    assert layer.row is row
    for quantity in layer.quantities:
        where = (row.name, quantity.name, substitution(quantity.term))
        assert quantity.value == right[quantity.name], where
        assert worked_out(substitution(quantity.term)) == quantity.value, where
        numbers = {letter.name: letter.value for letter in letters(quantity.term)}
        assert all(numbers[letter.name] == letter.value for letter in letters(quantity.term)), where
        assert worked_out(formula(quantity.term), tuple(numbers.items())) == quantity.value, where
    told = {quantity.name for quantity in layer.quantities}
    nought = {name for name, n in right.items() if n == 0}
    beside = {"weights"} if right["macs"] == 0 or right["weights"] == right["params"] else set()
    single = {quantity.note for quantity in layer.quantities if quantity.name == "flops"}  # the only kind there is
    assert right.keys() - nought - beside - single <= told, (row.name, right.keys() - told)


@each_net
def test_every_figure_of_the_zoo_is_the_engines_and_its_arithmetic_comes_to_it(name: str) -> None:
    report = report_of(name)
    found = list(explain(report).layers)
    for layer, row in zip(found, report.rows, strict=True):
        assert_explained(layer, row)


def test_the_zoo_is_all_of_it() -> None:
    assert len(zoo()) >= 114


@each_text
def test_every_figure_of_every_layer_type_is_the_engines(text: str) -> None:
    report = report_of(text)
    for batch, each in ((1, 4), (3, 2)):
        for layer, row in zip(explain(report, None, batch, each).layers, report.rows, strict=True):
            assert_explained(layer, row, batch, each)


@st.composite
def windows(draw_: st.DrawFn) -> str:
    k, s, d = draw_(st.integers(1, 6)), draw_(st.integers(1, 5)), draw_(st.integers(1, 3))
    before, after = draw_(st.integers(0, k - 1)), draw_(st.integers(0, k - 1))
    padding = draw_(st.sampled_from([f"{before}:{after}", str(before), f"{before}x{after}", "full", "same"]))
    kind = draw_(st.sampled_from([f"conv {k}/{s}/{padding} 4 dilation={d}", f"deconv {k}/{s}/{padding} 4"]))
    return str(draw_(st.sampled_from([kind, f"pool {k}/{s}/{padding}", f"avgpool {k}/{s}/{padding} ceil"])))


@settings(max_examples=150, deadline=None)
@given(windows(), st.integers(1, 60), st.integers(1, 60))
def test_every_figure_of_any_window_is_the_engines(text: str, height: int, width: int) -> None:
    try:
        report = report_of(f"input {height}x{width}x2; {text}")
    except SpecError:  # the window does not fit
        return
    for layer, row in zip(explain(report).layers, report.rows, strict=True):
        assert_explained(layer, row)


@pytest.mark.parametrize(
    "text",
    [
        "input HxWx3; conv 7/2/3 64; pool 3/2/1; concat { conv 1 8 | conv 3/1/same 4 }; bn; relu; fc 10",
        "input NxNx4; conv 3/1/1 8 groups=2; add { id | conv 3/1/half 8 }; adaptiveavgpool 6; upsample 2; pool 2 ceil",
    ],
)
def test_in_symbols_the_figures_are_the_engines_formulas(text: str) -> None:
    report = report_of(text)
    for layer, row in zip(explain(report).layers, report.rows, strict=True):
        right = wanted(row, 1, 4)
        assert all(quantity.value == right[quantity.name] for quantity in layer.quantities)
    for format_ in ("text", "md", "latex", "json"):
        for words in ([text], [text, "conv1"]):
            result = run(*words, "--format", format_)
            assert result.exception is None
            assert "floor((" in result.output or r"\lfloor" in result.output


# ---------------------------------------------------------------- the lectures, to the letter


def lines_of(*words: str) -> list[str]:
    result = run(*words)
    assert result.exception is None
    return [line.strip() for line in result.output.splitlines()]


def test_the_first_layer_of_alexnet_is_told_as_on_the_slide() -> None:
    told = lines_of("alexnet", "conv1")  # CS231n 2017, lecture 9, AlexNet: 55x55x96, (11*11*3)*96 = 35K
    assert "height, width   floor((H + 2*P - F)/S) + 1" in told
    assert "floor((227 + 2*0 - 11)/4) + 1 = 55" in told
    assert "(11*11*3 + 1) * 96 = 34,944" in told
    assert "11*11*3*96 = 34,848, without biases: the lectures' count" in told
    assert "55*55*96 * 11*11*3 = 105,415,200" in told
    assert "55*55*96 = 290,400 values * 4 bytes = 1,161,600 bytes = 1.1 MiB" in told
    assert "2*105,415,200 + 290,400 = 211,120,800" in told


def test_fc6_of_vgg_has_25088_inputs_and_it_is_told_why() -> None:
    told = lines_of("vgg16", "fc6")
    assert "(25,088 + 1) * 4,096 = 102,764,544" in told
    assert "25,088 = 7*7*512: pool5 flattened" in told
    assert "25,088*4,096 = 102,760,448, without biases: the lectures' count" in told


def test_a_factor_is_told_from_the_layer_that_made_it() -> None:
    assert "C = 256 = depth of conv3_3" in lines_of("vgg16", "conv4_1")  # through relu7 and pool3
    assert "4,096 = 1*1*4,096: depth of fc6" in lines_of("vgg16", "fc7")  # through relu14 and dropout1
    assert "C = 480 = 128 + 192 + 96 + 64 = depth of inception3b.concat1" in lines_of("googlenet", "inception4a.conv1")


def test_rows_left_over_are_told_and_drawn() -> None:
    told = lines_of("input 224x224x3; conv 11/4/0 96", "conv1")
    assert "224 - ((54 - 1) * 4 + 11 - 0) = 1 row, and as many columns" in told
    assert "rows, columns   54 windows of 11 cells, 4 apart, over 224; x never seen" in told
    assert told[2:] == lines_of("alexnet", "conv1", "--input", "224x224x3")[2:]
    cells = next(line for line in told if line.startswith("cells"))
    assert re.fullmatch(r"cells +\.+ ~ \.+x", cells)


def test_groups_padding_rounding_and_dilation_are_told() -> None:
    grouped = lines_of("alexnet_grouped", "conv2")  # Krizhevsky et al. 2012: 48 of the 96 maps
    assert "(5*5*48 + 1) * 256 = 307,456" in grouped
    assert "48 = 96/2: C/G" in grouped
    uneven = lines_of("input 227x227x3; conv 3/2/0:1 8", "conv1")
    assert "floor((227 + 0 + 1 - 3)/2) + 1 = 113" in uneven
    up = lines_of("googlenet", "pool1")
    assert "ceil((112 - 3)/2) + 1 = 56" in up
    assert "ceil: round the size up; a last window that would start in the padding is left out" in up
    clipped = lines_of("input 5x5x1; pool 2/2/1 ceil", "pool1")
    assert "ceil((5 + 1)/2) = 3" in clipped
    same = lines_of("input 224x224x3; conv 7/2/same 64", "conv1")
    assert "ceil(224/2) = 112" in same
    assert "same: padding 2:3" in same
    dilated = lines_of("input 56x56x64; conv 3/1/2 64 dilation=2", "conv1")
    assert "floor((56 + 2*2 - (2 * (3 - 1) + 1))/1) + 1 = 56" in dilated
    assert "2*64 = 128" in lines_of("resnet50", "conv1.bn1")
    assert "2*64 = 128, kept, not learnt" in lines_of("resnet50", "conv1.bn1")


def test_a_layer_in_place_and_shared_weights_say_so() -> None:
    assert "memory          0, in place: the output takes the place of the input" in lines_of("alexnet", "relu1")
    shared = lines_of("input 8x8x4; x: conv 3/1/1 4; y: conv 3/1/1 4 share=x", "y")
    assert "parameters      0, the weights are those of x, and counted there" in shared


def test_the_totals_add_up_by_group_and_say_who_carries_most() -> None:
    told = lines_of("vgg16")
    _, _, _, *rows = told[told.index("How the totals add up") : told.index("", told.index("How the totals add up") + 2)]
    cells = [re.split(r"  +", row) for row in rows if "─" not in row]
    parts = {name: [0 if n == "-" else int(n.replace(",", "")) for n in figures] for name, *figures in cells}
    sums = parts.pop("sum")
    assert sums == [15_237_608, 138_357_544, 15_470_264_320, 30_972_232_168]
    assert [sum(column) for column in zip(*parts.values(), strict=True)] == sums
    assert parts["fc6"][1] == 102_764_544
    assert "params       138,344,128 weights + 13,416 biases = 138,357,544" in told
    assert "most params  fc6 74%, fc7 12%, fc8 3%" in told
    by_block = lines_of("resnet50", "conv2_x")
    # He et al. 2015, Fig. 5: a bottleneck has 256*64 + 3*3*64*64 + 64*256 weights; and 2*(64 + 64 + 256) of its bn
    assert any(re.match(r"conv2_x\.1 ×2 .* 140,800 ", line) for line in by_block)


def test_every_layer_of_a_whole_net_comes_in_short() -> None:
    told = lines_of("vgg16")
    for row in report_of("vgg16").rows:
        assert any(line.startswith(f"{row.name}: ") for line in told), row.name
    assert "size" not in {line.split(" ")[0] for line in told}
    assert "parameters    (25,088 + 1) * 4,096 = 102,764,544" in told


def test_what_is_a_plain_number_or_one_letter_is_told_in_short_too() -> None:
    told = lines_of("input 56x57x16; prelu; conv 1/2/0 16 nobias; dwconv 3/3/0 dilation=2")
    assert "parameters    16" in told  # a slope for each slice of depth
    assert "never seen    28 rows" in told
    assert "never seen    28 columns" in told
    assert told[2:4] == [
        "input: input 56x57x16",
        "memory        56*57*16 = 51,072 values * 4 bytes = 204,288 bytes = 199.5 KiB",
    ]


def test_images_in_a_batch_are_a_factor() -> None:
    told = lines_of("alexnet", "conv1", "--batch", "8", "--dtype", "float16")
    assert "8 * 55*55*96 = 2,323,200 values * 2 bytes = 4,646,400 bytes = 4.4 MiB" in told
    assert "8 * 55*55*96 * 11*11*3 = 843,321,600" in told
    assert "B = 8 = images in the batch" in told


# ---------------------------------------------------------------- merges


def test_a_concat_adds_the_depths_of_its_paths() -> None:
    told = lines_of("googlenet", "inception3a.concat1")  # Szegedy et al. 2014, Table 1: 64, 128, 32, 32
    assert "64 + 128 + 32 + 32 = 256" in told
    assert "paths           4 from pool2, 28x28x192" in told
    assert any(line.startswith("4             28x28x192  inception3a.pool1: maxpool 3/1/1") for line in told)
    assert any(line.startswith("Heights and widths are the same: 28x28x64 and 28x28x128") for line in told)


def test_an_add_shows_both_paths_and_why_the_sizes_agree() -> None:
    told = lines_of("resnet50", "conv3_x.add1")
    assert any(line.startswith("paths           2 from conv2_x.2.relu3, 56x56x256") for line in told)
    halved = [line for line in told if "56 + 2*" in line and line.endswith("= 28")]
    assert len(halved) == 2  # the 3x3 of stride 2 on the one path, the 1x1 on the other
    assert "All sizes are the same: 28x28x512 and 28x28x512" in told
    assert "2             the identity" in lines_of("resnet50", "conv3_x.1.add1")


def paths_by_search(report: Report, merge: int) -> tuple[int, list[set[int]]]:
    """The last layer that all paths from the inputs to a merge share, and what lies behind it, by listing them."""
    nodes = report.graph.nodes

    def routes(index: int) -> list[list[int]]:
        return [[*before, index] for i in nodes[index].inputs for before in routes(i)] or [[index]]

    ends = [routes(index) for index in nodes[merge].inputs]
    shared = set.intersection(*(set(route) for end in ends for route in end))
    fork = max(shared, default=-1)
    return fork, [{index for route in end for index in route if index > fork} for end in ends]


@pytest.mark.parametrize(
    "text", [NETS[-1], "googlenet", "squeezenet1_1", "resnext_block_b(c=4)", "densenet_cifar(16, 12)"]
)
def test_the_paths_into_a_merge_are_those_that_a_search_finds(text: str) -> None:
    if text.startswith("densenet"):
        text = (
            "input 8x8x3; repeat 5 { concat { id | bn ; conv 3/1/1 4 } }; add { id | concat { conv 1 20 | conv 1 3 } }"
        )
    report = report_of(text)
    gates = gates_of(report.graph)
    merges = [at for at, row in enumerate(report.rows) if len(row.inputs) > 1][:6]
    assert merges
    for merge in merges:
        found = trace(report.graph, gates, merge)
        assert (found.fork, [set(path) for path in found.paths]) == paths_by_search(report, merge)


# ---------------------------------------------------------------- drawings


def test_a_drawing_shows_each_cell_as_the_loop_over_windows_finds_it() -> None:
    for n, k, s, before, after, d in product(range(1, 12), range(1, 5), range(1, 5), range(3), range(3), range(1, 3)):
        span = d * (k - 1) + 1
        places = (n + before + after - span) // s + 1
        if places < 1:
            continue
        drawn = draw(Sweep(n, k, s, before, after, d, places), 100)
        seen = {i * s - before + d * u for i in range(places) for u in range(k)}
        cells = "".join("0" if not 0 <= at < n else "." if at in seen else "x" for at in range(-before, n + after))
        assert drawn[0] == ("cells", cells)
        assert cells.count("x") == unseen(n, k, s, before, d, places)
        for name, line in drawn[1:]:
            if name.startswith("window"):
                start = (int(name.split()[1]) - 1) * s
                assert line == " " * start + line.strip()
                assert len(line) == start + span
                assert all((line[start + d * u] != "-") for u in range(k))


def test_a_long_axis_is_drawn_by_its_ends_within_the_room() -> None:
    for n, k, s, before, room in product((200, 224, 10**9), (1, 3, 11, 90), (1, 2, 4, 37), (0, 2), (20, 40, 64)):
        places = (n + 2 * before - k) // s + 1
        drawn = draw(Sweep(n, k, s, before, before, 1, places), room)
        assert all(len(line) <= room for _, line in drawn)
        assert " ~ " in drawn[0][1]
        assert drawn[0][1].endswith("0") == (before > 0)
        names = [name for name, _ in drawn]
        assert f"window {places:,}" in names or k < s or k > room // 2  # else the last lies on what is drawn
        assert len(names) <= 7


def test_a_window_of_ceil_that_sticks_out_is_drawn_beyond_the_cells() -> None:
    told = run("input 6x6x1; pool 3/2 ceil", "pool1").output.splitlines()
    cells, *rest = (line[16:] for line in told if line.startswith(("cells", "window")))
    assert cells == "......"
    assert rest == ["[=]", "  [=]", "    [=]"]


# ---------------------------------------------------------------- what is refused


def test_an_unknown_layer_is_a_fault_with_the_likely_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["archcalc", "explain", *words])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 2
        out, err = capsys.readouterr()
        assert out == ""
        return err

    assert said("vgg16", "conv3-3") == "error: there is no layer `conv3-3` in vgg16\nhelp: did you mean `conv3_3`?\n"
    assert "did you mean `conv2_x`?" in said("resnet50", "conv2x")
    assert "its layers are `input`, `conv1_1`, " in said("vgg16", "zzzz")
    assert said("vgg16", "pool1..conv1_1") == (
        "error: there is nothing from `pool1` to `conv1_1`\nhelp: the layers run the other way: `conv1_1..pool1`\n"
    )
    assert "there is no layer `conv9`" in said("vgg16", "conv1_1..conv9")
    assert "invalid value" in said("vgg16", "--format", "csv").lower()
    for hostile in ("", "..", "a..b..c", "\x1b[31m", "é" * 500, "conv1_1.", ".", "*"):
        assert said("vgg16", hostile).startswith("error: there is no")


@pytest.mark.parametrize("name", ["resnet18", "googlenet", "squeezenet1_0"])
def test_every_layer_and_every_group_is_found_by_its_name(name: str) -> None:
    report = report_of(name)
    groups: dict[str, list[str]] = {}
    for row in report.rows:
        assert any(layer.row is row for layer in explain(report, row.name).layers)
        for depth in range(1, len(row.node.group) + 1):
            groups.setdefault(".".join(row.node.group[:depth]), []).append(row.name)
    for path, names in groups.items():
        assert [row.name for row in explain(report, path).rows] == names


def test_a_stretch_is_all_from_one_layer_to_another() -> None:
    found = [layer.row.name for layer in explain(report_of("vgg16"), "conv1_1..pool1").layers]
    assert found == ["conv1_1", "relu1", "conv1_2", "relu2", "pool1"]


# ---------------------------------------------------------------- exits


def test_explaining_numbers_opens_no_door() -> None:
    code = (
        "import sys\n"
        "from archcalc.cli import main\n"
        "nets = (['alexnet', 'conv1'], ['googlenet'], ['vgg16', '--format', 'latex'], ['vgg16', '--format', 'json'])\n"
        "for words in nets:\n"
        "    sys.argv = ['archcalc', 'explain', *words]\n"
        "    try:\n"
        "        main()\n"
        "    except SystemExit as end:\n"
        "        assert end.code == 0, end.code\n"
        "print(*{'sympy', 'numpy', 'pandas', 'rich'} & set(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert "floor((227 + 2*0 - 11)/4) + 1 = 55" in done.stdout


@pytest.mark.parametrize("width", [40, 80, 100, 160])
def test_text_stays_within_the_screen(width: int) -> None:
    for words in (
        ["alexnet", "conv1"],
        ["googlenet", "inception4a"],
        ["vgg16"],
        ["input 224x224x3; conv 11/4 96", "conv1"],
    ):
        result = CliRunner().invoke(group, ["explain", *words], standalone_mode=False, env={"COLUMNS": str(width)})
        body = result.output.partition("How the totals add up")[0]
        assert all(len(line) <= width for line in body.splitlines()), width


def test_nothing_is_cut_on_a_narrow_screen() -> None:
    narrow, wide = (
        CliRunner()
        .invoke(group, ["explain", "alexnet", "conv1"], standalone_mode=False, env={"COLUMNS": columns})
        .output
        for columns in ("40", "160")
    )
    assert narrow.split("cells")[0].split() == wide.split("cells")[0].split()


_FLOOR = re.compile(r"\\left\\l(floor|ceil) \\frac\{([^{}]*)\}\{([^{}]*)\} \\right\\r\1")


def plain(latex: str) -> str:
    """LaTeX as our own arithmetic reads it."""
    latex = latex.replace("{,}", "").replace(r" \cdot ", "*").replace(r"\gcd", "gcd")
    while _FLOOR.search(latex):
        latex = _FLOOR.sub(r"\1((\2)/(\3))", latex)
    while re.search(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", latex):
        latex = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", latex)
    return latex


@each_text
def test_latex_says_the_same_arithmetic(text: str) -> None:
    for layer in explain(report_of(text)).layers:
        for quantity in layer.quantities:
            assert worked_out(plain(substitution(quantity.term, LATEX))) == quantity.value


def environments(text: str) -> Iterator[str]:
    """Faults of nesting: each `\\begin` is closed by its own `\\end`, each brace by one."""
    ahead: list[str] = []
    outside = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", text, flags=re.DOTALL)
    for kind, name in re.findall(r"\\(begin|end)\{([\w*]+)\}", outside):
        if kind == "begin":
            ahead.append(name)
        elif not ahead or ahead.pop() != name:
            yield f"{kind} {name}"
    yield from ahead
    depth = 0
    for mark in re.findall(r"(?<!\\)[{}]", outside.replace(r"\\", "")):
        depth += 1 if mark == "{" else -1
        if depth < 0:
            yield "a brace closes nothing"
    if depth:
        yield "a brace is open"


@pytest.mark.parametrize("words", [["alexnet"], ["googlenet", "inception3a"], ["resnet18"], [NETS[-1], "concat1..fc2"]])
def test_latex_is_closed_and_escaped(words: list[str]) -> None:
    text = run(*words, "--format", "latex").output
    assert not list(environments(text))
    first, _, rest = text.partition("\n")
    assert first == r"% needs \usepackage{amsmath}"
    for special in (r"\\begin\{(verbatim|align\*|tabular)\}.*?\\end\{\1\}", r"\$[^$]*\$"):
        rest = re.sub(special, "", rest, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)[#$%&_^~]", rest)


def test_latex_has_the_formula_of_the_slide() -> None:
    text = run("alexnet", "conv1", "--format", "latex").output
    assert r"\left\lfloor \frac{227 + 2 \cdot 0 - 11}{4} \right\rfloor + 1 = 55" in text
    assert r"(11 \cdot 11 \cdot 3 + 1) \cdot 96 = 34{,}944" in text


def test_names_and_titles_are_escaped(tmp_path: Path) -> None:
    path = tmp_path / "my_net.arch"
    path.write_text(
        'arch my_net "100% & #1 {a|b} $x_1$ ~ ^ \\\\ <i> *b*" { input 8x8x1 ; a_b: conv 3 2 ; fc_1: fc 3 }', "utf-8"
    )
    latex = run(str(path), "--format", "latex").output
    assert not list(environments(latex))
    assert r"my\_net: 100\% \& \#1 \{a\textbar{}b\} \$x\_1\$ \textasciitilde{} \textasciicircum{}" in latex
    assert r"\texttt{a\_b}: \texttt{conv 3/1/0 2}" in latex
    markdown = run(str(path), "a_b", "--format", "md").output
    assert r"my\_net: 100% & #1 {a\|b} \$x\_1\$" in markdown
    assert r"&lt;i> \*b\*" in markdown
    assert "## `a_b`: `conv 3/1/0 2`" in markdown


@each_text
def test_markdown_has_a_heading_and_a_table_for_each_layer(text: str) -> None:
    names = [row.name for row in report_of(text).rows]
    for words in ([text], [text, f"{names[0]}..{names[-1]}"]):
        layers, _, sums = run(*words, "--format", "md").output.partition("**How the totals add up**")
        headings = [line for line in layers.splitlines() if line.startswith("## ")]
        assert [heading.split("`")[1] for heading in headings] == names
        assert all(len(cells(line)) == 4 for line in layers.splitlines() if line.startswith("|"))
        assert all(len(cells(line)) == 5 for line in sums.splitlines() if line.startswith("|"))


def cells(line: str) -> list[str]:
    """The cells of a row of a Markdown table."""
    return re.split(r"(?<!\\)\|", line)[1:-1]


def test_json_holds_every_quantity_with_formula_substitution_and_value() -> None:
    document = json.loads(run("vgg16", "conv4_1..fc6", "--format", "json").output)
    assert (document["archcalc"], document["kind"]) == (archcalc.__version__, "explain")
    assert (document["arch"], document["input"], document["batch"], document["dtype"]) == (
        *("vgg16", [224, 224, 3]),
        *(1, "float32"),
    )
    first, last = document["layers"][0], document["layers"][-1]
    quantities = {each["name"]: each for each in first["quantities"]}
    assert quantities["params"] == {
        "name": "params",
        "formula": "(F*F*C + 1) * N",
        "substitution": "(3*3*256 + 1) * 512",
        "value": 1_180_160,
        "notes": [],
    }
    assert quantities["weights"]["notes"] == ["without biases: the lectures' count"]
    assert {"factor": "C", "value": 256, "made": None, "from": "depth of conv3_3"} in first["factors"]
    assert {"factor": "H*W*C", "value": 25_088, "made": "7*7*512", "from": "pool5 flattened"} in last["factors"]
    assert document["totals"]["params"] == sum(
        each["value"] for layer in document["layers"] for each in layer["quantities"] if each["name"] == "params"
    )
    merge = json.loads(run("googlenet", "inception3a.concat1", "--format", "json").output)["layers"][0]
    assert merge["fork"] == "pool2"
    assert [len(path) for path in merge["paths"]] == [2, 4, 4, 3]


def test_table_is_another_word_for_text_and_a_file_holds_what_is_printed(tmp_path: Path) -> None:
    assert run("alexnet", "conv1", "--format", "table").output == run("alexnet", "conv1").output
    path = tmp_path / "conv1.md"
    assert run("alexnet", "conv1", "--format", "md", "-o", str(path)).output == ""
    assert path.read_text("utf-8") == run("alexnet", "conv1", "--format", "md").output


def test_python_has_the_figures_and_the_page() -> None:
    found = archcalc.explain("alexnet", "conv1", batch=2)
    figures = {figure.name: figure for figure in found.figures}
    assert figures["macs"] == ("conv1", "macs", "B * h*w*N * F*F*C", "2 * 55*55*96 * 11*11*3", 210_830_400)
    assert "floor((227 + 2*0 - 11)/4) + 1 = 55" in str(found)
    assert [layer.row.name for layer in found.layers] == ["conv1"]
    with pytest.raises(SpecError, match="did you mean `conv1`"):
        archcalc.explain("alexnet", "con1")
    with pytest.raises(ValueError, match="batch"):
        archcalc.explain("alexnet", batch=0)


# ---------------------------------------------------------------- terms


def test_terms_keep_the_order_of_their_rule_and_say_nothing_that_says_nothing() -> None:
    h, p, f, s = (Letter(value, name) for name, value in {"H": 227, "P": 0, "F": 11, "S": 4}.items())
    assert formula(h + p + p - f) == "H + 2*P - F"
    assert formula(1 * (f - 1) + 1) == "F"
    assert formula(h + 0) == formula(h * 1) == formula(h // 1) == formula(h / 1) == "H"
    assert h * 0 == 0
    assert h - h == 0
    assert formula((h + (s - 1)) // s) == "ceil(H/S)"
    assert formula((h + p + p - f + s + (s - 1)) // s) == "ceil((H + 2*P - F)/S) + 1"
    assert formula(h - (2 * (f - 1) + 1)) == "H - (2 * (F - 1) + 1)"
    assert formula(5 - h) == "-H + 5"
    assert formula((h - 1) * s) == "(H - 1) * S"
    assert formula(f * f * (h / s)) == "F*F*(H/S)"
    assert formula(100 // (h * s)) == "floor(100/(H*S))"
    assert formula(h // (s * s) * 3) == "floor(H/(S*S))*3"
    assert formula(h - (p - f)) == "H - (P - F)"
    assert (h >= 227, h <= 226, h < 228, h > 227) == (True, False, True, False)
