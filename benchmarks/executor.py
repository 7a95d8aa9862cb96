"""How fast nets of the zoo run: archcalc's NumPy kernels beside PyTorch eager. Prints a section of BENCHMARKS.md.

    python3 -m venv /tmp/bv && /tmp/bv/bin/pip install . torch==2.13.0
    /tmp/bv/bin/python benchmarks/executor.py >> BENCHMARKS.md

The PyTorch net is built module by module from the very same graph and has the very same weights: before anything is
timed, both outputs are compared. Then the two take turns on one image, weights ready, in float32, each with all the
cores that the process may use. Whole processes take turns as in startup.py: `archcalc run vgg16` and a script that
imports torch, builds VGG-16 as torch does and runs it once. Exits with 1 if a requirement is not met.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from startup import MB, PEAK_UNIT, Command, Requirement, Runs, machine, peak_of, seconds_of, table, take_turns, verdicts
from torch import nn

from archcalc.executor.base import Kernel
from archcalc.executor.kernels import kernel_for
from archcalc.executor.threads import WORKERS
from archcalc.graph import Graph, Node, walk
from archcalc.library import load
from archcalc.volume import Volume

NETS = {"vgg16": 1.3, "resnet50": 2.0, "mobilenet_v1": 3.0}  # the most that it may take, PyTorch = 1
NEAR = 1e-4  # of the largest output: both nets round, in another order
PAUSE = 0.1  # seconds between two turns: in less, the threads of the one before would still wait for work, awake

Arrays = dict[str, Any]


class Step(NamedTuple):
    """A layer ready to run: where its inputs lie, which of them die with it, whether it may write over the first."""

    kernel: Kernel
    ready: Any
    inputs: tuple[int, ...]
    dead: tuple[int, ...]
    in_place: bool


class Forward(NamedTuple):
    """A net in archcalc: its layers with their weights."""

    steps: tuple[Step, ...]

    def __call__(self, image: Any) -> Any:
        """The output; what no later layer needs is freed, as `archcalc run` frees it."""
        values: list[Any] = [image]
        for kernel, ready, inputs, dead, in_place in self.steps:
            xs = [values[at] for at in inputs]
            values.append(kernel(ready, *xs, out=xs[0]) if in_place else kernel(ready, *xs))
            for at in dead:
                values[at] = None
        return values[-1]


def drawn(graph: Graph, volumes: list[Volume]) -> list[Arrays]:
    """Weights of each layer: those of products with the variance of He et al. 2015, the others near 1 or 0."""
    random = np.random.default_rng(0)
    found = []
    for node in graph.nodes:
        arrays = {}
        for name, shape in node.op.weights(*(volumes[at] for at in node.inputs)).items():
            size = tuple(map(int, shape))  # type: ignore[arg-type]  # numbers
            noise = 2 * random.random(size, np.float32) - 1
            if name == "w":
                connections = size[0] * size[1] * (size[2] if len(size) > 2 and node.op.type == "conv" else 1)
                noise *= sqrt(6 / (connections if len(size) > 2 else size[0]))
            arrays[name] = noise if name == "w" else noise / 10 + (name in ("scale", "variance"))
        found.append(arrays)
    return found


def ours(graph: Graph, volumes: list[Volume], weights: list[Arrays]) -> Forward:
    """The net in archcalc, one image."""
    last = {at: user for user, node in enumerate(graph.nodes) for at in node.inputs}
    steps = []
    for user, node in enumerate(graph.nodes[1:], 1):
        kernel = kernel_for(node.op, *(volumes[at] for at in node.inputs))
        dead = tuple(at for at in set(node.inputs) if last[at] == user)
        in_place = kernel.may_overwrite_input and node.inputs[0] in dead and node.inputs[0] > 0
        steps.append(Step(kernel, kernel.prepare(weights[user]), node.inputs, dead, in_place))
    return Forward(tuple(steps))


class Theirs(nn.Module):  # type: ignore[misc]
    """The net in PyTorch: a module a layer, in the order of the graph."""

    def __init__(self, graph: Graph, volumes: list[Volume], weights: list[Arrays]) -> None:
        super().__init__()
        self.graph = graph
        layers = zip(graph.nodes, weights, strict=True)
        self.layers = nn.ModuleList(module(node, volumes[node.inputs[0]], w) for node, w in layers if node.inputs)

    def forward(self, image: Any) -> Any:
        """The output."""
        last = {at: user for user, node in enumerate(self.graph.nodes) for at in node.inputs}
        values: list[Any] = [image]
        for user, (node, layer) in enumerate(zip(self.graph.nodes[1:], self.layers, strict=True), 1):
            values.append(layer(*(values[at] for at in node.inputs)))
            for at in node.inputs:
                values[at] = None if last[at] == user else values[at]
        return values[-1]


class Sum(nn.Module):  # type: ignore[misc]
    """The residual connection."""

    def forward(self, *xs: Any) -> Any:
        """Their sum."""
        return sum(xs[1:], xs[0])


def module(node: Node, x: Volume, w: Arrays) -> Any:
    """A layer in PyTorch, with its weights."""
    op: Any = node.op
    depth = int(x.c)  # type: ignore[arg-type]  # a number
    if op.type in ("conv", "dwconv"):
        groups = depth if op.type == "dwconv" else op.groups
        (top, _), (left, _) = op.sides(x)
        count = w["w"].shape[3] * (depth if op.type == "dwconv" else 1)
        layer: Any = nn.Conv2d(depth, count, op.kernel, op.stride, (top, left), op.spread, groups, op.bias)
        order = w["w"].transpose(2, 3, 0, 1) if op.type == "dwconv" else w["w"].transpose(3, 2, 0, 1)
        return given(layer, weight=order.reshape(layer.weight.shape), bias=w.get("b"))
    if op.type == "fc":
        layer = nn.Linear(w["w"].shape[0], op.outputs, op.bias)
        order = w["w"].reshape(*x, -1).transpose(3, 2, 0, 1).reshape(op.outputs, -1)  # torch flattens c, h, w
        return nn.Sequential(nn.Flatten(), given(layer, weight=order, bias=w.get("b")))
    if op.type == "bn":
        layer = nn.BatchNorm2d(depth, op.epsilon)
        return given(layer, weight=w["scale"], bias=w["shift"], running_mean=w["mean"], running_var=w["variance"])
    return {
        "relu": nn.ReLU,
        "dropout": nn.Dropout,
        "softmax": lambda: nn.Softmax(dim=1),
        "add": Sum,
        "gap": lambda: nn.AdaptiveAvgPool2d(1),
        "maxpool": lambda: nn.MaxPool2d(op.kernel, op.step, op.sides(x)[0][0], ceil_mode=op.ceil),
        "id": nn.Identity,
    }[op.type]()


def given(layer: Any, **arrays: Any) -> Any:
    """A module with these numbers."""
    for name, array in arrays.items():
        if array is not None:
            with torch.no_grad():
                getattr(layer, name).copy_(torch.from_numpy(np.ascontiguousarray(array)))
    return layer


class Pair(NamedTuple):
    """A net in both, with an image for each."""

    ours: Callable[[], Any]
    theirs: Callable[[], Any]


def pair(name: str) -> Pair:
    """A net of the zoo in archcalc and in PyTorch. Raises `SystemExit` where they do not agree."""
    graph = load(name).build().graph
    volumes: list[Volume] = walk(graph, lambda node, xs: node.op.out(*xs))
    weights = drawn(graph, volumes)
    image = np.random.default_rng(1).normal(size=(1, *volumes[0])).astype(np.float32)
    forward, net = ours(graph, volumes, weights), Theirs(graph, volumes, weights).eval()
    tensor = torch.from_numpy(image).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        found, right = forward(image).reshape(-1), net(tensor).reshape(-1).numpy()
    off = float(np.abs(found - right).max() / np.abs(right).max())
    print(f"{name}: off by {off:.1e}", file=sys.stderr)
    if not off <= NEAR:
        raise SystemExit(f"{name}: archcalc and PyTorch disagree by {off}")
    return Pair(lambda: forward(image), lambda: net(tensor))


class Times(NamedTuple):
    """Seconds of each round."""

    ours: list[float]
    theirs: list[float]

    @property
    def ratio(self) -> float:
        """The quickest to the quickest: what the machine does besides falls out."""
        return min(self.ours) / min(self.theirs)

    @property
    def median_ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)


def timed(call: Callable[[], Any]) -> float:
    time.sleep(PAUSE)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def take_rounds(name: str, rounds: int) -> Times:
    """Both in turn, after two rounds that are not counted."""
    both, times = pair(name), Times([], [])
    with torch.no_grad():
        for number in range(-2, rounds):
            found = timed(both.ours), timed(both.theirs)
            if number >= 0:
                times.ours.append(found[0])
                times.theirs.append(found[1])
    return times


def forward_table(found: dict[str, Times]) -> str:
    lines = [
        "| forward | archcalc, quickest, ms | median | PyTorch, quickest, ms | median | of quickest | of medians |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, times in found.items():
        cells = [f"{1000 * each:,.1f}" for side in times for each in (min(side), statistics.median(side))]
        lines.append(f"| `{name}` | {' | '.join(cells)} | {times.ratio:.2f} | {times.median_ratio:.2f} |")
    return "\n".join(lines)


def processes(python: str, rounds: int) -> Runs:
    """Whole processes: VGG-16 in a script, and `archcalc run vgg16` of the archcalc that a Python has."""
    archcalc = str(Path(python).parent / "archcalc")
    script = str(Path(__file__).with_name("vgg16_forward.py"))
    return take_turns(
        [
            Command("VGG-16 in a PyTorch script", (sys.executable, script)),
            Command("`archcalc run vgg16`", (archcalc, "run", "vgg16")),
        ],
        rounds,
    )


def requirements(found: dict[str, Times], runs: Runs) -> list[Requirement]:
    wanted = [Requirement(f"`{name}`, to PyTorch", times.ratio, NETS[name], "times") for name, times in found.items()]
    script, run = runs.values()
    wanted.append(Requirement("`archcalc run vgg16` to the script", seconds_of(run) / seconds_of(script), 1, "times"))
    wanted.append(Requirement("`archcalc run vgg16`, peak memory", peak_of(run) / MB, 700, "MB"))
    return wanted


def section(arguments: argparse.Namespace) -> tuple[str, bool]:
    """The section, and whether all requirements are met."""
    load_before, own = os.getloadavg()[0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT / MB
    runs = processes(arguments.python, arguments.processes)
    found = {name: take_rounds(name, arguments.rounds) for name in NETS}
    wanted = requirements(found, runs)
    facts = (
        f"- date: {time.strftime('%Y-%m-%d')}",
        f"- machine: {machine()}; load {load_before:.1f} at the start",
        f"- threads: {WORKERS} of archcalc, {torch.get_num_threads()} of PyTorch",
        f"- versions: Python {sys.version.split()[0]}, numpy {np.__version__}, torch {torch.__version__}",
        f"- rounds: {arguments.rounds} for the nets, {arguments.processes} for processes",
        f"- peaks below {own:.0f} MB, that of the measuring process, would not show",
    )
    parts = [HEAD, verdicts(wanted), FORWARD, forward_table(found), PROCESSES, table("whole process", runs, "s")]
    return "\n\n".join([*parts, METHOD, "\n".join(facts)]), all(each.met for each in wanted)


HEAD = """## Running nets

Written by [benchmarks/executor.py](benchmarks/executor.py)."""

FORWARD = """One image of 224x224 in float32, weights ready: archcalc's kernels in NumPy, and PyTorch eager with a
module a layer. The two are built from one graph with one set of weights, agree, and take turns. Last, the ratios."""

PROCESSES = """Whole processes, each started anew: the script imports torch, builds VGG-16 with torch's own random
weights, and runs it once; `archcalc run` draws its weights, runs, and checks each layer against the analysis."""

METHOD = """```sh
python3 -m venv /tmp/bv && /tmp/bv/bin/pip install . torch==2.13.0
/tmp/bv/bin/python benchmarks/executor.py >> BENCHMARKS.md
```"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="the Python whose `archcalc run` is measured")
    parser.add_argument("--rounds", type=int, default=30, help="how often each net is run")
    parser.add_argument("--processes", type=int, default=5, help="how often each process is started")
    text, met = section(parser.parse_args())
    print(text)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
