"""`archcalc fmt`."""

from __future__ import annotations

import click


@click.command("fmt")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file is not in canonical form.")
@click.pass_context
def command(ctx: click.Context, files: tuple[str, ...], check: bool) -> None:
    """Bring spec files into canonical form.

    Comments are kept. - reads standard input and writes standard output.
    """
    from archcalc.lang.errors import SpecError
    from archcalc.library import reformat_all

    changed, faults = reformat_all(files, write=not check)
    for name in changed:
        click.echo(f"{'would rewrite' if check else 'rewrote'} {name}", err=True)
    if faults:
        raise SpecError(faults)
    ctx.exit(1 if check and changed else 0)
