"""A run shown: each layer as predicted and as executed, a fingerprint of its values, its time."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TextIO

from archcalc import __version__
from archcalc.builder import Built
from archcalc.render import matrices, show, terminal
from archcalc.render.costs import Setting
from archcalc.render.table import Column, Row, Share, Table, Worded, chosen
from archcalc.units import binary, duration, exact

if TYPE_CHECKING:  # the room of NumPy stays shut until a command opens it
    from archcalc.executor.backward import Loss, StepBack, WayBack
    from archcalc.executor.execution import Execution
    from archcalc.executor.forward import Count, Step

Shape = tuple[int, ...]
COLUMNS = (
    Column("layer", "layer", "text"),
    Column("type", "type", "text", 2),
    Column("predicted", "predicted", "size"),
    Column("executed", "executed", "size"),
    Column("agrees", "agrees", "text"),
    Column("values", "weights and buffers", "count", 3),
    Column("executed_values", "in the arrays", "count", 1),
    Column("macs", "MACs", "count", 3),
    Column("executed_macs", "MACs done", "count", 1),
    Column("mean", "mean", "size", 4),
    Column("deviation", "deviation", "size", 4),
    Column("fingerprint", "fingerprint", "text", 6),
    Column("seconds", "time", "size", 6),
    Column("share", "share of time", "share", 1),
)
DEFAULT = ("layer", "type", "predicted", "executed", "agrees", "macs", "mean", "deviation", "fingerprint", "seconds")
BACKWARD = (
    Column("layer", "layer", "text"),
    Column("gradients", "gradients of inputs", "size"),
    Column("weight_gradients", "of weights", "size", 7),
    Column("gradient_norm", "norm of these", "size", 5),
    Column("backward_agrees", "agrees", "text"),
    Column("backward_macs", "MACs", "count", 8),
    Column("executed_backward_macs", "MACs done", "count", 1),
    Column("backward_seconds", "time", "size", 6),
    Column("backward_share", "share of time", "share", 3),
)


def lines(execution: Execution, built: Built, view: show.View, stream: TextIO) -> Iterator[str]:
    """A run in the format that is wanted; the way back stands in a table of its own, in CSV beside the way forth."""
    if execution.jacobian:
        yield from matrices.lines(execution.jacobian, view)
        return
    if view.format == "json":
        yield from _json(execution)
        return
    forward, back = _forward_table(execution, built, view), _backward_table(execution, view)
    if view.format == "csv":
        yield from show.table_lines(_beside(forward, back) if back else forward, view, stream)
        return
    table = chosen(forward, (*DEFAULT, "share"))
    if view.format == "table" and terminal.Screen(stream).width is not None:
        table = table._replace(footer=(*table.footer, ("all columns", "`--format csv`")))
    keys = tuple(column.key for column in BACKWARD if column.key != "executed_backward_macs")
    yield from show.tables_lines((table, *([chosen(back, keys)] if back else [])), view, stream)


def size_text(shape: Shape, batch: int) -> str:
    """The shape of a batch, told of one image: `55x55x96`; in full where it is none of such a batch.

    >>> size_text((8, 55, 55, 96), 8), size_text((1, 55, 55), 1), size_text((), 1)
    ('55x55x96', '1x55x55 in all', 'nothing')
    """
    if len(shape) == 4 and shape[0] == batch:
        return "x".join(map(str, shape[1:]))
    return f"{'x'.join(map(str, shape))} in all" if shape else "nothing"


def _forward_table(execution: Execution, built: Built, view: show.View) -> Table:
    forward = execution.forward
    setting = Setting(forward.request.batch, forward.request.dtype)
    shown = _shown(execution)
    whole = sum(step.seconds for step in shown)
    rows = tuple(_row(step, forward.request.batch, whole, view) for step in shown)
    sums = {
        "layer": "total",
        "values": sum(step.values.predicted for step in shown),
        "executed_values": sum(step.values.executed for step in shown),
        "macs": sum(step.macs.predicted for step in shown),
        "executed_macs": sum(step.macs.executed for step in shown),
        "seconds": duration(whole),
    }
    title = show.title(forward.report, built, setting)
    return Table(title, COLUMNS, rows, Row(_cells(sums, COLUMNS), "total"), tuple(_footer(execution, shown)))


def _shown(execution: Execution) -> list[Step]:
    """The layers that were asked for, and any other that disagrees."""
    forward = execution.forward
    return [step for step in forward.steps if step.at in forward.shown or not step.agrees]


def _row(step: Step, batch: int, whole: float, view: show.View) -> Row:
    raw = view.format == "csv"
    print_ = step.fingerprint
    mean, deviation = (print_.mean, print_.deviation) if print_ else (None, None)
    op = step.row.node.op
    values = {
        "layer": step.row.name,
        "type": op.text() if step.row.inputs else op.type,
        "predicted": size_text(step.predicted, batch),
        "executed": size_text(step.executed, batch),
        "agrees": "yes" if step.agrees else "NO",
        "values": step.values.predicted if step.row.inputs else None,
        "executed_values": step.values.executed if step.row.inputs else None,
        "macs": step.macs.predicted if step.row.inputs else None,
        "executed_macs": step.macs.executed if step.row.inputs else None,
        "mean": mean if raw or mean is None else f"{mean:.4g}",
        "deviation": deviation if raw or deviation is None else f"{deviation:.4g}",
        "fingerprint": print_.text if print_ else None,
        "seconds": _time(step.seconds, raw) if step.row.inputs else None,
        "share": _share(step.seconds, whole),
    }
    quiet = op.inplace or not step.row.inputs
    style = "warning" if not step.agrees else "faint" if quiet else op.kind()
    return Row(_cells(values, COLUMNS), style, "" if step.agrees else disagreement(step, batch))


def _cells(values: dict[str, Any], columns: tuple[Column, ...]) -> tuple[Any, ...]:
    return tuple(values.get(column.key) for column in columns)


def _time(seconds: float, raw: bool) -> float | Worded:
    return round(seconds, 6) if raw else Worded(duration(seconds), seconds)


def _share(seconds: float, whole: float) -> Share | None:
    nanoseconds = round(1e9 * seconds)
    return Share(nanoseconds, round(1e9 * whole)) if nanoseconds else None


def disagreement(step: Step, batch: int) -> str:
    """What a layer is not as predicted in: both figures of each."""
    found = []
    if step.failure:
        found.append(f"predicted {size_text(step.predicted, batch)}, but it cannot be run: {step.failure}")
    elif step.executed != step.predicted:
        found.append(f"predicted {size_text(step.predicted, batch)}, executed {size_text(step.executed, batch)}")
    found += _unequal("parameters and buffers", step.values)
    found += [] if step.failure else _unequal("MACs", step.macs)
    return "; ".join(found)


def _unequal(what: str, count: Count) -> list[str]:
    """A figure that is not as predicted, in words."""
    text = f"{exact(count.predicted)} {what} predicted, {exact(count.executed)} executed"
    return [] if count.agrees else [text]


def _footer(execution: Execution, shown: list[Step]) -> Iterator[tuple[str, str]]:
    forward = execution.forward
    wrong = [step for step in forward.steps if not step.agrees]
    if wrong:
        left = len(forward.report.rows) - wrong[0].at - 1
        behind = f"; {_counted(left)} behind it {'was' if left == 1 else 'were'} not run" if left else ""
        yield "disagrees", f"{wrong[0].row.name}{behind}"
        files = [path for path in (forward.request.save, forward.request.save_weights) if path]
        if files:
            yield "", f"{' and '.join(files)}: not written"
    else:
        values, macs = (
            exact(sum(count.executed for count in counts))
            for counts in ([step.values for step in shown], [step.macs for step in shown])
        )
        yield "agrees", f"{_layers(shown)}: shapes, {values} values in the arrays of weights, {macs} MACs, as predicted"
    lost = next((step.row.name for step in forward.steps if step.fingerprint and step.fingerprint.mean is None), None)
    if lost:
        yield "not finite", f"values of {lost}, too large for {forward.request.dtype}, and of what comes behind it"
    hidden = len(forward.steps) - len(shown)
    if hidden:
        yield "", f"{_counted(hidden)} before these {'was' if hidden == 1 else 'were'} run for them"
    yield "weights", forward.weights
    yield "input", ", ".join(each.removeprefix("input ") for each in forward.inputs)
    yield "kernels", "the definition of each layer" if forward.request.reference else "fast ones"
    yield "fingerprint", FINGERPRINT.format(execution.places)
    yield "memory", _memory(execution)
    yield "time", _time_told(execution)


def _time_told(execution: Execution) -> str:
    """The whole time, and its parts."""
    forward, back = execution.forward, execution.backward
    parts = {"in layers": sum(step.seconds for step in forward.steps), "for weights": forward.making}
    if back:
        parts["on the way back"] = sum(step.seconds for step in back.steps)
    named = ", ".join(f"{duration(seconds)} {what}" for what, seconds in parts.items())
    return f"{duration(execution.seconds)}: {named}"


FINGERPRINT = (
    "of mean, deviation and two signed sums, to {} places of the deviation; values agree where either half does"
)


def _layers(shown: list[Step]) -> str:
    return _counted(sum(1 for step in shown if step.row.inputs))


def _counted(layers: int) -> str:
    return f"{layers:,} layer{'s' * (layers != 1)}"


def _memory(execution: Execution) -> str:
    plan, peak = execution.forward.plan, execution.peak_bytes
    had = f"; the process had {binary(peak)} at most" if peak is not None else ""
    return f"{binary(plan.bytes)} planned, most of it at {plan.at}{had}"


# ---------------------------------------------------------------- the way back


def _backward_table(execution: Execution, view: show.View) -> Table | None:
    back = execution.backward
    if back is None:
        return None
    whole = sum(step.seconds for step in back.steps)
    rows = tuple(_row_back(step, execution, whole, view) for step in back.steps)
    sums = {
        "layer": "total",
        "backward_macs": sum(step.macs.predicted for step in back.steps),
        "executed_backward_macs": sum(step.macs.executed for step in back.steps),
        "backward_seconds": duration(whole),
    }
    return Table("the way back", BACKWARD, rows, Row(_cells(sums, BACKWARD), "total"), tuple(_footer_back(back)))


def _row_back(step: StepBack, execution: Execution, whole: float, view: show.View) -> Row:
    arrived, batch = len(step.row.inputs), execution.forward.request.batch
    texts = gradient_texts(step.executed or step.predicted, arrived, batch)
    raw = view.format == "csv"
    owner = step.row.node.share
    sizes = ", ".join(texts[arrived:])
    values = {
        "layer": step.row.name,
        "gradients": ", ".join(texts[:arrived]) if any(step.predicted[:arrived]) else None,
        "weight_gradients": sizes or None if owner is None else f"added to {execution.forward.report.rows[owner].name}",
        "backward_agrees": "yes" if step.agrees else "NO",
        "backward_macs": step.macs.predicted,
        "executed_backward_macs": step.macs.executed,
        "gradient_norm": step.norm if raw or step.norm is None else f"{step.norm:.4g}",
        "backward_seconds": _time(step.seconds, raw),
        "backward_share": _share(step.seconds, whole),
    }
    style = step.row.node.op.kind() if step.agrees else "warning"
    return Row(_cells(values, BACKWARD), style, "" if step.agrees else _disagreement_back(step, batch))


def gradient_texts(shapes: Sequence[Shape | None], arrived: int, batch: int) -> list[str]:
    """Gradients by so many inputs, told of one image, and by weights; a dash where none is asked for.

    >>> gradient_texts([(8, 14, 14, 6), None, (5, 5, 6, 16), (16,)], 2, 8)
    ['14x14x6', '-', '5x5x6x16', '16']
    """
    return [
        "-" if shape is None else size_text(shape, batch) if at < arrived else "x".join(map(str, shape))
        for at, shape in enumerate(shapes)
    ]


def _disagreement_back(step: StepBack, batch: int) -> str:
    """Which gradients are not as predicted, in the form of the row."""
    if step.failure:
        return f"its gradients cannot be computed: {step.failure}"
    both = (gradient_texts(shapes, len(step.row.inputs), batch) for shapes in (step.predicted, step.executed))
    pairs = [pair for pair in zip_longest(*both, fillvalue="nothing") if pair[0] != pair[1]]
    predicted, executed = (", ".join(texts) for texts in (zip(*pairs, strict=True) if pairs else ("", "")))
    other = [f"gradients {predicted} predicted, {executed} executed"] if pairs else []
    return "; ".join([*other, *_unequal("MACs", step.macs)])


def _footer_back(back: WayBack) -> Iterator[tuple[str, str]]:
    for loss in back.losses:
        yield "loss", f"{loss.kind} at {loss.output}, {loss.over}: {loss.value:.6g}"
    if not back.steps:
        yield "", "nothing here is learnt: no gradient goes anywhere"
        return
    macs = sum(step.macs.executed for step in back.steps)
    if back.agrees:
        shapes = "the gradient of every input and weight that one goes to has its shape"
        yield "agrees", f"{shapes}; {exact(macs)} MACs, as predicted"
        yield "", "a layer's MACs come twice, by its input and by its weights; once where nothing before it learns"
        if any(step.row.node.share is not None for step in back.steps):
            yield (
                "",
                "the gradient of shared weights is the sum over their uses, and stands at the layer that owns them",
            )
    else:
        yield "disagrees", f"{back.steps[-1].row.name}; the layers before it were not gone through"


def _beside(forward: Table, back: Table) -> Table:
    """Both ways in one table, a row a layer."""
    own = {row.cells[0]: row.cells[1:] for row in back.rows}
    none = (None,) * (len(BACKWARD) - 1)
    rows = tuple(row._replace(cells=(*row.cells, *own.get(row.cells[0], none))) for row in forward.rows)
    return forward._replace(columns=(*COLUMNS, *BACKWARD[1:]), rows=rows, totals=None)


# ---------------------------------------------------------------- JSON


def _json(execution: Execution) -> Iterator[str]:
    """The run as JSON, a line for each layer."""
    forward, request = execution.forward, execution.forward.request
    back = {step.at: _layer_back(step, execution) for step in execution.backward.steps} if execution.backward else {}
    head = {
        "arch": forward.report.graph.name,
        "batch": request.batch,
        "dtype": request.dtype,
        "seed": request.seed,
        "kernels": "reference" if request.reference else "fast",
        "weights": forward.weights,
        "inputs": forward.inputs,
        "agrees": execution.agrees,
        "losses": [_loss(loss) for loss in execution.backward.losses] if execution.backward else None,
        "seconds": execution.seconds,
        "seconds_for_weights": forward.making,
        "fingerprint_places": execution.places,
        "planned_bytes": forward.plan.bytes,
        "planned_at": forward.plan.at,
        "peak_bytes": execution.peak_bytes,
    }
    layers = [
        _layer(step, request.batch) | ({"backward": back.get(step.at)} if execution.backward else {})
        for step in _shown(execution)
    ]
    return _lines_of(head, layers)


def _lines_of(head: dict[str, Any], layers: list[dict[str, Any]]) -> Iterator[str]:
    """An answer with a list of layers, each in a line of its own."""
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode
    yield encode({"archcalc": __version__, "kind": "run", **head})[:-1] + ', "layers": ['
    for at, layer in enumerate(layers):
        yield encode(layer) + ("," if at + 1 < len(layers) else "")
    yield "]}"


def _layer(step: Step, batch: int) -> dict[str, Any]:
    print_ = step.fingerprint
    return {
        "name": step.row.name,
        "type": step.row.node.op.type,
        "predicted": step.predicted[1:],
        "executed": _executed(step.executed, batch),
        "agrees": step.agrees,
        "predicted_values": step.values.predicted,
        "executed_values": step.values.executed,
        "predicted_macs": step.macs.predicted,
        "executed_macs": step.macs.executed,
        "mean": print_.mean if print_ else None,
        "deviation": print_.deviation if print_ else None,
        "fingerprint": print_.text if print_ else None,
        "seconds": step.seconds,
        **({"failure": step.failure} if step.failure else {}),
    }


def _loss(loss: Loss) -> dict[str, Any]:
    return {"output": loss.output, "kind": loss.kind, "over": loss.over, "value": _finite(loss.value)}


def _finite(value: float | None) -> float | None:
    """What JSON can hold: it has neither NaN nor infinities."""
    return value if value is not None and math.isfinite(value) else None


def _executed(shape: Shape, batch: int) -> Shape | None:
    """Height, width, depth, or the whole shape where it is not that of such a batch."""
    return (shape[1:] if len(shape) == 4 and shape[0] == batch else shape) or None


def _layer_back(step: StepBack, execution: Execution) -> dict[str, Any]:
    """The gradients of one layer: their sizes, of inputs without the batch, `null` where none is asked for."""
    arrived, batch, owner = len(step.row.inputs), execution.forward.request.batch, step.row.node.share
    predicted, executed = (
        {"inputs": [shape and _executed(shape, batch) for shape in shapes[:arrived]], "weights": shapes[arrived:]}
        for shapes in (step.predicted, step.executed)
    )
    return {
        "predicted": predicted,
        "executed": executed,
        "agrees": step.agrees,
        "predicted_macs": step.macs.predicted,
        "executed_macs": step.macs.executed,
        "norm": _finite(step.norm),
        "added_to": None if owner is None else execution.forward.report.rows[owner].name,
        "seconds": step.seconds,
        **({"failure": step.failure} if step.failure else {}),
    }
