"""Recall: the kit, its name and undefined cases."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.metrics.recall import Recall
from mlsd.testing.metric_kit import PredictionMetricKit


class TestRecall(PredictionMetricKit):
    def make(self) -> PredictionMetric:
        return Recall(threshold=0.4)


def of(prob: list[float], outcome: list[float]) -> Predictions:
    return Predictions(np.array(prob), np.array(outcome), unit=np.arange(len(prob)))


def test_no_response_has_no_figure() -> None:
    assert np.isnan(Recall()(of([0.9, 0.2], [0.0, 0.0])))


def test_name() -> None:
    assert Recall(threshold=0.25).name == "Recall(threshold=0.25)"


def test_threshold_is_a_share() -> None:
    with pytest.raises(InvalidValueError, match=r"threshold == 1\.5, must be between 0 and 1"):
        Recall(threshold=1.5)
