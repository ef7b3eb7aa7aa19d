"""When a request is made."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.features.base import Family, Feature
from mlsd.types import Ints, RankingBatch


class PartOfDay(Feature):
    """Night, morning, afternoon, evening: the quarter of the day, from `request.time_days`."""

    family: ClassVar[Family] = "context"
    needs = frozenset({"request.time_days"})
    cardinality = 4

    def values(self, batch: RankingBatch) -> Ints:
        time = batch.requests.time_days
        quarter = np.floor((time - np.floor(time)) * 4).astype(np.int64)
        return quarter[batch.candidates.request_rows]


class Weekday(Feature):
    """The day of a week that starts on day 0 of the log."""

    family: ClassVar[Family] = "context"
    needs = frozenset({"request.time_days"})
    cardinality = 7

    def values(self, batch: RankingBatch) -> Ints:
        return (batch.requests.day % 7)[batch.candidates.request_rows]
