"""CalibrationRatio: the kit, its name and undefined cases."""

from __future__ import annotations

import numpy as np

from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.metrics.calibration_ratio import CalibrationRatio
from mlsd.testing.metric_kit import PredictionMetricKit


class TestCalibrationRatio(PredictionMetricKit):
    def make(self) -> PredictionMetric:
        return CalibrationRatio()


def of(prob: list[float], outcome: list[float]) -> Predictions:
    return Predictions(np.array(prob), np.array(outcome), unit=np.arange(len(prob)))


def test_no_response_has_no_figure() -> None:
    assert np.isnan(CalibrationRatio()(of([0.1, 0.9], [0.0, 0.0])))


def test_name() -> None:
    assert CalibrationRatio().name == "CalibrationRatio"
