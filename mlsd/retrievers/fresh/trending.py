"""What many people have cared for lately."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Self

import numpy as np

from mlsd import checks, ragged
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log, done_places, served_of
from mlsd.retrievers.fresh.base import FreshRetriever
from mlsd.types import Candidates, Catalog, Floats, Ints, Requests, Served, State, hours_of


class Trending(FreshRetriever):
    """Fresh items by what was done with them in the last hours.

        worth = sum over actions done with the item of  weight * 2^(-hours since / half_life_hours)

    counted in whole hours, from the hour of the action to that of the request, and strictly before it. The
    hour of an action is that of its impression, which in a recorded log may be later than its request's.
    Actions more than `window_hours` ago are left out. An item with which nothing was done has score 0 and is
    not found.

    Args:
        weights: action -> what it counts, above 0; an action is done where its value is above 0.
        half_life_hours: after which an action counts half, above 0.
        window_hours: whole hours that are looked back on, at least 1.
        max_age_hours: of an item, above 0.
        published: see `FreshRetriever`.
    """

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
        self._cells, self._counts = self._nothing()

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        """Count what was done with each item in each hour of the log; nothing where there is none yet.

        Raises:
            InputError: a time of publication is not finite, or the log has no such action.
        """
        curves = super().fit(catalog, log, fitting)
        self._cells, self._counts = self._nothing()
        if log is not None:
            self._cells, self._counts = self._with(served_of(log), _hours_in(log))
        return curves

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        hours = np.broadcast_to(served.requests.hour[:, None], served.slates.items.shape)
        newer._cells, newer._counts = self._with(served, hours)  # noqa: SLF001  (its own copy)
        return newer

    def weighed(self, requests: Requests) -> tuple[Candidates, Floats]:
        """Items with which anything was done in the hours before, by rank, and their worth."""
        hours, place = np.unique(requests.hour, return_inverse=True)
        known = [self._by_rank(hour) for hour in hours.tolist()]
        offsets = ragged.offsets_of_counts(np.array([len(items) for items, _ in known], np.int64))
        rows, of_requests = ragged.take_segments(offsets, place)
        items, worth = (np.concatenate(parts) for parts in zip(_NOTHING, *known, strict=True))
        return Candidates(of_requests, items[rows]), worth[rows]

    def worth(self, requests: Requests, candidates: Candidates) -> Floats:
        hours, place = np.unique(requests.hour, return_inverse=True)
        before = [self._before(hour) for hour in hours.tolist()]
        n_items = len(self.items.days)
        known = [(number * n_items + items, total) for number, (items, total) in enumerate(before)]
        pairs, totals = (np.concatenate(parts) for parts in zip(_NOTHING, *known, strict=True))
        return _looked_up(pairs, totals, place[candidates.request_rows] * n_items + candidates.items)

    def _by_rank(self, hour: int) -> tuple[Ints, Floats]:
        items, worth = self._before(hour)
        order = np.argsort(self.items.ranks[items])
        return items[order], worth[order]

    def _before(self, hour: int) -> tuple[Ints, Floats]:
        """Items with which anything was done in the hours before one, ascending, and what each is worth."""
        n_items = len(self.items.days)
        first, last = np.searchsorted(self._cells, np.array([hour - self.window_hours, hour]) * n_items)
        done_in, item = np.divmod(self._cells[first:last], max(n_items, 1))
        # Counts are whole, and weighed in one order: what is told in pieces is the same to the last bit.
        weighed = np.zeros(last - first)
        for weight, counts in zip(self.weights.values(), self._counts[first:last].T, strict=True):
            weighed += weight * counts
        faded = weighed * 2.0 ** ((done_in - hour) / self.half_life_hours)
        return _summed(item, faded, n_items)

    def _with(self, served: Served, hours: Ints) -> tuple[Ints, Ints]:
        """Cells and counts when what users did is known, too.

        Args:
            served: what was shown and done.
            hours: (n_requests, n_positions) when.
        """
        n_items, done = len(self.items.days), []
        for action in self.weights:
            rows, positions = done_places(served, action)
            items = served.slates.items[rows, positions]
            done.append(hours[rows, positions] * n_items + items)
        told = np.unique(np.concatenate(done))
        places = np.searchsorted(self._cells, told)
        fresh = ~np.isin(told, self._cells[places[places < len(self._cells)]])
        cells = np.insert(self._cells, places[fresh], told[fresh])
        counts = np.insert(self._counts, places[fresh], 0, axis=0)
        for column, of_action in enumerate(done):
            np.add.at(counts[:, column], np.searchsorted(cells, of_action), 1)
        return cells, counts

    def _nothing(self) -> tuple[Ints, Ints]:
        """(n_cells,) an hour and an item each, ascending, and (n_cells, n_actions) how often: none yet."""
        return _NONE, np.zeros((0, len(self.weights)), np.int64)

    def state(self) -> State:
        return {**super().state(), "cells": self._cells, "counts": self._counts}

    def load_state(self, state: State) -> None:
        super().load_state(state)
        self._cells, self._counts = state["cells"], state["counts"]


_NONE = np.zeros(0, np.int64)
_NOTHING = (_NONE, np.zeros(0))
"""No items, and the worth of each."""


def _hours_in(log: Log) -> Ints:
    """(n_requests, n_positions) the hour of each impression."""
    rows, position = log.request_rows, log.impressions["position"].to_numpy()
    hours = np.zeros((len(log.requests), 1 + int(position.max(initial=-1))), np.int64)
    hours[rows, position] = hours_of(log.impressions["time_days"].to_numpy())
    return hours


def _summed(item: Ints, amounts: Floats, n_items: int) -> tuple[Ints, Floats]:
    """Items that occur, ascending, and the sum of each; sorted where they are few of all, else counted."""
    if len(item) < n_items:
        items, place = np.unique(item, return_inverse=True)
        return items, np.bincount(place, amounts, len(items)).astype(np.float64)
    items = np.flatnonzero(np.bincount(item, minlength=n_items))
    return items, np.bincount(item, amounts, n_items)[items].astype(np.float64)


def _looked_up(ascending: Ints, values: Floats, wanted: Ints) -> Floats:
    """(n,) the value of each wanted number; 0 of one that is not there."""
    if not len(ascending):
        return np.zeros(len(wanted))
    rows = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return np.where(ascending[rows] == wanted, values[rows], 0.0)
