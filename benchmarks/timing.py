"""How benchmarks take time: what is compared runs in turns, and only ratios are judged.

A machine is faster at one moment than at the next, so two pieces of work are timed one right after the
other, again and again, and the median of their ratios is what counts.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

Work = Callable[[], object]


class Timing(NamedTuple):
    """Ours beside the other way of doing the same."""

    ratio: float
    """Median over repetitions of our time divided by the other's; below 1 we are faster."""
    low: float
    """Lower quartile of the ratios."""
    high: float
    """Upper quartile of the ratios."""
    ours_ms: float
    """Median time of ours."""
    other_ms: float
    """Median time of the other."""

    def __str__(self) -> str:
        return (
            f"ratio {self.ratio:.2f} [{self.low:.2f}, {self.high:.2f}]"
            f"   ours {self.ours_ms:.1f} ms, other {self.other_ms:.1f} ms"
        )


def paired(ours: Work, other: Work, n_repeats: int = 15) -> Timing:
    """Time both in turns, each first every other time, after one round to warm up.

    Args:
        ours: work without arguments.
        other: the same work done in another way.
        n_repeats: how often both are timed, 2 or more.
    """
    ours()
    other()
    times = [_one_round(ours, other, ours_first=i % 2 == 0) for i in range(n_repeats)]
    low, ratio, high = statistics.quantiles([mine / theirs for mine, theirs in times], n=4)
    ours_ms, other_ms = (1e3 * statistics.median(column) for column in zip(*times, strict=True))
    return Timing(ratio, low, high, ours_ms, other_ms)


def seconds(work: Work) -> float:
    """How long `work` takes once, with the garbage collector off."""
    was_enabled = gc.isenabled()
    gc.disable()
    start = time.perf_counter()
    try:
        work()
        return time.perf_counter() - start
    finally:
        if was_enabled:
            gc.enable()


def median_seconds(work: Work, n_repeats: int = 5) -> float:
    """The median time of `work`, after one round to warm up."""
    work()
    return statistics.median(seconds(work) for _ in range(n_repeats))


def _one_round(ours: Work, other: Work, *, ours_first: bool) -> tuple[float, float]:
    if ours_first:
        mine = seconds(ours)
        return mine, seconds(other)
    theirs = seconds(other)
    return seconds(ours), theirs
