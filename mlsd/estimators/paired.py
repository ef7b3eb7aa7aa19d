"""What stands beside the randomisation test of paired differences: Student's t, Wilcoxon, wins and losses.

All read the same thing, one total for each independent unit (a user, a query),

    T_u = sum over the unit's rows of  treatment - control

so that they ask the same question of the same figures; `mlsd.estimators.sign_flip` is the one that decides.

Source: Student (1908), "The probable error of a mean"; Wilcoxon (1945), "Individual comparisons by ranking
methods"; Pratt (1959), "Remarks on zeros and ties in the Wilcoxon signed rank procedures", JASA 54.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtr

from mlsd.errors import InputError
from mlsd.metrics.base import ratio
from mlsd.types import Floats, Ints

DIGITS = 12
"""Decimals of a total: equal gains are equal in whatever order they were added up."""


def unit_totals(differences: Floats, units: Ints) -> Floats:
    """(n_units, n_figures) total of each unit, by rising unit; NaN where none of its rows is known.

    Args:
        differences: (n_rows, n_figures) paired differences, NaN where a row says nothing.
        units: (n_rows,) the independent unit of each row.

    Example:
        >>> rows = np.array([[0.5, np.nan], [0.25, 1.0], [-0.5, np.nan]])
        >>> unit_totals(rows, np.array([7, 7, 8])).tolist()
        [[0.75, 1.0], [-0.5, nan]]
    """
    if differences.ndim != 2 or len(differences) != len(units):
        raise InputError(f"differences of shape {differences.shape}, must be ({len(units)}, n_figures)")
    totals = pd.DataFrame(differences).groupby(units, sort=True).sum(min_count=1)
    return np.asarray(totals.to_numpy(np.float64).round(DIGITS))


def t_test(totals: Floats) -> Floats:
    """(n_figures,) two-sided p-value of Student's t that the mean total is 0.

        t = mean(T) / (sd(T) / sqrt(n)),  p = 2 P(t(n - 1) > |t|)

    1 where all totals are 0, NaN for fewer than two units.

    Args:
        totals: (n_units, n_figures), NaN where a unit has none.

    Example:
        >>> t_test(np.array([[1.0], [2.0], [3.0]])).round(4).tolist()
        [0.0742]
    """
    n = np.sum(~np.isnan(totals), axis=0)
    mean = ratio(np.nansum(totals, axis=0), n)
    variance = ratio(np.nansum((totals - mean) ** 2, axis=0), n - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(mean == 0, 0.0, np.abs(mean) / np.sqrt(variance / n))
    return np.asarray(np.where(n < 2, np.nan, 2 * stdtr(np.maximum(n - 1, 1), -t)))


def wilcoxon(totals: Floats) -> Floats:
    """(n_figures,) two-sided p-value of Wilcoxon's signed ranks that totals are symmetric about 0.

        z = sum over T_u != 0 of sign(T_u) R_u / sqrt(sum over T_u != 0 of R_u^2),  p = 2 P(N(0, 1) > |z|)

    with R_u the mid-rank of |T_u| among all units: zeros take the lowest ranks and are then left out, as
    Pratt has it. Normal approximation, without a correction for continuity: from about twenty units on. 1
    where all totals are 0, NaN for fewer than two units.

    Args:
        totals: (n_units, n_figures), NaN where a unit has none.

    Example:
        >>> wilcoxon(np.array([[1.0], [2.0], [3.0], [-0.5]])).round(4).tolist()
        [0.1441]
    """
    n = np.sum(~np.isnan(totals), axis=0)
    ranks = pd.DataFrame(np.abs(totals)).rank().to_numpy()
    signed = np.nan_to_num(np.sign(totals) * ranks)
    z = np.nan_to_num(ratio(np.abs(signed.sum(axis=0)), np.sqrt((signed**2).sum(axis=0))))
    return np.asarray(np.where(n < 2, np.nan, 2 * ndtr(-z)))


class Outcomes(NamedTuple):
    """How many units gain, stay and lose, (n_figures,) each."""

    wins: Ints
    ties: Ints
    losses: Ints


def outcomes(totals: Floats) -> Outcomes:
    """Units whose total is above, at and below 0; those without one are not counted.

    Example:
        >>> [counts.tolist() for counts in outcomes(np.array([[0.5], [0.0], [-0.5], [1.0], [np.nan]]))]
        [[2], [1], [1]]
    """
    return Outcomes(*(np.sum(part, axis=0) for part in (totals > 0, totals == 0, totals < 0)))
