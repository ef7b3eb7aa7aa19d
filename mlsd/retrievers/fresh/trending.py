"""What many people have cared for lately."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Self

import numpy as np

from mlsd import checks
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log, done_places, served_of
from mlsd.retrievers.base import Scores
from mlsd.retrievers.fresh.base import FreshRetriever
from mlsd.types import Candidates, Catalog, Floats, Ints, Requests, Served, State


class Trending(FreshRetriever):
    """Fresh items by what was done with them in the last hours.

        score = sum over actions done with the item of  weight * 2^(-hours since / half_life_hours)

    counted in whole hours, from the hour of the action to that of the request, and strictly before it.
    Actions more than `window_hours` ago are left out. An item with which nothing was done has score 0 and is
    not found.

    Args:
        weights: action -> what it counts, above 0.
        half_life_hours: after which an action counts half, above 0.
        window_hours: whole hours that are looked back on, at least 1.
        max_age_hours: of an item.
        published: see `FreshRetriever`.
    """

    needs = frozenset({"request.time_days"})

    def __init__(
        self,
        weights: Mapping[str, float],
        half_life_hours: float,
        window_hours: int,
        max_age_hours: float,
        published: str = "published_days",
    ) -> None:
        super().__init__(max_age_hours, published)
        self.weights = dict(checks.not_empty("weights", weights))
        for action, weight in self.weights.items():
            checks.above(f"weights.{action}", weight, 0)
        self.half_life_hours = checks.above("half_life_hours", half_life_hours, 0)
        self.window_hours = checks.at_least("window_hours", window_hours, 1)
        self._cells: Ints = np.zeros(0, np.int64)
        self._totals: Floats = np.zeros(0)

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        curves = super().fit(catalog, log, fitting)
        self._cells, self._totals = np.zeros(0, np.int64), np.zeros(0)
        if log is not None:
            self._cells, self._totals = self._with(served_of(log))
        return curves

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer._cells, newer._totals = self._with(served)  # noqa: SLF001  (its own copy)
        return newer

    def found(self, requests: Requests) -> Candidates:
        """Fresh items with which anything was done at all."""
        fresh, touched = self.fresh(requests), np.zeros(len(self.items.days), bool)
        touched[self._cells % len(touched)] = True
        kept = touched[fresh.items]
        offsets = np.append(0, np.cumsum(kept))[fresh.offsets]
        return fresh.take(np.flatnonzero(kept), offsets)

    def score(self, requests: Requests, candidates: Candidates) -> Scores:
        hours, place = np.unique(requests.hour, return_inverse=True)
        by_hour = np.stack([self._of_items(hour) for hour in hours.tolist()] or [np.zeros(0)])
        total = by_hour[place[candidates.request_rows], candidates.items]
        age = self.age_hours(requests, candidates)
        return np.where((age > 0) & (age <= self.max_age_hours), total, 0.0).astype(np.float32)

    def _of_items(self, hour: int) -> Floats:
        """(n_items,) what was done with each item in the hours before one, the older the less it counts."""
        n_items = len(self.items.days)
        first, last = np.searchsorted(self._cells, np.array([hour - self.window_hours, hour]) * n_items)
        back = hour - self._cells[first:last] // n_items
        counted = self._totals[first:last] * 2.0 ** (-back / self.half_life_hours)
        return np.bincount(self._cells[first:last] % n_items, counted, n_items).astype(np.float64)

    def _with(self, served: Served) -> tuple[Ints, Floats]:
        """Cells of an hour and an item, ascending, and the weights of what was done in each."""
        cells, weights = [self._cells], [self._totals]
        for action, weight in self.weights.items():
            rows, positions = done_places(served, action)
            items = served.slates.items[rows, positions]
            cells.append(served.requests.hour[rows] * len(self.items.days) + items)
            weights.append(np.full(len(rows), weight))
        together, place = np.unique(np.concatenate(cells), return_inverse=True)
        return together, np.bincount(place, np.concatenate(weights), len(together)).astype(np.float64)

    def state(self) -> State:
        return {**super().state(), "cells": self._cells, "totals": self._totals}

    def load_state(self, state: State) -> None:
        super().load_state(state)
        self._cells, self._totals = state["cells"], state["totals"]
