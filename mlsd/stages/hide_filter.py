"""Leave out what people hide much more often than other items."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlsd import checks
from mlsd.errors import InputError, NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import Floats, RankingBatch, State

ACTION = "hide"


class HideFilter(CandidateStage):
    """Passes on the candidates that are not hidden too often, in their order.

        mean       = all hides / all impressions
        rate(item) = (hides + strength * mean) / (impressions + strength)
        kept where rate(item) <= max_ratio * mean

    Hides are rare, so the rate of an item that was shown seldom is drawn to the mean: nothing is left out
    before it was shown. Counts are those of the windows before the test.

    Args:
        n_out: candidates passed on for each request, at most.
        max_ratio: how much more often than the average an item may be hidden, at least 1.
        strength: impressions that the mean counts for, above 0.
    """

    def __init__(self, n_out: int, max_ratio: float, strength: float) -> None:
        super().__init__(n_out)
        self.max_ratio = checks.at_least("max_ratio", max_ratio, 1)
        self.strength = checks.above("strength", strength, 0)
        self._ratio: Floats | None = None

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"candidate.score"})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score"})

    @property
    def ratio(self) -> Floats:
        """(n_items,) how much more often than the average each item is hidden, smoothed.

        Raises:
            NotFittedError: before `fit` or `load_state`.
        """
        if self._ratio is None:
            raise NotFittedError("a hide filter was used before fit or load_state")
        return self._ratio

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:  # noqa: ARG002
        """Count impressions and hides.

        Raises:
            InputError: nothing has been logged yet, or the log does not say what was hidden.
        """
        if data.log is None:
            raise InputError("a hide filter learns from a log, and nothing has been logged yet")
        shown = data.log.until("validation").impressions
        if ACTION not in shown.columns:
            raise InputError(f"a hide filter needs the action {ACTION!r}, which the log lacks")
        item, n_items = shown["item"].to_numpy(), len(data.catalog)
        hides = np.bincount(item, shown[ACTION].to_numpy(np.float64), n_items)
        impressions = np.bincount(item, minlength=n_items)
        mean = hides.sum() / max(impressions.sum(), 1)
        rate = (hides + self.strength * mean) / (impressions + self.strength)
        self._ratio = rate / mean if mean > 0 else np.ones(n_items)
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        kept = self.ratio[batch.candidates.items] <= self.max_ratio
        return batch.keep(kept).first(self.n_out)

    def state(self) -> State:
        return {"ratio": self.ratio}

    def load_state(self, state: State) -> None:
        self._ratio = state["ratio"]
