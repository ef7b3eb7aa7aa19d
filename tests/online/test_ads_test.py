from __future__ import annotations

import numpy as np
import pytest

from mlsd.ad_server import PAID, AdServer, Market
from mlsd.auctions.gsp import GSP
from mlsd.errors import InputError, InvalidValueError
from mlsd.funnel import Funnel
from mlsd.online.ads_test import METRICS, SHARE, AdsCounter, AdsTest
from mlsd.online.base import CONTROL, TREATMENT, assigned_to_treatment
from mlsd.online.result import ABResult
from mlsd.pacing.dual import Dual
from mlsd.serving import serve
from mlsd.stages.auction import AuctionStage
from mlsd.stages.base import TrainingData
from mlsd.stages.target import Target
from mlsd.testing.stage_kit import FITTING
from mlsd.testing.tiny_world import TinyWorld
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.ads.campaigns import CampaignOptions
from mlsd.worlds.ads.responses import ResponseOptions
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.visits.base import DAILY

KEYS = {"region": 8, "age_band": 6, "audience": 20, "hour": 24}
WORLD = AdsWorld(
    seed=9,
    n_users=300,
    n_campaigns=80,
    campaigns=CampaignOptions(daily_budget=2.0),
    responses=ResponseOptions(click_logit=-2.0, conversion_logit=-1.0),
    click_model=PositionBased(),
)
MARKET = Market(pacer=Dual(20.0, update_minutes=60), frequency_cap=6, traffic=DAILY)
LATENCIES = {CONTROL: 100.0, TREATMENT: 100.0}
SEED = 17


def server(arm: str, share: float, *, reserve: float = 0.0) -> AdServer:
    """Both arms sell alike, unless the treatment has a reserve price."""
    target = Target(30, KEYS, 0.1)
    target.fit(TrainingData(WORLD.catalog), FITTING)
    auction = GSP(reserve if arm == TREATMENT else 0.0)
    sell = AuctionStage(4, auction, (1.0, 0.9, 0.7, 0.5), value="candidate.score", quality=None)
    return AdServer(Funnel({"target": target, "auction": sell}), WORLD.catalog, MARKET, budget_share=share)


def run(reserve: float = 0.0) -> ABResult:
    test = AdsTest()
    return test.run(
        WORLD,
        lambda arm, share: server(arm, share, reserve=reserve),
        0,
        WORLD.first_state(),
        LATENCIES,
        SEED,
    )


@pytest.fixture(scope="module")
def alike() -> ABResult:
    return run()


@pytest.fixture(scope="module")
def reserved() -> ABResult:
    return run(reserve=0.6)


def test_arms_that_are_alike_do_not_differ_in_truth(alike: ABResult) -> None:
    assert set(alike.effects) == set(METRICS)
    for name, effect in alike.effects.items():
        assert effect.truth == 0, name


def test_an_experiment_of_arms_that_are_alike_rarely_finds_anything(alike: ABResult) -> None:
    """Ten metrics at the 5% level: more than three have a chance of 1 in 1,000, if they were independent."""
    found = [name for name, effect in alike.effects.items() if effect.estimate.p_value < 0.05]
    assert len(found) <= 3
    assert not alike.sample_ratio.is_broken


def test_a_reserve_price_shows_fewer_ads(reserved: ABResult) -> None:
    ad_load = reserved.effects["ad_load"]
    assert ad_load.truth < -0.2
    assert ad_load.estimate.high < 0


def test_each_arm_has_half_of_the_people_and_of_every_budget(alike: ABResult) -> None:
    users = alike.users
    split, whole = (users[users["budgets"] == kind] for kind in ("split", "whole"))
    assert len(whole) == 2 * WORLD.n_users
    assert len(split) == WORLD.n_users
    treated = assigned_to_treatment(np.arange(WORLD.n_users), SEED)
    assert set(split["user"][split["arm"] == TREATMENT]) == set(np.flatnonzero(treated))
    budget = 1000 * 14 * WORLD.all_campaigns.daily_budget.sum()
    for arm in (CONTROL, TREATMENT):
        assert split["revenue_1000"][split["arm"] == arm].sum() <= SHARE * budget
        spent = whole["revenue_1000"][whole["arm"] == arm].sum()
        assert split["revenue_1000"][split["arm"] == arm].sum() < spent <= budget


def test_what_is_counted_is_what_was_done() -> None:
    served, _ = serve(WORLD, server(CONTROL, 1.0), np.arange(WORLD.n_users), 0, WORLD.first_state(), 100.0)
    counts = AdsCounter(WORLD)(served)
    items, shown = served.slates.items, served.slates.shown
    expected = dict.fromkeys(("clicks", "hides", "conversions", "revenue_1000", "value_1000"), 0.0)
    for row, position in zip(*np.nonzero(shown), strict=True):
        done = {name: values[row, position] for name, values in served.feedback.items()}
        ad = items[row, position]
        converted = done["conversion_days"] > 0
        expected["clicks"] += done["click"]
        expected["hides"] += done["hide"]
        expected["conversions"] += converted
        expected["revenue_1000"] += 1000 * done[PAID]
        wanted = converted if WORLD.catalog["per_action"][ad] else done["click"]
        expected["value_1000"] += 1000 * wanted * WORLD.catalog["bid"][ad]
    for name, value in expected.items():
        assert counts[name].sum() == pytest.approx(value), name
        assert len(counts[name]) == WORLD.n_users
    assert counts["impressions"].sum() == shown.sum()
    assert counts["requests"].sum() == len(served.requests)
    assert counts["value_1000"].sum() >= counts["revenue_1000"].sum() > 0


def test_every_count_is_named_in_words() -> None:
    test = AdsTest()
    counted = {name for ratio in test.metrics.values() for name in ratio if "_" in name}
    assert counted <= set(test.count_words)


def test_a_world_without_ads_is_refused() -> None:
    world = TinyWorld()
    with pytest.raises(InputError, match=r"an ads test needs the actions hide, conversion_days of TinyWorld"):
        AdsTest().run(world, server, 0, world.first_state(), LATENCIES, SEED)


def test_it_lasts_two_weeks() -> None:
    with pytest.raises(InvalidValueError, match=r"n_days == 7, must be at least 14"):
        AdsTest(n_days=7)
    with pytest.raises(InvalidValueError, match=r"alpha == 1.0"):
        AdsTest(alpha=1.0)
