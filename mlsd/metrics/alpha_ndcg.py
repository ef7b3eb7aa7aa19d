"""Discounted gain that wears off with each item that serves the same meaning."""

from __future__ import annotations

import numpy as np

from mlsd import checks, ragged
from mlsd.metrics.base import DiversityMetric, ratio
from mlsd.metrics.diversity.base import RankedSubtopics, needs_of
from mlsd.types import Floats


class AlphaNDCG(DiversityMetric):
    """alpha-nDCG: discounted gain that wears off as a subtopic is served again, over that of an ideal slate.

        gain at position p = sum over the subtopics s of its item of (1 - alpha)^(items above that serve s)
        alpha-DCG@k = sum of gain / log2(p + 2) over positions p < k

    The ideal is the greedy one over every listed item of the catalog: at each place the item that gains most,
    of equal ones the lower. The true ideal is NP-hard; the greedy one is at least 1 - 1/e of it, so in rare
    cases a value lies above 1, and never above 1.58. Subtopics count alike, however likely they are meant.
    A request of one subtopic has an ideal slate of nothing but its items: a binary nDCG whose n-th relevant
    item gains (1 - alpha)^(n - 1). NaN where the catalog lists nothing; 0 without candidates.

    Args:
        cutoff: how many places count.
        alpha: how sure it is that one item leaves nothing to ask about its subtopic, in [0, 1].

    Example:
        Two items of subtopic 0, then one of subtopic 1: 1 + .5 / log2(3) + 1 / 2 = 1.815; the ideal has the
        other subtopic second: 1 + 1 / log2(3) + .5 / 2 = 1.881.

        >>> from mlsd.types import Candidates, Subtopics
        >>> listed = Subtopics(*map(np.array, ([0, 3], [0, 1, 2], [0, 0, 1], [0.7, 0.7, 0.3])))
        >>> ranked = RankedSubtopics.of(Candidates(np.array([0, 3]), np.array([0, 1, 2])), listed)
        >>> AlphaNDCG(cutoff=10)(ranked).round(3).tolist()
        [0.965]

    Source: Clarke et al. (SIGIR 2008), equations 5 to 8; `alpha_nDCG` of ir-measures and ndeval.
    """

    def __init__(self, cutoff: int = 10, alpha: float = 0.5) -> None:
        self.cutoff = checks.at_least("cutoff", cutoff, 1)
        self.alpha = checks.share("alpha", alpha)

    @property
    def name(self) -> str:
        return f"alpha_nDCG{'' if self.alpha == 0.5 else f'(alpha={self.alpha:g})'}@{self.cutoff}"

    def __call__(self, ranked: RankedSubtopics) -> Floats:
        shown = ranked.before(self.cutoff)
        gains = (1 - self.alpha) ** shown.earlier
        return ratio(ragged.sums(gains * self._discounts[shown.position], shown.offsets), self._ideal(ranked))

    @property
    def _discounts(self) -> Floats:
        return np.asarray(1 / np.log2(np.arange(2, 2 + self.cutoff)))

    def _ideal(self, ranked: RankedSubtopics) -> Floats:
        """(n_requests,) alpha-DCG of a greedy slate of what is listed, built for all requests at once."""
        of_requests, of_items = ranked.listed_items
        some = np.flatnonzero(np.diff(of_requests))
        offsets = np.append(of_requests[:-1][some], of_requests[-1])
        need = needs_of(ranked.listed.offsets, ranked.listed.subtopic)
        worth = np.ones(1 + int(need.max(initial=-1)))
        left = np.ones(len(of_items) - 1, bool)
        ideal = np.zeros(len(ranked))
        for discount in self._discounts[: int(np.diff(offsets).max(initial=0))]:
            gains = np.where(left, ragged.sums(worth[need], of_items), 0.0)
            best = ragged.argmax(gains, offsets)
            ideal[some] += gains[best] * discount
            served, _ = ragged.take_segments(of_items, best[left[best]])
            worth[need[served]] *= 1 - self.alpha
            left[best] = False
        return ideal
