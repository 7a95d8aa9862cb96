"""Exercises: what is drawn is solvable, its key has full marks, and a class gets variants."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

import archcalc
from archcalc.cli.entry import group
from archcalc.homework.answers import Marked
from archcalc.homework.exercises import Quiz, draw, mark_quiz, read_roster
from archcalc.homework.exercises.chance import Chance, derived
from archcalc.homework.exercises.judging import judge
from archcalc.homework.exercises.keys import causes, wrong_cell
from archcalc.homework.exercises.levels import LEVELS
from archcalc.homework.exercises.questions import Question
from archcalc.homework.exercises.quizreading import read_quizzes
from archcalc.homework.exercises.rosters import file_name, file_names
from archcalc.lang.errors import SpecError, show_all
from archcalc.lang.source import Source
from archcalc.library import load
from archcalc.render.exercises import key_sentences, lines
from archcalc.render.questions import task

SEEDS = range(48)
ENDINGS = {"csv": "csv", "md": "md", "json": "json"}


def text_of(quiz: Quiz, key: bool, format_: str) -> str:
    return "".join(f"{line}\n" for line in lines(quiz, key, format_, io.StringIO()))


def source_of(*quizzes: Quiz) -> Source:
    from archcalc.homework.exercises.quizfiles import toml_lines

    return Source("quiz.toml", "".join(f"{line}\n" for line in toml_lines(quizzes)))


def marked(folder: Path, text: str, quiz: Source, ending: str = "csv") -> Marked:
    path = folder / f"answers.{ending}"
    path.write_text(text, "utf-8")
    return mark_quiz(path, quiz)


def own(text: str) -> Source:
    return Source("quiz.toml", text)


class Ran(NamedTuple):
    """What a command came to."""

    code: int
    output: str


def run(*words: str, typed: str = "") -> Ran:
    """A command as `main` runs it: faults of specs are told, and the exit code is 2."""
    result = CliRunner().invoke(group, words, input=typed)
    if isinstance(result.exception, SpecError):
        return Ran(2, result.output + show_all(result.exception.faults))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Ran(result.exit_code, result.output)


# ---------------------------------------------------------------- laws


@pytest.mark.parametrize("part", range(4))
def test_what_is_drawn_is_solvable_and_its_key_has_full_marks(part: int, tmp_path: Path) -> None:
    """All levels; sizes whole and rounded; keys as CSV, now and then as Markdown and JSON."""
    for at, seed in enumerate(SEEDS[part::4]):
        (quiz,) = draw((), seed, whole=at % 2 == 0)
        format_ = {0: "md", 1: "json"}.get(at % 5, "csv")
        found = marked(tmp_path, text_of(quiz, True, format_), source_of(quiz), ENDINGS[format_])
        assert {mark.answer.layer[0] for mark in found.marks if mark.answer.layer} == {*"123456"}
        wrong = [mark for mark in found.marks if mark.status != "right"]
        assert found.score == found.of, (seed, wrong)


def test_a_quiz_read_back_is_the_same_quiz() -> None:
    for seed in range(6):
        (quiz,) = draw((), seed, 12, seed % 2 == 0)
        (read,) = read_quizzes(source_of(quiz))
        assert [each._replace(source=None) for each in read.questions] == [*quiz.questions]
        assert read.title == quiz.title


def windows(question: Question) -> list[tuple[int, int, int, int]]:
    """Input, padding, window and stride along the height, of each layer that has a window; in numbers of the text."""
    found = []
    for row in question.report.rows:
        arguments = row.node.op.arguments(*row.inputs)
        if "kernel" in arguments and row.inputs:
            side: Any = row.inputs[0].h
            kernel, stride = arguments["kernel"][0], (arguments["stride"] or arguments["kernel"])[0]
            found.append((side, sum(arguments["padding"][0]), kernel, stride))
    return found


@pytest.mark.parametrize(("level", "seeds"), [("layer", 40), ("chain", 40), ("branches", 40), ("mistake", 8)])
def test_all_sizes_come_out_whole_unless_some_are_to_be_rounded(level: str, seeds: int) -> None:
    """(w + 2P - F) is a multiple of S; no window is larger than what it slides over."""
    for seed in range(seeds):
        for whole in (True, False):
            (question,) = draw((level,), seed, whole=whole)[0].questions
            rests = [(side + padding - kernel) % stride for side, padding, kernel, stride in windows(question)]
            assert any(rests) != whole, (level, seed)
            assert all(kernel <= side for side, _, kernel, _ in windows(question)), (level, seed)
            assert all(n >= 1 for row in question.report.rows for n in row.output)  # type: ignore[operator]


def test_depth_grows_while_the_sides_shrink() -> None:
    for seed in range(60):
        (question,) = draw(("chain",), seed)[0].questions
        volumes = [row.output for row in question.report.rows[:-1]]
        for before, after in pairwise(volumes):
            assert after.h <= before.h  # type: ignore[operator]
            assert after.c >= before.c or before is volumes[0]  # type: ignore[operator]
        assert volumes[-1].h <= 12  # type: ignore[operator]


def test_a_table_with_a_mistake_has_one_that_is_known_and_usual() -> None:
    names = set()
    for seed in range(40):  # of 14 four times a memory could be planted, which is right in bytes
        (question,) = draw(("mistake",), seed, whole=seed % 2 == 1)[0].questions
        found = causes(question)
        assert found, wrong_cell(question)
        assert found[0].weight <= 20
        names.add(found[0].name)
        assert any(told[1:].startswith(f"{found[0].name[1:]}: ") for told in key_sentences(question))
    assert len(names) >= 10  # they are varied
    assert any("MACs" in name for name in names)  # which stay as they are written


def test_which_input_has_not_every_input_for_an_answer() -> None:
    for seed in range(40):
        (question,) = draw(("input",), seed)[0].questions
        assert any(not judge(question, str(n)).right for n in (31, 40, 47, 53, 61, 64)), seed


def test_no_argument_is_asked_for_that_a_layer_would_refuse_where_the_arithmetic_holds() -> None:
    """`maxpool 2/?s/?p` would end in the right size with P = 2 as well, and archcalc takes no such padding."""
    asked = [draw(("fit",), seed, whole=seed % 2 == 0)[0].questions[0].net for seed in range(200)]
    layers = [line.partition(": ")[2].split() for net in asked for line in net.splitlines() if "?" in line]
    pools = {words[1] for words in layers if words[0] in ("maxpool", "avgpool")}
    assert any(window.startswith("?f") for window in pools)  # without padding
    for window in pools:
        assert re.fullmatch(r"(\d|\?f)/(\d|\?s)|\d/\?s/\d", window), window


# ---------------------------------------------------------------- the same seed


def test_the_sequence_of_a_seed_is_that_of_pythons_random() -> None:
    """Mersenne Twister seeded with 42: 0.6394, 0.0250, 0.2750, as the documentation of Python has shown since 2.3."""
    chance = Chance(42)
    assert [chance.below(10_000) for _ in range(3)] == [6394, 250, 2750]


def test_a_derived_seed_is_that_of_sha256() -> None:
    """Made with `printf '7\\x1fAnna' | sha256sum`, its first 16 digits."""
    import hashlib

    assert derived(7, "Anna") == int(hashlib.sha256(b"7\x1fAnna").hexdigest()[:16], 16)


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    def printed(hash_seed: str) -> bytes:
        words = [sys.executable, "-m", "archcalc", "quiz", "--seed", "11", "--any-fit", "--key"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        return subprocess.run(words, capture_output=True, env=environment, check=True).stdout

    assert printed("1") == printed("2")


def test_more_questions_leave_the_first_as_they_are() -> None:
    (few,), (many,) = draw((), 5, 4), draw((), 5, 15)
    assert many.questions[:4] == few.questions
    assert len({(each.kind, each.net) for each in many.questions}) == 15


# ---------------------------------------------------------------- a class


NAMES = tuple(f"Student {number}" for number in range(100))


@pytest.mark.parametrize("level", ["layer", "input", "fit"])
def test_no_two_of_a_hundred_students_get_the_same_exercise(level: str) -> None:
    quizzes = draw((level,), 3, 2, students=NAMES)
    questions = [(each.kind, each.net) for quiz in quizzes for each in quiz.questions]
    assert len(set(questions)) == len(questions) == 200


def test_a_student_more_changes_nothing_for_the_others() -> None:
    before = draw(("chain",), 3, 2, students=NAMES[:50])
    after = draw(("chain",), 3, 2, students=(*NAMES[:20], "Newcomer", *NAMES[20:50], "Another"))
    assert {quiz.student: quiz for quiz in after}.items() >= {quiz.student: quiz for quiz in before}.items()


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("a.txt", "Anna\nBo\n\n  Chen \n", ("Anna", "Bo", "Chen")),
        ("a.txt", "Berg, Anna\nBo\n", ("Berg, Anna", "Bo")),
        ("a.csv", "id,Name\n1,Anna Berg\n2,\n3,Bo\n", ("Anna Berg", "Bo")),
        ("a.csv", "Matrikel;Student\n1;Anna\n", ("Anna",)),
        ("a.csv", "First name,Last name,Email\nAnna,Berg,a@b\n", ("Anna Berg",)),
        ("a.csv", '"Berg, Anna",3\nBo,4\n', ("Berg, Anna", "Bo")),
        ("a.tsv", "name\tmail\nAnna\ta@b\n", ("Anna",)),
        ("a.txt", "Bo\nBo\nBo\n", ("Bo", "Bo (2)", "Bo (3)")),
        ("a.txt", "\ufeffÅsa\r\nСаша\r\n", ("Åsa", "Саша")),
        ("a.txt", "\x1b[31mRed\n", ("[31mRed",)),
        ("a.txt", "Zo\u00eb\nZoe\u0308\n", ("Zo\u00eb", "Zo\u00eb (2)")),  # one letter, and a letter with its dots
        ("a.csv", 'Name,Mail\n"Anna\nBerg",a@b\n', ("Anna Berg",)),
    ],
)
def test_names_are_read_from_lines_and_from_columns(
    name: str, text: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    assert read_roster(path) == names


def test_files_are_named_safely_and_apart() -> None:
    names = ("../../x", "CON", "con", "keys", "Ölaf", "Olaf", "olaf", "...", "", "a" * 300, "李雷", "a/b\\c")
    found = file_names(names)
    assert len(set(found)) == len(names)
    for each in found:
        assert re.fullmatch(r"[\w-]{1,70}", each)
        assert each not in ("con", "keys")
    assert file_name("Ölaf") == "olaf"


def test_a_class_gets_folders_and_its_keys_lie_apart(tmp_path: Path) -> None:
    roster = tmp_path / "names.csv"
    roster.write_text("Name,Mail\nAnna Berg,a\n=cmd|x,b\nBo,c\nBo,d\n", "utf-8")
    words = ("quiz", "--level", "2,6", "--seed", "4", "--students", str(roster), "-o", str(tmp_path / "exam"))
    assert run(*words).code == 0
    exam = tmp_path / "exam"
    assert sorted(each.name for each in exam.iterdir()) == ["anna-berg", "bo", "bo-2", "cmd-x", "index.csv", "keys"]
    assert sorted(each.name for each in (exam / "bo").iterdir()) == ["quiz.csv", "quiz.md", "quiz.tex", "quiz.toml"]
    assert (exam / "index.csv").read_text("utf-8").splitlines()[1:3] == [
        "Anna Berg,anna-berg,keys/anna-berg.md",
        "'=cmd|x,cmd-x,keys/cmd-x.md",
    ]
    for name in ("anna-berg", "bo", "bo-2", "cmd-x"):
        found = mark_quiz(exam / "keys" / f"{name}.md", Source("all", (exam / "keys" / "quiz.toml").read_text("utf-8")))
        assert found.score == found.of > 0
    assert run(*words).code == 0  # the same once more is no harm
    again = run(*words[:4], "5", *words[5:])
    assert again.code == 2
    assert "is there already, and is another" in again.output


def test_the_sheet_of_a_student_tells_nothing_of_the_key() -> None:
    for seed in range(8):
        (quiz,) = draw((), seed)
        rows = [*csv.reader(io.StringIO(text_of(quiz, False, "csv")))]
        assert all(not cell for row in rows[1:] for cell in row[2:])
        assert [row[1] for row in rows if row[0] == "6"] == [""]  # nor where the mistake is
        answers = json.loads(text_of(quiz, False, "json"))["answers"]
        assert all(value is None for row in answers for name, value in row.items() if name not in ("question", "layer"))


def test_names_that_make_one_name_of_a_file_are_kept_apart(tmp_path: Path) -> None:
    """`anna-berg`, `anna-berg-2`, `anna-berg-3` and, of the student who is called so, `anna-berg-2-2`."""
    names = ("Anna Berg", "anna berg", "Anna-Berg", "Anna Berg 2")
    quizzes = draw(("layer", "chain"), 3, students=names)
    keys = [text_of(quiz, True, "csv") for quiz in quizzes]
    assert len(set(keys)) == len(names)
    for name, key in zip((*file_names(names), *names), keys * 2, strict=True):
        (tmp_path / f"{name}.csv").write_text(key, "utf-8")
        found = mark_quiz(tmp_path / f"{name}.csv", source_of(*quizzes))
        assert found.score == found.of, name


def test_a_file_of_answers_finds_its_own_variant_by_its_name_or_its_folder(tmp_path: Path) -> None:
    anna, bo = draw(("chain",), 3, students=("Anna Berg", "Bo"))
    quizzes = source_of(anna, bo)
    key = text_of(bo, True, "csv")
    (tmp_path / "Bo").mkdir()
    for path in (tmp_path / "bo.csv", tmp_path / "Bo" / "answers.csv"):
        path.write_text(key, "utf-8")
        found = mark_quiz(path, quizzes)
        assert found.score == found.of
    (tmp_path / "carla.csv").write_text(key, "utf-8")
    with pytest.raises(SpecError, match="none of the 2 quizzes is for `carla`"):
        mark_quiz(tmp_path / "carla.csv", quizzes)
    (tmp_path / "anna_berg.csv").write_text(key, "utf-8")
    found = mark_quiz(tmp_path / "anna_berg.csv", quizzes)
    assert found.score < found.of


# ---------------------------------------------------------------- answers

ALEXNET = "[[question]]\nkind = 'arguments'\nnet = 'input 227x227x3; conv1: conv ?f/4/0 96'\nwanted = '55x55'\n"


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("f = 11", True),
        ("11", True),
        ("8", True),  # floor(219/4) + 1 = 55
        ("kernel 10", True),
        ("?f: 9", True),
        ("7", False),  # 220/4 + 1 = 56
        ("12", False),  # floor(215/4) + 1 = 54
        ("eleven", False),
        ("300", False),  # wider than its input
        ("99999999999999", False),
        ("", False),
    ],
)
def test_any_argument_that_solves_is_right(answer: str, right: bool, tmp_path: Path) -> None:
    found = marked(tmp_path, f"question,answer\n1,{answer}\n", own(ALEXNET))
    assert [mark.status for mark in found.marks] == ["right" if right else "wrong"]
    assert found.score == Fraction(right)


STRIDED = "[[question]]\nkind = 'input'\nnet = 'input HxHx3; conv1: conv 5/2/0 8; pool1: maxpool 2/2'\n"


@pytest.mark.parametrize(
    ("wants", "answer", "right"),
    [
        ("wanted = '7x7'", "31", True),  # (31-5)/2+1 = 14, 14/2 = 7
        ("wanted = '7x7'", "34x34x3", True),  # floor(29/2)+1 = 15, 7
        ("wanted = '7x7'", "H = 31 to 34", True),
        ("wanted = '7x7'", "31, 32 or 33", True),
        ("wanted = '7x7'", "31 und 34.", True),
        ("wanted = '7x7'", "(31, 31, 3)", True),
        ("wanted = '7x7'", "H ∈ {31; 34}", True),
        ("wanted = '7x7'", "H = 31, W = 33 pixels", True),
        ("wanted = '7x7'", "H = 31, W = 35", False),
        ("wanted = '7x7'", "31 ≤ H ≤ 34", True),
        ("wanted = '7x7'", "30", False),  # floor(25/2)+1 = 13, 6
        ("wanted = '7x7'", "31 to 35", False),
        ("wanted = '7x7'", "31x33", True),
        ("wanted = '7x7'", "31x35", False),
        ("wanted = '7x7'", "1 to 999999", False),
        ("wanted = '7x7'", "2", False),  # smaller than the window
        ("wanted = '7x7'\nno_drops = true", "31", True),
        ("wanted = '7x7'\nno_drops = true", "32", False),  # the last row is never seen
        ("no_drops = true\nsuch_that = ['? >= 32', '? <= 40']", "35", True),
        ("no_drops = true\nsuch_that = ['? >= 32', '? <= 40']", "31", False),  # out of bounds
    ],
)
def test_any_input_that_solves_is_right(wants: str, answer: str, right: bool, tmp_path: Path) -> None:
    found = marked(tmp_path, f'question;answer\n1;"{answer}"\n', own(f"{STRIDED}{wants}\n"))
    assert [mark.status for mark in found.marks] == ["right" if right else "wrong"]


def test_two_unknowns_are_told_by_name_or_in_order(tmp_path: Path) -> None:
    """(9 + 2*1 - 3)/2 + 1 = 5; and (9 + 2*1 - 2)/3 + 1 = 4."""
    quiz = own(
        "[[question]]\nkind = 'arguments'\nnet = 'input 9x9x1; conv1: conv ?f/?s/1 4'\nwanted = '5x5'\n"
        "such_that = ['?f <= 5']\n"
    )
    for answer, right in (
        *(("f=3 s=2", 1), ("s = 2; f = 3", 1), ("stride 2 kernel 3", 1), ("3/2", 1), ("2, 3", 0)),
        *(("s is 2, f is 3", 1), ("kernel size 3x3, stride 2", 1), ("k=3 s=2", 1), ("f = 3, s = 2, f = 5", 0)),
    ):
        assert marked(tmp_path, f"question\tanswer\n1\t{answer}\n", quiz, "tsv").score == right
    assert marked(tmp_path, "question\tanswer\n1\t7 1\n", quiz, "tsv").marks[0].note == "f = 7 is not from 1 to 5"


MISTAKE = '''[[question]]
kind = "mistake"
net = "input 227x227x3; conv1: conv 11/4/0 96; pool1: maxpool 3/2"
table = """
layer,output,params
conv1,55x55x96,34848
pool1,27x27x96,0
"""
'''  # 11*11*3*96 = 34,848; with the 96 biases 34,944


@pytest.mark.parametrize(
    ("sheet", "points", "note"),
    [
        ("question,layer,params,answer\n1,conv1,34944,bias forgotten\n", 2, "and the mistake: bias forgotten"),
        ('question,layer,params,answer\n1,Conv 1,"34,944",\n', 2, ""),
        ("question,layer,params,answer\n1,conv1,34.9k,\n", 2, ""),
        (
            "question,layer,params,answer\n1,conv1,34944,stride ignored\n",
            2,
            "but the mistake is rather: bias forgotten",
        ),
        ('question,answer\n1,"conv1 params 34,944, bias forgotten"\n', 2, "and the mistake: bias forgotten"),
        ('question,answer\n1,"conv 1: the params are 34,944 (= 34,848 + 96)"\n', 2, ""),
        ('question,answer\n1,"conv1 params 34848 is wrong, 34944 is right"\n', 2, ""),
        ('question,answer\n1,"conv1 params should be 34 944 instead of 34 848"\n', 2, ""),
        ('question,answer\n1,"params of conv1: (11*11*3 + 1)*96 = 34,944"\n', 2, ""),
        ("question,answer\n1,the params of conv1 are 34944\n", 2, ""),
        ("question,layer,params,answer\n1,conv1,35040,\n", 1, ""),
        ("question,layer,output,answer\n1,conv1,54x54x96,\n", 0, ""),
        ("question,layer,output,answer\n1,pool1,27x27x96,\n", 0, ""),
        ("question,answer\n1,no idea\n", 0, ""),
        ("question,answer\n1,\n", 0, "no answer"),
    ],
)
def test_the_wrong_figure_of_a_table_is_named_and_mended(sheet: str, points: int, note: str, tmp_path: Path) -> None:
    found = marked(tmp_path, sheet, own(MISTAKE))
    assert (found.score, found.of) == (points, 2)
    assert found.marks[1].note == note


TABLES = """[[question]]
kind = "table"
net = "input 32x32x3; conv1: conv 5/1/2 10; pool1: maxpool 2/2; fc1: fc 10"
columns = ["output", "params"]

[[question]]
kind = "table"
net = "input 8x8x1; conv1: conv 3/1/0 2"
columns = ["output"]
"""


def test_a_wrong_cell_is_wrong_with_its_mistake_and_a_missing_one_without_an_answer(tmp_path: Path) -> None:
    """5*5*3*10 = 750 without the 10 biases; 8 - 3 + 1 = 6."""
    sheet = "question,layer,output,params\n1,conv1,32x32x10,750\n,pool1,16x16x10,0\n,fc1,10,25610\n2,conv1,6x6x2,\n"
    found = marked(tmp_path, sheet, own(TABLES))
    by_cell = {(mark.answer.layer, mark.answer.quantity): mark for mark in found.marks}
    assert by_cell["1: conv1", "params"].mistakes[0].name == "bias forgotten"
    assert by_cell["1: total", "params"].note == "no answer"
    assert by_cell["2: conv1", "size"].status == "right"
    assert (found.score, found.of) == (6, 8)


def test_an_error_is_carried_within_its_question_alone(tmp_path: Path) -> None:
    """With 30x30 for conv1 pool1 has 15x15, and fc1 (15*15*10 + 1)*10 = 22,510."""
    sheet = (
        "question,layer,output,params\n1,conv1,30x30x10,760\n1,pool1,15x15x10,0\n1,fc1,10,22510\n"
        "1,total,,23270\n2,conv1,6x6x2,\n"
    )
    found = marked(tmp_path, sheet, own(TABLES))
    statuses = {(mark.answer.layer, mark.answer.quantity): mark.status for mark in found.marks}
    assert statuses["1: conv1", "size"] == "wrong"
    assert statuses["1: pool1", "size"] == statuses["1: fc1", "params"] == statuses["1: total", "params"] == "carried"
    assert statuses["2: conv1", "size"] == "right"


def test_a_sheet_without_a_column_of_questions_is_for_a_quiz_of_one(tmp_path: Path) -> None:
    one = own(TABLES.partition("\n\n")[0] + "\n")
    sheet = "layer,output,params\nconv1,32x32x10,760\npool1,16x16x10,0\nfc1,1x1x10,25610\ntotal,,26370\n"
    found = marked(tmp_path, sheet, one)
    assert found.score == found.of == 7
    with pytest.raises(SpecError, match="no column is called `question`"):
        marked(tmp_path, sheet, own(TABLES))


def test_a_quiz_of_ones_own_may_ask_for_a_net_of_the_zoo(tmp_path: Path) -> None:
    quiz = own("[[question]]\nkind = 'table'\nnet = 'alexnet'\ncolumns = ['params']\n")
    found = marked(tmp_path, "question,layer,params\nQ1,conv1,34944\nQ7,conv1,1\n", quiz)
    assert found.score == 1
    assert "rows of no question are left alone: line 3" in found.submission.remarks


def test_all_faults_of_a_quiz_are_told_at_once_where_they_stand() -> None:
    text = """titel = "x"
[[question]]
kind = "tabel"
net = "alexnet"
[[question]]
kind = "table"
net = '''
input 32x32x3
conv1: cnov 3/1 4
'''
columns = ["outputs"]
[[question]]
kind = "input"
net = "input HxHx3; conv 3 4"
wanted = "7x"
[[question]]
kind = "arguments"
net = "input 32x32x3; conv 3 4"
wanted = "7x7"
[[question]]
kind = "mistake"
net = "input 32x32x3; conv1: conv 3 4"
table = '''
layer,output
conv1,30x30x4
'''
[[question]]
kind = "table"
net = "input NxNx3; conv1: conv 3 4"
columns = []
wanted = "7x7"
[[question]]
net = 3
"""
    with pytest.raises(SpecError) as caught:
        read_quizzes(own(text))
    faults = [(fault.message, fault.span.line) for fault in caught.value.faults if fault.span]
    assert faults == [
        ("unknown key `titel`", 1),
        ("there is no kind `tabel`", 3),
        ("`cnov` is not a layer type", 9),
        ("there is no column `outputs`", 11),
        ("expected a value, not the end of the text", 15),
        ("the net has nothing that is sought", 18),
        ("no figure of the table is wrong; one has to be", 23),
        ("a question of kind `table` takes no `wanted`", 31),
        ("the question has no `kind`", 32),
        ("`net` has to be text", 33),
    ]
    assert caught.value.faults[0].help == "did you mean `title`?"


HOSTILE = (
    "\x00",
    "\x1b[31m",
    "9" * 5000,
    "2^9^9^9",
    "1/0",
    "=cmd|x",
    "½",
    "٩٩٩",
    "H",
    "x" * 199,
    "1.." + "9" * 9,
    "?f ?f",
)


@pytest.mark.parametrize("level", [each.name for each in LEVELS])
def test_hostile_answers_are_wrong_or_not_read_and_nothing_else(level: str, tmp_path: Path) -> None:
    (quiz,) = draw((level,), 2)
    for hostile in HOSTILE:
        buffer = io.StringIO()
        csv.writer(buffer).writerows([["question", "layer", "output", "params", "answer"], ["1", *[hostile] * 4]])
        with suppress(SpecError):
            found = marked(tmp_path, buffer.getvalue(), source_of(quiz))
            assert found.score < found.of
    assert held(*HOSTILE, level=level, seed="2").code in (0, 1)


@pytest.mark.parametrize("text", ["", "question = 3\n", "[[question]]\n", "a = \n", "[question]\nkind = 'table'\n"])
def test_a_file_that_is_no_quiz_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        read_quizzes(own(text))


# ---------------------------------------------------------------- the command


def test_levels_are_known_by_number_and_by_name() -> None:
    assert run("quiz", "--level", "5").output == run("quiz", "--level", "fit").output
    assert "\n2. Layer\n" in run("quiz", "--level", "fit,layer").output
    assert run("quiz", "--level", "chain").output != run("quiz", "--level", "chain", "--seed", "2").output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--level", "9"), "there is no level `9`"),
        (("--level", "chian"), "did you mean `chain`?"),
        (("--count", "0"), "0 is not in the range"),
        (("--count", "201"), "from 1 to 200 are drawn"),
        (("--students", "nobody.csv", "-o", "x/"), "cannot read `nobody.csv`"),
        (("--students", "names.txt"), "need a folder"),
        (("--students", "empty.txt", "-o", "x/"), "there are no names in `empty.txt`"),
        (("--students", "names.txt", "-o", "names.txt"), "cannot make `names.txt"),
        (("-o", "names.txt/"), "cannot make `names.txt`"),
        (("--interactive", "--key"), "`--key` cannot be with it"),
        (("-o", ""), "cannot write ``"),
        (("-o", "x/", "--key"), "`--key` is for a single file"),
        (("--students", "names.txt", "-o", "x.json", "--format", "json"), "`--format` is for a single file"),
        (("--format", "toml", "--key"), "a quiz file holds no key"),
    ],
)
def test_bad_usage_is_told_and_nothing_is_written(
    words: tuple[str, ...], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("names.txt").write_text("Anna\n")
    Path("empty.txt").write_text("\n")
    result = run("quiz", *words)
    assert result.code == 2
    assert told in result.output
    assert sorted(each.name for each in tmp_path.iterdir()) == ["empty.txt", "names.txt"]


def test_a_folder_holds_the_quiz_its_key_and_the_file_for_check(tmp_path: Path) -> None:
    folder = tmp_path / "exam"
    assert run("quiz", "--seed", "9", "-o", f"{folder}/").code == 0
    names = sorted(each.name for each in folder.iterdir())
    assert names == ["key.csv", "key.md", "key.tex", "quiz.csv", "quiz.md", "quiz.tex", "quiz.toml"]
    assert run("check", str(folder / "key.csv"), str(folder / "quiz.toml")).code == 0
    assert run("check", str(folder / "quiz.csv"), str(folder / "quiz.toml")).code == 1


@pytest.mark.parametrize("key", [False, True])
def test_the_latex_is_a_whole_document_with_all_environments_closed(key: bool) -> None:
    for seed in range(5):
        text = text_of(draw((), seed)[0], key, "latex")
        open_: list[str] = []
        for what, name in re.findall(r"\\(begin|end)\{(\w+)\}", text):
            if what == "begin":
                open_.append(name)
            else:
                assert open_.pop() == name
        assert not open_
        assert text.startswith(r"\documentclass")
        assert text.count("{") == text.count("}")
        plain = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", text, flags=re.DOTALL)
        assert not re.search(r"(?<!\\)[_#%](?!\w*\})", re.sub(r"\$[^$]*\$", "", plain))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Łukasz O’Neil (2)", "Name: Łukasz O’Neil (2)"),
        (r"50% \input{x}", r"Name: 50\% \textbackslash{}input\{x\}"),
        ("Саша", "% Саша\nName: \\hrulefill"),  # pdfLaTeX stops at letters that the fonts of T1 have not
        ("", r"Name: \hrulefill"),
    ],
)
def test_a_name_is_set_in_letters_that_latex_has_or_left_to_be_written(name: str, told: str) -> None:
    (quiz,) = draw(("layer",), 1, students=[name])
    assert f"\n\n{told}\n\n" in text_of(quiz, False, "latex")


@pytest.mark.parametrize("level", ["layer", "fit", "mistake"])
def test_what_is_counted_is_said_with_the_question(level: str) -> None:
    """Whether biases count decides which figure of a table is wrong, too."""
    for seed in range(12):
        (question,) = draw((level,), seed)[0].questions
        asked = "params" in (*question.columns, *(each.partition(" ")[0] for each in question.such_that))
        assert ("weights and biases" in task(question)) == asked


def test_columns_are_called_in_a_file_as_they_are_headed(tmp_path: Path) -> None:
    """conv1 8*8*2 values; a window of 3 sees 3."""
    (quiz,) = draw(("chain",), 12)
    assert 'columns = ["output", "memory (values)", "params"]' in text_of(quiz, False, "toml")
    asked = 'net = "input 10x10x1; conv1: conv 3 2"\ncolumns = ["Memory (values)", "receptive field"]\n'
    sheet = "question,layer,memory (values),receptive field\n1,conv1,128,3\n"
    found = marked(tmp_path, sheet, own(f"[[question]]\nkind = 'table'\n{asked}"))
    assert found.score == found.of == 2


def test_the_interface_gives_what_the_command_prints() -> None:
    quiz = archcalc.quiz("chain", seed=7)
    assert str(quiz) + "\n" == run("quiz", "--level", "chain", "--seed", "7").output
    assert (
        quiz.text("csv", key=True) + "\n"
        == run("quiz", "--level", "2", "--seed", "7", "--format", "csv", "--key").output
    )
    with pytest.raises(SpecError, match="there is no format `pdf`"):
        quiz.text("pdf")
    assert archcalc.quiz([1, "fit"], student="Anna").questions != archcalc.quiz([1, "fit"], student="Bo").questions


# ---------------------------------------------------------------- in a terminal


def held(*typed: str, level: str = "1", seed: str = "4") -> Ran:
    return run("quiz", "--interactive", "--level", level, "--seed", seed, typed="".join(f"{each}\n" for each in typed))


def first(level: str, seed: int) -> Question:
    return draw((level,), seed)[0].questions[0]


def test_right_answers_are_told_and_counted() -> None:
    """input 15x15x24; conv 3/2/0 40: floor(12/2) + 1 = 7; (3*3*24 + 1)*40 = 8,680; 7*7*40 * 3*3*24 = 423,360."""
    assert first("layer", 4).net == "input 15x15x24\nconv1: conv 3/2/0 40"
    result = held("7x7x40", "8680", "423,360")
    assert result.code == 0
    assert result.output.count("\n  right\n") == 3
    assert result.output.endswith("Score: 3 of 3 right at once.\n")


def test_a_wrong_answer_is_told_with_the_likely_mistake_and_may_be_mended() -> None:
    """3*3*24*40 = 8,640 without the 40 biases."""
    result = held("7x7x40", "8640", "8680", "423360")
    assert result.code == 1
    assert "wrong: bias forgotten: 3*3*24*40 = 8,640" in result.output
    assert result.output.endswith("Score: 2 of 3 right at once, 1 later or with a hint.\n")


def test_hints_are_the_derivation_line_by_line() -> None:
    result = held("hint", "hint", "hint", "hint", "hint", "hint", "7x7x40", "skip", "quit")
    for line in (
        "height, width = floor((H + 2*P - F)/S) + 1",
        "height, width = floor((15 + 2*0 - 3)/2) + 1",
        "height, width = 7",
        "depth = N",
        "depth = 40",
        "there is no further hint",
        "it is 8,680",
    ):
        assert f"\n  {line}\n" in result.output
    assert result.code == 0
    assert result.output.endswith("Score: 0 of 2 right at once, 1 later or with a hint, 1 skipped.\n")


def test_what_cannot_be_read_is_no_wrong_answer() -> None:
    result = held("seven", "", "help", "7x7x40", "quit")
    assert "`seven`" in result.output
    assert result.output.count("\n  Answer each line, or type: hint, skip, quit.\n") == 2
    assert result.code == 0
    assert result.output.endswith("Score: 1 of 1 right at once.\n")


@pytest.mark.parametrize("level", [each.name for each in LEVELS])
def test_every_level_can_be_answered_hinted_and_skipped_in_the_terminal(level: str) -> None:
    for seed in ("1", "2"):
        result = held(*(["hint"] * 3 + ["skip"]) * 60, level=level, seed=seed)
        assert result.code == 0
        assert "Traceback" not in result.output
        rights = re.findall(r"^  it is (.*)$", result.output, re.MULTILINE)
        again = held(*rights, level=level, seed=seed)
        assert again.code == 0
        assert f"Score: {len(rights)} of {len(rights)} right at once." in again.output


def test_the_end_of_what_is_typed_ends_it_politely() -> None:
    result = held()
    assert result.code == 0
    assert result.output.endswith("Score: nothing was answered.\n")
    wrong = held("1x1x1")
    assert wrong.code == 1
    assert wrong.output.endswith("Score: no answer was right.\n")


def test_ctrl_c_ends_it_politely(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(prompt: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupted)
    result = held()
    assert result.code == 130
    assert result.output.endswith("Score: nothing was answered.\n")


def test_a_quiz_of_every_format_is_a_net_that_stands() -> None:
    (quiz,) = draw(("chain", "branches"), 8, 4)
    for question in quiz.questions:
        assert load(question.net).build().graph.nodes
        for format_ in ("table", "md", "latex", "json", "toml"):
            assert question.net.splitlines()[1] in text_of(quiz, False, format_).replace("\\n", "\n")
