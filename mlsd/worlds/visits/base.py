"""When a request is made: by whom, on which day, in which place of the visit, at which try.

How often users visit, and what they remember of a visit, is the same for all worlds whose users come and go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, logit

from mlsd import ragged, rng
from mlsd.errors import InputError
from mlsd.types import Array, Floats, Ints, Requests

HOURS = 24
_DAY_MINUTES = 1440.0

DAILY = (
    1.5, 0.8, 0.5, 0.4, 0.4, 0.7, 1.5, 2.5, 3.5, 4.0, 4.2, 4.4,
    4.8, 4.6, 4.4, 4.5, 4.8, 5.2, 5.8, 6.5, 7.0, 6.5, 5.0, 3.0,
)  # fmt: skip
"""Visits by hour: quiet nights, most in the evening."""


class Moments(NamedTuple):
    """What the id of a request stands for; each (n_requests,) int64.

    Args:
        user: who asks.
        day: 0-based.
        place: of what is asked for among all that the user asks for that day, 0-based.
        attempt: 0 at first, then how often the user has asked for it before.
    """

    user: Ints
    day: Ints
    place: Ints
    attempt: Ints

    def take(self, rows: Array) -> Moments:
        return Moments(*(part[rows] for part in self))


@dataclass(frozen=True)
class Numbering:
    """Numbers requests by day, then user, then place in the visit, then try.

    Args:
        n_users: users there are.
        n_places: things a user asks for on a day, at most.
        n_tries: tries for each, at most.

    Example:
        >>> import numpy as np
        >>> numbering = Numbering(n_users=10, n_places=3, n_tries=2)
        >>> ids = numbering.ids(Moments(np.array([4]), np.array([1]), np.array([2]), np.array([0])))
        >>> ids.tolist(), numbering.moments(ids).user.tolist()
        ([88], [4])
    """

    n_users: int
    n_places: int
    n_tries: int

    def ids(self, moments: Moments) -> Ints:
        """(n_requests,) the `request_id` of each moment."""
        visit = moments.day * self.n_users + moments.user
        return (visit * self.n_places + moments.place) * self.n_tries + moments.attempt

    def moments(self, request_id: Ints) -> Moments:
        """What each id stands for."""
        rest, attempt = divmod(request_id, self.n_tries)
        visit, place = divmod(rest, self.n_places)
        day, user = divmod(visit, self.n_users)
        return Moments(user, day, place, attempt)


def ascending(users: Ints) -> Ints:
    """Distinct users in ascending order.

    Raises:
        InputError: somebody is there twice.
    """
    ordered = np.sort(users)
    if np.any(np.diff(ordered) == 0):
        raise InputError("users must not repeat")
    return ordered


def moments_of(requests: Requests, numbering: Numbering) -> Moments:
    """What the ids of requests stand for.

    Raises:
        InputError: an id is not that of a request of this user on this day.
    """
    moments = numbering.moments(requests.request_id)
    strange = (moments.user != requests.user) | (moments.day != requests.day)
    if np.any(strange):
        raise InputError(
            f"request.request_id == {requests.request_id[strange][0]}, must be of a request of this world"
        )
    return moments


def visits(users: Ints, day: int, prob: Floats, shares: Sequence[float], seed: int, per: str) -> Moments:
    """Who of these users visits on a day, and the first tries of what they ask for, in order of their ids.

    Args:
        users: (n,) ascending.
        day: 0-based.
        prob: (n,) P(the user visits).
        shares: of visits that ask for 1, 2, ... things.
        seed: of the draws.
        per: names the draw of how many things.
    """
    visitors = users[rng.uniform(seed, "visits", users, day) < prob]
    n_asked = 1 + rng.choice(seed, per, shares, visitors, day)
    user = np.repeat(visitors, n_asked)
    place = ragged.positions(ragged.offsets_of_counts(n_asked))
    return Moments(user, np.full_like(user, day), place, np.zeros_like(user))


def visit_times(
    moments: Moments, hour_shares: Sequence[float], n_places: int, gap_minutes: float, seed: int
) -> Floats:
    """(n_requests,) in days: a visit begins in an hour by its share, its requests are some minutes apart.

    Args:
        moments: of the requests.
        hour_shares: visits by the hour in which they begin, `HOURS` of them.
        n_places: requests of a visit, at most: all of them fall on its day.
        gap_minutes: between two requests of a visit.
        seed: of the draws.
    """
    user, day, place, _ = moments
    gap = gap_minutes / _DAY_MINUTES
    hour = rng.choice(seed, "hours", hour_shares, user, day)
    start = (hour + rng.uniform(seed, "time_of_hour", user, day)) / HOURS
    return np.asarray(day + np.minimum(start, 1.0 - gap * n_places) + gap * place)


def visit_logits(seed: int, n_users: int, mean_prob: float, shape: float) -> Floats:
    """(n_users,) log-odds of a visit on a day when all is as expected: some users come more often.

    With gamma rates of shape k and scale s, P(visit) = 1 - exp(-rate) has the mean 1 - (1 + s) ** -k.

    Args:
        seed: of the draws.
        n_users: how many there are.
        mean_prob: mean of P(visit) over users, in (0, 1).
        shape: k, above 0; small is uneven.

    Source: gamma rates of purchase, Ehrenberg (Applied Statistics 1959).
    """
    scale = (1.0 - mean_prob) ** (-1.0 / shape) - 1.0
    luck = rng.uniform(seed, "activity", np.arange(n_users))
    rate = np.maximum(gammaincinv(shape, luck) * scale, np.finfo(np.float64).tiny)
    return np.asarray(logit(-np.expm1(-rate)))


def remembered(before: Floats, of_day: Floats, came: NDArray[np.bool_], memory: float) -> Floats:
    """(n_users,) what users remember after a day: those who came, memory * the day + (1 - memory) * before.

    Args:
        before: what they remembered.
        of_day: what the day was like for each.
        came: who was there.
        memory: how much of what is remembered a day replaces, in (0, 1].
    """
    return np.where(came, before + memory * (of_day - before), before)
