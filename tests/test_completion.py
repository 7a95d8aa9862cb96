"""What the shell offers, through click's own machinery and as a shell asks for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

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


@pytest.mark.parametrize("command", ["table", "draw", "show", "explain", "formula", "count", "memory", "run", "lint"])
def test_a_command_on_a_net_offers_the_zoo(command: str) -> None:
    assert offered(command, "") == sorted(zoo())
    assert offered(command, "resnet5") == ["resnet50", "resnet50_v1", "resnet56_cifar"]


def test_a_net_may_be_a_file() -> None:
    found = ShellComplete(group, {}, "archcalc", "_ARCHCALC_COMPLETE").get_completions(["table"], "min")
    assert [(item.value, item.type) for item in found] == [("min", "file")]


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


@pytest.mark.skipif(not ARCHCALC.exists(), reason="archcalc is not installed beside this Python")
def test_bash_completes_with_the_script_sourced() -> None:
    script = (
        "compopt() { :; }\n"  # bash has it only while it completes
        'eval "$(_ARCHCALC_COMPLETE=bash_source archcalc)"\n'
        "COMP_WORDS=(archcalc table resnet5); COMP_CWORD=2\n"
        "_archcalc_completion archcalc\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environment = {**os.environ, "PATH": f"{ARCHCALC.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["resnet50", "resnet50_v1", "resnet56_cifar"]), done.stderr
