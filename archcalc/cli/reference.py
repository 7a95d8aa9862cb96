"""`archcalc layers`."""

from __future__ import annotations

import click

from archcalc.cli import completion, options


@click.command("layers")
@click.argument("name", required=False, shell_complete=completion.types)
@options.out
def command(name: str | None, path: str | None) -> None:
    """The layer types, or all about one: arguments, formulas.

    The page is made from the class of the layer type, its formulas by running its rules on letters.
    """
    from archcalc.render import reference

    with options.opened(path) as stream:
        if name is None:
            options.write(reference.overview(stream), stream)
        else:
            from archcalc.symbolic import general

            options.write(reference.page(name, general, stream), stream)
