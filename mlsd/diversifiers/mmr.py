"""Maximal marginal relevance."""

from __future__ import annotations

import numpy as np

from mlsd.diversifiers.base import Choice, Pool, Similarities, SimilarityDiversifier
from mlsd.types import Floats, Ints


class MMR(SimilarityDiversifier):
    """MMR: the most relevant item that is least like anything chosen before it.

        gain(i) = (1 - trade_off) * relevance(i) - trade_off * max over chosen j of similarity(i, j)

    with a maximum of 0 over nothing. The paper's lambda is 1 - trade_off.

    Source: Carbonell and Goldstein (SIGIR 1998).

    Args:
        trade_off: how much being unlike counts against relevance, in [0, 1].
        topic_weight: share of similarity that comes from having the same topic, the rest from titles.
    """

    def __init__(self, trade_off: float = 0.3, topic_weight: float = 0.5) -> None:
        super().__init__(trade_off, topic_weight)

    def begin(self, pool: Pool) -> Choice:
        return _Choice(self, pool, self.similarities(pool.candidates))


class _Choice(Choice):
    def __init__(self, mmr: MMR, pool: Pool, similarities: Similarities) -> None:
        super().__init__(pool)
        self._mmr = mmr
        self._similarities = similarities
        self._highest = np.zeros(len(pool.candidates))

    def gains(self) -> Floats:
        return self._mmr.weighed(self.pool.relevance, -self._highest)

    def add(self, chosen: Ints) -> None:
        self._highest = np.maximum(self._highest, self._similarities.to(chosen))
