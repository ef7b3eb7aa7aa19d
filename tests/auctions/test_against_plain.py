"""Every auction against loops over one request at a time, written from the definitions.

A loop finds a price by trying: GSP's is the lowest bid that keeps the slot, VCG's what the others lose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import ragged
from mlsd.auctions.base import RESERVE_ON, Auction, Bids, ReserveOn
from mlsd.auctions.first_price import FirstPrice
from mlsd.auctions.gsp import GSP
from mlsd.auctions.vcg import VCG
from mlsd.testing.auction_kit import random_bids, with_rules


class Ad(NamedTuple):
    row: int
    bid: float
    quality: float
    reserve: float
    """As a score."""

    @property
    def score(self) -> float:
        return self.bid * self.quality


class Case(NamedTuple):
    bids: Bids
    reserve_on: ReserveOn
    alpha: list[float]


amounts = st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5, 2.0]) | st.floats(0, 3)
qualities = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0.01, 1)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to four requests of up to seven ads, many of them tied, and one to five slots."""
    counts = draw(st.lists(st.integers(0, 7), min_size=1, max_size=4))
    n = sum(counts)
    bid, quality = (np.array(draw(st.lists(kind, min_size=n, max_size=n))) for kind in (amounts, qualities))
    reserve = np.array(draw(st.lists(st.just(0.0) | amounts, min_size=n, max_size=n)), np.float64)
    eligible = np.array(draw(st.lists(st.sampled_from([True, True, False]), min_size=n, max_size=n)), bool)
    falls = draw(st.lists(st.sampled_from([1.0, 0.5, 0.9]) | st.floats(0.1, 1), max_size=4))
    bids = Bids(
        ragged.offsets_of_counts(np.array(counts)),
        bid.astype(np.float64),
        quality.astype(np.float64),
        draw(st.sampled_from([None, reserve])),
        draw(st.sampled_from([None, eligible])),
    )
    return Case(bids, draw(st.sampled_from(RESERVE_ON)), np.cumprod([1.0, *falls]).tolist())


def ads_of(case: Case, request: int) -> list[Ad]:
    """Those that take part, best first."""
    bids, ads = case.bids, []
    for row in range(bids.offsets[request], bids.offsets[request + 1]):
        bid, quality = float(bids.bid[row]), float(bids.quality[row])
        reserve = 0.0 if bids.reserve is None else float(bids.reserve[row])
        offered = bid if case.reserve_on == "bid" else bid * quality
        if (bids.eligible is None or bids.eligible[row]) and offered >= reserve and bid * quality > 0:
            ads.append(Ad(row, bid, quality, reserve * (quality if case.reserve_on == "bid" else 1)))
    return sorted(ads, key=lambda ad: (-ad.score, ad.row))


def welfare(scores: list[float], alpha: list[float]) -> float:
    """What ads of these scores get together from the slots, the best at the top."""
    best_first = sorted(scores, reverse=True)
    return sum(multiplier * score for multiplier, score in zip(alpha, best_first, strict=False))


def vcg_price(ads: list[Ad], place: int, alpha: list[float]) -> float:
    """What others lose by the ad's being there, the seller bidding the ad's reserve for every slot."""
    ad = ads[place]
    others = [other.score for other in ads if other is not ad] + [ad.reserve] * len(alpha)
    left = [multiplier for slot, multiplier in enumerate(alpha) if slot != place]
    return (welfare(others, alpha) - welfare(others, left)) / (alpha[place] * ad.quality)


def gsp_price(ads: list[Ad], place: int, alpha: list[float]) -> float:
    ad = ads[place]
    below = ads[place + 1].score if place + 1 < len(ads) else 0.0
    return max(below, ad.reserve) / ad.quality


def first_price(ads: list[Ad], place: int, alpha: list[float]) -> float:
    return ads[place].bid


PRICES: dict[Callable[[float, ReserveOn], Auction], Callable[[list[Ad], int, list[float]], float]] = {
    GSP: gsp_price,
    VCG: vcg_price,
    FirstPrice: first_price,
}


@given(cases())
def test_winners_and_prices_are_those_of_the_loop(case: Case) -> None:
    n_slots = len(case.alpha)
    for kind, price_of in PRICES.items():
        auction = kind(0.0, case.reserve_on)
        outcome = auction(case.bids, np.array(case.alpha))
        for request in range(case.bids.n_requests):
            ads = ads_of(case, request)
            n_won = min(len(ads), n_slots)
            empty = [-1] * (n_slots - n_won)
            assert outcome.winners[request].tolist() == [ad.row for ad in ads[:n_won]] + empty
            prices = [price_of(ads, place, case.alpha) for place in range(n_won)]
            np.testing.assert_allclose(
                outcome.price_per_click[request, :n_won], prices, rtol=1e-9, atol=1e-12
            )


@given(cases(), st.floats(0, 2))
def test_a_common_reserve_is_the_same_reserve_for_each(case: Case, reserve: float) -> None:
    alpha = np.array(case.alpha)
    common = Bids(case.bids.offsets, case.bids.bid, case.bids.quality, None, case.bids.eligible)
    each = Bids(case.bids.offsets, common.bid, common.quality, np.full(len(common), reserve), common.eligible)
    for kind in PRICES:
        one, other = kind(reserve, case.reserve_on)(common, alpha), kind(0.0, case.reserve_on)(each, alpha)
        np.testing.assert_array_equal(one.winners, other.winners)
        np.testing.assert_array_equal(one.price_per_click, other.price_per_click)


@pytest.mark.parametrize("reserve_on", RESERVE_ON)
def test_winners_of_long_requests_are_those_of_a_sort(reserve_on: ReserveOn) -> None:
    """With reserves and ads that are not eligible, so many that slots stay empty, and many ties."""
    ruled = with_rules(random_bids(n_requests=60, n_most=300))
    for share in (1.0, 0.5, 0.02):
        eligible = np.random.default_rng(2).random(len(ruled)) < share
        bids = replace(ruled, eligible=eligible)
        winners = GSP(0.0, reserve_on)(bids, np.full(5, 1.0)).winners
        case = Case(bids, reserve_on, [])
        for request in range(len(winners)):
            rows = [ad.row for ad in ads_of(case, request)[:5]]
            assert winners[request].tolist() == rows + [-1] * (5 - len(rows))
