"""Nets that nobody wrote: valid ones are built and add up in every format, broken ones are refused and nothing else."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

import archcalc
from archcalc.analyses.costs import QUANTITIES, Report, fold, measure, sum_of
from archcalc.analyses.expectations import unmet
from archcalc.analyses.oddities import odd
from archcalc.builder import Built
from archcalc.lang.errors import Fault, SpecError, show_all
from archcalc.lang.parser import KEYWORDS
from archcalc.lang.printer import print_tree
from archcalc.library import Net, load
from archcalc.ops import REGISTRY
from archcalc.render import formulas
from archcalc.render.costs import Setting
from archcalc.render.show import View, report_lines
from archcalc.symbolic import failing

thorough = settings(
    deadline=None, suppress_health_check=list(HealthCheck), max_examples=int(os.environ.get("FUZZ", "50"))
)

# ---------------------------------------------------------------- layers that fit whatever arrives
#
# A net is drawn as text, front to back. Of the volume only the depth is kept track of: where a window stands, the
# padding alone has room for it. Layers that keep height and width are drawn where branches of them meet.

KEEPING = (
    *("relu", "relu6", "leakyrelu 0.1", "prelu", "elu", "gelu", "silu", "sigmoid", "tanh", "hardsigmoid", "hardswish"),
    *("id", "dropout", "dropout 0.25", "softmax", "bn", "bn noaffine", "ln", "ln noaffine", "lrn 3", "lrn"),
)
ODD = st.sampled_from(("1", "3", "5", "1x3", "5x1", "(2+1)"))
DEPTHS = st.sampled_from((1, 2, 3, 4, 6, 8, 12))
MAYBE = st.booleans()
BREAKS = st.sampled_from((" ; ", "\n", "\n\n", "  # why\n"))


class Part(NamedTuple):
    """Some text and the depth after it."""

    text: str
    c: int


def divisors(*numbers: int) -> SearchStrategy[int]:
    return st.sampled_from([n for n in range(1, min(numbers) + 1) if all(number % n == 0 for number in numbers)])


def maybe(draw: DrawFn, *words: str) -> str:
    return "".join(f" {word}" for word in words if draw(MAYBE))


@st.composite
def windows(draw: DrawFn) -> str:
    """`f/S/P` for which one cell is enough, the padding smaller than the window."""
    parts = [(f, s, draw(st.integers(0, f - 1))) for f, s in draw(st.tuples(*[st.tuples(ONE_TO_5, ONE_TO_5)] * 2))]
    (fh, sh, top), (fw, sw, left) = parts
    return f"{fh}x{fw}/{sh}x{sw}/{top}:{fh - 1 - top}x{left}:{fw - 1 - left}"


ONE_TO_5 = st.integers(1, 5)


@st.composite
def convolutions(draw: DrawFn, c: int, window: str) -> Part:
    kind, bias = draw(st.sampled_from(("conv", "deconv", "dwconv"))), maybe(draw, "nobias")
    if kind == "dwconv":
        m = draw(st.integers(1, 2))
        return Part(f"dwconv {window} multiplier={m}{bias}", c * m)
    n = draw(DEPTHS)
    return Part(f"{kind} {window} {n} groups={draw(divisors(c, n))}{bias}", n)


@st.composite
def pools(draw: DrawFn, c: int, window: str) -> Part:
    kind = draw(st.sampled_from(("pool", "maxpool", "avgpool")))
    return Part(f"{kind} {window}{maybe(draw, *(['nocountpad'] * (kind == 'avgpool')), 'ceil')}", c)


@st.composite
def slices(draw: DrawFn, c: int) -> Part:
    kind, parts = draw(st.integers(0, 3)), draw(divisors(c))
    if kind == 0:
        first = draw(st.integers(0, c - 1))
        last = draw(st.integers(first + 1, c))
        return Part(f"slice {first}:{last}", last - first)
    if kind == 1:
        return Part(f"split {parts} {draw(st.integers(0, parts - 1))}", c // parts)
    return Part(f"shuffle {parts}", c) if kind == 2 else Part(f"shortcut 1 {c + parts}", c + parts)


@st.composite
def keeping(draw: DrawFn, c: int) -> Part:
    """A layer that keeps height and width."""
    kind = draw(st.integers(0, 6))
    if kind == 0:
        return draw(convolutions(c, f"{draw(ODD)}/1/half"))
    if kind == 1:
        n = draw(DEPTHS)
        return Part(f"conv {draw(ONE_TO_5)}x{draw(ONE_TO_5)}/1/same {n} dilation={draw(ONE_TO_5)}", n)
    if kind == 2:
        return draw(pools(c, f"{draw(ODD)}/1/{draw(st.sampled_from(('half', 'same')))}"))
    if kind == 3:
        return draw(slices(c))
    return Part(draw(st.sampled_from(KEEPING)), c)


@st.composite
def changing(draw: DrawFn, c: int) -> Part:
    """A layer that may change height and width."""
    kind = draw(st.integers(0, 8))
    if kind == 0:
        return draw(convolutions(c, draw(windows()))) if draw(MAYBE) else draw(pools(c, draw(windows())))
    if kind == 1:
        n = draw(DEPTHS)
        s = draw(st.integers(1, 4))
        return Part(f"deconv {draw(ONE_TO_5)}/{s}/{draw(st.sampled_from(('0', 'same')))} {n} extra={s - 1}", n)
    if kind == 2:
        word = draw(st.sampled_from(("full", "same")))
        return draw(
            convolutions(c, f"{draw(ONE_TO_5)}/{draw(ONE_TO_5)}/{word}").filter(lambda part: "deconv" not in part.text)
        )
    if kind == 3:
        return Part(f"adaptiveavgpool {draw(ONE_TO_5)}x{draw(ONE_TO_5)}", c)
    if kind == 4:
        return Part(f"upsample {draw(st.integers(1, 3))}x{draw(st.integers(1, 3))}", c)
    if kind == 5:
        return Part(f"pad {draw(st.integers(0, 3))}:{draw(st.integers(0, 3))}", c)
    if kind == 6:
        return Part("pad 3 ; crop 2x1:3", c)
    if kind == 7:
        return Part("gap", c)
    n = draw(DEPTHS)
    return Part(f"{maybe(draw, 'flatten ;')} fc {n}{maybe(draw, 'nobias')}".strip(), n)


# ---------------------------------------------------------------- what layers stand in


class Writer:
    """Draws a body, statement by statement; knows which labels are given and which blocks there are."""

    def __init__(self, draw: DrawFn) -> None:
        self.draw = draw
        self.given = 0
        self.blocks = 0

    def label(self) -> str:
        self.given += 1
        return f"v{self.given}"

    def joined(self, texts: list[str]) -> str:
        return "".join(text + self.draw(BREAKS) for text in texts[:-1]) + "".join(texts[-1:])

    def body(self, c: int, keep: bool, deep: int, labels: bool = True) -> Part:
        texts = []
        for _ in range(self.draw(st.integers(0, 3))):
            text, c = self.statement(c, keep, deep, labels)
            texts.append(text)
        return Part(self.joined(texts), c)

    def ending(self, c: int, n: int, deep: int, labels: bool) -> str:
        """A body that keeps height and width and ends in a given depth."""
        text, _ = self.body(c, True, deep, labels)
        return f"{text}\nconv 1 {n}" if text else f"conv 1 {n}"

    def statement(self, c: int, keep: bool, deep: int, labels: bool) -> Part:
        kind = self.draw(st.integers(0, 14 if deep else 4))
        if kind <= 4:
            text, c = self.draw(keeping(c) if keep or kind < 3 else changing(c))
            named = labels and ";" not in text and self.draw(MAYBE)
            return Part(f"{self.label()}: {text}" if named else text, c)
        if kind <= 7:
            return self.merge(c, deep - 1, labels)
        if kind <= 9:
            return self.repeat(c, deep - 1, labels)
        if kind == 10:
            n, m = self.draw(DEPTHS), self.draw(DEPTHS)
            then, other = (self.ending(c, n, deep - 1, labels=False) for _ in range(2))
            return Part(f"if depth > {m} {{ {then} }} else {{ {other} }}", n)
        if kind == 11 and labels:
            return Part(f"output {self.label()} {{ {self.body(c, False, deep - 1)[0]}\ngap ; fc 2 }}", c)
        if kind == 12 and labels:
            return self.skip(c, deep - 1)
        if kind == 13 and labels and not keep:
            return self.second_input()
        if self.blocks:
            n, label = self.draw(DEPTHS), f"{self.label()}: " if labels else ""
            times = self.draw(st.sampled_from(("", "", " * 2", " * (1 + 1)")))
            return Part(f"{label}b{self.draw(st.integers(1, self.blocks))}({n}){times}", n)
        return Part("relu", c)

    def merge(self, c: int, deep: int, labels: bool) -> Part:
        kind = self.draw(st.sampled_from(("add", "concat", "mul")))
        if kind == "concat":
            branches = [self.body(c, True, deep, labels) for _ in range(self.draw(st.integers(2, 3)))]
            return Part(f"concat {{ {' | '.join(text for text, _ in branches)} }}", sum(part.c for part in branches))
        if kind == "mul" and self.draw(MAYBE):
            return Part(f"mul {{ id | gap ; fc {c} ; sigmoid }}", c)
        first = self.ending(c, c, deep, labels)
        return Part(f"{kind} {{ {first} | {self.draw(st.sampled_from(('', 'id', f'bn ; conv 1 {c}')))} }}", c)

    def repeat(self, c: int, deep: int, labels: bool) -> Part:
        times = self.draw(st.integers(0, 3))
        if times and self.draw(MAYBE):
            n = self.draw(DEPTHS)
            return Part(f"repeat {times} as i {{ conv 3/1/half {n}*(i+1) ; bn }}", n * times)
        return Part(f"repeat {times} {{ {self.ending(c, c, deep, labels)} }}", c)

    def skip(self, c: int, deep: int) -> Part:
        label, n = self.label(), self.draw(DEPTHS)
        kind = self.draw(st.sampled_from(("add", "mul", "concat", "share", "from")))
        text = f"{label}: conv 3/1/1 {n} ; {self.ending(n, n, deep, labels=True)} ; "
        if kind == "share":
            return Part(f"conv 1 {n} ; {text}conv 3/1/1 {n} share={label}", n)
        if kind == "from":
            aside = self.label()
            return Part(f"{text}output {aside} ; from {label} ; concat {label}, {aside}", 2 * n)
        return Part(f"{text}{kind} {label}", n + n * (kind == "concat"))

    def second_input(self) -> Part:
        label, n = self.label(), self.draw(DEPTHS)
        return Part(f"gap ; {label}: fc {n} ; input 3x4x{n} ; gap ; add {label}", n)

    def block(self) -> str:
        inner = self.ending(4, 4, 1, labels=False)
        self.blocks += 1
        last = "if depth != n { conv f/1/half n } else { let m = depth // 1 ; conv 1 m }"
        return f"block b{self.blocks}(n, f=3) {{ conv 1 4 ; {inner}\n{last} }}"

    def net(self) -> str:
        blocks = [self.block() for _ in range(self.draw(st.integers(0, 2)))]
        h, w, c = (self.draw(st.integers(1, 20)) for _ in "hwc")
        size = f"{h}x{w}x{c}" if self.draw(MAYBE) or h * w > 1 else f"{c}"
        first = [f"{self.label()}: input {size}" if self.draw(MAYBE) else f"input {size}"]
        for _ in range(self.draw(st.integers(1, 5))):
            text, c = self.statement(c, False, 3, True)
            first.append(text)
        body = self.joined(first)
        if self.draw(MAYBE):
            body = f'arch net(k=3) "drawn by lot" {{\n{body}\n}}'
        return "\n".join([*blocks, body])


@st.composite
def nets(draw: DrawFn) -> str:
    return Writer(draw).net()


def measured(net: Net) -> tuple[Built, Report]:
    built = net.build()
    return built, measure(built.graph, built.assumptions)


def lines(built: Built, report: Report, view: View) -> str:
    return "\n".join(report_lines(report, built, Setting(2, "float16"), view, io.StringIO()))


# ---------------------------------------------------------------- laws


@thorough
@given(nets())
def test_a_net_is_built_and_every_size_is_at_least_one(text: str) -> None:
    _, report = measured(load(text))
    assert all(n >= 1 for row in report.rows for n in row.cost.out)
    assert len({row.node.name for row in report.rows}) == len(report.rows)


@thorough
@given(nets())
def test_the_layers_add_up_to_the_totals_however_they_are_folded(text: str) -> None:
    _, report = measured(load(text))
    totals = report.total()
    for depth in (None, 0, 1, 2):
        parts = fold(report.rows, depth)
        for quantity in ("layers", *QUANTITIES):
            assert sum_of(getattr(part.totals, quantity) for part in parts) == getattr(totals, quantity)


@thorough
@given(nets(), st.sampled_from((None, 0, 1)))
def test_every_format_says_the_same(text: str, depth: int | None) -> None:
    built, report = measured(load(text))
    for form in ("table", "md"):
        assert built.graph.name in lines(built, report, View(form, depth=depth))
    document = json.loads(lines(built, report, View("json")))
    rows = list(csv.DictReader(io.StringIO(lines(built, report, View("csv")))))
    assert [row["layer"] for row in rows] == [layer["name"] for layer in document["layers"]]
    for quantity in ("params", "macs", "flops", "bytes"):
        whole = document["totals"][quantity]
        assert sum(layer[quantity] for layer in document["layers"]) == whole
        assert sum(int(row[quantity] or 0) for row in rows) == whole


@thorough
@given(nets())
def test_the_canonical_text_is_the_same_net(text: str) -> None:
    net = load(text)
    _, report = measured(net)
    _, again = measured(load(print_tree(net.tree)))
    assert [(row.node.name, row.cost) for row in again.rows] == [(row.node.name, row.cost) for row in report.rows]


# ---------------------------------------------------------------- broken ones

WORDS = (
    *sorted({*REGISTRY, *KEYWORDS, "half", "same", "full", "groups=2", "share=v1", "nobias", "ceil", "as i"}),
    *("v1", "v2", "b1", "b1(3)", "n", "k", "depth", "height", "input 8x8x3", "HxWx3", "H", "expect params = 3"),
    *("0", "1", "2", "7", "0.5", "1e3", "10**12", "-1", "3/2/1", "1:2", "3x3", "x", "let n = 2", "use resnet"),
    *'{}()|;:,=*/+-<>~\n "#.[]%@\0é',
    *("**", "//", "==", "<=", "add v1, v2", "output o { fc 3 }"),
)
TOKEN = re.compile(r"\w+|\s+|.")


@st.composite
def broken(draw: DrawFn) -> str:
    """A net with some of its words left out, doubled, swapped or replaced."""
    words = TOKEN.findall(draw(nets()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(words) - 1))
        change = draw(st.integers(0, 3))
        if change == 0:
            words[at] = ""
        elif change == 1:
            words[at] *= 2
        elif change == 2:
            other = draw(st.integers(0, len(words) - 1))
            words[at], words[other] = words[other], words[at]
        else:
            words[at] = draw(st.sampled_from(WORDS))
    return "".join(words)


def assert_built_or_refused(text: str) -> None:
    """The net is built and looked at in all ways, or there is a `SpecError` that can be shown; nothing else happens."""
    try:
        net = load(text)
        built, report = measured(net)
        for form in ("table", "csv", "md", "json"):
            lines(built, report, View(form, depth=1))
        faults = tuple(unmet(report, built.expects) + odd(report, net.tree, net.arch))
    except SpecError as error:
        faults = error.faults or (Fault(""),)
    assert all(fault.message and show_all((fault,)).startswith("error: ") for fault in faults)


@thorough
@given(broken())
def test_a_broken_net_is_refused_or_built_and_nothing_else(text: str) -> None:
    assert_built_or_refused(text + "\n")


@thorough
@given(st.lists(st.sampled_from(WORDS), max_size=30))
def test_words_in_any_order_are_refused_or_built_and_nothing_else(words: list[str]) -> None:
    assert_built_or_refused("input 8x8x4 ; " + " ".join(words))


@thorough
@given(nets())
def test_a_net_of_symbols_is_refused_or_built_and_nothing_else(text: str) -> None:
    assert_built_or_refused(re.sub(r"input \w+", "input NxNx(4)", text))


@thorough
@given(nets(), st.integers(1, 40), st.integers(1, 40))
def test_the_formulas_of_a_net_give_its_numbers_or_tell_that_they_do_not_hold(text: str, h: int, w: int) -> None:
    try:
        found = archcalc.formula(text, "H,W")
    except SpecError:  # it asks for numbers, or fits no input; or it has none whose sides could be free
        return
    for form in ("table", "csv", "md", "json", "latex"):
        assert "".join(formulas.lines(found.report, found.built, Setting(found.batch), View(form), io.StringIO()))
    numbers = {"H": h, "W": w}
    depth, *others = (row.output.c for row in found.layers if not row.inputs)
    if others:
        return  # `analyze` replaces the first input only
    try:
        exact = archcalc.load(text).analyze(f"{h}x{w}x{depth}").totals
    except SpecError:
        assert failing(found.assumptions, numbers)
        return
    assert found.at(**numbers) == exact
    assert tuple(map(int, found.compile()(**{name: numbers[name] for name in found.compile().symbols}))) == exact


@pytest.mark.parametrize("text", ["input 3", "input 8x8x3; x: relu; output o from x; output p from o; fc 3"])
def test_small_nets_are_built(text: str) -> None:
    assert_built_or_refused(text)
    assert load(text).build().graph.nodes
