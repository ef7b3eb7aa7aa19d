"""Reciprocal rank."""

from __future__ import annotations

import numpy as np

from mlsd.metrics.base import BinaryRankingMetric, Hits
from mlsd.types import Floats


class ReciprocalRank(BinaryRankingMetric):
    """RR: one divided by the 1-based place of the first relevant candidate, 0 if there is none.

    Its mean over requests is MRR. The order given is the order judged. NaN without a relevant item in the
    catalog; 0 without candidates; a cutoff beyond the candidates changes nothing.

    Example:
        >>> from mlsd.metrics.base import RankedGrades
        >>> grades, ideal = np.array([0.0, 2, 1]), np.array([2.0, 1])
        >>> ranked = RankedGrades(grades, np.array([0, 3]), ideal, np.array([0, 2]))
        >>> ReciprocalRank(cutoff=10)(ranked).tolist(), ReciprocalRank(cutoff=1)(ranked).tolist()
        ([0.5], [0.0])

    Source: Voorhees (1999), The TREC-8 question answering track report.
    """

    label = label_without_cutoff = "RR"

    def of_hits(self, hits: Hits) -> Floats:
        found = hits.counts > 0
        values = np.zeros(len(found))
        values[found] = 1 / (1 + hits.positions[hits.offsets[:-1][found]])
        return values
