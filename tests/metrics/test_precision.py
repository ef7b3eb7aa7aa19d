"""Precision: the kit, its name and undefined cases."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.metrics.precision import Precision
from mlsd.testing.metric_kit import PredictionMetricKit


class TestPrecision(PredictionMetricKit):
    def make(self) -> PredictionMetric:
        return Precision(threshold=0.4)


def of(prob: list[float], outcome: list[float]) -> Predictions:
    return Predictions(np.array(prob), np.array(outcome), unit=np.arange(len(prob)))


def test_nothing_predicted_has_no_figure() -> None:
    assert np.isnan(Precision()(of([0.1, 0.2], [1.0, 0.0])))


def test_name() -> None:
    assert Precision().name == "Precision(threshold=0.5)"


def test_threshold_is_a_share() -> None:
    with pytest.raises(InvalidValueError, match=r"threshold == 1\.5, must be between 0 and 1"):
        Precision(threshold=1.5)
