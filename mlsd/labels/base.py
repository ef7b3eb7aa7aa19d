"""How judgements and actions become training labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mlsd import ragged
from mlsd.logs import Log
from mlsd.types import Floats, Ints, RankingBatch


@dataclass(frozen=True)
class Labels:
    """Training targets of (request, item) pairs.

    A label is at least 0. Labels from actions are divided by the estimated examination of the position
    they were seen at, so they may exceed 1: with these, every loss of mlsd is unbiased for what it
    would be if every position were examined like the first (Joachims, Swaminathan and Schnabel 2017).

    Args:
        request_id: (n,) int64, ascending.
        item: (n,) int64, ascending within a request.
        label: (n,) float32.
        examination: (n_positions,) estimated P(examined at position) / P(examined at position 0);
            empty when labels do not come from positions.
        diagnostics: figures about how the labels came about, for the report.
    """

    request_id: Ints
    item: Ints
    label: NDArray[np.float32]
    examination: Floats = field(default_factory=lambda: np.zeros(0))
    diagnostics: Mapping[str, object] = field(default_factory=dict)

    def of(self, batch: RankingBatch) -> NDArray[np.float32]:
        """(n_candidates,) the label of each candidate, NaN where there is none."""
        wanted = (batch.requests.request_id[batch.candidates.request_rows], batch.candidates.items)
        requests, rows = np.unique(np.concatenate([self.request_id, wanted[0]]), return_inverse=True)
        del requests  # only their ranks matter: pairs are found by small integers
        n = len(self.request_id)
        found, at = ragged.find_pairs((rows[n:], wanted[1]), (rows[:n], self.item))
        label = np.full(len(batch.candidates), np.nan, np.float32)
        label[found] = self.label[at[found]]
        return label


class LabelSource(ABC):
    """Makes labels from a log."""

    @abstractmethod
    def make(self, log: Log) -> Labels:
        """Labels of all windows of a log. What is estimated on the way comes from training windows only."""
