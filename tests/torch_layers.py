"""The layer types in PyTorch: what computes the same there, from arrays and weights in our order of axes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from archcalc.ops import Op
from archcalc.ops.pool import Pool
from archcalc.volume import Volume


def first(x: Any) -> Any:
    """b, h, w, c as PyTorch wants it: b, c, h, w."""
    return x.permute(0, 3, 1, 2)


def last(x: Any) -> Any:
    """… and back."""
    return x.permute(0, 2, 3, 1)


def around(sides: Any) -> tuple[int, ...]:
    """Padding of height and width in the order of `torch.nn.functional.pad`: the last axis first."""
    (top, bottom), (left, right) = sides
    return left, right, top, bottom


def sides_of(op: Any, x: Any) -> Any:
    return op.sides(Volume(*x.shape[1:]))


def convolution(torch: Any, op: Any, w: Any, x: Any) -> Any:
    padded = torch.nn.functional.pad(first(x), around(sides_of(op, x)))
    filters = w["w"].permute(3, 2, 0, 1).contiguous()
    return last(torch.conv2d(padded, filters, w.get("b"), op.stride, 0, op.dilation, op.groups))


def depthwise(torch: Any, op: Any, w: Any, x: Any) -> Any:
    padded = torch.nn.functional.pad(first(x), around(sides_of(op, x)))
    filters = w["w"].permute(2, 3, 0, 1).reshape(-1, 1, *op.kernel).contiguous()  # c*m, 1, u, v
    return last(torch.conv2d(padded, filters, w.get("b"), op.stride, 0, op.dilation, x.shape[3]))


def transposed(torch: Any, op: Any, w: Any, x: Any) -> Any:
    """Without padding; then what the padding cuts off at the start goes, and at the end until the size is right."""
    filters = w["w"].permute(2, 3, 0, 1)  # c/g, g*n, u, v
    filters = torch.cat(filters.chunk(op.groups, 1)).contiguous()  # g*c, n, u, v
    y = torch.conv_transpose2d(first(x), filters, None, op.stride, 0, 0, op.groups, op.dilation)
    (top, _), (left, _) = sides_of(op, x)
    height, width, _ = op.out(Volume(*x.shape[1:]))
    ends = (-left, left + width - y.shape[3], -top, top + height - y.shape[2])
    return last(torch.nn.functional.pad(y, ends)) + w.get("b", 0)


def known(op: Op) -> bool:
    """Whether PyTorch has such a layer: it pools with a padding that is even and at most half of the window."""
    if not isinstance(op, Pool):
        return True
    if isinstance(op.padding, str):
        return False
    return all(before == after <= k // 2 for (before, after), k in zip(op.padding, op.kernel, strict=True))


def largest(torch: Any, op: Any, w: Any, x: Any) -> Any:
    (top, _), (left, _) = op.padding
    return last(torch.max_pool2d(first(x), op.kernel, op.step, (top, left), 1, op.ceil))


def mean(torch: Any, op: Any, w: Any, x: Any) -> Any:
    (top, _), (left, _) = op.padding
    pooled = torch.nn.functional.avg_pool2d(first(x), op.kernel, op.step, (top, left), op.ceil, op.countpad)
    return last(pooled)


def normalized(torch: Any, op: Any, w: Any, x: Any) -> Any:
    scale, shift = w.get("scale"), w.get("shift")
    return last(torch.nn.functional.batch_norm(first(x), w["mean"], w["variance"], scale, shift, eps=1e-5))


def responses(torch: Any, op: Any, w: Any, x: Any) -> Any:
    """PyTorch divides alpha by the number of slices; the paper does not."""
    alpha, beta, k = float(op.alpha * op.size), float(op.beta), float(op.k)
    return last(torch.nn.functional.local_response_norm(first(x), op.size, alpha, beta, k))


Torch = Callable[..., Any]
IN_TORCH: dict[str, Torch] = {
    "relu": lambda torch, op, w, x: torch.relu(x),
    "relu6": lambda torch, op, w, x: torch.nn.functional.relu6(x),
    "leakyrelu": lambda torch, op, w, x: torch.nn.functional.leaky_relu(x, float(op.slope)),
    "prelu": lambda torch, op, w, x: last(torch.prelu(first(x), w["slope"])),
    "elu": lambda torch, op, w, x: torch.nn.functional.elu(x, float(op.alpha)),
    "gelu": lambda torch, op, w, x: torch.nn.functional.gelu(x),
    "silu": lambda torch, op, w, x: torch.nn.functional.silu(x),
    "sigmoid": lambda torch, op, w, x: torch.sigmoid(x),
    "tanh": lambda torch, op, w, x: torch.tanh(x),
    "hardsigmoid": lambda torch, op, w, x: torch.nn.functional.hardsigmoid(x),
    "hardswish": lambda torch, op, w, x: torch.nn.functional.hardswish(x),
    "dropout": lambda torch, op, w, x: torch.dropout(x, float(op.rate), train=False),
    "softmax": lambda torch, op, w, x: torch.softmax(x, 3),
    "conv": convolution,
    "dwconv": depthwise,
    "deconv": transposed,
    "fc": lambda torch, op, w, x: (x.flatten(1) @ w["w"] + w.get("b", 0))[:, None, None],
    "maxpool": largest,
    "avgpool": mean,
    "gap": lambda torch, op, w, x: x.mean((1, 2), keepdim=True),
    "adaptiveavgpool": lambda torch, op, w, x: last(torch.nn.functional.adaptive_avg_pool2d(first(x), op.size)),
    "bn": normalized,
    "lrn": responses,
    "ln": lambda torch, op, w, x: torch.layer_norm(x, x.shape[3:], w.get("scale"), w.get("shift"), 1e-6),
    "add": lambda torch, op, w, *xs: sum(xs),
    "concat": lambda torch, op, w, *xs: torch.cat(xs, 3),
    "mul": lambda torch, op, w, *xs: math.prod(xs),
    "id": lambda torch, op, w, x: torch.nn.Identity()(x),
    "flatten": lambda torch, op, w, x: x.flatten(1)[:, None, None],
    "pad": lambda torch, op, w, x: last(torch.nn.functional.pad(first(x), around(op.sides))),
    "crop": lambda torch, op, w, x: last(torch.nn.functional.pad(first(x), tuple(-n for n in around(op.sides)))),
    "upsample": lambda torch, op, w, x: last(torch.nn.functional.interpolate(first(x), scale_factor=op.factor)),
    "slice": lambda torch, op, w, x: x[..., slice(*op.channels)],
    "split": lambda torch, op, w, x: x.chunk(op.parts, 3)[op.part],
    "shuffle": lambda torch, op, w, x: last(torch.channel_shuffle(first(x), op.groups)),
    "shortcut": lambda torch, op, w, x: torch.nn.functional.pad(
        x[:, :: op.stride[0], :: op.stride[1]], (0, op.filters - x.shape[3])
    ),
}
