"""Normalised entropy."""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from mlsd.metrics.base import AdditiveMetric, ratio, row_losses
from mlsd.types import Array, Floats


class NormalisedEntropy(AdditiveMetric):
    """NE: the logarithmic loss divided by that of always predicting the share of responses; lower is better.

        NE = LogLoss / -(r log r + (1 - r) log(1 - r)),  r = mean outcome

    1 is no better than the share alone. Unlike LogLoss it can be compared between segments whose shares
    differ. NaN with outcomes of one class only.

    Example:
        >>> from mlsd.metrics.base import Predictions
        >>> prob, outcome = np.array([0.5, 0.5, 0.5, 0.5]), np.array([1.0, 1, 0, 0])
        >>> round(NormalisedEntropy()(Predictions(prob, outcome, unit=np.arange(4))), 9)
        1.0

    Source: He et al. (2014), "Practical lessons from predicting clicks on ads at Facebook", equation 1.
    """

    @property
    def name(self) -> str:
        return "NE"

    def terms(self, prob: Floats, outcome: Floats) -> list[Array]:
        return [row_losses(prob, outcome), outcome, np.ones(len(prob))]

    def of_sums(self, *sums: Floats) -> Floats:
        loss, responses, rows = sums
        share = ratio(responses, rows)
        return ratio(ratio(loss, rows), np.asarray(entr(share) + entr(1 - share)))
