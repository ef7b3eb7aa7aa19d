from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.features.base import Feature
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.affinity import UserValueAffinity
from mlsd.testing import past
from mlsd.testing.feature_kit import FeatureKit, same_values
from mlsd.testing.small_log import SmallLog
from mlsd.types import Catalog, Floats, RankingBatch

SMALL = SmallLog()
TRAINING = SMALL.candidates(SMALL.log.until("ranking").requests)


class TestClicks(FeatureKit):
    def make(self) -> Feature:
        return UserValueAffinity("category", ["click"])


class TestLongStaysOrClicks(FeatureKit):
    def make(self) -> Feature:
        return UserValueAffinity("source", ["dwell_s", "click"], prior_strength=3.0, at_least=20.0)


def fitted(**features: Feature) -> FeatureSet:
    together = FeatureSet(features)
    together.fit(SMALL.catalog, SMALL.log, TRAINING)
    return together


def values(feature: Feature, batch: RankingBatch) -> Floats:
    fitted(feature=feature)
    return feature.values(batch)


@pytest.mark.parametrize("at_least", [1.0, 20.0])
@pytest.mark.parametrize("column", ["category", "source"])
def test_equals_counting_by_hand(column: str, at_least: float) -> None:
    """A click counts from 1 on, a stay from the threshold on: of either, whichever is enough."""
    feature = UserValueAffinity(column, ["click", "dwell_s"], prior_strength=4.0, at_least=at_least)
    batch = SMALL.candidates(SMALL.requests.take(np.array([200, 333, 399])))
    found = values(feature, batch)
    value, rows = SMALL.catalog[column], batch.candidates.request_rows

    def done(row: dict[str, float]) -> bool:
        return row["click"] >= at_least or row["dwell_s"] >= at_least

    training = past.before(SMALL.log.until("ranking"), 10**6, lambda _: True, done)
    rate = (training.done + 0.5) / (training.shown + 1)
    some = False
    for number, item in enumerate(batch.candidates.items):
        user, hour = batch.requests.user[rows[number]], int(batch.requests.hour[rows[number]])

        def alike(row: dict[str, float], user: int = user, item: int = item) -> bool:
            return row["user"] == user and value[int(row["item"])] == value[item]

        own = past.before(SMALL.log, hour, alike, done)
        some |= own.done > 0
        expected = np.log((own.done + 4 * rate) / (own.shown + 4)) - np.log(rate)
        assert found[number] == pytest.approx(expected, abs=1e-12)
    assert some


def test_a_user_who_was_shown_nothing_has_no_affinity() -> None:
    first = SMALL.candidates(SMALL.requests.take(np.array([0])))
    assert not values(UserValueAffinity("category", ["click"]), first).any()


def test_several_of_one_key_read_one_count_of_the_log() -> None:
    """And say what each says alone, to the last bit; without one of them, too."""
    made: dict[str, Callable[[], Feature]] = {
        "clicks": lambda: UserValueAffinity("category", ["click"]),
        "stays": lambda: UserValueAffinity("category", ["dwell_s"], at_least=20.0),
        "either": lambda: UserValueAffinity("category", ["dwell_s", "click"], prior_strength=2.0),
        "sources": lambda: UserValueAffinity("source", ["click"]),
    }
    together = fitted(**{name: make() for name, make in made.items()})
    assert sorted(together.shared) == ["hourly(user,item.category)", "hourly(user,item.source)"]
    batch = SMALL.candidates(SMALL.requests)
    all_of_them = together.transform(batch).dense
    less = together.without(["stays"])
    less.fit(SMALL.catalog, SMALL.log, TRAINING)
    for column, (name, make) in enumerate(made.items()):
        alone = fitted(**{name: make()}).transform(batch).dense[:, 0]
        assert same_values(alone, all_of_them[:, column])
        if name != "stays":
            at = less.spec.dense.index(name)
            assert same_values(alone, less.transform(batch).dense[:, at])


def test_bad_values_are_named() -> None:
    with pytest.raises(InvalidValueError, match="prior_strength == 0, must be above 0"):
        UserValueAffinity("author", ["like"], prior_strength=0)
    with pytest.raises(InvalidValueError, match=r"actions == \[\], must not be empty"):
        UserValueAffinity("author", [])
    with pytest.raises(InvalidValueError, match="actions == 'like', must be a list of names"):
        UserValueAffinity("author", "like")
    with pytest.raises(InvalidValueError, match="at_least == 0, must be above 0"):
        UserValueAffinity("author", ["like"], at_least=0)


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(InputError, match="the log has no action 'like'; its impressions have request_id"):
        fitted(x=UserValueAffinity("category", ["like"]))
    with pytest.raises(InputError, match=r"item.authority has the type float64, must be of integers"):
        fitted(x=UserValueAffinity("authority", ["click"]))
    empty = replace(SMALL.log, impressions=SMALL.log.impressions.iloc[:0])
    with pytest.raises(InputError, match="UserValueAffinity counts what users did, and the log is empty"):
        FeatureSet({"x": UserValueAffinity("category", ["click"])}).fit(SMALL.catalog, empty, TRAINING)
    bare = Catalog(SMALL.catalog.item_id)
    with pytest.raises(InputError, match=r"no column item\.category"):
        FeatureSet({"x": UserValueAffinity("category", ["click"])}).fit(bare, SMALL.log, TRAINING)
