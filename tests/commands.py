"""The command line, run in the process of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from archcalc.__main__ import main


class Ended(NamedTuple):
    """How a command has ended, and what it has printed."""

    code: object
    out: str
    err: str


Run = Callable[..., Ended]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *first: str) -> Run:
    """Runs `archcalc` with some first words: an exception that is not told ends the test."""

    def run(*words: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["archcalc", *first, *words])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return Ended(end.value.code, out, err)

    return run
