"""`archcalc formula`."""

from __future__ import annotations

import click

from archcalc.cli import options


@click.command("formula")
@options.all_of(options.arch)
@click.option("--free", default="", metavar="H,W,k,…", help="What becomes a symbol, parted by commas.")
@options.all_of(options.size, options.dtype, options.depth, options.columns, options.format_, options.out)
def command(
    arch: str,
    free: str,
    size: str | None,
    dtype: str,
    depth: int | None,
    columns: str | None,
    format_: str,
    path: str | None,
) -> None:
    """Sizes, parameters, MACs, memory as exact formulas.

    H, W and C are height, width and depth of the input, N is the batch; every other name is an argument of the net.
    Below stand the sums, what the formulas hold for, and the smallest input.

    \b
    archcalc formula resnet50 --free H,W
    archcalc formula densenet121 --free k,classes
    archcalc formula "input NxNx3; conv 3/1/1 8; pool 2; fc 10" --format latex
    """
    from archcalc.api import formula
    from archcalc.render import formulas
    from archcalc.render.costs import Setting
    from archcalc.render.show import View, columns_of

    found = formula(arch, free, size)
    view = View(format_, exactly=True, columns=columns_of(columns), depth=depth)
    with options.opened(path) as stream:
        options.write(formulas.lines(found.report, found.built, Setting(found.batch, dtype), view, stream), stream)
