"""F1 of the first places."""

from __future__ import annotations

from mlsd.metrics.base import BinaryRankingMetric, Hits, ratio
from mlsd.types import Floats


class F1At(BinaryRankingMetric):
    """F1: the harmonic mean of P and R at the same cutoff.

        F1@k = 2 P@k R@k / (P@k + R@k) = 2 hits / (k + n_relevant)

    `F1@k` is not a measure of ir-measures, whose `SetF` it is without a cutoff. The order given is the order
    judged. As P@k, it divides by k even where fewer candidates are there. NaN without a relevant item in the
    catalog; 0 without candidates.

    Example:
        One hit at two places, of four relevant items: P = 1/2, R = 1/4, F1 = 1/3.

        >>> import numpy as np
        >>> from mlsd.metrics.base import RankedGrades
        >>> ranked = RankedGrades(np.array([1.0, 0, 1]), np.array([0, 3]), np.ones(4), np.array([0, 4]))
        >>> F1At(cutoff=2)(ranked).round(4).tolist()
        [0.3333]

    Source: van Rijsbergen (1979), Information retrieval, chapter 7.
    """

    label, label_without_cutoff = "F1", "SetF"

    def of_hits(self, hits: Hits) -> Floats:
        return ratio(2 * hits.counts, hits.n_places + hits.n_relevant)
