"""A determinantal point process, by greedy MAP inference."""

from __future__ import annotations

import numpy as np

from mlsd.diversifiers.base import Choice, Pool, Similarities, SimilarityDiversifier
from mlsd.types import Floats, Ints

SMALLEST_VOLUME = 1e-10
"""What is kept of the squared distance of an item from the span of those chosen."""


class DPP(SimilarityDiversifier):
    """DPP: the slate that is relevant and spans the largest volume, chosen greedily.

        slate = argmax over Y of  (1 - trade_off) * sum over i in Y of relevance(i)
                                + trade_off * log det S_Y

    with S the similarity of its items, 1 on the diagonal. What an item adds to log det S_Y is log d^2, with d
    its distance from the span of those chosen, kept up to date by a Cholesky factor that grows by a row a
    round. d^2 is at least 1e-10: among items that add nothing new, relevance decides.

    Source: Chen, Zhang and Zhou (NeurIPS 2018), algorithm 1; their theta is 1 - trade_off (equation 9).

    Args:
        trade_off: how much the volume counts against relevance, in [0, 1].
        topic_weight: share of similarity that comes from having the same topic, the rest from titles.
    """

    def __init__(self, trade_off: float = 0.3, topic_weight: float = 0.5) -> None:
        super().__init__(trade_off, topic_weight)

    def begin(self, pool: Pool) -> Choice:
        return _Choice(self, pool, self.similarities(pool.candidates))


class _Choice(Choice):
    def __init__(self, dpp: DPP, pool: Pool, similarities: Similarities) -> None:
        super().__init__(pool)
        self._dpp = dpp
        self._similarities = similarities
        self._squared_distance = np.ones(len(pool.candidates))
        self._factor: list[Floats] = []

    def gains(self) -> Floats:
        return self._dpp.weighed(self.pool.relevance, np.log(self._squared_distance))

    def add(self, chosen: Ints) -> None:
        row = self._similarities.to(chosen)
        for known in self._factor:
            row -= known * known[chosen]
        row /= np.sqrt(self._squared_distance[chosen])
        self._factor.append(row)
        self._squared_distance = np.maximum(self._squared_distance - row**2, SMALLEST_VOLUME)
