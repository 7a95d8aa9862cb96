"""Nets against their baseline: what grew, by how much, in which layers; for people, for CI and for a pull request."""

from __future__ import annotations

import html
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

from archcalc.analyses.baselines import Held, Snapshot
from archcalc.analyses.growth import FAILING, GUARDED, Growth, Shift, Sum, figure_of
from archcalc.lang.errors import Fault, github_line
from archcalc.render import show
from archcalc.render.junit import Case, Suite, junit_lines
from archcalc.render.markdown import escaped
from archcalc.render.table import Column, Row, Table
from archcalc.render.verdicts import cases, claim_rows, plain_claim, told
from archcalc.units import BYTES_PER_VALUE, change, exact
from archcalc.verification import Guard, Verdict

SHOWN = (
    Column("arch", "net", "text"),
    Column("quantity", "what", "text"),
    Column("before", "before", "size", 3),
    Column("after", "now", "size"),
    Column("change", "change", "size"),
    Column("status", "", "text"),
)
TIDY = (
    *(Column(key, key, "text") for key in ("arch", "layer", "quantity")),
    *(Column(key, key, "count") for key in ("before", "after", "change")),
    Column("status", "status", "text"),
)
WORDS = {"params": "params", "macs": "MACs", "flops": "FLOPs", "memory": "memory"}
UNITS = WORDS | {"memory": "bytes"}
IN_COMMENT = ("params", "macs", "memory")
SAID = {  # of a net: of one, and of several
    "grew": "grew",
    "resized": "with other sizes",
    "new": "not in the baseline",
    "gone": "gone",
    "allowed": "grew within what is allowed",
    "shrank": "shrank",
    "changed": "with other layers",
    "renamed": "with other names",
    "same": "as before",
}
MOST_LAYERS = 5  # of a net in the footer
MOST_ROWS = 200  # of a net in a comment, which may have 65,536 characters
MOST_NOTES = 9  # annotations of a net: GitHub shows ten of a step
MARK = "<!-- archcalc -->"  # by which a comment is found again
MOST_COMMENT = 40_000  # … for the layers
MOST_NETS = 50  # of a comment


def guard_lines(verdict: Verdict, guard: Guard, view: show.View, stream: TextIO) -> Iterator[str]:
    """The nets and the claims about them in the format that is wanted."""
    if view.format == "json":
        return _document(verdict, guard)
    if view.format == "junit":
        return junit_lines([*_suites(guard), Suite("archcalc verify", cases(verdict.outcomes))])
    if view.format == "github":
        return annotation_lines(verdict, guard)
    if view.format == "md":
        return comment(verdict, guard)
    if view.format == "csv":
        return show.table_lines(_tidy(verdict, guard), view, stream)
    return show.table_lines(_table(verdict, guard), view, stream)


# ---------------------------------------------------------------- words


def headline(guard: Guard) -> str:
    """What became of the nets, in a line: `3 nets against base.json: 1 grew, 2 as before`."""
    counts: Counter[str] = Counter(growth.status for growth in guard.growths)
    said = ", ".join(f"{counts[status]:,} {words}" for status, words in SAID.items() if counts[status])
    nets = f"{len(guard.growths):,} net{'s' * (len(guard.growths) != 1)}"
    return f"{nets} against {guard.wish.baseline}" + (f": {said}" if said else "")


def _change(sum_: Sum) -> str:
    """`+4,640 (+18.1%)`."""
    share = f" ({change(sum_.delta, sum_.before)})" if sum_.before and sum_.delta else ""
    return f"{sum_.delta:+,}{share}" if sum_.delta else "0"


def _sums(growth: Growth) -> str:
    """The sums that changed: `params 25,578 -> 30,218, +4,640 (+18.1%)`."""
    changed = [each for each in growth.sums if each.delta]
    worst = [each for each in changed if each.outcome == "grew"] or changed
    said = [f"{each} {_sizes(before)} -> {_sizes(after)}" for each, before, after in growth.resized()]
    return "; ".join((*said, *map(_said, worst)))


def _said(sum_: Sum) -> str:
    unit = " bytes" * (sum_.quantity == "memory")
    return f"{WORDS[sum_.quantity]} {sum_.before:,} -> {sum_.after:,}{unit}, {_change(sum_)}"


def _sizes(sizes: tuple[Any, ...]) -> str:
    return " and ".join(map(str, sizes))


def summary(growth: Growth) -> str:
    """What became of a net, in a line."""
    if growth.status in ("new", "gone"):
        net = growth.after or growth.before
        figures = ", ".join(f"{figure_of(net, each):,} {UNITS[each]}" for each in IN_COMMENT)
        return f"{SAID[growth.status]}: {figures}"
    was = f"; was {growth.was}" if growth.was else ""
    return f"{SAID[growth.status]}: {_sums(growth) or 'no sum is other than before'}{was}"


def shift_text(shift: Shift, dtype: str) -> str:
    """A layer that is not what it was, and what it costs more."""
    delta = shift.delta
    more = {
        **{UNITS[name]: getattr(delta, name) for name in ("params", "macs")},
        "FLOPs": 0 if delta.macs else delta.flops,
        "bytes": delta.activations * BYTES_PER_VALUE[dtype],
    }
    figures = ", ".join(f"{value:+,} {name}" for name, value in more.items() if value)
    return ", ".join(filter(None, (_what(shift), figures)))


def _worth_telling(growth: Growth, shifts: Iterable[Shift]) -> list[Shift]:
    """The layers that are worth a line: those of another name only where nothing else became of the net."""
    return [shift for shift in shifts if shift.kind != "renamed" or growth.status == "renamed"]


def _more(layers: int) -> str:
    return f"{layers:,} more layer{'s' * (layers != 1)}"


def _what(shift: Shift) -> str:
    before, after, layer = shift.before, shift.after, shift.layer
    if before is None or after is None:
        return f"{layer.name}: {shift.kind} {layer.text}"
    named = layer.name if before.name == after.name else f"{after.name} (was {before.name})"
    if shift.kind == "changed":
        return f"{named}: {before.text} -> {after.text}"
    sizes = f" now gives {after.output}, not {before.output}" if before.output != after.output else ", as it was"
    return f"{named}: {after.text}{sizes}" if shift.kind == "follows" else named


def _dtype(growth: Growth) -> str:
    net = growth.after or growth.before
    assert net is not None
    return net.dtype


# ---------------------------------------------------------------- terminal


def _table(verdict: Verdict, guard: Guard) -> Table:
    rows = [row for growth in guard.growths for row in _rows(growth, guard.wish.strict and not guard.wish.update)]
    return Table(headline(guard), SHOWN, tuple(rows), footer=tuple(_footer(verdict, guard)))


def _rows(growth: Growth, strict: bool) -> Iterator[Row]:
    """A line a sum that changed, the name of the net before the first."""
    name = growth.name
    for what, before, after, difference, outcome in _lines(growth) or [("", None, None, None, SAID[growth.status])]:
        wrong = outcome in FAILING or (strict and growth.status != "same")
        yield Row((name, what, before, after, difference, outcome), "wrong" if wrong else "")
        name = ""


_Line = tuple[str, "str | None", "str | None", "str | None", str]  # what, before, now, change, outcome


def _lines(growth: Growth) -> list[_Line]:
    """What changed; of a net that is new or gone what it costs."""
    if growth.status in ("new", "gone"):
        sums = [each for each in growth.sums if each.quantity in IN_COMMENT]
        ends = [
            (exact(each.before) if growth.before else None, exact(each.after) if growth.after else None)
            for each in sums
        ]
        return [(WORDS[each.quantity], *both, None, growth.status) for each, both in zip(sums, ends, strict=True)]
    found: list[_Line] = [
        (what, _sizes(before), _sizes(after), None, "resized") for what, before, after in growth.resized()
    ]
    for each in growth.sums:
        if each.delta:
            found.append((WORDS[each.quantity], exact(each.before), exact(each.after), _change(each), each.outcome))
    return found


def _footer(verdict: Verdict, guard: Guard) -> Iterator[tuple[str, str]]:
    """The layers of each net that changed; claims that fail; what to do about it."""
    for growth in guard.growths:
        heading = growth.name
        shifts = _worth_telling(growth, growth.largest())
        for shift in shifts[:MOST_LAYERS]:
            yield heading, shift_text(shift, _dtype(growth))
            heading = ""
        if len(shifts) > MOST_LAYERS:
            yield "", f"and {_more(len(shifts) - MOST_LAYERS)}"
    if any(what == WORDS["memory"] for growth in guard.growths for what, *_ in _lines(growth)):
        yield "memory", "bytes of all outputs"
    yield from (("fails", told(outcome)) for outcome in verdict.failed)
    holding = len(verdict.outcomes) - len(verdict.failed)
    if verdict.outcomes:
        yield "claims", f"{holding:,} hold, {len(verdict.failed):,} fail"
    if guard.wish.update:
        yield "baseline", f"{guard.wish.baseline} is {'written' if guard.written else 'as it was'}"
    elif any(growth.status != "same" for growth in guard.growths):
        yield "to accept", guard.accept


# ---------------------------------------------------------------- for machines


def _document(verdict: Verdict, guard: Guard) -> Iterator[str]:
    from archcalc.render import structured

    claims = [plain_claim(outcome) for outcome in verdict.outcomes]
    nets = [_plain(growth, guard) for growth in guard.growths]
    held = {"file": guard.wish.baseline, "strict": guard.wish.strict, "written": guard.written, "accept": guard.accept}
    failed = len(verdict.failed) + len(guard.failed)
    yield structured.document("verify", claims=claims, baseline={**held, "nets": nets}, failed=failed)


def _plain(growth: Growth, guard: Guard) -> dict[str, object]:
    return {
        "arch": growth.name,
        "was": growth.was or None,
        "status": growth.status,
        "fails": growth in guard.failed,
        "before": _net(growth.before),
        "after": _net(growth.after),
        "change": {each.quantity: each.delta for each in growth.sums},
        "sums": {each.quantity: each.outcome for each in growth.sums},
        "layers": [
            {"kind": each.kind, "before": _layer(each.before), "after": _layer(each.after)} for each in growth.shifts
        ],
    }


def _net(net: Snapshot | None) -> dict[str, object] | None:
    if net is None:
        return None
    figures = {each: figure_of(net, each) for each in GUARDED}
    return {"dtype": net.dtype, "inputs": dict(net.inputs), "outputs": dict(net.outputs), **figures}


def _layer(layer: Held | None) -> dict[str, object] | None:
    if layer is None:
        return None
    return {"name": layer.name, "layer": layer.text, "output": layer.output, **layer.figures._asdict()}


def _tidy(verdict: Verdict, guard: Guard) -> Table:
    """A row a figure: the sums of every net, the figures of the layers that changed, the claims."""
    rows = [Row(cells) for growth in guard.growths for cells in (*_tidy_sums(growth), *_tidy_layers(growth))]
    rows += [
        Row((arch, "", what, said, found, None, status)) for arch, what, said, found, status in claim_rows(verdict)
    ]
    return Table(headline(guard), TIDY, tuple(rows))


def _tidy_sums(growth: Growth) -> Iterator[tuple[object, ...]]:
    for what, old, new in growth.resized():
        yield growth.name, None, what, _sizes(old), _sizes(new), None, "resized"
    for each in growth.sums:
        before, after = (n if net else None for n, net in ((each.before, growth.before), (each.after, growth.after)))
        status = growth.status if growth.status in ("new", "gone") else each.outcome
        yield growth.name, None, each.quantity, before, after, each.delta, status


def _tidy_layers(growth: Growth) -> Iterator[tuple[object, ...]]:
    for shift in growth.shifts:
        for name, delta in shift.delta._asdict().items():
            before, after = (getattr(each.figures, name) if each else None for each in (shift.before, shift.after))
            yield growth.name, shift.layer.name, name, before, after, delta, shift.kind


def _suites(guard: Guard) -> Iterator[Suite]:
    """A suite a net, a test a sum; and one that its sizes are as they were, which also a new net fails."""
    for growth in guard.growths:
        details = "\n".join(shift_text(shift, _dtype(growth)) for shift in growth.largest())
        failing = growth in guard.failed
        found = [_judged(growth, each, failing, details) for each in growth.sums] if growth.status != "new" else []
        grown = any(case.failure for case in found)
        if failing and (growth.status != "grew" or not grown):
            found.append(Case(growth.name, "as in the baseline", summary(growth), details))
        else:
            found.append(Case(growth.name, "as in the baseline"))
        yield Suite(growth.name, tuple(found))


def _judged(growth: Growth, sum_: Sum, failing: bool, details: str) -> Case:
    grew = failing and sum_.outcome == "grew"
    said = f"{growth.name}: {_said(sum_)}"
    return Case(growth.name, WORDS[sum_.quantity], said if grew else "", details if grew else "")


def annotation_lines(verdict: Verdict, guard: Guard) -> Iterator[str]:
    """What GitHub shows beside the lines of a change: the layers of nets that fail, notices of those that pass.

    It shows the first ten of a step, so that every net comes before the further layers of any.
    """
    for outcome in verdict.failed:
        yield github_line(Fault(told(outcome), outcome.claim.span))
    others = [growth for growth in guard.growths if growth.status != "same" and not guard.wish.update]
    notes = [list(_notes(growth, growth in guard.failed)) for growth in others]
    yield from (first for first, *_ in notes)
    yield from (line for _, *further in notes for line in further)


def _notes(growth: Growth, fails: bool) -> Iterator[str]:
    """The net, at the layer that added most to it; then what else was changed or added, each at its line."""
    shifts = _worth_telling(growth, growth.largest())
    shifts.sort(key=lambda shift: max(shift.delta) <= 0)  # what grew before what shrank
    places: dict[tuple[str, int], list[Shift]] = {}
    for shift in shifts:
        span = shift.layer.span
        if span is not None and shift.kind in ("changed", "added") and os.path.isfile(span.source.name):
            places.setdefault((span.source.name, span.line), []).append(shift)
    groups = list(places.values())
    said = f"{growth.name} {summary(growth)}"
    if shifts:
        said += f"; {_together(groups[0] if groups else shifts, growth)}"
    span = groups[0][0].layer.span if groups else growth.span
    yield github_line(Fault(said, span), "error" if fails else "notice")
    for group in groups[1:MOST_NOTES]:
        grew = fails and any(max(shift.delta) > 0 for shift in group)
        fault = Fault(f"{growth.name}: {_together(group, growth)}", group[0].layer.span)
        yield github_line(fault, "error" if grew else "notice")


def _together(shifts: list[Shift], growth: Growth) -> str:
    """The first of several layers, and how many there are beside it: a line of a block is many layers."""
    more = f"; and {_more(len(shifts) - 1)}" if len(shifts) > 1 else ""
    return shift_text(shifts[0], _dtype(growth)) + more


# ---------------------------------------------------------------- a comment


def comment(verdict: Verdict, guard: Guard) -> Iterator[str]:
    """The body of a comment on a pull request: the sums of every net, then its layers, folded."""
    yield MARK
    yield f"### archcalc: {_verdict(verdict, guard)}"
    yield ""
    yield "| net | params | MACs | memory (bytes) | |"
    yield f"|:--|{'--:|' * len(IN_COMMENT)}:--|"
    other = [growth for growth in guard.growths if growth.status != "same"]
    shown = guard.growths if len(guard.growths) <= MOST_NETS else other[:MOST_NETS]
    for growth in shown:
        cells = [_cell(growth, each) for each in growth.sums if each.quantity in IN_COMMENT]
        yield f"| {_code(growth.name)} | {' | '.join(cells)} | {_status(growth, guard)} |"
    if len(shown) < len(guard.growths):
        yield f"| and {len(guard.growths) - len(shown):,} more {'| ' * len(IN_COMMENT)}| |"
    if verdict.failed:
        yield ""
    yield from (f"- {escaped(told(outcome))}" for outcome in verdict.failed[:MOST_NETS])
    yield from _folded(guard)
    yield ""
    if guard.wish.update:
        yield f"{_code(guard.wish.baseline or '')} is {'written' if guard.written else 'as it was'}."
    elif any(growth.status != "same" for growth in guard.growths):
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", guard.accept)), default=0))
        yield from ("To accept:", "", f"{fence}sh", guard.accept, fence)


def _verdict(verdict: Verdict, guard: Guard) -> str:
    """The headline of a comment."""
    claims = f"; {len(verdict.failed):,} of {len(verdict.outcomes):,} claims fail" if verdict.failed else ""
    return escaped(headline(guard)) + claims


def _status(growth: Growth, guard: Guard) -> str:
    mark = "**" if growth in guard.failed else ""
    ends = (f"{what} {_sizes(before)} → {_sizes(after)}" for what, before, after in growth.resized())
    was = [f"was {_code(growth.was)}"] if growth.was else []
    return ", ".join([f"{mark}{SAID[growth.status]}{mark}", *ends, *was])


def _cell(growth: Growth, sum_: Sum) -> str:
    if growth.status in ("new", "gone"):
        return exact(sum_.after if growth.after else sum_.before)
    if not sum_.delta:
        return exact(sum_.after)
    return f"{exact(sum_.before)} → {exact(sum_.after)}<br>{_change(sum_)}"


def _folded(guard: Guard) -> Iterator[str]:
    """The layers that changed, of each net by itself, as long as there is room in a comment."""
    room = MOST_COMMENT
    for growth in guard.growths:
        block = list(_layers(growth))
        room -= sum(len(line) + 1 for line in block)
        if room < 0:
            yield ""
            yield "The layers of further nets are left out here: a comment holds no more."
            return
        yield from block


def _layers(growth: Growth) -> Iterator[str]:
    shifts = _worth_telling(growth, growth.shifts)
    if not shifts:
        return
    count = f"{len(shifts):,} layer{'s' * (len(shifts) != 1)}"
    yield ""
    yield f"<details><summary><code>{html.escape(growth.name)}</code>: {count}</summary>"
    yield ""
    yield "| layer | | output | params | MACs | memory (bytes) |"
    yield "|:--|:--|:--|--:|--:|--:|"
    for shift in shifts[:MOST_ROWS]:
        yield f"| {' | '.join(_layer_cells(shift, BYTES_PER_VALUE[_dtype(growth)]))} |"
    if len(shifts) > MOST_ROWS:
        yield ""
        yield f"and {len(shifts) - MOST_ROWS:,} more."
    yield ""
    yield "</details>"


def _layer_cells(shift: Shift, bytes_per_value: int) -> Iterator[str]:
    before, after, delta = shift.before, shift.after, shift.delta
    yield _arrow(before.name, after.name) if before and after else _code(shift.layer.name)
    if before and after:
        yield _arrow(before.text, after.text)
        yield _arrow(str(before.output), str(after.output))
    else:
        yield f"{shift.kind} {_code(shift.layer.text)}"
        yield _code(str(shift.layer.output))
    figures = delta.params, delta.macs, delta.activations * bytes_per_value
    yield from (f"{value:+,}" if value else "0" for value in figures)


def _arrow(before: str, after: str) -> str:
    return _code(after) if before == after else f"{_code(before)} → {_code(after)}"


def _code(text: str) -> str:
    """A text as code in a cell of a table, whatever is in it."""
    text = text.replace("|", "\\|")
    return f"<code>{html.escape(text)}</code>" if "`" in text else f"`{text}`"
