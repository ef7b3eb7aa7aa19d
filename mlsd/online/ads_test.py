"""The simulated experiment of an ad market: two ad servers, people and budgets split between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from mlsd.ad_server import PAID, wanted
from mlsd.errors import InputError
from mlsd.estimators.ab_test import sample_ratio_p_value
from mlsd.online.base import (
    ARMS,
    MIN_DAYS,
    RETENTION_DAYS,
    TREATMENT,
    Counts,
    OnlineTest,
    Ratio,
    assigned_to_treatment,
    rows_of,
    table_of,
    told,
    total,
    totals,
)
from mlsd.online.books import Bookkeeper, Books
from mlsd.online.outcomes import Counting, served_days, session_counts
from mlsd.online.result import ABResult, Effect, SampleRatio
from mlsd.progress import Progress, silent
from mlsd.serving import Policy
from mlsd.types import Served, State
from mlsd.worlds.base import LiveWorld

Serve = Callable[[str, float], Policy]
"""Arm and share of every budget -> a fresh ad server."""

SHARE = 0.5
"""Of people and of budgets, for each arm."""

METRICS: Mapping[str, Ratio] = {
    "revenue_per_1000": Ratio("revenue_1000", "requests"),
    "ctr": Ratio("clicks", "impressions"),
    "conversion_rate": Ratio("conversions", "clicks"),
    "advertiser_value_per_1000": Ratio("value_1000", "requests"),
    "return_on_spend": Ratio("value_1000", "revenue_1000"),
    "hide_rate": Ratio("hides", "impressions"),
    "ad_load": Ratio("impressions", "requests"),
    "requests_per_user": Ratio("requests", "users"),
    "sessions_per_user": Ratio("sessions", "users"),
    f"retention_{RETENTION_DAYS}d": Ratio("retained", "retainable"),
}
"""What an ad platform sees. Conversions count whenever they arrive; what advertisers gain is what clicks, or
conversions, are worth to them by their bids, also of those that came after their money was spent."""


@dataclass(frozen=True, kw_only=True)
class AdsTest(OnlineTest):
    """Serves the same people by two ad servers and asks what an experiment would have found.

    Arms that draw on the same budgets take money from each other, so that what is measured is not what
    would happen if everybody had one of them. So each arm has half of the people and half of every budget,
    from the start. The truth is all people under one arm with whole budgets, less all people under the
    other. Intervals are by user, as if people of an arm had nothing in common; they share its budgets.

    Source: Liu, Mao and Kang, "Trustworthy and powerful online marketplace experimentation with budget-split
    design" (KDD 2021).

    Args:
        n_days: length of the test; at least 14, since 7-day retention needs users first seen in one week
            who can come back in the next.
        alpha: 1 - the confidence level.
    """

    metrics: ClassVar[Mapping[str, Ratio]] = METRICS
    truth: ClassVar[str] = (
        "every system served all people with whole budgets and the same luck; in the experiment each arm "
        "had half of the people and, from the start, half of every budget"
    )

    n_days: int = MIN_DAYS
    alpha: float = 0.05

    def __post_init__(self) -> None:
        self.check()

    @property
    def needed_actions(self) -> tuple[str, ...]:
        return ("click", "hide", "conversion_days")

    @property
    def count_words(self) -> Mapping[str, str]:
        return {
            **super().count_words,
            "impressions": "ads shown",
            "revenue_1000": "a thousand times what advertisers paid",
            "value_1000": "a thousand times what clicks or conversions were worth to advertisers",
            "hides": "ads that were hidden",
        }

    def run(
        self,
        world: LiveWorld,
        serve: Serve,
        first_day: int,
        state: State,
        latencies_ms: Mapping[str, float],
        seed: int,
        progress: Progress = silent,
    ) -> ABResult:
        """Serve both arms, each with everybody and each with its own half, and compare them.

        Args:
            world: whose users are served.
            serve: makes the ad server of an arm, with a share of every budget.
            first_day: 0-based; the test lasts until the day before `first_day + n_days`.
            state: of all users, before the first day.
            latencies_ms: "control" and "treatment" -> how long a request takes, as declared.
            seed: of the assignment.
            progress: told after each day of each arm.

        Raises:
            InputError: users of this world cannot do what is counted.
        """
        missing = [action for action in self.needed_actions if action not in world.actions]
        if missing:
            raise InputError(f"an ads test needs the actions {', '.join(missing)} of {type(world).__name__}")
        users = np.arange(world.n_users)
        treated = assigned_to_treatment(users, seed)
        days = range(first_day, first_day + self.n_days)
        books: dict[str, Books] = {}
        whole: dict[str, Counts] = {}
        split: dict[str, Counts] = {}
        for place, arm in enumerate(ARMS):
            own = users[treated == (arm == TREATMENT)]
            for part, (found, who, share) in enumerate(((whole, users, 1.0), (split, own, SHARE))):
                counter = AdsCounter(world)
                served = served_days(counter, serve(arm, share), who, days, state, latencies_ms[arm])
                done = (2 * place + part) * self.n_days
                found[arm] = totals(told(served, progress, done, 4 * self.n_days))
                if found is whole:
                    books[arm] = counter.books.close()
        tables = (table_of(users, found, treated) for found in (whole, split))
        return replace(self.compare(*tables), books=books)

    def compare(self, whole: pd.DataFrame, split: pd.DataFrame) -> ABResult:
        """What the test finds.

        Args:
            whole: of all users under each arm, with whole budgets.
            split: of the experiment; what users do under the arm that is not theirs is not there.
        """
        everybody = [rows_of(whole, (whole["arm"] == arm).to_numpy()) for arm in ARMS]
        there = (split["own"] & (split["users"] > 0)).to_numpy()
        seen = [rows_of(split, (split["arm"] == arm).to_numpy() & there) for arm in ARMS]
        n_control, n_treatment = (len(counts["user"]) for counts in seen)
        effects = {}
        for name, ratio in METRICS.items():
            before, after = (total(counts, ratio) for counts in everybody)
            effects[name] = Effect(
                self.estimate(seen[0], seen[1], ratio), after - before, n_control, n_treatment
            )
        p_value = sample_ratio_p_value(n_control, n_treatment)
        table = pd.concat([whole.assign(budgets="whole"), split[split["own"]].assign(budgets="split")])
        return ABResult(effects, SampleRatio(n_control, n_treatment, p_value), table.reset_index(drop=True))


class AdsCounter(Counting):
    """Counts what the people of one world did, what was paid for it and what it was worth.

    Args:
        world: whose users.
    """

    def __init__(self, world: LiveWorld) -> None:
        self.world = world
        self.books = Bookkeeper(world.catalog)
        self._bid = world.catalog["bid"].astype(np.float64)
        self._per_action = world.catalog["per_action"].astype(np.bool_)

    def __call__(self, served: Served) -> Counts:
        """Counts of one day, which is entered into the books, too."""
        feedback, items = served.feedback, served.slates.items
        if len(served.requests):
            self.books.add(served, int(served.requests.day[0]))
        per_position = {
            "impressions": served.slates.shown,
            "clicks": feedback["click"],
            "conversions": feedback["conversion_days"] > 0,
            "hides": feedback["hide"],
            "revenue_1000": 1000 * feedback[PAID],
            "value_1000": 1000 * wanted(self._per_action, served) * self._bid[items],
        }
        user, n_users = served.requests.user, self.world.n_users
        counts = {
            name: np.bincount(user, values.sum(axis=1), n_users) for name, values in per_position.items()
        }
        counts["requests"] = np.bincount(user, minlength=n_users).astype(np.float64)
        clicked = np.asarray(feedback["click"].any(axis=1))
        return counts | session_counts(served.requests, clicked, n_users)
