"""What `explain` tells, in the format that is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TextIO

from archcalc import __version__
from archcalc.analyses.costs import add_up
from archcalc.analyses.explanation import Explained, Explanation, Quantity
from archcalc.analyses.terms import Letter, Whole
from archcalc.notation.formulas import formula, substitution
from archcalc.render.derivations import View
from archcalc.render.structured import plain, totals


def lines(explanation: Explanation, view: View, stream: TextIO) -> Iterator[str]:
    """An explanation in the format that is wanted: text, md, latex, html or json."""
    if view.format == "json":
        return _json_lines(explanation, view)
    if view.format in ("md", "latex"):
        from archcalc.render import handouts

        return (handouts.markdown_lines if view.format == "md" else handouts.latex_lines)(explanation, view)
    if view.format == "html":
        from archcalc.render import leaflets

        return leaflets.lines(explanation, view)
    from archcalc.render import pages

    return pages.lines(explanation, view, stream)


def _json_lines(explanation: Explanation, view: View) -> Iterator[str]:
    """A line a layer, so that a long net needs no long text in memory."""
    report, setting = explanation.report, view.setting
    inputs = [row.output for row in report.rows if not row.inputs]
    head = {"archcalc": __version__, "kind": "explain", "arch": report.graph.name, "input": plain(inputs[0])}
    head |= {"batch": setting.batch, "dtype": setting.dtype}
    encode = json.JSONEncoder(default=plain, ensure_ascii=False).encode
    yield encode(head)[:-1] + ', "layers": ['
    last = len(explanation.rows) - 1
    for at, layer in enumerate(explanation.layers):
        yield encode(_layer(layer)) + ("," if at < last else "")
    yield f'], "totals": {encode(totals(add_up(explanation.rows), setting))}}}'


def _layer(layer: Explained) -> dict[str, Any]:
    row = layer.row
    return {
        "name": row.name,
        "type": row.node.op.type,
        "text": row.node.op.text(),
        "inputs": layer.step.feeders,
        "output": plain(row.output),
        "quantities": [_quantity(quantity) for quantity in layer.quantities],
        "factors": [_factor(factor) for factor in layer.factors],
        "fork": layer.fork.row.name if layer.fork else None,
        "paths": [[step.row.name for step in path] for path in layer.paths],
    }


def _quantity(of: Quantity) -> dict[str, Any]:
    written = {"formula": formula(of.term), "substitution": substitution(of.term), "value": plain(of.value)}
    return {"name": of.name, **written, "notes": [of.note] if of.note else []}


def _factor(of: Letter | Whole) -> dict[str, Any]:
    made = of.of if isinstance(of, Whole) else of.made
    written = {"factor": formula(of), "value": plain(of.value), "made": None if made is None else substitution(made)}
    return {**written, "from": of.about or None}
