"""nDCG: the kit, by hand, and bad options."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.base import RankedGrades, RankingMetric
from mlsd.metrics.ndcg import NDCG
from mlsd.testing.metric_kit import MetricKit

ONE = np.array([0, 3])


class TestNDCG(MetricKit):
    def make(self) -> RankingMetric:
        return NDCG(cutoff=10)


class TestNDCGWithoutCutoff(MetricKit):
    def make(self) -> RankingMetric:
        return NDCG()


class TestExponentialNDCG(MetricKit):
    def make(self) -> RankingMetric:
        return NDCG(cutoff=3, gain="exponential")


def test_exponential_gain_by_hand() -> None:
    """Gains 1, 0, 7: (1 + 7 / 2) / (7 + 1 / log2 3)."""
    ranked = RankedGrades(np.array([1.0, 0, 3]), ONE, np.array([3.0, 1]), np.array([0, 2]))
    expected = (1 + 7 / 2) / (7 + 1 / np.log2(3))
    np.testing.assert_allclose(NDCG(cutoff=10, gain="exponential")(ranked), expected)


def test_what_retrieval_missed_costs() -> None:
    ranked = RankedGrades(np.array([1.0, 0, 0]), ONE, np.array([1.0, 1, 1]), np.array([0, 3]))
    np.testing.assert_allclose(NDCG(cutoff=2)(ranked), 1 / (1 + 1 / np.log2(3)))


def test_a_cutoff_beyond_the_slate_is_no_cutoff() -> None:
    ranked = RankedGrades(np.array([0.0, 2, 1]), ONE, np.array([2.0, 1, 1]), np.array([0, 3]))
    np.testing.assert_array_equal(NDCG(cutoff=50)(ranked), NDCG()(ranked))


@pytest.mark.parametrize(
    ("metric", "name"),
    [
        (NDCG(), "nDCG"),
        (NDCG(cutoff=10), "nDCG@10"),
        (NDCG(cutoff=10, gain="exponential"), "nDCG(dcg='exp-log2')@10"),
    ],
)
def test_name(metric: NDCG, name: str) -> None:
    assert metric.name == name


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match="cutoff == 0, must be at least 1"):
        NDCG(cutoff=0)
    with pytest.raises(
        InvalidValueError, match="must be one of linear, exponential; nearest is 'exponential'"
    ):
        NDCG(gain="exponentail")  # type: ignore[arg-type]
