"""Who reads the feed, what they care for, when they come, and what makes them stay away."""

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

_MINUTES_BETWEEN_PAGES = 5.0


@dataclass(frozen=True)
class PeopleOptions:
    """What people are like. Shares are scaled to sum to 1.

    Args:
        interest_sigma: standard deviation of the log of a person's affinity to a topic, 0 to 5; the mean
            affinity is 1.
        drift_days: days after which nothing is left of what a person cared for, in the mean, above 0.
        n_tastes: dimensions of what people like beyond topics, at least 1.
        media_sigma: standard deviation of how much a person likes a kind of media, 0 to 5.
        device_shares: visits by device.
        hour_shares: visits by the hour in which they begin, 24 of them.
        pages_per_day: pages of the feed, mean over people when all is as expected; below the mean of
            `pages_per_visit`.
        activity_shape: shape of the gamma distribution of visit rates, at least .05; small is uneven.
        pages_per_visit: shares of visits of 1, 2, ... pages.
        expected_joy: posts of a page that satisfy, as people are used to at first.
        joy_effect: rise of the log-odds of a visit on a day per remembered satisfying post of a page.
        expected_variety: different topics over posts looked at on a page, as people are used to.
        variety_effect: rise of the log-odds per unit of remembered variety.
        expected_annoyance: posts of a page that annoy, as people are used to.
        annoyance_effect: fall of the log-odds per remembered annoying post of a page.
        memory: how much of what people remember a visit replaces, in (0, 1].
        expected_latency_ms: latency up to which people notice nothing.
        latency_effect: fall of the log-odds of a visit per 100 ms of remembered latency beyond that.
    """

    interest_sigma: float = 1.0
    drift_days: float = 120.0
    n_tastes: int = 4
    media_sigma: float = 0.4
    device_shares: Sequence[float] = (0.75, 0.2, 0.05)
    hour_shares: Sequence[float] = DAILY
    pages_per_day: float = 0.9
    activity_shape: float = 1.0
    pages_per_visit: Sequence[float] = (0.5, 0.25, 0.15, 0.1)
    expected_joy: float = 2.2
    joy_effect: float = 0.3
    expected_variety: float = 0.65
    variety_effect: float = 0.5
    expected_annoyance: float = 0.5
    annoyance_effect: float = 0.8
    memory: float = 0.2
    expected_latency_ms: float = 200.0
    latency_effect: float = 0.02

    def __post_init__(self) -> None:
        checks.between("interest_sigma", self.interest_sigma, 0, 5)
        checks.above("drift_days", self.drift_days, 0)
        checks.at_least("n_tastes", self.n_tastes, 1)
        checks.between("media_sigma", self.media_sigma, 0, 5)
        for name in ("device_shares", "hour_shares", "pages_per_visit"):
            check_shares(name, getattr(self, name))
        rule = f"must have {HOURS} numbers, one for each hour"
        checks.require(len(self.hour_shares) == HOURS, "hour_shares", len(self.hour_shares), rule)
        checks.above("pages_per_day", self.pages_per_day, 0)
        rule = "must be below the mean of pages_per_visit, as people visit once a day at most"
        checks.require(self.pages_per_day < self.mean_pages, "pages_per_day", self.pages_per_day, rule)
        checks.at_least("activity_shape", self.activity_shape, 0.05)
        for name in ("expected_joy", "joy_effect", "expected_variety", "variety_effect",
                     "expected_annoyance", "annoyance_effect", "expected_latency_ms",
                     "latency_effect"):  # fmt: skip
            checks.at_least(name, getattr(self, name), 0)
        checks.probability("memory", self.memory)

    @property
    def max_pages(self) -> int:
        """Pages of a visit, at most."""
        return len(self.pages_per_visit)

    @property
    def mean_pages(self) -> float:
        """Pages of a visit, on average."""
        return float(np.average(np.arange(1, self.max_pages + 1), weights=self.pages_per_visit))


def check_shares(name: str, shares: Sequence[float]) -> None:
    """Refuse shares that are none, negative or all 0."""
    checks.not_empty(name, shares)
    for place, one in enumerate(shares):
        checks.at_least(f"{name}[{place}]", one, 0)
    checks.above(f"sum of {name}", float(sum(shares)), 0)


FELT = ("joy", "variety", "annoyance")
"""What people remember of pages, beside how long they waited."""


class People:
    """The people of one world.

        P(visit on a day) = sigmoid(own log-odds + joy_effect (joy - expected)
                                    + variety_effect (variety - expected)
                                    - annoyance_effect (annoyance - expected)
                                    - latency_effect max(0, latency_ms - expected) / 100)

    Joy, variety, annoyance and latency are what a person remembers: after a day with pages, memory * the
    mean of the day's pages + (1 - memory) * what was remembered before. A person visits at most once a day.

    Interests turn slowly, and their spread stays what it is:

        log affinity(day) = sigma (z cos(angle) + z' sin(angle)) - sigma^2 / 2
        angle             = pi / 2 * day / drift_days

    with independent standard normal z and z' of a person and a topic.

    Args:
        options: as declared.
        n_topics: what posts are about.
        n_media: kinds of media.
        n_users: how many there are.
        seed: of all draws.
    """

    def __init__(self, options: PeopleOptions, n_topics: int, n_media: int, n_users: int, seed: int) -> None:
        self.options, self.n_topics, self.n_media = options, n_topics, n_media
        self.n_users, self.seed = n_users, seed
        self.numbering = Numbering(n_users, options.max_pages, n_tries=1)

    def log_affinity(self, user: Ints, topic: Ints, day: Ints) -> Floats:
        """How much people care for topics on a day, 0 being the mean of the affinity itself; any shapes."""
        angle = np.pi / 2 * day / self.options.drift_days
        first, second = (part[user, topic] for part in self._interests)
        sigma = self.options.interest_sigma
        return np.asarray(sigma * (first * np.cos(angle) + second * np.sin(angle)) - sigma**2 / 2)

    @cached_property
    def taste(self) -> Floats:
        """(n_users, n_tastes) what each person likes beyond topics; standard normal."""
        return self._normal("tastes", self.options.n_tastes)

    @cached_property
    def media_taste(self) -> Floats:
        """(n_users, n_media) how much each person likes each kind of media."""
        return self.options.media_sigma * self._normal("media_tastes", self.n_media)

    @cached_property
    def visit_logit(self) -> Floats:
        """(n_users,) log-odds of a visit on a day when all is as expected."""
        mean_prob = self.options.pages_per_day / self.options.mean_pages
        return visit_logits(self.seed, self.n_users, mean_prob, self.options.activity_shape)

    def first_state(self) -> State:
        """What people remember before their first day, (n_users,) each: what they are used to.

        Names that end in `_today` are sums over the pages of the day `felt_day`, the last with any.
        """
        options, n = self.options, self.n_users
        used_to = {name: np.full(n, getattr(options, f"expected_{name}")) for name in (*FELT, "latency_ms")}
        nothing = {f"{name}_today": np.zeros(n) for name in FELT}
        return {**used_to, **nothing, "felt_day": np.full(n, -1)}

    def visit_prob(self, state: State) -> Floats:
        """(n_users,) P(the person visits on a day)."""
        options = self.options
        joy, variety, annoyance = (state[name] - getattr(options, f"expected_{name}") for name in FELT)
        delayed = np.maximum(state["latency_ms"] - options.expected_latency_ms, 0.0) / 100.0
        log_odds = self.visit_logit + options.joy_effect * joy + options.variety_effect * variety
        log_odds = log_odds - options.annoyance_effect * annoyance - options.latency_effect * delayed
        return np.asarray(expit(log_odds))

    def come(self, users: Ints, day: int, state: State) -> Moments:
        """Who of these people visits on a day, and the pages of the visits, in the order of their ids.

        Args:
            users: ascending.
            day: 0-based.
            state: what people remember.
        """
        prob = self.visit_prob(state)[users]
        return visits(users, day, prob, self.options.pages_per_visit, self.seed, "n_pages")

    def time_of(self, moments: Moments) -> Floats:
        """(n_requests,) in days: a visit begins in an hour by `hour_shares`, its pages are minutes apart."""
        options = self.options
        return visit_times(moments, options.hour_shares, options.max_pages, _MINUTES_BETWEEN_PAGES, self.seed)

    def device(self, moments: Moments) -> Ints:
        """(n_requests,) what the feed is read on, the same for a whole visit."""
        return rng.choice(self.seed, "devices", self.options.device_shares, moments.user, moments.day)

    def felt(self, user: Ints, day: Ints, of_pages: dict[str, Floats], state: State) -> State:
        """What the day was like so far, with further pages of these people.

        Args:
            user: (n_requests,) whose page it was.
            day: (n_requests,) the same for all pages of a person.
            of_pages: `FELT` -> (n_requests,) what each page was like.
            state: before.
        """
        last = state["felt_day"].copy()
        last[user] = day
        same_day, after = last == state["felt_day"], {**state, "felt_day": last}
        for name in FELT:
            before = np.where(same_day, state[f"{name}_today"], 0.0)
            after[f"{name}_today"] = before + np.bincount(user, of_pages[name], self.n_users)
        return after

    def remember(self, user: Ints, latency_ms: float, state: State) -> State:
        """What all people remember after a day.

        Args:
            user: (n_requests,) whose page it was.
            latency_ms: how long every request took.
            state: what they remembered before, and what the day was like.
        """
        n_pages = np.bincount(user, minlength=self.n_users)
        came: NDArray[np.bool_] = n_pages > 0
        memory, after = self.options.memory, dict(state)
        for name in FELT:
            of_day = state[f"{name}_today"] / np.maximum(n_pages, 1)
            after[name] = remembered(state[name], of_day, came, memory)
        waited = np.full(self.n_users, float(latency_ms))
        after["latency_ms"] = remembered(state["latency_ms"], waited, came, memory)
        return after

    @cached_property
    def _interests(self) -> tuple[Floats, Floats]:
        """(n_users, n_topics) z and z'."""
        return self._normal("interests", self.n_topics), self._normal("later_interests", self.n_topics)

    def _normal(self, stream: str, n: int) -> Floats:
        return rng.normal(self.seed, stream, np.arange(self.n_users)[:, None], np.arange(n))
