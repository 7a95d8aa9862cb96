"""`archcalc list`."""

from __future__ import annotations

import click

from archcalc.cli import options


@click.command("list")
@click.argument("word", required=False)
@options.all_of(options.exact, options.format_, options.out)
def command(word: str | None, exact: bool, format_: str, path: str | None) -> None:
    """The nets of the zoo, or those that contain WORD.

    With year, input, parameters, MACs and source of each.
    """
    from archcalc.render import show, zoo

    with options.opened(path) as stream:
        options.write(zoo.lines(word, show.View(format_, exact), stream), stream)
