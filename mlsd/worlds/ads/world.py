"""The synthetic ads world: advertisers and people, all made up, with the truth known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlsd import checks
from mlsd.types import Array, Catalog, Columns, Floats, Ints, Judgements, Requests, Served, Slates, State
from mlsd.worlds.ads.audience import MOST_VALUES, Audience, AudienceOptions
from mlsd.worlds.ads.campaigns import (
    Ads,
    CampaignOptions,
    Campaigns,
    admits,
    make_ads,
    make_campaigns,
    make_catalog,
)
from mlsd.worlds.ads.responses import Probs, ResponseModel, ResponseOptions, Responses, Suits
from mlsd.worlds.base import LiveWorld, judged_in_blocks
from mlsd.worlds.click_models.base import ClickModel
from mlsd.worlds.memory.base import Seen
from mlsd.worlds.visits.base import HOURS, Moments, ascending, moments_of

DEVICES = ("phone", "computer", "tablet")

_BLOCK = 512
"""Requests judged at once."""


@dataclass(kw_only=True, eq=False)
class AdsWorld(LiveWorld):
    """People who are shown ads beside what they came for, and the campaigns that pay for it.

    Nothing is made before it is first asked for. How each part is made stands with it: `audience`,
    `campaigns`, `responses`. An item is an ad; a request is a page view.

    A grade is what an ad truly brings in on a thousand pages whose reader looks at it for the first time:

        grade = 1000 P(click | looked at) bid                            of a campaign that pays for clicks
        grade = 1000 P(click | looked at) P(conversion | click) bid      of one that pays for conversions

    Ads that are not targeted at the request, or whose campaign does not run, are not judged.

    Args:
        seed: of everything; another seed is another world with other people and other luck.
        n_users: people.
        n_campaigns: over the whole time; those of one day are a part of them.
        n_categories: of campaigns, pages and interests.
        click_model: which positions people look at.
        audience: who the people are.
        campaigns: what campaigns are like.
        responses: what people do with ads they look at.
    """

    actions = ("click", "hide", "conversion_days")
    catalog_columns = frozenset({
        "campaign", "advertiser", "category", "bid", "per_action", "daily_budget", "start_day", "end_day",
        "target_region", "target_age_band", "target_audience", "target_hour",
    })  # fmt: skip
    relevant_grade = 25.0
    n_rounds = HOURS

    seed: int = 0
    n_users: int = 2_500
    n_campaigns: int = 500
    n_categories: int = 20
    click_model: ClickModel
    audience: AudienceOptions = field(default_factory=AudienceOptions)
    campaigns: CampaignOptions = field(default_factory=CampaignOptions)
    responses: ResponseOptions = field(default_factory=ResponseOptions)

    def __post_init__(self) -> None:
        checks.at_least("n_users", self.n_users, 1)
        checks.at_least("n_campaigns", self.n_campaigns, 1)
        checks.between("n_categories", self.n_categories, 1, MOST_VALUES)

    @property
    def name(self) -> str:
        return f"synthetic ads world, {self.n_campaigns:,} campaigns, {self.n_users:,} people"

    @property
    def max_grade(self) -> float:
        return 1000.0 * float(self.all_campaigns.bid.max())

    @property
    def horizons(self) -> Mapping[str, int]:
        return {"campaigns.horizon_days": self.campaigns.horizon_days}

    @property
    def notes(self) -> tuple[str, ...]:
        worth = f"A grade is what a thousand pages with an ad bring in; {self.relevant_grade:g} is relevant."
        return (
            f"Campaigns, ads and people are made up, so every probability is known. {worth}",
            "People click what suits them and tire of what they saw; some convert, at once or days later.",
            "They hide some of what annoys them, and come back less often when ads annoyed them.",
            "Campaigns bid what a click or a conversion is worth to them, and begin and end all the time.",
        )

    @cached_property
    def category_weights(self) -> Floats:
        """(n_categories,) how many campaigns and pages are of each."""
        return np.asarray((1.0 + np.arange(self.n_categories)) ** -self.campaigns.category_zipf, np.float64)

    @cached_property
    def people(self) -> Audience:
        """Who is shown ads."""
        return Audience(self.audience, self.category_weights, self.n_users, self.seed)

    @cached_property
    def all_campaigns(self) -> Campaigns:
        """Who advertises, what is hidden about it included."""
        n_values = {
            "region": len(self.audience.region_shares),
            "age_band": len(self.audience.age_shares),
            "audience": self.n_categories,
        }
        return make_campaigns(self.campaigns, self.n_campaigns, self.category_weights, n_values, self.seed)

    @cached_property
    def all_ads(self) -> Ads:
        """What can be shown: hidden truth."""
        return make_ads(self.campaigns, self.n_campaigns, self.audience.n_tastes, self.seed)

    @cached_property
    def catalog(self) -> Catalog:
        return make_catalog(self.all_campaigns, self.all_ads)

    def eligible(self, requests: Requests) -> Array:
        """(n_requests, n_ads) bool: whether an ad is targeted at a request and its campaign runs."""
        campaigns, day = self.all_campaigns, requests.day[:, None]
        hour = np.floor(requests.time_days % 1.0 * HOURS).astype(np.int64)
        values = {name: requests[name] for name in ("region", "age_band", "audience")} | {"hour": hour}
        runs = (campaigns.start_day <= day) & (day < campaigns.end_day)
        for key, mask in campaigns.target.items():
            runs &= admits(mask, values[key][:, None])
        return np.asarray(runs[:, self.all_ads.campaign])

    def judgements(self, requests: Requests) -> Judgements:
        self._moments(requests)
        return judged_in_blocks(requests, self._judged, _BLOCK)

    def _judged(self, requests: Requests) -> tuple[Ints, Ints, Floats]:
        """Ads of each request, which they are, and what they are worth."""
        eligible = self.eligible(requests)
        rows, items = np.nonzero(eligible)
        probs = self.probs(requests, rows, items, np.zeros(len(rows)))
        return eligible.sum(axis=1), items, 1000.0 * probs.click * self.worth(items, probs)

    def worth(self, items: Ints, probs: Probs) -> Floats:
        """What a click on each ad brings in, at the bid of its campaign."""
        campaigns, campaign = self.all_campaigns, self.all_ads.campaign[items]
        per_click = np.where(campaigns.per_action[campaign], probs.conversion, 1.0)
        return np.asarray(per_click * campaigns.bid[campaign])

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        numbers = np.array([str(value) for value in range(MOST_VALUES)])
        numbered = {name: numbers[requests[name]] for name in ("region", "age_band")}
        return {**numbered, "device": np.array(DEVICES)[requests["device"]]}

    def first_state(self) -> State:
        """What people remember, and how often each has seen each campaign, earlier days counting less."""
        return {**self.people.first_state(), **Seen.nothing(self.n_campaigns).state()}

    def arrivals(self, users: Ints, day: int, state: State) -> Requests:
        people = self.people
        moments = people.come(ascending(users), day, state)
        columns = {
            "region": people.region[moments.user],
            "age_band": people.age_band[moments.user],
            "audience": people.audience[moments.user],
            "device": people.device(moments),
            "page_category": people.page_category(moments),
        }
        return Requests(
            people.numbering.ids(moments), moments.user, moments.day, people.time_of(moments), columns
        )

    def respond(self, requests: Requests, slates: Slates, state: State) -> Columns:
        done = self.hidden_responses(requests, slates, state)
        return {"click": done.clicked, "hide": done.hid, "conversion_days": done.conversion_days}

    def hidden_responses(self, requests: Requests, slates: Slates, state: State) -> Responses:
        """All that people do, also what no log shows: what they look at, what annoys them."""
        probs = self.probs_of(requests, slates, state)
        return self._response_model(requests.request_id, slates.items, probs)

    def probs_of(self, requests: Requests, slates: Slates, state: State) -> Probs:
        """(n_requests, n_positions) the truth about what is shown; that of any ad where nothing is."""
        items = np.maximum(slates.items, 0)
        rows = np.broadcast_to(np.arange(len(requests))[:, None], items.shape)
        seen = self._seen(state).of(requests.user[:, None], self.all_ads.campaign[items])
        return self.probs(requests, rows, items, seen)

    def action_probs(self, requests: Requests, slates: Slates, state: State) -> Columns:
        return self._response_model.action_probs(slates.shown, self.probs_of(requests, slates, state))

    def probs(self, requests: Requests, rows: Ints, items: Ints, seen: Floats) -> Probs:
        """The truth about pairs of a request and an ad.

        Args:
            requests: n_requests.
            rows: of the requests, of any shape.
            items: ads, the same shape.
            seen: the same shape, times the person has seen the ad's campaign.
        """
        self._moments(requests)
        user, ads = requests.user[rows], self.all_ads
        campaign = ads.campaign[items]
        category = self.all_campaigns.category[campaign]
        suits = Suits(
            self.people.log_affinity[user, category],
            requests["page_category"][rows] == category,
            (self.people.taste[user] * ads.taste[items]).sum(axis=-1),
            ads.appeal[items],
            ads.annoying[items],
            self.all_campaigns.landing[campaign],
            seen,
        )
        return self._response_model.probs(suits)

    def noticed(self, served: Served, state: State) -> State:
        done = self.hidden_responses(served.requests, served.slates, state)
        rows, positions = np.nonzero(done.examined)
        campaign = self.all_ads.campaign[served.slates.items[rows, positions]]
        user = served.requests.user
        seen = self._seen(state).added(user[rows], campaign)
        annoyed = np.bincount(user, done.annoyed.sum(axis=1), self.n_users)
        return {**state, **seen.state(), "annoyed_today": state["annoyed_today"] + annoyed}

    def after(self, users: Ints, served: Served, latency_ms: float, state: State) -> State:
        remembered = self.people.remember(served.requests.user, latency_ms, state)
        seen = self._seen(state).faded(users, 1 - self.responses.forgetting)
        return {**remembered, **seen.state()}

    def examination_prob(self, n_positions: int) -> Floats:
        return self.click_model.examination_prob(n_positions)

    @cached_property
    def _response_model(self) -> ResponseModel:
        return ResponseModel(self.responses, self.click_model, self.seed)

    def _seen(self, state: State) -> Seen:
        return Seen.of_state(state, self.n_campaigns)

    def _moments(self, requests: Requests) -> Moments:
        """What the ids of the requests stand for."""
        return moments_of(requests, self.people.numbering)
