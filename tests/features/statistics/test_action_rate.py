from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.features.base import Feature
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.action_rate import ItemActionRate, UserActionRate, ValueActionRate
from mlsd.features.statistics.gamma import gamma_prior
from mlsd.testing import past
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import Ints, RankingBatch

SMALL = SmallLog()
TRAINING = SMALL.candidates(SMALL.log.until("ranking").requests)
LONG_S = 20.0


class TestItemActionRate(FeatureKit):
    def make(self) -> Feature:
        return ItemActionRate("dwell_s", at_least=LONG_S)


class TestValueActionRate(FeatureKit):
    def make(self) -> Feature:
        return ValueActionRate("source", "click")


class TestUserActionRate(FeatureKit):
    def make(self) -> Feature:
        return UserActionRate("click")


def of_items(user: Ints, item: Ints) -> Ints:
    return item


def of_sources(user: Ints, item: Ints) -> Ints:
    return SMALL.catalog["source"][item]


def of_users(user: Ints, item: Ints) -> Ints:
    return user


def long_stay(row: dict[str, float]) -> bool:
    return row["dwell_s"] >= LONG_S


def fitted(feature: Feature) -> Feature:
    FeatureSet({"feature": feature}).fit(SMALL.catalog, SMALL.log, TRAINING)
    return feature


@pytest.mark.parametrize(
    ("feature", "key"),
    [
        (ItemActionRate("dwell_s", LONG_S), of_items),
        (ValueActionRate("source", "dwell_s", LONG_S), of_sources),
        (UserActionRate("dwell_s", LONG_S), of_users),
    ],
)
def test_equals_counting_by_hand(feature: Feature, key: Callable[[Ints, Ints], Ints]) -> None:
    batch = SMALL.candidates(SMALL.requests.take(np.array([150, 333])))
    found = fitted(feature).values(batch)
    a, b = feature.state()["prior"]
    user, items = batch.per_candidate("request.user"), batch.candidates.items
    hours = batch.requests.hour[batch.candidates.request_rows]
    for value, own, hour in zip(found, key(user, items), hours, strict=True):

        def alike(row: dict[str, float], own: int = own) -> bool:
            return bool(key(np.array([int(row["user"])]), np.array([int(row["item"])]))[0] == own)

        seen = past.before(SMALL.log, int(hour), alike, long_stay)
        assert value == pytest.approx(np.log((a + seen.done) / (b + seen.shown) / (a / b)), abs=1e-12)


def test_the_prior_is_that_of_the_training_windows() -> None:
    shown = SMALL.log.until("ranking").impressions
    long = (shown["dwell_s"] >= LONG_S).astype(float)
    by_item = long.groupby(shown["item"]).agg(["size", "sum"])
    prior = gamma_prior(by_item["size"].to_numpy(np.float64), by_item["sum"].to_numpy())
    assert fitted(ItemActionRate("dwell_s", LONG_S)).state()["prior"] == pytest.approx(prior)


def test_what_was_never_shown_is_average() -> None:
    first: RankingBatch = SMALL.candidates(SMALL.requests.take(np.array([0])))
    for feature in (ItemActionRate("click"), ValueActionRate("source", "click"), UserActionRate("click")):
        assert not fitted(feature).values(first).any()


def test_bad_values_are_named() -> None:
    with pytest.raises(InvalidValueError, match="at_least == -1, must be above 0"):
        ItemActionRate("click", at_least=-1)
