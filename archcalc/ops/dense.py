"""Fully connected layers."""

from __future__ import annotations

from archcalc.ops.base import Count, Flag, Op, arg, op
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

    def out(self, x: Volume) -> Volume:
        """A vector of N."""
        return Volume(1, 1, self.outputs)

    def weights(self, x: Volume) -> dict[str, Shape]:
        """inputs, outputs."""
        weights: dict[str, Shape] = {"w": (x.values, self.outputs)}
        return weights | {"b": (self.outputs,)} if self.bias else weights

    def reach(self) -> tuple[int, int] | None:
        """Every output sees every input."""
        return None

    def work(self, y: Volume, x: Volume) -> Work:
        """A multiply-add for each weight; the bias is one addition more."""
        return Work(macs=x.values * self.outputs, adds=y.c if self.bias else 0)
