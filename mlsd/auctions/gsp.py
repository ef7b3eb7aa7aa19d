"""Generalised second price."""

from __future__ import annotations

import numpy as np

from mlsd.auctions.base import Auction, Standing
from mlsd.types import Floats


class GSP(Auction):
    """Generalised second price: a click costs the lowest bid that keeps the slot.

        price_i = max(score_(i+1) / q_i, reserve_i)

    With one slot it is the second-price auction, in which bidding one's value is best whatever others do.
    With more it is not: who bids less may lose a slot and pay so much less that it gains.

    Source: Edelman, Ostrovsky and Schwarz (2007), American Economic Review 97(1); Varian (2007),
    International Journal of Industrial Organization 25(6).

    Args:
        reserve: 0 or more.
        reserve_on: whether it is held against the "bid" or the "score".

    Example:
        Scores .6, .3 and .2: the first pays .3 / .2, the second .2 / .3.

        >>> from mlsd.auctions.base import Bids
        >>> bids = Bids(np.array([0, 3]), np.array([3.0, 1.0, 1.0]), np.array([0.2, 0.3, 0.2]))
        >>> outcome = GSP()(bids, np.array([1.0, 0.5]))
        >>> outcome.winners.tolist(), outcome.price_per_click.round(3).tolist()
        ([[0, 1]], [[1.5, 0.667]])
    """

    def prices(self, standing: Standing, multipliers: Floats) -> Floats:
        return np.stack([standing.threshold(slot, slot) for slot in range(len(multipliers))], axis=1)
