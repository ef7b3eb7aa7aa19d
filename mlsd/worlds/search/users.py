"""Who the users of the search world are, how often they come, and what makes them come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mlsd import checks, rng
from mlsd.types import Floats, Ints, State
from mlsd.worlds.search.queries import Queries
from mlsd.worlds.visits.base import Moments, Numbering, remembered, visit_logits, visits

_MINUTES_BETWEEN_QUERIES = 2.0
_MINUTES_A_DAY = 1440.0


@dataclass(frozen=True)
class UserOptions:
    """What users are like.

    Args:
        interest_sigma: standard deviation of the log of a user's affinity to a topic, 0 to 5; the mean
            affinity is 1.
        queries_per_day: things asked for, mean over users when all is as expected; below the mean of
            `queries_per_visit`. Asking again for the same comes on top.
        activity_shape: shape of the gamma distribution of users' visit rates, at least .05; small is uneven.
        queries_per_visit: shares of visits that ask for 1, 2, ... things; they are scaled to sum to 1.
        expected_satisfaction: share of satisfied requests that users are used to at first.
        memory: how much of what users remember a visit replaces, in (0, 1].
        satisfaction_effect: change of the log-odds of a visit on a day per unit of remembered satisfaction.
        expected_latency_ms: latency up to which users notice nothing.
        latency_effect: fall of the log-odds of a visit per 100 ms of remembered latency beyond that.
    """

    interest_sigma: float = 1.0
    queries_per_day: float = 0.35
    activity_shape: float = 1.0
    queries_per_visit: Sequence[float] = (0.67, 0.19, 0.07)
    expected_satisfaction: float = 0.3
    memory: float = 0.2
    satisfaction_effect: float = 1.0
    expected_latency_ms: float = 100.0
    latency_effect: float = 0.002

    def __post_init__(self) -> None:
        checks.between("interest_sigma", self.interest_sigma, 0, 5)
        checks.above("queries_per_day", self.queries_per_day, 0)
        checks.at_least("activity_shape", self.activity_shape, 0.05)
        checks.not_empty("queries_per_visit", self.queries_per_visit)
        for place, visit_share in enumerate(self.queries_per_visit):
            checks.share(f"queries_per_visit[{place}]", visit_share)
        total = checks.above("sum of queries_per_visit", float(sum(self.queries_per_visit)), 0)
        checks.require(
            total <= 0 or self.queries_per_day < self.mean_queries, "queries_per_day", self.queries_per_day,
            "must be below the mean of queries_per_visit, as users visit once a day at most",
        )  # fmt: skip
        checks.share("expected_satisfaction", self.expected_satisfaction)
        checks.probability("memory", self.memory)
        checks.at_least("satisfaction_effect", self.satisfaction_effect, 0)
        checks.at_least("expected_latency_ms", self.expected_latency_ms, 0)
        checks.at_least("latency_effect", self.latency_effect, 0)

    @property
    def max_queries(self) -> int:
        """Queries of a visit, at most."""
        return len(self.queries_per_visit)

    @property
    def mean_queries(self) -> float:
        """Queries of a visit, on average."""
        return float(np.average(np.arange(1, self.max_queries + 1), weights=self.queries_per_visit))


class Users:
    """The users of one world.

        P(visit on a day) = sigmoid(logit(1 - exp(-rate)) + satisfaction_effect * (satisfaction - expected)
                                    - latency_effect * max(0, latency_ms - expected) / 100)

    where `rate` is the user's own, and satisfaction and latency are what the user remembers: after a day with
    requests, memory * the day's mean + (1 - memory) * what was remembered before. A user visits at most once
    a day.

    Args:
        options: as declared.
        queries: what can be asked for.
        n_users: how many there are.
        seed: of all draws.
        n_tries: for the same thing, at most.
    """

    def __init__(
        self, options: UserOptions, queries: Queries, n_users: int, seed: int, n_tries: int = 1
    ) -> None:
        self.options, self.queries, self.n_users, self.seed = options, queries, n_users, seed
        self.numbering = Numbering(n_users, options.max_queries, n_tries)

    @cached_property
    def affinity(self) -> Floats:
        """(n_users, n_topics) how much each user cares for each topic, 1 on average; log-normal."""
        sigma = self.options.interest_sigma
        topics = np.arange(self.queries.n_topics)
        spread = rng.normal(self.seed, "interests", np.arange(self.n_users)[:, None], topics)
        return np.exp(sigma * spread - sigma**2 / 2)

    @cached_property
    def visit_logit(self) -> Floats:
        """(n_users,) log-odds of a visit on a day when all is as expected."""
        mean_prob = self.options.queries_per_day / self.options.mean_queries
        return visit_logits(self.seed, self.n_users, mean_prob, self.options.activity_shape)

    def first_state(self) -> State:
        """What users remember before their first day, (n_users,) each: what they are used to."""
        return {
            "satisfaction": np.full(self.n_users, self.options.expected_satisfaction),
            "latency_ms": np.full(self.n_users, self.options.expected_latency_ms),
        }

    def visit_prob(self, state: State) -> Floats:
        """(n_users,) P(the user visits on a day)."""
        options = self.options
        pleased = state["satisfaction"] - options.expected_satisfaction
        delayed = np.maximum(state["latency_ms"] - options.expected_latency_ms, 0.0) / 100.0
        log_odds = self.visit_logit + options.satisfaction_effect * pleased - options.latency_effect * delayed
        return np.asarray(expit(log_odds))

    def come(self, users: Ints, day: int, state: State) -> Moments:
        """Who of these users visits on a day, and the first tries of the visits, in the order of their ids.

        Args:
            users: ascending.
            day: 0-based.
            state: what users remember.
        """
        prob = self.visit_prob(state)[users]
        return visits(users, day, prob, self.options.queries_per_visit, self.seed, "n_queries")

    def query_of(self, moments: Moments) -> Ints:
        """(n_requests,) what is asked for: a topic by popularity and interest, a query of it by popularity.

        Every try is for the same.
        """
        user, day, place, _ = moments
        luck = rng.uniform(self.seed, "asked_topic", user, day, place)
        cumulative = self._cumulative_topics[user]
        topics = np.sum(luck[:, None] * cumulative[:, -1:] >= cumulative, axis=1)
        return self.queries.draw(topics, rng.uniform(self.seed, "asked_query", user, day, place))

    def time_of(self, moments: Moments) -> Floats:
        """(n_requests,) in days: a visit begins at any time of its day; what it asks for is minutes apart."""
        user, day, place, attempt = moments
        gap = _MINUTES_BETWEEN_QUERIES / _MINUTES_A_DAY
        n_tries = self.numbering.n_tries
        latest = 1.0 - gap * (self.options.max_queries - 1.0 / n_tries)
        start = rng.uniform(self.seed, "time_of_day", user, day) * latest
        return np.asarray(day + (start + gap * (place + attempt / n_tries)))

    def remember(self, user: Ints, satisfied: NDArray[np.bool_], latency_ms: float, state: State) -> State:
        """What all users remember after a day.

        Args:
            user: (n_requests,) who asked.
            satisfied: (n_requests,) whether something satisfied the user.
            latency_ms: how long every request took.
            state: what they remembered before.
        """
        n_requests = np.bincount(user, minlength=self.n_users)
        came = n_requests > 0
        day_share = np.bincount(user, satisfied, self.n_users) / np.maximum(n_requests, 1)
        latency = np.full(self.n_users, float(latency_ms))
        memory = self.options.memory
        return {
            "satisfaction": remembered(state["satisfaction"], day_share, came, memory),
            "latency_ms": remembered(state["latency_ms"], latency, came, memory),
        }

    @cached_property
    def _cumulative_topics(self) -> Floats:
        """(n_users, n_topics) cumulative weights of what each user asks about."""
        return np.cumsum(self.affinity * self.queries.topic_weight, axis=1)
