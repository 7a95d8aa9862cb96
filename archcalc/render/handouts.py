"""Explanations to be pasted into a page of one's own: Markdown, LaTeX."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.analyses.explanation import Explained, Explanation, Step
from archcalc.notation.derivations import (
    Entry,
    agreement,
    arrival,
    entries,
    fed,
    grown,
    origins,
    said,
    short_entries,
    start,
    sweeps,
)
from archcalc.notation.escapes import escaped
from archcalc.notation.formulas import LATEX, TEXT, Script
from archcalc.render import drawings, markdown
from archcalc.render.derivations import View, sums
from archcalc.render.table import Table, text_of, title_of

DRAWN = 72  # characters


def entries_of(layer: Explained, explanation: Explanation, view: View, script: Script) -> list[Entry]:
    """The figures of a layer, all or the short ones."""
    told = entries if view.full else short_entries
    return [*told(layer, explanation.bytes_per_value, script)]


def drawn(layer: Explained) -> Iterator[list[str]]:
    """The windows of a layer, line by line, in ASCII."""
    for axis, sweep in sweeps(layer):
        yield [f"{axis}: {drawings.swept(sweep)}", *drawings.lines(sweep, 0, DRAWN)]


def length(path: tuple[Step, ...]) -> str:
    """How many layers a path has, in words."""
    return f"{len(path)} layer{'s' * (len(path) != 1)}" if path else "the identity"


# ---------------------------------------------------------------- Markdown


def markdown_lines(explanation: Explanation, view: View) -> Iterator[str]:
    """A heading and a table for each layer; below several layers how their figures add up."""
    yield f"# {markdown.escaped(view.title)}"
    for layer in explanation.layers:
        yield ""
        yield f"## `{layer.row.name}`: `{layer.row.node.op.text()}`"
        yield from _markdown_table(entries_of(layer, explanation, view, TEXT))
        if view.full:
            yield from _markdown_rest(layer)
    table = sums(explanation, view.setting)
    if table:
        yield ""
        yield from markdown.lines(table, True)


def _markdown_table(found: list[Entry]) -> Iterator[str]:
    if not found:
        return
    yield ""
    yield "| figure | formula | with numbers | result |"
    yield "| :-- | :-- | :-- | :-- |"
    for entry in found:
        codes = [f"`{part}`" if part else "" for part in (entry.formula, entry.numbers)]
        last = markdown.escaped(", ".join(part for part in (entry.result, entry.remark) if part))
        yield f"| {entry.label} | {' | '.join(codes)} | {last} |"


def _markdown_rest(layer: Explained) -> Iterator[str]:
    """Where the factors come from, the drawings, the paths."""
    factors = [f"- `{text}`{markdown.escaped(about)}" for text, about in origins(layer, TEXT)]
    yield from ["", "Where", "", *factors] if factors else []
    for drawing in drawn(layer):
        yield from ["", "```text", *drawing, "```"]
    if not layer.paths:
        return
    yield from ["", f"{len(layer.paths)} paths from {markdown.escaped(start(layer))}:", ""]
    for number, path in enumerate(layer.paths, 1):
        yield f"{number}. {length(path)}"
        for step, feeders in zip(path, fed(layer, path), strict=True):
            how = grown(step, TEXT)
            name = f"`{step.row.name}`: `{step.row.node.op.text()}`{markdown.escaped(feeders)}"
            yield f"   - {step.row.output} {name}" + (f", `{how}`" if how else "")
    if agreement(layer):
        yield from ["", f"{markdown.escaped(agreement(layer))}."]


# ---------------------------------------------------------------- LaTeX


def latex_lines(explanation: Explanation, view: View) -> Iterator[str]:
    """A heading and aligned equations for each layer; the page needs `amsmath`."""
    yield r"% needs \usepackage{amsmath}"
    yield rf"\section*{{{escaped(view.title)}}}"
    for layer in explanation.layers:
        yield ""
        yield rf"\subsection*{{\texttt{{{escaped(layer.row.name)}}}: \texttt{{{escaped(layer.row.node.op.text())}}}}}"
        found = entries_of(layer, explanation, view, LATEX)
        if view.full:
            sentences = [said(type(layer.row.node.op)), arrival(layer)]
            sentences += [f"{entry.label}: {entry.remark}" for entry in found if not entry.result]
            yield from (f"{escaped(sentence)}." for sentence in sentences)
        yield from _equations([entry for entry in found if entry.result])
        if view.full:
            yield from _latex_rest(layer)
    table = sums(explanation, view.setting)
    if table:
        yield ""
        yield from _tabular(table)


def _equations(found: list[Entry]) -> Iterator[str]:
    lines = []
    for entry in found:
        remark = rf" \quad \text{{({escaped(entry.remark)})}}" if entry.remark else ""
        label = rf"\text{{{escaped(entry.label)}}} " if entry.label else ""
        if entry.formula and entry.numbers:
            lines += [f"{label}&= {entry.formula}", f"&= {entry.numbers} = {entry.result}{remark}"]
        else:
            parts = [part for part in (entry.formula, entry.numbers, entry.result) if part]
            lines.append(f"{label}&= {' = '.join(parts)}{remark}")
    if lines:
        yield r"\begin{align*}"
        yield from (rf"  {line} \\" for line in lines[:-1])
        yield f"  {lines[-1]}"
        yield r"\end{align*}"


def _latex_rest(layer: Explained) -> Iterator[str]:
    """Where the factors come from, the drawings, the paths."""
    factors = [rf"  \item ${text}${escaped(about)}" for text, about in origins(layer, LATEX)]
    yield from [r"\begin{itemize}", *factors, r"\end{itemize}"] if factors else []
    for drawing in drawn(layer):
        yield from [r"\begin{verbatim}", *drawing, r"\end{verbatim}"]
    if not layer.paths:
        return
    yield rf"\noindent {len(layer.paths)} paths from {escaped(start(layer))}:"
    yield r"\begin{enumerate}"
    for path in layer.paths:
        yield rf"  \item {length(path)}"
        steps = [_latex_step(step, feeders) for step, feeders in zip(path, fed(layer, path), strict=True)]
        yield from [r"  \begin{itemize}", *steps, r"  \end{itemize}"] if steps else []
    yield r"\end{enumerate}"
    if agreement(layer):
        yield rf"\noindent {escaped(agreement(layer))}."


def _latex_step(step: Step, feeders: str) -> str:
    how = grown(step, LATEX)
    name = rf"\texttt{{{escaped(step.row.name)}}}: \texttt{{{escaped(step.row.node.op.text())}}}{escaped(feeders)}"
    return rf"    \item {escaped(str(step.row.output))} {name}" + (f", ${how}$" if how else "")


def _tabular(table: Table) -> Iterator[str]:
    def line(cells: list[str]) -> str:
        return " & ".join(map(escaped, cells)) + r" \\"

    yield rf"\begin{{tabular}}{{{''.join('r' if column.right else 'l' for column in table.columns)}}}"
    yield line([title_of(column, True) for column in table.columns]) + r" \hline"
    for row in table.rows:
        yield line([text_of(cell, column, True) for cell, column in zip(row.cells, table.columns, strict=True)])
    if table.totals:
        cells = zip(table.totals.cells, table.columns, strict=True)
        yield r"\hline " + line([text_of(cell, column, True) for cell, column in cells])
    yield r"\end{tabular}"
    for heading, sentence in table.footer:
        yield ""
        yield rf"\noindent {escaped(heading)}: {escaped(sentence)}"
