"""What every ranker must keep. Inherit `RankerKit` and build your ranker in `make`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlsd import ragged, rng
from mlsd.errors import InputError, InvalidValueError, NotFittedError
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.losses.lambdarank import LambdaRank
from mlsd.losses.softmax import Softmax
from mlsd.rankers.base import LabelledFeatures, MultiTaskRanker, Scorer
from mlsd.types import Array, FeatureBatch, FeatureSpec, Ints, State

SPEC = FeatureSpec(dense=("match", "age", "length"), categorical={"topic": 4, "device": 2})
LOSSES: tuple[Loss, ...] = (BCE(), Softmax(), LambdaRank())
LOSS_NAMES = [type(loss).__name__ for loss in LOSSES]
TASKS = ("click", "conversion")
SHORT = TrainerOptions(max_epochs=3, patience=3, batch_rows=32, n_threads=1)

_FITTED: dict[tuple[type[RankerKit], Loss], Scorer] = {}


class Cut(Exception):  # noqa: N818  (nothing went wrong)
    """Ends a training from outside."""


class Listener:
    """Hears of the progress of a training, and may cut it off."""

    def __init__(self, cut_after: int | None = None) -> None:
        self.cut_after = cut_after
        self.heard: list[int] = []

    def __call__(self, done: int, total: int, what: str) -> None:  # noqa: ARG002
        self.heard.append(done)
        if done == self.cut_after:
            raise Cut


class RankerKit(ABC):
    """Conformance tests of a ranker, under every loss."""

    n_epochs_to_overfit = 40

    @abstractmethod
    def make(self, spec: FeatureSpec, loss: Loss) -> Scorer:
        """A fresh ranker."""

    def rows(self, seed: int, n_requests: int = 40, length: int | None = None) -> LabelledFeatures:
        """What it learns from; see `rows`."""
        return rows(seed, n_requests, length)

    @pytest.fixture(params=LOSSES, ids=LOSS_NAMES)
    def loss(self, request: pytest.FixtureRequest) -> Loss:
        chosen: Loss = request.param
        return chosen

    @pytest.fixture
    def fitted(self, loss: Loss) -> Scorer:
        """A ranker that tests share and do not change."""
        key = type(self), loss
        if key not in _FITTED:
            _FITTED[key] = self.make(SPEC, loss)
            _FITTED[key].fit(self.rows(0), self.rows(1), Fitting(SHORT))
        return _FITTED[key]

    def test_scores_do_not_depend_on_order_or_company(self, fitted: Scorer) -> None:
        features = self.rows(2, n_requests=250).features
        scores = fitted.score(features)
        shuffled = np.argsort(rng.uniform(0, "order", np.arange(len(scores))))
        assert np.array_equal(fitted.score(taken(features, shuffled)), scores[shuffled])
        for size in (1, 2, 7, 100, 128, 129, 512, 513):
            first = taken(features, np.arange(len(scores))[:size])
            assert np.array_equal(fitted.score(first), scores[:size])

    def test_scores_any_number_of_candidates(self, fitted: Scorer) -> None:
        features = self.rows(2).features
        empty, one = features.take_requests(np.zeros(0, np.int64)), taken(features, np.arange(1))
        between = FeatureBatch(one.dense, one.categorical, np.array([0, 0, 1, 1]))
        assert fitted.score(empty).shape == (0, *fitted.score(one).shape[1:])
        assert np.array_equal(fitted.score(one), fitted.score(between))
        assert fitted.score(features).dtype == np.float32

    def test_learns_from_requests_of_any_length(self, loss: Loss) -> None:
        ragged_rows = self.rows(3, n_requests=20)
        counts = np.diff(ragged_rows.features.offsets)
        assert counts.min() == 0
        assert 1 in counts
        ranker = self.make(SPEC, loss)
        ranker.fit(ragged_rows, ragged_rows, Fitting(replace(SHORT, batch_rows=1)))
        assert np.isfinite(ranker.score(ragged_rows.features)).all()

    def test_overfits_a_tiny_set(self, loss: Loss) -> None:
        tiny = self.rows(4, n_requests=12, length=5)
        ranker = self.make(SPEC, loss)
        n = self.n_epochs_to_overfit
        options = TrainerOptions(max_epochs=n, patience=n, batch_rows=10, n_threads=1)
        curves = ranker.fit(tiny, tiny, Fitting(options))
        scores, labels = (_of_first_task(each) for each in (ranker.score(tiny.features), tiny.labels))
        best, offsets = ragged.top(scores, tiny.features.offsets, 1)
        assert len(best) == len(offsets) - 1 == 12
        assert labels[best].all()
        assert curves.validation[curves.best_epoch] < curves.validation[0]

    def test_seed_reproduces(self, fitted: Scorer, loss: Loss) -> None:
        again, other = self.make(SPEC, loss), self.make(SPEC, loss)
        again.fit(self.rows(0), self.rows(1), Fitting(SHORT))
        other.fit(self.rows(0), self.rows(1), Fitting(SHORT, seed=1))
        assert equal(again.state(), fitted.state())
        assert not equal(other.state(), fitted.state())

    @pytest.mark.parametrize("n_finished", [1, 2])
    def test_cut_off_training_goes_on_to_the_same_weights(
        self, fitted: Scorer, loss: Loss, n_finished: int, tmp_path: Path
    ) -> None:
        cutting, noting = Listener(cut_after=n_finished), Listener()
        with pytest.raises(Cut):
            self.make(SPEC, loss).fit(
                self.rows(0), self.rows(1), Fitting(SHORT, folder=tmp_path, progress=cutting)
            )
        resumed = self.make(SPEC, loss)
        curves = resumed.fit(self.rows(0), self.rows(1), Fitting(SHORT, folder=tmp_path, progress=noting))
        assert noting.heard == list(range(n_finished + 1, 4))
        assert len(curves.train) == len(curves.validation) == 3
        assert equal(resumed.state(), fitted.state())

    def test_checkpoint_of_another_training_is_refused(self, loss: Loss, tmp_path: Path) -> None:
        self.make(SPEC, loss).fit(self.rows(0), self.rows(1), Fitting(SHORT, folder=tmp_path))
        with pytest.raises(InputError, match=r"belongs to another training \(training rows =="):
            self.make(SPEC, loss).fit(self.rows(5), self.rows(1), Fitting(SHORT, folder=tmp_path))

    def test_state_round_trip_is_exact(self, fitted: Scorer, loss: Loss, tmp_path: Path) -> None:
        np.savez(tmp_path / "state.npz", allow_pickle=False, **fitted.state())
        restored = self.make(SPEC, loss)
        with np.load(tmp_path / "state.npz", allow_pickle=False) as state:
            restored.load_state(dict(state))
        features = self.rows(2).features
        assert equal(restored.state(), fitted.state())
        assert np.array_equal(restored.score(features), fitted.score(features))

    def test_state_of_other_features_is_refused(self, fitted: Scorer, loss: Loss) -> None:
        wider = FeatureSpec((*SPEC.dense, "clicks"), SPEC.categorical)
        with pytest.raises(InputError, match="other options or features"):
            self.make(wider, loss).load_state(fitted.state())

    @pytest.mark.parametrize("kind", ["dense", "categorical"])
    def test_features_of_one_kind_suffice(self, loss: Loss, kind: str) -> None:
        spec, drop = (
            (FeatureSpec(SPEC.dense), 0) if kind == "dense" else (FeatureSpec((), SPEC.categorical), 1)
        )
        train, validation = (only(self.rows(seed), keep_dense=drop == 0) for seed in (0, 1))
        ranker = self.make(spec, loss)
        ranker.fit(train, validation, Fitting(SHORT))
        assert np.isfinite(ranker.score(train.features)).all()

    def test_constant_features_give_equal_scores(self, loss: Loss) -> None:
        varied = self.rows(0)
        constant = FeatureBatch(
            np.ones_like(varied.features.dense),
            np.zeros_like(varied.features.categorical),
            varied.features.offsets,
        )
        ranker = self.make(SPEC, loss)
        ranker.fit(LabelledFeatures(constant, varied.labels), varied, Fitting(SHORT))
        assert len(np.unique(ranker.score(constant), axis=0)) == 1

    @pytest.mark.parametrize("label", [0.0, 1.0])
    def test_labels_of_one_class_are_refused(self, loss: Loss, label: float) -> None:
        varied = self.rows(0)
        labels = np.full_like(varied.labels, label)
        one_class = LabelledFeatures(varied.features, labels)
        for train, validation, name, n in (
            (one_class, self.rows(1), "training", len(labels)),
            (self.rows(1), one_class, "validation", labels.size),
        ):
            with pytest.raises(InputError, match=f"model, {name} rows.*: all {n} labels == {label}"):
                self.make(SPEC, loss).fit(train, validation, Fitting(SHORT))

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_non_finite_features_are_refused(self, fitted: Scorer, loss: Loss, value: float) -> None:
        spoiled = self.rows(0)
        spoiled.features.dense[3, 1] = value
        with pytest.raises(InputError, match=f"training rows: feature age == {value} in row 3"):
            self.make(SPEC, loss).fit(spoiled, self.rows(1), Fitting(SHORT))
        with pytest.raises(InputError, match=f"feature age == {value} in row 3, must be finite"):
            fitted.score(spoiled.features)

    def test_an_unfitted_ranker_says_so(self, loss: Loss) -> None:
        with pytest.raises(NotFittedError, match="is not fitted"):
            self.make(SPEC, loss).score(self.rows(0).features)
        with pytest.raises(NotFittedError, match="is not fitted"):
            self.make(SPEC, loss).state()


class MultiTaskRankerKit(RankerKit):
    """Conformance tests of a ranker of two tasks, the second of which can only follow the first."""

    @pytest.fixture
    def loss(self) -> Loss:
        """What training of each task minimises."""
        return BCE()

    @abstractmethod
    def make(self, spec: FeatureSpec, loss: Loss) -> MultiTaskRanker:
        """A fresh ranker of `TASKS`."""

    def rows(self, seed: int, n_requests: int = 40, length: int | None = None) -> LabelledFeatures:
        return of_two_tasks(rows(seed, n_requests, length))

    def test_a_candidate_has_a_score_for_each_task(self, fitted: Scorer) -> None:
        features = self.rows(2).features
        assert fitted.score(features).shape == (len(features), len(TASKS))

    def test_training_tells_how_good_it_is(self, loss: Loss) -> None:
        told: list[float] = []
        fitting = Fitting(SHORT, watch=lambda _, quality: told.append(quality))
        curves = self.make(SPEC, loss).fit(self.rows(0), self.rows(1), fitting)
        assert len(told) == len(curves.validation) == 3
        assert all(0 < quality <= 1 for quality in told)

    def test_a_task_of_one_class_is_named(self, loss: Loss) -> None:
        varied = self.rows(0)
        varied.labels[:, 1] = 0
        with pytest.raises(InputError, match=rf"training rows, {TASKS[1]}: all \d+ labels == 0"):
            self.make(SPEC, loss).fit(varied, self.rows(1), Fitting(SHORT))

    def test_a_task_that_nobody_does_may_validate_others(self, loss: Loss) -> None:
        validation = self.rows(1)
        validation.labels[:, 1] = 0
        ranker = self.make(SPEC, loss)
        ranker.fit(self.rows(0), validation, Fitting(SHORT))
        assert np.isfinite(ranker.score(validation.features)).all()

    def test_labels_of_other_tasks_are_refused(self, loss: Loss) -> None:
        with pytest.raises(InputError, match=r"labels of shape \(\d+,\), must have 2 columns"):
            self.make(SPEC, loss).fit(rows(0), rows(1), Fitting(SHORT))

    def test_losses_that_make_no_log_odds_are_refused(self) -> None:
        with pytest.raises(InvalidValueError, match=r"loss == Softmax\(\), must make scores log-odds"):
            self.make(SPEC, Softmax())


def rows(seed: int, n_requests: int = 40, length: int | None = None) -> LabelledFeatures:
    """Requests of 0 to 8 candidates, or of `length`; the one that matches best is relevant."""
    counts = (
        rng.integers(seed, "counts", 9, np.arange(n_requests))
        if length is None
        else np.full(n_requests, length)
    )
    offsets = ragged.offsets_of_counts(counts)
    ids = np.arange(offsets[-1])
    dense = rng.normal(seed, "dense", ids[:, None], np.arange(SPEC.n_dense)).astype(np.float32)
    sizes = np.array(list(SPEC.categorical.values()))
    categorical = rng.integers(seed, "categorical", sizes, ids[:, None], np.arange(len(sizes)))
    labels = np.zeros(len(ids), np.float32)
    labels[ragged.top(dense[:, 0], offsets, 1)[0]] = 1
    return LabelledFeatures(FeatureBatch(dense, categorical, offsets), labels)


def of_two_tasks(single: LabelledFeatures) -> LabelledFeatures:
    """Something happened to what is relevant, and something more to what is besides of topic 0 or 1."""
    more = single.labels * (single.features.categorical[:, :1].sum(axis=1) <= 1)
    return LabelledFeatures(single.features, np.stack([single.labels, more], axis=1).astype(np.float32))


def taken(features: FeatureBatch, candidates: Ints) -> FeatureBatch:
    """Some candidates, as those of one request."""
    offsets = np.array([0, len(candidates)])
    return FeatureBatch(features.dense[candidates], features.categorical[candidates], offsets)


def only(labelled: LabelledFeatures, *, keep_dense: bool) -> LabelledFeatures:
    """Without the dense or without the categorical features."""
    features = labelled.features
    dense, categorical = features.dense, features.categorical
    dense, categorical = (dense, categorical[:, :0]) if keep_dense else (dense[:, :0], categorical)
    return LabelledFeatures(FeatureBatch(dense, categorical, features.offsets), labelled.labels)


def _of_first_task(values: Array) -> Array:
    return values if values.ndim == 1 else values[:, 0]


def equal(first: State, second: State) -> bool:
    """Whether two states hold the same arrays to the bit."""
    return first.keys() == second.keys() and all(same_bits(first[name], second[name]) for name in first)


def same_bits(first: Array, second: Array) -> bool:
    """Whether two arrays agree in type, shape and every bit."""
    return first.dtype == second.dtype and first.shape == second.shape and first.tobytes() == second.tobytes()
