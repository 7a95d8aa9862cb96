"""The memory ledger: figures measured with PyTorch, nets added up by hand, and laws of what is alive."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses.capacity import fit
from archcalc.analyses.costs import Report, measure
from archcalc.analyses.liveness import owners
from archcalc.analyses.memory import Inference, Plan, Training, account
from archcalc.analyses.retention import retain
from archcalc.cli.entry import group
from archcalc.graph import Graph, Node, walk
from archcalc.lang.errors import SpecError
from archcalc.library import load
from archcalc.units import read_bytes

# VGG-16 as torchvision builds it: a pool before the classifier that keeps the size, and a tensor all the same.
POOL = "adaptiveavgpool 7x7"
VGG16_OF_TORCHVISION = archcalc.load("vgg16").text.replace("pool5: pool 2/2", f"pool5: pool 2/2 ; {POOL}", 1)
MEASURED = {  # bytes of distinct storages that PyTorch 2.13.0 saves, weights and buffers left out: batch 1, batch 4
    "alexnet_owt": (3_745_196, 14_980_772),
    VGG16_OF_TORCHVISION: (73_359_276, 293_437_092),
    "resnet50": (86_125_996, 343_866_532),
}
OF_INDICES = {"alexnet_owt": 706_568, VGG16_OF_TORCHVISION: 12_242_952, "resnet50": 1_605_640}  # int64, batch 1


def report(text: str) -> Report:
    return measure(load(text).build().graph)


def training(text: str, **plan: Any) -> Training:
    found = account(report(text), Plan(**plan)).training
    assert found
    return found


def inference(text: str, **plan: Any) -> Inference:
    return account(report(text), Plan(**plan)).inference


def invoke(*words: str) -> Result:
    return CliRunner().invoke(group, [*words], standalone_mode=False)


def answer(*words: str) -> dict[str, Any]:
    result = invoke(*words, "--format", "json")
    if result.exception:
        raise result.exception
    found: dict[str, Any] = json.loads(result.output)
    return found


# ---------------------------------------------------------------- measured


@pytest.mark.parametrize("text", MEASURED, ids=["alexnet_owt", "vgg16 of torchvision", "resnet50"])
def test_what_is_saved_is_what_pytorch_was_measured_to_save(text: str) -> None:
    assert tuple(training(text, batch=batch).saved for batch in (1, 4)) == MEASURED[text]
    kept = [tensor for tensors in training(text).kept for tensor in tensors]
    assert sum(each.bytes for each in kept if each.what in ("indices", "targets")) == OF_INDICES[text]


def test_vgg16_as_the_paper_has_it_saves_a_volume_of_7x7x512_less() -> None:
    for batch, measured in zip((1, 4), MEASURED[VGG16_OF_TORCHVISION], strict=True):
        assert training("vgg16", batch=batch).saved == measured - batch * 7 * 7 * 512 * 4


# ---------------------------------------------------------------- by hand

RESIDUAL = "input 4x4x8; a: conv 1 8; add { conv 1 16; relu; conv 1 8 | }; fc 2"


def test_a_shortcut_is_alive_as_long_as_its_branch() -> None:
    """In values: input 128, a 128, conv 256 (its relu in place), conv 128, sum 128, fc 2."""
    found = inference(RESIDUAL)
    # input | input a | a conv | a conv(relu) | a conv conv | a conv sum | sum fc
    assert [level // 4 for level in found.levels] == [128, 256, 384, 384, 512, 384, 130]
    assert (found.peak, found.peak_at) == (2048, "conv2")
    assert [(each.layer, each.bytes) for each in found.alive] == [("a", 512), ("conv1", 1024), ("conv2", 512)]
    assert [level // 4 for level in inference(RESIDUAL, inplace=False).levels] == [128, 256, 384, 640, 512, 384, 130]


def test_the_volumes_of_a_concat_wait_for_each_other() -> None:
    """In values: input 48, branches 32, 16 and the input itself, concat 96."""
    found = inference("input 4x4x3; concat { conv 1 2 | conv 1 1 | id }; conv 1 1")
    assert [level // 4 for level in found.levels] == [48, 80, 96, 96, 192, 112]
    assert found.peak_at == "concat1"
    assert {each.layer: each.bytes // 4 for each in found.alive} == {
        "input": 48,
        "conv1": 32,
        "conv2": 16,
        "concat1": 96,
    }


def test_what_a_residual_block_saves_by_hand() -> None:
    """Each conv its input, the relu its output, the fc its input; the loss 2 log-probabilities, a target, a weight."""
    values = 128 + 128 + 256 + 128 + 2 + 1  # input, a, relu (which conv2 keeps too), sum
    assert training(RESIDUAL).saved == values * 4 + 8
    # not in place: the output of conv1 is another tensor, and nobody keeps it
    assert training(RESIDUAL, inplace=False).saved == values * 4 + 8
    assert training(RESIDUAL, batch=3).saved == 3 * ((values - 1) * 4 + 8) + 4


def test_a_relu_leaves_alone_what_another_still_reads_or_keeps() -> None:
    shared = "input 4x4x2; a: conv 1 2; relu; b: conv 1 2; add a"  # the sum reads `a` behind the relu
    assert [level // 4 for level in inference(shared).levels] == [32, 64, 64, 96, 96]
    kept = "input 4x4x2; conv 1 2; sigmoid; relu; conv 1 2"  # the sigmoid keeps its output
    # the image, the sigmoid's output and the relu's, the log-probabilities, a weight; targets at 16 positions
    assert training(kept).saved == (4 * 32 + 1) * 4 + 16 * 8


def test_nothing_is_kept_where_no_gradient_goes() -> None:
    assert training("input 4x4x2; pool 2; relu").saved == 0
    # of the pool neither the input nor the indices; of the conv its input; the loss at 2x2 positions
    assert training("input 4x4x2; pool 2; conv 1 3").saved == 8 * 4 + 12 * 4 + 4 * 8 + 4


@pytest.mark.parametrize(("optimizer", "numbers"), [("sgd", 0), ("momentum", 1), ("adam", 2), ("adamw", 2)])
def test_an_optimizer_keeps_so_many_numbers_a_parameter(optimizer: str, numbers: int) -> None:
    found = training("vgg16", optimizer=optimizer)
    assert (found.params, found.gradients, found.optimizer) == (553_430_176, 553_430_176, numbers * 553_430_176)
    assert found.total == found.params + found.gradients + found.optimizer + found.saved


def test_mixed_precision_keeps_parameters_whole_and_halves_activations() -> None:
    half, whole, mixed = training("resnet50", dtype="float16"), training("resnet50"), training("resnet50", mixed=True)
    assert (mixed.params, mixed.gradients, mixed.buffers) == (whole.params, whole.gradients, whole.buffers)
    assert (half.params, half.gradients) == (whole.params // 2, whole.gradients // 2)
    assert mixed.copies == 2 * (25_557_032 - 53_120 - 1000)  # filters of conv and fc: not BN's, not the biases
    wide = 26_560 * 2 + 1000 + 1  # statistics of the batch, log-probabilities, a weight: as wide as parameters
    assert mixed.saved == (whole.saved - OF_INDICES["resnet50"]) // 2 + wide * 2 + OF_INDICES["resnet50"]
    assert half.saved == mixed.saved - wide * 2


def test_the_matrix_of_im2col_is_that_of_one_image_and_the_largest_layer() -> None:
    assert training("vgg16", im2col=True, batch=8).workspace == 3 * 3 * 64 * 224 * 224 * 4
    assert inference("input 8x8x4; conv 1 8; fc 3", im2col=True).workspace == 0  # the image is the matrix
    assert inference("input 3x3x4; deconv 2/2/0 5", im2col=True).workspace == 2 * 2 * 5 * 3 * 3 * 4
    assert inference("input 5x5x4; dwconv 3", im2col=True).workspace == 3 * 3 * 4 * 3 * 3 * 4


# ---------------------------------------------------------------- the lecture


def test_the_lecture_frees_nothing_and_doubles_for_the_backward_pass() -> None:
    """S0: 24M * 4 bytes ~= 93MB an image, only forward; ~*2 for backward."""
    found = account(report("vgg16"), Plan(rule="lecture"))
    assert found.inference.peak == 24_352_744 * 4
    assert round(found.inference.peak / 2**20) == 93
    assert found.training
    assert found.training.saved == 2 * found.inference.peak
    assert sum(each.bytes for each in found.inference.alive) == found.inference.peak == found.inference.levels[-1]
    assert account(report("vgg16"), Plan(rule="lecture", batch=5)).inference.peak == 5 * found.inference.peak


# ---------------------------------------------------------------- checkpoints


GROUPED = """block two(n) { conv 3/1/1 n ; relu ; conv 3/1/1 n ; relu }
input 8x8x4 ; first: two(8) ; second: two(16) ; fc 3"""


def test_of_a_checkpointed_group_only_what_enters_it_is_kept() -> None:
    image, first, second = 256, 512, 1024  # values of the input and of each conv of a group
    loss = 3 * 4 + 8 + 4
    assert training(GROUPED).saved == (image + 2 * first + 2 * second) * 4 + loss
    # `second` runs again: its two relus (the last one is what fc kept, freed by then and made anew);
    # the image and the output of `first` entered groups; loss and input of fc are gone
    found = training(GROUPED, checkpoint="1")
    assert found.segment == "second"
    assert found.saved == (image + first) * 4 + 2 * second * 4
    assert training(GROUPED, checkpoint="2").saved == training(GROUPED).saved  # no groups so deep
    # all convs have one size: a single stage, entered by the image; fc is a stage of its own, entered by 1024 values
    assert training(GROUPED, checkpoint="stage").saved == image * 4 + (2 * first + 2 * second) * 4


def test_when_a_segment_runs_again_the_losses_are_done() -> None:
    """The way back begins with them: what they kept is gone, wherever in the text their outputs stand."""
    text = "input 6x6x4; conv 1 4; a: relu; output o from a { fc 30 }; from a; conv 1 8; relu; conv 1 8; relu; fc 2"
    found = training(text, checkpoint="stage")
    assert found.segment == "conv2 to relu2"
    # the image entered the first stage and `a` the second and the third; of this the two relus are made again
    assert found.saved == (144 + 144 + 288 + 288) * 4
    # before: the last relu entered the last stage; log-probabilities, a weight and a target for each loss
    assert sum(each.bytes for tensors in found.kept for each in tensors) == (144 + 144) * 4


def test_a_segment_of_one_layer_goes_by_its_name() -> None:
    text = "input 16x16x4; conv 3/1/1 8; pool 2; conv 3/2/1 8; pool 2"
    assert training(text, checkpoint="stage").segment == "pool1"
    found = invoke("memory", text, "--training", "--checkpoint", "stage").output
    assert "1 tensor of pool1 " in found
    assert "when pool1 has been run again" in found


def test_of_a_segment_that_keeps_nothing_nothing_is_kept() -> None:
    net = report("input 8x8x4; conv 1 8; sigmoid; crop 1:2; conv 3 4")  # the crop is a stage of its own
    assert [net.rows[piece.layer].name for piece in retain(net, checkpoint="stage").pieces] == ["input", "crop1"]


@pytest.mark.parametrize("text", ["vgg16", "resnet50", "googlenet_aux", "densenet121", "enet"])
def test_the_rows_add_up_to_what_is_said(text: str) -> None:
    for checkpoint in (None, "stage", "1", "2"):
        ledger = account(report(text), Plan(batch=2, checkpoint=checkpoint))
        assert ledger.training
        kept = [*ledger.training.kept, ledger.training.again]
        assert sum(each.bytes for tensors in kept for each in tensors) == ledger.training.saved
        assert sum(each.bytes for each in ledger.inference.alive) == ledger.inference.peak
        assert max(ledger.inference.levels) == ledger.inference.peak
        assert ledger.training.saved <= training(text, batch=2).saved


# ---------------------------------------------------------------- laws

LAYERS = ("conv 1 4", "relu", "bn", "sigmoid", "dropout 0.5", "id", "slice 0:4", "leakyrelu", "pool 1", "lrn 3", "elu")


@st.composite
def nets(draw: st.DrawFn) -> str:
    """A net of named volumes of 3x3x4, each read by any number of later ones; what none reads leads to an output."""
    lines, unread = ["v0: input 3x3x4"], {0}
    count = draw(st.integers(1, 9))
    for at in range(1, count + 1):
        reads = {draw(st.integers(0, at - 1)) for _ in range(draw(st.integers(1, 2)))}
        if len(reads) == 2:
            lines.append(f"v{at}: {draw(st.sampled_from(('add', 'mul')))} {', '.join(f'v{i}' for i in sorted(reads))}")
        else:
            lines.append(f"from v{reads.copy().pop()} ; v{at}: {draw(st.sampled_from(LAYERS))}")
        unread = (unread - reads) | {at}
    given = unread - {count} | draw(st.sets(st.integers(0, count - 1), max_size=2))
    outputs = [f"output o{at} from v{at} {{ {draw(st.sampled_from(('id', 'relu', 'conv 1 2')))} }}" for at in given]
    return "\n".join([*lines[:-1], *outputs, lines[-1]])


random_nets = settings(max_examples=300, deadline=None, derandomize=True)


def read_later(graph: Graph, at: int) -> set[int]:
    """Layers whose output some layer after `at` reads, or that the net gives out."""
    return {i for node in graph.nodes[at + 1 :] for i in node.inputs} | {i for _, i in graph.outputs}


@random_nets
@given(nets(), st.booleans())
def test_what_is_alive_is_what_was_made_and_is_still_needed(text: str, inplace: bool) -> None:
    """By looking at every layer afresh: all that is made, less all that no layer from here on reads."""
    net = report(text)
    graph = net.graph
    owner = owners(graph, lambda node: node.op.views(False), lambda node: inplace and node.op.inplace)
    for at, level in enumerate(account(net, Plan(inplace=inplace)).inference.levels):
        here = {at, *graph.nodes[at].inputs}
        waits = read_later(graph, at)
        made = {i for i, node in enumerate(graph.nodes) if i <= at or not node.inputs}
        memory = {owner[i] for i in made if i in here | waits}
        assert level == 4 * sum(net.rows[i].output.values for i in memory)


@random_nets
@given(nets(), st.booleans())
def test_no_layer_reads_or_keeps_what_has_been_written_over(text: str, backward: bool) -> None:
    """Every memory remembers who wrote into it last: who reads it has to find what it was promised."""
    net = report(text)
    graph = net.graph
    owner = training_owners(net) if backward else inference_owners(graph)
    written: dict[int, int] = {}  # memory: the layer whose values lie in it

    def step(node: Node, inputs: list[int]) -> int:
        at = len(seen)
        for i, value in zip(node.inputs, inputs, strict=True):
            assert written[owner[i]] == value, node.name
        views = node.inputs and node.op.views(training=backward)
        value = inputs[0] if views else at
        written[owner[at]] = value
        seen.append(value)
        return value

    seen: list[int] = []
    walk(graph, step)
    for _, i in graph.outputs:
        assert written[owner[i]] == seen[i]
    if backward:
        for at, (node, row) in enumerate(zip(graph.nodes, net.rows, strict=True)):
            kept = node.op.keeps(row.output, *row.inputs, wanted=(True,) * len(node.inputs))
            sources = [node.inputs[i] for i in kept.inputs if not (node.op.overwrites and owner[at] != at)]
            assert all(written[owner[i]] == seen[i] for i in [*sources, *[at] * kept.output]), node.name


def inference_owners(graph: Graph) -> tuple[int, ...]:
    return owners(graph, lambda node: node.op.views(False), lambda node: node.op.inplace)


def training_owners(net: Report) -> tuple[int, ...]:
    """As `retain` has them, with every layer behind a conv: all keep what their class says."""

    def keeps(at: int, so_far: Any) -> list[int]:
        node, row = net.graph.nodes[at], net.rows[at]
        kept = node.op.keeps(row.output, *row.inputs, wanted=(True,) * len(node.inputs))
        return [so_far[node.inputs[i]] for i in kept.inputs] + [so_far[at]] * kept.output

    return owners(net.graph, lambda node: node.op.views(True), lambda node: node.op.overwrites, keeps=keeps)


# ---------------------------------------------------------------- the largest batch


@pytest.mark.parametrize("text", ["vgg16", "resnet50", "input 9x9x3; conv 3 4; relu; fc 5"])
@pytest.mark.parametrize("memory", ["3GiB", "8GiB", "11.5 GB"])
@pytest.mark.parametrize(
    "plan", [Plan(), Plan(optimizer="adam", dtype="float16"), Plan(mixed=True, checkpoint="stage"), Plan(im2col=True)]
)
def test_the_largest_batch_fits_and_one_more_does_not(text: str, memory: str, plan: Plan) -> None:
    room, net = read_bytes(memory), report(text)
    for training_ in (True, False):
        found = fit(net, plan, room, training_)

        def needed(batch: int, training_: bool = training_) -> int:
            ledger = account(net, plan._replace(batch=batch))
            assert ledger.training
            return ledger.training.total if training_ else ledger.inference.total

        assert found.batch >= 1
        assert (needed(found.batch), needed(found.batch + 1)) == (found.needed, found.needed_next)
        assert found.needed <= room < found.needed_next
        assert all(each.batch > found.batch for each in found.helps)
        assert sum(size for _, size in found.limits) == found.needed


def test_a_batch_of_the_zoo_in_8_gibibytes() -> None:
    """By hand: 553,430,176 bytes of Adam, twice 276,715,088 of float16 parameters and gradients, and per image half of
    the 61,015,968 bytes of float32 (the weight of the loss is one a batch) with 12,242,952 of indices and targets."""
    per_image = (73_258_924 - 12_242_952 - 4) // 2 + 12_242_952
    fixed = 553_430_176 + 2 * 276_715_088 + 2
    found = answer("fit", "vgg16", "--memory", "8GiB", "--optimizer", "adam", "--dtype", "float16")
    assert found["batch"] == (8 * 2**30 - fixed) // per_image == 175
    assert (found["needed"], found["needed_next"]) == (fixed + 175 * per_image, fixed + 176 * per_image)
    assert {"switch": "--checkpoint stage", "batch": 353} in found["helps"]
    assert next(iter(found["limits"])) == "saved activations"
    assert found["left_out"]


def test_what_does_not_fit_says_what_it_needs_and_ends_with_1() -> None:
    result = invoke("fit", "vgg16", "--memory", "1GB")
    assert result.return_value == 1
    assert "not even one image fits: it needs 1,180,119,276 bytes" in result.output
    assert answer_of_failure("fit", "vgg16", "--memory", "1GB")["batch"] == 0
    assert invoke("fit", "vgg16", "--memory", "8GB").return_value == 0


def answer_of_failure(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(invoke(*words, "--format", "json").output)
    return found


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8GiB", 2**33),
        ("8GB", 8 * 10**9),
        ("8 GB", 8 * 10**9),
        ("11.5GiB", 12_348_030_976),
        ("1024", 1024),
        ("8gib", 2**33),
    ],
)
def test_a_memory_is_read_as_people_write_it(text: str, size: int) -> None:
    assert read_bytes(text) == size


@pytest.mark.parametrize(
    "text", ["", "8 potatoes", "-8GB", "8G", "1e9999999999GB", "GiB", "8..5GB", "9" * 99, "٣GB", "nan"]
)
def test_a_memory_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(SpecError, match="as a size of memory"):
        archcalc.fit("vgg16", text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("memory", "vgg16", "--optimizer", "adan"), "unknown optimizer"),
        (("memory", "vgg16", "--rule", "caffe"), "unknown rule of memory"),
        (("memory", "vgg16", "--checkpoint", "0"), "cannot checkpoint by"),
        (("memory", "vgg16", "--checkpoint", "two"), "cannot checkpoint by"),
        (("memory", "input HxWx3; conv 3 4"), "memory is added up in numbers"),
        (("fit", "vgg16", "--memory", "1GB", "--dtype", "int8"), "no type to train in"),
        (("fit", "input 4x4x2; relu", "--memory", "1GB"), "any batch fits"),
    ],
)
def test_what_there_is_no_ledger_of_is_refused(words: tuple[str, ...], message: str) -> None:
    error = invoke(*words).exception
    assert isinstance(error, SpecError)
    assert message in error.faults[0].message


# ---------------------------------------------------------------- exits


@pytest.mark.parametrize(
    ("words", "columns", "lines"),
    [
        (("memory", "vgg16"), "layer, alive", "layer,alive conv1_2,25690112"),  # two volumes of 224x224x64
        (("receptive", "vgg16"), "start,Field,layer", "start,size,layer -90,212x212,pool5"),
        (("roofline", "vgg16", "--device", "a100"), "layer,weights,bound by", "layer,weights,by fc8,16388000,memory"),
        (("count", "resnet50"), "params,rule", "params,rule 25610152,keras"),
    ],
)
def test_columns_are_chosen_by_their_headings(words: tuple[str, ...], columns: str, lines: str) -> None:
    result = invoke(*words, "--columns", columns, "--format", "csv")
    assert result.exception is None
    rows = result.output.splitlines()
    first, other = lines.split()
    assert (rows[0], other in rows) == (first, True)
    refused = invoke(*words, "--columns", "layr").exception
    assert isinstance(refused, SpecError)
    assert refused.faults[0].message == "there is no column `layr`"


def test_json_holds_what_the_contract_promises() -> None:
    found = answer("memory", "resnet50", "--optimizer", "adam", "--batch", "4")
    assert (found["kind"], found["arch"]) == ("memory", "resnet50")
    assert found["training"]["saved"] == 343_866_532
    assert found["training"]["optimizer"] == 2 * 4 * 25_557_032
    assert found["inference"]["params"] == 4 * 25_557_032
    assert found["inference"]["peak_at"] == "conv2_x.bn4"
    assert found["inference"]["peak"] == sum(each["bytes"] for each in found["inference"]["alive"])
    assert sum(layer["saved"] for layer in found["layers"]) == found["training"]["saved"]
    assert answer("memory", "vgg16", "--dtype", "int8")["training"] is None


@pytest.mark.parametrize("format_", ["table", "csv", "md"])
def test_the_tables_name_the_peak_and_what_is_saved(format_: str) -> None:
    alive = invoke("memory", "vgg16", "--format", format_).output
    saved = invoke("memory", "vgg16", "--training", "--format", format_).output
    assert "conv1" in alive
    assert "indices" in saved
    if format_ != "csv":
        assert "this is a model, not a measurement" in alive


# ---------------------------------------------------------------- PyTorch itself


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    return cast(
        ModuleType,
        pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[oracles]'"),
    )


def even(torch: Any, op: Any, x: Any, value: float = 0) -> tuple[Any, tuple[int, int]]:
    """The input with the odd cells of an uneven padding around it, and the padding that is left."""
    from archcalc.volume import Volume

    (top, bottom), (left, right) = op.sides(Volume(x.shape[2], x.shape[3], x.shape[1]))
    low, wide = min(top, bottom), min(left, right)
    if (top, left) != (bottom, right):
        x = torch.nn.functional.pad(x, (left - wide, right - wide, top - low, bottom - low), value=value)
    return x, (low, wide)


def convolved(torch: Any, op: Any, w: Any, x: Any) -> Any:
    x, padding = even(torch, op, x)
    return torch.conv2d(x, w["w"], w.get("b"), op.stride, padding, op.dilation, getattr(op, "groups", x.shape[1]))


def largest(torch: Any, op: Any, w: Any, x: Any) -> Any:
    x, padding = even(torch, op, x, -float("inf"))
    return torch.nn.functional.max_pool2d(x, op.kernel, op.step, padding, 1, op.ceil)


def mean(torch: Any, op: Any, w: Any, x: Any) -> Any:
    x, padding = even(torch, op, x)
    return torch.nn.functional.avg_pool2d(x, op.kernel, op.step, padding, op.ceil, op.countpad)


def by_depth(torch: Any, op: Any, w: Any, x: Any) -> Any:
    y = torch.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2], w.get("scale"), w.get("shift"), 1e-6)
    return y.permute(0, 3, 1, 2)


def shortcut(torch: Any, op: Any, w: Any, x: Any) -> Any:
    rows, columns = op.stride
    more = (0, 0, 0, 0, 0, op.filters - x.shape[1])
    return torch.nn.functional.pad(x[:, :, ::rows, ::columns], more)


def sides(op: Any) -> tuple[int, ...]:
    (top, bottom), (left, right) = op.sides
    return left, right, top, bottom


def deconvolved(torch: Any, op: Any, w: Any, x: Any) -> Any:
    (top, _), (left, _) = op.padding
    return torch.conv_transpose2d(x, w["w"], w.get("b"), op.stride, (top, left), op.extra, op.groups, op.dilation)


Call = Callable[..., Any]
LAYER: dict[str, Call] = {
    "relu6": lambda torch, op, w, x: torch.nn.functional.relu6(x),
    "prelu": lambda torch, op, w, x: torch.prelu(x, w["slope"]),
    "gelu": lambda torch, op, w, x: torch.nn.functional.gelu(x),
    "silu": lambda torch, op, w, x: torch.nn.functional.silu(x),
    "sigmoid": lambda torch, op, w, x: torch.sigmoid(x),
    "tanh": lambda torch, op, w, x: torch.tanh(x),
    "hardsigmoid": lambda torch, op, w, x: torch.nn.functional.hardsigmoid(x),
    "hardswish": lambda torch, op, w, x: torch.nn.functional.hardswish(x),
    "dropout": lambda torch, op, w, x: torch.nn.functional.dropout(x, float(op.rate), training=True),
    "softmax": lambda torch, op, w, x: torch.softmax(x, 1),
    "conv": convolved,
    "dwconv": convolved,
    "deconv": deconvolved,
    "fc": lambda torch, op, w, x: torch.nn.functional.linear(x.flatten(1), w["w"], w.get("b"))[:, :, None, None],
    "maxpool": largest,
    "avgpool": mean,
    "gap": lambda torch, op, w, x: torch.nn.functional.adaptive_avg_pool2d(x, 1),
    "adaptiveavgpool": lambda torch, op, w, x: torch.nn.functional.adaptive_avg_pool2d(x, op.size),
    "bn": lambda torch, op, w, x: torch.nn.functional.batch_norm(
        x, w["mean"], w["variance"], w.get("scale"), w.get("shift"), training=True
    ),
    "lrn": lambda torch, op, w, x: torch.nn.functional.local_response_norm(x, op.size, k=2.0),
    "ln": by_depth,
    "add": lambda torch, op, w, *xs: sum(xs[1:], xs[0]),
    "concat": lambda torch, op, w, *xs: torch.cat(xs, 1),
    "mul": lambda torch, op, w, x, *xs: x if not xs else LAYER["mul"](torch, op, w, x * xs[0], *xs[1:]),
    "id": lambda torch, op, w, x: x,
    "flatten": lambda torch, op, w, x: x.flatten(1)[:, :, None, None],
    "pad": lambda torch, op, w, x: torch.nn.functional.pad(x, sides(op)),
    "crop": lambda torch, op, w, x: torch.nn.functional.pad(x, tuple(-n for n in sides(op))),
    "upsample": lambda torch, op, w, x: torch.nn.functional.interpolate(x, scale_factor=op.factor),
    "slice": lambda torch, op, w, x: x[:, slice(*op.channels)],
    "split": lambda torch, op, w, x: x.chunk(op.parts, 1)[op.part],
    "shuffle": lambda torch, op, w, x: torch.channel_shuffle(x, op.groups),
    "shortcut": shortcut,
}
OVERWRITING: dict[str, Call] = {
    "relu": lambda torch, op, x, inplace: torch.nn.functional.relu(x, inplace=inplace),
    "leakyrelu": lambda torch, op, x, inplace: torch.nn.functional.leaky_relu(x, float(op.slope), inplace=inplace),
    "elu": lambda torch, op, x, inplace: torch.nn.functional.elu(x, float(op.alpha), inplace=inplace),
}
AXES = {"conv": (3, 2, 0, 1), "deconv": (2, 3, 0, 1), "fc": (1, 0)}


def filters(op: Any, array: Any, name: str) -> Any:
    """Weights in PyTorch's order of axes."""
    if name != "w":
        return array
    if op.type == "dwconv":
        return array.permute(2, 3, 0, 1).reshape(-1, 1, *op.kernel)
    if op.type == "deconv":  # h, w, c/g, n -> c, n/g
        return array.permute(2, 3, 0, 1).reshape(array.shape[2] * op.groups, -1, *op.kernel)
    return array.permute(*AXES[op.type])


def saved_by_torch(
    torch: Any, text: str, batch: int, inplace: bool, mixed: bool = False, dtype: str = "float32"
) -> int:
    """Bytes of the distinct storages that autograd saves in a forward pass with cross-entropy, weights left out.

    `inplace` overwrites where PyTorch's networks do, which is also where ours says that nobody misses the input.
    """
    net = report(text)
    images = retained_owners(net, inplace)
    given = {i for _, i in net.graph.outputs}
    rows, number = iter(net.rows), getattr(torch, dtype)
    own: list[Any] = []
    kept: dict[int, Any] = {}
    weights: list[dict[str, Any]] = []

    def step(node: Node, x: list[Any]) -> Any:
        row, at, op = next(rows), len(weights), node.op
        fresh = {
            name: filters(op, torch.rand(shape, dtype=number), name).contiguous()
            for name, shape in op.weights(*row.inputs).items()
        }
        for name, array in fresh.items():
            array.requires_grad_(name not in op.buffers)
        weights.append(fresh if node.share is None else weights[node.share])
        own.extend(weights[-1].values())
        if not x:
            return torch.rand(batch, row.output.c, row.output.h, row.output.w, dtype=number)
        if op.type == "softmax" and at in given:
            return x[0]  # cross-entropy takes the scores
        if op.type in OVERWRITING:
            return OVERWRITING[op.type](torch, op, x[0], images[at] != at)
        return LAYER[op.type](torch, op, weights[-1], *x)

    def pack(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = tensor
        return tensor

    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed),
    ):
        values = walk(net.graph, step)
        for _, i in net.graph.outputs:
            scores = values[i]
            targets = torch.zeros(batch, *scores.shape[2:], dtype=torch.long)
            own.append(torch.nn.functional.cross_entropy(scores, targets))
    weights_of = {each.untyped_storage().data_ptr() for each in own}
    assert kept
    return sum(each.untyped_storage().nbytes() for at, each in kept.items() if at not in weights_of)


class Held:
    """Bytes of distinct storages that autograd holds, now and at most, but for those of weights and losses."""

    def __init__(self, torch: Any, own: list[Any]) -> None:
        self.own = {each.untyped_storage().data_ptr() for each in own}
        self.holders: dict[int, int] = {}
        self.now = self.most = 0
        self.hooks = torch.autograd.graph.saved_tensors_hooks(self.pack, lambda packed: packed[0])

    def pack(self, tensor: Any) -> tuple[Any, Holder]:
        return tensor, Holder(self, tensor.untyped_storage())

    def count(self, at: int, size: int, more: int) -> None:
        before = self.holders.get(at, 0)
        self.holders[at] = before + more
        if at not in self.own and 0 in (before, before + more):
            self.now += more * size
            self.most = max(self.most, self.now)


class Holder:
    """Something that autograd holds, until it lets it go."""

    def __init__(self, held: Held, storage: Any) -> None:
        self.held, self.at, self.size = held, storage.data_ptr(), storage.nbytes()
        held.count(self.at, self.size, 1)

    def __del__(self) -> None:
        self.held.count(self.at, self.size, -1)


def held_by_checkpoints(torch: Any, text: str, batch: int, checkpoint: str | None) -> int:
    """Bytes that autograd holds at the worst moment, forth and back, with `torch.utils.checkpoint` around segments."""
    net = report(text)
    nodes, parts, images = net.graph.nodes, segments(net, checkpoint), training_owners(net)
    weights = []
    for row in net.rows:
        shapes = row.node.op.weights(*row.inputs)
        arrays = {name: filters(row.node.op, torch.rand(shape), name).contiguous() for name, shape in shapes.items()}
        weights.append({name: each.requires_grad_(name not in row.node.op.buffers) for name, each in arrays.items()})
    given = {i for _, i in net.graph.outputs}
    values: dict[int, Any] = {}

    def layer(at: int, x: list[Any]) -> Any:
        op = nodes[at].op
        if op.type in OVERWRITING:
            return OVERWRITING[op.type](torch, op, x[0], images[at] != at and parts[images[at]] == parts[at])
        return LAYER[op.type](torch, op, weights[at], *x)

    held = Held(torch, [each for arrays in weights for each in arrays.values()])
    with held.hooks:
        for members in stretches(parts):
            at = members[0]
            if not nodes[at].inputs:
                out = net.rows[at].output
                values[at] = torch.rand(batch, out.c, out.h, out.w, requires_grad=True)
                continue
            entering = list(dict.fromkeys(i for m in members for i in nodes[m].inputs if i not in members))
            leaving = [m for m in members if m in given or any(m in node.inputs for node in nodes[members[-1] + 1 :])]

            def segment(*x: Any, members: Any = members, entering: Any = entering, leaving: Any = leaving) -> Any:
                here = dict(zip(entering, x, strict=True))
                for m in members:
                    here[m] = layer(m, [here[i] for i in nodes[m].inputs])
                return tuple(here[m] for m in leaving)

            arriving = [values[i] for i in entering]
            whole = parts[at] is None
            run = torch.utils.checkpoint.checkpoint
            found = segment(*arriving) if whole else run(segment, *arriving, use_reentrant=True)
            values.update(zip(leaving, found, strict=True))
            del arriving, found
        losses = [loss_of(torch, values[i], batch) for i in sorted(given)]
        held.own.update(each.untyped_storage().data_ptr() for each in losses)
        values.clear()
        sum(losses[1:], losses[0]).backward()
    return held.most


def loss_of(torch: Any, scores: Any, batch: int) -> Any:
    return torch.nn.functional.cross_entropy(scores, torch.zeros(batch, *scores.shape[2:], dtype=torch.long))


def segments(net: Report, checkpoint: str | None) -> list[object]:
    """Which layers are checkpointed together: neighbours of one height and width, or of one group."""

    def place(row: Any) -> object:
        if checkpoint is None or not row.inputs:
            return None
        if checkpoint == "stage":
            return row.output[:2]
        depth = int(checkpoint)
        return row.node.group[:depth] if len(row.node.group) >= depth else None

    return [place(row) for row in net.rows]


def stretches(parts: list[object]) -> list[list[int]]:
    """The layers of each segment; those of none one by one."""
    found: list[list[int]] = []
    for at, part in enumerate(parts):
        if at and part is not None and part == parts[at - 1]:
            found[-1].append(at)
        else:
            found.append([at])
    return found


def retained_owners(net: Report, inplace: bool) -> tuple[int, ...]:
    """Where layers may overwrite; PyTorch itself raises where one does that must not."""
    if not inplace:
        return tuple(range(len(net.rows)))
    return training_owners(net)


SMALL = [
    "input 8x8x3; conv 3/1/1 4; relu; pool 2; conv 3 5; leakyrelu; fc 6",
    "input 8x8x3; conv 3/1/1 4; elu; conv 3/2/same 5; relu; fc 6; softmax",
    "input 9x9x3; conv 4/1/same 4 nobias; bn; relu; pool 3/2/same; dwconv 3/2/0:1; relu; fc 6",
    "input 8x8x4; conv 3/1/1 4 groups=2; bn noaffine; relu6; pool 3/2/1 ceil; prelu; gap; fc 3",
    "input 8x8x4; conv 1 8; gelu; conv 1 8; silu; conv 1 8; sigmoid; conv 1 8; tanh; fc 2",
    "input 8x8x4; conv 1 8; hardsigmoid; conv 1 8; hardswish; conv 1 8; sigmoid; relu; fc 2",
    "input 8x8x4; conv 1 8; dropout 0.5; relu; dropout 0; conv 1 8; dropout 1; fc 2",
    "input 8x8x4; conv 1 8; relu; lrn 5; avgpool 2; lrn 4; avgpool 3/1/1 nocountpad; fc 2",
    "input 6x6x4; conv 1 8; ln; conv 1 6; relu; ln noaffine; adaptiveavgpool 3x2; adaptiveavgpool 1; fc 2",
    "input 6x6x4; conv 1 8; adaptiveavgpool 6; flatten; fc 4; relu; dropout 0.3; fc 2",
    "input 6x6x4; a: conv 1 8; add { conv 3/1/1 8; bn; relu; conv 1 8 | }; relu; fc 2",
    "input 6x6x4; a: conv 1 8; relu; concat { conv 1 2; relu | conv 3/1/1 3; bn | pool 3/1/1 | id }; relu; fc 2",
    "input 6x6x4; conv 1 8; mul { id | gap ; fc 2 ; relu ; fc 8 ; sigmoid }; relu; fc 3",
    "input 6x6x4; conv 1 8; mul { conv 1 8 | conv 1 8 ; relu | conv 1 8 | gap }; fc 3",
    "input 6x6x4; mul { id | conv 1 4 }; mul { conv 1 4 | conv 3/1/1 4 }; fc 3",
    "input 6x6x4; conv 1 8; relu; pad 1; conv 1 8; relu; crop 1:2; upsample 2; conv 1 4; shuffle 2; conv 1 4; fc 3",
    "input 6x6x4; a: conv 1 8; relu; concat { slice 0:3 ; conv 1 2 | split 2 1 ; tanh }; fc 3",
    "input 6x6x4; conv 1 8; bn; relu; add { shortcut 2 12 | conv 3/2/1 12 ; bn }; relu; fc 3",
    "input 4x4x4; deconv 4/2/1 6; bn; relu; deconv 3/2/1 4 extra=1 groups=2; relu; conv 1 5",
    "input 6x6x4; pool 2; lrn 3; relu; conv 1 8",
    "input 6x6x4; bn; relu; conv 1 4; a: relu; conv 1 4 share=conv1; relu; fc 2",
    "input 6x6x4; conv 1 4; a: relu; output o from a { fc 3 }; from a; conv 3 5; relu; softmax",
    "x: input 4x4x2; a: conv 1 3; y: input 4x4x3; b: conv 1 3; add a; relu; fc 2",
]
WHOLE = ["lenet5", "alexnet", "alexnet_owt", VGG16_OF_TORCHVISION, "googlenet_aux", "resnet50", "densenet40_12_cifar"]


@pytest.mark.parametrize("inplace", [True, False], ids=["in place", "not in place"])
@pytest.mark.parametrize("text", SMALL)
def test_every_layer_type_saves_what_pytorch_saves(torch: ModuleType, text: str, inplace: bool) -> None:
    for batch in (1, 3):
        batch += text.count("bn") > 0 and batch == 1  # PyTorch normalizes no single value
        found = training(text, batch=batch, inplace=inplace).saved
        assert found == saved_by_torch(torch, text, batch, inplace)


@pytest.mark.parametrize("text", WHOLE, ids=lambda text: text[:24].split("\n")[0])
def test_whole_nets_save_what_pytorch_saves(torch: ModuleType, text: str) -> None:
    assert training(text, batch=2).saved == saved_by_torch(torch, text, 2, inplace=True)


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_types_save_what_pytorch_saves(torch: ModuleType, dtype: str) -> None:
    text = SMALL[0].replace("relu; pool", "bn; relu; pool")
    assert training(text, batch=2, dtype=dtype).saved == saved_by_torch(torch, text, 2, True, dtype=dtype)


@pytest.mark.parametrize("text", ["lenet_d2l", "resnet20_cifar", SMALL[0], SMALL[1], SMALL[10], SMALL[12]])
def test_mixed_precision_saves_what_autocast_saves(torch: ModuleType, text: str) -> None:
    found = training(text, batch=2, mixed=True)
    assert found.saved + found.copies == saved_by_torch(torch, text, 2, inplace=True, mixed=True)


CHECKPOINTED = [
    (VGG16_OF_TORCHVISION.replace("224x224", "32x32"), "stage"),
    *(("resnet20_cifar", checkpoint) for checkpoint in ("stage", "1", "2")),
    ("lenet5", "stage"),
    ("densenet40_12_cifar", "1"),
    ("input 12x12x3; conv 3/1/1 4; relu; pool 2; conv 3/1/1 8; bn; relu; pool 2; conv 3/1/1 8; relu; fc 5", "stage"),
    (
        "input 6x6x4; conv 1 4; a: relu; output o from a { fc 30 }; from a; conv 1 8; relu; conv 1 8; relu; fc 2",
        "stage",
    ),
]


@pytest.mark.parametrize(("text", "checkpoint"), CHECKPOINTED, ids=lambda text: text[:24].split("\n")[0])
def test_checkpoints_hold_what_pytorch_holds_at_the_worst_moment(torch: ModuleType, text: str, checkpoint: str) -> None:
    pytest.importorskip("torch.utils.checkpoint")  # PyTorch itself does not import it
    for batch in (2, 3):
        found = training(text, batch=batch, checkpoint=checkpoint)
        assert found.saved == held_by_checkpoints(torch, text, batch, checkpoint)
    assert found.segment


def test_mixed_precision_says_what_it_does_not_know_of() -> None:
    assert len(answer("memory", "lenet5", "--mixed")["left_out"]) == len(answer("memory", "lenet5")["left_out"]) + 1


def test_every_layer_type_is_compared_with_pytorch() -> None:
    from archcalc.ops import REGISTRY

    types = {op.types[0] for op in REGISTRY.values()}
    assert types == LAYER.keys() | OVERWRITING.keys()
    used = {row.node.op.type for text in SMALL for row in report(text).rows}
    assert types <= used
