"""Logs of feeds in columns: saved, loaded and held to their own shape."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlsd.datasets import feed_log
from mlsd.datasets.feed_log import FeedLog
from mlsd.datasets.hacker_news import HackerNews
from mlsd.datasets.movielens import MovieLens
from mlsd.errors import InputError
from mlsd.testing.tiny_feed_logs import write_movies, write_posts


@pytest.fixture(params=["movies", "posts"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> FeedLog:
    if request.param == "movies":
        return MovieLens(write_movies(tmp_path / "films", "u.data")).read()
    return HackerNews(write_posts(tmp_path / "posts")).read()


def test_what_is_saved_is_loaded(log: FeedLog, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    feed_log.save(log, tmp_path / "kept")
    loaded = feed_log.load(tmp_path / "kept")
    about = ("name", "fingerprint", "start", "left_out")
    assert [getattr(loaded, name) for name in about] == [getattr(log, name) for name in about]
    assert list(loaded.actions) == list(log.actions)
    assert list(loaded.items.columns) == list(log.items.columns)
    pairs = [
        *zip(dict(log.named_columns()).values(), dict(loaded.named_columns()).values(), strict=True),
        *((column, loaded.items[name]) for name, column in log.items.columns.items()),
        (log.items.item_id, loaded.items.item_id),
        (log.user_id, loaded.user_id),
        (log.published_days, loaded.published_days),
    ]
    for first, second in pairs:
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)


def test_what_is_broken_cannot_be_loaded(log: FeedLog, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    feed_log.save(log, tmp_path / "kept")
    (tmp_path / "kept" / "events.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"^cannot read .*kept"):
        feed_log.load(tmp_path / "kept")


def test_columns_have_a_row_for_each_event_and_each_item(log: FeedLog) -> None:
    with pytest.raises(InputError, match=r"^action\.some has 1 rows, must have \d+$"):
        replace(log, actions={"some": np.zeros(1)})
    with pytest.raises(InputError, match=r"^published_days has 1 rows, must have \d+$"):
        replace(log, published_days=np.zeros(1))


def test_days_are_those_of_the_calendar(log: FeedLog) -> None:
    assert log.day[0] == 0
    assert log.date(0) == log.start
    assert np.all(log.day <= log.time_days)
    assert np.all(log.time_days < log.day + 1)
