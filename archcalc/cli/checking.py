"""`archcalc check`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from archcalc.cli import options
from archcalc.units import BYTES_PER_VALUE

FORMATS = ("table", "md", "html", "json", "csv", "gradescope")


@click.command("check")
@click.argument("answers", metavar="ANSWERS", type=click.Path(path_type=Path))
@options.arch
@click.option("--rubric", type=click.Path(path_type=Path), metavar="FILE", help="Points, and what is accepted: TOML.")
@click.option("--no-solutions", is_flag=True, help="Neither the right figures nor how they come about.")
@click.option("--summary", is_flag=True, help="The class: cell by cell, the commonest mistakes, the scores.")
@options.size
@click.option("--batch", type=click.IntRange(1, 10**9), metavar="N", help="Images in a batch; else as the rubric says.")
@click.option("--dtype", type=click.Choice(list(BYTES_PER_VALUE)), help="Type of numbers; else as the rubric says.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="table", help="How to write it.")
@click.option(
    "-o", "--output", "path", type=click.Path(), metavar="FILE|DIR/", help="Write to a file; in DIR/, one for each."
)
@click.pass_context
def command(
    ctx: click.Context,
    answers: Path,
    arch: str,
    rubric: Path | None,
    no_solutions: bool,
    summary: bool,
    size: str | None,
    batch: int | None,
    dtype: str | None,
    format_: str,
    path: str | None,
) -> None:
    """Homework marked cell by cell, with the likely mistake.

    ANSWERS is a table that a student filled in (.csv, .tsv, .md, .json, .toml, .xlsx), or a folder of them. ARCH is the
    net that was asked for, or the .toml file of a quiz. An answer that is right for an own earlier answer is marked
    carried, not wrong again.

    \b
    archcalc check anna.csv alexnet
    archcalc check anna.csv alexnet --no-solutions --format html -o anna.html
    archcalc check answers/ alexnet --rubric exam.toml --format md -o feedback/
    archcalc check answers/ alexnet --summary

    The exit code is 0 if all is right, 1 if an answer is not, and 2 if a file could not be read.
    """
    from archcalc.homework.classes import Terms, check, refuse_within
    from archcalc.render import marks, progress

    refuse_within(answers, path)
    terms = Terms(rubric, not no_solutions, size, batch, dtype)
    with progress.told(sys.stderr) as tell:
        checked = check(answers, arch, terms, tell)
    for target, lines in marks.targets(checked, marks.Wanted(format_, summary), path):
        with options.opened(target) as stream:
            options.write(lines(stream), stream)
    if sys.stderr is not None:  # the shell's `2>&-`
        options.write(marks.complaints(checked), sys.stderr)
    ctx.exit(checked.code)
