"""Whom a user has blocked or muted is not shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlsd.columns import whole_numbers
from mlsd.errors import NotFittedError
from mlsd.filters.base import Filter
from mlsd.logs import Log
from mlsd.relations import Relation
from mlsd.types import Catalog, Ints, RankingBatch, State


class Related(Filter):
    """Leaves out items whose value of a column the user is related to, such as blocked authors.

    A relation counts from the hour after the one in which it began.

    Args:
        relation: of the catalog, such as `blocks`.
        column: of the catalog, with integers, that it is about, such as `author`; whoever is related to
            anything, negative values are left in.
    """

    needs = frozenset({"request.user", "request.time_days"})

    def __init__(self, relation: str, column: str) -> None:
        self.relation, self.column = relation, column
        self.catalog_needs = frozenset({column, f"relation.{relation}"})
        self._related: Relation | None = None
        self._values: Ints = np.zeros(0, np.int64)

    def fit(self, catalog: Catalog, log: Log | None) -> None:
        del log
        self._related = catalog.relation(self.relation)
        self._values = whole_numbers(catalog, self.column)

    def kept(self, batch: RankingBatch) -> NDArray[np.bool_]:
        requests, rows, related = batch.requests, batch.candidates.request_rows, self._pairs
        value = self._values[batch.candidates.items]
        return ~related.known(requests.user[rows], value, requests.hour[rows])

    @property
    def _pairs(self) -> Relation:
        if self._related is None:
            raise NotFittedError("a filter was used before fit or load_state")
        return self._related

    def state(self) -> State:
        return {"column": self._values, **self._pairs.state()}

    def load_state(self, state: State) -> None:
        self._related, self._values = Relation.from_state(state), state["column"]
