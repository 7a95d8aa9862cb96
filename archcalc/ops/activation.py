"""Functions of each value by itself, softmax, dropout. A change of sign is free."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar

from archcalc.ops.base import Need, Op, Real, arg, op, shown
from archcalc.volume import NOTHING, Shape, Volume, Work


class Activation(Op):
    """A function of each value by itself, in place."""

    inplace = True
    each: ClassVar[Work]  # operations for one value

    def out(self, x: Volume) -> Volume:
        """The volume keeps its size."""
        return x

    def work(self, y: Volume, x: Volume) -> Work:
        """The same for every value."""
        return self.each.times(x.values)


@op("relu")
class Relu(Activation):
    """Rectified linear unit: y = max(x, 0)."""

    each = Work(compares=1)
    examples = ("input 55x55x96; relu",)


@op("relu6")
class Relu6(Activation):
    """ReLU with a ceiling: y = min(max(x, 0), 6) (MobileNet)."""

    each = Work(compares=2)
    examples = ("input 112x112x32; relu6",)


@op("leakyrelu")
class LeakyRelu(Activation):
    """Leaky ReLU: y = x where x > 0, else slope * x (Maas et al. 2013)."""

    slope: Real = arg("slope below zero", default=Fraction(1, 100))
    each = Work(compares=1, muls=1)
    examples = ("input 13x13x512; leakyrelu 0.1",)


@op("prelu")
class PRelu(Activation):
    """Parametric ReLU: y = x where x > 0, else slope[c] * x, a slope learnt for each slice (He et al. 2015)."""

    each = Work(compares=1, muls=1)
    examples = ("input 56x56x64; prelu",)

    def weights(self, x: Volume) -> dict[str, Shape]:
        """A slope for each slice of depth."""
        return {"slope": (x.c,)}


@op("elu")
class Elu(Activation):
    """Exponential linear unit: y = x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2015)."""

    alpha: Real = arg("limit below zero", default=Fraction(1))
    each = Work(compares=1, exps=1, adds=1, muls=1)
    examples = ("input 32x32x16; elu",)


@op("gelu")
class Gelu(Activation):
    """Gaussian error linear unit: y = 0.5 * x * (1 + erf(x / sqrt(2))) (Hendrycks & Gimpel 2016)."""

    each = Work(muls=3, adds=1, exps=1)
    examples = ("input 1x1x768; gelu",)


@op("silu")
class Silu(Activation):
    """Sigmoid linear unit, or swish: y = x / (1 + exp(-x))."""

    each = Work(exps=1, adds=1, divs=1)
    examples = ("input 112x112x32; silu",)
    known_as = ("swish",)


@op("sigmoid")
class Sigmoid(Activation):
    """Logistic function: y = 1 / (1 + exp(-x))."""

    each = Work(exps=1, adds=1, divs=1)
    examples = ("input 1x1x256; sigmoid",)


@op("tanh")
class Tanh(Activation):
    """Hyperbolic tangent: y = (exp(2x) - 1) / (exp(2x) + 1)."""

    each = Work(muls=1, exps=1, adds=2, divs=1)
    examples = ("input 28x28x6; tanh",)


@op("hardsigmoid")
class HardSigmoid(Activation):
    """Sigmoid from straight lines: y = min(max(x + 3, 0), 6) / 6 (MobileNetV3)."""

    each = Work(adds=1, compares=2, divs=1)
    examples = ("input 1x1x64; hardsigmoid",)


@op("hardswish")
class HardSwish(Activation):
    """Swish from straight lines: y = x * min(max(x + 3, 0), 6) / 6 (MobileNetV3)."""

    each = Work(adds=1, compares=2, divs=1, muls=1)
    examples = ("input 112x112x16; hardswish",)
    known_as = ("hardsilu",)


@op("dropout")
class Dropout(Activation):
    """Dropout: in training a share of the values is set to zero; at inference y = x, which costs nothing."""

    rate: Real = arg("share of values that are dropped", default=Fraction(1, 2))
    each = NOTHING
    examples = ("input 1x1x4096; dropout 0.5",)

    def needs(self, x: Volume) -> Iterator[Need]:
        """A share is at most 1."""
        yield Need(self.rate <= 1, f"a share of {shown(self.rate)} is more than everything", "rate")


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
