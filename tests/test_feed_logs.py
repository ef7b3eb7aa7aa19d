"""Parsed logs of feeds in the store: found again by content and options, never beside the data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mlsd.datasets.base import SourceFile
from mlsd.datasets.feed_source import FeedReader, FeedSource
from mlsd.datasets.hacker_news import HackerNews
from mlsd.datasets.movielens import MovieLens
from mlsd.errors import InputError
from mlsd.feed_logs import KIND, KeptFeedReader, read_kept
from mlsd.store import Store
from mlsd.testing.tiny_feed_logs import some_ratings, write_movies, write_posts


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture(params=["movies", "posts"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> FeedSource:
    if request.param == "movies":
        return MovieLens(write_movies(tmp_path / "films", "ratings.csv"))
    return HackerNews(write_posts(tmp_path / "posts"))


def test_what_is_kept_is_what_is_read(source: FeedSource, store: Store) -> None:
    files = sorted(path.name for path in source.folder.iterdir())
    kept, read = read_kept(source, store), source.read()
    assert (kept.fingerprint, kept.start, kept.left_out) == (read.fingerprint, read.start, read.left_out)
    for name, column in read.named_columns():
        np.testing.assert_array_equal(dict(kept.named_columns())[name], column)
    assert sorted(path.name for path in source.folder.iterdir()) == files


def test_a_second_reading_opens_no_file(
    source: FeedSource, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader: FeedReader = KeptFeedReader(store.folder)
    n_events = len(reader(source))
    assert n_events == len(FeedReader()(source))
    monkeypatch.delattr(SourceFile, "read")
    assert len(reader(source)) == n_events


def test_bytes_and_options_tell_readings_apart(tmp_path: Path, store: Store) -> None:
    folder = write_movies(tmp_path / "films", "u.data")
    read_kept(MovieLens(folder), store)
    read_kept(MovieLens(folder, latest="2020-01-01"), store)
    assert len(list((store.folder / KIND).iterdir())) == 2
    write_movies(folder, "u.data", some_ratings()[:-1])
    assert len(read_kept(MovieLens(folder), store)) == len(some_ratings()) - 1
    assert len(list((store.folder / KIND).iterdir())) == 3


def test_a_broken_file_leaves_nothing_behind(tmp_path: Path, store: Store) -> None:
    folder = write_movies(tmp_path / "films", "u.data", [("1", "99", "4", "950000000")])
    with pytest.raises(InputError, match=r"films/u\.data:1"):
        read_kept(MovieLens(folder), store)
    write_movies(folder, "u.data")
    assert len(read_kept(MovieLens(folder), store)) == len(some_ratings())
