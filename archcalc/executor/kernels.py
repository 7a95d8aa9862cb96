"""Which fast kernel does which layer type."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from archcalc.executor.base import Kernel, Reference
from archcalc.executor.convolution import Convolution
from archcalc.executor.deconvolution import Deconvolution
from archcalc.executor.dense import Dense
from archcalc.executor.depthwise import Depthwise
from archcalc.executor.pooling import AvgPooling, MaxPooling
from archcalc.executor.values import ByRows, GaussianUnit, LeakyRectifier, Normalization, Rectifier, Rectifier6, Sum
from archcalc.executor.winograd import Winograd, is_quicker
from archcalc.ops.activation import Activation, Gelu, LeakyRelu, Relu, Relu6, Softmax
from archcalc.ops.base import Op
from archcalc.ops.conv import Conv, Deconv, DepthwiseConv
from archcalc.ops.dense import FullyConnected
from archcalc.ops.merge import Add
from archcalc.ops.norm import BatchNorm, LayerNorm, LocalResponseNorm
from archcalc.ops.pool import AvgPool, MaxPool
from archcalc.volume import NOTHING, Volume

Fits = Callable[[Any, Volume], bool]


def any_layer(op: Op, x: Volume) -> bool:
    """Of this type."""
    return True


def is_depthwise(op: Conv, x: Volume) -> bool:
    """A convolution with a group for each slice."""
    return op.groups == x.c


def has_kink(op: LeakyRelu, x: Volume) -> bool:
    """One for which y = max(x, slope * x)."""
    return 0 <= op.slope <= 1


KERNELS: tuple[tuple[type[Op], Fits, type[Kernel]], ...] = (  # the first that fits does the layer
    (Conv, is_depthwise, Depthwise),
    (Conv, is_quicker, Winograd),
    (Conv, any_layer, Convolution),
    (DepthwiseConv, any_layer, Depthwise),
    (Deconv, any_layer, Deconvolution),
    (MaxPool, any_layer, MaxPooling),
    (AvgPool, any_layer, AvgPooling),
    (FullyConnected, any_layer, Dense),
    (BatchNorm, any_layer, Normalization),
    (Relu, any_layer, Rectifier),
    (Relu6, any_layer, Rectifier6),
    (LeakyRelu, has_kink, LeakyRectifier),
    (Gelu, any_layer, GaussianUnit),
    (Add, any_layer, Sum),
)
ALONE = (Activation, LocalResponseNorm, LayerNorm, Softmax)  # each position looks at no other


def kernels_for(op: Op, *x: Volume) -> Iterable[type[Kernel]]:
    """The kernels that can do a layer, the one that does it first; the last is always the layer's own `run`."""
    for layer, fits, kernel in KERNELS:
        if type(op) is layer and fits(op, x[0]):  # a class that is made from another may do something else
            yield kernel
    if isinstance(op, ALONE) and op.work(op.out(*x), *x) != NOTHING:
        yield ByRows
    yield Reference


def kernel_for(op: Op, *x: Volume) -> Kernel:
    """The kernel that does a layer on volumes of these sizes, in float32 or float64."""
    return next(iter(kernels_for(op, *x)))(op, *x)
