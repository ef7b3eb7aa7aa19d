"""Logarithmic loss."""

from __future__ import annotations

import numpy as np

from mlsd.metrics.base import AdditiveMetric, ratio, row_losses
from mlsd.types import Array, Floats


class LogLoss(AdditiveMetric):
    """LogLoss: the mean negative logarithm of the probability given to what happened; lower is better.

        LogLoss = -mean of y log p + (1 - y) log(1 - p)

    in nats, with p kept within [2^-52, 1 - 2^-52] so that one sure mistake is not infinite. NaN without rows.

    Example:
        -(log 1/2 + log 3/4) / 2:

        >>> from mlsd.metrics.base import Predictions
        >>> predictions = Predictions(np.array([0.5, 0.25]), np.array([1.0, 0]), unit=np.arange(2))
        >>> round(LogLoss()(predictions), 4)
        0.4904
    """

    @property
    def name(self) -> str:
        return "LogLoss"

    def terms(self, prob: Floats, outcome: Floats) -> list[Array]:
        return [row_losses(prob, outcome), np.ones(len(prob))]

    def of_sums(self, *sums: Floats) -> Floats:
        loss, rows = sums
        return ratio(loss, rows)
