"""Results as JUnit writes them, which is what CI servers read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(NamedTuple):
    """One test: a failure has a message, and may have lines below it; so has what was skipped."""

    group: str
    name: str
    failure: str = ""
    details: str = ""
    skipped: str = ""


class Suite(NamedTuple):
    """Tests that belong together."""

    name: str
    cases: tuple[Case, ...]


def junit_lines(suites: Sequence[Suite]) -> Iterator[str]:
    """The whole document."""
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield f"<testsuites {_counts([case for suite in suites for case in suite.cases])}>"
    for suite in suites:
        skipped = sum(1 for case in suite.cases if case.skipped)  # of all suites no schema has it
        yield f'<testsuite name={_quoted(suite.name)} {_counts(suite.cases)} skipped="{skipped}">'
        yield from map(_line, suite.cases)
        yield "</testsuite>"
    yield "</testsuites>"


def _counts(cases: Sequence[Case]) -> str:
    failed = sum(1 for case in cases if case.failure)
    return f'tests="{len(cases)}" failures="{failed}" errors="0"'


def _line(case: Case) -> str:
    head = f"<testcase classname={_quoted(case.group)} name={_quoted(case.name)}"
    if case.failure:
        details = f">{escape(_legal(case.details))}</failure>" if case.details else "/>"
        return f"{head}><failure message={_quoted(case.failure)}{details}</testcase>"
    if case.skipped:
        return f"{head}><skipped message={_quoted(case.skipped)}/></testcase>"
    return f"{head}/>"


def _quoted(text: str) -> str:
    return quoteattr(_legal(text))


def _legal(text: str) -> str:
    """A text without what XML cannot hold."""
    return _NOT_XML.sub("\ufffd", text)
