"""What is being done just now, on a terminal only, wiped when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


@contextmanager
def told(stream: TextIO) -> Iterator[Callable[[str], None]]:
    """A function that shows the work at hand on one line."""
    if not stream.isatty():
        yield lambda _: None
        return

    def tell(what: str) -> None:
        stream.write(f"\r\x1b[K{what[:60]}")
        stream.flush()

    try:
        yield tell
    finally:
        stream.write("\r\x1b[K")
        stream.flush()
