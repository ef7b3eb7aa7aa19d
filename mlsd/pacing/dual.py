"""Dual pacing."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlsd import checks
from mlsd.pacing.base import PacingState, PlannedPacer
from mlsd.types import Floats

Mirror = Literal["log", "euclidean"]
MIRRORS = ("log", "euclidean")


class Dual(PlannedPacer):
    """Dual pacing: every bid is the value divided by 1 + mu, with mu the price of a unit of budget.

        bid = value / (1 + mu),    mu >= 0
        mu <- argmin over m >= 0 of  step * (target_k - spend_k) / budget * m + D_h(m, mu)

    That is mirror descent on the dual of "as much value as the budget buys", whose subgradient is target less
    spend. It moves h'(mu), the control of `PlannedPacer`, along a line that is cut off at 0:

        log:        h(mu) = (1 + mu) log(1 + mu) - mu    control = log(1 + mu)
        euclidean:  h(mu) = mu^2 / 2                     control = mu

    With `log` a step lowers the logarithm of bids, alike for campaigns with little and with much money.
    `euclidean` is the projected subgradient step of adaptive pacing.

    Source: Balseiro and Gur (Management Science 2019), adaptive pacing; Balseiro, Lu and
    Mirrokni (ICML 2020), algorithm 1. They hold the target constant and update after every auction.

    Args:
        step: what the control rises by when a whole budget is spent beyond the target; above 0.
        mirror: "log" or "euclidean".
        update_minutes: length of an interval, a divisor of 1440.
    """

    def __init__(self, step: float = 40.0, mirror: Mirror = "log", update_minutes: int = 5) -> None:
        super().__init__(step, update_minutes)
        self.mirror = checks.one_of("mirror", mirror, MIRRORS)

    def mu(self, state: PacingState) -> Floats:
        """(n_campaigns,) the dual variable of each budget, at least 0; 0 is not held back."""
        return np.expm1(state.control) if self.mirror == "log" else state.control

    def multiplier(self, state: PacingState) -> Floats:
        return np.exp(-state.control) if self.mirror == "log" else 1 / (1 + state.control)
