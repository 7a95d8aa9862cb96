"""`archcalc run`: the work done, beside what the analysis says of it; and what it refuses before it starts."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import struct
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.analyses.costs import Report, measure
from archcalc.analyses.training import backpropagate
from archcalc.cli.entry import group
from archcalc.executor import forward as forth
from archcalc.executor import planning
from archcalc.executor.backward import drawn_labels
from archcalc.executor.base import Kernel
from archcalc.executor.definitions import trace, trace_back
from archcalc.executor.execution import Execution, execute
from archcalc.executor.fingerprints import fingerprint
from archcalc.executor.forward import Request
from archcalc.executor.weights import Seeded, make, owned
from archcalc.lang.errors import SpecError
from archcalc.library import load, zoo
from archcalc.ops import REGISTRY
from archcalc.ops.conv import Conv
from archcalc.ops.dense import FullyConnected
from archcalc.ops.pool import MaxPool
from archcalc.volume import Volume, Work

SMALL = "input 8x8x3; conv 3/1/1 4; relu; pool 2; fc 2"
BRANCHES = "input 6x6x2; a: conv 3/1/1 4; add { bn ; relu | id }; concat { conv 1 3 | pool 3/1/1 }; gap; fc 3; softmax"
SHARED = "input 5x5x2; one: conv 3/1/1 2; relu; conv 3/1/1 2 share=one; fc 3"
TWO = "left: input 4x4x2; right: input 4x4x2; concat left, right; fc 3"
AUXILIARY = "input 8x8x3; a: conv 3/1/1 4; output aux from a { gap ; fc 2 ; softmax }; fc 3"
EXAMPLES = [example for cls in dict.fromkeys(REGISTRY.values()) for example in cls.examples]
WHOLE_ZOO = os.environ.get("ARCHCALC_ZOO") == "all"  # 114 nets, some minutes, up to 14 GB


def report_of(text: str) -> Report:
    built = load(text).build()
    return measure(built.graph, built.assumptions)


def run(text: str, **request: Any) -> Execution:
    return execute(report_of(text), Request(**request))


def invoke(*words: str) -> Result:
    return CliRunner().invoke(group, ["run", *words], standalone_mode=False)


def refusal(text: str, **request: Any) -> str:
    """What a run is refused with."""
    with pytest.raises(SpecError) as error:
        run(text, **request)
    return str(error.value)


def is_small(name: str) -> bool:
    totals = report_of(name).total()
    return totals.macs <= 5 * 10**8 and totals.params <= 5 * 10**6


SMALL_NETS = [name for name in zoo() if is_small(name)]

# ---------------------------------------------------------------- the engine is right


@pytest.mark.parametrize("name", zoo() if WHOLE_ZOO else SMALL_NETS)
def test_every_layer_of_the_zoo_is_as_the_analysis_says(name: str) -> None:
    execution = run(name)
    assert execution.agrees
    assert len(execution.layers) == len(execution.forward.report.rows)
    assert sum(step.values.executed for step in execution.layers) == (
        execution.forward.report.total().params + execution.forward.report.total().buffers
    )
    assert sum(step.macs.executed for step in execution.layers) == execution.forward.report.total().macs
    assert all(step.fingerprint and step.fingerprint.mean is not None for step in execution.layers)


def test_the_quick_part_of_the_zoo_is_large_enough_to_mean_something() -> None:
    assert {"lenet5", "resnet20_cifar", "squeeze_excite", "inception_a", "densenet_bc100_12_cifar"} <= set(SMALL_NETS)
    assert len(SMALL_NETS) > 25


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_layer_type_runs_as_the_analysis_says(example: str) -> None:
    execution = run(example, batch=2, dtype="float64")
    assert execution.agrees
    assert all(step.executed[0] == 2 for step in execution.layers)


def test_multiply_adds_are_counted_on_the_arrays_and_not_by_the_formula() -> None:
    w = {"w": (3, 3, 2, 6), "b": (6,)}
    grouped = Conv((3, 3), (2, 2), ((1, 1), (1, 1)), filters=6, groups=2)
    assert trace(grouped, w, (5, 9, 7, 4)) == ((5, 5, 4, 6), 5 * 5 * 4 * 6 * 3 * 3 * 2)
    assert trace(FullyConnected(10), {"w": (48, 10), "b": (10,)}, (2, 4, 4, 3)) == ((2, 1, 1, 10), 2 * 48 * 10)
    assert trace(MaxPool((3, 3), (2, 2)), {}, (2, 55, 55, 96)) == ((2, 27, 27, 96), 0)
    assert trace_back(grouped, (5, 5, 4, 6), w, (5, 9, 7, 4)) == (10800, 10800)


def test_a_definition_that_is_only_counted_takes_no_memory() -> None:
    tracemalloc.start()
    try:
        for text in ("vgg16", "enet"):
            for row in report_of(text).rows[1:]:
                weights = {name: tuple(shape) for name, shape in row.node.op.weights(*row.inputs).items()}
                trace(row.node.op, weights, *((64, *x) for x in row.inputs))  # type: ignore[arg-type]  # numbers
        assert tracemalloc.get_traced_memory()[1] < 10**7  # a single activation has 822 MB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["lenet5", "squeeze_excite", "resnet20_cifar", "inception_b", BRANCHES, SHARED])
def test_other_types_of_numbers_and_other_kernels_give_the_same_fingerprints(name: str) -> None:
    runs = [
        run(name),
        run(name, dtype="float64"),
        run(name, reference=True),
        run(name, dtype="float64", reference=True),
    ]
    for step, *others in zip(*(each.layers for each in runs), strict=True):
        for other in others:
            assert step.fingerprint.agrees(other.fingerprint), (step.row.name, step.fingerprint, other.fingerprint)


def test_fingerprints_are_those_of_any_machine() -> None:
    # as they were found on x86-64 with NumPy 2.4; another seed is another net
    prints = {step.row.name: step.fingerprint.text for step in run("lenet5").layers}
    found = {name: prints[name] for name in ("input", "C1", "S2", "C3", "F6", "fc1")}
    wanted = {"input": "61b7-4944", "C1": "0c9b-d1a0", "S2": "825d-dd7c", "C3": "5ffe-347d", "F6": "194e-9cf3"}
    wanted["fc1"] = "b4d8-9b62"
    for name, text in wanted.items():
        assert set(found[name].split("-")) & set(text.split("-")), found
    assert run("lenet5", seed=1).layers[-1].fingerprint.text != prints["fc1"]


def test_a_fingerprint_sees_a_difference_of_one_part_in_a_hundred_and_not_one_in_a_million() -> None:
    rng = np.random.default_rng(0)
    half = 0
    for size in (10, 300, 5000, 100_000):
        for _ in range(25):
            values = rng.normal(rng.normal(), 2.0, size)
            noise = rng.normal(0, 2.0, size)
            print_ = fingerprint(values)
            assert print_.agrees(fingerprint(values + 1e-6 * noise))
            assert not print_.agrees(fingerprint(values + 1e-2 * noise))
            half += print_.text != fingerprint(values + 1e-6 * noise).text
    assert half < 10


def test_a_fingerprint_has_mean_and_deviation_and_a_place_for_odd_values() -> None:
    values = np.random.default_rng(1).normal(3, 0.5, (2, 7, 5, 3)).astype(np.float32)
    print_ = fingerprint(values)
    assert print_.mean == pytest.approx(values.mean(dtype=np.float64), rel=1e-12)
    assert print_.deviation == pytest.approx(values.std(dtype=np.float64), rel=1e-9)
    assert fingerprint(np.zeros(5)).text == "0000-0000"
    assert fingerprint(np.full(5, 7.0)).deviation == 0
    assert fingerprint(np.full(5, 7.0)).text != fingerprint(np.full(5, 8.0)).text
    assert fingerprint(np.array([1.0, np.nan])) == fingerprint(np.array([1.0, np.inf])) == (None, None, "not finite")
    assert not fingerprint(values).agrees(fingerprint(values[:, ::-1]))  # the same values elsewhere


def test_values_that_overflow_are_told() -> None:
    layers = "; ".join(["fc 64"] * 400)
    result = invoke(f"input 64; {layers}")
    assert result.exit_code == 0 or "not finite" in result.output  # He's draws keep the scale
    grown = "; add { id | id }" * 130
    result = invoke(f"input 4{grown}", "--format", "table")
    assert re.search(r"not finite +values of add\d+, too large for float32", result.output)
    assert '"mean": null' in invoke(f"input 4{grown}", "--format", "json").output
    assert "not finite" not in invoke(f"input 4{grown}", "--dtype", "float64").output


# ---------------------------------------------------------------- what is drawn


def test_weights_are_drawn_with_a_variance_of_two_by_the_connections_of_an_output() -> None:
    for text, fan_in in (
        ("input 16x16x32; conv 3/1/1 64 groups=2", 9 * 16),  # He et al. 2015: k*k*c of the connections
        ("input 4x4x32; fc 500", 4 * 4 * 32),
        ("input 9x9x300; dwconv 5", 25),
        ("input 16x16x32; deconv 4/2/1 64", 4 * 32),  # a quarter of 4*4 taps meets an output
    ):
        row = report_of(text).rows[1]
        arrays = make(owned(row), Seeded(3), "float64")
        assert arrays["w"].var() == pytest.approx(2 / fan_in, rel=0.05)
        assert abs(arrays["w"]).max() <= math.sqrt(6 / fan_in) * (1 + 1e-7)
        assert (arrays["b"] == 0).all()


def test_what_is_drawn_depends_on_seed_and_name_alone() -> None:
    def weights(text: str, at: int, seed: int = 0, dtype: str = "float32") -> np.ndarray[Any, Any]:
        return make(owned(report_of(text).rows[at]), Seeded(seed), dtype)["w"]

    here = weights("input 8x8x3; x: conv 3 5; fc 2", 1)
    there = weights("input 8x8x3; bn; x: conv 3 5; relu", 2)
    assert (here == there).all()
    assert (here == weights("input 8x8x3; x: conv 3 5", 1, dtype="float64")).all()
    assert (here != weights("input 8x8x3; y: conv 3 5", 1)).all()
    assert (here != weights("input 8x8x3; x: conv 3 5", 1, seed=1)).all()


def test_large_arrays_are_drawn_alike_by_one_thread_and_by_many(monkeypatch: pytest.MonkeyPatch) -> None:
    row = report_of("input 1024; fc 3000").rows[1]
    many = make(owned(row), Seeded(0), "float32")["w"]
    monkeypatch.setattr("archcalc.executor.threads.WORKERS", 1)
    one = make(owned(row), Seeded(0), "float32")["w"]
    assert (many == one).all()
    assert len(np.unique(many[:, 0])) == 1024  # no block is another's copy


def test_a_batch_has_different_images_when_they_are_drawn(tmp_path: Path) -> None:
    save = tmp_path / "all.npz"
    run(SMALL, batch=2, save=str(save))
    with np.load(save) as held:
        assert (held["input"][0] != held["input"][1]).mean() > 0.99
        assert held["input"].std() == pytest.approx(1, abs=0.1)


# ---------------------------------------------------------------- disagreement


class Cropped(Kernel):
    """A kernel that forgets a row."""

    def __call__(self, ready: Any, *xs: Any, out: Any = None) -> Any:
        return np.ascontiguousarray(self.op.run(np, ready, *xs)[:, 1:])


class Broken(Kernel):
    """A kernel that stumbles."""

    def __call__(self, ready: Any, *xs: Any, out: Any = None) -> Any:
        raise ValueError("operands could not be broadcast together")


def with_kernel(kernel: type[Kernel], layer: type) -> Callable[..., Kernel]:
    real = forth.kernel_for

    def choose(op: Any, *x: Volume) -> Kernel:
        return kernel(op, *x) if isinstance(op, layer) else real(op, *x)

    return choose


def test_a_kernel_that_disagrees_is_shown_with_both_shapes_and_the_exit_code_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forth, "kernel_for", with_kernel(Cropped, MaxPool))
    result = invoke(SMALL, "--format", "json")
    answer = json.loads(result.output)
    last = answer["layers"][-1]
    assert (result.return_value, answer["agrees"], last["name"]) == (1, False, "pool1")
    assert (last["predicted"], last["executed"], last["agrees"]) == ([4, 4, 4], [3, 4, 4], False)
    shown = invoke(SMALL)
    assert "└ predicted 4x4x4, executed 3x4x4" in shown.output
    assert re.search(r"disagrees +pool1; 1 layer behind it was not run", shown.output)


def test_a_kernel_that_fails_is_told_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forth, "kernel_for", with_kernel(Broken, MaxPool))
    result = invoke(SMALL)
    assert result.return_value == 1
    assert "predicted 4x4x4, but it cannot be run: operands could not be broadcast together" in result.output


@pytest.mark.parametrize(
    ("rule", "wrong", "told"),
    [
        ("out", lambda op, x: Volume(x.h, x.w, op.filters + 1), "predicted 8x8x5, executed 8x8x4"),
        ("out", lambda op, x: Volume(x.h - 1, x.w, op.filters), "predicted 7x8x4, executed 8x8x4"),
        ("work", lambda op, y, x: Work(macs=y.values * 9), "2,304 MACs predicted, 6,912 executed"),
        ("weights", lambda op, x: {"w": (3, 3, x.c, op.filters), "b": (1,), "extra": (7,)}, None),
        ("weights", lambda op, x: {"w": (3, 3, 1, op.filters), "b": (op.filters,)}, "cannot be run"),
    ],
)
@pytest.mark.parametrize("by", [(), ("--reference",)])
def test_a_wrong_rule_of_a_layer_type_is_found(
    rule: str, wrong: Any, told: str | None, by: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Conv, rule, wrong)
    result = invoke("input 8x8x3; conv 3/1/1 4", *by)
    if told is None:  # arrays that nobody reads are as many values as they are said to be
        assert result.return_value == 0
    else:
        assert result.return_value == 1
        assert told in result.output


def test_a_wrong_count_of_parameters_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc.analyses import costs

    real = costs.size
    monkeypatch.setattr(costs, "size", lambda shape: real(shape) + 1)
    result = invoke("input 8x8x3; conv 3/1/1 4", "--format", "json")
    last = json.loads(result.output)["layers"][-1]
    assert (last["predicted_values"], last["executed_values"], result.return_value) == (114, 112, 1)
    assert last["predicted"] == last["executed"]


# ---------------------------------------------------------------- memory


def traced(text: str, **request: Any) -> tuple[int, int]:
    """The most bytes that a run takes at a time, and those that it plans."""
    report = report_of(text)
    execute(report, Request(**request))  # what is imported and cached is not the run's
    tracemalloc.start()
    try:
        execution = execute(report, Request(**request))
        return tracemalloc.get_traced_memory()[1], execution.forward.plan.bytes
    finally:
        tracemalloc.stop()


OVERHEAD = 2_000_000  # bytes beside the arrays: Python objects, and what each of two threads holds of its last job


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "text", ["squeezenet1_1", "resnet20_cifar", "inception_a", "input 2000; fc 3000; fc 5", BRANCHES, "mobilenet_v1"]
)
def test_a_run_takes_the_memory_that_was_planned(text: str, dtype: str) -> None:
    taken, planned = traced(text, dtype=dtype, batch=2)
    assert taken <= planned + OVERHEAD
    assert taken >= 0.6 * planned - OVERHEAD


@pytest.mark.parametrize("text", ["lenet5", "squeezenet1_1", "input 64x64x16; lrn 5; gelu; ln; conv 3/1/1 8; fc 4"])
def test_a_run_by_definitions_takes_no_more_memory_than_was_planned(text: str) -> None:
    taken, planned = traced(text, reference=True)
    assert taken <= planned + OVERHEAD


@pytest.mark.parametrize(
    "text",
    [
        "lenet5",
        "inception_a",
        "resnet20_cifar",
        "input 64x64x8; conv 3/1/1 8; pool 3/2; fc 4",
        "input 2000; fc 1000; fc 5",
        "input 1000; a: fc 1000; fc 1000 share=a; fc 1000 share=a; fc 5",
    ],
)
def test_the_way_back_takes_no_more_memory_than_was_planned(text: str) -> None:
    taken, planned = traced(text, backward=True)
    assert taken <= planned + OVERHEAD


def test_activations_are_freed_when_they_are_used_last() -> None:
    layer = "conv 1 16; pool 3/1/1; "  # 64x64x16 in float32: 262,144 bytes each
    short, _ = traced(f"input 64x64x16; {4 * layer} gap", batch=4)
    long, planned = traced(f"input 64x64x16; {40 * layer} gap", batch=4)
    assert long < short + OVERHEAD + 2 * 4 * 262_144  # of each thread, the array of its last job
    assert planned < 8 * 4 * 262_144
    kept, _ = traced(f"input 64x64x16; {10 * layer} gap", batch=4, backward=True)
    assert kept > 20 * 4 * 262_144


def test_weights_are_dropped_layer_by_layer() -> None:
    one, _ = traced("input 1000; fc 1000 nobias")
    ten, planned = traced("input 1000; " + "fc 1000 nobias; " * 10 + "relu")
    assert ten < one + OVERHEAD
    assert planned < 1.1 * 4 * 10**6


def test_a_value_that_is_needed_later_is_not_written_over() -> None:
    text = "input 6x6x4; a: conv 1 4; relu; b: relu; add a, b; c: id; add c, a, b; relu"
    for each in (text, BRANCHES, "input 6x6x4; add { id | id | relu }; relu", "input 4x4x2; x: id; y: relu; mul x, y"):
        fast, slow = run(each, dtype="float64"), run(each, dtype="float64", reference=True)
        for a, b in zip(fast.layers, slow.layers, strict=True):
            assert a.fingerprint.agrees(b.fingerprint), (each, a.row.name)


def test_a_run_that_does_not_fit_says_so_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "memory_left", lambda: 300 * 2**20)
    monkeypatch.setattr(forth.Run, "forward", lambda _: pytest.fail("it has started"))
    said = refusal("vgg16")
    taken = r"39\d\.\d MiB"  # fc6's 25,088 x 4,096 weights are 392.0 MiB; a kernel's own memory comes on top
    told = f"error: running `vgg16` takes {taken} of memory, most of it at `fc6`, and 300\\.0 MiB are left"
    assert re.fullmatch(told, said.splitlines()[0])
    said = refusal("vgg16", batch=1000, layers="..conv1_2")
    assert "at `conv1_2`" in said
    assert re.search(r"takes 2\d\.\d GiB", said)  # two of 224*224*64 values for 1000 images are 23.9 GiB
    assert refusal("input 10000000x1000000x3; pool 2")


def test_the_memory_that_is_left_is_that_of_the_machine_or_of_the_container(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/proc/meminfo": "MemTotal: 9 kB\nMemAvailable:    2048 kB\n"}
    monkeypatch.setattr(planning, "_text", lambda path: files.get(path, ""))
    assert planning.memory_left() == 2 * 2**20
    files |= {"/sys/fs/cgroup/memory.max": "1000000\n", "/sys/fs/cgroup/memory.current": "600000\n"}
    files |= {"/sys/fs/cgroup/memory.stat": "anon 5\ninactive_file 100000\n"}
    assert planning.memory_left() == 500_000
    files["/sys/fs/cgroup/memory.max"] = "max\n"
    assert planning.memory_left() == 2 * 2**20
    files |= {"/proc/self/cgroup": "4:cpu,memory:/a/b\n1:name=systemd:/\n0::/c/d\n"}
    files |= {"/sys/fs/cgroup/c/memory.max": "900000\n", "/sys/fs/cgroup/c/memory.current": "100000\n"}
    assert planning.memory_left() == 800_000
    files |= {"/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "700000\n"}
    files |= {"/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes": "50000\n"}
    assert planning.memory_left() == 650_000
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (2**20 if which == resource.RLIMIT_DATA else -1, -1))
    files["/proc/self/status"] = "VmSize:\t 9999 kB\nVmData:\t 1000 kB\n"
    assert planning.memory_left() == 24 * 1024
    files.clear()
    assert (planning.memory_left() or 10**9) > 10**8  # what the machine has, if it says


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a limit may not be kept")
def test_a_limit_of_the_process_is_seen_before_the_run_starts() -> None:
    code = """import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (500_000_000, 500_000_000))
sys.argv = ["archcalc", "run", "vgg16"]
from archcalc.cli import main
main()"""
    one = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=one)
    assert done.returncode == 2
    assert re.match(
        r"error: running `vgg16` takes .* of memory, most of it at .*, and [\d.]+ MiB are left\n", done.stderr
    )


def test_the_help_for_too_little_memory_is_what_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "memory_left", lambda: 100)
    assert refusal(SMALL).endswith("help: a smaller `--input` takes less")
    assert refusal(SMALL, batch=2).endswith("help: a smaller `--batch` or `--input` takes less")
    assert refusal(SMALL, dtype="float64").endswith("takes less, and so does `--dtype float32`")


def test_memory_that_runs_out_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: Any, **__: Any) -> Any:
        raise MemoryError("Unable to allocate 9.00 GiB for an array")

    monkeypatch.setattr(forth, "make", none_left)
    assert refusal(SMALL) == "error: memory has run out: unable to allocate 9.00 GiB for an array"


# ---------------------------------------------------------------- a part of a net, files to save


def test_a_run_stops_early_and_shows_what_was_asked_for() -> None:
    names = [step.row.name for step in run("lenet5", layers="S2..C5").layers]
    assert names == ["input", "C1", "tanh1", "S2", "C3", "tanh2", "S4", "C5"]  # those before are run for them
    answer = json.loads(invoke("lenet5", "--layers", "S2..C5", "--format", "json").output)
    assert [layer["name"] for layer in answer["layers"]] == ["S2", "C3", "tanh2", "S4", "C5"]
    assert "3 layers before these were run for them" in invoke("lenet5", "--layers", "S2..C5").output
    for text, shown in (("..C1", ["input", "C1"]), ("fc1..", ["fc1"]), ("S2", ["S2"])):
        answer = json.loads(invoke("lenet5", "--layers", text, "--format", "json").output)
        assert [layer["name"] for layer in answer["layers"]] == shown


def test_groups_are_layers_too_and_what_does_not_lead_there_is_not_run() -> None:
    steps = run("resnet20_cifar", layers="conv2_x..conv2_x").layers
    assert {step.row.name.split(".")[0] for step in steps[-5:]} == {"conv2_x"}
    names = {
        step.row.name for step in run("x: input 8x8x3; a: conv 1 2; from x; b: conv 1 2; add a, b", layers="b").layers
    }
    assert names == {"x", "b"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("conv9..", "there is no layer `conv9` in `net`\nhelp: did you mean `conv1`?"),
        ("pool1..conv1", "`pool1..conv1` is empty: `pool1` comes behind `conv1`"),
        ("", "there is no layer"),
        ("conv1..relu1..pool1", "there is no layer `relu1..pool1`"),
    ],
)
def test_layers_that_there_are_not_are_told(text: str, told: str) -> None:
    assert told in refusal(SMALL, layers=text)


def test_activations_are_saved_as_they_were_and_weights_as_they_are_read(tmp_path: Path) -> None:
    activations, weights = tmp_path / "a.npz", tmp_path / "w.npz"
    first = run(BRANCHES, save=str(activations), save_weights=str(weights))
    with np.load(activations) as held:
        assert set(held) == {step.row.name for step in first.layers}
        for step in first.layers:
            assert held[step.row.name].shape == step.predicted
            assert fingerprint(held[step.row.name]) == step.fingerprint
        assert (held["relu1"] == np.maximum(held["bn1"], 0)).all()  # not what was written over it later
    again = run(BRANCHES, weights=str(weights), seed=0)
    assert [step.fingerprint for step in again.layers] == [step.fingerprint for step in first.layers]
    with np.load(weights) as held:
        assert held["a.w"].shape == (3, 3, 2, 4)
        assert set(held) == {"a.w", "a.b", "conv1.w", "conv1.b", "fc1.w", "fc1.b"} | {
            f"bn1.{name}" for name in ("scale", "shift", "mean", "variance")
        }


def test_shared_weights_are_drawn_saved_and_counted_once(tmp_path: Path) -> None:
    weights = tmp_path / "w.npz"
    execution = run(SHARED, save_weights=str(weights))
    assert execution.agrees
    with np.load(weights) as held:
        assert set(held) == {"one.w", "one.b", "fc1.w", "fc1.b"}
    assert [step.values.executed for step in execution.layers] == [0, 38, 0, 0, 153]
    again = run(SHARED, weights=str(weights))
    assert again.layers[-1].fingerprint == execution.layers[-1].fingerprint


def test_a_run_that_fails_leaves_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    path.write_text("older")
    monkeypatch.setattr(forth, "fingerprint", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run(SMALL, save=str(path))
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_refused_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forth.Run, "forward", lambda _: pytest.fail("it has started"))
    assert "no such file or directory" in refusal(SMALL, save=str(tmp_path / "none" / "a.npz"))
    assert "its name does not end in `.npz`" in refusal(SMALL, save=str(tmp_path / "a.txt"))
    (tmp_path / "d.npz").mkdir()
    assert "is a directory" in refusal(SMALL, save_weights=str(tmp_path / "d.npz"))
    assert [path.name for path in tmp_path.iterdir()] == ["d.npz"]


@pytest.mark.parametrize("names", [("x.npz", "x.npz"), ("x.npz", "./x.npz"), ("x.npz", "none/../x.npz")])
def test_two_files_that_are_one_are_refused(
    names: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(forth.Run, "forward", lambda _: pytest.fail("it has started"))
    for options, words in (
        (("--save", "--save-weights"), ("--save", names[0], "--save-weights", names[1])),
        (("--save", "--output"), ("--save", names[0], "-o", names[1])),
        (("--save-weights", "--output"), ("--save-weights", names[0], "-o", names[1])),
    ):
        error = invoke(SMALL, *words).exception
        assert isinstance(error, SpecError)  # exit code 2
        assert f"`{options[0]}` and `{options[1]}` name the same file, `{names[1]}`" in str(error)
    assert not list(tmp_path.iterdir())


def test_a_run_that_disagrees_leaves_the_files_that_were_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths = [Path("a.npz"), Path("w.npz")]
    for path in paths:
        path.write_text("older")
    monkeypatch.setattr(forth, "kernel_for", with_kernel(Cropped, MaxPool))
    result = invoke(SMALL, "--save", str(paths[0]), "--save-weights", str(paths[1]))
    assert result.return_value == 1
    assert "a.npz and w.npz: not written" in result.output
    assert [path.read_text() for path in sorted(tmp_path.iterdir())] == ["older", "older"]


# ---------------------------------------------------------------- the values are right


def by_hand(w: dict[str, Any], x: Any) -> tuple[Any, Any]:
    """Two branches of `fc` on one `fc`, added: the sum of squares, and the norm of its gradient by the first layer."""
    x = x.reshape(len(x), -1)
    a = x @ w["a.w"] + w["a.b"]
    y = a @ w["l.w"] + w["l.b"] + a @ w["r.w"] + w["r.b"]
    da = 2 * y @ (w["l.w"] + w["r.w"]).T
    return (y**2).sum(), np.hypot(np.linalg.norm(x.T @ da), np.linalg.norm(da.sum(axis=0)))


def test_gradients_of_branches_add_up(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    shapes = {"a.w": (12, 4), "a.b": (4,), "l.w": (4, 2), "l.b": (2,), "r.w": (4, 2), "r.b": (2,)}
    w = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    x = rng.normal(size=(3, 2, 2, 3))
    np.savez(tmp_path / "w.npz", **w)
    np.save(tmp_path / "x.npy", x)
    files = {"weights": str(tmp_path / "w.npz"), "images": (str(tmp_path / "x.npy"),)}
    text = "input 2x2x3; a: fc 4; add { l: fc 2 | r: fc 2 }"
    back = run(text, dtype="float64", backward=True, batch=3, **files).backward
    assert back is not None
    loss, norm = by_hand(w, x)
    assert back.losses[0] == (
        "output",
        "sum of squares",
        "of all values of all images",
        pytest.approx(loss, rel=1e-12),
    )
    assert back.steps[-1].row.name == "a"
    assert back.steps[-1].norm == pytest.approx(norm, rel=1e-12)


def test_values_loss_and_gradients_are_those_of_pytorch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from torch.nn import functional

    text = """input 33x33x3; conv 7/2/3 16 nobias; bn; relu; pool 3/2/1; s: conv 3/1/1 32
        add { conv 3/1/1 32 groups=4; bn; relu; conv 3/1/1 32 | id }; relu
        concat { conv 1 8; relu | avgpool 3/1/1 }; fc 10; softmax"""
    files = {"save": str(tmp_path / "a.npz"), "save_weights": str(tmp_path / "w.npz")}
    back = run(text, batch=2, dtype="float64", backward=True, **files).backward
    assert back is not None
    held, w = np.load(files["save"]), np.load(files["save_weights"])
    own = {name: torch.tensor(w[name], requires_grad=not name.endswith(("mean", "variance"))) for name in w}

    def conv(x: Any, name: str, s: int = 1, p: int = 0, groups: int = 1) -> Any:
        return functional.conv2d(x, own[f"{name}.w"].permute(3, 2, 0, 1), own.get(f"{name}.b"), s, p, 1, groups)

    def bn(x: Any, name: str) -> Any:
        parts = (own[f"{name}.{part}"] for part in ("mean", "variance", "scale", "shift"))
        return functional.batch_norm(x, *parts, False, 0.0, 1e-5)

    x = torch.tensor(held["input"]).permute(0, 3, 1, 2)
    s = conv(functional.max_pool2d(bn(conv(x, "conv1", 2, 3), "bn1").relu(), 3, 2, 1), "s", 1, 1)
    h = (s + conv(bn(conv(s, "conv2", 1, 1, 4), "bn2").relu(), "conv3", 1, 1)).relu()
    h = torch.cat([conv(h, "conv4").relu(), functional.avg_pool2d(h, 3, 1, 1)], 1)
    scores = h.permute(0, 2, 3, 1).reshape(2, -1) @ own["fc1.w"] + own["fc1.b"]
    assert held["softmax1"].reshape(2, -1) == pytest.approx(functional.softmax(scores, 1).detach().numpy(), rel=1e-10)
    labels = torch.tensor(drawn_labels((2, 1, 1, 10), 0, "output.labels").reshape(-1))
    loss = functional.cross_entropy(scores, labels)
    loss.backward()
    assert back.losses[0].value == pytest.approx(loss.item(), rel=1e-12)
    norms = {step.row.name: step.norm for step in back.steps if step.norm is not None}
    assert norms.keys() == {name.partition(".")[0] for name in own}
    for name, norm in norms.items():
        squares = [
            (each.grad**2).sum() for key, each in own.items() if key.startswith(f"{name}.") and each.requires_grad
        ]
        assert norm == pytest.approx(float(sum(squares)) ** 0.5, rel=1e-10), name


@pytest.mark.parametrize(
    "text", ["lenet5", "squeeze_excite", "inception_a", BRANCHES, SHARED, AUXILIARY, "resnet20_cifar"]
)
@pytest.mark.parametrize("batch", [1, 2])
def test_counted_multiply_adds_of_the_way_back_meet_the_formulas(text: str, batch: int) -> None:
    execution = run(text, backward=True, batch=batch)
    assert execution.agrees
    assert execution.backward is not None
    total = backpropagate(execution.forward.report).total
    assert sum(step.macs.executed for step in execution.backward.steps) == batch * total.macs
    report = execution.forward.report
    learning: list[bool] = []  # it, or a layer before it
    for row in report.rows:
        learning.append(bool(row.params) or row.node.share is not None or any(learning[at] for at in row.node.inputs))
    firsts = [row for row in report.rows if row.macs and not any(learning[at] for at in row.node.inputs)]
    twice = 2 * report.total().macs - sum(row.macs for row in firsts)
    assert sum(step.macs.executed for step in execution.backward.steps) == batch * twice


def test_every_gradient_has_the_shape_of_what_it_is_of() -> None:
    back = run(BRANCHES, backward=True).backward
    assert back is not None
    shapes = {step.row.name: step.executed for step in back.steps}
    assert shapes["a"] == (None, (3, 3, 2, 4), (4,))  # nobody asks for that by the image
    assert shapes["bn1"] == ((1, 6, 6, 4), (4,), (4,))  # scale and shift; mean and variance are not learnt
    assert shapes["concat1"] == ((1, 6, 6, 3), (1, 6, 6, 4))
    assert [loss.kind for loss in back.losses] == ["cross-entropy"]


def test_no_gradient_is_shown_where_nothing_before_learns() -> None:
    lines = csv.DictReader(invoke(SMALL, "--backward", "--format", "csv").output.splitlines())
    gradients = {line["layer"]: line["gradients"] for line in lines}
    assert gradients == {"input": "", "conv1": "", "relu1": "8x8x4", "pool1": "8x8x4", "fc1": "4x4x4"}
    layers = json.loads(invoke(TWO + "; add { fc 3 | id }", "--backward", "--format", "json").output)["layers"]
    assert [each["backward"] and each["backward"]["executed"]["inputs"] for each in layers[3:5]] == [
        [None],
        [[1, 1, 3]],
    ]
    said = invoke("input 4x4x3; relu; maxpool 2", "--backward").output
    assert "nothing here is learnt: no gradient goes anywhere" in said
    assert "as predicted\n        a layer's MACs" not in said


def test_the_gradient_of_shared_weights_is_the_sum_over_their_uses(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    w, b, x = rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=(2, 1, 1, 4))
    np.savez(tmp_path / "w.npz", **{"a.w": w, "a.b": b})
    np.save(tmp_path / "x.npy", x)
    text = "input 4; a: fc 4; fc 4 share=a; fc 4 share=a"
    request = {"batch": 2, "dtype": "float64", "backward": True}
    files = {"weights": str(tmp_path / "w.npz"), "images": (str(tmp_path / "x.npy"),)}
    back = run(text, **request, **files).backward
    assert back is not None

    def loss(w: Any, b: Any) -> float:
        y = x.reshape(2, 4)
        for _ in range(3):
            y = y @ w + b
        return float((y**2).sum())

    step = 1e-6
    sides = [[loss(w + s * e[:16].reshape(4, 4), b + s * e[16:]) for s in (step, -step)] for e in np.eye(20)]
    slopes = [(after - before) / (2 * step) for after, before in sides]
    assert [back_step.norm for back_step in back.steps[:2]] == [None, None]
    assert back.steps[-1].norm == pytest.approx(np.linalg.norm(slopes), rel=1e-7)
    shown = invoke(text, "--backward").output
    assert shown.count("added to a ") == 2
    layers = json.loads(invoke(text, "--backward", "--format", "json").output)["layers"]
    assert [each["backward"] and each["backward"]["added_to"] for each in layers] == [None, None, "a", "a"]


def test_what_disagrees_on_the_way_back_is_told_in_the_form_of_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Conv.back

    def cropped(self: Conv, np: Any, dy: Any, w: Any, x: Any) -> Any:
        (dx,), dw = real(self, np, dy, w, x)
        return (dx[:, 1:],), dw

    monkeypatch.setattr(Conv, "back", cropped)
    result = invoke("input 14x14x3; bn; conv 3 4", "--backward")
    assert "gradients 14x14x3 predicted, 13x14x3 executed" in result.output
    assert result.return_value == 1


def test_a_loss_says_what_it_is_a_mean_of_and_is_never_minus_nought() -> None:
    said = invoke("input 4x4x2; conv 1 1; softmax", "--backward").output
    assert "cross-entropy at output, mean over images and positions: 0\n" in said
    assert "sum of squares at output, of all values of all images: " in invoke(SMALL, "--backward").output


def test_a_loss_stands_at_every_output() -> None:
    back = run(AUXILIARY, backward=True).backward
    assert back is not None
    assert {(loss.output, loss.kind) for loss in back.losses} == {
        ("output", "sum of squares"),
        ("aux", "cross-entropy"),
    }


def test_a_wrong_gradient_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Conv.back

    def flat(self: Conv, np: Any, dy: Any, w: Any, x: Any) -> Any:
        dx, dw = real(self, np, dy, w, x)
        return dx, dw | {"w": dw["w"].reshape(-1)}

    monkeypatch.setattr(Conv, "back", flat)
    result = invoke(SMALL, "--backward", "--format", "json")
    conv = json.loads(result.output)["layers"][1]["backward"]
    assert (result.return_value, conv["agrees"]) == (1, False)
    assert conv["predicted"]["weights"] == [[3, 3, 3, 4], [4]]
    assert conv["executed"]["weights"] == [[108], [4]]


def test_a_loss_takes_the_whole_net() -> None:
    assert "a loss takes the whole net" in refusal(SMALL, backward=True, layers="..conv1")


# ---------------------------------------------------------------- images


def png(pixels: Any, depth: int = 8, kind: int = 2) -> bytes:
    """A PNG written by hand: kind 0 is grey, 2 RGB, 6 RGBA."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


PIXELS = np.random.default_rng(4).integers(0, 256, (8, 8, 3), dtype=np.uint8)


def entered(tmp_path: Path, *images: str, text: str = SMALL, batch: int = 1, name: str = "input") -> Any:
    """What has gone into a net."""
    save = tmp_path / "entered.npz"
    run(text, images=images, save=str(save), batch=batch, layers=f"..{name}")
    with np.load(save) as held:
        return held[name]


def test_pixels_are_divided_by_255(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    (tmp_path / "a.png").write_bytes(png(PIXELS))
    assert entered(tmp_path, str(tmp_path / "a.png")) == pytest.approx(PIXELS[None] / 255, rel=1e-6)
    np.save(tmp_path / "a.npy", PIXELS)
    assert (entered(tmp_path, str(tmp_path / "a.npy")) == entered(tmp_path, str(tmp_path / "a.png"))).all()


def test_grey_stands_for_each_channel_and_opaque_alpha_is_left_out(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    (tmp_path / "grey.png").write_bytes(png(PIXELS[..., :1], kind=0))
    assert (entered(tmp_path, str(tmp_path / "grey.png"))[..., [0]] * 255).round().astype(int).ravel().tolist() == (
        PIXELS[..., 0].ravel().tolist()
    )
    opaque = np.concatenate([PIXELS, np.full((8, 8, 1), 255, np.uint8)], axis=2)
    (tmp_path / "opaque.png").write_bytes(png(opaque, kind=6))
    (tmp_path / "plain.png").write_bytes(png(PIXELS))
    assert (entered(tmp_path, str(tmp_path / "opaque.png")) == entered(tmp_path, str(tmp_path / "plain.png"))).all()


def test_arrays_of_any_order_and_size_of_float_are_read(tmp_path: Path) -> None:
    values = np.random.default_rng(5).normal(size=(8, 8, 3)).astype(np.float16)
    wanted = values.astype(np.float32)[None]
    for at, array in enumerate(
        [values, values.astype(">f4"), np.asfortranarray(values.astype(np.float64)), values[None]]
    ):
        np.save(tmp_path / f"{at}.npy", array)
        assert (entered(tmp_path, str(tmp_path / f"{at}.npy")) == wanted).all()


def test_one_image_stands_for_each_of_a_batch_and_a_batch_for_itself(tmp_path: Path) -> None:
    values = np.random.default_rng(6).normal(size=(3, 8, 8, 3)).astype(np.float32)
    np.save(tmp_path / "one.npy", values[0])
    np.save(tmp_path / "three.npy", values)
    assert (entered(tmp_path, str(tmp_path / "one.npy"), batch=3) == values[:1]).all()
    assert (entered(tmp_path, str(tmp_path / "three.npy"), batch=3) == values).all()
    result = invoke(SMALL, "--image", str(tmp_path / "one.npy"), "--batch", "3", "--format", "json")
    assert json.loads(result.output)["inputs"] == [f"input from {tmp_path}/one.npy, once for each of 3 images"]


def test_an_image_is_for_the_input_that_it_names(tmp_path: Path) -> None:
    values = np.random.default_rng(7).normal(size=(4, 4, 2)).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    found = entered(tmp_path, f"right={tmp_path}/a.npy", text=TWO, name="right")
    assert (found == values).all()


IMAGES: dict[str, tuple[str, Any, str]] = {  # a name, what is in the file, what is said
    "missing": ("a.npy", None, "no such file or directory"),
    "directory": ("a.npy", "directory", "is a directory"),
    "empty array": ("a.npy", b"", "it is empty"),
    "empty picture": ("a.png", b"", "cannot read `.*a.png`"),
    "other suffix": ("a.jpg", b"", "is no image: images are `.png`, `.npy`, `.csv` or `.txt` files"),
    "text": ("a.npy", b"hello, world", "it is not in NumPy's format"),
    "array of another size": ("a.npy", np.zeros((9, 8, 3)), "is 9x8x3, not 8x8x3\nhelp: .* `--input 9x8x3`"),
    "array without depth": ("a.npy", np.zeros((8, 8)), "is 8x8, not 8x8x3"),
    "depth first": (
        "a.npy",
        np.zeros((3, 8, 8)),
        r"is 3x8x8, not 8x8x3\nhelp: its axes .*: `array.transpose\(1, 2, 0\)` has the right one",
    ),
    "depth first, several": ("a.npy", np.zeros((2, 3, 8, 8)), r"`array.transpose\(0, 2, 3, 1\)` has the right one"),
    "no images": ("a.npy", np.zeros((0, 8, 8, 3)), "holds no image: it is 0x8x8x3$"),
    "too many images": ("a.npy", np.zeros((2, 8, 8, 3)), "holds 2 images, the batch is 1\nhelp: say `--batch 2`"),
    "whole numbers": ("a.npy", np.zeros((8, 8, 3), int), "it holds int64, not float16, float32, float64 or uint8"),
    "complex numbers": ("a.npy", np.zeros((8, 8, 3), complex), "it holds complex128"),
    "objects": ("a.npy", np.array([[{}]], object), "Python objects, which are never loaded"),
    "records": ("a.npy", np.zeros((8, 8, 3), [("a", "f4")]), "it holds records"),
    "NaN": ("a.npy", np.full((8, 8, 3), np.nan), "it holds NaN"),
    "infinity": ("a.npy", np.full((8, 8, 3), -np.inf), "it holds an infinity"),
    "too large": ("a.npy", np.full((8, 8, 3), 1e300), "it holds a value too large for float32"),
    "picture of another size": ("a.png", png(PIXELS[:7]), "is 7x8, not 8x8\nhelp: .* `--input 7x8x3`"),
    "truncated picture": ("a.png", png(PIXELS)[:90], "cannot read `.*a.png`"),
    "not a picture": ("a.png", b"GIF89a" + bytes(100), "cannot read `.*a.png`"),
    "sixteen bits": ("a.png", png(PIXELS[..., :1].astype(">u2"), 16, 0), "not 8 bits a channel"),
    "transparent": ("a.png", png(np.dstack([PIXELS, PIXELS[..., :1]]), kind=6), "it is transparent in places"),
    "a bomb of pixels": (
        "a.png",
        png(np.zeros((1, 1, 3), np.uint8)).replace(struct.pack(">II", 1, 1), struct.pack(">II", 40_000, 40_000)),
        "cannot read|is 40000x40000",
    ),
}


@pytest.mark.parametrize("case", IMAGES)
def test_an_image_that_cannot_be_used_is_named_with_what_was_expected(case: str, tmp_path: Path) -> None:
    name, content, told = IMAGES[case]
    if name.endswith(".png"):
        pytest.importorskip("PIL")
    path = tmp_path / name
    write(path, content)
    said = refusal(SMALL, images=(str(path),))
    assert re.search(told, said), said
    assert str(path) in said


def test_an_array_without_an_axis_for_depth_is_told_how_to_get_one(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((8, 8)))
    said = refusal("input 8x8x1; fc 2", images=(str(tmp_path / "a.npy"),))
    assert said.endswith("is 8x8, not 8x8x1\nhelp: the depth is an axis too: `array[..., None]` has it")


@pytest.mark.parametrize(("mode", "colour"), [("L", 0), ("RGB", (0, 0, 0)), ("P", 0), ("1", 0)])
@pytest.mark.parametrize("depth", [1, 3])
def test_a_picture_with_a_transparent_colour_is_refused_where_it_has_that(
    mode: str, colour: Any, depth: int, tmp_path: Path
) -> None:
    image = pytest.importorskip("PIL.Image")
    path = tmp_path / "a.png"
    pixels = PIXELS.copy()
    pixels[0, 0] = 0
    image.fromarray(pixels).convert(mode).save(path, transparency=colour)
    said = refusal(f"input 8x8x{depth}; fc 2", images=(str(path),))
    assert "it is transparent in places" in said
    if mode == "L":  # a colour that no pixel has makes none transparent
        image.fromarray(np.full((8, 8), 7, np.uint8)).save(path, transparency=0)
        assert run(f"input 8x8x{depth}; fc 2", images=(str(path),)).agrees


def write(path: Path, content: Any) -> None:
    if isinstance(content, str):
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        np.save(path, content)


@pytest.mark.parametrize(
    ("text", "images", "told"),
    [
        (SMALL, ("left=a.npy",), "there is no input `left`"),
        (
            TWO,
            ("a.npy",),
            "`a.npy` could be for any of the inputs `left`, `right`\nhelp: name one: `--image left=a.npy`",
        ),
        (TWO, ("rihgt=a.npy",), "there is no input `rihgt`\nhelp: did you mean `right`?"),
        (TWO, ("left=none.npy", "right=no.npy"), "no such file(.|\n)*no.npy"),
    ],
)
def test_an_input_that_there_is_not_is_told(text: str, images: tuple[str, ...], told: str) -> None:
    assert re.search(told, refusal(text, images=images))


def test_two_images_for_one_input_are_one_too_many(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((8, 8, 3)))
    path = str(tmp_path / "a.npy")
    assert "there are two images for the input `input`" in refusal(SMALL, images=(path, path))


# ---------------------------------------------------------------- weights

NET = "input 4x4x2; c: conv 3/1/1 3; fc 2"
SHAPES = {"c.w": (3, 3, 2, 3), "c.b": (3,), "fc1.w": (48, 2), "fc1.b": (2,)}


def arrays(**other: Any) -> dict[str, Any]:
    rng = np.random.default_rng(8)
    own = {name: rng.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
    return {name: value for name, value in (own | other).items() if value is not None}


def archive(held: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **held)
    return buffer.getvalue()


def member(data: bytes, name: str = "c.w.npy", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive with the right arrays, but one member of other bytes."""
    buffer = io.BytesIO(archive(arrays(**{name.removesuffix(".npy"): None})))
    with zipfile.ZipFile(buffer, "a", method) as file:
        file.writestr(name, data)
    return buffer.getvalue()


def header(text: str, version: bytes = b"\x01\x00", length: int | None = None) -> bytes:
    size = len(text) if length is None else length
    return b"\x93NUMPY" + version + size.to_bytes(2 if version[0] == 1 else 4, "little") + text.encode()


def twice(name: str) -> bytes:
    buffer = io.BytesIO(archive(arrays()))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(buffer, "a") as file:
        file.writestr(name, b"")
    return buffer.getvalue()


HEADS = {
    "no header": b"",
    "cut in the magic": b"\x93NUM",
    "version 9": header("{}", b"\x09\x00"),
    "a length of 4 GiB": header("", b"\x02\x00", 2**32 - 1) + bytes(10**6),
    "code": header("__import__('os').system('true')\n"),
    "nesting": header("(" * 9000 + "\n"),
    "a name that is none": header("{'descr': '<f4', 'fortran_order': False, 'shape': (nan,)}\n"),
    "an odd type": header("{'descr': '<f4x', 'fortran_order': False, 'shape': (3,)}\n"),
    "lines that do not parse": header("{'descr': '<f4'\n '''\n"),
    "other keys": header("{'a': 1}\n"),
    "a shape without end": header(f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({10**400}, 1)}}\n"),
    "a negative shape": header("{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 3, 2, 3)}\n"),
    "values that are not there": header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 2, 3)}\n"),
}


@pytest.mark.parametrize("case", HEADS)
def test_a_hostile_header_in_an_archive_is_refused(case: str, tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(member(HEADS[case]))
    tracemalloc.start()
    try:
        said = refusal(NET, weights=str(path))
        assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
    finally:
        tracemalloc.stop()
    assert "`c.w` in" in said
    assert str(path) in said


ARCHIVES: dict[str, tuple[Any, str]] = {
    "not an archive": (b"PK\x03\x04 and no more", "cannot read .*w.npz"),
    "cut": (archive(arrays())[:-40], "cannot read .*w.npz"),
    "an array alone": (header("{'descr': '<f4', 'fortran_order': False, 'shape': ()}\n"), "cannot read .*w.npz"),
    "missing": (archive(arrays(**{"c.b": None})), "lacks `c.b`, 3 values"),
    "surplus": (archive(arrays(**{"c.v": np.zeros(3)})), "`c.v` in .* is no array of `net`"),
    "misspelt": (
        archive(arrays(**{"c.b": None, "c.B": np.zeros(3, np.float32)})),
        "`c.B` in .* is no array of `net`\nhelp: did you mean `c.b`",
    ),
    "wrong shape": (archive(arrays(**{"c.b": np.zeros(4)})), "`c.b` in .* is 4 values, not 3 values"),
    "PyTorch's order": (
        archive(arrays(**{"c.w": np.zeros((3, 2, 3, 3))})),
        r"is 3x2x3x3, not 3x3x2x3\nhelp: its axes are in another order: `array.transpose\(2, 3, 1, 0\)`",
    ),
    "turned matrix": (archive(arrays(**{"fc1.w": np.zeros((2, 48))})), r"`array.transpose\(1, 0\)`"),
    "whole numbers": (archive(arrays(**{"c.b": np.zeros(3, int)})), "holds int64, not float16, float32 or float64"),
    "truths": (archive(arrays(**{"c.b": np.zeros(3, bool)})), "holds bool"),
    "objects": (
        archive(arrays(**{"c.b": np.array([1, "a", {}], object)})),
        "holds Python objects, which are never loaded",
    ),
    "NaN": (archive(arrays(**{"c.b": np.array([0, np.nan, 0])})), "`c.b` in .* cannot be used: it holds NaN"),
    "infinity": (archive(arrays(**{"fc1.b": np.array([0, np.inf])})), "`fc1.b` in .*: it holds an infinity"),
    "too large": (archive(arrays(**{"fc1.b": np.array([0, 1e39])})), "a value too large for float32"),
    "twice": ("twice", "it holds `c.b` twice"),
    "empty": (b"", "it is empty"),
    "directory": ("directory", "is a directory"),
    "not there": (None, "no such file or directory"),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_weights_that_cannot_be_used_are_named_with_what_was_expected(case: str, tmp_path: Path) -> None:
    content, told = ARCHIVES[case]
    path = tmp_path / "w.npz"
    write(path, twice("c.b.npy") if content == "twice" else content)
    said = refusal(NET, weights=str(path))
    assert re.search(told, said), said
    assert str(path) in said


def test_all_that_is_wrong_with_a_file_comes_at_once(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **{"c.w": np.zeros(3), "x": np.zeros(3)})
    said = refusal(NET, weights=str(tmp_path / "w.npz"), images=("none.npy",))
    assert said.count("error: ") == 6  # image, surplus, shape, three that lack


def test_a_variance_below_nought_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    own = {name: np.ones(2) for name in ("bn1.scale", "bn1.shift", "bn1.mean", "bn1.variance")}
    np.savez(path, **own | {"bn1.variance": np.array([1, -0.5])})
    assert "`bn1.variance` in" in (said := refusal("input 4x4x2; bn", weights=str(path)))
    assert said.endswith("cannot be used: it holds a negative value")
    np.savez(path, **own | {"bn1.mean": np.array([1, -0.5]), "bn1.variance": np.array([0, -0.0])})
    assert run("input 4x4x2; bn", weights=str(path)).agrees


def test_arrays_that_are_many_too_many_are_counted(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **arrays(**{f"x{at:04}": np.zeros(1) for at in range(2000)}))
    said = refusal(NET, weights=str(tmp_path / "w.npz"))
    assert said.count("error: ") == 11
    assert said.endswith(f"… and 1,990 more in `{tmp_path}/w.npz` are none either")


def test_a_bomb_in_an_archive_is_not_unpacked(tmp_path: Path) -> None:
    head = header("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 2, 3)}\n")
    for name in ("c.w.npy", "extra.npy"):
        (tmp_path / "w.npz").write_bytes(member(head + bytes(10**8), name))
        tracemalloc.start()
        try:
            assert refusal(NET, weights=str(tmp_path / "w.npz"))
            assert tracemalloc.get_traced_memory()[1] < 5 * 10**6
        finally:
            tracemalloc.stop()


def test_a_member_whose_size_is_declared_wrongly_is_refused(tmp_path: Path) -> None:
    data = archive(arrays())
    size = struct.pack("<II", *([3 * 3 * 2 * 3 * 4 + 128] * 2))  # compressed and not, of c.w: it is stored
    assert size in data
    for declared in (0, 10**6, 2**31):
        (tmp_path / "w.npz").write_bytes(data.replace(size, struct.pack("<II", declared, declared)))
        assert "w.npz" in refusal(NET, weights=str(tmp_path / "w.npz"))


def test_any_damage_to_an_archive_is_a_fault_or_does_no_harm(tmp_path: Path) -> None:
    rng = np.random.default_rng(9)
    data = bytearray(archive(arrays()))
    refused = 0
    for _ in range(300):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), rng.integers(1, 4)):
            broken[at] = rng.integers(0, 256)
        (tmp_path / "w.npz").write_bytes(broken)
        try:
            assert run(NET, weights=str(tmp_path / "w.npz")).agrees
        except SpecError:
            refused += 1
    assert refused > 200  # checksums find nearly all


def test_weights_of_any_order_and_size_of_float_are_read(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    own = {name: array.astype(np.float16) for name, array in arrays().items()}
    prints = set()
    for change in (
        lambda a: a,
        lambda a: a.astype(">f8"),
        lambda a: np.asfortranarray(a.astype(np.float32)),
    ):
        np.savez_compressed(path, **{name: change(array) for name, array in own.items()})
        prints.add(run(NET, weights=str(path)).layers[-1].fingerprint)
    assert len(prints) == 1


def test_layers_that_are_not_run_need_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    np.savez(path, **{"c.w": arrays()["c.w"], "c.b": arrays()["c.b"]})
    assert run(NET, weights=str(path), layers="..c").agrees
    np.savez(path, **arrays())
    assert run(NET, weights=str(path), layers="..c").agrees  # what is there for later layers is not surplus


def test_only_files_of_weights_are_read(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"")
    assert "weights are `.npz` or `.safetensors` files" in refusal(NET, weights=str(tmp_path / "w.pth"))


# ---------------------------------------------------------------- safetensors

CODES = {"float32": "F32", "float16": "F16", "float64": "F64", "int64": "I64", "bool": "BOOL"}


def tensors(held: dict[str, Any], codes: dict[str, str] | None = None) -> bytes:
    """A .safetensors file written by hand."""
    head, data = {}, b""
    for name, array in held.items():
        code = (codes or {}).get(name, CODES[array.dtype.name])
        head[name] = {"dtype": code, "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + data


def bits(text: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if length is None else length) + text


def test_safetensors_are_read_as_archives_are(tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    (tmp_path / "w.safetensors").write_bytes(tensors(arrays()))
    np.savez(tmp_path / "w.npz", **arrays())
    one, other = (run(NET, weights=str(tmp_path / name)) for name in ("w.safetensors", "w.npz"))
    assert [step.fingerprint for step in one.layers] == [step.fingerprint for step in other.layers]
    half = {name: array.astype(np.float16) for name, array in arrays().items()}
    (tmp_path / "h.safetensors").write_bytes(tensors(half))
    np.savez(tmp_path / "h.npz", **half)
    one, other = (run(NET, weights=str(tmp_path / name)) for name in ("h.safetensors", "h.npz"))
    assert one.layers[-1].fingerprint == other.layers[-1].fingerprint


TENSORS: dict[str, tuple[Any, str]] = {
    "empty": (b"", "cannot read .*w.safetensors"),
    "cut": (tensors(arrays())[:-8], "cannot read .*w.safetensors"),
    "a header of 2^60 bytes": (bits(b"{}", 2**60), "cannot read .*w.safetensors"),
    "a header that is no JSON": (bits(b"[" * 5000), "cannot read .*w.safetensors"),
    "a header in another encoding": (bits(b"\xff\xfe{}"), "cannot read .*w.safetensors"),
    "offsets beyond the end": (
        bits(b'{"c.b":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'),
        "cannot read .*w.safetensors",
    ),
    "a shape without end": (
        bits(b'{"c.b":{"dtype":"F32","shape":[4611686018427387904,64],"data_offsets":[0,0]}}'),
        "cannot read .*w.safetensors",
    ),
    "bfloat16": (
        tensors(arrays(**{"c.b": np.zeros(3, np.float16)}), {"c.b": "BF16"}),
        "`c.b` in .* holds bfloat16, not float16, float32 or float64",
    ),
    "whole numbers": (tensors(arrays(**{"c.b": np.zeros(3, np.int64)})), "holds I64"),
    "missing": (tensors(arrays(**{"c.b": None})), "lacks `c.b`"),
    "surplus": (tensors(arrays(x=np.zeros(1, np.float32))), "`x` in .* is no array of `net`"),
    "wrong shape": (tensors(arrays(**{"fc1.w": np.zeros((2, 48), np.float32)})), "is 2x48, not 48x2"),
    "NaN": (tensors(arrays(**{"c.b": np.full(3, np.nan, np.float32)})), "`c.b` in .* it holds NaN"),
    "directory": ("directory", "cannot read"),
    "not there": (None, "cannot read .*w.safetensors"),
}


@pytest.mark.parametrize("case", TENSORS)
def test_safetensors_that_cannot_be_used_are_named_with_what_was_expected(case: str, tmp_path: Path) -> None:
    pytest.importorskip("safetensors")
    content, told = TENSORS[case]
    path = tmp_path / "w.safetensors"
    write(path, content)
    said = refusal(NET, weights=str(path))
    assert re.search(told, said), said
    assert str(path) in said


@pytest.mark.parametrize(
    ("module", "request_", "told"),
    [
        ("safetensors", {"weights": "w.safetensors"}, "pip install 'archcalc[safetensors]'"),
        ("PIL", {"images": ("a.png",)}, "pip install 'archcalc[images]'"),
    ],
)
def test_a_library_that_is_missing_is_told_with_how_to_install_it(
    module: str, request_: dict[str, Any], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.chdir(tmp_path)
    for name in ("w.safetensors", "a.png"):
        Path(name).write_bytes(b"")
    said = refusal(SMALL, **request_)
    assert "is not installed" in said
    assert f"help: {told}" in said


# ---------------------------------------------------------------- the command


def test_a_net_in_symbols_is_told_to_give_numbers() -> None:
    said = refusal("input HxWx3; conv 3 4")
    assert "`net` cannot be run: the output of `input` is HxWx3, in symbols" in said
    assert "help: give the input in numbers: `--input 224x224x3`" in said
    assert invoke("input HxWx3; conv 3 4", "--input", "8x8x3").return_value == 0


def test_the_answer_in_json_keeps_the_contract() -> None:
    result = invoke("lenet5", "--format", "json", "--batch", "2", "--seed", "5")
    answer = json.loads(result.output)
    assert (answer["kind"], answer["arch"], answer["agrees"], answer["seed"]) == ("run", "lenet5", True, 5)
    assert {"seconds", "peak_bytes"} <= answer.keys()
    layer = answer["layers"][1]
    assert layer["name"] == "C1"
    assert (layer["predicted"], layer["executed"], layer["agrees"]) == ([28, 28, 6], [28, 28, 6], True)
    assert layer["predicted_macs"] == layer["executed_macs"] == 2 * 28 * 28 * 6 * 25
    assert sum(each["executed_values"] for each in answer["layers"]) == 61_706  # LeNet-5 as d2l and PyTorch have it


@pytest.mark.parametrize("format_", ["table", "csv", "md", "json"])
@pytest.mark.parametrize("more", [(), ("--backward",), ("--reference",), ("--dtype", "float64"), ("--exact",)])
def test_a_run_is_shown_in_every_format(format_: str, more: tuple[str, ...]) -> None:
    result = invoke(AUXILIARY, "--format", format_, *more)
    assert result.exception is None
    assert result.return_value == 0
    assert "8x8x4" in result.output or "[8, 8, 4]" in result.output


def test_a_csv_row_is_a_layer() -> None:
    lines = invoke(SMALL, "--format", "csv", "--backward").output.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith("layer,type,predicted,executed,agrees,values,executed_values,macs,executed_macs,mean")
    assert lines[2].startswith("conv1,conv 3/1/1 4,8x8x4,8x8x4,yes,112,112,6912,6912,")


def test_progress_counts_every_layer() -> None:
    told: list[tuple[str, int, int]] = []
    execute(report_of(SMALL), Request(), lambda *each: told.append(each))
    assert told == [(name, at, 5) for at, name in enumerate(("input", "conv1", "relu1", "pool1", "fc1"))]
    told.clear()
    execute(report_of(SMALL), Request(backward=True), lambda *each: told.append(each))
    assert [at for _, at, _ in told] == list(range(10))
    assert {count for *_, count in told} == {10}


@pytest.mark.parametrize("words", [("--batch", "0"), ("--seed", "-1"), ("--dtype", "int8"), ("--format", "junit")])
def test_options_out_of_range_are_usage_errors(words: tuple[str, str]) -> None:
    assert invoke(SMALL, *words).exception is not None


def test_a_run_is_told_in_a_line_and_its_footer_in_the_singular(monkeypatch: pytest.MonkeyPatch) -> None:
    assert repr(run(SMALL)) == str(run(SMALL)) == "<run of net, forth: 5 layers, agrees>"
    assert repr(run(SMALL, backward=True)) == "<run of net, forth and back: 5 layers, agrees>"
    monkeypatch.setattr(forth, "kernel_for", with_kernel(Cropped, MaxPool))
    assert repr(run(SMALL)) == "<run of net, forth: 4 layers, disagrees at pool1>"
    monkeypatch.undo()
    assert "1 layer before these was run for them" in invoke(SMALL, "--layers", "conv1..conv1").output
    assert re.search(r"^input +drawn from seed 0", invoke(SMALL).output, re.MULTILINE)
    assert re.search(r"^input +left drawn from .*, right drawn", invoke(TWO).output, re.MULTILINE)


def test_a_narrow_terminal_is_told_how_to_see_all_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "all columns" not in invoke(SMALL).output
    monkeypatch.setenv("COLUMNS", "80")
    assert re.search(r"all columns +`--format csv`\nhidden here +type, MACs", invoke(SMALL).output)


def test_a_net_is_run_from_python() -> None:
    execution = archcalc.run("input 4x4x2; conv 3/1/1 3; softmax", batch=2, seed=1)
    assert execution.agrees
    assert execution.outputs["output"].shape == (2, 4, 4, 3)
    assert execution.outputs["output"].sum(axis=3) == pytest.approx(1)
    assert set(archcalc.run(AUXILIARY).outputs) == {"output", "aux"}
    with pytest.raises(ValueError, match="dtype"):
        archcalc.run("lenet5", dtype="int8")


def test_a_named_image_is_given_from_python(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 4, 2)))
    execution = archcalc.run(TWO, image={"right": tmp_path / "a.npy"})
    assert execution.layers[1].fingerprint.mean == 1
    execution = archcalc.run(NET, image=tmp_path / "a.npy")
    assert execution.layers[0].fingerprint.mean == 1
