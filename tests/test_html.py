"""Pages of HTML: one file by itself, its figures those of the table; in a browser they fold and sort.

The browser is Chromium, driven by Playwright: `pip install playwright`, and a `chromium` on the path, in CHROMIUM, or
from `playwright install chromium`. Where there is none the tests in it are skipped.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archcalc.analyses.costs import measure
from archcalc.cli.entry import group
from archcalc.library import load
from archcalc.render import costs, webpage
from archcalc.render.table import Column, Row, Table

NASTY = '</script><script>alert(1)</script><img src="http://example.org/x.png" onerror=alert(1)> & "quotes" \x07'
COMMANDS = [
    ["table", "resnet18"],
    ["table", "vgg16", "--depth", "1", "--exact"],
    ["table", "input HxWx3; conv 3/2/1 8; pool 2"],
    ["list"],
    ["count", "resnet18"],
    ["count", "resnet18", "--rule", "fvcore"],
    ["formula", "lenet5", "--free", "H,W"],
    ["memory", "resnet18", "--training"],
    ["fit", "vgg16", "--memory", "8GiB"],
    ["match", "4.13G", "resnet50"],
    ["solve", "conv ?/4/0 96", "--in", "227", "--out", "55"],
]
VOID = {"meta", "br", "img", "input", "link", "hr"}


class Reader(HTMLParser):
    """The tags, that they are closed in order, and the cells of the table."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.titles: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        if self.open[-1:] == ["title"]:
            self.titles.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def output(*words: str) -> str:
    result = CliRunner().invoke(group, words)
    assert result.exit_code == 0, result.output
    return result.output


# ---------------------------------------------------------------- the text of a page


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_page_is_one_document_that_asks_for_nothing(words: list[str]) -> None:
    page = output(*words, "--format", "html")
    reader = read(page)
    tags = [tag for tag, _ in reader.tags]
    assert page.startswith("<!DOCTYPE html>")
    assert [tags.count(tag) for tag in ("html", "head", "body", "table", "h1")] == [1, 1, 1, 1, 1]
    assert not {"link", "img", "iframe", "object"} & set(tags)
    assert not [attrs for _, attrs in reader.tags if {"src", "href", "srcset", "action"} & attrs.keys()]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg\")|@import|url\((?!#)", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("arch", ["resnet18", "googlenet_aux", "vgg16"])
def test_the_rows_are_those_of_the_table_and_groups_are_their_sums(arch: str) -> None:
    built = load(arch).build()
    report = measure(built.graph, built.assumptions)
    table = costs.layer_table(report, "", costs.Setting())
    entries = webpage.entered(table, [row.node.group for row in report.rows])
    assert [entry.row for entry in entries if not entry.folds] == list(table.rows)
    at = {column.key: i for i, column in enumerate(table.columns)}
    groups = [entry for entry in entries if entry.folds]
    assert bool(groups) == any(row.node.group for row in report.rows)
    for entry in groups:
        name = entry.row.cells[0]
        assert entry.level == name.count(".")
        totals = report.total(name)
        wanted = [totals.params, totals.macs, totals.flops, totals.activations]
        assert [entry.row.cells[at[key]] or 0 for key in ("params", "macs", "flops", "activations")] == wanted
        last = [row for row in report.rows if ".".join(row.node.group).startswith(name)][-1]
        assert entry.row.cells[at["output"]] == last.output


def test_cells_hold_all_digits_for_sorting_and_for_who_points_at_them() -> None:
    page = output("table", "vgg16", "--format", "html")
    assert 'data-value="102764544" title="102,764,544">102.8M<' in page
    rows = read(page).rows
    assert rows[-1][0] == "total"
    assert "138.4M" in rows[-1]


def test_the_graph_is_on_the_page_folded_until_it_can_be_taken_in() -> None:
    small, large = output("table", "lenet5", "--format", "html"), output("table", "resnet152", "--format", "html")
    assert (small.count("<svg"), large.count("<svg")) == (1, 1)
    assert small.count('<rect class="box ') == 13
    assert 0 < large.count('<rect class="box ') <= 82


def test_no_name_and_no_title_breaks_out_of_the_page() -> None:
    columns = (Column("a", NASTY, "text"), Column("b", "b", "count"))
    rows = (Row((NASTY, 1), "faint", NASTY), Row((NASTY, None)))
    table = Table(NASTY, columns, rows, Row((NASTY, 2), "total"), ((NASTY, NASTY),))
    reader = read("\n".join(webpage.lines(table, False, [(NASTY,), ()])))
    tags = [tag for tag, _ in reader.tags]
    assert tags.count("script") == 1
    assert "img" not in tags
    assert "".join(reader.titles) == NASTY.replace("\x07", "\N{REPLACEMENT CHARACTER}")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_as_latex_every_row_has_all_columns_and_nothing_special_stands_alone(words: list[str]) -> None:
    text = output(*words, "--format", "latex")
    columns = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)
    assert columns
    body = text[columns.end() : text.index(r"\end{tabular}")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in rows} == {len(columns[1])}
    for line in rows:
        outside = re.sub(r"\$[^$]*\$", "", line)
        assert not re.search(r"(?<!\\)[#%_^<>|]", outside), line
        assert line.count("{") - line.count("}") == line.count(r"\{") - line.count(r"\}")


# ---------------------------------------------------------------- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here")
    named = (os.environ.get("CHROMIUM"), *map(shutil.which, ("chromium", "chromium-browser", "google-chrome")))
    path = next(filter(None, named), None)
    with playwright.sync_playwright() as started:
        try:
            chromium = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no Chromium here: {str(error).splitlines()[0]}")
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens what a command prints as HTML; at the end nothing was complained of, nothing asked for."""
    said: list[str] = []
    asked: list[str] = []

    def opened(*words: str, scheme: str = "light") -> Any:
        path = tmp_path / "page.html"
        path.write_text(output(*words, "--format", "html"), "utf-8")
        page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.set_default_timeout(5000)
        page.goto(path.as_uri())
        return page

    yield opened
    assert said == []
    assert {url.partition("?")[0].rpartition("/")[2] for url in asked} == {"page.html"}


def shown(page: Any) -> list[str]:
    """The names of the rows that are seen, in their order."""
    names: list[str] = page.locator("tbody tr:visible td:first-child").all_inner_texts()
    return [name.strip() for name in names]


def test_groups_fold_and_unfold(visit: Any) -> None:
    page = visit("table", "resnet18")
    stages = ["input", "conv1", "pool1", "conv2_x", "conv3_x", "conv4_x", "conv5_x", "gap1", "fc1"]
    assert shown(page) == stages, "a long table starts folded"
    button = page.get_by_role("button", name="conv3_x", exact=True)
    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    within = shown(page)[5:-4]
    assert within[0] == "conv3_x.conv1"
    assert within[-1] == "conv3_x.1", "a group within stays folded"
    page.get_by_role("button", name="conv3_x.1", exact=True).click()
    assert "conv3_x.1.conv2" in shown(page)
    button.click()
    assert shown(page) == stages
    page.get_by_role("button", name="unfold all").click()
    assert len(shown(page)) == page.locator("tbody tr").count() > 60
    page.get_by_role("button", name="fold all", exact=True).click()
    assert shown(page) == stages


def test_a_short_table_starts_unfolded(visit: Any) -> None:
    page = visit("table", "resnet18", "--depth", "1")
    assert len(shown(page)) == page.locator("tbody tr").count()


def test_columns_sort_by_all_digits_down_up_and_back(visit: Any) -> None:
    page = visit("table", "vgg16")
    before = shown(page)
    head = page.locator("thead th", has_text="params")
    head.get_by_role("button").click()
    report = load("vgg16").build()
    rows = [row for row in measure(report.graph, ()).rows if row.inputs]
    wanted = [row.name for row in sorted(rows, key=lambda row: -row.params)]
    assert head.get_attribute("aria-sort") == "descending"
    assert shown(page)[: len(rows)] == wanted
    assert shown(page)[-1] == "input", "what has no figure comes last"
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown(page)[: len(rows)] == [row.name for row in sorted(rows, key=lambda row: row.params)]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "none"
    assert shown(page) == before


def test_groups_sort_by_their_sums_and_keep_what_is_in_them(visit: Any) -> None:
    page = visit("table", "resnet18")
    page.locator("thead th", has_text="params").get_by_role("button").click()
    assert shown(page)[:6] == ["conv5_x", "conv4_x", "conv3_x", "fc1", "conv2_x", "conv1"]
    page.get_by_role("button", name="conv1", exact=True).click()
    assert shown(page)[5:9] == ["conv1", "conv1.conv1", "conv1.bn1", "conv1.relu1"]


def test_names_sort_as_people_count(visit: Any) -> None:
    page = visit("list")
    page.locator("thead th", has_text="net").first.get_by_role("button").click()
    cells = page.locator("tbody tr:visible td:nth-child(2)").all_inner_texts()
    assert cells.index("resnet18") < cells.index("resnet34") < cells.index("resnet152")


def test_light_and_dark_are_those_of_the_reader(visit: Any) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        page = visit("table", "lenet5", scheme=scheme)
        colours = [
            page.evaluate(f"getComputedStyle(document.querySelector('{of}')).{what}")
            for of, what in (
                ("body", "backgroundColor"),
                ("body", "color"),
                ("svg .ground", "fill"),
                ("svg .name", "fill"),
            )
        ]
        brightness[scheme] = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in colours]
    ground, ink, drawn_ground, drawn_ink = brightness["light"]
    assert min(ground, drawn_ground) - max(ink, drawn_ink) > 500
    ground, ink, drawn_ground, drawn_ink = brightness["dark"]
    assert min(ink, drawn_ink) - max(ground, drawn_ground) > 500


def test_a_narrow_window_scrolls_the_table_and_not_the_page(visit: Any) -> None:
    page = visit("table", "resnet18")
    page.set_viewport_size({"width": 400, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
