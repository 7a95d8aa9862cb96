"""What `verify` found: a summary by source, the failures, the shelf of errata; as JSON, Markdown or JUnit too."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TextIO
from xml.sax.saxutils import quoteattr

from archcalc.analyses.papers import STATUSES, Outcome
from archcalc.lang.errors import Fault, github_line
from archcalc.render import show
from archcalc.render.table import Column, Row, Table
from archcalc.units import exact
from archcalc.verification import Verdict

LONGEST_ARCH = 60  # of a net as text; more is cut
SUMMARY = (Column("source", "source", "text"), *(Column(status, status, "count") for status in STATUSES))
CLAIMS = (
    Column("arch", "net", "text"),
    Column("quantity", "what", "text"),
    Column("printed", "printed", "size"),
    Column("computed", "computed", "size"),
    Column("status", "verdict", "text"),
    Column("right", "right", "size"),
    Column("note", "note", "text", 3),
    Column("source", "source", "text", 2),
    Column("where", "where", "text", 1),
)


def lines(verdict: Verdict, errata: bool, view: show.View, stream: TextIO) -> Iterator[str]:
    """The outcomes in the format that is wanted."""
    outcomes = verdict.errata if errata else verdict.outcomes
    if view.format == "json":
        from archcalc.render import structured

        claims = [_plain(outcome) for outcome in outcomes]
        return iter([structured.document("verify", claims=claims, failed=len(verdict.failed))])
    if view.format == "junit":
        return _junit(outcomes)
    if view.format == "csv" or (errata and view.format == "md"):
        return show.table_lines(_claims(outcomes), view, stream)
    if errata:
        return _shelf(outcomes, verdict.failed)
    return show.table_lines(_summary(verdict), view, stream)


def _claims(outcomes: tuple[Outcome, ...]) -> Table:
    """A row a claim."""
    rows = tuple(Row(tuple(_cells(outcome)[column.key] for column in CLAIMS)) for outcome in outcomes)
    return Table(f"{len(outcomes):,} claims", CLAIMS, rows)


def _cells(outcome: Outcome) -> dict[str, object]:
    claim = outcome.claim
    return {
        "arch": claim.arch,
        "quantity": f"{claim.layer}: {claim.quantity}" if claim.layer else claim.quantity,
        "printed": claim.printed,
        "computed": value_text(outcome.computed),
        "status": outcome.status,
        "right": claim.right or None,
        "note": outcome.note or None,
        "source": f"{claim.source}, {claim.place}".removesuffix(", "),
        "where": f"{claim.span.source.name}:{claim.span.line}",
    }


def _summary(verdict: Verdict) -> Table:
    counts: dict[str, dict[str, int]] = {}
    for outcome in verdict.outcomes:
        own = counts.setdefault(_source(outcome), dict.fromkeys(STATUSES, 0))
        own[outcome.status] += 1
    rows = tuple(Row((source, *own.values()), "warning" if own["fails"] else "") for source, own in counts.items())
    sums = [sum(own[status] for own in counts.values()) for status in STATUSES]
    footer = [("fails", told(outcome)) for outcome in verdict.failed]
    if any(outcome.status == "erratum" for outcome in verdict.outcomes):
        footer.append(("errata", "`archcalc verify --errata` tells what is printed wrongly, and what is right"))
    follow = sum(1 for outcome in verdict.outcomes if outcome.claim.follows)
    printed = f", {follow} of them not printed but following from what is" if follow else ""
    title = f"{len(verdict.outcomes):,} claims{printed}; {len(verdict.failed)} fail"
    return Table(title, SUMMARY, rows, Row(("total", *sums), "total"), tuple(footer))


def _source(outcome: Outcome) -> str:
    claim = outcome.claim
    return claim.span.source.name.rpartition("/")[2]


def told(outcome: Outcome) -> str:
    """A failure in a line: where, what, printed, computed."""
    claim = outcome.claim
    place = f"{claim.span.source.name}:{claim.span.line}"
    note = f"; {outcome.note}" if outcome.note else ""
    return f"{place}: {_subject(outcome)} printed {claim.printed}, computed {value_text(outcome.computed)}{note}"


def _subject(outcome: Outcome) -> str:
    claim = outcome.claim
    arch = " ".join(claim.arch.split())
    arch = arch if len(arch) <= LONGEST_ARCH else f"{arch[: LONGEST_ARCH - 1]}…"
    where = f"{arch} {claim.layer}" if claim.layer else arch
    than = f" to {' '.join(filter(None, (claim.than, claim.than_layer)))}" if claim.than or claim.than_layer else ""
    return f"{where}{than} {claim.quantity}".strip()


def _shelf(outcomes: tuple[Outcome, ...], failed: tuple[Outcome, ...]) -> Iterator[str]:
    """The famous wrong numbers, each with a sentence that teaches."""
    before = ""
    for outcome in outcomes:
        claim = outcome.claim
        heading = f"{claim.source}, {claim.place}" if claim.place else claim.source
        if heading != before:
            yield from ([""] if before else [])
            yield heading
            before = heading
        yield f"  {_subject(outcome)}: printed {claim.printed}, right is {claim.right} ({value_text(outcome.computed)})"
        yield f"    {outcome.note}"
    if not outcomes:
        yield "no errata here"
    for outcome in failed:
        yield f"fails: {told(outcome)}"


def value_text(value: object) -> str:
    """A computed value in words: integers exactly, ratios to four places."""
    if isinstance(value, bool) or value is None:
        return "nothing"
    if isinstance(value, int):
        return exact(value)
    if isinstance(value, Fraction):
        return f"{float(value):.4f}"
    if isinstance(value, tuple):
        return "x".join(str(each) for each in value)
    return str(value)


def _plain(outcome: Outcome) -> dict[str, object]:
    claim = outcome.claim
    computed = f"{float(outcome.computed):.6g}" if isinstance(outcome.computed, Fraction) else outcome.computed
    return {
        "source": f"{claim.source}, {claim.place}".removesuffix(", "),
        "arch": claim.arch or None,
        "layer": claim.layer,
        "quantity": claim.quantity,
        "printed": claim.printed,
        "follows": claim.follows,
        "right": claim.right or None,
        "computed": computed,
        "status": outcome.status,
        "note": outcome.note or None,
        "id": list(claim.ids),
        "where": f"{claim.span.source.name}:{claim.span.line}",
    }


def _junit(outcomes: tuple[Outcome, ...]) -> Iterator[str]:
    failed = sum(1 for outcome in outcomes if outcome.status == "fails")
    skipped = sum(1 for outcome in outcomes if outcome.status == "waits")
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    counts = f'tests="{len(outcomes)}" failures="{failed}" skipped="{skipped}" errors="0"'
    yield f"<testsuites {counts}>"
    yield f'<testsuite name="archcalc verify" {counts}>'
    for outcome in outcomes:
        name = quoteattr(f"{_subject(outcome)} = {outcome.claim.printed} (line {outcome.claim.span.line})")
        group = quoteattr(_source(outcome))
        if outcome.status == "fails":
            message = quoteattr(told(outcome))
            yield f"<testcase classname={group} name={name}><failure message={message}/></testcase>"
        elif outcome.status == "waits":
            yield f"<testcase classname={group} name={name}><skipped message={quoteattr(outcome.note)}/></testcase>"
        else:
            yield f"<testcase classname={group} name={name}/>"
    yield "</testsuite>"
    yield "</testsuites>"


def github_lines(verdict: Verdict) -> Iterator[str]:
    """The failures as GitHub shows them beside the lines of a change."""
    return (github_line(Fault(told(outcome), outcome.claim.span)) for outcome in verdict.failed)
