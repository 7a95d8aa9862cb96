"""Rooflines: layers by hand, devices as their papers print them, laws over the zoo, faults of device files."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.roofline import Device, Load, Roofline, find_device, read_device, roof, shipped
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError
from archcalc.lang.source import Source
from archcalc.library import load, zoo

ROUND = Device("round", "a device of round numbers", "here", "", Fraction(10**11), {"float32": Fraction(10**12)})
FILE = """name = "My board"
source = "its data sheet, page 3"
bytes_per_second = 25.6e9

[flops_per_second]
float32 = 100_000_000_000
int8 = 4e11
"""


def report(text: str) -> Report:
    return measure(load(text).build().graph)


def found(text: str, batch: int = 1) -> Roofline:
    return roof(report(text), ROUND, batch=batch)


def layer(text: str, name: str, batch: int = 1) -> Load:
    return next(each for each in found(text, batch).loads if each.row.name == name)


def invoke(*words: str) -> Result:
    return CliRunner().invoke(group, ["roofline", *words], standalone_mode=False)


def answer(*words: str) -> dict[str, Any]:
    result = invoke(*words, "--format", "json")
    if result.exception:
        raise result.exception
    found: dict[str, Any] = json.loads(result.output)
    return found


def refused(*words: str) -> tuple[Any, ...]:
    error = invoke(*words).exception
    assert isinstance(error, SpecError)
    return error.faults


# ---------------------------------------------------------------- by hand


def test_a_convolution_by_hand() -> None:
    """8*8*16 outputs of 3*3*4 multiply-adds and a bias; 256 values in, 576 + 16 weights, 1024 out; 4 bytes each."""
    conv = layer("input 8x8x4; conv 3/1/1 16", "conv1")
    assert conv.flops == 2 * 36_864 + 1_024
    assert (conv.read, conv.weights, conv.written, conv.bytes) == (1_024, 2_368, 4_096, 7_488)
    assert conv.intensity == Fraction(74_752, 7_488)  # just below the ridge of 10
    assert (conv.by, conv.seconds) == ("memory", Fraction(7_488, 10**11))


def test_a_batch_multiplies_all_but_the_weights() -> None:
    conv = layer("input 8x8x4; conv 3/1/1 16", "conv1", batch=10)
    assert (conv.flops, conv.read, conv.weights, conv.written) == (747_520, 10_240, 2_368, 40_960)
    assert (conv.by, conv.seconds) == ("compute", Fraction(747_520, 10**12))  # 13.95 FLOPs a byte


def test_what_no_window_touches_is_not_read() -> None:
    assert layer("input 8x8x4; conv 1/2 16", "conv1").read == 4 * 4 * 4 * 4
    assert layer("input 8x8x4; pool 3/3", "pool1").read == 6 * 6 * 4 * 4


def test_views_move_nothing_and_a_volume_that_comes_twice_is_read_once() -> None:
    text = "input 4x4x2; a: relu; b: add a, a; id; slice 0:1; dropout 0.5; flatten"
    assert [each.bytes for each in found(text).loads] == [0, 256, 256, 0, 0, 0, 0]
    assert [each.by for each in found(text).loads][3:] == [""] * 4
    assert layer(text, "id1").intensity is None


def test_shared_weights_are_read_where_they_are_used_and_once_by_the_fused_net() -> None:
    net = found("input 4x4x2; x: conv 3/1/1 2; conv 3/1/1 2 share=x")
    assert [each.weights for each in net.loads] == [0, 152, 152]  # (3*3*2*2 + 2) * 4
    assert net.fused.weights == 152


def test_the_buffers_of_batch_normalization_are_read_too() -> None:
    assert layer("input 4x4x8; bn", "bn1").weights == 4 * 8 * 4


def test_the_whole_net_by_hand() -> None:
    """relu: 32 operations on 128 + 128 bytes; fc: 192 + 3 operations on 128 + 396 + 12 bytes; memory bounds both."""
    net = found("input 4x4x2; relu; fc 3")
    assert (net.flops, net.bytes, net.seconds) == (32 + 195, 256 + 536, Fraction(792, 10**11))
    assert len(net.bound_by("memory")) == 2
    assert (net.fused.read, net.fused.weights, net.fused.written, net.fused.flops) == (128, 396, 12, 227)


def test_outputs_that_are_views_of_one_volume_leave_once() -> None:
    text = "input 4x4x2; a: conv 1 4; output x from a { slice 0:2 }; output y from a { slice 1:4 }; from a; id"
    assert found(text).fused.written == 4 * 4 * 4 * 4
    assert found("x: input 4x4x2; output y from x { id }; flatten").fused.bytes == 0


# ---------------------------------------------------------------- devices


@pytest.mark.parametrize(("device", "dtype", "ridge"), [("tpu_v1", "int8", 1350), ("haswell", "float32", 13)])
def test_ridges_are_those_of_the_paper(device: str, dtype: str, ridge: int) -> None:
    """Jouppi et al. 2017, Figures 5 and 6, in multiply-adds a byte."""
    assert abs(find_device(device).ridge(dtype) / 2 - ridge) < Fraction(ridge, 30)
    assert round(find_device("k80").ridge("float32") / 2) == 9  # Figure 7


@pytest.mark.parametrize("name", list(shipped()))
def test_every_device_says_where_its_figures_are_from(name: str) -> None:
    device = find_device(name)
    assert (device.key, bool(device.name)) == (name, True)
    assert any(character.isdigit() for character in device.source)


def test_the_peaks_are_those_that_are_printed() -> None:
    a100 = find_device("a100")
    assert (a100.flops_per_second["float16"], a100.bytes_per_second) == (312 * 10**12, 1555 * 10**9)
    assert find_device("raspberry_pi5").flops_per_second["float32"] == 4 * 2 * 4 * 2 * 24 * 10**8
    assert find_device("v100").flops_per_second["float32"] == 157 * 10**11


def test_a_device_of_your_own_is_a_file(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(FILE)
    board = answer("lenet5", "--device", str(path), "--dtype", "int8")["device"]
    assert (board["key"], board["flops_per_second"], board["bytes_per_second"]) == ("board", 4e11, 25.6e9)
    assert board["ridge"] == 15.625


@pytest.mark.parametrize(
    ("old", "new", "message", "line", "help"),
    [
        ('name = "My board"\n', "", "the device has no `name`", 1, 'such as `name = "My board"`'),
        ("bytes_per_second = 25.6e9\n", "", "the device has no `bytes_per_second`", 1, "25.6e9"),
        ("25.6e9", "-25.6e9", "`bytes_per_second` has to be from 1 to 1e+30, not `-25600000000.0`", 3, ""),
        ("25.6e9", "0", "`bytes_per_second` has to be from 1", 3, ""),
        ("25.6e9", "nan", "not `nan`", 3, ""),
        ("25.6e9", "inf", "not `inf`", 3, ""),
        ("25.6e9", "9" * 400, "not `9999", 3, ""),
        ("25.6e9", "true", "`bytes_per_second` has to be a number", 3, "10e12"),
        ("25.6e9", '"25.6 GB/s"', "`bytes_per_second` has to be a number", 3, "10e12"),
        ("4e11", '"4e11"', "`int8` has to be a number", 7, "10e12"),
        ("4e11", "-4e11", "`int8` has to be from 1", 7, ""),
        ("int8", "in8", "`in8` is no type of numbers", 7, "did you mean `int8`?"),
        ("bytes_per_second", "bytes_per_secnd", "unknown key `bytes_per_secnd`", 3, "did you mean `bytes_per_second`?"),
        ('"its data sheet, page 3"', "3", "`source` has to be text", 2, ""),
        ("[flops_per_second]", "[flops]", "unknown key `flops`", 5, "flops_per_second, note"),
        ("[flops_per_second]\nfloat32 = 100_000_000_000\nint8 = 4e11", "flops_per_second = 1e11", "a table", 5, "["),
        ("float32 = 100_000_000_000\nint8 = 4e11\n", "", "`flops_per_second` is empty", 5, "float32 = 10e12"),
        ("25.6e9", "25.6 GB", "not TOML", 3, ""),
    ],
)
def test_a_fault_of_a_device_file_is_told_with_its_line(
    old: str, new: str, message: str, line: int, help: str, tmp_path: Path
) -> None:
    assert FILE.count(old) == 1
    path = tmp_path / "board.toml"
    path.write_text(FILE.replace(old, new))
    faults = refused("lenet5", "--device", str(path))
    fault = next(each for each in faults if message in each.message)
    assert (fault.span.source.name, fault.span.line) == (str(path), line)
    assert help in fault.help


def test_all_faults_of_a_device_file_come_at_once() -> None:
    with pytest.raises(SpecError) as error:
        read_device(Source("b.toml", 'name = 3\nbytes_per_second = -1\nnotes = ""\n[flops_per_second]\nfloat9 = 0\n'))
    assert len(error.value.faults) == 6


@pytest.mark.parametrize(
    ("words", "message", "help"),
    [
        (("vgg16", "--device", "a10"), "unknown device `a10`", "did you mean `a100`?"),
        (("vgg16", "--device", "x"), "unknown device `x`", "a file of yours is called `mine.toml`"),
        (("vgg16", "--device", "none.toml"), "cannot read `none.toml`", ""),
        (("vgg16", "--device", "haswell", "--dtype", "float16"), "`haswell` has no peak for `float16`", "float32"),
        (("vgg16", "--device", "a100", "--dtype", "complex"), "`a100` has no peak for `complex`", "there are float64"),
        (("input HxWx3; conv 3 4", "--device", "a100"), "a bound is found in numbers", "in numbers"),
    ],
)
def test_what_no_bound_is_found_for_is_refused(words: tuple[str, ...], message: str, help: str) -> None:
    fault = refused(*words)[0]
    assert message in fault.message
    assert help in fault.help


# ---------------------------------------------------------------- laws


@pytest.mark.parametrize("name", list(zoo()))
def test_bounds_add_up_and_the_fused_net_is_never_slower(name: str) -> None:
    net = roof(report(name), ROUND, batch=3)
    assert net.flops == 3 * net.report.total().flops
    assert net.seconds == sum(max(Fraction(each.flops, 10**12), Fraction(each.bytes, 10**11)) for each in net.loads)
    assert net.fused.flops == net.flops
    assert net.fused.bytes <= net.bytes
    assert net.fused.seconds <= net.seconds
    for each in net.loads:
        assert each.by != "compute" or (each.intensity or 10) >= 10
        assert each.by != "memory" or (each.intensity is not None and each.intensity < 10)


def test_all_parameters_and_buffers_are_read() -> None:
    totals = report("resnet50").total()
    assert sum(each.weights for each in found("resnet50").loads) == 4 * (totals.params + totals.buffers)  # type: ignore[operator]


# ---------------------------------------------------------------- exits


def test_json_holds_whole_numbers_and_the_label() -> None:
    net = answer("vgg16", "--device", "v100", "--dtype", "float16", "--batch", "8")
    assert (net["kind"], net["arch"], net["dtype"], net["batch"]) == ("roofline", "vgg16", "float16", 8)
    fc6 = next(each for each in net["layers"] if each["name"] == "fc6")
    assert (fc6["weights"], fc6["read"], fc6["by"]) == (2 * 102_764_544, 2 * 8 * 25_088, "memory")
    assert "not a measurement" in net["bound"]
    assert net["totals"]["seconds"] == pytest.approx(sum(each["seconds"] for each in net["layers"]), rel=1e-12)


@pytest.mark.parametrize("format_", ["table", "md", "csv", "latex", "html"])
def test_the_tables_hold_bounds_and_their_label(format_: str) -> None:
    printed = invoke("vgg16", "--device", "a100", "--format", format_).output
    assert "memory" in printed
    assert "compute" in printed
    if format_ == "csv":
        line = next(line for line in printed.splitlines() if line.startswith("conv1_1,"))
        seconds = float(line.split(",")[-1])
        assert seconds == float(max(Fraction(176_619_520, 195 * 10**11), Fraction(13_454_336, 1555 * 10**9)))
    else:
        assert "not a measurement" in printed
        assert "12.5 FLOPs a byte" in printed


def test_the_sum_is_not_added_up_again_for_each_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    """That took 3 s for densenet201, and more than 2 minutes for a net of 90,000 layers."""
    asked: list[Roofline] = []
    whole = Roofline.seconds.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Roofline, "seconds", property(lambda found: asked.append(found) or whole(found)))
    times = []
    for net in ("vgg11", "vgg19"):
        asked.clear()
        assert invoke(net, "--device", "a100").exception is None
        times.append(len(asked))
    assert times[0] == times[1]


def test_a_net_of_views_takes_no_time() -> None:
    assert "nothing is computed or moved" in invoke("input 3x3x3; flatten", "--device", "a100").output


def test_a_page_sorts_times_by_seconds() -> None:
    page = invoke("input 8x8x3; conv 3 4; relu", "--device", "raspberry_pi5", "--format", "html").output
    (load, _) = roof(report("input 8x8x3; conv 3 4; relu"), find_device("raspberry_pi5")).loads[1:]
    assert f'data-value="{float(load.seconds)!r}">' in page
