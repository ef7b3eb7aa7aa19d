"""The simulated A/B test: two policies, the same users, and the truth beside every estimate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from mlsd import checks, rng
from mlsd.errors import InputError
from mlsd.estimators.ab_test import Comparison, PerUnit, compare_ratios, sample_ratio_p_value
from mlsd.online.outcomes import (
    GRADED,
    HIDDEN_METRICS,
    METRICS,
    RATED,
    RETENTION_DAYS,
    Counter,
    Counts,
    Ratio,
    served_days,
    totals,
)
from mlsd.online.raters import Raters
from mlsd.online.result import ABResult, Effect, SampleRatio
from mlsd.progress import Progress, silent
from mlsd.serving import Policy
from mlsd.types import Array, Columns, Ints, State
from mlsd.worlds.base import LiveWorld

CONTROL, TREATMENT = "control", "treatment"
ARMS = (CONTROL, TREATMENT)
NEEDED_ACTIONS = ("click", "dwell_s")
MIN_DAYS = 2 * RETENTION_DAYS

_NOT_ESTIMATED = Comparison(nan, nan, nan, nan, nan, nan, nan, nan, nan)


@dataclass(frozen=True, kw_only=True)
class ABTest:
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

    raters: Raters
    n_days: int = MIN_DAYS
    alpha: float = 0.05
    long_click_s: float = 30.0

    def __post_init__(self) -> None:
        rule = f"must be at least {MIN_DAYS}: {RETENTION_DAYS}-day retention follows users for two weeks"
        checks.require(self.n_days >= MIN_DAYS, "n_days", self.n_days, rule)
        checks.within("alpha", self.alpha, 0, 1)
        checks.above("long_click_s", self.long_click_s, 0)

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
            outcomes[arm] = totals(_told(served, progress, place * self.n_days, 2 * self.n_days))
        return self.compare(_table(users, outcomes, assigned_to_treatment(users, seed)))

    def compare(self, users: pd.DataFrame) -> ABResult:
        """What the test finds, from the potential outcomes of every user."""
        counts = {str(name): column.to_numpy() for name, column in users.items()}
        everybody = [(counts["arm"] == arm) & (counts["users"] > 0) for arm in ARMS]
        own = [rows & counts["own"] for rows in everybody]
        n_control, n_treatment = (int(rows.sum()) for rows in own)
        effects = {}
        for name, (estimated, true) in self._ratios(users).items():
            before, after = (_total(_per_unit(counts, rows, true)) for rows in everybody)
            estimate = self._estimate(counts, own, estimated)
            effects[name] = Effect(estimate, after - before, n_control, n_treatment)
        p_value = sample_ratio_p_value(n_control, n_treatment)
        return ABResult(effects, SampleRatio(n_control, n_treatment, p_value), users)

    def _estimate(self, counts: Columns, own: Sequence[Array], ratio: Ratio | None) -> Comparison:
        if ratio is None:
            return _NOT_ESTIMATED
        control, treatment = (_per_unit(counts, rows, ratio) for rows in own)
        return compare_ratios(control, treatment, self.alpha)

    def _ratios(self, users: pd.DataFrame) -> dict[str, tuple[Ratio | None, Ratio]]:
        """Metric -> what it is estimated from, if it can be, and what its truth is."""
        seen = {name: (ratio, ratio) for name, ratio in METRICS.items()}
        hidden = {
            name: (None, ratio) for name, ratio in HIDDEN_METRICS.items() if ratio.numerator in users.columns
        }
        return {self.raters.metric.name: (RATED, GRADED), **seen, **hidden}

    def _check(self, world: LiveWorld, first_day: int, latencies_ms: Mapping[str, float]) -> None:
        checks.at_least("first_day", first_day, 0)
        missing = [action for action in NEEDED_ACTIONS if action not in world.actions]
        if missing:
            raise InputError(f"an A/B test needs the actions {', '.join(missing)} of {type(world).__name__}")
        for arm in ARMS:
            if arm not in latencies_ms:
                raise InputError(f"latencies_ms lacks {arm!r}; there are {', '.join(sorted(latencies_ms))}")


def assigned_to_treatment(users: Ints, seed: int) -> Array:
    """(n_users,) a fair coin for each user, whoever else takes part."""
    return rng.uniform(seed, "assignment", users) < 0.5


def _told(
    days: Iterable[tuple[Counts, Array]], progress: Progress, done: int, total: int
) -> Iterator[tuple[Counts, Array]]:
    for place, day in enumerate(days, start=1):
        progress(done + place, total, "days of both arms served")
        yield day


def _table(users: Ints, outcomes: Mapping[str, Counts], treated: Array) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "arm": arm,
                "user": users,
                "own": treated == (arm == TREATMENT),
                **{name: values[users] for name, values in counts.items()},
            }
        )
        for arm, counts in outcomes.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _per_unit(counts: Columns, rows: Array, ratio: Ratio) -> PerUnit:
    return PerUnit(counts[ratio.numerator][rows], counts[ratio.denominator][rows])


def _total(units: PerUnit) -> float:
    """The metric of these users together; NaN where undefined."""
    denominator = units.denominator.sum()
    return float(units.numerator.sum() / denominator) if denominator else nan
