"""Ratings that are given long after a visit began are known from then on, not from its beginning."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mlsd.fitting import Fitting
from mlsd.retrievers.fresh.trending import Trending
from mlsd.testing.tiny_feed_logs import Rating, write_movies
from mlsd.types import Candidates, Requests
from mlsd.worlds.feed_logs import MovieLensWorld

MIDNIGHT, HOUR = 1_425_168_000, 3600


def rated(user: int, movie: int, stars: int, hour: float) -> Rating:
    return (str(user), str(movie), str(stars), str(int(MIDNIGHT + hour * HOUR)))


def test_what_trends_knows_an_action_from_its_own_hour_on(tmp_path: Path) -> None:
    """User 1 likes movies at 10:30, 11:15 and 12:06 in one visit; who comes at 11:42 knows the first."""
    visit = [rated(1, movie, 5, hour) for movie, hour in ((3, 10.5), (4, 11.25), (5, 12.1))]
    others = [rated(user, 6, 3, 24 * user) for user in (2, 3, 4)]
    world = MovieLensWorld(str(write_movies(tmp_path / "log", "u.data", [*visit, *others])))
    assert world.log().impressions["request_id"].tolist()[:3] == [0, 0, 0]
    trending = Trending({"like": 1.0}, half_life_hours=1e6, window_hours=1000, max_age_hours=1e7)
    trending.fit(world.catalog, world.log(), Fitting())
    times = np.array([11.7, 12.9, 13.0]) / 24
    requests = Requests(np.arange(3), np.full(3, 9), np.zeros(3, np.int64), times)
    asked = Candidates(np.arange(4) * 3, np.tile([2, 3, 4], 3))
    assert np.rint(trending.score(requests, asked)).reshape(3, 3).tolist() == [
        [1, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
    ]
