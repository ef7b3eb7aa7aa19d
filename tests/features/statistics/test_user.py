from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.features.base import Feature
from mlsd.features.statistics.user import UserActivity, UserCategoryAffinity
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import Candidates, RankingBatch

SMALL = SmallLog()


class TestUserRequests(FeatureKit):
    def make(self) -> Feature:
        return UserActivity("requests")


class TestUserClicks(FeatureKit):
    def make(self) -> Feature:
        return UserActivity("clicks")


class TestUserCategoryAffinity(FeatureKit):
    def make(self) -> Feature:
        return UserCategoryAffinity()


def test_activity_is_counted_up_to_yesterday() -> None:
    batch = SMALL.candidates(SMALL.requests.take(np.array([200])))
    user, day = batch.requests.user[0], batch.requests.day[0]
    requests = np.count_nonzero((SMALL.requests.user == user) & (SMALL.requests.day < day))
    seen = SMALL.log.impressions
    clicks = seen["click"][(seen["user"] == user) & (seen["time_days"] < day)].sum()
    for of, expected in (("requests", requests), ("clicks", clicks)):
        feature = UserActivity(of)
        feature.fit(SMALL.catalog, SMALL.log)
        assert expected > 0
        assert feature.values(batch) == pytest.approx(np.log1p(expected))


def test_affinity_equals_counting_by_hand() -> None:
    feature = UserCategoryAffinity(prior_clicks=2.0)
    feature.fit(SMALL.catalog, SMALL.log)
    batch = SMALL.candidates(SMALL.requests.take(np.array([360])))
    seen = SMALL.log.impressions[SMALL.log.impressions["click"]]
    category = SMALL.catalog["category"]
    training = seen["request_id"].isin(SMALL.log.until("ranking").requests.request_id)
    clicks = np.bincount(category[seen["item"][training]]) + 1
    own = category[
        seen["item"][(seen["user"] == batch.requests.user[0]) & (seen["time_days"] < batch.requests.day[0])]
    ]
    for value, item in zip(feature.values(batch), batch.candidates.items, strict=True):
        share = clicks[category[item]] / clicks.sum()
        mine = np.count_nonzero(own == category[item])
        assert value == pytest.approx(np.log((mine + 2 * share) / ((len(own) + 2) * share)))


def test_affinity_is_the_same_however_many_candidates_there_are() -> None:
    """Few candidates are looked up one by one, many by the categories there are: to the last bit the same."""
    feature = UserCategoryAffinity()
    feature.fit(SMALL.catalog, SMALL.log)
    n_categories, n_items = int(SMALL.catalog["category"].max()) + 1, len(SMALL.catalog)
    assert n_items > n_categories > 2
    requests = SMALL.requests.take(np.array([300, 360]))
    every = RankingBatch(
        requests, Candidates(np.array([0, n_items, 2 * n_items]), np.tile(np.arange(n_items), 2))
    )
    values = feature.values(every).reshape(2, n_items)
    assert len(np.unique(values)) > 2
    for item in range(n_items):
        one = RankingBatch(requests, Candidates(np.array([0, 1, 2]), np.array([item, item])))
        np.testing.assert_array_equal(feature.values(one), values[:, item])


def test_a_new_user_has_no_affinity() -> None:
    feature = UserCategoryAffinity()
    feature.fit(SMALL.catalog, SMALL.log)
    first_day = SMALL.candidates(SMALL.requests.take(np.array([0])))
    assert np.all(feature.values(first_day) == 0)


def test_bad_values_are_named() -> None:
    with pytest.raises(
        InvalidValueError, match="of == 'click', must be one of requests, clicks; nearest is 'clicks'"
    ):
        UserActivity("click")
    with pytest.raises(InvalidValueError, match="prior_clicks == 0, must be above 0"):
        UserCategoryAffinity(prior_clicks=0)
