"""`archcalc lint`."""

from __future__ import annotations

import click

from archcalc.cli import options


@click.command("lint")
@options.all_of(options.arch, options.size, options.out)
def command(arch: str, size: str | None, path: str | None) -> None:
    """What is legal but odd in a net.

    Rows and columns never seen, biases before batch normalization, a layer that holds most parameters, names never
    used. Of a file with several nets all are looked at.
    """
    from archcalc.library import load_all
    from archcalc.render import findings

    with options.opened(path) as stream:
        options.write(findings.lines(load_all(arch), size), stream)
