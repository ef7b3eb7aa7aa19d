"""Histories in a set of features: what they are like, their columns, and what is refused."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from mlsd import checks
from mlsd.errors import InputError, InvalidValueError
from mlsd.features.base import Declared, Family, Feature, HistoryFeature
from mlsd.features.item import EveryColumn
from mlsd.features.sets.base import FeatureSet
from mlsd.testing.small_log import SmallLog
from mlsd.types import Array, Candidates, FeatureSpec, History, RankingBatch

SMALL = SmallLog()
TOPIC = np.array([0, 1, 2, 1])
PAST = np.array([[3, 0], [1, 2], [0, 0], [2, 2]])


class Topic(Feature):
    """Of three topics."""

    family: ClassVar[Family] = "item"
    cardinality = 3

    def values(self, batch: RankingBatch) -> Array:
        return batch.candidates["topic"]


class Age(Feature):
    """Not categorical."""

    family: ClassVar[Family] = "item"

    def values(self, batch: RankingBatch) -> Array:
        return batch.candidates["topic"] * 1.5


class Given(HistoryFeature):
    """A history of two topics."""

    family: ClassVar[Family] = "user_item"
    cardinality = 3

    def __init__(self, like: str | None = "topic", length: int = 2) -> None:
        super().__init__(length, like)

    def values(self, batch: RankingBatch) -> Array:
        return np.stack([batch.candidates["first"], batch.candidates["second"]], axis=1)


def batch(past: Array = PAST) -> RankingBatch:
    requests = SMALL.requests.take(np.arange(2))
    columns = {"topic": TOPIC, "first": past[:, 0], "second": past[:, 1]}
    return RankingBatch(requests, Candidates(np.array([0, 3, 4]), np.arange(4), columns))


def fitted(**features: Declared | None) -> FeatureSet:
    made = FeatureSet(features)
    made.fit(SMALL.catalog, SMALL.log, batch())
    return made


def test_histories_follow_the_categories_whatever_their_place_in_the_set() -> None:
    features = fitted(liked=Given(), age=Age(), topic=Topic(), own=Given(like=None))
    histories = {"liked": History(2, 3, "topic"), "own": History(2, 3)}
    assert features.spec == FeatureSpec(("age",), {"topic": 3}, histories)
    assert features.spec.names == ("age", "topic", "liked", "own")
    values = features.transform(batch())
    assert values.categorical.tolist() == np.concatenate([TOPIC[:, None], PAST, PAST], axis=1).tolist()
    assert values.categorical.dtype == np.int64
    assert (features.spec.n_dense, features.spec.n_categorical) == (1, 5) == (values.dense.shape[1], 5)


def test_kept_candidates_keep_their_histories() -> None:
    kept = np.array([False, True, False, True])
    features = fitted(topic=Topic(), liked=Given())
    assert features.transform(batch(), kept).categorical.tolist() == [[1, 1, 2], [1, 2, 2]]


def test_without_what_it_is_like_a_history_is_like_nothing() -> None:
    """However often some are taken out, and where it is switched off; a group may yet have it."""
    whole = fitted(topic=Topic(), age=Age(), liked=Given())
    without = whole.without({"topic"}).without({"age"})
    assert list(without.features) == ["liked"]
    for features in (without, FeatureSet({"topic": None, "liked": Given()})):
        features.fit(SMALL.catalog, SMALL.log, batch())
        assert features.spec.histories == {"liked": History(2, 3, None)}
    assert FeatureSet({"all": EveryColumn(), "liked": Given(like="all.topic")}).histories


def test_a_history_is_like_a_feature_of_its_set() -> None:
    message = r"features\.liked\.like == 'topics', must be a feature beside it; nearest is 'topic'"
    with pytest.raises(InvalidValueError, match=message):
        FeatureSet({"topic": Topic(), "liked": Given(like="topics")})
    with checks.collecting() as faults:
        FeatureSet({"liked": Given(like="x")})
    assert [str(fault) for fault in faults] == ["features.liked.like == 'x', must be a feature beside it"]
    with pytest.raises(InputError, match="history liked is like 'age', must be like a categorical feature"):
        _ = fitted(age=Age(), liked=Given(like="age")).spec
    with pytest.raises(InputError, match="history liked is like 'own', must be like a categorical feature"):
        _ = fitted(own=Given(like=None), liked=Given(like="own")).spec


def test_muted_histories_are_empty_and_the_others_as_they_were() -> None:
    features = fitted(topic=Topic(), liked=Given(), own=Given(like=None))
    silent = features.muted({"liked"}).transform(batch()).categorical
    assert not silent[:, 1:3].any()
    assert np.array_equal(silent[:, [0, 3, 4]], features.transform(batch()).categorical[:, [0, 3, 4]])
    both = features.muted({"topic", "own"}).transform(batch()).categorical
    assert both.tolist() == [[1, *past, 0, 0] for past in PAST.tolist()]


def test_state_restores_them_silent_or_not() -> None:
    features, restored = (FeatureSet({"topic": Topic(), "liked": Given()}) for _ in range(2))
    features.fit(SMALL.catalog, SMALL.log, batch())
    restored.load_state(features.state())
    for one, other in ((features, restored), (features.muted({"liked"}), restored.muted({"liked"}))):
        assert np.array_equal(one.transform(batch()).categorical, other.transform(batch()).categorical)
    assert restored.spec == features.spec
    assert restored.notes == features.notes == {}


def test_it_is_judged_with_its_family_as_other_features_are() -> None:
    features = fitted(topic=Topic(), liked=Given())
    assert features.kin("liked") == "user_item"
    assert features.observed(None) is not features  # type: ignore[arg-type]  # neither feature looks at it


@pytest.mark.parametrize(("past", "n"), [([[4, 0]] * 4, 4), ([[-1, 5], [0, 0], [0, 0], [0, -1]], 2)])
def test_values_out_of_range_are_refused(past: list[list[int]], n: int) -> None:
    features = fitted(topic=Topic(), liked=Given())
    with pytest.raises(InputError, match=rf"feature 'liked' is outside 0\.\.3 for {n} of 4 candidates"):
        features.transform(batch(np.array(past)))


def test_a_history_of_another_length_is_refused() -> None:
    message = r"history 'liked' has values of shape \(4, 2\), must have 3 columns"
    with pytest.raises(InputError, match=message):
        fitted(topic=Topic(), liked=Given(length=3))


@pytest.mark.parametrize(("length", "cardinality"), [(0, 3), (2, 0)])
def test_a_history_has_places_and_categories(length: int, cardinality: int) -> None:
    with pytest.raises(InvalidValueError, match="== 0, must be at least 1"):
        History(length, cardinality)
