"""A made-up log of a feed of some hundred pages: what the kits of sources and filters of feeds run on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from mlsd import rng
from mlsd.logs import Log, impressions_of, split_by_time
from mlsd.relations import Relation
from mlsd.types import (
    HOURS_A_DAY,
    NO_ITEM,
    Candidates,
    Catalog,
    RankingBatch,
    Requests,
    Served,
    Slates,
    concat_requests,
)

N_ITEMS, N_REQUESTS, N_USERS, N_AUTHORS, N_TOPICS = 150, 260, 12, 9, 3
N_DAYS, N_POSITIONS, N_CANDIDATES = 5, 6, 14
ACTIONS = ("click", "like", "follow", "hide")
NOBODY = N_USERS
"""A user whom the log does not have."""
SHARES = {"retrieval": 0.4, "ranking": 0.2, "validation": 0.2, "test": 0.2}


@dataclass(frozen=True)
class SmallFeed:
    """Posts by the first users, two or more a time now and then, and pages that come several an hour.

    Posts are of the days from -1 on, and pages show any posts. Every user follows and blocks some authors,
    one of each since a day of the log; user 1 follows herself; the last user follows and blocks nobody.

    Args:
        seed: of everything.
    """

    seed: int = 0

    @cached_property
    def catalog(self) -> Catalog:
        item = np.arange(N_ITEMS)
        times = rng.uniform(self.seed, "published", item) * (N_DAYS + 1) - 1
        columns = {
            "author": rng.integers(self.seed, "authors", N_AUTHORS, item),
            "topic": item % N_TOPICS,
            "published_days": np.where(item % 4 == 0, np.round(times * HOURS_A_DAY) / HOURS_A_DAY, times),
        }
        relations = {name: self._relation(name) for name in ("follows", "blocks")}
        return Catalog(np.array([f"post-{one}" for one in item]), columns, relations)

    @cached_property
    def served(self) -> Served:
        """All pages of the log; every fifth is half empty."""
        row, position = np.arange(N_REQUESTS), np.arange(N_POSITIONS)
        keys = row[:, None], position
        items = (rng.integers(self.seed, "shown", N_ITEMS, row)[:, None] + 7 * position) % N_ITEMS
        half = (row % 5 == 0)[:, None] & (position >= N_POSITIONS // 2)
        time = np.sort(rng.uniform(self.seed, "times", row)) * N_DAYS
        user = rng.integers(self.seed, "users", N_USERS, row)
        requests = Requests(3 * row + 1, user, np.zeros_like(row), time)
        done = {name: ~half & (rng.uniform(self.seed, name, *keys) < 0.3) for name in ACTIONS}
        return Served(requests, Slates(np.where(half, NO_ITEM, items)), done)

    @property
    def requests(self) -> Requests:
        """Those of the log."""
        return self.served.requests

    @cached_property
    def log(self) -> Log:
        requests = self.requests
        return Log(requests, impressions_of(self.served), split_by_time(requests.time_days, N_DAYS, SHARES))

    @cached_property
    def asked(self) -> Requests:
        """Every third of the log's, one by nobody it knows, one before the first post, one after the last."""
        last = self.requests.request_id[-1]
        times = np.array([2.5, -7.0, N_DAYS + 30.0])
        users = np.array([NOBODY, 0, 0])
        others = Requests(last + 1 + np.arange(3), users, np.zeros(3, np.int64), times)
        return concat_requests([self.requests.take(np.arange(0, N_REQUESTS, 3)), others])

    def candidates(self, requests: Requests) -> RankingBatch:
        """The same candidates for a request, whatever else is asked: any posts, each with a score."""
        first = rng.integers(self.seed, "candidates", N_ITEMS, requests.request_id)[:, None]
        items = ((first + 5 * np.arange(N_CANDIDATES)) % N_ITEMS).ravel()
        offsets = np.arange(len(requests) + 1) * N_CANDIDATES
        keys = np.repeat(requests.request_id, N_CANDIDATES), items
        columns = {name: rng.uniform(self.seed, name, *keys) for name in ("score", "near_score")}
        return RankingBatch(requests, Candidates(offsets, items, columns))

    def _relation(self, name: str) -> Relation:
        user = np.repeat(np.arange(N_USERS - 1), 4)
        value = rng.integers(self.seed, name, N_AUTHORS, user, np.arange(len(user)))
        since = np.where(
            np.arange(len(user)) % 4 == 3, N_DAYS * rng.uniform(self.seed, f"{name}_since", user), -np.inf
        )
        if name == "follows":
            user, value, since = np.append(user, 1), np.append(value, 1), np.append(since, -np.inf)
        return Relation.of(user, value, since)


def rows_of(log: Log, start: int, end: int) -> Log:
    """The requests of a log from one row to another, with what they were shown."""
    shown = log.impressions[(log.request_rows >= start) & (log.request_rows < end)]
    rows = np.arange(start, end)
    return Log(log.requests.take(rows), shown.reset_index(drop=True), log.split[rows])


def changed_from(log: Log, hour: int, n_items: int) -> Log:
    """The log with every item another, and every action turned round, from an hour on."""
    shown = log.impressions
    later = log.requests.hour[log.request_rows] >= hour
    item = np.where(later, (shown["item"] + 1) % n_items, shown["item"])
    done: dict[str, Any] = {name: shown[name] ^ later for name in ACTIONS}
    return Log(log.requests, shown.assign(item=item).assign(**done), log.split)
