"""What is said of faulty nets, to the letter: a case is a net in `cases/errors`, with the diagnostic beside it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from inspect import isgenerator
from pathlib import Path
from typing import Any

import pytest

from archcalc.cli.entry import main
from archcalc.lang.errors import SpecError
from archcalc.library import load, load_all
from archcalc.ops import REGISTRY, Need, Op

CASES = sorted((Path(__file__).parent / "cases" / "errors").glob("*.arch"))
WITH_NEEDS = sorted({cls for cls in REGISTRY.values() if cls.needs is not Op.needs}, key=lambda cls: cls.types)
Places = dict[type[Op], set[tuple[str, int]]]  # function and line in which a need is stated


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_faulty_net_is_refused_with_the_diagnostic_beside_it(
    case: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(case.parent)  # so that the diagnostics name the file alone
    monkeypatch.setattr("sys.argv", ["archcalc", "lint", case.name])
    with pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr().err
    expected = case.with_suffix(".txt")
    if request.config.getoption("--update"):
        expected.write_text(said, "utf-8")
    assert end.value.code == 2
    assert said == expected.read_text("utf-8")


def test_every_diagnostic_belongs_to_a_case() -> None:
    diagnostics = {path.stem for path in CASES[0].parent.glob("*.txt")}
    assert diagnostics == {case.stem for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_diagnostic_states_in_lower_case_and_without_a_full_stop(case: Path) -> None:
    for kind, text in re.findall(
        r"^(?: *= )?(error|note|help): (.*)$", case.with_suffix(".txt").read_text("utf-8"), re.MULTILINE
    ):
        assert not text[0].isupper(), (kind, text)
        assert not text.endswith((".", ":")), (kind, text)


# ---------------------------------------------------------------- law 6


@pytest.fixture(scope="module")
def needs() -> tuple[Places, Places]:
    """Where the layer types state needs, as examples and cases come past them, and which of them the cases break."""
    stated: Places = defaultdict(set)
    broken: Places = defaultdict(set)
    with pytest.MonkeyPatch.context() as patch:
        for cls in WITH_NEEDS:
            patch.setattr(cls, "needs", recorded(cls, stated, broken))
        for cls in WITH_NEEDS:
            for example in cls.examples:
                load(example).build()
        assert not broken, "an example of a layer type is faulty"
        patch.chdir(CASES[0].parent)
        for case in CASES:
            build(case)
    return stated, broken


def build(case: Path) -> None:
    for net in load_all(case.name):
        try:
            net.build()
        except SpecError:
            continue


def recorded(cls: type[Op], stated: Places, broken: Places) -> Any:
    """The needs of a layer type, with a record kept of each."""
    original = cls.needs

    def needs(self: Op, *x: Any) -> Iterator[Need]:
        generator = original(self, *x)
        for need in generator:
            stated[cls].add(place_of_yield(generator))
            if need.condition is False:
                broken[cls].add(place_of_yield(generator))
            yield need

    return needs


def place_of_yield(generator: Any) -> tuple[str, int]:
    """Function and line that hold the `yield` at which a generator stands, through all `yield from`."""
    while isgenerator(generator.gi_yieldfrom):
        generator = generator.gi_yieldfrom
    return generator.gi_code.co_qualname, generator.gi_frame.f_lineno


@pytest.mark.parametrize("cls", WITH_NEEDS, ids=lambda cls: cls.types[0])
def test_each_need_of_a_layer_type_is_broken_by_a_case(cls: type[Op], needs: tuple[Places, Places]) -> None:
    stated, broken = needs
    assert stated[cls]
    assert sorted(stated[cls] - broken[cls]) == []
