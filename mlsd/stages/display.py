"""Order the best candidates for display, so that what is shown is not all alike."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.columns import whole_numbers
from mlsd.diversifiers.base import Choice, Diversifier, Pool
from mlsd.errors import InputError, NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import Filling, Piece, SlateStage, TrainingData
from mlsd.types import Array, Floats, Ints, RankingBatch, State

RelevanceRule = Literal["min_max", "softmax", "click_prob"]
RELEVANCE_RULES: tuple[RelevanceRule, ...] = ("min_max", "softmax", "click_prob")

NO_SOURCE = -1
"""The `source` of an item that comes from nowhere in particular; so is any negative one."""


class Display(SlateStage):
    """Fills the shown positions one by one with the candidate that adds most; the others keep their order.

    What a candidate adds is its relevance or, with a diversifier, that weighed against what stands on the
    slate already. Relevance is in [0, 1] and rises with `candidate.score`, which has no scale of its own:

        min_max:    (score - lowest) / (highest - lowest) of the request; 1 where all are equal
        softmax:    exp(score) / sum of exp(score) over the request: of a loss that compares candidates
        click_prob: `candidate.click_prob`, where the stage before is calibrated; as it is

    At most `max_per_source` items of one `source` are among the shown positions. Where every candidate that
    is left belongs to a source with that many, the rule is given up and the next best one is shown. An item
    with a negative source belongs to none, and is never held back.

    Ties keep the order of `candidate.score`. Shown or not, candidates come out with `candidate.score`
    = 1 / (1 + position), which falls in the new order, and `candidate.ranked_score`, which is what
    `candidate.score` was.

    Args:
        n_out: candidates passed on for each request, at most.
        n_positions: how many are shown; None means `n_out`.
        diversifier: what is added by being different; None goes by relevance alone.
        max_per_source: None sets no cap.
        relevance: "min_max", "softmax" or "click_prob".
    """

    learns_alone = True

    def __init__(
        self,
        n_out: int,
        n_positions: int | None = None,
        diversifier: Diversifier | None = None,
        max_per_source: int | None = None,
        relevance: RelevanceRule = "min_max",
    ) -> None:
        super().__init__(n_out, n_positions)
        self.diversifier = diversifier
        self.max_per_source = (
            None if max_per_source is None else checks.at_least("max_per_source", max_per_source, 1)
        )
        checks.require(
            diversifier is not None or max_per_source is not None,
            "diversifier",
            diversifier,
            "must be given where max_per_source is null: nothing would be left to do",
        )
        self.relevance: RelevanceRule = checks.one_of("relevance", relevance, RELEVANCE_RULES)
        self._state: State | None = None

    @property
    def needs(self) -> frozenset[str]:
        own = {"candidate.score"} | ({"candidate.click_prob"} if self.relevance == "click_prob" else set())
        return frozenset(own | (self.diversifier.needs if self.diversifier else set()))

    @property
    def contents(self) -> str:
        capped = [] if self.max_per_source is None else [f"at most {self.max_per_source} of a source"]
        return ", ".join([type(self.diversifier).__name__] * (self.diversifier is not None) + capped)

    @property
    def catalog_needs(self) -> frozenset[str]:
        own = set() if self.max_per_source is None else {"source"}
        return frozenset(own | (self.diversifier.catalog_needs if self.diversifier else set()))

    @property
    def pieces(self) -> Mapping[str, Piece]:
        pieces = {}
        if self.diversifier is not None:
            pieces["diversifier"] = Piece("display/diversifier", self.diversifier.needs)
        if self.max_per_source is not None:
            pieces["max_per_source"] = Piece("display/max_per_source", frozenset())
        return pieces

    def without(self, pieces: Collection[str]) -> Self:
        """Without its diversifier, by relevance alone, or without its cap on sources."""
        less = self.muted(pieces)
        less._state = None  # noqa: SLF001  (its own copy)
        return less

    def muted(self, pieces: Collection[str]) -> Self:
        """The same, of what was taken from the catalog already."""
        self._check_gone(pieces)
        less = copy(self)
        less.diversifier = None if "diversifier" in pieces else self.diversifier
        less.max_per_source = None if "max_per_source" in pieces else self.max_per_source
        return less

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:  # noqa: ARG002
        """Take from the catalog what says how items differ; nothing is learnt from users."""
        state: State = {}
        if self.max_per_source is not None:
            state["source"] = whole_numbers(data.catalog, "source")
        if self.diversifier is not None:
            self.diversifier.fit(data.catalog)
            state |= {f"{_PREFIX}{name}": array for name, array in self.diversifier.state().items()}
        self._state = state
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        self.state()
        return super().process(batch)

    def filling(self, ranked: RankingBatch) -> Filling:
        pool = _pool(ranked, self.relevance)
        choice = self.diversifier.begin(pool) if self.diversifier else Choice(pool)
        return _Filling(choice, self._caps(pool))

    def _caps(self, pool: Pool) -> _Caps:
        if self.max_per_source is None:
            return _Caps(pool, np.full(len(pool.candidates), NO_SOURCE), 1)
        return _Caps(pool, self.state()["source"][pool.candidates.items], self.max_per_source)

    def state(self) -> State:
        if self._state is None:
            raise NotFittedError("a display stage was used before fit or load_state")
        return self._state

    def load_state(self, state: State) -> None:
        self._state = dict(state)
        if self.diversifier is not None:
            own = {
                name.removeprefix(_PREFIX): array for name, array in state.items() if name.startswith(_PREFIX)
            }
            self.diversifier.load_state(own)


_PREFIX = "diversifier."


class _Filling(NamedTuple):
    """What a diversifier chooses, within the caps."""

    choice: Choice
    caps: _Caps

    def gains(self, left: NDArray[np.bool_]) -> Floats:
        return np.where(self.caps.allowed(left), self.choice.gains(), -np.inf)

    def add(self, chosen: Ints) -> None:
        self.choice.add(chosen)
        self.caps.add(chosen)


class _Caps:
    """Which candidates the cap on sources lets onto the slates as they stand.

    Args:
        pool: what there is to choose from.
        source: (n_candidates,) of each; negative for none.
        most: items of a source on a slate, at most.
    """

    def __init__(self, pool: Pool, source: Ints, most: int) -> None:
        self._pool = pool
        self._source = source
        self._most = most
        self._n_shown = np.zeros(len(source), np.int64)

    def allowed(self, left: Array) -> Array:
        """(n_candidates,) of those left, the ones under the cap; all of them where none is."""
        under = left & (self._n_shown < self._most)
        nobody = ragged.sums(under, self._pool.candidates.offsets) == 0
        return under | (left & self._pool.of_request(nobody))

    def add(self, chosen: Ints) -> None:
        """Count the candidate at row `chosen` (n_candidates,) for all of its source."""
        self._n_shown += (self._source == self._source[chosen]) & (self._source > NO_SOURCE)


def _pool(ranked: RankingBatch, rule: RelevanceRule) -> Pool:
    """Requests that have candidates, with the relevance of these."""
    if rule == "click_prob":
        relevance = ranked.candidates["click_prob"].astype(np.float64)
        _check_probabilities(relevance, ranked.candidates.offsets)
    else:
        scores = ranked.candidates["score"].astype(np.float64)
        scale = _min_max if rule == "min_max" else _softmax
        relevance = scale(scores, ranked.candidates.offsets)
    return Pool(ranked.requests, ranked.candidates, relevance)


def _min_max(scores: Floats, offsets: Ints) -> Floats:
    """Scores, which fall within a request, from 0 to 1; 1 where all are equal."""
    counts = np.diff(offsets)
    highest, lowest = scores[offsets[:-1]], scores[offsets[1:] - 1]
    width = np.repeat(highest - lowest, counts)
    above = scores - np.repeat(lowest, counts)
    return np.divide(above, width, out=np.ones(len(scores)), where=width > 0)


def _softmax(scores: Floats, offsets: Ints) -> Floats:
    """Scores, which fall within a request, as probabilities that add up to 1."""
    counts = np.diff(offsets)
    odds = np.exp(scores - np.repeat(scores[offsets[:-1]], counts))
    return np.asarray(odds / np.repeat(ragged.sums(odds, offsets), counts))


def _check_probabilities(values: Floats, offsets: Ints) -> None:
    right = (values >= 0) & (values <= 1)
    if not right.all():
        row = int(np.argmin(right))
        raise InputError(f"candidate.click_prob[{row}] == {values[row]}, must be in [0, 1]")
    rises = np.diff(values, prepend=np.inf) > 0
    rises[offsets[:-1]] = False
    if rises.any():
        raise InputError(
            "candidate.click_prob rises where candidate.score falls: it must be of the stage that gave the "
            "score, so calibrate that one"
        )
