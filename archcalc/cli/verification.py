"""`archcalc verify`."""

from __future__ import annotations

import os
import sys

import click

from archcalc.cli import completion, options


@click.command("verify")
@click.argument("names", metavar="[TABLE|ARCH|FILE]…", nargs=-1, shell_complete=completion.nets)
@click.option("--errata", is_flag=True, help="The shelf of figures printed wrongly: what is right, and why.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("table", "json", "csv", "md", "junit")),
    default="table",
    help="How to write it.",
)
@options.out
@click.pass_context
def command(ctx: click.Context, names: tuple[str, ...], errata: bool, format_: str, path: str | None) -> None:
    """Printed figures and `expect` lines against the engine.

    TABLE is a printed table by name (simonyan2014-table2) or a .toml file of your own, ARCH a net of the zoo, FILE a
    spec. Without any, all are verified. The exit code is 1 if a claim fails. Under GitHub Actions failures are
    annotated.
    """
    from archcalc.render import progress, show, verdicts
    from archcalc.verification import verify

    with progress.told(sys.stderr) as tell:
        verdict = verify(names, tell)
    with options.opened(path) as stream:
        options.write(verdicts.lines(verdict, errata, show.View(format_), stream), stream)
    if os.environ.get("GITHUB_ACTIONS") == "true":  # beside the answer, never within it
        options.write(verdicts.github_lines(verdict), sys.stdout if format_ == "table" and not path else sys.stderr)
    ctx.exit(1 if verdict.failed else 0)
