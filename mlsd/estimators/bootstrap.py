"""Intervals from resampling independent units.

The requests of one user resemble each other, so it is users that are drawn again: resampling requests makes
intervals too narrow. Every replicate counts each unit a Poisson(1) number of times, which is what drawing
n of n with replacement comes to; the count is a pure function of seed, replicate and unit, so that figures
of different segments, stages and arms meet the same draws, and order of work changes nothing.

An interval is the bias-corrected and accelerated one (BCa), made wider for few units:

    z = sqrt(n / (n - 1)) t(n - 1, (1 ± confidence) / 2)
    ends = quantiles of the replicates at Phi(z0 + (z0 + z) / (1 - a (z0 + z)))

with z0 = Phi^-1(share of replicates below the figure) and a = sum(L^3) / (6 sum(L^2)^1.5) over the units'
influences L. It stays within a metric's range, follows its skewness, and needs no formula for a variance.
A figure that chance only ever raises, such as a calibration error, has no replicates to take that rise off:
its interval is value ± the quantile of a distance that bounds the error by the triangle inequality, so it
covers at least as often as it says. Either interval is widened to hold its figure.

Source: Efron (1987), "Better bootstrap confidence intervals"; Hesterberg (2015), "What teachers should know
about the bootstrap" (the wider z); Hanley and MacGibbon (2006) on Poisson counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, ndtr, ndtri, stdtrit

from mlsd import checks, rng
from mlsd.errors import InputError
from mlsd.estimators.base import Interval, UnitStatistic, UnitSums
from mlsd.metrics.base import PredictionMetric, Predictions, ratio
from mlsd.types import Floats, Ints

_PER_HASH = 4
"""Replicates that share one 64-bit hash of a unit, 16 bits each."""

_BLOCK_COUNTS = 1 << 20
_LEAST_STRETCH = 0.1
"""Bound on 1 - a (z0 + z), beyond which one unit decides everything and BCa's formula turns over."""


@dataclass(frozen=True)
class Bootstrap:
    """Intervals by resampling units.

    Args:
        n_replicates: how often the units are resampled.
        confidence: share of intervals that hold the truth, in (0, 1).
        seed: of the draws.

    Example:
        >>> values = np.array([[1.0, 0.5], [0.0, 0.5], [0.5, np.nan]])
        >>> first, second = Bootstrap().means(values, np.array([7, 7, 8]))
        >>> first.value, first.n, second
        (0.5, 2, Interval(value=0.5, low=nan, high=nan, n=1))
    """

    n_replicates: int = 1000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        checks.at_least("n_replicates", self.n_replicates, 100)
        checks.within("confidence", self.confidence, 0, 1)

    def means(self, values: Floats, units: Ints) -> list[Interval]:
        """The mean of each column over the rows where it is not NaN.

        A segment is a column that is NaN outside of it: all metrics and segments take one pass.

        Args:
            values: (n_rows, n_figures), such as metrics of requests; no infinities.
            units: (n_rows,) the independent unit of each row, such as the user; any integers.
        """
        if values.ndim != 2 or len(values) != len(units):
            raise InputError(f"values of shape {values.shape}, must be ({len(units)}, n_figures)")
        if np.isinf(values).any():
            raise InputError(f"values hold {np.isinf(values).sum()} infinities, must be finite or NaN")
        unit_ids, codes = np.unique(units, return_inverse=True)
        return self.intervals([_means(values, codes, len(unit_ids))], unit_ids)[0]

    def differences(self, treatment: Floats, control: Floats, units: Ints) -> list[Interval]:
        """The mean of `treatment - control`, paired row by row, over the rows where neither is NaN.

        Args:
            treatment: (n_rows, n_figures).
            control: (n_rows, n_figures), of the same requests.
            units: (n_rows,).
        """
        if treatment.shape != control.shape:
            raise InputError(
                f"treatment has shape {treatment.shape}, control {control.shape}; must be the same"
            )
        return self.means(treatment - control, units)

    def of_predictions(self, metrics: Sequence[PredictionMetric], predictions: Predictions) -> list[Interval]:
        """The figure of each metric."""
        statistics = [metric.statistic(predictions) for metric in metrics]
        return [figures[0] for figures in self.intervals(statistics, predictions.unit_ids)]

    def intervals(self, statistics: Sequence[UnitStatistic], unit_ids: Ints) -> list[list[Interval]]:
        """The intervals of every figure of each statistic.

        Args:
            statistics: figures of the same units.
            unit_ids: (n_units,) who the units are; the draws are keyed by it.
        """
        blocks: list[list[Floats]] = [[] for _ in statistics]
        for counts in self.counts(unit_ids):
            for statistic, block in zip(statistics, blocks, strict=True):
                block.append(statistic.resampled(counts))
        pairs = zip(statistics, blocks, strict=True)
        return [self._of_replicates(statistic, np.concatenate(block)) for statistic, block in pairs]

    def counts(self, unit_ids: Ints) -> Iterator[NDArray[np.uint8]]:
        """(n_block, n_units) how often each unit counts, for all replicates in blocks."""
        step = max(_BLOCK_COUNTS // max(len(unit_ids), 1) // _PER_HASH, 1)
        n_groups = -(-self.n_replicates // _PER_HASH)
        for start in range(0, n_groups, step):
            groups = np.arange(start, min(start + step, n_groups))
            hashed = rng.hashes(self.seed, "bootstrap", groups[:, None], unit_ids[None, :])
            quarters = np.moveaxis(hashed.astype("<u8")[..., None].view("<u2"), -1, 1)
            counts = _POISSON[quarters].reshape(len(groups) * _PER_HASH, len(unit_ids))
            yield counts[: self.n_replicates - start * _PER_HASH]

    def _of_replicates(self, statistic: UnitStatistic, replicates: Floats) -> list[Interval]:
        value, n = statistic.value, statistic.n
        z = self._wide_z(n)
        if statistic.interval_method == "distance":
            reach = _quantiles(replicates, ndtr(z[1:]) - ndtr(z[:1]))[0, -1]
            ends = np.stack([np.maximum(value - reach, 0), value + reach])
        else:
            ends = _quantiles(replicates, _bca_levels(z, value, replicates, statistic.influence()))
        low, high = np.minimum(ends[0], value), np.maximum(ends[1], value)
        return [
            Interval(v, low_end, high_end, count) if count > 1 else Interval(v, np.nan, np.nan, count)
            for v, low_end, high_end, count in zip(*(x.tolist() for x in (value, low, high, n)), strict=True)
        ]

    def _wide_z(self, n: Ints) -> Floats:
        """(2, n_figures) the interval's ends in standard errors, made wider for few units."""
        freedom = np.maximum(n - 1, 1)
        upper = np.sqrt(n / freedom) * stdtrit(freedom, (1 + self.confidence) / 2)
        return np.stack([-upper, upper]).astype(np.float64)


def _means(values: Floats, codes: Ints, n_units: int) -> UnitSums:
    """Means over units of the rows of each column that are not NaN."""
    known = ~np.isnan(values)
    n_figures = values.shape[1]
    cells = (codes[:, None] * n_figures + np.arange(n_figures)).reshape(-1)
    size = n_units * n_figures
    totals = np.bincount(cells, np.where(known, values, 0).reshape(-1), size).reshape(n_units, n_figures)
    rows = np.bincount(cells, known.reshape(-1), size).reshape(n_units, n_figures)
    return UnitSums(
        np.hstack([totals, rows]),
        lambda sums: ratio(sums[..., :n_figures], sums[..., n_figures:]),
        n=np.count_nonzero(rows, axis=0),
    )


def _bca_levels(z: Floats, value: Floats, replicates: Floats, influence: Floats) -> Floats:
    """(2, n_figures) which quantiles of the replicates are the interval's ends."""
    n_known = np.sum(~np.isnan(replicates), axis=0)
    below = np.sum(replicates < value, axis=0) + np.sum(replicates == value, axis=0) / 2
    least = 0.5 / np.maximum(n_known, 1)
    shift = ndtri(np.clip(below / np.maximum(n_known, 1), least, 1 - least))
    cubes, squares = np.sum(influence**3, axis=0), np.sum(influence**2, axis=0)
    acceleration = np.nan_to_num(ratio(cubes, 6 * squares**1.5))
    moved = shift + z
    levels: Floats = ndtr(shift + moved / np.maximum(1 - acceleration * moved, _LEAST_STRETCH))
    return levels


def _quantiles(replicates: Floats, levels: Floats) -> Floats:
    """(n_levels, n_figures) quantiles of each column without its NaN, interpolated; NaN where all are NaN."""
    ascending = np.sort(replicates, axis=0)
    last = np.maximum(np.sum(~np.isnan(ascending), axis=0) - 1, 0)
    place = levels * last
    low = np.floor(place).astype(np.int64)
    below = np.take_along_axis(ascending, low, axis=0)
    above = np.take_along_axis(ascending, np.minimum(low + 1, last), axis=0)
    return np.asarray(below + (place - low) * (above - below))


def _poisson_table() -> NDArray[np.uint8]:
    """(65536,) the Poisson(1) count of each 16-bit number: its distribution to the nearest 2^-16."""
    cumulative = gammaincc(np.arange(1, 13), 1.0)
    numbers = np.arange(1 << 16)
    return np.searchsorted(np.round(cumulative * (1 << 16)), numbers, side="right").astype(np.uint8)


_POISSON = _poisson_table()
