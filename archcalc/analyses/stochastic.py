"""Stochastic depth: what training costs on average when residual blocks are dropped at random.

Huang, Sun, Liu, Sedra & Weinberger 2016, arXiv:1603.09382: block l of L keeps its residual branch with probability
1 - (l/L)(1 - p), p = 1/2 for the last one; (3L - 1)/4 blocks are trained on average.
"""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from archcalc.analyses.branches import since
from archcalc.analyses.costs import Report, Row

LAST_SURVIVES = Fraction(1, 2)


class Expected(NamedTuple):
    """Averages over the blocks that are kept, exact: blocks, MACs and FLOPs of a forward pass for one image."""

    blocks: Fraction
    macs: Fraction
    flops: Fraction


def expected(report: Report, last_survives: Fraction = LAST_SURVIVES) -> Expected:
    """What is trained on average under linear decay; a block is an `add` whose other branch has no parameters.

    The backward pass shrinks in the same proportion.
    """
    branches = residual_branches(report)
    totals = report.total()
    macs, flops, blocks = Fraction(_int(totals.macs)), Fraction(_int(totals.flops)), Fraction(0)
    for number, branch in enumerate(branches, 1):
        survives = 1 - Fraction(number, len(branches)) * (1 - last_survives)
        blocks += survives
        macs -= (1 - survives) * sum(_int(row.cost.macs) for row in branch)
        flops -= (1 - survives) * sum(_int(row.cost.flops) for row in branch)
    return Expected(blocks, macs, flops)


def residual_branches(report: Report) -> list[list[Row]]:
    """The layers of each residual branch that can be dropped, in the order of the net."""
    found = []
    for index, row in enumerate(report.rows):
        if row.node.op.arity == "many" and row.cost.work.adds != 0 and len(row.node.inputs) == 2:
            fork = _fork(report, index)
            sides = [[report.rows[at] for at in since(report.graph, end, fork)] for end in row.node.inputs]
            costly = [side for side in sides if any(each.cost.params != 0 for each in side)]
            if len(costly) == 1:
                found.append(costly[0])
    return found


def _fork(report: Report, merge: int) -> int:
    """The last layer that both sides of a merge come from."""
    sides = list(report.rows[merge].node.inputs)
    while sides[0] != sides[1]:
        later = sides.index(max(sides))
        inputs = report.rows[sides[later]].node.inputs
        if not inputs:
            return -1
        sides[later] = max(inputs)
    return sides[0]


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
