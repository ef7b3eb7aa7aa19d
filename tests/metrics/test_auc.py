"""AUC: the kit and its influences by hand."""

from __future__ import annotations

import numpy as np

from mlsd.metrics.auc import AUC
from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.testing.metric_kit import PredictionMetricKit


class TestAUC(PredictionMetricKit):
    def make(self) -> PredictionMetric:
        return AUC()


def test_one_class_has_no_figure() -> None:
    assert np.isnan(AUC()(Predictions(np.array([0.1, 0.9]), np.ones(2), unit=np.arange(2))))


def test_replicates_without_one_class_have_no_figure() -> None:
    predictions = Predictions(np.array([0.1, 0.9]), np.array([0.0, 1.0]), unit=np.array([5, 9]))
    resampled = AUC().statistic(predictions).resampled(np.array([[1, 0], [2, 3]]))
    np.testing.assert_array_equal(resampled, [[np.nan], [1.0]])


def test_name() -> None:
    assert AUC().name == "AUC"
