"""How much of its budget a campaign plans to have spent by each time of the day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from mlsd import checks
from mlsd.types import Floats

TOLERANCE = 1e-9
"""How far from one the shares of a day may add up to."""


@dataclass(frozen=True)
class SpendPlan:
    """The share of a budget that is to be spent in each period of the day, evenly within a period.

    Args:
        share: (n_rows, n_periods) at least 0, each row adding up to one; the periods divide the day evenly,
            24 of them are hours. One row is the plan of all campaigns, else there is a row for each.

    Raises:
        InputError: a share is negative or no number, or a row does not add up to one.

    Example:
        >>> SpendPlan(np.array([[0.5, 0.5], [0.9, 0.0]]))
        Traceback (most recent call last):
            ...
        mlsd.errors.InputError: sum of plan[1] == 0.9, must be 1; 1 rows break this
    """

    share: Floats

    def __post_init__(self) -> None:
        rule = "a table with a column for each period of the day"
        checks.require(
            self.share.ndim == 2 and self.share.size > 0, "plan", self.share.shape, f"must be {rule}"
        )
        for row, shares in enumerate(self.share if not (self.share >= 0).all() else ()):
            checks.every_row(f"plan[{row}]", shares, shares >= 0, "at least 0")
        total = self.share.sum(axis=1)
        checks.every_row("sum of plan", total, np.abs(total - 1) <= TOLERANCE, "1")

    @staticmethod
    def uniform() -> SpendPlan:
        """The same amount at every time of the day, for all campaigns."""
        return SpendPlan(np.ones((1, 1)))

    @staticmethod
    def of_traffic(forecast: ArrayLike) -> SpendPlan:
        """In proportion to the traffic that is forecast.

        Args:
            forecast: (n_periods,) requests in each period of the day; or (n_campaigns, n_periods), those that
                each campaign is targeted at.

        Raises:
            InputError: a forecast is negative or not finite, or there is no traffic all day.

        Example:
            >>> SpendPlan.of_traffic([10, 30, 0, 0]).share.tolist()
            [[0.25, 0.75, 0.0, 0.0]]
        """
        traffic = np.atleast_2d(np.asarray(forecast, np.float64))
        kept = np.isfinite(traffic) & (traffic >= 0)
        for row, of_campaign in enumerate(traffic if not kept.all() else ()):
            checks.every_row(f"forecast[{row}]", of_campaign, kept[row], "finite and at least 0")
        total = traffic.sum(axis=1, keepdims=True)
        checks.every_row("sum of forecast", total[:, 0], total[:, 0] > 0, "above 0: no traffic, no plan")
        return SpendPlan(traffic / total)

    def by(self, time: float) -> Floats:
        """(n_rows,) the share of the budget planned to be spent by a time of the day.

        Args:
            time: from 0, the beginning of the day, to 1, its end.

        Example:
            >>> SpendPlan.of_traffic([10, 30, 0, 0]).by(0.375).tolist()
            [0.625]
        """
        place = checks.share("time", time) * self.share.shape[1]
        period = min(int(place), self.share.shape[1] - 1)
        low, high = self._cumulative[:, period], self._cumulative[:, period + 1]
        return np.asarray(low + (place - period) * (high - low))

    @cached_property
    def _cumulative(self) -> Floats:
        """(n_rows, n_periods + 1) from 0 to 1."""
        total = np.cumsum(self.share, axis=1)
        return np.concatenate([np.zeros((len(total), 1)), total / total[:, -1:]], axis=1)
