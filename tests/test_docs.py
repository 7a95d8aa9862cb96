"""What the documents show is what the commands print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from archcalc.cli.entry import MODULES
from archcalc.lang.errors import show
from archcalc.lang.parser import parse
from archcalc.lang.source import Source

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "COLUMNS": "80",
    "NO_COLOR": "1",
    "PYTHONIOENCODING": "utf-8",
}
ENVIRONMENT.pop("FORCE_COLOR", None)


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with what it is said to print."""
    found: list[tuple[str, str]] = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            found.append((line[2:].rstrip("\n"), ""))
        elif line.startswith("> ") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:].rstrip()}", "")
        else:
            found[-1] = (found[-1][0], found[-1][1] + line)
    return found


def printed(command: str, folder: Path) -> str:
    """What a command prints, results and then faults."""
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, env=ENVIRONMENT, cwd=folder, timeout=60, check=False
    )
    return (result.stdout + result.stderr).decode()


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the documents speak of: each ```arch block that starts with `# NAME.arch`."""
    folder = tmp_path_factory.mktemp("desk")
    for document in DOCUMENTS:
        for block in blocks(document, "arch"):
            name = re.match(r"# (\w+\.arch)\b", block)
            if name:
                (folder / name[1]).write_text(block, "utf-8")
    return folder


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_console_block_prints_what_it_shows(document: Path, desk: Path, request: pytest.FixtureRequest) -> None:
    text = document.read_text("utf-8")
    for block in blocks(document, "console"):
        replayed = "".join(
            "$ " + command.replace("\n", "\n> ") + "\n" + printed(command, desk) for command, _ in commands(block)
        )
        if request.config.getoption("--update"):
            text = text.replace(f"```console\n{block}```", f"```console\n{replayed}```")
        else:
            assert replayed == block
    if request.config.getoption("--update"):
        document.write_text(text, "utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_arch_block_is_read_without_faults(document: Path) -> None:
    for block in blocks(document, "arch"):
        _, faults = parse(Source(document.name, block))
        assert not faults, "\n".join(show(fault) for fault in faults)


def test_every_command_is_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for command in MODULES:
        assert f"`archcalc {command}" in readme or f"$ archcalc {command}" in readme, command


def test_the_first_block_of_the_readme_installs_and_then_tests() -> None:
    first = re.search(r"^```\w*\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert first is not None
    install, test = first[1].splitlines()
    assert install.startswith("python3 -m venv")
    assert install.endswith("archcalc table vgg16")
    assert "[test]" in test
    assert test.endswith("pytest")


def test_python_examples_of_the_readme_hold() -> None:
    import doctest

    for document in DOCUMENTS:
        for block in blocks(document, "python"):
            test = doctest.DocTestParser().get_doctest(block, {}, document.name, str(document), 0)
            runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
            runner.run(test)
            assert runner.failures == 0
