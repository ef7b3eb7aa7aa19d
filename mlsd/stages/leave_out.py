"""Leave out what must not be shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from typing import Self

import numpy as np

from mlsd import checks
from mlsd.filters.base import Filter
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import CandidateStage, Piece, TrainingData
from mlsd.types import RankingBatch, Served, State


class LeaveOut(CandidateStage):
    """Passes on the candidates that every filter lets through, in their order.

    Args:
        n_out: candidates passed on for each request, at most: the first ones.
        filters: name -> filter; None switches one off.
    """

    learns_alone = True

    def __init__(self, n_out: int, filters: Mapping[str, Filter | None]) -> None:
        super().__init__(n_out)
        self.filters = {name: each for name, each in filters.items() if each is not None}
        checks.require(bool(self.filters), "filters", list(filters), "must have one that is not null")
        for name in filters:
            checks.require(name.isidentifier(), "filters", name, "must be a name of letters, digits and _")

    @property
    def needs(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.needs for each in self.filters.values()))

    @property
    def produces(self) -> frozenset[str]:
        return frozenset()

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.catalog_needs for each in self.filters.values()))

    @property
    def pieces(self) -> Mapping[str, Piece]:
        return {name: Piece(f"filter/{name}", each.needs) for name, each in self.filters.items()}

    def without(self, pieces: Collection[str]) -> Self:
        """Without some of its filters."""
        self._check_gone(pieces)
        less = copy(self)
        less.filters = {name: each for name, each in self.filters.items() if name not in pieces}
        return less

    muted = without

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        del fitting
        for each in self.filters.values():
            each.fit(data.catalog, data.log)
        return {}

    @property
    def contents(self) -> str:
        return f"without {', '.join(name.replace('_', ' ') for name in self.filters)}"

    @property
    def is_live(self) -> bool:
        return any(type(each).observed is not Filter.observed for each in self.filters.values())

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer.filters = {name: each.observed(served) for name, each in self.filters.items()}
        return newer

    def process(self, batch: RankingBatch) -> RankingBatch:
        kept = np.logical_and.reduce([each.kept(batch) for each in self.filters.values()])
        return batch.keep(kept).first(self.n_out)

    def state(self) -> State:
        states = {name: each.state() for name, each in self.filters.items()}
        return {f"{name}.{key}": array for name, state in states.items() for key, array in state.items()}

    def load_state(self, state: State) -> None:
        for name, each in self.filters.items():
            start = f"{name}."
            each.load_state({k.removeprefix(start): v for k, v in state.items() if k.startswith(start)})
