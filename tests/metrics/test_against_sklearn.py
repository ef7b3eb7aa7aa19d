"""Metrics against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from mlsd import ragged
from mlsd.metrics.auc import AUC
from mlsd.metrics.base import Predictions
from mlsd.metrics.f1 import F1
from mlsd.metrics.log_loss import LogLoss
from mlsd.metrics.ndcg import NDCG
from mlsd.metrics.precision import Precision
from mlsd.metrics.recall import Recall
from mlsd.testing.metric_kit import random_grades, random_predictions
from mlsd.types import Floats

rows = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40)


def predictions_of(drawn: list[tuple[int, bool]]) -> Predictions:
    prob, outcome = np.array(drawn, np.float64).T
    return Predictions(prob / 5, outcome, unit=np.arange(len(drawn)) % 7)


@given(rows)
def test_auc_with_any_ties(drawn: list[tuple[int, bool]]) -> None:
    predictions = predictions_of(drawn)
    value = AUC()(predictions)
    if len(set(predictions.outcome)) < 2:
        assert np.isnan(value)
    else:
        expected = sklearn_metrics.roc_auc_score(predictions.outcome, predictions.prob)
        np.testing.assert_allclose(value, expected, atol=1e-12)


@given(rows)
def test_log_loss_with_sure_mistakes(drawn: list[tuple[int, bool]]) -> None:
    predictions = predictions_of(drawn)
    expected = sklearn_metrics.log_loss(predictions.outcome, predictions.prob, labels=[0, 1])
    np.testing.assert_allclose(LogLoss()(predictions), expected, rtol=1e-9, atol=1e-12)


@given(rows, st.sampled_from([0.0, 0.2, 0.5, 1.0]))
def test_metrics_at_a_threshold(drawn: list[tuple[int, bool]], threshold: float) -> None:
    predictions = predictions_of(drawn)
    predicted = predictions.prob >= threshold
    precision, recall, f1, _ = sklearn_metrics.precision_recall_fscore_support(
        predictions.outcome, predicted, average="binary", zero_division=np.nan
    )
    np.testing.assert_allclose(Precision(threshold=threshold)(predictions), precision, atol=1e-12)
    np.testing.assert_allclose(Recall(threshold=threshold)(predictions), recall, atol=1e-12)
    np.testing.assert_allclose(F1(threshold=threshold)(predictions), f1, atol=1e-12)


def test_log_loss_and_auc_of_many_rows() -> None:
    predictions = random_predictions(5000)
    expected = sklearn_metrics.log_loss(predictions.outcome, predictions.prob)
    np.testing.assert_allclose(LogLoss()(predictions), expected, rtol=1e-9)
    expected = sklearn_metrics.roc_auc_score(predictions.outcome, predictions.prob)
    np.testing.assert_allclose(AUC()(predictions), expected, rtol=1e-12)


@pytest.mark.parametrize("gain", ["linear", "exponential"])
def test_ndcg_of_complete_rankings(gain: str) -> None:
    """sklearn's ideal is over what is ranked, so the rankings hold all that is relevant."""
    judged = random_grades()
    oracle = judged.oracle()
    found = oracle.grades > 0
    complete = type(judged)(
        judged.grades, judged.offsets, oracle.grades[found], ragged.offsets_of_mask(found, judged.offsets)
    )
    values = NDCG(cutoff=5, gain=gain)(complete)  # type: ignore[arg-type]
    for request in np.flatnonzero(np.diff(judged.offsets) > 1):
        grades = judged.grades[judged.offsets[request] : judged.offsets[request + 1]]
        if grades.any():
            np.testing.assert_allclose(values[request], _sklearn_ndcg(grades, gain))


def _sklearn_ndcg(grades: Floats, gain: str) -> float:
    gains = grades if gain == "linear" else 2**grades - 1
    return float(sklearn_metrics.ndcg_score([gains], [-np.arange(len(grades))], k=5))
