"""The simulated experiment of a feed: what users do with posts, and whose posts they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isfinite
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np

from mlsd import checks
from mlsd.columns import whole_numbers
from mlsd.estimators.concentration import gini
from mlsd.online.base import ARMS, MIN_DAYS, RETENTION_DAYS, Counts, Ratio, assigned_to_treatment
from mlsd.online.exposure import Exposure, compare_gini
from mlsd.online.outcomes import Counting, session_counts
from mlsd.online.policy_test import PolicyTest
from mlsd.online.result import ABResult, Effect
from mlsd.types import Columns, Floats, Served, State
from mlsd.worlds.base import LiveWorld

DWELL = "dwell_s"
GINI = "exposure_gini"

GINI_WORDS = (
    "How unevenly impressions are spread over authors: 0 where all have the same, near 1 where one has all. "
    "Its intervals are by a bootstrap over users."
)

ACTIONS = ("click", "like", "reply", "repost", "follow", "hide", "report")
NEGATIVE = ("hide", "report")

METRICS: Mapping[str, Ratio] = {
    "value_per_page": Ratio("value", "requests"),
    **{f"{action}_rate": Ratio(f"{action}s", "impressions") for action in ACTIONS},
    "negative_rate": Ratio("negatives", "impressions"),
    "dwell_s_per_page": Ratio(DWELL, "requests"),
    "pages_per_session": Ratio("requests", "sessions"),
    "sessions_per_user": Ratio("sessions", "users"),
    "retention_1d": Ratio("retained_1d", "retainable_1d"),
    f"retention_{RETENTION_DAYS}d": Ratio("retained", "retainable"),
}
"""What a feed sees. A session is a visit."""

HIDDEN: Mapping[str, Ratio] = {
    "satisfied_per_page": Ratio("satisfied", "requests"),
    "annoyed_per_page": Ratio("annoyed", "requests"),
}
"""What only a synthetic world can tell: never estimated, the truth alone is reported."""


@runtime_checkable
class KnowsFeelings(Protocol):
    """A world that can tell how its users felt."""

    def felt_on(self, day: int, state: State) -> Mapping[str, Floats]:
        """`satisfied` and `annoyed` -> (n_users,) how many posts of a day did that to each user.

        Args:
            day: 0-based.
            state: after that day.
        """


@dataclass(frozen=True, kw_only=True)
class FeedTest(PolicyTest):
    """What users do with the posts of their feed, whether they come back, and whose posts are shown.

    How arms are served and compared: see `PolicyTest`. Beside what users do stands `exposure_gini`, how
    unevenly impressions are spread over authors: 0 where all are shown alike, near 1 where one has all.

    Args:
        values: action -> what it is worth, of `value_per_page`; None switches one off.
        long_read_s: dwell from which on a post counts as read, in seconds: the action `dwell_s` of `values`.
        maker: column of the catalog with who made an item.
        n_days: length of the test; at least 14, since 7-day retention needs users first seen in one
            week who can come back in the next.
        alpha: 1 - the confidence level.
    """

    metrics: ClassVar[Mapping[str, Ratio]] = METRICS
    hidden: ClassVar[Mapping[str, Ratio]] = HIDDEN
    further: ClassVar[Mapping[str, str]] = {GINI: GINI_WORDS}

    values: Mapping[str, float | None]
    long_read_s: float = 20.0
    maker: str = "author"
    n_days: int = MIN_DAYS
    alpha: float = 0.05

    def __post_init__(self) -> None:
        self.check()
        checks.above("long_read_s", self.long_read_s, 0)
        some = any(value is not None for value in self.values.values())
        checks.require(some, "values", dict(self.values), "must have one that is not null")
        for action, value in self.values.items():
            checks.one_of("values", action, (*ACTIONS, DWELL))
            checks.require(value is None or isfinite(value), f"values.{action}", value, "must be finite")

    @property
    def needed_actions(self) -> tuple[str, ...]:
        return (*ACTIONS, DWELL)

    @property
    def count_words(self) -> Mapping[str, str]:
        return {
            **super().count_words,
            "value": "what was done, each action at its declared value",
            "negatives": "posts that were hidden or reported",
            "impressions": "posts shown",
            "requests": "pages",
            DWELL: "seconds that opened posts were read for",
            "satisfied": "posts that satisfied, which no log shows",
            "annoyed": "posts that annoyed, which no log shows",
        }

    def worth(self, feedback: Columns) -> Floats:
        """(n_requests, n_positions) what users did, each action at its declared value."""
        done = {**feedback, DWELL: feedback[DWELL] >= self.long_read_s}
        worth = (value * done[action] for action, value in self.values.items() if value is not None)
        return np.asarray(sum(worth, np.zeros(())))

    def counter(self, world: LiveWorld, seed: int) -> FeedCounter:
        del seed
        return FeedCounter(world, self)

    def with_more(self, found: ABResult, counters: Mapping[str, Counting], seed: int) -> ABResult:
        """With how unevenly impressions are spread over those who made what was shown."""
        before, after = (_exposure_of(counters[arm]) for arm in ARMS)
        treated = assigned_to_treatment(np.arange(before.shown.shape[0]), seed)
        everybody = np.ones(len(treated), bool)
        truth = float(gini(after.of(everybody)) - gini(before.of(everybody)))
        estimate = compare_gini(before, after, treated, self.alpha, seed)
        ratio = found.sample_ratio
        effect = Effect(estimate, truth, ratio.n_control, ratio.n_treatment)
        exposures = {arm: exposure.of(everybody) for arm, exposure in zip(ARMS, (before, after), strict=True)}
        return replace(found, effects={**found.effects, GINI: effect}, exposures=exposures)


class FeedCounter(Counting):
    """Counts what the users of one world did with posts, and whose posts they were shown.

    Args:
        world: whose users.
        test: what is counted.
    """

    def __init__(self, world: LiveWorld, test: FeedTest) -> None:
        self.world, self.test = world, test
        self._maker = whole_numbers(world.catalog, test.maker)
        self.exposure = Exposure.nothing(world.n_users, self._maker)

    def __call__(self, served: Served) -> Counts:
        """Counts of one day, whose impressions are added to the exposure."""
        self.exposure = self.exposure.with_shown(served, self._maker)
        feedback, user, n_users = served.feedback, served.requests.user, self.world.n_users
        done = {f"{action}s": feedback[action] for action in ACTIONS}
        per_position = {
            **done,
            "impressions": served.slates.shown,
            "negatives": np.any([feedback[action] for action in NEGATIVE], axis=0),
            DWELL: feedback[DWELL],
            "value": self.test.worth(feedback),
        }
        counts = {
            name: np.bincount(user, values.sum(axis=1), n_users) for name, values in per_position.items()
        }
        counts["requests"] = np.bincount(user, minlength=n_users).astype(np.float64)
        read = np.asarray(feedback["click"].any(axis=1))
        return counts | session_counts(served.requests, read, n_users)

    def felt(self, day: int, state: State) -> Counts:
        """Posts of a day that satisfied and annoyed, where the world tells."""
        return dict(self.world.felt_on(day, state)) if isinstance(self.world, KnowsFeelings) else {}


def _exposure_of(counter: Counting) -> Exposure:
    assert isinstance(counter, FeedCounter)  # noqa: S101  (a feed test makes no other)
    return counter.exposure
