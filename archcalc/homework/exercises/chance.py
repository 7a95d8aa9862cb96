"""Chance that can be repeated: the same seed draws the same, whatever Python it is drawn with."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")


class Chance:
    """Draws from a seed.

    Only `Random.random` is asked: of all its methods it is the one whose sequence Python promises never to change
    ("Notes on Reproducibility" in the documentation of `random`). Two draws from one seed are one:

    >>> Chance(7).pick("abcdef") == Chance(7).pick("abcdef")
    True
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1, each as likely; n is at most 2**30."""
        return int(self._random() * n)

    def pick(self, some: Sequence[_T]) -> _T:
        """One of some, each as likely; what stands there twice is twice as likely."""
        return some[self.below(len(some))]

    def happens(self, times: int, of: int) -> bool:
        """Whether what happens so many times of so many happens now."""
        return self.below(of) < times


def derived(seed: int, *path: object) -> int:
    """The seed of a part, from that of the whole and what the part is called: no part depends on the others.

    >>> derived(7, "Anna", 1) == derived(7, "Anna", 1), derived(7, "Anna", 1) == derived(7, "Anna", 2)
    (True, False)
    """
    text = "\x1f".join(map(str, (seed, *path)))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")
