"""Average precision."""

from __future__ import annotations

from mlsd import ragged
from mlsd.metrics.base import BinaryRankingMetric, Hits, ratio
from mlsd.types import Floats


class AveragePrecision(BinaryRankingMetric):
    """AP: the precision at the place of each relevant item, averaged over all relevant items of the catalog.

        AP = (1 / n_relevant) sum over hits of (hits up to and with this one) / (1-based place)

    A relevant item that is not ranked, or ranked beyond the cutoff, counts 0. Its mean over requests is MAP.
    The order given is the order judged. NaN without a relevant item in the catalog; 0 without candidates; a
    cutoff beyond the candidates changes nothing.

    Example:
        Hits at places 1 and 3 of three relevant items: (1/1 + 2/3 + 0) / 3.

        >>> import numpy as np
        >>> from mlsd.metrics.base import RankedGrades
        >>> ranked = RankedGrades(np.array([1.0, 0, 1]), np.array([0, 3]), np.ones(3), np.array([0, 3]))
        >>> AveragePrecision()(ranked).round(4).tolist()
        [0.5556]

    Source: Harman (1992), and `map` and `map_cut` of trec_eval.
    """

    label = label_without_cutoff = "AP"

    def of_hits(self, hits: Hits) -> Floats:
        precision_at_hits = (1 + ragged.positions(hits.offsets)) / (1 + hits.positions)
        return ratio(ragged.sums(precision_at_hits, hits.offsets), hits.n_relevant)
