"""`archcalc explain`."""

from __future__ import annotations

import click

from archcalc.cli import completion, options


@click.command("explain")
@options.arch
@click.argument("layer", metavar="[LAYER]", required=False, shell_complete=completion.layers)
@options.all_of(options.size, options.batch, options.dtype)
@click.option(
    "--format",
    "format_",
    type=click.Choice(("text", "table", "md", "latex", "html", "json")),
    default="text",
    help="How to write it; table is text.",
)
@options.out
def command(
    arch: str, layer: str | None, size: str | None, batch: int, dtype: str, format_: str, path: str | None
) -> None:
    """Each number of a layer as formula, substitution, result.

    With where every factor comes from, the windows drawn, and the paths that meet in a merge. LAYER is a layer, a group
    (conv2_x) or a stretch (conv1_1..pool1). Without it all layers come in short, and how their figures add up.

    \b
    archcalc explain alexnet conv1
    archcalc explain vgg16 fc6 --format latex
    archcalc explain resnet50 conv2_x --format html -o conv2_x.html
    archcalc explain googlenet inception3a.concat1
    """
    from archcalc.analyses.costs import measure
    from archcalc.analyses.explanation import explain
    from archcalc.library import load
    from archcalc.render import derivations, explanations, show
    from archcalc.render.costs import Setting

    built, setting = load(arch).build(size), Setting(batch, dtype)
    report = measure(built.graph, built.assumptions)
    explanation = explain(report, layer, batch, setting.bytes_per_value)
    view = derivations.View(show.title(report, built, setting), setting, layer is not None, format_)
    with options.opened(path) as stream:
        options.write(explanations.lines(explanation, view, stream), stream)
