"""What a run takes before it starts: which layers, in whose memory, how many bytes at most."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from archcalc.analyses.costs import Report, Row
from archcalc.executor.base import Kernel, Reference, sizes
from archcalc.executor.stored import refused
from archcalc.executor.weights import ints
from archcalc.graph import Graph
from archcalc.lang.errors import did_you_mean, quoted
from archcalc.units import binary

# Scratch memory of a layer's own definition, in values: so many times what arrives and what leaves, and so many times
# the operations beside multiply-adds, each of which may have an array of its own. Measured on all layer types.
MOVED = (1, 0)  # where nothing is computed
SCRATCH = (3, 1)
SCRATCH_BACK = (5, 3)


class Part(NamedTuple):
    """The layers that are asked for, and those that have to be run for them."""

    first: int
    last: int
    needed: tuple[bool, ...]

    @property
    def shown(self) -> range:
        """The layers that are asked for."""
        return range(self.first, self.last + 1)


def select(graph: Graph, layers: str | None) -> Part:
    """The layers that `conv1..pool2` names, groups among them; all where nothing is named. Raises `SpecError`."""
    first, last = 0, len(graph.nodes) - 1
    if layers is not None:
        start, dots, end = layers.partition("..")
        first = _first(graph, start.strip()) if start.strip() else 0
        last = _last(graph, end.strip() if dots else start.strip()) if end.strip() or not dots else last
        if first > last:
            raise refused(f"{quoted(layers)} is empty: {quoted(start)} comes behind {quoted(end)}")
    needed = [first <= at <= last for at in range(len(graph.nodes))]
    for at in range(last, -1, -1):
        for before in graph.nodes[at].inputs if needed[at] else ():
            needed[before] = True
    return Part(first, last, tuple(needed))


def _last(graph: Graph, name: str) -> int:
    """The layer of a name, or the last one of a group."""
    at = graph.volumes.get(name, -1)
    if at < 0:
        raise refused(f"there is no layer {quoted(name)} in {quoted(graph.name)}", did_you_mean(name, graph.volumes))
    return at


def _first(graph: Graph, name: str) -> int:
    last = _last(graph, name)
    path = tuple(name.split("."))
    inside = (at for at in range(last) if graph.nodes[at].group[: len(path)] == path)
    return last if graph.nodes[last].name == name else next(inside, last)


# ---------------------------------------------------------------- whose memory


class Lives(NamedTuple):
    """How long each value is kept, and in whose memory it lies."""

    last_use: tuple[int, ...]  # the node after which a value is let go
    roots: tuple[int, ...]  # the node whose output's memory a value lies in: its own, or one that it writes over

    def overwrites(self, at: int) -> bool:
        """Whether a layer's output lies in the memory of what arrives."""
        return self.roots[at] != at

    def ends(self) -> dict[int, int]:
        """For each root the node after which its memory is free."""
        found: dict[int, int] = {}
        for root, last in zip(self.roots, self.last_use, strict=True):
            found[root] = max(found.get(root, 0), last)
        return found


def live(report: Report, part: Part, kernel_of: Callable[[Row], Kernel], keep: bool = False) -> Lives:
    """When values are let go: behind the last layer that asks for them; outputs of the net never, nor any if `keep`.

    A layer whose kernel may do so writes over its first input where nobody asks for that any more, by any name.
    """
    end = len(report.rows)
    last_use = [end if keep else at for at in range(end)]
    for row, at in zip(report.rows, range(end), strict=True):
        for before in row.node.inputs if part.needed[at] else ():
            last_use[before] = max(last_use[before], at)
    for _, at in report.graph.outputs:
        last_use[at] = end
    roots: list[int] = []
    asked: list[int] = []  # for each root the last use of any value in its memory so far
    for at, row in enumerate(report.rows):
        root = at
        if row.inputs and part.needed[at]:
            first, *others = (roots[before] for before in row.node.inputs)
            free = asked[first] <= at and first not in others and row.output == row.inputs[0]
            if moves_nothing(row) or (free and kernel_of(row).may_overwrite_input):
                root = first
        roots.append(root)
        asked.append(0)
        asked[root] = max(asked[root], last_use[at])
    return Lives(tuple(last_use), tuple(roots))


def moves_nothing(row: Row) -> bool:
    """Whether a layer hands on the array that arrives: it works in place, and does nothing."""
    return row.node.op.inplace and row.flops == 0


# ---------------------------------------------------------------- how many bytes


class Plan(NamedTuple):
    """The most bytes that a run holds at a time, and the layer at which it does."""

    bytes: int
    at: str


class Sizes(NamedTuple):
    """What the bytes of a run follow from."""

    report: Report
    part: Part
    lives: Lives
    kernel_of: Callable[[Row], Kernel]
    batch: int
    bytes_per_value: int

    def output(self, at: int) -> int:
        """Bytes of a layer's output."""
        return prod(sizes(self.report.rows[at].output)) * self.batch * self.bytes_per_value

    def weights(self, row: Row) -> int:
        """Bytes of the arrays that a layer works with."""
        return sum(prod(ints(shape)) for shape in row.node.op.weights(*row.inputs).values()) * self.bytes_per_value

    def scratch(self, row: Row) -> int:
        """Bytes that a layer takes beside its inputs, weights and output."""
        kernel = self.kernel_of(row)
        if not isinstance(kernel, Reference):
            return kernel.workspace(self.batch, self.bytes_per_value)
        if moves_nothing(row):
            return 0
        return self.of_definition(row, *(SCRATCH if row.flops else MOVED))

    def of_definition(self, row: Row, around: int, other: int) -> int:
        """Bytes of scratch memory of a layer's own definition."""
        values = around * sum(prod(sizes(volume)) for volume in (*row.inputs, row.output))
        flops, macs = ints((row.flops, row.macs))
        return (values + other * (flops - 2 * macs)) * self.batch * self.bytes_per_value


def plan(run: Sizes) -> Plan:
    """The memory of the forward pass: live values, and of one layer at a time its weights and scratch memory."""
    ends = run.lives.ends()
    held, most = 0, Plan(0, run.report.rows[0].name)
    for at, row in enumerate(run.report.rows):
        if not run.part.needed[at]:
            continue
        own = 0 if run.lives.overwrites(at) else run.output(at)
        beside = _beside(run, row, own) if row.inputs else own
        most = max(most, Plan(held + beside, row.name), key=lambda plan: plan.bytes)
        held += own
        roots = {run.lives.roots[each] for each in (*row.node.inputs, at)}
        held -= sum(run.output(root) for root in roots if ends[root] == at)
    return most


def _beside(run: Sizes, row: Row, own: int) -> int:
    """Bytes beside live values: while a kernel brings weights into its own order, and while it works with them."""
    weights, ready = run.weights(row), run.kernel_of(row).ready(run.bytes_per_value)
    return max(weights + ready, (ready or weights) + own + run.scratch(row))


def plan_back(run: Sizes) -> Plan:
    """The memory of the way back, on which values are let go as the layers that took them in have had their turn."""
    rows = run.report.rows
    values = {root: run.output(root) for root in set(run.lives.roots)}
    gradients = {at: run.output(at) for _, at in run.report.graph.outputs}
    held, most = sum(values.values()), Plan(0, rows[-1].name)
    shared: dict[int, int] = {}  # gradients of weights by the uses so far, for the layer that owns these
    for at in range(len(rows) - 1, -1, -1):
        row = rows[at]
        if row.inputs and at in gradients:
            made = {before: run.output(before) for before in row.node.inputs}
            summed = sum(size for before, size in made.items() if before in gradients)
            beside = 2 * run.weights(row) + sum(made.values()) + summed + run.of_definition(row, *SCRATCH_BACK)
            owner = at if row.node.share is None else row.node.share
            beside += shared.get(owner, 0)  # the sum; its parts are there too
            waiting = sum(gradients.values()) + sum(shared.values())
            most = max(most, Plan(held + waiting + beside, row.name), key=lambda plan: plan.bytes)
            gradients |= made
            shared |= {} if owner == at else {owner: run.weights(row)}
        shared.pop(at, None)
        gradients.pop(at, None)
        held -= values.get(at, 0)
    return most


# ---------------------------------------------------------------- what there is


def memory_left() -> int | None:
    """Bytes that this process may still take: of the machine, of its own limits (`ulimit`), and of its control group.

    A group lies in others, up to the one of the whole container, and the smallest counts. None where the system does
    not say.
    """
    found = (_of_machine(), *_of_process(), *map(_of_group, groups()))
    return min((bytes_ for bytes_ in found if bytes_ is not None), default=None)


LIMITS = (("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData"))  # and what of a process counts against each


def _of_process() -> Iterator[int]:
    """What the limits of this process leave to it, where it has any."""
    try:
        import resource
    except ImportError:
        return
    status = _text("/proc/self/status")
    for limit, use in LIMITS:
        most = resource.getrlimit(getattr(resource, limit))[0]
        had = re.search(rf"^{use}:\s+(\d+) kB", status, re.MULTILINE)
        if most != resource.RLIM_INFINITY and had:
            yield max(0, most - int(had[1]) * 1024)


GROUPS = (  # of processes: where their limit and use stand, by version of the kernel's interface
    ("/sys/fs/cgroup", "memory.max", "memory.current"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
)


def groups() -> Iterator[tuple[str, str, str]]:
    """The control groups that this process lies in: those of `/proc/self/cgroup`, and all around them."""
    for line in ["0::/", "0:memory:/", *_text("/proc/self/cgroup").splitlines()]:
        _, controllers, path = line.split(":", 2)
        for version, kind in enumerate(("", "memory")):
            if kind in controllers.split(","):
                root, *names = GROUPS[version]
                for group in (path, *map(str, PurePosixPath(path).parents)):
                    yield f"{root}{group}".rstrip("/"), names[0], names[1]


def _of_machine() -> int | None:
    found = re.search(r"^MemAvailable: +(\d+) kB", _text("/proc/meminfo"), re.MULTILINE)
    if found:
        return int(found[1]) * 1024
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _of_group(names: tuple[str, str, str]) -> int | None:
    """What a group of processes has left; pages of files that nobody uses just now are not in the way."""
    limit, use, statistics = (_text(f"{names[0]}/{each}").strip() for each in (*names[1:], "memory.stat"))
    idle = re.search(r"^(?:total_)?inactive_file (\d+)", statistics, re.MULTILINE)
    return max(0, int(limit) - int(use) + int(idle[1] if idle else 0)) if limit.isdigit() and use.isdigit() else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except OSError:
        return ""


def check(plan: Plan, left: int | None, what: str, batch: int, dtype: str) -> None:
    """Raises `SpecError` where a run takes more memory than there is."""
    if left is not None and plan.bytes > left:
        message = f"{what} takes {binary(plan.bytes)} of memory, most of it at `{plan.at}`, and {binary(left)} are left"
        smaller = "a smaller `--batch` or `--input` takes less" if batch > 1 else "a smaller `--input` takes less"
        raise refused(message, smaller + (", and so does `--dtype float32`" if dtype != "float32" else ""))


def peak_memory() -> int | None:
    """The most bytes that this process has had in memory so far; None where the system does not say."""
    found = re.search(r"^VmHWM:\s+(\d+) kB", _text("/proc/self/status"), re.MULTILINE)
    if found:  # `getrusage` would tell of the process that started this one, if that was larger
        return int(found[1]) * 1024
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
