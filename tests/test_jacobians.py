"""The matrix of a layer: what `run --jacobian` writes out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError
from archcalc.ops.pool import MaxPool

# CS231n-style slides on max pooling as a matrix product: the 4x4 example of the lecture (S0, line 380).
SLIDE = "1 1 2 4\n5 6 7 8\n3 2 1 0\n1 2 3 4\n"


def run(*args: str) -> Result:
    return CliRunner().invoke(group, ["run", *args])


def refusal(*args: str) -> str:
    with pytest.raises(SpecError) as caught:
        CliRunner().invoke(group, ["run", *args], catch_exceptions=False)
    return str(caught.value)


def document(*args: str) -> dict[str, object]:
    result = run(*args, "--format", "json")
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


@pytest.fixture
def slide(tmp_path: Path) -> str:
    path = tmp_path / "x.txt"
    path.write_text(SLIDE, "utf-8")
    return str(path)


def test_max_pooling_is_the_matrix_of_the_slide(slide: str) -> None:
    found = document("input 4x4x1; maxpool 2", "--image", slide, "--jacobian", "maxpool1")
    [matrix] = np.array(found["matrices"])
    assert matrix.shape == (4, 16)
    assert [row.nonzero()[0].tolist() for row in matrix] == [[5], [7], [8], [15]]
    assert found["product"] is True
    x = np.array([[float(word) for word in line.split()] for line in SLIDE.splitlines()])
    assert (matrix == MaxPool((2, 2)).matrix(np, x)).all()


def test_average_pooling_is_a_matrix_of_quarters(slide: str) -> None:
    found = document("input 4x4x1; avgpool 2", "--image", slide, "--jacobian", "avgpool1")
    [matrix] = np.array(found["matrices"])
    assert [row.nonzero()[0].tolist() for row in matrix] == [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
        [8, 9, 12, 13],
        [10, 11, 14, 15],
    ]
    assert set(matrix[matrix != 0]) == {0.25}
    assert np.array(found["output"]).reshape(2, 2).tolist() == [[3.25, 5.25], [2.0, 2.0]]


@pytest.mark.parametrize(
    "layer",
    ["conv 2 3", "conv 3/2/1 4 groups=2 nobias", "fc 5", "avgpool 2/1/1", "upsample 2", "deconv 3/2 2", "flatten"],
)
def test_a_layer_that_adds_no_bias_is_its_matrix(layer: str) -> None:
    # Seeded biases are 0.
    found = document(f"input 4x5x2; last: {layer}", "--jacobian", "last")
    [matrix] = np.array(found["matrices"])
    x, y = np.array(found["inputs"]), np.array(found["output"])
    np.testing.assert_allclose(matrix @ x.reshape(-1), y.reshape(-1), rtol=1e-12, atol=1e-12)
    assert found["product"] is True


@pytest.mark.parametrize("layer", ["tanh", "sigmoid", "softmax", "bn", "lrn 3", "gelu"])
def test_the_matrix_is_the_slope_of_the_layer(layer: str, tmp_path: Path) -> None:
    # Central differences of the layer itself, run on a step to either side of each value.
    net, generator = f"input 2x3x2; {layer}", np.random.default_rng(1)
    x, path = generator.normal(size=(2, 3, 2)), tmp_path / "x.npy"
    name = f"{layer.split()[0]}1"

    def output(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        np.save(path, values)
        found = document(net, "--image", str(path), "--dtype", "float64", "--jacobian", name)
        return np.array(found["output"]).reshape(-1), np.array(found["matrices"])[0]

    if layer == "bn":  # its statistics are those of what arrives: the slope at fixed ones is scale / deviation
        _, matrix = output(x)
        assert np.count_nonzero(matrix - np.diag(np.diag(matrix))) == 0
        return
    _, matrix = output(x)
    for at in range(x.size):
        step = np.zeros(x.size)
        step[at] = 1e-6
        ahead, behind = (output(x + sign * step.reshape(x.shape))[0] for sign in (1, -1))
        np.testing.assert_allclose((ahead - behind) / 2e-6, matrix[:, at], rtol=1e-5, atol=1e-8)


def test_of_several_inputs_there_is_a_matrix_each() -> None:
    net = "input 1x2x1; i: relu; conv 1 1; a: relu; add i, a"
    found = document(net, "--jacobian", "add1")
    assert np.array(found["matrices"]).tolist() == [[[1, 0], [0, 1]]] * 2
    assert run(net, "--jacobian", "add1", "--format", "csv").stdout == "1,0,1,0\n0,1,0,1\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("lenet5", "--jacobian", "input"), "`input` is an input: nothing goes into it"),
        (("lenet5", "--jacobian", "C7"), "there is no layer `C7` in `lenet5`"),
        (("alexnet", "--jacobian", "conv1"), "the Jacobian of `conv1` has 290,400 rows and 154,587 columns"),
        (("lenet5", "--jacobian", "F6", "--backward"), "a Jacobian is of one layer"),
        (("lenet5", "--jacobian", "F6", "--layers", "C1..F6"), "a Jacobian is of one layer"),
    ],
)
def test_what_has_no_matrix_is_refused(args: tuple[str, ...], said: str) -> None:
    assert said in refusal(*args)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 2\n3\n", "it is no rectangle of numbers, a row a line"),
        ("", "it is no rectangle of numbers, a row a line"),
        ("1 2\n3 cat\n", "could not convert string to float: 'cat'"),
        ("1 2\n3 nan\n", "it holds NaN"),
        ("1 2 3\n4 5 6\n", "is 2x3, not 2x2x1"),
    ],
)
def test_a_text_that_is_no_image_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(text, "utf-8")
    assert said in refusal("input 2x2x1; relu", "--image", str(path))


def test_a_text_is_an_image_with_commas_or_spaces(tmp_path: Path) -> None:
    for name, text in {"a.csv": "1,2\n3,4\n", "b.txt": " 1 2\n\n 3  4e0\n", "c.csv": "1;2\r\n3;4\r\n"}.items():
        path = tmp_path / name
        path.write_text(text, "utf-8")
        found = document("input 2x2x1; relu", "--image", str(path), "--jacobian", "relu1")
        assert np.array(found["output"]).reshape(-1).tolist() == [1, 2, 3, 4]
