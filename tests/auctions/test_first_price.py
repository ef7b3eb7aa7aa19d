from __future__ import annotations

import numpy as np

from mlsd.auctions.base import Auction, Bids, ReserveOn
from mlsd.auctions.first_price import FirstPrice
from mlsd.testing.auction_kit import ALPHA, AuctionKit, random_bids


class TestFirstPrice(AuctionKit):
    def make(self, reserve: float = 0.0, reserve_on: ReserveOn = "bid") -> Auction:
        return FirstPrice(reserve, reserve_on)


def test_everybody_pays_the_bid() -> None:
    bids = random_bids()
    outcome = FirstPrice(0.3)(bids, ALPHA)
    won = outcome.filled
    assert (outcome.price_per_click[won] == bids.bid[outcome.winners[won]]).all()


def test_a_payment_by_hand() -> None:
    bids = Bids(np.array([0, 2]), np.array([2.0, 3.0]), np.array([0.5, 0.25]))
    assert FirstPrice()(bids, np.array([1.0, 0.5])).expected_payment.tolist() == [[1.0, 0.375]]
