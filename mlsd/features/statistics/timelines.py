"""What each user did, in order of time: the last of it before an hour, without a look into the future."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mlsd.types import Floats, Ints, State, hours_of


@dataclass(frozen=True)
class Timelines:
    """Events of users by ascending time.

    Those of the same time stand in the order of their requests' ids, those of one request in that of their
    positions.

    Args:
        user: (n_events,) int64, ascending.
        time_days: (n_events,) float64, not falling within a user.
        request_id: (n_events,) int64, not falling within a user and time.
        value: (n_events,) int64, what is told of an event.

    Example:
        >>> events = np.array([7, 7, 9]), np.array([0.0, 0.5, 0.1]), np.arange(3), np.zeros(3, int)
        >>> past = Timelines.of(*events, value=np.array([4, 5, 6]))
        >>> past.last(np.array([7, 9, 8]), np.array([24, 2, 24]), 2).tolist()
        [[5, 4], [0, 0], [0, 0]]
    """

    user: Ints
    time_days: Floats
    request_id: Ints
    value: Ints

    def __len__(self) -> int:
        return len(self.user)

    @staticmethod
    def of(user: Ints, time_days: Floats, request_id: Ints, position: Ints, value: Ints) -> Timelines:
        """Events in any order, (n_events,) each."""
        order = np.lexsort((position, request_id, time_days, user))
        return Timelines(user[order], time_days[order], request_id[order], value[order])

    @staticmethod
    def none() -> Timelines:
        """No event."""
        empty = np.zeros(0, np.int64)
        return Timelines(empty, np.zeros(0), empty, empty)

    @cached_property
    def hours(self) -> tuple[int, int]:
        """The first and the last hour in which something happened; of no events (0, -1)."""
        if not len(self):
            return 0, -1
        first, last = hours_of(np.array([self.time_days.min(), self.time_days.max()])).tolist()
        return first, last

    def last(self, user: Ints, hour: Ints, length: int) -> Ints:
        """(n, length) the values of each user's last events strictly before an hour, most recent first.

        Values are to be above 0: 0 says that there is no such event.

        Args:
            user: (n,).
            hour: (n,) since the start of the log.
            length: how many.
        """
        if not len(self):
            return np.zeros((len(user), length), np.int64)
        places = self._ends(user, hour)[:, None] - np.arange(1, length + 1)
        rows = np.maximum(places, 0)
        there = (places >= 0) & (self.user[rows] == user[:, None])
        return np.where(there, self.value[rows], 0)

    def followed_by(self, other: Timelines) -> Timelines:
        """All events of both; quick where the others are all of later hours."""
        if not len(self) or not len(other):
            return self if len(self) else other
        if other.hours[0] > self.hours[1]:
            ends = [np.searchsorted(self.user, other.user, side="right")] * len(_COLUMNS)
            columns = zip(self._columns, ends, other._columns, strict=True)
            return Timelines(*(np.insert(*column) for column in columns))
        both = (np.concatenate(columns) for columns in zip(self._columns, other._columns, strict=True))
        user, time_days, request_id, value = both
        return Timelines.of(user, time_days, request_id, np.zeros(len(user), np.int64), value)

    def state(self) -> State:
        """All events, as arrays."""
        return {name: getattr(self, name) for name in _COLUMNS}

    @staticmethod
    def from_state(state: State) -> Timelines:
        """Those that `state` gave."""
        return Timelines(*(state[name] for name in _COLUMNS))

    @property
    def _columns(self) -> tuple[Ints, Floats, Ints, Ints]:
        return self.user, self.time_days, self.request_id, self.value

    @cached_property
    def _cells(self) -> tuple[Ints, Ints]:
        """The different users, and one ascending integer for the user and hour of each event."""
        starts = np.flatnonzero(np.diff(self.user, prepend=self.user[0] - 1))
        numbers = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(self)))
        return self.user[starts], numbers * self._n_hours + hours_of(self.time_days) - self.hours[0]

    @property
    def _n_hours(self) -> int:
        """From the first hour to the one after the last."""
        first, last = self.hours
        return last - first + 2

    def _ends(self, user: Ints, hour: Ints) -> Ints:
        """(n,) the row after the last event of each user before an hour; that of an unknown user is any."""
        users, cells = self._cells
        number = np.searchsorted(users, user)
        elapsed = np.clip(hour - self.hours[0], 0, self._n_hours - 1)
        return np.searchsorted(cells, number * self._n_hours + elapsed)


_COLUMNS = ("user", "time_days", "request_id", "value")


def joined(recent: Ints, earlier: Ints) -> Ints:
    """(n, length) the first values of what is recent, then of what is earlier; 0 where nothing is left.

    Args:
        recent: (n, length), above 0 up to where there is no more.
        earlier: (n, length), likewise.

    Example:
        >>> joined(np.array([[3, 0, 0]]), np.array([[5, 4, 2]])).tolist()
        [[3, 5, 4]]
    """
    n_recent = np.count_nonzero(recent, axis=1)[:, None]
    places: NDArray[np.int64] = np.maximum(np.arange(recent.shape[1]) - n_recent, 0)
    return np.where(recent > 0, recent, np.take_along_axis(earlier, places, axis=1))
