from __future__ import annotations

import numpy as np

from mlsd.filters.seen import Seen
from mlsd.logs import served_of
from mlsd.testing.filter_kit import FEED, FilterKit
from mlsd.types import Candidates, RankingBatch, Requests, Served, Slates


class TestSeen(FilterKit):
    def make(self) -> Seen:
        return Seen()


def test_what_was_shown_in_an_earlier_hour_is_left_out() -> None:
    """Row by row over the log; on whichever position, and whatever was done with it."""
    first: dict[tuple[int, int], int] = {}
    hours = FEED.log.requests.hour[FEED.log.request_rows].tolist()
    for shown, hour in zip(FEED.log.impressions.to_dict("records"), hours, strict=True):
        pair = int(shown["user"]), int(shown["item"])
        first[pair] = min(hour, first.get(pair, hour))
    batch = FEED.candidates(FEED.requests)
    rows = zip(
        batch.per_candidate("request.user").tolist(),
        batch.candidates.items.tolist(),
        batch.requests.hour[batch.candidates.request_rows].tolist(),
        strict=True,
    )
    seen = Seen()
    seen.fit(FEED.catalog, FEED.log)
    assert seen.kept(batch).tolist() == [
        not first.get((user, item), 10**6) < hour for user, item, hour in rows
    ]


def test_an_hour_is_told_in_parts() -> None:
    """The pages of an hour, one after the other, are known together from the next one on."""
    log = Served(
        Requests(np.arange(2), np.array([4, 4]), np.zeros(2, np.int64), np.array([2.01, 2.02])),
        Slates(np.array([[7, -1], [8, 7]])),
        {},
    )
    seen = Seen()
    seen.fit(FEED.catalog, None)
    for row in range(2):
        seen = seen.observed(log.take(np.array([row])))
    times = np.array([2.03, 2.05, 2.05])
    asked = Requests(np.arange(3), np.array([4, 4, 5]), np.zeros(3, np.int64), times)
    batch = RankingBatch(asked, Candidates(np.arange(4) * 3, np.tile([7, 8, 9], 3)))
    assert seen.kept(batch).reshape(3, 3).tolist() == [[True] * 3, [False, False, True], [True] * 3]


def test_nothing_shown_is_nothing_seen() -> None:
    seen = Seen()
    seen.fit(FEED.catalog, None)
    batch = FEED.candidates(FEED.asked)
    assert seen.kept(batch).all()
    assert seen.observed(served_of(FEED.log.window("nothing"))).kept(batch).all()
