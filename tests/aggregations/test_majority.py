from __future__ import annotations

import numpy as np

from mlsd.aggregations.base import Aggregation
from mlsd.aggregations.majority import Majority
from mlsd.estimators.ratings import Ratings
from mlsd.testing.aggregation_kit import AggregationKit


class TestMajority(AggregationKit):
    def make(self) -> Aggregation:
        return Majority()


def test_of_equally_many_votes_the_lower_grade_counts() -> None:
    votes = np.array([[3.0, 0, 4], [1.0, 0, 2], [np.nan, 4, 4], [3.0, 4, 2], [1.0, np.nan, 0]])
    assert Majority()(Ratings.of_matrix(votes, 5)).grade.tolist() == [1, 0, 2]


def test_accuracy_is_the_share_that_went_with_the_majority() -> None:
    ratings = Ratings.of_matrix(np.array([[1.0, 1, 0], [1.0, 1, 1], [1.0, 0, 1]]), 2)
    np.testing.assert_allclose(Majority()(ratings).accuracy(ratings), [2 / 3, 1, 2 / 3])
