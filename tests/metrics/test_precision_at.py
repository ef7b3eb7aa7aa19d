"""PrecisionAt: the kit, by hand, and its name."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import RankedGrades, RankingMetric
from mlsd.metrics.precision_at import PrecisionAt
from mlsd.testing.metric_kit import MetricKit

RANKED = RankedGrades(
    grades=np.array([0.0, 2, 1, 0, 3]),
    offsets=np.array([0, 5, 5]),
    ideal=np.array([4.0, 3, 2, 1, 4]),
    ideal_offsets=np.array([0, 4, 5]),
)
"""Hits of grade 2, 1 and 3 at places 2, 3 and 5 of four relevant items; then no candidates for one item."""


class TestPrecisionAt(MetricKit):
    perfect_is_highest = False

    def make(self) -> RankingMetric:
        return PrecisionAt(cutoff=5, rel=2)


class TestPrecisionAtWithoutCutoff(MetricKit):
    def make(self) -> RankingMetric:
        return PrecisionAt()


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (PrecisionAt(), 3 / 5),
        (PrecisionAt(cutoff=2), 1 / 2),
        (PrecisionAt(cutoff=10), 3 / 10),
        (PrecisionAt(cutoff=5, rel=3), 1 / 5),
    ],
)
def test_by_hand(metric: PrecisionAt, value: float) -> None:
    np.testing.assert_allclose(metric(RANKED), [value, 0])


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (PrecisionAt(), "SetP"),
        (PrecisionAt(rel=2), "SetP(rel=2)"),
        (PrecisionAt(cutoff=10, rel=2), "P(rel=2)@10"),
        (PrecisionAt(cutoff=10), "P@10"),
    ],
)
def test_name(metric: PrecisionAt, name: str) -> None:
    assert metric.name == name


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match="cutoff == 0, must be at least 1"):
        PrecisionAt(cutoff=0)
    with pytest.raises(InvalidValueError, match="rel == 0, must be above 0"):
        PrecisionAt(rel=0)
