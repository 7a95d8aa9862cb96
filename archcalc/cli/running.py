"""`archcalc run`."""

from __future__ import annotations

import sys
from typing import Any

import click

from archcalc.cli import completion, options
from archcalc.units import COMPUTED


@click.command("run")
@options.all_of(options.arch, options.size, options.batch)
@click.option("--dtype", type=click.Choice(COMPUTED), default="float32", help="Type of numbers.")
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, metavar="N", help="What is drawn follows from it."
)
@click.option("--weights", metavar="FILE", help="Weights from an .npz or .safetensors file, not drawn.")
@click.option(
    "--image", "images", metavar="[INPUT=]FILE", multiple=True, help="An input: a .png, .npy, .csv or .txt file."
)
@click.option("--layers", metavar="A..B", help="Run no further than layer B, show what comes from A on.")
@click.option("--reference", is_flag=True, help="Run the slow definition of each layer, not its fast kernel.")
@click.option("--backward", is_flag=True, help="Also go back: gradients of a loss by every input and weight.")
@click.option(
    "--jacobian",
    metavar="LAYER",
    shell_complete=completion.layers,
    help="Run to a (small) layer, write out the matrix dy/dx there, what went in and what came out.",
)
@click.option("--save", metavar="FILE", help="Write all activations to an .npz file.")
@click.option("--save-weights", metavar="FILE", help="Write the weights to an .npz file.")
@options.all_of(options.exact, options.format_, options.out)
@click.pass_context
def command(
    ctx: click.Context, /, arch: str, size: str | None, exact: bool, format_: str, path: str | None, **request: Any
) -> None:
    """The net run on numbers, each layer beside the analysis.

    Runs the net on numbers with NumPy, layer by layer: each output has the shape that `table` says, each layer as many
    weights and multiply-adds, or the exit code is 1. Weights and input are drawn from a seed (He et al. 2015), and may
    be files instead. The fingerprint of a layer's values is the same on other machines.

    \b
    archcalc run lenet5
    archcalc run alexnet --image cat.png --weights alexnet.npz
    archcalc run vgg16 --layers conv1_1..pool2 --save activations.npz
    """
    from archcalc.analyses.costs import measure
    from archcalc.executor.execution import execute
    from archcalc.executor.forward import Request
    from archcalc.library import load
    from archcalc.render import progress, runs, show

    built = load(arch).build(size)
    with progress.told(sys.stderr) as tell:
        execution = execute(measure(built.graph, built.assumptions), Request(**request, answer=path), tell)
    with options.opened(path) as stream:
        options.write(runs.lines(execution, built, show.View(format_, exact), stream), stream)
    ctx.exit(0 if execution.agrees else 1)
