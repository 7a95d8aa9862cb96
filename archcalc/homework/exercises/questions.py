"""One question of a quiz: a net and what is asked of it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.quantities import part_of, quantity
from archcalc.graph import walk
from archcalc.lang.source import Source
from archcalc.library import load
from archcalc.solving import Answer, ask, solve_by_search
from archcalc.solving import Question as Sought

# What can be asked: a table to fill in, which input, which arguments, or which figure of a table is wrong.
KINDS = ("table", "input", "arguments", "mistake")
COLUMNS = {  # what a table asks for, with the heading of its column
    "size": "output",
    "memory": "memory (values)",
    "params": "params",
    "macs": "MACs",
    "receptive": "receptive field",
}
FIGURES = {"size": "size", "memory": "activations", "params": "params", "macs": "macs", "receptive": "receptive"}
SUMMED = ("params", "macs")  # what a table asks for of the whole net too
ANSWER = "answer"  # what is asked for where it is no figure of a layer
TOTAL = "total"
MOST_BUILT = 5  # solutions


class Cell(NamedTuple):
    """A figure that a table asks for: of a layer, or of the whole net (None)."""

    layer: str | None
    quantity: str


class Given(NamedTuple):
    """A figure as a table prints it."""

    cell: Cell
    text: str


class Question(NamedTuple):
    """What is asked. `net` is anything that ARCH can be; `wanted`, `such_that` and `no_drops` are those of `solve`."""

    kind: str
    net: str
    columns: tuple[str, ...] = ()  # of a table; keys of COLUMNS
    wanted: str = ""  # the size that leaves the net: 7x7
    such_that: tuple[str, ...] = ()
    no_drops: bool = False
    table: tuple[Given, ...] = ()  # printed, one figure of it wrong
    level: str = ""
    source: Source | None = None  # the file that it stands in

    @property
    def report(self) -> Report:
        """What the net costs. Raises `SpecError`, also where the net has unknowns."""
        return report_of(self.net)

    @property
    def sought(self) -> Sought:
        """The question as `solve` asks it. Raises `SpecError`."""
        size = "?" if self.kind == "input" else None
        return ask(self.net, size, self.wanted or None, such_that=self.such_that, no_drops=self.no_drops)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that a table has a row for: all but the inputs and those that work in place."""
        return tuple(row.name for row in self.report.rows if row.inputs and not row.node.op.inplace)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """What a table asks for, layer by layer, then of the whole net where it has several layers.

        No receptive field is asked for behind a layer that no window slides over.
        """
        layers = self.layers
        of_all = [name for name in self.columns if name in SUMMED] if len(layers) > 1 else []
        each = [Cell(layer, name) for layer in layers for name in self.columns]
        slides = self._slides()
        asked = [cell for cell in each if cell.quantity != "receptive" or cell.layer in slides]
        return (*asked, *(Cell(None, name) for name in of_all))

    def _slides(self) -> frozenset[str | None]:
        """The layers up to which every layer slides a window: a vector sees all."""
        graph = self.report.graph
        seen = walk(graph, lambda node, before: node.op.slides and all(before))
        return frozenset(node.name for node, slides in zip(graph.nodes, seen, strict=True) if slides)

    def right(self, cell: Cell) -> Any:
        """The figure that belongs into a cell: a Volume, or a number."""
        return quantity(part_of(self.report, cell.layer), FIGURES[cell.quantity])


@lru_cache(256)
def report_of(net: str) -> Report:
    """What a net costs. Raises `SpecError`."""
    built = load(net).build()
    return measure(built.graph, built.assumptions)


def solved(question: Question) -> Answer:
    """All that solves a question backwards. Raises `SpecError`."""
    return _solved(question._replace(columns=(), level="", source=None))


@lru_cache(512)
def _solved(question: Question) -> Answer:
    return solve_by_search(question.sought, MOST_BUILT)
