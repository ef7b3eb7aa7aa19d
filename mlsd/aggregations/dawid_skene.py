"""The likeliest grade, given how each rater seems to err."""

from __future__ import annotations

from mlsd import checks
from mlsd.aggregations.base import Aggregation, Consensus
from mlsd.estimators.dawid_skene import dawid_skene
from mlsd.estimators.ratings import Ratings


class DawidSkene(Aggregation):
    """The likeliest true grade, with every rater's errors estimated from how they disagree with the others.

    See `mlsd.estimators.dawid_skene`.

    Args:
        smoothing: pseudo-count of every cell of a rater's confusion matrix, 0 or more.
        tolerance: least rise of the objective, per rating, that is worth another round of EM.
        max_iterations: rounds at most.
    """

    least_overlap = 2

    def __init__(self, smoothing: float = 0.1, tolerance: float = 1e-6, max_iterations: int = 500) -> None:
        self.smoothing = checks.at_least("smoothing", smoothing, 0)
        self.tolerance = checks.above("tolerance", tolerance, 0)
        self.max_iterations = checks.at_least("max_iterations", max_iterations, 1)

    def __call__(self, ratings: Ratings) -> Consensus:
        return Consensus(dawid_skene(ratings, self.smoothing, self.tolerance, self.max_iterations).posterior)
