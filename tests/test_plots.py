"""The picture of a comparison: what it is drawn to, that it is the same every time, and that it can be read."""

from __future__ import annotations

import re
import sys
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

import archcalc
from archcalc.analyses.comparison import Comparison
from archcalc.cli.entry import group
from archcalc.lang.errors import SpecError

pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install -e '.[test]'")

from archcalc import plots

LECTURES = (
    *("alexnet", "nin", "vgg16", "vgg19", "googlenet", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *("inception_v3", "inception_v4", "densenet121", "xception", "enet", "mobilenet_v1", "squeezenet1_0"),
)
WHITE = (255, 255, 255)
LEAST_CONTRAST = 4.5  # WCAG 2.1, criterion 1.4.3, for text


def invoke(*words: str) -> Result:
    return CliRunner().invoke(group, ["compare", *words], standalone_mode=False)


def figure(found: Comparison, batch: int = 1) -> Any:
    with plots.mpl.rc_context():
        plots.mpl.rcdefaults()
        plots.mpl.rcParams.update(plots.STYLE)
        return plots._figure(found, batch, "float32", "MACs")


def drawn(path: Path, *names: str) -> bytes:
    archcalc.compare(*names, plot=path)
    return path.read_bytes()


# ---------------------------------------------------------------- files


def test_an_svg_is_drawn_beside_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "nets.svg"
    result = invoke("vgg16", "resnet50", "googlenet", "--plot", str(path))
    assert result.exception is None
    assert "stage by stage" in result.output
    root = ElementTree.fromstring(path.read_bytes())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_same_picture_is_the_same_bytes(tmp_path: Path) -> None:
    for suffix in (".svg", ".png", ".pdf"):
        first = drawn(tmp_path / f"a{suffix}", "vgg16", "resnet50")
        assert first == drawn(tmp_path / f"b{suffix}", "vgg16", "resnet50")
        assert first != drawn(tmp_path / f"c{suffix}", "vgg16", "resnet101")
    text = (tmp_path / "a.svg").read_text("utf-8")
    assert "<dc:date>" not in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_a_picture_is_dark_on_white_wherever_it_is_shown(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    drawn(tmp_path / "a.png", "vgg16", "resnet50")
    picture = image.open(tmp_path / "a.png").convert("RGBA")
    corners = {picture.getpixel(corner) for corner in ((0, 0), (picture.width - 1, picture.height - 1))}
    assert corners == {(*WHITE, 255)}
    assert b"fill: #ffffff" in drawn(tmp_path / "a.svg", "vgg16", "resnet50")


def test_a_pdf_is_one(tmp_path: Path) -> None:
    pdf = drawn(tmp_path / "a.pdf", "vgg16")
    assert pdf.startswith(b"%PDF-")
    assert b"CreationDate" not in pdf


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "nets.gif",
            "error: cannot draw `nets.gif`: it is no name of a picture\n"
            "help: name it `nets.svg`, `nets.png` or `nets.pdf`",
        ),
        (
            "-",
            "error: cannot draw `-`: it is no name of a picture\nhelp: name it `nets.svg`, `nets.png` or `nets.pdf`",
        ),
        ("no/such/folder/nets.svg", "error: cannot write `no/such/folder/nets.svg`: no such file or directory"),
    ],
)
def test_what_cannot_be_drawn_to_is_a_fault(path: str, message: str) -> None:
    result = invoke("vgg16", "--plot", path)
    assert isinstance(result.exception, SpecError)
    assert str(result.exception) == message


def test_without_matplotlib_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "archcalc.plots")
    monkeypatch.delattr(archcalc, "plots")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = invoke("vgg16", "--plot", "nets.svg")
    assert isinstance(result.exception, SpecError)
    assert str(result.exception) == "error: drawing needs matplotlib\nhelp: pip install 'archcalc[plot]'"
    assert not Path("nets.svg").exists()
    assert invoke("vgg16").exception is None


# ---------------------------------------------------------------- what it shows


def test_bubbles_lie_at_parameters_and_macs_and_their_area_is_memory() -> None:
    found = archcalc.compare("vgg16", "resnet50")
    circles = {each.name: each for each in plots._circles(found.members, 2)}
    assert (circles["vgg16"].params, circles["vgg16"].macs) == (138_357_544, 2 * 15_470_264_320)
    assert circles["vgg16"].area / circles["resnet50"].area == pytest.approx(15_237_608 / 28_101_608)


def test_lines_are_the_shares_of_the_stages() -> None:
    costs, memory, params = figure(archcalc.compare("vgg16", "alexnet")).axes
    assert [text.get_text() for text in memory.get_xticklabels()] == ["1/1", "1/2", "1/4", "1/8", "1/16", "1/32", "1x1"]
    vgg16, alexnet = memory.lines
    assert vgg16.get_ydata()[0] == pytest.approx(100 * 6_573_056 / 15_237_608)
    assert list(alexnet.get_xdata()) == [0, 2, 3, 4, 5, 6]  # 227 to 55: no layer at half the size
    assert params.lines[0].get_ydata()[-1] == pytest.approx(100 * 123_642_856 / 138_357_544)
    assert (costs.get_xscale(), costs.get_yscale()) == ("log", "log")


def test_a_net_that_has_no_place_on_a_logarithmic_axis_is_named() -> None:
    found = archcalc.compare("lenet5", "arch bare; input 8x8x1; pool 2")
    costs, memory, params = figure(found).axes
    assert "without parameters or MACs: bare" in [text.get_text() for text in costs.texts]
    assert (len(memory.lines), len(params.lines)) == (2, 1)


def test_only_nets_without_parameters_are_drawn_too() -> None:
    assert figure(archcalc.compare("arch bare; input 8x8x1; pool 2"))


# ---------------------------------------------------------------- that it can be read


def luminance(colour: tuple[int, int, int]) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colour", [plots.INK, *plots.COLOURS])
def test_text_can_be_read_in_every_colour(colour: str) -> None:
    rgb = (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))
    assert contrast(rgb, WHITE) >= LEAST_CONTRAST


def test_no_two_nets_look_the_same() -> None:
    members = archcalc.compare("lenet5").members * 60
    looks = [look[1:] for look in plots._looks(members)]
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize("names", [LECTURES, LECTURES[5:10], ("resnet50", "resnet50_v1", "preresnet50", "seresnet50")])
def test_no_name_covers_another_or_leaves_its_panel(names: tuple[str, ...]) -> None:
    picture = figure(archcalc.compare(*names))
    renderer = picture.canvas.get_renderer()
    costs = picture.axes[0]
    boxes = {text.get_text(): text.get_window_extent(renderer) for text in costs.texts}
    assert boxes.keys() == set(names)
    assert not [pair for pair in combinations(boxes, 2) if boxes[pair[0]].overlaps(boxes[pair[1]])]
    frame = costs.get_window_extent()
    assert not [name for name, box in boxes.items() if not (frame.x0 <= box.x0 and box.x1 <= frame.x1)]


@pytest.mark.parametrize("names", [("vgg16",), LECTURES, ("lenet5", f"arch {'long_' * 30}name; input 8x8x1; fc 3")])
def test_the_legend_covers_no_panel(names: tuple[str, ...]) -> None:
    picture = figure(archcalc.compare(*names))
    renderer = picture.canvas.get_renderer()
    names_, sizes = (each.get_window_extent(renderer) for each in picture.legends)
    assert sizes.y1 <= min(axes.get_tightbbox(renderer).y0 for axes in picture.axes)
    assert names_.y1 <= sizes.y0
    assert names_.y0 >= 0


def test_the_sizes_of_the_legend_are_to_the_scale_of_the_bubbles() -> None:
    found = archcalc.compare("vgg16", "resnet50")  # 28,101,608 values of 4 bytes: 107.2 MiB
    legend = figure(found).legends[1]
    assert [text.get_text() for text in legend.get_texts()] == ["32.0 MiB", "8.0 MiB", "2.0 MiB"]
    areas = [line.get_markersize() ** 2 for line in legend.get_lines()]
    largest = max(each.area for each in plots._circles(found.members, 1))
    assert areas == pytest.approx([largest * size * 2**20 / (4 * 28_101_608) for size in (32, 8, 2)])


def test_names_are_no_formulas() -> None:
    picture = figure(archcalc.compare("arch _a; input 8x8x1; fc 3", "lenet5"))
    texts = [*picture.axes[0].texts, *picture.legends[0].get_texts()]
    assert not any(text.get_parse_math() for text in texts)
    assert [text.get_text().strip() for text in picture.legends[0].get_texts()] == ["_a", "lenet5"]


@pytest.mark.parametrize(("value", "text"), [(1, "1"), (500, "500"), (2e7, "20M"), (1e9, "1G"), (5e13, "50T")])
def test_ticks_are_round_numbers_with_prefixes(value: float, text: str) -> None:
    assert plots._tick(value) == text
