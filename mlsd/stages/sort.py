"""Order candidates by one of their columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import RankingBatch, State


class Sort(CandidateStage):
    """Passes on the candidates of the highest value of a column, highest first; ties keep their order.

    Their `candidate.score` is that value.

    Args:
        n_out: candidates passed on for each request, at most.
        by: `candidate.<name>`, such as `candidate.in_network_score`: the newest first.
    """

    learns_alone = True

    def __init__(self, n_out: int, by: str) -> None:
        super().__init__(n_out)
        self.by = by

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
        score = batch.per_candidate(self.by).astype(np.float64)
        scored = RankingBatch(batch.requests, batch.candidates.with_columns(score=score))
        return scored.top(score, self.n_out)

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        """Nothing is learnt."""
