"""`archcalc quiz`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from archcalc.cli import options
from archcalc.lang.errors import Fault, SpecError

FORMATS = ("table", "csv", "md", "latex", "json", "toml")


@click.command("quiz")
@click.option(
    "--level",
    "levels",
    multiple=True,
    metavar="N|NAME",
    help="1 layer, 2 chain, 3 branches, 4 input, 5 fit, 6 mistake; several in turn. Else one question of each.",
)
@click.option("--seed", type=click.IntRange(0), default=1, metavar="N", help="The same seed, the same quiz; else 1.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="How many questions; else one a level.")
@click.option("--fits/--any-fit", default=True, help="All sizes come out whole (they do), or some are rounded.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="table", help="How to write it.")
@click.option("--key", is_flag=True, help="The answers, and how they come about, in place of the questions.")
@click.option("-o", "--output", "path", type=click.Path(), metavar="FILE|DIR/", help="Write to a file; to DIR/, all.")
@click.option(
    "--students",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Names, a line each or as CSV: each gets a variant.",
)
@click.option("--interactive", is_flag=True, help="Ask in the terminal, one question after the other, with hints.")
@click.pass_context
def command(
    ctx: click.Context,
    levels: tuple[str, ...],
    seed: int,
    count: int | None,
    fits: bool,
    format_: str,
    key: bool,
    path: str | None,
    students: Path | None,
    interactive: bool,
) -> None:
    """Exercises with a key, drawn from a seed.

    Small nets to be done by hand: fill in a table, find the input or the arguments that make it fit, find the mistake.
    The answers are marked by `archcalc check ANSWERS quiz.toml`.

    \b
    archcalc quiz --level chain --seed 7
    archcalc quiz --level chain --seed 7 --key
    archcalc quiz --seed 7 --count 12 -o exam/
    archcalc quiz --level 2,3 --students names.csv -o exam/
    archcalc quiz --interactive

    -o DIR/ writes quiz.md, quiz.tex, quiz.csv (the answer sheet), the same three of the key, and quiz.toml for `check`;
    with --students a folder for each, and the keys apart.

    The exit code is 0; of --interactive 1 if an answer was wrong.
    """
    from archcalc.homework.exercises import draw, read_roster
    from archcalc.render import dialogue, quizfolders

    _refuse(interactive, {"--key": key, "-o": path, "--students": students, "--format": format_ != "table"})
    names = read_roster(students) if students else ()
    quizzes = draw(levels, seed, count, fits, names)
    if interactive:
        with options.opened(None) as stream:
            code = dialogue.hold(quizzes[0], _ask, stream)
        ctx.exit(code)
    for target, lines in quizfolders.targets(quizzes, quizfolders.Wanted(format_, key, path)):
        with options.opened(target) as stream:
            options.write(lines(stream), stream)


def _refuse(interactive: bool, said: dict[str, object]) -> None:
    """Raises `SpecError` for options that make no sense where questions are asked in the terminal."""
    wrong = [f"`{name}`" for name, there in said.items() if there]
    if interactive and wrong:
        raise SpecError([Fault(f"`--interactive` asks in the terminal: {' and '.join(wrong)} cannot be with it")])


def _ask(prompt: str) -> str:
    """What is typed; what is piped is shown too. Raises `EOFError` where there is no more, or it is no text."""
    try:
        text = input(prompt)
    except (UnicodeDecodeError, RuntimeError):  # the shell's `<&-`
        raise EOFError from None
    if not sys.stdin.isatty():
        click.echo(text)
    return text
