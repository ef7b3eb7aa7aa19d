"""Precision of the first places."""

from __future__ import annotations

import numpy as np

from mlsd.metrics.base import BinaryRankingMetric, Hits
from mlsd.types import Floats


class PrecisionAt(BinaryRankingMetric):
    """P: the share of the first places that hold a relevant item.

    P@k divides by k even where fewer candidates are there, as trec_eval does. Without a cutoff it is `SetP`,
    over all candidates. The order given is the order judged. NaN without a relevant item in the catalog
    (where trec_eval has 0); 0 without candidates.

    Example:
        >>> from mlsd.metrics.base import RankedGrades
        >>> ranked = RankedGrades(np.array([1.0, 0, 1]), np.array([0, 3]), np.ones(3), np.array([0, 3]))
        >>> PrecisionAt(cutoff=2)(ranked).tolist(), PrecisionAt(cutoff=5)(ranked).tolist()
        ([0.5], [0.4])

    Source: `P` and `set_P` of trec_eval.
    """

    label, label_without_cutoff = "P", "SetP"

    def of_hits(self, hits: Hits) -> Floats:
        return hits.counts / np.maximum(hits.n_places, 1)
