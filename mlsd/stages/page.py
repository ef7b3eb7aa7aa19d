"""The items that a log has for a page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import InputError, NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import Candidates, Floats, RankingBatch, State

BID = "bid"


class Page(CandidateStage):
    """Passes on the items of a log that compete for a page, those of the highest value of a column first.

        candidates = first_item, first_item + 1, ..., first_item + n_items - 1
        candidate.score = candidate.<by> = the item's value of the column

    Equal values keep the order of the log; candidates that a batch had before are replaced.

    Args:
        n_out: candidates passed on for each request, at most.
        by: column of the catalog with finite numbers: `bid`, what is bid for a click and never below 0, or
            another one, such as `published_days`: the newest first.
    """

    def __init__(self, n_out: int, by: str = BID) -> None:
        super().__init__(n_out)
        self.by = checks.not_empty("by", by)
        self._values: Floats | None = None

    @property
    def contents(self) -> str:
        return f"{type(self).__name__} by {self.by.replace('_', ' ')}"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"request.first_item", "request.n_items"})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score", f"candidate.{self.by}"})

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset({self.by})

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:  # noqa: ARG002
        """Take the column from the catalog.

        Raises:
            InputError: the column is not of numbers, a value is not finite, or a bid is negative.
        """
        values, most = np.asarray(data.catalog[self.by]), np.finfo(np.float64).max
        if values.dtype.kind not in "iuf":
            raise InputError(f"item.{self.by} has the type {values.dtype}, must be of numbers to order by")
        low, rule = (0.0, "finite and at least 0") if self.by == BID else (-most, "finite")
        checks.every_row_between(f"item.{self.by}", values, low, most, rule)
        self._values = values.astype(np.float64)
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        """The items of each page.

        Raises:
            InputError: a page has items that the log does not have, or fewer than none.
        """
        values = self._fitted
        first, n = batch.requests["first_item"], batch.requests["n_items"]
        strange = np.flatnonzero((first < 0) | (n < 0) | (first + n > len(values)))
        if len(strange):
            row = strange[0]
            raise InputError(
                f"request {batch.requests.request_id[row]} has {n[row]} items from {first[row]} on, "
                f"must be within the {len(values)} of the log"
            )
        offsets = ragged.offsets_of_counts(n)
        items = np.repeat(first, n) + ragged.positions(offsets)
        value = values[items]
        candidates = Candidates(offsets, items, {"score": value, self.by: value})
        return RankingBatch(batch.requests, candidates).top(value, self.n_out)

    @property
    def _fitted(self) -> Floats:
        if self._values is None:
            raise NotFittedError("a page stage was used before fit or load_state")
        return self._values

    def state(self) -> State:
        return {"values": self._fitted}

    def load_state(self, state: State) -> None:
        self._values = state["values"]
