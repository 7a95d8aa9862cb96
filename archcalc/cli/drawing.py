"""`archcalc draw`."""

from __future__ import annotations

import click

from archcalc.cli import options


@click.command("draw")
@options.all_of(options.arch, options.size, options.depth)
@click.option(
    "--format",
    "format_",
    type=click.Choice(("tree", "svg", "mermaid", "dot")),
    help="How to draw it; else by the name of the file (.svg, .mmd, .dot), as a tree.",
)
@options.out
def command(arch: str, size: str | None, depth: int | None, format_: str | None, path: str | None) -> None:
    """The graph of a net, with the size of what goes along each edge.

    As a tree in the terminal, as SVG, or as text for Mermaid and Graphviz. --depth 1 folds each group into a box.

    \b
    archcalc draw resnet18
    archcalc draw googlenet --depth 1 -o googlenet.svg
    archcalc draw vgg16 --format mermaid
    """
    from archcalc.analyses.costs import measure
    from archcalc.library import load
    from archcalc.render import show

    built = load(arch).build(size)
    report = measure(built.graph, built.assumptions)
    view = show.View(format_ or show.drawing_format(path), depth=depth)
    with options.opened(path) as stream:
        options.write(show.drawing_lines(report, built, view, stream), stream)
