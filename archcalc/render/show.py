"""One table, many exits: the format is chosen here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from archcalc.analyses.costs import Report, fold
from archcalc.builder import Built
from archcalc.lang.errors import Fault, SpecError, did_you_mean, quoted
from archcalc.ops.base import shown
from archcalc.render import costs
from archcalc.render.table import Table, chosen

DRAWINGS = {".svg": "svg", ".mmd": "mermaid", ".dot": "dot", ".gv": "dot"}
NO_DRAWINGS = (".png", ".pdf", ".jpg", ".jpeg", ".gif", ".webp", ".eps", ".ps", ".html")  # a text is none of them


class View(NamedTuple):
    """How an answer is wanted."""

    format: str = "table"
    exactly: bool = False
    columns: tuple[str, ...] | None = None
    depth: int | None = None
    style: str = "layers"  # or `paper`: stages and what is repeated in them


def columns_of(text: str | None, style: str = "layers") -> tuple[str, ...] | None:
    """`layer,output,params` as keys of columns. Raises `SpecError` for one that there is not."""
    if text is None:
        return None
    known = costs.KEYS
    if style == "paper":
        from archcalc.render.blocks import KEYS as known
    keys = []
    for word in text.split(","):
        key = word.strip().lower()
        key = costs.ALIASES.get(key, key)
        if key not in known:
            help = did_you_mean(key, (*known, *costs.ALIASES)) or f"there are {', '.join(known)}"
            raise SpecError([Fault(f"there is no column {quoted(word.strip())}", help=help)])
        keys.append(key)
    return tuple(keys)


def words_of(text: str | None) -> tuple[str, ...] | None:
    """Columns as they are asked for: `layer, of the peak`."""
    return None if text is None else tuple(word.strip().lower() for word in text.split(","))


def picked(table: Table, view: View) -> Table:
    """A table with the columns that are asked for by their headings or their keys. Raises `SpecError`."""
    if view.columns is None:
        return table
    keys = {column.title.lower(): column.key for column in table.columns} | {
        column.key: column.key for column in table.columns
    }
    for word in view.columns:
        if word not in keys:
            help = did_you_mean(word, keys) or f"there are {', '.join(column.title for column in table.columns)}"
            raise SpecError([Fault(f"there is no column {quoted(word)}", help=help)])
    return chosen(table, tuple(keys[word] for word in view.columns))


def report_lines(report: Report, built: Built, setting: costs.Setting, view: View, stream: TextIO) -> Iterator[str]:
    """The layer table of a net in the format that is wanted."""
    if view.format == "json":
        from archcalc.render import structured

        return structured.report_lines(report, built.graph.name, setting)
    if view.style == "paper":
        return table_lines(_block_table(report, title(report, built, setting), setting, view), view, stream)
    table = costs.layer_table(report, title(report, built, setting), setting, view.depth, built.facts)
    default = costs.KEYS if view.format == "csv" else costs.DEFAULT
    if view.format == "html":
        return _page(report, chosen(table, view.columns or default), view)
    return table_lines(chosen(table, view.columns or default), view, stream)


def _block_table(report: Report, title: str, setting: costs.Setting, view: View) -> Table:
    from archcalc.render import blocks

    if view.depth == 0:
        help = "leave it out: the outermost groups are the stages"
        raise SpecError([Fault("`--style paper` has a row for each stage: its `--depth` is at least 1", help=help)])
    table = blocks.block_table(report, title, setting, view.depth or 1)
    return chosen(table, view.columns) if view.columns else table


def _page(report: Report, table: Table, view: View) -> Iterator[str]:
    """The layer table with its groups, and the graph, folded until it can be taken in."""
    from archcalc.render import graphs, vectors, webpage

    groups = [each.rows[-1].node.group[: view.depth] for each in fold(report.rows, view.depth)]
    depth = graphs.readable_depth(report) if view.depth is None else view.depth
    drawing = list(vectors.lines(graphs.picture(report, table.title, depth)))
    return webpage.lines(table, view.exactly, groups, drawing)


def notebook_lines(report: Report, built: Built, setting: costs.Setting) -> Iterator[str]:
    """The layer table of a net as a notebook shows it, folded until it can be taken in."""
    from archcalc.render import graphs, webpage

    table = costs.layer_table(report, title(report, built, setting), setting, graphs.readable_depth(report))
    return webpage.notebook_lines(chosen(table, costs.DEFAULT))


def drawing_format(path: str | None) -> str:
    """The format that the name of a file asks for; a tree, if it asks for none. Raises `SpecError` for a picture."""
    suffix = Path(path or "").suffix.lower()
    if suffix in NO_DRAWINGS:
        help = f"give it a name that ends in {', '.join(DRAWINGS)}; a browser or Graphviz makes a picture of it"
        raise SpecError([Fault(f"a drawing cannot be written as {quoted(suffix)}", help=help)])
    return DRAWINGS.get(suffix, "tree")


def drawing_lines(report: Report, built: Built, view: View, stream: TextIO) -> Iterator[str]:
    """The graph of a net in the format that is wanted: tree, svg, mermaid or dot."""
    told = title(report, built, costs.Setting())
    if view.format == "tree":
        from archcalc.render import trees

        return trees.lines(report, told, view.depth, stream)
    from archcalc.render import graphs, vectors

    draw = {"svg": vectors.lines, "mermaid": graphs.mermaid_lines, "dot": graphs.dot_lines}[view.format]
    return draw(graphs.picture(report, told, view.depth))


def table_lines(table: Table, view: View, stream: TextIO) -> Iterator[str]:
    """Any table in the format that is wanted."""
    if view.format == "csv":
        from archcalc.render import separated

        return separated.lines(table)
    if view.format == "md":
        from archcalc.render import markdown

        return markdown.lines(table, view.exactly)
    if view.format == "latex":
        from archcalc.render import latex

        return latex.lines(table, view.exactly)
    if view.format == "html":
        from archcalc.render import webpage

        return webpage.lines(table, view.exactly)
    from archcalc.render import terminal

    return terminal.lines(table, terminal.Screen(stream), view.exactly)


def tables_lines(tables: Sequence[Table], view: View, stream: TextIO) -> Iterator[str]:
    """Several tables, one below the other; as HTML on one page."""
    if view.format == "html":
        from archcalc.render import webpage

        yield from webpage.tables_lines(tables, view.exactly)
        return
    for at, table in enumerate(tables):
        yield from [""] * (at > 0)
        yield from table_lines(table, view, stream)


def title(report: Report, built: Built, setting: costs.Setting) -> str:
    """The net in a line: its name and arguments, what it is, what goes in."""
    values = {name: shown(value) for name, value in built.args.items()}
    given = ", ".join(name if name == value else f"{name}={value}" for name, value in values.items())
    name = f"{built.graph.name}({given})" if given and not built.as_written else built.graph.name
    what = f": {built.title}" if built.title else ""
    inputs = [row for row in report.rows if not row.inputs]
    sizes = " and ".join(str(row.cost.out) for row in inputs[:4])
    batch = f", batch {setting.batch}" if setting.batch != 1 else ""
    return f"{name}{what}; input {sizes}{batch}, {setting.dtype}"
