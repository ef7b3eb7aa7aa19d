"""Krippendorff's alpha: how far raters agree beyond chance.

    alpha = 1 - observed disagreement / disagreement expected by chance
          = 1 - (n - 1) sum_ck o_ck d_ck / sum_ck n_c n_k d_ck

with the coincidences o_ck = sum over pairs of (ordered couples of its m ratings that are c and k) / (m - 1),
their margins n_c and total n, and the squared distance d_ck of two grades:

    nominal   1 where c and k differ
    interval  (c - k)^2
    ordinal   (M_c - M_k)^2, with M_c the ratings below c plus half of those that are c

1 is perfect agreement, 0 is chance, below 0 raters disagree more than by chance. Any number of raters, of
which each may leave out any pair; a pair with one rating says nothing. Where all ratings are the same nothing
varies, so agreement cannot be told from habit: alpha is NaN.

Source: Krippendorff (2011), "Computing Krippendorff's alpha-reliability". Hayes and Krippendorff (2007) get
intervals by resampling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mlsd import checks
from mlsd.estimators.base import UnitSums
from mlsd.estimators.ratings import Ratings
from mlsd.metrics.base import ratio
from mlsd.types import Array, Floats, Ints

Distance = Literal["nominal", "ordinal", "interval"]
DISTANCES: tuple[Distance, ...] = ("nominal", "ordinal", "interval")


def krippendorff_alpha(ratings: Ratings, distance: Distance = "ordinal") -> float:
    """Alpha of all ratings; NaN where it is undefined, see `why_undefined`.

    Args:
        ratings: of at least two raters.
        distance: between grades, one of `DISTANCES`.

    Example:
        Two raters agree on three pairs of four: o = [[2, 1], [1, 4]], margins 3 and 5, and
        alpha = 1 - 7 x 2 / (2 x 3 x 5).

        >>> both = np.array([[0.0, 0, 1, 1], [0.0, 1, 1, 1]])
        >>> round(krippendorff_alpha(Ratings.of_matrix(both, 2), "nominal"), 4)
        0.5333
    """
    return float(alpha_statistic(ratings, (distance,)).value[0])


def alpha_statistic(
    ratings: Ratings, distances: Sequence[Distance] = DISTANCES, unit: Ints | None = None
) -> UnitSums:
    """Alpha by each distance as a function of how often each unit counts.

    Args:
        ratings: of at least two raters.
        distances: between grades; a figure for each.
        unit: (n_pairs,) whose the pair is: units are resampled with all their pairs, and statistics have them
            in ascending order. Each pair is a unit of its own for None.
    """
    for distance in distances:
        checks.one_of("distance", distance, DISTANCES)
    of_pairs = coincidences(ratings).reshape(ratings.n_pairs, -1)
    unit_ids, codes = np.unique(np.arange(ratings.n_pairs) if unit is None else unit, return_inverse=True)
    sums = np.zeros((len(unit_ids), of_pairs.shape[1]))
    np.add.at(sums, codes, of_pairs)
    return UnitSums(sums, lambda totals: np.stack([_alpha(totals, name) for name in distances], axis=-1))


def coincidences(ratings: Ratings) -> Floats:
    """(n_pairs, n_grades, n_grades) what each pair adds to the coincidence matrix."""
    counts = ratings.counts().astype(np.float64)
    couples = counts[:, :, None] * counts[:, None, :]
    grades = np.arange(ratings.n_grades)
    couples[:, grades, grades] -= counts
    others = np.maximum(counts.sum(axis=1) - 1, 1)
    return np.asarray(couples / others[:, None, None])


def why_undefined(ratings: Ratings) -> str:
    """Why there is no alpha, in words; empty where there is one."""
    margins = coincidences(ratings).sum(axis=(0, 2))
    n_used = np.count_nonzero(margins)
    if n_used == 0:
        return "no pair was rated twice"
    return "all ratings are the same, so nothing varies" if n_used == 1 else ""


def _alpha(totals: Floats, distance: Distance) -> Floats:
    """Alphas of coincidence matrices (..., n_grades^2), whose margins may be those of resampled pairs."""
    n_grades = round(totals.shape[-1] ** 0.5)
    observed = totals.reshape(*totals.shape[:-1], n_grades, n_grades)
    margins = observed.sum(axis=-1)
    squared = _squared_distances(margins, distance)
    expected = (margins[..., :, None] * margins[..., None, :] * squared).sum(axis=(-2, -1))
    disagreement = (observed * squared).sum(axis=(-2, -1)) * (margins.sum(axis=-1) - 1)
    return np.asarray(1 - ratio(disagreement, expected))


def _squared_distances(margins: Floats, distance: Distance) -> Floats:
    """(..., n_grades, n_grades) by the margins (..., n_grades)."""
    if distance == "nominal":
        return np.asarray(1.0 - np.eye(margins.shape[-1]))
    places: Array = np.arange(margins.shape[-1], dtype=np.float64)
    if distance == "ordinal":
        places = np.cumsum(margins, axis=-1) - margins / 2
    return np.asarray((places[..., :, None] - places[..., None, :]) ** 2)
