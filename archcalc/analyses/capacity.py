"""The largest batch that fits into a memory: what limits it, and what would help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.memory import HALVES, OPTIMIZERS, Ledger, Plan, account, check, infer, train
from archcalc.analyses.retention import STAGE
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.units import read_bytes

Parts = tuple[tuple[str, int], ...]


class Help(NamedTuple):
    """A switch that allows a larger batch, as it is written, and the batch."""

    switch: str
    batch: int


class Fit(NamedTuple):
    """The largest batch of a plan, 0 if not even one image fits."""

    ledger: Ledger  # of that batch, or of one image
    memory: int
    training: bool
    batch: int
    needed: int  # by the ledger
    needed_next: int  # by a batch of one image more
    limits: tuple[tuple[str, int], ...]  # the parts of what is needed, the largest first
    layer: tuple[str, int]  # where most activations are: kept first there, or alive there at inference
    helps: tuple[Help, ...]


def fit(report: Report, plan: Plan, memory: int, training: bool = True) -> Fit:
    """The largest batch whose ledger is within `memory` bytes; the batch of the plan is left out of account.

    What is needed is linear in the batch: a constant, and so much an image. Where the worst moment moves (the peak at
    inference, checkpointing) it is the largest of several such lines. The batch is found exactly, by evaluating the
    ledger, and what one image more would need is told beside it. Raises `SpecError` as `account` does, where numbers
    cannot be trained in, and where any batch fits.
    """
    check(report, plan)
    if training and plan.dtype == "int8" and not plan.mixed:
        raise SpecError(
            [Fault("`int8` is no type to train in", help="`--inference` asks for the batch without training")]
        )
    batch = _largest(report, plan, memory, training)
    ledger = account(report, plan._replace(batch=max(1, batch)))
    parts = _parts(report, ledger.plan, training)
    helps = (
        Help(switch, _largest(report, other, memory, training)) for switch, other in _others(report, plan, training)
    )
    better = sorted((each for each in helps if each.batch > batch), key=lambda each: -each.batch)
    return Fit(
        ledger=ledger,
        memory=memory,
        training=training,
        batch=batch,
        needed=_needed(parts),
        needed_next=_needed(_parts(report, plan._replace(batch=batch + 1), training)),
        limits=tuple(sorted(parts, key=lambda part: -part[1])),
        layer=_heaviest(ledger, training),
        helps=tuple(better),
    )


def read_memory(text: str) -> int:
    """Bytes of a memory as people write it. Raises `SpecError`."""
    try:
        return read_bytes(text)
    except ValueError:
        help = "write it as 8GiB, 8GB, 11.5GiB, or in bytes"
        raise SpecError([Fault(f"cannot read {quoted(text)} as a size of memory", help=help)]) from None


def _largest(report: Report, plan: Plan, memory: int, training: bool) -> int:
    """Newton's method from above, on whole numbers: the line through two neighbours lies below all other points.

    So where it reaches the memory no larger batch fits, and the first guess that does is the answer.
    """

    def cost(batch: int) -> int:
        return _needed(_parts(report, plan._replace(batch=batch), training))

    guess, needed = 1, cost(1)
    if needed > memory:
        return 0
    slope = cost(2) - needed
    if not slope:
        raise SpecError([Fault("any batch fits: nothing that grows with it is kept, as there is nothing to learn")])
    while True:
        guess += (memory - needed) // slope
        needed = cost(guess)
        if needed <= memory:
            return guess
        slope = needed - cost(guess - 1)


def _needed(parts: Parts) -> int:
    return sum(size for _, size in parts)


def _parts(report: Report, plan: Plan, training: bool) -> Parts:
    if not training:
        return infer(report, plan).parts()
    return train(report, plan).parts()


def _heaviest(ledger: Ledger, training: bool) -> tuple[str, int]:
    """The layer at which most activations are, and how many bytes."""
    rows = ledger.report.rows
    if not training or ledger.training is None:
        sizes = list(ledger.inference.levels)
    else:
        sizes = [sum(tensor.bytes for tensor in tensors) for tensors in ledger.training.kept]
    most = max(sizes)
    return rows[sizes.index(most)].name, most


def _others(report: Report, plan: Plan, training: bool) -> Iterator[tuple[str, Plan]]:
    """The plans that are one switch away, by the switch."""
    if not plan.inplace:
        yield "--inplace", plan._replace(inplace=True)
    if plan.im2col:
        yield "no --im2col", plan._replace(im2col=False)
    if plan.dtype in ("float32", "float64") and not plan.mixed:
        yield "--dtype float16", plan._replace(dtype="float16")
    if not training:
        return
    for name, numbers in OPTIMIZERS.items():
        if numbers < OPTIMIZERS[plan.optimizer]:
            yield f"--optimizer {name}", plan._replace(optimizer=name)
    if not plan.mixed and plan.dtype not in HALVES:
        yield "--mixed", plan._replace(mixed=True)
    if plan.rule == "pytorch":
        depths = range(1, 1 + max(len(row.node.group) for row in report.rows))
        for how in (STAGE, *map(str, depths)):
            if how != plan.checkpoint:
                yield f"--checkpoint {how}", plan._replace(checkpoint=how)
