"""Marked homework as it is shown, class by class: nothing of it lost, nothing of what a student wrote let loose."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from commands import Run, runner
from hypothesis import given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.homework.answers import Answer, Figure, Mark, Marked, Mistake, Place, Status, Submission
from archcalc.homework.classes import check
from archcalc.homework.mistakes import catalogue
from archcalc.homework.submissions import Checked, Paper
from archcalc.homework.summaries import in_order, spread, summarize
from archcalc.lang.errors import Fault, SpecError
from archcalc.render import marks
from archcalc.render.feedback import amount, columns, feedback_of, harmless, percent_of, printable

ROOT = Path(__file__).parent.parent
EVIL = (
    '=HYPERLINK("http://x.example")\x1b[31m|`a`</td><script>alert(1)</script>[b](http://y.example)\u202e![c](//z)\x9b1m'
)
FORMATS = ("table", "md", "html", "json", "csv", "gradescope")

# AlexNet's first layers: 55 = (227 - 11)/4 + 1, 27 = (55 - 3)/2 + 1; 34,944 = (11*11*3 + 1)*96 and 105,415,200 =
# 11*11*3*96*55*55 (Krizhevsky, Sutskever & Hinton 2012, sizes as lectures draw them).
RIGHT = "layer,output,params,MACs\nconv1,55x55x96,34944,105415200\npool1,27x27x96,0,0\n"
WRONG = "layer,output,params,MACs\nconv1,55x55x96,34848,105415200\npool1,27x27x96,0,0\n"
CARRIED = "layer,output\nconv1,54x54x96\npool1,26x26x96\n"  # 26 = (54 - 3)/2 + 1, rounded down


def answer(layer: str | None, quantity: str, text: str) -> Answer:
    unit = "bytes" if quantity == "memory" else ""
    return Answer(layer, quantity, text, (Figure(Fraction(1), unit=unit),), Place("anna.csv", f"line 2, {quantity}"))


def marked(*found: Mark, name: str = "anna.csv", remarks: tuple[str, ...] = ()) -> Marked:
    return Marked("alexnet", Submission(name, tuple(mark.answer for mark in found), remarks), found)


def mark_of(status: Status, text: str = "34,848", layer: str | None = "conv1", quantity: str = "params") -> Mark:
    mistakes = (Mistake("bias forgotten", "11*11*3*96 = 34,848", 10, "the 96 biases are missing"),)
    solution = ("(F*F*C + 1) * N", "(11*11*3 + 1) * 96 = 34,944")
    wrong = status == "wrong"
    points = Fraction(not wrong)
    return Mark(answer(layer, quantity, text), 34944, status, mistakes * wrong, "", solution * wrong, points)


def one(*found: Mark, **more: Any) -> Checked:
    return Checked("alexnet", (Paper("anna.csv", "anna", marked(*found, **more)),), False)


class Tty(io.StringIO):
    """A terminal that is as wide as COLUMNS says."""

    encoding = "utf-8"  # type: ignore[assignment]

    def isatty(self) -> bool:
        return True


def shown(checked: Checked, format_: str = "table", stream: io.StringIO | None = None, **more: Any) -> str:
    return "\n".join(marks.lines(checked, marks.Wanted(format_, **more), stream or io.StringIO())) + "\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `archcalc check` in an empty folder, in this process: an exception that is not told ends the test."""
    monkeypatch.chdir(tmp_path)
    return runner(monkeypatch, capsys, "check")


@pytest.fixture
def desk(run: Run, tmp_path: Path) -> Path:
    """A folder with the answers of three students."""
    folder = tmp_path / "answers"
    for name, text in {"anna.csv": RIGHT, "bo.csv": WRONG, "Carl Li_17/homework.csv": CARRIED}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


# ---------------------------------------------------------------- the exit code


@pytest.mark.parametrize(("text", "code"), [(RIGHT, 0), (WRONG, 1), (CARRIED, 1)], ids=["right", "wrong", "carried"])
@pytest.mark.parametrize("format_", FORMATS)
def test_the_exit_code_says_whether_all_is_right(text: str, code: int, format_: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "anna.csv").write_text(text, "utf-8")
    ended = run("anna.csv", "alexnet", "--format", format_)
    assert (ended.code, ended.err) == (code, "")
    assert ended.out


@pytest.mark.parametrize(
    "words",
    [
        ["nobody.csv", "alexnet"],
        ["n" * 5000, "alexnet"],
        ["anna.csv", "alexnet", "-o", "n" * 5000],
        ["anna.csv", "alexnet", "-o", "n" * 5000 + "/"],
        ["anna.csv", "alexnte"],
        ["anna.csv", "input HxWx3; conv 3 8"],
        ["anna.csv", "alexnet", "--rubric", "none.toml"],
        ["anna.csv", "alexnet", "--rubric", "bad.toml"],
        ["anna.csv", "alexnet", "--input", "3x3x3"],
        ["anna.csv", "alexnet", "--batch", "0"],
        ["anna.csv", "alexnet", "--dtype", "float31"],
        ["anna.csv", "alexnet", "--format", "docx"],
        ["anna.csv", "none.toml"],
        ["anna.csv", "bad.toml", "--input", "227x227x3"],
        [".", "bad.toml"],
        ["empty", "alexnet"],
        ["."],
        [".", "alexnet", "--format", "gradescope"],
        [".", "alexnet", "--format", "gradescope", "--summary"],
        ["anna.csv", "alexnet", "-o", "anna.csv/marks/"],
    ],
    ids=lambda words: " ".join(words)[:60],
)
def test_a_fault_of_usage_is_told_with_exit_code_2(words: list[str], run: Run, tmp_path: Path) -> None:
    for name in ("anna.csv", "bo.csv"):
        (tmp_path / name).write_text(RIGHT, "utf-8")
    (tmp_path / "bad.toml").write_text('[points]\nsize = "many"\nnorm1000.params = 2\n', "utf-8")
    (tmp_path / "empty").mkdir()
    ended = run(*words)
    assert (ended.code, ended.out) == (2, "")
    assert "Traceback" not in ended.err
    assert re.search("^(error|Error|Usage): ", ended.err, re.MULTILINE)


def test_a_rubric_of_another_net_is_a_fault_of_the_rubric_and_not_of_the_answers(run: Run, desk: Path) -> None:
    rubric = desk.parent / "rubric.toml"
    rubric.write_text("[points]\nconv99.params = 2\n", "utf-8")
    ended = run("answers", "alexnet", "--rubric", "rubric.toml")
    assert (ended.code, ended.out) == (2, "")
    assert "conv99" in ended.err


# ---------------------------------------------------------------- the class


def test_a_bad_file_is_told_and_the_others_are_marked(run: Run, desk: Path) -> None:
    (desk / "dora.csv").write_bytes(b"\x00\x01\x02")
    (desk / "emil.csv").write_text("no table here\n", "utf-8")
    (desk / "fay.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * 200_000_000)
    (desk / "gil.xlsx").write_bytes(bomb.getvalue())
    ended = run("answers", "alexnet", "--format", "json")
    content = json.loads(ended.out)
    assert ended.code == 2
    found = {paper["file"]: paper["score"] for paper in content["submissions"]}
    assert found == {
        "Carl Li_17/homework.csv": 1,  # conv1 is wrong, pool1 is carried
        "anna.csv": 6,
        "bo.csv": 5,
        "dora.csv": None,
        "emil.csv": None,
        "fay.xlsx": None,
        "gil.xlsx": None,
    }
    assert ended.err.count("error: ") == 4
    for paper in content["submissions"]:
        assert bool(paper.get("error")) == (paper["score"] is None)


def test_students_are_called_as_their_files_or_folders_and_none_gets_lost(desk: Path) -> None:
    (desk / "Dora").mkdir()
    (desk / "Dora" / "answers.log").write_text("?", "utf-8")
    checked = check(desk, "alexnet")
    assert [(paper.name, paper.student) for paper in checked.papers] == [
        ("Carl Li_17/homework.csv", "Carl Li_17"),
        ("Dora/", "Dora"),
        ("anna.csv", "anna"),
        ("bo.csv", "bo"),
    ]
    assert [paper.student for paper in checked.papers if paper.faults] == ["Dora"]
    assert checked.skipped == (("Dora/answers.log", "no type of answers"),)


def test_what_is_no_answer_is_left_aside_and_said(run: Run, desk: Path) -> None:
    (desk / "__MACOSX").mkdir()
    (desk / "__MACOSX" / "._anna.csv").write_text(RIGHT, "utf-8")
    (desk / ".hidden.csv").write_text(WRONG, "utf-8")
    (desk / "notes.log").write_text("?", "utf-8")
    (desk / "rubric.toml").write_text("[points]\nsize = 2\n", "utf-8")
    (desk / "link.csv").symlink_to(ROOT / "pyproject.toml")
    os.mkfifo(desk / "pipe.csv")
    (desk / "Carl Li_17" / "deeper").mkdir()
    ended = run("answers", "alexnet", "--rubric", "answers/rubric.toml", "--format", "csv", "--summary")
    assert ended.code == 1
    assert [row["file"] for row in csv.DictReader(io.StringIO(ended.out))] == [
        "Carl Li_17/homework.csv",
        "anna.csv",
        "bo.csv",
    ]
    assert sorted(ended.err.splitlines()) == [
        "left aside: .hidden.csv: hidden",
        "left aside: Carl Li_17/deeper: a folder within a student's",
        "left aside: __MACOSX: made by macOS",
        "left aside: link.csv: a link",
        "left aside: notes.log: no type of answers",
        "left aside: pipe.csv: no file",
        "left aside: rubric.toml: the rubric",
    ]


def test_what_nobody_thought_of_costs_the_others_nothing(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archcalc.homework import classes

    def break_on(path: Path, report: Any) -> Submission:
        if path.name == "anna.csv":
            raise RecursionError("too deep")
        return read(path, report)

    read = classes.read_submission
    monkeypatch.setattr(classes, "read_submission", break_on)
    checked = check(desk, "alexnet")
    assert [paper.marked is None for paper in checked.papers] == [False, True, False]
    assert checked.faults[0].message == "anna.csv: RecursionError: `too deep`"


@pytest.mark.parametrize("format_", FORMATS)
def test_a_folder_gets_a_file_for_each_submission(format_: str, run: Run, desk: Path, tmp_path: Path) -> None:
    (desk / "anna.md").write_text("| layer | output |\n|--|--|\n| conv1 | 55x55x96 |\n", "utf-8")
    ended = run("answers", "alexnet", "--format", format_, "-o", "out/")
    assert (ended.code, ended.out) == (1, "")
    ending = {"table": "txt", "gradescope": "json"}.get(format_, format_)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"{name}.{ending}" for name in ("Carl Li_17", "anna.csv", "anna.md", "bo")]
    first = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    run("answers", "alexnet", "--format", format_, "-o", "out")  # it is there by now
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == first
    assert not any(b"\x1b" in text for text in first.values())


@pytest.mark.parametrize("path", ["answers", "answers/", "answers/marks/", "answers/anna.csv", "answers/marks.json"])
def test_nothing_is_written_among_the_answers(path: str, run: Run, desk: Path) -> None:
    before = {each: each.read_bytes() for each in desk.rglob("*") if each.is_file()}
    ended = run("answers", "alexnet", "--format", "csv", "-o", path)
    assert (ended.code, ended.out) == (2, "")
    assert "would stand among the answers" in ended.err
    assert {each: each.read_bytes() for each in desk.rglob("*") if each.is_file()} == before


def test_answers_are_never_written_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "anna.csv").write_text(WRONG, "utf-8")
    ended = run("anna.csv", "alexnet", "--format", "csv", "-o", "./anna.csv")
    assert ended.code == 2
    assert (tmp_path / "anna.csv").read_text("utf-8") == WRONG


def test_names_of_files_never_fall_together() -> None:
    papers = [
        Paper("Anna/a.csv", "Anna", None),
        Paper("Anna/b.csv", "Anna", None),
        Paper("anna.csv", "anna", None),
        Paper("bo.csv", "bo", None),
        Paper("anna-a.csv", "Anna-a", None),
    ]
    names = [name for name, _ in marks.files(Checked("x", tuple(papers), True), "md")]
    assert len({name.casefold() for name in names}) == len(papers)
    assert names == ["Anna-a.csv.md", "Anna-b.csv.md", "anna.csv.md", "bo.md", "Anna-a.md"]
    odd = [Paper("c:\x1b.csv", "c:\x1b", None), Paper("c_?.csv", "c_?", None)]
    assert [name for name, _ in marks.files(Checked("x", tuple(odd), True), "md")] == ["c__.md", "c__-.md"]


@pytest.mark.parametrize("format_", FORMATS)
def test_the_same_answers_give_the_same_bytes(format_: str, desk: Path) -> None:
    seen = set()
    for seed in ("0", "1"):
        command = [sys.executable, "-m", "archcalc", "check", str(desk), "alexnet", "--format", format_]
        out = desk.parent / "out"
        command += ["--summary"] if format_ != "gradescope" else ["-o", f"{out}/"]
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, capture_output=True, env=environment, timeout=120, check=False)
        assert done.returncode == 1, done.stderr
        files = sorted(out.iterdir()) if format_ == "gradescope" else []
        seen.add((done.stdout, *(path.read_bytes() for path in files)))
    assert len(seen) == 1


# ---------------------------------------------------------------- the summary


def test_the_summary_counts_cells_mistakes_and_scores() -> None:
    papers = (
        Paper("a.csv", "a", marked(mark_of("wrong"), mark_of("right", quantity="macs"))),
        Paper("b.csv", "b", marked(mark_of("right"), mark_of("carried", quantity="macs"))),
        Paper("c.csv", "c", marked(mark_of("wrong"), mark_of("wrong", layer=None))),
        Paper("d.csv", "d", None, (Fault("`d.csv` is bad"),)),
    )
    summary = summarize(Checked("alexnet", papers, True))
    assert [(cell.layer, cell.quantity, cell.right, cell.carried, cell.wrong) for cell in summary.cells] == [
        ("conv1", "params", 1, 0, 2),
        ("conv1", "macs", 1, 1, 0),
        (None, "params", 0, 0, 1),
    ]
    (common,) = summary.mistakes
    assert (common.name, common.times, common.papers) == ("bias forgotten", 3, ("a.csv", "c.csv"))
    assert common.cells == (("conv1", "params"), (None, "params"))
    assert summary.scores is not None
    half = Fraction(1, 2)
    assert summary.scores[:6] == (0, half / 2, half, Fraction(3, 4), 1, half)  # of the scores 0, 1/2, 1
    assert summary.scores.histogram == (1, 0, 0, 0, 0, 1, 0, 0, 0, 1)


def test_quartiles_are_those_of_a_straight_line_between_scores() -> None:
    found = spread([Fraction(n, 10) for n in (3, 6, 7, 8, 8, 10)])
    # NumPy's and Excel's inclusive quartiles of 3, 6, 7, 8, 8, 10 are 6.25, 7.5, 8.
    assert found[:6] == tuple(Fraction(n, 100) for n in (30, Fraction(125, 2), 75, 80, 100, 70))


def test_cells_stand_in_the_order_of_the_net_whoever_left_some_out() -> None:
    assert in_order([["b", "d"], ["a", "b", "c", "d"], ["d", "e"]]) == ["a", "b", "c", "d", "e"]
    assert in_order([["a", "b"], ["z"], ["y", "b"]]) == ["a", "y", "b", "z"]


@pytest.mark.parametrize("format_", ["table", "md", "html", "json"])
def test_a_summary_tells_all_of_it(format_: str, run: Run, desk: Path) -> None:
    (desk / "dora.csv").write_bytes(b"\x00\x01\x02")
    ended = run("answers", "alexnet", "--summary", "--format", format_)
    assert ended.code == 2
    for word in ("bias forgotten", "bo.csv", "dora.csv", "Carl Li_17"):
        assert word in ended.out.replace("\\_", "_")
    if format_ == "json":
        summary = json.loads(ended.out)["summary"]
        assert summary["unread"] == ["dora.csv"]
        assert [each["files"] for each in summary["mistakes"] if each["name"] == "bias forgotten"] == [["bo.csv"]]
        assert summary["cells"][0] == {
            "layer": "conv1", "quantity": "size", "right": 2, "carried": 0, "wrong": 1, "answers": 3,
        }  # fmt: skip
        assert sum(summary["scores"]["histogram"]) == 3
    else:
        assert "median" in ended.out


# ---------------------------------------------------------------- what is shown


@pytest.mark.parametrize("width", [40, 80, 120, 160])
def test_no_line_is_wider_than_the_terminal(width: int, run: Run, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    heads = ("layer", "output", "memory", "params", "MACs", "FLOPs", "receptive field")
    cells = ("conv1", "54x54x96", "1,000,000 bytes", "34848", "1", "210830400", "12")
    (tmp_path / "anna.csv").write_text(f"{';'.join(heads)}\n{';'.join(cells)}\n", "utf-8")
    ended = run("anna.csv", "alexnet")
    assert ended.code == 1
    assert "\x1b[31m" in ended.out
    plain = re.sub(r"\x1b\[\d+m", "", ended.out)
    assert "\x1b" not in plain
    assert max(map(len, plain.splitlines())) <= width
    for cell in cells[:2]:
        assert cell in plain
    for title in heads:
        assert title in plain, "no column is left out"


def test_status_is_told_by_signs_where_there_is_no_colour_and_by_ascii_where_there_is_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    all_ = one(mark_of("right"), mark_of("wrong", quantity="macs"), mark_of("carried", quantity="flops"))
    monkeypatch.setenv("NO_COLOR", "1")
    plain = shown(all_, stream=Tty())
    assert "\x1b" not in plain
    assert re.search(r"^conv1  ✓ 34,848  ✗ 34,848  ~ 34,848$", plain, re.MULTILINE)
    monkeypatch.delenv("NO_COLOR")
    coloured = shown(all_, stream=Tty())
    assert "\x1b[32m✓ 34,848" in coloured
    assert "\x1b[31m✗ 34,848" in coloured
    assert "\x1b[33m~ 34,848" in coloured
    ascii_ = io.TextIOWrapper(io.BytesIO(), "ascii")
    found = "\n".join(marks.lines(all_, marks.Wanted(), ascii_))
    assert found.isascii()
    assert "+ 34,848  ! 34,848  ~ 34,848" in found


def test_a_wrong_cell_is_told_with_its_mistake_and_its_derivation() -> None:
    for format_ in FORMATS:
        text = shown(one(mark_of("wrong")), format_).replace("\\*", "*")
        for word in ("34,848", "bias forgotten", "11*11*3*96 = 34,848"):
            assert word in text, format_
        assert "34,944" in text or "34944" in text, format_


@pytest.mark.parametrize("format_", FORMATS)
def test_without_solutions_the_right_figure_stands_nowhere(format_: str) -> None:
    slip = Mistake("digit slip", "34,944 with a 9 for an 8", 50, "right would be 34944")
    wrong = mark_of("wrong")._replace(mistakes=(*mark_of("wrong").mistakes, slip), note="not 34,944")
    text = shown(one(wrong)._replace(solutions=False), format_)
    assert not re.search("34,?944", text)
    assert "(F*F*C + 1) * N" not in text
    assert "bias forgotten" in text
    assert "digit slip" in text


def test_without_solutions_nothing_of_a_real_sheet_gives_the_right_figures_away(run: Run, tmp_path: Path) -> None:
    wrong = "layer,output,params,MACs\nconv1,54x54x95,34849,105415299\nconv2,28x28x250,614657,9\ntotal,,62378345,1\n"
    (tmp_path / "anna.csv").write_text(wrong, "utf-8")
    for format_ in FORMATS:
        ended = run("anna.csv", "alexnet", "--no-solutions", "--format", format_)
        assert ended.code == 1
        text = ended.out.replace("\\", "")
        assert not re.search(r"55x55x96|34,?944|105,?415,?200\b|27x27x256|614,?656\b|62,?378,?344\b", text), format_


def test_without_solutions_no_side_of_a_size_and_no_memory_is_given_away(run: Run, tmp_path: Path) -> None:
    wrong = "layer,output,memory,receptive field\nconv1,45x55x96,290400 bytes,12\npool1,28x27x96,69984 bytes,18\n"
    (tmp_path / "anna.csv").write_text(wrong, "utf-8")
    for format_ in FORMATS:
        text = run("anna.csv", "alexnet", "--no-solutions", "--format", format_).out.replace("\\", "")
        assert not re.search(r"1,?161,?600|279,?936|(?:for|is) (?:55|27|19|11)\b|stands for the", text), format_


def test_a_column_that_is_asked_twice_stands_twice() -> None:
    values = mark_of("right", "290,400", quantity="memory")
    values = values._replace(answer=values.answer._replace(figures=(Figure(Fraction(290400), unit="values"),)))
    found = feedback_of(marked(values, mark_of("wrong", "1 MB", quantity="memory")), True)
    assert found.titles == ("layer", "memory (values)", "memory (bytes)")
    assert [len([mark for mark in row if mark]) for _, row in found.rows] == [2]


def test_a_sheet_without_answers_is_not_all_right() -> None:
    assert one().code == 1
    for format_ in FORMATS:
        assert "0 of 0" in shown(one(), format_) or format_ in ("json", "csv")


def test_points_are_told_exactly() -> None:
    assert [amount(Fraction(n, 12)) for n in (0, 3, 12, 28, 42)] == ["0", "0.25", "1", "2 1/3", "3.5"]
    assert amount(Fraction(-1, 4)) == "-0.25"
    assert percent_of(Fraction(999, 1000)) == "99%", "what is not all is not told as all"
    assert (percent_of(Fraction(1)), percent_of(Fraction(0)), percent_of(Fraction(1, 1000))) == ("100%", "0%", "<1%")


# ---------------------------------------------------------------- strangers' words


def evil() -> Checked:
    """Everything that a student can write, written by one who means harm; the names of files too."""
    found = [mark_of("wrong", EVIL), mark_of("right", EVIL, quantity="macs"), mark_of("carried", EVIL, EVIL, "flops")]
    found = [mark._replace(note=EVIL, answer=mark.answer._replace(where=Place(EVIL, EVIL))) for mark in found]
    bad = Paper(EVIL, EVIL, None, (Fault(f"cannot read {EVIL}", help=EVIL),))
    own = marked(*found, name=EVIL, remarks=(EVIL,))._replace(conventions=(EVIL,))
    submission = own.submission._replace(unread=((Place(EVIL, EVIL), EVIL, EVIL),), missing=(EVIL,))
    return Checked(
        "alexnet", (Paper(EVIL, EVIL, own._replace(submission=submission)), bad), True, True, ((EVIL, EVIL),)
    )


@pytest.mark.parametrize("summary", [False, True])
@pytest.mark.parametrize("format_", FORMATS[:5])
def test_no_control_character_of_a_student_is_let_through(format_: str, summary: bool) -> None:
    text = shown(evil(), format_, summary=summary)
    own = re.compile("<script>.*?</script>|<style>.*?</style>", re.DOTALL)
    assert all(char.isprintable() or char == "\n" for char in own.sub("", text))
    assert "\x1b" not in text
    complaints = "\n".join(marks.complaints(evil()))
    assert all(char.isprintable() or char == "\n" for char in complaints)


@pytest.mark.parametrize("summary", [False, True])
def test_no_cell_of_csv_is_a_formula(summary: bool) -> None:
    rows = list(csv.reader(io.StringIO(shown(evil(), "csv", summary=summary))))
    assert len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert any(EVIL[:10] in cell for cell in cells)
    assert not [cell for cell in cells if re.match(r"\s*[=+\-@\t\r＝＋－＠]", cell)]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r1", " =1", "＝1"])
def test_a_formula_is_made_harmless(text: str) -> None:
    assert harmless(text) == f"'{text}"


def test_figures_of_ours_stay_numbers_in_csv() -> None:
    (row,) = csv.DictReader(io.StringIO(shown(one(mark_of("wrong", "-5")), "csv")))
    assert (row["given"], row["right"], row["points"], row["of"]) == ("'-5", "34944", "0", "1")


@given(st.text(max_size=60), st.sampled_from(FORMATS), st.booleans())
@settings(max_examples=150, deadline=None)
def test_whatever_is_written_is_shown_and_does_nothing(text: str, format_: str, summary: bool) -> None:
    found = [mark_of("wrong", text), mark_of("carried", text, text, "flops")._replace(note=text)]
    checked = one(*found, name=text, remarks=(text,))
    page = shown(checked, format_, summary=summary and format_ != "gradescope")
    page = re.sub("<(script|style)>.*?</(script|style)>", "", page, flags=re.DOTALL)
    assert all(char.isprintable() or char == "\n" for char in page)
    page.encode("utf-8")
    if format_ == "json" and not summary:
        assert [each["given"] for each in json.loads(page)["answers"]] == [text, text]
    if format_ == "csv":
        assert not [
            cell for row in csv.reader(io.StringIO(page)) for cell in row if re.match(r"\s*[=+\-@＝＋－＠]", cell)
        ]


def test_json_gives_back_what_was_written() -> None:
    content = json.loads(shown(one(mark_of("wrong", EVIL)), "json"))
    assert content["answers"][0]["given"] == EVIL


class Tags(HTMLParser):
    """The tags of a page and their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("summary", [False, True])
def test_a_page_has_no_tag_of_a_student(summary: bool) -> None:
    reader = Tags()
    page = shown(evil(), "html", summary=summary)
    reader.feed(page)
    reader.close()
    assert not reader.open
    tags = [tag for tag, _ in reader.found]
    assert (tags.count("script"), tags.count("h1"), tags.count("html")) == (1, 1, 1)
    assert not {"img", "a", "iframe", "link"} & set(tags)
    assert not [attrs for _, attrs in reader.found if {"src", "href", "onerror"} & attrs.keys()]
    assert "default-src 'none'" in page


@pytest.mark.parametrize("summary", [False, True])
def test_markdown_has_no_link_no_picture_and_no_tag_of_a_student(summary: bool) -> None:
    markdown_it = pytest.importorskip("markdown_it", reason="no Markdown reader here")
    text = shown(evil(), "md", summary=summary)
    reader = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table")
    found = [part for token in reader.parse(text) for part in (token, *(token.children or ()))]
    assert not {"link_open", "image", "html_inline", "html_block", "fence"} & {part.type for part in found}
    assert {"table_open", "text"} <= {part.type for part in found}


def test_wide_letters_are_counted_as_wide() -> None:
    assert (columns("55"), columns("５５"), columns("é"), columns("e\u0301")) == (2, 4, 1, 1)
    wide = shown(one(mark_of("wrong", "５５"), mark_of("right", "1", quantity="macs")))
    row, head = (next(line for line in wide.splitlines() if line.startswith(word)) for word in ("conv1", "layer"))
    assert columns(row[: row.index("✓")]) == head.index("MACs") - 2


def test_a_very_long_cell_is_cut() -> None:
    assert len(printable("9" * 10**6, 40)) == 40
    assert len(shown(one(mark_of("right", "9" * 10**6)))) < 2000


# ---------------------------------------------------------------- Gradescope

STATUSES = {"passed", "failed"}
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}
TEXT_FORMATS = {"text", "html", "simple_format", "md", "ansi"}
TOP: dict[str, Any] = {  # gradescope-autograders.readthedocs.io, Autograder Specifications, Output format
    "score": (int, float), "execution_time": (int, float), "output": str, "output_format": str,
    "test_output_format": str, "test_name_format": str, "visibility": str, "stdout_visibility": str,
    "extra_data": dict, "tests": list, "leaderboard": list,
}  # fmt: skip
TEST: dict[str, Any] = {
    "score": (int, float), "max_score": (int, float), "status": str, "name": str, "name_format": str, "number": str,
    "output": str, "output_format": str, "tags": list, "visibility": str, "extra_data": dict,
}  # fmt: skip


def assert_gradescope(content: Any) -> None:
    """What its documentation says of `results.json`."""
    assert {"score", "tests"} & content.keys()
    assert all(isinstance(value, TOP[key]) for key, value in content.items())
    for test in content["tests"]:
        assert all(isinstance(value, TEST[key]) for key, value in test.items())
        assert 0 <= test["score"] <= test["max_score"]
        assert test["status"] in STATUSES
    for part in (content, *content["tests"]):
        assert part.get("visibility", "visible") in VISIBILITIES
        assert part.get("output_format", "text") in TEXT_FORMATS


@pytest.mark.parametrize("text", [RIGHT, WRONG, CARRIED, "", "\x00"])
@pytest.mark.parametrize("where", ["submission/answers.csv", "submission"])
def test_results_are_as_gradescope_documents_them(text: str, where: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission" / "answers.csv").write_text(text, "utf-8")
    ended = run(where, "alexnet", "--format", "gradescope", "-o", "results.json")
    content = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert_gradescope(content)
    assert content["score"] == sum(test["score"] for test in content["tests"])
    assert (ended.code == 2) == (content["tests"] == [])
    failed = [test["name"] for test in content["tests"] if test["status"] == "failed"]
    assert failed == {WRONG: ["conv1 params"], CARRIED: ["conv1 output"]}.get(text, [])


@pytest.mark.parametrize("words", [["submission"], ["submission/answers.csv"]])
def test_gradescope_is_told_that_nothing_was_handed_in(words: list[str], run: Run, tmp_path: Path) -> None:
    (tmp_path / "submission").mkdir()
    ended = run(*words, "alexnet", "--format", "gradescope", "-o", "results.json")
    content = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert_gradescope(content)
    assert (ended.code, content["score"], content["tests"]) == (2, 0, [])
    assert "submission" in content["output"] or "answers.csv" in content["output"]


# ---------------------------------------------------------------- options


def test_json_keeps_the_contract(run: Run, tmp_path: Path) -> None:
    (tmp_path / "anna.csv").write_text(WRONG, "utf-8")
    content = json.loads(run("anna.csv", "alexnet", "--format", "json").out)
    assert (content["archcalc"], content["kind"], content["arch"]) == (archcalc.__version__, "check", "alexnet")
    assert (content["score"], content["of"]) == (5, 6)
    size, params = content["answers"][:2]
    assert (size["right"], size["status"], size["mistake"]) == ([55, 55, 96], "right", None)
    assert (params["given"], params["right"], params["status"]) == ("34848", 34944, "wrong")
    assert params["mistake"] == "bias forgotten" == params["mistakes"][0]["name"]
    assert (params["layer"], params["quantity"]) == ("conv1", "params")
    assert params["where"].startswith("anna.csv: line 2")


def test_the_rubric_decides_points_and_options_go_before_it(run: Run, tmp_path: Path) -> None:
    text = "layer,output,params,memory (bytes)\nconv1,55x55x96,34848,2323200\n"  # 55*55*96 values, 2 images, 4 bytes
    (tmp_path / "anna.csv").write_text(text, "utf-8")
    (tmp_path / "rubric.toml").write_text(
        'batch = 3\n[points]\nsize = 2\nconv1.params = 3\n[partial]\n"bias forgotten" = 0.5\n', "utf-8"
    )
    words = ("anna.csv", "alexnet", "--rubric", "rubric.toml", "--format", "json")
    content = json.loads(run(*words).out)
    assert [(each["points"], each["of"]) for each in content["answers"]] == [(2, 2), (1.5, 3), (0, 1)]
    content = json.loads(run(*words, "--batch", "2").out)
    assert (content["score"], content["of"]) == (4.5, 6)
    content = json.loads(run(*words, "--batch", "4", "--dtype", "float16").out)
    assert (content["score"], content["of"]) == (4.5, 6)


def test_another_input_than_the_nets_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "anna.csv").write_text("layer,output\nconv1,54x54x96\npool1,26x26x96\n", "utf-8")
    assert run("anna.csv", "alexnet", "--input", "224x224x3").code == 0  # (224 - 11)/4 + 1, rounded down


def test_answers_to_a_net_as_text_and_as_a_file(run: Run, tmp_path: Path) -> None:
    net = "input 32x32x3; conv 5/1/2 10; pool 2; fc 10"
    (tmp_path / "anna.csv").write_text(
        "layer,output,params\nconv,32x32x10,760\npool,16x16x10,0\nfc,10,25610\n", "utf-8"
    )
    (tmp_path / "small.arch").write_text(net.replace(";", "\n"), "utf-8")
    assert [run("anna.csv", arch).code for arch in (net, "small.arch")] == [0, 0]


@pytest.mark.parametrize("format_", ["csv", "json", "md"])
def test_a_table_of_ours_is_all_right(format_: str, run: Run, tmp_path: Path) -> None:
    table = subprocess.run(
        [sys.executable, "-m", "archcalc", "table", "lenet5", "--format", format_], capture_output=True, check=True
    )
    (tmp_path / f"own.{format_}").write_bytes(table.stdout)
    ended = run(f"own.{format_}", "lenet5")
    assert (ended.code, ended.err) == (0, "")


def test_a_key_is_all_right_for_its_quiz_and_a_blank_sheet_is_not(run: Run, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "archcalc", "quiz", "--seed", "7", "-o", f"{tmp_path}/quiz/"]
    subprocess.run(command, capture_output=True, check=True)
    assert run("quiz/key.csv", "quiz/quiz.toml").code == 0
    for format_ in FORMATS:
        ended = run("quiz/quiz.csv", "quiz/quiz.toml", "--format", format_)
        assert (ended.code, ended.err) == (1, "")
        assert ended.out
    (tmp_path / "class").mkdir()
    shutil.copy(tmp_path / "quiz" / "key.csv", tmp_path / "class" / "anna.csv")
    shutil.copy(tmp_path / "quiz" / "quiz.csv", tmp_path / "class" / "bo.csv")
    summary = json.loads(run("class", "quiz/quiz.toml", "--summary", "--format", "json").out)["summary"]
    assert (summary["scores"]["most"], summary["scores"]["least"]) == (1, 0)


def test_the_interface_gives_what_the_command_prints(run: Run, tmp_path: Path) -> None:
    (tmp_path / "anna.csv").write_text(WRONG, "utf-8")
    checked = archcalc.check(tmp_path / "anna.csv", "alexnet")
    ended = run("anna.csv", "alexnet")
    assert str(checked) + "\n" == ended.out
    assert (checked.code, checked.marked[0].score, checked.marked[0].of) == (ended.code, 5, 6)
    with pytest.raises(SpecError, match="alexnte"):
        archcalc.check(tmp_path / "anna.csv", "alexnte")
    assert [fault.message for fault in archcalc.check(tmp_path / "nobody.csv", "alexnet").faults] != []


def test_check_opens_no_heavy_door(tmp_path: Path) -> None:
    (tmp_path / "anna.csv").write_text(RIGHT, "utf-8")
    code = (
        "import sys\nfrom archcalc.cli import main\n"
        f"sys.argv = ['archcalc', 'check', {str(tmp_path / 'anna.csv')!r}, 'alexnet']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "print(*{'sympy', 'numpy', 'pandas', 'matplotlib', 'rich'} & set(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_the_document_lists_every_mistake_that_is_known(request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs" / "homework.md"
    head = "| mistake | what it is | example |\n|---|---|---|\n"
    above, _, _ = path.read_text("utf-8").partition(head)
    kinds = {kind.name: kind for kind in reversed(catalogue())}  # the first of each name
    rows = [(f"`{name}`", kinds[name].about, kinds[name].example) for name in sorted(kinds)]
    table = "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows)
    if request.config.getoption("--update"):
        path.write_text(above + head + table, "utf-8")
    assert path.read_text("utf-8") == above + head + table


def test_the_rubric_of_the_document_is_one(run: Run, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "homework.md").read_text("utf-8")
    (rubric,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "rubric.toml").write_text(rubric, "utf-8")
    (tmp_path / "anna.csv").write_text(WRONG, "utf-8")
    content = json.loads(run("anna.csv", "alexnet", "--rubric", "rubric.toml", "--format", "json").out)
    # Two sizes of 2 points, parameters of 3 and 1, two MACs of 1; without biases is accepted, by one column as a whole.
    assert (content["score"], content["of"]) == (10, 10)


# ---------------------------------------------------------------- in a browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_feedback_can_be_read_in_light_and_dark(scheme: str, browser: Any, tmp_path: Path) -> None:
    found = [mark_of("wrong"), mark_of("right", quantity="macs"), mark_of("carried", quantity="flops")]
    (tmp_path / "page.html").write_text(shown(one(*found), "html"), "utf-8")
    said: list[str] = []
    page = browser.new_page(color_scheme=scheme, viewport={"width": 400, "height": 800})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    for status in ("right", "carried", "wrong"):
        ink, ground = (
            page.evaluate(f"getComputedStyle(document.querySelector('td.{status}')).{what}")
            for what in ("color", "backgroundColor")
        )
        assert contrast(ink, ground) >= 4.5, "WCAG 2.2, 1.4.3"


def contrast(ink: str, ground: str) -> float:
    """WCAG 2.2, contrast ratio of two colours `rgb(r, g, b)`."""
    a, b = sorted(map(luminance, (ink, ground)))
    return (b + 0.05) / (a + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def test_a_hostile_page_runs_nothing(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(shown(evil(), "html"), "utf-8")
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / "page.html").as_uri())
    assert (said, len(asked)) == ([], 1)
