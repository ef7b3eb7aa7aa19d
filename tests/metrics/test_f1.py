"""F1: the kit, its name and undefined cases."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.metrics.f1 import F1
from mlsd.testing.metric_kit import PredictionMetricKit


class TestF1(PredictionMetricKit):
    def make(self) -> PredictionMetric:
        return F1(threshold=0.4)


def of(prob: list[float], outcome: list[float]) -> Predictions:
    return Predictions(np.array(prob), np.array(outcome), unit=np.arange(len(prob)))


def test_neither_predicted_nor_responded_has_no_figure() -> None:
    assert np.isnan(F1()(of([0.1, 0.2], [0.0, 0.0])))
    assert F1()(of([0.1, 0.2], [1.0, 0.0])) == 0


def test_name() -> None:
    assert F1().name == "F1(threshold=0.5)"


def test_threshold_is_a_share() -> None:
    with pytest.raises(InvalidValueError, match=r"threshold == 1\.5, must be between 0 and 1"):
        F1(threshold=1.5)
