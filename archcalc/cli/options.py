"""Options that several commands share."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar

import click

from archcalc.cli import completion
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.units import BYTES_PER_VALUE

_F = TypeVar("_F", bound=Callable[..., Any])
FORMATS = ("table", "json", "csv", "md", "latex", "html")

arch = click.argument("arch", metavar="ARCH", shell_complete=completion.nets)
size = click.option("--input", "size", metavar="HxWxC", help="Size of the (first) input, in place of the net's own.")
batch = click.option("--batch", type=click.IntRange(1, 10**9), default=1, metavar="N", help="Images in a batch.")
dtype = click.option(
    "--dtype", type=click.Choice(list(BYTES_PER_VALUE)), default="float32", help="Type of numbers, for memory."
)
format_ = click.option("--format", "format_", type=click.Choice(FORMATS), default="table", help="How to write it.")
out = click.option("-o", "--output", "path", type=click.Path(dir_okay=False), metavar="FILE", help="Write to a file.")
depth = click.option(
    "--depth", type=click.IntRange(0, 100), metavar="N", help="Fold groups below this depth, equal neighbours too."
)
columns = click.option(
    "--columns", metavar="a,b,…", shell_complete=completion.columns, help="Which columns, in which order."
)
headings = click.option(
    "--columns", metavar="a,b,…", help="Which columns, by their headings, in which order; JSON has all."
)
rule = click.option(
    "--rule",
    metavar="NAME|FILE",
    shell_complete=completion.rules,
    help="Count parameters, MACs and FLOPs by another rule than ours.",
)
exact = click.option("--exact", is_flag=True, help="All digits, nothing rounded.")


def all_of(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Several options as one decorator, in their order."""

    def decorate(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


plan = all_of(
    dtype,
    click.option(
        "--optimizer",
        default="sgd",
        metavar="NAME",
        help="sgd, momentum, adam or adamw: 0, 1, 2, 2 numbers a parameter.",
    ),
    click.option(
        "--inplace/--no-inplace", default=True, help="Whether ReLU and its kin write over their input (they do)."
    ),
    click.option(
        "--checkpoint",
        metavar="stage|N",
        help="Run again what lies within a stage (neighbours of one size) or a group of depth N.",
    ),
    click.option("--mixed", is_flag=True, help="Activations in float16, parameters and the rest in float32."),
    click.option("--im2col", is_flag=True, help="With the matrix that im2col makes of one image."),
    click.option(
        "--rule",
        default="pytorch",
        metavar="NAME",
        help="pytorch, or lecture: nothing freed, x2 for the backward pass.",
    ),
)


@contextmanager
def opened(path: str | None) -> Iterator[TextIO]:
    """The stream to write to: a file, or standard output. Raises `SpecError` where it cannot be written."""
    try:
        if path is not None and path != "-":
            with open(path, "w", encoding="utf-8") as file:
                yield file
        elif sys.stdout is not None:
            yield sys.stdout
            sys.stdout.flush()
        else:  # the shell's `>&-`
            raise OSError(errno.EBADF, "it is closed")
    except BrokenPipeError:  # the reader has seen enough: `| head -1`
        _discard_output()
        raise click.exceptions.Exit(0) from None
    except OSError as error:
        if path is None or path == "-":
            _discard_output()
        what = quoted(path, 200) if path is not None else "standard output"
        raise SpecError([Fault(f"cannot write {what}: {(error.strerror or str(error)).lower()}")]) from None


def _discard_output() -> None:
    """Lets what is left for standard output go nowhere, so that the end of the process does not fail on it."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write(lines: Iterable[str], stream: TextIO) -> None:
    """Lines on a stream, in what it can encode."""
    from archcalc.render.terminal import Screen

    encoding = stream.encoding or "utf-8"
    for line in lines:
        try:
            stream.write(line + "\n")
        except UnicodeEncodeError:
            near = Screen(stream).plain(line)
            stream.write(near.encode(encoding, "replace").decode(encoding) + "\n")
