"""`archcalc lint`."""

from __future__ import annotations

import click

from archcalc.cli import completion, options


@click.command("lint")
@click.argument("archs", metavar="ARCH…", nargs=-1, required=True, shell_complete=completion.nets)
@options.size
@click.option("--strict", is_flag=True, help="Exit with 1 if anything is odd.")
@options.out
@click.pass_context
def command(ctx: click.Context, archs: tuple[str, ...], size: str | None, strict: bool, path: str | None) -> None:
    """What is legal but odd in nets.

    Rows and columns never seen, biases before batch normalization, a layer that holds most parameters, names never
    used. Of a file with several nets all are looked at.
    """
    from archcalc.lang.errors import SpecError
    from archcalc.render import findings

    found = findings.look(archs, size)
    with options.opened(path) as stream:
        options.write(findings.lines(found), stream)
    if found.faults:
        raise SpecError(found.faults)
    ctx.exit(1 if strict and found.odd else 0)
