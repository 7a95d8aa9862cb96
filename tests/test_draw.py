"""Drawings: what is in them, where it stands, and that no name or title breaks out of them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from archcalc.analyses.costs import Report, measure
from archcalc.cli import options
from archcalc.cli.entry import group
from archcalc.graph import Graph, Node
from archcalc.lang.errors import SpecError
from archcalc.library import load
from archcalc.render import graphs, layout, trees, vectors
from archcalc.render.graphs import Box, Edge, Picture
from archcalc.volume import Volume

SVG = "{http://www.w3.org/2000/svg}"
NETS = ["lenet5", "resnet18", "googlenet_aux", "densenet121", "enet", "inception_v4", "squeezenet1_1"]
NASTY = 'a"b<script>alert(1)</script>&amp;\\]}|`#\x07%%{init}%%'
FLAT = "input 8x8x3; a: conv 3/1/1 4; b: relu; add a, b"


def report_of(arch: str) -> Report:
    built = load(arch).build()
    return measure(built.graph, built.assumptions)


def drawn(*words: str) -> str:
    result = CliRunner().invoke(group, ["draw", *words])
    assert result.exit_code == 0, result.output
    return result.output


def renamed(report: Report, name: str) -> Report:
    """The report with another name for its first layer: one that the language refuses."""
    first, *rest = report.graph.nodes
    nodes = (Node(name, *first[1:]), *rest)
    return Report(
        Graph(name, nodes, ((name, len(rest)),), {}), (report.rows[0]._replace(node=nodes[0]), *report.rows[1:])
    )


# ---------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("arch", NETS)
def test_unfolded_every_layer_is_a_box_and_every_volume_an_edge(arch: str) -> None:
    report = report_of(arch)
    picture = graphs.picture(report, "", None)
    layers = len(report.rows)
    assert [box.name for box in picture.boxes[:layers]] == [row.name for row in report.rows]
    wanted = {(i, at, report.rows[i].output) for at, row in enumerate(report.rows) for i in row.node.inputs}
    wanted |= {(i, layers + at, report.rows[i].output) for at, (_, i) in enumerate(report.graph.outputs)}
    assert set(map(tuple, picture.edges)) == wanted


@pytest.mark.parametrize("depth", [0, 1, 2, None])
@pytest.mark.parametrize("arch", NETS)
def test_folded_edges_lead_to_later_boxes_and_each_box_is_reached(arch: str, depth: int | None) -> None:
    picture = graphs.picture(report_of(arch), "", depth)
    assert all(edge.start < edge.end for edge in picture.edges)
    assert len(set(picture.edges)) == len(picture.edges)
    sources = {at for at, box in enumerate(picture.boxes) if box.text.startswith("input")}
    if depth:
        assert {edge.end for edge in picture.edges} | sources == set(range(len(picture.boxes)))


def test_resnet18_folded_to_its_stages_has_the_sizes_of_the_paper_on_its_edges() -> None:
    """He, Zhang, Ren & Sun 2015, Table 1: 112, 56, 28, 14, 7."""
    picture = graphs.picture(report_of("resnet18"), "", 1)
    names = [box.name for box in picture.boxes]
    assert names == ["input", "conv1", "pool1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "gap1", "fc1", "output"]
    sides = [edge.size.h for edge in picture.edges]
    assert sides == [224, 112, 56, 56, 28, 14, 7, 1, 1]


def test_equal_neighbours_are_one_box_that_says_how_many() -> None:
    picture = graphs.picture(report_of("resnet50"), "", 2)
    assert ("conv2_x.1 ×2", "10 layers each", "group") in picture.boxes


@pytest.mark.parametrize("arch", [*NETS, "resnet1202_cifar", FLAT])
def test_the_depth_of_a_page_is_the_deepest_that_can_be_taken_in(arch: str) -> None:
    report = report_of(arch)
    depth = graphs.readable_depth(report)
    if len(report.rows) <= graphs.MOST_BOXES:
        assert depth is None
    else:
        assert depth is not None
        assert len(graphs.picture(report, "", depth).boxes) <= graphs.MOST_BOXES + len(report.graph.outputs)


# ---------------------------------------------------------------- where it stands


@pytest.mark.parametrize("depth", [1, None])
@pytest.mark.parametrize("arch", NETS)
def test_boxes_do_not_touch_and_stand_within_the_picture(arch: str, depth: int | None) -> None:
    picture = graphs.picture(report_of(arch), "", depth)
    found = layout.place(picture)
    rows: dict[float, list[layout.Spot]] = {}
    for spot in found.spots:
        assert spot.width / 2 <= spot.x <= found.width - spot.width / 2
        assert 0 < spot.y < found.height - layout.HEIGHT
        rows.setdefault(spot.y, []).append(spot)
    for spots in rows.values():
        for a, b in pairwise(sorted(spots)):
            assert b.x - b.width / 2 - (a.x + a.width / 2) >= layout.BESIDE - 1e-6


@pytest.mark.parametrize("arch", NETS)
def test_edges_run_downwards_from_box_to_box_and_pass_no_other(arch: str) -> None:
    picture = graphs.picture(report_of(arch), "", None)
    found = layout.place(picture)
    for edge, corners in zip(picture.edges, found.routes, strict=True):
        start, end = found.spots[edge.start], found.spots[edge.end]
        assert corners[0] == (start.x, start.y + layout.HEIGHT)
        assert corners[-1] == (end.x, end.y)
        assert all(a[1] <= b[1] for a, b in pairwise(corners))
        for (x, top), (to_x, bottom) in pairwise(corners):
            if bottom - top <= layout.BETWEEN:
                continue
            assert x == to_x, "only between layers it bends"
            through = [spot for spot in found.spots if spot.y >= top - 1 and spot.y + layout.HEIGHT <= bottom + 1]
            assert not [spot for spot in through if abs(spot.x - x) < spot.width / 2]


def test_a_chain_stands_straight() -> None:
    found = layout.place(graphs.picture(report_of("vgg16"), "", None))
    assert len({spot.x for spot in found.spots}) == 1


def test_a_net_in_which_every_layer_meets_every_later_one_is_drawn_in_bounded_room() -> None:
    count = 120
    edges = tuple(Edge(a, b, Volume(1, 1, 1)) for a, b in combinations(range(count), 2))
    found = layout.place(Picture("", tuple(Box(f"b{at}", "", "conv") for at in range(count)), edges))
    assert found.height == layout.HEAD + count * layout.HEIGHT + (count - 1) * layout.BETWEEN + layout.MARGIN
    threads = sum(range(layout.LONGEST + 2))  # edges that pass a layer among the boxes, and more
    assert found.width < 2 * layout.WIDEST + threads * (layout.THREAD + layout.BESIDE) + layout.MOST_LANES * layout.LANE


def test_long_edges_that_overlap_have_lanes_of_their_own() -> None:
    text = "input 8x8x3; a: relu; b: relu; " + "relu; " * 20 + "c: relu; add c, b; d: relu; add d, a"
    picture = graphs.picture(report_of(text), "", None)
    found = layout.place(picture)
    boxes = max(spot.x + spot.width / 2 for spot in found.spots)
    lanes = [max(x for x, _ in corners) for corners in found.routes if max(x for x, _ in corners) > boxes]
    assert len(lanes) == len(set(lanes)) == 2


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize("arch", NETS)
def test_the_svg_is_xml_with_a_box_each_and_a_size_for_each_that_feeds_another(arch: str) -> None:
    picture = graphs.picture(report_of(arch), "a title", 1)
    root = ElementTree.fromstring("\n".join(vectors.lines(picture)))
    boxes = [each for each in root.iter(f"{SVG}rect") if "box" in each.get("class", "")]
    sizes = [each.text for each in root.iter(f"{SVG}text") if each.get("class") == "size"]
    paths = [each for each in root.iter(f"{SVG}path") if each.get("class") == "edge"]
    assert (len(boxes), len(paths)) == (len(picture.boxes), len(picture.edges))
    assert len(sizes) == len({edge.start for edge in picture.edges})
    assert sizes[0] == str(picture.edges[0].size)


def test_every_family_of_layers_has_a_colour() -> None:
    from archcalc.ops import REGISTRY

    kinds = {cls.kind() for cls in REGISTRY.values()}
    assert kinds <= set(vectors.KINDS)
    assert all(vectors.STYLE.count(f"--{kind}:") == 2 for kind in vectors.KINDS), "light and dark"


def test_the_svg_holds_nothing_but_text_of_names_that_look_like_markup() -> None:
    report = renamed(report_of(FLAT), NASTY)
    text = "\n".join(vectors.lines(graphs.picture(report, NASTY)))
    root = ElementTree.fromstring(text)
    assert "script" not in {each.tag.removeprefix(SVG) for each in root.iter()}
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg\")", text)
    titles = [each.text or "" for each in root.iter(f"{SVG}title")]
    assert any(title.startswith('a"b<script>alert(1)</script>&amp;') for title in titles)


def quoted_parts(line: str) -> Iterator[str]:
    return (found[1] for found in re.finditer(r'"((?:[^"\\]|\\.)*)"', line))


def test_dot_and_mermaid_keep_such_names_within_their_quotes() -> None:
    picture = graphs.picture(renamed(report_of(FLAT), NASTY), NASTY)
    for line in graphs.dot_lines(picture):
        rest = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
        assert '"' not in rest
        assert "script" not in rest
    first = next(line for line in graphs.dot_lines(picture) if line.startswith("  n0 ["))
    assert next(quoted_parts(first)).startswith('a\\"b<script>')
    head, *lines = list(graphs.mermaid_lines(picture))[1:]
    assert json.loads(head.removeprefix("title: ")) == " ".join(NASTY.split())
    for line in lines[2:]:
        inside = "".join(quoted_parts(line)).replace("<br/>", "")
        assert line.count('"') == 2
        assert not set(inside) & set('"<>&`\\[]{}|')
        assert not re.search(r"#(?!\d+;)", inside)


def test_more_edges_than_mermaid_draws_are_told_in_a_comment() -> None:
    few, many = (drawn(arch, "--format", "mermaid").splitlines() for arch in ("resnet50", "resnet152"))
    assert not [line for line in few if line.startswith("%%")]
    assert many[3] == "%% 565 edges: Mermaid draws 500, or more if its page sets maxEdges"
    assert sum("-->" in line for line in many) == 565


def test_a_title_in_another_script_stays_itself() -> None:
    text = 'arch a "сеть → 网 🚀"; input 8x8x3; fc 2'
    assert 'title: "a: сеть → 网 🚀; input 8x8x3, float32"' in drawn(text, "--format", "mermaid")
    assert "сеть → 网 🚀" in drawn(text, "--format", "dot")
    assert "сеть → 网 🚀" in drawn(text, "--format", "svg")


@pytest.mark.parametrize("format_", ["dot", "mermaid"])
def test_dot_and_mermaid_have_an_edge_with_its_size_for_each(format_: str) -> None:
    text = drawn(FLAT, "--format", format_)
    arrows = re.findall(r"n(\d+) --?>(?:\|\"(\S+)\"\|)? ?n(\d+)(?: \[label=\"(\S+)\"\])?", text)
    found = [(int(a), int(b), size or label) for a, size, b, label in arrows]
    assert found == [(0, 1, "8x8x3"), (1, 2, "8x8x4"), (1, 3, "8x8x4"), (2, 3, "8x8x4"), (3, 4, "8x8x4")]


def test_the_tree_says_what_goes_in_and_out_and_where_it_is_from() -> None:
    lines = drawn(FLAT).splitlines()
    assert lines[1:] == [
        "├─ input  input 8x8x3   → 8x8x3",
        "├─ a      conv 3/1/1 4  8x8x3 → 8x8x4",
        "├─ b      relu          8x8x4 → 8x8x4",
        "└─ add1   add           8x8x4 + 8x8x4 → 8x8x4 ← a, b",
    ]


@pytest.mark.parametrize("depth", [0, 1, 2, None])
@pytest.mark.parametrize("arch", NETS)
def test_the_tree_has_every_layer_once_under_its_groups(arch: str, depth: int | None) -> None:
    report = report_of(arch)
    lines = list(trees.lines(report, "", depth, io.StringIO()))[1:]
    layers = sum(1 for line in lines if "→" in line)
    folds = [box for box in graphs.picture(report, "", depth).boxes if box.kind != "output"]
    assert layers == len(folds)
    path: list[str] = []
    found = []
    for line in lines:
        indent, name = re.match(r"((?:│  |   )*)[├└]─ (\S+)", line).groups()  # type: ignore[union-attr]
        path = [*path[: len(indent) // 3], name]
        found += [".".join(path)] * ("→" in line)
    if depth:
        assert found == [box.name.split(" ")[0] for box in folds]


@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_of_the_tree_is_wider_than_the_terminal(columns: int) -> None:
    environment = {"NO_COLOR": "1", "COLUMNS": str(columns)}
    text = CliRunner().invoke(group, ["draw", "googlenet"], env=environment).output
    assert max(map(len, text.splitlines())) <= columns
    assert "GoogLeNet" in text


def test_on_paper_a_drawing_is_light() -> None:
    assert "@media screen and (prefers-color-scheme: dark)" in drawn(FLAT, "--format", "svg")


def test_what_a_stream_cannot_hold_is_told_in_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    options.write(["a → b ×3 …", "é"], stream)
    stream.flush()
    assert stream.buffer.getvalue().split(b"\n")[:2] == [b"a -> b x3 ...", b"?"]  # type: ignore[attr-defined]


def test_without_unicode_the_tree_is_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    lines = list(trees.lines(report_of("resnet18"), "", 2, stream))
    assert "".join(lines).isascii()
    assert any("|- " in line and "->" in line for line in lines)


def test_formulas_are_drawn_too() -> None:
    text = drawn("input HxWx3; conv 3/2/1 8; pool 2", "--format", "svg")
    assert ">ceil(H/2) x ceil(W/2) x 8<" in text
    assert ">floor((H + 1)/4) x floor((W + 1)/4) x 8<" in text
    ElementTree.fromstring(text)


@pytest.mark.parametrize(
    ("name", "start"),
    [("n.svg", "<svg "), ("n.SVG", "<svg "), ("n.dot", "digraph {"), ("n.mmd", "---"), ("n.txt", "net;")],
)
def test_a_file_is_drawn_as_its_name_says(name: str, start: str, tmp_path: Path) -> None:
    drawn(FLAT, "-o", str(tmp_path / name))
    assert (tmp_path / name).read_text("utf-8").startswith(start)
    drawn(FLAT, "--format", "dot", "-o", str(tmp_path / name))
    assert (tmp_path / name).read_text("utf-8").startswith("digraph {")


def test_no_tree_is_written_under_the_name_of_a_picture(tmp_path: Path) -> None:
    for name in ("n.png", "n.PDF"):
        result = CliRunner().invoke(group, ["draw", FLAT, "-o", str(tmp_path / name)])
        assert isinstance(result.exception, SpecError)
        assert result.exception.faults[0].message == f"a drawing cannot be written as `{name[1:].lower()}`"
        assert not (tmp_path / name).exists()


def test_a_fault_of_the_net_is_told_as_ever() -> None:
    result = CliRunner().invoke(group, ["draw", "vgg16", "--format", "png"])
    assert result.exit_code == 2
    assert "'png' is not one of" in result.output
