"""What memory a net takes: at inference the worst moment, in training all that is there at once. A model, in bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

from archcalc.analyses.costs import Report, Row
from archcalc.analyses.liveness import Span, levels, owners, spans
from archcalc.analyses.retention import STAGE, Piece, Segment, retain
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.units import BYTES_PER_VALUE
from archcalc.volume import Dim

OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2, "adamw": 2}  # numbers kept for each parameter
RULES = {
    "pytorch": "what PyTorch 2.13 keeps for the backward pass (on a CPU), each tensor once",
    "lecture": "CS231n: every output and the input of every conv and fc, nothing freed; x2 for the backward pass",
}
HALVES = ("float16", "bfloat16")
OF_INDICES = 8  # int64
LEFT_OUT = (
    "what an allocator rounds up and cannot reuse (fragmentation)",
    "workspaces of cuDNN and other libraries",
    "the framework and the device's context",
    "gradients of activations, where they need more than the way back has freed",
    "Adam's count of steps, 4 bytes a tensor",
)
OF_AUTOCAST = "what autocast widens beside the batch's statistics and losses: powers, other normalizations"


class Plan(NamedTuple):
    """How a net is run: what multiplies, and the switches."""

    batch: int = 1
    dtype: str = "float32"
    optimizer: str = "sgd"
    inplace: bool = True  # ReLU and its kin write over their input where nobody misses it
    checkpoint: str | None = None  # `stage`, or a depth of groups
    mixed: bool = False  # activations in half precision; parameters, gradients and states in float32
    im2col: bool = False  # convolutions as matrix products, one image at a time
    rule: str = "pytorch"

    @property
    def value_type(self) -> str:
        """Type of the activations."""
        return self.dtype if not self.mixed or self.dtype in HALVES else "float16"

    @property
    def value_bytes(self) -> int:
        """Bytes of an activation."""
        return BYTES_PER_VALUE[self.value_type]

    @property
    def param_bytes(self) -> int:
        """Bytes of a parameter, of its gradient, of a number of the optimizer."""
        return BYTES_PER_VALUE["float32" if self.mixed else self.dtype]


class Tensor(NamedTuple):
    """Something that takes memory: which layer made it, what it is, how many bytes."""

    layer: str
    what: str
    bytes: int


class Inference(NamedTuple):
    """Memory at inference. `levels` are the activations that are alive at each layer, in bytes."""

    params: int
    buffers: int
    workspace: int
    levels: tuple[int, ...]
    peak: int
    peak_at: str | None  # the first layer at which so much is alive; None where nothing is ever freed
    alive: tuple[Tensor, ...]  # at the peak; adds up to it

    @property
    def total(self) -> int:
        """All of it."""
        return sum(part for _, part in self.parts())

    def parts(self) -> tuple[tuple[str, int], ...]:
        """What there is, by name; adds up to the total."""
        return (
            ("parameters", self.params),
            ("buffers", self.buffers),
            ("activations", self.peak),
            ("workspace", self.workspace),
        )


class Training(NamedTuple):
    """Memory of a step of training."""

    params: int
    gradients: int
    optimizer: int
    buffers: int
    copies: int  # of the weights in half precision, with mixed precision
    kept: tuple[tuple[Tensor, ...], ...]  # for each layer what it is the first to keep
    again: tuple[Tensor, ...]  # what the checkpointed segment makes at the worst moment
    segment: str | None  # … and its name
    saved: int  # for the backward pass, at the worst moment
    workspace: int

    @property
    def total(self) -> int:
        """All of it."""
        return sum(part for _, part in self.parts())

    def parts(self) -> tuple[tuple[str, int], ...]:
        """What there is, by name; adds up to the total."""
        return (
            ("parameters", self.params),
            ("gradients", self.gradients),
            ("optimizer", self.optimizer),
            ("buffers", self.buffers),
            ("copies of weights", self.copies),
            ("saved activations", self.saved),
            ("workspace", self.workspace),
        )


class Ledger(NamedTuple):
    """The memory of a net under a plan; no training of whole numbers."""

    report: Report
    plan: Plan
    inference: Inference
    training: Training | None

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the model does not know of."""
        return (*LEFT_OUT, OF_AUTOCAST) if self.plan.mixed else LEFT_OUT


def account(report: Report, plan: Plan) -> Ledger:
    """The memory of a net under a plan. Raises `SpecError` where a size is a symbol, or a switch is not known.

    Whole numbers are not trained in: there `training` is None.
    """
    check(report, plan)
    whole = plan.dtype == "int8" and not plan.mixed
    return Ledger(report, plan, infer(report, plan), None if whole else train(report, plan))


def check(report: Report, plan: Plan) -> None:
    """Raises `SpecError` for a plan or a net that there is no ledger of."""
    for what, given, known in (("optimizer", plan.optimizer, OPTIMIZERS), ("rule of memory", plan.rule, RULES)):
        if given not in known:
            help = did_you_mean(given, known) or f"there are {', '.join(f'`{each}`' for each in known)}"
            raise SpecError([Fault(f"unknown {what} {quoted(given)}", help=help)])
    depth = plan.checkpoint
    if depth not in (None, STAGE) and not (depth.isascii() and depth.isdigit() and 0 < len(depth) < 4 and int(depth)):
        help = f"`{STAGE}` for neighbours of one height and width, or a depth of groups: 1, 2, …"
        raise SpecError([Fault(f"cannot checkpoint by {quoted(depth)}", help=help)])
    for row in report.rows:
        if not all(isinstance(n, int) for volume in (*row.inputs, row.output) for n in volume):
            message = f"`{row.name}` has sizes in symbols: memory is added up in numbers"
            raise SpecError([Fault(message, row.node.span, help="give every `input` in numbers")])


def _whole(value: Dim) -> int:
    assert isinstance(value, int)
    return value


def _workspace(report: Report, plan: Plan) -> int:
    """The largest matrix that im2col makes of one image: all layers share the room."""
    if not plan.im2col:
        return 0
    sizes = (_whole(row.node.op.columns(row.output, *row.inputs)) for row in report.rows)
    return max(sizes, default=0) * plan.value_bytes


# ---------------------------------------------------------------- inference


def infer(report: Report, plan: Plan) -> Inference:
    """The peak: the layer at which most bytes are alive, layers run in the order of the text.

    A tensor is alive from the layer that makes it to the last that reads it; at a layer its inputs and its output are
    alive together. Images are there from the beginning, outputs of the net to the end.
    """
    totals = report.total()
    params, buffers = _whole(totals.params) * plan.param_bytes, _whole(totals.buffers) * plan.param_bytes
    workspace, each = _workspace(report, plan), plan.batch * plan.value_bytes
    if plan.rule == "lecture":
        everything = _whole(totals.with_inputs) * each
        alive = tuple(_lecture(report, each))
        sums = tuple(accumulate(sum(tensor.bytes for tensor in _lecture_row(row, each)) for row in report.rows))
        return Inference(params, buffers, workspace, sums, everything, None, alive)
    owner = owners(
        report.graph,
        views=lambda node: node.op.views(training=False),
        overwrites=lambda node: plan.inplace and node.op.inplace,
    )
    lives = spans(report.graph, owner)
    sums = tuple(levels(lives, lambda own: _whole(report.rows[own].output.values) * each, len(report.rows)))
    peak = max(sums)
    at = sums.index(peak)
    alive = tuple(_alive(report.rows, lives, at, each))
    return Inference(params, buffers, workspace, sums, peak, report.rows[at].name, alive)


def _alive(rows: tuple[Row, ...], lives: Iterable[Span], at: int, each: int) -> Iterator[Tensor]:
    for span in lives:
        if span.start <= at <= span.end:
            yield Tensor(rows[span.owner].name, "output", _whole(rows[span.owner].output.values) * each)


def _lecture(report: Report, each: int) -> Iterator[Tensor]:
    for row in report.rows:
        yield from _lecture_row(row, each)


def _lecture_row(row: Row, each: int) -> Iterator[Tensor]:
    """What the lecture counts of a layer: its output, and its input once more where it multiplies and adds."""
    for what, values in (("output", row.cost.activations), ("input", row.cost.rereads)):
        if values != 0:
            yield Tensor(row.name, what, _whole(values) * each)


# ---------------------------------------------------------------- training


def train(report: Report, plan: Plan) -> Training:
    """A step of training: as many parameters, gradients and numbers of the optimizer as the net learns.

    See `retain` for what is saved for the backward pass.
    """
    totals = report.total()
    params = _whole(totals.params) * plan.param_bytes
    copies = (
        sum(_whole(row.cost.weights) for row in report.rows if row.macs != 0) * plan.value_bytes if plan.mixed else 0
    )
    kept, again, segment, saved = _lecture_saved(report, plan) if plan.rule == "lecture" else _saved(report, plan)
    return Training(
        params=params,
        gradients=params,
        optimizer=params * OPTIMIZERS[plan.optimizer],
        buffers=_whole(totals.buffers) * plan.param_bytes,
        copies=copies,
        kept=kept,
        again=again,
        segment=segment,
        saved=saved,
        workspace=_workspace(report, plan),
    )


_Saved = tuple[tuple[tuple[Tensor, ...], ...], tuple[Tensor, ...], "str | None", int]


def _lecture_saved(report: Report, plan: Plan) -> _Saved:
    """Each tensor, and once more for its gradient."""
    each = plan.batch * plan.value_bytes
    kept = tuple(
        tuple(
            Tensor(tensor.layer, what, tensor.bytes)
            for tensor in _lecture_row(row, each)
            for what in (tensor.what, f"gradient of {tensor.what}")
        )
        for row in report.rows
    )
    return kept, (), None, sum(tensor.bytes for tensors in kept for tensor in tensors)


def _saved(report: Report, plan: Plan) -> _Saved:
    """What is kept, and at the worst moment: after the forward pass, or when a segment has been run again."""
    retention = retain(report, plan.inplace, plan.checkpoint)
    before, kept = (
        _by_layer(pieces, report, plan) for pieces in (retention.pieces, (*retention.pieces, *retention.losses))
    )
    upto = tuple(accumulate(sum(tensor.bytes for tensor in tensors) for tensors in before))
    saved, worst = sum(tensor.bytes for tensors in kept for tensor in tensors), None
    for segment in retention.segments:
        needed = upto[segment.last] + sum(_tensor(piece, report, plan).bytes for piece in segment.pieces)
        if needed > saved:
            saved, worst = needed, segment
    if worst is None:
        return kept, (), None, saved
    left = tuple(() if at > worst.last else tensors for at, tensors in enumerate(before))
    return left, _made_again(worst, report, plan), worst.name, saved


def _by_layer(pieces: Iterable[Piece], report: Report, plan: Plan) -> tuple[tuple[Tensor, ...], ...]:
    """Tensors by the layer that is the first to keep them."""
    found: list[list[Tensor]] = [[] for _ in report.rows]
    for piece in pieces:
        found[piece.by].append(_tensor(piece, report, plan))
    return tuple(map(tuple, found))


def _made_again(segment: Segment, report: Report, plan: Plan) -> tuple[Tensor, ...]:
    return tuple(_tensor(piece, report, plan) for piece in segment.pieces)


def _tensor(piece: Piece, report: Report, plan: Plan) -> Tensor:
    own = piece.own
    size = {"": plan.value_bytes, "params": plan.param_bytes, "int64": OF_INDICES}[own.type]
    images = plan.batch if own.each_image else 1
    return Tensor(report.rows[piece.layer].name, own.name, _whole(own.values) * images * size)
