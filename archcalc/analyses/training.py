"""What training costs: the multiply-adds of the backward pass, layer by layer."""

from __future__ import annotations

from typing import NamedTuple

from archcalc.analyses.costs import Report, Row, sum_of
from archcalc.graph import Node, walk
from archcalc.volume import Dim


class Backward(NamedTuple):
    """Multiply-adds of the gradients of a layer, or of many, for one image."""

    by_inputs: Dim = 0
    by_weights: Dim = 0

    @property
    def macs(self) -> Dim:
        """Both together."""
        return self.by_inputs + self.by_weights


class Training(NamedTuple):
    """The rows of a report with what each costs on the way back."""

    report: Report
    backward: tuple[Backward, ...]

    @property
    def total(self) -> Backward:
        """The sums over the net."""
        return Backward(*map(sum_of, zip(*self.backward, strict=True)))

    @property
    def macs(self) -> Dim:
        """Multiply-adds of a step of training on one image: forth and back."""
        return self.report.total().macs + self.total.macs


def backpropagate(report: Report) -> Training:
    """The multiply-adds of the backward pass for one image, with a loss at every output.

    A multiply-add takes an input times a weight. On the way back the gradient of its result is multiplied with that
    weight, for the gradient by the input, and with that input, for the gradient by the weight: each of the two costs
    what the layer costs. No gradient by the input is asked for where nothing before the layer learns, as at the first
    layer of a net. Gradients of biases are sums, and no multiply-adds.
    """
    rows = iter(report.rows)
    backward: list[Backward] = []

    def step(node: Node, before: list[bool]) -> bool:
        row = next(rows)
        backward.append(Backward(row.macs if any(before) else 0, row.macs))
        return any(before) or learns(row)

    walk(report.graph, step)
    return Training(report, tuple(backward))


def learns(row: Row) -> bool:
    """Whether a layer has weights that are learnt, its own or those of the layer that it shares them with."""
    op = row.node.op
    return any(name not in op.buffers for name in op.weights(*row.inputs))
