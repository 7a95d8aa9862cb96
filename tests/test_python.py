"""The Python interface beside the command: the same figures, exact, for the same batch."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.cli.entry import group

SUMS = ("activations", "params", "weights", "biases", "buffers", "macs", "flops")


@pytest.mark.parametrize("batch", [1, 8])
def test_totals_and_frame_are_those_of_the_command(batch: int) -> None:
    words = ["table", "resnet18", "--batch", str(batch), "--dtype", "float16", "--format", "json"]
    said = json.loads(CliRunner().invoke(group, words).output)
    found = archcalc.load("resnet18").analyze(batch=batch, dtype="float16")
    assert found.totals.macs == 1_814_073_344 * batch  # of one image: torchvision's figure
    frame = found.to_frame()
    for name in SUMS:
        assert getattr(found.totals, name) == said["totals"][name] == frame[name].dropna().sum()
    assert frame["bytes"].sum() == said["totals"]["bytes"]
    assert list(frame["layer"]) == [layer["name"] for layer in said["layers"]]


def test_a_frame_is_exact_where_64_bits_are_not_enough() -> None:
    frame = archcalc.load("input 60000x60000x3; conv 1 60000; conv 1 60000").analyze(batch=10**6).to_frame()
    assert list(frame["macs"]) == [None, 648 * 10**18, 12_960 * 10**21]
