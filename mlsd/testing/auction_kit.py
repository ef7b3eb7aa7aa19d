"""What every auction must keep. Inherit `AuctionKit` and give it yours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
import pytest

from mlsd import ragged
from mlsd.auctions.base import NO_WINNER, Auction, Bids, ReserveOn
from mlsd.errors import InvalidValueError
from mlsd.types import Floats

ALPHA = np.array([1.0, 0.6, 0.6, 0.25])
"""Of four slots, two of them equal."""


def random_bids(n_requests: int = 300, seed: int = 0, n_most: int = 12) -> Bids:
    """Bids of 0 to `n_most` ads for each request, some of them tied, some of quality 0 or 1."""
    draws = np.random.default_rng(seed)
    offsets = ragged.offsets_of_counts(draws.integers(0, n_most + 1, n_requests))
    n = int(offsets[-1])
    bid = np.where(draws.random(n) < 0.2, draws.integers(0, 3, n), draws.lognormal(0, 0.5, n))
    quality = draws.beta(2, 6, n)
    quality[draws.random(n) < 0.1] = 0.5
    quality[draws.random(n) < 0.05] = 0.0
    quality[draws.random(n) < 0.05] = 1.0
    return Bids(offsets, bid, quality)


def with_rules(bids: Bids, seed: int = 1) -> Bids:
    """The same bids with a reserve for each ad, 0 for some, and a fifth of the ads not eligible."""
    draws = np.random.default_rng(seed)
    reserve = draws.choice([0.0, 0.1, 0.4, 1.0], len(bids))
    return replace(bids, reserve=reserve, eligible=draws.random(len(bids)) < 0.8)


class AuctionKit(ABC):
    """Conformance tests of an auction."""

    @abstractmethod
    def make(self, reserve: float = 0.0, reserve_on: ReserveOn = "bid") -> Auction:
        """The auction to test."""

    def runs(self) -> list[tuple[Auction, Bids]]:
        """Without a reserve, with one on bids, on scores, and with one for each ad on either."""
        plain, ruled = random_bids(), with_rules(random_bids())
        return [
            (self.make(), plain),
            (self.make(0.7), plain),
            (self.make(0.2, "score"), plain),
            (self.make(), ruled),
            (self.make(0.0, "score"), ruled),
        ]

    def test_prices_are_between_reserve_and_bid(self) -> None:
        for auction, bids in self.runs():
            outcome = auction(bids, ALPHA)
            assert outcome.filled.any()
            won = outcome.winners[outcome.filled]
            price = outcome.price_per_click[outcome.filled]
            assert (price <= bids.bid[won]).all()
            reserve = np.full(len(bids), auction.reserve) if bids.reserve is None else bids.reserve
            offered = price * (bids.quality[won] if auction.reserve_on == "score" else 1)
            assert (offered >= reserve[won] * (1 - 1e-15)).all()

    def test_a_payment_is_price_times_clicks(self) -> None:
        for auction, bids in self.runs():
            outcome = auction(bids, ALPHA)
            quality = np.where(outcome.filled, bids.quality[outcome.winners], 0)
            expected = outcome.price_per_click * ALPHA * quality
            np.testing.assert_allclose(outcome.expected_payment, expected, rtol=1e-15)
            np.testing.assert_allclose(outcome.revenue, expected.sum(axis=1), rtol=1e-15)

    def test_slots_are_filled_from_the_top_by_falling_score(self) -> None:
        for auction, bids in self.runs():
            outcome = auction(bids, ALPHA)
            score = np.where(outcome.filled, outcome.scores[outcome.winners], 0.0)
            np.testing.assert_array_equal(outcome.scores, bids.bid * bids.quality)
            assert (np.diff(score, axis=1) <= 0).all()
            assert (score[outcome.filled] > 0).all()
            owner = ragged.segment_ids(bids.offsets)[outcome.winners]
            requests = np.broadcast_to(np.arange(bids.n_requests)[:, None], owner.shape)
            assert (owner == requests)[outcome.filled].all()

    def test_an_empty_slot_costs_nothing(self) -> None:
        for auction, bids in self.runs():
            outcome = auction(bids, ALPHA)
            assert not outcome.filled.all()
            assert (outcome.price_per_click[~outcome.filled] == 0).all()
            assert (outcome.expected_payment[~outcome.filled] == 0).all()

    def test_a_request_alone_has_the_same_outcome(self) -> None:
        for auction, bids in self.runs():
            together = auction(bids, ALPHA)
            for row in range(0, bids.n_requests, 7):
                alone, start = auction(bids.take(np.array([row])), ALPHA), bids.offsets[row]
                winners = np.where(alone.filled, alone.winners + start, NO_WINNER)
                assert winners.tolist() == together.winners[[row]].tolist()
                assert alone.price_per_click.tobytes() == together.price_per_click[[row]].tobytes()
                assert alone.expected_payment.tobytes() == together.expected_payment[[row]].tobytes()

    def test_who_is_not_eligible_might_as_well_not_be_there(self) -> None:
        auction, bids = self.make(), with_rules(random_bids())
        eligible = bids.eligible
        assert eligible is not None
        assert bids.reserve is not None
        offsets = ragged.offsets_of_mask(eligible, bids.offsets)
        left = Bids(offsets, bids.bid[eligible], bids.quality[eligible], bids.reserve[eligible])
        outcome, without = auction(bids, ALPHA), auction(left, ALPHA)
        rows = np.append(np.flatnonzero(eligible), NO_WINNER)
        np.testing.assert_array_equal(outcome.winners, rows[without.winners])
        np.testing.assert_array_equal(outcome.price_per_click, without.price_per_click)

    def test_money_has_no_unit(self) -> None:
        bids = random_bids()
        doubled = self.make(1.0)(replace(bids, bid=2 * bids.bid), ALPHA)
        outcome = self.make(0.5)(bids, ALPHA)
        np.testing.assert_array_equal(doubled.winners, outcome.winners)
        np.testing.assert_array_equal(doubled.price_per_click, 2 * outcome.price_per_click)

    def test_ties_go_to_the_lower_row(self) -> None:
        bids = Bids(np.array([0, 1, 4]), np.array([9.0, 1.0, 2.0, 1.0]), np.array([1.0, 0.5, 0.25, 0.5]))
        outcome = self.make()(bids, np.array([1.0, 0.5]))
        assert outcome.winners.tolist() == [[0, NO_WINNER], [1, 2]]
        assert outcome.price_per_click[1].tolist() == [1.0, 2.0], "equal scores leave nothing below the bid"

    def test_quality_nought_and_bid_nought_win_nothing(self) -> None:
        bids = Bids(np.array([0, 3]), np.array([5.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]))
        assert self.make()(bids, ALPHA).winners.tolist() == [[2, -1, -1, -1]]

    def test_a_reserve_above_all_bids_leaves_slots_empty(self) -> None:
        for reserve_on in ("bid", "score"):
            nothing = self.make(1e9, reserve_on)(random_bids(), ALPHA)
            assert not nothing.filled.any()
            assert nothing.revenue.tolist() == [0] * 300

    def test_a_reserve_just_reached_is_reached(self) -> None:
        bids = Bids(np.array([0, 2]), np.array([0.3, 0.3]), np.array([0.1, 0.7]))
        assert self.make(0.3)(bids, ALPHA).price_per_click.tolist() == [[0.3, 0.3, 0.0, 0.0]]
        assert self.make(0.3 * 0.7, "score")(bids, ALPHA).winners.tolist() == [[1, -1, -1, -1]]

    def test_no_requests_and_no_ads(self) -> None:
        none = Bids(np.array([0]), np.zeros(0), np.zeros(0))
        assert self.make()(none, ALPHA).winners.shape == (0, 4)
        assert self.make()(none, ALPHA).revenue.shape == (0,)
        empty = replace(none, offsets=np.zeros(3, np.int64), eligible=np.zeros(0, bool), reserve=np.zeros(0))
        assert self.make(0.5, "score")(empty, ALPHA).winners.tolist() == [[-1] * 4] * 2

    def test_the_largest_and_smallest_numbers_stay_in_bounds(self) -> None:
        tiny, huge = np.finfo(np.float64).smallest_subnormal, np.finfo(np.float64).max
        bid = np.array([huge, huge, 1.0, 0.6, tiny, tiny])
        quality = np.array([1.0, tiny, tiny, tiny, 1.0, tiny])
        for reserve_on in ("bid", "score"):
            outcome = self.make(tiny, reserve_on)(Bids(np.array([0, 6]), bid, quality), np.full(6, 1.0))
            price: Floats = outcome.price_per_click[outcome.filled]
            assert (price > 0).all()
            assert (price <= bid[outcome.winners[outcome.filled]]).all()

    def test_a_reserve_that_is_none_is_refused(self) -> None:
        with pytest.raises(InvalidValueError, match=r"reserve == -1, must be at least 0"):
            self.make(-1)
        with pytest.raises(InvalidValueError, match="must be one of bid, score; nearest is 'score'"):
            self.make(1.0, "scores")  # type: ignore[arg-type]
