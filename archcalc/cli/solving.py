"""`archcalc solve`."""

from __future__ import annotations

import click

from archcalc.cli import options
from archcalc.lang.errors import Fault, SpecError


@click.command("solve")
@options.arch
@click.option(
    "--in", "--input", "size", metavar="SIZE", help="The input: 227, 227x227x3; H for any size; '?' if sought."
)
@click.option("--out", metavar="SIZE", help="What comes out: 55, 55x55x96, (H//2); same as the input.")
@click.option("--at", metavar="LABEL", help="The layer or group that --out speaks of; else the end of the net.")
@click.option(
    "--such-that", "such_that", multiple=True, metavar="COND", help="What holds: params <= 8M. As many as you like."
)
@click.option("--no-drops", is_flag=True, help="No layer leaves rows or columns of its input unseen.")
@click.option("--like", metavar="ARCH", help="An output as large, and a receptive field as large, as another net has.")
@click.option("--largest", is_flag=True, help="Only the largest value.")
@click.option("--smallest", is_flag=True, help="Only the smallest value.")
@click.option("--all", "every", is_flag=True, help="Every solution a row, up to 10,000; else the ten most usual.")
@options.all_of(options.exact, options.format_, options.out)
@click.pass_context
def command(
    ctx: click.Context,
    arch: str,
    size: str | None,
    out: str | None,
    at: str | None,
    such_that: tuple[str, ...],
    no_drops: bool,
    like: str | None,
    largest: bool,
    smallest: bool,
    every: bool,
    exact: bool,
    format_: str,
    path: str | None,
) -> None:
    """Questions asked backwards: which arguments, which input.

    ? in ARCH stands for a whole number that is sought: any argument of a layer, a side of one (?x3), an argument of a
    block or of a net, the count of a repeat. ?f has a name, and stands for one number wherever it is. Without a ? the
    input is sought.

    \b
    A layer, with one unknown or with two:
      archcalc solve "conv ?/4/0 96" --in 227 --out 55
      archcalc solve "conv ?/?/0 96" --in 227 --out 55
    The input, for a size, or so that no row is lost:
      archcalc solve resnet50 --at conv5_x --out 7x7
      archcalc solve vgg16 --no-drops
    A budget:
      archcalc solve "densenet121(k=?)" --such-that "params <= 8M"
      archcalc solve resnet50 --such-that "macs <= 2G" --largest
    The padding that keeps the size, how many layers, what does as well:
      archcalc solve "conv 5/1/? 8" --out same
      archcalc solve "repeat ? { conv 5 8 }" --in 224 --out 4
      archcalc solve "repeat ? { conv 3/1/1 64 }" --like "conv 7/1/3 64"

    COND is what an `expect` line of a spec says: a quantity or a size, of the net or of a layer (params, macs,
    receptive, conv1.params, conv5_x), then = ~ <= or >=, then a figure, if need be with K, M, G, KiB, MiB. Beside those
    there are memory (every output once, in bytes of float32) and dropped (rows and columns never seen).

    All values within natural bounds are found: a kernel, stride or dilation up to the input with its padding, or up to
    the wanted output with its padding if that is larger (without the padding, where that is sought too); a padding that
    holds no whole window, groups up to the filters, the side of an input up to 65,536, what shapes the net (the count
    of a repeat) up to 200, or 40 each if there are two; any other number up to a million. "? <= 50" or "?f >= 3" as
    COND bounds an unknown otherwise. On an input of any size, H, unknowns go up to 32. The inputs of a size, and those
    that lose no row, are found in closed form, without a bound.

    The exit code is 1 if nothing solves it; the nearest misses are shown then.
    """
    from archcalc.api import solve
    from archcalc.render import show, solutions

    choice = _choice({"largest": largest, "smallest": smallest, "all": every})
    most = solutions.EVERY if every else solutions.SHOWN
    answer = solve(arch, size, out, at, such_that, like, no_drops, choice, most)
    with options.opened(path) as stream:
        options.write(solutions.lines(answer, show.View(format_, exact), stream), stream)
    ctx.exit(0 if answer.solved else 1)


def _choice(asked: dict[str, bool]) -> str:
    """The one value that is asked for, if one is. Raises `SpecError` for options that contradict each other."""
    said = [name for name, each in asked.items() if each]
    if len(said) > 1:
        options_ = " and ".join(f"`--{name}`" for name in said)
        raise SpecError([Fault(f"{options_} contradict each other: each says which solutions are shown")])
    return "".join(name for name in said if name != "all")
