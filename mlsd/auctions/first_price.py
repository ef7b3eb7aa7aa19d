"""First price."""

from __future__ import annotations

from mlsd.auctions.base import Auction, Standing
from mlsd.types import Floats


class FirstPrice(Auction):
    """First price: a click costs what was bid for it.

    Bidding one's value gains nothing, so bids are to be expected below it. How far depends on what others
    bid, and there need be no bids at which nobody wants to change theirs.

    Source: Vickrey (1961), Journal of Finance 16(1), on why it asks more of bidders; Edelman and Ostrovsky
    (2007), Decision Support Systems 43(1), on bids that never settle.

    Args:
        reserve: 0 or more.
        reserve_on: whether it is held against the "bid" or the "score".
    """

    def prices(self, standing: Standing, multipliers: Floats) -> Floats:  # noqa: ARG002
        return standing.bid
