from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.features.base import Feature
from mlsd.features.context import PartOfDay, RequestCategory, UserCategory, Weekday
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import Candidates, RankingBatch, Requests


class TestPartOfDay(FeatureKit):
    def make(self) -> Feature:
        return PartOfDay()


class TestWeekday(FeatureKit):
    def make(self) -> Feature:
        return Weekday()


class TestRequestCategory(FeatureKit):
    def make(self) -> Feature:
        return RequestCategory("query_id")


def test_what_the_log_never_saw_is_one_category_more() -> None:
    small, feature = SmallLog(), UserCategory("query_id")
    feature.fit(small.catalog, small.log)
    asked = small.requests.take(np.arange(3)).with_columns(query_id=np.array([2, 99, -1]))
    values = feature.values(small.candidates(asked)).reshape(3, -1)
    assert values[:, 0].tolist() == [2, 8, 8]
    assert feature.cardinality == 9
    assert feature.family == "user"


def test_categories_of_requests_are_not_negative() -> None:
    small, feature = SmallLog(), RequestCategory("query_id")
    log = small.log.window("ranking")
    wrong = log.requests.with_columns(query_id=log.requests["query_id"] - 1)
    with pytest.raises(InputError, match=r"request.query_id has the category -1, must be at least 0"):
        feature.fit(small.catalog, type(log)(wrong, log.impressions, log.split))


def test_time_is_cut_into_quarters_of_days_and_weeks() -> None:
    time = np.array([0.0, 0.25, 1.9, 7.5, 13.74])
    ids = np.arange(5)
    batch = RankingBatch(Requests(ids, ids, ids, time), Candidates(np.arange(6), np.zeros(5, np.int64)))
    assert PartOfDay().values(batch).tolist() == [0, 1, 3, 2, 2]
    assert Weekday().values(batch).tolist() == [0, 0, 1, 0, 6]
