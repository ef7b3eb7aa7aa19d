from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import yaml

from mlsd.checks import collecting
from mlsd.errors import InputError
from mlsd.serving import serve
from mlsd.testing.world_kit import LiveWorldKit, day_of, relevant_slates
from mlsd.types import Array, Floats, Ints, Requests, Slates, State
from mlsd.worlds.ads import AdsWorld
from mlsd.worlds.ads.campaigns import ANYBODY
from mlsd.worlds.base import LiveWorld
from mlsd.worlds.click_models.dbn import DynamicBayesian
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.memory.base import Seen
from tests.worlds.built import built, parameters

if TYPE_CHECKING:
    from tests.worlds.ads.conftest import MakeWorld

CONF = Path(__file__).parents[3] / "conf" / "world" / "ads.yaml"
CLICK_MODEL = CONF.parents[1] / "click_model" / "pbm.yaml"


class TestAdsWorld(LiveWorldKit):
    hidden_names = LiveWorldKit.hidden_names | {
        "taste", "appeal", "annoying", "landing", "seen", "annoyance", "annoyed", "worth", "value",
    }  # fmt: skip

    def make_world(self, seed: int) -> AdsWorld:
        return AdsWorld(seed=seed, n_users=300, n_campaigns=80, click_model=PositionBased())

    def state_of(self, world: LiveWorld, users: Ints, state: State) -> State:
        assert isinstance(world, AdsWorld)
        seen = np.isin(state["seen_pair"] // world.n_campaigns, users)
        of_people = {name: values for name, values in state.items() if not name.startswith("seen_")}
        of_pairs = {name: state[name][seen] for name in ("seen_pair", "seen_times")}
        return super().state_of(world, users, of_people) | of_pairs


class Same:
    """Shows everybody the same ads."""

    def __init__(self, *ads: int) -> None:
        self.ads = np.array(ads, np.int64)

    def rank(self, requests: Requests) -> Slates:
        return Slates(np.broadcast_to(self.ads, (len(requests), len(self.ads))).copy())


def everybody(world: AdsWorld) -> Ints:
    return np.arange(world.n_users)


def test_the_config_says_what_the_code_does_by_default() -> None:
    whole = yaml.safe_load(CONF.read_text(encoding="utf-8"))
    assert whole["defaults"][0] == {"/click_model@world.click_model": "pbm"}
    node = whole["world"]
    assert node.pop("seed") == "${seed}"
    node["click_model"] = yaml.safe_load(CLICK_MODEL.read_text(encoding="utf-8"))
    assert parameters(built(node)) == parameters(AdsWorld(click_model=PositionBased()))


def test_the_config_begins_with_the_command_that_uses_it() -> None:
    first, second = CONF.read_text(encoding="utf-8").splitlines()[:2]
    assert (first, second) == ("# @package _global_", "# mlsd run problem=ads world=ads")


def test_construction_makes_nothing() -> None:
    assert AdsWorld(click_model=PositionBased(), n_users=10**12, n_campaigns=10**12).n_users == 10**12


def test_sizes_are_checked_all_at_once() -> None:
    with collecting() as faults:
        AdsWorld(click_model=PositionBased(), n_users=0, n_campaigns=-1, n_categories=64)
    assert [str(fault) for fault in faults] == [
        "n_users == 0, must be at least 1",
        "n_campaigns == -1, must be at least 1",
        "n_categories == 64, must be between 1 and 63",
    ]


def test_who_is_eligible_by_the_letter_of_the_rules(world: AdsWorld) -> None:
    requests = day_of(world, 5).requests.take(np.arange(40))
    catalog, eligible = world.catalog, world.eligible(requests)
    assert 0.05 < eligible.mean() < 0.5
    for row in range(len(requests)):
        asked = {name: int(requests[name][row]) for name in ("region", "age_band", "audience")}
        asked["hour"] = int(requests.time_days[row] % 1 * 24)
        for ad in range(len(catalog)):
            wanted = {key: int(catalog[f"target_{key}"][ad]) for key in asked}
            admitted = all(
                wanted[key] == ANYBODY or bin(wanted[key])[::-1][value : value + 1] == "1"
                for key, value in asked.items()
            )
            runs = catalog["start_day"][ad] <= 5 < catalog["end_day"][ad]
            assert eligible[row, ad] == (admitted and runs)


def test_grades_are_what_a_thousand_first_pages_bring_in(world: AdsWorld) -> None:
    """Of the 100 pairs of highest grade, by the formula."""
    requests = day_of(world, 0).requests
    judged = world.judgements(requests)
    best = np.argsort(-judged.grades)[:100]
    row = np.searchsorted(judged.offsets, best, side="right") - 1
    item = judged.items[best]
    probs = world.probs(requests, row, item, np.zeros(len(best)))
    campaign = world.all_ads.campaign[item]
    per_action, bid = world.all_campaigns.per_action[campaign], world.all_campaigns.bid[campaign]
    assert per_action.any()
    assert not per_action.all()
    paid_prob = np.where(per_action, probs.click * probs.conversion, probs.click)
    np.testing.assert_allclose(judged.grades[best], 1000 * paid_prob * bid)


def test_clicks_conversions_and_annoyance_have_their_probabilities(world: AdsWorld) -> None:
    """Everything that happened within 4 standard errors of the sum of its probabilities."""
    requests = day_of(world, 0).requests
    slates, state = Slates(relevant_slates(world, requests)), world.first_state()
    done = world.hidden_responses(requests, slates, state)
    probs = world.probs_of(requests, slates, state)
    clicked = done.clicked[done.examined]
    click_prob = probs.click[done.examined]
    close(clicked, click_prob)
    close(done.annoyed[done.examined], probs.annoyance[done.examined])
    close((done.conversion_days > 0)[done.clicked], probs.conversion[done.clicked])
    close(done.hid[done.annoyed], np.full(np.count_nonzero(done.annoyed), world.responses.hide_prob))
    assert not done.clicked[~done.examined].any()


def close(happened: Array, prob: Floats) -> None:
    error = np.sqrt(np.sum(prob * (1 - prob)))
    assert len(prob) > 5
    assert abs(happened.sum() - prob.sum()) <= 4 * error


def test_conversions_are_delayed_as_declared(make_world: MakeWorld) -> None:
    """Everybody clicks and converts; the largest gap between distribution functions, at the .001 level."""
    options = type(make_world().responses)(click_logit=20, conversion_logit=20)
    world = make_world(responses=options)
    served = day_of(world, 0)
    delays = np.sort(served.feedback["conversion_days"][served.feedback["click"]].astype(np.float64))
    assert len(delays) > 1000
    empirical = (1 + np.arange(len(delays))) / len(delays)
    gap = np.abs(empirical - options.delayed_by(delays)).max()
    assert gap < 1.95 / np.sqrt(len(delays))


def test_what_was_seen_today_tires_in_the_next_hour_and_is_forgotten_by_days(world: AdsWorld) -> None:
    state = world.first_state()
    served, after = serve(world, Same(0, 1), everybody(world), 0, state, 100.0)
    visited = np.unique(served.requests.user)
    campaigns = world.all_ads.campaign[[0, 1]]
    seen = Seen.of_state(after, world.n_campaigns)
    assert seen.of(visited[:, None], campaigns).sum() > 0
    assert set((seen.pair % world.n_campaigns).tolist()) == set(campaigns.tolist())
    _, later = serve(world, Same(0, 1), np.zeros(0, np.int64), 1, after, 100.0)
    np.testing.assert_array_equal(later["seen_pair"], after["seen_pair"])
    np.testing.assert_array_equal(later["seen_times"], after["seen_times"])
    requests = day_of(world, 1).requests
    slates = Slates(np.zeros((len(requests), 1), np.int64))
    fresh, tired = (world.probs_of(requests, slates, each) for each in (state, after))
    has_seen = seen.of(requests.user, campaigns[0]) > 0
    assert np.all(tired.click[has_seen] < fresh.click[has_seen])
    assert np.all(tired.annoyance[has_seen] > fresh.annoyance[has_seen])
    np.testing.assert_array_equal(tired.click[~has_seen], fresh.click[~has_seen])


def test_a_state_does_not_grow_with_the_campaigns_there_are() -> None:
    few, many = (
        AdsWorld(click_model=PositionBased(), n_users=10, n_campaigns=n).first_state() for n in (1, 10**12)
    )
    assert sum(values.nbytes for values in many.values()) == sum(values.nbytes for values in few.values())


def test_annoyed_people_come_less_often(world: AdsWorld) -> None:
    calm = world.first_state()
    cross = {**calm, "annoyance": calm["annoyance"] + 1}
    slow = {**calm, "latency_ms": calm["latency_ms"] + 1000}
    prob = world.people.visit_prob(calm)
    assert np.all(world.people.visit_prob(cross) < prob)
    assert np.all(world.people.visit_prob(slow) < prob)


def test_annoyance_of_a_day_is_remembered_in_part(world: AdsWorld) -> None:
    worst = np.argsort(-world.all_ads.annoying)[:4]
    served, after = serve(world, Same(*worst.tolist()), everybody(world), 0, world.first_state(), 100.0)
    came = np.isin(everybody(world), served.requests.user)
    expected = world.audience.expected_annoyance
    assert after["annoyance"][came].mean() > expected
    np.testing.assert_array_equal(after["annoyance"][~came], expected)
    assert not after["annoyed_today"].any()
    none, rested = serve(world, Same(), everybody(world), 0, world.first_state(), 100.0)
    np.testing.assert_allclose(rested["annoyance"][came], expected * (1 - world.audience.memory))
    assert len(none.requests) == len(served.requests)


def test_a_day_has_its_hours(make_world: MakeWorld) -> None:
    """Visits by hour within 4 standard errors of the declared shares."""
    world = make_world(n_users=4000)
    requests = day_of(world, 0).requests
    first = requests.take(np.append(True, np.diff(requests.user) > 0))
    hours = np.bincount(np.floor(first.time_days * 24).astype(int), minlength=24)
    share = np.array(world.audience.hour_shares) / sum(world.audience.hour_shares)
    error = np.sqrt(len(first) * share * (1 - share))
    assert np.all(np.abs(hours - len(first) * share) <= 4 * error)


def test_campaigns_come_and_go(make_world: MakeWorld) -> None:
    world = make_world(n_campaigns=2000)
    days = np.arange(world.campaigns.horizon_days)
    campaigns = world.all_campaigns
    running = (campaigns.start_day[:, None] <= days) & (days < campaigns.end_day[:, None])
    n_running = running.sum(axis=0)
    assert n_running.min() > 0.7 * n_running.max()
    assert np.all(running.any(axis=0))
    fresh = np.count_nonzero(campaigns.start_day[:, None] == days, axis=0)
    assert np.all(fresh > 0)


def test_ads_belong_to_campaigns_and_campaigns_to_advertisers(world: AdsWorld) -> None:
    catalog = world.catalog
    assert np.all(np.diff(catalog["campaign"]) >= 0)
    assert set(catalog["campaign"].tolist()) == set(range(world.n_campaigns))
    for name in ("advertiser", "bid", "daily_budget", "category", "end_day"):
        of_campaign = [len(set(catalog[name][catalog["campaign"] == one].tolist())) for one in range(20)]
        assert set(of_campaign) == {1}
    assert np.all(catalog["end_day"] > catalog["start_day"])
    own = (catalog["target_audience"] >> catalog["category"]) & 1
    assert np.all(own[catalog["target_audience"] != ANYBODY] == 1)


def test_segments_name_what_requests_say(world: AdsWorld) -> None:
    requests = day_of(world, 0).requests
    segments = world.segments(requests)
    assert set(segments) == {"region", "age_band", "device"}
    assert segments["region"][0] == str(requests["region"][0])
    assert set(segments["device"]) <= {"phone", "computer", "tablet"}


def test_a_request_of_another_world_is_refused(world: AdsWorld) -> None:
    zero = np.zeros(1, np.int64)
    columns = day_of(world, 0).requests.take(zero).columns
    requests = Requests(np.array([3200 * 9]), zero, zero, np.zeros(1), columns)
    with pytest.raises(InputError, match=r"request\.request_id == 28800, must be of a request of this world"):
        world.judgements(requests)


def test_what_is_likely_is_what_happens(make_world: MakeWorld) -> None:
    """Of every action within 4 standard errors of the sum of its probabilities; ads are drawn one by one."""
    world = make_world()
    requests = day_of(world, 0).requests
    person, campaign = (pairs.ravel() for pairs in np.indices((world.n_users, world.n_campaigns // 3)))
    once = Seen.nothing(world.n_campaigns).added(person, 3 * campaign)
    state = {**world.first_state(), **once.added(person, 3 * campaign).state()}
    slates = Slates(relevant_slates(world, requests))
    probs, done = world.action_probs(requests, slates, state), world.respond(requests, slates, state)
    assert set(probs) == set(world.actions)
    for action, prob in probs.items():
        close((done[action] > 0).ravel(), prob.ravel())


def test_what_is_likely_knows_who_stops_looking(make_world: MakeWorld) -> None:
    """Under the dynamic Bayesian model, by the formula, for one page: a conversion satisfies."""
    world = make_world(click_model=DynamicBayesian(0.8))
    requests = day_of(world, 0).requests.take(np.arange(1))
    slates, state = Slates(np.array([[3, -1, 5]])), world.first_state()
    click, conversion, annoyance = world.probs_of(requests, slates, state)
    found = world.action_probs(requests, slates, state)
    looked = [1.0, 0.0, 0.8**2 * (1 - click[0, 0] * conversion[0, 0])]
    np.testing.assert_allclose(found["click"][0], looked * click[0])
    np.testing.assert_allclose(found["hide"][0], looked * annoyance[0] * world.responses.hide_prob)
    np.testing.assert_allclose(found["conversion_days"][0], looked * click[0] * conversion[0])
