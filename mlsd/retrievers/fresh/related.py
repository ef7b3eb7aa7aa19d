"""Items of those whom a user follows, newest first."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Self

import numpy as np

from mlsd import ragged
from mlsd.errors import NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log, done_places, served_of
from mlsd.retrievers.base import Scores
from mlsd.retrievers.fresh.base import FreshRetriever, Published
from mlsd.types import HOURS_A_DAY, Candidates, Catalog, Floats, Ints, Relation, Requests, Served, State


class Related(FreshRetriever):
    """Items whose value of a column the user is related to, such as posts by authors whom the user follows.

        score = 1 / (1 + age in hours),    0 of an item that the user is not related to

    so that the newest is best. Users never find their own items. Who is related to whom is what the catalog
    says and, where an action makes relations, what was done before the hour of the request.

    Args:
        relation: of the catalog, such as `follows`.
        column: of the catalog, with integers, that the relation is about, such as `author`.
        max_age_hours: of an item.
        action: of the log, that relates a user to the item's value from then on, such as `follow`; None where
            nothing does.
        published: see `FreshRetriever`.
    """

    needs = frozenset({"request.time_days", "request.user"})

    def __init__(
        self,
        relation: str,
        column: str,
        max_age_hours: float,
        action: str | None = None,
        published: str = "published_days",
    ) -> None:
        super().__init__(max_age_hours, published)
        self.relation, self.column, self.action = relation, column, action
        self.catalog_needs |= {column, f"relation.{relation}"}
        self._values: Ints = np.zeros(0, np.int64)
        self._related: Relation | None = None
        self._index: _Index | None = None

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        curves = super().fit(catalog, log, fitting)
        self._values = catalog[self.column].astype(np.int64)
        self._related = catalog.relation(self.relation)
        if log is not None:
            self._related = self._with(served_of(log))
        self._index = _Index.of(self._values, self.items)
        return curves

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer._related = self._with(served)  # noqa: SLF001  (its own copy)
        return newer

    def found(self, requests: Requests) -> Candidates:
        """The fresh items of everything that each user is related to, newest first."""
        related, index = self._pairs, self._indexed
        first = np.searchsorted(related.user, requests.user)
        offsets = ragged.offsets_of_counts(np.searchsorted(related.user, requests.user, side="right") - first)
        rows = ragged.segment_ids(offsets)
        value, time = related.value[first[rows] + ragged.positions(offsets)], requests.time_days[rows]
        of_pairs, items = index.between(value, time - self.max_age_hours / HOURS_A_DAY, time)
        request = rows[ragged.segment_ids(of_pairs)]
        order = np.lexsort((items, -self.items.days[items], request))
        return Candidates(
            ragged.offsets_of_counts(np.bincount(request, minlength=len(requests))), items[order]
        )

    def score(self, requests: Requests, candidates: Candidates) -> Scores:
        rows, age = candidates.request_rows, self.age_hours(requests, candidates)
        user, value = requests.user[rows], self._values[candidates.items]
        related = self._pairs.known(user, value, requests.hour[rows]) & (user != value)
        fresh = (age > 0) & (age <= self.max_age_hours)
        return np.where(related & fresh, 1 / (1 + np.maximum(age, 0)), 0).astype(np.float32)

    def state(self) -> State:
        pairs = {f"related.{name}": values for name, values in self._pairs.state().items()}
        return {**super().state(), "values": self._values, **pairs}

    def load_state(self, state: State) -> None:
        super().load_state(state)
        self._values = state["values"]
        start = "related."
        pairs = {name.removeprefix(start): column for name, column in state.items() if name.startswith(start)}
        self._related = Relation.from_state(pairs)
        self._index = _Index.of(self._values, self.items)

    def _with(self, served: Served) -> Relation:
        """Whom users are related to when what they did is known, too."""
        if self.action is None:
            return self._pairs
        rows, positions = done_places(served, self.action)
        values = self._values[served.slates.items[rows, positions]]
        return self._pairs.joined(served.requests.user[rows], values, served.requests.hour[rows])

    @property
    def _pairs(self) -> Relation:
        if self._related is None:
            raise NotFittedError("a source of related items was used before fit or load_state")
        return self._related

    @property
    def _indexed(self) -> _Index:
        if self._index is None:
            raise NotFittedError("a source of related items was used before fit or load_state")
        return self._index


@dataclass(frozen=True)
class _Index:
    """Items by value and time of publication.

    Args:
        days: when they were published, ascending within a value.
        items: in that order.
        values: (n_values,) ascending.
        starts: (n_values + 1,) where the items of each begin.
    """

    days: Floats
    items: Ints
    values: Ints
    starts: Ints

    @staticmethod
    def of(value: Ints, published: Published) -> _Index:
        order = published.order[np.argsort(value[published.order], kind="stable")]
        values, starts = np.unique(value[order], return_index=True)
        return _Index(published.days[order], order, values, np.append(starts, len(order)))

    def between(self, value: Ints, after: Floats, before: Floats) -> tuple[Ints, Ints]:
        """Offsets, and the items of each value between two times, (n,) each."""
        place = np.minimum(np.searchsorted(self.values, value), len(self.values) - 1)
        known = self.values[place] == value if len(self.values) else np.zeros(len(value), bool)
        low = np.where(known, self.starts[place], 0)
        high = np.where(known, self.starts[place + 1], 0)
        first, last = self._first(low, high, after), self._first(low, high, before)
        offsets = ragged.offsets_of_counts(np.maximum(last - first, 0))
        return offsets, self.items[first[ragged.segment_ids(offsets)] + ragged.positions(offsets)]

    def _first(self, low: Ints, high: Ints, time: Floats) -> Ints:
        """(n,) the first row of each range whose day is not before a time: all ranges are halved at once."""
        while np.any(open_ := low < high):
            middle = (low + high) // 2
            later = open_ & (self.days[np.minimum(middle, len(self.days) - 1)] >= time)
            low, high = np.where(open_ & ~later, middle + 1, low), np.where(later, middle, high)
        return low
