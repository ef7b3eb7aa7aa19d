"""Figures whose uncertainty comes from which units were seen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

from mlsd.types import Array, Floats, Ints

IntervalMethod = Literal["bca", "distance"]
"""How resampled figures become an interval; see `mlsd.estimators.bootstrap`."""

MAX_COUNT = 16
"""How often a resampled unit may count, at most."""

_MANTISSA_BITS = 53


class Interval(NamedTuple):
    """A figure and the range that its true value lies in with the stated confidence."""

    value: float
    """The figure; NaN where undefined."""
    low: float
    """Lower end; NaN where there is no interval, as from fewer than two units."""
    high: float
    """Upper end."""
    n: int
    """Independent units that it rests on."""


class UnitStatistic(ABC):
    """Figures that can be computed again with every unit counted any number of times."""

    interval_method: IntervalMethod = "bca"
    """With "distance", the last figure is a distance from the units at hand that bounds how far the other
    figures are off; they cannot be negative."""

    @property
    @abstractmethod
    def n(self) -> Ints:
        """(n_figures,) units that each figure rests on."""

    @property
    @abstractmethod
    def value(self) -> Floats:
        """(n_figures,) with every unit counted once; NaN where undefined."""

    @abstractmethod
    def resampled(self, counts: Array) -> Floats:
        """(n_replicates, n_figures) with each unit counted anew.

        Args:
            counts: (n_replicates, n_units) integers in [0, MAX_COUNT].
        """

    @abstractmethod
    def influence(self) -> Floats:
        """(n_units, n_figures) how much each unit moves each figure, up to a factor; 0 where it does not."""


class UnitSums(UnitStatistic):
    """Figures that are a function of totals over units.

    Sums are kept as multiples of a power of two that is coarse enough for every weighted total to be exact.
    So neither the order of summation nor the number of threads changes a figure's last bit; what is given
    up lies beyond the tenth digit.

    Args:
        sums: (n_units, n_terms) sum of each term over the rows of each unit.
        figures: takes totals (..., n_terms) to figures (..., n_figures), NaN where undefined.
        n: (n_figures,) units that each figure rests on; all of them unless given.

    Example:
        >>> mean = UnitSums(np.array([[6.0, 2.0], [1.0, 1.0]]), lambda total: total[..., :1] / total[..., 1:])
        >>> mean.value.round(3).tolist(), mean.resampled(np.array([[1, 0], [1, 4]])).tolist()
        ([2.333], [[3.0], [1.666666666666666...]])
    """

    def __init__(self, sums: Floats, figures: Callable[[Floats], Floats], n: Ints | None = None) -> None:
        self._sums = _exactly_addable(sums)
        self._figures = figures
        self._n = n

    @cached_property
    def value(self) -> Floats:
        return self._figures(self._total)

    @property
    def n(self) -> Ints:
        return np.full(self.value.shape, len(self._sums)) if self._n is None else self._n

    def resampled(self, counts: Array) -> Floats:
        return self._figures(counts.astype(np.float64) @ self._sums)

    def influence(self) -> Floats:
        """(n_units, n_figures) each figure less what it is without the unit."""
        moved = self.value - self._figures(self._total - self._sums)
        return np.asarray(np.nan_to_num(moved, nan=0.0))

    @cached_property
    def _total(self) -> Floats:
        return np.asarray(self._sums.sum(axis=0))


def _exactly_addable(sums: Floats) -> Floats:
    """Columns rounded to multiples of the power of two below which no weighted total has a digit."""
    bounds = np.abs(sums).sum(axis=0) * MAX_COUNT
    quanta = np.ldexp(1.0, np.frexp(bounds)[1] - _MANTISSA_BITS)
    return np.asarray(np.round(sums / quanta) * quanta)
