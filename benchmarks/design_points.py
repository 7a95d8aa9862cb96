"""Prints how long the costs of ResNet-50 take at a million inputs, in seconds, once the formulas are compiled."""

from __future__ import annotations

import statistics
import time

import numpy as np

import archcalc

POINTS = 1_000_000
ROUNDS = 9


def main() -> None:
    costs = archcalc.formula("resnet50", free="H,W").compile()
    rng = np.random.default_rng(0)
    heights, widths = rng.integers(32, 2048, (2, POINTS))
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        found = costs(H=heights, W=widths)
        times.append(time.perf_counter() - start)
    for point in rng.integers(0, POINTS, 100):  # what is quick and wrong is no answer
        exact = archcalc.load("resnet50").analyze(f"{heights[point]}x{widths[point]}x3").totals
        assert [int(figure[point]) for figure in found] == list(exact)
    print(statistics.median(times))


if __name__ == "__main__":
    main()
