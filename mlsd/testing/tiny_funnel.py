"""Stages that do one plain thing each and count their fits: what they are worth is known by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from copy import copy
from typing import Self

import numpy as np

from mlsd.fitting import Curves, Fitting
from mlsd.metrics.base import Judged
from mlsd.stages.base import CandidateStage, Piece, RequestStage, Stage, TrainingData
from mlsd.types import Candidates, Columns, Floats, RankingBatch, Requests, State

ITEMS = np.arange(4)
"""What `Finding` finds for everybody, in this order."""

Order = Callable[[RankingBatch], Floats]
"""(n_candidates,) what candidates are ordered by."""


def as_they_come(batch: RankingBatch) -> Floats:
    """Nothing is done."""
    return np.zeros(len(batch.candidates))


def backwards(batch: RankingBatch) -> Floats:
    """The order is turned round."""
    return np.arange(len(batch.candidates), dtype=np.float64)


class Counted(Stage):
    """Counts its fits under its name, and learns nothing but its seed."""

    needs: frozenset[str] = frozenset()
    produces: frozenset[str] = frozenset()
    fits: Counter[str]
    seed = np.zeros(0, np.int64)

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        del data
        self.fits[fitting.name] += 1
        self.seed = np.array([fitting.seed])
        return {}

    def state(self) -> State:
        return {"seed": self.seed}

    def load_state(self, state: State) -> None:
        self.seed = state["seed"]


class Finding(Counted, CandidateStage):
    """Finds the same items for everybody; each piece gives them a score of its name.

    Args:
        fits: counts fits by name.
        scores: names of the pieces.
    """

    learns_alone = True

    def __init__(self, fits: Counter[str], scores: Collection[str] = ()) -> None:
        super().__init__(len(ITEMS))
        self.fits, self.scores = fits, frozenset(scores)

    @property
    def produces(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset(f"candidate.{name}_score" for name in self.scores)

    @property
    def pieces(self) -> Mapping[str, Piece]:
        return {name: Piece(f"retriever/{name}", frozenset()) for name in sorted(self.scores)}

    def without(self, pieces: Collection[str]) -> Self:
        self._check_gone(pieces)
        less = copy(self)
        less.scores = self.scores - set(pieces)
        return less

    muted = without

    def process(self, batch: RankingBatch) -> RankingBatch:
        offsets = np.arange(len(batch) + 1) * len(ITEMS)
        columns = {f"{name}_score": np.zeros(offsets[-1]) for name in self.scores}
        return RankingBatch(batch.requests, Candidates(offsets, np.tile(ITEMS, len(batch)), columns))


class Ordering(Counted, CandidateStage):
    """Orders candidates, and learns from labels.

    Args:
        fits: counts fits by name.
        order: by what, the highest first.
        n_out: candidates passed on.
        reads: name of each piece -> the column that it reads.
        group: what its pieces are judged with; {} is the piece itself.
    """

    learns_from_labels = True

    def __init__(
        self,
        fits: Counter[str],
        order: Order = as_they_come,
        n_out: int = len(ITEMS),
        reads: Mapping[str, str] | None = None,
        group: str = "features/all",
    ) -> None:
        super().__init__(n_out)
        self.fits, self.order, self.reads, self.group = fits, order, dict(reads or {}), group

    @property
    def needs(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset(self.reads.values())

    @property
    def pieces(self) -> Mapping[str, Piece]:
        reads = self.reads.items()
        return {name: Piece(self.group.format(name), frozenset({column})) for name, column in reads}

    def without(self, pieces: Collection[str]) -> Self:
        self._check_gone(pieces)
        less = copy(self)
        less.reads = {name: column for name, column in self.reads.items() if name not in pieces}
        return less

    def process(self, batch: RankingBatch) -> RankingBatch:
        return batch.top(self.order(batch), self.n_out)


class Noting(Counted, RequestStage):
    """Adds columns to requests, each by a piece of its name.

    Args:
        fits: counts fits by name.
        notes: names of the columns.
    """

    def __init__(self, fits: Counter[str], notes: Collection[str] = ("note",)) -> None:
        self.fits, self.notes = fits, frozenset(notes)

    @property
    def produces(self) -> frozenset[str]:  # type: ignore[override]
        return frozenset(f"request.{name}" for name in self.notes)

    @property
    def pieces(self) -> Mapping[str, Piece]:
        return {name: Piece(f"classifier/{name}", frozenset()) for name in sorted(self.notes)}

    def without(self, pieces: Collection[str]) -> Self:
        self._check_gone(pieces)
        less = copy(self)
        less.notes = self.notes - set(pieces)
        return less

    muted = without

    def process(self, batch: RankingBatch) -> RankingBatch:
        columns = dict.fromkeys(sorted(self.notes), np.ones(len(batch)))
        return RankingBatch(batch.requests.with_columns(**columns), batch.candidates)

    def judge(self, asked: Requests, passed: Requests, truth: Columns) -> Judged:
        del asked, passed, truth
        return Judged({}, {})
