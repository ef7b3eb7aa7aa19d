"""What a query says by itself."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd import checks
from mlsd.features.base import Family
from mlsd.features.text.matches import Matches, TextFeature
from mlsd.types import Floats

STATISTICS = ("mean", "max")


class QueryLength(TextFeature):
    """How many terms the query has, those that no item has included."""

    family: ClassVar[Family] = "query"

    def read(self, prepared: Matches) -> Floats:
        return np.diff(prepared.queries.offsets).astype(np.float64)[prepared.query]


class QueryIdf(TextFeature):
    """How rare the query's terms are: the mean or the largest idf of them; NaN for a query without terms.

    Args:
        statistic: "mean" or "max".
    """

    family: ClassVar[Family] = "query"

    def __init__(self, statistic: str = "mean") -> None:
        super().__init__()
        self.statistic = checks.one_of("statistic", statistic, STATISTICS)

    def read(self, prepared: Matches) -> Floats:
        offsets = prepared.queries.offsets
        filled = np.diff(offsets) > 0
        values = np.full(len(filled), np.nan)
        if filled.any():
            idf = prepared.weights("all")[prepared.queries.ids]
            pick = np.maximum.reduceat if self.statistic == "max" else np.add.reduceat
            values[filled] = pick(idf, offsets[:-1][filled])
        if self.statistic == "mean":
            values /= np.maximum(np.diff(offsets), 1)
        return values[prepared.query]
