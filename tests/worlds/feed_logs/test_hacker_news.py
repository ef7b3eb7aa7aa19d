"""Posts as a world: pages of a day, what became of their posts, and nothing that comes later."""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
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
from mlsd.testing.tiny_feed_logs import N_POSTS, some_posts, write_posts
from mlsd.testing.world_kit import WorldKit
from mlsd.types import Requests
from mlsd.worlds.base import World
from mlsd.worlds.feed_logs import HackerNewsWorld
from mlsd.worlds.feed_logs.windows import SHARES

Row = tuple[str, ...]
LIKED: dict[str, Any] = {"like_points": 40.0, "reply_comments": 45.0}


class TestHackerNewsWorld(WorldKit):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        days = [post(1000 + number, points=90, minute=1440 * number) for number in range(25)]
        self.folder = write_posts(tmp_path / "posts", [*some_posts(), *days])

    def make_world(self, seed: int) -> HackerNewsWorld:
        return HackerNewsWorld(str(self.folder), **LIKED)

    def some_requests(self, world: World) -> Requests:
        assert isinstance(world, HackerNewsWorld)
        return world.requests()


def post(
    number: int,
    points: int = 40,
    comments: int = 45,
    minute: int = 0,
    author: str = "moon",
    url: str = "http://tide.org/a",
) -> Row:
    """A post of so many minutes after the beginning of Sunday, 1 March 2015."""
    at = datetime(2015, 3, 1, tzinfo=UTC) + timedelta(minutes=minute)
    time = f"{at.month}/{at.day}/{at.year} {at.hour}:{at.minute:02d}"
    return (str(number), f"Tide {number}", url, str(points), str(comments), author, time)


def world_of(folder: Path, rows: Sequence[Row] | None = None, **options: Any) -> HackerNewsWorld:
    return HackerNewsWorld(str(write_posts(folder / "posts", rows)), **{**LIKED, **options})


LATER = [post(900 + day, points=1, minute=1440 * (50 + day)) for day in range(4)]
"""One post on each of four later days, so that there are windows."""


def test_a_request_is_the_page_of_a_day(tmp_path: Path) -> None:
    rows = [post(3, minute=1439), post(1, minute=1), post(2, minute=3 * 1440), post(4, minute=700), *LATER]
    world = world_of(tmp_path, rows)
    requests = world.requests()
    assert world.catalog.item_id[:4].tolist() == ["1", "4", "3", "2"]
    assert requests["first_item"][:3].tolist() == [0, 3, 4]
    assert requests["n_items"][:3].tolist() == [3, 1, 1]
    assert requests.day[:3].tolist() == [0, 3, 50]
    assert requests.time_days[:2].tolist() == [1439 / 1440, (4 * 1440 - 1) / 1440]
    assert requests.user.tolist() == list(range(len(requests)))
    assert world.unit == "day"


def test_impressions_are_all_posts_of_a_page_in_order_of_submission(tmp_path: Path) -> None:
    rows = [post(1, 39, 45, 5), post(2, 40, 44, 4), post(3, 41, 46, 1440), *LATER]
    shown = world_of(tmp_path, rows).log().impressions[:3]
    assert shown["request_id"].tolist() == [0, 0, 1]
    assert shown["item"].tolist() == [0, 1, 2]
    assert shown["position"].tolist() == [0, 1, 0]
    assert shown["points"].tolist() == [40, 39, 41]
    assert shown["comments"].tolist() == [44, 45, 46]
    assert shown["like"].tolist() == [True, False, True]
    assert shown["reply"].tolist() == [False, True, True]
    assert "click" not in shown.columns


@pytest.mark.parametrize(
    ("points", "grade"),
    [(0, 0), (1, 0), (20, 0), (30, 1 + math.log2(0.75)), (40, 1), (80, 2), (160, 3), (320, 4), (5000, 4)],
)
def test_grades_grow_with_the_logarithm_of_points(tmp_path: Path, points: int, grade: float) -> None:
    world = world_of(tmp_path, [post(1, points), *LATER])
    judged = world.judgements(world.requests().take(np.array([0])))
    assert judged.grades.tolist() == ([pytest.approx(grade)] if grade else [])
    assert (grade >= world.relevant_grade) == (points >= 40)
    assert world.max_grade == 4


def test_the_catalog_tells_where_posts_are_from_and_when_they_came(tmp_path: Path) -> None:
    rows = [
        post(1, minute=125, author="sun", url="http://b.org"),
        post(2, minute=1440 * 6, author="moon", url=""),
        post(3, minute=1440 * 6 + 1439, author="sun", url="http://www.a.org/b"),
        *LATER,
    ]
    catalog = world_of(tmp_path, rows).catalog
    assert catalog["title"][:3].tolist() == catalog["text"][:3].tolist() == ["Tide 1", "Tide 2", "Tide 3"]
    assert catalog["author"][:3].tolist() == [2, 1, 2]
    assert catalog["domain"][:3].tolist() == [2, 0, 1]
    assert catalog["hour"][:3].tolist() == [2, 0, 23]
    assert catalog["weekday"][:3].tolist() == [6, 5, 5]  # Sunday, Saturday, Saturday
    assert catalog["published_days"][:3].tolist() == [125 / 1440, 6, (7 * 1440 - 1) / 1440]


def test_pages_are_of_working_days_or_weekends(tmp_path: Path) -> None:
    rows = [post(day, minute=1440 * day) for day in range(9)]
    world = world_of(tmp_path, rows)
    week = world.segments(world.requests().take(np.arange(9)[::-1]))["week"].tolist()
    assert week == ["weekend" if day % 7 in {0, 6} else "working day" for day in range(9)][::-1]


ROWS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 99), st.integers(0, 8 * 1440 - 1)), min_size=4, max_size=60
).filter(lambda rows: len({minute // 1440 for _, _, minute in rows}) >= 4)
"""Points, comments and minutes of posts."""


@settings(deadline=None, max_examples=50)
@given(ROWS)
def test_no_page_of_a_window_has_anything_later(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int]]
) -> None:
    posts = [post(number, *row) for number, row in enumerate(rows)]
    world = world_of(tmp_path_factory.mktemp("logged"), posts)
    log, published = world.log(), world.catalog["published_days"]
    assert len(log.impressions) == len(rows)
    shown = log.impressions
    assert np.all(published[shown["item"]] <= shown["time_days"])
    assert np.all(np.floor(published[shown["item"]]) == np.floor(shown["time_days"]))
    windows = [log.window(name) for name in SPLITS]
    assert all(len(window.requests) for window in windows)
    for before, after in itertools.pairwise(windows):
        assert before.requests.time_days.max() < published[after.impressions["item"]].min()
    first, n = log.requests["first_item"], log.requests["n_items"]
    candidates = [item for start, count in zip(first, n, strict=True) for item in range(start, start + count)]
    assert candidates == shown["item"].tolist()
    by_day = itertools.groupby(sorted(rows, key=lambda row: row[2]), lambda row: row[2] // 1440)
    expected = [sorted(points for points, _, _ in page) for _, page in by_day]
    assert [sorted(page["points"].tolist()) for _, page in shown.groupby("request_id")] == expected


def test_the_test_window_changes_nothing_before_it(tmp_path: Path) -> None:
    whole = world_of(tmp_path, some_posts())
    last = set(whole.catalog.item_id[whole.log().window("test").impressions["item"]])
    changed = [(*row[:3], "7", "7", *row[5:]) if row[0] in last else row for row in some_posts()]
    other = world_of(tmp_path / "other", changed)
    before, after = (world.log().until("validation") for world in (whole, other))
    pd.testing.assert_frame_equal(before.impressions, after.impressions)
    assert (other.log().window("test").impressions["points"] == 7).all()


def test_what_was_parsed_may_be_kept(tmp_path: Path) -> None:
    kept = world_of(tmp_path, read=KeptFeedReader(tmp_path / "store"))
    pd.testing.assert_frame_equal(kept.log().impressions, world_of(tmp_path).log().impressions)
    assert kept.fingerprint == world_of(tmp_path).fingerprint
    assert kept.fingerprint.startswith("posts ")


def test_a_report_is_told_what_is_taken_for_granted(tmp_path: Path) -> None:
    world = world_of(tmp_path)
    notes = world.notes
    assert notes[0] == f"posts has {N_POSTS} posts of 9 authors on {len(world.requests())} days."
    assert notes[1].startswith(
        "Windows are whole days in order of time, with their posts: retrieval 2015-03-01 to "
    )
    assert notes[2].startswith("A like is 40 points or more, a reply 45 comments or more, as declared: ")
    assert any("if these are popular ones, selected" in note for note in notes)


@pytest.mark.parametrize("name", ["like_points", "reply_comments"])
def test_thresholds_are_above_nothing(tmp_path: Path, name: str) -> None:
    wrong: dict[str, Any] = {name: 0}
    with pytest.raises(InvalidValueError, match=f"^{name} == 0, must be above 0$"):
        world_of(tmp_path, **wrong)


def test_everything_wrong_is_found_at_once(tmp_path: Path) -> None:
    with checks.collecting() as faults:
        HackerNewsWorld(str(tmp_path), 0, 0, {**SHARES, "test": 0.3}, latest="soon")
    assert [fault.name for fault in faults] == ["latest", "path", "shares", "like_points", "reply_comments"]


def declared() -> dict[str, Any]:
    """What the YAML says of the world, without its place."""
    node = yaml.safe_load((conf_dir() / "world" / "hacker_news.yaml").read_text(encoding="utf-8"))["world"]
    return {name: value for name, value in node.items() if name not in {"_target_", "path", "read"}}


def test_the_yaml_has_the_defaults_of_the_constructor(tmp_path: Path) -> None:
    default, world = world_of(tmp_path), world_of(tmp_path, **declared())
    assert (world.shares, world.source) == (default.shares, default.source)


def test_the_declared_thresholds_are_medians_before_the_test_window(public_data: Path) -> None:
    """Both by hand: of the posts before the first day of the test window, read line by line."""
    folder = public_data / "hacker-news"
    world = HackerNewsWorld(str(folder), **declared())
    log = world.log()
    with (folder / "hacker_news.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    end = datetime.fromisoformat(world._logged.date(int(log.window("test").requests.day.min())))
    before = [row for row in rows if datetime.strptime(row["created_at"], "%m/%d/%Y %H:%M") < end]  # noqa: DTZ007
    assert len(before) == 17_054
    assert np.median([int(row["num_points"]) for row in before]) == world.like_points
    assert np.median([int(row["num_comments"]) for row in before]) == world.reply_comments


def test_the_public_posts_make_a_world(public_data: Path) -> None:
    log = HackerNewsWorld(str(public_data / "hacker-news"), **declared()).log()
    assert (len(log.requests), len(log.impressions)) == (386, 21_348)
    shares = [len(log.window(name).impressions) / 21_348 for name in SPLITS]
    assert shares == pytest.approx(list(SHARES.values()), abs=0.01)
    assert log.requests["n_items"].min() == 26
    assert log.requests["n_items"].max() == 83
