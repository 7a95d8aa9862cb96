"""How fast archcalc starts, how much memory it takes, how it grows: prints BENCHMARKS.md.

    python3 -m venv /tmp/bv && /tmp/bv/bin/pip install .
    python3 -m venv /tmp/tv && /tmp/tv/bin/pip install torch==2.13.0 torchinfo==1.8.0 numpy
    /tmp/bv/bin/python benchmarks/startup.py --torch-python /tmp/tv/bin/python > BENCHMARKS.md

Each command is a whole process, started anew for every measurement. The commands take turns, so that whatever else
the machine does falls on all of them alike; a first turn, in which files are read into memory, is not counted.
Times are wall-clock time from start to exit as the parent sees it; memory is the peak of the resident set, from
`os.wait4`. Linux starts a child's peak at its parent's, so this process stays small and says how small it is.

`--python` is the Python whose archcalc is measured, by default the one that runs this file. It should hold archcalc
as a user installs it, not editable: pip compiles what it installs. torchinfo imports numpy without asking for it.
Exits with 1 if a requirement is not met.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

BASELINE = "import click, rich.table, rich.console"
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes; macOS counts in them, Linux in KiB
MB = 10**6

VERSIONS = """
import platform
from importlib.metadata import version
print(", ".join([f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in %r)]))
"""


class Run(NamedTuple):
    """One process: its time and its peak of memory."""

    seconds: float
    peak: int  # bytes


class Command(NamedTuple):
    """What is measured: how the table calls it, and the words that start it."""

    title: str
    words: tuple[str, ...]


class Requirement(NamedTuple):
    """What has to hold, as a sentence; what was measured; and the most it may be."""

    sentence: str
    measured: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        return self.measured <= self.most


Runs = dict[str, list[Run]]


def run(words: tuple[str, ...]) -> Run:
    """Starts a process, waits for its end, and throws its output away. Raises `SystemExit` if it fails."""
    start = time.perf_counter()
    silence = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in (0, 1, 2)]
    child = os.posix_spawn(words[0], words, environment(), file_actions=silence)
    _, status, usage = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{' '.join(words)} ended with {os.waitstatus_to_exitcode(status)}")
    return Run(seconds, usage.ru_maxrss * PEAK_UNIT)


def environment() -> dict[str, str]:
    """The environment, without what changes how Python starts."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def take_turns(commands: Iterable[Command], rounds: int) -> Runs:
    """All commands in turn, so many rounds, after one that is not counted; each round starts with the next command."""
    listed = list(commands)
    runs: Runs = {command.title: [] for command in listed}
    for number in range(-1, rounds):
        shift = number % len(listed)
        for command in listed[shift:] + listed[:shift]:
            measured = run(command.words)
            if number >= 0:
                runs[command.title].append(measured)
        print(f"\r{listed[0].title[:30]} …: {number + 1} of {rounds} rounds", end="", file=sys.stderr)
    print(file=sys.stderr)
    return runs


def starts(python: str) -> list[Command]:
    """The commands whose start is measured, after the imports that they are measured by."""
    archcalc = str(Path(python).parent / "archcalc")
    return [
        Command(f'`python -c "{BASELINE}"`', (python, "-c", BASELINE)),
        Command('`python -c ""`', (python, "-c", "")),
        Command("`archcalc table vgg16`", (archcalc, "table", "vgg16")),
        Command("`archcalc --help`", (archcalc, "--help")),
        Command("`archcalc list`", (archcalc, "list")),
    ]


def torches(python: str, torch: str) -> list[Command]:
    """VGG-16 by archcalc and by torchinfo, on numbers and on torch's meta device."""
    script = str(Path(__file__).with_name("vgg16_torch.py"))
    return [
        Command("`archcalc table vgg16`", (str(Path(python).parent / "archcalc"), "table", "vgg16")),
        Command('`python -c "import torch"`', (torch, "-c", "import torch")),
        Command("`torchinfo.summary` of VGG-16", (torch, script)),
        Command("`torchinfo.summary` of VGG-16, on the meta device", (torch, script, "meta")),
    ]


def symbols(python: str) -> list[Command]:
    """The start of what works on symbols, after the import of sympy that it is measured by."""
    archcalc = str(Path(python).parent / "archcalc")
    return [
        Command('`python -c "import sympy"`', (python, "-c", "import sympy")),
        Command("`archcalc formula resnet152 --free H,W`", (archcalc, "formula", "resnet152", "--free", "H,W")),
        Command("`archcalc table vgg16 --input HxWx3`", (archcalc, "table", "vgg16", "--input", "HxWx3")),
    ]


def chain(python: str, layers: int) -> Command:
    """A net of so many convolutions, one behind the other, as JSON."""
    net = f"input 32x32x8; repeat {layers} {{ conv 3/1/1 8 }}"
    archcalc = str(Path(python).parent / "archcalc")
    return Command(f"`repeat {layers} {{ conv 3/1/1 8 }}`", (archcalc, "table", net, "--format", "json"))


def seconds_of(runs: list[Run]) -> float:
    return statistics.median(each.seconds for each in runs)


def peak_of(runs: list[Run]) -> int:
    return max(each.peak for each in runs)


def table(first: str, runs: Runs, unit: str = "ms") -> str:
    """A Markdown table: median, the middle half, the quickest, the highest peak, and the ratio to the first command."""
    lines = [
        f"| {first} | median, {unit} | middle half, {unit} | quickest, {unit} | peak memory, MB | ratio |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    base = seconds_of(next(iter(runs.values())))
    for title, measured in runs.items():
        times = [each.seconds for each in measured]
        low, middle, high = statistics.quantiles(times, n=4)
        figures = " | ".join(
            (shown(middle, unit), f"{shown(low, unit)} to {shown(high, unit)}", shown(min(times), unit))
        )
        lines.append(f"| {title} | {figures} | {peak_of(measured) / MB:,.1f} | {middle / base:.2f} |")
    return "\n".join(lines)


def shown(seconds: float, unit: str) -> str:
    return f"{seconds:,.2f}" if unit == "s" else f"{1000 * seconds:,.1f}"


def requirements(runs: Runs, chains: Runs, formulas: Runs, points: float) -> list[Requirement]:
    """What archcalc promises of its speed, beside what was measured."""
    sympy, resnet152, _ = map(seconds_of, formulas.values())
    base, _, vgg16, help_, _ = map(seconds_of, runs.values())
    memory = peak_of(runs["`archcalc table vgg16`"]) / MB
    short, long = map(seconds_of, chains.values())
    return [
        Requirement("`archcalc table vgg16` to the imports of click and rich", vgg16 / base, 1.5, "times"),
        Requirement("`archcalc table vgg16`, peak memory", memory, 40, "MB"),
        Requirement("`archcalc --help` to the imports of click and rich", help_ / base, 1, "times"),
        Requirement("100,000 layers", long, 10, "s"),
        Requirement("100,000 layers, peak memory", peak_of(list(chains.values())[1]) / MB, 1000, "MB"),
        Requirement("100,000 layers to 10,000 layers", long / short, 12, "times"),
        Requirement("`archcalc formula resnet152 --free H,W` to the import of sympy", resnet152 / sympy, 3, "times"),
        Requirement("costs of ResNet-50 at 1,000,000 inputs, compiled", points, 1, "s"),
    ]


def verdicts(found: list[Requirement]) -> str:
    lines = ["| requirement | measured | at most | |", "|---|---:|---:|---|"]
    for each in found:
        verdict = "met" if each.met else "**missed**"
        lines.append(f"| {each.sentence} | {each.measured:.2f} {each.unit} | {each.most:,g} {each.unit} | {verdict} |")
    return "\n".join(lines)


def versions_of(python: str, packages: tuple[str, ...]) -> str:
    """The versions of a Python and of some packages in it."""
    return said_by((python, "-c", VERSIONS % (packages,)))


def said_by(words: tuple[str, ...]) -> str:
    """What a process prints."""
    reading, writing = os.pipe()
    actions = [(os.POSIX_SPAWN_DUP2, writing, 1)]
    child = os.posix_spawn(words[0], words, environment(), file_actions=actions)
    os.close(writing)
    with open(reading, encoding="utf-8") as stream:
        text = stream.read().strip()
    os.waitpid(child, 0)
    return text


def machine() -> str:
    """Processor and system."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor()
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()} {platform.machine()}"


def document(arguments: argparse.Namespace) -> tuple[str, bool]:
    """BENCHMARKS.md, and whether all requirements are met."""
    few = max(5, arguments.rounds // 5)  # for what takes long
    load = os.getloadavg()[0]
    runs = take_turns(starts(arguments.python), arguments.rounds)
    chains = take_turns([chain(arguments.python, layers) for layers in (10_000, 100_000)], few)
    formulas = take_turns(symbols(arguments.python), few)
    points = float(said_by((arguments.python, str(Path(__file__).with_name("design_points.py")))))
    found = requirements(runs, chains, formulas, points)
    versions = versions_of(arguments.python, ("archcalc", "click", "rich"))
    parts = [HEAD, verdicts(found), "## Starting", STARTING, table("whole process", runs)]
    parts += ["## Growing", GROWING, table("JSON of a chain", chains, "s")]
    parts += ["## Symbols", SYMBOLS.format(points), table("whole process", formulas)]
    if arguments.torch_python:
        torch_runs = take_turns(torches(arguments.python, arguments.torch_python), few)
        versions += f"; for torch {versions_of(arguments.torch_python, ('torch', 'torchinfo', 'numpy'))}"
        parts += ["## Beside a framework", FRAMEWORK, table("VGG-16, whole process", torch_runs, "s")]
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * PEAK_UNIT / MB
    facts = (
        f"- date: {time.strftime('%Y-%m-%d')}",
        f"- machine: {machine()}; load {load:.1f} at the start",
        f"- versions: {versions}",
        f"- rounds: {arguments.rounds} for the start, {few} for the rest",
        f"- peaks below {own:.1f} MB, that of the measuring process, would not show",
    )
    parts += ["## How it was measured", METHOD, "\n".join(facts)]
    return "\n\n".join(parts), all(each.met for each in found)


HEAD = """# Benchmarks

Written by [benchmarks/startup.py](benchmarks/startup.py); how to run it again stands at the end."""

STARTING = """The measure is what any command line pays that imports click and rich: the first row. The third row is
everything: starting Python, importing, reading the zoo, parsing, building, measuring, and writing the table."""

GROWING = """`input 32x32x8; repeat N { conv 3/1/1 8 }` with `--format json`, which writes out every layer. Ten times
the layers should take no more than ten times the time."""

SYMBOLS = """Formulas need sympy, whose import is the first row. Compiled
([benchmarks/design_points.py](benchmarks/design_points.py)), the formulas of ResNet-50 give all its sums at 1,000,000
heights and widths in {:.2f} s, as 64-bit integers that never wrap around."""

FRAMEWORK = """VGG-16 layer by layer by archcalc, and by `torchinfo.summary` from plain `torch.nn`
([benchmarks/vgg16_torch.py](benchmarks/vgg16_torch.py)). Both print 138,357,544 parameters. On the meta device torch
has shapes but no numbers, so nothing is initialised or multiplied; what `import torch` takes by itself stands above
both. torchinfo reads any PyTorch module, which archcalc does not: the comparison is about one question, what a net
costs."""

METHOD = """```sh
python3 -m venv /tmp/bv && /tmp/bv/bin/pip install .
python3 -m venv /tmp/tv && /tmp/tv/bin/pip install torch==2.13.0 torchinfo==1.8.0 numpy
/tmp/bv/bin/python benchmarks/startup.py --torch-python /tmp/tv/bin/python > BENCHMARKS.md
```

Every figure is of whole processes, each started anew; the commands of a table take turns, after a round that is not
counted. Times are wall-clock, memory is the highest peak of the resident set; 1 MB is 1,000,000 bytes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", default=sys.executable, help="the Python whose archcalc is measured")
    parser.add_argument("--torch-python", help="a Python with torch and torchinfo")
    parser.add_argument("--rounds", type=int, default=50, help="how often each command is started")
    text, met = document(parser.parse_args())
    print(text)
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
