"""What `verify` found: a summary by source, the failures, the shelf of errata; as JSON, Markdown, JUnit … too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TextIO

from archcalc.analyses.papers import STATUSES, Outcome
from archcalc.lang.errors import Fault, SpecError, github_line
from archcalc.render import show
from archcalc.render.junit import Case, Suite, junit_lines
from archcalc.render.table import Column, Row, Table
from archcalc.render.terminal import Screen, wrapped
from archcalc.units import exact
from archcalc.verification import EXPECT, Verdict

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


def plain_text(value: object) -> str:
    """As `value_text`, for scripts: integers as digits alone."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value_text(value)


def lines(verdict: Verdict, errata: bool, view: show.View, stream: TextIO) -> Iterator[str]:
    """The outcomes in the format that is wanted. Raises `SpecError` for errata of a baseline."""
    if verdict.guard is not None:
        from archcalc.render import baselines

        if errata:
            raise SpecError([Fault("a baseline has no errata", help="leave out `--errata` or `--baseline`")])
        return baselines.guard_lines(verdict, verdict.guard, view, stream)
    outcomes = verdict.errata if errata else verdict.outcomes
    if view.format == "json":
        from archcalc.render import structured

        claims = [plain_claim(outcome) for outcome in outcomes]
        return iter([structured.document("verify", claims=claims, failed=len(verdict.failed))])
    if view.format == "junit":
        return junit_lines([Suite("archcalc verify", cases(outcomes))])
    if view.format == "github":
        return github_lines(verdict)
    if view.format == "html":
        tables = [_claims(outcomes)] if errata else [_summary(verdict), _claims(outcomes)]
        return show.tables_lines(tables, view, stream)
    if view.format == "csv":
        return show.table_lines(_claims(outcomes, plain_text), view, stream)
    if errata and view.format in ("md", "latex"):
        return show.table_lines(_claims(outcomes), view, stream)
    if errata:
        return _shelf(outcomes, verdict.failed, Screen(stream))
    return show.table_lines(_summary(verdict), view, stream)


def _claims(outcomes: tuple[Outcome, ...], written: Callable[[object], str] = value_text) -> Table:
    """A row a claim; computed values are `written` so, or for people."""
    rows = []
    for outcome in outcomes:
        cells = _cells(outcome) | {"computed": written(outcome.computed)}
        rows.append(Row(tuple(cells[column.key] for column in CLAIMS)))
    return Table(_claimed(len(outcomes)), CLAIMS, tuple(rows))


def _claimed(count: int) -> str:
    return f"{count:,} claim{'s' * (count != 1)}"


def _cells(outcome: Outcome) -> dict[str, object]:
    """What is said of a claim, without the computed value."""
    claim = outcome.claim
    return {
        "arch": claim.arch,
        "quantity": f"{claim.layer}: {claim.quantity}" if claim.layer else claim.quantity,
        "printed": claim.printed,
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
    title = f"{_claimed(len(verdict.outcomes))}{printed}; {len(verdict.failed)} fail"
    return Table(title, SUMMARY, rows, Row(("total", *sums), "total"), tuple(footer))


def _source(outcome: Outcome) -> str:
    claim = outcome.claim
    return claim.span.source.name.rpartition("/")[2]


def told(outcome: Outcome) -> str:
    """A failure in a line: where, what, printed, computed."""
    claim = outcome.claim
    place = f"{claim.span.source.name}:{claim.span.line}"
    if claim.place == EXPECT:
        return f"{place}: {claim.arch}: {outcome.note}"
    note = f"; {outcome.note}" if outcome.note else ""
    return f"{place}: {_subject(outcome)} printed {claim.printed}, computed {value_text(outcome.computed)}{note}"


def failures(verdict: Verdict) -> Iterator[str]:
    """All that fails, a line each: claims, then nets that are not let pass."""
    yield from map(told, verdict.failed)
    if verdict.guard is not None:
        from archcalc.render import baselines

        yield from (f"{growth.name}: {baselines.summary(growth)}" for growth in verdict.guard.failed)


def _subject(outcome: Outcome) -> str:
    claim = outcome.claim
    arch = " ".join(claim.arch.split())
    arch = arch if len(arch) <= LONGEST_ARCH else f"{arch[: LONGEST_ARCH - 1]}…"
    where = f"{arch} {claim.layer}" if claim.layer else arch
    than = f" to {' '.join(filter(None, (claim.than, claim.than_layer)))}" if claim.than or claim.than_layer else ""
    return f"{where}{than} {claim.quantity}".strip()


def _shelf(outcomes: tuple[Outcome, ...], failed: tuple[Outcome, ...], screen: Screen) -> Iterator[str]:
    """The famous wrong numbers, each with a sentence that teaches."""
    before = ""
    for outcome in outcomes:
        claim = outcome.claim
        heading = f"{claim.source}, {claim.place}" if claim.place else claim.source
        if heading != before:
            yield from ([""] if before else [])
            yield from wrapped(heading, screen, "bold")
            before = heading
        said = f"printed {claim.printed}, right is {claim.right} ({value_text(outcome.computed)})"
        yield from wrapped(f"{_subject(outcome)}: {said}", screen, "", 2)
        yield from wrapped(outcome.note, screen, "faint", 4)
    if not outcomes:
        yield "no errata here"
    for outcome in failed:
        yield from wrapped(f"fails: {told(outcome)}", screen, "wrong")


def claim_rows(verdict: Verdict) -> Iterator[tuple[str, object, str, str, str]]:
    """The claims in short, for scripts: net, what, as printed, as computed, verdict."""
    for outcome in verdict.outcomes:
        cells = _cells(outcome)
        yield outcome.claim.arch, cells["quantity"], outcome.claim.printed, plain_text(outcome.computed), outcome.status


def plain_claim(outcome: Outcome) -> dict[str, object]:
    """A claim as JSON holds it."""
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


def cases(outcomes: tuple[Outcome, ...]) -> tuple[Case, ...]:
    """A test a claim."""
    return tuple(map(_case, outcomes))


def _case(outcome: Outcome) -> Case:
    printed = outcome.claim.printed
    relation = "" if printed[:1] in ("<", ">", "~") else "= "  # of a budget its own
    name = f"{_subject(outcome)} {relation}{printed} (line {outcome.claim.span.line})"
    failure = told(outcome) if outcome.status == "fails" else ""
    return Case(_source(outcome), name, failure, skipped=outcome.note if outcome.status == "waits" else "")


def github_lines(verdict: Verdict) -> Iterator[str]:
    """The failures as GitHub shows them beside the lines of a change; nets that grew, too."""
    if verdict.guard is not None:
        from archcalc.render import baselines

        return baselines.annotation_lines(verdict, verdict.guard)
    return (github_line(Fault(told(outcome), outcome.claim.span)) for outcome in verdict.failed)
