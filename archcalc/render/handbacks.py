"""Feedback to be handed back to students: Markdown, and pages of HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from archcalc.homework.answers import Mark
from archcalc.homework.submissions import Checked, Paper
from archcalc.render import webpage
from archcalc.render.feedback import (
    MEANT,
    MOST_MISTAKES,
    SIGNS,
    Feedback,
    Finding,
    cell_text,
    fault_lines,
    feedback_of,
    printable,
)
from archcalc.render.markup import escaped

_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~^$&@!]|:(?=//)|(?<=www)\.", re.IGNORECASE)
LONGEST_NAME = 200


# ---------------------------------------------------------------- Markdown


def markdown_lines(checked: Checked) -> Iterator[str]:
    """The feedback of each submission, one below the other."""
    for at, paper in enumerate(checked.papers):
        yield from [""] * (at > 0)
        if paper.marked is None:
            yield f"# {literal(printable(paper.name, LONGEST_NAME))}: not marked"
            yield ""
            yield from (f"- {literal(sentence)}" for sentence in fault_lines(paper))
        else:
            yield from _markdown(feedback_of(paper.marked, checked.solutions))


def _markdown(feedback: Feedback) -> Iterator[str]:
    yield f"# {literal(feedback.name)}: {literal(feedback.arch)}"
    yield ""
    yield f"**{feedback.score}**: {feedback.counts}"
    yield ""
    yield _line([literal(title) for title in feedback.titles])
    yield _line([":--"] * len(feedback.titles))
    for layer, marks in feedback.rows:
        yield _line([literal(layer), *(_markdown_cell(mark) for mark in marks)])
    yield ""
    yield " · ".join(f"{SIGNS[status]} {meant}" for status, meant in MEANT.items())
    for finding in feedback.findings:
        yield ""
        yield from _markdown_finding(finding)
    if feedback.sections:
        yield ""
    for heading, sentences in feedback.sections:
        yield from (f"- {heading}: {literal(sentence)}" for sentence in sentences)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _markdown_cell(mark: Mark | None) -> str:
    return f"{SIGNS[mark.status]} {code(cell_text(mark), True)}" if mark is not None else ""


def _markdown_finding(finding: Finding) -> Iterator[str]:
    right = f"; right is **{literal(finding.right)}**" if finding.right else ""
    start = f"{SIGNS[finding.status]} **{literal(finding.where)}**: {code(finding.given)}{right}"
    yield f"{start} ({finding.points}, {literal(finding.place)})"
    yield ""
    for at, (name, how) in enumerate(finding.mistakes[:MOST_MISTAKES]):
        yield f"- {'or ' * (at > 0)}*{literal(name)}*" + f": {literal(how)}" * bool(how)
    if finding.note:
        yield f"- {literal(finding.note)}"
    yield from (f"- {code(sentence)}" for sentence in finding.solution)


def literal(text: str) -> str:
    r"""A stranger's words as Markdown shows them: no link, no picture, no code.

    >>> print(literal("[a](http://b) *c* <d>: `e`"))
    \[a\](http\://b) \*c\* \<d\>: \`e\`
    """
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)


def code(text: str, in_table: bool = False) -> str:
    """Any text as code, letter by letter; a bar would end the cell of a table.

    >>> code("a`b"), code("a|b", True)
    ('`` a`b ``', '`a\\\\|b`')
    """
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if "`" in text else ""
    return f"{fence}{space}{text.replace('|', chr(92) + '|') if in_table else text}{space}{fence}"


# ---------------------------------------------------------------- HTML


def html_lines(checked: Checked) -> Iterator[str]:
    """A page; of several submissions with all of them, each in its own part."""
    if len(checked.papers) == 1:
        (paper,) = checked.papers
        return webpage.page(_title(paper, checked.arch), _styled(_html(paper, checked.solutions)))
    return webpage.page(f"{len(checked.papers):,} submissions: {checked.arch}", _styled(_parts(checked)))


def _styled(body: Iterator[str]) -> Iterator[str]:
    yield f"<style>{webpage.own('marks.css')}</style>"
    yield from body


def _title(paper: Paper, arch: str) -> str:
    return f"{printable(paper.name, LONGEST_NAME)}: {arch if paper.marked is not None else 'not marked'}"


def _parts(checked: Checked) -> Iterator[str]:
    for paper in checked.papers:
        yield f"<article><h2>{escaped(_title(paper, checked.arch))}</h2>"
        yield from _html(paper, checked.solutions)
        yield "</article>"


def _html(paper: Paper, solutions: bool) -> Iterator[str]:
    if paper.marked is None:
        yield from (f"<p>{escaped(sentence)}</p>" for sentence in fault_lines(paper))
        return
    feedback = feedback_of(paper.marked, solutions)
    yield f'<p class="score"><strong>{feedback.score}</strong>: {feedback.counts}</p>'
    yield '<div class="wide"><table class="sheet"><thead><tr>'
    yield "".join(f'<th scope="col">{escaped(title)}</th>' for title in feedback.titles)
    yield "</tr></thead><tbody>"
    for layer, marks in feedback.rows:
        cells = "".join(map(_html_cell, marks))
        yield f'<tr><th scope="row">{escaped(layer)}</th>{cells}</tr>'
    yield "</tbody></table></div>"
    yield f'<p class="legend">{" · ".join(f"{SIGNS[status]} {meant}" for status, meant in MEANT.items())}</p>'
    if feedback.findings:
        yield '<ol class="found">'
        for finding in feedback.findings:
            yield from _html_finding(finding)
        yield "</ol>"
    if feedback.sections:
        yield "<dl>"
        for heading, sentences in feedback.sections:
            yield f"<dt>{escaped(heading)}</dt><dd>{'<br>'.join(map(escaped, sentences))}</dd>"
        yield "</dl>"


def _html_cell(mark: Mark | None) -> str:
    if mark is None:
        return "<td></td>"
    sign = f'<span aria-label="{mark.status}">{SIGNS[mark.status]}</span>'
    return f'<td class="{mark.status}">{sign} {escaped(cell_text(mark))}</td>'


def _html_finding(finding: Finding) -> Iterator[str]:
    right = f"; right is {escaped(finding.right)}" if finding.right else ""
    aside = f'<span class="aside">({finding.points}, {escaped(finding.place)})</span>'
    start = f"{SIGNS[finding.status]} {escaped(finding.where)}: {escaped(finding.given)}{right}"
    yield f'<li class="{finding.status}"><p>{start} {aside}</p>'
    for at, (name, how) in enumerate(finding.mistakes[:MOST_MISTAKES]):
        yield f"<p>{'or ' * (at > 0)}<em>{escaped(name)}</em>{': ' * bool(how)}{escaped(how)}</p>"
    if finding.note:
        yield f"<p>{escaped(finding.note)}</p>"
    if finding.solution:
        yield f"<pre>{escaped(chr(10).join(finding.solution))}</pre>"
    yield "</li>"
