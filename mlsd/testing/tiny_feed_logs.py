"""Small made-up logs of feeds, written in every layout that is read: what tests of feeds run on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from mlsd import rng
from mlsd.datasets.hacker_news import COLUMNS
from mlsd.datasets.movie_files import GENRES
from mlsd.testing.retriever_kit import phrases
from mlsd.types import Floats, Ints

MOVIE_LAYOUTS = ("u.data", "recbole", "ratings.dat", "ratings.csv")
"""`recbole` is `u.data` with movies in RecBole's layout."""

N_USERS, N_MOVIES, N_DAYS, N_POSTS = 12, 15, 20, 120
NEVER_RATED = 14
"""A row of the movies."""

START = "2015-03-01"
_KINDS = (8, 5, 3)
"""Columns of GENRES that movies have in turn: Drama, Comedy, Animation."""

Rating = tuple[str, ...]
"""User, movie, stars and Unix time, as they are written."""


def some_ratings(seed: int = 0) -> list[Rating]:
    """Ratings of `N_USERS` users on two days each, of four movies in a row on each; none of `NEVER_RATED`."""
    users, visits, places = (part.ravel() for part in np.indices((N_USERS, 2, 4)))
    day = rng.integers(seed, "day", N_DAYS, users, visits)
    second = rng.integers(seed, "second", 80_000, users, visits) + 120 * places
    movie = (rng.integers(seed, "movie", NEVER_RATED, users, visits) + places) % NEVER_RATED
    stars = 1 + rng.integers(seed, "stars", 5, users, visits, places)
    midnight = int(np.datetime64(START, "s").astype(np.int64))
    time = midnight + 86_400 * day + second
    columns = (users + 1, movie + 1, stars, time)
    return list(zip(*(_text(column) for column in columns), strict=True))


def write_movies(folder: Path, layout: str, ratings: Sequence[Rating] | None = None) -> Path:
    """Write `N_MOVIES` movies and ratings of them; returns the folder.

    Args:
        folder: made where it is not there.
        layout: one of `MOVIE_LAYOUTS`.
        ratings: those of `some_ratings` unless given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = some_ratings() if ratings is None else ratings
    delimiter, place = {"ratings.dat": ("::", layout), "ratings.csv": (",", layout)}.get(
        layout, ("\t", "u.data")
    )
    header = ["userId,movieId,rating,timestamp"] if layout == "ratings.csv" else []
    _write(folder / place, [*header, *(delimiter.join(row) for row in rows)])
    {"u.data": _u_item, "recbole": _recbole, "ratings.dat": _dat, "ratings.csv": _csv}[layout](folder)
    return folder


def titles() -> list[str]:
    """Of the movies, in order; one has a comma, one an accent, one quotes."""
    words = phrases("movie", N_MOVIES, 2)
    return [*words[:-3], f"{words[-3]}, The", f"Café {words[-2]}", f'"{words[-1]}" again']


def years() -> list[int]:
    """Of the movies, in order; the first has none."""
    return [0, *(1980 + movie for movie in range(1, N_MOVIES))]


def genres(movie: int) -> list[str]:
    """Of a movie, in the order of GENRES; the second movie has none."""
    return [] if movie == 1 else [GENRES[kind] for kind in sorted({_KINDS[movie % 3], 16})]


def _titled() -> list[str]:
    return [f"{title} ({year})" if year else title for title, year in zip(titles(), years(), strict=True)]


def _u_item(folder: Path) -> None:
    lines = []
    for movie, title in enumerate(_titled()):
        marks = ["1" if genre in (genres(movie) or ["unknown"]) else "0" for genre in GENRES]
        released = f"01-Jan-{years()[movie]}" if years()[movie] else ""
        lines.append("|".join([str(movie + 1), title, released, "", "", *marks]))
    _write(folder / "u.item", lines, "latin-1")


def _recbole(folder: Path) -> None:
    header = "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq"
    rows = zip(titles(), years(), strict=True)
    lines = (
        f"{movie + 1}\t{title}\t{year or 'unknown'}\t{' '.join(genres(movie)) or 'unknown'}"
        for movie, (title, year) in enumerate(rows)
    )
    _write(folder / "ml-100k.item", [header, *lines])


def _dat(folder: Path) -> None:
    lines = (f"{movie + 1}::{title}::{'|'.join(genres(movie))}" for movie, title in enumerate(_titled()))
    _write(folder / "movies.dat", lines, "latin-1")


def _csv(folder: Path) -> None:
    lines = (
        f"{movie + 1},{_quoted(title)},{'|'.join(genres(movie)) or '(no genres listed)'}"
        for movie, title in enumerate(_titled())
    )
    _write(folder / "movies.csv", ["movieId,title,genres", *lines])


def write_posts(folder: Path, rows: Iterable[Sequence[str]] | None = None) -> Path:
    """Write posts as `hacker_news.csv`; returns the folder.

    Args:
        folder: made where it is not there.
        rows: fields in the order of COLUMNS; those of `some_posts` unless given.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = (",".join(_quoted(field) for field in row) for row in (some_posts() if rows is None else rows))
    _write(folder / "hacker_news.csv", [",".join(COLUMNS), *lines], end="\r\n")
    return folder


def some_posts(seed: int = 0) -> list[tuple[str, ...]]:
    """`N_POSTS` posts of a few authors and sites over `N_DAYS` days, in no order; some have no address."""
    posts = np.arange(N_POSTS)
    minute = rng.integers(seed, "minute", N_DAYS * 1440, posts)
    author, site = (rng.integers(seed, name, 9, posts) for name in ("author", "site"))
    points = np.floor(np.exp(5 * rng.uniform(seed, "points", posts)) + 8 * author)
    comments = rng.integers(seed, "comments", 90, posts)
    words, times = phrases("post", N_POSTS, 4), _written(minute)
    return [
        (
            str(10_000 - post),
            f"{words[post]}, explained" if post % 5 else words[post],
            f"https://www.site{site[post]}.org/{post}" if site[post] else "",
            f"{points[post]:.0f}",
            str(comments[post]),
            f"author{author[post]}",
            times[post],
        )
        for post in range(N_POSTS)
    ]


def _written(minute: Ints) -> list[str]:
    moments = (np.datetime64(START, "m") + minute).tolist()
    return [f"{at.month}/{at.day}/{at.year} {at.hour}:{at.minute:02d}" for at in moments]


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & {'"', ","} else field


def _text(numbers: Ints | Floats) -> list[str]:
    return [str(number) for number in numbers.tolist()]


def _write(path: Path, lines: Iterable[str], encoding: str = "utf-8", end: str = "\n") -> None:
    path.write_text("".join(f"{line}{end}" for line in lines), encoding=encoding, newline="")
