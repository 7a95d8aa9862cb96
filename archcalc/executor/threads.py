"""Threads that share the work of one layer."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from functools import cache, partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import TypeVar

T = TypeVar("T")
Jobs = SimpleQueue[Callable[[], None]]


def cores() -> int:
    """How many this process may use; OMP_NUM_THREADS asks for fewer, as it does of NumPy's own threads."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(mine, int(asked)) if asked.isdecimal() and int(asked) else mine


WORKERS = cores()


@cache
def _jobs() -> Jobs:
    """Where the other workers wait for what there is to do."""
    jobs: Jobs = SimpleQueue()
    for _ in range(WORKERS - 1):
        Thread(target=_serve, args=(jobs,), name="archcalc", daemon=True).start()
    return jobs


def _serve(jobs: Jobs) -> None:
    while True:
        jobs.get()()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_jobs.cache_clear)  # a child has no threads but the one that forked


def share(task: Callable[[int, T], None], items: Iterable[T]) -> None:
    """Does `task(worker, item)` for each item, in any order, with all workers: 0 up to `WORKERS`.

    NumPy lets threads run at the same time while it computes. What a task writes must be its own. A layer takes a
    millisecond, and a thread a good part of a tenth of one to wake: so no one waits for a worker that wakes too late to
    find anything to do. Raises what a task has raised.
    """
    left = deque(items)
    busy: list[Lock] = []  # held by workers that may have taken an item
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        lock = Lock()
        with lock:
            busy.append(lock)  # before it takes one
            try:
                for item in _taken(left):
                    task(worker, item)
            except BaseException as failure:
                failures.append(failure)
                left.clear()

    for at in range(1, min(WORKERS, len(left))):
        _jobs().put(partial(copy_context().run, work, at))
    work(0)
    for lock in busy:
        lock.acquire()
    if failures:
        raise failures[0]


def _taken(left: deque[T]) -> Iterator[T]:
    """Items that nobody else has taken, until there are none."""
    while True:
        try:
            item = left.popleft()
        except IndexError:
            return
        yield item
