"""`archcalc memory`."""

from __future__ import annotations

from typing import Any

import click

from archcalc.cli import options


@click.command("memory")
@options.all_of(options.arch, options.size, options.batch)
@click.option("--training", is_flag=True, help="Layer by layer what training saves, not what is alive at inference.")
@options.plan
@options.all_of(options.headings, options.exact, options.format_, options.out)
def command(
    arch: str,
    size: str | None,
    training: bool,
    columns: str | None,
    exact: bool,
    format_: str,
    path: str | None,
    **plan: Any,
) -> None:
    """Memory at inference and in training, to the byte.

    At inference: the layer at which most is alive, and the tensors that are. In training: parameters, gradients, the
    numbers of the optimizer, and what PyTorch saves for the backward pass. A model: it says what it leaves out.

    \b
    archcalc memory vgg16
    archcalc memory resnet50 --training --optimizer adam --batch 32
    archcalc memory resnet50 --training --checkpoint 1 --mixed
    """
    from archcalc.analyses.costs import measure
    from archcalc.analyses.memory import Plan, account
    from archcalc.library import load
    from archcalc.render import ledgers
    from archcalc.render.show import View, words_of

    built = load(arch).build(size)
    ledger = account(measure(built.graph, built.assumptions), Plan(**plan))
    view = View(format_, exact, words_of(columns))
    with options.opened(path) as stream:
        options.write(ledgers.lines(ledger, built, training, view, stream), stream)
