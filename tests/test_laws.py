"""What every layer type is tested by, for nothing: it is in the registry, and it has examples."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator
from inspect import getdoc
from itertools import chain, product
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses.costs import QUANTITIES, Report, measure
from archcalc.builder import Assumption
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError
from archcalc.lang.parser import parse
from archcalc.lang.printer import print_tree
from archcalc.lang.source import Source
from archcalc.library import Net, load, read_spec, spec_files, zoo
from archcalc.ops import REGISTRY, Op
from archcalc.symbolic import Size, at, failing, symbol
from archcalc.symbolic.validity import domains
from archcalc.volume import (
    Dim,
    Undecided,
    Volume,
    at_least,
    common_divisor,
    divides,
    exact_div,
    same,
    same_padding,
    unseen,
    window,
    window_ceil,
)

TYPES = sorted({cls.types[0]: cls for cls in REGISTRY.values()}.items())
EXAMPLES = [example for _, cls in TYPES for example in cls.examples]
each_type = pytest.mark.parametrize("cls", [cls for _, cls in TYPES], ids=[name for name, _ in TYPES])
each_example = pytest.mark.parametrize("example", EXAMPLES)
each_net = pytest.mark.parametrize("name", list(zoo()))
NUMBERS = range(1, 61)  # all residues of 2, 3, 4, 5, 6 and 10

# ---------------------------------------------------------------- 2. formula = number

# What the examples of the layer types leave out, and how layers follow one another.
CHAINS = (
    "input 32x32x3; conv 7/2/3 8; pool 3/2/1; conv 3/2/1 8; avgpool 3/2 ceil; conv 2/1/0:1 4; fc 5",
    "input 32x32x3; conv 3/2/same 8; pool 3/2/same; dwconv 5x3/1x2/2x1; conv 3/1/4 8 dilation=4; softmax",
    "input 32x32x3; conv 3x5/2x3/1:0x2:1 8; pool 2x3/3x2/1 ceil; ln; shortcut 2x3 16; gap; fc 3",
    "input 32x32x4; concat { conv 3/2/1 8 | avgpool 2/2 ceil }; mul { id | gap ; fc 12 ; sigmoid }; relu; lrn 3",
    "input 32x32x3; conv 3/1/1 8; pool 2; upsample 2; conv 3/1/1 8; deconv 4/2/1 4; conv 3/2/1 4; conv 5/4 4; fc 2",
    "input 32x32x3; pool 3 ceil; upsample 4x2; pool 3/2/1; upsample 3; conv 3/4/1 4; upsample 2; adaptiveavgpool 4x3",
    "input 32x32x3; add { id | pool 2 ; conv 3/2/1 8 ; upsample 2 ; conv 3/1/1 8 ; deconv 2/2 3 }; pool 3/2 ceil; gap",
    "input 32x32x3; deconv 3x4/3x2/1 4 extra=1 dilation=2; pad 0:3; crop 1; conv 5/3 4; adaptiveavgpool 3x2; fc 2",
    "input 32x32x3; x: conv 3/1/1 3; add { conv 3/1/1 3 share=x ; bn | conv 5/1/half 3 }; conv 3/2 4; fc 3",
)


def depth_of(net: Net) -> Dim:
    """The depth of the first input."""
    return measure(net.build().graph).rows[0].cost.out.c


def costs(net: Net, height: object, width: object, depth: Dim) -> Report:
    built = net.build(f"{height}x{width}x{depth}")
    return measure(built.graph, built.assumptions)


def figures(report: Report) -> Iterator[tuple[str, Dim]]:
    """Every size and every cost of the layers of a net."""
    for row in report.rows:
        yield from ((f"{axis} of {row.name}", n) for axis, n in zip("hwc", row.output, strict=True))
        yield from ((f"{name} of {row.name}", getattr(row.cost, name)) for name in QUANTITIES)


def sums(report: Report) -> Iterator[tuple[str, Dim]]:
    """The totals of a net."""
    yield from zip(report.total()._fields, report.total(), strict=True)


def broken(assumptions: tuple[Assumption, ...], numbers: dict[str, int]) -> bool:
    """Whether one of the assumptions does not hold, as it stands in words and by itself."""
    by_words = not all(holds(each.condition.text, numbers) for each in assumptions)
    assert by_words == bool(failing(assumptions, numbers)), (assumptions, numbers)
    return by_words


def holds(condition: str, numbers: dict[str, int]) -> bool:
    """`H >= 11`, `16 divides H`, `4 <= H <= 9`, `H mod 8 is 1 or 5`, `floor((H + 9)/16) = floor((H + 1)/16)`."""
    python = re.sub(r"(\w+) divides (.+)", r"(\2) % (\1) == 0", condition)
    python = re.sub(r"(\w+) is odd", r"\1 % 2 == 1", python)
    for word, relation in (("is not", "not in"), ("is", "in")):
        found = re.fullmatch(rf"(\w+) mod (\d+) {word} ([\d, or]+)", python)
        if found:
            python = f"{found[1]} % {found[2]} {relation} ({found[3].replace(' or ', ', ')},)"
    python = re.sub(r"(?<![<>=])=(?!=)", "==", python).replace("^", "**")
    return bool(eval(python, {"floor": math.floor, "ceil": math.ceil, **numbers}))


def assert_formulas_give_the_numbers(
    text: str, sizes: list[tuple[int, int]], asked: Callable[[Report], Iterator[tuple[str, Dim]]]
) -> None:
    """Also: the net is refused on numbers exactly where an assumption of the formulas does not hold."""
    net = load(text)
    depth = depth_of(net)
    formulas = costs(net, "H", "W", depth)
    wanted = dict(asked(formulas))
    for height, width in sizes:
        numbers = {"H": height, "W": width}
        try:
            report = costs(net, height, width, depth)
        except SpecError:
            assert broken(formulas.assumptions, numbers), (text, numbers)
            continue
        assert not broken(formulas.assumptions, numbers), (text, numbers)
        found = {n: at(n, numbers) for n in set(wanted.values())}
        assert dict(asked(report)) == {what: found[n] for what, n in wanted.items()}, (text, numbers)


@pytest.mark.parametrize("text", [*EXAMPLES, *CHAINS])
def test_formulas_give_the_numbers_of_every_size(text: str) -> None:
    sizes = [(n, 7 * n % len(NUMBERS) + 1) for n in NUMBERS]
    assert_formulas_give_the_numbers(text, sizes, figures)
    assert_formulas_give_the_numbers(text, sizes[-6:], sums)


@pytest.mark.parametrize("name", ["lenet5", "alexnet", "nin", "zfnet", "vgg11"])
def test_formulas_give_the_numbers_at_every_residue_of_a_small_net(name: str) -> None:
    sizes = [(n, 63 + 5 * n % 32) for n in range(63, 63 + 33)]  # the strides of all of these multiply to 32 at most
    assert_formulas_give_the_numbers(name, sizes, sums)


@each_net
def test_formulas_give_the_numbers_of_the_zoo_at_every_residue(name: str) -> None:
    """The height and the width run through all residues of the finest division of the net, from its least sizes on."""
    net = load(name)
    first = net.build().graph.nodes[0].op.out()
    axes = tuple(axis for axis, n in zip("HW", first[:2], strict=True) if n != 1)
    built = net.build(free=axes)
    formulas = measure(built.graph, built.assumptions)
    legal = domains(built.assumptions)
    period = max(math.lcm(*(n.period()[0] for n in row.output[:2] if isinstance(n, Size))) for row in formulas.rows)
    wanted = {asked: dict(chain.from_iterable(each(formulas) for each in asked)) for asked in (ALL, BRIEF)}
    start = max((domain.least for domain in legal.values()), default=1)
    for step in range(min(period, 64) + 1):
        numbers = dict(zip("HW", (start + step, start + 5 * step + 3), strict=True))
        sides = [str(numbers[axis]) if axis in axes else str(n) for axis, n in zip("HW", first[:2], strict=True)]
        asked = ALL if step % 8 == 0 else BRIEF
        assert_at(net, "x".join((*sides, str(first.c))), formulas.assumptions, asked, wanted[asked], numbers)


def sizes(report: Report) -> Iterator[tuple[str, Dim]]:
    """Height and width after each layer."""
    yield from ((f"{axis} of {row.name}", n) for row in report.rows for axis, n in zip("hw", row.output, strict=False))


Asked = tuple[Callable[[Report], Iterator[tuple[str, Dim]]], ...]
ALL: Asked = (figures, sums)
BRIEF: Asked = (sizes, sums)


def assert_at(
    net: Net,
    size: str,
    assumptions: tuple[Assumption, ...],
    asked: Asked,
    wanted: dict[str, Dim],
    numbers: dict[str, int],
) -> None:
    """The engine on numbers says what the formulas say, or refuses where they do not hold."""
    try:
        built = net.build(size)
    except SpecError:
        assert broken(assumptions, numbers), numbers
        return
    assert not broken(assumptions, numbers), numbers
    report = measure(built.graph)
    found = {n: at(n, numbers) for n in set(wanted.values())}
    exact = dict(chain.from_iterable(each(report) for each in asked))
    assert exact == {what: found[n] for what, n in wanted.items()}, numbers


@st.composite
def chains(draw: st.DrawFn) -> str:
    """The text of a net of a few windows, one upon the other."""
    layers = []
    for _ in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["conv", "pool", "avgpool", "deconv", "upsample", "shortcut", "pad", "crop"]))
        k, s, d = draw(st.integers(1, 6)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
        before, after = draw(st.integers(0, k - 1)), draw(st.integers(0, k - 1))
        padding = draw(st.sampled_from([f"{before}:{after}", str(before), "full", "same"]))
        layers.append(
            {
                "conv": f"conv {k}/{s}/{padding} 2 dilation={d}",
                "deconv": f"deconv {k}/{s}/{padding} 2 dilation={d}",
                "upsample": f"upsample {s}",
                "shortcut": f"shortcut {s} 3",
                "pad": f"pad {before}:{after}",
                "crop": f"crop {before}:{after}",
            }.get(kind, f"{kind} {k}/{s}/{padding}" + draw(st.sampled_from(["", " ceil"])))
        )
    return "input 9x9x1; " + "; ".join(layers) + draw(st.sampled_from(["", "; adaptiveavgpool 6x5", "; gap"]))


@settings(max_examples=60, deadline=None)
@given(chains(), st.integers(1, 400), st.integers(1, 400))
def test_formulas_give_the_numbers_of_any_chain_of_windows(text: str, height: int, width: int) -> None:
    net = load(text)
    try:
        formulas = costs(net, "H", "W", 1)
    except SpecError:  # refused for every size
        with pytest.raises(SpecError):
            costs(net, height, width, 1)
        return
    numbers = {"H": height, "W": width}
    try:
        report = costs(net, height, width, 1)
    except SpecError:
        assert broken(formulas.assumptions, numbers)
        return
    assert not broken(formulas.assumptions, numbers)
    assert dict(sums(report)) == {what: at(n, numbers) for what, n in sums(formulas)}
    assert dict(figures(report)) == {what: at(n, numbers) for what, n in figures(formulas)}


def test_a_formula_has_no_number_where_its_division_leaves_a_remainder() -> None:
    half = exact_div(symbol("C"), 2)
    assert at(half, {"C": 6}) == 3
    with pytest.raises(AssertionError, match="C/2 is 5/2"):
        at(half, {"C": 5})


@pytest.mark.parametrize(
    "layers", ["pool 2", "conv 1/2 1", "upsample 2", "upsample 3 ; conv 1/2 1", "upsample 2 ; pool 3", "deconv 3/3 1"]
)
def test_sizes_of_symbols_do_not_grow_without_end(layers: str) -> None:
    with pytest.raises(SpecError, match=r"become too long|is larger than its input"):
        load(f"input NxNx1; repeat 5000 {{ {layers} }}").build()


# ---------------------------------------------------------------- 4. round trip


@pytest.mark.parametrize("path", spec_files(), ids=lambda path: path.name)
def test_a_spec_printed_and_parsed_is_itself(path: Path) -> None:
    assert_round_trip(read_spec(path).text)


@pytest.mark.parametrize("text", [*EXAMPLES, *CHAINS])
def test_an_example_printed_and_parsed_is_itself(text: str) -> None:
    assert_round_trip(text)


def assert_round_trip(text: str) -> None:
    tree, faults = parse(Source("here", text))
    assert not faults
    again, faults = parse(Source("there", print_tree(tree)))
    assert not faults
    assert again == tree
    assert print_tree(again) == print_tree(tree)


@pytest.mark.parametrize("text", [*EXAMPLES, *CHAINS, *zoo()])
def test_a_layer_as_a_table_shows_it_is_the_layer_as_it_was_written(text: str) -> None:
    written: dict[str, Op] = {}
    for row in measure(load(text).build().graph).rows:
        if len(row.inputs) == 1:
            written[f"input {row.inputs[0]}; {row.node.op.text()}"] = row.node.op
    for each, op in written.items():
        given, layer = load(each).build().graph.nodes
        x = given.op.out()
        assert (layer.op.type, layer.op.arguments(x)) == (op.type, op.arguments(x)), each


# ---------------------------------------------------------------- 5. told


@each_type
def test_a_layer_type_says_what_it_is_and_computes(cls: type[Op]) -> None:
    told = getdoc(cls) or ""
    assert len(told.splitlines()[0]) > 20
    assert re.search(r"\by(\[.*?\])? \+?= ", told), "its formula, as `y[i,j,c] = …`"
    assert all(getdoc(getattr(cls, rule)) for rule in ("out", "work", "needs", "weights"))
    assert all(field.about for field in cls.fields.values())


@each_type
def test_the_examples_of_a_layer_type_show_it(cls: type[Op]) -> None:
    assert cls.examples
    for example in cls.examples:
        assert any(type(node.op) is cls for node in load(example).build().graph.nodes), example


@each_type
def test_the_reference_tells_all_about_a_layer_type(cls: type[Op]) -> None:
    for name in cls.types:
        result = CliRunner().invoke(group, ["layers", name], standalone_mode=False)
        assert result.exception is None
        assert (getdoc(cls) or "").splitlines()[0] in result.output
        for field in cls.fields.values():
            assert re.search(rf"^ +{field.name}\b.*{re.escape(field.about)}", result.output, re.MULTILINE), field.name
        for example in cls.examples:
            assert example in result.output
        for figure in ("height", "width", "depth", "MACs", "FLOPs", *(["parameters"] if weighs(cls) else [])):
            assert re.search(rf"^ +{figure} ", result.output, re.MULTILINE), figure


def weighs(cls: type[Op]) -> bool:
    return cls.weights is not Op.weights


def test_the_reference_lists_every_layer_type() -> None:
    result = CliRunner().invoke(group, ["layers"], standalone_mode=False)
    for name in REGISTRY:
        assert re.search(rf"\b{name}\b", result.output), name


# ---------------------------------------------------------------- rules


@each_type
def test_size_and_work_have_no_default(cls: type[Op]) -> None:
    assert cls.out is not Op.out
    assert cls.work is not Op.work


def test_a_forgotten_rule_is_an_error_and_not_free() -> None:
    with pytest.raises(NotImplementedError):
        Op().out(Volume(1, 1, 1))
    with pytest.raises(NotImplementedError):
        Op().work(Volume(1, 1, 1), Volume(1, 1, 1))


@each_example
def test_what_a_layer_owns_is_weights_biases_and_buffers_and_what_it_does_is_not_negative(example: str) -> None:
    for row in measure(load(example).build().graph).rows:
        shapes = row.node.op.weights(*row.inputs)
        assert row.cost.params + row.cost.buffers == sum(math.prod(shape) for shape in shapes.values())
        assert all(n >= 0 for n in row.cost.work)
        assert all(isinstance(n, int) and n >= 1 for shape in shapes.values() for n in shape)


def test_no_room_but_ops_asks_for_the_name_of_a_layer_type() -> None:
    names = set(REGISTRY)
    package = Path(archcalc.__file__).parent
    found = []
    for path in package.rglob("*.py"):
        if path.parent.name != "ops":
            found += [f"{path.name}:{where}" for where in asks_for(names, ast.parse(path.read_text("utf-8")))]
    assert not found


def asks_for(names: set[str], tree: ast.AST) -> Iterator[str]:
    """Comparisons and cases in which one of the names stands as a literal."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.Compare, ast.MatchValue)):
            for part in ast.walk(node):
                if isinstance(part, ast.Constant) and part.value in names:
                    yield f"{part.lineno}: {part.value!r}"


# ---------------------------------------------------------------- sizes, against loops

WINDOWS = [
    (k, s, before, after, d)
    for k, s, d in product(range(1, 6), range(1, 5), range(1, 4))
    for before, after in product(range(0, 4), repeat=2)
]


def starts(n: int, k: int, s: int, before: int, after: int, d: int) -> list[int]:
    """Where a window starts, counted from the first cell of the input: all that fit the padded input."""
    return [at for at in range(-before, n + after, s) if at + d * (k - 1) < n + after]


def test_a_window_has_the_places_that_a_loop_finds() -> None:
    for n, (k, s, before, after, d) in product(range(1, 14), WINDOWS):
        found = starts(n, k, s, before, after, d)
        if found:
            assert window(n, k, s, before, after, d) == len(found), (n, k, s, before, after, d)
        else:
            assert window(n, k, s, before, after, d) <= 0


def test_a_window_rounding_up_has_one_place_more_if_it_starts_within_the_input() -> None:
    for n, (k, s, before, after, d) in product(range(1, 14), WINDOWS):
        found = starts(n, k, s, before, after, 1)
        if d == 1 and found and max(before, after) < k:
            end = found[-1] + k  # of what is covered
            more = end < n + after and found[-1] + s < n
            drops = [start for start in found if start >= n]  # a window in the padding behind the input alone
            assert window_ceil(n, k, s, before, after) == len(found) + more - len(drops), (n, k, s, before, after)


def test_same_padding_is_the_least_that_gives_as_many_places_as_steps() -> None:
    for n, k, s, d in product(range(1, 30), range(1, 8), range(1, 6), range(1, 4)):
        before, after = same_padding(n, k, s, d)
        wanted = len(range(0, n, s))
        assert after - before in (0, 1)
        assert len(starts(n, k, s, before, after, d)) >= wanted
        assert window(n, k, s, before, after, d) == wanted or before + after == 0
        assert before + after == 0 or len(starts(n, k, s, 0, before + after - 1, d)) < wanted


def test_unseen_cells_are_those_that_no_window_touches() -> None:
    for n, (k, s, before, after, d) in product(range(1, 14), WINDOWS):
        found = starts(n, k, s, before, after, d)
        touched = {start + tap * d for start in found for tap in range(k)} & set(range(n))
        if found:
            assert unseen(n, k, s, before, d, len(found)) == n - len(touched), (n, k, s, before, after, d)


def test_unseen_cells_of_a_wide_window_are_counted_without_looking_at_each() -> None:
    assert unseen(10**9, k=4 * 10**8, s=2, before=0, d=2, places=10**8 + 1) == 5 * 10**8  # every other cell
    assert unseen(10**12, k=10**6, s=10**6, before=0, d=10**6 - 1, places=2) == 10**12 - 2 * 10**6


def test_a_common_divisor_is_the_largest_number_that_divides_both() -> None:
    for a, b in product(range(1, 40), range(1, 15)):
        largest = max(n for n in range(1, b + 1) if a % n == 0 and b % n == 0)
        assert common_divisor(a, b) == largest
        assert at(common_divisor(symbol("H"), b), {"H": a}) == largest


def test_what_symbols_decide_is_decided() -> None:
    n = symbol("N")
    assert same(n, n) is True
    assert same(n - 2, n) is False  # never, whatever N is
    assert same(n // 2 * 2, n + 2) is False
    assert same(n // 10**6, n // 10**6) is True
    assert str(n // 3 * 2 // 3 + 1) == "floor(2*floor(N/3)/3) + 1"
    assert undecided(at_least(n // 3 * 2 // 3, 2)) == "N >= 9"
    assert undecided(same(n // 8 * 8, n)) == "8 divides N"
    assert undecided(same((n + 1) // 2 * 2, n + 1)) == "N is odd"
    assert undecided(same((n + 2) // 4, n // 4)) == "N mod 4 is 0 or 1"
    assert undecided(same((n + 1) // 8, n // 8)) == "N mod 8 is not 7"
    assert undecided(same(n // 2, n // 4 + 3)) == "10 <= N <= 13"
    assert undecided(same(n, symbol("M"))) == "N = M"
    assert undecided(same(n, 7)) == "N = 7"
    assert undecided(same(n // 3, 7)) == "21 <= N <= 23"
    assert same(n // 3 * 3, 7) is False
    assert same(n * n, n * n + 1) is False
    assert undecided(divides(6, 4 * n)) == "3 divides N"
    assert divides(4, 4 * n + 8) is True
    assert divides(4, 4 * n + 2) is False
    assert at_least(n, 1) is True
    assert at_least(2 * n + 4, 3) is True
    assert undecided(at_least(n // 2, 3)) == "N >= 6"
    assert divides(1, n) is True
    assert undecided(divides(2, n)) == "2 divides N"
    assert same(3, 3) is True
    assert at_least(2, 3) is False


def undecided(condition: object) -> str:
    """What is left open, in words."""
    assert isinstance(condition, Undecided)
    return condition.text


# ---------------------------------------------------------------- work, against loops


@pytest.mark.parametrize(
    ("h", "w", "kernel", "step", "sides", "groups", "spread", "depth", "filters"),
    [
        (6, 5, (3, 2), (1, 2), ((0, 0), (0, 0)), 1, (1, 1), 3, 4),
        (7, 9, (3, 3), (2, 2), ((1, 0), (0, 2)), 2, (1, 2), 4, 6),
        (8, 8, (2, 4), (3, 1), ((2, 1), (3, 3)), 4, (3, 1), 4, 4),
    ],
)
def test_a_convolution_multiplies_as_often_as_its_loops(
    h: int,
    w: int,
    kernel: tuple[int, int],
    step: tuple[int, int],
    sides: tuple[tuple[int, int], tuple[int, int]],
    groups: int,
    spread: tuple[int, int],
    depth: int,
    filters: int,
) -> None:
    axes = zip((h, w), kernel, step, sides, spread, strict=True)
    rows, columns = (starts(n, k, s, before, after, d) for n, k, s, (before, after), d in axes)
    loops = product(rows, columns, range(kernel[0]), range(kernel[1]), range(filters), range(depth))
    own = sum(1 for *_, n, c in loops if n // (filters // groups) == c // (depth // groups))
    size, pad, dilation = ("x".join(map(str, pair)) for pair in (kernel, step, spread))
    ends = "x".join(f"{before}:{after}" for before, after in sides)
    text = f"input {h}x{w}x{depth}; conv {size}/{pad}/{ends} {filters} groups={groups} dilation={dilation}"
    last = measure(load(text).build().graph).rows[-1]
    assert last.output == (len(rows), len(columns), filters)
    assert last.macs == own
    assert last.params == own // (len(rows) * len(columns)) + filters


def test_a_transposed_convolution_fills_what_its_loops_reach() -> None:
    for n, k, s, d, p in product(range(1, 6), range(1, 5), range(1, 4), range(1, 3), range(0, 2)):
        reached = {s * i + d * u for i in range(n) for u in range(k)}
        left = len(range(p, max(reached) + 1 - p))
        text = f"input {n}x{n}x2; deconv {k}/{s}/{p} 3 dilation={d}"
        if left < 1:
            with pytest.raises(SpecError, match="nothing"):
                load(text).build()
        else:
            last = measure(load(text).build().graph).rows[-1]
            assert last.output == (left, left, 3)
            assert last.macs == n * n * k * k * 2 * 3


def test_adaptive_pooling_adds_as_often_as_its_windows_are_wide() -> None:
    for n, t in product(range(1, 20), range(1, 9)):
        widths = [-(-(i + 1) * n // t) - i * n // t for i in range(t)]
        last = measure(load(f"input {n}x{2 * n}x3; adaptiveavgpool {t}x1").build().graph).rows[-1]
        assert last.cost.work.divs == t * 3
        assert last.cost.work.adds == sum(2 * n * width - 1 for width in widths) * 3
