"""A net run: the very graph that `table` analyzes, on arrays, beside what the analysis says of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import NamedTuple

from archcalc.analyses.costs import Report
from archcalc.executor.backward import StepBack, WayBack, go_back
from archcalc.executor.base import Array
from archcalc.executor.fingerprints import PLACES
from archcalc.executor.forward import Forward, Progress, Request, Run, Step
from archcalc.executor.jacobians import Jacobian, check_size, jacobian
from archcalc.executor.planning import peak_memory
from archcalc.executor.stored import Writer, refused
from archcalc.lang.errors import Fault, SpecError, quoted


class Execution(NamedTuple):
    """A run, forth and, if that was asked for, back."""

    forward: Forward
    backward: WayBack | None
    jacobian: Jacobian | None  # of the last layer that was run
    seconds: float
    places: int  # that a fingerprint sees
    peak_bytes: int | None  # that the process has had in memory; None where the system does not say

    def __repr__(self) -> str:
        """The run in a line; the arrays and the rows behind it are long."""
        ways = "forth and back" if self.backward else "forth"
        steps: tuple[Step | StepBack, ...] = (*self.layers, *(self.backward.steps if self.backward else ()))
        found = next((f"disagrees at {step.row.name}" for step in steps if not step.agrees), "agrees")
        return f"<run of {self.forward.report.graph.name}, {ways}: {len(self.layers)} layers, {found}>"

    @property
    def layers(self) -> tuple[Step, ...]:
        """The layers that have been run."""
        return self.forward.steps

    @property
    def outputs(self) -> dict[str, Array]:
        """The outputs of the net by name, the main one first: b, h, w, c."""
        return self.forward.outputs

    @property
    def agrees(self) -> bool:
        """Whether every layer is as the analysis says."""
        return self.forward.agrees and (self.backward is None or self.backward.agrees)


def execute(report: Report, request: Request, progress: Progress = lambda *_: None) -> Execution:
    """Runs a net, one layer after the other, and stops at the first that is not as the report says.

    Activations are freed when they have been used last, but for the way back, which takes them all; the weights of a
    layer are made when its turn comes, and dropped. Raises `SpecError` for what does not fit: files, names, memory.
    """
    started = perf_counter()
    _refuse_symbols(report)
    _refuse_one_file_for_two(request)
    with _refusing_memory(), ExitStack() as files:
        run = Run(report, request, progress)
        if request.jacobian is not None:
            check_size(report.rows[run.part.last])
        run.save, run.save_weights = (
            None if path is None else files.enter_context(Writer(path)) for path in (request.save, request.save_weights)
        )
        forward = run.forward()
        for writer in (run.save, run.save_weights):
            if writer:
                writer.whole = forward.agrees
        backward = go_back(run) if request.backward and forward.agrees else None
        matrix = _jacobian(run) if request.jacobian is not None and forward.agrees else None
    return Execution(forward, backward, matrix, perf_counter() - started, PLACES, peak_memory())


def _jacobian(run: Run) -> Jacobian:
    """Of the layer that was asked for."""
    at = run.part.last
    x = [run.cells[before].array for before in run.report.rows[at].node.inputs]
    return jacobian(run.report.rows[at], run.weights_of(at), x, run.cells[at].array)


def _refuse_symbols(report: Report) -> None:
    """Raises `SpecError` for a net that has sizes in symbols."""
    for row in report.rows:
        if not all(isinstance(n, int) for n in (*row.output, row.macs)):
            message = f"`{report.graph.name}` cannot be run: the output of `{row.name}` is {row.output}, in symbols"
            raise SpecError([Fault(message, row.node.span, help="give the input in numbers: `--input 224x224x3`")])


def _refuse_one_file_for_two(request: Request) -> None:
    """Raises `SpecError` where two of the files to be written are one, by whatever names."""
    options = {"--save": request.save, "--save-weights": request.save_weights, "--output": request.answer}
    found: dict[str, str] = {}
    for option, path in options.items():
        if path is not None:
            other = found.setdefault(os.path.normcase(os.path.realpath(path)), option)
            if other != option:
                raise refused(f"`{other}` and `{option}` name the same file, {quoted(path, 200)}", "give each its own")


@contextmanager
def _refusing_memory() -> Iterator[None]:
    """Turns the end of memory into a fault: another process may take what was left when a run was planned."""
    try:
        yield
    except MemoryError as error:
        said = " ".join(str(error).split())
        raise refused("memory has run out" + (f": {said[0].lower()}{said[1:]}" if said else "")) from None
