"""The kernels of the layer types, held against their rules: shape, operations by kind, gradients, numbers."""

from __future__ import annotations

import doctest
import math
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from textwrap import indent
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from counting import Number, Tally, bare, counting, marked
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses.costs import Report, cost_of, measure
from archcalc.analyses.touched import Touch, add_touches, count_touched
from archcalc.lang.errors import SpecError
from archcalc.library import load
from archcalc.ops import REGISTRY, Op
from archcalc.volume import Volume

OPERATIONS = 12_000  # and values, of a net that is run on counting numbers
TYPES = {cls.types[0]: cls for cls in REGISTRY.values()}
OPTIONS = (  # what the examples of the layer types leave out, small
    "input 7x6x4; conv 3x2/2x1/1:0x2:1 6 groups=2 dilation=2x1",
    "input 8x7x3; conv 3/2/same 4 nobias; conv 2/1/full 2",
    "input 6x6x2; conv 1/3 4; conv 2 4 groups=4",
    "input 6x7x3; dwconv 3x2/2x1/1:2 multiplier=2 dilation=1x2 nobias",
    "input 5x4x3; dwconv 2/1/same multiplier=3",
    "input 4x5x4; deconv 3x2/2x3/1:0x0:1 6 groups=2 extra=1x0 dilation=2x1",
    "input 3x4x2; deconv 3/2/same 3 extra=1; deconv 2/3/same 2 nobias",
    "input 3x3x2; deconv 2/1/1 2 dilation=3 extra=2; deconv 2/4/1:0 3",
    "input 7x8x2; pool 3/2/1:0x0:2 ceil; pool 2",
    "input 8x7x2; pool 2/3 ceil; pool 3/2/same; pool 2/1/full",
    "input 8x7x2; avgpool 3/2/1 ceil; avgpool 2x3/2/0:1x1 nocountpad",
    "input 8x7x2; avgpool 3/2/1 ceil nocountpad; avgpool 2/3/same",
    "input 3x5x2; adaptiveavgpool 5x3; gap",
    "input 3x2x4; fc 5 nobias; fc 3",
    "input 3x2x6; lrn 4 k=1 alpha=0.5 beta=0.5; lrn 1; lrn 9; ln noaffine; bn noaffine; elu 0.5; leakyrelu 0.3",
    "input 5x4x6; pad 1:0x0:2; crop 1:0x0:1; upsample 2x3; shortcut 3x2 8; shuffle 4; split 2 1; slice 1:4; flatten",
    "input 4x3x2; x: conv 1 2; add { id | id | conv 1 2 share=x }; concat { id | id | id }",
    "input 4x3x2; mul { id | id | gap | id }; mul { gap | id }",
)


def halves(n: int) -> list[int]:
    """n, n/2, n/4, … 1."""
    return [n >> power for power in range(n.bit_length())]


def small(example: str) -> Report:
    """A net of few operations: the text on the largest input that keeps them few, or else on the smallest there is."""
    net = load(example)
    size = net.build().graph.nodes[0].op.out()
    for smaller in sorted(product(*map(halves, size)), key=math.prod, reverse=True):
        try:
            report = measure(net.build("x".join(map(str, smaller))).graph)
        except SpecError:  # too small
            continue
        if sum(sum(row.cost.work) + row.output.values + row.cost.params for row in report.rows) <= OPERATIONS:
            break
    return report


def runs() -> dict[str, tuple[Op, tuple[Volume, ...]]]:
    """Each layer of the examples and of the options, with what arrives."""
    reports = [small(text) for text in (*(each for cls in TYPES.values() for each in cls.examples), *OPTIONS)]
    rows = [row for report in reports for row in report.rows if row.inputs]
    return {f"{' + '.join(map(str, row.inputs))} {row.node.op.text()}": (row.node.op, row.inputs) for row in rows}


RUNS = runs()
MULTIPLIES = {name: run for name, run in RUNS.items() if cost_of(*run).macs != 0}
each_run = pytest.mark.parametrize(("op", "x"), RUNS.values(), ids=list(RUNS))
each_multiplying = pytest.mark.parametrize(("op", "x"), MULTIPLIES.values(), ids=list(MULTIPLIES))
Arrays = dict[str, Any]


def drawn(op: Op, x: tuple[Volume, ...], batch: int = 2, seed: int = 0) -> tuple[list[Any], Arrays, Any]:
    """Inputs, weights and a gradient of the output for a run, float64; buffers (a variance) are above 0."""
    random = np.random.default_rng(seed)
    inputs = [apart(random, (batch, *volume)) for volume in x]
    weights = {name: random.normal(size=shape) for name, shape in op.weights(*x).items()}
    weights |= {name: 0.5 + abs(weights[name]) for name in op.buffers if name in weights}
    return inputs, weights, random.normal(size=(batch, *op.out(*x)))


def apart(random: np.random.Generator, shape: tuple[Any, ...]) -> Any:
    """Values from -4 to 8, no two so near each other that a small step would let another one be the largest."""
    return random.permutation(np.linspace(-4, 7, math.prod(shape)) + random.uniform()).reshape(shape)


def counted(op: Op, x: tuple[Volume, ...], batch: int) -> tuple[Any, Tally]:
    """The output of a run on counting numbers, and what it took."""
    numbers = counting()
    inputs, weights, _ = marked_all(numbers, drawn(op, x, batch))
    return op.run(np, weights, *inputs), numbers.tally


def counted_back(op: Op, x: tuple[Volume, ...], batch: int) -> tuple[tuple[Any, ...], Arrays, Tally]:
    """The gradients from a run on counting numbers, and what they took."""
    numbers = counting()
    inputs, weights, dy = marked_all(numbers, drawn(op, x, batch))
    dx, dw = op.back(np, dy, weights, *inputs)
    return dx, dw, numbers.tally


def marked_all(numbers: type[Number], given: tuple[list[Any], Arrays, Any]) -> tuple[list[Any], Arrays, Any]:
    """The same arrays of counting numbers, marked `x`, `w` and `dy`."""
    inputs, weights, dy = given
    own = {name: marked(numbers, np, array, "w") for name, array in weights.items()}
    return [marked(numbers, np, array, "x") for array in inputs], own, marked(numbers, np, dy, "dy")


def plain(array: Any) -> Any:
    """An array of counting numbers as one of floats."""
    return np.array([bare(each) for each in array.ravel()], float).reshape(array.shape)


def learnt(op: Op, x: tuple[Volume, ...]) -> dict[str, Any]:
    """The shapes of the weights that have a gradient."""
    return {name: shape for name, shape in op.weights(*x).items() if name not in op.buffers}


# ---------------------------------------------------------------- 1. shape


def test_every_layer_type_is_run_and_goes_back() -> None:
    assert {type(op) for op, _ in RUNS.values()} == set(TYPES.values())
    assert not [name for name, cls in TYPES.items() if cls.run is Op.run or cls.back is Op.back]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@each_run
def test_the_rule_says_the_shape_that_the_kernel_makes(op: Op, x: tuple[Volume, ...], dtype: str) -> None:
    inputs, weights, dy = drawn(op, x)
    inputs, dy = [array.astype(dtype) for array in inputs], dy.astype(dtype)
    weights = {name: array.astype(dtype) for name, array in weights.items()}
    before = [array.copy() for array in (*inputs, *weights.values(), dy)]
    y = op.run(np, weights, *inputs)
    assert (y.shape, y.dtype) == ((2, *op.out(*x)), dtype)
    dx, dw = op.back(np, dy, weights, *inputs)
    assert [(each.shape, each.dtype) for each in dx] == [(each.shape, dtype) for each in inputs]
    assert {name: each.shape for name, each in dw.items()} == learnt(op, x)
    assert all(each.dtype == dtype for each in dw.values())
    for array, was in zip((*inputs, *weights.values(), dy), before, strict=True):  # nothing that was given is changed
        assert np.array_equal(array, was)


# ---------------------------------------------------------------- 3. count


@pytest.mark.parametrize("batch", [1, 2])
@each_run
def test_the_kernel_does_the_operations_that_the_formula_states(op: Op, x: tuple[Volume, ...], batch: int) -> None:
    _, tally = counted(op, x, batch)
    assert tally.work == op.work(op.out(*x), *x).times(batch)


@each_run
def test_a_kernel_gives_the_same_on_python_objects_as_on_arrays(op: Op, x: tuple[Volume, ...]) -> None:
    inputs, weights, _ = drawn(op, x)
    y, _ = counted(op, x, 2)
    assert np.allclose(plain(y), op.run(np, weights, *inputs), rtol=1e-12, atol=1e-12)


@each_run
def test_what_is_done_to_the_weights_alone_is_done_once_for_all_images(op: Op, x: tuple[Volume, ...]) -> None:
    (_, one), (_, two) = (counted(op, x, batch) for batch in (1, 2))
    assert one.beforehand == two.beforehand


@each_multiplying
def test_each_gradient_of_a_layer_that_multiplies_and_adds_costs_what_the_layer_costs(
    op: Op, x: tuple[Volume, ...]
) -> None:
    dx, dw, tally = counted_back(op, x, 2)
    macs = 2 * cost_of(op, x).macs
    by_input = tally.macs("w")  # a gradient times a weight; else a gradient times a value of the input
    assert (by_input, tally.work.macs - by_input) == (macs, macs)
    inputs, weights, dy = drawn(op, x)
    right_dx, right_dw = op.back(np, dy, weights, *inputs)
    for found, right in zip((*dx, *dw.values()), (*right_dx, *(right_dw[name] for name in dw)), strict=True):
        assert np.allclose(plain(found), right, rtol=1e-12, atol=1e-10)


@each_run
def test_the_multiply_adds_of_padding_zeros_are_those_that_the_rule_leaves_out(op: Op, x: tuple[Volume, ...]) -> None:
    _, tally = counted(op, x, 1)
    assert tally.macs("w") == tally.work.macs
    assert tally.macs("x") == op.touched_macs(op.out(*x), *x)


# ---------------------------------------------------------------- gradients

STEP = 1e-5
NEAR = 1e-7  # of the largest that the sum of so many products could be


def assert_gradients_are_the_slopes(op: Op, x: tuple[Volume, ...], seed: int = 0) -> None:
    """Each gradient, along a random direction, is how fast sum(dy * y) changes that way: by differences."""
    inputs, weights, dy = drawn(op, x, seed=seed)
    dx, dw = op.back(np, dy, weights, *inputs)
    arrays = dict(enumerate(inputs)) | {name: weights[name] for name in dw}
    for name, gradient in (*enumerate(dx), *dw.items()):
        direction = np.random.default_rng(seed + 1).normal(size=gradient.shape)

        def loss(step: float, name: int | str = name, direction: Any = direction) -> float:
            moved = arrays | {name: arrays[name] + step * direction}
            y = op.run(np, weights | {each: moved[each] for each in dw}, *(moved[at] for at in range(len(inputs))))
            return float((dy * y).sum())

        slope = (loss(STEP) - loss(-STEP)) / (2 * STEP)
        largest = np.linalg.norm(gradient) * np.linalg.norm(direction)
        assert abs(slope - (gradient * direction).sum()) <= NEAR * max(largest, 1), name


@each_run
def test_gradients_are_the_slopes_of_the_kernel(op: Op, x: tuple[Volume, ...]) -> None:
    for seed in range(3):
        assert_gradients_are_the_slopes(op, x, seed)


@each_multiplying
def test_going_back_is_the_transpose_of_going_forth(op: Op, x: tuple[Volume, ...]) -> None:
    inputs, weights, dy = drawn(op, x)
    image, w, dy = (np.rint(9 * each).astype(int) for each in (inputs[0], weights["w"], dy))  # whole: exact
    own = {"w": w} | {name: np.zeros(weights[name].shape, int) for name in weights if name != "w"}
    (dx,), dw = op.back(np, dy, own, image)
    total = (dy * op.run(np, own, image)).sum()
    assert total == (dx * image).sum() == (dw["w"] * w).sum()
    assert total != 0


@each_multiplying
def test_a_bias_is_added_to_its_slice_and_gets_the_gradients_of_it(op: Op, x: tuple[Volume, ...]) -> None:
    (image,), weights, dy = drawn(op, x)
    assert ("b" in weights) is op.bias  # type: ignore[attr-defined]
    if "b" in weights:
        without = op.replace(bias=False).run(np, {"w": weights["w"]}, image)
        assert np.array_equal(op.run(np, weights, image), without + weights["b"])
        _, dw = op.back(np, dy, weights, image)
        assert np.allclose(dw["b"], dy.reshape(-1, dy.shape[3]).sum(axis=0), rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------- any options


def pairs_from(first: int, last: int) -> st.SearchStrategy[str]:
    """`3x2`."""
    return st.tuples(st.integers(first, last), st.integers(first, last)).map(lambda pair: f"{pair[0]}x{pair[1]}")


pairs = pairs_from(1, 4)
ends = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: f"{pair[0]}:{pair[1]}")
paddings = st.sampled_from(["same", "full"]) | st.tuples(ends, ends).map("x".join)
WINDOWED = ("conv", "dwconv", "deconv", "maxpool", "avgpool", "adaptiveavgpool")


@st.composite
def windows(draw: st.DrawFn, paddings: st.SearchStrategy[str] = paddings, types: tuple[str, ...] = WINDOWED) -> str:
    """The text of a net of one layer with a window, any options, small."""
    groups, many = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    depth = groups * draw(st.integers(1, 2))
    window = f"{draw(pairs)}/{draw(pairs)}/{draw(paddings)}"
    spread = f"dilation={draw(pairs)}" + draw(st.sampled_from(["", " nobias"]))
    ceil, pad = draw(st.sampled_from(["", " ceil"])), draw(st.sampled_from(["", " nocountpad"]))
    layers = {
        "conv": f"conv {window} {groups * many} groups={groups} {spread}",
        "dwconv": f"dwconv {window} multiplier={many} {spread}",
        "deconv": f"deconv {window} {groups * many} groups={groups} {spread} extra={draw(st.integers(0, 3))}",
        "maxpool": f"maxpool {window}{ceil}",
        "avgpool": f"avgpool {window}{ceil}{pad}",
        "adaptiveavgpool": f"adaptiveavgpool {draw(pairs)}",
    }
    return f"input {draw(pairs_from(1, 7))}x{depth}; {layers[draw(st.sampled_from(types))]}"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(windows())
def test_the_laws_hold_with_any_options(text: str) -> None:
    try:
        row = measure(load(text).build().graph).rows[-1]
    except SpecError:  # refused
        assume(False)
    op, x = row.node.op, row.inputs
    y, tally = counted(op, x, 1)
    assert (y.shape, tally.work) == ((1, *row.output), row.cost.work)
    assert tally.macs("x") == op.touched_macs(row.output, *x)
    if row.macs:
        test_each_gradient_of_a_layer_that_multiplies_and_adds_costs_what_the_layer_costs(op, x)
    assert_gradients_are_the_slopes(op, x)


# ---------------------------------------------------------------- the formulas, read cell by cell


def inside(op: Any, x: Any, i: int, j: int) -> Iterator[tuple[int, int, int, int]]:
    """The taps of a window at a place, each with the cell of the image (h, w, c) that it meets; others are left out."""
    ((top, _), (left, _)), (sh, sw), (dh, dw) = op.sides(Volume(*x.shape)), op.step, op.spread
    for u, v in np.ndindex(op.kernel):
        row, column = sh * i + dh * u - top, sw * j + dw * v - left
        if 0 <= row < x.shape[0] and 0 <= column < x.shape[1]:
            yield u, v, row, column


def conv_at(op: Any, w: Any, x: Any, i: int, j: int, n: int) -> int:
    depth = w.shape[2]
    first = n // (op.filters // op.groups) * depth
    taps = product(inside(op, x, i, j), range(depth))
    return sum(w[u, v, c, n] * x[row, column, first + c] for (u, v, row, column), c in taps)


def dwconv_at(op: Any, w: Any, x: Any, i: int, j: int, n: int) -> int:
    c, m = divmod(n, op.multiplier)
    return sum(w[u, v, c, m] * x[row, column, c] for u, v, row, column in inside(op, x, i, j))


def deconv_at(op: Any, w: Any, x: Any, i: int, j: int, n: int) -> int:
    (top, _), (left, _) = op.sides(Volume(*x.shape))
    first = n // (op.filters // op.groups) * w.shape[2]
    total = 0
    for row, column, u, v, c in np.ndindex(*x.shape[:2], *w.shape[:3]):
        place = op.step[0] * row + op.spread[0] * u - top, op.step[1] * column + op.spread[1] * v - left
        total += w[u, v, c, n] * x[row, column, first + c] if place == (i, j) else 0
    return total


def maxpool_at(op: Any, w: Any, x: Any, i: int, j: int, n: int) -> int:
    return max(x[row, column, n] for *_, row, column in inside(op, x, i, j))


def avgpool_at(op: Any, w: Any, x: Any, i: int, j: int, n: int) -> float:
    cells = [x[row, column, n] for *_, row, column in inside(op, x, i, j)]
    (top, bottom), (left, right) = op.sides(Volume(*x.shape))
    around = np.pad(x, ((top, bottom), (left, right), (0, 0))) if op.countpad else x
    counted = inside(op.replace(padding=((0, 0), (0, 0))), around, i, j) if op.countpad else cells
    return sum(cells) / len(list(counted))


def adaptiveavgpool_at(op: Any, w: Any, x: Any, i: int, j: int, n: int) -> float:
    (height, width, _), (rows, columns) = x.shape, op.size
    rows_seen = range(math.floor(Fraction(i * height, rows)), math.ceil(Fraction((i + 1) * height, rows)))
    columns_seen = range(math.floor(Fraction(j * width, columns)), math.ceil(Fraction((j + 1) * width, columns)))
    cells = [x[row, column, n] for row, column in product(rows_seen, columns_seen)]
    return sum(cells) / len(cells)


FORMULAS = dict(zip(WINDOWED, (conv_at, dwconv_at, deconv_at, maxpool_at, avgpool_at, adaptiveavgpool_at), strict=True))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(windows())
def test_every_value_is_that_of_the_formula(text: str) -> None:
    try:
        row = measure(load(text).build().graph).rows[-1]
    except SpecError:
        assume(False)
    op = row.node.op
    (images,), weights, _ = drawn(op, row.inputs, batch=1)
    images, weights = np.rint(9 * images).astype(int), {name: np.rint(9 * w).astype(int) for name, w in weights.items()}
    y = op.run(np, weights, images.astype(float))
    for i, j, n in np.ndindex(*y.shape[1:]):
        value = FORMULAS[op.type](op, weights.get("w"), images[0], i, j, n)
        assert y[0, i, j, n] == value + (weights["b"][n] if "b" in weights else 0)


def test_a_fully_connected_layer_sees_a_volume_as_a_vector() -> None:
    x, w, b = np.arange(12).reshape(1, 2, 2, 3), np.arange(24).reshape(12, 2), np.array([1000, 0])
    y = layer("input 2x2x3; fc 2").run(np, {"w": w, "b": b}, x)
    assert y.shape == (1, 1, 1, 2)
    assert y.flatten().tolist() == [sum(i * 2 * i for i in range(12)) + 1000, sum(i * (2 * i + 1) for i in range(12))]


# ---------------------------------------------------------------- pooling


def layer(text: str) -> Op:
    """The last layer of a net."""
    return load(text).build().graph.nodes[-1].op


def image(*rows: list[float]) -> Any:
    """One image of one slice."""
    return np.array(rows, float)[None, :, :, None]


def test_a_padded_cell_never_wins() -> None:
    op = layer("input 2x2x1; pool 4/1/1")
    assert op.run(np, {}, image([-4, -3], [-2, -1])).ravel().tolist() == [-1]
    assert op.run(np, {}, np.full((1, 2, 2, 1), -np.inf)).ravel().tolist() == [-np.inf]
    (dx,), _ = op.back(np, np.ones((1, 1, 1, 1)), {}, np.full((1, 2, 2, 1), -np.inf))
    assert dx.ravel().tolist() == [1, 0, 0, 0]


def test_nan_wins_under_its_windows_and_no_others() -> None:
    op = layer("input 3x3x1; pool 2/1/1")
    y = op.run(np, {}, image([1, 2, 3], [4, 5, 6], [7, 8, np.nan]))[0, :, :, 0]
    assert np.argwhere(np.isnan(y)).tolist() == [[2, 2], [2, 3], [3, 2], [3, 3]]


def test_the_first_of_equals_gets_the_gradient() -> None:
    (dx,), _ = layer("input 2x3x1; pool 2/1").back(np, np.array([[[[1.0], [10.0]]]]), {}, image([1, 7, 7], [7, 7, 0]))
    assert dx.ravel().tolist() == [0, 11, 0, 0, 0, 0]


def test_max_pooling_is_the_matrix_of_the_lecture() -> None:
    responses = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])  # its 4x4 example, pooled to 2x2
    matrix = layer("input 4x4x1; pool 2").matrix(np, responses)  # type: ignore[attr-defined]
    assert matrix.shape == (4, 16)
    assert matrix[0].tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]  # as the slide prints it
    assert (matrix @ responses.flatten()).tolist() == [6, 8, 3, 4]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(1, 6), st.integers(1, 6), pairs, pairs, st.sampled_from(["", "/1", "/0:1", "/same"]), st.booleans())
def test_the_matrix_of_max_pooling_pools_and_is_its_gradient(
    h: int, w: int, k: str, s: str, padding: str, ceil: bool
) -> None:
    try:
        op = layer(f"input {h}x{w}x1; pool {k}/{s}{padding}" + " ceil" * ceil)
    except SpecError:
        assume(False)
    x = np.random.default_rng(h).integers(-3, 3, (1, h, w, 1))  # many equals
    matrix = op.matrix(np, x[0, :, :, 0])  # type: ignore[attr-defined]
    y = op.run(np, {}, x)
    assert (matrix.sum(axis=1) == 1).all()
    assert np.array_equal(matrix @ x.flatten(), y.flatten())
    dy = np.random.default_rng(w).integers(-9, 9, y.shape)
    assert np.array_equal(dy.flatten() @ matrix, op.back(np, dy, {}, x)[0][0].flatten())


@pytest.mark.parametrize(
    ("options", "corners"),
    [("", (4 / 9, 2 / 6, 1 / 4)), (" nocountpad", (1, 1, 1))],  # the mean of ones: top left, top right, bottom right
)
def test_a_mean_divides_by_cells_of_the_padding_and_never_by_those_behind_it(
    options: str, corners: tuple[float, ...]
) -> None:
    y = layer(f"input 4x4x1; avgpool 3/2/1 ceil{options}").run(np, {}, np.ones((1, 4, 4, 1)))[0, :, :, 0]
    assert y.shape == (3, 3)
    assert (y[0, 0], y[0, 2], y[2, 2]) == corners


# ---------------------------------------------------------------- a second opinion


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    """PyTorch: no requirement; without it these tests are skipped."""
    module: ModuleType = pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[oracles]'")
    return module


def theirs(functional: Any, op: Any, x: Any, w: dict[str, Any]) -> Any:
    """The same layer in PyTorch, from and to arrays in our order of axes."""
    x, filters, bias = x.permute(0, 3, 1, 2), w.get("w"), w.get("b")
    padding = [before for before, _ in getattr(op, "padding", ())]
    if op.type == "conv":
        filters = filters.permute(3, 2, 0, 1).contiguous()
        y = functional.conv2d(x, filters, bias, op.stride, padding, op.dilation, op.groups)
    elif op.type == "dwconv":
        filters = filters.permute(2, 3, 0, 1).reshape(-1, 1, *op.kernel).contiguous()
        y = functional.conv2d(x, filters, bias, op.stride, padding, op.dilation, x.shape[1])
    elif op.type == "deconv":
        filters = filters.reshape(*filters.shape[:3], op.groups, -1).permute(3, 2, 4, 0, 1).flatten(0, 1).contiguous()
        y = functional.conv_transpose2d(x, filters, bias, op.stride, padding, op.extra, op.groups, op.dilation)
    elif op.type == "maxpool":
        y = functional.max_pool2d(x, op.kernel, op.step, padding, ceil_mode=op.ceil)
    elif op.type == "avgpool":
        y = functional.avg_pool2d(x, op.kernel, op.step, padding, op.ceil, op.countpad)
    else:
        y = functional.adaptive_avg_pool2d(x, op.size)
    return y.permute(0, 2, 3, 1)


def accepted(op: Any) -> bool:
    """Whether PyTorch pools with such padding: at most half of the window."""
    return "pool" not in op.type or all(2 * p[0] <= k for p, k in zip(op.padding, op.kernel, strict=True))


VALUES = {
    "any": lambda x: x,
    "negative": lambda x: -abs(x),
    "with equals": lambda x: np.floor(x),
    "mostly -inf": lambda x: np.where(x < 5, -np.inf, x),
}


@settings(max_examples=200, deadline=None, derandomize=True)
@given(windows(pairs_from(0, 2)), st.sampled_from(sorted(VALUES)))
def test_values_and_gradients_are_pytorchs(torch: Any, text: str, values: str) -> None:
    try:
        row = measure(load(text).build().graph).rows[-1]
    except SpecError:
        assume(False)
    op = row.node.op
    assume(op.type == "adaptiveavgpool" or accepted(op))
    inputs, weights, dy = drawn(op, row.inputs)
    x = VALUES[values](inputs[0]) if op.type == "maxpool" else inputs[0]
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in (*weights.items(), ("x", x))}
    y = theirs(torch.nn.functional, op, tensors["x"], tensors)
    y.backward(torch.tensor(dy))
    (dx,), dw = op.back(np, dy, weights, x)
    assert np.allclose(op.run(np, weights, x), y.detach(), rtol=1e-12, atol=1e-12)
    for name, gradient in (("x", dx), *dw.items()):
        assert np.allclose(gradient, tensors[name].grad, rtol=1e-12, atol=1e-12), name


@settings(max_examples=50, deadline=None, derandomize=True)
@given(windows(pairs_from(0, 2), ("maxpool",)))
def test_nan_spreads_as_in_pytorch(torch: Any, text: str) -> None:
    try:
        row = measure(load(text).build().graph).rows[-1]
    except SpecError:
        assume(False)
    assume(accepted(row.node.op))
    (x,), _, _ = drawn(row.node.op, row.inputs)
    x[x < -1] = np.nan
    y = theirs(torch.nn.functional, row.node.op, torch.tensor(x), {})
    assert np.array_equal(row.node.op.run(np, {}, x), y, equal_nan=True)


# ---------------------------------------------------------------- multiply-adds that touch data


def touches(text: str) -> list[Touch]:
    return list(count_touched(measure(load(text).build().graph).rows))


@pytest.mark.parametrize(
    ("text", "macs", "touched"),
    [
        ("input 7x7x1; conv 3/1/1 1 nobias", 441, 19 * 19),  # 18.1% on zeros: 7 places of 3, less one at each end
        ("input 14x14x1; conv 3/1/1 1", 1764, 40 * 40),  # 9.3%
        ("input 14x14x8; dwconv 3/1/1 multiplier=2", 16 * 1764, 16 * 40 * 40),
        ("input 7x7x1; conv 3 1", 225, 225),
        ("input 5x5x1; conv 3/3/0:1 1", 36, 25),
        ("input 7x7x4; deconv 3/1/1 2", 3528, 3528),
        ("input 7x7x4; pad 1; conv 3 1", 1764, 1764),  # what another layer wrote is data
    ],
)
def test_multiply_adds_with_padding_zeros_are_left_out(text: str, macs: int, touched: int) -> None:
    assert touches(text)[-1] == Touch(macs, touched)


@pytest.mark.parametrize(
    ("text", "percent"), [("input 7x7x1; conv 3/1/1 1", "18.1"), ("input 14x14x1; conv 3/1/1 1", "9.3")]
)
def test_the_share_of_zeros_is_exact(text: str, percent: str) -> None:
    share = add_touches(touches(text)).share
    assert isinstance(share, Fraction)
    assert f"{float(100 * share):.1f}" == percent


def test_vgg16_spends_a_thirtieth_of_its_convolutions_on_zeros() -> None:
    report = measure(load("vgg16").build().graph)
    convs = [touch for row, touch in zip(report.rows, count_touched(report.rows), strict=True) if row.output.h != 1]
    total = add_touches(convs)
    assert total.macs == 15_346_630_656
    assert f"{float(100 * total.zeros / total.macs):.1f}" == "3.3"


def test_where_nothing_is_multiplied_there_is_no_share() -> None:
    assert add_touches(touches("input 7x7x1; pool 3/1/1")).share is None


def test_padding_zeros_of_symbols_are_a_fault() -> None:
    with pytest.raises(SpecError, match="`input` has sizes in symbols"):
        count_touched(measure(load("input NxNx3; conv 3/1/1 8").build().graph).rows)


# ---------------------------------------------------------------- the page about convolution

PAGE = Path(__file__).parent.parent / "docs" / "convolution.md"
FENCES = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_about_convolution_holds_nothing_but_blocks_that_are_tested() -> None:
    assert {language for language, _ in FENCES} == {"python", "pycon", "console"}  # the last are replayed by test_docs


@pytest.mark.parametrize("block", [block for language, block in FENCES if language == "python"])
def test_a_kernel_quoted_on_the_page_stands_in_the_source(block: str) -> None:
    sources = [path.read_text("utf-8") for path in Path(archcalc.__file__).parent.joinpath("ops").glob("*.py")]
    assert any(f"\n{indent(block, '    ')}" in source or f"\n{block}" in source for source in sources)


def test_the_session_on_the_page_prints_what_it_shows() -> None:
    session = "\n".join(block for language, block in FENCES if language == "pycon")
    test = doctest.DocTestParser().get_doctest(session, {}, PAGE.name, str(PAGE), 0)
    runner = doctest.DocTestRunner()
    runner.run(test)
    assert (runner.failures, runner.tries > 10) == (0, True)
