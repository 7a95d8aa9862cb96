"""The zoo: every net builds, says where it is from, and comes to the figures that were published for it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from archcalc.analyses.costs import Report, Totals, measure
from archcalc.analyses.expectations import unmet
from archcalc.builder import Built
from archcalc.lang.parser import parse
from archcalc.lang.printer import print_tree
from archcalc.library import load, read_spec, spec_files, zoo
from archcalc.units import binary
from archcalc.volume import Volume

each_net = pytest.mark.parametrize("name", list(zoo()))


@cache
def built(arch: str) -> Built:
    return load(arch).build()


@cache
def report(arch: str) -> Report:
    return measure(built(arch).graph)


def total(arch: str) -> Totals:
    return report(arch).total()


# ---------------------------------------------------------------- all of them


@each_net
def test_a_net_holds_what_it_expects(name: str) -> None:
    assert not unmet(report(name), built(name).expects)


@each_net
def test_a_net_says_what_it_is_and_where_it_is_from(name: str) -> None:
    net = built(name)
    assert len(net.facts["source"]) > 10
    assert 1980 <= int(net.facts["year"]) <= 2030
    assert net.title


@each_net
def test_a_net_for_classes_takes_any_number_of_them(name: str) -> None:
    if "classes" in built(name).args:
        other = load(f"{name}(classes=7)").build().graph
        assert measure(other).rows[other.outputs[0][1]].output.c == 7


@pytest.mark.parametrize("path", spec_files(), ids=lambda path: path.name)
def test_a_spec_is_in_canonical_form(path: Path) -> None:
    source = read_spec(path)
    tree, faults = parse(source)
    assert not faults
    assert print_tree(tree) == source.text


def test_a_name_stands_in_one_file_only() -> None:
    nets = [line.split()[1].partition("(")[0] for line in spec_lines() if line.startswith("arch ")]
    assert sorted(nets) == sorted(zoo())


def spec_lines() -> Iterator[str]:
    for path in spec_files():
        yield from path.read_text("utf-8").splitlines()


# ---------------------------------------------------------------- exact totals


@pytest.mark.parametrize(
    ("arch", "params", "macs"),
    [
        ("alexnet", 62_378_344, 1_135_256_096),
        ("alexnet_grouped", 60_965_224, 724_406_816),
        ("alexnet_owt", 61_100_840, 714_188_480),  # torchvision's `alexnet`, measured
        ("vgg16", 138_357_544, 15_470_264_320),
        ("googlenet", 6_998_552, 1_582_671_872),
        ("resnet50", 25_557_032, 4_089_184_256),
        ("resnet50_v1", 25_557_032, 3_857_973_248),
        ("densenet121", 7_978_856, 2_834_161_664),
    ],
)
def test_a_net_has_the_totals_that_everyone_agrees_on(arch: str, params: int, macs: int) -> None:
    assert (total(arch).params, total(arch).macs) == (params, macs)


@pytest.mark.parametrize(
    ("arch", "kept", "norms"),
    [("alexnet_owt", 0, 0), ("vgg16", 0, 0), ("resnet50", 53_173, 53), ("densenet121", 83_769, 121)],
)
def test_buffers_are_those_of_pytorch_less_a_counter_for_each_normalization(arch: str, kept: int, norms: int) -> None:
    assert total(arch).buffers == kept - norms
    assert norms == sum(1 for row in report(arch).rows if row.cost.buffers)


def test_the_published_parameter_counts_of_resnet50_differ_by_what_is_counted() -> None:
    figures = total("resnet50")
    conv_biases = sum(row.output.c for row in report("resnet50").rows if len(row.node.op.weights(*row.inputs)) == 1)
    assert figures.params - 1000 == 25_556_032  # deepdetect: the biases of fc forgotten
    assert figures.params + figures.buffers == 25_610_152  # light_resnet50.onnx: mean and variance
    assert figures.params + figures.buffers + conv_biases == 25_636_712  # Keras: and a bias for each filter
    assert total("densenet121").params + total("densenet121").buffers == 8_062_504  # Keras


@pytest.mark.parametrize(
    ("arch", "params"),
    [
        ("resnet50(classes=10)", 23_528_522),  # torchvision resnet50(num_classes=10)
        ("vgg16(classes=10)", 134_301_514),  # torchvision vgg16(num_classes=10)
        ("alexnet_owt(classes=10)", 57_044_810),  # torchvision alexnet(num_classes=10)
        ("densenet121(classes=10)", 6_964_106),  # torchvision densenet121(num_classes=10)
        ("densenet121(k=24)", 4_697_992),  # the same net in PyTorch: see test_oracle
    ],
)
def test_arguments_change_a_net(arch: str, params: int) -> None:
    assert total(arch).params == params


# ---------------------------------------------------------------- VGG-16, the table of lecture S0

# Output, values in the column "Memory", parameters without biases.
COLUMN = """
    224x224x3 150528 0
    224x224x64 3211264 1728
    224x224x64 3211264 36864
    112x112x64 802816 0
    112x112x128 1605632 73728
    112x112x128 1605632 147456
    56x56x128 401408 0
    56x56x256 802816 294912
    56x56x256 802816 589824
    56x56x256 802816 589824
    28x28x256 200704 0
    28x28x512 401408 1179648
    28x28x512 401408 2359296
    28x28x512 401408 2359296
    14x14x512 100352 0
    14x14x512 100352 2359296
    14x14x512 100352 2359296
    14x14x512 100352 2359296
    7x7x512 25088 0
    1x1x4096 4096 102760448
    1x1x4096 4096 16777216
    1x1x1000 1000 4096000
"""


def test_the_memory_table_of_vgg16_is_that_of_the_lecture() -> None:
    rows = [row for row in report("vgg16").rows if row.cost.activations]
    assert [f"{row.output} {row.cost.activations} {row.cost.weights}" for row in rows] == [
        line.strip() for line in COLUMN.strip().splitlines()
    ]


def test_the_memory_column_of_vgg16_adds_up_to_15_million_and_with_the_inputs_to_the_lectures_24() -> None:
    figures = total("vgg16")
    assert figures.activations == 15_237_608
    assert figures.with_inputs == 24_352_744
    assert figures.weights == 138_344_128
    assert figures.biases == 13_416
    assert (binary(4 * 15_237_608), binary(4 * 24_352_744)) == ("58.1 MiB", "92.9 MiB")
    assert total("vgg19").activations == 16_542_184  # convnet-burden: 63 MB


# ---------------------------------------------------------------- sizes of papers and lectures

SIZES = {
    "alexnet": "conv1 55x55x96, pool1 27x27x96, conv2 27x27x256, pool2 13x13x256, conv5 13x13x256, pool5 6x6x256",
    "alexnet_d2l": "conv1 54x54x96, pool1 26x26x96, pool2 12x12x256, pool5 5x5x256",
    "vgg16": "conv1_2 224x224x64, pool1 112x112x64, pool2 56x56x128, pool3 28x28x256, pool4 14x14x512, pool5 7x7x512",
    "googlenet": "conv1 112x112x64, pool1 56x56x64, conv2 56x56x192, pool2 28x28x192, inception3a 28x28x256, "
    "inception3b 28x28x480, pool3 14x14x480, inception4a 14x14x512, inception4d 14x14x528, inception4e 14x14x832, "
    "pool4 7x7x832, inception5a 7x7x832, inception5b 7x7x1024",
    "resnet50": "conv1 112x112x64, conv2_x 56x56x256, conv3_x 28x28x512, conv4_x 14x14x1024, conv5_x 7x7x2048",
    "resnet34": "conv1 112x112x64, conv2_x 56x56x64, conv3_x 28x28x128, conv4_x 14x14x256, conv5_x 7x7x512",
    "densenet121": "conv1 112x112x64, pool1 56x56x64, denseblock1 56x56x256, transition1 28x28x128, "
    "denseblock2 28x28x512, transition2 14x14x256, denseblock3 14x14x1024, transition3 7x7x512, denseblock4 7x7x1024",
    "lenet5": "C1 28x28x6, S2 14x14x6, C3 10x10x16, S4 5x5x16",
}


@pytest.mark.parametrize("arch", SIZES)
def test_a_net_has_the_sizes_that_are_printed(arch: str) -> None:
    found = report(arch)
    for name, size in (each.split() for each in SIZES[arch].split(", ")):
        row = found.row(name)
        assert row is not None, name
        assert str(row.output) == size, name


# Weights without biases in Ki (1,024) and multiply-adds in millions: Szegedy et al. 2014, Table 1, worked out from the
# channels that it prints (its own parameters are wrong in six rows, its operations in 5a).
INCEPTION = {
    "inception3a": (163_328, 128_049_152),
    "inception3b": (388_096, 304_267_264),
    "inception4a": (375_552, 73_608_192),
    "inception4b": (448_512, 87_908_352),
    "inception4c": (509_440, 99_850_240),
    "inception4d": (604_672, 118_515_712),
    "inception4e": (867_328, 169_996_288),
    "inception5a": (1_042_432, 51_079_168),
    "inception5b": (1_442_816, 70_697_984),
}


@pytest.mark.parametrize("group", INCEPTION)
def test_an_inception_block_costs_what_its_channels_say(group: str) -> None:
    figures = report("googlenet").total(group)
    assert (figures.weights, figures.macs) == INCEPTION[group]


def test_a_block_of_the_zoo_knows_its_input() -> None:
    row = report("resnet50").row("conv5_x")
    assert row is not None
    assert row.output == Volume(7, 7, 2048)
    assert sum(1 for each in report("resnet50").rows if each.node.group[:1] == ("conv4_x",) and each.cost.macs) == 19
