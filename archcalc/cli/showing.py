"""`archcalc show`."""

from __future__ import annotations

import click

from archcalc.cli import options


@click.command("show")
@options.all_of(options.arch, options.out)
def command(arch: str, path: str | None) -> None:
    """The text of a net, canonical and coloured.

    With it come the blocks that it uses: what is printed is itself a net that every command reads.
    """
    from archcalc.library import extract, load
    from archcalc.render import text

    with options.opened(path) as stream:
        options.write(text.lines(extract(load(arch)), stream), stream)
