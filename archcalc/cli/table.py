"""`archcalc table`."""

from __future__ import annotations

import click

from archcalc.cli import options


@click.command("table")
@options.all_of(options.arch, options.size, options.batch, options.dtype, options.depth, options.columns)
@click.option(
    "--style",
    type=click.Choice(("layers", "paper")),
    default="layers",
    help="paper: stage by stage with what is repeated, as papers print it. JSON has all layers in either.",
)
@options.all_of(options.rule, options.exact, options.format_, options.out)
def command(
    arch: str,
    size: str | None,
    batch: int,
    dtype: str,
    depth: int | None,
    columns: str | None,
    style: str,
    rule: str | None,
    exact: bool,
    format_: str,
    path: str | None,
) -> None:
    """Sizes, memory, parameters, MACs, FLOPs, layer by layer.

    Below stand the sums, what was dropped, and where most memory and most parameters are. An `expect` line of the net
    that does not hold is told at the end, and the exit code is 2.

    \b
    archcalc table vgg16
    archcalc table resnet50 --depth 1
    archcalc table resnet50 --rule keras
    archcalc table resnet50 --style paper --format latex
    archcalc table "input 32x32x3; conv 5/1/2 10; pool 2; fc 10" --format md
    """
    from archcalc.analyses.costs import measure
    from archcalc.analyses.counting import recounted
    from archcalc.analyses.expectations import unmet
    from archcalc.analyses.rules import find_rule
    from archcalc.lang.errors import SpecError
    from archcalc.library import load
    from archcalc.render import show
    from archcalc.render.costs import Setting

    built = load(arch).build(size)
    report = measure(built.graph, built.assumptions)
    by = find_rule(rule) if rule else None
    shown = recounted(report, by) if by else report
    view = show.View(format_, exact, show.columns_of(columns, style), depth, style)
    with options.opened(path) as stream:
        options.write(show.report_lines(shown, built, Setting(batch, dtype, by), view, stream), stream)
    faults = unmet(report, built.claimed)
    if faults:
        raise SpecError(faults)
