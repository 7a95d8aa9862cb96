"""Normalization."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from typing import Any, ClassVar

from archcalc.ops.base import Arrays, Count, Flag, Kept, Op, Own, Real, arg, op
from archcalc.ops.conv import nought
from archcalc.volume import Shape, Volume, Work

IMAGES: tuple[int, ...] = (0, 1, 2)  # axes: a slice of depth over all images and positions
DEPTH: tuple[int, ...] = (3,)


def through_standardizing(dz: Any, z: Any, deviation: Any, axes: tuple[int, ...]) -> Any:
    """Gradient by x of z = (x - mean) / deviation, where mean and deviation are those of x along the axes."""
    lost = dz.mean(axis=axes, keepdims=True) + z * (dz * z).mean(axis=axes, keepdims=True)
    return (dz - lost) / deviation


@op("bn")
class BatchNorm(Op):
    """Batch normalization with the statistics of training (Ioffe & Szegedy 2015).

    y[i,j,c] = scale[c] * (x[i,j,c] - mean[c]) / sqrt(variance[c] + epsilon) + shift[c], epsilon = 1e-5
    """

    affine: Flag = arg("learn a scale and a shift for each slice of depth", default=True)
    epsilon: ClassVar[float] = 1e-5  # PyTorch's
    examples = ("input 112x112x64; bn", "input 8x8x16; bn noaffine")
    known_as = ("batchnorm", "batchnorm2d", "batchnormalization")

    def out(self, x: Volume) -> Volume:
        """The volume keeps its size."""
        return x

    def weights(self, x: Volume) -> dict[str, Shape]:
        """Scale and shift are learnt; mean and variance are buffers."""
        learnt: dict[str, Shape] = {"scale": (x.c,), "shift": (x.c,)} if self.affine else {}
        return learnt | {"mean": (x.c,), "variance": (x.c,)}

    def work(self, y: Volume, x: Volume) -> Work:
        """One multiplication and one addition for each value: the four numbers of a slice fold into two beforehand."""
        return Work(muls=x.values, adds=x.values)

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The input, mean and deviation of each slice of this batch."""
        return Kept((0,), own=(Own("mean and deviation", 2 * y.c, "params", each_image=False),))

    def deviation(self, np: Any, w: Arrays) -> Any:
        """sqrt(variance + epsilon): (c,)."""
        return np.sqrt(w["variance"] + self.epsilon)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """A factor and a summand for each slice, the four numbers folded."""
        factor = w.get("scale", 1) / self.deviation(np, w)
        return factor * x + (w.get("shift", 0) - w["mean"] * factor)

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """By the input: times the factor. By a scale: the sum over z * dy, z standardized. By a shift: that over dy."""
        z = (x - w["mean"]) / self.deviation(np, w)
        dw = {"scale": (dy * z).sum(axis=IMAGES), "shift": dy.sum(axis=IMAGES)} if self.affine else {}
        return (dy * (w.get("scale", 1) / self.deviation(np, w)),), dw

    def statistics(self, np: Any, x: Any) -> Arrays:
        """Mean and variance of the slices of a batch, which training puts in the place of the buffers (c,)."""
        return {"mean": x.mean(axis=IMAGES), "variance": x.var(axis=IMAGES)}

    def back_in_training(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """As `back`, with the statistics of this batch: so every x has a part in every y of its slice."""
        now = w | self.statistics(np, x)
        deviation = self.deviation(np, now)
        dx = through_standardizing(dy * w.get("scale", 1), (x - now["mean"]) / deviation, deviation, IMAGES)
        return (dx,), self.back(np, dy, now, x)[1]


@op("lrn")
class LocalResponseNorm(Op):
    """Local response normalization across depth (Krizhevsky et al. 2012, section 3.3): alpha is not divided by n.

    y[i,j,c] = x[i,j,c] / (k + alpha * sum over the n slices around c of x[i,j,c']^2)^beta

    The slices are c - floor(n/2) to c + floor((n-1)/2), zeros where there are none.
    """

    size: Count = arg("slices of depth in the sum", default=5, symbol="n")
    k: Real = arg("constant below the line", default=Fraction(2), named=True)
    alpha: Real = arg("weight of the sum", default=Fraction(1, 10000), named=True)
    beta: Real = arg("exponent", default=Fraction(3, 4), named=True)
    examples = ("input 55x55x96; lrn 5",)
    known_as = ("localresponsenorm", "localresponsenormalization")

    def out(self, x: Volume) -> Volume:
        """The volume keeps its size."""
        return x

    def work(self, y: Volume, x: Volume) -> Work:
        """Each value: squared and weighted (2 multiplications), n - 1 additions and k, a power, a division."""
        return Work(muls=2 * x.values, adds=self.size * x.values, exps=x.values, divs=x.values)

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The input, its squares with n - 1 slices of zeros around them, what stands below the line, and its power."""
        padded = Own("padded squares", y.area * (y.c + self.size - 1))
        return Kept((0,), own=(padded, Own("sums", y.values), Own("powers", y.values)))

    def around(self, np: Any, x: Any, before: int, after: int) -> Any:
        """For each slice the sum of those from so many before it to so many after it."""
        padded = np.pad(x, ((0, 0), (0, 0), (0, 0), (before, after)), constant_values=nought(x))
        return reduce(np.add, (padded[..., at : at + x.shape[3]] for at in range(before + 1 + after)))

    def below(self, np: Any, x: Any) -> Any:
        """What stands below the line, before the power."""
        return float(self.k) + float(self.alpha) * self.around(np, x * x, self.size // 2, (self.size - 1) // 2)

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """x / below^beta."""
        return x / self.below(np, x) ** float(self.beta)

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """A value has a part in its own y, and below the line in those of the slices that it is around."""
        below = self.below(np, x)
        own = dy * below ** -float(self.beta)
        others = self.around(np, own * x / below, (self.size - 1) // 2, self.size // 2)
        return (own - 2 * float(self.alpha * self.beta) * x * others,), {}


@op("ln")
class LayerNorm(Op):
    """Layer normalization over the depth of each position (Ba, Kiros & Hinton 2016; as ConvNeXt uses it).

    y[i,j,c] = scale[c] * (x[i,j,c] - mean[i,j]) / sqrt(variance[i,j] + epsilon) + shift[c], epsilon = 1e-6
    """

    affine: Flag = arg("learn a scale and a shift for each slice of depth", default=True)
    epsilon: ClassVar[float] = 1e-6  # ConvNeXt's; PyTorch's own is 1e-5
    examples = ("input 56x56x96; ln",)
    known_as = ("layernorm", "layernormalization")

    def out(self, x: Volume) -> Volume:
        """The volume keeps its size."""
        return x

    def weights(self, x: Volume) -> dict[str, Shape]:
        """Scale and shift for each slice of depth; no statistics are kept."""
        return {"scale": (x.c,), "shift": (x.c,)} if self.affine else {}

    def work(self, y: Volume, x: Volume) -> Work:
        """Mean and variance of each position, then subtract, divide by the root, scale, shift."""
        own = x.values if self.affine else 0
        # sum C-1, centre C, sum of squares C-1, epsilon 1 a position; then the shift
        adds = x.area * (3 * x.c - 1) + own
        return Work(adds=adds, muls=x.values + own, divs=x.values + 2 * x.area, exps=x.area)

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The input, mean and deviation of each position."""
        return Kept((0,), own=(Own("mean and deviation", 2 * y.area, "params" if self.affine else ""),))

    def standardized(self, np: Any, x: Any) -> tuple[Any, Any]:
        """The values with mean 0 and variance 1 at each position, and the deviation that they were divided by."""
        centred = x - x.sum(axis=DEPTH, keepdims=True) / x.shape[3]
        variance = (centred * centred).sum(axis=DEPTH, keepdims=True) / x.shape[3]
        deviation = np.sqrt(variance + self.epsilon)
        return centred / deviation, deviation

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """Each position standardized, then scale and shift."""
        z, _ = self.standardized(np, x)
        return w["scale"] * z + w["shift"] if self.affine else z

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """By the input: also through mean and deviation. By scale and shift: as for `bn`."""
        z, deviation = self.standardized(np, x)
        dx = through_standardizing(dy * w.get("scale", 1), z, deviation, DEPTH)
        return (dx,), {"scale": (dy * z).sum(axis=IMAGES), "shift": dy.sum(axis=IMAGES)} if self.affine else {}
