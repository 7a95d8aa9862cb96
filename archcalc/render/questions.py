"""What is told of a question, whatever it is then written in: the task, the net in words, its table, its derivation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from inspect import getdoc
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report
from archcalc.analyses.explanation import Explained, explain
from archcalc.analyses.receptive import follow
from archcalc.graph import Graph, Node
from archcalc.homework.exercises.questions import COLUMNS, TOTAL, Cell, Question, solved
from archcalc.lang.printer import print_expr
from archcalc.lang.syntax import Layer, Sizes, parts
from archcalc.notation.derivations import Entry, entry, sizes
from archcalc.notation.formulas import TEXT, Script
from archcalc.ops.base import shown
from archcalc.render.table import Column, Row, Table
from archcalc.solving import Question as Sought
from archcalc.solving.unknowns import sought_in
from archcalc.units import exact

LABELS = {"memory": ("memory", "activations"), "params": ("parameters", "params"), "macs": ("MACs", "macs")}
SIDE = "H"  # of an input that is sought


def task(question: Question) -> str:
    """What is to be done, in a sentence or two."""
    match question.kind:
        case "table":
            return f"Fill in the table. {_conventions(question)}"
        case "input":
            which = f"For which input {_sides(question)} {_asked_of_input(question)}?"
            return " ".join((which, *_bounds(question), "One answer is enough."))
        case "arguments":
            names = list(dict.fromkeys(unknown.name for unknown in question.sought.unknowns))
            each = "a whole number" if len(names) == 1 else "whole numbers"
            return " ".join((f"Find {each} for {_listed(names)} so that {_wanted(question)}.", *_bounds(question)))
    given = f"The net has this table, and one figure of it is wrong. {_conventions(question)}"
    return f"{given} Which one, of which layer, and what is right? Say how the mistake came about if you can."


def _conventions(question: Question) -> str:
    """What the columns count."""
    said = "; ".join(_COUNTED[name] for name in question.columns)
    return f"{capitalized(said)}."


def capitalized(text: str) -> str:
    """A text with a capital at its start and the rest as it is: FLOPs stay FLOPs."""
    return text[:1].upper() + text[1:]


_COUNTED = {
    "size": "sizes are height x width x depth",
    "memory": "memory is the number of values that leave a layer",
    "params": "parameters are weights and biases",
    "macs": "MACs are the multiply-adds of conv and fc for one image",
    "receptive": "the receptive field is given as its side on the input",
}
_UNSEEN = "row or column of any layer's input"


def _sides(question: Question) -> str:
    """The input that is sought: HxHx3."""
    own = question.sought.own_input
    depth = print_expr(own.size.parts[-1]) if own and isinstance(own.size, Sizes) else "3"
    return f"{SIDE}x{SIDE}x{depth}"


def _asked_of_input(question: Question) -> str:
    """What is wanted of an input, as the end of a question."""
    if not question.wanted:
        return f"is no {_UNSEEN} left unseen" if question.no_drops else "does that hold"
    seen = f", with no {_UNSEEN} left unseen" if question.no_drops else ""
    return f"does the net end in {question.wanted}{seen}"


def _wanted(question: Question) -> str:
    """What is wanted of the net, as the end of a sentence."""
    found = [f"the net ends in {question.wanted}"] * bool(question.wanted)
    found += [f"no {_UNSEEN} is left unseen"] * question.no_drops
    found += [f"the net has {int(each[1]):,} parameters, weights and biases together" for each in _of_params(question)]
    return " and ".join(found) or "it is as said"


def _of_params(question: Question) -> list[re.Match[str]]:
    matches = (re.fullmatch(r"\s*params\s*=\s*([\d_]+)\s*", text) for text in question.such_that)
    return [each for each in matches if each]


def _bounds(question: Question) -> Iterator[str]:
    """What else is said, as a sentence of its own; none where there is nothing."""
    own = [each.string for each in _of_params(question)]
    bounds: dict[str, list[str]] = {}
    for text in (each for each in question.such_that if each not in own):
        found = _BOUND.fullmatch(text.strip())
        name = (found[1] if len(found[1]) > 1 else SIDE) if found else text
        bounds.setdefault(name, []).extend([f"at {_LIMITS[found[2]]} {found[3]}"] if found else [])
    said = [f"{name} is {' and '.join(limits)}" if limits else name for name, limits in bounds.items()]
    yield from [f"{_listed(said)}."] * bool(said)


_BOUND = re.compile(r"(\?\w*)\s*(>=|<=)\s*([\d_,]+)")
_LIMITS = {">=": "least", "<=": "most"}


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


# ---------------------------------------------------------------- the net in words


def words(question: Question) -> Iterator[tuple[str, str]]:
    """Each layer by its name, and what it is: its arguments, and what it takes where that is not the one before.

    A layer in place is told with the one that it follows.
    """
    found: dict[int, list[str]] = {}
    graph, unknowns = _graph(question)
    for at, node in enumerate(graph.nodes):
        feeders = [_owner(graph, i) for i in node.inputs]
        if node.op.inplace:
            found.setdefault(feeders[0], []).append(f"then {_summary(node)}")
        elif not feeders:
            size = _sides(question) if question.kind == "input" else str(node.op.out())
            found[at] = [f"{size}, height x width x depth"]
        else:
            told = [_summary(node), ", ".join(_arguments(node, unknowns.get(node.span, {})))]
            if feeders != [_owner(graph, at - 1)]:
                told.append(f"takes {_listed([graph.nodes[i].name for i in feeders])}")
            found[at] = [each for each in told if each]
    yield from ((graph.nodes[at].name, "; ".join(told)) for at, told in found.items())


def _owner(graph: Graph, at: int) -> int:
    """The layer whose output it is: of one in place the one before."""
    while graph.nodes[at].op.inplace:
        at = graph.nodes[at].inputs[0]
    return at


def _graph(question: Question) -> tuple[Graph, dict[Any, dict[str, str]]]:
    """The net, if need be with something in place of what is sought; and what is sought, by layer."""
    if question.kind in ("table", "mistake"):
        return question.report.graph, {}
    answer = solved(question)
    some = (*answer.solutions, *answer.nearest)[0]
    return some.trial.built.graph, _unknowns(answer.question)


def _summary(node: Node) -> str:
    summary = (getdoc(type(node.op)) or "").partition("\n")[0].partition(":")[0].partition(" (")[0].rstrip(".")
    return summary[:1].lower() + summary[1:]


def _arguments(node: Node, unknowns: dict[str, str]) -> Iterator[str]:
    """Arguments by name; those left out that a text leaves out too."""
    for field in node.op.fields.values():
        value = getattr(node.op, field.name)
        if field.name in unknowns:
            yield f"{field.name} {unknowns[field.name]}"
        elif field.kind == "Flag":
            if value != field.default:
                yield f"{field.name}" if value else f"without {field.name}"
        elif value is not None and (value != field.default or not (field.named or field.brief)):
            yield f"{field.name} {shown(value)}"


def _unknowns(sought: Sought) -> dict[Any, dict[str, str]]:
    """For each layer, by where it stands, its arguments that are sought, with the names of the unknowns."""
    kinds = {unknown.name: unknown.kind for unknown in sought.unknowns}
    layers = [each for each in parts(sought.net.tree) if isinstance(each, Layer)]
    return {
        layer.type.span: {kinds.get(name.id, ""): name.id for name in sought_in(layer.args)}
        for layer in layers
        if layer.type.span in sought.layers
    }


# ---------------------------------------------------------------- the table


def table(question: Question, number: int, filled: bool, blank: str = "") -> Table:
    """The table of a question: with its right figures, or with room for them."""
    kinds = {"size": "size"}
    columns = [Column("layer", "layer", "text", 10)]
    columns += [Column(name, COLUMNS[name], kinds.get(name, "count")) for name in question.columns]
    asked = question.cells
    given = {each.cell: each.text for each in question.table}
    rows = []
    for layer in dict.fromkeys(cell.layer for cell in asked):
        cells: list[Any] = []
        for name in question.columns:
            cell = Cell(layer, name)
            if cell not in asked:
                cells.append(None)
            elif question.table:
                cells.append(given.get(cell))
            else:
                cells.append(question.right(cell) if filled else blank)
        rows.append(Row((layer or TOTAL, *cells)))
    return Table(f"Question {number}", tuple(columns), tuple(rows))


def written(figure: Any) -> str:
    """A figure as a key tells it: a size, or a number with all its digits."""
    return exact(figure) if isinstance(figure, int) else str(figure)


# ---------------------------------------------------------------- the derivation


class Step(NamedTuple):
    """A figure of a layer: how it is worked out."""

    layer: str
    quantity: str  # a key of COLUMNS
    entry: Entry


def steps(question: Question, script: Script, layer: str | None = None) -> Iterator[Step]:
    """How the figures come about that a table asks for, of one layer or of all; nought is told without a formula."""
    wanted = question.layers if layer is None else (layer,)
    for explained in explain(question.report, layer).layers:
        if explained.row.name in wanted:
            yield from _steps(question, explained, script)


def _steps(question: Question, layer: Explained, script: Script) -> Iterator[Step]:
    known, name = {each.name: each for each in layer.quantities}, layer.row.name
    for column in question.columns:
        if column == "size":
            yield from (Step(name, column, each) for each in sizes(layer, script))
        elif column in LABELS:
            label, key = LABELS[column]
            yield Step(name, column, entry(label, known[key], script)._replace(remark=""))
        elif Cell(name, column) in question.cells:
            yield from (Step(name, column, each) for each in _receptive(question, layer, script))


def _receptive(question: Question, layer: Explained, script: Script) -> Iterator[Entry]:
    """The field of a layer that slides a window over one volume: it grows by the window less 1, times the jump."""
    rows, views = question.report.rows, follow(question.report)
    at = next(i for i, row in enumerate(rows) if row.name == layer.row.name)
    result = script.number(views[at][0].size[0])
    if len(layer.row.inputs) != 1:
        yield Entry("receptive field", result=result, remark="the largest of the paths")
        return
    before, reach = views[layer.row.node.inputs[0]][0], layer.row.node.op.reach(*layer.row.inputs)[0][0]
    numbers = f"{before.size[0]} + ({shown(reach.k)} - 1){script.times}{before.jump[0]}"
    formula = f"{script.words('field before')} + (F - 1){script.times}{script.words('jump before')}"
    yield Entry("receptive field", formula, numbers, result)


def sizes_on_the_way(report: Report) -> Iterator[tuple[str, Entry]]:
    """How height and width come about, layer by layer, where they do not stay as they are."""
    for layer in explain(report).layers:
        for each in sizes(layer, TEXT):
            if each.numbers:
                yield layer.row.name, each
