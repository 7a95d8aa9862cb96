"""Gradients: what `back` of a layer type says is what `run` does, against differences of values and against PyTorch."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from torch_layers import IN_TORCH, first, known, last

from archcalc.ops import REGISTRY, Op
from archcalc.ops.activation import Activation, Softmax
from archcalc.ops.norm import BatchNorm, LocalResponseNorm
from archcalc.ops.reshape import Shuffle
from archcalc.record import MISSING, Field
from archcalc.volume import Volume

# Differences. A step of the cube root of float64's precision (6e-6) makes the two errors of a central difference
# alike: the curvature left out, step^2 / 6 times a third derivative (up to 10^4 where values are as near as drawn
# here), and the rounding of y, 2e-16 * |y| * (outputs that one value reaches) / step. Both stay below 1e-7 here.
STEP = 2.0**-17
NEAR = 1e-6
# PyTorch in float64: nothing but rounding, in another order.
EQUAL = 1e-10
ROUNDED = {"hardsigmoid": 2.0**-24}  # in float64 too, PyTorch's derivative is 1/6 rounded to float32

TYPES = {cls.types[0]: cls for cls in REGISTRY.values()}
each_type = pytest.mark.parametrize("cls", TYPES.values(), ids=TYPES.keys())
each_activation = pytest.mark.parametrize(
    "cls", [cls for cls in TYPES.values() if issubclass(cls, Activation)], ids=lambda cls: cls.types[0]
)
thorough = settings(
    deadline=None, suppress_health_check=list(HealthCheck), max_examples=int(os.environ.get("FUZZ", "20"))
)

# ---------------------------------------------------------------- layers by lot, on volumes that they accept

SMALL, COUNTS = st.integers(1, 3), st.integers(1, 4)
DEPTHS = st.sampled_from([1, 2, 3, 4, 6])  # 6 has parts that differ in number and size
SHARES = st.sampled_from([Fraction(1, 4), Fraction(1, 2), Fraction(3, 4), Fraction(1), Fraction(3, 2)])
EVEN = st.tuples(st.integers(0, 1), st.integers(0, 2)).map(lambda p: ((p[0], p[0]), (p[1], p[1])))
SIDES = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 2) | EVEN
BY_KIND: dict[str, SearchStrategy[Any]] = {
    "Pair": st.tuples(SMALL, SMALL),
    "Padding": SIDES,
    "Count": COUNTS,
    "Whole": st.integers(0, 3),
    "Range": st.tuples(st.integers(0, 3), COUNTS),
    "Real": SHARES,
    "Flag": st.booleans(),
}


class Case(NamedTuple):
    """A layer with what it needs to run, and a gradient by its output. Arrays are float64; there are two images."""

    op: Op
    w: dict[str, Any]
    xs: tuple[Any, ...]
    dy: Any

    @property
    def learnt(self) -> list[str]:
        return [name for name in self.w if name not in self.op.buffers]

    def back(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return self.op.back(np, self.dy, self.w, *self.xs)


def values_of(field: Field, cls: type[Op]) -> SearchStrategy[Any]:
    own = BY_KIND[field.kind.removesuffix(" | None")]
    if field.kind == "Padding" and "kernel" in cls.fields:
        own |= st.just("same")
    return own if field.default is MISSING else st.just(field.default) | own


@st.composite
def volumes(draw: DrawFn, cls: type[Op]) -> tuple[Volume, ...]:
    x = Volume(draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(DEPTHS))
    if cls.arity == "one":
        return (x,)
    others = st.sampled_from([x, Volume(1, 1, x.c), x._replace(c=x.c + 1)])
    return tuple(draw(st.permutations([x, *draw(st.lists(others, min_size=1, max_size=2))])))


@st.composite
def cases(draw: DrawFn, cls: type[Op]) -> Case:
    op = cls(**{name: draw(values_of(field, cls)) for name, field in cls.fields.items()})
    xs = draw(volumes(cls))
    assume(all(need.condition is True for need in op.needs(*xs)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return case(op, xs, rng)


def case(op: Op, volumes: tuple[Volume, ...], rng: np.random.Generator) -> Case:
    w = {name: rng.uniform(0.5, 1.5, shape) for name, shape in op.weights(*volumes).items()}
    w |= {name: w[name] * rng.choice([-1, 1], w[name].shape) for name in w if name not in op.buffers}
    xs = tuple(spread(rng, (2, *volume)) for volume in volumes)
    return Case(op, w, xs, rng.normal(size=(2, *op.out(*volumes))))


def spread(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Values in any order, 1/16 apart, and 1/32 away from the whole numbers, where functions have their kinks."""
    n = math.prod(shape)
    return ((rng.permutation(n) - n // 2 + 0.5) / 16).reshape(shape)


# ---------------------------------------------------------------- differences


def by_input(case: Case, at: int) -> Any:
    """Gradient by one of the inputs: every value moved by itself, all the moved images one batch."""
    x = case.xs[at]
    n = x[0].size
    moves = STEP * np.eye(n).reshape(n, *x.shape[1:])
    gradient = np.empty(x.shape)
    for image, dy in enumerate(case.dy):
        stay = [np.repeat(each[image : image + 1], n, axis=0) for each in case.xs]
        y = [case.op.run(np, case.w, *stay[:at], stay[at] + move, *stay[at + 1 :]) for move in (moves, -moves)]
        gradient[image] = (((y[0] - y[1]) * dy).sum(axis=(1, 2, 3)) / (2 * STEP)).reshape(x.shape[1:])
    return gradient


def by_weight(case: Case, name: str) -> Any:
    """Gradient by one of the weights: every number of it moved by itself."""
    gradient = np.empty(case.w[name].shape)
    for at in np.ndindex(gradient.shape):
        y = []
        for move in (STEP, -STEP):
            moved = case.w[name].copy()
            moved[at] += move
            y.append(case.op.run(np, case.w | {name: moved}, *case.xs))
        gradient[at] = ((y[0] - y[1]) * case.dy).sum() / (2 * STEP)
    return gradient


def assert_close(found: Any, wanted: Any, tolerance: float) -> None:
    """Shapes are equal, and values but for a tolerance that is a share of the largest, at least of 1."""
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= tolerance * (1 + np.abs(wanted).max())


@each_type
def test_a_layer_type_has_a_kernel_and_its_gradient(cls: type[Op]) -> None:
    assert cls.run is not Op.run
    assert cls.back is not Op.back


@each_type
@thorough
@given(data=st.data())
def test_a_gradient_is_what_moving_each_value_does_to_the_output(cls: type[Op], data: st.DataObject) -> None:
    case = data.draw(cases(cls))
    dx, dw = case.back()
    assert len(dx) == len(case.xs)
    for at, gradient in enumerate(dx):
        assert_close(gradient, by_input(case, at), NEAR)
    assert list(dw) == case.learnt
    for name, gradient in dw.items():
        assert_close(gradient, by_weight(case, name), NEAR)


@each_type
@thorough
@given(data=st.data())
def test_float32_stays_float32(cls: type[Op], data: st.DataObject) -> None:
    case = data.draw(cases(cls))
    single = Case(
        case.op,
        {name: array.astype(np.float32) for name, array in case.w.items()},
        tuple(x.astype(np.float32) for x in case.xs),
        case.dy.astype(np.float32),
    )
    dx, dw = single.back()
    y = single.op.run(np, single.w, *single.xs)
    assert {array.dtype for array in (y, *dx, *dw.values())} == {np.dtype(np.float32)}


@each_activation
def test_an_activation_ends_in_its_limit_and_not_in_a_warning(cls: type[Op], recwarn: pytest.WarningsRecorder) -> None:
    """Every one of them tends to x, to a constant or to slope * x on either side."""
    op = cls()
    w = {name: np.full(shape, 0.25, np.float32) for name, shape in op.weights(Volume(1, 1, 2)).items()}
    far = np.array([-1000, 1000], np.float32).reshape(1, 1, 1, 2)
    y = op.run(np, w, far)
    (dx,), _ = op.back(np, np.ones_like(far), w, far)
    assert np.array_equal(op.run(np, w, 2 * far) - y, dx * far)
    assert not recwarn.list


# ---------------------------------------------------------------- what only some layers have


@thorough
@given(data=st.data())
def test_batch_normalization_in_training_is_differentiated_through_its_statistics(data: st.DataObject) -> None:
    case = data.draw(cases(BatchNorm))
    op, (x,) = case.op, case.xs
    assert isinstance(op, BatchNorm)

    def run(x: Any) -> Any:
        return op.run(np, case.w | op.statistics(np, x), x)

    (dx,), dw = op.back_in_training(np, case.dy, case.w, x)
    wanted = np.empty(x.shape)
    for at in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[at] = STEP
        wanted[at] = ((run(x + move) - run(x - move)) * case.dy).sum() / (2 * STEP)
    assert_close(dx, wanted, NEAR)
    moved = case._replace(w=case.w | op.statistics(np, x))
    assert list(dw) == case.learnt
    for name, gradient in dw.items():
        assert_close(gradient, by_weight(moved, name), NEAR)


@st.composite
def scores(draw: DrawFn) -> tuple[Any, Any]:
    """What arrives at a softmax, and a label for each position."""
    shape = (draw(SMALL), draw(SMALL), draw(SMALL), draw(st.integers(1, 5)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return spread(rng, shape), rng.integers(0, shape[3], shape[:3])


@thorough
@given(scores())
def test_the_gradient_of_the_cross_entropy_is_what_moving_each_score_does_to_it(drawn: tuple[Any, Any]) -> None:
    x, labels = drawn
    loss, dx = Softmax().cross_entropy(np, x, labels)
    y = Softmax().run(np, {}, x)
    assert_close(loss, -np.log(np.take_along_axis(y, labels[..., None], axis=3)).mean(), EQUAL)
    wanted = np.empty(x.shape)
    for at in np.ndindex(x.shape):
        move = np.zeros(x.shape)
        move[at] = STEP
        up, down = (Softmax().cross_entropy(np, x + sign * move, labels)[0] for sign in (1, -1))
        wanted[at] = (up - down) / (2 * STEP)
    assert_close(dx, wanted, NEAR)


def test_the_cross_entropy_of_a_lecture() -> None:
    """CS231n, "Linear Classification", the figure of SVM against softmax: probabilities .016, .631, .353."""
    x = np.array([-2.85, 0.86, 0.28]).reshape(1, 1, 1, 3)
    loss, dx = Softmax().cross_entropy(np, x, np.array([2]))
    assert round(loss, 2) == 1.04
    assert [round(each, 3) for each in dx.flatten()] == [0.015, 0.631, 0.353 - 1]


def test_a_cross_entropy_far_out_is_no_infinity() -> None:
    loss, dx = Softmax().cross_entropy(np, np.array([0.0, 1000.0]).reshape(1, 1, 1, 2), np.array([0]))
    assert loss == 1000
    assert dx.flatten().tolist() == [-1, 1]


def test_a_cross_entropy_in_float32_stays_float32() -> None:
    loss, dx = Softmax().cross_entropy(np, np.ones((2, 1, 1, 3), np.float32), np.array([2, 0]))
    assert (loss.dtype, dx.dtype) == (np.float32, np.float32)


def test_a_label_that_there_is_not_is_refused() -> None:
    for label in (-1, 2):
        with pytest.raises(AssertionError):
            Softmax().cross_entropy(np, np.zeros((1, 1, 1, 2)), np.array([label]))


def test_a_shuffle_deals_out_the_slices_and_its_gradient_collects_them() -> None:
    """Zhang et al. 2017, figure 1 (c), with two groups of three."""
    x = np.arange(6).reshape(1, 1, 1, 6)
    y = Shuffle(2).run(np, {}, x)
    assert y.flatten().tolist() == [0, 3, 1, 4, 2, 5]
    (dx,), _ = Shuffle(2).back(np, y, {}, x)
    assert dx.flatten().tolist() == [0, 1, 2, 3, 4, 5]


def test_local_response_normalization_is_that_of_the_paper() -> None:
    """Krizhevsky et al. 2012, section 3.3, on the slices 1 to 6, by hand: 1 / (2 + 0.0001 * (1 + 4 + 9))^0.75 = …"""
    y = LocalResponseNorm().run(np, {}, np.arange(1.0, 7.0).reshape(1, 1, 1, 6))
    by_hand = [0.594291582, 1.187871011, 1.780140394, 2.370418559, 2.963465738, 3.55735442]
    assert [round(each, 9) for each in y.flatten()] == by_hand


# ---------------------------------------------------------------- PyTorch


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    return pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e '.[oracles]'")


def assert_as_torch(torch: Any, case: Case) -> None:
    """The layer and its gradients are those of PyTorch."""
    xs = [torch.tensor(x, requires_grad=True) for x in case.xs]
    w = {name: torch.tensor(array, requires_grad=name in case.learnt) for name, array in case.w.items()}
    y = IN_TORCH[case.op.type](torch, case.op, w, *xs)
    assert_close(case.op.run(np, case.w, *case.xs), y.detach().numpy(), EQUAL)
    gradients = torch.autograd.grad(y, [*xs, *(w[name] for name in case.learnt)], torch.tensor(case.dy))
    dx, dw = case.back()
    for found, wanted in zip([*dx, *dw.values()], gradients, strict=True):
        assert_close(found, wanted.numpy(), ROUNDED.get(case.op.type, EQUAL))


def test_every_layer_type_is_told_to_torch() -> None:
    assert IN_TORCH.keys() == TYPES.keys()


@each_type
@thorough
@given(data=st.data())
def test_a_layer_and_its_gradients_are_those_of_torch(torch: ModuleType, cls: type[Op], data: st.DataObject) -> None:
    assert_as_torch(torch, data.draw(cases(cls).filter(lambda case: known(case.op))))


@each_activation
def test_where_two_lines_meet_the_gradient_is_that_of_torch(torch: ModuleType, cls: type[Op]) -> None:
    drawn = case(cls(), (Volume(1, 2, 2),), np.random.default_rng(0))
    kinks = np.array([-3.0, 0.0, 3.0, 6.0]).reshape(1, 1, 2, 2)
    assert_as_torch(torch, drawn._replace(xs=(kinks,), dy=drawn.dy[:1]))


def test_equal_values_under_a_window_give_the_gradient_to_the_one_that_torch_gives_it_to(torch: ModuleType) -> None:
    drawn = case(TYPES["maxpool"]((3, 2), (2, 1)), (Volume(5, 4, 3),), np.random.default_rng(0))
    assert_as_torch(torch, drawn._replace(xs=(np.ones((2, 5, 4, 3)),)))


@thorough
@given(data=st.data())
def test_batch_normalization_in_training_is_that_of_torch(torch: ModuleType, data: st.DataObject) -> None:
    case = data.draw(cases(BatchNorm))
    op = case.op
    assert isinstance(op, BatchNorm)
    x = torch.tensor(case.xs[0], requires_grad=True)
    assume(x.numel() > x.shape[3])  # of one value a slice there is no variance
    w = {name: torch.tensor(case.w[name], requires_grad=True) for name in case.learnt}
    scale, shift = w.get("scale"), w.get("shift")
    y = last(torch.nn.functional.batch_norm(first(x), None, None, scale, shift, training=True, eps=1e-5))
    assert_close(op.run(np, case.w | op.statistics(np, case.xs[0]), *case.xs), y.detach().numpy(), EQUAL)
    gradients = torch.autograd.grad(y, [x, *w.values()], torch.tensor(case.dy))
    dx, dw = op.back_in_training(np, case.dy, case.w, *case.xs)
    for found, wanted in zip([*dx, *dw.values()], gradients, strict=True):
        assert_close(found, wanted.numpy(), EQUAL)


@thorough
@given(drawn=scores())
def test_the_cross_entropy_and_its_gradient_are_those_of_torch(torch: ModuleType, drawn: tuple[Any, Any]) -> None:
    scores = torch.tensor(drawn[0], requires_grad=True)
    wanted = torch.nn.functional.cross_entropy(first(scores), torch.tensor(drawn[1]))
    loss, dx = Softmax().cross_entropy(np, *drawn)
    assert_close(loss, wanted.detach().numpy(), EQUAL)
    assert_close(dx, torch.autograd.grad(wanted, scores)[0].numpy(), EQUAL)
