"""Ratings of movies that are not what they should be: each refused by file, line, value and rule."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mlsd.datasets.movielens import MovieLens
from mlsd.errors import InputError, InvalidValueError
from mlsd.testing.tiny_feed_logs import Rating, write_movies

HEADER = "userId,movieId,rating,timestamp\n"
UNIX = "must be Unix time in seconds, from 1990-01-01 to 2100-01-01"
ID = "an id must not be empty or have blanks around it"
RAGGED, AGAINST = "ragged lines", "lines that contradict an earlier one"

LAYOUTS = {
    "u.data": {
        "delimiter": "\t", "cut": "tab", "user": "user id", "movie": "item id", "rating": "rating",
        "time": "timestamp", "stars": "a rating must be 1, 2, ... or 5", "movies": "u.item",
    },
    "ratings.dat": {
        "delimiter": "::", "cut": "double colon", "user": "UserID", "movie": "MovieID", "rating": "Rating",
        "time": "Timestamp", "stars": "a rating must be 0.5, 1, ... or 5", "movies": "movies.dat",
    },
    "ratings.csv": {
        "delimiter": ",", "cut": "comma", "user": "userId", "movie": "movieId", "rating": "rating",
        "time": "timestamp", "stars": "a rating must be 0.5, 1, ... or 5", "movies": "movies.csv",
    },
}  # fmt: skip


def message_of(folder: Path) -> str:
    with pytest.raises(InputError) as found:
        MovieLens(folder).read()
    return str(found.value)


def refused(folder: Path, layout: str, row: tuple[str, ...]) -> str:
    """The message about a line below one that is right."""
    rows = [("1", "2", "4", "950000000"), row]
    return message_of(write_movies(folder / "films", layout, rows))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("row", "what", "value", "rule"),
    [
        ("1 3 4", RAGGED, None, "each must have 4 fields, cut by {cut}"),
        ("1 3 4 950000000 x", RAGGED, None, "each must have 4 fields, cut by {cut}"),
        ("1 3 6 950000000", "values of {rating}", "6", "{stars}"),
        ("1 3 0 950000000", "values of {rating}", "0", "{stars}"),
        ("1 3 3.7 950000000", "values of {rating}", "3.7", "{stars}"),
        ("1 3 nan 950000000", "values of {rating}", "nan", "{stars}"),
        ("1 3 inf 950000000", "values of {rating}", "inf", "{stars}"),
        ("1 3  950000000", "values of {rating}", "", "{stars}"),
        (" 3 4 950000000", "values of {user}", "", ID),
        ("1  4 950000000", "values of {movie}", "", ID),
        ("1 99 4 950000000", "values of {movie}", "99", "a movie that is rated must be in {movies}"),
        ("1 3 4 soon", "values of {time}", "soon", UNIX),
        ("1 3 4 ", "values of {time}", "", UNIX),
        ("1 3 4 950000000000", "values of {time}", "950000000000", f"{UNIX}; it looks like milliseconds"),
        ("1 3 4 10995", "values of {time}", "10995", f"{UNIX}; it looks like days"),
        ("1 3 4 4200000000", "values of {time}", "4200000000", f"{UNIX}; as seconds it is 2103-02-04"),
        ("1 2 3 950000000", AGAINST, None, "a user rates a movie once at a time"),
    ],
)
def test_what_is_malformed_is_refused_at_its_line(
    tmp_path: Path, layout: str, row: str, what: str, value: str | None, rule: str
) -> None:
    names, fields = LAYOUTS[layout], tuple(row.split(" "))
    shown = names["delimiter"].join(fields) if value is None else value
    place = f"films/{layout}:{3 if layout == 'ratings.csv' else 2}"
    expected = f"{what.format(**names)}: 1, {place} {shown!r}; {rule.format(**names)}"
    assert refused(tmp_path, layout, fields) == expected


@pytest.mark.parametrize("movie", [" 3", "3 ", " "])
def test_ids_have_no_blanks_around_them(tmp_path: Path, movie: str) -> None:
    expected = f"values of movieId: 1, films/ratings.csv:3 {movie!r}; {ID}"
    assert refused(tmp_path, "ratings.csv", ("1", movie, "4", "950000000")) == expected


def test_half_stars_are_of_the_newer_layouts(tmp_path: Path) -> None:
    row = ("1", "3", "3.5", "950000000")
    assert refused(tmp_path, "u.data", row).endswith("u.data:2 '3.5'; a rating must be 1, 2, ... or 5")
    halves: list[Rating] = [("2", "3", "0.5", "950000000"), row]
    log = MovieLens(write_movies(tmp_path / "halves", "ratings.dat", halves)).read()
    assert sorted(log.actions["rating"].tolist()) == [0.5, 3.5]


def test_another_delimiter_is_named(tmp_path: Path) -> None:
    folder = write_movies(tmp_path / "films", "u.data")
    (folder / "u.data").write_text("1,2,4,950000000\n", encoding="utf-8")
    message = (
        r"^films/u\.data:1 '1,2,4,950000000' has 1 fields, must have 4, cut by tab; it is cut so by comma$"
    )
    with pytest.raises(InputError, match=message):
        MovieLens(folder).read()
    write_movies(tmp_path / "more", "ratings.csv")
    (tmp_path / "more" / "ratings.csv").write_text("1::2::4::950000000\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"^more/ratings\.csv:1 .* cut by comma; it is cut so by double colon$"
    ):
        MovieLens(tmp_path / "more").read()


def test_a_header_must_be_there(tmp_path: Path) -> None:
    folder = write_movies(tmp_path / "films", "ratings.csv")
    (folder / "ratings.csv").write_text("1,2,4,950000000\n", encoding="utf-8")
    header = "must be the header 'userId,movieId,rating,timestamp'"
    with pytest.raises(InputError, match=rf"^films/ratings\.csv:1 is '1,2,4,950000000', {header}$"):
        MovieLens(folder).read()
    (folder / "ratings.csv").write_text(
        "user_id,movieId,rating,timestamp\n1,2,4,950000000\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match=rf"{header}; 'user_id' is nearest to 'userId'$"):
        MovieLens(folder).read()


RULE = "a field with quotes must begin and end with one on the same line, and those in it be doubled"


@pytest.mark.parametrize(
    ("layout", "place", "line", "what", "rule"),
    [
        ("u.data", "u.item", "3|Tide", RAGGED, "each must have 24 fields, cut by bar"),
        ("recbole", "ml-100k.item", "99\tTide", RAGGED, "each must have 4 fields, cut by tab"),
        ("ratings.dat", "movies.dat", "99::Tide", RAGGED, "each must have 3 fields, cut by double colon"),
        ("ratings.csv", "movies.csv", "99,Tide, The,Drama", RAGGED, "each must have 3 fields, cut by comma"),
        ("ratings.csv", "movies.csv", '99,"Tide,Drama', "lines with stray quotes", RULE),
    ],
)
def test_lines_of_movies_that_are_malformed_are_refused(
    tmp_path: Path, layout: str, place: str, line: str, what: str, rule: str
) -> None:
    folder = write_movies(tmp_path / "films", layout)
    expected = f"{what}: 1, films/{place}:{appended(folder / place, line)} {line!r}; {rule}"
    assert message_of(folder) == expected


@pytest.mark.parametrize(
    ("layout", "place", "line", "what", "value", "rule"),
    [
        ("ratings.csv", "movies.csv", ",Tide,Drama", "values of movieId", "", ID),
        (
            "recbole",
            "ml-100k.item",
            "3\tTide\t1999\tDrama",
            "values of item_id:token that come again",
            "3",
            "a movie has one line",
        ),
        (
            "u.data",
            "u.item",
            "99|Tide|||" + "|0" * 18 + "|2",
            "values of Western",
            "2",
            "the mark of a genre must be 0 or 1",
        ),
    ],
)
def test_values_of_movies_that_are_malformed_are_refused(
    tmp_path: Path, layout: str, place: str, line: str, what: str, value: str, rule: str
) -> None:
    folder = write_movies(tmp_path / "films", layout)
    expected = f"{what}: 1, films/{place}:{appended(folder / place, line)} {value!r}; {rule}"
    assert message_of(folder) == expected


def appended(path: Path, line: str) -> int:
    """Put a line at the end of a file; returns its number."""
    lines = path.read_bytes()
    path.write_bytes(lines + line.encode() + b"\n")
    return lines.count(b"\n") + 1


def test_later_than_the_latest_declared_time_is_refused(tmp_path: Path) -> None:
    folder = write_movies(tmp_path / "films", "u.data", [("1", "2", "4", "950000000")])
    assert len(MovieLens(folder, latest="2000-03-01").read()) == 1
    with pytest.raises(InputError, match=r"from 1990-01-01 to 2000-02-08; as seconds it is 2000-02-08$"):
        MovieLens(folder, latest="2000-02-08").read()
    with pytest.raises(InvalidValueError, match=r"^latest == '2000', must be a date as YYYY-MM-DD"):
        MovieLens(folder, latest="2000")


@pytest.mark.parametrize("place", ["ratings.csv", "movies.csv"])
def test_files_without_rows_are_refused(tmp_path: Path, place: str) -> None:
    folder = write_movies(tmp_path / "films", "ratings.csv")
    header = (folder / place).read_text(encoding="utf-8").splitlines()[0]
    (folder / place).write_text("\n", encoding="utf-8")
    assert message_of(folder) == f"films/{place} is empty"
    (folder / place).write_text(header, encoding="utf-8")
    assert message_of(folder) == f"films/{place} has no rows below its header"


def test_a_zip_that_ends_early_is_refused(tmp_path: Path) -> None:
    folder = write_movies(tmp_path / "films", "u.data")
    content = gzip.compress((folder / "u.data").read_bytes())
    (folder / "u.data").unlink()
    (folder / "u.data.gz").write_bytes(content[:-9])
    with pytest.raises(InputError, match=r"^cannot read films/u\.data\.gz: Compressed file ended before"):
        MovieLens(folder).read()


def test_files_that_are_not_there_are_named_with_those_that_are(tmp_path: Path) -> None:
    folder = tmp_path / "films"
    assert MovieLens(folder).missing_files() == "no folder 'films'"
    folder.mkdir()
    nothing = "films has no u.data[.gz] or ratings.dat[.gz] or ratings.csv[.gz] with ratings; it has "
    assert MovieLens(folder).missing_files() == nothing + "nothing"
    for number in range(9):
        (folder / f"{number}.txt").touch()
    listed = ", ".join(f"{number}.txt" for number in range(8))
    assert MovieLens(folder).missing_files() == f"{nothing}{listed}, ..."
    (folder / "u.data").touch()
    movies = "films has no u.item[.gz] or ml-100k.item[.gz] with movies; it has 0.txt"
    assert MovieLens(folder).missing_files().startswith(movies)
    (folder / "ratings.csv").touch()
    assert MovieLens(folder).missing_files() == "films has u.data and ratings.csv: keep one"
    (folder / "ratings.csv").unlink()
    (folder / "u.data.gz").touch()
    assert MovieLens(folder).missing_files() == "films has u.data and u.data.gz: keep one"
