"""Fully connected layers."""

from __future__ import annotations

from typing import Any

from archcalc.ops.base import Arrays, Count, Flag, Kept, Op, Reach, arg, op
from archcalc.volume import Shape, Volume, Work


@op("fc")
class FullyConnected(Op):
    """Fully connected layer: every output sees every input; a volume is flattened first.

    y[n] = b[n] + sum over i of w[i,n] * x[i]
    """

    outputs: Count = arg("how many outputs", symbol="N")
    bias: Flag = arg("one number added per output", default=True)
    examples = ("input 7x7x512; fc 4096", "input 784; fc 10 nobias")
    known_as = ("dense", "linear", "fullyconnected", "innerproduct")
    slides = False

    def out(self, x: Volume) -> Volume:
        """A vector of N."""
        return Volume(1, 1, self.outputs)

    def weights(self, x: Volume) -> dict[str, Shape]:
        """inputs, outputs."""
        weights: dict[str, Shape] = {"w": (x.values, self.outputs)}
        return weights | {"b": (self.outputs,)} if self.bias else weights

    def reach(self, x: Volume, *_: Any) -> tuple[tuple[Reach, Reach], ...]:
        """Every output sees every input."""
        return ((Reach(x.h), Reach(x.w)),)

    def work(self, y: Volume, x: Volume) -> Work:
        """A multiply-add for each weight; the bias is one addition more."""
        return Work(macs=x.values * self.outputs, adds=y.c if self.bias else 0)

    def keeps(self, y: Volume, *x: Any, **_: Any) -> Kept:
        """The input."""
        return Kept(inputs=(0,))

    def run(self, np: Any, w: Arrays, x: Any) -> Any:
        """The input as a vector, times the matrix of weights."""
        y = np.einsum("bi,in->bn", x.reshape(len(x), -1), w["w"])[:, None, None]
        return y + w["b"] if self.bias else y

    def back(self, np: Any, dy: Any, w: Arrays, x: Any) -> tuple[tuple[Any, ...], Arrays]:
        """By the input: the gradient times the matrix turned round. By the matrix: every input times every gradient."""
        dy = dy.reshape(len(x), -1)
        dx = np.einsum("bn,in->bi", dy, w["w"]).reshape(x.shape)
        dw = {"w": np.einsum("bi,bn->in", x.reshape(len(x), -1), dy)}
        return (dx,), dw | {"b": dy.sum(axis=0)} if self.bias else dw
