"""What every feature must keep. Inherit `FeatureKit` and give it your feature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mlsd.errors import InputError, NotFittedError
from mlsd.features.base import Feature, FeatureSet
from mlsd.testing.small_log import SmallLog
from mlsd.types import Array, FeatureBatch, RankingBatch, Requests

SMALL = SmallLog()


class FeatureKit(ABC):
    """Conformance tests of a feature, within a set of its own."""

    @abstractmethod
    def make(self) -> Feature:
        """The feature to test, not fitted."""

    def batch(self) -> RankingBatch:
        """Requests of all windows with their candidates."""
        return self.candidates(SMALL.requests.take(np.arange(0, len(SMALL.requests), 9)))

    def candidates(self, requests: Requests) -> RankingBatch:
        """What the feature's stage gets for these requests, with all columns that the feature needs."""
        return SMALL.candidates(requests)

    def fitted(self) -> FeatureSet:
        features = FeatureSet({"feature": self.make()})
        features.fit(SMALL.catalog, SMALL.log, self.batch())
        return features

    def test_one_request_alone_has_the_same_bits(self) -> None:
        features, batch = self.fitted(), self.batch()
        together = features.transform(batch)
        for row in range(len(batch)):
            alone = features.transform(batch.take(np.array([row])))
            assert same_bits(alone, together.take_requests(np.array([row])))

    def test_the_order_of_requests_changes_no_bit(self) -> None:
        features, batch = self.fitted(), self.batch()
        order = np.arange(len(batch))[::-1]
        assert same_bits(
            features.transform(batch.take(order)), features.transform(batch).take_requests(order)
        )

    def test_kept_candidates_have_the_same_bits(self) -> None:
        features, batch = self.fitted(), self.batch()
        kept = np.arange(len(batch.candidates)) % 3 == 0
        whole, some = features.transform(batch), features.transform(batch, kept)
        assert same_values(some.dense, whole.dense[kept])
        assert same_values(some.categorical, whole.categorical[kept])

    def test_state_restores_every_bit(self) -> None:
        features, restored = self.fitted(), FeatureSet({"feature": self.make()})
        state = features.state()
        assert not [name for name, array in state.items() if array.dtype.hasobject]
        restored.load_state(state)
        assert restored.spec == features.spec
        assert same_bits(restored.transform(self.batch()), features.transform(self.batch()))

    def test_requests_without_candidates(self) -> None:
        features, batch = self.fitted(), self.batch()
        empty = features.transform(batch.keep(np.zeros(len(batch.candidates), bool)))
        assert len(empty) == 0
        assert len(empty.offsets) == len(batch) + 1
        assert len(features.transform(batch.take(np.zeros(0, np.int64)))) == 0

    def test_values_are_finite_or_unknown_and_declared(self) -> None:
        features = self.fitted()
        values = features.transform(self.batch())
        assert np.isfinite(values.dense).all()
        assert (values.dense.shape[1], values.categorical.shape[1]) == (
            features.spec.n_dense,
            len(features.spec.categorical),
        )

    def test_declares_the_columns_it_reads(self) -> None:
        features, batch = self.fitted(), self.batch()
        declared = features.needs | {"request.request_id", "candidate.items"}
        for column in batch.column_names - declared:
            owner, _, name = column.partition(".")
            assert same_bits(features.transform(without(batch, owner, name)), features.transform(batch))

    def test_the_future_changes_nothing(self) -> None:
        """What users do in the validation and test windows changes no value before."""
        features, log = self.fitted(), SMALL.log
        later = log.impressions["request_id"] >= log.requests.request_id[log.split == "validation"][0]
        changed = log.impressions.assign(
            click=log.impressions["click"] ^ later, dwell_s=log.impressions["dwell_s"] + 5.0 * later
        )
        other = FeatureSet({"feature": self.make()})
        other.fit(SMALL.catalog, replace(log, impressions=changed), self.batch())
        before = self.candidates(log.until("ranking").requests)
        assert same_values(_raw(features, before), _raw(other, before))

    def test_unfitted_is_refused(self) -> None:
        with pytest.raises(NotFittedError):
            FeatureSet({"feature": self.make()}).transform(self.batch())

    def test_nothing_to_fit_on_is_refused(self) -> None:
        with pytest.raises(InputError, match="no candidates"):
            FeatureSet({"feature": self.make()}).fit(
                SMALL.catalog, SMALL.log, RankingBatch.of(SMALL.requests)
            )


def without(batch: RankingBatch, owner: str, name: str) -> RankingBatch:
    """The batch less one column; a built-in column of requests is set to 0 instead."""
    requests, candidates = batch.requests, batch.candidates
    if owner == "candidate":
        columns = {key: column for key, column in candidates.columns.items() if key != name}
        return RankingBatch(requests, replace(candidates, columns=columns))
    if name in requests.columns:
        columns = {key: column for key, column in requests.columns.items() if key != name}
        return RankingBatch(replace(requests, columns=columns), candidates)
    zeros: dict[str, Any] = {name: np.zeros_like(requests[name])}
    return RankingBatch(replace(requests, **zeros), candidates)


def same_bits(one: FeatureBatch, other: FeatureBatch) -> bool:
    """Whether two batches hold the same values to the last bit."""
    return all(same_values(getattr(one, name), getattr(other, name)) for name in vars(one))


def same_values(one: Array, other: Array) -> bool:
    """Whether two arrays have the same type, shape and bytes."""
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def _raw(features: FeatureSet, batch: RankingBatch) -> Array:
    """The feature's values before they are standardised."""
    return features.features["feature"].values(batch)
