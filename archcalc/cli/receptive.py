"""`archcalc receptive`."""

from __future__ import annotations

import click

from archcalc.cli import options


@click.command("receptive")
@options.all_of(options.arch, options.size, options.headings, options.format_, options.out)
def command(arch: str, size: str | None, columns: str | None, format_: str, path: str | None) -> None:
    """How much of the image a cell of each layer sees, and where.

    Size of the receptive field, the jump from cell to cell, where the first field starts, in both directions, along
    all paths; and whether the paths that meet are aligned.

    \b
    archcalc receptive vgg16
    archcalc receptive "input 32x32x3; conv 3 8; conv 3 8"
    archcalc receptive resnet50 --input 448x448x3 --format json
    """
    from archcalc.analyses.costs import measure
    from archcalc.analyses.receptive import follow
    from archcalc.library import load
    from archcalc.render import fields
    from archcalc.render.show import View, words_of

    built = load(arch).build(size)
    report = measure(built.graph, built.assumptions)
    found = follow(report)
    view = View(format_, columns=words_of(columns))
    with options.opened(path) as stream:
        options.write(fields.lines(report, found, built, view, stream), stream)
