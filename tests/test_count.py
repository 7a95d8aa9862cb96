"""Rules of counting by name, against what the tools print."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.analyses.costs import Report, measure
from archcalc.analyses.counting import Totals, count, recounted
from archcalc.analyses.rules import SIZES, find_rule, read_rule, rules_of, shipped
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError
from archcalc.lang.source import Source
from archcalc.library import load
from archcalc.ops import REGISTRY

# torchvision's VGG-16 pools to 7x7 before its classifier, which changes nothing at 224, and is counted by some.
CONVS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
VGG16 = "; ".join(
    [
        "use alexnet; input 224x224x3",
        *(f"conv 3/1/1 {n}; relu" if n else "pool 2" for n in CONVS),
        "adaptiveavgpool 7; classifier(1000)",
    ]
)
NETS = {"alexnet": "alexnet_owt", "vgg16": VGG16, "resnet50": "resnet50", "densenet121": "densenet121"}


# What each prints for torchvision 0.28.0's nets in eval mode, batch 1, 224x224, run with torch 2.13.0: alexnet, vgg16,
# resnet50, densenet121. The versions are those of the rules.
MEASURED = {
    ("torch", "params"): (61_100_840, 138_357_544, 25_557_032, 7_978_856),
    ("torch", "buffers"): (0, 0, 53_173, 83_769),
    ("torch", "cost"): (1_428_376_960, 30_940_528_640, 8_178_368_512, 5_668_323_328),
    ("fvcore", "cost"): (714_197_696, 15_470_289_408, 4_111_512_576, 2_865_546_752),
    ("fvcore", "activations"): (494_184, 13_556_712, 11_114_984, 6_900_200),
    ("thop", "cost"): (714_206_912, 15_470_314_496, 4_133_742_592, 2_897_007_104),
    ("thop", "params"): (61_100_840, 138_357_544, 25_557_032, 7_978_856),
    ("ptflops", "cost"): (716_441_128, 15_523_225_576, 4_132_436_968, 2_899_843_048),
    ("ptflops-aten", "cost"): (714_682_664, 15_483_821_032, 4_089_185_256, 2_834_162_664),
    ("calflops", "cost"): (1_429_741_184, 30_973_778_432, 8_211_108_352, 5_716_881_152),
    ("calflops", "macs"): (714_188_480, 15_470_264_320, 4_089_184_256, 2_834_161_664),
    ("torchinfo", "cost"): (714_682_664, 15_483_821_032, 4_089_238_376, 2_834_246_312),
    ("torchinfo", "bytes"): (3_953_472, 108_453_696, 177_831_744, 180_541_248),
    # onnx-tool 1.0.1 on torch.onnx.export(…, training=PRESERVE, do_constant_folding=False): BN stays by itself
    ("onnx-tool", "cost"): (715_979_944, 15_503_523_304, 4_450_761_704, 3_338_084_328),
}
# The same tools on more of torchvision's nets: cost of fvcore, thop, ptflops, calflops, torchinfo.
MORE = {
    "resnet18": (1_819_065_856, 1_824_033_792, 1_825_313_768, 3_636_250_112, 1_814_083_944),
    "squeezenet1_0": (819_093_576, 819_094_576, 836_821_960, 1_648_970_968, 823_270_824),
}
# ptflops 0.7.5 on those of torchvision's nets that call functions in place of modules
FUNCTIONS = {"inception_v3": 5_747_660_552, "googlenet_bn": 1_513_907_448}
# One layer on a 10x8x12 input: cost of fvcore, thop, ptflops, calflops, torchinfo, measured alike. Of calflops the
# layer follows a 1x1 convolution, whose cost is taken off: it takes no net without parameters.
LAYERS = {
    "conv 3/2/1 20": (43_200, 43_200, 43_600, 86_800, 43_600),
    "conv 3/2/1 20 nobias": (43_200, 43_200, 43_200, 86_400, 43_200),
    "conv 3/2/1 20 groups=2": (21_600, 21_600, 22_000, 43_600, 22_000),
    "dwconv 3/1/1": (8_640, 8_640, 9_600, 18_240, 9_600),
    "deconv 4/2/1 20 nobias": (307_200, 1_228_800, 307_200, 614_400, 1_228_800),
    "deconv 4/2/1 20 groups=2 nobias": (153_600, 614_400, 153_600, 153_600, 614_400),
    "fc 7": (6_720, 6_720, 6_727, None, 6_727),
    "fc 7 nobias": (6_720, 6_720, 6_720, None, 6_720),
    "maxpool 3/2/1": (0, 0, 1_920, 960, 0),
    "avgpool 3/2/1": (0, 240, 1_920, None, 0),
    "gap": (960, 972, 1_920, 960, 0),
    "adaptiveavgpool 3x4": (960, None, 1_920, None, 0),  # thop rounds 80/12 windows: 1,104
    "bn": (1_920, 3_840, 1_920, 1_920, 24),
    "bn noaffine": (960, 1_920, 960, 960, 0),
    "lrn 5": (0, 0, 4_160, 4_160, 0),
    "ln": (4_800, 3_840, 960, 4_800, None),
    "ln noaffine": (3_840, 1_920, 960, None, 0),
    "relu": (0, 0, 1_920, None, 0),
    "relu6": (0, 0, 960, 0, 0),
    "leakyrelu": (0, 0, 960, 960, 0),
    "prelu": (0, 960, 1_920, 960, 12),
    "elu": (0, 0, 1_920, 960, 0),
    "gelu": (0, 0, 1_920, 960, 0),
    "silu": (0, 0, 960, 960, 0),
    "sigmoid": (0, 0, 0, 0, 0),
    "tanh": (0, 0, 0, None, 0),
    "hardsigmoid": (0, 0, 0, None, 0),
    "hardswish": (0, 0, 0, 0, 0),
    "dropout": (0, 0, 0, None, 0),
    "softmax": (0, 2_800, 960, 960, 0),
    "upsample 2": (3_840, 3_840, 7_680, 960, 0),
    "pad 1": (0, 0, 0, None, 0),
    "shuffle 2": (0, 0, 0, None, 0),
    "flatten": (0, 0, 0, None, 0),
    "x: id; add x, x": (0, 0, 0, 0, 0),
    "x: id; mul x, x": (0, 0, 0, None, 0),
    "x: id; concat x, x": (0, 0, 0, None, 0),
}
TOOLS = ("fvcore", "thop", "ptflops", "calflops", "torchinfo")


def report_of(net: str) -> Report:
    return measure(load(net).build().graph)


def output(*words: str) -> str:
    result = CliRunner().invoke(group, list(words), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.output


def values(*words: str) -> dict[str, int]:
    found = json.loads(output("count", *words, "--format", "json"))
    assert found["kind"] == "count"
    return {each["rule"]: each["value"] for each in found["counts"]}


def figure(net: str, rule: str, name: str) -> object:
    found = count(report_of(net), find_rule(rule), name)
    assert found is not None
    assert found.value == sum(value for _, value in found.layers)  # type: ignore[misc]
    return found.value


# ---------------------------------------------------------------- what the tools print


@pytest.mark.parametrize(("rule", "name"), MEASURED)
@pytest.mark.parametrize("net", NETS)
def test_a_rule_gives_what_its_tool_prints(rule: str, name: str, net: str) -> None:
    assert figure(NETS[net], rule, name) == MEASURED[rule, name][list(NETS).index(net)]


@pytest.mark.parametrize("net", MORE)
def test_a_rule_gives_what_its_tool_prints_of_other_nets(net: str) -> None:
    assert tuple(figure(net, rule, "cost") for rule in TOOLS) == MORE[net]


@pytest.mark.parametrize("net", FUNCTIONS)
def test_ptflops_counts_functions_once(net: str) -> None:
    assert figure(net, "ptflops", "cost") == FUNCTIONS[net]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_rule_counts_a_layer_as_its_tool_does(layer: str) -> None:
    found = tuple(figure(f"input 10x8x12; {layer}", rule, "cost") for rule in TOOLS)
    assert all(wanted in (None, own) for own, wanted in zip(found, LAYERS[layer], strict=True)), found


def test_every_layer_type_is_measured_or_named() -> None:
    unmeasured = {"crop", "shortcut", "slice", "split"}  # PyTorch has no layer for them
    named = {REGISTRY[word].types[0] for text in LAYERS for word in text.replace(";", "").split() if word in REGISTRY}
    assert {cls.types[0] for cls in REGISTRY.values()} - named == unmeasured


def test_keras_counts_all_variables() -> None:
    # keras 3.15.1: applications.DenseNet121(weights=None).count_params(), VGG16 alike
    assert figure("densenet121", "keras", "params") == 8_062_504
    assert figure("vgg16", "keras", "params") == 138_357_544
    # its ResNet50 has 25,636,712: 26,560 biases of convolutions that torchvision's does not have
    assert figure("resnet50", "keras", "params") == 25_636_712 - 26_560


def test_onnx_tool_counts_every_weight_tensor() -> None:
    assert figure("resnet50", "onnx-tool", "params") == 25_610_152  # light_resnet50.onnx


def test_netscope_keeps_its_counters_apart() -> None:
    names = ("cost", "compares", "adds", "divs")
    found = [figure("resnet50", "netscope", name) for name in names]
    assert found == [4_089_184_256, 11_415_040, 16_733_696, 11_113_984]  # 4.0892 G, 11.4 M, 16.7 M, 11.1 M
    assert figure("vgg16", "netscope", "compares") == 19_685_376  # 19.7 M


def test_darknet_counts_convolutions_alone() -> None:
    assert figure("resnet50", "darknet", "cost") == 8_174_272_512  # 8.174 BFLOPs
    assert figure("vgg16", "darknet", "cost") == 30_693_261_312  # 30.693


def test_convnet_burden_prints_no_digit_behind_the_point() -> None:
    # its README: resnet-50 98 MB, 103 MB, 4 GFLOPs; vgg-vd-16 528 MB, 58 MB, 16 GFLOPs
    found = {net: figure(net, "convnet-burden", "cost") for net in ("resnet50_v1", "vgg16")}
    assert {net: round(value / 10**9) for net, value in found.items()} == {"resnet50_v1": 4, "vgg16": 16}  # type: ignore[operator]
    assert round(figure("vgg16", "convnet-burden", "bytes") / 2**20) == 58  # type: ignore[operator]


def test_a_lecture_counts_weights() -> None:
    assert figure("vgg16", "lecture", "params") == 138_344_128  # CS231n's column, added up
    assert figure("vgg16", "lecture", "cost") == 15_470_264_320
    assert figure("vgg16", "paper", "params") == 138_357_544
    # the column of activations, added up with the image: 58.1 MiB in float32
    assert figure("vgg16", "lecture", "activations") == figure("vgg16", "archcalc", "activations") == 15_237_608


# ---------------------------------------------------------------- side by side


def test_all_rules_stand_side_by_side() -> None:
    macs = 4_089_184_256  # what torchvision prints as 4.09 GFLOPS
    found = values("resnet50")
    assert next(iter(found)) == "archcalc"
    assert set(found) == set(shipped())
    assert (found["archcalc"], found["torchvision"], found["lecture"], found["paper"]) == (macs,) * 4
    assert found["touched"] < macs
    assert found["keras"] is None


def test_it_is_said_why_they_differ() -> None:
    found = output("count", "resnet50")
    assert "+22,227,968 bn: in * (1 + affine); +100,352 gap: in" in found  # fvcore
    assert "+44,455,936 bn: 2 * in * (1 + affine); +102,400 gap: (kernel + 1) * out" in found  # thop
    assert "+4,089,184,256 conv, fc: 2*macs" in found  # torch
    assert "params +53,120 bn: weights + biases + buffers" in found  # keras
    document = json.loads(output("count", "resnet50", "--rule", "fvcore", "--format", "json"))
    (fvcore,) = document["counts"]
    assert (fvcore["version"], fvcore["unit"], fvcore["figures"]["activations"]) == (
        "0.1.5.post20221221",
        "FLOPs",
        11_114_984,
    )
    assert [each["value"] for each in fvcore["differences"]] == [22_227_968, 100_352]
    (keras,) = json.loads(output("count", "resnet50", "--rule", "keras", "--format", "json"))["counts"]
    assert [(each["types"], each["value"]) for each in keras["params_differences"]] == [(["bn"], 53_120)]


@pytest.mark.parametrize("format_", ["csv", "md", "html"])
def test_why_they_differ_stands_in_the_other_formats_too(format_: str) -> None:
    found = output("count", "resnet50", "--format", format_)
    assert "+22,227,968 bn: in" in found
    assert "params +53,120 bn: weights + biases + buffers" in found


@pytest.mark.parametrize("rule", shipped())
@pytest.mark.parametrize("net", ["resnet50", "squeezenet1_0", "inception_v3", "enet"])
def test_the_differences_add_up(rule: str, net: str) -> None:
    (found,) = json.loads(output("count", net, "--rule", rule, "--format", "json"))["counts"]
    ours = report_of(net).total().macs
    if found["value"] is not None:
        assert sum(each["value"] for each in found["differences"]) == found["value"] - ours


@pytest.mark.parametrize("net", ["resnet50", "mobilenet_v1", "alexnet_grouped"])
def test_layers_alike_are_summed_as_one_by_one(net: str) -> None:
    report = report_of(net)
    totals = Totals(report)
    for rule in rules_of("all"):
        for name in rule.figures:
            found = count(report, rule, name)
            assert found is not None
            assert totals.total(rule, name) == found.value


def test_a_rule_says_where_it_is_from() -> None:
    found = output("count", "densenet121", "--rule", "thop")
    assert "thop 0.1.1.post2209072238" in found
    assert "Lyken17/pytorch-OpCounter: thop/vision/basic_hooks.py" in found
    assert "torchvision calls F.adaptive_avg_pool2d there" in found
    assert "F.adaptive_avg_pool2d" not in output("count", "resnet50", "--rule", "thop")


@pytest.mark.parametrize(
    "rule", [name for name in shipped() if name not in ("archcalc", "touched", "paper", "lecture")]
)
def test_a_rule_of_a_tool_names_its_version_and_source(rule: str) -> None:
    found = find_rule(rule)
    assert found.version
    assert found.source
    assert found.tool
    assert found.about


def test_a_window_over_padding_multiplies_zeros() -> None:
    net = "input 7x7x512; conv 3/1/1 512"
    # per row 3 taps at 7 places less 1 at each end: 19 of 21, squared 361 of 441
    assert values(net, "--rule", "touched") == {"touched": 361 * 512 * 512}
    assert values(net, "--rule", "archcalc") == {"archcalc": 441 * 512 * 512}
    assert "20,971,520 fewer than ours, 18.1%" in output("count", net, "--rule", "touched")


def test_a_batch_multiplies_costs_and_not_parameters() -> None:
    found = json.loads(output("count", "vgg16", "--batch", "3", "--format", "json"))["counts"][0]
    assert found["value"] == 3 * 15_470_264_320
    assert found["figures"]["params"] == 138_357_544


def test_a_layer_larger_than_any_argument_is_counted() -> None:
    assert values("vgg16", "--input", "8192x8192x3", "--rule", "torch")["torch"] > 10**13


def test_symbols_are_counted_where_a_rule_allows_it() -> None:
    found = json.loads(output("count", "input HxWx3; conv 3/1/1 8; relu", "--format", "json"))["counts"]
    assert {each["rule"]: each["value"] for each in found}["torch"] == "432*H*W"
    with pytest.raises(SpecError, match="padding zeros are counted on numbers"):
        output("count", "input HxWx3; conv 3/1/1 8", "--rule", "touched")


# ---------------------------------------------------------------- where else a rule is taken


def test_the_table_counts_by_a_rule_and_says_so() -> None:
    found = json.loads(output("table", "densenet121", "--rule", "keras", "--format", "json"))
    assert found["rule"] == "keras"
    assert found["totals"]["params"] == 8_062_504
    assert found["totals"]["macs"] == 2_834_161_664  # Keras counts none
    assert sum(layer["params"] for layer in found["layers"]) == 8_062_504
    text = output("table", "resnet50", "--rule", "fvcore", "--depth", "1")
    assert "4,111,512,576 by the rule, printed as FLOPs" in text
    assert "fvcore: a multiply-add is one; BN 2 a value" in " ".join(text.split())
    ours = json.loads(output("table", "densenet121", "--format", "json"))
    assert (ours["rule"], ours["totals"]["params"]) == ("archcalc", 7_978_856)


@pytest.mark.parametrize("net", ["vgg16", "densenet121", "mobilenet_v1"])
def test_our_own_rule_changes_nothing(net: str) -> None:
    report = report_of(net)
    assert recounted(report, find_rule("archcalc")).total() == report.total()


def test_a_rule_can_be_expected_and_asked_of_a_layer(tmp_path: Path) -> None:
    lines = (
        "input 7x7x512; c: conv 3/1/1 512; bn",
        "expect macs[touched] = 94_633_984; expect c.macs[touched] = 94_633_984",
        "expect flops[torch] = 231_211_008; expect macs[thop] = 115_705_856; expect bn1.flops[thop] = 100_352",
        "expect params[keras] = 2_361_856; expect params[lecture] = 2_359_808; expect biases[keras] = 1_024",
        "expect macs[mine.toml] = 25_088",
    )
    (tmp_path / "mine.toml").write_text('unit = "pJ"\n[cost]\nbn = "out"\n', "utf-8")
    (tmp_path / "net.arch").write_text("\n".join(lines), "utf-8")
    result = CliRunner().invoke(group, ["verify", str(tmp_path / "net.arch")], standalone_mode=False)
    assert (result.exception, result.return_value) == (None, 0)


# ---------------------------------------------------------------- rules of one's own


def rule(text: str) -> None:
    read_rule(Source("mine.toml", text))


def test_a_rule_of_ones_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "energy.toml"
    path.write_text('unit = "pJ"\n[cost]\nconv = "5 * macs"\ndwconv = "7*macs"\nactivation = "out"\nrelu = 0', "utf-8")
    net = "input 4x4x2; conv 1 3; dwconv 1; relu; tanh"
    assert values(net, "--rule", str(path)) == {"energy": 5 * 96 + 7 * 48 + 48}
    assert "rule         energy\n" in output("table", net, "--rule", str(path))  # no tool, nothing said about it


@pytest.mark.parametrize(
    ("text", "line", "message", "help"),
    [
        ("unit = ", 1, "not TOML: invalid value", ""),
        ('unit = "x"', 1, "the rule counts nothing", "a cost is a table"),
        ('[cost]\nconv = "macs"', 1, "the rule has no `unit`", "say what it calls its cost"),
        ('unit = "x"\n[cots]\nconv = "macs"', 2, "there is no figure `cots`", "did you mean `cost`?"),
        ('unti = "x"\n[params]', 1, "unknown key `unti`", "did you mean `unit`?"),
        ("unit = 5\n[params]", 1, "`unit` has to be text", ""),
        ('unit = "x"\ncost = "macs"', 2, "`cost` has to be a table", "write `[cost]`"),
        ('unit = "x"\n[cost]\nmaxpol = 1', 3, "`maxpol` is neither a layer type nor", "did you mean `maxpool`?"),
        ('unit = "x"\n[cost]\nconv = "2*oot"', 3, "unknown name `oot` in `2*oot`", "did you mean `out`?"),
        ('unit = "x"\n[cost]\nnorm = "affine"', 3, "unknown name `affine` in `affine`; `lrn` has no such", ""),
        ('unit = "x"\n[cost]\nconv = "2*"', 3, "cannot read the expression `2*`: expected a value", ""),
        ('unit = "x"\n[cost]\nconv = "1; input 2x2x2"', 3, "cannot read the expression `1; input 2x2x2`", ""),
        ('unit = "x"\n[cost]\nconv = 2.5', 3, "`conv` has to be an expression in quotes", ""),
        ('unit = "x"\n[cost]\nconv = true', 3, "`conv` has to be an expression in quotes", ""),
        ("[params]\nbiases = 1", 2, "`biases` has to be true or false", ""),
        ("[params]\nunit = 1", 2, "`unit` has to be text", ""),
        ("[params]\n[except]\nnets = []", 2, "exceptions are written as `[[except]]`", ""),
        ('[params]\n[[except]]\nnets = "x"', 2, "an exception has to name its `nets`", "such as"),
        ('[params]\n[[except]]\nnets = ["x"]\n[except.cost]\ngap = 0', 4, "`cost` is no figure of this rule", ""),
    ],
)
def test_a_rule_file_with_a_fault_is_refused_at_its_place(text: str, line: int, message: str, help: str) -> None:
    with pytest.raises(SpecError) as caught:
        rule(text)
    (fault,) = [fault for fault in caught.value.faults if fault.message.startswith(message)]
    assert help in fault.help
    assert fault.span is not None
    assert fault.span.line == line


def test_all_faults_of_a_rule_come_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        rule('unit = 1\n[cost]\nconv = "2*oot"\nmaxpol = 0\n[actvations]\n')
    assert [fault.span.line for fault in caught.value.faults if fault.span] == [1, 3, 4, 5]


@pytest.mark.parametrize("formula", ["macs - 10**9", "out // 0", "0.5", "**".join(["99"] * 9), "macs" + "*macs" * 40])
def test_a_formula_that_gives_no_count_is_refused(formula: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'unit = "x"\n[cost]\nconv = "{formula}"\n', "utf-8")
    with pytest.raises(SpecError) as caught:
        output("count", "input 9x9x3; conv 3 5", "--rule", str(path))
    (fault,) = caught.value.faults
    assert fault.span is not None
    assert fault.span.line == 3


@pytest.mark.parametrize("name", ["toched", "", "ALL", "archcalc,touched", "../x", "é" * 500])
@pytest.mark.parametrize("command", ["count", "table"])
def test_an_unknown_rule_is_refused(command: str, name: str) -> None:
    if command == "table" and not name:
        return  # an empty option is as none
    with pytest.raises(SpecError, match="unknown counting rule"):
        output(command, "vgg16", "--rule", name)


def test_a_rule_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(SpecError, match="cannot read `nowhere"):
        output("count", "vgg16", "--rule", "nowhere.toml")


@pytest.mark.parametrize(
    ("line", "marked"),
    [('conv = "2*oot"', "oot"), ('conv = "out +* 2"', "out +* 2"), ('conv = "in * too + to"  # to', "too")],
)
def test_what_is_wrong_in_a_formula_is_marked(line: str, marked: str) -> None:
    with pytest.raises(SpecError) as caught:
        rule(f'unit = "x"\n[cost]\n{line}\n')
    span = caught.value.faults[0].span
    assert span is not None
    assert span.source.text[span.start : span.end] == marked


def test_a_rule_counts_the_image_where_it_says_so() -> None:
    text = 'unit = "x"\n[cost]\ndefault = "out"\n[activations]\ndefault = "out"\ninput = "3*in_c + kernel + in + out"\n'
    found = read_rule(Source("mine.toml", text))
    report = report_of("input 4x4x2; relu")
    for name, value in (("cost", 32), ("activations", 32 + 1 + 32)):
        counted = count(report, found, name)
        assert counted
        assert counted.value == value


def test_python_counts_too() -> None:
    (thop,) = archcalc.count("resnet50", "thop")
    assert thop.counts["cost"].value == 4_133_742_592
    assert [each.rule.name for each in archcalc.count("lenet5")] == list(shipped())


def test_the_rule_of_the_reference_is_read() -> None:
    text = (Path(__file__).parent.parent / "docs" / "rules.md").read_text("utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    found = read_rule(Source("mine.toml", block))
    counted = count(report_of("input 4x4x2; conv 1 256; dwconv 1 nobias; relu; tanh"), found)
    assert counted is not None
    assert counted.value == 4 * 4 * 2 * 256 // 256 + 4 * 4 * 256 // 16 + 4 * 4 * 256
    assert all(f"`{name}`" in text for name in (*SIZES, *shipped()))


def test_every_size_that_a_formula_can_name_is_worked_out_for_every_layer() -> None:
    formulas = " + ".join(f"({name} >= 0)" for name in SIZES)
    found = read_rule(Source("x.toml", f'unit = "x"\n[cost]\ndefault = "{formulas}"\n'))
    for cls in REGISTRY.values():
        for example in cls.examples:
            report = measure(load(example).build().graph)
            counted = count(report, found)
            assert counted is not None
            assert all(value == len(SIZES) for row, value in counted.layers if row.inputs)
