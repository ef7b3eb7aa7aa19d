"""The auction of Vickrey, Clarke and Groves."""

from __future__ import annotations

import numpy as np

from mlsd.auctions.base import Auction, Standing
from mlsd.types import Floats


class VCG(Auction):
    """VCG: each pays what its being there costs the others; bidding one's value is best whatever others do.

    Without the winner of slot i everybody below it moves up by one. Its payment is what they would gain, and
    the price that over its clicks:

        price_i = 1 / (alpha_i * q_i)
                  * sum over j >= i of (alpha_j - alpha_(j+1)) * max(score_(j+1), q_i * reserve_i)

    with alpha 0 below the last slot. A reserve acts as a bid of the seller's for every slot: it takes the
    place of each lower score, not of the total, or a bid other than one's value could pay (Myerson 1981: the
    payment is the area above the winner's own curve of clicks by bid, which starts at the reserve).

    It is worked out as a mean of the thresholds max(score_(j+1) / q_i, reserve_i), of weights alpha_j -
    alpha_(j+1). The first is the price of GSP and none is higher: at equal bids no click costs more.

    Source: Vickrey (1961), Clarke (1971), Groves (1973); for slots, Edelman, Ostrovsky and Schwarz (2007),
    American Economic Review 97(1).

    Args:
        reserve: 0 or more.
        reserve_on: whether it is held against the "bid" or the "score".

    Example:
        Scores .6, .3 and .2, half the clicks at the second slot. The first takes .5 * .3 from the second and
        .5 * .2 from the third: .25 / .2. The second takes .5 * .2 from the third: .1 / (.5 * .3).

        >>> from mlsd.auctions.base import Bids
        >>> bids = Bids(np.array([0, 3]), np.array([3.0, 1.0, 1.0]), np.array([0.2, 0.3, 0.2]))
        >>> VCG()(bids, np.array([1.0, 0.5])).price_per_click.round(3).tolist()
        [[1.25, 0.667]]
    """

    def prices(self, standing: Standing, multipliers: Floats) -> Floats:
        lost = -np.diff(multipliers, append=0.0)
        slots = range(len(multipliers))
        return np.stack([self._price(standing, slot, lost / multipliers[slot]) for slot in slots], axis=1)

    @staticmethod
    def _price(standing: Standing, slot: int, weights: Floats) -> Floats:
        """(n_requests,) of the winners of one slot; rounding must not take it above the first threshold."""
        thresholds = [standing.threshold(slot, other) for other in range(slot, len(weights))]
        price = np.zeros(len(standing.bid))
        for weight, threshold in zip(weights[slot:], thresholds, strict=True):
            price += weight * threshold
        return np.minimum(price, thresholds[0])
