"""Normalization."""

from __future__ import annotations

from fractions import Fraction

from archcalc.ops.base import Count, Flag, Op, Real, arg, op
from archcalc.volume import Shape, Volume, Work


@op("bn")
class BatchNorm(Op):
    """Batch normalization with the statistics of training (Ioffe & Szegedy 2015).

    y[i,j,c] = scale[c] * (x[i,j,c] - mean[c]) / sqrt(variance[c] + epsilon) + shift[c]
    """

    affine: Flag = arg("learn a scale and a shift for each slice of depth", default=True)
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


@op("lrn")
class LocalResponseNorm(Op):
    """Local response normalization across depth (Krizhevsky et al. 2012, section 3.3): alpha is not divided by n.

    y[i,j,c] = x[i,j,c] / (k + alpha * sum over the n slices around c of x[i,j,c']^2)^beta
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


@op("ln")
class LayerNorm(Op):
    """Layer normalization over the depth of each position (Ba, Kiros & Hinton 2016; as ConvNeXt uses it).

    y[i,j,c] = scale[c] * (x[i,j,c] - mean[i,j]) / sqrt(variance[i,j] + epsilon) + shift[c]
    """

    affine: Flag = arg("learn a scale and a shift for each slice of depth", default=True)
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
