"""Labels from what users did, and from raters where there are ratings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlsd import checks
from mlsd.labels.base import Labels, LabelSource, grades_of, judged_diagnostics
from mlsd.logs import Log
from mlsd.ratings.programme import RatingProgramme


class BothLabels(LabelSource):
    """A pair that was rated has the label of its grade, every other the label of what users did.

        label = rating_weight * grade / max_grade   where rated,   else that of the action

    Both are on one scale when `rating_weight` is 1: the best grade and the best action at the first position
    are each worth 1 in expectation. Items of a rated request that nobody rated keep what users did with them.
    With a budget of 0 labels are those of actions.

    Args:
        actions: labels from what users did.
        programme: what is rated, by whom, for how much.
        rating_weight: what the highest grade is worth, above 0.
    """

    programme: RatingProgramme

    def __init__(self, actions: LabelSource, programme: RatingProgramme, rating_weight: float = 1.0) -> None:
        self.actions = actions
        self.programme = programme
        self.rating_weight = checks.above("rating_weight", rating_weight, 0)

    def before_rating(self, log: Log) -> Labels:
        """The labels of actions."""
        return self.actions.before_rating(log)

    def make(self, log: Log) -> Labels:
        acted = self.actions.make(log)
        if self.programme.budget == 0:
            return replace(acted, diagnostics={**acted.diagnostics, "note": "no budget for ratings"})
        request_id, item, grade = grades_of(log, "raters")
        rated = Labels.of_pairs(request_id, item, self.rating_weight * grade / self.programme.max_grade)
        kept = ~rated.has(acted.request_id, acted.item)
        return Labels.of_pairs(
            np.concatenate([acted.request_id[kept], rated.request_id]),
            np.concatenate([acted.item[kept], rated.item]),
            np.concatenate([acted.label[kept], rated.label]),
            acted.examination,
            acted.max_weight,
            {**acted.diagnostics, **judged_diagnostics(log)},
        )
