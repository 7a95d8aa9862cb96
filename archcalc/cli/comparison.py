"""`archcalc compare`."""

from __future__ import annotations

import sys

import click

from archcalc.cli import completion, options

SORTS = ("params", "macs", "flops", "memory", "name", "year")


@click.command("compare")
@click.argument("archs", metavar="ARCH...", nargs=-1, required=True, shell_complete=completion.nets)
@options.all_of(options.size, options.batch, options.dtype)
@click.option("--sort", type=click.Choice(SORTS), help="From small to large; else as they are named.")
@click.option(
    "--depth", type=click.IntRange(0, 100), default=1, metavar="N", help="How deep groups are named in the stages: 1."
)
@click.option("--plot", metavar="FILE", help="Draw it too, as .svg, .png or .pdf; needs the extra `plot`.")
@options.all_of(options.rule, options.exact, options.format_, options.out)
def command(
    archs: tuple[str, ...],
    size: str | None,
    batch: int,
    dtype: str,
    sort: str | None,
    depth: int,
    plot: str | None,
    rule: str | None,
    exact: bool,
    format_: str,
    path: str | None,
) -> None:
    """Nets side by side: parameters, MACs, memory, stage by stage.

    Ratios are to the first net. The picture of --plot has parameters against MACs, and memory and parameters by depth.

    \b
    archcalc compare vgg16 resnet50 googlenet
    archcalc compare alexnet googlenet mine.arch --sort macs
    archcalc compare vgg16 resnet50 googlenet --plot nets.svg
    """
    from archcalc.analyses.comparison import compare
    from archcalc.analyses.rules import find_rule
    from archcalc.lineup import gather, refuse_twins
    from archcalc.render import comparisons, progress
    from archcalc.render.costs import Setting
    from archcalc.render.show import View

    by = find_rule(rule) if rule else None
    with progress.told(sys.stderr) as tell:
        found = compare([each.measured for each in refuse_twins(gather(archs, size, tell, by))], depth, sort)
        if plot is not None:
            from archcalc import plots

            tell("the picture", len(archs), len(archs))
            plots.draw(found, plot, batch, dtype, by.macs_unit if by else "MACs")
    with options.opened(path) as stream:
        options.write(comparisons.lines(found, Setting(batch, dtype, by), View(format_, exact), stream), stream)
