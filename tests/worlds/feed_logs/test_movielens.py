"""Ratings as a world: visits, what was liked in them, and nothing that comes later."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd import checks
from mlsd.config.places import conf_dir
from mlsd.errors import InvalidValueError
from mlsd.feed_logs import KeptFeedReader
from mlsd.logs import SPLITS
from mlsd.testing.tiny_feed_logs import (
    MOVIE_LAYOUTS,
    N_MOVIES,
    NEVER_RATED,
    Rating,
    some_ratings,
    write_movies,
)
from mlsd.testing.world_kit import WorldKit
from mlsd.types import Requests
from mlsd.worlds.base import World
from mlsd.worlds.feed_logs import MovieLensWorld
from mlsd.worlds.feed_logs.windows import SHARES

START = 1_425_168_000
"""Unix time of the midnight of 1 March 2015."""


class TestMovieLensWorld(WorldKit):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = write_movies(tmp_path / "films", "ratings.csv")

    def make_world(self, seed: int) -> MovieLensWorld:
        return MovieLensWorld(str(self.folder))

    def some_requests(self, world: World) -> Requests:
        assert isinstance(world, MovieLensWorld)
        return world.requests()


def world_of(folder: Path, ratings: Sequence[Rating] | None = None, **options: Any) -> MovieLensWorld:
    return MovieLensWorld(str(write_movies(folder / "films", "ratings.csv", ratings)), **options)


def rated(*rows: tuple[int, int, float, float]) -> list[Rating]:
    """Of user, movie, stars and day; and one movie each on four later days, so that there are windows."""
    more = [(99, 1, 3.0, 100.0 + day) for day in range(4)]
    return [
        (str(u), str(m), f"{stars:g}", f"{START + 86_400 * day:.0f}") for u, m, stars, day in (*rows, *more)
    ]


def test_a_request_is_a_visit_and_shows_what_it_rated_in_order_of_time(tmp_path: Path) -> None:
    world = world_of(tmp_path, rated((7, 3, 5, 0.52), (7, 2, 1, 0.5), (8, 1, 3, 0.51), (7, 4, 4, 0.6)))
    requests, log = world.requests(), world.log()
    assert requests.time_days[:3].tolist() == pytest.approx([0.5, 0.51, 0.6])
    assert requests.user[:3].tolist() == [0, 1, 0]
    assert requests.session[:3].tolist() == [0, 0, 1]
    assert requests.columns == {}
    assert world.unit == "user"
    shown = log.impressions[log.impressions["request_id"] < 3]
    assert shown["item"].tolist() == [1, 2, 0, 3]
    assert shown["position"].tolist() == [0, 1, 0, 0]
    assert shown["time_days"].tolist() == pytest.approx([0.5, 0.52, 0.51, 0.6])
    assert shown["click"].tolist() == [True] * 4
    assert shown["like"].tolist() == [False, True, False, True]
    assert shown["hide"].tolist() == [True, False, False, False]
    assert shown["rating"].tolist() == [1, 5, 3, 4]
    assert set(shown["propensity"]) == {1.0}
    assert not shown["explored"].any()


def test_movies_rated_at_the_same_time_are_in_the_order_of_the_catalog(tmp_path: Path) -> None:
    rows = rated(*((7, movie, 4, 0.5) for movie in (9, 2, 5)))
    for order in (rows, rows[::-1]):
        assert world_of(tmp_path, order).log().impressions["item"][:3].tolist() == [1, 4, 8]


@pytest.mark.parametrize(
    ("stars", "grade"), [(0.5, 0), (2, 0), (3, 0), (3.5, 0.5), (4, 1), (4.5, 1.5), (5, 2)]
)
def test_grades_say_which_ratings_are_relevant(tmp_path: Path, stars: float, grade: float) -> None:
    world = world_of(tmp_path, rated((7, 3, stars, 0.5)))
    judged = world.judgements(world.requests().take(np.array([0])))
    assert judged.grades.tolist() == ([grade] if grade else [])
    assert (grade >= world.relevant_grade) == (stars >= 4)
    assert world.max_grade == 2


def test_the_later_of_two_ratings_of_a_visit_counts(tmp_path: Path) -> None:
    world = world_of(tmp_path, rated((7, 3, 5, 0.5), (7, 3, 2, 0.51), (7, 4, 1, 0.5), (7, 4, 4, 0.51)))
    judged = world.judgements(world.requests().take(np.array([0])))
    assert (judged.items.tolist(), judged.grades.tolist()) == ([3], [1.0])
    assert len(world.log().impressions) == 4 + 4


def test_the_catalog_is_all_movies_with_codes_of_their_first_genres(tmp_path: Path) -> None:
    catalog = world_of(tmp_path).catalog
    assert len(catalog) == N_MOVIES
    assert NEVER_RATED < N_MOVIES
    genre = [("Drama", "Comedy", "Animation")[movie % 3] for movie in range(N_MOVIES)]
    known = {"": 0, "Animation": 1, "Comedy": 2, "Drama": 3}
    assert catalog["topic"].tolist() == [
        known["" if movie == 1 else genre[movie]] for movie in range(N_MOVIES)
    ]
    assert catalog["topic"].dtype == catalog["year"].dtype == np.int64


def test_movies_are_there_from_their_year_on_unless_it_is_wrong(tmp_path: Path) -> None:
    """The log begins on 3 July 1991; movies 2 to 15 are of 1981 to 1994, movie 1 has no year."""
    midnight = int(np.datetime64("1991-07-02", "s").astype(np.int64))
    rows = [("7", str(movie), "4", str(midnight + 86_400 * movie)) for movie in (1, 2, 12, 13, 14)]
    world = world_of(tmp_path, rows)
    days = world.catalog["published_days"].tolist()
    assert days[1] == -(10 * 365 + 2 + 183)
    assert days[11] == -183
    assert days[14] == 365 - 183 + 366 + 365  # never rated
    assert (days[0], days[12], days[13]) == (0, 0, 0)  # without a year; rated before their years
    assert "3 movies count as there from day 0: their year is unknown or after a rating." in world.notes


@pytest.mark.parametrize("layout", MOVIE_LAYOUTS)
def test_every_layout_is_the_same_world(tmp_path: Path, layout: str) -> None:
    first = world_of(tmp_path).log()
    other = MovieLensWorld(str(write_movies(tmp_path / layout, layout))).log()
    pd.testing.assert_frame_equal(first.impressions, other.impressions)
    assert first.split.tolist() == other.split.tolist()


def test_segments_tell_first_visits_from_later_ones(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    requests = world.requests()
    seen: set[int] = set()
    for user, name in zip(requests.user.tolist(), world.segments(requests)["visit"].tolist(), strict=True):
        assert name == ("later" if user in seen else "first")
        seen.add(user)


RATINGS = st.lists(
    st.tuples(
        st.integers(1, 5), st.integers(1, N_MOVIES), st.integers(1, 10), st.integers(0, 8 * 86_400 // 600)
    ),
    min_size=8,
    max_size=60,
    unique_by=lambda row: (row[0], row[1], row[3]),
).filter(lambda rows: len({row[3] // 144 for row in rows}) >= 4)
"""User, movie, half stars and tenths of minutes of eight days."""


@settings(deadline=None, max_examples=50)
@given(RATINGS)
def test_no_request_of_a_window_has_anything_later(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int, int]]
) -> None:
    ratings = [(str(u), str(m), f"{half / 2:g}", str(START + 600 * time)) for u, m, half, time in rows]
    world = world_of(tmp_path_factory.mktemp("logged"), ratings)
    log = world.log()
    assert len(log.impressions) == len(rows)
    shown = log.impressions
    assert np.all(shown["time_days"] >= log.requests.time_days[log.request_rows])
    assert np.all(np.floor(shown["time_days"]) == log.requests.day[log.request_rows])
    ends = [log.window(name) for name in SPLITS]
    assert all(len(window.requests) for window in ends)
    for before, after in itertools.pairwise(ends):
        assert before.impressions["time_days"].max() < after.requests.time_days.min()
        assert before.requests.day.max() < after.requests.day.min()
    assert np.all(np.diff(log.requests.time_days) >= 0)
    assert slow_grades(ratings, world) == grades_by_visit(world)


def slow_grades(ratings: Sequence[Rating], world: MovieLensWorld) -> list[dict[int, float]]:
    """Movie -> grade of every visit, from the ratings that lie in its time."""
    requests = world.requests()
    users = {name: row for row, name in enumerate(world._logged.user_id)}
    first = min(int(row[3]) for row in ratings) // 86_400 * 86_400
    found = []
    for number in range(len(requests)):
        user, start, grades = requests.user[number], requests.time_days[number], {}
        later = requests.time_days[(requests.user == user) & (requests.time_days > start)]
        end = later.min() if len(later) else np.inf
        for name, movie, stars, time in sorted(ratings, key=lambda row: int(row[3])):
            if users[name] == user and start <= (int(time) - first) / 86_400 < end:
                grades[int(movie) - 1] = max(float(stars) - 3, 0.0)
        found.append({movie: grade for movie, grade in grades.items() if grade})
    return found


def grades_by_visit(world: MovieLensWorld) -> list[dict[int, float]]:
    judged = world.judgements(world.requests())
    parts = (np.split(column, judged.offsets[1:-1]) for column in (judged.items, judged.grades))
    return [
        dict(zip(items.tolist(), grades.tolist(), strict=True)) for items, grades in zip(*parts, strict=True)
    ]


def test_the_test_window_changes_nothing_before_it(tmp_path: Path) -> None:
    """Other ratings in the last days leave what was shown in all earlier windows as it is."""
    days = sorted(some_ratings(), key=lambda row: int(row[3]))
    whole = world_of(tmp_path, days)
    first = whole._first_days[3]
    changed = [
        (user, movie, "1" if int(time) >= START + 86_400 * first else stars, time)
        for user, movie, stars, time in days
    ]
    other = world_of(tmp_path / "other", changed)
    before, after = (world.log().until("validation") for world in (whole, other))
    pd.testing.assert_frame_equal(before.impressions, after.impressions)
    assert world_of(tmp_path, days).fingerprint != other.fingerprint
    assert (other.log().window("test").impressions["rating"] == 1).all()


def test_what_was_parsed_may_be_kept(tmp_path: Path) -> None:
    kept = world_of(tmp_path, read=KeptFeedReader(tmp_path / "store"))
    pd.testing.assert_frame_equal(kept.log().impressions, world_of(tmp_path).log().impressions)


def test_a_report_is_told_what_is_taken_for_granted(tmp_path: Path) -> None:
    notes = world_of(tmp_path).notes
    assert notes[0].startswith("films has 96 ratings of 15 movies by 12 users, in ")
    assert notes[1].startswith(
        "Windows are whole days in order of time, with their ratings: retrieval 2015-03-"
    )
    assert any("users of the test window have no visit before it" in note for note in notes)
    assert "1 movies were never rated and can still be shown." in notes
    assert "1 movies count as there from day 0: their year is unknown or after a rating." in notes
    assert "Tags (tags.csv) and links (links.csv) are left out." in notes


def test_everything_wrong_is_found_at_once(tmp_path: Path) -> None:
    with checks.collecting() as faults:
        MovieLensWorld(str(tmp_path), {**SHARES, "test": 0.3}, gap_minutes=0, latest="soon")
    assert [fault.name for fault in faults] == ["latest", "path", "shares", "gap_minutes"]
    with pytest.raises(
        InvalidValueError, match=r"must be the folder of a log of a feed: .* has no u\.data\[\.gz\] or"
    ):
        MovieLensWorld(str(tmp_path))


def test_the_yaml_has_the_defaults_of_the_constructor(tmp_path: Path) -> None:
    node = yaml.safe_load((conf_dir() / "world" / "movielens.yaml").read_text(encoding="utf-8"))["world"]
    options = {name: value for name, value in node.items() if name not in {"_target_", "path", "read"}}
    default, declared = world_of(tmp_path), world_of(tmp_path, **options)
    assert node["_target_"] == "mlsd.worlds.feed_logs.MovieLensWorld"
    assert (declared.shares, declared.gap_minutes, declared.source) == (
        default.shares, default.gap_minutes, default.source
    )  # fmt: skip


def test_the_public_ratings_make_a_world(public_data: Path) -> None:
    """MovieLens 100K: visits counted by a loop over the file; the shares of ratings within a day's worth."""
    world = MovieLensWorld(str(public_data / "ml-100k"))
    log, last, n_visits = world.log(), dict[str, int](), 0
    lines = (public_data / "ml-100k" / "u.data").read_text().splitlines()
    for line in sorted(lines, key=lambda line: int(line.split("\t")[3])):
        user, _, _, time = line.split("\t")
        before = last.get(user, 0)
        n_visits += int(time) - before > 3600 or int(time) // 86_400 != before // 86_400
        last[user] = int(time)
    assert len(log.requests) == n_visits
    assert len(log.impressions) == 100_000
    shares = [len(log.window(name).impressions) / 100_000 for name in SPLITS]
    assert shares == pytest.approx(list(SHARES.values()), abs=0.01)
    assert round(float(log.impressions["rating"].mean()), 5) == 3.52986
    assert (np.isin(log.impressions["rating"], (4, 5)) == log.impressions["like"]).all()
