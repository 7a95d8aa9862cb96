"""`archcalc verify`."""

from __future__ import annotations

import os
import sys

import click

from archcalc.cli import completion, options
from archcalc.units import BYTES_PER_VALUE


@click.command("verify")
@click.argument("names", metavar="[TABLE|ARCH|FILE]…", nargs=-1, shell_complete=completion.claims)
@click.option("--errata", is_flag=True, help="The shelf of figures printed wrongly: what is right, and why.")
@click.option(
    "--baseline", metavar="FILE", type=click.Path(), help="Hold the nets against what they cost when FILE was written."
)
@click.option("--update", is_flag=True, help="Write the baseline: what is now, is right.")
@click.option("--allow", metavar="a=N,…", help="Growth that passes: params=1%,macs=0,memory=64KiB, or 1% for all.")
@click.option("--strict", is_flag=True, help="Nothing passes that differs from the baseline, less neither.")
@click.option("--allow-unclaimed", "unclaimed", is_flag=True, help="Pass where nothing is claimed; else a fault.")
@options.size
@click.option("--dtype", type=click.Choice(list(BYTES_PER_VALUE)), help="Type of numbers, for memory in the baseline.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(("table", "json", "csv", "md", "latex", "html", "junit", "github")),
    default="table",
    help="How to write it; with a baseline md is the body of a comment.",
)
@options.out
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    errata: bool,
    baseline: str | None,
    update: bool,
    allow: str | None,
    strict: bool,
    unclaimed: bool,
    size: str | None,
    dtype: str | None,
    format_: str,
    path: str | None,
) -> None:
    """Printed figures and `expect` lines against the engine; nets against a baseline.

    TABLE is a printed table by name (simonyan2014-table2) or a .toml file of your own, ARCH a net of the zoo, FILE a
    spec. Without any, all are verified, or all nets of the baseline. The exit code is 1 if a claim fails, or if a net
    costs more than in the baseline, has other sizes, or is not in it. Under GitHub Actions failures are annotated.

    \b
    archcalc verify nets/*.arch
    archcalc verify nets/*.arch --baseline costs.json --update
    archcalc verify nets/*.arch --baseline costs.json --allow params=1%
    """
    from archcalc.render import progress, show, verdicts
    from archcalc.verification import Wish, verify_all

    with progress.told(sys.stderr) as tell:
        verdict = verify_all(Wish(names, baseline, update, strict, allow, size, dtype, unclaimed), tell)
    with options.opened(path) as stream:
        options.write(verdicts.lines(verdict, errata, show.View(format_), stream), stream)
    if os.environ.get("GITHUB_ACTIONS") == "true" and format_ != "github":  # beside the answer, never within it
        options.write(verdicts.github_lines(verdict), sys.stdout if format_ == "table" and not path else sys.stderr)
    ctx.exit(0 if verdict.passes else 1)
