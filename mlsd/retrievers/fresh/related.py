"""Items of those whom a user follows, newest first."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from mlsd import ragged
from mlsd.errors import NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log, done_places, served_of
from mlsd.models.categories import category_column
from mlsd.relations import Relation
from mlsd.retrievers.fresh.base import FreshRetriever, Published
from mlsd.types import Candidates, Catalog, Floats, Ints, Requests, Served, State

_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


class Related(FreshRetriever):
    """Items whose value of a column the user is related to, such as posts by authors whom the user follows.

        worth = 1 / (1 + age in hours),    0 of an item that the user is not related to

    so that the newest is best. Users are never related to themselves, whatever the relation says: their own
    items are not found. Who is related to whom is what the catalog says and, where an action makes relations,
    what was done before the hour of the request.

    Args:
        relation: of the catalog, such as `follows`.
        column: of the catalog, with integers from 0, that the relation is about, such as `author`.
        max_age_hours: of an item, above 0.
        action: of the log, that relates a user to the item's value from the next hour on, such as `follow`;
            None where nothing does.
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
        """Take over what the catalog and the log say of who is related to whom.

        Raises:
            InputError: a time of publication is not finite, the column has no integers from 0, the catalog
                has no such relation, or the log no such action.
        """
        curves = super().fit(catalog, log, fitting)
        self._values = category_column(f"item.{self.column}", catalog[self.column])
        self._related = catalog.relation(self.relation)
        if log is not None:
            self._related = self._with(served_of(log))
        self._index = _Index.of(self._values, self.items)
        return curves

    def observed(self, served: Served) -> Self:
        if self.action is None:
            return self
        newer = copy(self)
        newer._related = self._with(served)  # noqa: SLF001  (its own copy)
        return newer

    def found(self, requests: Requests) -> Candidates:
        """The fresh items of everything that each user is ever related to, by rank."""
        related, index = self._pairs, self._indexed
        start, end = (np.searchsorted(related.user, requests.user, side=side) for side in _SIDES)
        pairs = ragged.offsets_of_counts(end - start)
        rows = ragged.segment_ids(pairs)
        value = related.value[start[rows] + ragged.positions(pairs)]
        first, last = self.fresh_span(requests)
        of_pairs, ranks = index.between(value, first[rows], last[rows])
        n_items, request = max(len(self._values), 1), rows[ragged.segment_ids(of_pairs)]
        request, ranks = np.divmod(np.sort(request * n_items + ranks), n_items)
        offsets = np.searchsorted(request, np.arange(len(requests) + 1))
        return Candidates(offsets, self.items.order[ranks])

    def worth(self, requests: Requests, candidates: Candidates) -> Floats:
        rows, age = candidates.request_rows, self.age_hours(requests, candidates)
        user, value = requests.user[rows], self._values[candidates.items]
        related = self._pairs.known(user, value, requests.hour[rows]) & (user != value)
        return np.where(related, 1 / (1 + np.maximum(age, 0)), 0.0)

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
            raise NotFittedError(f"{type(self).__name__} was used before fit or load_state")
        return self._related

    @property
    def _indexed(self) -> _Index:
        if self._index is None:
            raise NotFittedError(f"{type(self).__name__} was used before fit or load_state")
        return self._index


@dataclass(frozen=True)
class _Index:
    """Ranks of items by value.

    Args:
        values: (n_values,) ascending.
        keys: (n_items,) place of an item's value * n_items + its rank, ascending.
    """

    values: Ints
    keys: Ints

    @staticmethod
    def of(value: Ints, published: Published) -> _Index:
        values, place = np.unique(value, return_inverse=True)
        return _Index(values, np.sort(place * len(value) + published.ranks))

    def between(self, value: Ints, first: Ints, last: Ints) -> tuple[Ints, Ints]:
        """Offsets, and the ranks of the items of each value within a span of ranks, (n,) each."""
        n_items = len(self.keys)
        if not n_items:
            return np.zeros(len(value) + 1, np.int64), self.keys
        place = np.minimum(np.searchsorted(self.values, value), len(self.values) - 1)
        start, end = (np.searchsorted(self.keys, place * n_items + rank) for rank in (first, last))
        offsets = ragged.offsets_of_counts(np.where(self.values[place] == value, end - start, 0))
        return offsets, self.keys[start[ragged.segment_ids(offsets)] + ragged.positions(offsets)] % n_items
