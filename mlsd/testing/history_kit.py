"""What every ranker that reads histories must keep. Inherit `HistoryKit` and build your ranker in `make`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
import pytest

from mlsd import ragged, rng
from mlsd.errors import InputError
from mlsd.fitting import Fitting
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.rankers.base import LabelledFeatures, Scorer
from mlsd.testing.ranker_kit import SHORT, equal, of_two_tasks, taken
from mlsd.types import FeatureBatch, FeatureSpec, History, Ints

HISTORIES = {"liked": History(5, 4, like="topic"), "seen": History(3, 6)}
SPEC = FeatureSpec(dense=("match",), categorical={"topic": 4, "device": 2}, histories=HISTORIES)
N_SINGLE = len(SPEC.categorical)

_FITTED: dict[type[HistoryKit], Scorer] = {}


class HistoryKit(ABC):
    """Conformance tests of a ranker that reads histories."""

    n_tasks = 1

    @abstractmethod
    def make(self, spec: FeatureSpec, loss: Loss) -> Scorer:
        """A fresh ranker; one of several tasks is of `ranker_kit.TASKS`."""

    def rows(self, seed: int, n_requests: int = 60) -> LabelledFeatures:
        """What it learns from."""
        single = rows(seed, n_requests)
        return single if self.n_tasks == 1 else of_two_tasks(single)

    @pytest.fixture
    def fitted(self) -> Scorer:
        """A ranker that tests share and do not change."""
        if type(self) not in _FITTED:
            _FITTED[type(self)] = self.make(SPEC, BCE())
            _FITTED[type(self)].fit(self.rows(0), self.rows(1), Fitting(SHORT))
        return _FITTED[type(self)]

    def test_scores_do_not_depend_on_order_or_company(self, fitted: Scorer) -> None:
        features = self.rows(2, n_requests=200).features
        scores = fitted.score(features)
        shuffled = np.argsort(rng.uniform(0, "order", np.arange(len(scores))))
        assert np.array_equal(fitted.score(taken(features, shuffled)), scores[shuffled])
        for size in (1, 2, 7, 100, 128, 129):
            first = taken(features, np.arange(len(scores))[:size])
            assert np.array_equal(fitted.score(first), scores[:size])

    @pytest.mark.parametrize("name", list(HISTORIES))
    def test_scores_depend_on_every_history(self, fitted: Scorer, name: str) -> None:
        features = self.rows(2).features
        differs = fitted.score(features) != fitted.score(emptied(features, name))
        was_empty = ~features.categorical[:, columns_of(name)].any(axis=1)
        assert 0 < was_empty.sum() < len(features) / 2
        assert not differs[was_empty].any()
        assert differs[~was_empty].mean() > 0.5

    def test_learns_where_nothing_came_before(self) -> None:
        parts = [self.rows(seed) for seed in (0, 1)]
        nothing = [LabelledFeatures(emptied(part.features, *HISTORIES), part.labels) for part in parts]
        ranker = self.make(SPEC, BCE())
        ranker.fit(nothing[0], nothing[1], Fitting(SHORT))
        assert np.isfinite(ranker.score(parts[0].features)).all()

    def test_histories_suffice(self) -> None:
        spec = FeatureSpec((), {}, {"seen": HISTORIES["seen"]})
        parts = [self.rows(seed) for seed in (0, 1)]
        alone = [LabelledFeatures(only(part.features, "seen"), part.labels) for part in parts]
        ranker = self.make(spec, BCE())
        ranker.fit(alone[0], alone[1], Fitting(SHORT))
        assert len(np.unique(ranker.score(alone[0].features), axis=0)) > 1

    def test_seed_reproduces_and_state_round_trip_is_exact(self, fitted: Scorer) -> None:
        again, restored = self.make(SPEC, BCE()), self.make(SPEC, BCE())
        again.fit(self.rows(0), self.rows(1), Fitting(SHORT))
        assert equal(again.state(), fitted.state())
        restored.load_state(fitted.state())
        features = self.rows(2).features
        assert np.array_equal(restored.score(features), fitted.score(features))

    def test_state_of_other_histories_is_refused(self, fitted: Scorer) -> None:
        fewer = FeatureSpec(SPEC.dense, SPEC.categorical, {"liked": HISTORIES["liked"]})
        with pytest.raises(InputError, match="other options or features"):
            self.make(fewer, BCE()).load_state(fitted.state())

    @pytest.mark.parametrize(("name", "value"), [("liked", 5), ("seen", 7), ("seen", -1)])
    def test_values_out_of_range_are_refused(self, fitted: Scorer, name: str, value: int) -> None:
        features = self.rows(0).features
        features.categorical[3, columns_of(name)] = value
        low, high = min(value, 0), max(value, HISTORIES[name].cardinality)
        with pytest.raises(InputError, match=rf"feature {name} is from {low} to {high}, must be in \[0, "):
            fitted.score(features)

    def test_columns_that_are_missing_are_refused(self, fitted: Scorer) -> None:
        features = self.rows(0).features
        narrow = replace(features, categorical=features.categorical[:, :-1])
        message = "1 dense and 9 categorical features, must be 1 and 10, 8 of them of histories"
        with pytest.raises(InputError, match=message):
            fitted.score(narrow)


def columns_of(name: str) -> slice:
    """Where a history stands among the columns of categories."""
    lengths = [history.length for history in HISTORIES.values()]
    place = list(HISTORIES).index(name)
    start = N_SINGLE + sum(lengths[:place])
    return slice(start, start + lengths[place])


def emptied(features: FeatureBatch, *names: str) -> FeatureBatch:
    """The same candidates, before whom nothing came."""
    categorical = features.categorical.copy()
    for name in names:
        categorical[:, columns_of(name)] = 0
    return replace(features, categorical=categorical)


def only(features: FeatureBatch, name: str) -> FeatureBatch:
    """Nothing but one history."""
    return FeatureBatch(features.dense[:, :0], features.categorical[:, columns_of(name)], features.offsets)


def rows(seed: int, n_requests: int) -> LabelledFeatures:
    """Requests of 0 to 8 candidates; relevant is what matches and is of a topic liked before, or was seen."""
    offsets = ragged.offsets_of_counts(rng.integers(seed, "counts", 9, np.arange(n_requests)))
    ids = np.arange(offsets[-1])
    dense = rng.normal(seed, "dense", ids[:, None], np.arange(SPEC.n_dense)).astype(np.float32)
    sizes = np.array(list(SPEC.categorical.values()))
    single = rng.integers(seed, "categorical", sizes, ids[:, None], np.arange(len(sizes)))
    pasts = {name: _past(seed, name, history, len(ids)) for name, history in HISTORIES.items()}
    known = (pasts["liked"] == 1 + single[:, :1]).any(axis=1)
    label = (dense[:, 0] + known + 0.2 * pasts["seen"][:, 0] > 1).astype(np.float32)
    categorical = np.concatenate([single, *pasts.values()], axis=1)
    return LabelledFeatures(FeatureBatch(dense, categorical, offsets), label)


def _past(seed: int, name: str, history: History, n: int) -> Ints:
    """(n, length) of which 0 to `length` are there."""
    places, ids = np.arange(history.length), np.arange(n)
    n_there = rng.integers(seed, f"{name}, how many", history.length + 1, ids)
    values = 1 + rng.integers(seed, name, history.cardinality, ids[:, None], places)
    return np.where(places < n_there[:, None], values, 0)
