"""What users made themselves is no news to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlsd.columns import whole_numbers
from mlsd.errors import NotFittedError
from mlsd.filters.base import Filter
from mlsd.logs import Log
from mlsd.types import Catalog, Ints, RankingBatch, State


class Own(Filter):
    """Leaves out the items whose author is the user who asks.

    Args:
        column: of the catalog, with the number of the user who made the item; a negative one for nobody.
    """

    needs = frozenset({"request.user"})

    def __init__(self, column: str = "author") -> None:
        self.column = column
        self.catalog_needs = frozenset({column})
        self._author: Ints | None = None

    def fit(self, catalog: Catalog, log: Log | None) -> None:
        del log
        self._author = whole_numbers(catalog, self.column)

    def kept(self, batch: RankingBatch) -> NDArray[np.bool_]:
        author = self._fitted[batch.candidates.items]
        return np.asarray(author != batch.per_candidate("request.user"))

    @property
    def _fitted(self) -> Ints:
        if self._author is None:
            raise NotFittedError("a filter was used before fit or load_state")
        return self._author

    def state(self) -> State:
        return {"author": self._fitted}

    def load_state(self, state: State) -> None:
        self._author = state["author"]
