from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest

from mlsd import checks
from mlsd.errors import InputError, InvalidValueError
from mlsd.features.base import Family, Feature
from mlsd.features.sets import base
from mlsd.features.sets.base import FeatureSet
from mlsd.testing.small_log import SmallLog
from mlsd.types import Array, Candidates, RankingBatch

SMALL = SmallLog()


class Given(Feature):
    """A column, as dense or categorical."""

    family: ClassVar[Family] = "item"

    def __init__(self, name: str, cardinality: int = 0) -> None:
        self.name, self.cardinality = name, cardinality
        self.needs = frozenset({f"candidate.{name}"})

    def values(self, batch: RankingBatch) -> Array:
        return batch.candidates[self.name]


def batch_of(values: Array, n_requests: int = 2, **columns: Array) -> RankingBatch:
    requests = SMALL.requests.take(np.arange(n_requests))
    offsets = np.linspace(0, len(values), n_requests + 1).astype(np.int64)
    return RankingBatch(requests, Candidates(offsets, np.arange(len(values)), {"x": values, **columns}))


def fitted(values: Array) -> FeatureSet:
    features = FeatureSet({"x": Given("x")})
    features.fit(SMALL.catalog, SMALL.log, batch_of(values))
    return features


def test_standardises_by_the_mean_and_standard_deviation_of_training() -> None:
    features = fitted(np.array([1.0, 3.0, 1.0, 3.0]))
    assert features.transform(batch_of(np.array([2.0, 5.0]))).dense[:, 0].tolist() == [0.0, 3.0]
    assert features.transform(batch_of(np.array([2.0]))).dense.dtype == np.float32


def test_unknown_is_the_mean_and_is_counted() -> None:
    features = fitted(np.array([1.0, 3.0, np.nan, np.nan]))
    assert features.transform(batch_of(np.array([np.nan, 3.0]))).dense[:, 0].tolist() == [0.0, 1.0]
    assert features.notes == {"x": "unknown for 50.0% of the training candidates"}


@pytest.mark.parametrize(
    ("values", "note"), [([0.1] * 7, "constant in training"), ([np.nan] * 3, "unknown everywhere")]
)
def test_constant_and_unknown_columns_are_zero_and_noted(values: list[float], note: str) -> None:
    features = fitted(np.array(values))
    assert features.transform(batch_of(np.array(values))).dense.tolist() == [[0.0]] * len(values)
    assert features.notes == {"x": note}


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinity_is_an_error_in_training_and_serving(bad: float) -> None:
    message = "feature 'x' is infinite for 1 of 3 candidates"
    values = np.array([1.0, bad, 2.0])
    with pytest.raises(InputError, match=message):
        fitted(values)
    with pytest.raises(InputError, match=message):
        fitted(np.array([1.0, 2.0])).transform(batch_of(values))


def test_a_category_out_of_range_is_an_error() -> None:
    features = FeatureSet({"x": Given("x", cardinality=3)})
    with pytest.raises(InputError, match=r"feature 'x' is outside 0\.\.2 for 2 of 3 candidates"):
        features.fit(SMALL.catalog, SMALL.log, batch_of(np.array([3, 1, -1])))


def test_none_switches_a_feature_off() -> None:
    features = FeatureSet({"on": Given("x"), "off": None})
    assert features.needs == {"candidate.x"}
    assert features.spec.names == ("on",)
    with pytest.raises(InvalidValueError, match=r"features == \{\}, must not be empty"):
        FeatureSet({"off": None})
    with checks.collecting() as faults:
        assert FeatureSet({}).needs == frozenset()
    assert len(faults) == 1


def test_dense_and_categorical_columns_keep_their_order() -> None:
    features = FeatureSet({"b": Given("x"), "c": Given("c", 4), "a": Given("y"), "d": Given("d", 2)})
    batch = batch_of(np.arange(4.0), y=np.arange(4.0) * 2, c=np.arange(4), d=np.arange(4) % 2)
    features.fit(SMALL.catalog, SMALL.log, batch)
    assert features.spec.dense == ("b", "a")
    assert features.spec.categorical == {"c": 4, "d": 2}
    assert features.transform(batch).categorical.tolist() == [[0, 0], [1, 1], [2, 0], [3, 1]]


def test_scaling_of_many_candidates_comes_from_whole_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "SAMPLE_CANDIDATES", 4)
    features = FeatureSet({"x": Given("x")})
    features.fit(SMALL.catalog, SMALL.log, batch_of(np.repeat(np.arange(4.0), 2), n_requests=4))
    assert features.scaling is not None
    assert features.scaling.mean.tolist() == [1.0]  # requests 0 and 2


def test_a_muted_feature_is_at_its_training_mean_and_the_others_are_as_they_were() -> None:
    features = FeatureSet({"a": Given("x"), "b": Given("y"), "c": Given("c", 4), "d": Given("d", 2)})
    y, c, d = np.array([5.0, 1.0, 3.0]), np.array([3, 1, 3]), np.array([1, 0, 0])
    batch = batch_of(np.array([0.0, 1.0, 5.0]), y=y, c=c, d=d)
    features.fit(SMALL.catalog, SMALL.log, batch)
    whole, silent = features.transform(batch), features.muted({"a", "c"}).transform(batch)
    assert silent.dense[:, 0].tolist() == [0, 0, 0]
    assert silent.categorical[:, 0].tolist() == [3, 3, 3]
    assert np.array_equal(silent.dense[:, 1], whole.dense[:, 1])
    assert silent.categorical[:, 1].tolist() == [1, 0, 0]
    assert np.array_equal(features.transform(batch).dense, whole.dense)
    both = features.muted({"a"}).muted({"b"}).transform(batch)
    assert not both.dense.any()


def test_the_most_frequent_category_is_kept_with_the_scaling() -> None:
    """Of several the lowest; a batch at serving changes nothing."""
    features = FeatureSet({"c": Given("c", 4)})
    features.fit(SMALL.catalog, SMALL.log, batch_of(np.zeros(4), c=np.array([2, 1, 1, 2])))
    restored = FeatureSet({"c": Given("c", 4)})
    restored.load_state(features.state())
    silent = restored.muted({"c"}).transform(batch_of(np.zeros(2), c=np.array([0, 3])))
    assert silent.categorical.tolist() == [[1], [1]]


def test_without_some_features() -> None:
    features = FeatureSet({"a": Given("x"), "b": Given("y")})
    assert list(features.without({"a"}).features) == ["b"]
    assert features.without({"a"}).needs == {"candidate.y"}
