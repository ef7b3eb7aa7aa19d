"""Intervals of figures from several runs: seeds and units are both a sample.

A figure of one run moves with its users and with its seed, so the mean over runs is off by both. Runs differ
by their seed in one of two ways.

Crossed: the same units (the queries of a collection, the users of one world) recur under every seed. Seeds
and units are drawn again independently, and what a unit does under a seed counts as often as both together:

    replicate = 1/S sum_s c_s f_s(w),   f_s(w) = sum_u w_u y_us / sum_u w_u n_us

with c multinomial (S seeds drawn from S), w_u Poisson(1), y_us the sum and n_us the number of unit u's rows
under seed s. This is the pigeonhole bootstrap (Owen 2007) with weights that multiply (Owen and Eckles 2012);
no resampling of such data is exact, and this one errs towards wide: noise of single cells counts three times.

Nested: each seed has units of its own. Drawing seeds, each with its units, then draws both, and drawing
units within seeds once more would count them twice (Davison and Hinkley 1997, section 3.8). The variance of
such replicates has a closed form, sum_s (f_s - f)^2 / S^2, which is used.

With as few seeds as runs can be paid for, percentiles of replicates are too narrow and too coarse. So
replicates give a variance, small-sample factors make it unbiased, and Student's t the ends:

    se^2 = V + V_seeds / (S - 1) + V_units / (U - 1)                 (nested: V_seeds S / (S - 1))
    interval = f +- t(nu, (1 + confidence) / 2) se
    nu = (A + B)^2 / (A^2 / (S - 1) + B^2 / (U - 1)),  A = V_seeds S / (S - 1),  B = V_units U / (U - 1)

with V the variance of the replicates, V_seeds and V_units of those in which only one of the two is drawn,
and nu after Satterthwaite (nested: S - 1). A seed whose figure nobody can tell takes no part.

Source: Owen (2007), "The pigeonhole bootstrap", Annals of Applied Statistics 1; Owen and Eckles (2012),
"Bootstrapping data arrays of arbitrary order", Annals of Applied Statistics 6; Satterthwaite (1946).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from mlsd import checks, rng
from mlsd.errors import InputError
from mlsd.estimators.base import UnitSums
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.metrics.base import ratio
from mlsd.types import Array, Floats, Ints


class SeedsInterval(NamedTuple):
    """A mean over seeds, and the range that the mean over all seeds and units lies in."""

    value: float
    """Mean of the seeds' figures, each seed as much as any other; NaN where undefined."""
    low: float
    """Lower end; NaN from fewer than two seeds."""
    high: float
    """Upper end."""
    p_value: float
    """Two-sided, of the mean being 0; 1 where all figures are 0."""


class _Variances(NamedTuple):
    """(n_figures,) variance of a mean by what is drawn again, and how many of it there are."""

    both: Floats
    seeds: Floats
    units: Floats
    n_seeds: int
    n_units: int


@dataclass(frozen=True)
class TwoWayBootstrap:
    """Intervals over seeds and units.

    Args:
        n_replicates: how often seeds and units are drawn.
        confidence: share of intervals that hold the truth, in (0, 1).
        seed: of the draws.

    Example:
        >>> gains = np.array([[0.1], [0.3], [0.2], [0.2]])
        >>> (found,) = TwoWayBootstrap().means(gains, np.array([0, 0, 1, 1]), np.arange(4), crossed=False)
        >>> round(found.value, 9), round(found.high - found.low, 9)
        (0.2, 0.0)
    """

    n_replicates: int = 2000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        checks.at_least("n_replicates", self.n_replicates, 100)
        checks.within("confidence", self.confidence, 0, 1)

    def means(self, values: Floats, seeds: Ints, units: Ints, *, crossed: bool) -> list[SeedsInterval]:
        """The mean over seeds of each column's mean over the rows where it is not NaN.

        Args:
            values: (n_rows, n_figures), such as metrics of requests or their paired differences.
            seeds: (n_rows,) the seed of the run of each row.
            units: (n_rows,) the independent unit of each row, such as the user.
            crossed: whether a unit of the same number under two seeds is the same unit.

        Raises:
            InputError: shapes that do not fit, or a seed under which a column has no value.
        """
        if values.ndim != 2 or not len(values) == len(seeds) == len(units):
            raise InputError(f"values of shape {values.shape}, must be ({len(seeds)}, n_figures)")
        sums, unit_ids, n_seeds = _sums(values, seeds, units)
        figures = sums.value.reshape(n_seeds, -1)
        if np.isnan(figures).any():
            raise InputError("a figure has no value at all under one of the seeds")
        found = self._variances(sums, figures, unit_ids) if crossed else _of_seeds(figures)
        return self._intervals(figures.mean(axis=0), found, crossed=crossed)

    def _variances(self, sums: UnitSums, figures: Floats, unit_ids: Ints) -> _Variances:
        n_seeds = len(figures)
        of_units, of_both = [], []
        for counts, drawn in self._draws(unit_ids, n_seeds):
            resampled = sums.resampled(counts).reshape(len(counts), n_seeds, -1)
            of_units.append(resampled.mean(axis=1))
            of_both.append(np.einsum("rs,rsf->rf", drawn, resampled) / n_seeds)
        units, both = (np.nanvar(np.concatenate(each), axis=0) for each in (of_units, of_both))
        return _Variances(both, _of_seeds(figures).seeds, units, n_seeds, len(unit_ids))

    def _draws(self, unit_ids: Ints, n_seeds: int) -> Iterator[tuple[Array, Array]]:
        """How often each unit (n_block, n_units) and each seed (n_block, n_seeds) counts."""
        start = 0
        for counts in Bootstrap(self.n_replicates, self.confidence, self.seed).counts(unit_ids):
            replicate = np.arange(start, start + len(counts))
            drawn = rng.integers(self.seed, "seeds", n_seeds, replicate[:, None], np.arange(n_seeds)[None, :])
            yield counts, (drawn[:, :, None] == np.arange(n_seeds)).sum(axis=1)
            start += len(counts)

    def _intervals(self, value: Floats, found: _Variances, *, crossed: bool) -> list[SeedsInterval]:
        n_seeds, n_units = found.n_seeds, found.n_units
        if n_seeds < 2 or (crossed and n_units < 2):
            return [SeedsInterval(each, np.nan, np.nan, np.nan) for each in value.tolist()]
        by_seed = found.seeds * n_seeds / (n_seeds - 1)
        by_unit = found.units * n_units / (n_units - 1) if crossed else np.zeros_like(by_seed)
        extra = found.units / (n_units - 1) if crossed else 0.0
        error = np.sqrt(found.both + found.seeds / (n_seeds - 1) + extra)
        spread = by_seed**2 / (n_seeds - 1) + by_unit**2 / max(n_units - 1, 1)
        freedom = np.nan_to_num(ratio((by_seed + by_unit) ** 2, spread), nan=n_seeds - 1.0)
        reach = stdtrit(freedom, (1 + self.confidence) / 2) * error
        p_value = _two_sided(value, error, freedom)
        columns = (value, value - reach, value + reach, p_value)
        return [SeedsInterval(*row) for row in zip(*(each.tolist() for each in columns), strict=True)]


def _two_sided(value: Floats, error: Floats, freedom: Floats) -> Floats:
    """The p-value of a mean this far from 0; a mean without any error is certain."""
    distance = np.abs(value)
    p_value = 2 * stdtr(freedom, -distance / np.where(error > 0, error, 1.0))
    return np.where(error > 0, p_value, np.where(distance > 0, 0.0, 1.0))


def _of_seeds(figures: Floats) -> _Variances:
    """The variance that drawing whole seeds comes to."""
    n_seeds = len(figures)
    variance = figures.var(axis=0) / n_seeds
    return _Variances(variance, variance, np.zeros_like(variance), n_seeds, n_seeds)


def _sums(values: Floats, seeds: Ints, units: Ints) -> tuple[UnitSums, Ints, int]:
    """Each unit's sums and rows under every seed; the units' ids; the number of seeds."""
    seed_ids, seed = np.unique(seeds, return_inverse=True)
    unit_ids, unit = np.unique(units, return_inverse=True)
    n_seeds, n_figures = len(seed_ids), values.shape[1]
    n_cells = n_seeds * n_figures
    known = ~np.isnan(values)
    cells = (unit[:, None] * n_cells + seed[:, None] * n_figures + np.arange(n_figures)).reshape(-1)
    totals, rows = (
        np.bincount(cells, each.reshape(-1), len(unit_ids) * n_cells).reshape(len(unit_ids), n_cells)
        for each in (np.where(known, values, 0.0), known)
    )
    made = UnitSums(np.hstack([totals, rows]), lambda sums: ratio(sums[..., :n_cells], sums[..., n_cells:]))
    return made, unit_ids, n_seeds
