from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.stages.base import TrainingData
from mlsd.stages.page import Page
from mlsd.testing.small_log import SmallLog
from mlsd.testing.stage_kit import FITTING, CandidateStageKit
from mlsd.types import Array, Catalog, RankingBatch, Requests

SMALL = SmallLog()
N_ITEMS = len(SMALL.catalog)


def with_bids(bid: Array | None = None) -> Catalog:
    bid = np.arange(N_ITEMS) / 4 if bid is None else bid
    return replace(SMALL.catalog, columns={**SMALL.catalog.columns, "bid": bid})


def paged(requests: Requests) -> RankingBatch:
    """Pages of up to five items, among them some without any."""
    first = (3 * requests.request_id) % (N_ITEMS - 5)
    return RankingBatch.of(requests.with_columns(first_item=first, n_items=requests.request_id % 6))


def dated(days: Array) -> Catalog:
    return replace(SMALL.catalog, columns={**SMALL.catalog.columns, "published_days": days})


class TestPage(CandidateStageKit):
    def make(self) -> Page:
        return Page(self.n_out)

    def batch(self) -> RankingBatch:
        return paged(super().batch().requests)

    def training(self) -> TrainingData:
        return replace(super().training(), catalog=with_bids())


def fitted(n_out: int = 40) -> Page:
    stage = Page(n_out)
    stage.fit(TrainingData(with_bids()), FITTING)
    return stage


def page_of(first: int, n: int) -> RankingBatch:
    one = SMALL.requests.take(np.array([0]))
    return RankingBatch.of(one.with_columns(first_item=np.array([first]), n_items=np.array([n])))


def test_the_rows_of_a_page_come_with_their_bids_the_highest_first() -> None:
    found = fitted()(page_of(8, 3)).candidates
    assert found.items.tolist() == [10, 9, 8]
    assert found["bid"].tolist() == found["score"].tolist() == [2.5, 2.25, 2.0]


def test_equal_bids_keep_the_order_of_the_log() -> None:
    stage = Page(3)
    stage.fit(TrainingData(with_bids(np.ones(N_ITEMS))), FITTING)
    assert stage(page_of(8, 5)).candidates.items.tolist() == [8, 9, 10]


class TestPageByTime(CandidateStageKit):
    def make(self) -> Page:
        return Page(self.n_out, "published_days")

    def batch(self) -> RankingBatch:
        return paged(super().batch().requests)

    def training(self) -> TrainingData:
        return replace(super().training(), catalog=dated(np.arange(N_ITEMS) / 3 - 2))


def test_any_column_orders_a_page_also_below_0() -> None:
    stage = Page(2, "published_days")
    stage.fit(TrainingData(dated(np.where(np.arange(N_ITEMS) == 9, -0.5, -1.5))), FITTING)
    found = stage(page_of(8, 3)).candidates
    assert found.items.tolist() == [9, 8]
    assert found["published_days"].tolist() == found["score"].tolist() == [-0.5, -1.5]
    assert stage.catalog_needs == {"published_days"}
    assert stage.produces == {"candidate.score", "candidate.published_days"}


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (np.where(np.arange(N_ITEMS) == 4, np.nan, 0.0), r"item\.published_days\[4\] == nan, must be finite"),
        (np.full(N_ITEMS, "soon", object), r"item\.published_days has the type object, must be of numbers"),
    ],
)
def test_a_column_that_cannot_order_is_refused(column: Array, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Page(3, "published_days").fit(TrainingData(dated(column)), FITTING)


@pytest.mark.parametrize(("first", "n"), [(-1, 2), (N_ITEMS - 1, 2), (3, -1)])
def test_rows_that_the_log_does_not_have_are_refused(first: int, n: int) -> None:
    request_id = SMALL.requests.request_id[0]
    message = f"request {request_id} has {n} items from {first} on, must be within the {N_ITEMS} of the log"
    with pytest.raises(InputError, match=message):
        fitted()(page_of(first, n))


@pytest.mark.parametrize("bid", [-1.0, np.nan, np.inf])
def test_a_bid_that_is_none_is_refused(bid: float) -> None:
    bids = np.where(np.arange(N_ITEMS) == 2, bid, 1.0)
    with pytest.raises(InputError, match=r"item\.bid\[2\] == .*, must be finite and at least 0"):
        Page(3).fit(TrainingData(with_bids(bids)), FITTING)
