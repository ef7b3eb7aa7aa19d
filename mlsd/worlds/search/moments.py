"""When a request is made: by whom, on which day, in which place of the visit, at which try."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from mlsd.types import Array, Ints


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
