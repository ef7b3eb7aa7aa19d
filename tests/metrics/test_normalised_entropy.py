"""NormalisedEntropy: the kit, its name and undefined cases."""

from __future__ import annotations

import numpy as np

from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.metrics.normalised_entropy import NormalisedEntropy
from mlsd.testing.metric_kit import PredictionMetricKit


class TestNormalisedEntropy(PredictionMetricKit):
    def make(self) -> PredictionMetric:
        return NormalisedEntropy()


def of(prob: list[float], outcome: list[float]) -> Predictions:
    return Predictions(np.array(prob), np.array(outcome), unit=np.arange(len(prob)))


def test_by_hand() -> None:
    """One response in four: entropy -(1/4 log 1/4 + 3/4 log 3/4)."""
    value = NormalisedEntropy()(of([0.5, 0.5, 0.5, 0.5], [1.0, 0, 0, 0]))
    np.testing.assert_allclose(value, np.log(2) / (np.log(4) / 4 + 0.75 * np.log(4 / 3)))


def test_one_class_has_no_figure() -> None:
    assert np.isnan(NormalisedEntropy()(of([0.1, 0.9], [1.0, 1.0])))
    assert np.isnan(NormalisedEntropy()(of([0.1, 0.9], [0.0, 0.0])))


def test_name() -> None:
    assert NormalisedEntropy().name == "NE"
