"""Pages of HTML: one file by itself, its figures those of the table; in a browser they fold and sort.

The browser is Chromium, driven by Playwright: the extra `browser`, and a `chromium` on the path, in CHROMIUM, or from
`playwright install chromium`. Where there is none the tests in it are skipped, and so are those that set a page with
LaTeX where there is no `pdflatex`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.analyses.costs import measure
from archcalc.cli.entry import group
from archcalc.library import load
from archcalc.render import costs, latex, markdown, webpage
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
PAGES = [  # beside those: several tables, or parts that fold
    *COMMANDS,
    ["table", "resnet18", "--style", "paper"],
    ["compare", "alexnet", "googlenet"],
    ["diff", "resnet50", "resnet50_v1"],
    ["explain", "alexnet", "conv1"],
    ["explain", "lenet5"],
    ["run", "lenet5", "--backward"],
    ["run", "input 3x3x1; conv 2 1", "--jacobian", "conv1"],
    ["verify", "simonyan2014-table2"],
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


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_a_page_is_one_document_that_asks_for_nothing(words: list[str]) -> None:
    page = output(*words, "--format", "html")
    reader = read(page)
    tags = [tag for tag, _ in reader.tags]
    assert page.startswith("<!DOCTYPE html>")
    assert [tags.count(tag) for tag in ("html", "head", "body", "h1")] == [1, 1, 1, 1]
    assert tags.count("table") == 1 or words not in COMMANDS
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


def test_an_explanation_as_a_page_has_all_that_the_text_has() -> None:
    page = output("explain", "alexnet", "conv1", "--format", "html")
    rows = read(page).rows
    assert ["height, width", "floor((H + 2*P - F)/S) + 1", "floor((227 + 2*0 - 11)/4) + 1", "55"] in rows
    assert ["parameters", "(F*F*C + 1) * N", "(11*11*3 + 1) * 96", "34,944"] in rows
    assert "<li><code>F = 11</code> = kernel</li>" in page
    assert "window 1   [=========]" in page
    page = output("explain", "googlenet", "inception3a.concat1", "--format", "html")
    assert "<p>4 paths from pool2, 28x28x192:</p>" in page


def test_the_layers_of_an_explanation_fold_and_few_of_them_start_open() -> None:
    assert output("explain", "alexnet", "conv1", "--format", "html").count("<details open>") == 1
    whole = output("explain", "lenet5", "--format", "html")
    assert (whole.count("<details>"), whole.count("<details open>")) == (12, 0)
    assert "How the totals add up" in whole


def test_nothing_breaks_out_of_an_explanation(tmp_path: Path) -> None:
    path = tmp_path / "net.arch"
    path.write_text('arch a "</title><script>alert(1)</script>"\ninput 8x8x1 ; c: conv 3 2', "utf-8")
    tags = [tag for tag, _ in read(output("explain", str(path), "c", "--format", "html")).tags]
    assert tags.count("script") == 1


# ---------------------------------------------------------------- in a notebook


def test_a_notebook_shows_the_table_without_a_script_or_colours_of_its_own() -> None:
    text = archcalc.load("alexnet").analyze()._repr_html_()
    reader = read(text)
    assert [tag for tag, _ in reader.tags if tag in ("table", "script", "style", "html", "body")] == ["style", "table"]
    assert reader.rows[0] == ["layer", "type", "output", "memory", "params", "MACs", "FLOPs", "share of MACs"]
    assert reader.rows[2][:6] == ["conv1", "conv 11/4/0 96", "55x55x96", "1.1 MiB", "34.94K", "105.4M"]
    assert reader.rows[-1][4] == "62.38M"
    style = text[text.index("<style>") : text.index("</style>")].removeprefix("<style>")
    assert all(line.startswith((".archcalc", "  ")) for line in style.strip().splitlines()), "nothing else is styled"
    assert "color: inherit" in style
    assert not re.search(r"[^-]background: #(?!3f8fb5)", style)


def test_a_large_net_is_folded_in_a_notebook() -> None:
    text = archcalc.load("resnet152").analyze()._repr_html_()
    assert 10 < len(read(text).rows) < 90
    assert len(text) < 50_000
    assert "60.19M" in text


def test_a_title_stays_text_in_a_notebook() -> None:
    text = archcalc.load('arch a "<img src=x onerror=alert(1)>"; input 8x8x1; fc 3').analyze()._repr_html_()
    assert "img" not in [tag for tag, _ in read(text).tags]


# ---------------------------------------------------------------- LaTeX and Markdown


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_as_latex_every_row_has_all_columns_and_nothing_special_stands_alone(words: list[str]) -> None:
    text = output(*words, "--format", "latex")
    columns = re.search(r"\\begin\{(tabular|longtable)\}\{((?:[lr]|>\{[^{}]*\}p\{[^{}]*\})+)\}", text)
    assert columns
    body = text[columns.end() : text.index(rf"\end{{{columns[1]}}}")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\") and not line.startswith(r"\caption")]
    wanted = len(re.sub(r">\{[^{}]*\}p\{[^{}]*\}", "p", columns[2]))
    assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in rows} == {wanted}
    for line in rows:
        outside = re.sub(r"\$[^$]*\$", "", line)
        assert not re.search(r"(?<!\\)[#%_^<>|]", outside), line
        assert line.count("{") - line.count("}") == line.count(r"\{") - line.count(r"\}")


def test_a_long_table_goes_over_pages_under_its_heading() -> None:
    text = output("table", "resnet18", "--format", "latex")
    assert r"% needs \usepackage{amsmath, booktabs, longtable}" in text
    heading, body = text.split(r"\endhead")
    assert heading.count("layer & type & output &") == 2, "on the first page, and on all others"
    assert body.count(r"\bottomrule") == 1
    assert r"\begin{table}" in output("table", "vgg16", "--format", "latex")


def test_texts_that_are_too_long_for_a_line_are_set_in_lines() -> None:
    text = output("compare", "alexnet_grouped", "enet", "--format", "latex")
    assert "}p{" not in text
    text = output("list", "--format", "latex")
    assert r">{\raggedright\arraybackslash}p{0.3\linewidth}" in text
    assert "array" in text.splitlines()[0]


def test_a_row_that_begins_with_a_bracket_is_none_of_the_line_above() -> None:
    table = Table("t", (Column("a", "a", "text"),), (Row(("[2pt]",)), Row(("*",)), Row(("b[c",))))
    assert [line for line in latex.lines(table, False) if line.endswith(r"\\")][1:] == [
        r"{[2pt]} \\",
        r"{*} \\",
        r"b[c \\",
    ]


@pytest.mark.parametrize(("net", "free"), [("lenet5", "H,W"), ("resnet18", "H,W"), ("densenet121", "k")])
def test_a_long_formula_is_broken_where_no_bracket_is_open(net: str, free: str) -> None:
    text = output("formula", net, "--free", free, "--format", "latex")
    lines = text[text.index(r"\begin{align*}") :].splitlines()[1:-1]
    for part in "".join(lines).split(r"\\"):
        assert part.count(r"\left") == part.count(r"\right")
        assert part.count("{") == part.count("}")
        assert not part.rstrip().endswith(("+", "-"))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_takes_what_is_written_for_it(tmp_path: Path) -> None:
    hostile = tmp_path / "net.arch"
    hostile.write_text(
        'arch my_net "100% & #1 {a|b} $x_1$ ~ ^ \\\\ <i> [x] é → ×"\ninput 8x8x1 ; a_b: conv 3 2', "utf-8"
    )
    words = [
        *COMMANDS,
        *(
            ["table", str(hostile)],
            ["table", "resnet18", "--style", "paper"],
            ["table", "googlenet", "--style", "paper"],
        ),
        *(["compare", "alexnet", str(hostile)], ["diff", "alexnet", str(hostile)], ["explain", str(hostile), "a_b"]),
        *(["explain", "googlenet", "inception3a"], ["run", "lenet5", "--backward"]),
    ]
    packages = "amsmath,array,booktabs,longtable"
    page = [rf"\documentclass{{article}}\usepackage{{{packages}}}\usepackage[T1]{{fontenc}}\begin{{document}}"]
    page += [rf"{output(*each, '--format', 'latex')}\clearpage" for each in words]
    (tmp_path / "page.tex").write_text("\n".join((*page, r"\end{document}")), "utf-8")
    command = ["pdflatex", "-draftmode", "-halt-on-error", "-interaction=nonstopmode", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a_b | *c*", r"a\_b \| \*c\*"),
        ("[x](javascript:alert)", r"[x]\(javascript:alert)"),
        ("`a_b` is $5", r"`a_b` is \$5"),
        ("AT&T &copy; <b>", "AT&T &amp;copy; &lt;b>"),
        ("one\ntwo", "one two"),
    ],
)
def test_as_markdown_text_stays_text(text: str, shown: str) -> None:
    assert markdown.escaped(text) == shown


# ---------------------------------------------------------------- in a browser


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


def test_a_group_folds_by_key_and_keeps_the_focus(visit: Any) -> None:
    page = visit("table", "resnet18")
    page.get_by_role("button", name="conv3_x", exact=True).focus()
    for count in (9 + 10, 9):
        page.keyboard.press("Enter")
        assert len(shown(page)) == count
        assert page.evaluate("document.activeElement.innerText") == "conv3_x"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "conv4_x"


def test_folding_keeps_the_order_that_was_asked_for(visit: Any) -> None:
    page = visit("table", "resnet18")
    page.locator("thead th", has_text="params").get_by_role("button").click()
    page.get_by_role("button", name="conv5_x", exact=True).click()
    page.get_by_role("button", name="conv5_x", exact=True).click()
    assert shown(page)[:3] == ["conv5_x", "conv4_x", "conv3_x"]


def test_each_table_of_a_page_sorts_by_itself(visit: Any) -> None:
    page = visit("compare", "alexnet", "googlenet", "vgg16")
    sums, bars, _ = (page.locator("table").nth(at) for at in range(3))
    sums.locator("thead th", has_text="ratio").first.get_by_role("button").click()
    names = sums.locator("tbody td:first-child").all_inner_texts()
    assert names == ["vgg16", "alexnet", "googlenet"], "2.2x, 1x, 0.11x"
    assert bars.locator("tbody td:first-child").all_inner_texts() == ["alexnet", "googlenet", "vgg16"]


def test_the_waterfall_is_drawn_where_it_falls(visit: Any) -> None:
    page = visit("diff", "resnet50", "resnet101")
    before, step, after = (page.locator(".level i").nth(at).bounding_box() for at in range(3))
    assert step["x"] == pytest.approx(before["x"] + before["width"], abs=1)
    assert step["x"] + step["width"] == pytest.approx(after["x"] + after["width"], abs=1)
    page.locator("thead th", has_text="params").get_by_role("button").click()
    assert shown(page) == ["resnet101", "resnet50", "added 17x: 10 layers"], "44.55M, 25.56M, +18.99M"


def test_rules_stand_side_by_side_and_what_costs_twice_as_much_has_a_bar_twice_as_long(visit: Any) -> None:
    page = visit("count", "resnet50")
    ours, torch = (
        page.locator("tr", has_text=name).locator(".bar i").first.bounding_box() for name in ("0.1.0", "2.13")
    )
    assert torch["width"] == pytest.approx(2 * ours["width"], abs=1), "8,178,368,512 beside 4,089,184,256"
    last = page.locator("thead th").last.bounding_box()
    assert last["x"] + last["width"] <= 1280, "why they differ is seen without scrolling"


def test_layers_of_an_explanation_fold_and_unfold(visit: Any) -> None:
    page = visit("explain", "lenet5")
    assert page.locator("details[open]").count() == 0
    page.get_by_role("button", name="unfold all").click()
    assert page.locator("details[open]").count() == page.locator("details").count() == 12
    page.locator("summary", has_text="conv 5/1/0 6").click()
    assert page.locator("details[open]").count() == 11
    assert page.locator("summary").first.evaluate("each => { each.focus(); return document.activeElement === each; }")


def test_a_thousand_rows_fold_and_sort(visit: Any) -> None:
    page = visit("table", "densenet_bc250_24_cifar")
    assert page.locator("tbody tr").count() > 1000
    page.get_by_role("button", name="unfold all").click()
    assert len(shown(page)) == page.locator("tbody tr").count()
    page.locator("thead th", has_text="MACs").first.get_by_role("button").click()
    page.get_by_role("button", name="fold all", exact=True).click()
    assert shown(page)[0] == "denseblock1"


def test_on_paper_it_is_dark_on_light_and_whole(visit: Any) -> None:
    page = visit("table", "lenet5", scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 500, "height": 800})
    for of, what, light in (("body", "color", False), ("body", "backgroundColor", True), ("svg .ground", "fill", True)):
        colour = page.evaluate(f"getComputedStyle(document.querySelector('{of}')).{what}")
        assert (sum(map(int, re.findall(r"\d+", colour)[:3])) > 380) is light
    assert page.evaluate("getComputedStyle(document.querySelector('.wide')).overflowX") == "visible"


def test_a_notebook_shows_it_in_the_colours_around_it(browser: Any) -> None:
    text = archcalc.load("alexnet").analyze()._repr_html_()
    page = browser.new_page()
    for ink in ("rgb(20, 20, 20)", "rgb(240, 240, 240)"):
        page.set_content(f'<body style="color: {ink}">{text}</body>')
        for of in ("p", "th", "tbody tr:nth-child(2) td", "tfoot td"):
            assert page.evaluate(f"getComputedStyle(document.querySelector('.archcalc {of}')).color") == ink
    page.close()


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
