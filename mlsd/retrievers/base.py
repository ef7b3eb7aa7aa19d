"""Retrievers find candidates in the whole catalog."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mlsd import ragged
from mlsd.errors import NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.text import distinct
from mlsd.types import Candidates, Catalog, Ints, Requests, Served, State

Scores = NDArray[np.float32]
Queries = TypeVar("Queries")


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

        Ties are broken by the lower item, unless a retriever says otherwise. An item that does not match at
        all is not returned.
        """

    @abstractmethod
    def score(self, requests: Requests, candidates: Candidates) -> NDArray[np.float32]:
        """(n_candidates,) the score of any candidates, whoever found them.

        A pair's score does not depend on what else is in the batch, to the last bit.
        """

    def observed(self, served: Served) -> Self:
        """This retriever when it knows, too, what users did since it was fitted; see `Stage.observed`."""
        del served
        return self

    @abstractmethod
    def state(self) -> State:
        """What `fit` learnt."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""


class TextIndex(ABC, Generic[Queries]):
    """What a text retriever searches: items of a catalog, by what a query's text becomes."""

    @abstractmethod
    def queries(self, texts: Sequence[str]) -> Queries:
        """What texts become for this index."""

    @abstractmethod
    def best(self, queries: Queries, n: int) -> tuple[Ints, Scores, Ints]:
        """Items, scores and offsets of each query's `n` best items, best first, ties by the lower item."""

    @abstractmethod
    def scores_of(self, queries: Queries, query: Ints, items: Ints) -> Scores:
        """(n_pairs,) the score of each (query, item) pair."""

    @abstractmethod
    def state(self) -> State:
        """All of it."""


class TextRetriever(Retriever, Generic[Queries]):
    """Finds items by the text of the query; a text that comes more than once is searched for once."""

    needs = frozenset({"request.query"})
    catalog_needs = frozenset({"title", "text"})

    _index: TextIndex[Queries] | None = None

    @property
    def index(self) -> TextIndex[Queries]:
        """What `fit` or `load_state` made."""
        if self._index is None:
            raise NotFittedError(f"{type(self).__name__} was used before fit or load_state")
        return self._index

    def asked(self, requests: Requests) -> tuple[Queries, Ints]:
        """What is searched for, each once, and (n_requests,) the row of each request's."""
        texts, rows = distinct(requests["query"])
        return self.index.queries(texts), rows

    def retrieve(self, requests: Requests, n: int) -> Candidates:
        queries, rows = self.asked(requests)
        items, scores, offsets = self.index.best(queries, n)
        taken, of_requests = ragged.take_segments(offsets, rows)
        return Candidates(of_requests, items[taken], {"score": scores[taken]})

    def score(self, requests: Requests, candidates: Candidates) -> Scores:
        queries, rows = self.asked(requests)
        return self.index.scores_of(queries, rows[candidates.request_rows], candidates.items)

    def state(self) -> State:
        return self.index.state()
