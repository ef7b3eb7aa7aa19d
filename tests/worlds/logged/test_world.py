"""Logs of clicks as worlds: pages, clicks, what is bid, and what is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlsd.datasets.avazu import Avazu
from mlsd.datasets.ctr_source import CtrSource
from mlsd.datasets.libfm import LibFM
from mlsd.datasets.open_bandit import OpenBandit
from mlsd.errors import InputError, InvalidValueError
from mlsd.testing.tiny_click_logs import LIBFM_FIELDS, N_ROWS, write_click_log
from mlsd.testing.world_kit import WorldKit
from mlsd.types import Requests
from mlsd.worlds.base import World
from mlsd.worlds.logged import LoggedWorld
from mlsd.worlds.logged.bids import LogNormalBids

BIDS = LogNormalBids(seed=3)
BY_USER = partial(LibFM, fields=LIBFM_FIELDS, user="user", item="ad")


class TestLoggedWorld(WorldKit):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = write_click_log(tmp_path / "ads", "avazu")

    def make_world(self, seed: int) -> LoggedWorld:
        return LoggedWorld(str(self.folder), Avazu, LogNormalBids(by="C14", seed=seed), page_rows=10)

    def some_requests(self, world: World) -> Requests:
        assert isinstance(world, LoggedWorld)
        return world.requests()


def world_of(
    folder: Path, layout: str = "libfm", source: Any = LibFM, bids: LogNormalBids = BIDS, **options: Any
) -> LoggedWorld:
    return LoggedWorld(str(write_click_log(folder / "ads", layout)), source, bids, **options)


def test_rows_that_follow_each_other_make_pages_within_a_split(tmp_path: Path) -> None:
    world = world_of(tmp_path, page_rows=30)
    log, requests = world.log(), world.requests()
    n_items = [*[30] * 13, 10, *[30] * 3, 10, *[30] * 3, 10]  # of 400, 100 and 100 rows
    assert requests["n_items"].tolist() == n_items
    assert requests["first_item"].tolist() == np.cumsum([0, *n_items[:-1]]).tolist()
    windows, counts = np.unique(log.split, return_counts=True)
    assert dict(zip(windows.tolist(), counts.tolist(), strict=True)) == {
        "ranking": 14, "validation": 4, "test": 4,
    }  # fmt: skip
    assert (world.unit, requests.user.tolist()) == ("page", list(range(22)))


def test_an_item_is_a_row_and_keeps_its_columns_and_its_click(tmp_path: Path) -> None:
    read = LibFM(write_click_log(tmp_path / "ads", "libfm"), fields=LIBFM_FIELDS).read()
    world = LoggedWorld(str(tmp_path / "ads"), partial(LibFM, fields=LIBFM_FIELDS), BIDS)
    shown = world.log().impressions
    assert shown["item"].tolist() == list(range(N_ROWS))
    np.testing.assert_array_equal(shown["click"], read.label > 0)
    for name in LIBFM_FIELDS:
        np.testing.assert_array_equal(world.catalog[name], read.categorical[name].codes)


def test_pages_by_user_are_of_one_user_each_in_the_order_of_the_log(tmp_path: Path) -> None:
    read = BY_USER(write_click_log(tmp_path / "ads", "libfm")).read()
    world = LoggedWorld(str(tmp_path / "ads"), BY_USER, BIDS, page_rows=5, page_by="user")
    row, requests = world.catalog.item_id.astype(np.int64), world.requests()
    assert sorted(row.tolist()) == list(range(N_ROWS))
    assert read.user is not None
    page = np.repeat(np.arange(len(requests)), requests["n_items"])
    np.testing.assert_array_equal(read.user[row], requests.user[page])
    assert (np.diff(row)[np.diff(page) == 0] > 0).all()
    assert requests["n_items"].max() <= 5
    assert world.unit == "user"
    split_of = np.repeat(["ranking", "validation", "test"], [400, 100, 100])
    np.testing.assert_array_equal(split_of[row], world.log().split[page])


def test_what_is_clicked_has_the_grade_of_its_bid_and_all_else_none(tmp_path: Path) -> None:
    world = world_of(tmp_path, page_rows=30)
    judged, shown = world.judgements(world.requests()), world.log().impressions
    assert judged.items.tolist() == shown["item"][shown["click"]].tolist()
    np.testing.assert_array_equal(judged.grades, world.catalog["bid"][judged.items])
    assert world.relevant_grade == world.catalog["bid"].min()
    assert world.max_grade == world.catalog["bid"].max()


def test_positions_and_propensities_are_those_of_the_log(tmp_path: Path) -> None:
    world = world_of(tmp_path, "open_bandit", OpenBandit, page_rows=7)
    shown = world.log().impressions
    assert set(shown["position"]) == {0, 1, 2}
    assert set(shown["propensity"]) == {1 / 12}
    inside = np.diff(shown["request_id"]) == 0
    assert (np.diff(shown["position"])[inside] >= 0).all()
    assert not shown["explored"].any()


def test_bids_are_one_for_each_bidder_whatever_the_rows(tmp_path: Path) -> None:
    bids = LogNormalBids(median=2.0, sigma=0.5, by="C14", seed=1)
    all_rows = world_of(tmp_path, "avazu", Avazu, bids)
    rarer = world_of(tmp_path, "avazu", partial(Avazu, min_count=45), bids)
    code, bid = all_rows.catalog["C14"], all_rows.catalog["bid"]
    for ad in np.unique(code):
        assert len(np.unique(bid[code == ad])) == 1
    assert len(np.unique(bid)) == 12
    known = rarer.catalog["C14"] > 0
    assert 0 < known.sum() < N_ROWS
    np.testing.assert_array_equal(rarer.catalog["bid"][known], bid[known])
    assert len(np.unique(rarer.catalog["bid"][~known])) == 1


def test_each_row_bids_for_itself_where_nobody_is_named(tmp_path: Path) -> None:
    """Log-normal: of 600 logarithms, mean and deviation within five standard errors."""
    world = world_of(tmp_path, bids=LogNormalBids(median=2.0, sigma=0.5, seed=7))
    logs = np.log(world.catalog["bid"])
    assert len(np.unique(logs)) == N_ROWS
    assert abs(logs.mean() - np.log(2)) < 5 * 0.5 / np.sqrt(N_ROWS)
    assert abs(logs.std() - 0.5) < 5 * 0.5 / np.sqrt(2 * N_ROWS)
    equal = world_of(tmp_path, bids=LogNormalBids(median=2.0, sigma=0.0))
    assert set(equal.catalog["bid"]) == {2.0}


def test_hashed_bidders_bid_by_their_bucket(tmp_path: Path) -> None:
    source = partial(Avazu, hashed={"C14": 5})
    world = world_of(tmp_path, "avazu", source, LogNormalBids(by="C14", seed=1))
    assert len(np.unique(world.catalog["bid"])) == len(np.unique(world.catalog["C14"])) <= 5


def test_a_report_is_told_what_was_declared(tmp_path: Path) -> None:
    notes = world_of(tmp_path, bids=LogNormalBids(by="field_1")).notes
    assert notes[0].startswith("ads has 600 impressions of 3 columns, ")
    assert "Up to 40 of them compete for each of 16 pages, as they follow each other in the log." in notes
    assert any("declared, not observed" in note and "category of field_1" in note for note in notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"page_rows": 0}, "page_rows == 0, must be at least 1"),
        ({"page_by": "device"}, "page_by == 'device', must be one of order, user"),
    ],
)
def test_options_that_make_no_pages_are_refused(tmp_path: Path, options: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        world_of(tmp_path, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"median": 0.0}, "median == 0.0, must be above 0"),
        ({"sigma": -1.0}, r"sigma == -1.0, must be at least 0"),
    ],
)
def test_bids_that_are_none_are_refused(options: Any, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        LogNormalBids(**options)


def test_a_folder_without_a_log_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "ads").mkdir()
    with pytest.raises(
        InvalidValueError, match=r"must be the folder of a log of clicks: ads has no \[NAME\.\]"
    ):
        LoggedWorld(str(tmp_path / "ads"), LibFM, BIDS)


def test_pages_by_user_need_users(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="pages cannot be by user: ads does not tell users apart; say by order"
    ):
        world_of(tmp_path, page_by="user").requests()


def test_a_bidder_that_is_no_column_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match=r"bids\.by == 'field_l', must be one of field_0, .*field_1"):
        _ = world_of(tmp_path, bids=LogNormalBids(by="field_l")).catalog


def test_a_source_reads_itself_unless_told_otherwise(tmp_path: Path) -> None:
    source: CtrSource = LibFM(write_click_log(tmp_path / "ads", "libfm"))
    assert world_of(tmp_path).fingerprint == f"ads {source.read().fingerprint}"
