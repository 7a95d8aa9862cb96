"""The questions asked backwards: every answer against brute force, the exercises of lectures, and hostile questions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product, takewhile
from pathlib import Path
from typing import NamedTuple

import pytest
from commands import Run, runner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses.costs import cost_of, measure
from archcalc.cli.entry import main
from archcalc.interval import Interval, between
from archcalc.lang.errors import SpecError
from archcalc.library import load
from archcalc.ops import REGISTRY, Op
from archcalc.solving import Answer, ask, solve_by_search
from archcalc.symbolic.inputs import solve_inputs
from archcalc.volume import Volume

TYPES = sorted({cls.types[0]: cls for cls in REGISTRY.values()}.items())
EXAMPLES = [example for _, cls in TYPES for example in cls.examples]

# ---------------------------------------------------------------- bounds hold


def inside(n: object, bounds: object) -> bool:
    """Whether a number lies within what was found for an interval."""
    if isinstance(bounds, Interval):
        assert isinstance(n, int)
        return bounds.low <= n <= bounds.high
    return n == bounds


def widened(op: Op, by: int) -> Iterator[tuple[Op, Op]]:
    """A layer with one argument as an interval, and with a number from it."""
    for name, field in op.fields.items():
        value = getattr(op, name)
        if field.kind == "Count":
            yield op.replace(**{name: between(value, value + 2 * by)}), op.replace(**{name: value + by})
        elif field.kind.startswith("Pair") and value is not None:
            first = between(value[0], value[0] + 2 * by)
            wide = first, first if value[0] == value[1] else between(value[1], value[1] + 2 * by)
            yield op.replace(**{name: wide}), op.replace(**{name: tuple(n + by for n in value)})
        elif field.kind == "Padding" and not isinstance(value, str):
            wide = tuple(tuple(between(n, n + 2 * by) for n in ends) for ends in value)
            yield op.replace(**{name: wide}), op.replace(**{name: tuple(tuple(n + by for n in ends) for ends in value)})


def legal(op: Op, x: tuple[Volume, ...]) -> bool:
    return all(need.condition is True for need in op.needs(*x)) and min(op.out(*x)) > 0


def assert_bounds_hold(wide: Op, x: tuple[Volume, ...], op: Op, numbers: tuple[Volume, ...]) -> None:
    if not legal(op, numbers):
        return
    try:
        refused = any(need.condition is False for need in wide.needs(*x))
        found = cost_of(wide, x)
    except TypeError:  # a rule that asks what bounds leave open
        return
    assert not refused
    exact = cost_of(op, numbers)
    assert all(inside(n, bounds) for n, bounds in zip(exact.out, found.out, strict=True))
    for name in ("weights", "biases", "buffers", "activations", "rereads", "macs", "flops"):
        assert inside(getattr(exact, name), getattr(found, name)), name


@pytest.mark.parametrize("example", EXAMPLES)
@settings(deadline=None, max_examples=20)
@given(low=st.integers(0, 3), wide=st.integers(1, 9), at=st.integers(0, 9), by=st.integers(1, 3))
def test_bounds_of_what_goes_in_bound_what_comes_out(example: str, low: int, wide: int, at: int, by: int) -> None:
    graph = load(example).build().graph
    rows = measure(graph).rows
    row = next(row for row in rows if row.inputs)
    at = min(at, wide)
    boxes = tuple(Volume(*(between(n + low, n + low + wide) for n in x[:2]), x.c) for x in row.inputs)
    numbers = tuple(Volume(x.h + low + at, x.w + low + at, x.c) for x in row.inputs)  # type: ignore[operator]
    assert_bounds_hold(row.node.op, boxes, row.node.op, numbers)
    for wide_op, op in widened(row.node.op, by):
        assert_bounds_hold(wide_op, row.inputs, op, row.inputs)
        assert_bounds_hold(wide_op, boxes, op, numbers)


@given(st.data())
def test_the_arithmetic_of_bounds_holds_all_numbers_between_them(data: st.DataObject) -> None:
    ends = [sorted(data.draw(st.tuples(st.integers(-9, 9), st.integers(-9, 9)))) for _ in range(2)]
    a, b = (data.draw(st.integers(least, most)) for least, most in ends)
    x, y = (between(*pair) for pair in ends)
    for name in ("__add__", "__sub__", "__mul__"):
        assert inside(getattr(a, name)(b), arithmetic(x, name, y))
    if ends[1][0] > 0:
        assert inside(a // b, arithmetic(x, "__floordiv__", y))
        assert inside(a % b, arithmetic(x, "__mod__", y))
    for name, relation in (("__ge__", a >= b), ("__le__", a <= b), ("__gt__", a > b), ("__lt__", a < b)):
        found = arithmetic(x, name, y)
        assert found not in (True, False) or found is relation


def arithmetic(x: object, name: str, y: object) -> object:
    found = getattr(x, name)(y)
    turned = {"__ge__": "__le__", "__le__": "__ge__", "__gt__": "__lt__", "__lt__": "__gt__"}
    if found is not NotImplemented:
        return found
    return getattr(y, turned.get(name, name.replace("__", "__r", 1)))(x)


# ---------------------------------------------------------------- answers = brute force


def solved(answer: Answer) -> set[tuple[int, ...]]:
    """All values of an answer of the search."""
    return {values for box in answer.boxes for values in product(*(range(least, most + 1) for least, most in box))}


def forward(text: str, size: str, out: str) -> bool:
    """Whether a net gives a size, asked forwards."""
    try:
        graph = load(text).build(size).graph
    except SpecError:
        return False
    return str(measure(graph).rows[graph.outputs[0][1]].output).startswith(out)


class Layer(NamedTuple):
    """A layer with unknowns as a text to be filled in, and the bounds of each by the values before it."""

    text: str
    bounds: tuple[Callable[..., range], ...]


N = 9
LAYERS = {
    "kernel": Layer("conv {}/2/0 4", (lambda n: range(1, n + 1),)),
    "kernel, stride": Layer("conv {}/{}/0 4", (lambda n: range(1, n + 1), lambda n, k: range(1, n + 1))),
    "kernel, padding": Layer("conv {}/2/{} 4", (lambda n: range(1, n + 1), lambda n, k: range(k))),
    "stride, padding": Layer("conv 4/{}/{} 4", (lambda n: range(1, n + 1), lambda n, s: range(4))),
    "all three": Layer(
        "conv {}/{}/{} 4", (lambda n: range(1, n + 1), lambda n, k: range(1, n + 1), lambda n, k, s: range(k))
    ),
    "padding, dilation": Layer(
        "conv 3/1/{} 4 dilation={}", (lambda n: range(n + 1), lambda n, p: range(max(1, (p + 1) // 2), n + 1))
    ),
    "kernel in its padding": Layer("conv {}/1/2 4", (lambda n: range(1, n + 5),)),
    "pooling": Layer("pool {}/{}", (lambda n: range(1, n + 1), lambda n, k: range(1, n + 1))),
    "pooling up": Layer("avgpool {}/2/1 ceil", (lambda n: range(1, n + 3),)),
    "transposed": Layer("deconv {}/{}/1 4", (lambda n: range(1, n + 3), lambda n, k: range(1, n + 3))),
    "stride in its padding": Layer("conv 4/{}/3 4", (lambda n: range(1, n + 7),)),
    "dilation in its padding": Layer(
        "conv 2/{}/3 4 dilation={}", (lambda n: range(1, n + 7), lambda n, s: range(1, n + 7))
    ),
    "two layers": Layer("conv {}/1/0 4; pool {}", (lambda n: range(1, n + 1), lambda n, k: range(1, n + 1))),
}


def brute(layer: Layer, n: int, out: str, values: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    if len(values) == len(layer.bounds):
        if forward(layer.text.format(*values), f"{n}x{n}x3", out):
            yield values
        return
    for each in layer.bounds[len(values)](n, *values):
        yield from brute(layer, n, out, (*values, each))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("out", [1, 3, 4, 9])
def test_a_layer_is_solved_by_what_brute_force_finds(name: str, out: int) -> None:
    layer = LAYERS[name]
    text = layer.text.replace("{}", "?")
    answer = solve_by_search(ask(text, str(N), str(out)), 10)
    expected = set(brute(layer, N, f"{out}x{out}x"))
    assert solved(answer) == expected
    assert answer.number == len(expected)
    assert {each.values for each in answer.solutions} <= expected
    for each in answer.nearest:
        assert not forward(layer.text.format(*each.values), f"{N}x{N}x3", f"{out}x{out}x")


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 40), out=st.integers(1, 40), s=st.integers(1, 5), p=st.integers(0, 3))
def test_a_kernel_is_found_where_there_is_one(n: int, out: int, s: int, p: int) -> None:
    answer = solve_by_search(ask(f"conv ?/{s}/{p} 2", str(n), str(out)), 10)
    kernels = [k for k in range(1, n + 2 * p + 1) if (n + 2 * p - k) // s + 1 == out]
    assert sorted(values[0] for values in solved(answer)) == kernels
    if not kernels:
        found = {k: (n + 2 * p - k) // s + 1 for k in range(1, n + 2 * p + 1)}
        least = min(abs(size - out) for size in found.values())
        assert all(abs(found[each.values[0]] - out) == least for each in answer.nearest[:1])


PARTS = (
    *("conv {0}/{1}/{2} 4", "pool {0}/{1}", "avgpool {0} ceil", "conv {0}/2/half {1}", "conv {0}/{1}/same 4"),
    *("upsample {0}", "deconv {0}/{1} 3 extra={2}", "dwconv 3/1/{0} multiplier={1} dilation={2}", "fc {0}"),
    *(
        "conv 1 6 ; conv 3 6 groups={0}",
        "conv 1 12 ; split 2 {0}",
        "conv 2x{0}/1/{1}:{2}x1 {0}",
        "crop {0} ; pad {1}:{2}",
    ),
    *(
        "repeat {0} {{ conv {1} 3 }}",
        "if {0} > {1} {{ conv {2} 4 }} else {{ relu }}",
        "if height >= 3*{0} {{ pool {1} }}",
    ),
    *("add {{ id | conv {0}/1/{1} depth }}", "block b(n, m={1}) {{ conv n m }} ; b({0})", "shortcut {0} {1}"),
)
WORDS = ("?a", "?b", "1", "2", "(?a+?b)", "(2*?b-1)", "max(?a, 2)")
RELATIONS = {"<=": int.__le__, ">=": int.__ge__, "=": int.__eq__}
MOST = 5


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.sampled_from(PARTS), *[st.sampled_from(WORDS)] * 3), min_size=1, max_size=2),
    st.lists(
        st.tuples(st.sampled_from(("params", "macs", "activations", "layers")), st.sampled_from([*RELATIONS])),
        max_size=2,
    ),
    st.integers(0, 99),
)
def test_whatever_net_it_is_the_answer_is_what_brute_force_finds(
    chain: list[tuple[str, ...]], wanted: list[tuple[str, str]], seed: int
) -> None:
    text = " ; ".join(part.format(*words) for part, *words in chain)
    names = [name for name in ("?a", "?b") if name in text]
    nets = {}
    for numbers_ in product(range(1, MOST + 1), repeat=len(names)):
        filled = text
        for name, n in zip(names, numbers_, strict=True):
            filled = filled.replace(name, str(n))
        with suppress(SpecError):
            nets[numbers_] = measure(load(filled).build("9x8x3").graph).total()
    if not names or not nets:
        return
    chosen = [*nets.values()][seed % len(nets)]
    limits = [(name, relation, getattr(chosen, name)) for name, relation in (*wanted, ("params", "<="))]
    said = [*(f"{name} <= {MOST}" for name in names), *(f"{name} >= 1" for name in names)]
    question = ask(text, "9x8", such_that=[*said, *(f"{name} {relation} {n}" for name, relation, n in limits)])
    at = [[unknown.name for unknown in question.unknowns].index(name) for name in names]
    found = {tuple(values[i] for i in at) for values in solved(solve_by_search(question, 3))}
    assert found == {
        numbers_
        for numbers_, total in nets.items()
        if all(RELATIONS[relation](getattr(total, name), n) for name, relation, n in limits)
    }


# ---------------------------------------------------------------- inputs

SMALL = [
    "conv 11/4/0 96",
    "conv 7/2/3 8; pool 3/2/1",
    "pool 3/2 ceil; conv 3/2/1 4",
    "conv 3/2/same 4; conv 2/2 4",
    "upsample 2; conv 3/3 4",
    "conv 3/1/0 4 dilation=2; conv 1/2 4",
    "conv 5/3/4:0 4; conv 3x3/2/1 4; deconv 4/2/1 4",
    "add { id | pool 2 ; upsample 2 }; conv 3/2/1 4",
]
NETS = ["alexnet", "resnet18", "vgg11", "squeezenet1_0"]


def sizes_of(text: str, sides: range) -> dict[int, tuple[int, int]]:
    """The height of the output and all that is dropped, for square inputs, by building the net on each."""
    found = {}
    for n in sides:
        try:
            graph = load(text).build(f"{n}x{n}x3").graph
        except SpecError:
            continue
        report = measure(graph)
        pool = report.row("pool5") or report.row("conv5_x") or report.rows[-1]
        found[n] = pool.output.h, sum(sum(row.cost.dropped or (0, 0)) for row in report.rows)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("text", SMALL)
def test_the_inputs_of_a_size_are_those_that_give_it(text: str) -> None:
    found = sizes_of(text, range(1, 150))
    for out in range(1, 14):
        answer = solve_inputs(ask(text, out=str(out)), 10)
        expected = [n for n, (size, _) in found.items() if size == out]
        assert list(answer.series[0].values()) == expected
        for each in answer.nearest:
            assert found[each.values[0]][0] != out


@pytest.mark.parametrize("text", [*SMALL, *NETS])
def test_the_inputs_that_drop_nothing_are_those_of_which_all_is_seen(text: str) -> None:
    sides = range(1, 150)
    answer = solve_inputs(ask(text, "?", no_drops=True), 10)
    expected = [n for n, (_, dropped) in sizes_of(text, sides).items() if not dropped]
    series = answer.series[0].values()
    assert [n for n in (next(series, 10**6) for _ in sides) if n in sides] == expected


@pytest.mark.parametrize("relation", ["<=", ">="])
@pytest.mark.parametrize(
    "text", [*SMALL, "add { id | pool 3/3 ; upsample 3 }; conv 4/3/1:2 8; add { id | pool 2 ; upsample 2 }"]
)
def test_the_inputs_within_a_budget_are_those_that_the_layers_fit_and_that_cost_no_more(
    text: str, relation: str
) -> None:
    costs = {}
    for n in range(1, 91):
        with suppress(SpecError):
            costs[n] = measure(load(text).build(f"{n}x{n}x3").graph).total().activations
    limit = sorted(costs.values())[len(costs) // 3]  # type: ignore[type-var]
    answer = archcalc.solve(text, "?", such_that=[f"activations {relation} {limit}", "? <= 90"])
    expected = {(n,) for n, cost in costs.items() if RELATIONS[relation](cost, limit)}
    assert solved(answer) == expected
    assert answer.number == len(expected) > 0


WINDOWS = (
    *(
        "conv {0}/{1}/{2} 3",
        "pool {0}/{1} ceil",
        "avgpool {0}/{1}/1",
        "conv {0}/{1}/same 3",
        "upsample {2}",
        "crop 0:{2}",
    ),
    *(
        "conv {0}/{1}/{2} 3 dilation={1}",
        "deconv {0}/{1} 3",
        "conv {0}x1/{1}x2/{2}:0x1 3",
        "shortcut {1} 3",
        "pad {2}:1",
    ),
)
window_chains = st.lists(
    st.builds(str.format, st.sampled_from(WINDOWS), st.integers(1, 6), st.integers(1, 4), st.integers(1, 3)),
    min_size=1,
    max_size=4,
).map("; ".join)


@settings(deadline=None, max_examples=30)
@given(window_chains, st.integers(1, 9), st.booleans())
def test_whatever_windows_there_are_the_inputs_are_those_that_are_built(text: str, out: int, whole: bool) -> None:
    sides = range(1, 60)
    found = sizes_of(text, sides)
    if not found:
        return
    answer = solve_inputs(ask(text, "?x?x3", None if whole else f"{out}x{out}", no_drops=whole), 3)
    rows = [n for n, (size, dropped) in found.items() if (not dropped if whole else size == out)]
    both = [set(takewhile(lambda n: n in sides, series.values())) for series in answer.series]
    assert sorted(both[0] & both[1]) == [n for n in rows if whole or str(last(text, n)) == f"{out}x{out}x3"]


def last(text: str, n: int) -> Volume:
    return measure(load(text).build(f"{n}x{n}x3").graph).rows[-1].output


def test_heights_and_widths_are_sought_apart() -> None:
    answer = archcalc.solve("conv 5x3/2x1/0 8", "?x?x3", "10x12")
    assert [each.ranges for each in answer.series] == [((23, 24),), ((14, 14),)]
    assert answer.number == 2
    assert {each.values for each in answer.solutions} == {(23, 14), (24, 14)}


def test_a_side_that_is_bounded_is_sought_within_its_bounds() -> None:
    answer = archcalc.solve("resnet50", "?", "7", "conv5_x", ["? <= 200", "? >= 195"])
    assert answer.series[0].ranges == ((195, 200),)


# ---------------------------------------------------------------- the questions of the lectures


def values(*words: object, **named: object) -> list[tuple[int, ...]]:
    """The values of all solutions, the most usual first."""
    answer = archcalc.solve(*words, **named)  # type: ignore[arg-type]
    assert answer.number == len(answer.solutions)
    return [each.values for each in answer.solutions]


def test_alexnets_first_layer() -> None:  # lecture 0: 227x227x3, 96 filters of 11x11, stride 4 -> 55x55x96
    assert values("conv ?/4/0 96", "227", "55x55x96") == [(11,), (9,), (10,), (8,)]
    assert values("conv 11/?/0 96", "227", "55x55x96") == [(4,)]
    assert values("conv 11/4/0 ?", "227", "55x55x96") == [(96,)]
    assert values("conv 11/4/? 96", "224", "55x55x96") == [(2,), (3,)]  # the paddings with which 224 does it
    assert not archcalc.solve("conv 11/4/0 ?", "224", "55x55x96").solved


def test_padding_that_keeps_the_size() -> None:  # lecture 0: S = 1 and P = (f - 1)/2
    assert values("conv 5/1/? 8", out="same") == [(2,)]
    assert values("conv ?/1/? 8", "7", "same") == [(1, 0), (3, 1), (5, 2), (7, 3)]
    assert not archcalc.solve("conv 4/1/? 8", out="same").solved  # an even window has no half
    assert values("conv 4/1/?:? 8", "8", "same") == [(1, 2), (2, 1), (0, 3), (3, 0)]


def test_padding_that_fits() -> None:  # lecture 0: f = 5, S = 2, P = ? (whatever fits)
    assert values("conv 5/2/? 8", "224", "112") == [(2,)]
    assert values("conv 5/2/? 8", out="((H+1)//2)") == [(2,)]


def test_five_by_five_layers_from_224_to_4() -> None:  # lecture 2 says 44, which is 220/5; 48 are left then
    assert values("repeat ? { conv 5 8 }", "224", "4") == [(55,)]
    assert values("repeat ? { conv 5 8 }", "32", "28") == [(1,)]
    assert values("repeat ? { conv 5 8 }", "32", "4") == [(7,)]
    assert values("repeat 44 { conv 5 8 }", out="48")[0] == (224,)


@pytest.mark.parametrize(("wide", "layers"), [(5, 2), (7, 3), (11, 5)])  # lecture 4 and Simonyan & Zisserman 2014
def test_small_windows_in_place_of_a_large_one(wide: int, layers: int) -> None:
    answer = archcalc.solve("repeat ? { conv 3/1/1 64 nobias }", like=f"conv {wide}/1/{wide // 2} 64 nobias")
    assert [each.values for each in answer.solutions] == [(layers,)]
    assert answer.solutions[0].trial.report.total().params == layers * 9 * 64 * 64
    assert values("repeat ? { conv 3/1/1 64 }", such_that=[f"receptive = {wide}"]) == [(layers,)]


def test_a_fully_connected_layer_as_a_convolution() -> None:  # lecture 0: the filter is as large as the input
    assert values("conv ?/1/0 4096", "7x7x512", "1x1x4096") == [(7,)]
    same = ["params = 102_764_544"]  # fc 4096 on 7x7x512, with its biases
    assert values("conv ?/1/0 4096", "7x7x512", such_that=same) == [(7,)]


def test_the_inputs_for_which_resnet_ends_at_seven() -> None:
    answer = archcalc.solve("resnet50", at="conv5_x", out="7x7")
    assert answer.series[0].ranges == ((193, 224),)
    assert answer.solutions[0].values == (224,)
    notes = dict(answer.notes)
    assert notes["period"] == "every 32 more of H give 1 more: 8 for 225 to 256"
    assert notes["size"] == "conv5_x is ceil(H/32) x ceil(W/32) x 2048, for an input HxWx3"


def test_the_inputs_for_which_vgg_drops_nothing() -> None:
    answer = archcalc.solve("vgg16", no_drops=True)
    assert answer.number is None
    assert answer.series[0] == (((32, 32),), 32, 32)
    assert [each.values for each in answer.solutions[:3]] == [(32,), (64,), (96,)]


def test_alexnet_ends_at_six_by_six() -> None:  # 6x6x256 = 9216, for 227 to 258, and 5x5 at 224
    assert archcalc.solve("alexnet", at="pool5", out="6x6x256").series[0].ranges == ((227, 258),)
    assert archcalc.solve("alexnet", at="pool5", out="6x6x256").solutions[0].values == (227,)


# ---------------------------------------------------------------- budgets


def test_the_widest_densenet_of_eight_million() -> None:  # Huang et al. 2016: k = 32 has 7,978,856
    answer = archcalc.solve("densenet121(k=?)", such_that=["params <= 8M"], choice="largest")
    assert [each.values for each in answer.solutions] == [(32,)]
    assert answer.solutions[0].trial.report.total().params == 7_978_856
    assert answer.series[0].ranges == ((1, 32),)
    assert answer.nearest[0].values == (33,)


@pytest.mark.parametrize("quantity", ["params", "macs", "memory", "conv3_x.params", "flops"])
def test_a_budget_holds_for_what_is_found_and_for_nothing_more(quantity: str) -> None:
    text = "input 32x32x3; conv 3/1/1 ?n; conv3_x: conv 3/2/1 2*?n; fc 10"
    reports = {n: measure(load(text.replace("?n", str(n))).build().graph) for n in range(1, 200)}
    name = quantity.rpartition(".")[2]
    rows = {
        n: [row for row in report.rows if row.name == "conv3_x" or quantity == name] for n, report in reports.items()
    }
    figure = "activations" if name == "memory" else name
    costs = {n: sum(getattr(row.cost, figure) for row in rows[n]) * (4 if name == "memory" else 1) for n in rows}
    answer = solve_by_search(ask(text, such_that=[f"{quantity} <= {costs[50]}"]), 10)
    assert solved(answer) == {(n,) for n in range(1, 51)}
    assert [each.values for each in answer.solutions[:2]] == [(50,), (49,)]
    assert answer.nearest[0].values == (51,)
    above = solve_by_search(ask(text, such_that=[f"{quantity} >= {costs[50]}", "?n <= 60"]), 10)
    assert solved(above) == {(n,) for n in range(50, 61)}


def test_two_budgets_and_two_unknowns() -> None:
    text, wanted = "input 16x16x3; conv ?k/1/half ?n; fc 10", ["params <= 20K", "macs <= 40K", "?k <= 9", "?n <= 9"]
    expected = set()
    for k, n in product(range(1, 10, 2), range(1, 10)):  # `half` is for odd windows alone
        total = measure(load(text.replace("?k", str(k)).replace("?n", str(n))).build().graph).total()
        if total.params <= 20_000 and total.macs <= 40_000:
            expected.add((k, n))
    assert 0 < len(expected) < 45
    assert solved(solve_by_search(ask(text, such_that=wanted), 10)) == expected


def test_most_values_are_settled_by_bounds_and_never_tried() -> None:
    answer = archcalc.solve("conv ?/?/0 96", "227", "55")
    assert answer.trials < 600  # of 51,529 pairs
    budget = archcalc.solve("conv ?k/1/? ?n", "32x32x16", "32", such_that=["params <= 10K", "macs <= 5M"])
    assert budget.trials < 1000  # of 33 million
    assert all(k == 2 * p + 1 for box in budget.boxes for (k, _), (p, _), _ in [box])


def test_copies_and_arguments_that_shape_a_net() -> None:
    text = "block b(n) { conv 3/1/1 8 ; repeat n { conv 1 8 } }\nb(?) ; b(2) * ?c"
    answer = solve_by_search(ask(text, "8", such_that=["layers = 13", "?c <= 9"]), 20)
    assert solved(answer) == {(n, c) for n in range(41) for c in range(10) if 1 + n + 3 * c == 13}
    assert [unknown.shapes for unknown in answer.unknowns] == [True, True]


def test_inputs_within_a_budget() -> None:
    answer = archcalc.solve("alexnet_owt", such_that=["macs <= 500M"], choice="largest")
    side = answer.solutions[0].values[0]
    counts = [measure(load("alexnet_owt").build(f"{n}x{n}x3").graph).total().macs for n in (side, side + 1)]
    assert counts[0] <= 500_000_000 < counts[1]


UNET = """
block two(n) { conv 3/1/half n ; relu ; conv 3/1/half n ; relu }
input 64x64x1
a: two(8) ; pool 2
b: two(16) ; pool 2
two(32)
deconv 2/2 16 ; concat b ; two(16)
deconv 2/2 8 ; concat a ; two(8)
conv 1 2
"""


def memory(text: str, size: str) -> int | None:
    """Bytes of every output of a net on an input, once; None where it cannot be built."""
    try:
        return 4 * measure(load(text).build(size).graph).total().activations  # type: ignore[operator]
    except SpecError:
        return None


def test_the_largest_input_of_a_net_that_four_must_divide() -> None:
    answer = archcalc.solve(UNET, such_that="memory <= 1MiB", choice="largest")
    costs = {n: memory(UNET, f"{n}x{n}x1") for n in range(1, 200)}
    fitting = [n for n, bytes_ in costs.items() if bytes_ is not None and bytes_ <= 2**20]
    assert fitting == [*range(4, fitting[-1] + 1, 4)]
    assert [n for least, most in answer.series[0].ranges for n in range(least, most + 1)] == fitting
    assert answer.number == len(fitting)
    assert solved(answer) == {(n,) for n in fitting}
    assert [each.values for each in answer.solutions] == [(fitting[-1],)]
    assert answer.nearest[0].values == (fitting[-1] + 4,)
    assert dict(answer.notes)["needs"].startswith("H = 4, 8, 12, …: ")


def test_heights_and_widths_within_a_budget_are_those_that_fit_the_layers() -> None:
    answer = archcalc.solve(UNET, "?x?x1", such_that=["memory <= 400K"], most=10_000)
    steps = [unknown.legal for unknown in answer.unknowns]
    found = {(h, w) for h, w in solved(answer) if h in steps[0] and w in steps[1]}
    sides = range(4, 1000, 4)
    products = ((h, w) for h in sides for w in sides if h * w < 4000)
    expected = {(h, w) for h, w in products if (memory(UNET, f"{h}x{w}x1") or 400_001) <= 400_000}
    assert found == expected == {each.values for each in answer.solutions}
    assert answer.number == len(expected)


def test_a_side_of_the_input_never_shapes_a_net() -> None:
    answer = archcalc.solve(
        "pool 5/5; a: pool 7/7; upsample 7; upsample 5; add { id | crop 1 ; pad 1 }; pool 2/2", out=35
    )
    assert not any(unknown.shapes or unknown.least < 1 for unknown in answer.unknowns)
    assert answer.series[0].ranges == ((70, 104),)
    said = archcalc.solve(UNET, "?", such_that=["memory <= 1MiB", "? <= 30", "? >= 10"])
    assert said.series[0].ranges == ((12, 12), (16, 16), (20, 20), (24, 24), (28, 28))


def test_a_side_is_bounded_by_what_is_said_however_far_that_is() -> None:
    far = archcalc.solve("vgg16", such_that=["macs <= 2G", "? <= 900M"], choice="largest")
    assert (
        far.solutions[0].values == archcalc.solve("vgg16", such_that="macs <= 2G", choice="largest").solutions[0].values
    )
    assert (far.unknowns[0].least, far.unknowns[0].most) == (32, 900_000_000)


def test_inputs_that_few_layers_fit_are_looked_for_without_their_common_period() -> None:
    text = "input HxWx3; " + "; ".join(f"a{n}: conv 1 3; pool {n}/{n}; upsample {n}; add a{n}" for n in (29, 31, 37))
    assert archcalc.solve(text, out=29 * 31 * 37).series[0].ranges == ((29 * 31 * 37, 29 * 31 * 37),)
    assert not archcalc.solve(text, out=50).solved


# ---------------------------------------------------------------- transposed convolutions


def test_the_windows_of_a_transposed_convolution_are_bounded_by_what_it_makes() -> None:
    assert values("deconv ?/32/0 21", 7, 224) == [(32,)]
    assert values("deconv 16/?/4 21", 4, 32) == [(8,)]
    upscaled = archcalc.solve("deconv ?/8/? 21", 4, 32, most=100)  # Long et al. 2015: FCN-8s has 16/8/4
    assert (16, 4) in {each.values for each in upscaled.solutions}
    free = archcalc.solve("deconv ?/?/? 8", 7, 14, most=100)
    expected = {(k, s, p) for k, s in product(range(1, 15), repeat=2) for p in range(k) if 6 * s + k - 2 * p == 14}
    assert (8, 2, 3) in expected
    assert {each.values for each in free.solutions} == solved(free) == expected


def test_strides_and_dilations_reach_over_the_padded_input() -> None:
    assert values("conv 2/1/3 8 dilation=?", 5, 1) == [(10,)]
    assert values("conv 3/?/2 8", 1, 2) == [(2,)]
    assert sorted(values("conv 3/?/2 8", 3, 2)) == [(3,), (4,)]
    within = [unknown.within() for unknown in archcalc.solve("conv ?/?/? 8", 9, 4).unknowns]
    assert within[:2] == ["kernel 1 to 9 (the input, unpadded)", "stride 1 to 9 (the input, unpadded)"]
    assert archcalc.solve("conv 3/?/2 8", 9, 4).unknowns[0].within() == "stride 1 to 13 (the input with its padding)"


# ---------------------------------------------------------------- from Python


def test_sizes_are_numbers_too_and_a_condition_may_stand_alone() -> None:
    for size in (227, "227", (227, 227), (227, 227, 3)):
        assert values("conv ?/4/0 96", size, (55, 55, 96)) == [(11,), (9,), (10,), (8,)]
    alone = archcalc.solve("conv 3 ?", 32, such_that="params <= 3K")
    assert alone.series == archcalc.solve("conv 3 ?", 32, such_that=["params <= 3K"]).series
    assert alone.number == 107  # 28 parameters each


def test_no_more_solutions_are_built_than_are_asked_for() -> None:
    for most in (1, 3, 64):
        assert len(archcalc.solve("conv ?/2/? 64", 64, 32, most=most).solutions) == most
        assert len(archcalc.solve("vgg16", no_drops=True, most=most).solutions) == most


@pytest.mark.parametrize("wrong", [{"choice": "biggest"}, {"most": 0}, {"most": -1}])
def test_a_choice_that_there_is_not_is_refused(wrong: dict[str, str | int]) -> None:
    with pytest.raises(ValueError, match="choice must be one of '', 'largest', 'smallest', and most at least 1"):
        archcalc.solve("conv ?/4/0 96", 227, 55, **wrong)  # type: ignore[arg-type]


# ---------------------------------------------------------------- the command


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `archcalc solve` in this process: an exception that is not told ends the test."""
    return runner(monkeypatch, capsys, "solve")


def test_a_question_that_is_solved_ends_with_0_and_one_that_is_not_with_1(run: Run) -> None:
    found, none = run("conv ?/4/0 96", "--in", "227", "--out", "55"), run("conv ?/4/0 96", "--in", "227", "--out", "58")
    assert (found.code, none.code) == (0, 1)
    assert "floor((227 + 2*0 - 11)/4) + 1 = 55" in found.out
    assert "no solution; the nearest misses" in none.out
    assert not found.err + none.err


def test_an_answer_as_text_is_what_the_command_prints(run: Run) -> None:
    assert f"{archcalc.solve('vgg16', no_drops=True)}\n" == run("vgg16", "--no-drops").out
    assert f"{archcalc.solve('conv ?/4/0 96', 227, 55)}\n" == run("conv ?/4/0 96", "--in", "227", "--out", "55").out


def test_the_next_size_is_said_of_inputs_that_fit_alone(run: Run) -> None:
    assert "every 4 more of H give 4 more: 68 for 68\n" in run(UNET, "--out", "64").out
    assert run("conv ?/4/0 96", "--in", "?", "--out", "55").out.startswith("conv ?/4/0 96; input ?x?x3; output 55x55:")


def test_a_caret_stands_under_the_option_that_is_wrong(run: Run) -> None:
    err = run("conv ?/4/0 96", "--in", "227", "--at", "conv9", "--out", "55").err
    assert " --> --at:1:1\n  |\n1 | conv9\n  | ^^^^^\n  = help: did you mean `conv1`?\n" in err


HELPED = {
    "a quantity": (["--out", "55", "--such-that", "foo <= 3"], "such as params, macs,"),
    "a quantity of its own": (["--out", "55", "--such-that", "memmory <= 3"], "did you mean `memory`?"),
    "a layer": (["--such-that", "foo.memory <= 3"], "such as input, conv1"),
    "a place": (["--at", "stem", "--out", "55"], "such as input, conv1"),
    "a name": (["--out", "x"], "the input has no symbols: `--in H` is an input of any size"),
    "an input": (["--in", "-3", "--out", "5"], "a size is written as `227`, `227x227` or `227x227x3`"),
    "an answer": (["--out", "-3"], "a size is written as `227`, `227x227` or `227x227x3`"),
    "an unknown": (["--out", "55", "--such-that", "?z <= 3"], "what is sought: ?f"),
}


@pytest.mark.parametrize(("words", "help_"), HELPED.values(), ids=HELPED)
def test_what_is_not_known_is_answered_with_what_there_is(words: list[str], help_: str, run: Run) -> None:
    ended = run("conv ?f/4/0 96", "--in", "227", *words)
    assert ended.code == 2
    assert f"  = help: {help_}" in ended.err


def test_json_holds_everything_exactly(run: Run) -> None:
    answer = json.loads(run("conv ?/?/0 96", "--in", "227", "--out", "55", "--format", "json").out)
    assert (answer["kind"], answer["solved"], answer["number"]) == ("solve", True, 10)
    assert answer["solutions"][0] == {
        "values": {"kernel": 11, "stride": 4},
        "input": [227, 227, 3],
        "output": [55, 55, 96],
        "found": {"output": [55, 55, 96]},
        "dropped": [0, 0],
        "gap": 0.0,
        "when": None,
    }
    endless = json.loads(run("vgg16", "--no-drops", "--format", "json").out)
    assert endless["number"] is None
    assert endless["unknowns"][0]["period"] == 32


@pytest.mark.parametrize("format_", ["table", "json", "csv", "md"])
@pytest.mark.parametrize("words", [["conv ?/4/0 96", "--in", "227", "--out", "55"], ["vgg16", "--no-drops"]])
def test_every_format_goes_to_a_file(format_: str, words: list[str], run: Run, tmp_path: Path) -> None:
    shown = run(*words, "--format", format_)
    ended = run(*words, "--format", format_, "-o", str(tmp_path / "out"))
    assert (ended.code, ended.out) == (0, "")
    assert (tmp_path / "out").read_text("utf-8") == shown.out


def test_all_solutions_are_rows_if_that_is_asked(run: Run) -> None:
    words = ["conv ?/2/? 64", "--in", "64", "--out", "32", "--format", "csv"]
    assert len(run(*words).out.splitlines()) == 1 + 10
    assert len(run(*words, "--all").out.splitlines()) == 1 + 64


REFUSED = {
    "nothing": (["vgg16"], "nothing is asked"),
    "nothing that is sought": (["vgg16", "--in", "224", "--out", "7"], "nothing is sought"),
    "a layer without an input": (["conv ?/4/0 96", "--out", "55"], "no input is given"),
    "a place without a size": (
        ["resnet50", "--at", "conv5_x"],
        "`--at` says where `--out` is wanted, and there is none",
    ),
    "a place that is not there": (["resnet50", "--at", "conv9_x", "--out", "7"], "no volume is called `conv9_x`"),
    "a size and a likeness": (
        ["conv ?/1/0 8", "--out", "5", "--like", "conv 3 8"],
        "`--like` wants a size already: leave `--out` away",
    ),
    "an unknown as an answer": (
        ["conv ?/1/0 8", "--in", "8", "--out", "?"],
        "an unknown cannot stand here: `--out` says what is wanted",
    ),
    "a share": (
        ["dropout ?", "--in", "8", "--out", "8"],
        "an unknown is a whole number, and rate of `dropout` is none",
    ),
    "a word": (
        ["conv 3 8 bias=?", "--in", "8", "--out", "6"],
        "an unknown is a whole number, and bias of `conv` is none",
    ),
    "seven unknowns": (["fc ?; fc ?; fc ?; fc ?; fc ?; fc ?; fc ?", "--in", "1", "--out", "1"], "more than 6 unknowns"),
    "four sides": (["conv ?", "--in", "8x8x3x3", "--out", "6"], "`8x8x3x3` has 4 sizes"),
    "five sides of an answer": (["conv ? 3", "--in", "8", "--out", "1x1x1x1x1"], "`1x1x1x1x1` has 5 sizes"),
    "no condition": (["conv ? 3", "--in", "8", "--such-that", ""], "nothing is said here"),
    "a unit apart": (["conv ? 3", "--in", "8", "--such-that", "params <= 8 M"], "unexpected `M` after the condition"),
    "an unknown quantity": (["conv ? 3", "--in", "8", "--such-that", "parms <= 8"], "`parms` is neither a quantity"),
    "an unknown rule": (["conv ? 3", "--in", "8", "--such-that", "macs[x] <= 8"], "unknown counting rule `x`"),
    "a bound of what is not sought": (["conv ? 3", "--in", "8", "--such-that", "?k <= 8"], "there is no unknown `?k`"),
    "a bound of one of two": (
        ["conv ?/? 3", "--in", "8", "--such-that", "? <= 8"],
        "there are 2 unknowns without a name",
    ),
    "a bound that nothing meets": (["conv ?k 3", "--in", "8", "--such-that", "?k <= 0"], "no number is from 1 to 0"),
    "about a number": (["conv ?k 3", "--in", "8", "--such-that", "?k ~ 3"], "`?k` is bounded by `<=`, `>=` or `=`"),
    "a size as a budget": (["conv ?k 3", "--in", "8", "--such-that", "conv1 <= 3x3x3"], "a size is wanted with `=`"),
    "a budget in symbols": (["conv 3 ?", "--in", "H", "--such-that", "macs <= 3"], "`macs` is 27*"),
    "the largest of two": (
        ["conv ?/? 3", "--in", "8", "--out", "3", "--largest"],
        "`--largest` is for one unknown, and there are 2",
    ),
    "the largest of all": (["vgg16", "--no-drops", "--largest"], "there is no largest input: they go on without end"),
    "the largest and the smallest": (
        ["conv ?/4/0 96", "--in", "227", "--out", "55", "--largest", "--smallest"],
        "`--largest` and `--smallest` contradict each other",
    ),
    "all and the largest": (
        ["conv ?/4/0 96", "--in", "227", "--out", "55", "--all", "--largest"],
        "`--largest` and `--all` contradict each other",
    ),
    "an input of a symbol": (["resnet50", "--at", "conv5_x", "--out", "H"], "unknown name `H`"),
    "an input that cannot be": (
        ["input 64x64x3; a: pool 2; upsample 2; add { id | conv 2 3 }", "--such-that", "macs <= 100K", "--largest"],
        "cannot add 2*floor(H/2) x 2*floor(W/2) x 3 and",
    ),
    "an input that does not fit": (
        [UNET, "--such-that", "macs <= 100K", "--such-that", "? <= 3"],
        "no side from 1 to 3 fits",
    ),
    "more inputs than can be looked at": (
        [UNET, "--such-that", "macs <= 100K", "--such-that", "? <= 900M"],
        "too much to look at: side 1 to 900,000,000 (as said)",
    ),
    "a net with faults": (["conv ?/4/0 96 nobais", "--in", "227", "--out", "55"], "`conv` knows no word `nobais`"),
    "a net that cannot be": (["pool 7/?", "--in", "5", "--out", "2"], "window 7x7 is larger than its input 5x5"),
    "an argument that is not there": (["vgg16(k=?)", "--such-that", "params <= 8M"], "`vgg16` has no parameter `k`"),
    "a number too large": (["conv ?/4/0 96", "--in", "9999999999999", "--out", "5"], "number too large"),
    "a likeness that is sought": (
        ["conv ?/1/0 8", "--in", "?", "--like", "conv 3 8"],
        "`--like` compares on one input, and here it is sought",
    ),
    "a likeness with an unknown": (["conv ?/1/0 8", "--in", "8", "--like", "conv ? 8"], "`?` is an unknown"),
    "too many copies": (
        ["repeat ? { repeat ? { conv 3/1/1 8 } }", "--in", "8", "--such-that", "params <= 1M"],
        "too much to try",
    ),
    "too many nets": (
        ["repeat ? { repeat 9000 { relu } }", "--in", "8", "--such-that", "layers <= 99K"],
        "too much to try",
    ),
    "too long a period": (
        ["pool 997/997; pool 991/991", "--no-drops"],
        "too much to look at: inputs from 988,027 to",
    ),
}


@pytest.mark.parametrize(("words", "said"), REFUSED.values(), ids=REFUSED)
def test_a_question_is_refused_that_asks_for(
    words: list[str], said: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archcalc.solving.boxes.MOST_WORK", 30_000)  # so that no example takes long
    ended = run(*words)
    assert ended.err.startswith(f"error: {said}")
    assert ended.code == 2
    assert not ended.out


@pytest.mark.parametrize("command", ["table", "lint"])
def test_an_unknown_stands_nowhere_else(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["archcalc", command, "input 8x8x3; conv ?/1/1 4"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "`?` is an unknown" in capsys.readouterr().err


# ---------------------------------------------------------------- whatever is asked

numbers = st.sampled_from(
    ["?", "?a", "?b", "1", "2", "3", "7", "0", "(?a+1)", "2*?", "?x3", "?:1", "half", "same", "-1"]
)
layers = st.one_of(
    st.builds("conv {}/{}/{} {}".format, numbers, numbers, numbers, numbers),
    st.builds("pool {}/{} {}".format, numbers, numbers, st.sampled_from(["", "ceil", "nonsense"])),
    st.builds("fc {}".format, numbers),
    st.builds("deconv {}/{} {} extra={}".format, numbers, numbers, numbers, numbers),
    st.builds("repeat {} {{ conv {}/1/1 4 }}".format, numbers, numbers),
    st.builds("dwconv {} dilation={}".format, numbers, numbers),
    st.builds("upsample {}; shuffle {}".format, numbers, numbers),
    st.builds("add {{ conv {}/1/{} 3 | }}".format, numbers, numbers),
    st.builds("if {} > 2 {{ conv {} 4 }}".format, numbers, numbers),
    st.builds("slice {}:{}; crop {}; lrn {}".format, numbers, numbers, numbers, numbers),
)
inputs = st.sampled_from(["6", "7x6", "5x5x4", "H", "HxWx3", "?", "?x?x3", "?x6x2", "0", "x", "1x1x1x1"])
outs = st.sampled_from(["3", "3x4", "3x3x4", "same", "(H//2)", "?", "0", "9999999999", "half", "3x"])
budgets = (
    "params <= 100",
    "macs >= 1K",
    "? <= 3",
    "?a <= 4",
    "?b = 2",
    "dropped = 0",
    "memory <= 1KiB",
    "receptive = 5",
)
others = ("conv1 = 3x3x4", "conv1.params ~ 30", "layers <= 4", "width = 3", "x", "depth <= ?", "size = 3x3x3")
conditions = st.sampled_from((*budgets, *others))
options = st.lists(
    st.one_of(
        st.tuples(st.just("--in"), inputs),
        st.tuples(st.just("--out"), outs),
        st.tuples(st.just("--such-that"), conditions),
        st.tuples(st.just("--like"), st.sampled_from(["conv 3 8", "conv ? 8", "vgg16"])),
        st.tuples(st.just("--at"), st.sampled_from(["conv1", "output", "x"])),
        st.sampled_from([("--no-drops",), ("--largest",), ("--smallest",), ("--all",), ("--format", "json")]),
    ),
    max_size=4,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(layers, min_size=1, max_size=2).map("; ".join), words=options)
def test_whatever_is_asked_is_answered_or_refused(
    text: str, words: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("archcalc.solving.boxes.MOST_WORK", 4000)  # so that no example takes long
    monkeypatch.setattr("sys.argv", ["archcalc", "solve", text, *(word for pair in words for word in pair)])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    assert end.value.code in (0, 1, 2)
    assert bool(err) == (end.value.code == 2)
    assert bool(out) == (end.value.code != 2)
