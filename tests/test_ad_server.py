from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.ad_server import PAID, AdServer, Giveaway, Market, sold_at
from mlsd.auctions.base import Auction
from mlsd.auctions.first_price import FirstPrice
from mlsd.auctions.gsp import GSP
from mlsd.auctions.vcg import VCG
from mlsd.errors import InputError, InvalidValueError
from mlsd.funnel import Funnel
from mlsd.pacing.base import Pacer
from mlsd.pacing.dual import Dual
from mlsd.pacing.none import NoPacing
from mlsd.pacing.throttling import Throttling
from mlsd.serving import collect_log, serve
from mlsd.stages.auction import AuctionStage
from mlsd.stages.base import TrainingData
from mlsd.stages.target import Target
from mlsd.testing.stage_kit import FITTING
from mlsd.testing.world_kit import day_of
from mlsd.types import NO_ITEM, Ints, Served
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.ads.campaigns import CampaignOptions
from mlsd.worlds.ads.responses import ResponseOptions
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.visits.base import DAILY

KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}
SLOTS = (1.0, 0.9, 0.7, 0.5)
POOR = CampaignOptions(daily_budget=1.5)
"""Budgets that most campaigns spend."""

OFTEN = ResponseOptions(click_logit=-2.0, conversion_logit=-1.0)
WORLD = AdsWorld(
    seed=4, n_users=400, n_campaigns=80, campaigns=POOR, responses=OFTEN, click_model=PositionBased()
)
EVERYBODY = np.arange(WORLD.n_users)


def funnel(auction: Auction | None = None) -> Funnel:
    target = Target(40, KEYS, 0.1)
    target.fit(TrainingData(WORLD.catalog), FITTING)
    sell = AuctionStage(4, auction or GSP(), SLOTS, value="candidate.score", quality=None)
    return Funnel({"target": target, "auction": sell})


def market(pacer: Pacer | None = None, frequency_cap: int = 6) -> Market:
    return Market(pacer=pacer or NoPacing(60), frequency_cap=frequency_cap, traffic=DAILY)


def days(server: AdServer, n: int = 2) -> list[Served]:
    state, found = WORLD.first_state(), []
    for day in range(n):
        served, state = serve(WORLD, server, EVERYBODY, day, state, 100.0)
        found.append(served)
    return found


def campaigns(served: Served) -> Ints:
    return np.where(served.slates.shown, WORLD.all_ads.campaign[served.slates.items], -1)


PACERS = [NoPacing(60), Dual(20.0, update_minutes=60), Throttling(20.0, update_minutes=120)]


@pytest.mark.parametrize("pacer", PACERS)
@pytest.mark.parametrize("auction", [GSP(), VCG(), FirstPrice()])
def test_no_budget_is_exceeded_and_no_price_is_above_its_bid(pacer: Pacer, auction: Auction) -> None:
    for served in days(AdServer(funnel(auction), WORLD.catalog, market(pacer))):
        of = campaigns(served)
        paid = served.feedback[PAID]
        spent = np.bincount(of[of >= 0], paid[of >= 0], WORLD.n_campaigns)
        assert np.all(spent <= WORLD.all_campaigns.daily_budget + 1e-9)
        assert np.any(spent > 0.95 * WORLD.all_campaigns.daily_budget), "no budget was ever short"
        assert np.all(paid[of >= 0] <= WORLD.all_campaigns.bid[of[of >= 0]])
        assert np.all(served.slates.columns["price"][of >= 0] <= WORLD.all_campaigns.bid[of[of >= 0]])


def test_campaigns_pay_for_what_they_pay_for() -> None:
    for served in days(AdServer(funnel(), WORLD.catalog, market())):
        of, paid = campaigns(served), served.feedback[PAID]
        per_action = WORLD.all_campaigns.per_action[of] & (of >= 0)
        converted = served.feedback["conversion_days"] > 0
        assert np.any(paid[per_action] > 0)
        assert not np.any(paid[per_action & ~converted])
        assert not np.any(paid[~per_action & ~served.feedback["click"]])
        assert not np.any(paid[of < 0])


def test_nobody_sees_a_campaign_more_often_than_the_cap_allows() -> None:
    for served in days(AdServer(funnel(), WORLD.catalog, market(frequency_cap=2))):
        of = campaigns(served)
        rows, positions = np.nonzero(of >= 0)
        pairs = served.requests.user[rows] * WORLD.n_campaigns + of[rows, positions]
        assert np.bincount(pairs).max() == 2


def test_who_has_no_money_left_is_shown_no_more_in_the_next_hour() -> None:
    server = AdServer(funnel(), WORLD.catalog, market())
    (served,) = days(server, 1)
    of, hour = campaigns(served), np.floor(served.requests.time_days * 24).astype(int)
    spent = np.zeros(WORLD.n_campaigns)
    limit = np.floor(WORLD.all_campaigns.daily_budget * 1e6) / 1e6
    for now in range(24):
        rows = hour == now
        shown = of[rows][of[rows] >= 0]
        assert not np.isin(shown, np.flatnonzero(spent >= limit - 1e-9)).any()
        spent += np.bincount(shown, served.feedback[PAID][rows][of[rows] >= 0], WORLD.n_campaigns)
    assert np.count_nonzero(spent >= limit - 1e-9) > 3


def test_pacing_leaves_money_for_the_evening() -> None:
    """Of the campaigns that spend all they have, the share spent by noon: the plan says 28%."""
    by_noon = {}
    for name, pacer in (("none", NoPacing(60)), ("dual", Dual(20.0, update_minutes=60))):
        (served,) = days(AdServer(funnel(), WORLD.catalog, market(pacer)), 1)
        of, paid = campaigns(served), served.feedback[PAID]
        noon = (served.requests.time_days < 0.5)[:, None] & (of >= 0)
        total, early = (np.bincount(of[rows], paid[rows], WORLD.n_campaigns) for rows in (of >= 0, noon))
        rich = total > 0.9 * WORLD.all_campaigns.daily_budget
        assert rich.sum() > 3
        by_noon[name] = early[rich].sum() / total[rich].sum()
    assert by_noon["none"] > by_noon["dual"] + 0.1


def test_arms_of_an_experiment_split_budgets() -> None:
    (half,) = days(AdServer(funnel(), WORLD.catalog, market(), budget_share=0.5), 1)
    of = campaigns(half)
    spent = np.bincount(of[of >= 0], half.feedback[PAID][of >= 0], WORLD.n_campaigns)
    assert np.all(spent <= 0.5 * WORLD.all_campaigns.daily_budget + 1e-9)


def test_what_explores_is_given_away_and_its_propensity_known() -> None:
    giveaway = Giveaway(share=0.3, depth=20)
    server = AdServer(funnel(), WORLD.catalog, market(), giveaway=giveaway)
    (served,) = days(server, 1)
    explored = served.slates.columns["explored"]
    assert 0.25 < explored[:, 0].mean() < 0.35
    assert not served.slates.columns["price"][explored].any()
    assert not served.feedback[PAID][explored].any()
    propensity = served.slates.columns["propensity"][served.slates.shown]
    assert np.all((propensity > 0) & (propensity <= 1))
    greedy = served.slates.columns["propensity"][~explored & served.slates.shown]
    assert greedy.min() > 0.7


def test_what_explores_is_ordered_as_the_auction_orders_paced_bids() -> None:
    """Else the propensity of what is sold would be that of another page."""
    giveaway = Giveaway(share=0.3, depth=20)
    server = AdServer(funnel(), WORLD.catalog, market(Dual(20.0, update_minutes=60), 100), giveaway=giveaway)
    days(server)
    requests = day_of(WORLD, 2).requests
    requests = requests.take(np.floor(requests.time_days % 1 * 24) == 20)
    server._go_to(requests)
    batch = server._candidates(requests)
    value = batch.candidates["score"]
    bid = server.market.pacer.bids(server.pacing, server.campaign[batch.candidates.items], value)
    assert np.any(bid < value)
    takes_part = server._takes_part(batch, server._seen)
    sold = sold_at(server.auction, batch, bid, takes_part)
    given_away = server._given_away(batch, bid, takes_part)
    greedy = ~given_away.columns["explored"]
    np.testing.assert_array_equal(given_away.items[greedy], sold.items[greedy])
    unpaced = server._given_away(batch, value, takes_part)
    assert not np.array_equal(unpaced.items[greedy], sold.items[greedy])


def test_any_number_of_workers_shows_the_same() -> None:
    one, two = (days(AdServer(funnel(), WORLD.catalog, market(), n_workers=n)) for n in (1, 2))
    for mine, yours in zip(one, two, strict=True):
        np.testing.assert_array_equal(mine.slates.items, yours.slates.items)
        np.testing.assert_array_equal(mine.feedback[PAID], yours.feedback[PAID])


def test_the_log_says_what_was_paid() -> None:
    server = AdServer(funnel(), WORLD.catalog, market(), giveaway=Giveaway(share=0.1, depth=20))
    shares = {"retrieval": 1, "ranking": 1, "validation": 1, "test": 1}
    log, _ = collect_log(WORLD, server, 4, shares, 100.0)
    assert log.impressions[PAID].sum() > 0
    assert {"click", "hide", "conversion_days", PAID} <= set(log.impressions.columns)


def test_requests_of_two_hours_or_of_the_past_are_refused() -> None:
    requests = day_of(WORLD, 1).requests
    server = AdServer(funnel(), WORLD.catalog, market())
    with pytest.raises(InputError, match=r"requests of 1 days and \d+ intervals came together"):
        server.rank(requests)
    with pytest.raises(InputError, match=r"no budgets before its first page"):
        _ = server.pacing
    hour = np.floor(requests.time_days % 1 * 24)
    late, early = (requests.take(hour == one) for one in (20, 10))
    assert np.any(server.rank(late).items != NO_ITEM)
    with pytest.raises(InputError, match=r"requests came for interval 10 of day 1, which is over"):
        server.rank(early)
    assert len(server.rank(late.take(np.zeros(0, np.int64)))) == 0


def test_what_is_wrong_is_said() -> None:
    target = funnel().stages["target"]
    with pytest.raises(InvalidValueError, match=r"funnel == 'Target', must end in an auction"):
        AdServer(Funnel({"target": target}), WORLD.catalog, market())
    with pytest.raises(InvalidValueError, match=r"giveaway.depth == 2, must be at least 4"):
        AdServer(funnel(), WORLD.catalog, market(), giveaway=Giveaway(share=0.1, depth=2))
    with pytest.raises(InvalidValueError, match=r"traffic == 3, must have 24 numbers"):
        replace(market(), traffic=(1.0, 2.0, 3.0))
    with pytest.raises(InvalidValueError, match=r"frequency_cap == 0, must be at least 1"):
        replace(market(), frequency_cap=0)
