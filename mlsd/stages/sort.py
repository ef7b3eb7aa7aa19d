"""Order candidates by one of their columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlsd import checks
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import RankingBatch, State


class Sort(CandidateStage):
    """Passes on the candidates of the highest value of a column, highest first; ties keep their order.

    Their `candidate.score` is that value, which must be finite.

    Args:
        n_out: candidates passed on for each request, at most.
        by: `candidate.<name>`, such as `candidate.in_network_score`: the newest first.
    """

    learns_alone = True

    def __init__(self, n_out: int, by: str) -> None:
        super().__init__(n_out)
        owner, _, name = by.partition(".")
        rule = "must be a column of candidates, candidate.<name>"
        self.by = checks.require(owner == "candidate" and bool(name), "by", by, rule)

    @property
    def contents(self) -> str:
        return f"by {self.by.partition('.')[2].replace('_', ' ')}"

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.by})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score"})

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        del data, fitting
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        """The stage's work.

        Raises:
            InputError: a value is not finite.
        """
        score = batch.per_candidate(self.by).astype(np.float64)
        checks.every_row(self.by, score, np.isfinite(score), "finite")
        scored = RankingBatch(batch.requests, batch.candidates.with_columns(score=score))
        return scored.top(score, self.n_out)

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        """Nothing is learnt."""
