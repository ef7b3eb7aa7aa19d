"""Ratings of movies in every layout, against a reader line by line."""

from __future__ import annotations

import csv
import gzip
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd.datasets.feed_log import FeedLog
from mlsd.datasets.movielens import MovieLens
from mlsd.testing.tiny_feed_logs import (
    MOVIE_LAYOUTS,
    NEVER_RATED,
    Rating,
    genres,
    some_ratings,
    titles,
    write_movies,
    years,
)

SPLIT = {"u.data": "\t", "ratings.dat": "::", "ratings.csv": ","}


class Slow(NamedTuple):
    """What a folder says, read line by line."""

    movies: list[tuple[str, str, int, str]]
    users: list[str]
    events: list[tuple[float, int, int, float]]


def text(folder: Path, place: str) -> str:
    raw = folder / place
    content = (
        gzip.decompress((folder / f"{place}.gz").read_bytes()) if not raw.is_file() else raw.read_bytes()
    )
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


def slow_movies(folder: Path) -> list[tuple[str, str, int, str]]:
    """Id, title, year and first genre of each movie."""
    names = "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy "
    names += "Film-Noir Horror Musical Mystery Romance Sci-Fi Thriller War Western"
    rows: list[tuple[str, str, str, list[str]]] = []
    there = {path.name.removesuffix(".gz") for path in folder.iterdir()}
    if "u.item" in there:
        for line in text(folder, "u.item").splitlines():
            movie, title, date, _, _, *marks = line.split("|")
            marked = [name for name, mark in zip(names.split(), marks, strict=True) if mark == "1"]
            rows.append((movie, title, date[-4:], marked))
    elif "ml-100k.item" in there:
        for line in text(folder, "ml-100k.item").splitlines()[1:]:
            movie, title, year, some = line.split("\t")
            rows.append((movie, title, year, some.split(" ")))
    elif "movies.dat" in there:
        for line in text(folder, "movies.dat").splitlines():
            movie, title, some = line.split("::")
            rows.append((movie, title, "", some.split("|")))
    else:
        lines = list(csv.reader(io.StringIO(text(folder, "movies.csv"))))[1:]
        rows = [(movie, title, "", some.split("|")) for movie, title, some in lines]
    found = []
    for movie, title, released, listed in rows:
        match = re.fullmatch(r"(.+?)\s*\(((?:18|19|20)\d\d)\)\s*", title)
        published = int(match[2]) if match else 0
        if re.fullmatch(r"(18|19|20)\d\d", released):
            published = int(released)
        genre = "" if not listed or listed[0] in {"", "unknown", "(no genres listed)"} else listed[0]
        found.append((movie, match[1] if match else title, published, genre))
    return found


def slow_read(folder: Path) -> Slow:
    place = next(name for name in SPLIT if (folder / name).is_file() or (folder / f"{name}.gz").is_file())
    lines = text(folder, place).splitlines()[int(place == "ratings.csv") :]
    rated: dict[tuple[str, str, float], float] = {}
    for line in lines:
        user, movie, stars, time = line.split(SPLIT[place])
        rated[user, movie, float(time)] = float(stars)
    movies = slow_movies(folder)
    rows = {movie: row for row, (movie, *_) in enumerate(movies)}
    users = sorted({user for user, _, _ in rated}, key=lambda user: (len(user), user))
    first = datetime.fromtimestamp(min(time for _, _, time in rated), UTC)
    midnight = first.replace(hour=0, minute=0, second=0).timestamp()
    events = sorted(
        ((time - midnight) / 86_400, users.index(user), rows[movie], stars)
        for (user, movie, time), stars in rated.items()
    )
    return Slow(movies, users, events)


def assert_same(log: FeedLog, slow: Slow) -> None:
    columns = (log.items["title"], log.items["year"], log.items["genre"])
    movies = list(zip(log.items.item_id.tolist(), *(column.tolist() for column in columns), strict=True))
    assert movies == slow.movies
    assert log.user_id.tolist() == slow.users
    events = zip(
        log.time_days.tolist(),
        log.user.tolist(),
        log.item.tolist(),
        log.actions["rating"].tolist(),
        strict=True,
    )
    assert list(events) == slow.events


@pytest.mark.parametrize("layout", MOVIE_LAYOUTS)
def test_every_layout_says_the_same_and_what_a_slow_reader_reads(tmp_path: Path, layout: str) -> None:
    log = MovieLens(write_movies(tmp_path / "films", layout)).read()
    assert_same(log, slow_read(tmp_path / "films"))
    assert log.items["title"].tolist() == titles()
    assert log.items["year"].tolist() == years()
    assert log.items["genre"].tolist() == [(genres(movie) or [""])[0] for movie in range(len(titles()))]
    assert len(log) == len(some_ratings())
    assert log.items["year"].dtype == log.user.dtype == log.item.dtype == np.int64


@pytest.mark.parametrize("layout", MOVIE_LAYOUTS)
def test_zipping_changes_nothing(tmp_path: Path, layout: str) -> None:
    folder = write_movies(tmp_path / "films", layout)
    before = MovieLens(folder).read()
    for path in list(folder.iterdir()):
        (folder / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    after = MovieLens(folder).read()
    assert after.fingerprint == before.fingerprint
    assert_same(after, slow_read(folder))


@pytest.mark.parametrize("layout", MOVIE_LAYOUTS)
def test_ends_of_lines_empty_lines_and_byte_order_marks_change_nothing(tmp_path: Path, layout: str) -> None:
    folder = write_movies(tmp_path / "films", layout)
    before = MovieLens(folder).read()
    for path in folder.iterdir():
        text = path.read_bytes().replace(b"\n", b"\r\n\r\n")
        mark = b"\xef\xbb\xbf" if path.name.endswith("csv") else b""
        path.write_bytes(mark + b"\r\n" + text)
    after = MovieLens(folder).read()
    for first, second in zip(before.named_columns(), after.named_columns(), strict=True):
        np.testing.assert_array_equal(first[1], second[1])
    assert after.items["title"].tolist() == before.items["title"].tolist()


STARS = {"u.data": st.integers(1, 5).map(str), "recbole": st.integers(1, 5).map(str)}
HALVES = st.integers(1, 10).map(lambda halves: f"{halves / 2:g}")


@st.composite
def logs(draw: st.DrawFn) -> tuple[str, list[Rating]]:
    """A layout, and ratings in any order, some of which stand there twice."""
    layout = draw(st.sampled_from(MOVIE_LAYOUTS))
    key = st.tuples(st.integers(1, 12), st.integers(1, 15), st.integers(950_000_000, 950_300_000))
    keys = draw(st.lists(key, min_size=1, max_size=30, unique=True))
    rows = [(*map(str, one[:2]), draw(STARS.get(layout, HALVES)), str(one[2])) for one in keys]
    again = draw(st.lists(st.sampled_from(rows), max_size=5))
    return layout, draw(st.permutations([*rows, *again]))


@settings(deadline=None, max_examples=60)
@given(logs())
def test_any_log_is_what_a_slow_reader_reads(
    tmp_path_factory: pytest.TempPathFactory, log: tuple[str, list[Rating]]
) -> None:
    layout, rows = log
    folder = write_movies(tmp_path_factory.mktemp("films"), layout, rows)
    read = MovieLens(folder).read()
    assert_same(read, slow_read(folder))
    n_again = len(rows) - len(set(rows))
    assert (f"{n_again} ratings that stand there again were counted once." in read.left_out) == (n_again > 0)
    assert np.all(np.diff(read.time_days) >= 0)
    assert 0 <= read.time_days[0] < 1


def test_the_order_of_lines_does_not_matter(tmp_path: Path) -> None:
    rows = some_ratings()
    logs = [
        MovieLens(write_movies(tmp_path / name / "films", "u.data", order)).read()
        for name, order in (("a", rows), ("b", rows[::-1]))
    ]
    for first, second in zip(*(log.named_columns() for log in logs), strict=True):
        np.testing.assert_array_equal(first[1], second[1])


def test_a_user_with_one_rating_and_a_movie_never_rated_are_there(tmp_path: Path) -> None:
    rows = [*some_ratings(), ("99", "1", "4", "1425200000")]
    log = MovieLens(write_movies(tmp_path / "films", "u.data", rows)).read()
    assert np.count_nonzero(log.user == log.user_id.tolist().index("99")) == 1
    assert log.n_events_of_items[NEVER_RATED] == 0
    assert log.first_days()[NEVER_RATED] == np.inf
    assert log.first_days().min() == log.time_days[0]
    assert len(log.items) == len(titles())


def test_a_movie_came_out_on_the_first_of_january_of_its_year(tmp_path: Path) -> None:
    log = MovieLens(write_movies(tmp_path / "films", "ratings.csv")).read()
    start = datetime.fromisoformat(log.start)
    for year, day in zip(years(), log.published_days.tolist(), strict=True):
        assert np.isnan(day) if not year else day == (datetime(year, 1, 1) - start).days  # noqa: DTZ001


@pytest.mark.parametrize(
    ("line", "title", "year"),
    [
        ("3,Tide (1999),Drama", "Tide", 1999),
        ('3,"Tide, The  (2012) ",Drama', "Tide, The", 2012),
        ("3,Tide (2007-),Drama", "Tide (2007-)", 0),
        ("3,Tide (1975-1979),Drama", "Tide (1975-1979)", 0),
        ("3,Tide (1999) again,Drama", "Tide (1999) again", 0),
        ("3,Tide (1799),Drama", "Tide (1799)", 0),
        ("3,(1999),Drama", "(1999)", 0),
        ("3,Tide (The Sea) (1999),Drama", "Tide (The Sea)", 1999),
        ('3,"""Tide"" (1999)",Drama', '"Tide"', 1999),
        ("3,,Drama", "", 0),
    ],
)
def test_titles_end_with_years_in_brackets_or_have_none(
    tmp_path: Path, line: str, title: str, year: int
) -> None:
    (tmp_path / "movies.csv").write_text(f"movieId,title,genres\n{line}\n", encoding="utf-8")
    (tmp_path / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,3,4,950000000\n", encoding="utf-8"
    )
    items = MovieLens(tmp_path).read().items
    assert (items["title"].tolist(), items["year"].tolist()) == ([title], [year])


def test_u_item_describes_movies_before_recbole_does(tmp_path: Path) -> None:
    folder = write_movies(write_movies(tmp_path / "films", "recbole"), "u.data")
    assert MovieLens(folder).places() == {"u.data": "u.data", "u.item": "u.item"}
    (folder / "u.item").unlink()
    assert MovieLens(folder).places() == {"u.data": "u.data", "ml-100k.item": "ml-100k.item"}


def test_a_rating_at_another_time_is_another_event(tmp_path: Path) -> None:
    rows = [("1", "2", "4", "950000000"), ("1", "2", "3", "950000001"), ("1", "2", "4", "950000000")]
    log = MovieLens(write_movies(tmp_path / "films", "u.data", rows)).read()
    assert log.actions["rating"].tolist() == [4, 3]
    assert log.left_out[0] == "1 ratings that stand there again were counted once."


@pytest.mark.parametrize(
    ("name", "n_ratings", "n_users", "n_movies", "n_rated"),
    [
        ("ml-100k", 100_000, 943, 1_682, 1_682),
        ("ml-1m-sample", 10_000, 70, 3_883, 2_159),
        ("ml-latest-small", 100_004, 671, 9_125, 9_066),
    ],
)
def test_public_ratings_are_what_a_slow_reader_reads(
    public_data: Path, name: str, n_ratings: int, n_users: int, n_movies: int, n_rated: int
) -> None:
    log = MovieLens(public_data / name).read()
    assert_same(log, slow_read(public_data / name))
    assert (len(log), len(log.user_id), len(log.items)) == (n_ratings, n_users, n_movies)
    assert np.count_nonzero(log.n_events_of_items) == n_rated


def test_movielens_100k_has_its_published_figures(public_data: Path) -> None:
    """100,000 ratings, mean 3.52986, from 20 September 1997 to 22 April 1998."""
    log = MovieLens(public_data / "ml-100k").read()
    assert round(float(log.actions["rating"].mean()), 5) == 3.52986
    assert (log.start, log.date(int(log.day[-1]))) == ("1997-09-20", "1998-04-22")
    assert np.bincount(log.user).min() == 20
    assert np.isnan(log.published_days).sum() == 1
