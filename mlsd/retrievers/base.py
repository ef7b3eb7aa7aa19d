"""Retrievers find candidates in the whole catalog."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.types import Candidates, Catalog, Requests, State


class Retriever(ABC):
    """Catalog -> candidates, by a score of its own that any (request, item) pair can be given."""

    needs: frozenset[str] = frozenset()
    """Columns of the requests it reads, as `request.<name>`."""

    catalog_needs: frozenset[str] = frozenset()
    """Columns of the catalog it is fitted on."""

    @abstractmethod
    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        """Index the catalog and, if it learns at all, learn from the log's `retrieval` window.

        `log` is None where nothing has been logged yet: before the pre-existing system starts.
        """

    @abstractmethod
    def retrieve(self, requests: Requests, n: int) -> Candidates:
        """Up to `n` items for each request, best first, with their `score`.

        Ties are broken by the lower item. An item that does not match at all is not returned.
        """

    @abstractmethod
    def score(self, requests: Requests, candidates: Candidates) -> NDArray[np.float32]:
        """(n_candidates,) the score of any candidates, whoever found them.

        A pair's score does not depend on what else is in the batch, to the last bit.
        """

    @abstractmethod
    def state(self) -> State:
        """What `fit` learnt."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""
