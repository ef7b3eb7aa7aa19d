"""The movies of MovieLens in its four layouts: titles, years and first genres.

    u.item         7|High Tide (1995)|01-Jan-1995||http://...|0|0|0|1|1|...    19 genres, each 0 or 1
    ml-100k.item   7 <tab> High Tide <tab> 1995 <tab> Animation Comedy    with RecBole's header
    movies.dat     7::High Tide (1995)::Animation|Comedy
    movies.csv     7,"High Tide (1995)",Animation|Comedy    with the header movieId,title,genres

Source: READMEs of GroupLens's data sets; RecBole (Zhao et al., CIKM 2021) for its atomic files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from mlsd.datasets.base import SourceFile
from mlsd.datasets.feed_source import require_ids
from mlsd.datasets.tables import Table, read_named, read_table
from mlsd.types import Array, Catalog, Ints

GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""Of `u.item`, in the order of its columns."""

NO_GENRE = ("", "unknown", "(no genres listed)")
"""What stands in the place of genres where there are none."""

_YEAR = r"(?:1[89]|20)\d{2}"
_TITLED = rf"^(?P<title>.+?)\s*\((?P<year>{_YEAR})\)\s*$"
_DATED = rf"^(?:.*\D)?(?P<year>{_YEAR})$"

_U_ITEM = ("movie id", "movie title", "release date", "video release date", "IMDb URL", *GENRES)
_RECBOLE = ("item_id:token", "movie_title:token_seq", "release_year:token", "class:token_seq")
_DAT = ("MovieID", "Title", "Genres")
_CSV = ("movieId", "title", "genres")


def read_movies(place: str, file: SourceFile) -> Catalog:
    """Every movie of a file, in its order, with `title`, `year` and `genre`.

    `title` is without the year that ends it in brackets. `year` is int64, of the column of the release where
    that has one, else of the title, else 0. `genre` is the first one named, or "" where there is none.

    Args:
        place: what the file is: one of `MOVIE_FILES`.
        file: its content.

    Raises:
        InputError: an id is empty or comes twice, a line is ragged, a header another, a mark of a genre
            neither 0 nor 1.
    """
    return MOVIE_FILES[place](file)


def _u_item(file: SourceFile) -> Catalog:
    table = read_table(file, "|", _U_ITEM, header=False)
    rule = "the mark of a genre must be 0 or 1"
    marks = np.stack([table.numbers(name, rule, lambda mark: np.isin(mark, (0, 1))) for name in GENRES])
    first = np.where(marks.any(axis=0), marks.argmax(axis=0), 0)
    return _catalog(table, _text(table, "release date"), np.array(GENRES, object)[first])


def _recbole(file: SourceFile) -> Catalog:
    table = read_named(file, "\t", _RECBOLE)
    return _catalog(table, _text(table, _RECBOLE[2]), _first(_text(table, _RECBOLE[3]), " "))


def _dat(file: SourceFile) -> Catalog:
    table = read_table(file, "::", _DAT, header=False)
    return _catalog(table, None, _first(_text(table, "Genres"), "|"))


def _csv(file: SourceFile) -> Catalog:
    table = read_named(file, ",", _CSV, quoted=True)
    return _catalog(table, None, _first(_text(table, "genres"), "|"))


MOVIE_FILES: Mapping[str, Callable[[SourceFile], Catalog]] = {
    "u.item": _u_item,
    "ml-100k.item": _recbole,
    "movies.dat": _dat,
    "movies.csv": _csv,
}


def _text(table: Table, name: str) -> Array:
    codes, values = table.columns[name]
    return np.asarray(values[codes])


def _catalog(table: Table, released: Array | None, genre: Array) -> Catalog:
    """The movies of a table whose first two columns are ids and titles."""
    id_name, title_name = list(table.columns)[:2]
    require_ids(table, id_name)
    ids = _text(table, id_name)
    again = np.flatnonzero(pd.Index(ids).duplicated())
    if len(again):
        raise table.fault(f"values of {id_name} that come again", again, ids[again], "a movie has one line")
    title, year = _titles(_text(table, title_name))
    if released is not None:
        year = np.where(_years(released) > 0, _years(released), year)
    genre = np.where(np.isin(genre.astype(str), NO_GENRE), "", genre).astype(object)
    return Catalog(ids, {"title": title, "year": year, "genre": genre})


def _titles(titles: Array) -> tuple[Array, Ints]:
    """(n,) titles without their years, and the years; 0 where a title has none."""
    found = compute.extract_regex(pa.array(titles, pa.string()), _TITLED)
    bare = compute.fill_null(compute.struct_field(found, "title"), "").to_numpy(zero_copy_only=False)
    has_year = found.is_valid().to_numpy(zero_copy_only=False)
    return np.where(has_year, bare, titles).astype(object), _number(found)


def _years(released: Array) -> Ints:
    """(n,) the year that a date ends with; 0 where it has none."""
    return _number(compute.extract_regex(pa.array(released, pa.string()), _DATED))


def _number(found: pa.Array) -> Ints:
    year = compute.fill_null(compute.struct_field(found, "year"), "0")
    return np.asarray(compute.cast(year, pa.int64()).to_numpy(zero_copy_only=False))


def _first(genres: Array, delimiter: str) -> Array:
    """(n,) the first of the genres of each movie."""
    return pd.Series(genres, dtype=str).str.partition(delimiter)[0].to_numpy(object)
