"""The grade that most raters gave."""

from __future__ import annotations

import numpy as np

from mlsd.aggregations.base import Aggregation, Consensus
from mlsd.estimators.ratings import Ratings


class Majority(Aggregation):
    """The grade that most raters gave to a pair; of several, the lower one.

    Example:
        >>> votes = np.array([[2.0, 4.0], [2.0, 1.0], [3.0, np.nan]])
        >>> Majority()(Ratings.of_matrix(votes, 5)).grade.tolist()
        [2, 1]
    """

    def __call__(self, ratings: Ratings) -> Consensus:
        return Consensus(np.eye(ratings.n_grades)[ratings.counts().argmax(axis=1)])
