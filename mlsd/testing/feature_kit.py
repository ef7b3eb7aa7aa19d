"""What every feature must keep. Inherit `FeatureKit` and give it your feature."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mlsd.errors import InputError, NotFittedError
from mlsd.features.base import Feature, Shared, SharingFeature
from mlsd.features.sets.base import FeatureSet
from mlsd.logs import Log, served_of
from mlsd.testing.small_log import CANDIDATE_STEP, SmallLog
from mlsd.types import Array, FeatureBatch, RankingBatch, Requests

SMALL = SmallLog()

FIRST_OBSERVED = int(np.count_nonzero(np.isin(SMALL.log.split, ["retrieval", "ranking"])))
"""The row of the first request after the training windows."""


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
            features.spec.n_categorical,
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

    @pytest.mark.parametrize("n_pieces", [1, 5, 40])
    @pytest.mark.parametrize("n_fitted", [FIRST_OBSERVED, FIRST_OBSERVED + 37, len(SMALL.requests)])
    def test_what_is_observed_is_known_as_if_it_had_been_logged(self, n_fitted: int, n_pieces: int) -> None:
        """Whatever part of the log it is fitted on, and in whatever pieces it observes the rest.

        A feature that observes nothing stays as it was fitted.
        """
        log = SMALL.log
        fitted = later = self.trained_on(rows_of(log, 0, n_fitted))
        cuts = np.linspace(n_fitted, len(log.requests), n_pieces + 1).astype(int).tolist()
        for start, end in pairwise(cuts):
            later = later.observed(served_of(rows_of(log, start, end)))
        known = self.trained_on(log) if is_live(self.make()) else fitted
        expected, batch = known.transform(self.batch()), self.batch()
        assert same_bits(later.transform(batch), expected)
        restored = FeatureSet({"feature": self.make()})
        restored.load_state(later.state())
        assert same_bits(restored.transform(batch), expected)

    @pytest.mark.parametrize("row", [FIRST_OBSERVED, FIRST_OBSERVED + 26, len(SMALL.requests) - 30])
    def test_what_happens_in_an_hour_is_known_from_the_next_one_on(self, row: int) -> None:
        """Other items and actions from some hour on change nothing before it, nor in it."""
        log = SMALL.log
        features = self.trained_on(rows_of(log, 0, FIRST_OBSERVED))
        hour = log.requests.hour
        rest = rows_of(log, FIRST_OBSERVED, len(log.requests))
        true = features.observed(served_of(rest))
        other = features.observed(served_of(changed_from(rest, int(hour[row]))))
        until = self.candidates(log.requests.take(hour <= hour[row]))
        assert same_values(_raw(true, until), _raw(other, until))
        after = self.candidates(log.requests.take(hour > hour[row]))
        assert same_values(_raw(true, after), _raw(other, after)) == (not is_live(self.make()))

    def trained_on(self, log: Log) -> FeatureSet:
        """Fitted on this log, of which the training windows are whole."""
        features = FeatureSet({"feature": self.make()})
        features.fit(SMALL.catalog, log, self.candidates(log.until("ranking").requests))
        return features

    def test_unfitted_is_refused(self) -> None:
        with pytest.raises(NotFittedError):
            FeatureSet({"feature": self.make()}).transform(self.batch())

    def test_nothing_to_fit_on_is_refused(self) -> None:
        with pytest.raises(InputError, match="no candidates"):
            FeatureSet({"feature": self.make()}).fit(
                SMALL.catalog, SMALL.log, RankingBatch.of(SMALL.requests)
            )


def is_live(feature: Feature) -> bool:
    """Whether a feature, or the shared part that it reads, observes what users do."""
    if isinstance(feature, SharingFeature) and type(feature).observed is SharingFeature.observed:
        return type(feature.shared).observed is not Shared.observed
    return type(feature).observed is not Feature.observed


def rows_of(log: Log, start: int, end: int) -> Log:
    """The requests of a log from one row to another, with what they were shown."""
    shown = log.impressions[(log.request_rows >= start) & (log.request_rows < end)]
    rows = np.arange(start, end)
    return Log(log.requests.take(rows), shown.reset_index(drop=True), log.split[rows])


def changed_from(log: Log, hour: int) -> Log:
    """The log with every item another candidate, and every action turned round, from an hour on."""
    shown = log.impressions
    later = log.requests.hour[log.request_rows] >= hour
    click = shown["click"] ^ later
    dwell_s = shown["dwell_s"].where(~later, np.where(click, 90.0, 0.0).astype(np.float32))
    item = np.where(later, (shown["item"] + CANDIDATE_STEP) % len(SMALL.catalog), shown["item"])
    return replace(log, impressions=shown.assign(item=item, click=click, dwell_s=dwell_s))


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
