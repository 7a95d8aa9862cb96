"""The action for GitHub and the hooks for pre-commit: what they run is run here."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))}
STEPS = {step["id"]: step for step in ACTION["runs"]["steps"]}
EXPRESSION = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")

NET = "arch tiny\ninput 8x8x3\nconv1: conv 3/1/1 4\nfc1: fc 2\n"  # 112 + 514 params
BUDGET = "expect params <= 626\n"
GROWN = NET.replace("3/1/1 4", "3/1/1 5")  # 140 + 642


class Done(NamedTuple):
    code: int
    out: str
    err: str
    outputs: dict[str, str]
    summary: str


class Checkout(NamedTuple):
    """A folder as a runner has it, where archcalc is that of this interpreter."""

    folder: Path
    temp: Path
    archcalc: Path

    def write(self, text: str, name: str = "net.arch") -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def verify(self, **inputs: str) -> Done:
        """The action's step of this name."""
        return self.step("verify", {"steps.install.outputs.archcalc": str(self.archcalc)}, inputs)

    def step(self, name: str, context: dict[str, str], inputs: dict[str, str], path: str | None = None) -> Done:
        """Runs a step as the runner does: expressions into its environment, then its script in bash."""
        given = {f"inputs.{key}": str(each["default"]) for key, each in ACTION["inputs"].items()}
        given |= {f"inputs.{key.replace('_', '-')}": value for key, value in inputs.items()}
        known = given | context
        step = STEPS[name]
        written = {key: EXPRESSION.sub(lambda found: known[found[1]], value) for key, value in step["env"].items()}
        files = {"GITHUB_OUTPUT": self.temp / "output", "GITHUB_STEP_SUMMARY": self.temp / "summary"}
        for file in files.values():
            file.write_text("", "utf-8")
        environment = {
            "PATH": path or os.environ["PATH"],
            "HOME": str(self.temp),
            "LC_ALL": "C.UTF-8",
            "GITHUB_ACTIONS": "true",
            "RUNNER_TEMP": str(self.temp),
            **{key: str(value) for key, value in files.items()},
            **written,
        }
        script = self.temp / "script.sh"
        script.write_text(step["run"], "utf-8")
        assert step["shell"] == "bash"
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]  # what GitHub runs for `bash`
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        summary = files["GITHUB_STEP_SUMMARY"].read_text("utf-8")
        return Done(done.returncode, done.stdout, done.stderr, outputs(files["GITHUB_OUTPUT"]), summary)


def outputs(file: Path) -> dict[str, str]:
    """What a step has written for others, as the runner reads it."""
    found: dict[str, str] = {}
    lines = iter(file.read_text("utf-8").splitlines())
    for line in lines:
        key, equals, value = line.partition("=")
        if equals and "<<" not in key:
            found[key] = value
        else:
            key, mark = line.split("<<", 1)
            body = []
            while (inner := next(lines)) != mark:
                body.append(inner)
            found[key] = "\n".join(body)
    return found


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/usr/bin/env bash\n{text}\n", "utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    folder, temp = tmp_path / "checkout", tmp_path / "temp"
    folder.mkdir()
    temp.mkdir()
    archcalc = script(
        tmp_path / "archcalc", f'PYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m archcalc "$@"'
    )
    found = Checkout(folder, temp, archcalc)
    found.write(NET + BUDGET)
    return found


def update(checkout: Checkout, *names: str) -> None:
    words = [str(checkout.archcalc), "verify", *names, "--baseline", "base.json", "--update"]
    subprocess.run(words, cwd=checkout.folder, check=True, capture_output=True)


# ---------------------------------------------------------------- the action


def test_the_action_is_composite_and_says_what_everything_is_for() -> None:
    assert ACTION["runs"]["using"] == "composite"
    assert ACTION["name"]
    assert ACTION["description"]
    for each in (*ACTION["inputs"].values(), *ACTION["outputs"].values()):
        assert each["description"]
    assert all(isinstance(each["default"], str) for each in ACTION["inputs"].values())


def test_nothing_from_outside_is_written_into_a_script() -> None:
    for step in STEPS.values():
        assert "${{" not in step["run"]
        assert "eval" not in step["run"]


def test_every_input_is_used_and_every_expression_is_known() -> None:
    used = {found for step in STEPS.values() for value in step["env"].values() for found in EXPRESSION.findall(value)}
    used |= {found for each in ACTION["outputs"].values() for found in EXPRESSION.findall(each["value"])}
    assert {f"inputs.{name}" for name in ACTION["inputs"]} <= used
    others = {each for each in used if not each.startswith("inputs.")}
    assert others == {
        "github.action_path",
        "steps.install.outputs.archcalc",
        "steps.verify.outputs.failed",
        "steps.verify.outputs.comment",
    }


@pytest.mark.parametrize("step", STEPS)
def test_the_scripts_are_bash(step: str) -> None:
    done = subprocess.run(["bash", "-n"], input=STEPS[step]["run"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_claims_that_hold_pass(checkout: Checkout) -> None:
    done = checkout.verify(files="net.arch")
    assert (done.code, done.err, done.outputs["failed"]) == (0, "", "false")
    assert "1 claim; 0 fail" in done.summary
    assert done.outputs["comment"] == done.summary.rstrip("\n")


def test_a_claim_that_fails_fails_the_step_and_is_annotated(checkout: Checkout) -> None:
    checkout.write(GROWN + BUDGET)
    done = checkout.verify(files="net.arch")
    assert (done.code, done.outputs["failed"]) == (1, "true")
    assert "::error file=net.arch,line=5,title=archcalc::" in done.err
    assert "found 782, difference +156" in done.summary


def test_a_net_that_grew_fails_the_step_with_a_comment(checkout: Checkout) -> None:
    checkout.write(NET)
    update(checkout, "net.arch")
    assert checkout.verify(files="net.arch", baseline="base.json").code == 0
    checkout.write(GROWN)
    done = checkout.verify(files="net.arch", baseline="base.json", comment_file="comment.md")
    assert (done.code, done.outputs["failed"]) == (1, "true")
    assert done.outputs["comment"].startswith("<!-- archcalc -->\n### archcalc: 1 net against base.json: 1 grew")
    assert "| `net.arch:tiny` | 626 → 782<br>+156 (+24.9%) |" in done.summary
    assert (checkout.folder / "comment.md").read_text("utf-8") == done.summary
    assert "::error file=net.arch,line=3,title=archcalc::net.arch:tiny grew" in done.err
    quiet = checkout.verify(files="net.arch", baseline="base.json", args="--allow  24%\n", summary="false")
    assert (quiet.code, quiet.summary, quiet.outputs["failed"]) == (1, "", "true")  # MACs grew by 24.98%
    assert checkout.verify(files="net.arch", baseline="base.json", args="--allow\n25%").code == 0


def test_without_files_all_of_the_baseline_is_looked_at(checkout: Checkout) -> None:
    update(checkout, "net.arch", "lenet5")
    done = checkout.verify(baseline="base.json")
    assert (done.code, "2 nets against base.json: 2 as before" in done.summary) == (0, True)


def test_with_neither_files_nor_a_baseline_there_is_nothing_to_do(checkout: Checkout) -> None:
    done = checkout.verify()
    assert (done.code, done.outputs["failed"]) == (2, "true")
    assert "neither files nor a baseline" in done.err


def test_files_are_lines_and_globs(checkout: Checkout) -> None:
    for name in ("nets/a b.arch", "nets/deep/er/c.arch", "nets/[d].arch"):
        checkout.write(NET + BUDGET, name)
    done = checkout.verify(files="  nets/**/*.arch  \r\n\nnet.arch\nlenet5\n")
    assert done.code == 0, done.err
    for name in ("a b.arch", "c.arch", "[d].arch", "net.arch", "lenet.arch"):
        assert f"| {name} |" in done.summary
    done = checkout.verify(files="nets/none*.arch")
    assert (done.code, done.outputs["failed"]) == (2, "true")
    assert "error: no file is like `nets/none*.arch`" in done.err


def test_what_cannot_be_read_fails_with_a_comment_of_its_own(checkout: Checkout) -> None:
    checkout.write("arch x\ninput 8x8x3\nconvv 3 3\n")
    done = checkout.verify(files="net.arch")
    assert (done.code, done.outputs["failed"]) == (2, "true")
    assert "::error file=net.arch,line=3,title=archcalc::`convv` is not a layer type" in done.err
    assert "### archcalc cannot read this" in done.summary
    assert "    error: `convv` is not a layer type" in done.outputs["comment"]
    assert "::" not in done.outputs["comment"]
    done = checkout.verify(files="net.arch", baseline="none.json")
    assert (done.code, "error: there is no baseline `none.json`" in done.err) == (2, True)
    assert "::error title=archcalc::there is no baseline `none.json`\n" in done.err


HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "'; touch pwned; '",
    "net.arch; touch pwned",
    "net.arch && touch pwned",
    "a[$(touch pwned)]*",
    "--update",
    "--output=pwned",
    "-o pwned",
    "x\nfailed=false\ny",
    "end_of_comment\nfailed=false",
    "\\",
    "${IFS}touch${IFS}pwned",
)


TRIED = [
    (name, text)
    for name in ("files", "baseline", "comment_file", "summary", "args")
    for text in HOSTILE
    if name != "args" or not text.startswith("-")  # options are what it is for
]


@pytest.mark.parametrize(("name", "text"), TRIED)
def test_no_input_is_a_command(name: str, text: str, checkout: Checkout) -> None:
    inputs = {"files": "net.arch"} | {name: text}
    done = checkout.verify(**inputs)
    found = sorted(path.name for path in checkout.folder.iterdir())
    assert "pwned" not in found
    assert (done.code == 0) == (done.outputs["failed"] == "false")
    if name in ("files", "baseline"):
        assert done.code == 2


def test_a_comment_cannot_end_itself(checkout: Checkout) -> None:
    checkout.write(GROWN + BUDGET)
    first, second = (checkout.verify(files="net.arch") for _ in range(2))
    assert set(first.outputs) == {"failed", "comment"}
    assert first.outputs == second.outputs


def install(checkout: Checkout, **inputs: str) -> tuple[Done, str]:
    """The step that installs, with a Python whose environments have the archcalc of this one and no network."""
    log, shelf = checkout.temp / "pip.log", checkout.temp / "bin"
    shelf.mkdir(exist_ok=True)
    log.write_text("", "utf-8")
    inner = f"""[[ $1 == -m && $2 == pip ]] || exit 9
shift 2; printf '%s\\n' "$@" > {shlex.quote(str(log))}
cp {shlex.quote(str(checkout.archcalc))} "$(dirname "$0")/archcalc" """
    outer = f"""if [[ $1 == -m && $2 == venv ]]; then
  mkdir -p "$3/bin"; cp {shlex.quote(str(checkout.temp / "inner"))} "$3/bin/python"
else exec {sys.executable} "$@"; fi"""
    script(checkout.temp / "inner", inner)
    script(shelf / "python3", outer)
    path = f"{shelf}{os.pathsep}{os.environ['PATH']}"
    done = checkout.step("install", {"github.action_path": "/the/action"}, inputs, path)
    return done, log.read_text("utf-8")


def test_the_action_installs_itself_and_the_next_step_runs_that(checkout: Checkout) -> None:
    done, log = install(checkout)
    assert (done.code, done.err) == (0, "")
    assert log.splitlines() == ["install", "--quiet", "--disable-pip-version-check", "/the/action"]
    archcalc = done.outputs["archcalc"]
    assert Path(archcalc).is_file()
    again = checkout.step("verify", {"steps.install.outputs.archcalc": archcalc}, {"files": "net.arch"})
    assert (again.code, again.outputs["failed"]) == (0, "false")


def test_a_version_is_installed_where_one_is_named(checkout: Checkout) -> None:
    assert install(checkout, version="0.1.0")[1].splitlines()[-1] == "archcalc==0.1.0"


@pytest.mark.parametrize("version", ["1.0 --index-url=http://x", "$(touch pwned)", "; true", "../x", "1;2", "-r x"])
def test_what_is_no_version_is_not_installed(version: str, checkout: Checkout) -> None:
    done, log = install(checkout, version=version)
    assert (done.code, log) == (2, "")
    assert "::error" in done.out
    assert not (checkout.folder / "pwned").exists()


def test_an_old_python_is_told_what_to_do(checkout: Checkout) -> None:
    old = script(checkout.temp / "old", "exit 1")
    done, log = install(checkout, python=str(old))
    assert (done.code, log) == (2, "")
    assert "put actions/setup-python before" in done.out


# ---------------------------------------------------------------- what the documents show of them


def test_the_documents_show_what_there_is() -> None:
    shown = [
        yaml.safe_load(block)
        for name in ("README.md", "docs/ci.md")
        for block in re.findall(r"^```yaml\n(.*?)^```$", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    ]
    uses = [each for each in parts(shown) if str(each.get("uses", "")).partition("@")[0].endswith("/archcalc")]
    assert uses
    for each in uses:
        assert set(each["with"]) <= set(ACTION["inputs"])
    hooks = {each["id"] for each in parts(shown) if str(each.get("id", "")).startswith("archcalc-")}
    assert hooks == set(HOOKS)


def parts(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
    for each in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from parts(each)


# ---------------------------------------------------------------- hooks

Hook = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def hook(tmp_path: Path) -> Hook:
    """Runs a hook as pre-commit does: entry, args, files; in an environment that has archcalc."""
    shelf = tmp_path / "bin"
    shelf.mkdir()
    script(shelf / "archcalc", f'PYTHONPATH={shlex.quote(str(ROOT))} exec {sys.executable} -m archcalc "$@"')

    def run(name: str, *files: str, args: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        settings: dict[str, Any] = HOOKS[name]
        assert settings["language"] == "python"
        kept = [file for file in files if re.search(settings["files"], file)]
        words = [*shlex.split(settings["entry"]), *(args or settings.get("args", ())), *kept]
        environment = {**os.environ, "PATH": f"{shelf}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
        environment.pop("GITHUB_ACTIONS", None)
        return subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    (tmp_path / "good.arch").write_text(NET + BUDGET, "utf-8")
    (tmp_path / "plain.arch").write_text(NET, "utf-8")
    (tmp_path / "blocks.arch").write_text("block two(n) { conv 3/1/1 n ; conv 3/1/1 n }\n", "utf-8")
    (tmp_path / "over.arch").write_text(GROWN + BUDGET, "utf-8")
    (tmp_path / "untidy.arch").write_text("input   8x8x3\nconv 3/1/1   4;fc 2\n", "utf-8")
    (tmp_path / "odd.arch").write_text("input 8x8x3\nconv 3/2 4\nfc 2\n", "utf-8")  # a row is never seen
    (tmp_path / "bad.arch").write_text("input 8x8x3\nconvv 3 3\n", "utf-8")
    return run


def test_the_hooks_are_three_with_all_that_pre_commit_asks_for() -> None:
    assert list(HOOKS) == ["archcalc-fmt", "archcalc-lint", "archcalc-verify"]
    for each in HOOKS.values():
        assert {"id", "name", "description", "entry", "language", "files"} <= set(each)
        assert re.search(each["files"], "nets/a.arch")
        assert not re.search(each["files"], "nets/a.archive")


def test_fmt_brings_files_into_form_once(hook: Hook, tmp_path: Path) -> None:
    before = (tmp_path / "good.arch").read_text("utf-8")
    done = hook("archcalc-fmt", "good.arch", "untidy.arch", args=("--check",))
    assert (done.returncode, done.stderr) == (1, "would rewrite untidy.arch\n")
    done = hook("archcalc-fmt", "good.arch", "untidy.arch")
    assert (done.returncode, done.stderr) == (0, "rewrote untidy.arch\n")  # pre-commit fails on a file that was changed
    assert (tmp_path / "good.arch").read_text("utf-8") == before
    done = hook("archcalc-fmt", "good.arch", "untidy.arch")
    assert (done.returncode, done.stderr) == (0, "")


def test_fmt_tells_what_it_cannot_read_and_does_the_others(hook: Hook) -> None:
    done = hook("archcalc-fmt", "nosuch.arch", "untidy.arch")
    assert done.returncode == 2
    assert "rewrote untidy.arch" in done.stderr
    assert "cannot read `nosuch.arch`" in done.stderr


def test_lint_looks_at_all_files_and_fails_on_faults(hook: Hook) -> None:
    done = hook("archcalc-lint", "good.arch", "odd.arch", "blocks.arch")
    assert (done.returncode, done.stderr) == (0, "")
    assert "odd.arch:2:1" in done.stdout
    done = hook("archcalc-lint", "odd.arch", "bad.arch", "over.arch")
    assert done.returncode == 2
    assert "odd.arch:2:1" in done.stdout
    assert "bad.arch:2:1" in done.stderr
    assert "over.arch:5:18" in done.stderr
    assert hook("archcalc-lint", "good.arch", args=("--strict",)).returncode == 0
    assert hook("archcalc-lint", "good.arch", "odd.arch", args=("--strict",)).returncode == 1


def test_verify_holds_the_claims_of_all_files(hook: Hook) -> None:
    assert hook("archcalc-verify", "good.arch", "plain.arch", "blocks.arch").returncode == 0
    assert hook("archcalc-verify", "plain.arch").returncode == 0  # nothing is claimed there
    assert hook("archcalc-verify", "blocks.arch").returncode == 0
    done = hook("archcalc-verify", "good.arch", "over.arch")
    assert done.returncode == 1
    assert "said <= 626, found 782, difference +156 (+24.9%)" in " ".join(done.stdout.split())
    assert hook("archcalc-verify", "good.arch", "bad.arch").returncode == 2


def test_verify_takes_a_baseline_in_its_arguments(hook: Hook, tmp_path: Path) -> None:
    args = ("--baseline", "base.json")
    assert hook("archcalc-verify", "good.arch", "plain.arch", args=(*args, "--update")).returncode == 0
    assert hook("archcalc-verify", "plain.arch", args=args).returncode == 0
    (tmp_path / "plain.arch").write_text(GROWN, "utf-8")
    done = hook("archcalc-verify", "plain.arch", args=args)
    assert done.returncode == 1
    assert "conv1: conv 3/1/1 4 -> conv 3/1/1 5" in done.stdout
    assert hook("archcalc-verify", "good.arch", args=args).returncode == 0  # pre-commit hands over what was touched
