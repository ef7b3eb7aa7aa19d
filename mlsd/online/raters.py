"""People who judge a sample of what was served, and sometimes err."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd import checks, ragged, rng
from mlsd.metrics.base import RankedGrades, RankingMetric
from mlsd.ratings.panel import with_errors
from mlsd.ratings.pool import union
from mlsd.types import Candidates, Floats, Ints, Judgements, Served, Slates
from mlsd.worlds.base import World


@dataclass(frozen=True, kw_only=True)
class Raters:
    """Judge the slates of a share of requests, item by item: component-wise quality, online.

    A rater gives an item its true grade, or one more with `higher_prob`, or one less with `lower_prob`,
    never beyond the scale. Rated are the items shown and all that are known to be relevant, so that the
    best possible order is as rated too and the metric stays within [0, 1]. Errors are drawn by request
    and item: both arms meet the same ones. Errors pull the metric of good and bad slates together, so an
    effect as rated is smaller than the true one, which stands beside it.

    Args:
        metric: what grades are turned into.
        share: of requests that are judged, in [0, 1].
        higher_prob: P(a grade comes out one too high).
        lower_prob: P(a grade comes out one too low).
    """

    metric: RankingMetric
    share: float = 0.1
    higher_prob: float = 0.1
    lower_prob: float = 0.1

    def __post_init__(self) -> None:
        checks.share("share", self.share)
        checks.share("higher_prob", self.higher_prob)
        checks.share("lower_prob", self.lower_prob)
        both = self.higher_prob + self.lower_prob
        checks.require(both <= 1, "higher_prob + lower_prob", both, "must be at most 1")

    def judge(self, world: World, served: Served, seed: int) -> tuple[Floats, Floats]:
        """The metric of each slate, as rated and as it is.

        Args:
            world: knows the true grades.
            served: n_requests slates.
            seed: of the sample and of the errors.

        Returns:
            (n_requests,) as rated, NaN where not judged, and (n_requests,) the truth; both NaN where
            nothing is relevant to the request.
        """
        judgements, shown = world.judgements(served.requests), shown_items(served.slates)
        truth = self.metric(RankedGrades.of(shown, judgements))
        request_id = served.requests.request_id
        judged = np.flatnonzero(rng.uniform(seed, "judged", request_id) < self.share)
        taken, offsets = ragged.take_segments(shown.offsets, judged)
        sample = shown.take(taken, offsets)
        given = self.rate(judgements.take(judged), sample, request_id[judged], world.max_grade, seed)
        rated = np.full(len(truth), np.nan)
        rated[judged] = self.metric(RankedGrades.of(sample, given))
        return rated, truth

    def rate(
        self, judgements: Judgements, shown: Candidates, request_id: Ints, max_grade: float, seed: int
    ) -> Judgements:
        """Grades as raters give them, of all that is listed or shown.

        Args:
            judgements: the truth.
            shown: the same requests' items.
            request_id: (n_requests,) of each.
            max_grade: the scale's upper end; its lower end is 0.
            seed: of the errors.
        """
        pool = union([Candidates(judgements.offsets, judgements.items), shown])
        grades = judgements.grades_of(pool)
        luck = rng.uniform(seed, "rating errors", request_id[pool.request_rows], pool.items)
        given = with_errors(grades, luck, self.higher_prob, self.lower_prob, max_grade)
        return Judgements(pool.offsets, pool.items, given)


def shown_items(slates: Slates) -> Candidates:
    """The items of each slate in order, without empty positions."""
    shown = slates.shown
    return Candidates(ragged.offsets_of_counts(np.count_nonzero(shown, axis=1)), slates.items[shown])
