"""Labels from raters who are paid to grade what the systems at hand find."""

from __future__ import annotations

import numpy as np

from mlsd import checks
from mlsd.estimators.position_bias import shuffled_clicks
from mlsd.labels.base import PROPENSITIES, Labels, LabelSource, grades_of, judged_diagnostics
from mlsd.logs import Log
from mlsd.ratings.programme import RatingProgramme
from mlsd.types import Floats


class HumanLabels(LabelSource):
    """The label of a rated pair is its grade over the highest grade of the guidelines.

        label = grade / max_grade,  in [0, 1]

    A pair that was not rated has no label, and a request of which nothing was rated teaches nothing. Clicks
    teach no ranker its order; click probabilities are still learnt from them, divided by examination.

    Args:
        programme: what is rated, by whom, for how much.
        propensity: how examination is known for click probabilities: "position" estimates it from the
            shuffled slates of the training windows, "none" takes clicks as they are.
        max_weight: the largest 1 / examination that is used.
    """

    programme: RatingProgramme

    def __init__(
        self, programme: RatingProgramme, propensity: str = "position", max_weight: float = 20.0
    ) -> None:
        rule = "must be above 0: labels from raters alone have nothing else to learn from"
        checks.require(programme.budget > 0, "programme.budget", programme.budget, rule)
        self.programme = programme
        self.propensity = checks.one_of("propensity", propensity, PROPENSITIES)
        self.max_weight = checks.at_least("max_weight", max_weight, 1)

    def make(self, log: Log) -> Labels:
        """Labels of the rated pairs.

        Raises:
            InputError: nothing was rated, or nothing was rated relevant.
        """
        request_id, item, grade = grades_of(log, "raters")
        return Labels.of_pairs(
            request_id,
            item,
            grade / self.programme.max_grade,
            self._examination(log),
            self.max_weight,
            judged_diagnostics(log),
        )

    def before_rating(self, log: Log) -> Labels:
        """Of no pair, with the examination of positions."""
        nobody = np.zeros(0, np.int64)
        return Labels.of_pairs(nobody, nobody, np.zeros(0), self._examination(log), self.max_weight)

    def _examination(self, log: Log) -> Floats | None:
        return shuffled_clicks(log).relative if self.propensity == "position" else None
