"""What every aggregation of ratings must keep. Inherit `AggregationKit` and give it yours."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import pytest

from mlsd import rng
from mlsd.aggregations.base import Aggregation
from mlsd.errors import InputError
from mlsd.estimators.ratings import Ratings
from mlsd.types import Floats

N_PAIRS, N_RATERS, N_GRADES = 60, 5, 4


class AggregationKit(ABC):
    """Conformance tests of an aggregation."""

    @abstractmethod
    def make(self) -> Aggregation:
        """The aggregation to test."""

    def test_every_pair_gets_a_grade_of_the_scale(self) -> None:
        for seed in range(5):
            consensus = self.make()(Ratings.of_matrix(matrix(seed), N_GRADES))
            assert consensus.posterior.shape == (N_PAIRS, N_GRADES)
            np.testing.assert_allclose(consensus.posterior.sum(axis=1), 1)
            assert consensus.posterior.min() >= 0
            assert consensus.grade.dtype == np.int64

    def test_who_all_agree_are_believed(self) -> None:
        grades = np.arange(N_PAIRS) % N_GRADES
        ratings = Ratings.of_matrix(np.tile(grades.astype(float), (3, 1)), N_GRADES)
        consensus = self.make()(ratings)
        np.testing.assert_array_equal(consensus.grade, grades)
        assert consensus.accuracy(ratings).min() > 0.95

    def test_who_all_disagree_have_a_defined_result(self) -> None:
        """Each rater says one thing only: nothing tells which is right, and the lower grade counts."""
        constant = np.tile(np.arange(3.0)[:, None], (1, N_PAIRS))
        consensus = self.make()(Ratings.of_matrix(constant, N_GRADES))
        assert consensus.grade.tolist() == [0] * N_PAIRS

    def test_one_rater_is_believed_or_refused(self) -> None:
        alone = Ratings.of_matrix(np.nan_to_num(matrix(1)[:1]), N_GRADES)
        aggregation = self.make()
        if aggregation.least_overlap > 1:
            with pytest.raises(InputError, match="rated"):
                aggregation(alone)
        else:
            np.testing.assert_array_equal(aggregation(alone).grade, alone.grade)

    def test_who_raters_are_and_the_order_of_pairs_do_not_matter(self) -> None:
        given = matrix(2)
        turned = given[::-1, ::-1]
        mine, theirs = (self.make()(Ratings.of_matrix(one, N_GRADES)) for one in (given, turned))
        np.testing.assert_allclose(theirs.posterior[::-1], mine.posterior, atol=1e-9)

    def test_it_is_right_more_often_than_one_rater(self) -> None:
        """By draws of five raters right in 7 of 10: one rater alone is right in .7 of pairs."""
        consensus = self.make()(Ratings.of_matrix(matrix(3, shown_share=1.0), N_GRADES))
        assert np.mean(consensus.grade == np.arange(N_PAIRS) % N_GRADES) > 0.8

    def test_accuracy_of_who_rated_nothing_is_unknown(self) -> None:
        given = matrix(4)
        given[0] = np.nan
        ratings = Ratings.of_matrix(given, N_GRADES)
        counts = ratings.counts().sum(axis=1)
        if counts.min() == 0:
            pytest.fail("the kit's own draws leave a pair unrated")
        accuracy = self.make()(ratings).accuracy(ratings)
        assert np.isnan(accuracy[0])
        assert np.all((accuracy[1:] >= 0) & (accuracy[1:] <= 1))


def matrix(seed: int, shown_share: float = 0.8) -> Floats:
    """(n_raters, n_pairs) grades of raters who are right in 7 of 10, NaN where a pair was not shown to one.

    The last rater sees every pair.
    """
    rater, pair = np.arange(N_RATERS)[:, None], np.arange(N_PAIRS)
    other = 1 + rng.integers(seed, "others", N_GRADES - 1, rater, pair)
    wrong = rng.uniform(seed, "wrong", rater, pair) >= 0.7
    shown = (rng.uniform(seed, "shown", rater, pair) < shown_share) | (rater == N_RATERS - 1)
    return np.where(shown, (pair + wrong * other) % N_GRADES, np.nan)
