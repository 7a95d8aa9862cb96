"""`archcalc count`."""

from __future__ import annotations

import click

from archcalc.cli import completion, options


@click.command("count")
@options.all_of(options.arch, options.size, options.batch)
@click.option(
    "--rule",
    default="all",
    metavar="NAME|FILE|all",
    shell_complete=completion.rules,
    help="One rule of counting, layer by layer, or all of them.",
)
@options.all_of(options.headings, options.exact, options.format_, options.out)
def command(
    arch: str,
    size: str | None,
    batch: int,
    rule: str,
    columns: str | None,
    exact: bool,
    format_: str,
    path: str | None,
) -> None:
    """The cost under one rule of counting or under all.

    A rule says what a tool, a paper or a lecture counts, and what it calls it. Below each stands where it differs from
    our multiply-adds. FILE is a rule of your own, such as mine.toml.

    \b
    archcalc count resnet50
    archcalc count resnet50 --rule fvcore
    archcalc count "input 7x7x512; conv 3/1/1 512" --rule touched
    """
    from archcalc.analyses.costs import measure
    from archcalc.analyses.counting import tallies
    from archcalc.library import load
    from archcalc.render import counts
    from archcalc.render.costs import Setting
    from archcalc.render.show import View, words_of

    built = load(arch).build(size)
    report = measure(built.graph, built.assumptions)
    found = tallies(report, rule)
    view = View(format_, exact, words_of(columns))
    with options.opened(path) as stream:
        options.write(counts.lines(report, found, built, Setting(batch), view, stream), stream)
