"""LogLoss: the kit, its name and undefined cases."""

from __future__ import annotations

import numpy as np

from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.metrics.log_loss import LogLoss
from mlsd.testing.metric_kit import PredictionMetricKit


class TestLogLoss(PredictionMetricKit):
    def make(self) -> PredictionMetric:
        return LogLoss()


def of(prob: list[float], outcome: list[float]) -> Predictions:
    return Predictions(np.array(prob), np.array(outcome), unit=np.arange(len(prob)))


def test_a_sure_mistake_is_finite() -> None:
    np.testing.assert_allclose(LogLoss()(of([0.0, 1.0], [1.0, 1.0])), 52 * np.log(2) / 2)


def test_name() -> None:
    assert LogLoss().name == "LogLoss"
