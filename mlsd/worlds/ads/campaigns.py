"""Who advertises: campaigns with budgets, bids and rules of targeting, and the ads that they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlsd import checks, ragged, rng
from mlsd.types import Array, Catalog, Floats, Ints
from mlsd.worlds.visits.base import HOURS

ANYBODY = 0
"""The mask of a rule that names no value: anybody will do."""

_DAYTIME_HOURS = 12


@dataclass(frozen=True)
class CampaignOptions:
    """What campaigns are like. Log-normal quantities are given by their median and the sigma of their log.

    Args:
        advertiser_share: advertisers there are, as a share of the campaigns, in (0, 1].
        creative_shares: shares of campaigns with 1, 2, ... ads; they are scaled to sum to 1.
        category_zipf: the k-th category has a share of campaigns and pages in proportion to k ** -this.
        horizon_days: campaigns begin until this day; some began before day 0.
        duration_days, duration_sigma: how long a campaign runs.
        per_action_share: campaigns that pay for conversions; the others pay for clicks.
        click_value, click_value_sigma: what a click is worth to an advertiser.
        action_clicks: what a conversion is worth, in clicks.
        daily_budget, budget_sigma: what a campaign may spend on a day.
        region_prob, region_share: P(a campaign names regions), and the share of all that it then names.
        age_prob, age_share: of age bands.
        audience_prob, audience_share: of audiences; its own category is always among those named.
        hour_prob: P(a campaign runs for twelve hours of the day only).
        appeal_sigma: standard deviation of an ad's appeal on the log-odds of a click.
        annoying_sigma: of how annoying an ad is, on the log-odds of annoyance.
        landing_sigma: of what an advertiser makes of clicks, on the log-odds of a conversion.
    """

    advertiser_share: float = 0.4
    creative_shares: Sequence[float] = (0.6, 0.3, 0.1)
    category_zipf: float = 0.5
    horizon_days: int = 42
    duration_days: float = 18.0
    duration_sigma: float = 0.7
    per_action_share: float = 0.3
    click_value: float = 0.6
    click_value_sigma: float = 0.5
    action_clicks: float = 10.0
    daily_budget: float = 3.0
    budget_sigma: float = 1.0
    region_prob: float = 0.5
    region_share: float = 0.4
    age_prob: float = 0.4
    age_share: float = 0.5
    audience_prob: float = 0.4
    audience_share: float = 0.1
    hour_prob: float = 0.15
    appeal_sigma: float = 0.5
    annoying_sigma: float = 0.8
    landing_sigma: float = 0.5

    def __post_init__(self) -> None:
        checks.probability("advertiser_share", self.advertiser_share)
        checks.not_empty("creative_shares", self.creative_shares)
        for place, one in enumerate(self.creative_shares):
            checks.at_least(f"creative_shares[{place}]", one, 0)
        checks.above("sum of creative_shares", float(sum(self.creative_shares)), 0)
        checks.at_least("category_zipf", self.category_zipf, 0)
        checks.at_least("horizon_days", self.horizon_days, 1)
        for name in ("duration_days", "click_value", "action_clicks", "daily_budget"):
            checks.above(name, getattr(self, name), 0)
        for name in ("per_action_share", "region_prob", "age_prob", "audience_prob", "hour_prob"):
            checks.share(name, getattr(self, name))
        for name in ("region_share", "age_share", "audience_share"):
            checks.share(name, getattr(self, name))
        for name in ("duration_sigma", "click_value_sigma", "budget_sigma", "appeal_sigma", "annoying_sigma",
                     "landing_sigma"):  # fmt: skip
            checks.between(name, getattr(self, name), 0, 5)


class Campaigns(NamedTuple):
    """Campaigns; each (n_campaigns,)."""

    advertiser: Ints
    category: Ints
    start_day: Ints
    end_day: Ints
    """The first day on which it runs no more."""
    per_action: Array
    """bool: whether it pays for a conversion, and not for a click."""
    bid: Floats
    """What it offers for what it pays for: as much as that is worth to it."""
    daily_budget: Floats
    target: dict[str, Ints]
    """Key -> mask: bit v says whether value v will do; 0 says that any will."""
    landing: Floats
    """Hidden: what its advertiser makes of clicks, on the log-odds of a conversion."""


class Ads(NamedTuple):
    """What can be shown; each (n_ads,) and hidden but for the campaign."""

    campaign: Ints
    appeal: Floats
    annoying: Floats
    taste: Floats
    """(n_ads, n_tastes) whom it pleases."""


def make_campaigns(
    options: CampaignOptions, n_campaigns: int, category_weights: Floats, n_values: dict[str, int], seed: int
) -> Campaigns:
    """Draw campaigns.

    Args:
        options: as declared.
        n_campaigns: how many.
        category_weights: (n_categories,).
        n_values: key of targeting -> how many values it has.
        seed: of all draws.
    """
    rows = np.arange(n_campaigns)
    n_advertisers = max(1, round(options.advertiser_share * n_campaigns))
    advertiser = rng.integers(seed, "advertisers", n_advertisers, rows)
    category = rng.choice(seed, "advertiser_categories", category_weights, advertiser)
    earliest = -round(3 * options.duration_days)
    start = earliest + rng.integers(seed, "starts", options.horizon_days - earliest, rows)
    duration = _log_normal(seed, "durations", options.duration_days, options.duration_sigma, rows)
    value = _log_normal(seed, "values", options.click_value, options.click_value_sigma, rows)
    per_action = rng.uniform(seed, "per_action", rows) < options.per_action_share
    return Campaigns(
        advertiser,
        category,
        start,
        start + np.maximum(np.rint(duration), 1).astype(np.int64),
        per_action,
        np.where(per_action, value * options.action_clicks, value),
        _log_normal(seed, "budgets", options.daily_budget, options.budget_sigma, rows),
        _targets(options, category, n_values, seed),
        options.landing_sigma * rng.normal(seed, "landing", advertiser),
    )


def make_ads(options: CampaignOptions, n_campaigns: int, n_tastes: int, seed: int) -> Ads:
    """Draw the ads of campaigns, in the order of these."""
    n_ads = 1 + rng.choice(seed, "creatives", options.creative_shares, np.arange(n_campaigns))
    campaign = ragged.segment_ids(ragged.offsets_of_counts(n_ads))
    rows = np.arange(len(campaign))
    return Ads(
        campaign,
        options.appeal_sigma * rng.normal(seed, "appeal", rows),
        options.annoying_sigma * rng.normal(seed, "annoying", rows),
        rng.normal(seed, "ad_tastes", rows[:, None], np.arange(n_tastes)) / np.sqrt(n_tastes),
    )


def make_catalog(campaigns: Campaigns, ads: Ads) -> Catalog:
    """What the platform knows of each ad."""
    of_campaign = {
        "advertiser": campaigns.advertiser,
        "category": campaigns.category,
        "bid": campaigns.bid,
        "per_action": campaigns.per_action,
        "daily_budget": campaigns.daily_budget,
        "start_day": campaigns.start_day,
        "end_day": campaigns.end_day,
        **{f"target_{key}": mask for key, mask in campaigns.target.items()},
    }
    columns = {name: values[ads.campaign] for name, values in of_campaign.items()}
    names = np.array([f"ad-{row}" for row in range(len(ads.campaign))])
    return Catalog(names, {"campaign": ads.campaign, **columns})


def admits(mask: Ints, value: Ints) -> Array:
    """Whether a value will do for a rule of targeting; the two broadcast together.

    Example:
        >>> admits(np.array([0b101, 0b101, ANYBODY]), np.array([2, 1, 1])).tolist()
        [True, False, True]
    """
    return np.asarray((mask == ANYBODY) | ((mask >> value) & 1 == 1))


def _targets(
    options: CampaignOptions, category: Ints, n_values: dict[str, int], seed: int
) -> dict[str, Ints]:
    """Key -> (n_campaigns,) masks."""
    declared = {
        "region": (options.region_prob, options.region_share),
        "age_band": (options.age_prob, options.age_share),
        "audience": (options.audience_prob, options.audience_share),
    }
    masks = {
        key: _named(prob, share, n_values[key], len(category), f"target_{key}", seed)
        for key, (prob, share) in declared.items()
    }
    own = np.int64(1) << category
    masks["audience"] = np.where(masks["audience"] == ANYBODY, ANYBODY, masks["audience"] | own)
    return {**masks, "hour": _daytimes(options.hour_prob, len(category), seed)}


def _named(prob: float, share: float, n_values: int, n_campaigns: int, stream: str, seed: int) -> Ints:
    """(n_campaigns,) masks: of those that name values each with the chance `share`, and one for certain."""
    rows = np.arange(n_campaigns)
    named = rng.uniform(seed, stream, rows[:, None], np.arange(n_values)) < share
    named[rows, rng.integers(seed, f"{stream}_one", n_values, rows)] = True
    mask = (named * (np.int64(1) << np.arange(n_values))).sum(axis=1)
    return np.where(rng.uniform(seed, f"{stream}_names", rows) < prob, mask, ANYBODY)


def _daytimes(prob: float, n_campaigns: int, seed: int) -> Ints:
    """(n_campaigns,) masks of twelve hours in a row, round the clock, or of all."""
    rows = np.arange(n_campaigns)
    first = rng.integers(seed, "target_hour", HOURS, rows)
    hours = (first[:, None] + np.arange(_DAYTIME_HOURS)) % HOURS
    mask = (np.int64(1) << hours).sum(axis=1)
    return np.where(rng.uniform(seed, "target_hour_names", rows) < prob, mask, ANYBODY)


def _log_normal(seed: int, stream: str, median: float, sigma: float, rows: Ints) -> Floats:
    return np.asarray(median * np.exp(sigma * rng.normal(seed, stream, rows)))
