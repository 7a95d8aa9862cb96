"""Law 7: every fast kernel gives what the layer's own `run` gives, up to rounding, with any options."""

from __future__ import annotations

import math
import threading
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archcalc.analyses.costs import Row, measure
from archcalc.executor import bands, deconvolution, dense, threads, values, winograd
from archcalc.executor.base import Kernel, Reference
from archcalc.executor.convolution import Convolution
from archcalc.executor.deconvolution import Deconvolution
from archcalc.executor.dense import Dense
from archcalc.executor.depthwise import Depthwise
from archcalc.executor.kernels import KERNELS, kernel_for, kernels_for
from archcalc.executor.pooling import AvgPooling, MaxPooling
from archcalc.executor.products import multiply, transform
from archcalc.executor.special import erf
from archcalc.executor.threads import share
from archcalc.executor.values import ByRows, Rectifier
from archcalc.executor.winograd import POINTS, Winograd, filtering, filtering_of
from archcalc.lang.errors import SpecError
from archcalc.library import load
from archcalc.ops import REGISTRY, Op
from archcalc.ops.conv import Conv
from archcalc.volume import Volume

# The most that a value may be off, by the largest that the sum of so many products could be: max |w| * |x| summed up.
NEAR = {"float64": 1e-14, "float32": 5e-7}
NEAR_OF_WINOGRAD = {"float64": 1e-14, "float32": 4e-6}
Arrays = dict[str, Any]

random_cases = settings(max_examples=300, deadline=None, derandomize=True)
dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])


def row_of(text: str) -> Row:
    """The last layer of a net."""
    return measure(load(text).build().graph).rows[-1]


def drawn(op: Op, x: Iterable[Volume], batch: int, dtype: str, seed: int = 0) -> tuple[list[Any], Arrays]:
    """Inputs and weights; buffers (a variance) above nought."""
    random = np.random.default_rng(seed)
    inputs = [random.normal(size=(batch, *volume)).astype(dtype) for volume in x]
    weights = {name: random.normal(size=shape).astype(dtype) for name, shape in op.weights(*x).items()}
    return inputs, weights | {name: 0.5 + abs(weights[name]) for name in op.buffers if name in weights}


def assert_agrees(kernel: Kernel, batch: int, dtype: str, seed: int = 0) -> None:
    """The kernel gives the values of `op.run` in float64, changes nothing that it is given, gives the same again."""
    op = kernel.op
    inputs, weights = drawn(op, kernel.x, batch, dtype, seed)
    before = [array.copy() for array in (*inputs, *weights.values())]
    ready = kernel.prepare(weights)
    y = kernel(ready, *inputs)
    for array, was in zip((*inputs, *weights.values()), before, strict=True):
        assert np.array_equal(array, was)
    assert (y.shape, y.dtype, y.flags.c_contiguous) == ((batch, *op.out(*kernel.x)), dtype, True)
    assert np.array_equal(kernel(ready, *inputs, out=np.full_like(y, np.nan)), y)
    if kernel.may_overwrite_input:
        own = inputs[0].copy()
        assert np.array_equal(kernel(ready, own, *inputs[1:], out=own), y)
    right, scale = exactly(op, weights, inputs)
    bounds = NEAR_OF_WINOGRAD if isinstance(kernel, Winograd) else NEAR
    assert np.abs(y - right).max() <= bounds[dtype] * scale


def exactly(op: Op, weights: Arrays, inputs: list[Any]) -> tuple[Any, float]:
    """The values in float64, and the largest that they could be: with all weights and values made positive."""
    own, xs = {name: each.astype("float64") for name, each in weights.items()}, [x.astype("float64") for x in inputs]
    largest = op.run(np, {name: abs(each) for name, each in own.items()}, *map(abs, xs))
    right = op.run(np, own, *xs)
    return right, max(np.abs(largest).max(), np.abs(right).max())


# ---------------------------------------------------------------- any options


def pairs_from(first: int, last: int) -> st.SearchStrategy[str]:
    """`3x2`."""
    return st.tuples(st.integers(first, last), st.integers(first, last)).map(lambda pair: f"{pair[0]}x{pair[1]}")


ends = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: f"{pair[0]}:{pair[1]}")
paddings = st.sampled_from(["0", "1", "half", "same", "full"]) | st.tuples(ends, ends).map("x".join)
kernels, steps, images = pairs_from(1, 6), pairs_from(1, 3), pairs_from(1, 15)
depths = st.sampled_from([1, 2, 3, 7, 16])
WINDOWED = ("conv", "tiles", "dwconv", "deconv", "maxpool", "avgpool")


@st.composite
def layers(draw: st.DrawFn) -> str:
    """The text of a net of one layer with a window, with any options; `tiles` are convolutions that Winograd can do."""
    kind, groups, depth = draw(st.sampled_from(WINDOWED)), draw(st.sampled_from([1, 1, 2, 3])), draw(depths)
    filters = groups * draw(st.sampled_from([1, 2, 5, 70]))
    window = f"{draw(kernels)}/{draw(steps)}/{draw(paddings)}"
    bias = draw(st.sampled_from(["", " nobias"]))
    spread = f"dilation={draw(pairs_from(1, 3))}{bias}"
    ceil, pad = draw(st.sampled_from(["", " ceil"])), draw(st.sampled_from(["", " nocountpad"]))
    layer = {
        "conv": f"conv {window} {filters} groups={groups} {spread}",
        "tiles": f"conv {draw(pairs_from(1, 5))}/1/{draw(paddings)} {filters} groups={groups}{bias}",
        "dwconv": f"dwconv {window} multiplier={draw(st.integers(1, 3))} {spread}",
        "deconv": f"deconv {window} {filters} groups={groups} {spread} extra={draw(st.integers(0, 2))}",
        "maxpool": f"maxpool {window}{ceil}",
        "avgpool": f"avgpool {window}{ceil}{pad}",
    }[kind]
    return f"input {draw(images)}x{depth * groups}; {layer}"


def all_kernels(op: Op, *x: Volume) -> list[Kernel]:
    """Every kernel that can do a layer, also where another is quicker."""
    kinds = [*kernels_for(op, *x)]
    if isinstance(op, Conv):
        tiled = op.stride == op.dilation == (1, 1) and max(op.kernel) < 6
        kinds = [Convolution, *([Winograd] if tiled else [])]
    return [kind(op, *x) for kind in kinds]


@dtypes
@random_cases
@given(layers(), st.integers(1, 3), st.integers(0, 99))
def test_a_fast_kernel_gives_what_the_layer_gives(dtype: str, text: str, batch: int, seed: int) -> None:
    try:
        row = row_of(text)
    except SpecError:  # refused
        assume(False)
    for kernel in all_kernels(row.node.op, *row.inputs):
        assert_agrees(kernel, batch, dtype, seed)


# ---------------------------------------------------------------- every layer type, and what small layers do not reach

MOST = 10**6  # weights of an example: a larger layer is among those below, smaller
EXAMPLES = sorted(
    text
    for text in {example for cls in REGISTRY.values() for example in cls.examples}
    if measure(load(text).build().graph).total().params <= MOST  # type: ignore[operator]  # numbers
)
LARGE = (  # several bands, pieces, panels; sums of more products than are added up in one go
    "input 37x41x70; conv 3/1/1 130",
    "input 37x41x70; conv 5x3/1/2x1 130 groups=2",
    "input 9x9x1100; conv 3/1/same 70 nobias",
    "input 9x9x1100; conv 1 70",
    "input 9x11x1100; conv 1x3/2 70 groups=2",
    "input 61x67x3; conv 7/2/3 64 nobias",
    "input 40x40x64; conv 3/1/1 64 groups=64",
    "input 40x40x64; conv 3/1/1 128 groups=64",
    "input 33x47x130; dwconv 3/1/1",
    "input 33x47x600; dwconv 7/1/3 nobias",
    "input 33x47x130; dwconv 5/2/same multiplier=2",
    "input 9x7x700; deconv 4/2/1 70",
    "input 63x65x70; pool 3/2/1 ceil",
    "input 63x65x70; avgpool 3/2/1 ceil nocountpad",
    "input 63x65x70; avgpool 5/1/2",
    "input 57x59x70; bn",
    "input 57x59x70; lrn 5",
    "input 57x59x70; leakyrelu 0.1",
    "input 57x59x70; leakyrelu 2",
    "input 57x59x70; relu6",
    "input 57x59x70; silu",
    "input 57x59x70; gelu",
    "input 57x59x70; prelu",
    "input 57x59x70; add { relu | id | relu6 }",
    "input 57x59x70; softmax",
    "input 7x7x70; fc 300",
    "input 1x1x70; fc 300 nobias",
)


def layers_of(text: str) -> list[Row]:
    """All layers of a net but its inputs."""
    return [row for row in measure(load(text).build().graph).rows if row.inputs]


@dtypes
@pytest.mark.parametrize("text", [*EXAMPLES, *LARGE])
def test_every_layer_is_done_by_a_kernel_that_gives_what_it_gives(text: str, dtype: str) -> None:
    for row in layers_of(text):
        for kernel in all_kernels(row.node.op, *row.inputs):
            assert_agrees(kernel, 2, dtype)


def test_every_fast_kernel_is_tried_here() -> None:
    rows = [row for text in (*EXAMPLES, *LARGE) for row in layers_of(text)]
    assert {ByRows, *(kernel for *_, kernel in KERNELS)} <= {type(kernel_for(row.node.op, *row.inputs)) for row in rows}


@pytest.mark.parametrize(
    ("text", "kernel"),
    [
        ("input 56x56x64; conv 3/1/1 64", Winograd),
        ("input 27x27x96; conv 5/1/2 256 groups=2", Winograd),
        ("input 224x224x3; conv 3/1/1 64", Convolution),  # too few channels
        ("input 7x7x512; conv 3/1/1 512", Convolution),  # reading 36 numbers for a filter of 9 takes longer
        ("input 56x56x64; conv 3/2/1 64", Convolution),
        ("input 56x56x64; conv 3/1/2 64 dilation=2", Convolution),
        ("input 56x56x64; conv 1 64", Convolution),
        ("input 56x56x64; conv 3/1/1 64 groups=64", Depthwise),
        ("input 56x56x64; dwconv 3/1/1", Depthwise),
        ("input 56x56x64; deconv 2/2 64", Deconvolution),
        ("input 56x56x64; pool 2", MaxPooling),
        ("input 56x56x64; avgpool 2", AvgPooling),
        ("input 56x56x64; fc 10", Dense),
        ("input 56x56x64; relu", Rectifier),
        ("input 56x56x64; leakyrelu 2", ByRows),
        ("input 56x56x64; dropout", Reference),
        ("input 56x56x64; flatten", Reference),
    ],
)
def test_the_kernel_that_does_a_layer(text: str, kernel: type[Kernel]) -> None:
    row = row_of(text)
    assert type(kernel_for(row.node.op, *row.inputs)) is kernel


# ---------------------------------------------------------------- memory

SLACK = 2**18  # bytes: objects of Python, buffers of NumPy


def peak_of(call: Callable[[], Any]) -> tuple[Any, int]:
    """What a call gives, and the most bytes that it had taken at a time."""
    tracemalloc.start()
    try:
        return call(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("batch", [1, 2])
@pytest.mark.parametrize("text", LARGE)
def test_a_kernel_takes_no_more_memory_than_it_says(text: str, batch: int) -> None:
    for row in layers_of(text):
        for kernel in all_kernels(row.node.op, *row.inputs):
            inputs, weights = drawn(row.node.op, row.inputs, batch, "float32")
            ready, made = peak_of(lambda kernel=kernel, weights=weights: kernel.prepare(weights))
            assert made <= kernel.ready(4) + SLACK, kernel
            kernel(ready, *inputs)  # what is kept from call to call is there
            y, taken = peak_of(lambda kernel=kernel, ready=ready, inputs=inputs: kernel(ready, *inputs))
            if not isinstance(kernel, Reference):
                assert taken - y.nbytes <= kernel.workspace(batch, 4) + SLACK, kernel


def test_the_windows_of_vggs_largest_layer_are_never_all_in_memory() -> None:
    row = row_of("input 224x224x64; conv 3/1/1 64")
    windows = 4 * 224 * 224 * 9 * 64  # 115.6 MB
    for kernel in (Convolution, Winograd):
        assert kernel(row.node.op, *row.inputs).workspace(1, 4) < windows / 10


# ---------------------------------------------------------------- Winograd


@pytest.mark.parametrize("k", range(2, 6))
def test_minimal_filtering_is_correlation(k: int) -> None:
    a, g, b = filtering(k)
    assert (len(a), len(b)) == (len(POINTS) + 2 - k, len(POINTS) + 1)
    random = np.random.default_rng(0)
    x, w = random.normal(size=len(b)), random.normal(size=k)
    assert np.allclose(a @ ((g @ w) * (b @ x)), np.correlate(x, w, "valid"), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("k", range(1, 6))
def test_the_transforms_of_cells_and_tiles_are_exact_in_float32(k: int) -> None:
    a, _, b = filtering_of((k, k))
    for matrix in (a, b):
        assert np.array_equal(matrix, matrix.astype("float32"))


def test_winograd_loses_a_digit_of_float32_and_no_more() -> None:
    row = row_of("input 28x28x512; conv 3/1/1 64 nobias")
    inputs, weights = drawn(row.node.op, row.inputs, 1, "float32")
    right, _ = exactly(row.node.op, weights, inputs)
    errors = []
    for kind in (Convolution, Winograd):
        kernel = kind(row.node.op, *row.inputs)
        errors.append(np.abs(kernel(kernel.prepare(weights), *inputs) - right).max())
    assert errors[1] < 10 * errors[0]


# ---------------------------------------------------------------- the error function


def test_the_error_function_is_pythons() -> None:
    x = np.concatenate([np.linspace(-7, 7, 20_001), [0.0, -0.0, 1e-300, 1e300, np.inf, -np.inf, np.nan]])
    assert np.allclose(erf(x), [*map(math.erf, x)], rtol=0, atol=1e-15, equal_nan=True)


# ---------------------------------------------------------------- what is not finite, and threads


@pytest.mark.parametrize("layer", ["relu", "relu6", "leakyrelu", "bn", "pool 3/2/1", "avgpool 3/2/1", "dwconv 3/1/1"])
def test_what_is_not_finite_stays_where_the_layer_has_it(layer: str) -> None:
    row = row_of(f"input 9x9x3; {layer}")
    (x,), weights = drawn(row.node.op, row.inputs, 1, "float32")
    x[0, 2, 3], x[0, 5, 1], x[0, 7, 7] = np.nan, np.inf, -np.inf
    kernel = kernel_for(row.node.op, *row.inputs)
    with np.errstate(invalid="ignore"):  # infinity - infinity
        found, right = kernel(kernel.prepare(weights), x), row.node.op.run(np, weights, x)
    assert np.array_equal(np.isnan(found), np.isnan(right))
    assert np.allclose(found, right, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_work_is_shared_and_every_item_is_done_once() -> None:
    done: list[tuple[int, int]] = []
    share(lambda worker, item: done.append((worker, item)), range(100))
    assert sorted(item for _, item in done) == list(range(100))
    assert {worker for worker, _ in done} <= set(range(threads.WORKERS))


def test_a_failure_in_any_thread_is_told() -> None:
    start = threading.Barrier(2)

    def task(worker: int, item: int) -> None:
        start.wait(10)
        if worker:
            raise ValueError("in the other thread")

    if threads.WORKERS > 1:
        with pytest.raises(ValueError, match="in the other thread"):
            share(task, range(2))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("text", LARGE)
def test_any_number_of_threads_gives_the_same(text: str, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (bands, deconvolution, dense, threads, values, winograd):
        monkeypatch.setattr(module, "WORKERS", workers)
    for row in layers_of(text):
        assert_agrees(kernel_for(row.node.op, *row.inputs), 1, "float32")


# ---------------------------------------------------------------- products


@random_cases
@given(st.integers(1, 1200), st.integers(1, 1200), st.integers(1, 70), st.booleans())
def test_a_product_in_pieces_is_the_product(rows: int, depth: int, width: int, stacked: bool) -> None:
    random = np.random.default_rng(rows + depth + width)
    lead = (2,) if stacked else ()
    a, panel = (random.integers(-9, 10, (*lead, *shape)).astype(float) for shape in ((rows, depth), (depth, width)))
    y = np.full((*lead, rows, width + 3), np.nan)  # wider than the product: rows do not follow one another
    multiply(a, panel, y[..., :width], np.full(math.prod(lead) * rows * width, np.nan))
    assert np.array_equal(y[..., :width], a @ panel)  # whole numbers: exact in any order
    assert np.isnan(y[..., width:]).all()


@random_cases
@given(st.integers(1, 36), st.integers(1, 36), st.integers(1, 3000))
def test_a_transform_in_pieces_is_the_product(m: int, k: int, n: int) -> None:
    random = np.random.default_rng(m + k + n)
    matrix, x = random.integers(-9, 10, (m, k)).astype(float), random.integers(-9, 10, (k, n)).astype(float)
    y = np.full((m, n), np.nan)
    transform(matrix, x, y)
    assert np.array_equal(y, matrix @ x)
