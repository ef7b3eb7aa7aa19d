"""Logistic regression, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as Reference

from mlsd import checks
from mlsd.fitting import Fitting, TrainerOptions
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.rankers.base import Ranker
from mlsd.rankers.logistic_regression import LogisticRegression
from mlsd.testing.history_kit import HistoryKit
from mlsd.testing.ranker_kit import SPEC, RankerKit, only, rows
from mlsd.types import FeatureSpec


class TestLogisticRegression(RankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return LogisticRegression(spec, loss, learning_rate=0.05)


class TestLogisticRegressionOfHistories(HistoryKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return LogisticRegression(spec, loss, learning_rate=0.05)


def test_finds_the_coefficients_of_scikit_learn() -> None:
    """Full batches without decay: both minimise the same convex function."""
    labelled = only(rows(0, n_requests=80), keep_dense=True)
    ranker = LogisticRegression(FeatureSpec(SPEC.dense), BCE(), learning_rate=0.05, weight_decay=0.0)
    options = TrainerOptions(max_epochs=400, patience=400, batch_rows=100_000, min_batches=1, n_threads=1)
    ranker.fit(labelled, labelled, Fitting(options))
    reference = Reference(C=np.inf, tol=1e-8).fit(labelled.features.dense, labelled.labels)
    assert ranker.state()["weight"] == pytest.approx(reference.coef_, abs=1e-3)
    assert ranker.state()["bias"] == pytest.approx(reference.intercept_, abs=1e-3)


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        LogisticRegression(SPEC, BCE(), learning_rate=0.0, weight_decay=-1.0)
    assert [str(fault) for fault in faults] == [
        "learning_rate == 0.0, must be above 0",
        "weight_decay == -1.0, must be at least 0",
    ]
