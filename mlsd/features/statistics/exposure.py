"""How often a user was shown something already."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.errors import NotFittedError
from mlsd.features.base import Family, Feature
from mlsd.features.statistics.as_of import AsOfCounts
from mlsd.features.statistics.counted import days
from mlsd.logs import Log
from mlsd.types import Catalog, Floats, Ints, RankingBatch, State


class UserExposure(Feature):
    """log(1 + n), with n the user's impressions of items like this one before the day of the request.

    Args:
        column: of the catalog, with integers: items are alike where it is the same, such as `campaign`.
    """

    family: ClassVar[Family] = "user_item"
    needs = frozenset({"request.user", "request.time_days"})

    def __init__(self, column: str) -> None:
        self.column = column
        self.catalog_needs = frozenset({column})
        self._counts: AsOfCounts | None = None
        self._value: Ints = np.zeros(0, np.int64)

    def fit(self, catalog: Catalog, log: Log) -> None:
        self._value = catalog[self.column].astype(np.int64)
        shown = log.impressions
        key = [shown["user"].to_numpy(), self._value[shown["item"].to_numpy()]]
        self._counts = AsOfCounts.of(key, days(log), np.ones((len(shown), 1)))

    def values(self, batch: RankingBatch) -> Floats:
        if self._counts is None:
            raise NotFittedError("UserExposure was used before fit or load_state")
        key = [batch.per_candidate("request.user"), self._value[batch.candidates.items]]
        day = batch.requests.day[batch.candidates.request_rows]
        return np.asarray(np.log1p(self._counts.before(key, day)[:, 0]))

    def state(self) -> State:
        if self._counts is None:
            raise NotFittedError("UserExposure has no state before fit")
        return {**self._counts.state(), "value": self._value}

    def load_state(self, state: State) -> None:
        self._counts = AsOfCounts.from_state(state)
        self._value = state["value"]
