"""Predicted against observed responses."""

from __future__ import annotations

from mlsd.metrics.base import AdditiveMetric, ratio
from mlsd.types import Array, Floats


class CalibrationRatio(AdditiveMetric):
    """CalibrationRatio: predicted responses divided by observed ones; 1 is right, more is too high.

        CalibrationRatio = sum of p / sum of y

    NaN without a response.

    Example:
        >>> import numpy as np
        >>> from mlsd.metrics.base import Predictions
        >>> prob, outcome = np.array([0.5, 0.75, 0.25]), np.array([0.0, 1, 0])
        >>> CalibrationRatio()(Predictions(prob, outcome, unit=np.arange(3)))
        1.5

    Source: He et al. (2014), "Practical lessons from predicting clicks on ads at Facebook", section 2.
    """

    @property
    def name(self) -> str:
        return "CalibrationRatio"

    def terms(self, prob: Floats, outcome: Floats) -> list[Array]:
        return [prob, outcome]

    def of_sums(self, *sums: Floats) -> Floats:
        predicted, observed = sums
        return ratio(predicted, observed)
