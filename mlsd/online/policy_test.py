"""Experiments of two policies that share nothing: the same users under both, with the truth."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pandas as pd

from mlsd import checks
from mlsd.errors import InputError
from mlsd.estimators.ab_test import sample_ratio_p_value
from mlsd.online.base import (
    ARMS,
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
from mlsd.online.outcomes import Counting, served_days
from mlsd.online.result import ABResult, Effect, SampleRatio
from mlsd.progress import Progress, silent
from mlsd.serving import Policy
from mlsd.types import Ints, State
from mlsd.worlds.base import LiveWorld


class PolicyTest(OnlineTest):
    """Serves the same users under two policies and asks what an experiment would have found.

    All users live through the test twice, once under each policy, from the same state and with the same
    luck: every user has both potential outcomes. The truth compares them over all users. The experiment
    sees only the arm that each user was assigned to, half of the users each, and since arms share
    nothing its data are a selection of the same rows. The interval is about users like these of a world
    like this one, not about these users alone.
    """

    truth: ClassVar[str] = (
        "all users were served by both systems with the same luck; the experiment sees one system of each"
    )

    @abstractmethod
    def counter(self, world: LiveWorld, seed: int) -> Counting:
        """Counts what the users of an arm do."""

    def ratios(self, users: pd.DataFrame) -> Mapping[str, tuple[Ratio | None, Ratio]]:
        """Metric -> what it is estimated from, if it can be, and what its truth is.

        Args:
            users: the counts of every user; a hidden metric that the world could not count is left out.
        """
        seen = {name: (ratio, ratio) for name, ratio in self.metrics.items()}
        hidden = {
            name: (None, ratio) for name, ratio in self.hidden.items() if ratio.numerator in users.columns
        }
        return {**seen, **hidden}

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
            world: whose users are served.
            control: what stands.
            treatment: what could replace it. Neither policy learns during the test.
            first_day: 0-based; the test lasts until the day before `first_day + n_days`.
            state: of all users, before the first day.
            latencies_ms: "control" and "treatment" -> how long a request takes, as declared.
            seed: of the assignment, and of what is counted by a sample.
            progress: told after each day of each arm.
            users: who takes part; everybody for None.

        Raises:
            InputError: users of this world cannot do what is counted, or an arm has no latency.
        """
        self._check(world, first_day, latencies_ms)
        users = np.arange(world.n_users) if users is None else np.sort(users)
        days = range(first_day, first_day + self.n_days)
        counters: dict[str, Counting] = {}
        outcomes: dict[str, Counts] = {}
        for place, (arm, policy) in enumerate(zip(ARMS, (control, treatment), strict=True)):
            counters[arm] = self.counter(world, seed)
            served = served_days(counters[arm], policy, users, days, state, latencies_ms[arm])
            outcomes[arm] = totals(told(served, progress, place * self.n_days, 2 * self.n_days))
        found = self.compare(table_of(users, outcomes, assigned_to_treatment(users, seed)))
        return self.with_more(found, counters, seed)

    def with_more(self, found: ABResult, counters: Mapping[str, Counting], seed: int) -> ABResult:
        """What is found beside ratios of counts; nothing unless a test says so.

        Args:
            found: by `compare`.
            counters: of both arms, which counted everybody.
            seed: of the assignment.
        """
        del counters, seed
        return found

    def compare(self, users: pd.DataFrame) -> ABResult:
        """What the test finds, from the potential outcomes of every user."""
        here, own = users["users"].to_numpy() > 0, users["own"].to_numpy()
        everybody = [rows_of(users, (users["arm"].to_numpy() == arm) & here) for arm in ARMS]
        seen = [rows_of(users, (users["arm"].to_numpy() == arm) & here & own) for arm in ARMS]
        n_control, n_treatment = (len(counts["user"]) for counts in seen)
        effects = {}
        for name, (estimated, true) in self.ratios(users).items():
            before, after = (total(counts, true) for counts in everybody)
            estimate = self.estimate(seen[0], seen[1], estimated) if estimated else NOT_ESTIMATED
            effects[name] = Effect(estimate, after - before, n_control, n_treatment)
        p_value = sample_ratio_p_value(n_control, n_treatment)
        return ABResult(effects, SampleRatio(n_control, n_treatment, p_value), users)

    def _check(self, world: LiveWorld, first_day: int, latencies_ms: Mapping[str, float]) -> None:
        checks.at_least("first_day", first_day, 0)
        missing = [action for action in self.needed_actions if action not in world.actions]
        if missing:
            raise InputError(
                f"an experiment needs the actions {', '.join(missing)} of {type(world).__name__}"
            )
        for arm in ARMS:
            if arm not in latencies_ms:
                raise InputError(f"latencies_ms lacks {arm!r}; there are {', '.join(sorted(latencies_ms))}")
