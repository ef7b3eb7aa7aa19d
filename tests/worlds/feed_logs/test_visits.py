"""Visits: against a loop over events, one after the other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.datasets.feed_log import FeedLog
from mlsd.types import Catalog
from mlsd.worlds.feed_logs.visits import Visits

N_USERS, N_ITEMS = 4, 6
MINUTE = st.integers(0, 4 * 1440 - 1)
EVENTS = st.lists(st.tuples(st.integers(0, N_USERS - 1), st.integers(0, N_ITEMS - 1), MINUTE), min_size=1)
"""User, item and minute."""


def log_of(events: list[tuple[int, int, int]]) -> FeedLog:
    user, item, minute = np.array(sorted(events, key=lambda event: (event[2], *event))).T
    items = Catalog(np.arange(N_ITEMS).astype(str).astype(object))
    names = np.arange(N_USERS).astype(str).astype(object)
    return FeedLog("films", "", "2015-03-01", items, np.zeros(N_ITEMS), names, user, item, minute / 1440, {})


def slow_visits(log: FeedLog, gap_minutes: float) -> list[tuple[int, int, float, list[int]]]:
    """User, number within the user, time and events of each visit."""
    visits: list[tuple[int, int, float, list[int]]] = []
    for user in range(N_USERS):
        mine = [row for row in range(len(log)) if log.user[row] == user]
        mine.sort(key=lambda row: (log.time_days[row], log.item[row]))
        session = -1
        for place, row in enumerate(mine):
            before = log.time_days[mine[place - 1]] if place else -np.inf
            now = log.time_days[row]
            if round((now - before) * 1440, 3) > gap_minutes or int(now) > before // 1:
                session += 1
                visits.append((user, session, float(now), []))
            visits[-1][3].append(row)
    return sorted(visits, key=lambda visit: (visit[2], visit[0]))


@given(EVENTS, st.sampled_from([1.0, 60.0, 300.0]))
def test_visits_are_those_of_a_loop(events: list[tuple[int, int, int]], gap_minutes: float) -> None:
    log = log_of(events)
    visits = Visits.of(log, gap_minutes)
    rows = [own.tolist() for own in np.split(visits.rows, visits.offsets[1:-1])]
    found = zip(visits.user.tolist(), visits.session.tolist(), visits.time_days.tolist(), rows, strict=True)
    assert list(found) == slow_visits(log, gap_minutes)
    assert len(visits) == len(rows)


@pytest.mark.parametrize(
    ("minutes", "n_visits"), [((0, 60), 1), ((0, 61), 2), ((1430, 1450), 2), ((0, 0), 1)]
)
def test_pauses_and_midnights_end_a_visit(minutes: tuple[int, int], n_visits: int) -> None:
    assert (
        len(Visits.of(log_of([(0, item, minute) for item, minute in enumerate(minutes)]), 60.0)) == n_visits
    )
