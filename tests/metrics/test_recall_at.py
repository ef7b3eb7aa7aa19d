"""RecallAt: the kit, by hand, and its name."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import RankedGrades, RankingMetric
from mlsd.metrics.recall_at import RecallAt
from mlsd.testing.metric_kit import MetricKit

RANKED = RankedGrades(
    grades=np.array([0.0, 2, 1, 0, 3]),
    offsets=np.array([0, 5, 5]),
    ideal=np.array([4.0, 3, 2, 1, 4]),
    ideal_offsets=np.array([0, 4, 5]),
)
"""Hits of grade 2, 1 and 3 at places 2, 3 and 5 of four relevant items; then no candidates for one item."""


class TestRecallAt(MetricKit):
    perfect_is_highest = False

    def make(self) -> RankingMetric:
        return RecallAt(cutoff=5, rel=2)


class TestRecallAtWithoutCutoff(MetricKit):
    def make(self) -> RankingMetric:
        return RecallAt()


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (RecallAt(), 3 / 4),
        (RecallAt(cutoff=2), 1 / 4),
        (RecallAt(cutoff=99), 3 / 4),
        (RecallAt(cutoff=5, rel=3), 1 / 2),
    ],
)
def test_by_hand(metric: RecallAt, value: float) -> None:
    np.testing.assert_allclose(metric(RANKED), [value, 0])


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (RecallAt(), "SetR"),
        (RecallAt(rel=2), "SetR(rel=2)"),
        (RecallAt(cutoff=10, rel=2), "R(rel=2)@10"),
        (RecallAt(cutoff=10), "R@10"),
    ],
)
def test_name(metric: RecallAt, name: str) -> None:
    assert metric.name == name


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match="cutoff == 0, must be at least 1"):
        RecallAt(cutoff=0)
    with pytest.raises(InvalidValueError, match="rel == 0, must be above 0"):
        RecallAt(rel=0)
