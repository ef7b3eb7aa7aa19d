"""Probabilistic throttling."""

from __future__ import annotations

import numpy as np

from mlsd import rng
from mlsd.pacing.base import PacingState, PlannedPacer
from mlsd.types import Array, Floats, Ints


class Throttling(PlannedPacer):
    """Throttling: a campaign takes part in a share of the auctions drawn at random, and bids its value there.

        P(takes part) = exp(-control)

    drawn by campaign and request. The control is that of `PlannedPacer`: spending beyond the target lowers
    the logarithm of the probability.

    Source: Agarwal et al. (KDD 2014), who change the probability by a fixed factor; probabilistic throttling
    of Balseiro, Kim, Mahdian and Mirrokni (Operations Research 2021).

    Args:
        step: what the control rises by when a whole budget is spent beyond the target; above 0.
        update_minutes: length of an interval, a divisor of 1440.
        seed: of the draws.
    """

    def __init__(self, step: float = 40.0, update_minutes: int = 5, seed: int = 0) -> None:
        super().__init__(step, update_minutes)
        self.seed = seed

    def takes_part(self, state: PacingState, campaign: Ints, request: Ints) -> Array:
        has_money = super().takes_part(state, campaign, request)
        luck = rng.uniform(self.seed, "throttling", campaign, request)
        return has_money & (luck < self.participation_prob(state)[campaign])

    def participation_prob(self, state: PacingState) -> Floats:
        """(n_campaigns,) P(a campaign with money takes part in an auction)."""
        return np.exp(-state.control)
