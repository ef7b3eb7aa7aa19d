from __future__ import annotations

import numpy as np
import pytest

from mlsd.aggregations.base import Aggregation
from mlsd.aggregations.dawid_skene import DawidSkene
from mlsd.aggregations.majority import Majority
from mlsd.errors import InvalidValueError
from mlsd.estimators.dawid_skene import dawid_skene
from mlsd.estimators.ratings import Ratings
from mlsd.testing.aggregation_kit import AggregationKit


class TestDawidSkene(AggregationKit):
    def make(self) -> Aggregation:
        return DawidSkene()


def test_it_is_the_estimate_with_its_options() -> None:
    generator = np.random.default_rng(0)
    ratings = Ratings.of_matrix(generator.integers(0, 3, (4, 50)).astype(float), 3)
    made = DawidSkene(smoothing=0.5, tolerance=1e-3, max_iterations=3)(ratings)
    np.testing.assert_array_equal(made.posterior, dawid_skene(ratings, 0.5, 1e-3, 3).posterior)


def test_it_outdoes_the_majority_where_most_are_careless() -> None:
    """Two raters right at 95%, three at 45% of three grades: who is careful shows in who agrees with whom."""
    generator = np.random.default_rng(6)
    true = generator.integers(0, 3, 1000)
    accuracy = np.array([0.95, 0.95, 0.45, 0.45, 0.45])[:, None]
    right = generator.random((5, 1000)) < accuracy
    ratings = Ratings.of_matrix(
        np.where(right, true, (true + generator.integers(1, 3, (5, 1000))) % 3).astype(float), 3
    )
    best, votes = (np.mean(way(ratings).grade == true) for way in (DawidSkene(), Majority()))
    assert best > votes + 0.03
    estimated = DawidSkene()(ratings).accuracy(ratings)
    np.testing.assert_allclose(estimated, accuracy[:, 0], atol=0.06)


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match=r"smoothing == -0\.1, must be at least 0"):
        DawidSkene(smoothing=-0.1)
    with pytest.raises(InvalidValueError, match=r"tolerance == 0, must be above 0"):
        DawidSkene(tolerance=0)
    with pytest.raises(InvalidValueError, match=r"max_iterations == 0, must be at least 1"):
        DawidSkene(max_iterations=0)
