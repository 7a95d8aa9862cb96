"""What solves a question: a table of the solutions, or of the nearest misses, and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import zip_longest
from typing import Any, TextIO

from archcalc.analyses.costs import Row as Layer
from archcalc.analyses.explanation import explain
from archcalc.analyses.terms import Letter
from archcalc.lang.printer import print_expr
from archcalc.lang.syntax import Sizes
from archcalc.notation.formulas import figure, substitution
from archcalc.ops.base import shown as written
from archcalc.render import show
from archcalc.render.structured import document, plain
from archcalc.render.table import Column, Row, Table
from archcalc.solving import Answer, Solution
from archcalc.solving.conditions import NumberCondition, SizeCondition
from archcalc.solving.questions import Like
from archcalc.units import percent, rows_and_columns
from archcalc.volume import Volume

SHOWN, EVERY = 10, 10_000  # rows
LONGEST_WAY = 8  # sizes in a line
BYTES = "memory"
_UNNAMED = re.compile(r"^\?\d+$")  # one of several `?`
COUNTED = ("params", "macs")  # of the replaced layers, told beside


def lines(answer: Answer, view: show.View, stream: TextIO) -> Iterator[str]:
    """An answer in the format that is wanted."""
    if view.format == "json":
        return iter([_document(answer)])
    return show.table_lines(_table(answer), view, stream)


# ---------------------------------------------------------------- the table


def _table(answer: Answer) -> Table:
    solutions = answer.solutions if answer.solved else answer.nearest
    columns = tuple(_columns(answer, solutions))
    rows = tuple(Row(tuple(_cell(column.key, each, answer) for column in columns)) for each in solutions)
    return Table(_title(answer), columns, rows, footer=tuple(_footer(answer)))


def _title(answer: Answer) -> str:
    question = answer.question
    arch = " ".join(question.arch.split())
    inputs = "" if question.of_inputs else f"; input {_input(answer)}"
    asked = ", ".join(condition.text for condition in question.conditions)
    like = f" (like {question.like.text})" if question.like else ""
    return f"{arch}{inputs}; {asked}{like}: {_how_many(answer)}"


def _input(answer: Answer) -> str:
    size = answer.question.size
    if size is not None:
        sides = size.parts if isinstance(size, Sizes) else (size,)
        return "x".join(_UNNAMED.sub("?", print_expr(side, tight=True)) for side in sides)
    some = (*answer.solutions, *answer.nearest)
    return str(some[0].trial.input) if some else ""


def _how_many(answer: Answer) -> str:
    if answer.number is None:
        return "solutions without end"
    if not answer.number:
        return "no solution" + ("; the nearest misses" if answer.nearest else "")
    return f"{answer.number:,} solution{'s' * (answer.number != 1)}"


def _columns(answer: Answer, solutions: tuple[Solution, ...]) -> Iterator[Column]:
    question = answer.question
    if question.of_inputs:
        yield Column("input", "input", "size")
    else:
        yield from (Column(unknown.title, unknown.title, "size") for unknown in answer.unknowns)
    if question.layers and len(question.layers) < 3:
        yield Column("layer", "layer", "text", 4)
    sizes = [each.title for each in question.conditions if isinstance(each, SizeCondition)]
    yield from (Column(title, title, "size", 8) for title in dict.fromkeys(sizes or ["output"] * bool(question.layers)))
    numbers = [
        each.title for each in question.conditions if isinstance(each, NumberCondition) and each.title != "dropped"
    ]
    if question.like:
        numbers += COUNTED
    for title in dict.fromkeys(numbers):
        kind = "bytes" if title.rpartition(".")[2] == BYTES else "count"
        yield Column(title, {"macs": "MACs", "flops": "FLOPs"}.get(title, title), kind, 8)
    if (sizes and not question.symbolic) or question.of_inputs:
        yield Column("dropped", "never seen", "text", 5)
    if any(each.gap.open for each in solutions):
        yield Column("when", "holds when", "text", 6)


def _cell(key: str, solution: Solution, answer: Answer) -> Any:
    question, trial = answer.question, solution.trial
    values = dict(zip((unknown.title for unknown in answer.unknowns), solution.values, strict=True))
    if key in values:
        return values[key]
    if key == "input":
        return trial.input
    if key == "layer":
        return "; ".join(dict.fromkeys(row.node.op.text() for row in _sought_layers(solution, answer)))
    if key == "dropped":
        return rows_and_columns(*_dropped(solution)) or "-"
    if key == "when":
        return solution.gap.open or None
    for condition in question.conditions:
        if condition.title == key:
            found = condition.found(trial)
            return written(found) if isinstance(found, Fraction) else found
    return trial.sizes[trial.built.graph.outputs[0][1]] if key == "output" else getattr(trial.report.total(), key)


def _sought_layers(solution: Solution, answer: Answer) -> list[Layer]:
    """The layers with an unknown; of one layer alone, that."""
    rows = solution.trial.report.rows
    return [row for row in rows if row.node.span in answer.question.layers] or [row for row in rows if row.inputs][:1]


def _dropped(solution: Solution) -> tuple[int, int]:
    """Rows and columns that the layers never see, all together."""
    counts = [row.cost.dropped or (0, 0) for row in solution.trial.report.rows]
    return sum(rows for rows, _ in counts), sum(columns for _, columns in counts)


# ---------------------------------------------------------------- below it


def _footer(answer: Answer) -> Iterator[tuple[str, str]]:
    question = answer.question
    some = (*answer.solutions, *answer.nearest)
    if answer.solved:
        yield "solutions", _all(answer)
    if some:
        yield from (("why", text) for text in _arithmetic(some[0], answer))
        yield from (("sizes", text) for text in _way(some[0], answer))
        yield from (("for", text) for text in _holding(some[0]))
    if question.like and answer.solutions:
        yield "instead", _saving(question.like, answer.solutions[0])
    yield from answer.notes
    if answer.solved and answer.nearest and _is_budget(answer):
        yield "next", _miss(answer.nearest[0], answer)
    if answer.trials:
        bounds = "; ".join(unknown.within() for unknown in answer.unknowns)
        yield "sought", f"{bounds}; no value between is left out ({answer.trials:,} trials)"


def _all(answer: Answer) -> str:
    """All solutions in words."""
    found = [each.text(unknown.title) for each, unknown in zip(answer.series, answer.unknowns, strict=False)]
    if answer.question.of_inputs and not answer.trials and len(found) == 1:
        found.append("any of these heights goes with any of these widths")
    shown = len(answer.solutions)
    if shown != answer.number:
        whole = f" of {answer.number:,}" if answer.number else ""
        found.append(f"{shown}{whole} shown")
    return "; ".join(found or [f"all {shown} shown"])


def _arithmetic(solution: Solution, answer: Answer) -> Iterator[str]:
    """How the figures that are asked for come about, where one layer alone makes them."""
    report = solution.trial.report
    asked = {"height" if isinstance(each, SizeCondition) else each.title for each in answer.question.conditions}
    layers = [row for row in report.rows if row.inputs]
    for row in layers if len(layers) == 1 else ():
        for quantity in next(explain(report, row.name).layers).quantities:
            term = quantity.term
            if quantity.name in asked and not isinstance(term, (int, Letter)):
                yield f"{quantity.name} of {row.name}: {substitution(term)} = {figure(quantity.value)}"


def _way(solution: Solution, answer: Answer) -> Iterator[str]:
    """The sizes on the way, one behind the other, where copies are sought."""
    sized = any(isinstance(each, SizeCondition) for each in answer.question.conditions)
    if not sized or not any(unknown.shapes for unknown in answer.unknowns):
        return
    sides = [f"{volume.h}" if volume.h == volume.w else f"{volume.h}x{volume.w}" for volume in solution.trial.sizes]
    sides = [side for side, before in zip(sides, ("", *sides), strict=False) if side != before]
    if len(sides) > LONGEST_WAY:
        sides = [*sides[: LONGEST_WAY // 2], "…", *sides[-LONGEST_WAY // 2 :]]
    if len(sides) > 1:
        yield " -> ".join(sides)


def _holding(solution: Solution) -> Iterator[str]:
    """The inputs in symbols on which the first solution can be built."""
    assumptions = solution.trial.built.assumptions
    if assumptions:
        from archcalc.symbolic.validity import domains

        yield from (domain.text for domain in domains(assumptions).values())


def _saving(like: Like, solution: Solution) -> str:
    """What the layers found cost, beside those that they stand in place of."""
    own, others = solution.trial.report.total().params, like.trial.report.total().params
    if not (isinstance(own, int) and isinstance(others, int)):
        return f"{own} params in place of {others}"
    less = f"{percent(abs(others - own), others)} {'less' if own < others else 'more'}"
    return f"{own:,} params in place of {others:,} of {like.text}: {less}"


def _is_budget(answer: Answer) -> bool:
    """Whether something is bounded on one side."""
    numbers = (each for each in answer.question.conditions if isinstance(each, NumberCondition))
    return any(each.least is None or each.most is None for each in numbers)


def _miss(solution: Solution, answer: Answer) -> str:
    """The nearest values that are no solution."""
    values = ", ".join(f"{unknown.title} = {n:,}" for unknown, n in zip(answer.unknowns, solution.values, strict=True))
    found = {each.title: each.found(solution.trial) for each in answer.question.conditions}
    figures = (f"{title} {_figure(title, n)}" for title, n in found.items())
    return f"{values} has {', '.join(figures)}"


def _figure(title: str, value: Any) -> str:
    """What was found of a quantity, or a size."""
    if isinstance(value, Volume):
        return str(value)
    return figure(value) + " bytes" * (title.rpartition(".")[2] == BYTES)


# ---------------------------------------------------------------- JSON


def _document(answer: Answer) -> str:
    """The answer, exactly.

    `number` is null where there are solutions without end: those from `start` on come again every `period`. `ranges`
    are of one unknown by itself, where any value goes with any of the others; `boxes` hold a range for each unknown: of
    all values, or of those that are `legal`.
    """
    unknowns = [
        {
            "name": unknown.title,
            "least": unknown.least if answer.trials else 1,
            "most": unknown.most if answer.trials else None,
            "legal": unknown.legal or None if len(answer.unknowns) > 1 else None,
            "ranges": series.ranges if series else None,
            "start": series.start if series and series.period else None,
            "period": series.period or None if series else None,
        }
        for unknown, series in zip_longest(answer.unknowns, answer.series)
    ]
    return document(
        "solve",
        arch=answer.question.arch,
        asked=[condition.text for condition in answer.question.conditions],
        solved=answer.solved,
        number=answer.number,
        unknowns=unknowns,
        boxes=answer.boxes or None,
        solutions=[_plain(each, answer) for each in answer.solutions],
        nearest=[_plain(each, answer) for each in answer.nearest],
    )


def _plain(solution: Solution, answer: Answer) -> dict[str, Any]:
    """One solution or miss: its values, what comes of it, how far it is from what is wanted."""
    trial = solution.trial
    values = {unknown.title: n for unknown, n in zip(answer.unknowns, solution.values, strict=True)}
    found = {condition.title: plain(condition.found(trial)) for condition in answer.question.conditions}
    numbers = all(row.cost.dropped is not None for row in trial.report.rows if row.inputs)
    return {
        "values": values,
        "input": plain(trial.input),
        "output": plain(trial.size("", trial.built.graph.nodes[0].span)),
        "found": found,
        "dropped": plain(_dropped(solution)) if numbers else None,
        "gap": float(solution.gap.low),
        "when": solution.gap.open or None,
    }
