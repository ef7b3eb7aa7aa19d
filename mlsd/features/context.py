"""When a request is made, and what is known about who makes it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from mlsd.errors import InputError, NotFittedError
from mlsd.features.base import Family, Feature
from mlsd.logs import Log
from mlsd.types import Catalog, Ints, RankingBatch, State


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


class RequestCategory(Feature):
    """A category of the request, such as the region it comes from, for an embedding.

    Values that the log does not have share one more category.

    Args:
        name: column of requests with integers from 0, without `request.`.
    """

    family: ClassVar[Family] = "context"

    def __init__(self, name: str) -> None:
        self.name = name
        self.needs = frozenset({f"request.{name}"})

    def fit(self, catalog: Catalog, log: Log) -> None:  # noqa: ARG002
        seen = log.requests[self.name].astype(np.int64)
        if seen.min(initial=0) < 0:
            raise InputError(f"request.{self.name} has the category {seen.min()}, must be at least 0")
        self.cardinality = int(seen.max(initial=0)) + 2

    def values(self, batch: RankingBatch) -> Ints:
        if not self.cardinality:
            raise NotFittedError("a category of requests was used before fit or load_state")
        known, other = batch.requests[self.name].astype(np.int64), self.cardinality - 1
        category = np.where((known >= 0) & (known < other), known, other)
        return np.asarray(category[batch.candidates.request_rows])

    def state(self) -> State:
        return {"cardinality": np.array(self.cardinality)}

    def load_state(self, state: State) -> None:
        self.cardinality = int(state["cardinality"])


class UserCategory(RequestCategory):
    """A category of the user who makes the request, such as an age band, for an embedding.

    Values that the log does not have share one more category.

    Args:
        name: column of requests with integers from 0, without `request.`.
    """

    family: ClassVar[Family] = "user"
