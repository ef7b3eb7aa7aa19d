"""The simulated A/B test: two policies, the same users, and the truth beside every estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from mlsd import checks
from mlsd.online.base import MIN_DAYS, Ratio
from mlsd.online.outcomes import GRADED, HIDDEN_METRICS, METRICS, RATED, Counter
from mlsd.online.policy_test import PolicyTest
from mlsd.online.raters import Raters
from mlsd.worlds.base import LiveWorld


@dataclass(frozen=True, kw_only=True)
class ABTest(PolicyTest):
    """What users click, how long they stay with it, and whether they come back; raters judge a sample.

    How arms are served and compared: see `PolicyTest`.

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

    def counter(self, world: LiveWorld, seed: int) -> Counter:
        return Counter(world, self.raters, self.long_click_s, seed)

    def ratios(self, users: pd.DataFrame) -> Mapping[str, tuple[Ratio | None, Ratio]]:
        return {self.raters.metric.name: (RATED, GRADED), **super().ratios(users)}
