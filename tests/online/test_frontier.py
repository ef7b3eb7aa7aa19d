from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.ad_server import sold_at
from mlsd.auctions.base import Auction
from mlsd.auctions.first_price import FirstPrice
from mlsd.auctions.gsp import GSP
from mlsd.auctions.vcg import VCG
from mlsd.checks import collecting
from mlsd.errors import InvalidValueError
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.online.frontier import FIGURES, Frontier, FrontierPoint, Terms, is_unbeaten, per_page
from mlsd.stages.auction import AuctionStage
from mlsd.stages.base import CandidateStage
from mlsd.testing.known_market import known_funnel
from mlsd.testing.world_kit import day_of
from mlsd.types import RankingBatch
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.click_models.pbm import PositionBased

WORLD = AdsWorld(seed=6, n_users=300, n_campaigns=60, click_model=PositionBased())
AUCTIONS = [GSP(), VCG(), FirstPrice(), GSP(0.01, "score")]
BOOTSTRAP = Bootstrap(n_replicates=100)


def offered(auction: Auction) -> tuple[AuctionStage, RankingBatch]:
    """The auction of a funnel that knows everything, and what reaches it."""
    target, known, sell = known_funnel(WORLD, auction).stages.values()
    assert isinstance(target, CandidateStage)
    assert isinstance(sell, AuctionStage)
    requests = day_of(WORLD, 1).requests
    return sell, known(target(RankingBatch.of(requests)))


def points(auction: Auction, *reserves: float) -> dict[Terms, FrontierPoint]:
    sell, batch = offered(auction)
    found = Frontier(reserves=reserves).points(sell, batch, WORLD.catalog, WORLD, BOOTSTRAP)
    return {point.terms: point for point in found}


def test_every_reserve_meets_every_number_of_positions_and_the_own_terms_are_among_them() -> None:
    found = points(GSP(0.3), 0.0, 0.5)
    assert list(found) == [Terms(reserve, n, "bid") for reserve in (0.0, 0.3, 0.5) for n in (1, 2, 3, 4)]
    assert [terms for terms, point in found.items() if point.is_own] == [Terms(0.3, 4, "bid")]
    assert len(points(GSP(0.5), 0.0, 0.5)) == 8


def test_a_page_by_the_letter_of_the_formulas() -> None:
    """Position by position: who won, what it pays for, and what people are likely to do."""
    sell, batch = offered(GSP(0.2))
    state = WORLD.first_state()
    sold = sold_at(sell, batch, batch.candidates["click_value"])
    found = per_page(sold, batch, WORLD.catalog, WORLD, state)
    probs, looked = WORLD.probs_of(batch.requests, sold, state), WORLD.examination_prob(4)
    bid, per_action = WORLD.catalog["bid"], WORLD.catalog["per_action"]
    assert (sold.items == -1).any()
    for row in range(0, len(batch), 7):
        revenue = gain = hides = ads = 0.0
        for position, ad in enumerate(sold.items[row].tolist()):
            if ad == -1:
                continue
            done = looked[position] * probs.click[row, position]
            done *= probs.conversion[row, position] if per_action[ad] else 1.0
            price = sold.columns["price"][row, position]
            revenue += 1000 * done * price
            gain += 1000 * done * (bid[ad] - price)
            hides += 1000 * looked[position] * probs.annoyance[row, position] * WORLD.responses.hide_prob
            ads += 1
        values = [found[name][row] for name in FIGURES]
        np.testing.assert_allclose(values, [revenue, hides, ads, gain], atol=1e-9)


def test_a_point_is_the_mean_over_pages_of_the_auction_on_its_terms() -> None:
    sell, batch = offered(VCG())
    found, bid = points(VCG(), 0.4), batch.candidates["click_value"]
    state = WORLD.first_state()
    own = per_page(sold_at(sell, batch, bid), batch, WORLD.catalog, WORLD, state)
    other_sell = AuctionStage(2, VCG(0.4), sell.multipliers[:2].tolist())
    other = per_page(sold_at(other_sell, batch, bid), batch, WORLD.catalog, WORLD, state)
    point = found[Terms(0.4, 2, "bid")]
    n_users = len(np.unique(batch.requests.user))
    for name in FIGURES:
        assert found[Terms(0.0, 4, "bid")].figures[name].value == pytest.approx(own[name].mean())
        assert point.figures[name].value == pytest.approx(other[name].mean())
        assert point.differences[name].value == pytest.approx((other[name] - own[name]).mean())
        assert point.figures[name].n == point.differences[name].n == n_users
        assert point.figures[name].low < point.figures[name].value < point.figures[name].high


def test_the_own_terms_do_not_differ_from_themselves() -> None:
    (own,) = (point for point in points(GSP(0.3), 0.6).values() if point.is_own)
    assert {(one.value, one.low, one.high) for one in own.differences.values()} == {(0.0, 0.0, 0.0)}


@pytest.mark.parametrize("auction", AUCTIONS, ids=lambda auction: type(auction).__name__)
def test_a_higher_reserve_fills_no_more_positions_of_any_page(auction: Auction) -> None:
    sell, batch = offered(auction)
    bid = batch.candidates["click_value"]
    for n_positions in (1, 4):
        filled = [
            sold_at(sell.on_terms(reserve, n_positions), batch, bid).shown.sum(axis=1)
            for reserve in (0.0, 0.005, 0.02, 0.3, 0.6, 1.2, 5.0)
        ]
        assert all(np.all(after <= before) for before, after in pairwise(filled))
        assert filled[0].sum() > filled[-1].sum()


@pytest.mark.parametrize("auction", AUCTIONS, ids=lambda auction: type(auction).__name__)
def test_more_positions_leave_those_above_to_whom_they_had(auction: Auction) -> None:
    sell, batch = offered(auction)
    bid = batch.candidates["click_value"]
    whole = sold_at(sell.on_terms(0.2, 4), batch, bid).items
    for n_positions in (1, 2, 3):
        fewer = sold_at(sell.on_terms(0.2, n_positions), batch, bid).items
        np.testing.assert_array_equal(fewer, whole[:, :n_positions])


def test_more_positions_hide_and_sell_no_less() -> None:
    """Under GSP the price of a position does not depend on those below it."""
    found = points(GSP(), 0.0, 0.4, 0.8)
    for reserve in (0.0, 0.4, 0.8):
        by_positions = [found[Terms(reserve, n, "bid")].figures for n in (1, 2, 3, 4)]
        for name in ("revenue_per_1000", "hides_per_1000", "ads_per_page", "advertiser_gain_per_1000"):
            assert all(after[name].value >= before[name].value for before, after in pairwise(by_positions))


PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=12)


@given(PAIRS)
def test_what_is_beaten_by_the_letter(pairs: list[tuple[int, int]]) -> None:
    expected = [
        not any(a >= gained and b <= cost and (a > gained or b < cost) for a, b in pairs)
        for gained, cost in pairs
    ]
    gained, cost = np.array(pairs).T
    assert is_unbeaten(gained, cost).tolist() == expected
    assert any(expected)


def test_what_stands_in_the_metrics() -> None:
    (first, *_) = points(GSP(), 0.25).values()
    kept = first.to_metrics()
    assert first.name == "reserve=0,n_positions=1"
    assert [kept[name] for name in ("reserve", "n_positions", "reserve_on")] == [0.0, 1, "bid"]
    assert set(FIGURES) < set(kept)
    assert isinstance(kept["difference"], dict)
    assert set(kept["difference"]) == set(FIGURES)


def test_workers_and_order_of_pages_change_nothing() -> None:
    sell, batch = offered(GSP())
    frontier = Frontier(reserves=[0.0, 0.4])
    order = np.argsort(batch.requests.request_id % 17, kind="stable")
    one, other = (
        frontier.points(sell, part, WORLD.catalog, WORLD, BOOTSTRAP) for part in (batch, batch.take(order))
    )
    for mine, theirs in zip(one, other, strict=True):
        for name in FIGURES:
            np.testing.assert_allclose(mine.figures[name], theirs.figures[name], rtol=1e-9)


def test_reserves_that_are_none() -> None:
    with collecting() as faults:
        Frontier(reserves=[-0.1, 0.5, 0.5])
    assert [str(fault) for fault in faults] == [
        "reserves[0] == -0.1, must be at least 0",
        "reserves[2] == 0.5, must be above 0.5",
    ]
    with pytest.raises(InvalidValueError, match=r"reserves == \[\], must not be empty"):
        Frontier(reserves=[])
