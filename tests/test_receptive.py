"""Receptive fields: published figures, the definition by brute force, and the kernels as witnesses."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses.costs import Report, Row, measure
from archcalc.analyses.paths import rows_seen
from archcalc.analyses.receptive import View, follow
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError
from archcalc.library import load, zoo
from archcalc.ops.base import Reach


def report(text: str, size: str | None = None) -> Report:
    return measure(load(text).build(size).graph)


def views(text: str, size: str | None = None) -> dict[str, View]:
    """What each layer sees of the first input."""
    return {found[0].row.name: found[0] for found in follow(report(text, size))}


def invoke(*words: str) -> Result:
    return CliRunner().invoke(group, [*words], standalone_mode=False)


def answer(*words: str) -> dict[str, Any]:
    result = invoke("receptive", *words, "--format", "json")
    if result.exception:
        raise result.exception
    found: dict[str, Any] = json.loads(result.output)
    return found


# ---------------------------------------------------------------- published figures

# google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md: size, effective stride and effective padding of TF-slim's
# nets; the padding is None where theirs is SAME and depends on the resolution.
PUBLISHED: dict[str, dict[str, tuple[int, int, int | None]]] = {
    "alexnet": {
        "conv1": (11, 4, 0),
        "pool1": (19, 8, 0),
        "conv2": (51, 8, 16),
        "conv3": (99, 16, 32),
        "conv4": (131, 16, 48),
        "conv5": (163, 16, 64),
        "pool5": (195, 32, 64),
    },
    "vgg11": {
        "conv1_1": (3, 1, 1),
        "pool1": (4, 2, 1),
        "conv2_1": (8, 2, 3),
        "pool2": (10, 4, 3),
        "conv3_1": (18, 4, 7),
        "conv3_2": (26, 4, 11),
        "pool3": (30, 8, 11),
        "conv4_1": (46, 8, 19),
        "conv4_2": (62, 8, 27),
        "pool4": (70, 16, 27),
        "conv5_1": (102, 16, 43),
        "conv5_2": (134, 16, 59),
        "pool5": (150, 32, 59),
    },
    "vgg16": {
        "conv1_1": (3, 1, 1),
        "pool1": (6, 2, 2),
        "conv2_1": (10, 2, 4),
        "pool2": (16, 4, 6),
        "conv3_1": (24, 4, 10),
        "conv3_2": (32, 4, 14),
        "pool3": (44, 8, 18),
        "conv4_1": (60, 8, 26),
        "conv4_2": (76, 8, 34),
        "pool4": (100, 16, 42),
        "conv5_1": (132, 16, 58),
        "conv5_2": (164, 16, 74),
        "pool5": (212, 32, 90),
    },
    "resnet50_v1": {"conv5_x": (483, 32, None)},
    "resnet101_v1": {"conv5_x": (1027, 32, None)},
    "resnet152_v1": {"conv5_x": (1507, 32, None)},
    "inception_v3": {"mixed6e": (927, 16, 442), "mixed7a": (1055, 32, 490), "mixed7c": (1311, 32, 618)},
    "inception_v4": {"inception_c": (2071, 32, 998)},
    "inception_resnet_v2": {"conv7b": (3039, 32, 1482)},
    "mobilenet_v1": {"conv14": (315, 32, None)},
    "bn_inception": {"inception5b": (699, 32, None)},
}


@pytest.mark.parametrize(("net", "layer"), [(net, layer) for net, layers in PUBLISHED.items() for layer in layers])
def test_fields_are_those_that_their_inventors_publish(net: str, layer: str) -> None:
    size, jump, padding = PUBLISHED[net][layer]
    measured = report(net)
    row = measured.row(layer)
    assert row
    view = views(net)[row.name]
    assert (view.size, view.jump) == ((size, size), (jump, jump))
    assert padding is None or view.before == (padding, padding)


def test_the_stride_on_the_3x3_makes_the_field_of_resnet50_smaller() -> None:
    """427: samson-wang's table of ResNet fields, and 483 - 56 by hand: (3 - 1) * (4 + 8 + 16) rows less."""
    assert views("resnet50")["conv5_x.2.relu3"].size == (427, 427)


def test_two_3x3_see_5x5_and_three_see_7x7() -> None:
    fields = views("input 32x32x3; conv 3 8; conv 3 8; conv 3 8")
    assert [fields[f"conv{i}"].size for i in (1, 2, 3)] == [(3, 3), (5, 5), (7, 7)]


def test_by_hand_in_both_directions() -> None:
    """Rows: 3/2/1, then 5 rows dilated by 2, 9 of jump 2: 3 + 8*2 = 19. Columns: 1/1/0, then 1/3/0."""
    fields = views("input 64x64x3; conv 3x1/2x1/1x0 4; conv 5x1/1x3/4x0 4 dilation=2x1")
    last = fields["conv2"]
    assert (last.size, last.jump, last.start) == ((19, 1), (2, 3), (-9, 0))
    assert (last.before, last.after) == ((9, 0), (8, 0))  # the last of 32 places sees rows 53 to 71, of 64
    assert last.within == (23, 22)  # rows -9 + 2i >= 0 and -9 + 2i + 18 <= 63: i from 5 to 27


def test_what_lies_in_the_image_is_told_from_what_does_not() -> None:
    """VGG-16: 7 cells of fc6's window, 32 apart, of 212 rows: 404, from -90 on; there are 224."""
    fc6 = views("vgg16")["fc6"]
    assert (fc6.size, fc6.start, fc6.seen, fc6.within, fc6.larger) == ((404, 404), (-90, -90), (224, 224), (0, 0), True)
    pool5 = views("vgg16")["pool5"]
    assert (pool5.seen, pool5.within, pool5.larger) == ((212, 212), (1, 1), False)


# ---------------------------------------------------------------- the definition, by brute force

Cells = Callable[[int], set[int]]


def lattice(row: Row, axis: int) -> list[Cells]:
    """Which cells of each input output i sees along an axis, straight from the formulas of the layer types."""
    op, x = row.node.op, [volume[axis] for volume in row.inputs]
    size: Any = x[0] if x else 0
    name = op.type
    a: dict[str, Any] = op.arguments(*row.inputs)
    if name in ("conv", "dwconv", "maxpool", "avgpool"):
        k, s, (p, _), d = a["kernel"][axis], a["stride"][axis], a["padding"][axis], a.get("dilation", (1, 1))[axis]
        return [lambda i: {s * i + d * u - p for u in range(k)}]
    if name == "deconv":
        k, s, (p, _), d = a["kernel"][axis], a["stride"][axis], a["padding"][axis], a["dilation"][axis]
        return [lambda i: {j for j in range(i // s - 30, i // s + 31) for u in range(k) if s * j + d * u - p == i}]
    if name == "upsample":
        return [lambda i: {i // a["factor"][axis]}]
    if name == "adaptiveavgpool":
        t = a["size"][axis]
        return [lambda i: set(range(i * size // t, -(-(i + 1) * size // t)))]
    if name in ("gap", "fc", "flatten"):
        return [lambda i: set(range(i, i + size))]
    if name in ("pad", "crop"):
        sign = -1 if name == "pad" else 1
        return [lambda i: {i + sign * a["sides"][axis][0]}]
    if name == "shortcut":
        return [lambda i: {a["stride"][axis] * i}]
    assert name in ("add", "concat", "mul", "relu", "id", "bn", "input"), name
    return [lambda i: {i}] * len(x)


Depends = Callable[[int], frozenset[int]]


def dependence(measured: Report, axis: int, real: bool) -> list[Depends]:
    """For each layer, the cells of the image that its cell i depends on; of `real` volumes only the cells they have."""
    sees: list[Depends] = []

    def of(row: Row) -> Depends:
        ways = list(zip(row.node.inputs, lattice(row, axis), row.inputs, strict=True))

        @cache
        def depends(i: int) -> frozenset[int]:
            if not ways:
                return frozenset({i})
            taps = [(at, j, x[axis]) for at, cells, x in ways for j in cells(i)]
            return frozenset().union(*(sees[at](j) for at, j, n in taps if not real or 0 <= j < n))

        return depends

    for row in measured.rows:
        sees.append(of(row))
    return sees


def witnessed(measured: Report, axis: int) -> list[list[set[int]]]:
    """For each layer and each of its rows or columns, those of the image that the kernels carry a change from."""
    generator = numpy.random.default_rng(0)
    weights = [
        {name: generator.uniform(1, 2, shape) for name, shape in row.node.op.weights(*row.inputs).items()}
        for row in measured.rows
    ]

    def run(image: Any) -> list[Any]:
        values: list[Any] = []
        for row, w in zip(measured.rows, weights, strict=True):
            arriving = [values[i] for i in row.node.inputs]
            values.append(row.node.op.run(numpy, w, *arriving) if arriving else image)
        return values

    h, w, c = measured.rows[0].output
    before = run(numpy.ones((1, h, w, c)))
    found: list[list[set[int]]] = [[set() for _ in range(int(row.output[axis]))] for row in measured.rows]  # type: ignore[call-overload]
    for cell in range((h, w)[axis]):  # type: ignore[arg-type]
        image = numpy.ones((1, h, w, c))
        image[(0, cell) if axis == 0 else (0, slice(None), cell)] = 1e6
        for at, (old, new) in enumerate(zip(before, run(image), strict=True)):
            changed = (old != new).any(axis=(0, 2 - axis, 3))
            for i in numpy.flatnonzero(changed):
                found[at][i].add(cell)
    return found


def span(cells: Any) -> tuple[int, int] | None:
    return (min(cells), max(cells)) if cells else None


KEEP = (  # branches that keep height and width, aligned and not
    "",
    "conv 3/1/1 2",
    "conv 3/1/2 2 dilation=2",
    "conv 3/1/2:0 2",
    "conv 1x5/1/0x2 2",
    "pool 3/1/1 ; conv 1 2",
    "conv 2/1/same 2",
    "crop 1:0 ; pad 0:1",
    "upsample 2 ; conv 3/1/1 2 ; avgpool 2",
    "deconv 3/2/1 2 extra=1 ; pool 2",
    "upsample 2x3 ; conv 3/2x3/1 2",
)
CHANGE = (
    "conv 3/2/1 2",
    "conv 2x3/1x2 2",
    "conv 3/1/4 2 dilation=4",
    "conv 1/2 2",
    "pool 3/2 ceil",
    "avgpool 2/2/same",
    "dwconv 3/2/same",
    "shortcut 2x1 2",
    "deconv 4/2/1 2",
    "deconv 3/2 2 dilation=2",
    "deconv 2/3/0 2",
    "deconv 3/1x2/same 2",
    "upsample 3x2",
    "adaptiveavgpool 5x4",
    "adaptiveavgpool 13x6",
    "crop 1:0",
    "pad 0:2",
)


@st.composite
def nets(draw: st.DrawFn) -> str:
    """A chain of layers with branches in between, on a small image."""
    lines = [f"input {draw(st.integers(9, 16))}x{draw(st.integers(9, 16))}x2"]
    for _ in range(draw(st.integers(1, 5))):
        if draw(st.booleans()):
            lines.append(draw(st.sampled_from(CHANGE)))
        else:
            merge = draw(st.sampled_from(("add", "concat")))
            first, second = draw(st.sampled_from(KEEP)), draw(st.sampled_from(KEEP))
            lines += [f"{merge} {{ {first} | {second} }}", "conv 1 2"]
    return "\n".join([*lines, *draw(st.sampled_from(((), ("gap",), ("fc 3",))))])


def measured_or_none(text: str) -> Report | None:
    try:
        found = report(text)
    except SpecError:  # a window that does not fit
        return None
    return found if max(max(row.output[:2]) for row in found.rows) <= 60 else None  # type: ignore[type-var,operator]


@settings(max_examples=250, deadline=None, derandomize=True)
@given(nets())
def test_a_field_is_what_the_formulas_of_the_layers_see_together(text: str) -> None:
    measured = measured_or_none(text)
    if measured is None:
        return
    found = follow(measured)
    for axis in (0, 1):
        sees = dependence(measured, axis, real=False)
        for at, row in enumerate(measured.rows):
            field, places = found[at][0].fields[axis], int(row.output[axis])  # type: ignore[call-overload]
            cells = int(measured.rows[0].output[axis])  # type: ignore[call-overload]
            spans = [span(sees[at](i)) for i in range(-2, places + 2)]
            assert [field.span(i) for i in range(-2, places + 2)] == spans, (row.name, axis)
            sizes = [last - first + 1 for first, last in filter(None, spans[2:-2])]
            assert found[at][0].size[axis] == max(sizes, default=0)
            inside = [(first, last) for first, last in filter(None, spans[2:-2]) if first >= 0 and last < cells]
            assert found[at][0].within[axis] == len(inside)
            clipped = [min(last, cells - 1) - max(first, 0) + 1 for first, last in filter(None, spans[2:-2])]
            assert found[at][0].seen[axis] == max(0, *clipped, 0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(nets())
def test_the_kernels_carry_a_change_from_no_cell_outside_of_a_field(text: str) -> None:
    """And where no padding goes into a cell, from both ends of it."""
    measured = measured_or_none(text)
    if measured is None:
        return
    found = follow(measured)
    for axis in (0, 1):
        real, free = (dependence(measured, axis, each) for each in (True, False))
        for at, rows in enumerate(witnessed(measured, axis)):
            for i, cells in enumerate(rows):
                assert cells == real[at](i), (measured.rows[at].name, axis, i)
                field = found[at][0].fields[axis].span(i)
                assert not cells or (field and field[0] <= min(cells) <= max(cells) <= field[1])
                assert real[at](i) != free[at](i) or span(cells) == field


@pytest.mark.parametrize("axis", [0, 1])
def test_a_squeezed_volume_scales_all_cells_by_the_whole_image(axis: int) -> None:
    text = "input 12x9x2; conv 3/2/1 4; mul { id | gap ; fc 2 ; relu ; fc 4 ; sigmoid }; conv 3/1/1 2"
    measured = report(text.replace("; sigmoid", ""))
    fields = views(text)
    places, cells = ((6, 5)[axis], (12, 9)[axis])
    assert all(seen == set(range(cells)) for seen in witnessed(measured, axis)[-1])
    for name in ("mul1", "conv2"):
        assert fields[name].jump[axis] == 0
        assert fields[name].start[axis] == -1
        assert fields[name].size[axis] == 3 + 2 * (places - 1)
        assert fields[name].seen[axis] == cells
    assert fields["mul1"].aligned


# ---------------------------------------------------------------- alignment


def test_paths_of_even_and_odd_windows_lie_half_a_cell_apart() -> None:
    merged = views("input 9x9x3; concat { conv 3 4 | crop 1:0 ; conv 2 5 }")["concat1"]
    assert not merged.aligned
    assert [meeting.apart for meeting in merged.meetings] == [Fraction(1, 2)] * 2
    assert merged.meetings[0].largest.name == "conv1"
    assert not merged.meetings[0].drift
    assert merged.size == (3, 3)


def test_windows_that_are_padded_to_different_sides_see_more_together_than_each() -> None:
    merged = views("input 9x9x3; add { conv 3x1/1/2:0x0 3 | conv 3x1/1/0:2x0 3 }")["add1"]
    assert merged.size == (5, 1)
    assert [meeting.apart for meeting in merged.meetings] == [2, 0]
    assert [path.size for path in merged.meetings[0].paths] == [3, 3]


def test_windows_around_one_middle_are_aligned_however_large() -> None:
    for name in ("resnet50", "resnet50_v1", "inception_v3", "densenet121", "squeezenet1_1"):
        assert all(view.aligned for found in follow(report(name)) for view in found), name
    assert not views("enet")["initial"].aligned  # conv 3/2/1 beside pool 2/2


def test_an_upsampled_path_meets_the_one_that_it_came_from() -> None:
    """As in a U-Net: of each pair of cells one is seen a half to the left, one to the right."""
    merged = views("input 16x16x3; concat { pool 2 ; upsample 2 | id }")["concat1"]
    assert merged.aligned
    assert (merged.size, merged.jump) == ((2, 2), (1, 1))


def test_paths_of_different_jumps_drift_apart() -> None:
    """5 rows by 2 are 3, and so are the last 3 rows: row i sees 2i, and 2 + i."""
    merged = views("input 5x3x2; concat { conv 1/2x1 2 | crop 2:0x0 }")["concat1"]
    rows = merged.meetings[0]
    assert (rows.drift, rows.apart) == (True, 2)
    assert [merged.fields[0].span(i) for i in range(3)] == [(0, 2), (2, 3), (4, 4)]
    assert (merged.size, merged.smallest) == ((3, 1), (1, 1))
    assert "not aligned: conv1 sees 1x1, crop1 sees 1x1, middles 2 rows apart, at last: their jumps differ" in (
        invoke("receptive", "input 5x3x2; concat { conv 1/2x1 2 | crop 2:0x0 }").output
    )


def test_one_cell_has_no_jump_to_differ_in() -> None:
    """A global pooling beside a convolution of the same size: both see all 8 rows."""
    assert views("input 8x8x3; concat { gap | conv 8 4 | pool 8/8 }")["concat1"].aligned


def test_each_input_is_followed_by_itself() -> None:
    text = "left: input 16x16x3; right: input 32x32x3; from left; a: conv 3/1/1 4; from right; b: conv 2/2 4; add a, b"
    found = follow(report(text))[-1]
    assert [(view.source.name, view.size, view.jump) for view in found] == [
        ("left", (3, 3), (1, 1)),
        ("right", (2, 2), (2, 2)),
    ]
    last = answer(text)["layers"][-1]
    assert (last["input"], last["size"], last["others"][0]["input"], last["others"][0]["size"]) == (
        "left",
        [3, 3],
        "right",
        [2, 2],
    )


# ---------------------------------------------------------------- one truth


@pytest.mark.parametrize("name", list(zoo()))
def test_the_quantity_is_the_number_of_rows_of_the_field(name: str) -> None:
    measured = report(name)
    last = len(measured.rows) - 1
    for at in (last // 3, last // 2, last):
        assert rows_seen(measured, at) == follow(measured)[at][0].size[0]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("conv 3 8; conv 3 8; conv 3 8", 7),
        ("conv 3/2/same 8; conv 5 8", 11),  # 3 + 4*2
        ("add { conv 3/1/0:2 8 | conv 3/1/2:0 8 }", 5),  # the rows 0 to 2, and -2 to 0
        ("conv 3/1/1 8; add { conv 3/1/1 8 | id }; pool 2", 6),
    ],
)
def test_windows_tell_the_field_where_the_size_of_the_input_is_open(text: str, rows: int) -> None:
    for size in ("HxWx8", "31x31x8"):
        measured = report(f"input {size}; {text}")
        assert rows_seen(measured, len(measured.rows) - 1) == rows
        given = f"input {size}; {text}; expect receptive = {rows}"
        assert invoke("verify", given).exception is None


@pytest.mark.parametrize(
    "text", ["conv 3 8; gap", "conv 3 8; fc 5", "deconv 2/2 4", "add { conv 3/2/same 8 | conv 1/2 8 }"]
)
def test_what_symbols_hide_of_a_field_is_refused(text: str) -> None:
    error = invoke("table", f"input HxHx8; {text}; expect receptive = 3").exception
    assert isinstance(error, SpecError)
    assert "depends on sizes in symbols" in error.faults[0].message


def test_the_field_behind_a_layer_that_sees_all_is_told_too() -> None:
    assert rows_seen(report("input 9x9x2; conv 3 8; gap"), 2) == 9
    assert rows_seen(report("alexnet"), 18) == 355  # fc6: 6 cells of pool5, 195 + 5*32


def test_a_field_is_sought_behind_a_layer_that_sees_all() -> None:
    answer = archcalc.solve("conv ?/2/0 8; gap", input=9, such_that=["receptive = 9", "? <= 5"])
    assert {each.values for each in answer.solutions} == {(1,), (3,), (5,)}


@given(*(st.integers(1, 9),) * 3, st.integers(-9, 9), st.integers(-20, 20))
def test_cells_are_those_that_the_equation_has(k: int, d: int, m: int, before: int, i: int) -> None:
    for s in range(4):
        reach = Reach(k, s, before, d, m)
        assert set(reach.cells(i)) == {
            (s * i - before + d * u) // m for u in range(k) if (s * i - before + d * u) % m == 0
        }
        period, step = reach.period
        assert [j + step for j in reach.cells(i)] == list(reach.cells(i + period))


# ---------------------------------------------------------------- exits and refusals


def test_json_holds_what_the_contract_promises() -> None:
    found = answer("vgg16")
    assert (found["kind"], found["arch"]) == ("receptive", "vgg16")
    pool5 = next(layer for layer in found["layers"] if layer["name"] == "pool5")
    assert (pool5["size"], pool5["jump"], pool5["start"]) == ([212, 212], [32, 32], [-90, -90])
    assert (pool5["padding"], pool5["padding_after"]) == ([90, 90], [90, 90])
    assert answer("input 9x9x3; upsample 2")["layers"][-1]["jump"] == [0.5, 0.5]
    assert answer("enet")["aligned"] is False


@pytest.mark.parametrize("format_", ["table", "csv", "md", "latex", "html"])
def test_the_tables_hold_size_jump_and_start(format_: str) -> None:
    printed = invoke("receptive", "input 32x48x3; conv 1x7/1x2/0x3 4", "--format", format_).output
    line = next(line for line in printed.splitlines() if "conv 1x7" in line)
    assert all(word in line for word in ("1x7", "1 x 2", "0 x -3"))
    if format_ != "csv":
        assert "Araujo" in printed


def test_the_input_can_be_another() -> None:
    assert answer("resnet50", "--input", "448x448x3")["input"] == [448, 448, 3]
    assert not answer("resnet50", "--input", "448x448x3")["layers"][-4]["larger"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("input HxWx3; conv 3 4", "`input` has sizes in symbols"),
        ("input 9x9x3; upsample 1000000", "differ in too long a pattern: 1,000,000 steps"),
        ("input 7x7x3; upsample 503; conv 3/1/1 2; upsample 509", "differ in too long a pattern: 256,027 steps"),
        ("input 9x9x3; deconv 1/5000 2; conv 4000 2", "differ in too long a pattern"),
        ("input 400000x3x1; concat { conv 1/2x1 1 | crop 200000:0x0 }", "differ in too long a pattern: 200,000 steps"),
    ],
)
def test_what_cannot_be_followed_is_refused(text: str, message: str) -> None:
    error = invoke("receptive", text).exception
    assert isinstance(error, SpecError)
    assert message in error.faults[0].message
    assert error.faults[0].span


def test_a_page_sorts_fields_by_their_size_and_not_by_their_letters() -> None:
    page = invoke("receptive", "input 32x32x3; conv 9 4; conv 5 4", "--format", "html").output
    assert 'data-value="81.0">9x9<' in page
    assert 'data-value="169.0">13x13<' in page
