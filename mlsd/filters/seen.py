"""Nobody wants to see the same twice."""

from __future__ import annotations

from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mlsd.errors import NotFittedError
from mlsd.filters.base import Filter
from mlsd.logs import Log, served_of
from mlsd.relations import Relation
from mlsd.types import Catalog, RankingBatch, Served, State

_NONE = np.zeros(0, np.int64)


class Seen(Filter):
    """Leaves out what the user was shown in an hour before that of the request, on whichever position."""

    needs = frozenset({"request.user", "request.time_days"})

    def __init__(self) -> None:
        self._shown: Relation | None = None

    def fit(self, catalog: Catalog, log: Log | None) -> None:
        del catalog
        self._shown = Relation(_NONE, _NONE, np.zeros(0))
        if log is not None:
            self._shown = self._with(served_of(log))

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer._shown = self._with(served)  # noqa: SLF001  (its own copy)
        return newer

    def kept(self, batch: RankingBatch) -> NDArray[np.bool_]:
        requests, rows = batch.requests, batch.candidates.request_rows
        return ~self._fitted.known(requests.user[rows], batch.candidates.items, requests.hour[rows])

    @property
    def _fitted(self) -> Relation:
        if self._shown is None:
            raise NotFittedError("a filter was used before fit or load_state")
        return self._shown

    def _with(self, served: Served) -> Relation:
        rows, positions = np.nonzero(served.slates.shown)
        items = served.slates.items[rows, positions]
        return self._fitted.joined(served.requests.user[rows], items, served.requests.hour[rows])

    def state(self) -> State:
        return self._fitted.state()

    def load_state(self, state: State) -> None:
        self._shown = Relation.from_state(state)
