"""The Python interface: what the commands do, as functions.

>>> import archcalc
>>> report = archcalc.load("vgg16").analyze(batch=2)
>>> report.totals.params, report.layers[1].name, str(report.layers[1].output)
(138357544, 'conv1_1', '224x224x64')
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from archcalc.analyses.capacity import Fit, read_memory
from archcalc.analyses.capacity import fit as run_fit
from archcalc.analyses.comparison import SORTS, Comparison
from archcalc.analyses.comparison import compare as run_compare
from archcalc.analyses.costs import Report, Row, Totals, add_up, measure
from archcalc.analyses.counting import Tally, tallies
from archcalc.analyses.differences import Difference
from archcalc.analyses.differences import diff as run_diff
from archcalc.analyses.expectations import unmet
from archcalc.analyses.explanation import Explained, Explanation
from archcalc.analyses.explanation import explain as run_explain
from archcalc.analyses.memory import Ledger, Plan, account
from archcalc.analyses.quantities import named_part
from archcalc.analyses.receptive import View as Seen
from archcalc.analyses.receptive import follow
from archcalc.analyses.roofline import Roofline, find_device, roof
from archcalc.analyses.rules import find_rule
from archcalc.builder import Assumption, Built
from archcalc.homework.exercises.quizzes import Quiz as Exercises
from archcalc.homework.exercises.quizzes import draw
from archcalc.homework.submissions import Checked as Marks
from archcalc.lang.errors import SpecError
from archcalc.lang.printer import print_tree
from archcalc.library import Net, extract
from archcalc.library import load as find
from archcalc.lineup import gather, refuse_twins
from archcalc.search import Answer as Explanations
from archcalc.search import match as run_match
from archcalc.solving import CHOICES, ask, solve_by_search
from archcalc.solving import Answer as Solved
from archcalc.units import BYTES_PER_VALUE, COMPUTED
from archcalc.verification import Verdict, Wish, verify_all
from archcalc.volume import Dim

if TYPE_CHECKING:
    import pandas

    from archcalc.executor.compiled import CompiledCosts
    from archcalc.executor.execution import Execution

__all__ = [
    "Analysis",
    "Answer",
    "Architecture",
    "Checked",
    "ClaimsFail",
    "Comparison",
    "Derivation",
    "Difference",
    "Figure",
    "Fit",
    "Formulas",
    "Ledger",
    "Plan",
    "Quiz",
    "Roofline",
    "SpecError",
    "Verdict",
    "check",
    "compare",
    "count",
    "diff",
    "explain",
    "fit",
    "formula",
    "load",
    "match",
    "memory",
    "quiz",
    "receptive",
    "roofline",
    "run",
    "solve",
    "verify",
]


class Analysis(NamedTuple):
    """What a net costs. Figures are exact integers, or formulas where the input has symbols."""

    report: Report
    built: Built
    batch: int = 1
    dtype: str = "float32"

    @property
    def layers(self) -> tuple[Row, ...]:
        """The layers in the order of the text, the inputs among them; the figures of one image."""
        return self.report.rows

    @property
    def totals(self) -> Totals:
        """The sums over all layers, for the whole batch."""
        return self.report.total().of_batch(self.batch)

    def to_frame(self) -> pandas.DataFrame:
        """The layer table as a DataFrame: a row a layer, every figure exact, for the whole batch."""
        from archcalc.frame import to_frame
        from archcalc.render.costs import Setting, layer_table

        return to_frame(layer_table(self.report, self.built.title, Setting(self.batch, self.dtype)))

    def __str__(self) -> str:
        from archcalc.render.costs import Setting
        from archcalc.render.show import View, report_lines

        return "\n".join(report_lines(self.report, self.built, Setting(self.batch, self.dtype), View(), io.StringIO()))

    def _repr_html_(self) -> str:
        from archcalc.render.costs import Setting
        from archcalc.render.show import notebook_lines

        return "\n".join(notebook_lines(self.report, self.built, Setting(self.batch, self.dtype)))


class Formulas(NamedTuple):
    """What a net costs as formulas in some symbols: exact for every value that `assumptions` allow.

    >>> import archcalc
    >>> net = archcalc.formula("vgg16", free="H,W")
    >>> net.layers[-8].name, str(net.layers[-8].output), net.at(H=224, W=224).params
    ('pool5', 'floor(H/32) x floor(W/32) x 512', 138357544)
    """

    report: Report
    built: Built
    batch: Dim = 1

    @property
    def layers(self) -> tuple[Row, ...]:
        """The layers in the order of the text; the figures of one image."""
        return self.report.rows

    @property
    def totals(self) -> Totals:
        """The sums over all layers, for the whole batch."""
        return self.total()

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What has to hold of the symbols."""
        return self.report.assumptions

    def total(self, layers: str | None = None) -> Totals:
        """The sums over the whole net, or over a part of it, for the whole batch.

        A part is a layer, a group (`conv2_x`) or a stretch (`conv1_1..pool2`). Raises `SpecError` where there is none.
        """
        return add_up(named_part(self.report, layers).rows).of_batch(self.batch)

    def at(self, **numbers: int) -> Totals:
        """The sums with numbers for the symbols.

        Raises `TypeError` for a symbol missing or no whole number, `ValueError` where there is no such net.
        """
        from archcalc.symbolic import at, failing, symbols_of

        wanted = {name for value in (*self.totals, *self._sides()) for name in symbols_of(value)}
        wrong = {name: number for name, number in numbers.items() if type(number) is not int}
        if wanted - numbers.keys() or wrong:
            raise TypeError(f"whole numbers are wanted for {', '.join(sorted(wanted))}; given {numbers}")
        if any(number < 1 for number in numbers.values()):
            raise ValueError(f"a symbol stands for a number of at least 1; given {numbers}")
        broken = failing(self.assumptions, numbers)
        if broken:
            raise ValueError(f"there is no such net at {numbers}: it holds when {broken[0]}")
        return Totals(*(at(value, numbers) for value in self.totals))

    def _sides(self) -> Iterator[Dim]:
        return chain.from_iterable((each.condition.a, each.condition.b) for each in self.assumptions)

    def compile(self, layers: str | None = None) -> CompiledCosts:
        """The sums, of a part as `total` takes it, as a function over arrays; see `CompiledCosts`."""
        from archcalc.executor.compiled import compile_costs

        return compile_costs(self.total(layers), self.assumptions)

    def __str__(self) -> str:
        from archcalc.render import formulas
        from archcalc.render.costs import Setting
        from archcalc.render.show import View

        return "\n".join(
            formulas.lines(self.report, self.built, Setting(self.batch), View(exactly=True), io.StringIO())
        )


class Figure(NamedTuple):
    """A number of a layer: its formula in letters, that with numbers, and what comes out."""

    layer: str
    name: str
    formula: str
    substitution: str
    value: Dim


class Derivation(NamedTuple):
    """Where the numbers of some layers come from. As text it is what `archcalc explain` prints.

    >>> import archcalc
    >>> figures = {figure.name: figure for figure in archcalc.explain("alexnet", "conv1").figures}
    >>> figures["params"].formula, figures["params"].substitution, figures["params"].value
    ('(F*F*C + 1) * N', '(11*11*3 + 1) * 96', 34944)
    """

    analysis: Analysis
    explanation: Explanation
    full: bool

    @property
    def layers(self) -> tuple[Explained, ...]:
        """The layers, with quantities as terms, windows, and the paths of merges."""
        return tuple(self.explanation.layers)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """All numbers of all layers, for the whole batch."""
        from archcalc.notation.formulas import formula, substitution

        return tuple(
            Figure(layer.row.name, each.name, formula(each.term), substitution(each.term), each.value)
            for layer in self.layers
            for each in layer.quantities
        )

    def __str__(self) -> str:
        from archcalc.render import derivations, explanations, show
        from archcalc.render.costs import Setting

        report, setting = self.analysis.report, Setting(self.analysis.batch, self.analysis.dtype)
        view = derivations.View(show.title(report, self.analysis.built, setting), setting, self.full)
        return "\n".join(explanations.lines(self.explanation, view, io.StringIO()))


class Architecture(NamedTuple):
    """A net that was found, and can be asked."""

    net: Net

    @property
    def text(self) -> str:
        """Its text, canonical, with the blocks that it uses."""
        return print_tree(extract(self.net))

    def analyze(self, input: str | None = None, batch: int = 1, dtype: str = "float32") -> Analysis:
        """The cost of every layer, on another input (`"192x192x3"`) if one is given.

        Raises `SpecError` with all faults of the text, or of its `expect` lines.
        """
        if batch < 1 or dtype not in BYTES_PER_VALUE:
            raise ValueError(f"batch must be at least 1 and dtype one of {', '.join(BYTES_PER_VALUE)}")
        built = self.net.build(input)
        report = measure(built.graph, built.assumptions)
        faults = unmet(report, built.claimed)
        if faults:
            raise SpecError(faults)
        return Analysis(report, built, batch, dtype)


def explain(
    arch: str | PathLike[str],
    layer: str | None = None,
    input: str | None = None,
    batch: int = 1,
    dtype: str = "float32",
) -> Derivation:
    """Every number of a layer, a group or a stretch (`"conv1_1..pool1"`) as formula, substitution and result.

    Without `layer` those of the whole net. Raises `SpecError`, also for a layer that there is not.
    """
    analysis = load(arch).analyze(input, batch, dtype)
    explanation = run_explain(analysis.report, layer, batch, BYTES_PER_VALUE[dtype])
    return Derivation(analysis, explanation, layer is not None)


def formula(arch: str | PathLike[str], free: str | Sequence[str] = (), input: str | None = None) -> Formulas:
    """What a net costs as formulas.

    `free` names the symbols, `"H,W,k"` or one by one: H, W and C are height, width and depth of the input, N is the
    batch, every other is an argument of the net. Symbols of the net's own input (`input HxWx3`) are free anyway. Raises
    `SpecError`.
    """
    names = [name.strip() for name in free.split(",")] if isinstance(free, str) else list(free)
    built, batch = load(arch).net.build_free(tuple(name for name in names if name), input)
    return Formulas(measure(built.graph, built.assumptions), built, batch)


class Answer(Solved):
    """What solves a question. As text it is what `archcalc solve` prints.

    >>> import archcalc
    >>> print(str(archcalc.solve("conv 11/?/0 96", input=227, out=55)).splitlines()[0])
    conv 11/?/0 96; input 227x227x3; output 55x55: 1 solution
    """

    __slots__ = ()

    def __str__(self) -> str:
        from archcalc.render.show import View
        from archcalc.render.solutions import lines

        return "\n".join(lines(self, View(), io.StringIO()))


def solve(
    arch: str | PathLike[str],
    input: str | int | Sequence[int] | None = None,
    out: str | int | Sequence[int] | None = None,
    at: str | None = None,
    such_that: str | Sequence[str] = (),
    like: str | None = None,
    no_drops: bool = False,
    choice: str = "",
    most: int = 10,
) -> Answer:
    """Which numbers stand in place of each `?` of a net, or on which inputs it is as wanted.

    The words are those of `archcalc solve`, sizes numbers too (227, `(227, 227, 3)`); `choice` is `largest` or
    `smallest`. All solutions are found; the `most` usual of them are built. Raises `SpecError`.

    >>> import archcalc
    >>> [solution.values for solution in archcalc.solve("conv ?/4/0 96", input=227, out=(55, 55)).solutions]
    [(11,), (9,), (10,), (8,)]
    """
    if choice not in CHOICES or most < 1:
        raise ValueError(f"choice must be one of {', '.join(map(repr, CHOICES))}, and most at least 1")
    wanted = (such_that,) if isinstance(such_that, str) else such_that
    question = ask(str(arch), _size_text(input), _size_text(out), at, wanted, like, no_drops)
    if any(unknown.side for unknown in question.unknowns):
        from archcalc.symbolic.inputs import solve_inputs

        return Answer(*solve_inputs(question, most, choice))
    return Answer(*solve_by_search(question, most, choice))


def _size_text(size: str | int | Sequence[int] | None) -> str | None:
    """A size as the command line has it."""
    if size is None or isinstance(size, str):
        return size
    return "x".join(map(str, [size] if isinstance(size, int) else size))


def compare(
    *archs: str | PathLike[str],
    input: str | None = None,
    depth: int = 1,
    sort: str | None = None,
    plot: str | PathLike[str] | None = None,
    rule: str | None = None,
) -> Comparison:
    """Nets side by side: their sums for one image, and stage by stage. `plot` names an .svg, .png or .pdf file to draw.

    `sort` is params, macs, flops, memory, name or year, from small to large; `rule` counts by another rule than ours.
    Raises `SpecError`, also for two nets of one name, and where matplotlib is not installed.

    >>> import archcalc
    >>> [(net.name, net.totals.params) for net in archcalc.compare("vgg16", "googlenet", sort="params").members]
    [('googlenet', 6998552), ('vgg16', 138357544)]
    """
    if not archs or (sort is not None and sort not in SORTS):
        raise ValueError(f"name one net or more, and sort by one of {', '.join(SORTS)}")
    by = find_rule(rule) if rule else None
    entrants = refuse_twins(gather([str(arch) for arch in archs], input, rule=by))
    found = run_compare([each.measured for each in entrants], depth, sort)
    if plot is not None:
        from archcalc.plots import draw

        draw(found, str(plot), unit=by.macs_unit if by else "MACs")
    return found


def diff(
    before: str | PathLike[str],
    after: str | PathLike[str],
    input: str | None = None,
    depth: int | None = None,
    rule: str | None = None,
) -> Difference:
    """What changed between two nets: layers aligned, and the steps that lead from the sums of one to the other's.

    With `depth`, steps are told apart by the groups of that depth. `rule` counts by another rule than ours, layers
    alike in both nets alike. Raises `SpecError`.

    >>> import archcalc
    >>> found = archcalc.diff("resnet50", "resnet50_v1")
    >>> [(step.kind, step.names, step.delta.macs) for step in found.steps][:1]
    [('moved', ('conv3_x', 'conv4_x', 'conv5_x'), -231211008)]
    """
    one, other = gather((str(before), str(after)), input, rule=find_rule(rule).alike if rule else None)
    return run_diff(one.report, other.report, depth)


def count(arch: str | PathLike[str], rule: str = "all", input: str | None = None) -> tuple[Tally, ...]:
    """What a net costs for one image by a rule of counting, by name or as a TOML file, or by all that there are.

    Each has its `.rule`, its figures in `.counts`, and where its cost and its parameters differ from ours. Raises
    `SpecError`.

    >>> import archcalc
    >>> (fvcore,) = archcalc.count("resnet50", "fvcore")
    >>> fvcore.counts["cost"].value, [(each.types, each.value) for each in fvcore.apart]
    (4111512576, [(('bn',), 22227968), (('gap',), 100352)])
    """
    built = load(arch).net.build(input)
    return tuple(tallies(measure(built.graph, built.assumptions), rule))


def match(
    value: str | int, arch: str | PathLike[str] | None = None, input: str | None = None, rule: str = "all"
) -> Explanations:
    """Which rules of counting, or sums of known differences, give printed figures: `"4.13G"`, `"4.1G params=25.6M"`.

    Of a net, else of all nets of the zoo; `.hits` are the nets that give all figures, each with `.matches`, the
    simplest first. Raises `SpecError`.

    >>> import archcalc
    >>> (net,) = archcalc.match("4.13G", "resnet50").hits
    >>> [(way.base.by, int(way.value)) for way in net.matches[0]]
    [((('ptflops', 'MACs'),), 4132436968), ((('thop', 'MACs'),), 4133742592)]
    """
    return run_match(str(value), None if arch is None else str(arch), input, rule)


def memory(arch: str | PathLike[str], plan: Plan | None = None, input: str | None = None) -> Ledger:
    """The memory of a net, in bytes: at inference, and for a step of training. Raises `SpecError`.

    >>> import archcalc
    >>> ledger = archcalc.memory("resnet50", archcalc.Plan(batch=4, optimizer="adam"))
    >>> ledger.training.saved, ledger.training.optimizer, ledger.inference.peak_at
    (343866532, 204456256, 'conv2_x.bn4')
    """
    built = load(arch).net.build(input)
    return account(measure(built.graph, built.assumptions), plan or Plan())


def fit(
    arch: str | PathLike[str],
    memory: int | str,
    plan: Plan | None = None,
    training: bool = True,
    input: str | None = None,
) -> Fit:
    """The largest batch whose ledger is within a memory, in bytes or as text (`"8GiB"`). Raises `SpecError`.

    >>> import archcalc
    >>> found = archcalc.fit("vgg16", "8GiB", archcalc.Plan(dtype="float16", optimizer="adam"))
    >>> found.batch, found.needed <= found.memory < found.needed_next
    (175, True)
    """
    built = load(arch).net.build(input)
    report = measure(built.graph, built.assumptions)
    return run_fit(report, plan or Plan(), read_memory(memory) if isinstance(memory, str) else memory, training)


def receptive(arch: str | PathLike[str], input: str | None = None) -> dict[str, tuple[Seen, ...]]:
    """The receptive fields of each layer by its name: on the first input, then on the others that it sees.

    Each has `size`, `jump`, `start`, of rows and columns, and `aligned`. Raises `SpecError`.

    >>> import archcalc
    >>> pool5 = archcalc.receptive("vgg16")["pool5"][0]
    >>> pool5.size, pool5.start, pool5.aligned
    ((212, 212), (-90, -90), True)
    """
    built = load(arch).net.build(input)
    return {views[0].row.name: views for views in follow(measure(built.graph, built.assumptions))}


def roofline(
    arch: str | PathLike[str],
    device: str | PathLike[str],
    dtype: str = "float32",
    batch: int = 1,
    input: str | None = None,
) -> Roofline:
    """How long a net takes at least on a device, by name (`"a100"`) or as a TOML file, layer by layer: no measurement.

    Raises `SpecError`, also for a device that there is not, and for a type that it has no peak for.

    >>> import archcalc
    >>> fc6 = next(load for load in archcalc.roofline("vgg16", "v100").loads if load.row.name == "fc6")
    >>> fc6.by, fc6.weights, round(float(fc6.intensity), 3)
    ('memory', 411058176, 0.5)
    """
    if batch < 1:
        raise ValueError("batch must be at least 1")
    built = load(arch).net.build(input)
    return roof(measure(built.graph, built.assumptions), find_device(str(device)), dtype, batch)


class Quiz(Exercises):
    """Exercises drawn from a seed: `.questions`. As text they are what `archcalc quiz` prints."""

    __slots__ = ()

    def text(self, format: str = "table", key: bool = False) -> str:
        """The quiz or its key as `archcalc quiz` writes it: table, csv, md, latex, json, toml."""
        from archcalc.render.exercises import lines

        return "\n".join(lines(self, key, format, io.StringIO()))

    def __str__(self) -> str:
        return self.text()


def quiz(
    levels: str | int | Sequence[str | int] = (),
    seed: int = 1,
    count: int | None = None,
    fits: bool = True,
    student: str = "",
) -> Quiz:
    """Exercises of some levels, by number or name (all six in turn where none is named), the same for the same seed.

    `fits` lets all sizes come out whole; `student` gets a variant. Raises `SpecError` for a level that there is not,
    and for more questions than are drawn.

    >>> import archcalc
    >>> fit = archcalc.quiz("fit", seed=2)
    >>> fit.questions[0].net.splitlines()[-1], fit.questions[0].wanted, fit.text("csv", key=True).splitlines()[1]
    ('pool1: maxpool ?f/2', '8x8', '1,,f = 3')
    """
    named = (levels,) if isinstance(levels, (str, int)) else levels
    [drawn] = draw([str(level) for level in named], seed, count, fits, [student] if student else ())
    return Quiz(*drawn)


def run(
    arch: str | PathLike[str],
    input: str | None = None,
    batch: int = 1,
    dtype: str = "float32",
    seed: int = 0,
    weights: str | PathLike[str] | None = None,
    image: str | PathLike[str] | Mapping[str, str | PathLike[str]] | None = None,
    layers: str | None = None,
    reference: bool = False,
    backward: bool = False,
) -> Execution:
    """Runs a net on numbers, layer by layer, each beside what the analysis says of it: `.agrees`, `.outputs`.

    Weights and inputs are drawn from the seed where no file is given: `weights` is an `.npz` or `.safetensors` file,
    `image` a `.png` or `.npy` file, or one for each of several inputs by name. Raises `SpecError` for files, names
    and memory that do not fit; what disagrees is told by what is returned.

    >>> import archcalc
    >>> execution = archcalc.run("lenet5")
    >>> execution.agrees, execution.outputs["output"].shape, len(execution.layers)
    (True, (1, 1, 1, 10), 12)
    """
    from archcalc.executor.execution import execute
    from archcalc.executor.forward import Request

    if batch < 1 or seed < 0 or dtype not in COMPUTED:
        raise ValueError(f"batch must be at least 1, seed at least 0, and dtype one of {', '.join(COMPUTED)}")
    named = image if isinstance(image, Mapping) else {} if image is None else {"": image}
    files = tuple(f"{name}={path}" if name else str(path) for name, path in named.items())
    built = load(arch).net.build(input)
    report = measure(built.graph, built.assumptions)
    held = None if weights is None else str(weights)
    return execute(report, Request(batch, dtype, seed, held, files, layers, reference, backward))


class Checked(Marks):
    """Submissions marked, one or those of a class. As text it is what `archcalc check` prints."""

    __slots__ = ()

    def __str__(self) -> str:
        from archcalc.render.marks import Wanted, lines

        return "\n".join(lines(self, Wanted(), io.StringIO()))


def check(
    answers: str | PathLike[str],
    arch: str | PathLike[str],
    rubric: str | PathLike[str] | None = None,
    solutions: bool = True,
    input: str | None = None,
    batch: int | None = None,
    dtype: str | None = None,
) -> Checked:
    """A file of answers, or a folder of them, marked against a net, or against the .toml file of a quiz.

    `.marked` are the submissions, each with its `.marks` cell by cell, `.score` and `.of`; `.faults` tells of files
    that could not be read. `batch` and `dtype` go before those of the rubric. Raises `SpecError` for faults of the net,
    the rubric or the quiz.
    """
    from archcalc.homework.classes import Terms
    from archcalc.homework.classes import check as run_check

    if (batch is not None and batch < 1) or (dtype is not None and dtype not in BYTES_PER_VALUE):
        raise ValueError(f"batch must be at least 1 and dtype one of {', '.join(BYTES_PER_VALUE)}")
    terms = Terms(None if rubric is None else Path(rubric), solutions, input, batch, dtype)
    return Checked(*run_check(Path(answers), str(arch), terms))


def verify(
    *names: str | PathLike[str], baseline: str | PathLike[str] | None = None, allow: str | None = None
) -> Verdict:
    """Holds claims against the engine: of tables, spec files or nets by name, or all that come with archcalc.

    With a baseline the nets, or all that it holds, are held against what they cost when it was written; `allow` is the
    growth that passes: `"params=1%"`. Raises `ClaimsFail` (an `AssertionError`, for tests) that tells each claim that
    fails, printed, computed, and where, and each net that grew; and `SpecError` for a file that cannot be read.
    """
    wish = Wish(tuple(map(str, names)), None if baseline is None else str(baseline), allow=allow)
    verdict = verify_all(wish)
    if not verdict.passes:
        from archcalc.render.verdicts import failures

        raise ClaimsFail("\n".join(failures(verdict)))
    return verdict


class ClaimsFail(AssertionError):
    """Some claims do not hold; the message tells each."""


def load(arch: str | PathLike[str]) -> Architecture:
    """A net of the zoo with or without arguments, a file, `-` for standard input, or the text of a net.

    Raises `SpecError` where there is none of that name, or the file cannot be read.
    """
    return Architecture(find(str(arch)))
