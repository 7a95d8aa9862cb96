"""`archcalc roofline`."""

from __future__ import annotations

import click

from archcalc.cli import options


@click.command("roofline")
@options.all_of(options.arch, options.size, options.batch)
@click.option(
    "--device", required=True, metavar="NAME|FILE", help="What it runs on: a100, raspberry_pi5, … or your mine.toml."
)
@click.option("--dtype", default="float32", metavar="TYPE", help="Type of numbers, one that the device has a peak for.")
@options.all_of(options.headings, options.exact, options.format_, options.out)
def command(
    arch: str,
    size: str | None,
    batch: int,
    device: str,
    dtype: str,
    columns: str | None,
    exact: bool,
    format_: str,
    path: str | None,
) -> None:
    """How long each layer takes at least on a device.

    Bytes read and written, operations a byte, and whether the peak or the memory bounds it. A lower bound from
    arithmetic, not a measurement. FILE describes a device of your own, such as mine.toml.

    \b
    archcalc roofline resnet50 --device a100 --dtype float16
    archcalc roofline vgg16 --device raspberry_pi5
    archcalc roofline mobilenet_v1 --device v100 --batch 32
    """
    from archcalc.analyses.costs import measure
    from archcalc.analyses.roofline import find_device, roof
    from archcalc.library import load
    from archcalc.render import rooflines
    from archcalc.render.show import View, words_of

    built = load(arch).build(size)
    found = roof(measure(built.graph, built.assumptions), find_device(device), dtype, batch)
    view = View(format_, exact, words_of(columns))
    with options.opened(path) as stream:
        options.write(rooflines.lines(found, built, view, stream), stream)
