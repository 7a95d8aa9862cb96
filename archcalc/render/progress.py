"""What is being done just now, on a terminal only, wiped when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def told(stream: TextIO) -> Iterator[Callable[[str, int, int], None]]:
    """A function that is told what is done next, its number and how many there are."""
    if not stream.isatty():
        yield lambda what, at, count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:40.40}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, at, count: progress.update(task, description=what, completed=at, total=count)
