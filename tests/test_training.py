"""The cost of training: against gradients that count their own multiply-adds, and against PyTorch's own count."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from counting import counting, marked
from torch_layers import IN_TORCH, known

from archcalc.analyses.costs import Row, measure
from archcalc.analyses.training import Backward, Training, backpropagate
from archcalc.graph import Node, walk
from archcalc.library import load
from archcalc.symbolic import at

# Small nets, and those of their layers before which nothing learns.
NETS = {
    "input 8x8x3; a: conv 3/1/1 4; relu; pool 2; b: conv 3 5; c: fc 6; softmax": {"a"},
    "input 6x6x4; bn noaffine; lrn 3; relu; a: conv 3/2/same 6 groups=2; b: dwconv 3/1/1 nobias": {"a"},
    "input 5x5x3; ln; a: deconv 3/2/1 4; b: conv 1 2": set(),
    "input 5x5x3; bn; a: conv 2 4; prelu; b: fc 3": set(),
    "input 5x5x3; prelu; a: conv 2 4": set(),
    "input 6x6x2; add { a: conv 3/1/1 4 | b: conv 1 4 }; c: conv 3 4 ; d: conv 3/1/1 4 share=c": {"a", "b"},
    "input 6x6x2; concat { id | a: conv 3/1/1 4 | pool 3/1/1 }; b: conv 3 4": {"a"},
    "input 6x6x4; mul { id | gap ; a: fc 4 ; sigmoid }; b: dwconv 3 multiplier=2": {"a"},
    "x: input 4x4x2; a: conv 1 3; y: input 4x4x3; b: conv 1 3; add a": {"a", "b"},
    "x: input 4x4x2; a: conv 1 3; y: input 4x4x2; b: conv 1 3 share=a; c: conv 1 3; add a": {"a", "b"},
    "input 6x6x2; a: conv 3 4; output o from a { b: fc 2 }; c: fc 3": {"a"},
    "input 6x6x2; output o { a: fc 2 }; pool 2; b: conv 1 3; c: conv 1 2": {"o.a", "b"},
    "input 6x6x2; relu": set(),
}


def training(text: str, input: str | None = None) -> Training:
    built = load(text).build(input)
    return backpropagate(measure(built.graph, built.assumptions))


def counted(row: Row) -> Backward:
    """The multiply-adds of both gradients of a layer, from a run on numbers that count them; one image."""
    numbers, op = counting(), row.node.op
    rng = np.random.default_rng(0)

    def array(shape: Any, mark: str) -> Any:
        return marked(numbers, np, rng.uniform(0.5, 1.5, shape), mark)

    w = {name: array(shape, "w") for name, shape in op.weights(*row.inputs).items()}
    op.back(np, array((1, *row.output), "dy"), w, *(array((1, *x), "x") for x in row.inputs))
    by_inputs = numbers.tally.macs("w")  # the others: a gradient times a value of the input, or a padded zero
    return Backward(by_inputs, numbers.tally.work.macs - by_inputs)


@pytest.mark.parametrize("text", NETS)
def test_going_back_costs_what_the_gradients_that_are_needed_count(text: str) -> None:
    found = training(text)
    for row, backward in zip(found.report.rows, found.backward, strict=True):
        if row.macs == 0:
            assert backward == Backward(0, 0)
        else:
            both = counted(row)
            assert backward == (Backward(0, both.by_weights) if row.name in NETS[text] else both), row.name
    named = {row.name for row in found.report.rows if row.macs != 0}
    assert named >= NETS[text]
    assert found.total == Backward(*(sum(each[i] for each in found.backward) for i in (0, 1)))
    assert found.macs == found.report.total().macs + found.total.macs


def test_training_of_vgg16_is_three_times_the_forward_pass_less_one_gradient_of_its_first_layer() -> None:
    """As PyTorch 2.13 counts it, 30,940,528,640 FLOPs forth and 61,707,649,024 back; two a multiply-add."""
    found = training("vgg16")
    assert found.report.total().macs == 15_470_264_320
    assert found.total == Backward(by_inputs=15_383_560_192, by_weights=15_470_264_320)
    assert found.total.macs == 30_853_824_512
    assert found.macs == 46_324_088_832


def test_the_cost_of_training_is_a_formula_where_the_input_is_one() -> None:
    formula, number = training("vgg11", "HxWx3"), training("vgg11", "64x96x3")
    assert at(formula.total.by_inputs, {"H": 64, "W": 96}) == number.total.by_inputs
    assert at(formula.total.by_weights, {"H": 64, "W": 96}) == number.total.by_weights
    assert at(formula.macs, {"H": 64, "W": 96}) == number.macs


# ---------------------------------------------------------------- PyTorch's own count


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    return pytest.importorskip("torch", reason="the cost of training is compared with PyTorch's where it is installed")


def flops_of_torch(torch: Any, found: Training) -> tuple[int, int]:
    """What `FlopCounterMode` counts of the net, on tensors without values: forward, and backward from all outputs."""
    from torch.utils.flop_counter import FlopCounterMode

    graph, rows = found.report.graph, iter(found.report.rows)
    weights: list[dict[str, Any]] = []

    def step(node: Node, x: list[Any]) -> Any:
        row = next(rows)
        shapes = node.op.weights(*row.inputs)
        own = {
            name: torch.empty(shape, device="meta", requires_grad=name not in node.op.buffers)
            for name, shape in shapes.items()
        }
        weights.append(own if node.share is None else weights[node.share])
        if not x:
            return torch.empty((1, *row.output), device="meta")
        return IN_TORCH[node.op.type](torch, node.op, weights[-1], *x)

    with FlopCounterMode(display=False) as forward:
        values = walk(graph, step)
        loss = sum(values[index].sum() for _, index in graph.outputs)
    with FlopCounterMode(display=False) as backward:
        if loss.requires_grad:
            loss.backward()
    return forward.get_total_flops(), backward.get_total_flops()


# Not those with groups: of them it counts the gradient by the weights as if every filter saw the whole depth.
UNGROUPED = [text for text in NETS if "groups" not in text and "dwconv" not in text]


@pytest.mark.parametrize("text", [*UNGROUPED, "lenet5", "alexnet", "vgg16", "googlenet_aux", "resnet50", "densenet121"])
def test_training_costs_what_torch_counts(torch: ModuleType, text: str) -> None:
    found = training(text)
    assert all(known(row.node.op) for row in found.report.rows)
    forward, backward = flops_of_torch(torch, found)
    assert forward == 2 * found.report.total().macs  # it counts a multiply-add as two, and nothing else
    assert backward == 2 * found.total.macs
