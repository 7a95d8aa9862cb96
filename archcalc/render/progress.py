"""What is being done just now, on a terminal only, wiped when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import monotonic
from typing import TextIO

PATIENCE = 0.4  # seconds before anything is shown
Tell = Callable[[str, int, int], None]


@contextmanager
def told(stream: TextIO | None) -> Iterator[Tell]:
    """A function that is told what is done next, its number and how many there are."""
    if stream is None or not stream.isatty():  # None is the shell's `2>&-`
        yield lambda what, at, count: None
        return
    begun = monotonic()
    shown: list[Tell] = []
    with ExitStack() as stack:

        def tell(what: str, at: int, count: int) -> None:
            if not shown and monotonic() - begun >= PATIENCE:
                shown.append(stack.enter_context(_bar(stream)))
            for each in shown:
                each(what, at, count)

        yield tell


@contextmanager
def _bar(stream: TextIO) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description:40.40}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, at, count: progress.update(task, description=what, completed=at, total=count)
