"""Precision at a threshold."""

from __future__ import annotations

from mlsd.metrics.base import ThresholdMetric, ratio
from mlsd.types import Floats


class Precision(ThresholdMetric):
    """Precision: of the rows predicted to respond, the share that did.

    A row is predicted to respond from a probability of `threshold` on. NaN where no row is.

    Example:
        >>> import numpy as np
        >>> from mlsd.metrics.base import Predictions
        >>> prob, outcome = np.array([0.9, 0.5, 0.4, 0.1]), np.array([1.0, 0, 1, 1])
        >>> Precision(threshold=0.5)(Predictions(prob, outcome, unit=np.arange(4)))
        0.5
    """

    label = "Precision"

    def of_sums(self, *sums: Floats) -> Floats:
        hits, predicted, _ = sums
        return ratio(hits, predicted)
