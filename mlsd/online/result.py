"""What a simulated A/B test found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

import pandas as pd

from mlsd.estimators.ab_test import SAMPLE_RATIO_ALARM, Comparison
from mlsd.online.books import Books
from mlsd.types import Floats


class Effect(NamedTuple):
    """One metric of the test; NaN where undefined."""

    estimate: Comparison
    """From the users of each arm, as an experimenter sees it."""
    truth: float
    """The metric of all users treated less that of all users not treated, in this world."""
    n_control: int
    """Users in the control arm."""
    n_treatment: int
    """Users in the treatment arm."""

    def figure(self) -> dict[str, float | None]:
        """As in `metrics.json`; None where undefined."""
        values = {**self.estimate._asdict(), "truth": self.truth}
        return {name: value if isfinite(value) else None for name, value in values.items()}


class SampleRatio(NamedTuple):
    """Whether as many users came to each arm as were meant to."""

    n_control: int
    """Users who came to the control arm."""
    n_treatment: int
    """Users who came to the treatment arm."""
    p_value: float
    """Of the declared half and half."""

    @property
    def is_broken(self) -> bool:
        """Whether the assignment went wrong, so that no figure of the test can be trusted."""
        return self.p_value < SAMPLE_RATIO_ALARM


@dataclass(frozen=True)
class ABResult:
    """What an A/B test found.

    Args:
        effects: metric -> its effect.
        sample_ratio: the check of the assignment.
        users: potential outcomes, one row for each arm and user: `arm`, `user`, `own` (whether the user
            was assigned to this arm) and the counts that the metrics are ratios of.
        books: arm -> its market, where anything was sold: of all users, with whole budgets.
        exposures: arm -> (n_makers,) impressions of what each made, by all users, where a test counts them.
    """

    effects: Mapping[str, Effect]
    sample_ratio: SampleRatio
    users: pd.DataFrame
    books: Mapping[str, Books] = field(default_factory=dict)
    exposures: Mapping[str, Floats] = field(default_factory=dict)

    def to_metrics(self) -> dict[str, dict[str, float | None]]:
        """Metric -> the fields of its `Comparison` and the `truth`, None where undefined."""
        return {name: effect.figure() for name, effect in self.effects.items()}
