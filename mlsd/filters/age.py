"""Old news is no news."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlsd import checks
from mlsd.columns import published_days
from mlsd.errors import NotFittedError
from mlsd.filters.base import Filter
from mlsd.logs import Log
from mlsd.types import HOURS_A_DAY, Catalog, Floats, RankingBatch, State


class Age(Filter):
    """Leaves out items that are too old when the request is made, or not published yet.

    Args:
        max_age_hours: of an item when the request is made, above 0.
        published: column of the catalog with the time of publication, in days since the start of the log.
    """

    needs = frozenset({"request.time_days"})

    def __init__(self, max_age_hours: float, published: str = "published_days") -> None:
        self.max_age_hours = checks.above("max_age_hours", max_age_hours, 0)
        self.published = published
        self.catalog_needs = frozenset({published})
        self._published: Floats | None = None

    def fit(self, catalog: Catalog, log: Log | None) -> None:
        del log
        self._published = published_days(catalog, self.published)

    def kept(self, batch: RankingBatch) -> NDArray[np.bool_]:
        time, published = batch.per_candidate("request.time_days"), self._fitted[batch.candidates.items]
        oldest = time - self.max_age_hours / HOURS_A_DAY
        return np.asarray((published >= oldest) & (published < time))

    @property
    def _fitted(self) -> Floats:
        if self._published is None:
            raise NotFittedError("a filter was used before fit or load_state")
        return self._published

    def state(self) -> State:
        return {"published": self._fitted}

    def load_state(self, state: State) -> None:
        self._published = state["published"]
