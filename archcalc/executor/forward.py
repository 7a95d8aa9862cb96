"""A net run on arrays, layer by layer, each beside what the analysis says of it."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from archcalc.analyses.costs import Report, Row
from archcalc.executor import images, planning
from archcalc.executor.base import Array, Kernel, Reference, sizes
from archcalc.executor.definitions import Shape, trace
from archcalc.executor.fingerprints import Fingerprint, fingerprint
from archcalc.executor.kernels import kernel_for
from archcalc.executor.planning import Plan
from archcalc.executor.stored import Writer, refused
from archcalc.executor.weights import Seeded, Weights, ints, make, open_weights, owned, settled
from archcalc.graph import Node, walk
from archcalc.lang.errors import Fault, SpecError
from archcalc.units import BYTES_PER_VALUE

Progress: TypeAlias = Callable[[str, int, int], None]  # what, its number, of how many
# What a rule that is wrong makes NumPy or a kernel say.
MISFITS = (ValueError, IndexError, KeyError, TypeError, AssertionError)


class Request(NamedTuple):
    """How a net is to be run."""

    batch: int = 1
    dtype: str = "float32"  # of `COMPUTED`
    seed: int = 0
    weights: str | None = None  # a file; drawn from the seed without one
    images: tuple[str, ...] = ()  # files, `name=file` where there are several inputs; drawn from the seed without any
    layers: str | None = None  # `conv1..pool2`
    reference: bool = False  # by the definition of each layer, not by a fast kernel
    backward: bool = False
    jacobian: str | None = None  # a layer, which is the last one that is run
    save: str | None = None  # a file for the activations
    save_weights: str | None = None
    answer: str | None = None  # the file that the answer will go to: nothing else may be written there


class Count(NamedTuple):
    """A figure as the analysis has it, and as the run has found it."""

    predicted: int
    executed: int

    @property
    def agrees(self) -> bool:
        """Whether they are the same number."""
        return self.predicted == self.executed


class Step(NamedTuple):
    """One layer that has been run, for the whole batch."""

    at: int  # its place in the graph
    row: Row
    predicted: Shape  # of its output, b, h, w, c, as the analysis says
    executed: Shape  # … and as its definition and its kernel have it
    values: Count  # in the arrays that it owns, against its parameters and buffers
    macs: Count
    fingerprint: Fingerprint | None = None  # None where it disagrees
    seconds: float = 0.0
    failure: str = ""  # what was said where it could not be run at all

    @property
    def agrees(self) -> bool:
        """Whether shape, parameters and multiply-adds are as the analysis says."""
        return self.executed == self.predicted and self.values.agrees and self.macs.agrees


class Forward(NamedTuple):
    """The layers of a net as they have been run, and what is left of it."""

    report: Report
    request: Request
    steps: tuple[Step, ...]
    shown: range  # the layers that were asked for
    weights: str  # where they came from, in words
    inputs: tuple[str, ...]
    plan: Plan
    making: float  # seconds for weights
    outputs: dict[str, Array]  # of the net, by name: b, h, w, c

    @property
    def agrees(self) -> bool:
        """Whether every layer is as the analysis says."""
        return all(step.agrees for step in self.steps)


class Cell:
    """A place for the output of a layer, emptied when that has been used last."""

    def __init__(self) -> None:
        self.content: Array | None = None

    @property
    def array(self) -> Array:
        """What lies there."""
        assert self.content is not None, "a value was let go too soon"
        return self.content


class Run:
    """What the steps of a run share: where values come from, who is done, what is saved."""

    def __init__(self, report: Report, request: Request, progress: Progress) -> None:
        self.report, self.request, self.progress = report, request, progress
        if request.backward and request.layers is not None:
            raise refused("a loss takes the whole net", "leave out `--layers`, or `--backward`")
        if request.jacobian is not None and (request.backward or request.layers is not None):
            raise refused("a Jacobian is of one layer", "leave out `--layers` and `--backward`, or `--jacobian`")
        self.part = planning.select(report.graph, request.layers if request.jacobian is None else request.jacobian)
        self.weights: Weights = Seeded(request.seed)
        self.inputs: dict[str, images.Given] = {}
        self._look_at_files()
        self.kernels: dict[tuple[int, object], Kernel] = {}
        self.lives = planning.live(
            report, self.part, self.kernel_of, keep=request.backward or request.jacobian is not None
        )
        self.plan = self._planned()
        self.cells: list[Cell] = []
        self.steps: list[Step] = []
        self.settled: dict[int, dict[str, Array]] = {}  # by layer: buffers that follow from what arrives
        self.turns = sum(self.part.needed) * (1 + request.backward)
        self.making = 0.0
        self.save: Writer | None = None
        self.save_weights: Writer | None = None

    def _look_at_files(self) -> None:
        """Looks at the files that are given. Raises `SpecError` with all that does not fit in them."""
        faults: list[Fault] = []
        try:
            self.inputs = images.assign(self.request.images, self.report.rows, self.request.batch)
        except SpecError as error:
            faults += error.faults
        try:
            if self.request.weights is not None:
                owners = {self.owner(at) for at, needed in enumerate(self.part.needed) if needed}
                rows = [self.report.rows[at] for at in sorted(owners)]
                self.weights = open_weights(self.request.weights, self.report, rows)
        except SpecError as error:
            faults += error.faults
        if faults:
            raise SpecError(faults)

    def _planned(self) -> Plan:
        """The memory that the run takes. Raises `SpecError` where there is not so much."""
        each = BYTES_PER_VALUE[self.request.dtype]
        sizes = planning.Sizes(self.report, self.part, self.lives, self.kernel_of, self.request.batch, each)
        plans = [planning.plan(sizes), *([planning.plan_back(sizes)] if self.request.backward else [])]
        plan = max(plans, key=lambda plan: plan.bytes)
        what = f"running `{self.report.graph.name}`"
        planning.check(plan, planning.memory_left(), what, self.request.batch, self.request.dtype)
        return plan

    def owner(self, at: int) -> int:
        """The layer whose weights a layer uses: itself, or the one that it shares them with."""
        share = self.report.rows[at].node.share
        return at if share is None else share

    def kernel_of(self, row: Row) -> Kernel:
        """The kernel of a layer; layers alike have one between them."""
        key = (id(row.node.op), row.inputs)
        if key not in self.kernels:
            kernel = Reference if self.request.reference or not row.inputs else kernel_for
            self.kernels[key] = kernel(row.node.op, *row.inputs)
        return self.kernels[key]

    def forward(self) -> Forward:
        """All layers that are needed, one after the other, up to the first that disagrees."""
        with np.errstate(all="ignore"):  # what is not finite is told with the values
            walk(self.report.graph, self._step)
        outputs = {name: self.cells[at].content for name, at in self.report.graph.outputs}
        return Forward(
            self.report,
            self.request,
            tuple(self.steps),
            self.part.shown,
            self.weights.told(),
            tuple(each.told(self.request.batch, self.request.seed) for each in self.inputs.values()),
            self.plan,
            self.making,
            {name: array for name, array in outputs.items() if array is not None},
        )

    def _step(self, node: Node, x: list[Cell]) -> Cell:
        """One layer: run, if it is needed and all before it agree; and what is not needed any more let go."""
        at, cell = len(self.cells), Cell()
        self.cells.append(cell)
        if self.part.needed[at] and (not self.steps or self.steps[-1].agrees):
            self.progress(node.name, len(self.steps), self.turns)
            step = self._layer(at, cell, x) if x else self._input(at, cell)
            if step.agrees:
                step = step._replace(fingerprint=fingerprint(cell.array))
                if self.save:
                    self.save.add(node.name, cell.array)
            self.steps.append(step)
            for before in (*node.inputs, at):
                if self.lives.last_use[before] <= at:
                    self.cells[before].content = None
        return cell

    def _input(self, at: int, cell: Cell) -> Step:
        """What goes into the net."""
        row, request = self.report.rows[at], self.request
        cell.content = images.read(self.inputs[row.name], request.batch, request.dtype, request.seed)
        return Step(at, row, self._predicted(row), cell.content.shape, Count(0, 0), Count(0, 0))

    def _predicted(self, row: Row) -> Shape:
        return (self.request.batch, *sizes(row.output))

    def _layer(self, at: int, cell: Cell, x: list[Cell]) -> Step:
        """One layer: its definition taken through the sizes of what arrives, then its kernel through the values."""
        row = self.report.rows[at]
        weights = self.weights_of(at)
        shapes = {name: array.shape for name, array in weights.items()}
        own = {} if row.node.share is not None else weights
        if self.save_weights:
            for name, array in own.items():
                self.save_weights.add(f"{row.name}.{name}", array)
        params, buffers, macs = ints((row.params, row.cost.buffers, row.macs))
        values = Count(params + buffers, sum(array.size for array in own.values()))
        step = Step(at, row, self._predicted(row), (), values, Count(macs * self.request.batch, 0))
        del own
        try:
            traced = trace(row.node.op, shapes, *(each.array.shape for each in x))
            step = step._replace(executed=traced.shape, macs=step.macs._replace(executed=traced.macs))
            if step.agrees:
                ready = self._prepared(row, weights)
                del weights  # a large layer's are not to be there twice
                seconds = self._compute(at, cell, ready, [each.array for each in x])
                step = step._replace(executed=cell.array.shape, seconds=seconds)
        except MISFITS as error:
            step = step._replace(executed=(), failure=" ".join(str(error).split()) or type(error).__name__)
        return step

    def weights_of(self, at: int) -> dict[str, Array]:
        """The arrays that a layer uses, made or read now."""
        started = perf_counter()
        owner = self.report.rows[self.owner(at)]
        weights = make(owned(owner), self.weights, self.request.dtype)
        if isinstance(self.weights, Seeded):
            if self.owner(at) not in self.settled:
                arrives = self.cells[self.report.rows[at].node.inputs[0]].array
                self.settled[self.owner(at)] = settled(owner.node.op, weights, arrives)
            weights |= self.settled[self.owner(at)]
        self.making += perf_counter() - started
        return weights

    def _prepared(self, row: Row, weights: dict[str, Array]) -> Any:
        started = perf_counter()
        ready = self.kernel_of(row).prepare(weights)
        self.making += perf_counter() - started
        return ready

    def _compute(self, at: int, cell: Cell, ready: Any, x: list[Array]) -> float:
        """Puts the output of a layer into its cell; gives the seconds that its kernel took."""
        row = self.report.rows[at]
        into = self.lives.overwrites(at) and not planning.moves_nothing(row)
        started = perf_counter()
        y = self.kernel_of(row)(ready, *x, out=x[0] if into else None)
        seconds = perf_counter() - started
        if not self.lives.overwrites(at) and any(np.may_share_memory(y, each) for each in x):
            y = y.copy()  # what arrives may be written over when this is still asked for
        assert y.dtype == self.request.dtype
        cell.content = y
        return seconds
