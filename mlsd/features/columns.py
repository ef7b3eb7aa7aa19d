"""Columns that earlier stages wrote, as features."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd import checks, ragged
from mlsd.features.base import Family, Feature
from mlsd.types import Array, Floats, RankingBatch

SCALES = ("identity", "log1p")


class Column(Feature):
    """A column of requests or candidates as it is, or as log(1 + max(x, 0)).

    Args:
        name: such as `candidate.bm25_score`.
        scale: "identity" or "log1p".
    """

    family: ClassVar[Family] = "query_item"

    def __init__(self, name: str, scale: str = "identity") -> None:
        self.name = name
        self.scale = checks.one_of("scale", scale, SCALES)
        self.needs = frozenset({name})

    def values(self, batch: RankingBatch) -> Array:
        values = batch.per_candidate(self.name).astype(np.float64)
        return np.log1p(np.maximum(values, 0.0)) if self.scale == "log1p" else values


class _OfScore(Feature):
    """A score as it stands among those of the request's candidates.

    Args:
        name: such as `candidate.bm25_score`.
    """

    family: ClassVar[Family] = "query_item"
    relative: ClassVar[bool] = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.needs = frozenset({name})


class ShareOfBest(_OfScore):
    """A score as a share of the best one among the request's candidates; 0 where none is above 0.

    Args:
        name: such as `candidate.bm25_score`.
    """

    def values(self, batch: RankingBatch) -> Floats:
        scores = np.maximum(batch.per_candidate(self.name).astype(np.float64), 0.0)
        counts = batch.candidates.counts
        filled = counts > 0
        if not filled.any():
            return scores
        best = np.maximum.reduceat(scores, batch.candidates.offsets[:-1][filled])
        best = np.repeat(best, counts[filled])
        return np.asarray(np.divide(scores, best, out=np.zeros(len(scores)), where=best > 0))


class RankDiscount(_OfScore):
    """1 / log2(2 + r), with r the 0-based rank of the candidate among its request's by a score.

    Ties keep the order of the candidates. The discount is that of DCG, so steps matter most at the top.

    Args:
        name: such as `candidate.bm25_score`.
    """

    def values(self, batch: RankingBatch) -> Floats:
        offsets = batch.candidates.offsets
        discounts = np.empty(len(batch.candidates))
        order = ragged.order(batch.per_candidate(self.name), offsets)
        discounts[order] = 1.0 / np.log2(2.0 + ragged.positions(offsets))
        return discounts
