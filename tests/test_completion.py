"""What the shell offers, through click's own machinery and as a shell asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result

from archcalc.analyses.rules import shipped
from archcalc.cli.entry import MODULES, group
from archcalc.library import zoo
from archcalc.ops import REGISTRY


def offered(*words: str) -> list[str]:
    """What is offered for the last word, files left out."""
    *before, incomplete = words
    found = ShellComplete(group, {}, "archcalc", "_ARCHCALC_COMPLETE").get_completions(before, incomplete)
    return [item.value for item in found if item.type == "plain"]


def test_a_first_word_is_a_command_or_a_net() -> None:
    assert set(offered("")) == {*MODULES, *zoo()}
    assert offered("dr") == ["draw"]
    assert offered("vgg1") == sorted(name for name in zoo() if name.startswith("vgg1"))


@pytest.mark.parametrize(
    "command", ["table", "draw", "show", "explain", "formula", "count", "memory", "run", "lint", "compare", "diff"]
)
def test_a_command_on_a_net_offers_the_zoo(command: str) -> None:
    assert offered(command, "") == sorted(zoo())
    assert offered(command, "resnet5") == ["resnet50", "resnet50_v1", "resnet56_cifar"]


def test_a_net_may_be_a_file() -> None:
    found = ShellComplete(group, {}, "archcalc", "_ARCHCALC_COMPLETE").get_completions(["table"], "min")
    assert [(item.value, item.type) for item in found] == [("min", "file")]


@pytest.mark.parametrize("words", [("compare", "vgg16", "lenet5"), ("diff", "vgg16")])
def test_further_nets_are_offered_too(words: tuple[str, ...]) -> None:
    assert offered(*words, "vgg1") == [name for name in sorted(zoo()) if name.startswith("vgg1")]


def test_what_can_be_verified_is_offered() -> None:
    assert offered("verify", "simonyan2014-table2") == ["simonyan2014-table2"]
    assert offered("verify", "resnet50") == ["resnet50", "resnet50_v1"]


def test_columns_are_offered_after_each_comma() -> None:
    assert offered("table", "vgg16", "--columns", "m") == ["macs"]
    assert offered("table", "vgg16", "--columns", "layer,pa") == ["layer,params"]
    assert "layer,layer" not in offered("table", "vgg16", "--columns", "layer,")


def test_layers_are_those_of_the_net_that_stands_before() -> None:
    assert offered("explain", "alexnet", "conv") == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    assert "conv2_x.1" in offered("explain", "resnet18", "conv2_x")
    assert offered("explain", "input 8x8x3; conv 3/1/1 4; fc 2", "") == ["conv1", "fc1", "input"]


@pytest.mark.parametrize("arch", ["no_such_net", "-", "input 8x8x3; nonsense"])
def test_where_there_is_no_net_no_layer_is_offered_and_nothing_fails(arch: str) -> None:
    assert offered("explain", arch, "") == []


@pytest.mark.parametrize("words", [("table", "vgg16"), ("vgg16",), ("count", "vgg16"), ("match", "4G", "vgg16")])
def test_rules_are_those_that_come_with_it(words: tuple[str, ...]) -> None:
    assert offered(*words, "--rule", "") == sorted(shipped())
    assert offered(*words, "--rule", "tho") == ["thop"]


def test_layer_types_are_offered_under_all_their_names() -> None:
    assert offered("layers", "") == sorted(REGISTRY)


def test_formats_are_offered() -> None:
    assert offered("table", "vgg16", "--format", "") == ["table", "json", "csv", "md", "latex", "html"]


# ---------------------------------------------------------------- installing it

PLACES = {
    "bash": (".local/share/bash-completion/completions/archcalc", "complete -o nosort"),
    "zsh": (".zfunc/_archcalc", "#compdef archcalc"),
    "fish": (".config/fish/completions/archcalc.fish", "--command archcalc"),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def install(*words: str) -> Result:
    return CliRunner().invoke(group, ["--install-completion", *words], standalone_mode=False)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("shell", PLACES)
def test_a_shell_finds_what_is_installed(shell: str, named: bool, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", f"/usr/bin/{shell}")
    result = install(*[shell] * named)
    place, mark = PLACES[shell]
    assert mark in (home / place).read_text("utf-8")
    assert result.output.startswith(f"written: {home / place}\n")
    assert [path for path in home.rglob("*") if path.is_file()] == [home / place], "no other file is touched"


@pytest.mark.parametrize(("shell", "said"), [("tcsh", "the shell `tcsh`"), ("", "a shell that `SHELL` does not name")])
def test_a_shell_that_is_not_known_is_refused(
    shell: str, said: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", shell)
    assert str(install().exception) == (
        f"error: no completion for {said}\nhelp: there are bash, zsh, fish: `archcalc --install-completion bash`"
    )
    assert list(home.iterdir()) == []


def test_where_it_cannot_be_written_is_said(home: Path) -> None:
    (home / ".zfunc").write_text("a file", "utf-8")
    assert str(install("zsh").exception).startswith(f"error: cannot write `{home}/.zfunc/_archcalc`: ")


# ---------------------------------------------------------------- in a shell

ARCHCALC = Path(sys.executable).parent / "archcalc"


@pytest.mark.skipif(not ARCHCALC.exists(), reason="archcalc is not installed beside this Python")
@pytest.mark.parametrize(
    ("shell", "mark"),
    [("bash", "complete -o nosort"), ("zsh", "#compdef archcalc"), ("fish", "--command archcalc")],
)
def test_the_script_for_a_shell_is_printed(shell: str, mark: str) -> None:
    environment = {**os.environ, "_ARCHCALC_COMPLETE": f"{shell}_source"}
    done = subprocess.run([str(ARCHCALC)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert mark in done.stdout


HERE = {**os.environ, "PATH": f"{ARCHCALC.parent}{os.pathsep}{os.environ['PATH']}"}
RESNETS = ["resnet50", "resnet50_v1", "resnet56_cifar"]


def completed(command: list[str], home: Path) -> list[str]:
    """What a shell offers; it finds what was installed in its home."""
    shell = Path(command[0]).name
    subprocess.run([str(ARCHCALC), "--install-completion", shell], env=HERE | {"HOME": str(home)}, check=True)
    environment = HERE | {"HOME": str(home)}
    done = subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.skipif(not ARCHCALC.exists(), reason="archcalc is not installed beside this Python")
def test_bash_completes_with_what_is_installed(home: Path) -> None:
    script = (
        "compopt() { :; }\n"  # bash has it only while it completes
        f"source {PLACES['bash'][0]}\n"
        "COMP_WORDS=(archcalc table resnet5); COMP_CWORD=2\n"
        "_archcalc_completion archcalc\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    assert completed(["bash", "-c", script], home) == RESNETS


@pytest.mark.skipif(not ARCHCALC.exists(), reason="archcalc is not installed beside this Python")
@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish here")
def test_fish_completes_with_what_is_installed(home: Path) -> None:
    assert completed(["fish", "-c", "complete -C 'archcalc table resnet5'"], home) == RESNETS


ZSH = """
import os, pty, signal
pid, terminal = pty.fork()
if pid == 0:
    os.execvp("zsh", ["zsh", "-f", "-i"])
signal.alarm(30)  # nothing here waits for ever


def read_until(mark):
    seen = b""
    while mark not in seen:
        seen += os.read(terminal, 10000)
    return seen


os.write(terminal, b"fpath=(.zfunc $fpath); autoload -U compinit; compinit -u -D; PS1=rea''dy\\n")
read_until(b"ready")
os.write(terminal, b"archcalc table resnet5\\t\\t")
seen = read_until(b"resnet56_cifar")
os.kill(pid, signal.SIGKILL)
print(*[name for name in ("resnet50", "resnet50_v1", "resnet56_cifar") if name.encode() in seen])
"""


@pytest.mark.skipif(not ARCHCALC.exists(), reason="archcalc is not installed beside this Python")
@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_completes_with_what_is_installed(home: Path) -> None:
    subprocess.run([str(ARCHCALC), "--install-completion", "zsh"], env=HERE | {"HOME": str(home)}, check=True)
    environment = HERE | {"HOME": str(home), "TERM": "dumb"}
    done = subprocess.run(
        [sys.executable, "-c", ZSH], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == RESNETS
