"""Formulas to the end: what they say, what they hold for, and the same at a million points at once."""

from __future__ import annotations

import ast
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses.costs import Totals
from archcalc.cli.entry import group, report
from archcalc.lang.errors import SpecError
from archcalc.library import load, zoo
from archcalc.symbolic import Size, at, failing, symbol
from archcalc.symbolic.validity import counterexample, domains, others, smallest

PACKAGE = Path(archcalc.__file__).parent


def run(*words: str) -> Result:
    return CliRunner().invoke(group, words, standalone_mode=False)


def output(*words: str) -> str:
    result = run(*words)
    assert result.exception is None, result.exception
    return result.output


def fault(*words: str) -> str:
    result = run(*words)
    assert isinstance(result.exception, SpecError), result.output
    return "\n".join(f"{each.message}; {each.help}" for each in result.exception.faults)


def unet(depth: int, size: str = "HxWx3") -> str:
    """Down and up again, the first volume joined to the last."""
    down = "; ".join(["pool 2; conv 3/1/1 8"] * depth)
    return f"input {size}; top: conv 3/1/1 8; {down}; upsample {2**depth}; low: conv 3/1/1 8; concat top, low"


# ---------------------------------------------------------------- sizes

SIZES = {  # arithmetic: each stride s makes floor((H + b)/m) + c into floor((H + b + m*(c + 2P - F))/(m*s)) + 1
    ("resnet50", "conv5_x"): "ceil(H/32)",  # 7/2/3, 3/2/1, and 3/2/1 three times: each rounds H/2 up
    ("resnet152", "conv5_x"): "ceil(H/32)",
    ("vgg16", "pool5"): "floor(H/32)",
    ("alexnet", "conv1"): "floor((H + 1)/4) - 2",  # (H - 11)/4 + 1
    ("alexnet", "pool5"): "floor((H + 29)/32) - 2",
    ("densenet121", "denseblock4"): "floor((H + 3)/32)",
    ("mobilenet_v1", "gap1"): "1",
}


@pytest.mark.parametrize(("net", "layer"), SIZES)
def test_a_net_ends_at_the_size_that_arithmetic_on_paper_gives(net: str, layer: str) -> None:
    built = load(net).build(free=("H", "W"))
    index = built.graph.volumes[layer]
    size = archcalc.formula(net, "H,W").layers[index].output
    assert str(size.h) == SIZES[net, layer]
    assert str(size.w) == SIZES[net, layer].replace("H", "W")


def test_the_command_prints_the_formulas_of_each_layer_and_of_the_whole() -> None:
    text = output("formula", "resnet50", "--free", "H,W")
    assert re.search(r"^conv5_x\.2\.relu3 +ceil\(H/32\) x ceil\(W/32\) x 2048 ", text, re.MULTILINE)
    first = r"^conv1\.conv1 +ceil\(H/2\) x ceil\(W/2\) x 64 .* 9408\*ceil\(H/2\)\*ceil\(W/2\)$"
    assert re.search(first, text, re.MULTILINE)
    assert re.search(r"^parameters +25,557,032$", text, re.MULTILINE)
    assert "MACs        9408*ceil(H/2)*ceil(W/2) + 245760*ceil(H/4)*ceil(W/4)" in text


def test_the_macs_of_vgg16_are_exact_in_height_and_width() -> None:
    macs = archcalc.formula("vgg16", "H,W").totals.macs
    by_resolution = {  # 9 * depth in * depth out, summed by the size at which a layer works
        "H*W": 9 * (3 * 64 + 64 * 64),
        "floor(H/2)*floor(W/2)": 9 * (64 * 128 + 128 * 128),
        "floor(H/4)*floor(W/4)": 9 * (128 * 256 + 2 * 256 * 256),
        "floor(H/8)*floor(W/8)": 9 * (256 * 512 + 2 * 512 * 512),
        "floor(H/16)*floor(W/16)": 9 * 3 * 512 * 512,
        "floor(H/32)*floor(W/32)": 512 * 4096,  # fc6
    }
    convolutions = " + ".join(f"{count}*{size}" for size, count in by_resolution.items())
    assert str(macs) == f"{convolutions} + {4096 * 4096 + 4096 * 1000}"
    assert at(macs, {"H": 224, "W": 224}) == 15_470_264_320


def test_the_parameters_of_densenet_are_a_polynomial_in_its_growth_rate() -> None:
    params = archcalc.formula("densenet121", "k").totals.params
    assert str(params) == "6700*k^2 + 34908*k + 1000"
    assert at(params, {"k": 32}) == 7_978_856  # Huang et al. 2016, as torchvision builds it


def test_a_product_of_sizes_is_written_as_one() -> None:
    net = archcalc.formula("alexnet", "H,W")
    assert str(net.layers[1].macs) == "34848*(floor((H + 1)/4) - 2)*(floor((W + 1)/4) - 2)"
    assert str(archcalc.formula("input NxNx3; conv 3 8; conv 3 8").layers[2].macs) == "576*(N - 4)^2"
    both = archcalc.formula("input NxNx3; conv 3 8; conv 3 8").totals.macs
    assert str(both) == "792*N^2 - 5472*N + 10080"  # 216*(N - 2)^2 + 576*(N - 4)^2


def test_arguments_the_input_and_the_batch_are_free_together() -> None:
    net = archcalc.formula("vgg16", ["H", "W", "N", "classes"])
    assert str(net.totals.params) == "2097152*floor(H/32)*floor(W/32) + 4097*classes + 31500096"
    assert str(net.totals.macs).endswith("+ 4096*N*classes + 16777216*N")
    assert net.at(H=224, W=224, N=3, classes=1000).macs == 3 * 15_470_264_320


def test_n_is_the_batch_unless_the_net_has_an_n() -> None:
    text = "input NxNx3; conv 3/1/1 8"
    assert str(archcalc.formula(text, "N").totals.macs) == "216*N^2"
    assert str(archcalc.formula("input 9x9x3; conv 3/1/1 8", "N").totals.macs) == f"{81 * 216}*N"
    named = "arch a(N=4) { input 9x9x3; conv 3/1/1 N }"
    assert str(archcalc.formula(named, "N").totals.macs) == f"{81 * 27}*N"


def test_of_several_inputs_those_as_long_as_the_first_are_free_with_it() -> None:
    siamese = "a: input 64x64x3; u: conv 3/1/1 4; b: input 64x64x3; v: conv 3/1/1 4 share=u; concat u, v"
    assert str(archcalc.formula(siamese, "H").layers[-1].output) == "Hx64x8"


@pytest.mark.parametrize("free", ["q", "H,q", "h", "H W", "H;W", "__class__", "k" * 100_000, "H,,1", "é"])
def test_a_name_that_nothing_has_is_refused(free: str) -> None:
    told = fault("formula", "vgg16", "--free", free)
    assert re.search(r"that could be free; (there are H, W, C, N, classes|did you mean `(classes|[HW])`\?)$", told)


def test_a_near_name_is_proposed() -> None:
    assert "did you mean `classes`?" in fault("formula", "vgg16", "--free", "clases")


def test_a_stride_cannot_be_a_symbol() -> None:
    told = fault("formula", "preresnet50", "--free", "s1")
    assert "`s1` depends on a symbol; give its symbols as numbers" in told


def test_a_symbol_stands_for_a_whole_number() -> None:
    assert "a symbol stands for a whole number of at least 1, not 1/4" in fault(
        "formula", "mobilenet_v1(width=0.25)", "--free", "width"
    )


# ---------------------------------------------------------------- formats


def test_as_json_formulas_are_text_that_python_reads() -> None:
    found = json.loads(output("formula", "densenet121", "--free", "k,H,W", "--format", "json"))
    assert found["kind"] == "formula"
    assert eval(found["totals"]["params"], {"k": 32}) == 7_978_856
    numbers = {"k": 32, "H": 224, "W": 224, "floor": math.floor, "ceil": math.ceil}
    exact = archcalc.load("densenet121").analyze().totals
    for key in ("activations", "macs", "flops", "buffers", "weights", "biases"):
        assert eval(str(found["totals"][key]), numbers) == getattr(exact, key)
    assert found["domains"][0]["least"] == found["smallest"]["H"] == 29
    assert found["assumptions"][0] == {"condition": "H >= 29", "of": "transition3.avgpool1"}
    sizes = [[eval(str(n), numbers) for n in layer["output"]] for layer in found["layers"]]
    assert sizes == [list(row.output) for row in archcalc.load("densenet121").analyze().layers]


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "googlenet", "alexnet"])
def test_as_latex_all_braces_and_all_brackets_are_closed(name: str) -> None:
    text = output("formula", name, "--free", "H,W,classes", "--format", "latex")
    assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}")
    assert text.count(r"\left") == text.count(r"\right")
    assert r"\left\l" in text
    assert r"\mathrm{classes}" in text
    for line in text.splitlines():
        assert line.startswith("%") or not re.search(r"(?<!\\)[#_%^]", re.sub(r"\^\{\d+\}", "", line)), line
    begun, ended = re.findall(r"\\begin\{([\w*]+)\}", text), re.findall(r"\\end\{([\w*]+)\}", text)
    assert sorted(begun) == sorted(ended)
    assert sorted(begun) in (["align*", "table", "tabular"], ["align*", "longtable"])


def test_csv_and_markdown_hold_the_same_formulas() -> None:
    csv = output("formula", "input NxNx3; conv 3/2/1 8", "--format", "csv").splitlines()
    assert csv[0].startswith("layer,type,inputs,output,activations,bytes,params")
    assert csv[2].startswith("conv1,conv 3/2/1 8,input,ceil(N/2) x ceil(N/2) x 8,8*ceil(N/2)^2,32*ceil(N/2)^2,224")
    assert "8\\*ceil(N/2)^2" in output("formula", "input NxNx3; conv 3/2/1 8", "--format", "md")


@pytest.mark.parametrize("columns", ["40", "60", "80", "120", "400"])
def test_on_a_narrow_screen_formulas_are_broken_and_not_cut(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    for command in ("formula", "table"):
        text = output(command, "alexnet", "--input", "HxWx3", "--columns", "layer,macs")
        assert "…" not in text
        joined = re.sub(r"\s+", "", text)
        assert "conv534848" not in joined
        assert "884736*(floor((H+13)/16)-2)*(floor((W+13)/16)-2)" in joined


def test_a_table_of_symbols_has_formulas_in_its_cells() -> None:
    text = output("table", "vgg16", "--input", "HxWx3")
    assert re.search(r"^pool5 +maxpool 2/2 +floor\(H/32\) x floor\(W/32\) x 512 ", text, re.MULTILINE)
    assert "holds when  H >= 32 and W >= 32 (`pool5`)" in text


# ---------------------------------------------------------------- what they hold for


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5])
def test_a_merge_says_when_exactly_its_branches_agree_and_a_smallest_case_against_it(depth: int) -> None:
    step = 2**depth
    text = output("table", unet(depth))
    assert f"agrees exactly when {step} divides H: at H = {step + 1}, {step + 1} and {step} meet" in text
    assert f"legal       H = {step}, {2 * step}, {3 * step}, …" in text
    assert f"smallest    H = {step}, W = {step}" in text
    for n in range(1, 4 * step):
        if n % step:
            with pytest.raises(SpecError):
                load(unet(depth, f"{n}x{step}x3")).build()
        else:
            load(unet(depth, f"{n}x{step}x3")).build()


def test_the_legal_inputs_are_those_that_the_engine_takes() -> None:
    nets = (
        "input NxNx3; u: conv 3/2/1 4; pool 3/2; upsample 2; crop 1; v: id; from u; crop 2; w: id; concat v, w",
        "input NxNx3; u: conv 5 4; pool 2 ceil; upsample 2; v: conv 1 4; concat u, v",
        "input NxNx3; u: pool 3; upsample 3; v: conv 1 3; pool 2; upsample 2; w: crop 0:1; add v, w",
        "input NxNx3; u: pool 2; crop 3; v: id; from u; pool 2; add v",
        "input NxNx3; u: conv 4/3 4; from input; pool 2; conv 3/2 4; concat u",
        "input NxNx3; conv 9 4; pool 4/4; fc 10",
    )
    for text in nets:
        taken = []
        for n in range(1, 130):
            try:
                load(text.replace("NxN", f"{n}x{n}")).build()
                taken.append(n)
            except SpecError:
                pass
        if not taken:
            with pytest.raises(SpecError):
                load(text).build()
            continue
        assumptions = load(text).build().assumptions
        (domain,) = domains(assumptions).values()
        assert list(domain.values_to(129)) == taken, text
        assert domain.least == taken[0] == smallest(assumptions)["N"]  # type: ignore[index]
        for each in domain.reasons:
            against = counterexample(each, domain)
            assert against is None or (failing([each], {"N": against}) and against not in taken)


def test_a_net_that_fits_for_no_input_is_refused_with_the_reason() -> None:
    text = "input HxHx3; u: conv 3/1/1 8; pool 2; crop 10; w: id; from u; pool 4; crop 7; add w"
    told = fault("table", text)
    assert "no input fits: H >= 60 (`crop2`) and 22 <= H <= 25 (`add1`) cannot hold together" in told
    with pytest.raises(SpecError, match="cannot add"):  # equal for no H at all: refused by the merge
        load("input HxHx3; u: conv 3/1/1 3; crop 1; add u").build()
    for n in range(1, 200):
        with pytest.raises(SpecError):
            load(text.replace("HxH", f"{n}x{n}")).build()


def test_conditions_on_two_symbols_are_said_together() -> None:
    text = "input HxWx1; u: conv 3/1/1 4; flatten; a: fc 10; from u; gap; b: fc 10; add a, b"
    assert not domains(load(text).build().assumptions)
    net = "a: input HxWx1; b: input WxHx1; add a, b"
    found = load(net).build().assumptions
    assert [each.condition.text for each in others(found, domains(found))] == ["H = W", "W = H"]
    assert smallest(found) == {"H": 1, "W": 1}
    assert "holds when  H = W and W = H (`add1`)" in output("table", net)


def test_a_branch_of_the_text_is_taken_as_at_the_number_and_said() -> None:
    text = "arch a(k=32) { input 8x8x16; if k > 16 { conv 1 k } else { conv 3 k }; conv 1 max(k, 20) }"
    found = archcalc.formula(text, "k")
    assert [str(each) for each in found.assumptions] == ["k > 16 (`k > 16`)", "k > 20 (`max(k, 20)`)"]
    assert "holds when  k > 20: so the text's `max(k, 20)` is decided" in output("formula", text, "--free", "k")
    for k in (21, 33, 64):
        assert found.at(k=k).params == archcalc.load(text.replace("k=32", f"k={k}")).analyze().totals.params
    with pytest.raises(ValueError, match="there is no such net"):
        found.at(k=5)


# ---------------------------------------------------------------- compiled


def engine(name: str, height: int, width: int) -> Totals:
    return archcalc.load(name).analyze(f"{height}x{width}x3").totals


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "alexnet", "googlenet", "densenet121", "mobilenet_v1"])
def test_compiled_costs_are_those_of_the_engine(name: str) -> None:
    rng = np.random.default_rng(0)
    heights, widths = rng.integers(67, 2000, (2, 40))
    found = archcalc.formula(name, "H,W").compile()(H=heights, W=widths)
    for at_, (height, width) in enumerate(zip(heights, widths, strict=True)):
        assert Totals(*(int(figure[at_]) for figure in found)) == engine(name, int(height), int(width))


def test_compiled_costs_of_arguments_and_of_a_batch() -> None:
    costs = archcalc.formula("densenet121", "k,N,classes").compile()
    assert costs.symbols == ("N", "classes", "k")
    rates = np.arange(1, 65)
    found = costs(k=rates, N=8, classes=10)
    for k in (1, 12, 31, 64):
        exact = archcalc.load(f"densenet121(k={k}, classes=10)").analyze().totals
        assert (found.params[k - 1], found.macs[k - 1]) == (exact.params, 8 * exact.macs)


def test_compiled_costs_take_any_shape_and_give_it_back() -> None:
    costs = archcalc.formula("vgg16", "H,W").compile("conv3_1")
    found = costs(H=np.arange(32, 40)[:, None], W=np.arange(32, 35)[None, :])
    assert found.macs.shape == (8, 3)
    assert found.macs.dtype == np.int64
    assert costs(H=64, W=64).macs.shape == ()


def test_an_overflow_is_told_and_never_wraps_around() -> None:
    costs = archcalc.formula("resnet50", "H,W,N").compile()
    with pytest.raises(OverflowError, match=r"at H = 1000000, W = 1000000, N = 1000000 is .*: more than 64 bits hold"):
        costs(H=[100, 10**6], W=[100, 10**6], N=[1, 10**6])
    net = archcalc.formula("resnet50", "H,W,N")
    for height, width, batch in ((10**6, 32, 500), (32, 32, 10**9), (300_000, 300_000, 100)):
        exact = net.at(H=height, W=width, N=batch)
        if max(exact) < 2**63:  # also where the bound on the way would not tell
            assert tuple(map(int, costs(H=height, W=width, N=batch))) == tuple(exact)
        else:
            with pytest.raises(OverflowError):
                costs(H=height, W=width, N=batch)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**12), st.integers(1, 10**12))
def test_compiled_costs_are_right_or_refused_anywhere(height: int, width: int) -> None:
    net = archcalc.formula("input HxWx3; conv 3/2/1 8; pool 3/2 ceil; upsample 3; pool 2; fc 7")
    costs = net.compile()
    try:
        exact = net.at(H=height, W=width)
    except ValueError:
        with pytest.raises(ValueError, match="no such net"):
            costs(H=height, W=width)
        return
    if max(exact) < 2**63:
        assert tuple(map(int, costs(H=height, W=width))) == tuple(exact)
    else:
        with pytest.raises(OverflowError):
            costs(H=height, W=width)


def test_compiled_costs_refuse_what_is_no_design_point() -> None:
    costs = archcalc.formula("vgg16", "H,W").compile()
    with pytest.raises(ValueError, match=r"no such net at H = 31, W = 40: it holds when H >= 32 \(`pool5`\)"):
        costs(H=[64, 31], W=40)
    with pytest.raises(TypeError, match="depend on H, W; given H"):
        costs(H=64)
    with pytest.raises(TypeError, match="depend on H, W; given H, W, k"):
        costs(H=64, W=64, k=3)
    with pytest.raises(TypeError, match="whole numbers, not float64"):
        costs(H=64.5, W=64)
    with pytest.raises(TypeError, match="whole numbers, not bool"):
        costs(H=True, W=64)
    with pytest.raises(ValueError, match="between 1 and"):
        costs(H=np.uint64(2**63), W=64)
    with pytest.raises(ValueError, match="between 1 and"):
        costs(H=0, W=64)


# ---------------------------------------------------------------- safety


def test_no_text_is_ever_evaluated_by_python_or_by_sympy() -> None:
    refused = {"eval", "exec", "compile", "sympify", "parse_expr", "lambdify", "S", "simplify_logic", "__import__"}
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                owner = getattr(getattr(node.func, "value", None), "id", "")
                if name in refused and owner != "re":
                    found.append(f"{path.name}:{node.lineno} calls {name}")
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "input HxWx4; repeat 60 { conv 1 depth*depth }",
        "input HxWxC; repeat 60 { flatten; fc depth*depth }",
        "input HxWx3; repeat 300 { concat { id | id } }",
        "input HxWxC; repeat 90 { u: pool 2; concat { id | conv 1 depth } ; flatten }",
        "input HxWxC; repeat 40 { conv 1 depth*depth + depth + 1 }",
        "arch a(k=3, j=5) { input 8x8x3; repeat 50 { conv 1 (depth + k)*(depth + j) } }",
        "arch a(k=3) { input 8x8x3; repeat 50 { conv 1 round(depth*1.5) + k } }",
        "arch a(k=3) { input 8x8x3; repeat 2000 { conv 1 depth + k } }",
        "arch a(k=3) { input 8x8x3; repeat 3000 { conv 1 k } }",
        "input HxWx3; repeat 2000 { conv 2 3 }; fc 10",
        "arch a(k=3) { input 8x8x3; x: conv 1 k*k; add { conv 1 3*k + 4 | conv 1 3*k + 4 }; repeat 400 { id }; add x }",
        "arch a(k=5) { input 8x8x3; x: conv 1 k*k*k//7; repeat 300 as i { y: conv 1 k*k + 6*i; add x, y } }",
    ],
)
def test_formulas_are_bounded_in_time_and_size(text: str) -> None:
    free = "k,j" if "j=5" in text else "k" if "k=3" in text else ""
    result = run("formula", text, *(["--free", free] if free else []))
    if result.exception is not None:
        assert isinstance(result.exception, SpecError)
        assert all(each.span is not None for each in result.exception.faults)
        report(result.exception)


EXPRESSIONS = st.recursive(
    st.sampled_from(["k", "j", "1", "2", "3", "7", "0.5", "depth", "height"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        st.tuples(st.sampled_from(["floor", "ceil", "round"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS, st.integers(1, 9), st.integers(1, 9))
def test_any_net_of_symbols_gives_the_numbers_or_a_fault(a: str, b: str, c: str, k: int, j: int) -> None:
    body = f"input HxHx(4); conv 1 {a}; if {b} > {c} {{ pool 2 }}; conv 3/1/1 {b}; fc {c}"
    free = f"arch a(k=5, j=3) {{ {body} }}"
    numbers = {"k": k, "j": j, "H": 6}
    given_ = f"arch a(k={k}, j={j}) {{ {body.replace('HxH', '6x6')} }}"
    try:
        found = archcalc.formula(free, "k,j")
    except SpecError:
        return
    if failing(found.assumptions, numbers):
        return
    exact = archcalc.load(given_).analyze().totals
    wanted = {name: numbers[name] for name in numbers}
    assert found.at(**wanted) == exact


def test_a_size_nested_in_itself_is_right_for_every_number() -> None:
    n = symbol("N")
    size = (((n // 2 * 3 + 1) // 4 * 5 + 2) // 3 + 1) // 2
    assert isinstance(size, Size)
    for value in range(1, 500):
        assert size.at(value) == (((value // 2 * 3 + 1) // 4 * 5 + 2) // 3 + 1) // 2
        assert size.least(size.at(value)) <= value <= size.most(size.at(value))


def test_every_net_of_the_zoo_has_formulas_in_all_its_arguments() -> None:
    numbers = {"count", "r", "s1", "s3", "segments"}  # what is repeated, and strides, cannot be symbols
    repeated = {"resnext_block_a": "c", "resnext_block_b": "c"}
    for name in zoo():
        net = load(name)
        params = {each.name for each in net.arch.params} if net.arch else set()
        found = archcalc.formula(name, sorted(params - numbers - {repeated.get(name)}))
        exact = archcalc.load(name).analyze().totals
        assert found.at(**found.built.numbers) == exact, name


# ---------------------------------------------------------------- legal values in words, and what is refused in Python


@pytest.mark.parametrize(
    ("text", "legal"),
    [
        ("input NxNx3; add { pool 2 ; upsample 2 | conv 2 3 }", "N = 3, 5, 7, …"),
        ("input NxNx3; add { pool 3 ; upsample 3 | conv 3 3 }", "N = 5, 8, 11, …"),
        (
            "input NxNx3; conv 3/2/1 8; a: pool 3/2 ceil; pool 2; deconv 2/2 8; add a",
            "N = 7 to 10, 15 to 18, 23 to 26, …",
        ),
        ("input NxNx3; add { conv 3/2/1 8 | conv 9/3/11 8 }", "N = 25, 27 to 30, 32"),
        ("input NxNx3; pool 4", "N >= 4"),
    ],
)
def test_the_legal_inputs_in_words_are_all_of_them(text: str, legal: str) -> None:
    (domain,) = domains(load(text).build().assumptions).values()
    assert domain.text == legal
    said = {
        n
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", legal)
        for n in range(int(first), int(last or first) + 1)
    }
    for n in range(1, max(said) + 1):
        taken = True
        try:
            load(text.replace("NxN", f"{n}x{n}")).build()
        except SpecError:
            taken = False
        assert taken == (n in said), n


def test_a_net_that_any_input_fits_has_a_smallest_one_too() -> None:
    assert "smallest    H = 1, W = 1" in output("formula", "resnet50", "--free", "H,W")


@pytest.mark.parametrize("numbers", [{"H": 224}, {"H": "224", "W": 224}, {"H": 224.0, "W": 224}, {"H": True, "W": 9}])
def test_what_is_no_number_for_a_symbol_is_refused(numbers: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="whole numbers are wanted for H, W"):
        archcalc.formula("resnet50", "H,W").at(**numbers)


def test_no_symbol_is_nought_or_less() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        archcalc.formula("resnet50", "H,W").at(H=-7, W=5)


def test_a_part_that_there_is_not_is_refused_and_not_free() -> None:
    net = archcalc.formula("vgg16", "H,W")
    for call in (net.total, net.compile):
        with pytest.raises(SpecError, match="there is no layer `conv9`"):
            call("conv9")
    assert str(net.total("conv1_1..conv1_2").macs) == "38592*H*W"


def test_formulas_have_a_bound_on_their_symbols() -> None:
    params = ", ".join(f"a{i}=4" for i in range(40))
    free = ",".join(f"a{i}" for i in range(40))
    told = fault("formula", f"arch a({params}) {{ input 8x8x3; conv 1 a0 }}", "--free", free)
    assert "40 symbols; at most 20 can be free at once" in told
