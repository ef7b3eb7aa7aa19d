"""When a request is made: by whom, on which day, in which place of the visit, at which try.

How often users visit, and what they remember of a visit, is the same for all worlds whose users come and go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, logit

from mlsd import rng
from mlsd.types import Array, Floats, Ints


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
