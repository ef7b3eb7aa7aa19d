"""AveragePrecision: the kit, by hand, and its name."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.average_precision import AveragePrecision
from mlsd.metrics.base import RankedGrades, RankingMetric
from mlsd.testing.metric_kit import MetricKit

RANKED = RankedGrades(
    grades=np.array([0.0, 2, 1, 0, 3]),
    offsets=np.array([0, 5, 5]),
    ideal=np.array([4.0, 3, 2, 1, 4]),
    ideal_offsets=np.array([0, 4, 5]),
)
"""Hits of grade 2, 1 and 3 at places 2, 3 and 5 of four relevant items; then no candidates for one item."""


class TestAveragePrecision(MetricKit):
    perfect_is_highest = False

    def make(self) -> RankingMetric:
        return AveragePrecision(cutoff=5, rel=2)


class TestAveragePrecisionWithoutCutoff(MetricKit):
    def make(self) -> RankingMetric:
        return AveragePrecision()


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (AveragePrecision(), (1 / 2 + 2 / 3 + 3 / 5) / 4),
        (AveragePrecision(rel=2), (1 / 2 + 2 / 5) / 3),
        (AveragePrecision(cutoff=3), (1 / 2 + 2 / 3) / 4),
        (AveragePrecision(cutoff=99), (1 / 2 + 2 / 3 + 3 / 5) / 4),
    ],
)
def test_by_hand(metric: AveragePrecision, value: float) -> None:
    np.testing.assert_allclose(metric(RANKED), [value, 0])


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (AveragePrecision(), "AP"),
        (AveragePrecision(rel=2), "AP(rel=2)"),
        (AveragePrecision(cutoff=10, rel=2), "AP(rel=2)@10"),
        (AveragePrecision(cutoff=10), "AP@10"),
    ],
)
def test_name(metric: AveragePrecision, name: str) -> None:
    assert metric.name == name


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match="cutoff == 0, must be at least 1"):
        AveragePrecision(cutoff=0)
    with pytest.raises(InvalidValueError, match="rel == 0, must be above 0"):
        AveragePrecision(rel=0)
