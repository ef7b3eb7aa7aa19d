"""A live world small enough to reason about: what tests of serving and of experiments run on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from mlsd import checks, ragged, rng
from mlsd.types import (
    NO_ITEM,
    Array,
    Catalog,
    Columns,
    Floats,
    Ints,
    Judgements,
    Requests,
    Served,
    Slates,
    Subtopics,
)
from mlsd.worlds.base import LiveWorld

SESSIONS_A_DAY = 2
REQUESTS_A_SESSION = 2
LONG_CLICK_S = 30.0


class TinyWorld(LiveWorld):
    """A handful of items and queries, and users who come more often when they find what they seek.

    An item has a grade from 0 to 3 for each query. A user looks at position k with probability
    1 / sqrt(k + 1), clicks an item seen with probability (1 + 2 grade) / 8, and dwells long on a click
    with probability (1 + grade) / 5. A user comes with probability `mood`, which starts at .6, moves a
    quarter of the way to 1 on a day with a long click and to .3 on one without, and drops by
    `latency_ms` / 10,000 on either. A query with a number that 3 divides means one thing; any other may mean
    two, one as likely as the other: even items with a grade serve the first, odd ones the second.

    Args:
        n_users: who could come.
        n_items: size of the catalog.
        n_queries: a user asks any of them, the first ones more often.
        seed: of everything.
    """

    actions: ClassVar[tuple[str, ...]] = ("click", "dwell_s")
    relevant_grade = 1.0
    max_grade = 3.0

    def __init__(self, n_users: int = 50, n_items: int = 12, n_queries: int = 5, seed: int = 0) -> None:
        self.n_users = checks.at_least("n_users", n_users, 1)
        self.n_items = checks.at_least("n_items", n_items, 1)
        self.n_queries = checks.at_least("n_queries", n_queries, 1)
        self.seed = seed

    @property
    def catalog(self) -> Catalog:
        return Catalog(np.array([f"item-{item}" for item in range(self.n_items)]))

    def grades(self) -> Floats:
        """(n_queries, n_items) the truth."""
        queries, items = np.arange(self.n_queries)[:, None], np.arange(self.n_items)
        return np.maximum(rng.integers(self.seed, "grades", 6, queries, items) - 2, 0).astype(np.float64)

    def judgements(self, requests: Requests) -> Judgements:
        grades = self.grades()[requests["query_id"]]
        rows, items = np.nonzero(grades)
        offsets = ragged.offsets_of_counts(np.count_nonzero(grades, axis=1))
        return Judgements(offsets, items.astype(np.int64), grades[rows, items])

    def subtopics(self, requests: Requests) -> Subtopics:
        judged = self.judgements(requests)
        asked = ragged.segment_ids(judged.offsets)
        odd = judged.items % 2 * (requests["query_id"][asked] % 3 > 0)
        n_odd, counts = ragged.sums(odd, judged.offsets), np.diff(judged.offsets)
        both = ((n_odd > 0) & (n_odd < counts))[asked]
        return Subtopics(judged.offsets, judged.items, odd * both, np.where(both, 0.5, 1.0))

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        return {"frequency": np.where(requests["query_id"] == 0, "head", "tail")}

    def first_state(self) -> dict[str, Array]:
        return {"mood": np.full(self.n_users, 0.6)}

    def arrivals(self, users: Ints, day: int, state: Mapping[str, Array]) -> Requests:
        user, session, number = (
            part.ravel()
            for part in np.meshgrid(
                np.sort(users), range(SESSIONS_A_DAY), range(REQUESTS_A_SESSION), indexing="ij"
            )
        )
        moment = (day * self.n_users + user) * SESSIONS_A_DAY + session
        request_id = moment * REQUESTS_A_SESSION + number
        came = rng.uniform(self.seed, "visits", user, day) < state["mood"][user]
        longer = rng.uniform(self.seed, "sessions", user, day) < session * 0.5
        again = rng.uniform(self.seed, "reformulates", moment) < number * 0.5
        kept = came & ((session == 0) | longer) & ((number == 0) | again)
        return Requests(
            request_id[kept],
            user[kept],
            (day * SESSIONS_A_DAY + session)[kept],
            day + 0.25 * session[kept] + 0.1 * number[kept],
            {"query_id": self._queries(request_id[kept])},
        )

    def respond(self, requests: Requests, slates: Slates, state: Mapping[str, Array]) -> Columns:  # noqa: ARG002
        clicked = self._clicked(requests, slates)
        luck = rng.uniform(self.seed, "dwells", requests.request_id[:, None], slates.items)
        longest = np.where(self.satisfying(requests, slates), 4 * LONG_CLICK_S, LONG_CLICK_S)
        least = np.where(longest > LONG_CLICK_S, LONG_CLICK_S, 1.0)
        dwell_s = np.where(clicked, least + luck * (longest - least), 0.0)
        return {"click": clicked, "dwell_s": dwell_s.astype(np.float32)}

    def after(
        self, users: Ints, served: Served, latency_ms: float, state: Mapping[str, Array]
    ) -> dict[str, Array]:
        found = (served.feedback["dwell_s"] >= LONG_CLICK_S).any(axis=1)
        came = np.isin(np.arange(self.n_users), served.requests.user)
        happy = np.bincount(served.requests.user, found, self.n_users) > 0
        target = np.where(happy, 1.0, 0.3)
        mood = state["mood"] + 0.25 * (target - state["mood"]) - latency_ms / 10_000
        asked = np.isin(np.arange(self.n_users), users)
        return {"mood": np.where(came & asked, np.clip(mood, 0.05, 1.0), state["mood"])}

    def examination_prob(self, n_positions: int) -> Floats:
        return np.asarray(1.0 / np.sqrt(np.arange(n_positions) + 1.0))

    def satisfying(self, requests: Requests, slates: Slates) -> Array:
        """(n_requests, n_positions) whether a click would be a long one."""
        luck = rng.uniform(self.seed, "satisfies", requests.request_id[:, None], slates.items)
        return np.asarray(luck < (1 + self._grades_of(requests, slates)) / 5)

    def _clicked(self, requests: Requests, slates: Slates) -> Array:
        looked = rng.uniform(
            self.seed, "looks", requests.request_id[:, None], np.arange(slates.n_positions)
        ) < self.examination_prob(slates.n_positions)
        luck = rng.uniform(self.seed, "clicks", requests.request_id[:, None], slates.items)
        attractive = luck < (1 + 2 * self._grades_of(requests, slates)) / 8
        return np.asarray(looked & attractive & (slates.items != NO_ITEM))

    def _grades_of(self, requests: Requests, slates: Slates) -> Floats:
        return self.grades()[requests["query_id"][:, None], slates.items]

    def _queries(self, request_id: Ints) -> Ints:
        popularity = 1.0 / (1 + np.arange(self.n_queries))
        return rng.choice(self.seed, "queries", popularity, request_id)
