"""Explanations as a page of HTML: a part for each layer, which folds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from archcalc.analyses.explanation import Explained, Explanation
from archcalc.notation.derivations import Entry, agreement, arrival, fed, grown, origins, said, start
from archcalc.notation.formulas import TEXT
from archcalc.render import webpage
from archcalc.render.derivations import View, sums
from archcalc.render.handouts import drawn, entries_of, length
from archcalc.render.markup import escaped

HEADINGS = ("figure", "formula", "with numbers", "result")
MOST_OPEN = 3  # layers of a page that starts unfolded


def lines(explanation: Explanation, view: View) -> Iterator[str]:
    """A page with a part for each layer; below several layers how their figures add up."""
    table = sums(explanation, view.setting)
    below = chain((f"<h2>{escaped(table.title)}</h2>",), webpage.section(table, True)) if table else ()
    return webpage.page(view.title, chain(_leaves(explanation, view), below))


def _leaves(explanation: Explanation, view: View) -> Iterator[str]:
    many = len(explanation.rows) > MOST_OPEN
    yield '<section class="leaves">'
    if many:
        yield webpage.TOOLS
    for layer in explanation.layers:
        size = f'<span class="size">{escaped(f"{layer.row.node.op.text()} gives {layer.row.output}")}</span>'
        yield f"<details{'' if many else ' open'}><summary><b>{escaped(layer.row.name)}</b>{size}</summary>"
        if view.full:
            yield from (f"<p>{escaped(line)}.</p>" for line in (said(type(layer.row.node.op)), arrival(layer)))
        yield from _figures(entries_of(layer, explanation, view, TEXT))
        if view.full:
            yield from _rest(layer)
        yield "</details>"
    yield "</section>"


def _figures(found: list[Entry]) -> Iterator[str]:
    """Each figure as formula, that with numbers, and result."""
    if not found:
        return
    yield '<div class="wide"><table class="leaf"><thead><tr>'
    yield "".join(f'<th scope="col">{each}</th>' for each in HEADINGS)
    yield "</tr></thead><tbody>"
    for entry in found:
        codes = [f"<code>{escaped(part)}</code>" if part else "" for part in (entry.formula, entry.numbers)]
        result = escaped(", ".join(part for part in (entry.result, entry.remark) if part))
        cells = (escaped(entry.label), *codes, result)
        yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
    yield "</tbody></table></div>"


def _rest(layer: Explained) -> Iterator[str]:
    """Where the factors come from, the windows drawn, the paths."""
    factors = [f"<li><code>{escaped(text)}</code>{escaped(about)}</li>" for text, about in origins(layer, TEXT)]
    yield from ["<p>Where</p><ul>", *factors, "</ul>"] if factors else []
    for drawing in drawn(layer):
        yield f"<pre>{escaped(chr(10).join(drawing))}</pre>"
    if layer.paths:
        yield from _paths(layer)


def _paths(layer: Explained) -> Iterator[str]:
    yield f"<p>{len(layer.paths)} paths from {escaped(start(layer))}:</p><ol>"
    for path in layer.paths:
        yield f"<li>{length(path)}"
        steps = []
        for step, feeders in zip(path, fed(layer, path), strict=True):
            how = grown(step, TEXT)
            told = f"{step.row.output} {step.row.name}: {step.row.node.op.text()}{feeders}"
            steps.append(f"<li>{escaped(told)}{f' <code>{escaped(how)}</code>' if how else ''}</li>")
        yield from ["<ul>", *steps, "</ul>"] if steps else []
        yield "</li>"
    yield "</ol>"
    if agreement(layer):
        yield f"<p>{escaped(agreement(layer))}.</p>"
