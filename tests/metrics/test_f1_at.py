"""F1At: the kit, by hand, and its name."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import RankedGrades, RankingMetric
from mlsd.metrics.f1_at import F1At
from mlsd.testing.metric_kit import MetricKit

RANKED = RankedGrades(
    grades=np.array([0.0, 2, 1, 0, 3]),
    offsets=np.array([0, 5, 5]),
    ideal=np.array([4.0, 3, 2, 1, 4]),
    ideal_offsets=np.array([0, 4, 5]),
)
"""Hits of grade 2, 1 and 3 at places 2, 3 and 5 of four relevant items; then no candidates for one item."""


class TestF1At(MetricKit):
    perfect_is_highest = False

    def make(self) -> RankingMetric:
        return F1At(cutoff=5, rel=2)


class TestF1AtWithoutCutoff(MetricKit):
    def make(self) -> RankingMetric:
        return F1At()


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (F1At(), 2 * (3 / 5) * (3 / 4) / (3 / 5 + 3 / 4)),
        (F1At(cutoff=2), 2 * (1 / 2) * (1 / 4) / (1 / 2 + 1 / 4)),
        (F1At(cutoff=10), 2 * (3 / 10) * (3 / 4) / (3 / 10 + 3 / 4)),
        (F1At(cutoff=1), 0),
    ],
)
def test_by_hand(metric: F1At, value: float) -> None:
    np.testing.assert_allclose(metric(RANKED), [value, 0])


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (F1At(), "SetF"),
        (F1At(rel=2), "SetF(rel=2)"),
        (F1At(cutoff=10, rel=2), "F1(rel=2)@10"),
        (F1At(cutoff=10), "F1@10"),
    ],
)
def test_name(metric: F1At, name: str) -> None:
    assert metric.name == name


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match="cutoff == 0, must be at least 1"):
        F1At(cutoff=0)
    with pytest.raises(InvalidValueError, match="rel == 0, must be above 0"):
        F1At(rel=0)
