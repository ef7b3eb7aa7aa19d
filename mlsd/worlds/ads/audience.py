"""Who is shown ads, when they come, and what makes them stay away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mlsd import checks, rng
from mlsd.types import Floats, Ints, State
from mlsd.worlds.visits.base import (
    DAILY,
    HOURS,
    Moments,
    Numbering,
    remembered,
    visit_logits,
    visit_times,
    visits,
)

_MINUTES_BETWEEN_VIEWS = 1.0


@dataclass(frozen=True)
class AudienceOptions:
    """What the people are like. Shares are scaled to sum to 1.

    Args:
        region_shares: people by region, at most 63 regions.
        age_shares: people by age band, at most 63 bands.
        device_shares: page views by device.
        hour_shares: visits by the hour in which they begin, 24 of them.
        interest_sigma: standard deviation of the log of a person's affinity to a category, 0 to 5; the mean
            affinity is 1.
        n_tastes: dimensions of what people like beyond categories, at least 1.
        profiled_prob: P(the audience a person is put into is the category that the person cares for most);
            else it is any category.
        views_per_day: page views, mean over people when all is as expected; below the mean of
            `views_per_visit`.
        activity_shape: shape of the gamma distribution of visit rates, at least .05; small is uneven.
        views_per_visit: shares of visits of 1, 2, ... page views.
        expected_annoyance: annoying ads of a page view that people are used to at first.
        memory: how much of what people remember a visit replaces, in (0, 1].
        annoyance_effect: fall of the log-odds of a visit on a day per remembered annoying ad of a page view.
        expected_latency_ms: latency up to which people notice nothing.
        latency_effect: fall of the log-odds of a visit per 100 ms of remembered latency beyond that.
    """

    region_shares: Sequence[float] = (0.25, 0.2, 0.15, 0.12, 0.1, 0.08, 0.06, 0.04)
    age_shares: Sequence[float] = (0.15, 0.2, 0.2, 0.18, 0.15, 0.12)
    device_shares: Sequence[float] = (0.6, 0.35, 0.05)
    hour_shares: Sequence[float] = DAILY
    interest_sigma: float = 1.0
    n_tastes: int = 4
    profiled_prob: float = 0.75
    views_per_day: float = 1.6
    activity_shape: float = 1.0
    views_per_visit: Sequence[float] = (0.3, 0.2, 0.15, 0.1, 0.08, 0.07, 0.05, 0.05)
    expected_annoyance: float = 0.2
    memory: float = 0.2
    annoyance_effect: float = 1.0
    expected_latency_ms: float = 100.0
    latency_effect: float = 0.002

    def __post_init__(self) -> None:
        for name in ("region_shares", "age_shares", "device_shares", "hour_shares", "views_per_visit"):
            shares = checks.not_empty(name, getattr(self, name))
            for place, one in enumerate(shares):
                checks.at_least(f"{name}[{place}]", one, 0)
            checks.above(f"sum of {name}", float(sum(shares)), 0)
        for name in ("region_shares", "age_shares"):
            n = len(getattr(self, name))
            checks.require(n <= MOST_VALUES, name, n, f"must have at most {MOST_VALUES}")
        rule = f"must have {HOURS} numbers, one for each hour"
        checks.require(len(self.hour_shares) == HOURS, "hour_shares", len(self.hour_shares), rule)
        checks.between("interest_sigma", self.interest_sigma, 0, 5)
        checks.at_least("n_tastes", self.n_tastes, 1)
        checks.share("profiled_prob", self.profiled_prob)
        checks.above("views_per_day", self.views_per_day, 0)
        checks.at_least("activity_shape", self.activity_shape, 0.05)
        rule = "must be below the mean of views_per_visit, as people visit once a day at most"
        checks.require(self.views_per_day < self.mean_views, "views_per_day", self.views_per_day, rule)
        checks.at_least("expected_annoyance", self.expected_annoyance, 0)
        checks.probability("memory", self.memory)
        checks.at_least("annoyance_effect", self.annoyance_effect, 0)
        checks.at_least("expected_latency_ms", self.expected_latency_ms, 0)
        checks.at_least("latency_effect", self.latency_effect, 0)

    @property
    def max_views(self) -> int:
        """Page views of a visit, at most."""
        return len(self.views_per_visit)

    @property
    def mean_views(self) -> float:
        """Page views of a visit, on average."""
        return float(np.average(np.arange(1, self.max_views + 1), weights=self.views_per_visit))


MOST_VALUES = 63
"""Regions, age bands and categories there may be: rules of targeting hold them as bits of one number."""


class Audience:
    """The people of one world.

        P(visit on a day) = sigmoid(own log-odds - annoyance_effect * (annoyance - expected)
                                    - latency_effect * max(0, latency_ms - expected) / 100)

    Annoyance and latency are what a person remembers: after a day with page views, memory * the day's mean
    + (1 - memory) * what was remembered before. A person visits at most once a day.

    Args:
        options: as declared.
        category_weights: (n_categories,) how often pages are of each category, if nobody had interests.
        n_users: how many there are.
        seed: of all draws.
    """

    def __init__(self, options: AudienceOptions, category_weights: Floats, n_users: int, seed: int) -> None:
        self.options, self.category_weights = options, category_weights
        self.n_users, self.seed = n_users, seed
        self.numbering = Numbering(n_users, options.max_views, n_tries=1)

    @property
    def n_categories(self) -> int:
        return len(self.category_weights)

    @cached_property
    def region(self) -> Ints:
        """(n_users,) where each person lives."""
        return rng.choice(self.seed, "regions", self.options.region_shares, np.arange(self.n_users))

    @cached_property
    def age_band(self) -> Ints:
        """(n_users,) how old each person is."""
        return rng.choice(self.seed, "ages", self.options.age_shares, np.arange(self.n_users))

    @cached_property
    def affinity(self) -> Floats:
        """(n_users, n_categories) how much each person cares for each category, 1 on average; log-normal."""
        sigma = self.options.interest_sigma
        keys = np.arange(self.n_users)[:, None], np.arange(self.n_categories)
        return np.exp(sigma * rng.normal(self.seed, "interests", *keys) - sigma**2 / 2)

    @cached_property
    def log_affinity(self) -> Floats:
        """(n_users, n_categories) the logarithm of the same."""
        return np.log(self.affinity)

    @cached_property
    def audience(self) -> Ints:
        """(n_users,) the category that the platform has put each person into."""
        users = np.arange(self.n_users)
        anything = rng.integers(self.seed, "any_audience", self.n_categories, users)
        knows = rng.uniform(self.seed, "profiled", users) < self.options.profiled_prob
        return np.where(knows, self.affinity.argmax(axis=1), anything)

    @cached_property
    def taste(self) -> Floats:
        """(n_users, n_tastes) what each person likes beyond categories; standard normal."""
        keys = np.arange(self.n_users)[:, None], np.arange(self.options.n_tastes)
        return rng.normal(self.seed, "tastes", *keys)

    @cached_property
    def visit_logit(self) -> Floats:
        """(n_users,) log-odds of a visit on a day when all is as expected."""
        mean_prob = self.options.views_per_day / self.options.mean_views
        return visit_logits(self.seed, self.n_users, mean_prob, self.options.activity_shape)

    def first_state(self) -> State:
        """What people remember before their first day, (n_users,) each: what they are used to.

        `annoyed_today` counts the ads that annoyed them since the day began.
        """
        return {
            "annoyance": np.full(self.n_users, self.options.expected_annoyance),
            "latency_ms": np.full(self.n_users, self.options.expected_latency_ms),
            "annoyed_today": np.zeros(self.n_users),
        }

    def visit_prob(self, state: State) -> Floats:
        """(n_users,) P(the person visits on a day)."""
        options = self.options
        annoyed = state["annoyance"] - options.expected_annoyance
        delayed = np.maximum(state["latency_ms"] - options.expected_latency_ms, 0.0) / 100.0
        log_odds = self.visit_logit - options.annoyance_effect * annoyed - options.latency_effect * delayed
        return np.asarray(expit(log_odds))

    def come(self, users: Ints, day: int, state: State) -> Moments:
        """Who of these people visits on a day, and the page views of the visits, in the order of their ids.

        Args:
            users: ascending.
            day: 0-based.
            state: what people remember.
        """
        prob = self.visit_prob(state)[users]
        return visits(users, day, prob, self.options.views_per_visit, self.seed, "n_views")

    def time_of(self, moments: Moments) -> Floats:
        """(n_requests,) in days: a visit begins in an hour by `hour_shares`, its views are a minute apart."""
        options = self.options
        return visit_times(moments, options.hour_shares, options.max_views, _MINUTES_BETWEEN_VIEWS, self.seed)

    def page_category(self, moments: Moments) -> Ints:
        """(n_requests,) what each page is about: by how often pages are, and how much the person cares."""
        user, day, place, _ = moments
        luck = rng.uniform(self.seed, "pages", user, day, place)
        cumulative = self._cumulative_pages[user]
        return np.asarray(np.sum(luck[:, None] * cumulative[:, -1:] >= cumulative, axis=1))

    def device(self, moments: Moments) -> Ints:
        """(n_requests,) what the page is viewed on, the same for a whole visit."""
        return rng.choice(self.seed, "devices", self.options.device_shares, moments.user, moments.day)

    def remember(self, user: Ints, latency_ms: float, state: State) -> State:
        """What all people remember after a day.

        Args:
            user: (n_requests,) whose page view it was.
            latency_ms: how long every request took.
            state: what they remembered before, and what annoyed them during the day.
        """
        n_views = np.bincount(user, minlength=self.n_users)
        came: NDArray[np.bool_] = n_views > 0
        of_day = state["annoyed_today"] / np.maximum(n_views, 1)
        latency = np.full(self.n_users, float(latency_ms))
        memory = self.options.memory
        return {
            "annoyance": remembered(state["annoyance"], of_day, came, memory),
            "latency_ms": remembered(state["latency_ms"], latency, came, memory),
            "annoyed_today": np.where(came, 0.0, state["annoyed_today"]),
        }

    @cached_property
    def _cumulative_pages(self) -> Floats:
        """(n_users, n_categories) cumulative weights of what each person's pages are about."""
        return np.cumsum(self.affinity * self.category_weights, axis=1)
