"""What learns from logs learns from logs of feeds: each part against a loop over what was logged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlsd.features.statistics.exposure import UserExposure
from mlsd.fitting import Fitting
from mlsd.labels.actions import Action, ActionLabels
from mlsd.logs import Log
from mlsd.retrievers.popularity import Popularity
from mlsd.testing.tiny_feed_logs import write_movies, write_posts
from mlsd.types import Candidates, RankingBatch
from mlsd.worlds.feed_logs import HackerNewsWorld, MovieLensWorld

World = MovieLensWorld | HackerNewsWorld


def shown(log: Log, *columns: str) -> list[Any]:
    """Columns of the impressions, row by row."""
    return list(zip(*(log.impressions[name].tolist() for name in columns), strict=True))


@pytest.fixture(params=["movies", "posts"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    if request.param == "movies":
        return MovieLensWorld(str(write_movies(tmp_path / "films", "u.data")))
    return HackerNewsWorld(str(write_posts(tmp_path / "posts")), like_points=40, reply_comments=45)


def test_popularity_counts_what_was_liked_in_the_first_window(world: World) -> None:
    log, liked = world.log(), np.zeros(len(world.catalog))
    for row, (item, like) in zip(log.request_rows, shown(log, "item", "like"), strict=True):
        liked[item] += like and log.split[row] == "retrieval"
    popular = Popularity(action="like")
    popular.fit(world.catalog, log, Fitting())
    np.testing.assert_allclose(popular.scores, np.log1p(liked), rtol=1e-6)
    assert liked.sum() > 0


def test_labels_are_what_was_done(world: World) -> None:
    log = world.log()
    labels = ActionLabels({"like": Action("like", 1, 1.0)}, propensity="none").make(log)
    done: dict[tuple[int, int], float] = {}
    for request, item, like in shown(log, "request_id", "item", "like"):
        done[request, item] = max(done.get((request, item), 0.0), float(like))
    found = zip(labels.request_id.tolist(), labels.item.tolist(), labels.label.tolist(), strict=True)
    assert {(request, item): label for request, item, label in found} == done


def test_what_people_saw_is_counted_up_to_the_day_before(world: World) -> None:
    """Of every visit to films; a page has a user of its own, who saw nothing before."""
    column = "topic" if isinstance(world, MovieLensWorld) else "author"
    log, kind = world.log(), world.catalog[column]
    exposure = UserExposure(column)
    exposure.fit(world.catalog, log)
    n_items, requests = len(world.catalog), log.requests
    everything = Candidates(
        np.arange(len(requests) + 1) * n_items, np.tile(np.arange(n_items), len(requests))
    )
    counted = exposure.values(RankingBatch(requests, everything)).reshape(len(requests), n_items)
    expected = np.zeros(counted.shape)
    for row, (user, day) in enumerate(zip(requests.user, requests.day, strict=True)):
        for viewer, time, item in shown(log, "user", "time_days", "item"):
            if viewer == user and int(time) < day:
                expected[row] += kind == kind[item]
    np.testing.assert_allclose(counted, np.log1p(expected), rtol=1e-6)
    assert (expected.max() > 0) == isinstance(world, MovieLensWorld)
