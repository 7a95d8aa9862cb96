"""`archcalc diff`."""

from __future__ import annotations

import click

from archcalc.cli import completion, options


@click.command("diff")
@click.argument("before", metavar="ARCH", shell_complete=completion.nets)
@click.argument("after", metavar="ARCH", shell_complete=completion.nets)
@options.all_of(options.size, options.batch, options.dtype)
@click.option("--depth", type=click.IntRange(0, 100), metavar="N", help="Keep the groups of this depth apart.")
@options.all_of(options.rule, options.exact, options.format_, options.out)
def command(
    before: str,
    after: str,
    size: str | None,
    batch: int,
    dtype: str,
    depth: int | None,
    rule: str | None,
    exact: bool,
    format_: str,
    path: str | None,
) -> None:
    """What changed between two nets, and what each change costs.

    Layers are aligned by the labels of groups, then by what they are. From the sums of the first net to those of the
    second go steps: what was changed, moved, added or removed, and what follows from that, for layers that are as
    before but get another input.

    \b
    archcalc diff resnet50_v1 resnet50
    archcalc diff vgg16 mine.arch --depth 1
    """
    from archcalc.analyses.differences import diff
    from archcalc.analyses.rules import find_rule
    from archcalc.lineup import gather
    from archcalc.render import differences
    from archcalc.render.costs import Setting
    from archcalc.render.show import View

    by = find_rule(rule) if rule else None
    one, other = gather((before, after), size, rule=by and by.alike)
    found = diff(one.report, other.report, depth)
    view = View(format_, exact)
    with options.opened(path) as stream:
        options.write(differences.lines(found, (one, other), Setting(batch, dtype, by), view, stream), stream)
