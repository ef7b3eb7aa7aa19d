"""What all features of behaviour share: count the log once, look up what came before the day of a request."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlsd.errors import InputError, NotFittedError
from mlsd.features.base import Feature
from mlsd.features.statistics.as_of import AsOfCounts
from mlsd.logs import SPLITS, Log
from mlsd.types import Array, Catalog, Floats, Ints, RankingBatch, Requests, State


class Events(NamedTuple):
    """What is counted."""

    key: list[Array]
    """Parts of the key, (n_events,) integers each."""

    day: Ints
    """(n_events,)"""

    values: Floats
    """(n_events, n_values)"""


class CountedFeature(Feature):
    """A smoothed statistic of a key, as of the day of the request.

    All of the log is counted, and looked up strictly before a request's day; the prior it is smoothed
    with is fitted on what the training windows hold.
    """

    needs = frozenset({"request.time_days"})

    def __init__(self) -> None:
        self._counts: AsOfCounts | None = None
        self._prior: Floats = np.zeros(0)

    @abstractmethod
    def events(self, catalog: Catalog, log: Log) -> Events:
        """What the log has to count."""

    @abstractmethod
    def prior(self, totals: Floats) -> Floats:
        """The free parameters, from the (n_keys, n_values) sums of the training windows."""

    @abstractmethod
    def key(self, batch: RankingBatch) -> list[Array]:
        """Parts of the key of every candidate."""

    @abstractmethod
    def smoothed(self, sums: Floats, prior: Floats) -> Floats:
        """(n_candidates,) the feature, from the (n_candidates, n_values) sums so far."""

    def fit(self, catalog: Catalog, log: Log) -> None:
        events = self.events(catalog, log)
        if not len(events.day):
            raise InputError(f"{type(self).__name__} counts what users did, and the log is empty")
        self._counts = AsOfCounts.of(*events)
        self._prior = self.prior(self._counts.totals_before(first_day_after_training(log)))

    def values(self, batch: RankingBatch) -> Floats:
        if self._counts is None:
            raise NotFittedError(f"{type(self).__name__} was used before fit or load_state")
        day = batch.requests.day[batch.candidates.request_rows]
        return self.smoothed(self._counts.before(self.key(batch), day), self._prior)

    def state(self) -> State:
        if self._counts is None:
            raise NotFittedError(f"{type(self).__name__} has no state before fit")
        return {**self._counts.state(), "prior": self._prior}

    def load_state(self, state: State) -> None:
        self._counts = AsOfCounts.from_state(state)
        self._prior = state["prior"]


def first_day_after_training(log: Log) -> int:
    """The day before which counts belong to the windows that training may look at."""
    return int(_training(log).day.max(initial=-1)) + 1


def first_hour_after_training(log: Log) -> int:
    """The hour before which counts belong to the windows that training may look at."""
    return int(_training(log).hour.max(initial=-1)) + 1


def _training(log: Log) -> Requests:
    """The requests of the windows up to and with `ranking`."""
    return log.requests.take(np.isin(log.split, SPLITS[: SPLITS.index("ranking") + 1]))


def actions(log: Log, name: str) -> Floats:
    """(n_impressions,) a column of actions as numbers."""
    return action(log.impressions, name).astype(np.float64)


def action(impressions: pd.DataFrame, name: str) -> Array:
    """(n_impressions,) a column of actions as it is."""
    if name not in impressions.columns:
        known = ", ".join(map(str, impressions.columns))
        raise InputError(f"the log has no action {name!r}; its impressions have {known}")
    return impressions[name].to_numpy()


def days(log: Log) -> Ints:
    """(n_impressions,) the day of each impression."""
    return np.asarray(np.floor(log.impressions["time_days"].to_numpy()), dtype=np.int64)
