"""Visits of users: the events that follow each other closely."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd import ragged
from mlsd.datasets.feed_log import FeedLog
from mlsd.types import Floats, Ints

_DAY_MINUTES = 1440
_ROUNDING_MINUTES = 1e-6


@dataclass(frozen=True)
class Visits:
    """Events, visit by visit, and visits in order of time, then of user.

    Args:
        rows: (n_events,) rows of the log: those of a visit together, in order of time, then of item.
        offsets: (n_visits + 1,) int64: the events of visit v are `rows[offsets[v]:offsets[v + 1]]`.
        user: (n_visits,) whose.
        session: (n_visits,) their number among the visits of their user, from 0.
        time_days: (n_visits,) the time of the first event.
    """

    rows: Ints
    offsets: Ints
    user: Ints
    session: Ints
    time_days: Floats

    @staticmethod
    def of(log: FeedLog, gap_minutes: float) -> Visits:
        """Cut the events of each user into visits.

        A visit ends where the next event of its user is more than `gap_minutes` later, or on another day.

        Args:
            log: with at least one event.
            gap_minutes: above 0.
        """
        rows = np.lexsort((log.item, log.time_days, log.user))
        user, time, day = log.user[rows], log.time_days[rows], log.day[rows]
        paused = np.diff(time) * _DAY_MINUTES > gap_minutes + _ROUNDING_MINUTES
        starts = np.append(True, paused | (np.diff(user) != 0) | (np.diff(day) != 0))
        first = np.flatnonzero(starts)
        offsets = np.append(first, len(rows))
        of_user = ragged.offsets_of_counts(np.bincount(user[first]))
        order = np.lexsort((user[first], time[first]))
        taken, ordered = ragged.take_segments(offsets, order)
        first = first[order]
        return Visits(rows[taken], ordered, user[first], ragged.positions(of_user)[order], time[first])

    def __len__(self) -> int:
        return len(self.user)
