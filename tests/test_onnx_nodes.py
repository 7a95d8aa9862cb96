"""A second opinion: the node tests of ONNX. What its reference implementation gives, our kernels give.

Each node of an operator that a layer type covers is said in layers of ours; ONNX has channels first (n, c, h, w), we
have them last. A case that our language cannot say stands in `REFUSED` with the reason, and no other does: the list is
compared with what is found.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pytest

from archcalc.executor.kernels import kernel_for
from archcalc.library import load
from archcalc.ops import REGISTRY, Op
from archcalc.ops import activation as act
from archcalc.ops.base import Sides
from archcalc.ops.conv import Conv, Deconv, DepthwiseConv
from archcalc.ops.dense import FullyConnected
from archcalc.ops.merge import Add, Concat, Mul
from archcalc.ops.norm import BatchNorm, LayerNorm, LocalResponseNorm
from archcalc.ops.pool import AdaptiveAvgPool, AvgPool, GlobalAvgPool, MaxPool
from archcalc.ops.reshape import Crop, Flatten, Identity, Pad, Shortcut, Slice, Split, Upsample
from archcalc.volume import Volume, same_padding

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install -e '.[test]'")

Array = Any
Attributes = dict[str, Any]
Way = Callable[[Array], Array]
Pair = tuple[int, int]


class Beyond(Exception):
    """What a node asks for that our language cannot say."""


class Layer(NamedTuple):
    """A layer of ours with its weights, in our shapes, and what arrives beside the output of the layer before it."""

    op: Op
    beside: tuple[Array, ...] = ()
    weights: Mapping[str, Array] = MappingProxyType({})


class Reading(NamedTuple):
    """An output of a node in layers of ours, one after the other; all volumes are b, h, w, c."""

    x: Array
    layers: tuple[Layer, ...]
    back: Way  # to the axes of ONNX
    output: int = 0


def reading(op: Op, x: Array, back: Way, output: int = 0, **weights: Array) -> Reading:
    """That of one layer with one input."""
    return Reading(x, (Layer(op, (), weights),), back, output)


class Case(NamedTuple):
    """A test of ONNX: its nodes, what they are given and what they must give."""

    nodes: tuple[Any, ...]
    opset: int
    given: dict[str, Array]
    wanted: dict[str, Array]
    rtol: float
    atol: float


# ---------------------------------------------------------------- axes


def deep(x: Array, axis: int = -1) -> tuple[Array, Way]:
    """An array of any rank as images, one of its axes their depth, and the way back for any depth."""
    axis %= x.ndim
    others = [n for at, n in enumerate(x.shape) if at != axis]
    images = np.moveaxis(x, axis, -1).reshape([1] * (3 - len(others)) + others + [x.shape[axis]])
    return images, lambda y: np.moveaxis(y.reshape([*others, y.shape[-1]]), -1, axis)


def image(x: Array) -> tuple[Array, Way]:
    """Channels first to channels last, and back; a line of cells is an image of one row."""
    if x.ndim == 5:
        raise Beyond("its cells have three axes")
    if x.ndim == 3:
        return x.transpose(0, 2, 1)[:, None], lambda y: y[:, 0].transpose(0, 2, 1)
    return x.transpose(0, 2, 3, 1), lambda y: y.transpose(0, 3, 1, 2)


def pair(axes: Any) -> Pair:
    """Rows and columns; one row where there are columns only."""
    return (1, *axes) if len(axes) == 1 else tuple(axes)


def borders(pads: Any) -> Sides:
    """What ONNX adds before every axis and then behind every axis, as top, bottom and left, right."""
    ends = list(zip(pads[: len(pads) // 2], pads[len(pads) // 2 :], strict=True))
    top, left = [(0, 0), *ends] if len(ends) == 1 else ends
    return top, left


# ---------------------------------------------------------------- windows


class Window(NamedTuple):
    """The attributes that all windows have."""

    kernel: Pair
    stride: Pair
    dilation: Pair
    padding: Sides | str


def window(at: Attributes, x: Array, kernel: Any) -> Window:
    """The window of a node over an image of ours."""
    kernel = pair(kernel)
    stride, dilation = (pair(at.get(name) or [1] * (at["rank"] - 2)) for name in ("strides", "dilations"))
    if at["auto_pad"] == "SAME_UPPER":
        return Window(kernel, stride, dilation, "same")
    if at["auto_pad"] == "SAME_LOWER":  # the odd cell before
        axes = zip(x.shape[1:3], kernel, stride, dilation, strict=True)
        top, left = (tuple(reversed(same_padding(*axis))) for axis in axes)
        return Window(kernel, stride, dilation, (top, left))
    return Window(kernel, stride, dilation, borders(at.get("pads") or [0] * (2 * at["rank"] - 4)))


def filters(w: Array) -> Array:
    """ONNX has n, c, h, w (of a line n, c, w); we have h, w, c, n."""
    return (w[:, :, None] if w.ndim == 3 else w).transpose(2, 3, 1, 0)


def biased(b: Array | None) -> dict[str, Array]:
    return {} if b is None else {"b": b}


def conv(at: Attributes, x: Array, w: Array, b: Array | None = None) -> Iterator[Reading]:
    depth, count = x.shape[1], w.shape[0]
    images, back = image(x)
    kernel, stride, dilation, padding = window(at, images, w.shape[2:])
    own = {"w": filters(w), **biased(b)}
    op = Conv(kernel, stride, padding, count, at["group"], dilation, b is not None)
    yield reading(op, images, back, **own)
    if at["group"] == depth:
        own["w"] = own["w"].reshape(*kernel, depth, count // depth)
        yield reading(
            DepthwiseConv(kernel, stride, padding, count // depth, dilation, b is not None), images, back, **own
        )


def deconv(at: Attributes, x: Array, w: Array, b: Array | None = None) -> Iterator[Reading]:
    groups = at["group"]
    images, back = image(x)
    kernel, stride, dilation, padding = window(at, images, w.shape[2:])
    extra = tuple(at.get("output_padding") or (0, 0))
    if at.get("output_shape"):  # what is too much is cut off, the odd cell before; what lacks is added behind
        axes = zip(images.shape[1:3], kernel, stride, dilation, extra, pair(at["output_shape"]), strict=True)
        over = [(n - 1) * s + d * (k - 1) + 1 + e - y for n, k, s, d, e, y in axes]
        padding = tuple((n - n // 2, n // 2) if n > 0 else (0, 0) for n in over)
        extra = tuple(e + max(-n, 0) for e, n in zip(extra, over, strict=True))
    parts = np.split(w, groups)  # each c/g, n/g, h, w
    own = np.concatenate([filters(part.swapaxes(0, 1)) for part in parts], -1)
    op = Deconv(kernel, stride, padding, w.shape[1] * groups, groups, dilation, b is not None, extra)
    yield reading(op, images, back, w=own, **biased(b))


def pool(at: Attributes, x: Array) -> tuple[Window, Array, Way]:
    images, back = image(x)
    places = window(at, images, at["kernel_shape"])
    if places.dilation != (1, 1):
        raise Beyond("a dilated window of pooling")
    return places, images, back


def maxpool(at: Attributes, x: Array) -> Iterator[Reading]:
    (kernel, stride, _, padding), images, back = pool(at, x)
    yield reading(MaxPool(kernel, stride, padding, bool(at["ceil_mode"])), images, back)


def avgpool(at: Attributes, x: Array) -> Iterator[Reading]:
    (kernel, stride, _, padding), images, back = pool(at, x)
    op = AvgPool(kernel, stride, padding, bool(at["ceil_mode"]), bool(at["count_include_pad"]))
    yield reading(op, images, back)


def global_max(at: Attributes, x: Array) -> Iterator[Reading]:
    images, back = image(x)
    yield reading(MaxPool(images.shape[1:3]), images, back)


def global_mean(at: Attributes, x: Array) -> Iterator[Reading]:
    images, back = image(x)
    yield reading(GlobalAvgPool(), images, back)
    yield reading(AdaptiveAvgPool((1, 1)), images, back)


def mean(at: Attributes, x: Array, axes: Array | None = None) -> Iterator[Reading]:
    """The axes of the mean are the rows of an image, all others its depth."""
    over = sorted(int(axis) % x.ndim for axis in axes) if axes is not None and axes.size else list(range(x.ndim))
    kept = [axis for axis in range(x.ndim) if axis not in over]
    shape = [1 if axis in over else n for axis, n in enumerate(x.shape) if at["keepdims"] or axis in kept]
    rows = math.prod(x.shape[axis] for axis in over)
    yield reading(GlobalAvgPool(), x.transpose(over + kept).reshape(1, rows, 1, -1), lambda y: y.reshape(shape))


# ---------------------------------------------------------------- matrices


def gemm(at: Attributes, a: Array, b: Array, c: Array | None = None) -> Iterator[Reading]:
    """What is added is a bias; where it is one for each image, another volume."""
    x = (a.T if at["transA"] else a)[:, None, None]
    w = (b.T if at["transB"] else b) * b.dtype.type(at["alpha"])
    bias = None if c is None else c * c.dtype.type(at["beta"])
    if bias is not None and bias.ndim == 2 and len(bias) > 1:
        layers = Layer(FullyConnected(w.shape[1], False), (), {"w": w}), Layer(Add(), (bias[:, None, None],))
    else:
        own = {} if bias is None else {"b": np.broadcast_to(bias, (1, w.shape[1]))[0]}
        layers = (Layer(FullyConnected(w.shape[1], bias is not None), (), {"w": w, **own}),)
    yield Reading(x, layers, lambda y: y[:, 0, 0])


def matmul(at: Attributes, a: Array, b: Array) -> Iterator[Reading]:
    """A pair of matrices is a group of a 1x1 convolution over the rows of the first; a single one, fully connected."""
    left, right = (a[None] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)
    pairs = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    shape = pairs + left.shape[-2:-1] * (a.ndim > 1) + right.shape[-1:] * (b.ndim > 1)
    count, (m, k), n = math.prod(pairs), left.shape[-2:], right.shape[-1]
    x = np.broadcast_to(left, (*pairs, m, k)).reshape(count, m, k).swapaxes(0, 1).reshape(1, 1, m, count * k)
    w = np.broadcast_to(right, (*pairs, k, n)).reshape(count, k, n).swapaxes(0, 1).reshape(1, 1, k, count * n)

    def back(y: Array) -> Array:
        return y.reshape(m, count, n).swapaxes(0, 1).reshape(shape)

    yield reading(Conv((1, 1), filters=count * n, groups=count, bias=False), x, back, w=w)
    if not pairs:
        yield reading(FullyConnected(n, bias=False), x.reshape(m, 1, 1, k), lambda y: y.reshape(shape), w=w[0, 0])


# ---------------------------------------------------------------- normalization


def batch_norm(at: Attributes, x: Array, scale: Array, shift: Array, mean: Array, variance: Array) -> Iterator[Reading]:
    """Any epsilon is ours with another variance."""
    images, back = image(x)
    own = BatchNorm().statistics(np, images) if at["training_mode"] else {"mean": mean, "variance": variance}
    own["variance"] = own["variance"] + x.dtype.type(at["epsilon"] - BatchNorm.epsilon)
    yield reading(BatchNorm(), images, back, scale=scale, shift=shift, **own)


def layer_norm(at: Attributes, x: Array, scale: Array, shift: Array) -> Iterator[Reading]:
    """The axes from `axis` on are the depth. Values scaled as the root of epsilon is give the same."""
    rows = math.prod(x.shape[: at["axis"] % x.ndim])
    images = x.reshape(rows, 1, 1, -1) * x.dtype.type(math.sqrt(LayerNorm.epsilon / at["epsilon"]))
    own = {"scale": scale.reshape(-1), "shift": shift.reshape(-1)}
    yield reading(LayerNorm(), images, lambda y: y.reshape(x.shape), **own)


def lrn(at: Attributes, x: Array) -> Iterator[Reading]:
    """ONNX divides alpha by the number of slices."""
    images, back = image(x)
    alpha = Fraction(at["alpha"]) / at["size"]
    yield reading(LocalResponseNorm(at["size"], Fraction(at["bias"]), alpha, Fraction(at["beta"])), images, back)


# ---------------------------------------------------------------- value by value


def each_value(op: Callable[[Attributes], Op]) -> Callable[..., Iterator[Reading]]:
    """The operators that take each value by itself."""

    def say(at: Attributes, x: Array) -> Iterator[Reading]:
        if isinstance(x, list) or x is None:
            raise Beyond("a sequence of arrays")
        yield reading(op(at), *deep(x))

    return say


def gelu(at: Attributes) -> Op:
    if at["approximate"] != "none":
        raise Beyond(f"approximated by {at['approximate']}")
    return act.Gelu()


def swish(at: Attributes) -> Op:
    if at["alpha"] != 1:
        raise Beyond(f"alpha is {at['alpha']:g}")
    return act.Silu()


def hard_sigmoid(at: Attributes) -> Op:
    if (at["alpha"], at["beta"]) != (np.float32(1 / 6), 0.5):
        raise Beyond(f"{at['alpha']:g} x + {at['beta']:g}: ours is x/6 + 1/2")
    return act.HardSigmoid()


def clip(at: Attributes, x: Array, low: Array | None = None, high: Array | None = None) -> Iterator[Reading]:
    ends = tuple(None if end is None else end.item() for end in (low, high))
    known = {(None, None): Identity(), (0, None): act.Relu(), (0, 6): act.Relu6()}
    if ends not in known:
        raise Beyond("clips to other ends than 0, or 0 and 6")
    yield reading(known[ends], *deep(x))


def prelu(at: Attributes, x: Array, slope: Array) -> Iterator[Reading]:
    """A slope for each of the last axis, or for each value: then the values are the depth."""
    if slope.shape == x.shape:
        yield reading(act.PRelu(), x.reshape(1, 1, 1, -1), lambda y: y.reshape(x.shape), slope=slope.reshape(-1))
    else:
        yield reading(act.PRelu(), *deep(x), slope=slope)


def dropout(at: Attributes, x: Array, ratio: Array | None = None, training: Array | None = None) -> Iterator[Reading]:
    rate = Fraction(at["ratio"] if "ratio" in at else 0.5 if ratio is None else ratio.item())
    if training is not None and training.item() and rate:
        raise Beyond("training: what is dropped is drawn by lot")
    yield reading(act.Dropout(rate), *deep(x))


def softmax(at: Attributes, x: Array) -> Iterator[Reading]:
    yield reading(act.Softmax(), *deep(x, at["axis"]))


# ---------------------------------------------------------------- several volumes


def add(at: Attributes, x: Array, *others: Array) -> Iterator[Reading]:
    """A vector that is added at every position is repeated first."""
    images, back = deep(x)
    if not others:
        yield reading(Identity(), images, back)
    elif len(others) == 1 and others[0].ndim < x.ndim:
        yield Reading(deep(others[0])[0], (Layer(Upsample(images.shape[1:3])), Layer(Add(), (images,))), back)
    else:
        yield Reading(images, (Layer(Add(), tuple(deep(each)[0] for each in others)),), back)


def mul(at: Attributes, x: Array, *others: Array) -> Iterator[Reading]:
    images, back = deep(x)
    yield Reading(images, (Layer(Mul(), tuple(deep(each)[0] for each in others)),), back)


def concat(at: Attributes, x: Array, *others: Array) -> Iterator[Reading]:
    images, back = deep(x, at["axis"])
    yield Reading(images, (Layer(Concat(), tuple(deep(each, at["axis"])[0] for each in others)),), back)


# ---------------------------------------------------------------- values that move


def flatten(at: Attributes, x: Array) -> Iterator[Reading]:
    """The axes from `axis` on are an image, all before them the batch: no value changes its place."""
    axis = at["axis"] % x.ndim
    *rows, columns, depth = (1, 1, *x.shape[axis:])
    batch = math.prod(x.shape[:axis])
    images = x.reshape(batch, math.prod(rows), columns, depth)
    yield reading(Flatten(), images, lambda y: y.reshape(batch, y.shape[-1]))


def split(at: Attributes, x: Array, sizes: Array | None = None) -> Iterator[Reading]:
    images, back = deep(x, at["axis"])
    depth, count = images.shape[-1], at["outputs"]
    size = -(-depth // count)
    ends = np.cumsum(sizes if sizes is not None else [size] * (count - 1) + [depth - size * (count - 1)]).tolist()
    if 0 in images.shape:
        raise Beyond("an empty volume")
    for part, (first, last) in enumerate(zip([0, *ends], ends, strict=False)):
        equal = sizes is None and depth % count == 0
        yield reading(Split(count, part) if equal else Slice((first, last)), images, back, part)


def cut(
    at: Attributes, x: Array, starts: Array, ends: Array, axes: Array | None = None, steps: Array | None = None
) -> Iterator[Reading]:
    """Rows and columns are cropped, the depth is sliced."""
    kept = [range(n) for n in x.shape]
    axes = np.arange(len(starts)) if axes is None else axes
    steps = np.ones_like(starts) if steps is None else steps
    for axis, start, end, step in np.stack([axes, starts, ends, steps], -1).tolist():
        kept[axis] = kept[axis][start:end:step]
    if any(each.step < 0 for each in kept):
        raise Beyond("steps backwards")
    if not all(kept):
        raise Beyond("an empty volume")
    images, _ = deep(x)
    top, left = ((each.start, n - each.stop) for each, n in zip(kept[:2], x.shape, strict=False))
    layers = Layer(Crop((top, left))), Layer(Slice((kept[2].start, kept[2].stop)))
    yield Reading(images, layers, lambda y: y[0])


def center(at: Attributes, x: Array, shape: Array) -> Iterator[Reading]:
    """What is too large is cropped, what is too small padded; an axis that stays is the depth."""
    wanted = list(x.shape)
    for axis, n in zip(at.get("axes") or range(x.ndim), shape.tolist(), strict=True):
        wanted[axis] = n
    depth = next(axis for axis, n in enumerate(wanted) if n == x.shape[axis])
    images, _ = deep(x, depth)
    over = [images.shape[at] - n for at, n in enumerate(np.delete(wanted, depth).tolist(), 1)]
    cropped = tuple((n // 2, n - n // 2) if n > 0 else (0, 0) for n in over)
    padded = tuple((-n // 2, -n - -n // 2) if n < 0 else (0, 0) for n in over)
    yield Reading(images, (Layer(Crop(cropped)), Layer(Pad(padded))), lambda y: np.moveaxis(y[0], -1, depth))


def pad(
    at: Attributes, x: Array, pads: Array, value: Array | None = None, axes: Array | None = None
) -> Iterator[Reading]:
    assert at["mode"] != "constant" or value  # zeros are ours, but no case has them
    raise Beyond("pads with a number that is not 0" if at["mode"] == "constant" else f"pads by {at['mode']}")


def repeated(x: Array, factors: list[Fraction]) -> Iterator[Reading]:
    """A value for a block of values, or of a block the first."""
    images, back = image(x)
    if all(factor.denominator == 1 for factor in factors):
        yield reading(Upsample(pair([int(factor) for factor in factors])), images, back)
    elif factors == [Fraction(1, 2)] * 2:
        yield reading(Shortcut((2, 2), images.shape[-1]), images, back)
    else:
        raise Beyond("values are not repeated equally often")


def upsample(at: Attributes, x: Array, scales: Array) -> Iterator[Reading]:
    yield from repeated(x, [Fraction(each) for each in scales[2:].tolist()])


def resize(
    at: Attributes, x: Array, roi: Array | None = None, scales: Array | None = None, sizes: Array | None = None
) -> Iterator[Reading]:
    if at["mode"] != "nearest":
        raise Beyond(f"interpolates: {at['mode']}")
    rule = at["coordinate_transformation_mode"], at["nearest_mode"]
    if rule != ("half_pixel", "round_prefer_floor"):
        raise Beyond(f"the nearest value by another rule: {rule[0]}, {rule[1]}")
    axes = at.get("axes") or list(range(x.ndim))
    if scales is None:
        factors = [Fraction(n, x.shape[axis]) for axis, n in zip(axes, sizes.tolist(), strict=True)]
    else:
        factors = [Fraction(each) for each in scales.tolist()]
    choose = {"not_larger": min, "not_smaller": max}.get(at["keep_aspect_ratio_policy"])
    by_axis = dict(zip(axes, [choose(factors)] * len(axes) if choose else factors, strict=True))
    yield from repeated(x, [by_axis[2], by_axis[3]])


# ---------------------------------------------------------------- all operators

OPERATORS: dict[str, Callable[..., Iterator[Reading]]] = {
    "Add": add,
    "AveragePool": avgpool,
    "BatchNormalization": batch_norm,
    "CenterCropPad": center,
    "Clip": clip,
    "Concat": concat,
    "Conv": conv,
    "ConvTranspose": deconv,
    "Dropout": dropout,
    "Elu": each_value(lambda at: act.Elu(Fraction(at["alpha"]))),
    "Flatten": flatten,
    "Gelu": each_value(gelu),
    "Gemm": gemm,
    "GlobalAveragePool": global_mean,
    "GlobalMaxPool": global_max,
    "HardSigmoid": each_value(hard_sigmoid),
    "HardSwish": each_value(lambda at: act.HardSwish()),
    "Identity": each_value(lambda at: Identity()),
    "LRN": lrn,
    "LayerNormalization": layer_norm,
    "LeakyRelu": each_value(lambda at: act.LeakyRelu(Fraction(at["alpha"]))),
    "MatMul": matmul,
    "MaxPool": maxpool,
    "Mul": mul,
    "PRelu": prelu,
    "Pad": pad,
    "ReduceMean": mean,
    "Relu": each_value(lambda at: act.Relu()),
    "Resize": resize,
    "Sigmoid": each_value(lambda at: act.Sigmoid()),
    "Slice": cut,
    "Softmax": softmax,
    "Split": split,
    "Sum": add,
    "Swish": each_value(swish),
    "Tanh": each_value(lambda at: act.Tanh()),
    "Upsample": upsample,
}


# ---------------------------------------------------------------- the cases


@cache
def cases() -> dict[str, Case]:
    """The tests of nodes of these operators, and of functions made of nothing else (`…_expanded`), by name."""
    from onnx.backend.test.loader import load_model_tests

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the arithmetic of other operators, while their tests are made
        found = load_model_tests(kind="node")
    return {each.name: read(each) for each in found if all(node.op_type in OPERATORS for node in each.model.graph.node)}


def read(case: Any) -> Case:
    ((inputs, outputs),) = case.data_sets
    graph = case.model.graph
    (opset,) = {each.version for each in case.model.opset_import}
    given = dict(zip([each.name for each in graph.input], inputs, strict=True))
    wanted = dict(zip([each.name for each in graph.output], outputs, strict=True))
    return Case(tuple(graph.node), opset, given, wanted, case.rtol, case.atol)


def attributes(node: Any, opset: int) -> Attributes:
    """Those of a node, with the defaults that ONNX gives to all others."""
    schema = onnx.defs.get_schema(node.op_type, opset).attributes
    defaults = [each.default_value for each in schema.values() if each.default_value.name]
    found = {each.name: onnx.helper.get_attribute_value(each) for each in (*defaults, *node.attribute)}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}


def readings(node: Any, opset: int, known: dict[str, Array]) -> list[Reading]:
    """A node said in layers of ours. Raises `Beyond`."""
    inputs = [known[name] if name else None for name in node.input]
    at = attributes(node, opset) | {"outputs": len(node.output), "rank": getattr(inputs[0], "ndim", 0)}
    return list(OPERATORS[node.op_type](at, *inputs))


# ---------------------------------------------------------------- running them

Run = Callable[..., Array]  # of a layer type, its weights and its volumes


def by_definition(op: Op, w: Mapping[str, Array], *x: Array) -> Array:
    return op.run(np, w, *x)


def by_kernel(op: Op, w: Mapping[str, Array], *x: Array) -> Array:
    kernel = kernel_for(op, *(Volume(*each.shape[1:]) for each in x))
    return kernel(kernel.prepare(w), *x)


def ran(said: Reading, run: Run) -> Array:
    """What the layers give. Each can be written, owns the weights that its rule says, gives the size that it says."""
    y = number(said.x)
    for op, beside, weights in said.layers:
        x = (y, *map(number, beside))
        volumes = [Volume(*each.shape[1:]) for each in x]
        assert all(need.condition is True for need in op.needs(*volumes))
        assert beside or load(f"input {volumes[0]}; {op.text()}").build()
        assert {name: array.shape for name, array in weights.items()} == op.weights(*volumes)
        y = run(op, {name: number(array) for name, array in weights.items()}, *x)
        assert y.shape == (len(y), *op.out(*volumes))
    return said.back(y)


def number(x: Array) -> Array:
    """Whole numbers as float64, which holds all of them; floats as they are."""
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def outputs(case: Case, run: Run) -> Iterator[tuple[str, Array, Reading]]:
    """What layers of ours give, by the names of ONNX; several times where there are several ways to say a node."""
    known = dict(case.given)
    for node in case.nodes:
        for said in readings(node, case.opset, known):
            name, y = node.output[said.output], ran(said, run)
            known[name] = y
            yield name, y, said


@cache
def reasons() -> dict[str, str]:
    """Why a case cannot be said, empty if it can, by its name."""
    found = dict.fromkeys(cases(), "")
    for name, case in cases().items():
        try:
            for _ in outputs(case, by_definition):
                pass
        except Beyond as beyond:
            found[name] = str(beyond)
    return found


def runnable(operator: str | None = None) -> dict[str, Case]:
    """The cases that can be said: all, or those of an operator."""
    said = {name: case for name, case in cases().items() if not reasons()[name]}
    return {name: case for name, case in said.items() if operator in (None, case.nodes[0].op_type)}


def fault(case: Case, run: Run) -> str:
    """The first output that is not what ONNX expects; empty if there is none."""
    for name, y, _ in outputs(case, run):
        try:
            if name in case.wanted:
                assert y.shape == case.wanted[name].shape
                np.testing.assert_allclose(y, case.wanted[name], case.rtol, case.atol)
        except AssertionError as error:
            return f"{name}: {error}"
    return ""


# ---------------------------------------------------------------- what is not run

REFUSED = {  # why our language cannot say a node: the names of the tests, without `test_`
    "0.2 x + 0.5: ours is x/6 + 1/2": """
        hardsigmoid_default
    """,
    "0.5 x + 0.6: ours is x/6 + 1/2": """
        hardsigmoid hardsigmoid_example
    """,
    "a dilated window of pooling": """
        averagepool_2d_dilations maxpool_2d_dilations
    """,
    "a sequence of arrays": """
        identity_opt identity_sequence
    """,
    "alpha is 0.5": """
        swiglu_alpha_expanded
    """,
    "an empty volume": """
        slice_start_out_of_bounds split_zero_size_splits_opset13 split_zero_size_splits_opset18
    """,
    "approximated by tanh": """
        gelu_tanh_1 gelu_tanh_2
    """,
    "clips to other ends than 0, or 0 and 6": """
        clip clip_default_int8_max clip_default_max clip_example clip_inbounds clip_min_greater_than_max
        clip_outbounds clip_splitbounds
    """,
    "interpolates: cubic": """
        resize_downsample_scales_cubic resize_downsample_scales_cubic_A_n0p5_exclude_outside
        resize_downsample_scales_cubic_align_corners resize_downsample_scales_cubic_antialias
        resize_downsample_sizes_cubic resize_downsample_sizes_cubic_antialias resize_upsample_scales_cubic
        resize_upsample_scales_cubic_A_n0p5_exclude_outside resize_upsample_scales_cubic_align_corners
        resize_upsample_scales_cubic_asymmetric resize_upsample_sizes_cubic
    """,
    "interpolates: linear": """
        resize_downsample_scales_linear resize_downsample_scales_linear_align_corners
        resize_downsample_scales_linear_antialias resize_downsample_scales_linear_half_pixel_symmetric
        resize_downsample_sizes_linear_antialias resize_downsample_sizes_linear_pytorch_half_pixel
        resize_tf_crop_and_resize resize_tf_crop_and_resize_axes_2_3 resize_tf_crop_and_resize_axes_3_2
        resize_tf_crop_and_resize_extrapolation_value resize_upsample_scales_linear
        resize_upsample_scales_linear_align_corners resize_upsample_scales_linear_half_pixel_symmetric
    """,
    "its cells have three axes": """
        averagepool_3d_default averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False
        averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True
        averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False
        averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True averagepool_3d_dilations_small
        convtranspose_3d maxpool_3d_default maxpool_3d_dilations maxpool_3d_dilations_use_ref_impl
        maxpool_3d_dilations_use_ref_impl_large
    """,
    "pads by edge": """
        edge_pad
    """,
    "pads by reflect": """
        reflect_pad
    """,
    "pads by wrap": """
        wrap_pad
    """,
    "pads with a number that is not 0": """
        constant_pad constant_pad_axes constant_pad_negative_axes
    """,
    "steps backwards": """
        slice_neg_steps
    """,
    "the nearest value by another rule: align_corners, floor": """
        resize_upsample_sizes_nearest_floor_align_corners
    """,
    "the nearest value by another rule: asymmetric, round_prefer_ceil": """
        resize_upsample_sizes_nearest_round_prefer_ceil_asymmetric
    """,
    "the nearest value by another rule: half_pixel, ceil": """
        resize_upsample_sizes_nearest_ceil_half_pixel
    """,
    "training: what is dropped is drawn by lot": """
        training_dropout training_dropout_default training_dropout_default_mask training_dropout_mask
    """,
    "values are not repeated equally often": """
        resize_downsample_scales_nearest resize_downsample_sizes_nearest resize_downsample_sizes_nearest_not_smaller
        resize_upsample_sizes_nearest resize_upsample_sizes_nearest_axes_2_3 resize_upsample_sizes_nearest_axes_3_2
        resize_upsample_sizes_nearest_not_larger
    """,
}
BESIDE = {  # outputs that are no volume of a layer: only the first is compared
    "BatchNormalization": "the running mean and variance",
    "Dropout": "which values are dropped",
    "LayerNormalization": "the means and the deviations",
    "MaxPool": "where the largest values stand; see below",
}
WITHOUT = {  # layer types that no case shows
    "relu6": "no case clips to 0 and 6",
    "shuffle": "ONNX has no operator for it",
}


# ---------------------------------------------------------------- the laws


def test_the_cases_that_our_language_cannot_say_are_those_that_are_listed() -> None:
    listed = {f"test_{name}": why for why, names in REFUSED.items() for name in names.split()}
    assert {name: why for name, why in reasons().items() if why} == listed


def test_there_are_213_cases_that_it_can_say_and_77_that_it_cannot() -> None:
    assert (len(runnable()), len(cases())) == (213, 290)  # onnx 1.23.2


@pytest.mark.parametrize("run", [by_definition, by_kernel])
@pytest.mark.parametrize("operator", [operator for operator in OPERATORS if operator != "Pad"])  # no case can be said
def test_a_kernel_gives_what_onnx_expects(operator: str, run: Run) -> None:
    said = runnable(operator)
    assert said
    assert {name: why for name, case in said.items() if (why := fault(case, run))} == {}


def test_every_output_is_compared_but_those_that_are_no_volume() -> None:
    for case in runnable().values():
        left = list(case.wanted)
        for name, _, _ in outputs(case, by_definition):
            left = [each for each in left if each != name]
        assert not left or (case.nodes[0].op_type in BESIDE and left == list(case.wanted)[1:])


def test_every_layer_type_is_run_but_those_that_no_case_shows() -> None:
    said = [reading for case in runnable().values() for _, _, reading in outputs(case, by_definition)]
    run = {layer.op.type for reading in said for layer in reading.layers}
    assert {cls.types[0] for cls in REGISTRY.values()} - run == set(WITHOUT)


@pytest.mark.parametrize("name", ["precomputed_pads", "precomputed_strides"])
def test_the_largest_value_stands_where_onnx_says(name: str) -> None:
    case = cases()[f"test_maxpool_with_argmax_2d_{name}"]
    ((_, _, said),) = outputs(case, by_definition)
    winners = said.layers[0].op.winners(np, said.x)[:, :, :, 0]  # W*i + j
    by_columns = attributes(case.nodes[0], case.opset)["storage_order"]
    rows, columns = np.divmod(winners, said.x.shape[2])
    found = columns * said.x.shape[1] + rows if by_columns else winners
    assert np.array_equal(found[:, None], case.wanted["z"])
