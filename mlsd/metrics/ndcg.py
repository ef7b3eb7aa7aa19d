"""Normalised discounted cumulative gain."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlsd import checks, ragged
from mlsd.metrics.base import RankedGrades, RankingMetric, at_cutoff, ratio
from mlsd.types import Floats, Ints

Gain = Literal["linear", "exponential"]
GAINS = ("linear", "exponential")


class NDCG(RankingMetric):
    """nDCG: discounted gain of the ranking, divided by that of the best ranking of the whole catalog.

        DCG@k = sum of gain(grade_p) / log2(p + 2) over positions p < k;  nDCG@k = DCG@k / ideal DCG@k

    with gain(g) = g (`nDCG@10` of ir-measures and trec_eval) or 2^g - 1 (`nDCG(dcg='exp-log2')@10`, usual for
    LETOR data). The order given is the order judged: ties were broken by whoever sorted. The ideal is over
    the catalog, so what retrieval missed costs. NaN without a relevant item in the catalog; 0 without
    candidates; a slate shorter than the cutoff has nothing at the places that it lacks.

    Args:
        cutoff: how many places count; None counts all candidates.
        gain: "linear" or "exponential".

    Example:
        The second and the best item come first and second, out of grades 3, 2 and 0:
        (2 + 3 / log2 3) / (3 + 2 / log2 3) = 3.893 / 4.262.

        >>> grades, ideal = np.array([2.0, 3, 0]), np.array([3.0, 2])
        >>> ranked = RankedGrades(grades, np.array([0, 3]), ideal, np.array([0, 2]))
        >>> NDCG(cutoff=10)(ranked).round(4).tolist()
        [0.9134]

    Source: Järvelin and Kekäläinen (2002), TOIS 20(4); Burges et al. (2005), ICML, for the exponential gain.
    """

    def __init__(self, cutoff: int | None = None, gain: Gain = "linear") -> None:
        self.cutoff = cutoff if cutoff is None else checks.at_least("cutoff", cutoff, 1)
        self.gain = checks.one_of("gain", gain, GAINS)

    @property
    def name(self) -> str:
        variant = "" if self.gain == "linear" else "(dcg='exp-log2')"
        return f"nDCG{variant}{at_cutoff(self.cutoff)}"

    def __call__(self, ranked: RankedGrades) -> Floats:
        hits = ranked.hits().before(self.cutoff)
        best_rows, best_offsets = ragged.first(ranked.ideal_offsets, self.cutoff or len(ranked.ideal))
        best_positions = ragged.positions(best_offsets)
        return ratio(
            self._dcg(ranked.grades[hits.rows], hits.positions, hits.offsets),
            self._dcg(ranked.ideal[best_rows], best_positions, best_offsets),
        )

    def _dcg(self, grades: Floats, positions: Ints, offsets: Ints) -> Floats:
        gains = grades if self.gain == "linear" else np.exp2(grades) - 1
        discounts = 1 / np.log2(np.arange(2, 3 + positions.max(initial=0)))
        return ragged.sums(gains * discounts[positions], offsets)
