"""alpha-nDCG worked by hand, and what its greedy ideal misses."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.metrics.alpha_ndcg import AlphaNDCG
from mlsd.metrics.base import DiversityMetric
from mlsd.metrics.diversity.base import RankedSubtopics
from mlsd.testing.metric_kit import DiversityMetricKit
from mlsd.types import Candidates, Subtopics

GREEDY_BOUND = 1 / (1 - np.exp(-1))


class TestAlphaNDCG(DiversityMetricKit):
    highest = GREEDY_BOUND

    def make(self) -> DiversityMetric:
        return AlphaNDCG(cutoff=10)


class TestAlphaNDCGOfFewPlaces(DiversityMetricKit):
    highest = GREEDY_BOUND

    def make(self) -> DiversityMetric:
        return AlphaNDCG(cutoff=3, alpha=0.9)


class TestAlphaNDCGWithoutAlpha(DiversityMetricKit):
    def make(self) -> DiversityMetric:
        return AlphaNDCG(cutoff=5, alpha=0)


class TestAlphaNDCGOfCertainty(DiversityMetricKit):
    highest = GREEDY_BOUND

    def make(self) -> DiversityMetric:
        return AlphaNDCG(cutoff=5, alpha=1)


SERVED = {0: [0, 1], 1: [0], 2: [0, 2], 3: [1], 5: [3]}
"""Item -> the subtopics that it serves."""

LISTED = Subtopics(
    np.array([0, 7]),
    np.array([item for item, subtopics in SERVED.items() for _ in subtopics]),
    np.array([subtopic for subtopics in SERVED.values() for subtopic in subtopics]),
    np.full(7, 0.25),
)


def value(order: list[int], cutoff: int = 10, alpha: float = 0.5) -> float:
    candidates = Candidates(np.array([0, len(order)]), np.array(order))
    return float(AlphaNDCG(cutoff, alpha)(RankedSubtopics.of(candidates, LISTED))[0])


def test_by_hand() -> None:
    """Gains: 1 (of item 5), 0 (item 9), 2 (0), .5 + 1 (2). Ideal 0, 2, 5, 3, 1: 2, 1.5, 1, .5, .25."""
    gained = 1 + 2 / np.log2(4) + 1.5 / np.log2(5)
    ideal = 2 + 1.5 / np.log2(3) + 1 / np.log2(4) + 0.5 / np.log2(5) + 0.25 / np.log2(6)
    assert value([5, 9, 0, 2]) == pytest.approx(gained / ideal, rel=1e-12)
    assert value([0, 2, 5, 3, 1]) == pytest.approx(1, rel=1e-12)


def test_a_slate_can_be_better_than_the_greedy_one() -> None:
    """Greed takes the widest item first, which leaves one subtopic to either of the others.

    Item 0 serves {1, 2, 4, 5}, items 1 and 2 serve {0, 1, 2} and {3, 4, 5}: with alpha 1 greed gains 4 and 1,
    the other two 3 and 3.
    """
    served = {0: [1, 2, 4, 5], 1: [0, 1, 2], 2: [3, 4, 5]}
    listed = Subtopics(
        np.array([0, 10]),
        np.repeat([0, 1, 2], [4, 3, 3]),
        np.concatenate([served[item] for item in range(3)]),
        np.full(10, 1 / 6),
    )
    ranked = RankedSubtopics.of(Candidates(np.array([0, 2]), np.array([1, 2])), listed)
    found = float(AlphaNDCG(cutoff=2, alpha=1)(ranked)[0])
    assert found == pytest.approx((3 + 3 / np.log2(3)) / (4 + 1 / np.log2(3)))
    assert 1 < found < GREEDY_BOUND


def test_no_order_of_these_items_beats_greed() -> None:
    """Their subtopics overlap too little for it."""
    assert max(value(list(order)) for order in permutations(SERVED)) == pytest.approx(1)


def test_one_subtopic_is_binary_ndcg_with_gains_that_halve() -> None:
    listed = Subtopics(np.array([0, 3]), np.array([2, 4, 6]), np.zeros(3, np.int64), np.ones(3))
    ranked = RankedSubtopics.of(Candidates(np.array([0, 3]), np.array([1, 6, 2])), listed)
    gained = 1 / np.log2(3) + 0.5 / np.log2(4)
    ideal = 1 + 0.5 / np.log2(3) + 0.25 / np.log2(4)
    assert AlphaNDCG()(ranked)[0] == pytest.approx(gained / ideal)


def test_a_new_subtopic_earlier_never_harms() -> None:
    assert value([0, 5, 1]) > value([0, 1, 5])


def test_its_name_is_that_of_ir_measures() -> None:
    assert AlphaNDCG(10).name == "alpha_nDCG@10"
    assert AlphaNDCG(5, alpha=0.3).name == "alpha_nDCG(alpha=0.3)@5"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cutoff": 0}, "cutoff == 0, must be at least 1"),
        ({"alpha": 1.5}, "alpha == 1.5, must be between 0 and 1"),
    ],
)
def test_bad_parameters(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        AlphaNDCG(**arguments)  # type: ignore[arg-type]
