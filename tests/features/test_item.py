from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.datasets.hashing import hash_buckets
from mlsd.errors import InputError
from mlsd.features.base import Feature
from mlsd.features.item import ItemAge, ItemCategory, ItemColumn, ItemId, SameCategory, SameUserCategory
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import Candidates, RankingBatch

SMALL = SmallLog()


class TestItemColumn(FeatureKit):
    def make(self) -> Feature:
        return ItemColumn("n_words", scale="log1p")


class TestItemAge(FeatureKit):
    def make(self) -> Feature:
        return ItemAge()


class TestItemCategory(FeatureKit):
    def make(self) -> Feature:
        return ItemCategory()


def test_age_is_as_of_the_request() -> None:
    catalog = replace(SMALL.catalog, columns={"published_days": np.full(40, -3.0) + 10 * np.arange(40)})
    requests = replace(SMALL.requests.take(np.array([0])), time_days=np.array([4.0]))
    age = ItemAge()
    age.fit(catalog, SMALL.log)
    batch = RankingBatch(requests, Candidates(np.array([0, 2]), np.array([0, 1])))
    assert age.values(batch) == pytest.approx([np.log(8.0), 0.0])  # item 1 is published on day 7


def test_a_category_below_zero_is_refused() -> None:
    catalog = replace(SMALL.catalog, columns={"category": np.arange(40) - 1})
    with pytest.raises(InputError, match=r"item\.category has the category -1, must be at least 0"):
        ItemCategory().fit(catalog, SMALL.log)


def test_an_unknown_value_is_the_training_mean() -> None:
    catalog = replace(SMALL.catalog, columns={"authority": np.array([np.nan] + [0.5] * 39)})
    feature = ItemColumn("authority")
    feature.fit(catalog, SMALL.log)
    assert np.isnan(feature.values(SMALL.candidates(SMALL.requests))).any()


class TestItemId(FeatureKit):
    def make(self) -> Feature:
        return ItemId(16)


class TestSameCategory(FeatureKit):
    def make(self) -> Feature:
        return SameCategory("query_id")


def test_an_item_is_in_the_bucket_of_its_name() -> None:
    feature = ItemId(1000)
    feature.fit(SMALL.catalog, SMALL.log)
    batch = SMALL.candidates(SMALL.requests.take(np.arange(4)))
    expected = hash_buckets("item", SMALL.catalog.item_id[batch.candidates.items], 1000)
    np.testing.assert_array_equal(feature.values(batch), expected)


def test_the_same_category_is_one() -> None:
    feature = SameUserCategory("query_id", item="category")
    feature.fit(SMALL.catalog, SMALL.log)
    batch = SMALL.candidates(SMALL.requests.take(np.arange(4)))
    for value, item, row in zip(
        feature.values(batch), batch.candidates.items, batch.candidates.request_rows, strict=True
    ):
        assert value == (SMALL.catalog["category"][item] == batch.requests["query_id"][row])
