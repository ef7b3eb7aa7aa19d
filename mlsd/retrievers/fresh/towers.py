"""Fresh items by two towers: which of them this user would care for, whoever they are by."""

# ruff: noqa: PLC0415  (torch is loaded for training only)

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from mlsd import checks
from mlsd.errors import NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.models.categories import Towers, category_column
from mlsd.retrievers.fresh.base import FreshRetriever
from mlsd.types import Candidates, Catalog, Floats, Requests, State


class FreshTowers(FreshRetriever):
    """Fresh items by how likely the user is to do something with them, as two towers of categories say.

        worth = sigmoid(u a + bias),  u of the request, a and bias of the item

    The towers are those of `mlsd.stages.match.Match`: u is the sum of learnt vectors of the request's
    categories, a that of the item's, so that an item published after they were learnt is known by its author
    and topic. They learn from the log's `retrieval` window, position beside them.

    Args:
        request: columns of requests with integers from 0, without `request.`, such as `user`.
        item: columns of the catalog with integers from 0, such as `author` and `topic`.
        max_age_hours: of an item, above 0.
        action: what they foretell, a column of the log; done where it is above 0.
        dim: of the vectors, at least 1.
        sigma: what weights are expected to be like before anything was seen, N(0, sigma^2); above 0.
        learning_rate: of Adam, above 0.
        published: see `FreshRetriever`.

    Source: Yi et al. (RecSys 2019) for the towers; Zhao et al. (RecSys 2019) for the position beside them.
    """

    def __init__(
        self,
        request: Sequence[str],
        item: Sequence[str],
        max_age_hours: float,
        action: str = "click",
        dim: int = 16,
        sigma: float = 0.3,
        learning_rate: float = 0.003,
        published: str = "published_days",
    ) -> None:
        super().__init__(max_age_hours, published)
        self.request, self.item = (
            tuple(checks.not_empty(name, names)) for name, names in (("request", request), ("item", item))
        )
        self.action = action
        self.dim = checks.at_least("dim", dim, 1)
        self.sigma = checks.above("sigma", sigma, 0)
        self.learning_rate = checks.above("learning_rate", learning_rate, 0)
        self.needs = frozenset({"request.time_days", *(f"request.{name}" for name in self.request)})
        self.catalog_needs |= set(self.item)
        self._towers: Towers | None = None

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        """Learn the towers, and the vector of every item.

        Raises:
            InputError: there is too little to learn from, or a category is negative or no integer.
        """
        from mlsd.models import match

        super().fit(catalog, log, fitting)
        columns = tuple(category_column(f"item.{name}", catalog[name]) for name in self.item)
        shown = match.shown_in(log, self.request, columns, self.action, fitting.name)
        options = match.MatchOptions(self.dim, None, self.sigma, self.learning_rate)
        self._towers, curves = match.fit_towers(shown, columns, {}, options, fitting)
        return curves

    def worth(self, requests: Requests, candidates: Candidates) -> Floats:
        towers = self._fitted
        vectors = towers.requests([requests[name].astype(np.int64) for name in self.request])
        log_odds = towers.scores(vectors, candidates.request_rows, candidates.items)
        return np.asarray(expit(log_odds.astype(np.float64)))

    @property
    def _fitted(self) -> Towers:
        if self._towers is None:
            raise NotFittedError("fresh towers were used before fit or load_state")
        return self._towers

    def state(self) -> State:
        towers = {f"towers.{name}": values for name, values in self._fitted.state().items()}
        return {**super().state(), **towers}

    def load_state(self, state: State) -> None:
        super().load_state(state)
        start = "towers."
        own = {name.removeprefix(start): values for name, values in state.items() if name.startswith(start)}
        self._towers = Towers.from_state(own)
