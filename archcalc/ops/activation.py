"""Functions of each value by itself, softmax, dropout. A change of sign is free."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, ClassVar

from archcalc.ops.base import Arrays, Kept, Need, Op, Own, Real, arg, op, shown
from archcalc.volume import NOTHING, Shape, Volume, Work


def exp(np: Any, x: Any) -> Any:
    """e^x. Too large for the type it is infinity, and no warning: the kernels here make the right limit of it."""
    with np.errstate(over="ignore"):
        return np.exp(x)


def erf(np: Any, x: Any) -> Any:
    """The error function of each value, right to the last digits of float64; of an object its method `erf`.

    NumPy has none: `math.erf` goes value by value, 0.1 s for a million.
    """
    if x.dtype == object:
        return np.frompyfunc(lambda value: value.erf(), 1, 1)(x)
    return np.frompyfunc(math.erf, 1, 1)(x).astype(x.dtype)


def held(np: Any, x: Any, low: float, high: float) -> Any:
    """min(max(x, low), high), where every value is compared with both."""
    return np.where(x < low, low, np.where(x > high, high, x))


class Activation(Op):
    """A function of each value by itself, in place."""

    inplace = True
    by_output: ClassVar[bool] = False  # the derivative follows from y, not from x
    each: ClassVar[Work]  # operations for one value

    def out(self, x: Volume) -> Volume:
        """The volume keeps its size."""
        return x

    def work(self, y: Volume, x: Volume) -> Work:
        """The same for every value."""
        return self.each.times(x.values)

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The values that its derivative is taken of."""
        return Kept(output=True) if self.by_output else Kept(inputs=(0,))

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """Each gradient times the derivative at its value."""
        return (self.gradient(np, dy, x),), {}

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """The gradient by the input; where two lines meet, that of the flat one: 0 for a ReLU at 0, as in PyTorch.

        Lectures that write f'(x) = 1 for x >= 0 take the other one.
        """
        raise NotImplementedError


@op("relu")
class Relu(Activation):
    """Rectified linear unit: y = max(x, 0)."""

    each = Work(compares=1)
    overwrites = True
    by_output = True
    examples = ("input 55x55x96; relu",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """max(x, 0)."""
        return np.maximum(x, 0)

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy where x > 0."""
        return np.where(x > 0, dy, 0)


@op("relu6")
class Relu6(Activation):
    """ReLU with a ceiling: y = min(max(x, 0), 6) (MobileNet)."""

    each = Work(compares=2)
    examples = ("input 112x112x32; relu6",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """min(max(x, 0), 6)."""
        return held(np, x, 0, 6)

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy where 0 < x < 6."""
        return np.where((x > 0) & (x < 6), dy, 0)


@op("leakyrelu")
class LeakyRelu(Activation):
    """Leaky ReLU: y = x where x > 0, else slope * x (Maas et al. 2013)."""

    slope: Real = arg("slope below zero", default=Fraction(1, 100))
    each = Work(compares=1, muls=1)
    overwrites = True  # y has the sign of x
    examples = ("input 13x13x512; leakyrelu 0.1",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """x, or slope * x."""
        return np.where(x > 0, x, float(self.slope) * x)

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy, or slope * dy."""
        return np.where(x > 0, dy, float(self.slope) * dy)


@op("prelu")
class PRelu(Activation):
    """Parametric ReLU: y = x where x > 0, else slope[c] * x, a slope learnt for each slice (He et al. 2015)."""

    each = Work(compares=1, muls=1)
    examples = ("input 56x56x64; prelu",)

    def weights(self, x: Volume) -> dict[str, Shape]:
        """A slope for each slice of depth."""
        return {"slope": (x.c,)}

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """x, or slope * x."""
        return np.where(x > 0, x, w["slope"] * x)

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """By the input dy, or slope * dy; by a slope the sum of x * dy over its slice, where x <= 0."""
        slope = np.where(x > 0, 0, x * dy).sum(axis=(0, 1, 2))
        return (np.where(x > 0, dy, w["slope"] * dy),), {"slope": slope}


@op("elu")
class Elu(Activation):
    """Exponential linear unit: y = x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2015)."""

    alpha: Real = arg("limit below zero", default=Fraction(1))
    each = Work(compares=1, exps=1, adds=1, muls=1)
    overwrites = True  # alpha * exp(x) is y + alpha
    examples = ("input 32x32x16; elu",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """x, or alpha * (exp(x) - 1)."""
        return np.where(x > 0, x, float(self.alpha) * (exp(np, x) - 1))

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy, or dy * alpha * exp(x)."""
        return np.where(x > 0, dy, dy * (float(self.alpha) * np.exp(np.minimum(x, 0))))


@op("gelu")
class Gelu(Activation):
    """Gaussian error linear unit: y = 0.5 * x * (1 + erf(x / sqrt(2))) (Hendrycks & Gimpel 2016)."""

    each = Work(muls=3, adds=1, exps=1)
    examples = ("input 1x1x768; gelu",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """0.5 * x * (1 + erf(x / sqrt(2)))."""
        return 0.5 * x * (1 + erf(np, x * math.sqrt(0.5)))

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy * (P(x) + x * p(x)), P the normal distribution function and p its density."""
        below = 0.5 * (1 + erf(np, x * math.sqrt(0.5)))
        return dy * (below + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))


@op("silu")
class Silu(Activation):
    """Sigmoid linear unit, or swish: y = x / (1 + exp(-x))."""

    each = Work(exps=1, adds=1, divs=1)
    examples = ("input 112x112x32; silu",)
    known_as = ("swish",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """x / (1 + exp(-x))."""
        return x / (1 + exp(np, -x))

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy * s * (1 + x * (1 - s)), s the logistic function."""
        s = 1 / (1 + exp(np, -x))
        return dy * s * (1 + x * (1 - s))


@op("sigmoid")
class Sigmoid(Activation):
    """Logistic function: y = 1 / (1 + exp(-x))."""

    each = Work(exps=1, adds=1, divs=1)
    by_output = True
    examples = ("input 1x1x256; sigmoid",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """1 / (1 + exp(-x))."""
        return 1 / (1 + exp(np, -x))

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy * y * (1 - y)."""
        y = self.run(np, {}, x)
        return dy * y * (1 - y)


@op("tanh")
class Tanh(Activation):
    """Hyperbolic tangent: y = (exp(2x) - 1) / (exp(2x) + 1) = 1 - 2 / (exp(2x) + 1)."""

    each = Work(muls=1, exps=1, adds=2, divs=1)
    by_output = True
    examples = ("input 28x28x6; tanh",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """1 - 2 / (exp(2x) + 1), which is 1 and not infinity / infinity for a large x."""
        return 1 - 2 / (exp(np, 2 * x) + 1)

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy * (1 - y^2)."""
        y = self.run(np, {}, x)
        return dy * (1 - y * y)


@op("hardsigmoid")
class HardSigmoid(Activation):
    """Sigmoid from straight lines: y = min(max(x + 3, 0), 6) / 6 (MobileNetV3)."""

    each = Work(adds=1, compares=2, divs=1)
    examples = ("input 1x1x64; hardsigmoid",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """min(max((x + 3) / 6, 0), 1): the same, divided first."""
        return held(np, (x + 3) / 6, 0, 1)

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy / 6 where -3 < x < 3."""
        return np.where((x > -3) & (x < 3), dy / 6, 0)


@op("hardswish")
class HardSwish(Activation):
    """Swish from straight lines: y = x * min(max(x + 3, 0), 6) / 6 (MobileNetV3)."""

    each = Work(adds=1, compares=2, divs=1, muls=1)
    examples = ("input 112x112x16; hardswish",)
    known_as = ("hardsilu",)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """x * min(max((x + 3) / 6, 0), 1): the same, divided first."""
        return x * held(np, (x + 3) / 6, 0, 1)

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy * (2x + 3) / 6 between -3 and 3, 0 before and dy behind."""
        return dy * np.where(x <= -3, 0, np.where(x >= 3, 1, (2 * x + 3) / 6))


@op("dropout")
class Dropout(Activation):
    """Dropout: in training a share of the values is set to zero; at inference y = x, which costs nothing."""

    rate: Real = arg("share of values that are dropped", default=Fraction(1, 2))
    each = NOTHING
    examples = ("input 1x1x4096; dropout 0.5",)

    def needs(self, x: Volume) -> Iterator[Need]:
        """A share is at most 1."""
        yield Need(self.rate <= 1, f"a share of {shown(self.rate)} is more than everything", "rate")

    def views(self, training: bool) -> bool:
        """At inference, and where nothing is dropped."""
        return not training or self.rate == 0

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """A factor for each value, 0 or 1/(1 - rate), in their type; on a GPU PyTorch keeps a byte of each."""
        if self.rate == 0:
            return Kept()
        return Kept(own=(Own("factors", y.values) if self.rate < 1 else Own("zero", 1, each_image=False),))

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The input, as at inference."""
        return x

    def gradient(self, np: Any, dy: Any, x: Any) -> Any:
        """dy, as at inference."""
        return dy


@op("softmax")
class Softmax(Op):
    """Softmax over the depth of each position: y[c] = exp(x[c] - max(x)) / sum over k of exp(x[k] - max(x))."""

    examples = ("input 1x1x1000; softmax",)

    def out(self, x: Volume) -> Volume:
        """The volume keeps its size."""
        return x

    def work(self, y: Volume, x: Volume) -> Work:
        """C - 1 comparisons, C subtractions, C exponentials, C - 1 additions, C divisions for each position."""
        between = x.values - x.area
        return Work(compares=between, adds=x.values + between, exps=x.values, divs=x.values)

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """Its output; at the end of a net the loss makes logarithms of it, and keeps those instead."""
        return Kept(output=True)

    def loss_keeps(self, y: Volume) -> tuple[Own, ...]:
        """The probabilities are there."""
        return super().loss_keeps(y)[1:]

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The exponentials of each position, divided by their sum."""
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """The gradients times the Jacobian of each position, diag(y) - y y^T."""
        y = self.run(np, {}, x)
        return (y * (dy - (dy * y).sum(axis=-1, keepdims=True)),), {}

    def cross_entropy(self, np: Any, x: Any, labels: Any) -> tuple[Any, Any]:
        """Loss, the mean of -log y[label] over the positions, and its gradient by `x`, (y - onehot(label)) / positions.

        `x` (b, h, w, c) is what arrives at the softmax; `labels` are whole numbers from 0 to c - 1, one a position:
        (b, h, w), or (b,) where an image has one.
        """
        assert ((labels >= 0) & (labels < x.shape[-1])).all()
        at = labels.reshape(*x.shape[:-1], 1)
        x = x - x.max(axis=-1, keepdims=True)
        logs = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
        loss = -np.take_along_axis(logs, at, axis=-1).mean()
        return loss, (np.exp(logs) - (at == np.arange(x.shape[-1]))) / at.size
