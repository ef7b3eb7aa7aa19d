"""One step of the funnel."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.errors import InputError
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.metrics.base import Judged
from mlsd.types import Catalog, Columns, Floats, Ints, RankingBatch, Requests, Served, State


@dataclass(frozen=True)
class TrainingData:
    """What a stage is fitted on.

    Args:
        catalog: everything that can be shown.
        log: what users did; None before anything was logged.
        labels: training targets; None before anything was logged.
        batches: split -> the log's requests of that split with the candidates that the stage before
            this one passes on.
    """

    catalog: Catalog
    log: Log | None = None
    labels: Labels | None = None
    batches: Mapping[str, RankingBatch] = field(default_factory=dict)


class Piece(NamedTuple):
    """Something within a stage that its config can switch off by itself, such as a rewriter or a feature."""

    group: str
    """What it is judged with when one asks what parts are worth, `<kind>/<name>`: `features/query_item`."""

    needs: frozenset[str]
    """Columns that it reads, as `request.<name>` or `candidate.<name>`."""


class Stage(ABC):
    """Takes a batch and returns it: its requests with more columns, or its candidates found and ordered."""

    n_out: int | None = None
    """Candidates passed on for each request, at most; None where a stage leaves candidates alone."""

    learns_from_labels: ClassVar[bool] = False
    """Whether what it produces has seen the labels of the ranking window."""

    learns_alone: ClassVar[bool] = False
    """Whether each of its pieces learns from the catalog and the log alone, neither from what earlier stages
    pass on nor from the other pieces: a funnel that changes around it then needs no new fit of it."""

    @property
    @abstractmethod
    def needs(self) -> frozenset[str]:
        """Columns that must be there, as `request.<name>` or `candidate.<name>`."""

    @property
    @abstractmethod
    def produces(self) -> frozenset[str]:
        """Columns that it adds."""

    @property
    def catalog_needs(self) -> frozenset[str]:
        """Columns of the catalog that it is fitted on."""
        return frozenset()

    @property
    def annotation_needs(self) -> frozenset[str]:
        """What annotators must have said about requests, such as `intent`."""
        return frozenset()

    @property
    def pieces(self) -> Mapping[str, Piece]:
        """What can be switched off in it by itself, by name.

        A stage that has any does nothing without all of them: a redesign that leaves none has no such stage.
        """
        return {}

    def without(self, pieces: Collection[str]) -> Self:
        """The same design without some of its pieces, not fitted.

        Raises:
            InputError: it has no such piece, or would have none left.
        """
        self._check_gone(pieces)
        return self

    def muted(self, pieces: Collection[str]) -> Self:
        """This fitted stage with some of its pieces silent: nothing is learnt again, and it stays as it is.

        Raises:
            InputError: it has no such piece, or would have none left.
        """
        self._check_gone(pieces)
        return self

    def _check_gone(self, pieces: Collection[str]) -> None:
        known, own = ", ".join(sorted(self.pieces)) or "none", type(self).__name__
        for name in pieces:
            if name not in self.pieces:
                raise InputError(f"{own} has no piece {name!r}; there are {known}")
        if pieces and len(set(pieces)) == len(self.pieces):
            raise InputError(f"{own} would have nothing left without {known}")

    @abstractmethod
    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        """Learn; returns the training curves of each model inside, by name."""

    @abstractmethod
    def process(self, batch: RankingBatch) -> RankingBatch:
        """The stage's work."""

    @property
    def contents(self) -> str:
        """What is inside it, in words."""
        return type(self).__name__

    @property
    def is_live(self) -> bool:
        """Whether it remembers what users do while it serves: whether `observed` changes anything."""
        return False

    def observed(self, served: Served) -> Self:
        """This stage when it knows, too, what users did since it was fitted; itself if that changes nothing.

        Weights stay what they are: what becomes newer is what it remembers, such as counts and what was seen.
        All of it is looked up strictly before the hour of a request.

        Args:
            served: of hours later than all that it knows.
        """
        del served
        return self

    @abstractmethod
    def state(self) -> State:
        """What `fit` learnt."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""

    def __call__(self, batch: RankingBatch) -> RankingBatch:
        missing = self.needs - batch.column_names
        if missing:
            raise InputError(
                f"{type(self).__name__} needs {', '.join(sorted(missing))}; "
                f"there are {', '.join(sorted(batch.column_names))}"
            )
        return self.process(batch)


class CandidateStage(Stage):
    """Finds, narrows or orders candidates. They come out best first, `n_out` at most.

    Args:
        n_out: candidates passed on for each request, at most.
    """

    n_out: int

    def __init__(self, n_out: int) -> None:
        self.n_out = checks.at_least("n_out", n_out, 1)


class Filling(Protocol):
    """Slates in the making: what each candidate would add to its slate as it stands."""

    def gains(self, left: NDArray[np.bool_]) -> Floats:
        """(n_candidates,) what each adds; -inf where it may not be shown now.

        Args:
            left: which candidates stand on no slate yet.
        """

    def add(self, chosen: Ints) -> None:
        """Put one candidate on every slate.

        Args:
            chosen: (n_candidates,) the row of the candidate just chosen for each candidate's request. A
                request that has none left repeats one.
        """


_BLOCK_ROWS = 1 << 14
"""Candidates that slates are filled from at once, about, so that they stay in a cache; changes no value."""


class SlateStage(CandidateStage):
    """Fills the shown positions one by one with the candidate that adds most; the others keep their order.

    Ties keep the order of `candidate.score`. Shown or not, candidates come out with `candidate.score`
    = 1 / (1 + position), which falls in the new order, and `candidate.ranked_score`, which is what
    `candidate.score` was.

    Args:
        n_out: candidates passed on for each request, at most.
        n_positions: how many are shown; None means `n_out`.
    """

    def __init__(self, n_out: int, n_positions: int | None = None) -> None:
        super().__init__(n_out)
        self.n_positions = n_out if n_positions is None else checks.at_least("n_positions", n_positions, 1)
        checks.require(
            self.n_positions <= n_out, "n_positions", n_positions, f"must be at most n_out == {n_out}"
        )

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score", "candidate.ranked_score"})

    @abstractmethod
    def filling(self, ranked: RankingBatch) -> Filling:
        """Empty slates for requests that all have candidates, best first."""

    def process(self, batch: RankingBatch) -> RankingBatch:
        scores = batch.candidates["score"]
        n_bad = int(np.count_nonzero(~np.isfinite(scores)))
        if n_bad:
            raise InputError(f"candidate.score of {n_bad} of {len(scores)} candidates is not finite")
        ranked = batch.top(scores, len(batch.candidates))
        starts, requests = ranked.candidates.offsets, np.arange(len(ranked))
        blocks = ragged.blocks(starts, _BLOCK_ROWS) if len(ranked) else ()
        orders = [starts[block.start] + self._order(ranked.take(requests[block])) for block in blocks]
        rows = np.concatenate(orders or [self._order(ranked)])
        shown, offsets = ragged.first(ranked.candidates.offsets, self.n_out)
        candidates = ranked.candidates.take(rows[shown], offsets)
        score = 1.0 / (1 + ragged.positions(offsets))
        ordered = candidates.with_columns(score=score, ranked_score=candidates["score"])
        return RankingBatch(batch.requests, ordered)

    def _order(self, ranked: RankingBatch) -> Ints:
        """(n_candidates,) rows of candidates, best first, with each slate at the head of its request."""
        filled = ranked.take(np.flatnonzero(ranked.candidates.counts))
        offsets, counts = filled.candidates.offsets, filled.candidates.counts
        filling, left = self.filling(filled), np.ones(len(filled.candidates), bool)
        place = self.n_positions + ragged.positions(offsets)
        for position in range(min(self.n_positions, int(counts.max(initial=0)))):
            best = ragged.argmax(np.where(left, filling.gains(left), -np.inf), offsets)
            place[best[left[best]]] = position
            left[best] = False
            filling.add(np.repeat(best, counts))
        return ragged.order(-place, offsets)


class RequestStage(Stage):
    """Works on requests before anything is retrieved for them, such as rewriting or understanding a query.

    Requests come out in the same order; what was asked may be replaced, candidates are left as they are.
    """

    @abstractmethod
    def judge(self, asked: Requests, passed: Requests, truth: Columns) -> Judged:
        """How well the stage did its own work, whatever became of it further on.

        Args:
            asked: the requests that came in.
            passed: the same requests as they went out.
            truth: what is true of them, (n_requests,) each, as of `World.truth_of`. What a world does not
                know is not there, and nothing is judged by it.
        """
