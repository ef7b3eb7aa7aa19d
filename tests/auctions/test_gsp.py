from __future__ import annotations

import numpy as np

from mlsd.auctions.base import Auction, Bids, ReserveOn
from mlsd.auctions.gsp import GSP
from mlsd.testing.auction_kit import AuctionKit


class TestGSP(AuctionKit):
    def make(self, reserve: float = 0.0, reserve_on: ReserveOn = "bid") -> Auction:
        return GSP(reserve, reserve_on)


def test_by_hand_with_a_reserve_on_the_bid() -> None:
    """Scores 2, .9 and .2; the third bids too little. The first pays .9 / .5, the second its reserve."""
    bids = Bids(np.array([0, 3]), np.array([4.0, 1.0, 0.4]), np.array([0.5, 0.9, 0.5]))
    outcome = GSP(0.7)(bids, np.array([1.0, 0.5, 0.1]))
    assert outcome.winners.tolist() == [[0, 1, -1]]
    np.testing.assert_allclose(outcome.price_per_click, [[1.8, 0.7, 0]])
    np.testing.assert_allclose(outcome.expected_payment, [[0.9, 0.315, 0]])


def test_by_hand_with_a_reserve_on_the_score() -> None:
    """The reserve of .5 is 1 a click at quality .5 and .5 / .9 at quality .9."""
    bids = Bids(np.array([0, 3]), np.array([4.0, 1.0, 0.4]), np.array([0.5, 0.9, 0.5]))
    outcome = GSP(0.5, "score")(bids, np.array([1.0, 0.5, 0.1]))
    assert outcome.winners.tolist() == [[0, 1, -1]]
    np.testing.assert_allclose(outcome.price_per_click, [[1.8, 0.5 / 0.9, 0]])


def test_an_own_reserve_takes_the_place_of_the_common_one() -> None:
    bids = Bids(np.array([0, 2]), np.array([4.0, 1.0]), np.ones(2), reserve=np.array([3.0, 0.0]))
    assert GSP(2.0)(bids, np.array([1.0, 0.5])).price_per_click.tolist() == [[3.0, 0.0]]


def test_bidding_less_than_the_value_can_pay() -> None:
    """Edelman, Ostrovsky and Schwarz (2007): 200 and 199 clicks, values 10, 4 and 2: 1592 instead of 1200."""
    alpha, gains = np.array([1.0, 199 / 200]), []
    for bid in (10.0, 3.0):
        outcome = GSP()(Bids(np.array([0, 3]), np.array([bid, 4.0, 2.0]), np.ones(3)), alpha)
        gain = 200 * alpha * (10 - outcome.price_per_click[0])
        gains.append(float(gain[outcome.winners[0] == 0][0]))
    np.testing.assert_allclose(gains, [1200, 1592])
