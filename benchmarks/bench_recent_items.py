"""Histories of users: python benchmarks/bench_recent_items.py.

The last 20 things that users did before the hour of a request, found in sorted events, against a plain pass
over the same events and requests in order of time, which appends to a list for each user. Beside it, what it
costs to tell the feature of an hour, every hour for 14 days, on top of a log of 5,000,000 events.
"""

from __future__ import annotations

import statistics

import numpy as np
from timing import paired, seconds

from mlsd import rng
from mlsd.features.statistics.recent import RecentItems
from mlsd.features.statistics.timelines import Timelines
from mlsd.types import HOURS_A_DAY, Catalog, Ints, Requests, Served, Slates, hours_of

N_USERS, N_DAYS, N_ITEMS, N_TOPICS, LENGTH = 50_000, 14, 100_000, 500, 20
N_EVENTS, N_REQUESTS = 300_000, 100_000
N_LOGGED, N_SERVED_AN_HOUR = 5_000_000, 1_000


def columns(n: int, what: str, days: int = N_DAYS) -> tuple[Ints, np.ndarray, Ints]:
    """User, time and item of events, in order of time."""
    row = np.arange(n)
    user, item = (
        rng.integers(0, f"{what}, user", N_USERS, row),
        rng.integers(0, f"{what}, item", N_ITEMS, row),
    )
    return user, np.sort(rng.uniform(0, f"{what}, time", row)) * days, item


def events(n: int) -> Timelines:
    user, time_days, item = columns(n, "events")
    return Timelines.of(user, time_days, np.arange(n), np.zeros(n, np.int64), 1 + item % N_TOPICS)


def one_by_one(done: list[list[int]], asked: list[list[int]]) -> Ints:
    """The same by a list for each user; both in order of hours."""
    past: dict[int, list[int]] = {}
    found, place = np.zeros((len(asked), LENGTH), np.int64), 0
    for row, (user, hour) in enumerate(asked):
        while place < len(done) and done[place][1] < hour:
            past.setdefault(done[place][0], []).append(done[place][2])
            place += 1
        last = past.get(user, [])[: -LENGTH - 1 : -1]
        found[row, : len(last)] = last
    return found


def bench_last() -> None:
    user, time_days, item = columns(N_EVENTS, "events")
    who, when, _ = columns(N_REQUESTS, "requests")
    done = np.stack([user, hours_of(time_days), 1 + item % N_TOPICS], axis=1).tolist()
    asked = np.stack([who, hours_of(when)], axis=1).tolist()

    def sorted_events() -> Ints:
        return events(N_EVENTS).last(who, hours_of(when), LENGTH)

    assert np.array_equal(sorted_events(), one_by_one(done, asked)), "the two ways differ"
    timing = paired(sorted_events, lambda: one_by_one(done, asked), 9)
    print(f"{N_EVENTS:,} events, the last {LENGTH} before each of {N_REQUESTS:,} requests: {timing}")


def served(hour: int) -> Served:
    """An hour's events, one a request."""
    row = np.arange(hour * N_SERVED_AN_HOUR, (hour + 1) * N_SERVED_AN_HOUR)
    time_days = N_DAYS + (hour + np.linspace(0.01, 0.99, len(row))) / HOURS_A_DAY
    user, item = rng.integers(0, "served, user", N_USERS, row), rng.integers(0, "served, item", N_ITEMS, row)
    requests = Requests(N_LOGGED + row, user, np.zeros(len(row), np.int64), time_days)
    return Served(requests, Slates(item[:, None]), {"like": np.ones((len(row), 1), bool)})


def bench_live() -> None:
    feature = RecentItems("like", "topic", LENGTH)
    catalog = Catalog(np.arange(N_ITEMS).astype(str), {"topic": np.arange(N_ITEMS) % N_TOPICS})
    feature.load_state({"category": catalog["topic"], **events(N_LOGGED).state()})
    rounds = [served(hour) for hour in range(HOURS_A_DAY * N_DAYS)]
    told, looked_up = [], []
    for done in rounds:
        after: list[RecentItems] = []
        told.append(seconds(lambda: after.append(feature.observed(done))))  # noqa: B023  (called at once)
        feature = after[0]
        asked = done.requests.user, done.requests.hour + 1
        looked_up.append(seconds(lambda: feature.past(*asked)))  # noqa: B023
    for name, each in (("told of an hour", told), (f"asked about {N_SERVED_AN_HOUR:,} requests", looked_up)):
        first, last = (1e3 * statistics.median(part) for part in (each[1:25], each[-24:]))
        total = sum(each)
        print(f"{name}: {first:.2f} ms on the first day, {last:.2f} ms on the last, {total:.1f} s in all")


if __name__ == "__main__":
    print(f"{N_LOGGED:,} events made up and put in order: {seconds(lambda: events(N_LOGGED)):.2f} s")
    bench_last()
    bench_live()
