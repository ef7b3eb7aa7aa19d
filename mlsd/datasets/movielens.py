r"""Ratings of movies as GroupLens publishes them, in three layouts, told apart by the file that is there.

    u.data        12 <tab> 7 <tab> 3 <tab> 880000000    with u.item or, without that, ml-100k.item
    ratings.dat   12::7::3::880000000                   with movies.dat
    ratings.csv   12,7,3.5,880000000                    with movies.csv, both with headers

A line is user, movie, rating and Unix time in seconds. Files are UTF-8 or, where they are not, ISO-8859-1.
Source: Harper and Konstan, "The MovieLens Datasets: History and Context" (ACM TiiS 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from mlsd.datasets.base import SourceFile, is_there
from mlsd.datasets.feed_source import Events, FeedSource, counted_once, one_of_places, require_ids
from mlsd.datasets.moments import unix_seconds
from mlsd.datasets.movie_files import read_movies
from mlsd.datasets.tables import Bools, Table, read_named, read_table
from mlsd.types import Catalog, Floats, Ints


class _Layout(NamedTuple):
    """How ratings are written."""

    names: tuple[str, str, str, str]
    """Of user, movie, rating and time."""
    read: Callable[[SourceFile, tuple[str, ...]], Table]
    movies: tuple[str, ...]
    """Files that may describe the movies; the first that is there does."""
    step: float
    """Between ratings, from 1 step to 5."""
    left_out: str


_LAYOUTS: Mapping[str, _Layout] = {
    "u.data": _Layout(
        ("user id", "item id", "rating", "timestamp"),
        lambda file, names: read_table(file, "\t", names, header=False),
        ("u.item", "ml-100k.item"),
        1.0,
        "Who users are (u.user) is left out.",
    ),
    "ratings.dat": _Layout(
        ("UserID", "MovieID", "Rating", "Timestamp"),
        lambda file, names: read_table(file, "::", names, header=False),
        ("movies.dat",),
        0.5,
        "Who users are (users.dat) and tags (tags.dat) are left out.",
    ),
    "ratings.csv": _Layout(
        ("userId", "movieId", "rating", "timestamp"),
        lambda file, names: read_named(file, ",", names),
        ("movies.csv",),
        0.5,
        "Tags (tags.csv) and links (links.csv) are left out.",
    ),
}


@dataclass(frozen=True)
class MovieLens(FeedSource):
    """Ratings, each an event of a user with a movie: the action `rating`, from 0.5 or 1 to 5.

    Movies are all that the file of movies has, in its order, also those that nobody rated, with `title`,
    `year` and `genre` (see `read_movies`). As far as is known a movie came out on the first of January of its
    year.
    A line that is there again is counted once; the same user, movie and time with another rating is an error;
    at other times both are events.
    """

    format: ClassVar[str] = "movielens"
    fallback: ClassVar[str | None] = "latin-1"

    def places(self) -> dict[str, str]:
        ratings = one_of_places(self.folder, list(_LAYOUTS), "ratings")
        choices = _LAYOUTS[ratings].movies
        there = [place for place in choices if is_there(self.folder, place)]
        movies = one_of_places(self.folder, there[:1] or choices, "movies")
        return {ratings: ratings, movies: movies}

    def parse(self, files: Mapping[str, SourceFile]) -> Events:
        ratings, movies = files
        layout, catalog = _LAYOUTS[ratings], read_movies(movies, files[movies])
        table = layout.read(files[ratings], layout.names)
        user, movie, rating, time = layout.names
        require_ids(table, user, movie)
        item = _items(table, movie, catalog, movies)
        stars = table.numbers(
            rating, f"a rating must be {layout.step:g}, {2 * layout.step:g}, ... or 5", _of(layout.step)
        )
        seconds = unix_seconds(table, time, self.latest)
        rule = "a user rates a movie once at a time"
        kept = counted_once(table, (table.columns[user].codes, item, seconds), (stars,), rule)
        n_again = int(np.count_nonzero(~kept))
        again = (f"{n_again} ratings that stand there again were counted once.",) if n_again else ()
        return Events(
            items=catalog,
            published=_january(catalog["year"]),
            user=table.columns[user].take(np.flatnonzero(kept)),
            item=item[kept],
            seconds=seconds[kept],
            actions={"rating": stars[kept]},
            left_out=(*again, layout.left_out),
        )


def _of(step: float) -> Callable[[Floats], Bools]:
    """Which numbers are ratings in steps; NaN is none."""

    def allowed(stars: Floats) -> Bools:
        steps = stars / step
        return np.asarray((steps == np.floor(steps)) & (steps >= 1) & (stars <= 5))

    return allowed


def _items(table: Table, name: str, catalog: Catalog, place: str) -> Ints:
    """(n,) the row of each movie that is rated.

    Raises:
        InputError: the file of movies lacks it.
    """
    codes, values = table.columns[name]
    rows = pd.Index(catalog.item_id).get_indexer(pd.Index(values)).astype(np.int64)
    table.require(name, rows >= 0, f"a movie that is rated must be in {place}")
    return rows[codes]


def _january(year: Ints) -> Floats:
    """(n,) Unix time of the first of January of each year; NaN for year 0."""
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[s]").astype(np.int64)
    return np.where(year > 0, first, np.nan)
