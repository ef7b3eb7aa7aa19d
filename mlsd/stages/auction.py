"""Sell the positions of a page among the ads that are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.auctions.base import Auction, Bids, checked_multipliers
from mlsd.fitting import Curves, Fitting
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import Floats, RankingBatch, State


class AuctionStage(CandidateStage):
    """Passes on the winners of an auction, by position, with what a click on each costs.

        candidate.score = bid * click_prob            who has the highest score stands first
        candidate.price_per_click                     set by the auction; never above the bid

    On its own the stage bids what a click is worth. Whoever paces budgets sells by `sold`, at other bids.

    Args:
        n_out: positions that are sold.
        auction: what decides who pays what.
        multipliers: click probability at each position over that at the first: 1 first, not rising.
        value: what is bid for a click, as `candidate.<name>`, at least 0.
        quality: P(click | shown at the first position), as `candidate.<name>`; None takes all ads for equally
            good, so that bids alone decide.
    """

    def __init__(
        self,
        n_out: int,
        auction: Auction,
        multipliers: Sequence[float],
        value: str = "candidate.click_value",
        quality: str | None = "candidate.click_prob",
    ) -> None:
        super().__init__(n_out)
        self.auction = auction
        self.multipliers = checked_multipliers(np.array(multipliers, np.float64))
        rule = f"must be one for each of n_out == {n_out} positions"
        checks.require(len(self.multipliers) == n_out, "multipliers", list(multipliers), rule)
        self.value, self.quality = value, quality

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.value, *([self.quality] if self.quality else [])})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score", "candidate.price_per_click"})

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:  # noqa: ARG002
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        return self.sold(batch, batch.per_candidate(self.value).astype(np.float64))

    def sold(
        self, batch: RankingBatch, bid: Floats, eligible: NDArray[np.bool_] | None = None
    ) -> RankingBatch:
        """The winners at these bids.

        Args:
            batch: what is left of the candidates.
            bid: (n_candidates,) for a click, finite and at least 0.
            eligible: (n_candidates,) who takes part; None means all.

        Raises:
            InputError: a bid is negative or not finite.
        """
        quality = np.ones(len(bid)) if self.quality is None else batch.per_candidate(self.quality)
        bids = Bids(batch.candidates.offsets, bid, quality, eligible=eligible)
        outcome = self.auction(bids, self.multipliers)
        filled = outcome.filled
        rows, offsets = outcome.winners[filled], ragged.offsets_of_counts(filled.sum(axis=1))
        won = batch.candidates.take(rows, offsets)
        price = outcome.price_per_click[filled]
        return RankingBatch(
            batch.requests, won.with_columns(score=outcome.scores[rows], price_per_click=price)
        )

    def on_terms(self, reserve: float, n_out: int) -> AuctionStage:
        """The same auction with another reserve, of the first `n_out` positions alone.

        Raises:
            InvalidValueError: the reserve is below 0, or there are not so many positions.
        """
        checks.between("n_out", n_out, 1, self.n_out)
        slots = self.multipliers[:n_out].tolist()
        return AuctionStage(n_out, self.auction.with_reserve(reserve), slots, self.value, self.quality)

    def state(self) -> State:
        return {}

    def load_state(self, state: State) -> None:
        """There is nothing to take over."""
