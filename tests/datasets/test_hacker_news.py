"""Posts of Hacker News: against a reader line by line, and refused line by line."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd.datasets.feed_log import FeedLog
from mlsd.datasets.hacker_news import PLACES, HackerNews
from mlsd.errors import InputError
from mlsd.testing.tiny_feed_logs import some_posts, write_posts

Row = tuple[str, ...]
WRITTEN = "must be a time as M/D/YYYY H:MM, such as 9/26/2016 3:26, from 1990-01-01 to 2100-01-01"
DAY_FIRST = f"{WRITTEN}; it looks like D/M/YYYY H:MM"
UNIX = f"{WRITTEN}; it looks like Unix time in milliseconds"


def slow_read(folder: Path) -> list[tuple[object, ...]]:
    """Id, title, domain, author, days, points and comments of each post, in order of time and id."""
    text = (folder / "hacker_news.csv").read_bytes().decode()
    posts: dict[str, tuple[float, Row]] = {}
    for row in list(csv.reader(io.StringIO(text, newline="")))[1:]:
        time = datetime.strptime(row[6], "%m/%d/%Y %H:%M").replace(tzinfo=UTC)
        posts[row[0]] = (time.timestamp(), tuple(row))
    ordered = sorted(posts.values(), key=lambda post: (post[0], len(post[1][0]), post[1][0]))
    midnight = ordered[0][0] // 86_400 * 86_400
    return [
        (
            row[0],
            row[1],
            (urlsplit(row[2]).hostname or "").removeprefix("www."),
            row[5],
            (time - midnight) / 86_400,
            float(row[3]),
            float(row[4]),
        )
        for time, row in ordered
    ]


def rows_of(log: FeedLog) -> list[tuple[object, ...]]:
    """The same of a log, which must have one event for each item: by its author, when it came out."""
    assert sorted(log.item.tolist()) == list(range(len(log.items)))
    event = np.argsort(log.item)
    assert log.user_id[log.user[event]].tolist() == log.items["author"].tolist()
    np.testing.assert_array_equal(log.time_days[event], log.published_days)
    columns = (
        log.items.item_id,
        log.items["title"],
        log.items["domain"],
        log.items["author"],
        log.published_days,
        log.actions["points"][event],
        log.actions["comments"][event],
    )
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_reads_what_a_slow_reader_reads(tmp_path: Path) -> None:
    log = HackerNews(write_posts(tmp_path / "posts")).read()
    assert rows_of(log) == slow_read(tmp_path / "posts")
    assert log.user_id.tolist() == sorted({row[5] for row in some_posts()})
    assert log.left_out == ("Of addresses only the host is read.",)


TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8)
SITE = st.sampled_from(["", "http://www.tide.org/a,b", "https://Tide.org:80/?q=1", "http://me@sea.net#x"])


@st.composite
def some_rows(draw: st.DrawFn) -> list[Row]:
    ids = draw(st.lists(st.integers(1, 2000).map(str), min_size=1, max_size=20, unique=True))
    counts = st.integers(0, 5000).map(str)
    rows = []
    for post in ids:
        minute = draw(st.integers(0, 4000))
        at = datetime.fromtimestamp(1_456_000_000 // 60 * 60 + 60 * minute, UTC)
        time = f"{at.month}/{at.day}/{at.year} {at.hour}:{at.minute:02d}"
        author = draw(st.sampled_from(["moon", "sun", "a-b_c"]))
        rows.append((post, draw(TEXT), draw(SITE), draw(counts), draw(counts), author, time))
    again = draw(st.lists(st.sampled_from(rows), max_size=3))
    return draw(st.permutations([*rows, *again]))


@settings(deadline=None, max_examples=60)
@given(some_rows())
def test_any_posts_are_what_a_slow_reader_reads(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row]
) -> None:
    folder = write_posts(tmp_path_factory.mktemp("posts"), rows)
    log = HackerNews(folder).read()
    assert rows_of(log) == slow_read(folder)
    n_again = len(rows) - len({row[0] for row in rows})
    assert (f"{n_again} posts that stand there again were counted once." in log.left_out) == (n_again > 0)


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("", ""),
        ("http://tide.org", "tide.org"),
        ("https://www.Tide.org:8080/a?b#c", "tide.org"),
        ("HTTP://WWW.TIDE.ORG/A", "tide.org"),
        ("ftp://user:word@files.tide.org/x", "files.tide.org"),
        ("http://www2.tide.org", "www2.tide.org"),
        ("tide.org/a", ""),
        ("http:///a", ""),
    ],
)
def test_domains_are_hosts_without_www(tmp_path: Path, url: str, domain: str) -> None:
    log = HackerNews(write_posts(tmp_path / "posts", [post(url=url)])).read()
    assert log.items["domain"].tolist() == [domain]
    without = "1 addresses without a host count as none."
    assert (without in log.left_out) == (domain == "" and url != "")


def post(
    post_id: str = "7",
    title: str = "Tides",
    url: str = "",
    points: str = "12",
    comments: str = "3",
    author: str = "moon",
    time: str = "9/26/2016 3:26",
) -> Row:
    return (post_id, title, url, points, comments, author, time)


def refused(folder: Path, row: Sequence[str]) -> str:
    write_posts(folder / "posts", [post(), row])
    with pytest.raises(InputError) as found:
        HackerNews(folder / "posts").read()
    return str(found.value)


@pytest.mark.parametrize(
    ("row", "what", "value", "rule"),
    [
        (post(""), "id", "", "an id must not be empty or have blanks around it"),
        (post("8", author=""), "author", "", "an id must not be empty or have blanks around it"),
        (post("8", points="-1"), "num_points", "-1", "must be a whole number from 0"),
        (post("8", points="many"), "num_points", "many", "must be a whole number from 0"),
        (post("8", comments="1.5"), "num_comments", "1.5", "must be a whole number from 0"),
        (post("8", comments="inf"), "num_comments", "inf", "must be a whole number from 0"),
        (post("8", time="soon"), "created_at", "soon", WRITTEN),
        (post("8", time="26/9/2016 3:26"), "created_at", "26/9/2016 3:26", DAY_FIRST),
        (post("8", time="9/26/2116 3:26"), "created_at", "9/26/2116 3:26", WRITTEN),
        (post("8", time="1474860360000"), "created_at", "1474860360000", UNIX),
    ],
)  # fmt: skip
def test_values_that_are_malformed_are_refused(
    tmp_path: Path, row: Row, what: str, value: str, rule: str
) -> None:
    expected = f"values of {what}: 1, posts/hacker_news.csv:3 {value!r}; {rule}"
    assert refused(tmp_path, row) == expected


def test_lines_that_are_malformed_are_refused(tmp_path: Path) -> None:
    ragged = "ragged lines: 1, posts/hacker_news.csv:3 '8,Tides,,1'; each must have 7 fields, cut by comma"
    assert refused(tmp_path, ("8", "Tides", "", "1")) == ragged
    folder = write_posts(tmp_path / "posts", [post()])
    with (folder / "hacker_news.csv").open("a", encoding="utf-8", newline="") as file:
        file.write('8,"Tides,,1,1,moon,9/26/2016 3:26\r\n')
    with pytest.raises(InputError, match=r"^lines with stray quotes: 1, posts/hacker_news\.csv:3 '8,\"Tides"):
        HackerNews(folder).read()


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Tide"},
        {"url": "http://a.b"},
        {"points": "13"},
        {"comments": "4"},
        {"author": "sun"},
        {"time": "9/26/2016 3:27"},
    ],
)
def test_a_post_that_comes_again_must_be_the_same(tmp_path: Path, change: dict[str, str]) -> None:
    row = post(**change)
    expected = f"lines that contradict an earlier one: 1, posts/hacker_news.csv:3 {','.join(row)!r}"
    assert refused(tmp_path, row) == f"{expected}; a post has one line"
    assert len(HackerNews(write_posts(tmp_path / "same", [post(), post()])).read()) == 1


def test_a_header_and_commas_must_be_there(tmp_path: Path) -> None:
    folder = write_posts(tmp_path / "posts", [post()])
    path = folder / "hacker_news.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(",", ";"), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"has 1 fields, must have 7, cut by comma; it is cut so by semicolon$"
    ):
        HackerNews(folder).read()
    path.write_text(text.replace("num_points", "points"), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"^posts/hacker_news\.csv:1 .* 'points' is nearest to 'num_points'$"
    ):
        HackerNews(folder).read()
    path.write_text(text.splitlines()[0], encoding="utf-8")
    with pytest.raises(InputError, match=r"^posts/hacker_news\.csv has no rows below its header$"):
        HackerNews(folder).read()


def test_both_names_are_read_and_others_are_named(tmp_path: Path) -> None:
    folder = write_posts(tmp_path / "posts")
    before = HackerNews(folder).read()
    (folder / PLACES[0]).rename(folder / PLACES[1])
    assert rows_of(HackerNews(folder).read()) == rows_of(before)
    (folder / PLACES[1]).rename(folder / "news.csv")
    expected = f"posts has no {PLACES[0]}[.gz] or {PLACES[1]}[.gz] with posts; it has news.csv"
    assert HackerNews(folder).missing_files() == expected


def test_zipped_posts_are_read_and_a_zip_that_ends_early_is_refused(tmp_path: Path) -> None:
    folder = write_posts(tmp_path / "posts")
    before, path = HackerNews(folder).read(), folder / "hacker_news.csv"
    zipped = gzip.compress(path.read_bytes())
    path.unlink()
    (folder / "hacker_news.csv.gz").write_bytes(zipped)
    assert HackerNews(folder).read().fingerprint == before.fingerprint
    (folder / "hacker_news.csv.gz").write_bytes(zipped[:-9])
    with pytest.raises(InputError, match=r"^cannot read posts/hacker_news\.csv\.gz: Compressed file ended"):
        HackerNews(folder).read()


def test_the_public_posts_are_what_a_slow_reader_reads(public_data: Path) -> None:
    """21,348 posts of 9,033 authors, 1,115 without an address, median points 102, at most 5,771."""
    log = HackerNews(public_data / "hacker-news").read()
    assert rows_of(log) == slow_read(public_data / "hacker-news")
    assert (len(log), len(log.user_id)) == (21_348, 9_033)
    assert np.count_nonzero(log.items["domain"] == "") == 1_115
    assert (np.median(log.actions["points"]), log.actions["points"].max()) == (102, 5_771)
    assert log.actions["comments"].min() == 18
    assert (log.start, log.date(int(log.day[-1]))) == ("2015-09-06", "2016-09-25")
