"""How several raters' grades of the same pair become one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlsd.estimators.ratings import Ratings
from mlsd.types import Floats, Ints


@dataclass(frozen=True)
class Consensus:
    """What ratings say when they are taken together.

    Args:
        posterior: (n_pairs, n_grades) how far each pair is believed to have each grade; rows sum to 1.
    """

    posterior: Floats

    @property
    def grade(self) -> Ints:
        """(n_pairs,) the most likely grade, the lower of those that are equally likely."""
        return np.asarray(self.posterior.argmax(axis=1), np.int64)

    def accuracy(self, ratings: Ratings) -> Floats:
        """(n_raters,) share of each rater's ratings that are right, as far as the consensus tells.

        NaN for whoever rated nothing.
        """
        right = self.posterior[ratings.pair, ratings.grade]
        n = np.bincount(ratings.rater, minlength=ratings.n_raters)
        total = np.bincount(ratings.rater, right, ratings.n_raters)
        return np.where(n > 0, total / np.maximum(n, 1), np.nan)


class Aggregation(ABC):
    """Takes ratings to one grade for each pair."""

    least_overlap: ClassVar[int] = 1
    """Raters that a pair needs for the aggregation to make sense."""

    @abstractmethod
    def __call__(self, ratings: Ratings) -> Consensus:
        """What the ratings of every pair say together. Every pair has at least one rating."""
