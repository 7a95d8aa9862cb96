"""Budgets and baselines: what grew, by how much, in which layer, and what is let pass."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import archcalc
from archcalc.analyses.baselines import Figures, Snapshot, add_up, read_baseline, snapshot, write_baseline
from archcalc.analyses.costs import measure
from archcalc.analyses.growth import GUARDED, Growth, compare_net, figure_of, read_limits
from archcalc.cli.entry import main
from archcalc.lang.errors import SpecError
from archcalc.lang.jsonfiles import read_json, span_of
from archcalc.lang.source import Source
from archcalc.library import load

# conv1 3*3*3*16 + 16 = 448 params and *32*32 = 442,368 MACs; conv2 3*3*16*32 + 32 = 4,640 and 16*16*4,608 = 1,179,648;
# fc1 8*8*32*10 + 10 = 20,490 and 20,480. Values: 3,072 + 16,384 + 4,096 + 8,192 + 2,048 + 10 = 33,802, in 4 bytes.
TINY = """arch tiny(classes=10)
input 32x32x3
conv1: conv 3/1/1 16 ; relu
pool1: pool 2
conv2: conv 3/1/1 32 ; relu
pool2: pool 2
fc1: fc classes
"""
PARAMS, MACS, BYTES = 25_578, 1_642_496, 135_208
WIDER = TINY.replace("3/1/1 32", "3/1/1 40")  # conv2 +1,160, fc1 8*8*8*10 = +5,120
GROWN = 6_280
NARROWER = TINY.replace("3/1/1 32", "3/1/1 24")
DEEPER = TINY.replace("pool2:", "conv 1 32 ; pool2:")  # 32*32 + 32 = 1,056


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`archcalc verify` in a folder of its own, which has net.arch and its baseline."""
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "250")

    def run(*words: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["archcalc", "verify", *words])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        assert isinstance(end.value.code, int)
        return Ended(end.value.code, out, err)

    net(TINY)
    assert run("net.arch", "--baseline", "base.json", "--update").code == 0
    return run


def net(text: str, name: str = "net.arch") -> None:
    Path(name).write_text(text, "utf-8")


def found(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what it says as JSON."""
    ended = run(*(words or ("net.arch",)), "--baseline", "base.json", "--format", "json")
    assert not ended.err
    return ended.code, json.loads(ended.out)


def first(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    code, document = found(run, *words)
    return code, document["baseline"]["nets"][0]


def taken(text: str, dtype: str = "float32", input: str | None = None) -> Snapshot:
    return snapshot(measure(load(text).build(input).graph), dtype)


def told(ended: Ended) -> str:
    return " ".join(ended.out.split())


# ---------------------------------------------------------------- expect lines

BUDGETS = {  # said: what is found, by how much it is over, in which layers most of it is
    "params <= 20K": ("25,578", "+5,578 (+27.9%)", "fc1 20,490 (80%), conv2 4,640 (18%), conv1 448 (2%)"),
    "macs <= 1.5M": ("1,642,496", "+142,496 (+9.5%)", "conv2 1,179,648 (72%), conv1 442,368 (27%), fc1 20,480 (1%)"),
    "conv2.macs <= 1.1M": ("1,179,648", "+79,648 (+7.2%)", ""),
    "memory <= 128KiB": ("135,208", "+4,136 (+3.2%)", "conv1 65,536 (48%), conv2 32,768 (24%), pool1 16,384 (12%)"),
    "activations <= 33_800": ("33,802", "+2 (+<0.1%)", "conv1 16,384 (48%), conv2 8,192 (24%), pool1 4,096 (12%)"),
    "conv2.receptive <= 7": ("8", "+1 (+14.3%)", ""),
    "weighted_layers <= 2": ("3", "+1 (+50.0%)", ""),
    "conv_params <= 5K": ("5,088", "+88 (+1.8%)", "conv2 4,640 (91%), conv1 448 (9%)"),
    "params <= 0": ("25,578", "+25,578", "fc1 20,490 (80%), conv2 4,640 (18%), conv1 448 (2%)"),
    "params >= 30K": ("25,578", "-4,422 (-14.7%)", ""),
    "macs[torchvision] <= 1M": (
        "1,642,496",
        "+642,496 (+64.2%)",
        "conv2 1,179,648 (72%), conv1 442,368 (27%), fc1 20,480 (1%)",
    ),
}


@pytest.mark.parametrize("said", BUDGETS)
def test_a_budget_that_is_not_kept_says_by_how_much_and_where_most_of_it_is(said: str, run: Run) -> None:
    net(TINY + f"expect {said}\n")
    value, over, most = BUDGETS[said]
    ended = run("net.arch")
    target = said.partition(" ")[0]
    limit = said.partition(" ")[2]
    assert ended.code == 1
    expected = f"net.arch:8: tiny: `{target}` is not as expected: said {limit}, found {value}, difference {over}"
    assert expected + (f"; most of it: {most}" if most else "") + " " in told(ended) + " "
    assert ("most of it" in told(ended)) == bool(most)


KEPT = (
    *("params <= 25_578", "params <= 26K", "macs <= 1_642_496", "memory <= 135_208", "memory <= 133KiB"),
    *("conv2.params <= 4_640", "conv2.memory <= 32KiB", "conv2.receptive <= 8", "conv_macs <= 1_622_016"),
)


@pytest.mark.parametrize("said", KEPT)
def test_a_budget_that_is_just_kept_holds(said: str, run: Run) -> None:
    net(TINY + f"expect {said}\n")
    assert run("net.arch").code == 0


@pytest.mark.parametrize(
    "said", ["params <= 2*13", "params <= 8x8x3", "conv1 <= 32x32x16", "conv1 = 32x32", "macs <= -1"]
)
def test_what_no_net_could_be_is_a_fault_of_the_text_and_no_claim_that_fails(said: str, run: Run) -> None:
    net(TINY + f"expect {said}\n")
    ended = run("net.arch")
    assert (ended.code, ended.out, "most of it" in ended.err) == (2, "", False)
    assert "expected as" in ended.err
    assert "--> net.arch:8:" in ended.err


def test_a_group_has_a_budget(run: Run) -> None:
    text = "block two(n) { conv 3/1/1 n ; conv 3/1/1 n }\narch g\ninput 8x8x3\nstage: two(4)\nfc 2\n"
    # 3*3*3*4 + 4 = 112, 3*3*4*4 + 4 = 148
    net(text + "expect stage.params <= 260\n")
    assert run("net.arch").code == 0
    net(text + "expect stage.params <= 259\n")
    ended = run("net.arch")
    assert ended.code == 1
    assert "found 260, difference +1 (+0.4%); most of it: stage.conv2 148 (57%), stage.conv1 112 (43%)" in told(ended)


def test_where_nothing_is_claimed_is_a_fault_unless_it_may_be(run: Run) -> None:
    assert run("net.arch").code == 2
    assert run("net.arch", "--allow-unclaimed").code == 0
    net(TINY + "expect params <= 1\n")
    assert run("net.arch", "--allow-unclaimed").code == 1


# ---------------------------------------------------------------- what became of a net


def test_what_is_as_before_passes(run: Run) -> None:
    code, growth = first(run)
    assert (code, growth["status"], growth["fails"], growth["layers"]) == (0, "same", False, [])
    assert growth["before"] == growth["after"]
    assert {name: growth["after"][name] for name in ("params", "macs", "memory")} == {
        "params": PARAMS,
        "macs": MACS,
        "memory": BYTES,
    }


def test_growth_fails_and_says_by_how_much_and_in_which_layer(run: Run) -> None:
    net(WIDER)
    code, growth = first(run)
    assert (code, growth["status"], growth["fails"]) == (1, "grew", True)
    assert growth["change"]["params"] == GROWN
    assert growth["after"]["params"] == PARAMS + GROWN
    assert [(each["kind"], each["after"]["name"]) for each in growth["layers"]] == [
        ("changed", "conv2"),
        ("follows", "relu2"),
        ("follows", "pool2"),
        ("follows", "fc1"),
    ]
    ended = run("net.arch", "--baseline", "base.json")
    assert ended.code == 1
    assert "params 25,578 31,858 +6,280 (+24.6%) grew" in told(ended)
    assert "conv2: conv 3/1/1 32 -> conv 3/1/1 40, +1,160 params, +294,912 MACs, +8,192 bytes" in told(ended)
    assert "fc1: fc 10, as it was, +5,120 params, +5,120 MACs" in told(ended)


def test_a_layer_put_between_is_named_and_the_others_stay_who_they_are(run: Run) -> None:
    net(DEEPER)
    code, growth = first(run)
    assert (code, growth["change"]["params"]) == (1, 1_056)
    (layer,) = growth["layers"]
    assert (layer["kind"], layer["before"], layer["after"]["layer"]) == ("added", None, "conv 1/1/0 32")
    assert "conv3: added conv 1/1/0 32, +1,056 params, +262,144 MACs, +32,768 bytes" in told(
        run("net.arch", "--baseline", "base.json")
    )


def test_shrinking_passes_with_the_command_to_accept_it_and_fails_where_all_is_strict(run: Run) -> None:
    net(NARROWER)
    code, growth = first(run)
    assert (code, growth["status"], growth["change"]["params"]) == (0, "shrank", -GROWN)
    ended = run("net.arch", "--baseline", "base.json")
    assert "to accept archcalc verify net.arch --baseline base.json --update" in told(ended)
    assert run("net.arch", "--baseline", "base.json", "--strict").code == 1
    assert run("net.arch", "--baseline", "base.json", "--update").code == 0
    assert run("net.arch", "--baseline", "base.json", "--strict").code == 0


SIZES = {
    "more classes": (TINY.replace("classes=10", "classes=5"), "output", "1x1x10", "1x1x5"),
    "another input": (TINY.replace("32x32x3", "16x16x3"), "input", "32x32x3", "16x16x3"),
}


@pytest.mark.parametrize("change", SIZES)
def test_sizes_of_what_goes_in_and_out_fail_though_everything_shrank(change: str, run: Run) -> None:
    text, what, before, after = SIZES[change]
    net(text)
    code, growth = first(run, "net.arch", "--allow", "100%")
    assert (code, growth["status"]) == (1, "resized")
    assert f"{what} {before} {after}" in told(run("net.arch", "--baseline", "base.json"))
    assert run("net.arch", "--baseline", "base.json", "--update").code == 0
    assert first(run)[1]["status"] == "same"


ALLOWED = {  # growth of params 6,280 (24.55%), MACs 300,032 (18.27%), FLOPs 613,888 (18.31%), memory 10,240 (7.57%)
    "25%": 0,
    "24%": 1,
    "params=6280,macs=300032,flops=613888,memory=10240": 0,
    "params=6279,macs=1M,flops=1M,memory=1MiB": 1,
    "params=6.28K,macs=18.3%,flops=18.4%,memory=10KiB": 0,
    "params=25%,macs=18.2%,flops=20%,memory=8%": 1,
    "params=25%,macs=19%,flops=20%,memory=10239": 1,
    "params=25%": 1,
    "params=0": 1,
    "0": 1,
    " params = 25% , macs = 19%, flops=19%,memory=8% ": 0,
}


@pytest.mark.parametrize("allow", ALLOWED)
def test_growth_within_what_is_allowed_passes(allow: str, run: Run) -> None:
    net(WIDER)
    code, growth = first(run, "net.arch", "--allow", allow)
    assert code == ALLOWED[allow]
    assert growth["status"] == ("grew" if code else "allowed")
    assert run("net.arch", "--baseline", "base.json", "--allow", allow, "--strict").code == 1


def test_a_share_is_exact_and_of_nothing_it_is_nothing() -> None:
    limits = read_limits("params=10%")
    assert limits["params"].allows(10**20, 11 * 10**19)
    assert not limits["params"].allows(10**20, 11 * 10**19 + 1)
    assert not limits["params"].allows(0, 1)
    assert limits["macs"] == read_limits(None)["macs"]


NOT_ALLOWED = {
    "weights=1%": ("`weights` is no sum that could grow", 1),
    "prams=1%": ("did you mean `params`?", 1),
    "params=-1%": ("`params=-1%` does not say by how much", 1),
    "params=x": ("`params=x` does not say by how much", 1),
    "params": ("`params` does not say by how much", 1),
    "params=": ("`params=` does not say by how much", 1),
    "": ("`` does not say by how much", 1),
    "5": ("`5` does not say by how much", 1),
    "params=1%,params=2%": ("`params` is allowed twice", 11),
    "macs=0,1%": ("`params` is allowed twice", 8),
    "params=64KiB": ("`params=64KiB` does not say by how much", 1),
    "macs=1,,": ("`` does not say by how much", 8),
    "params=1e999999%": ("does not say by how much", 1),
    "params=nan%": ("does not say by how much", 1),
}


@pytest.mark.parametrize("allow", NOT_ALLOWED)
def test_an_allowance_that_says_nothing_is_a_fault_at_its_place(allow: str, run: Run) -> None:
    message, column = NOT_ALLOWED[allow]
    ended = run("net.arch", "--baseline", "base.json", "--allow", allow)
    assert (ended.code, ended.out) == (2, "")
    assert f"--allow:1:{column}\n" in ended.err
    assert message in ended.err


def test_layers_that_make_up_for_one_another_are_told_and_pass(run: Run) -> None:
    net("arch n\ninput 8x8x4\nconv 1 4\nconv 1 4\nfc 2\n")
    run("net.arch", "--baseline", "base.json", "--update")
    net("arch n\ninput 8x8x4\nconv 1 4\nconv 1 4 groups=1\nfc 2\n")
    assert first(run)[1]["status"] == "same"  # it is the default
    net("arch n\ninput 8x8x4\nsigmoid\nconv 1 4\nconv 1 4\nfc 2\n")
    run("net.arch", "--baseline", "base.json", "--update")
    net("arch n\ninput 8x8x4\nconv 1 4\nsigmoid\nconv 1 4\nfc 2\n")
    code, growth = first(run)
    assert (code, growth["status"]) == (0, "changed")
    assert {each["kind"] for each in growth["layers"]} == {"added", "removed", "renamed"}
    assert run("net.arch", "--baseline", "base.json", "--strict").code == 1


def test_a_name_is_no_cost(run: Run) -> None:
    net(TINY.replace("conv2:", "second:"))
    code, growth = first(run)
    assert (code, growth["status"]) == (0, "renamed")
    assert [(each["before"]["name"], each["after"]["name"]) for each in growth["layers"]] == [("conv2", "second")]
    strict = run("net.arch", "--baseline", "base.json", "--strict")
    assert (strict.code, "net.arch:tiny second (was conv2) to accept" in told(strict)) == (1, True)
    comment = run("net.arch", "--baseline", "base.json", "--format", "md").out
    assert "| `conv2` → `second` | `conv 3/1/1 32` | `16x16x32` | 0 | 0 | 0 |" in comment
    notice = run("net.arch", "--baseline", "base.json", "--format", "github").out
    assert notice.endswith("no sum is other than before; second (was conv2)\n")


def test_memory_is_in_the_type_that_the_baseline_says(run: Run) -> None:
    run("net.arch", "--baseline", "half.json", "--dtype", "float16", "--update")
    assert (
        json.loads(run("net.arch", "--baseline", "half.json", "--format", "json").out)["baseline"]["nets"][0]["after"][
            "memory"
        ]
        == BYTES // 2
    )
    code, growth = first(run, "net.arch", "--dtype", "float16")
    assert (code, growth["status"], growth["change"]["memory"]) == (0, "shrank", -BYTES // 2)
    assert run("net.arch", "--baseline", "half.json", "--dtype", "float32").code == 1


# ---------------------------------------------------------------- which nets


def test_a_net_that_is_not_in_the_baseline_fails(run: Run) -> None:
    net("arch a { input 8x8x3 ; fc 2 }\narch b { input 8x8x3 ; fc 3 }\n", "two.arch")
    code, document = found(run, "net.arch", "two.arch")
    assert (code, document["failed"]) == (1, 2)
    assert [(each["arch"], each["status"]) for each in document["baseline"]["nets"]] == [
        ("net.arch:tiny", "same"),
        ("two.arch:a", "new"),
        ("two.arch:b", "new"),
    ]
    assert run("two.arch", "--baseline", "base.json", "--update").code == 0
    code, document = found(run, "net.arch", "two.arch")
    assert (code, [each["status"] for each in document["baseline"]["nets"]]) == (0, ["same"] * 3)


def test_a_net_that_is_gone_is_told_and_passes(run: Run) -> None:
    net("arch a { input 8x8x3 ; fc 2 }\narch b { input 8x8x3 ; fc 3 }\n", "two.arch")
    run("two.arch", "--baseline", "base.json", "--update")
    net("arch a { input 8x8x3 ; fc 2 }\n", "two.arch")
    for words in ((), ("two.arch",)):
        code, document = found(run, *(words or ("two.arch", "net.arch")))
        assert code == 0
        assert ("two.arch:b", "gone") in [(each["arch"], each["status"]) for each in document["baseline"]["nets"]]
        assert document["baseline"]["nets"][-1]["after"] is None
    assert run("two.arch", "--baseline", "base.json", "--strict").code == 1
    run("two.arch", "--baseline", "base.json", "--update")
    assert set(read_baseline(Path("base.json"))) == {"net.arch:tiny", "two.arch:a"}


def test_a_file_that_is_gone_takes_its_nets_along(run: Run) -> None:
    net("arch a { input 8x8x3 ; fc 2 }\n", "other.arch")
    run("other.arch", "--baseline", "base.json", "--update")
    Path("net.arch").unlink()
    ended = run("--baseline", "base.json", "--format", "csv")
    assert ended.code == 0
    assert f"net.arch:tiny,,params,{PARAMS},,-{PARAMS},gone" in ended.out.splitlines()


def test_a_file_that_moved_keeps_its_past(run: Run) -> None:
    Path("nets").mkdir()
    Path("net.arch").rename("nets/moved.arch")
    code, document = found(run, "nets/moved.arch")
    (growth,) = document["baseline"]["nets"]
    assert (code, growth["arch"], growth["was"], growth["status"]) == (
        0,
        "nets/moved.arch:tiny",
        "net.arch:tiny",
        "renamed",
    )
    net(WIDER, "nets/moved.arch")
    assert first(run, "nets/moved.arch")[1]["change"]["params"] == GROWN
    run("nets/moved.arch", "--baseline", "base.json", "--update")
    assert set(read_baseline(Path("base.json"))) == {"nets/moved.arch:tiny"}


def test_a_net_without_a_name_goes_by_its_file_when_that_moved(run: Run) -> None:
    net(TINY.partition("\n")[2].replace("classes", "10"), "plain.arch")
    run("plain.arch", "--baseline", "base.json", "--update")
    Path("nets").mkdir()
    Path("plain.arch").rename("nets/plain.arch")
    code, growth = first(run, "nets/plain.arch")
    assert (code, growth["arch"], growth["was"], growth["status"]) == (0, "nets/plain.arch", "plain.arch", "renamed")
    Path("nets/plain.arch").rename("nets/other.arch")  # may be another net
    assert first(run, "nets/other.arch")[1]["status"] == "new"


def test_standard_input_is_read_once_for_its_claims_and_its_baseline(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def given(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    claimed = TINY + f"expect params = {PARAMS}\n"
    given(claimed)
    assert run("-", "--baseline", "typed.json", "--update").code == 0
    given(claimed)
    ended = run("-", "--baseline", "typed.json")
    assert (ended.code, "1 as before" in told(ended), "1 hold, 0 fail" in told(ended)) == (0, True, True)
    given(WIDER)
    assert run("-", "--baseline", "typed.json").code == 1


def test_nets_that_are_not_named_are_neither_looked_at_nor_lost(run: Run) -> None:
    net("arch a { input 8x8x3 ; fc 2 }\n", "other.arch")
    run("other.arch", "--baseline", "base.json", "--update")
    net(WIDER)
    code, document = found(run, "other.arch")
    assert (code, len(document["baseline"]["nets"])) == (0, 1)
    before = read_baseline(Path("base.json"))
    run("other.arch", "--baseline", "base.json", "--update")
    assert read_baseline(Path("base.json")) == before


def test_without_a_name_all_of_the_baseline_is_looked_at(run: Run) -> None:
    names = ("net.arch", "lenet5", "resnet18(classes=10)", "net.arch:tiny(classes=3)")
    assert run(*names, "--baseline", "base.json", "--update").code == 0
    assert run("lenet5", "--input", "36x36x1", "--baseline", "base.json", "--update").code == 0
    held = read_baseline(Path("base.json"))
    assert set(held) == {
        *("net.arch:tiny", "net.arch:tiny(classes=3)", "lenet5", "resnet18(classes=10)", "lenet5 @ 36x36x1")
    }
    assert figure_of(held["lenet5"], "params") == 61_706  # LeCun et al. 1998, as taught; see specs/lenet.arch
    ended = run("--baseline", "base.json", "--format", "json")
    document = json.loads(ended.out)
    assert (ended.code, {each["status"] for each in document["baseline"]["nets"]}) == (0, {"same"})
    assert len(document["baseline"]["nets"]) == 5


def test_a_family_of_the_zoo_is_all_of_its_nets(run: Run) -> None:
    assert run("lenet", "--baseline", "zoo.json", "--update").code == 0
    assert "lenet5" in read_baseline(Path("zoo.json"))
    assert len(read_baseline(Path("zoo.json"))) > 1


def test_a_baseline_is_the_same_from_wherever_it_is_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("deep").mkdir()
    monkeypatch.chdir("deep")
    ended = run("../net.arch", "--baseline", "../base.json", "--format", "json")
    assert (ended.code, json.loads(ended.out)["baseline"]["nets"][0]["arch"]) == (0, "net.arch:tiny")
    assert run("--baseline", "../base.json").code == 0
    assert run(str(Path("../net.arch").resolve()), "--baseline", str(Path("../base.json").resolve())).code == 0


def test_nets_of_one_name_in_two_files_are_two(run: Run) -> None:
    net(WIDER, "wide.arch")
    assert run("net.arch", "wide.arch", "--baseline", "base.json", "--update").code == 0
    held = read_baseline(Path("base.json"))
    assert [figure_of(held[name], "params") for name in ("net.arch:tiny", "wide.arch:tiny")] == [
        PARAMS,
        PARAMS + GROWN,
    ]


def test_a_net_named_twice_is_looked_at_once_and_two_texts_need_names(run: Run) -> None:
    assert len(found(run, "net.arch", "net.arch:tiny")[1]["baseline"]["nets"]) == 1
    ended = run("input 8x8x3; fc 2", "input 8x8x3; fc 3", "--baseline", "t.json", "--update")
    assert (ended.code, "two nets go by `<net>:net`" in ended.err) == (2, True)
    assert not Path("t.json").exists()
    assert run("input 8x8x3; fc 2", "--baseline", "t.json", "--update").code == 0
    assert run("input 8x8x3; fc 3", "--baseline", "t.json").code == 1
    ended = run("--baseline", "t.json")
    assert (ended.code, "name the nets" in ended.err) == (2, True)


def test_claims_are_held_too_and_no_update_accepts_them(run: Run) -> None:
    net(WIDER + "expect params <= 30K\n")
    code, document = found(run)
    assert (code, document["failed"], document["claims"][0]["status"]) == (1, 2, "fails")
    ended = run("net.arch", "--baseline", "base.json", "--update")
    assert ended.code == 1
    assert "found 31,858" in ended.out
    net(WIDER + "expect params <= 32K\n")
    assert found(run)[0] == 0


def test_nothing_held_against_nothing_is_a_fault(run: Run) -> None:
    net("block two(n) { conv 3/1/1 n }\n", "blocks.arch")
    ended = run("blocks.arch", "--baseline", "base.json")
    assert (ended.code, "there is no net to hold against `base.json`" in ended.err) == (2, True)
    assert run("blocks.arch", "--baseline", "base.json", "--allow-unclaimed").code == 0
    net("# empty now\nblock two(n) { conv 3/1/1 n }\n")
    assert run("net.arch", "--baseline", "base.json", "--update").code == 0  # what it held is gone
    assert read_baseline(Path("base.json")) == {}
    assert run("--baseline", "base.json").code == 2


def test_a_table_is_verified_beside_the_nets(run: Run) -> None:
    table = '[[row]]\narch = "net.arch"\nparams = "25,578"\nmacs = "1.6M"\n'
    Path("mine.toml").write_text(f'source = "ours"\n{table}', "utf-8")
    code, document = found(run, "net.arch", "mine.toml")
    assert (code, [claim["status"] for claim in document["claims"]]) == (0, ["holds", "rounds"])
    assert len(document["baseline"]["nets"]) == 1


# ---------------------------------------------------------------- the file


def test_the_file_has_a_layer_a_line_and_nets_in_order(run: Run) -> None:
    run("vgg11", "lenet5", "alexnet", "--baseline", "base.json", "--update")
    text = Path("base.json").read_text("utf-8")
    held = json.loads(text)
    assert (held["kind"], held["format"], list(held["nets"])) == (
        "baseline",
        1,
        ["alexnet", "lenet5", "net.arch:tiny", "vgg11"],
    )
    tiny = held["nets"]["net.arch:tiny"]
    assert tiny["totals"] == {"params": PARAMS, "macs": MACS, "flops": 3_352_586, "activations": 33_802}
    line = next(line for line in text.splitlines() if '"name": "conv2", "layer": "conv 3/1/1 32"' in line)
    assert json.loads(line.strip().rstrip(",")) == {
        "name": "conv2",
        "layer": "conv 3/1/1 32",
        "output": [16, 16, 32],
        "params": 4_640,
        "macs": 1_179_648,
        "flops": 2_367_488,
        "activations": 8_192,
    }
    net(WIDER)
    run("net.arch", "--baseline", "base.json", "--update")
    after = Path("base.json").read_text("utf-8").splitlines()
    changed = [new for old, new in zip(text.splitlines(), after, strict=True) if old != new]
    assert len(changed) == 5  # the totals, and the four layers


def test_the_order_of_names_changes_nothing(run: Run) -> None:
    run("lenet5", "net.arch", "alexnet", "--baseline", "a.json", "--update")
    run("alexnet", "lenet5", "net.arch", "--baseline", "b.json", "--update")
    assert Path("a.json").read_bytes() == Path("b.json").read_bytes()


def test_what_is_as_it_was_is_not_written_again(run: Run) -> None:
    text = Path("base.json").read_text("utf-8")
    older = text.replace('"archcalc": "', '"archcalc": "0.0.')
    Path("base.json").write_text(older, "utf-8")
    ended = run("net.arch", "--baseline", "base.json", "--update")
    assert (ended.code, "base.json is as it was" in ended.out) == (0, True)
    assert Path("base.json").read_text("utf-8") == older


def test_an_update_tells_what_changed(run: Run) -> None:
    net(WIDER)
    ended = run("net.arch", "--baseline", "base.json", "--update")
    assert ended.code == 0
    assert "params 25,578 31,858 +6,280 (+24.6%) grew" in told(ended)
    assert "base.json is written" in ended.out


def test_a_baseline_is_written_whole_or_not_at_all(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Path("base.json").read_bytes()
    net(WIDER)

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    ended = run("net.arch", "--baseline", "base.json", "--update")
    assert (ended.code, "cannot write `base.json`: no space left on device" in ended.err) == (2, True)
    assert Path("base.json").read_bytes() == before
    assert sorted(path.name for path in Path().iterdir()) == ["base.json", "net.arch"]


def test_faults_write_nothing(run: Run) -> None:
    before = Path("base.json").read_bytes()
    net("arch x\ninput 8x8x3\nconvv 3 3\n", "bad.arch")
    net(WIDER)
    ended = run("net.arch", "bad.arch", "--baseline", "base.json", "--update")
    assert (ended.code, ended.out) == (2, "")
    assert "bad.arch:3:1" in ended.err
    assert Path("base.json").read_bytes() == before


def test_a_link_stays_a_link_and_rights_stay_what_they_are(run: Run) -> None:
    Path("base.json").chmod(0o640)
    Path("link.json").symlink_to("base.json")
    net(WIDER)
    assert run("net.arch", "--baseline", "link.json", "--update").code == 0
    assert Path("link.json").is_symlink()
    assert Path("base.json").stat().st_mode & 0o777 == 0o640
    assert first(run)[1]["status"] == "same"


NETS = (
    *("lenet5", "googlenet", "resnet18", "densenet121", "mobilenet_v1", "enet", "vgg11", "squeezenet1_1"),
    "left: input 8x8x3 ; right: input 8x8x3 ; concat left, right ; conv 3 4 ; output aux ; fc 2",
    "input 8x8x4 ; one: conv 3/1/1 4 ; conv 3/1/1 4 share=one ; fc 2",
)


@pytest.mark.parametrize("arch", NETS)
def test_what_is_written_is_read_back_and_as_before(arch: str, tmp_path: Path) -> None:
    taken_now = taken(arch)
    write_baseline(tmp_path / "b.json", {arch: taken_now})
    held = read_baseline(tmp_path / "b.json")[arch]
    assert held == taken_now._replace(layers=tuple(layer._replace(span=None) for layer in taken_now.layers))
    assert compare_net(arch, held, taken_now, read_limits(None)).status == "same"


PAIRS = [("vgg16", "vgg19"), ("resnet50", "resnet50_v1"), ("resnet18", "resnet34"), ("alexnet", "zfnet")]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_what_layers_cost_more_adds_up_to_what_the_net_costs_more(before: str, after: str) -> None:
    growth = compare_net("net", taken(before), taken(after), read_limits(None))
    assert add_up(shift.delta for shift in growth.shifts) == taken(after).totals - taken(before).totals
    assert growth.status == ("shrank" if before == "resnet50" else "grew" if before != "alexnet" else "resized")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(("conv 3/1/1 4", "conv 1 8", "relu", "bn", "pool 2", "tanh")), max_size=6), st.randoms()
)
def test_whatever_is_changed_the_layers_account_for_it(layers: list[str], chance: random.Random) -> None:
    changed = list(layers)
    for _ in range(chance.randrange(3)):
        at = chance.randrange(len(changed) + 1)
        changed[at : at + chance.randrange(2)] = ["conv 3/1/1 6"] * chance.randrange(2)
    before, after = (taken("; ".join(["input 64x64x4", *each, "fc 3"])) for each in (layers, changed))
    growth = compare_net("net", before, after, read_limits(None))
    assert add_up(shift.delta for shift in growth.shifts) == after.totals - before.totals
    assert (growth.status == "same") == (before == after or layers == changed)
    assert growth.fails(strict=True) == (growth.status != "same")
    assert {each.quantity: each.delta > 0 for each in growth.sums} == {
        name: figure_of(after, name) > figure_of(before, name) for name in GUARDED
    }


# ---------------------------------------------------------------- a damaged file

BASE = json.dumps(
    {
        "archcalc": "0.1.0",
        "kind": "baseline",
        "format": 1,
        "nets": {
            "net.arch:tiny": {
                "dtype": "float32",
                "inputs": {"input": [1, 1, 2]},
                "outputs": {"output": [1, 1, 2]},
                "totals": {"params": 0, "macs": 0, "flops": 0, "activations": 2},
                "layers": [
                    {
                        "name": "input",
                        "layer": "input 1x1x2",
                        "output": [1, 1, 2],
                        "params": 0,
                        "macs": 0,
                        "flops": 0,
                        "activations": 2,
                    }
                ],
            }
        },
    },
    indent=1,
)

DAMAGED = {  # what is done to the file: what is said, and what the caret stands under
    "empty": (BASE, "", "not JSON: the file is empty", ""),
    "cut off": (BASE[BASE.index('"layers"') :], "", "not JSON: expecting property name", ""),
    "a merge": ('"format"', '<<<<<<< HEAD\n"format"', "not JSON: a merge has left its marks here", "<<<<<<< HEAD"),
    "a comma": ('"kind": "baseline",', '"kind": "baseline"', "not JSON: expecting ',' delimiter", '"'),
    "no baseline": ('"baseline"', '"table"', "this is no baseline", '"table"'),
    "a list": (BASE, "[]", "this is no baseline", "["),
    "another format": ('"format": 1', '"format": 2', "a baseline of format `2`", "2"),
    "a format in words": ('"format": 1', '"format": "1"', "a baseline of format `1`", '"1"'),
    "a format that is true": ('"format": 1', '"format": true', "a baseline of format `True`", "true"),
    "no format": ('"format": 1,', "", "a baseline of format that it does not say", "{"),
    "no nets": ('"nets"', '"net"', "`nets` is missing", "{"),
    "nets in a list": (BASE[BASE.index('"nets"') : -1], '"nets": []', "here stands an object", "["),
    "a net that is a number": (BASE[BASE.index('"nets"') : -1], '"nets": {"n": 3}', "here stands an object", "3"),
    "another type": ('"float32"', '"float31"', "the type of numbers is one of float32, float16", '"float31"'),
    "type as a list": ('"float32"', '["float32"]', "the type of numbers is one of", "["),
    "no totals": ('"totals"', '"sums"', "`totals` is missing", "{"),
    "a total changed": ('"activations": 2}', "", "the activations of the layers add up to 2, not to 3", "3"),
    "a negative figure": ('"macs": 0,\n      "flops": 0,\n      "act', "", "`macs` is a whole number", "-1"),
    "a fraction": ('"params": 0', '"params": 0.5', "`params` is a whole number", "0.5"),
    "a truth": ('"params": 0', '"params": false', "`params` is a whole number", "false"),
    "null": ('"params": 0', '"params": null', "`params` is a whole number", "null"),
    "a text": ('"params": 0', '"params": "0"', "`params` is a whole number", '"0"'),
    "no number": ('"params": 0', '"params": NaN', "not JSON: NaN", "N"),
    "no end": ('"params": 0', '"params": 1e999', "`params` is a whole number", "1e999"),
    "too many digits": ('"params": 0', f'"params": {"9" * 5000}', "not JSON: a number of more than 4,300 digits", ""),
    "nested": (BASE, "[" * 100_000, "not JSON: nested too deeply", "["),
    "a size of two": ('"output": [', '"output": [1], "more": [', "a size is [height, width, channels]", "["),
    "no layers": ('"layers": [', '"layers": [], "more": [', "the layers are a list", "["),
    "a name of nothing": ('"name": "input"', '"name": ""', "`name` is a text on one line", '""'),
    "a name with a break": ('"name": "input"', '"name": "a\\n::error::b"', "`name` is a text on one line", '"a\\n'),
    "a net with a break": ('"net.arch:tiny"', '"a\\n::error::b"', "`a\\x0a::error::b` is not the name of a net", "{"),
    "a key twice": ('"format": 1,', '"format": 1, "format": 1,', "`format` is there twice", '"format"'),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_baseline_is_refused_at_its_place(damage: str, run: Run) -> None:
    old, new, message, under = DAMAGED[damage]
    text = BASE.replace(old, new, 1)
    if damage == "a total changed":
        text = re.sub(r'("activations": )2', r"\g<1>3", BASE, count=1)
    elif damage == "a negative figure":
        text = BASE[::-1].replace('"macs": 0'[::-1], '"macs": -1'[::-1], 1)[::-1]
    assert text != BASE
    Path("base.json").write_text(text, "utf-8")
    for words in (("--update",), ()):
        ended = run("net.arch", "--baseline", "base.json", *words)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"error: {message}"), ended.err
        place = re.search(r"--> base\.json:(\d+):(\d+)$", ended.err, re.MULTILINE)
        assert place, ended.err
        if under:
            line = (text + "\n").split("\n")[int(place[1]) - 1] + "\n"
            assert line[int(place[2]) - 1 :].startswith(under), ended.err
    assert Path("base.json").read_text("utf-8") == text


def test_what_is_no_text_or_too_long_is_refused(run: Run) -> None:
    Path("base.json").write_bytes(b'{"kind": "\xff"}')
    assert "base.json is not UTF-8: byte 0xff in line 1" in run("net.arch", "--baseline", "base.json").err
    Path("base.json").write_bytes(b" " * (2**25 + 1))
    ended = run("net.arch", "--baseline", "base.json")
    assert (ended.code, "is larger than 33,554,432 bytes" in ended.err) == (2, True)
    ended = run("net.arch", "--baseline", ".")
    assert (ended.code, "cannot read `.`: is a directory" in ended.err) == (2, True)


def test_a_place_in_json_is_found_through_keys_and_positions() -> None:
    text = ' {"a": [1, {"b\\"c": "x, ]}"}, [[]]],\n "d" : {"e": -2.5e3}}'
    source = Source("j", text)
    assert read_json(source) == {"a": [1, {'b"c': "x, ]}"}, [[]]], "d": {"e": -2500.0}}
    steps: dict[tuple[str | int, ...], str] = {
        (): "{",
        ("a",): "[",
        ("a", 0): "1",
        ("a", 1, 'b"c'): '"x, ]}"',
        ("a", 2, 0): "[",
        ("d", "e"): "-2.5e3",
    }
    for path, expected in steps.items():
        span = span_of(source, path)
        assert text[span.start : span.end] == expected


def test_a_baseline_that_is_not_there_is_a_fault_with_the_command_that_writes_it(run: Run) -> None:
    ended = run("net.arch", "--baseline", "my costs.json")
    assert (ended.code, ended.out) == (2, "")
    assert "there is no baseline `my costs.json`" in ended.err
    assert "help: write it: `archcalc verify net.arch --baseline 'my costs.json' --update`" in ended.err
    assert run("--baseline", "none.json", "--update").code == 2
    assert run("net.arch", "--baseline", "no/such/folder.json", "--update").code == 2


@pytest.mark.parametrize(
    "words", [("--update",), ("--strict",), ("--allow", "1%"), ("--input", "8x8x3"), ("--dtype", "int8")]
)
def test_what_is_about_a_baseline_needs_one(words: tuple[str, ...], run: Run) -> None:
    ended = run("net.arch", *words)
    assert (ended.code, ended.out) == (2, "")
    assert f"`{words[0]}` needs a baseline" in ended.err


def test_a_net_with_symbols_has_no_baseline(run: Run) -> None:
    net("input HxWx3 ; conv 3 4 ; gap ; fc 2")
    ended = run("net.arch", "--baseline", "s.json", "--update")
    assert (ended.code, "only numbers can be compared" in ended.err) == (2, True)
    assert run("net.arch", "--baseline", "s.json", "--input", "32x32x3", "--update").code == 0
    assert list(read_baseline(Path("s.json"))) == ["net.arch @ 32x32x3"]
    assert run("--baseline", "s.json").code == 0


# ---------------------------------------------------------------- exits


def changed(run: Run) -> None:
    """net.arch grown, small.arch shrunk, new.arch new, gone.arch gone."""
    net(TINY.replace("tiny", "small"), "small.arch")
    net("arch gone { input 8x8x3 ; fc 2 }\n", "gone.arch")
    run("small.arch", "gone.arch", "--baseline", "base.json", "--update")
    Path("gone.arch").unlink()
    net(NARROWER.replace("tiny", "small"), "small.arch")
    net("arch new { input 8x8x3 ; fc 2\nexpect params <= 10 }\n", "new.arch")
    net(DEEPER)


NAMES = ("net.arch", "small.arch", "new.arch", "--baseline", "base.json")


def test_junit_counts_what_it_holds(run: Run) -> None:
    changed(run)
    ended = run(*NAMES, "--format", "junit")
    assert ended.code == 1
    root = ElementTree.fromstring(ended.out)
    assert root.tag == "testsuites"
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["net.arch:tiny", "small.arch:small", "new.arch:new", "gone.arch:gone", "archcalc verify"]
    for element in (root, *root):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        assert element.get("failures") == str(sum(1 for case in cases if case.find("failure") is not None))
        assert element.get("errors") == "0"
    for case in root.iter("testcase"):
        assert case.get("classname")
        assert case.get("name")
        assert len(case) <= 1
    failed = {case.get("name"): case[0] for case in suites["net.arch:tiny"] if len(case)}
    assert list(failed) == ["params", "MACs", "FLOPs", "memory"]
    assert failed["params"].get("message") == "net.arch:tiny: params 25,578 -> 26,634, +1,056 (+4.1%)"
    assert "conv3: added conv 1/1/0 32" in (failed["params"].text or "")
    assert not list(suites["small.arch:small"].iter("failure"))
    assert len(list(suites["new.arch:new"].iter("failure"))) == 1
    assert root.get("failures") == "6"


# What junit-10.xsd of Jenkins' xUnit plugin allows, of what is written here: elements, and of each its attributes.
JUNIT = {
    "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "errors"}),
    "testsuite": ({"testcase"}, {"name", "tests", "failures", "errors", "skipped", "time", "timestamp", "hostname"}),
    "testcase": ({"failure", "skipped"}, {"name", "time", "classname", "group"}),
    "failure": (set(), {"type", "message"}),
    "skipped": (set(), {"type", "message"}),
}


def test_junit_is_what_the_schema_allows(run: Run) -> None:
    changed(run)
    for words in ((*NAMES, "--format", "junit"), ("new.arch", "--format", "junit")):
        for element in ElementTree.fromstring(run(*words).out).iter():
            inner, attributes = JUNIT[element.tag]
            assert {each.tag for each in element} <= inner
            assert set(element.attrib) <= attributes
            if element.tag == "testsuite":
                assert {"name", "tests", "failures", "errors"} <= set(element.attrib)


def test_junit_has_a_failure_for_each_net_that_fails(run: Run) -> None:
    changed(run)
    ended = run(*NAMES, "--strict", "--format", "junit")
    root = ElementTree.fromstring(ended.out)
    assert [bool(list(suite.iter("failure"))) for suite in root] == [True] * 5


def test_github_is_told_at_the_line_of_the_layer(run: Run) -> None:
    changed(run)
    ended = run(*NAMES, "--format", "github")
    assert ended.code == 1
    lines = ended.out.splitlines()
    assert all(
        re.fullmatch(r"::(error|notice) (file=[^,:]+,line=\d+,)?title=archcalc::[^%]*(%25[^%]*)*", line)
        for line in lines
    )
    assert [line.partition(",title")[0] for line in lines] == [
        "::error file=new.arch,line=2",
        "::error file=net.arch,line=6",  # the convolution put before pool2
        "::notice file=small.arch,line=5",
        "::error file=new.arch,line=1",
        "::notice title=archcalc::gone.arch:gone gone: 386 params, 384 MACs, 776 bytes",
    ]
    assert "net.arch:tiny grew: params 25,578 -> 26,634, +1,056 (+4.1%25)" in lines[1]
    assert "conv3: added conv 1/1/0 32, +1,056 params" in lines[1]


def test_layers_of_one_line_are_one_annotation_and_what_shrank_is_no_error(run: Run) -> None:
    text = "arch d\ninput 8x8x4\nrepeat 3 { conv 3/1/1 4 }\nwide: conv 1 64\nfc 2\n"
    net(text, "deep.arch")
    run("deep.arch", "--baseline", "base.json", "--update")
    net(text.replace("3/1/1 4", "5/1/2 4").replace("1 64", "1 32"), "deep.arch")
    lines = run("deep.arch", "--baseline", "base.json", "--format", "github").out.splitlines()
    assert [line.partition(",title")[0] for line in lines] == [
        "::error file=deep.arch,line=3",
        "::notice file=deep.arch,line=4",
    ]
    assert lines[0].endswith("1.conv1: conv 3/1/1 4 -> conv 5/1/2 4, +256 params, +16,384 MACs; and 2 more layers")


def test_every_net_is_annotated_before_the_further_layers_of_any(run: Run) -> None:
    text = "arch NAME\ninput 8x8x4\nconv 3/1/1 4\nconv 3/1/1 4\nconv 3/1/1 4\nfc 2\n"
    names = [f"n{i}.arch" for i in range(4)]
    for name in names:
        net(text.replace("NAME", name[:2]), name)
    run(*names, "--baseline", "base.json", "--update")
    for name in names:
        net(text.replace("NAME", name[:2]).replace("3/1/1 4", "5/1/2 4"), name)
    lines = run(*names, "--baseline", "base.json", "--format", "github").out.splitlines()
    assert len(lines) == 12  # of which GitHub shows ten
    assert [line.partition(",line=")[0] for line in lines[:4]] == [f"::error file={name}" for name in names]


def test_one_layer_more_is_said_so(run: Run) -> None:
    net(DEEPER.replace("conv 1 32 ;", "conv 1 32 ; relu ;"))
    assert "; and 1 more layer\n" in run("net.arch", "--baseline", "base.json", "--format", "github").out
    net(DEEPER.replace("conv 1 32 ;", "conv 1 32 ; relu ;" + "conv 1 32 ;" * 4))
    assert "and 1 more layer memory" in told(run("net.arch", "--baseline", "base.json"))


def test_latex_has_the_sums_and_below_them_the_layers(run: Run) -> None:
    net(WIDER)
    ended = run("net.arch", "--baseline", "base.json", "--format", "latex")
    assert ended.code == 1
    assert r"net.arch:tiny & params & 25,578 & 31,858 & +6,280 (+24.6\%) & grew \\" in ended.out.splitlines()
    conv2 = "conv2: conv 3/1/1 32 -> conv 3/1/1 40, +1,160 params, +294,912 MACs, +8,192 bytes"
    assert f"% net.arch:tiny: {conv2}" in ended.out.splitlines()
    assert "%   fc1: fc 10, as it was, +5,120 params, +5,120 MACs" in ended.out.splitlines()


def test_under_github_actions_the_annotations_stand_beside_the_answer(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(run)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    plain = run(*NAMES, "--format", "github")
    assert (plain.out.count("::error"), plain.err) == (3, "")
    table = run(*NAMES)
    assert table.out.endswith(plain.out)
    comment = run(*NAMES, "--format", "md", "-o", "comment.md")
    assert (comment.out, comment.err) == ("", plain.out)
    assert "::" not in Path("comment.md").read_text("utf-8")


def test_no_name_writes_a_command_of_its_own_into_the_log(run: Run) -> None:
    odd = "a,b:c%.arch"
    net(WIDER, odd)
    ended = run(odd, "--baseline", "base.json", "--format", "github")
    assert ended.out.startswith("::error file=a%2Cb%3Ac%25.arch,line=1,title=archcalc::a,b:c%25.arch:tiny not in")
    net(WIDER, "x\n::error::y.arch")
    ended = run("x\n::error::y.arch", "--baseline", "base.json", "--format", "github")
    assert (ended.code, ended.out) == (2, "")
    assert "\n::" not in ended.err


def test_the_comment_has_the_sums_then_the_layers_and_ends_with_the_command(run: Run) -> None:
    changed(run)
    ended = run(*NAMES, "--format", "md")
    lines = ended.out.splitlines()
    assert lines[0] == "<!-- archcalc -->"
    assert "1 grew, 1 not in the baseline, 1 gone, 1 shrank; 1 of 1 claims fail" in lines[1]
    rows = [line for line in lines if line.startswith("| `")]
    assert rows[0] == (
        "| `net.arch:tiny` | 25,578 → 26,634<br>+1,056 (+4.1%) | 1,642,496 → 1,904,640<br>+262,144 (+16.0%) "
        "| 135,208 → 167,976<br>+32,768 (+24.2%) | **grew** |"
    )
    assert rows[1].endswith("| shrank |")
    assert rows[2] == "| `new.arch:new` | 386 | 384 | 776 | **not in the baseline** |"
    assert rows[3] == "| `gone.arch:gone` | 386 | 384 | 776 | gone |"
    assert "| `conv3` | added `conv 1/1/0 32` | `16x16x32` | +1,056 | +262,144 | +32,768 |" in lines
    assert lines.count("</details>") == sum(line.startswith("<details>") for line in lines) == 2
    accept = f"archcalc verify {' '.join(NAMES)} --update"
    assert lines[-5:] == ["To accept:", "", "```sh", accept, "```"]
    assert run(*accept.split()[2:]).code == 1  # the claim about new.arch is not accepted by it
    assert found(run, *NAMES[:3])[1]["baseline"]["nets"][0]["status"] == "same"


def test_every_table_of_the_comment_is_square(run: Run) -> None:
    changed(run)
    widths = []
    for line in run(*NAMES, "--format", "md").out.splitlines():
        if line.startswith("|"):
            widths.append(line.replace("\\|", "").count("|"))
    assert set(widths) == {6, 7}


def test_the_comment_of_very_many_nets_still_fits_into_one(run: Run) -> None:
    text = "\n".join(f"arch n{i} {{ input 8x8x3 ; repeat 30 {{ conv 3/1/1 WIDTH ; relu }} }}" for i in range(200))
    net(text.replace("WIDTH", "4"), "many.arch")
    run("many.arch", "--baseline", "base.json", "--update")
    net(text.replace("WIDTH", "5"), "many.arch")
    ended = run("many.arch", "--baseline", "base.json", "--format", "md")
    assert ended.code == 1
    assert len(ended.out) < 65_536  # characters that GitHub takes
    assert "and 150 more" in ended.out
    assert "a comment holds no more" in ended.out


def test_csv_has_a_row_a_figure(run: Run) -> None:
    changed(run)
    rows = list(csv.DictReader(io.StringIO(run(*NAMES, "--format", "csv").out)))
    sums = {(row["arch"], row["quantity"]): row for row in rows if not row["layer"]}
    assert sums["net.arch:tiny", "params"] == {
        "arch": "net.arch:tiny",
        "layer": "",
        "quantity": "params",
        "before": "25578",
        "after": "26634",
        "change": "1056",
        "status": "grew",
    }
    for name in ("params", "macs", "flops"):
        of_layers = [row for row in rows if row["layer"] and row["arch"] == "net.arch:tiny" and row["quantity"] == name]
        assert sum(int(row["change"]) for row in of_layers) == int(sums["net.arch:tiny", name]["change"])
    assert sums["new", "params"]["status"] == "fails"


@pytest.mark.parametrize("words", [(), ("--baseline", "base.json")])
def test_csv_has_claims_in_digits_that_a_script_reads(words: tuple[str, ...], run: Run) -> None:
    net(TINY + f"expect params <= 26K\nexpect macs = {MACS:_}\nexpect output = 1x1x10\n")
    ended = run("net.arch", *words, "--format", "csv")
    rows = [row for row in csv.DictReader(io.StringIO(ended.out)) if row["status"] == "holds"]
    key = "after" if words else "computed"
    assert [row[key] for row in rows] == ["25578", "1642496", "1x1x10"]


def test_json_counts_all_that_fails(run: Run) -> None:
    changed(run)
    code, document = found(run, *NAMES[:3])
    assert (document["kind"], code, document["failed"]) == ("verify", 1, 3)
    assert document["baseline"]["file"] == "base.json"
    assert [(each["status"], each["fails"]) for each in document["baseline"]["nets"]] == [
        ("grew", True),
        ("shrank", False),
        ("new", True),
        ("gone", False),
    ]


def test_nothing_is_said_of_how_to_accept_where_nothing_changed(run: Run) -> None:
    for format_ in ("table", "md"):
        ended = run("net.arch", "--baseline", "base.json", "--format", format_)
        assert (ended.code, "accept" in ended.out) == (0, False)


def test_errata_are_told_within_the_width_of_the_screen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = run("--errata", "szegedy2014-table1").out
    monkeypatch.setenv("COLUMNS", "60")
    narrow = run("--errata", "szegedy2014-table1").out
    assert max(map(len, narrow.splitlines())) <= 60 < max(map(len, wide.splitlines()))
    assert narrow.split() == wide.split()


def test_errata_have_no_baseline(run: Run) -> None:
    assert run("net.arch", "--baseline", "base.json", "--errata").code == 2


def test_the_most_of_a_growth_is_told_first() -> None:
    before = taken("input 8x8x3; a: conv 3/1/1 4; b: conv 3/1/1 4; fc 2")
    after = taken("input 8x8x3; a: conv 3/1/1 5; b: conv 5/1/2 64; fc 2")
    growth: Growth = compare_net("n", before, after, read_limits(None))
    assert [shift.layer.name for shift in growth.largest()][:2] == ["b", "fc1"]
    assert growth.largest()[0].delta.params == 5 * 5 * 5 * 64 + 64 - (3 * 3 * 4 * 4 + 4)


def test_a_layer_of_a_type_that_is_no_more_is_removed(run: Run) -> None:
    text = Path("base.json").read_text("utf-8").replace('"layer": "relu"', '"layer": "oldrelu 3"')
    Path("base.json").write_text(text, "utf-8")
    code, growth = first(run)
    assert (code, growth["status"]) == (0, "changed")


def test_figures_take_away() -> None:
    assert Figures(5, 4, 3, 2) - Figures(1, 1, 1, 3) == Figures(4, 3, 2, -1)


def test_a_fault_of_the_spec_is_told_once(run: Run) -> None:
    net("arch x\ninput 8x8x3\nconvv 3 3\n")
    ended = run("net.arch", "--baseline", "base.json")
    assert (ended.code, ended.err.count("error:")) == (2, 1)


def test_no_baseline_is_read_of_a_name_that_is_not_there(run: Run) -> None:
    with pytest.raises(SpecError, match="there is no net"):
        load("no_such_net")
    ended = run("no_such_net", "--baseline", "base.json")
    assert (ended.code, "there is no table and no net `no_such_net`" in ended.err) == (2, True)


def test_python_raises_for_a_test_of_yours(run: Run) -> None:
    assert archcalc.verify("net.arch", baseline="base.json").guard is not None
    assert archcalc.verify(baseline=Path("base.json")).passes
    net(WIDER)
    with pytest.raises(
        archcalc.ClaimsFail, match=r"^net\.arch:tiny: grew: params 25,578 -> 31,858, \+6,280 \(\+24\.6%\)"
    ):
        archcalc.verify("net.arch", baseline="base.json")
    assert archcalc.verify("net.arch", baseline="base.json", allow="25%").passes
    with pytest.raises(SpecError, match="`--allow` needs a baseline"):
        archcalc.verify("net.arch", allow="25%")
