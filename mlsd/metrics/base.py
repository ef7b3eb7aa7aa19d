"""How well candidates are ordered, and how well responses are predicted.

Metrics are named as in ir-measures. A ranking metric reads grades in ranked order, all requests at once;
a prediction metric reads probabilities and outcomes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

from mlsd import ragged
from mlsd.types import Candidates, Floats, Ints, Judgements


@dataclass(frozen=True)
class RankedGrades:
    """The grades of ranked candidates beside the best that the whole catalog has to offer.

    Args:
        grades: (n_candidates,) float64, each request's candidates in the order they are ranked.
        offsets: (n_requests + 1,) int64.
        ideal: (n_judged,) float64, every positive grade of the catalog, falling within a request.
        ideal_offsets: (n_requests + 1,) int64.
    """

    grades: Floats
    offsets: Ints
    ideal: Floats
    ideal_offsets: Ints

    @staticmethod
    def of(candidates: Candidates, judgements: Judgements) -> RankedGrades:
        """Candidates in their given order, judged."""
        positive = judgements.grades > 0
        offsets = ragged.offsets_of_mask(positive, judgements.offsets)
        grades = judgements.grades[positive]
        ideal = grades[ragged.order(grades, offsets)]
        return RankedGrades(judgements.grades_of(candidates), candidates.offsets, ideal, offsets)

    @cached_property
    def positions(self) -> Ints:
        """(n_candidates,) 0-based place of each candidate."""
        return ragged.positions(self.offsets)


class RankingMetric(ABC):
    """A figure for every request."""

    @property
    @abstractmethod
    def name(self) -> str:
        """As in ir-measures, such as `nDCG@10`."""

    @abstractmethod
    def __call__(self, ranked: RankedGrades) -> Floats:
        """(n_requests,) values; NaN where the metric says nothing about a request."""


class PredictionMetric(ABC):
    """A figure for a set of predicted probabilities.

    Intervals resample units, so a metric is computed for many weightings of the same rows at once.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Such as `AUC`."""

    @abstractmethod
    def __call__(self, prob: Floats, outcome: Floats, weights: Floats) -> Floats:
        """(n_weightings,) values; NaN where undefined, as with outcomes of one class only.

        Args:
            prob: (n,) predicted probabilities.
            outcome: (n,) 0 or 1.
            weights: (n_weightings, n) how often each row counts.
        """
