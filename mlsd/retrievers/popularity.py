"""Popularity: what most people click, whoever asks and whatever for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.errors import InputError, NotFittedError, nearest
from mlsd.fitting import Curves, Fitting
from mlsd.logs import IMPRESSION_COLUMNS, Log
from mlsd.retrievers.base import Retriever
from mlsd.types import Candidates, Catalog, Ints, Requests, State


class Popularity(Retriever):
    """Items by how often something was done with them in the log's `retrieval` window.

        score(item) = log(1 + number of impressions of the item with the action)

    The logarithm keeps the few most popular items from drowning all differences below them where the score
    is read as a feature. An item that nobody did anything with has score 0 and is not found.

    Args:
        action: column of the log that is counted where it is above 0, such as `click`.
    """

    def __init__(self, action: str = "click") -> None:
        self.action = checks.not_empty("action", action)
        self._scores: NDArray[np.float32] | None = None
        self._best: Ints = np.zeros(0, np.int64)

    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> Curves:
        """Count the actions of the window.

        Raises:
            InputError: there is no log, or it does not have the action.
        """
        if log is None:
            raise InputError(f"{fitting.name} counts the {self.action}s of a log, and nothing is logged yet")
        self._check_action(log, fitting.name)
        impressions = log.window("retrieval").impressions
        acted = impressions.loc[impressions[self.action] > 0, "item"].to_numpy()
        counts = np.bincount(acted, minlength=len(catalog))
        self.load_state({"scores": np.log1p(counts).astype(np.float32)})
        return Curves()

    def retrieve(self, requests: Requests, n: int) -> Candidates:
        scores, items = self.scores, self._best[:n]
        offsets = ragged.offsets_of_counts(np.full(len(requests), len(items)))
        found = np.tile(items, len(requests))
        return Candidates(offsets, found, {"score": scores[found]})

    def score(self, requests: Requests, candidates: Candidates) -> NDArray[np.float32]:  # noqa: ARG002
        return self.scores[candidates.items]

    def state(self) -> State:
        return {"scores": self.scores}

    def load_state(self, state: State) -> None:
        self._scores = state["scores"]
        by_score = np.argsort(-self.scores, kind="stable")
        self._best = by_score[: np.count_nonzero(self.scores)]

    @property
    def scores(self) -> NDArray[np.float32]:
        """(n_items,) the score of every item."""
        if self._scores is None:
            raise NotFittedError("Popularity was used before fit or load_state")
        return self._scores

    def _check_action(self, log: Log, name: str) -> None:
        actions = [str(column) for column in log.impressions if column not in IMPRESSION_COLUMNS]
        if self.action not in actions:
            close = nearest(self.action, actions)
            hint = f"; nearest is {close!r}" if close else ""
            there = ", ".join(actions) or "none"
            raise InputError(f"{name} counts the action {self.action!r}; actions of the log: {there}{hint}")
