"""The memory of a net, and the largest batch that fits: tables with what adds up below them, and JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from archcalc.analyses.capacity import Fit
from archcalc.analyses.memory import RULES, Ledger, Plan, Tensor, Training
from archcalc.builder import Built
from archcalc.render.costs import Setting
from archcalc.render.show import View, picked, table_lines, title
from archcalc.render.table import Column, Row, Share, Table
from archcalc.units import binary, exact, percent

INFERENCE = (
    Column("layer", "layer", "text"),
    Column("type", "type", "text", 3),
    Column("output", "output", "size", 4),
    Column("alive", "alive", "bytes"),
    Column("share", "of the peak", "share", 2),
)
TRAINING = (
    Column("layer", "layer", "text"),
    Column("type", "type", "text", 3),
    Column("output", "output", "size", 2),
    Column("saved", "saved", "bytes"),
    Column("kept", "what is saved first here", "text", 4),
    Column("share", "of all saved", "share", 1),
)
SWITCHES = (Column("switch", "with", "text"), Column("batch", "largest batch", "count"))
MOST_NAMED = 12


def lines(ledger: Ledger, built: Built, training: bool, view: View, stream: TextIO) -> Iterator[str]:
    """The ledger in the format that is wanted; the table is that of training, or of inference."""
    if view.format == "json":
        from archcalc.render import structured

        return iter([structured.document("memory", arch=built.graph.name, **content(ledger))])
    what = title(ledger.report, built, Setting(ledger.plan.batch, ledger.plan.dtype))
    table = _training(ledger, what) if training and ledger.training else _inference(ledger, what)
    return table_lines(picked(table, view), view, stream)


def fit_lines(fit: Fit, built: Built, view: View, stream: TextIO) -> Iterator[str]:
    """The largest batch in the format that is wanted."""
    if view.format == "json":
        from archcalc.render import structured

        return iter([structured.document("fit", arch=built.graph.name, **fit_content(fit))])
    what = title(fit.ledger.report, built, Setting(1, fit.ledger.plan.dtype))
    rows = [Row((_switches(fit.ledger.plan, fit.training), fit.batch), "total")]
    rows += [Row((each.switch, each.batch)) for each in fit.helps]
    head = f"{what}; {'training' if fit.training else 'inference'} in {binary(fit.memory)}"
    return table_lines(
        Table(head, SWITCHES, tuple(rows), footer=tuple(_told(fit))), view._replace(exactly=True), stream
    )


def _switches(plan: Plan, training: bool) -> str:
    """A plan as it is asked for."""
    words = [f"--dtype {plan.dtype}"]
    words += [f"--optimizer {plan.optimizer}"] * training
    words += ["--mixed"] * plan.mixed + ["--no-inplace"] * (not plan.inplace) + ["--im2col"] * plan.im2col
    words += [f"--checkpoint {plan.checkpoint}"] * (plan.checkpoint is not None)
    words += [f"--rule {plan.rule}"] * (plan.rule != "pytorch")
    return " ".join(words)


# ---------------------------------------------------------------- tables


def _inference(ledger: Ledger, what: str) -> Table:
    found = ledger.inference
    rows = []
    for row, level in zip(ledger.report.rows, found.levels, strict=True):
        style = "total" if row.name == found.peak_at else row.node.op.kind()
        share = Share(level, found.peak)
        rows.append(Row((row.name, row.node.op.text() if row.inputs else "input", row.output, level, share), style))
    return Table(f"{what}; inference", INFERENCE, tuple(rows), footer=tuple(_sums(ledger)))


def _training(ledger: Ledger, what: str) -> Table:
    assert ledger.training is not None
    found, rows = ledger.training, []
    for row, kept in zip(ledger.report.rows, found.kept, strict=True):
        saved = sum(tensor.bytes for tensor in kept)
        named = ", ".join(_thing(tensor, row.name) for tensor in kept)
        type_ = row.node.op.text() if row.inputs else "input"
        share = Share(saved, found.saved) if saved else None
        style = row.node.op.kind() if saved else "faint"
        rows.append(Row((row.name, type_, row.output, saved, named or None, share), style))
    if found.segment is not None:
        again = sum(tensor.bytes for tensor in found.again)
        what_again = f"{len(found.again)} tensor{'s' * (len(found.again) != 1)} of {found.segment}"
        rows.append(Row(("made again", what_again, None, again, None, Share(again, found.saved)), "warning"))
    total = Row(("total", "", None, found.saved, None, None), "total")
    plan = f"training, {_switches(ledger.plan, training=True)}"
    return Table(f"{what}; {plan}", TRAINING, tuple(rows), total, tuple(_sums(ledger)))


def _thing(tensor: Tensor, here: str) -> str:
    return tensor.what if tensor.layer == here else f"{tensor.what} of {tensor.layer}"


def _sums(ledger: Ledger) -> Iterator[tuple[str, str]]:
    """What adds up to what, at inference and in training, and what is left out."""
    found = ledger.inference
    if found.peak_at is None:
        yield "peak", f"{binary(found.peak)}: nothing is ever freed"
    else:
        yield "peak", f"{binary(found.peak)} at {found.peak_at}: {_added(found.alive)}"
    yield "inference", _equation(found.parts(), found.total)
    if ledger.training is not None:
        yield "training", _equation(ledger.training.parts(), ledger.training.total)
        if ledger.training.segment:
            yield "", f"the worst moment is when {ledger.training.segment} has been run again"
    yield "rule", RULES[ledger.plan.rule]
    yield "left out", _left_out(ledger)


def _added(tensors: tuple[Tensor, ...]) -> str:
    """`conv1_1 12.3 MiB + conv1_2 12.3 MiB`; many small ones are summed."""
    largest = sorted(tensors, key=lambda tensor: -tensor.bytes)
    shown = [f"{tensor.layer} {binary(tensor.bytes)}" for tensor in largest[:MOST_NAMED]]
    rest = largest[MOST_NAMED:]
    if rest:
        shown.append(f"{len(rest)} more {binary(sum(tensor.bytes for tensor in rest))}")
    return " + ".join(shown)


def _equation(parts: Iterable[tuple[str, int]], total: int) -> str:
    """`527.8 MiB parameters + 24.5 MiB activations = 552.3 MiB`; what is nought is left out."""
    summands = " + ".join(f"{binary(size)} {name}" for name, size in parts if size)
    return f"{summands or 'nothing'} = {binary(total)} ({exact(total)} bytes)"


def _told(fit: Fit) -> Iterator[tuple[str, str]]:
    """The answer in sentences."""
    at = max(1, fit.batch)
    images = "1 image" if at == 1 else f"{exact(at)} images"
    if fit.batch:
        more = f"one more needs {exact(fit.needed_next)}"
        yield "answer", f"{images}: {exact(fit.needed)} of {exact(fit.memory)} bytes; {more}"
        yield (
            "an image",
            f"{binary(fit.needed_next - fit.needed)} more: what is needed is a constant and so much an image",
        )
    else:
        short = exact(fit.needed - fit.memory)
        yield "answer", f"not even one image fits: it needs {exact(fit.needed)} bytes, {short} more than there are"
    yield "needed", f"{_equation(fit.limits, fit.needed)} for {images}"
    limit, most = fit.limits[0]
    layer, size = fit.layer
    where = f"{'saved first' if fit.training else 'alive'} at {layer}"
    yield "limited by", f"{limit}, {percent(most, fit.needed)} of it; most activations are {where}: {binary(size)}"
    yield "would help", "the switches above, each by itself" if fit.helps else "no switch by itself"
    yield "left out", _left_out(fit.ledger)


def _left_out(ledger: Ledger) -> str:
    return f"this is a model, not a measurement: {'; '.join(ledger.left_out)}"


# ---------------------------------------------------------------- JSON


def content(ledger: Ledger) -> dict[str, Any]:
    """The ledger as JSON holds it: bytes."""
    plan, found, training = ledger.plan, ledger.inference, ledger.training
    kept: tuple[tuple[Tensor, ...], ...] = training.kept if training else ((),) * len(ledger.report.rows)
    return {
        **plan._asdict(),
        "inference": {
            "params": found.params,
            "buffers": found.buffers,
            "workspace": found.workspace,
            "peak": found.peak,
            "peak_at": found.peak_at,
            "alive": _tensors(found.alive),
            "total": found.total,
        },
        "training": _training_content(training) if training else None,
        "layers": [
            {
                "name": row.name,
                "output": list(row.output),
                "alive": level,
                "saved": sum(tensor.bytes for tensor in tensors),
                "kept": _tensors(tensors),
            }
            for row, level, tensors in zip(ledger.report.rows, found.levels, kept, strict=True)
        ],
        "left_out": list(ledger.left_out),
    }


def _training_content(training: Training) -> dict[str, Any]:
    again = {"segment": training.segment, "tensors": _tensors(training.again)} if training.segment is not None else None
    return {
        "params": training.params,
        "gradients": training.gradients,
        "optimizer": training.optimizer,
        "buffers": training.buffers,
        "copies": training.copies,
        "saved": training.saved,
        "workspace": training.workspace,
        "total": training.total,
        "recomputed": again,
    }


def fit_content(fit: Fit) -> dict[str, Any]:
    """The answer as JSON holds it: bytes."""
    return {
        **fit.ledger.plan._asdict(),
        "batch": fit.batch,
        "training": fit.training,
        "memory": fit.memory,
        "needed": fit.needed,
        "needed_next": fit.needed_next,
        "limits": dict(fit.limits),
        "layer": {"name": fit.layer[0], "bytes": fit.layer[1]},
        "helps": [each._asdict() for each in fit.helps],
        "left_out": list(fit.ledger.left_out),
    }


def _tensors(tensors: Iterable[Tensor]) -> list[dict[str, Any]]:
    return [tensor._asdict() for tensor in tensors]
