"""F1 at a threshold."""

from __future__ import annotations

from mlsd.metrics.base import ThresholdMetric, ratio
from mlsd.types import Floats


class F1(ThresholdMetric):
    """F1: the harmonic mean of precision and recall at a threshold.

        F1 = 2 hits / (rows predicted to respond + rows that responded)

    A row is predicted to respond from a probability of `threshold` on. NaN where no row is and none did.

    Example:
        >>> import numpy as np
        >>> from mlsd.metrics.base import Predictions
        >>> prob, outcome = np.array([0.9, 0.5, 0.4, 0.1]), np.array([1.0, 0, 0, 0])
        >>> round(F1(threshold=0.5)(Predictions(prob, outcome, unit=np.arange(4))), 4)
        0.6667
    """

    label = "F1"

    def of_sums(self, *sums: Floats) -> Floats:
        hits, predicted, responded = sums
        return ratio(2 * hits, predicted + responded)
