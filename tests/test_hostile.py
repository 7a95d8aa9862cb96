"""What would take for ever, fill the memory or break the reader is refused in a line, with exit code 2."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Ended, Run, runner

INPUT = "input 8x8x3\n"
DOUBLING = "block b0 { }\n" + "".join(f"block b{i} {{ b{i - 1}() ; b{i - 1}() }}\n" for i in range(1, 101))
CHAIN = "block b0 { relu }\n" + "".join(f"block b{i} {{ b{i - 1}() }}\n" for i in range(1, 3001))

# what is done: the text of the net, and what is said of it first
REFUSED = {
    "repeat a billion times": (INPUT + "repeat 1e9 { relu }", "repeated 1,000,000,000 times; at most 100,000"),
    "repeat a call a billion times": (
        INPUT + "block b { relu }\nb() * 1e9",
        "repeated 1,000,000,000 times; at most 100,000",
    ),
    "repeat nothing 10,000,000,000 times": (
        INPUT + "repeat 100_000 { repeat 100_000 { } }",
        "the net takes more than 300,000 steps to build",
    ),
    "call empty blocks 2**20 times": (INPUT + DOUBLING + "b20()", "the net takes more than 300,000 steps to build"),
    "call blocks a hundred deep": (INPUT + DOUBLING + "b100()", "nested more than 100 deep"),
    "call blocks 3,000 deep": (INPUT + CHAIN + "b3000()", "nested more than 100 deep"),
    "label calls 3,000 deep": (INPUT + CHAIN + "x: b3000()", "nested more than 100 deep"),
    "call a block within itself": (INPUT + "block a { a() }\na()", "block `a` calls itself"),
    "build 120,000 layers": (INPUT + "repeat 60_000 { conv 1 3 ; relu }", "the net has more than 100,000 layers"),
    "write a million digits": (INPUT + "fc " + "9" * 1_000_000, "number too long: 1,000,000 characters, at most 40"),
    "write a tower of powers": (INPUT + "fc 9**9**9", "number too large: more than 1,000,000,000,000"),
    "write a huge exponent": (INPUT + "fc 1e999999999", "the exponent of `1e999999999` is too large"),
    "divide ever finer": (
        INPUT + "let a0 = 0.3\n" + "".join(f"let a{i} = a{i - 1} * 0.3333333333\n" for i in range(1, 9)),
        "a fraction with too many digits",
    ),
    "nest 10,000 braces": (INPUT + "repeat 1 {" * 10_000 + "}" * 10_000, "nested more than 100 deep"),
    "nest 10,000 branches": (INPUT + "add {" * 10_000 + "|}" * 10_000, "nested more than 100 deep"),
    "nest 10,000 brackets": (INPUT + "fc " + "(" * 10_000 + "1" + ")" * 10_000, "nested more than 100 deep"),
    "nest 10,000 signs": (INPUT + "fc " + "-" * 10_000 + "1", "nested more than 100 deep"),
    "nest 10,000 conditions": (INPUT + "if 0 { } " + "else if 0 { } " * 10_000, "nested more than 100 deep"),
    "add 10,000 numbers": (INPUT + "fc " + "+".join("1" * 10_000), "more than 200 operators in one statement"),
    "double the depth 50 times": (
        INPUT + "repeat 50 { concat { | } }",
        "the output 8x8x1649267441664 has a size that is larger than 1,000,000,000,000",
    ),
    "input more than a trillion rows": (
        "input 1_000_000_000_001x1x1\nrelu",
        "number too large: more than 1,000,000,000,000",
    ),
    "make 20,000 mistakes": ("x\n" * 20_000, "`x` is not a layer type"),
    "make 20,000 unreadable mistakes": (INPUT + "@\n" * 20_000, "unexpected `@`"),
    "make 20,000 mistakes on one line": (INPUT + "@ " * 20_000, "unexpected `@`"),
    "write very long names": (INPUT + "a" * 100_000 + ": " + "b" * 100_000, f"`{'b' * 40}…` is not a layer type"),
    "write NUL": (INPUT + "\0", "unexpected character U+0000"),
    "write nothing": ("", "the net has no layers"),
    "write comments only": ("# one\n\n# two\n", "the net has no layers"),
}
READ = {
    "a byte order mark": ("\ufeff" + INPUT + "relu").encode(),
    "line ends of Windows": (INPUT + "relu\nconv 3 8\n").replace("\n", "\r\n").encode(),
    "line ends of old Macs": (INPUT + "relu\nconv 3 8\n").replace("\n", "\r").encode(),
    "a net as deep as may be": (INPUT + "repeat 1 { " * 99 + "relu" + " }" * 99).encode(),
}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command line in an empty folder, in this process: an exception that is not told ends the test."""
    monkeypatch.chdir(tmp_path)
    return runner(monkeypatch, capsys)


def assert_refused(ended: Ended, said: str) -> None:
    assert ended.err.startswith(f"error: {said}\n")
    assert ended.code == 2
    assert not ended.out
    assert len(ended.err) < 50_000


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_a_text_is_refused_that_would(text: str, said: str, run: Run) -> None:
    Path("net.arch").write_bytes(text.encode())
    assert_refused(run("table", "net.arch"), said)


@pytest.mark.parametrize("data", READ.values(), ids=READ)
def test_a_text_is_read_with(data: bytes, run: Run) -> None:
    Path("net.arch").write_bytes(data)
    ended = run("table", "net.arch")
    assert (ended.code, ended.err) == (0, "")


def test_a_thousand_faults_are_enough_and_fifty_are_shown(run: Run) -> None:
    Path("net.arch").write_text("x\n" * 20_000)
    ended = run("table", "net.arch")
    assert ended.err.count("error: `x` is not a layer type") == 50
    assert ended.err.endswith("\n\nerror: and 952 more\n")


def test_a_net_on_the_command_line_may_be_longer_than_the_name_of_a_file(run: Run) -> None:
    assert run("table", "input 8x8x3" + "; relu" * 100).code == 0


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("command", ["table", "show", "lint", "fmt"])
def test_bytes_that_are_not_utf8_are_told_with_their_line(command: str, run: Run) -> None:
    Path("net.arch").write_bytes((INPUT + "# café\n").encode("latin-1"))
    assert_refused(run(command, "net.arch"), "net.arch is not UTF-8: byte 0xe9 in line 2")


def test_utf16_is_recognized(run: Run) -> None:
    Path("net.arch").write_bytes(INPUT.encode("utf-16"))
    ended = run("table", "net.arch")
    assert_refused(ended, "net.arch is not UTF-8: byte 0xff in line 1")
    assert "help: it seems to be UTF-16: save it as UTF-8" in ended.err


@pytest.mark.parametrize("command", ["table", "show", "lint", "fmt"])
def test_a_file_above_the_limit_is_not_read(command: str, run: Run) -> None:
    with open("net.arch", "wb") as file:
        file.truncate(100_000_000)  # sparse: no room is taken
    assert_refused(run(command, "net.arch"), "net.arch is larger than 1,048,576 bytes")


def test_endless_standard_input_is_not_read_to_its_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            return b"\0" * size

    monkeypatch.setattr("sys.stdin", type("Input", (), {"buffer": Endless()}))
    assert_refused(run("table", "-"), "<stdin> is larger than 1,048,576 bytes")


def test_closed_standard_input_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert_refused(run("table", "-"), "standard input is closed")


def test_a_folder_is_not_a_net(run: Run) -> None:
    Path("net.arch").mkdir()
    assert_refused(run("table", "net.arch"), "cannot read `net.arch`: is a directory")


def test_a_file_that_may_not_be_read_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, *_: str) -> None:  # for root every file is readable
        raise PermissionError(13, "Permission denied", str(self))

    Path("net.arch").write_text(INPUT)
    monkeypatch.setattr(Path, "open", refuse)
    assert_refused(run("table", "net.arch"), "cannot read `net.arch`: permission denied")


def test_a_loop_of_links_is_told(run: Run) -> None:
    os.symlink("b.arch", "a.arch")
    os.symlink("a.arch", "b.arch")
    assert_refused(run("table", "a.arch"), "cannot read `a.arch`: too many levels of symbolic links")


def test_a_loop_of_families_is_told(run: Run) -> None:
    Path("a.arch").write_text("use b\ninput 3\nrelu")
    Path("b.arch").write_text("use c")
    Path("c.arch").write_text("use b")
    assert_refused(run("table", "a.arch"), "families use one another in a circle: `b`, `c`, `b`")


def test_a_family_used_along_two_ways_is_used_once(run: Run) -> None:
    Path("base.arch").write_text("block base { relu }")
    Path("left.arch").write_text("use base\nblock left { base() }")
    Path("right.arch").write_text("use base\nblock right { base() }")
    Path("net.arch").write_text("use left\nuse right\n" + INPUT + "left() ; right()")
    assert run("table", "net.arch").code == 0


@pytest.mark.parametrize("name", ["a" * 300 + ".arch", "folder/" * 500 + "net.arch", "no such file.arch"])
def test_a_file_that_cannot_be_there_is_told(name: str, run: Run) -> None:
    ended = run("table", name)
    assert ended.err.startswith("error: cannot read `")
    assert ended.code == 2


# ---------------------------------------------------------------- words on the command line

WORDS = {
    "no image": (["--batch", "0"], "Invalid value for '--batch': 0 is not in the range 1<=x<=1000000000."),
    "too many images": (["--batch", "9" * 30], f"Invalid value for '--batch': {'9' * 30} is not in the range"),
    "half an image": (["--batch", "0.5"], "Invalid value for '--batch': '0.5' is not a valid integer range."),
    "a size in words": (["--input", "large"], "error: `large` is not a size"),
    "no size": (["--input", ""], "error: expected a value, not the end of the text"),
    "a size of zero": (["--input", "0x0x3"], "error: a size must be a whole number of at least 1, not 0"),
    "a size of two": (["--input", "224x224"], "error: `224x224` has 2 sizes: an input is height x width x depth"),
    "a size too small": (["--input", "1x1x3"], "error: window 2x2 is larger than its input 1x1"),
    "a size of 100,000 digits": (["--input", "9" * 100_000], "error: number too long: 100,000 characters, at most 40"),
    "an unknown column": (["--columns", "layer,nonsense"], "error: there is no column `nonsense`"),
    "no column": (["--columns", ""], "error: there is no column ``"),
    "an unknown format": (["--format", "docx"], "Invalid value for '--format': 'docx' is not one of"),
    "an unknown type": (["--dtype", "int3"], "Invalid value for '--dtype': 'int3' is not one of"),
    "a folder for the result": (["-o", "."], "Invalid value for '-o' / '--output': File '.' is a directory."),
    "a file in no folder": (["-o", "no/such/file"], "error: cannot write `no/such/file`: no such file or directory"),
    "a file without a name": (["-o", ""], "error: cannot write ``: no such file or directory"),
    "an unknown option": (["--frobnicate"], "--frobnicate"),
}


@pytest.mark.parametrize(("words", "said"), WORDS.values(), ids=WORDS)
def test_the_command_line_refuses(words: list[str], said: str, run: Run) -> None:
    ended = run("table", "vgg16", *words)
    assert said in ended.err
    assert ended.code == 2
    assert not ended.out
    assert len(ended.err) < 2_000


@pytest.mark.parametrize("word", ["nonsense", "a/" * 3000, "\udcff", "vgg16x"])
def test_a_word_that_is_no_command_is_told_in_a_line(word: str, run: Run) -> None:
    ended = run(word)
    assert "Error: there is no command `" in ended.err
    assert ended.code == 2
    assert len(ended.err) < 300


@pytest.mark.parametrize(
    "net", ["", "   ", "vgg16(", "vgg16(classes=)", "vgg16(0)", "vgg16(1, 2)", "vgg16(x=2)", "vgg 16"]
)
def test_a_net_that_is_none_is_told(net: str, run: Run) -> None:
    ended = run("table", net)
    assert ended.err.startswith("error: ")
    assert ended.code == 2


# ---------------------------------------------------------------- standard output


def child(*words: str, stdout: int | None) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, whose standard output is another's to close."""
    command = [sys.executable, "-m", "archcalc", *words]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False)


@pytest.mark.parametrize("net", ["input 8x8x3; relu", "vgg16", "input 8x8x3; repeat 3000 { relu }"])
def test_a_reader_that_has_seen_enough_is_no_fault(net: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # `| true`; with `| head -1` it is closed a little later
    ended = child("table", net, stdout=writer)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_closed_standard_output_is_told() -> None:
    code = "import sys; sys.stdout = None; from archcalc.cli import main; sys.argv[1:] = 'table', 'vgg16'; main()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (2, b"error: cannot write standard output: it is closed\n")
