"""JSON for scripts: exact integers, sizes as [height, width, channels], null where nothing applies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

from archcalc import __version__
from archcalc.analyses.costs import Cost, Report, Row, Totals
from archcalc.analyses.rules import OURS
from archcalc.builder import Assumption
from archcalc.render.costs import Setting
from archcalc.volume import Dim, Volume


def document(kind: str, **content: Any) -> str:
    """A whole answer."""
    return json.dumps({"archcalc": __version__, "kind": kind, **content}, default=plain, ensure_ascii=False, indent=2)


def rule_of(setting: Setting) -> str:
    """The name of the rule that is counted by."""
    return setting.rule.name if setting.rule else OURS


def report_lines(report: Report, name: str, setting: Setting) -> Iterator[str]:
    """The `table` answer, a line for each layer, so that a long net needs no long text in memory."""
    inputs = [row for row in report.rows if not row.inputs]
    head = {"archcalc": __version__, "kind": "table", "arch": name, "input": plain(inputs[0].cost.out)}
    head |= {"batch": setting.batch, "dtype": setting.dtype, "rule": rule_of(setting)}
    encode = json.JSONEncoder(default=plain, ensure_ascii=False).encode
    yield encode(head)[:-1] + ', "layers": ['
    args: dict[tuple[int, object], str] = {}
    for at, row in enumerate(report.rows):
        yield encode(layer(row, report, setting, args)) + ("," if at + 1 < len(report.rows) else "")
    held = f', "assumptions": {encode(conditions(report.assumptions))}' if report.assumptions else ""
    yield f'], "totals": {encode(totals(report.total(), setting))}{held}}}'


def conditions(assumptions: Iterable[Assumption]) -> list[dict[str, str]]:
    """What formulas rest on: each condition, and the layer or the expression that asks for it."""
    return [{"condition": each.condition.text, "of": each.about} for each in assumptions]


def layer(
    row: Row, report: Report, setting: Setting, known: dict[tuple[int, object], Any] | None = None
) -> dict[str, Any]:
    """One layer."""
    node = row.node
    key = (id(node.op), row.inputs)
    known = {} if known is None else known
    if key not in known:
        known[key] = {
            "type": node.op.type,
            "args": {name: plain(value) for name, value in _arguments(row).items()},
            "output": plain(row.cost.out),
            **figures(row.cost, setting),
            "dropped": plain(row.cost.dropped),
        }
    fixed = known[key]
    return {
        "name": node.name,
        "group": ".".join(node.group) or None,
        "type": fixed["type"],
        "args": fixed["args"],
        "inputs": [report.graph.nodes[i].name for i in node.inputs],
        **fixed,
        **(_sharing(row, report, fixed["args"], setting) if node.share is not None else {}),
    }


def _sharing(row: Row, report: Report, args: dict[str, Any], setting: Setting) -> dict[str, Any]:
    """What differs for a layer that uses the weights of another: whose they are, and that they are counted there."""
    assert row.node.share is not None
    return {"args": {**args, "share": report.graph.nodes[row.node.share].name}, **figures(row.cost, setting)}


def _arguments(row: Row) -> dict[str, Any]:
    numbers = all(isinstance(n, int) for x in row.inputs for n in x)
    return row.node.op.arguments(*row.inputs) if row.inputs and numbers else row.node.op.arguments()


def figures(of: Cost | Totals, setting: Setting) -> dict[str, Any]:
    """The counts of a layer or of a net."""
    return {
        "activations": plain(of.activations * setting.batch),
        "bytes": plain(of.activations * (setting.batch * setting.bytes_per_value)),
        "params": plain(of.params),
        "weights": plain(of.weights),
        "biases": plain(of.biases),
        "buffers": plain(of.buffers),
        "macs": plain(of.macs * setting.batch),
        "flops": plain(of.flops * setting.batch),
    }


def totals(of: Totals, setting: Setting) -> dict[str, Any]:
    """The sums; `with_inputs` counts the input of every conv and fc once more."""
    with_inputs: Dim = of.with_inputs * setting.batch
    return {"layers": of.layers, **figures(of, setting), "with_inputs": plain(with_inputs)}


def plain(value: Any) -> Any:
    """What JSON can hold: sizes as lists, fractions as numbers, symbols as text."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if isinstance(value, (tuple, list, Volume)):
        return [plain(each) for each in value]
    return str(value).replace("^", "**")  # a formula, as Python reads it
