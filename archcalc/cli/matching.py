"""`archcalc match`."""

from __future__ import annotations

import sys

import click

from archcalc.cli import completion, options


@click.command("match")
@click.argument("value")
@click.argument("arch", metavar="[ARCH]", required=False, shell_complete=completion.nets)
@options.size
@click.option(
    "--rule",
    default="all",
    metavar="NAME|FILE",
    shell_complete=completion.rules,
    help="Only this rule of counting.",
)
@options.all_of(options.exact, options.format_, options.out)
@click.pass_context
def command(
    ctx: click.Context,
    value: str,
    arch: str | None,
    size: str | None,
    rule: str,
    exact: bool,
    format_: str,
    path: str | None,
) -> None:
    """Which way of counting gives a printed figure.

    VALUE is one figure or several: 4.13G, 25636712, "4.1G params=25.6M". A figure with all its digits has to come out
    exactly, a rounded one by rounding, or cut off. Looked through are all rules, then rules with what is known to be
    left out or added, doubled, or trained; without ARCH all nets of the zoo. The simplest comes first.

    \b
    archcalc match 4.13G resnet50
    archcalc match 25636712 resnet50
    archcalc match "4.1G params=25.6M"

    The exit code is 1 if there is no way; then the nearest figures are shown.
    """
    from archcalc.render import matches, progress
    from archcalc.render.show import View
    from archcalc.search import match

    with progress.told(sys.stderr) as tell:
        answer = match(value, arch, size, rule, tell)
    with options.opened(path) as stream:
        options.write(matches.lines(answer, View(format_, exact), stream), stream)
    ctx.exit(0 if answer.hits else 1)
