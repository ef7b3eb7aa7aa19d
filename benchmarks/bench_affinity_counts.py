"""Counts of users and authors by the hour: python benchmarks/bench_affinity_counts.py.

10,000,000 impressions of 100,000 users and 2,000 authors in 14 days: of every impression, how many of the
same user and author there were before its own hour, and how many with an action. Beside pandas (groupby and
cumsum), the same counts asserted. Then an hour a call for 14 more days, 1,000 impressions each. Each
way runs in a process of its own, so that its memory can be told.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from timing import seconds

from mlsd import rng
from mlsd.features.statistics.as_of import AsOfCounts
from mlsd.types import Floats, Ints

N_ROWS, N_USERS, N_AUTHORS, N_HOURS = 10_000_000, 100_000, 2_000, 14 * 24
N_AN_HOUR = 1_000
N_REPEATS = 3


class Rows(NamedTuple):
    """Impressions in the order of time."""

    user: Ints
    author: Ints
    hour: Ints
    values: Floats
    """(n_rows, 2) one, and whether there was an action."""


class Measured(NamedTuple):
    """What one way took."""

    seconds: float
    gib: float
    """The most memory that the process held beyond its rows."""


def rows_of(stream: str, n_rows: int, first_hour: int, n_hours: int) -> Rows:
    """The first authors more often, every user as often as any other."""
    rows = np.arange(n_rows)
    user = rng.integers(0, f"{stream} users", N_USERS, rows)
    author = (N_AUTHORS * rng.uniform(0, f"{stream} authors", rows) ** 2).astype(np.int64)
    values = np.ones((n_rows, 2))
    values[:, 1] = rng.uniform(0, f"{stream} actions", rows) < 0.1
    return Rows(user, author, first_hour + rows * n_hours // n_rows, values)


def ours(rows: Rows) -> Floats:
    key = [rows.user, rows.author]
    return AsOfCounts.of(key, rows.hour, rows.values).before(key, rows.hour)


def pandas(rows: Rows) -> Floats:
    names = ["user", "author", "hour"]
    table = pd.DataFrame(dict(zip([*names, "shown", "acted"], [*rows[:3], *rows.values.T], strict=True)))
    cells = table.groupby(names, sort=True).sum()
    before = cells.groupby(level=names[:2]).cumsum() - cells
    joined = table[names].merge(before.reset_index(), on=names, how="left", validate="many_to_one")
    return joined[["shown", "acted"]].to_numpy()


def measured(way: Callable[[Rows], Floats], folder: Path) -> Measured:
    """What it takes in this process, which has done nothing else; the counts stay in a file."""
    rows = Rows(*(np.load(folder / f"{name}.npy") for name in Rows._fields))
    found: list[Floats] = []
    before = _peak_gib()
    took = seconds(lambda: found.append(way(rows)))
    gib = _peak_gib() - before
    np.save(folder / f"{way.__name__}.npy", found[0])
    return Measured(took, gib)


def _peak_gib() -> float:
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


def bench_both(folder: Path) -> None:
    for name, column in rows_of("log", N_ROWS, 0, N_HOURS)._asdict().items():
        np.save(folder / f"{name}.npy", column)
    times: dict[str, list[Measured]] = {"ours": [], "pandas": []}
    for _ in range(N_REPEATS):
        for way in (ours, pandas):
            with ProcessPoolExecutor(1, get_context("spawn")) as alone:
                times[way.__name__].append(alone.submit(measured, way, folder).result())
        np.testing.assert_array_equal(np.load(folder / "ours.npy"), np.load(folder / "pandas.npy"))
    for name, several in times.items():
        spread = ", ".join(f"{one.seconds:.1f}" for one in sorted(several))
        print(f"{name:<8} {spread} s, {max(one.gib for one in several):.2f} GiB beyond the rows")
    ratio = np.median([a.seconds / b.seconds for a, b in zip(*times.values(), strict=True)])
    print(f"ratio    {ratio:.2f}")


def bench_growing() -> None:
    log = rows_of("log", N_ROWS, 0, N_HOURS)
    counts = AsOfCounts.of([log.user, log.author], log.hour, log.values)
    later = rows_of("later", N_HOURS * N_AN_HOUR, N_HOURS, N_HOURS)
    took = []
    for start in range(0, len(later.hour), N_AN_HOUR):
        of_hour = slice(start, start + N_AN_HOUR)
        key, values = [later.user[of_hour], later.author[of_hour]], later.values[of_hour]
        began = time.perf_counter()
        counts = counts.extended(key, later.hour[of_hour], values)
        took.append(time.perf_counter() - began)
    first, *others = 1e3 * np.array(took)
    p50, p90, p99 = np.percentile(others, [50, 90, 99])
    sizes = ", ".join(f"{len(tally):,}" for tally in counts.tallies)
    print(f"an hour  first {first:.0f} ms, then mean {np.mean(others):.1f}", end=", ")
    print(f"p50 {p50:.1f}, p90 {p90:.1f}, p99 {p99:.0f} ms; tallies of {sizes} cells")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench_both(Path(folder))
    bench_growing()


if __name__ == "__main__":
    main()
