"""Blend the best candidates into a feed: not all by one author, not all of one kind, not all from afar."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from math import ceil
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.columns import published_days, whole_numbers
from mlsd.errors import NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import Filling, Piece, SlateStage, TrainingData
from mlsd.types import HOURS_A_DAY, Floats, Ints, RankingBatch, State

FRESHNESS, SHARE = "freshness", "max_share"

_DIGITS = 9
"""To which a number of positions is rounded before it is rounded up, since .55 * 20 is a little above 11."""

_TINY, _LOWEST = np.finfo(np.float64).tiny, np.finfo(np.float64).min


class Blend(SlateStage):
    """Fills the shown positions one by one with the candidate of highest value after discounts.

        factor(i) = product over columns c of  decay_c ^ (items on the slate with the value of i in c)
                    * 2 ^ (-age of i in hours / half_life_hours)
        gain(i)   = score * factor where the score is at least 0, score / factor below that

    so that a discount never raises anything. At most ceil(max_share * n_positions) of the shown positions
    hold a candidate from afar, which is one whose column `near` is not above 0. Where nothing else is left,
    the rule is given up for as long as that is so. What comes out is as `SlateStage` says.

    Args:
        n_out: candidates passed on for each request, at most.
        n_positions: how many are shown; None means `n_out`.
        decays: column of the catalog with integers -> decay, in (0, 1]; None switches one off.
        half_life_hours: after which an item's age halves it, above 0; an item from the future is not old;
            None for no discount of age.
        max_share: of the shown positions for candidates from afar, in [0, 1]; None for no limit.
        near: column of candidates, such as `candidate.in_network_score`; read where there is a limit.
        published: column of the catalog with the time of publication, in days since the start of the log.
    """

    learns_alone = True

    def __init__(
        self,
        n_out: int,
        n_positions: int | None = None,
        decays: Mapping[str, float | None] | None = None,
        half_life_hours: float | None = None,
        max_share: float | None = None,
        near: str = "candidate.in_network_score",
        published: str = "published_days",
    ) -> None:
        super().__init__(n_out, n_positions)
        self.decays = {name: decay for name, decay in (decays or {}).items() if decay is not None}
        for name, decay in self.decays.items():
            checks.probability(f"decays.{name}", decay)
            rule = f"must be no column called {FRESHNESS} or {SHARE}, which are rules of their own"
            checks.require(name not in {FRESHNESS, SHARE}, "decays", name, rule)
        self.half_life_hours = (
            None if half_life_hours is None else checks.above("half_life_hours", half_life_hours, 0)
        )
        self.max_share = max_share if max_share is None else checks.share("max_share", max_share)
        self.near, self.published = near, published
        checks.require(bool(self.pieces), "decays", decays, "must have one where nothing else is blended")
        self._columns: State | None = None

    @property
    def needs(self) -> frozenset[str]:
        aged = {"request.time_days"} if self.half_life_hours is not None else set()
        return frozenset({"candidate.score"} | aged | ({self.near} if self.max_share is not None else set()))

    @property
    def contents(self) -> str:
        return f"by {', '.join(name.replace('_', ' ') for name in self.pieces)}"

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset({*self.decays, *self._dated})

    @property
    def pieces(self) -> Mapping[str, Piece]:
        pieces = {name: Piece(f"blend/{name}", frozenset()) for name in self.decays}
        if self.half_life_hours is not None:
            pieces[FRESHNESS] = Piece(f"blend/{FRESHNESS}", frozenset({"request.time_days"}))
        if self.max_share is not None:
            pieces[SHARE] = Piece(f"blend/{SHARE}", frozenset({self.near}))
        return pieces

    def without(self, pieces: Collection[str]) -> Self:
        """Without some of its rules."""
        self._check_gone(pieces)
        less = copy(self)
        less.decays = {name: decay for name, decay in self.decays.items() if name not in pieces}
        less.half_life_hours = None if FRESHNESS in pieces else self.half_life_hours
        less.max_share = None if SHARE in pieces else self.max_share
        return less

    muted = without

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        """Take from the catalog what says how items differ; nothing is learnt from users.

        Raises:
            InputError: a column of `decays` has no integers, or a time of publication is not finite.
        """
        del fitting
        whole = {name: whole_numbers(data.catalog, name) for name in self.decays}
        self._columns = whole | {name: published_days(data.catalog, name) for name in self._dated}
        return {}

    def filling(self, ranked: RankingBatch) -> Filling:
        found, columns = ranked.candidates, self.state()
        factor = np.ones(len(found))
        if self.half_life_hours is not None:
            age = ranked.per_candidate("request.time_days") - columns[self.published][found.items]
            factor = 2.0 ** (-HOURS_A_DAY * np.maximum(age, 0.0) / self.half_life_hours)
        values = {name: columns[name][found.items] for name in self.decays}
        afar = found_afar(ranked, self.near) if self.max_share is not None else np.zeros(len(found), bool)
        share = 1.0 if self.max_share is None else self.max_share
        most = ceil(round(share * self.n_positions, _DIGITS))
        score = found["score"].astype(np.float64)
        return _Filling(score, factor, values, self.decays, afar, most, found.offsets)

    @property
    def _dated(self) -> tuple[str, ...]:
        """The column with times of publication, where age is discounted."""
        return () if self.half_life_hours is None else (self.published,)

    def state(self) -> State:
        if self._columns is None:
            raise NotFittedError("a blending stage was used before fit or load_state")
        return self._columns

    def load_state(self, state: State) -> None:
        self._columns = dict(state)


def found_afar(batch: RankingBatch, near: str) -> NDArray[np.bool_]:
    """(n_candidates,) whether each comes from afar: its column `near` is not above 0."""
    return ~(batch.per_candidate(near) > 0)


class _Filling:
    """Slates in the making.

    Args:
        score: (n_candidates,) what each is worth by itself.
        factor: (n_candidates,) its discount on an empty slate.
        values: column -> (n_candidates,) the value of each.
        decays: column -> decay.
        afar: (n_candidates,) whether it comes from afar.
        most: how many of these a slate may hold.
        offsets: of the requests.
    """

    def __init__(
        self,
        score: Floats,
        factor: Floats,
        values: Mapping[str, Ints],
        decays: Mapping[str, float],
        afar: NDArray[np.bool_],
        most: int,
        offsets: Ints,
    ) -> None:
        self.score, self.factor, self.values, self.decays = score, factor.copy(), values, decays
        self.afar, self.most, self.offsets = afar, most, offsets
        self.n_afar = np.zeros(len(score), np.int64)

    def gains(self, left: NDArray[np.bool_]) -> Floats:
        allowed = left & ~(self.afar & (self.n_afar >= self.most))
        nothing = np.repeat(ragged.sums(allowed, self.offsets) == 0, np.diff(self.offsets))
        return np.where(allowed | nothing, self._discounted(), -np.inf)

    def _discounted(self) -> Floats:
        """(n_candidates,) finite, however small a factor and however large a score."""
        factor = np.maximum(self.factor, _TINY)
        with np.errstate(over="ignore"):
            raised = np.maximum(self.score / factor, _LOWEST)
        return np.where(self.score >= 0, self.score * factor, raised)

    def add(self, chosen: Ints) -> None:
        for name, value in self.values.items():
            self.factor *= np.where(value == value[chosen], self.decays[name], 1.0)
        self.n_afar += self.afar[chosen]
