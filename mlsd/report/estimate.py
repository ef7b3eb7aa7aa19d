"""A figure with its interval, read from `metrics.json`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Figure = Mapping[str, Any]
"""One figure of `metrics.json`: `value`, `low`, `high` and so on; None where undefined."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval. NaN stands for what is undefined or was not measured.

    Args:
        value: the point estimate.
        low: lower end of its interval.
        high: upper end.
        n: what it was computed from (requests, rows or users).
        p_value: of the hypothesis that the figure is 0, in [0, 1].
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    n: int | None = None
    p_value: float = math.nan

    @staticmethod
    def of(figure: Figure | None, key: str = "value") -> Estimate:
        """Read from a figure of `metrics.json`; `key` names the point estimate.

        Example:
            >>> Estimate.of({"value": 0.5, "low": 0.4, "high": None, "n": 10}).has_interval
            False
        """
        figure = figure or {}
        value, low, high = (number(figure.get(name)) for name in (key, "low", "high"))
        return Estimate(value, low, high, figure.get("n"), number(figure.get("p_value")))

    @property
    def is_known(self) -> bool:
        return math.isfinite(self.value)

    @property
    def has_interval(self) -> bool:
        return self.is_known and math.isfinite(self.low) and math.isfinite(self.high)

    def scaled(self, factor: float) -> Estimate:
        """The same in another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor, self.n, self.p_value)


def number(value: object) -> float:
    """A float; NaN for None and for anything that is no number.

    Example:
        >>> number(None), number(2)
        (nan, 2.0)
    """
    return float(value) if isinstance(value, (int, float)) else math.nan
