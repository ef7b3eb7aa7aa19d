"""ReciprocalRank: the kit, by hand, and its name."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import RankedGrades, RankingMetric
from mlsd.metrics.reciprocal_rank import ReciprocalRank
from mlsd.testing.metric_kit import MetricKit

RANKED = RankedGrades(
    grades=np.array([0.0, 2, 1, 0, 3]),
    offsets=np.array([0, 5, 5]),
    ideal=np.array([4.0, 3, 2, 1, 4]),
    ideal_offsets=np.array([0, 4, 5]),
)
"""Hits of grade 2, 1 and 3 at places 2, 3 and 5 of four relevant items; then no candidates for one item."""


class TestReciprocalRank(MetricKit):
    def make(self) -> RankingMetric:
        return ReciprocalRank(cutoff=5, rel=2)


class TestReciprocalRankWithoutCutoff(MetricKit):
    def make(self) -> RankingMetric:
        return ReciprocalRank()


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (ReciprocalRank(), 1 / 2),
        (ReciprocalRank(rel=3), 1 / 5),
        (ReciprocalRank(cutoff=4, rel=3), 0),
        (ReciprocalRank(cutoff=99, rel=3), 1 / 5),
    ],
)
def test_by_hand(metric: ReciprocalRank, value: float) -> None:
    np.testing.assert_allclose(metric(RANKED), [value, 0])


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (ReciprocalRank(), "RR"),
        (ReciprocalRank(rel=2), "RR(rel=2)"),
        (ReciprocalRank(cutoff=10, rel=2), "RR(rel=2)@10"),
        (ReciprocalRank(cutoff=10), "RR@10"),
    ],
)
def test_name(metric: ReciprocalRank, name: str) -> None:
    assert metric.name == name


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match="cutoff == 0, must be at least 1"):
        ReciprocalRank(cutoff=0)
    with pytest.raises(InvalidValueError, match="rel == 0, must be above 0"):
        ReciprocalRank(rel=0)
