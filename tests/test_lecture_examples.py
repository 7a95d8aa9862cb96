"""The numbers that the lectures work out by hand, given by the kernels: exactly, or to the last digit.

Those that are values of a net stand in the tables of `archcalc verify`. Each test names its record (S0-024).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

from archcalc.analyses.costs import Row, measure
from archcalc.library import load

Array = Any


def matrix(text: str) -> Array:
    """`0 1 2; 3 4 5` as an array of exact numbers: rows and columns."""
    return np.array([[Fraction(word) for word in row.split()] for row in text.split(";")], object)


def layer(text: str) -> Row:
    """The only layer of a net, with what arrives."""
    _, row = measure(load(text).build().graph).rows
    return row


def run(text: str, image: Array, w: Array | None = None) -> Array:
    """What the only layer of a net makes of an image (h, w, c) with some filters (h, w, c, n): h, w, c."""
    row = layer(text)
    weights = {} if w is None else {"w": w}
    assert row.node.op.weights(*row.inputs) == {name: array.shape for name, array in weights.items()}
    y = row.node.op.run(np, weights, image.reshape(1, *row.inputs[0]))
    assert y.shape == (1, *row.output)
    return y[0]


MAP = "1 1 2 4; 5 6 7 8; 3 2 1 0; 1 2 3 4"  # S0, "Simple example"


# ---------------------------------------------------------------- pooling as a matrix


def jacobian(text: str, image: Array) -> Array:
    """How each value of the output changes with each value of the input: a row for each of the former."""
    row = layer(text)
    x = image.reshape(1, *row.inputs[0])
    units = np.eye(row.output.values, dtype=int).reshape(-1, 1, *row.output)
    return np.stack([row.node.op.back(np, dy, {}, x)[0][0].flatten() for dy in units])


def test_max_pooling_is_a_matrix_with_a_one_where_the_maximum_stands() -> None:
    found = jacobian("input 4x4x1; pool 2/2", matrix(MAP))
    assert found.shape == (4, 16)  # S0-028
    ones = [5, 7, 8, 15]  # S0-030, row by row; of S0-029, which prints the first row and counts from 1, it is 6
    assert np.array_equal(found, np.equal.outer(ones, np.arange(16)))
    assert (found @ matrix(MAP).flatten()).tolist() == [6, 8, 3, 4]  # S0-024


def test_the_matrix_of_max_pooling_column_by_column_is_that_of_the_map_turned_round() -> None:
    found = jacobian("input 4x4x1; pool 2/2", matrix(MAP).T)
    assert np.array_equal(found, np.equal.outer([5, 2, 13, 15], np.arange(16)))  # S0-030: its first row is the same


def test_average_pooling_is_a_matrix_of_quarters_whatever_arrives() -> None:
    windows = [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]  # S0-031, row by row
    for image in (matrix(MAP).astype(float), np.zeros((4, 4))):
        found = jacobian("input 4x4x1; avgpool 2/2", image)
        assert np.array_equal(found, [np.isin(np.arange(16), window) / 4 for window in windows])


# ---------------------------------------------------------------- convolution


def whole(*shape: int) -> Array:
    """Whole numbers, all different, of both signs."""
    return np.random.default_rng(0).permutation(np.prod(shape)).reshape(shape) - np.prod(shape) // 2


def test_a_filter_at_one_place_is_a_dot_product_of_75_numbers() -> None:
    image, w = whole(5, 5, 3), whole(5, 5, 3, 1)
    assert run("input 5x5x3; conv 5 1 nobias", image, w).item() == sum(
        image[i, j, c] * w[i, j, c, 0] for i, j, c in product(range(5), range(5), range(3))
    )
    assert layer("input 5x5x3; conv 5 1 nobias").macs == image.size == 75  # S0-001


@pytest.mark.parametrize(
    ("kernel", "left"),
    [
        ("-1 -1 -1; -1 8 -1; -1 -1 -1", 0),  # S2-008, edges: flat regions vanish
        ("0 -1 0; -1 5 -1; 0 -1 0", 1),  # S2-009, sharper: they stay
        ("1/16 2/16 1/16; 2/16 4/16 2/16; 1/16 2/16 1/16", 1),  # S2-010, blurred: they stay
    ],
)
def test_of_a_flat_region_a_kernel_leaves_its_sum(kernel: str, left: int) -> None:
    found = run("input 5x6x1; conv 3 1 nobias", np.full((5, 6, 1), Fraction(7)), matrix(kernel)[..., None, None])
    assert np.array_equal(found, np.full((3, 4, 1), 7 * left))


def test_a_1x1_convolution_is_a_dense_layer_on_every_position() -> None:
    image, w = whole(4, 5, 3), whole(3, 2)
    found = run("input 4x5x3; conv 1 2 nobias", image, w[None, None])
    assert np.array_equal(found.reshape(20, 2), image.reshape(20, 3) @ w)  # S2-027: n_h n_w x c_i times c_i x c_o
    rows = [run("input 1x1x3; fc 2 nobias", position, w) for position in image.reshape(20, 3)]
    assert np.array_equal(found.reshape(20, 2), np.stack(rows)[:, 0, 0])


def test_a_dense_layer_is_a_convolution_with_a_window_as_large_as_its_input() -> None:
    image, w = whole(12, 12, 4), whole(7 * 7 * 4, 6)  # S0-170, VGG's fc6 with fewer channels; an input of 384
    found = run("input 12x12x4; conv 7 6 nobias", image, w.reshape(7, 7, 4, 6))
    assert found.shape == (6, 6, 6)
    for i, j in product(range(6), range(6)):
        assert np.array_equal(run("input 7x7x4; fc 6 nobias", image[i : i + 7, j : j + 7], w)[0, 0], found[i, j])


# ---------------------------------------------------------------- normalization


def test_response_normalization_is_the_formula_of_the_paper() -> None:
    k, n, alpha, beta = 2, 5, 1e-4, 0.75  # Krizhevsky et al. 2012, section 3.3
    image = whole(2, 3, 9) * 10
    found = run("input 2x3x9; lrn", image)  # the paper's constants, where none are given
    for i, j, c in np.ndindex(image.shape):
        around = range(max(0, c - n // 2), min(8, c + n // 2) + 1)  # S4-010
        below = k + alpha * sum(int(image[i, j, each]) ** 2 for each in around)
        assert found[i, j, c] == pytest.approx(image[i, j, c] / below**beta, rel=1e-15)


def test_batch_normalization_is_the_formula_of_the_lecture() -> None:
    x, scale, shift = whole(4, 2, 3, 2) / 4, np.array([2.0, -1.0]), np.array([0.5, 3.0])
    op = layer("input 2x3x2; bn").node.op
    y = op.run(np, {"scale": scale, "shift": shift, **op.statistics(np, x)}, x)
    for c in range(2):
        batch = x[..., c].flatten()
        mean = sum(batch) / len(batch)
        sigma = (sum((each - mean) ** 2 for each in batch) / len(batch) + op.epsilon) ** 0.5  # S2-070
        assert y[..., c].flatten() == pytest.approx([scale[c] * (each - mean) / sigma + shift[c] for each in batch])


# ---------------------------------------------------------------- dropout and gradients


@pytest.mark.parametrize("keep", [Fraction(1, 2), Fraction(3, 10), Fraction(9, 10)])
def test_a_neuron_is_on_average_its_value_times_the_share_that_is_kept(keep: Fraction) -> None:
    x, w = whole(2) * 3 + 5, whole(2, 1) + 4
    mean = Fraction(0)
    for kept in product((0, 1), repeat=2):  # S3-001: the four ways of dropping two inputs, at 1/2 a quarter each
        chance = keep ** sum(kept) * (1 - keep) ** (2 - sum(kept))
        mean += chance * int(run("input 1x1x2; fc 1 nobias", x * kept, w).item())
    assert mean == keep * int(x @ w[:, 0])  # S3-008: p, where p is the share that is kept


def test_the_gradient_passes_a_residual_block_beside_its_body_and_through_it() -> None:
    a, w, dz = whole(1, 1, 1, 3), whole(3, 3), whole(1, 1, 1, 3)
    body = layer("input 3; fc 3 nobias").node.op
    (beside, through), _ = load("input 3; add { fc 3 | }").build().graph.nodes[-1].op.back(np, dz, {}, a, a @ w)
    (inner,), _ = body.back(np, through, {"w": w}, a)
    assert np.array_equal(beside + inner, dz + dz @ w.T)  # S3-007: dL/dz (1 + F'(a)), of F(a) = a W


def test_the_slope_of_relu_is_that_of_the_lecture_but_at_nought() -> None:
    x = np.arange(-3, 4).reshape(1, 1, 7, 1)
    (dx,), _ = layer("input 1x7x1; relu").node.op.back(np, np.ones_like(x), {}, x)
    assert dx.flatten().tolist() == [0, 0, 0, 0, 1, 1, 1]  # S4-008 writes 1 at 0; PyTorch and TensorFlow take 0
