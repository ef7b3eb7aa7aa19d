from __future__ import annotations

import numpy as np

from mlsd.auctions.base import Auction, Bids, ReserveOn
from mlsd.auctions.vcg import VCG
from mlsd.testing.auction_kit import AuctionKit


class TestVCG(AuctionKit):
    def make(self, reserve: float = 0.0, reserve_on: ReserveOn = "bid") -> Auction:
        return VCG(reserve, reserve_on)


def test_by_hand() -> None:
    """Edelman, Ostrovsky and Schwarz (2007), 200 and 100 clicks, bids 10, 4 and 2: payments 600 and 200."""
    bids = Bids(np.array([0, 3]), np.array([10.0, 4.0, 2.0]), np.ones(3))
    outcome = VCG()(bids, np.array([1.0, 0.5]))
    np.testing.assert_allclose(200 * outcome.expected_payment, [[600, 200]])
    np.testing.assert_allclose(outcome.price_per_click, [[3, 2]])


def test_a_reserve_counts_at_every_slot() -> None:
    """Of two ads for two slots, the first pays half the other's 1 and half the reserve of .6: .8, not .6."""
    bids = Bids(np.array([0, 2]), np.array([3.0, 1.0]), np.ones(2))
    outcome = VCG(0.6)(bids, np.array([1.0, 0.5]))
    np.testing.assert_allclose(outcome.price_per_click, [[0.8, 0.6]])


def test_a_reserve_taken_of_the_total_would_make_lying_pay() -> None:
    """An ad worth .95 a click stands below a bid of 1. At max(.5 * 1, .6) it would want the first slot."""
    value, alpha = 0.95, np.array([1.0, 0.5])
    outcomes = [
        VCG(0.6)(Bids(np.array([0, 2]), np.array([bid, 1.0]), np.ones(2)), alpha) for bid in (value, 1.5)
    ]
    truthful, lying = (
        float((alpha * (value - outcome.price_per_click[0]))[outcome.winners[0] == 0][0])
        for outcome in outcomes
    )
    wrong = 1 * (value - max(0.5 * 1.0, 0.6))
    assert lying < truthful < wrong
