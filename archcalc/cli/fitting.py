"""`archcalc fit`."""

from __future__ import annotations

from typing import Any

import click

from archcalc.cli import options


@click.command("fit")
@options.all_of(options.arch, options.size)
@click.option("--memory", required=True, metavar="SIZE", help="How much there is: 8GiB, 8GB, 11.5GiB, or bytes.")
@click.option("--inference", is_flag=True, help="The largest batch without training.")
@options.plan
@options.all_of(options.format_, options.out)
def command(
    arch: str,
    size: str | None,
    memory: str,
    inference: bool,
    format_: str,
    path: str | None,
    **plan: Any,
) -> None:
    """The largest batch that fits into a memory.

    With what limits it, and the batch that each switch would allow. The exit code is 1 if not even one image fits. A
    model: it says what it leaves out.

    \b
    archcalc fit vgg16 --memory 8GiB --optimizer adam --dtype float16
    archcalc fit resnet50 --memory 24GB --mixed
    """
    from archcalc.analyses.capacity import fit, read_memory
    from archcalc.analyses.costs import measure
    from archcalc.analyses.memory import Plan
    from archcalc.library import load
    from archcalc.render import ledgers
    from archcalc.render.show import View

    room, built = read_memory(memory), load(arch).build(size)
    found = fit(measure(built.graph, built.assumptions), Plan(**plan), room, training=not inference)
    with options.opened(path) as stream:
        options.write(ledgers.fit_lines(found, built, View(format_), stream), stream)
    click.get_current_context().exit(0 if found.batch else 1)
