"""The simulated A/B test: two policies, the same users, and the truth beside every estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from mlsd import checks
from mlsd.errors import InputError
from mlsd.estimators.ab_test import sample_ratio_p_value
from mlsd.online.base import (
    ARMS,
    MIN_DAYS,
    NOT_ESTIMATED,
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
from mlsd.online.outcomes import GRADED, HIDDEN_METRICS, METRICS, RATED, Counter, served_days
from mlsd.online.raters import Raters
from mlsd.online.result import ABResult, Effect, SampleRatio
from mlsd.progress import Progress, silent
from mlsd.serving import Policy
from mlsd.types import Ints, State
from mlsd.worlds.base import LiveWorld


@dataclass(frozen=True, kw_only=True)
class ABTest(OnlineTest):
    """Serves the same users under two policies and asks what an experiment would have found.

    All users live through the test twice, once under each policy, from the same state and with the same
    luck: every user has both potential outcomes. The truth compares them over all users. The experiment
    sees only the arm that each user was assigned to, half of the users each, and since arms share
    nothing its data are a selection of the same rows. The interval is about users like these of a world
    like this one, not about these users alone.

    Args:
        raters: who judge what was served.
        n_days: length of the test; at least 14, since 7-day retention needs users first seen in one
            week who can come back in the next.
        alpha: 1 - the confidence level.
        long_click_s: dwell that makes a click a long one, in seconds; 30 s is the usual proxy of
            satisfaction (Fox et al., TOIS 2005).
    """

    metrics: ClassVar[Mapping[str, Ratio]] = METRICS
    hidden: ClassVar[Mapping[str, Ratio]] = HIDDEN_METRICS
    truth: ClassVar[str] = (
        "all users were served by both systems with the same luck; the experiment sees one system of each"
    )

    raters: Raters
    n_days: int = MIN_DAYS
    alpha: float = 0.05
    long_click_s: float = 30.0

    def __post_init__(self) -> None:
        self.check()
        checks.above("long_click_s", self.long_click_s, 0)

    @property
    def needed_actions(self) -> tuple[str, ...]:
        return ("click", "dwell_s")

    @property
    def count_words(self) -> Mapping[str, str]:
        long_click = f"a click of {self.long_click_s:g} s or more"
        return {
            **super().count_words,
            "successful_requests": f"requests with {long_click}",
            "successful_sessions": f"sessions with {long_click}",
            "abandoned_requests": "requests without a click",
            "satisfied_requests": "requests that satisfied the user, which no log shows",
            "impressions": "items shown",
        }

    def run(
        self,
        world: LiveWorld,
        control: Policy,
        treatment: Policy,
        first_day: int,
        state: State,
        latencies_ms: Mapping[str, float],
        seed: int,
        progress: Progress = silent,
        users: Ints | None = None,
    ) -> ABResult:
        """Serve both arms and compare them.

        Args:
            world: whose users are served; they click and dwell.
            control: what stands.
            treatment: what could replace it. Neither policy learns during the test.
            first_day: 0-based; the test lasts until the day before `first_day + n_days`.
            state: of all users, before the first day.
            latencies_ms: "control" and "treatment" -> how long a request takes, as declared.
            seed: of the assignment and of the raters.
            progress: told after each day of each arm.
            users: who takes part; everybody for None.

        Raises:
            InputError: users of this world do not click and dwell, or an arm has no latency.
        """
        self._check(world, first_day, latencies_ms)
        users = np.arange(world.n_users) if users is None else np.sort(users)
        counter = Counter(world, self.raters, self.long_click_s, seed)
        days = range(first_day, first_day + self.n_days)
        outcomes: dict[str, Counts] = {}
        for place, (arm, policy) in enumerate(zip(ARMS, (control, treatment), strict=True)):
            served = served_days(counter, policy, users, days, state, latencies_ms[arm])
            outcomes[arm] = totals(told(served, progress, place * self.n_days, 2 * self.n_days))
        return self.compare(table_of(users, outcomes, assigned_to_treatment(users, seed)))

    def compare(self, users: pd.DataFrame) -> ABResult:
        """What the test finds, from the potential outcomes of every user."""
        here, own = users["users"].to_numpy() > 0, users["own"].to_numpy()
        everybody = [rows_of(users, (users["arm"].to_numpy() == arm) & here) for arm in ARMS]
        seen = [rows_of(users, (users["arm"].to_numpy() == arm) & here & own) for arm in ARMS]
        n_control, n_treatment = (len(counts["user"]) for counts in seen)
        effects = {}
        for name, (estimated, true) in self._ratios(users).items():
            before, after = (total(counts, true) for counts in everybody)
            estimate = self.estimate(seen[0], seen[1], estimated) if estimated else NOT_ESTIMATED
            effects[name] = Effect(estimate, after - before, n_control, n_treatment)
        p_value = sample_ratio_p_value(n_control, n_treatment)
        return ABResult(effects, SampleRatio(n_control, n_treatment, p_value), users)

    def _ratios(self, users: pd.DataFrame) -> dict[str, tuple[Ratio | None, Ratio]]:
        """Metric -> what it is estimated from, if it can be, and what its truth is."""
        seen = {name: (ratio, ratio) for name, ratio in METRICS.items()}
        hidden = {
            name: (None, ratio) for name, ratio in HIDDEN_METRICS.items() if ratio.numerator in users.columns
        }
        return {self.raters.metric.name: (RATED, GRADED), **seen, **hidden}

    def _check(self, world: LiveWorld, first_day: int, latencies_ms: Mapping[str, float]) -> None:
        checks.at_least("first_day", first_day, 0)
        missing = [action for action in self.needed_actions if action not in world.actions]
        if missing:
            raise InputError(f"an A/B test needs the actions {', '.join(missing)} of {type(world).__name__}")
        for arm in ARMS:
            if arm not in latencies_ms:
                raise InputError(f"latencies_ms lacks {arm!r}; there are {', '.join(sorted(latencies_ms))}")
