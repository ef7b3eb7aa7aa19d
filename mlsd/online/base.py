"""What simulated experiments share: arms, their metrics, and how these are compared."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from math import nan
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd

from mlsd import checks, rng
from mlsd.estimators.ab_test import Comparison, PerUnit, compare_ratios
from mlsd.online.raters import Raters
from mlsd.progress import Progress
from mlsd.types import Array, Columns, Ints

CONTROL, TREATMENT = "control", "treatment"
ARMS = (CONTROL, TREATMENT)

RETENTION_DAYS = 7
MIN_DAYS = 2 * RETENTION_DAYS

Counts = dict[str, Array]
"""Name -> (n_users,) a count or sum for each user of the world."""

NOT_ESTIMATED = Comparison(nan, nan, nan, nan, nan, nan, nan, nan, nan)


class Ratio(NamedTuple):
    """A metric as the ratio of two counts' totals over users."""

    numerator: str
    denominator: str


class OnlineTest(ABC):
    """A simulated experiment of two arms, with the truth beside every estimate."""

    n_days: int
    alpha: float

    metrics: ClassVar[Mapping[str, Ratio]]
    """What an experimenter sees, by name."""

    hidden: ClassVar[Mapping[str, Ratio]] = {}
    """What only a synthetic world can tell: never estimated, the truth alone is reported."""

    further: ClassVar[Mapping[str, str]] = {}
    """What an experimenter sees that is no ratio of counts, by name -> what it is, in words."""

    truth: ClassVar[str]
    """How the true effect comes about, in words."""

    raters: Raters | None = None
    """Who judge what was served; None where nobody does."""

    @property
    def count_words(self) -> Mapping[str, str]:
        """Count -> what it is, in words, where its name does not say it."""
        return {
            "users": "users who came at all",
            "retained": f"users who came again {RETENTION_DAYS} days after their first day",
            "retainable": f"users whose first day was at least {RETENTION_DAYS} days before the last",
            "retained_1d": "users who came again the day after their first",
            "retainable_1d": "users whose first day was not the last",
        }

    @property
    @abstractmethod
    def needed_actions(self) -> tuple[str, ...]:
        """What users must be able to do."""

    def check(self) -> None:
        """Refuse a test that is too short, or a level that is none.

        Raises:
            InvalidValueError: one of the two.
        """
        rule = f"must be at least {MIN_DAYS}: {RETENTION_DAYS}-day retention follows users for two weeks"
        checks.require(self.n_days >= MIN_DAYS, "n_days", self.n_days, rule)
        checks.within("alpha", self.alpha, 0, 1)

    def estimate(self, control: Columns, treatment: Columns, ratio: Ratio) -> Comparison:
        """What the counts of each arm's users say about a metric."""
        return compare_ratios(per_unit(control, ratio), per_unit(treatment, ratio), self.alpha)


def assigned_to_treatment(users: Ints, seed: int) -> Array:
    """(n_users,) a fair coin for each user, whoever else takes part."""
    return rng.uniform(seed, "assignment", users) < 0.5


def per_unit(counts: Columns, ratio: Ratio) -> PerUnit:
    """A metric's two sums for every user."""
    return PerUnit(counts[ratio.numerator], counts[ratio.denominator])


def total(counts: Columns, ratio: Ratio) -> float:
    """The metric of these users together; NaN where undefined."""
    denominator = counts[ratio.denominator].sum()
    return float(counts[ratio.numerator].sum() / denominator) if denominator else nan


def rows_of(table: pd.DataFrame, rows: Array) -> Columns:
    """The counts of these rows of a table, by name."""
    return {str(name): column.to_numpy()[rows] for name, column in table.items()}


def table_of(users: Ints, outcomes: Mapping[str, Counts], treated: Array) -> pd.DataFrame:
    """One row for each arm and user: `arm`, `user`, `own` (whether assigned to it) and the counts."""
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


def told(
    days: Iterable[tuple[Counts, Array]], progress: Progress, done: int, n_total: int
) -> Iterator[tuple[Counts, Array]]:
    """The same days, each reported once it is over."""
    for place, day in enumerate(days, start=1):
        progress(done + place, n_total, "days of both arms served")
        yield day


def totals(days: Iterable[tuple[Counts, Array]]) -> Counts:
    """Counts of all days together, with who came and who came back."""
    summed: Counts = {}
    came = []
    for counts, came_today in days:
        summed = {name: summed.get(name, 0.0) + values for name, values in counts.items()}
        came.append(came_today)
    whole = np.stack(came, axis=1)
    next_day = {f"{name}_1d": values for name, values in retention(whole, 1).items() if name != "users"}
    return summed | retention(whole) | next_day


def retention(came: Array, n_days: int = RETENTION_DAYS) -> Counts:
    """Who could be retained and who was: first seen on day d <= N - n - 1 of N, back on day d + n.

    Args:
        came: (n_users, N) whether each user came on each day.
        n_days: n, at least 1.

    Example:
        >>> counts = retention(np.array([[1, 0, 0, 0, 0, 0, 0, 1, 0], [0, 0, 1, 0, 0, 0, 0, 0, 0]], bool))
        >>> counts["retainable"].tolist(), counts["retained"].tolist()
        ([1.0, 0.0], [1.0, 0.0])
    """
    users, first = came.any(axis=1), came.argmax(axis=1)
    retainable = users & (first + n_days < came.shape[1])
    back = np.minimum(first + n_days, came.shape[1] - 1)
    retained = retainable & came[np.arange(len(came)), back]
    return {"users": users * 1.0, "retainable": retainable * 1.0, "retained": retained * 1.0}
