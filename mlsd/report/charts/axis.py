"""Where values stand on a line of pixels, and the ticks beneath it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from matplotlib.ticker import MaxNLocator

from mlsd.report import numbers
from mlsd.report.charts.svg import Canvas


@dataclass(frozen=True)
class Axis:
    """A horizontal scale from `low` at `left` to `high` at `right`.

    Args:
        low: value at the left end.
        high: value at the right end.
        left: in pixels.
        right: in pixels.
        logarithmic: whether equal ratios are equally far.
    """

    low: float
    high: float
    left: float
    right: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """The pixel of a value; values beyond an end stand at that end.

        Example:
            >>> Axis(0, 10, 100, 200).at(5)
            150.0
        """
        low, high, at = (
            math.log(x) if self.logarithmic else x for x in (self.low, self.high, max(value, self.low))
        )
        return self.left + (min(at, high) - low) / (high - low) * (self.right - self.left)

    def ticks(self) -> list[float]:
        """Round values within the axis."""
        if self.logarithmic:
            return self._log_ticks()
        room = max(2, min(6, int((self.right - self.left) / 70)))
        values = MaxNLocator(nbins=room, steps=[1, 2, 2.5, 5, 10]).tick_values(self.low, self.high)
        slack = (self.high - self.low) * 1e-9
        return [float(value) for value in values if self.low - slack <= value <= self.high + slack]

    def _log_ticks(self) -> list[float]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for steps in ((1, 2, 5), (1, 3), (1,)):
            values = [step * 10.0**power for power in powers for step in steps]
            within = [value for value in values if self.low <= value <= self.high]
            if len(within) <= max(3, (self.right - self.left) / 55):
                return within
        return within[:: max(1, len(within) // 4)]

    def draw(self, canvas: Canvas, top: float, bottom: float, labels: Iterable[tuple[float, str]]) -> None:
        """Grid lines from `top` to `bottom` and labels beneath."""
        for value, label in labels:
            x = self.at(value)
            canvas.line((x, x), (top, bottom), ink="line")
            room = numbers.text_width(label, 11) / 2 + 3
            middle = max(room, min(canvas.width - room, x))
            canvas.text(middle, bottom + 12, label, ink="muted", size=11, align="center")


def around(values: Iterable[float], left: float, right: float) -> Axis:
    """An axis with room for all finite values; something sensible when there are none, or just one.

    Example:
        >>> around([1.0, 3.0, math.nan], 0, 100).low
        0.88
    """
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    pad = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return Axis(low - pad, high + pad, left, right)


def robust_limit(extents: Iterable[float]) -> float:
    """How far from zero an axis reaches so that one very wide interval does not flatten all others.

    Four times the median extent, or the largest where that is less.

    Example:
        >>> robust_limit([1, 1, 2, 100]), robust_limit([1, 2, 3])
        (6.0, 3.0)
    """
    finite = [abs(extent) for extent in extents if math.isfinite(extent)]
    if not finite:
        return 1.0
    return float(min(max(finite), 4 * np.median(finite))) or 1.0


def tick_labels(ticks: list[float], unit: str = "", *, signed: bool = False) -> list[tuple[float, str]]:
    """Ticks with their texts: as many decimals as their step needs.

    Example:
        >>> tick_labels([0.0, 0.5, 1.0], "%", signed=True)
        [(0.0, '0%'), (0.5, '+0.5%'), (1.0, '+1.0%')]
    """
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    n_decimals = next((n for n in range(7) if abs(round(step, n) - step) < abs(step) * 1e-6), 6)
    ending = "%" if unit == "%" else ""
    texts = (
        "0" if value == 0 else numbers.fixed(value, n_decimals, signed=signed) for value in np.round(ticks, 9)
    )
    return [(tick, text + ending) for tick, text in zip(ticks, texts, strict=True)]
