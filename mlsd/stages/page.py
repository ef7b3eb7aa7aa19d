"""The ads that a log has for a page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import InputError, NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import Candidates, Floats, RankingBatch, State


class Page(CandidateStage):
    """Passes on the rows of a log that compete for a page, those that bid most first.

        candidates = first_item, first_item + 1, ..., first_item + n_items - 1
        candidate.score = candidate.bid = what is bid for a click

    Equal bids keep the order of the log; candidates that a batch had before are replaced.

    Args:
        n_out: candidates passed on for each request, at most.
    """

    def __init__(self, n_out: int) -> None:
        super().__init__(n_out)
        self._bid: Floats | None = None

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"request.first_item", "request.n_items"})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score", "candidate.bid"})

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset({"bid"})

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:  # noqa: ARG002
        """Take the bids from the catalog.

        Raises:
            InputError: one is negative or not finite.
        """
        bid = data.catalog["bid"]
        checks.every_row_between("item.bid", bid, 0, np.finfo(np.float64).max, "finite and at least 0")
        self._bid = bid.astype(np.float64)
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        """The rows of each page.

        Raises:
            InputError: a page has rows that the log does not have, or fewer than none.
        """
        bid = self._fitted
        first, n = batch.requests["first_item"], batch.requests["n_items"]
        strange = np.flatnonzero((first < 0) | (n < 0) | (first + n > len(bid)))
        if len(strange):
            row = strange[0]
            raise InputError(
                f"request {batch.requests.request_id[row]} has {n[row]} items from {first[row]} on, "
                f"must be within the {len(bid)} of the log"
            )
        offsets = ragged.offsets_of_counts(n)
        items = np.repeat(first, n) + ragged.positions(offsets)
        columns = {"score": bid[items], "bid": bid[items]}
        return RankingBatch(batch.requests, Candidates(offsets, items, columns)).top(bid[items], self.n_out)

    @property
    def _fitted(self) -> Floats:
        if self._bid is None:
            raise NotFittedError("a page stage was used before fit or load_state")
        return self._bid

    def state(self) -> State:
        return {"bid": self._fitted}

    def load_state(self, state: State) -> None:
        self._bid = state["bid"]
