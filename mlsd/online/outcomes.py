"""What users did, as counts of each user: all that an experiment's metrics are made from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mlsd.online.base import RETENTION_DAYS, Counts, Ratio
from mlsd.online.raters import Raters
from mlsd.serving import Policy, serve
from mlsd.types import Array, Ints, Requests, Served, Slates, State
from mlsd.worlds.base import LiveWorld

METRICS: Mapping[str, Ratio] = {
    "ctr": Ratio("clicks", "impressions"),
    "clicks_per_request": Ratio("clicks", "requests"),
    "session_success": Ratio("successful_sessions", "sessions"),
    "request_success": Ratio("successful_requests", "requests"),
    "abandonment": Ratio("abandoned_requests", "requests"),
    "requests_per_user": Ratio("requests", "users"),
    "sessions_per_user": Ratio("sessions", "users"),
    f"retention_{RETENTION_DAYS}d": Ratio("retained", "retainable"),
}
"""What any live world lets us see. A request or session succeeds with a long click; a request without a
click is abandoned; users are those who came at all."""

HIDDEN_METRICS: Mapping[str, Ratio] = {"satisfaction": Ratio("satisfied_requests", "requests")}
"""What only a synthetic world can tell: never estimated, the truth alone is reported."""

RATED, GRADED = Ratio("rated_sum", "rated"), Ratio("graded_sum", "graded")
"""The raters' metric: of the requests they judged, and as it truly is of all requests."""


class Hidden(Protocol):
    """What users thought of what they were shown."""

    @property
    def satisfied(self) -> NDArray[np.bool_]:
        """(n_requests, n_positions) whether the item satisfied the user."""


@runtime_checkable
class KnowsSatisfaction(Protocol):
    """A world that can tell whether users were satisfied."""

    def hidden_responses(self, requests: Requests, slates: Slates) -> Hidden:
        """What no log shows."""


class Counting(ABC):
    """Counts what the users of one world did."""

    world: LiveWorld
    """Whose users they are."""

    @abstractmethod
    def __call__(self, served: Served) -> Counts:
        """Counts of one day, `requests` among them."""

    def felt(self, day: int, state: State) -> Counts:
        """Counts that only the state after a day tells; none unless a world tells any."""
        del day, state
        return {}


@dataclass(frozen=True)
class Counter(Counting):
    """Counts what the users of one world did.

    Args:
        world: whose users.
        raters: who judge what was served.
        long_click_s: dwell that makes a click a long one, in seconds.
        seed: of the raters.
    """

    world: LiveWorld
    raters: Raters
    long_click_s: float
    seed: int

    def __call__(self, served: Served) -> Counts:
        """Counts of one day."""
        user = served.requests.user
        of_requests = {**self._actions(served), **self._verdicts(served), **self._hidden(served)}
        counts = {name: np.bincount(user, values, self.world.n_users) for name, values in of_requests.items()}
        return counts | session_counts(
            served.requests, of_requests["successful_requests"], self.world.n_users
        )

    def _actions(self, served: Served) -> dict[str, Array]:
        click = served.feedback["click"]
        long_click = click & (served.feedback["dwell_s"] >= self.long_click_s)
        return {
            "requests": np.ones(len(served.requests)),
            "impressions": served.slates.shown.sum(axis=1),
            "clicks": click.sum(axis=1),
            "successful_requests": long_click.any(axis=1),
            "abandoned_requests": ~click.any(axis=1),
        }

    def _verdicts(self, served: Served) -> dict[str, Array]:
        rated, truth = self.raters.judge(self.world, served, self.seed)
        verdicts = {}
        for values, ratio in ((rated, RATED), (truth, GRADED)):
            verdicts[ratio.numerator] = np.nan_to_num(values)
            verdicts[ratio.denominator] = np.isfinite(values)
        return verdicts

    def _hidden(self, served: Served) -> dict[str, Array]:
        if not isinstance(self.world, KnowsSatisfaction):
            return {}
        hidden = self.world.hidden_responses(served.requests, served.slates)
        return {"satisfied_requests": np.asarray(hidden.satisfied.any(axis=1))}


def session_counts(requests: Requests, successful: Array, n_users: int) -> Counts:
    """Sessions, and those with a success; a session lies within one day."""
    width = 1 + requests.session.max(initial=0)
    sessions, rows = np.unique(requests.user * width + requests.session, return_inverse=True)
    users = sessions // width
    won = np.bincount(rows, successful, len(users)) > 0
    return {
        "sessions": np.bincount(users, minlength=n_users).astype(float),
        "successful_sessions": np.bincount(users, won, n_users),
    }


def served_days(
    counter: Counting, policy: Policy, users: Ints, days: Iterable[int], state: State, latency_ms: float
) -> Iterable[tuple[Counts, Array]]:
    """Serve these users day after day: each day's counts, and (n_users,) whether each user came."""
    for day in days:
        served, state = serve(counter.world, policy, users, day, state, latency_ms)
        counts = counter(served) | counter.felt(day, state)
        yield counts, counts["requests"] > 0
