"""Threads that share the work of one layer."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import TypeVar

T = TypeVar("T")


def cores() -> int:
    """How many this process may use; OMP_NUM_THREADS asks for fewer, as it does of NumPy's own threads."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(mine, int(asked)) if asked.isdecimal() and int(asked) else mine


WORKERS = cores()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, WORKERS - 1), "archcalc")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has no threads but the one that forked


def share(task: Callable[[int, T], None], items: Iterable[T]) -> None:
    """Does `task(worker, item)` for each item, in any order, with all workers: 0 up to `WORKERS`.

    NumPy lets threads run at the same time while it computes. What a task writes must be its own.
    """
    left = deque(items)

    def work(worker: int) -> None:
        while True:
            try:
                item = left.popleft()
            except IndexError:
                return
            task(worker, item)

    others = [_pool().submit(copy_context().run, work, at) for at in range(1, min(WORKERS, len(left)))]
    work(0)
    for each in others:
        each.result()
