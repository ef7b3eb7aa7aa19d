"""Recall of the first places."""

from __future__ import annotations

from mlsd.metrics.base import BinaryRankingMetric, Hits, ratio
from mlsd.types import Floats


class RecallAt(BinaryRankingMetric):
    """R: the share of the catalog's relevant items that stand at the first places.

    Without a cutoff it is `SetR`, over all candidates. The order given is the order judged. With more
    relevant items than the cutoff, 1 is out of reach. NaN without a relevant item in the catalog; 0 without
    candidates; a cutoff beyond the candidates changes nothing.

    Example:
        >>> import numpy as np
        >>> from mlsd.metrics.base import RankedGrades
        >>> ranked = RankedGrades(np.array([1.0, 0, 1]), np.array([0, 3]), np.ones(4), np.array([0, 4]))
        >>> RecallAt(cutoff=2)(ranked).tolist(), RecallAt()(ranked).tolist()
        ([0.25], [0.5])

    Source: `recall` and `set_recall` of trec_eval.
    """

    label, label_without_cutoff = "R", "SetR"

    def of_hits(self, hits: Hits) -> Floats:
        return ratio(hits.counts, hits.n_relevant)
