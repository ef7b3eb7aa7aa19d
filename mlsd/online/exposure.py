"""Whose items were shown how often: what an experiment does to those who make them."""

from __future__ import annotations

from math import nan
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mlsd import rng
from mlsd.estimators.ab_test import Comparison
from mlsd.estimators.concentration import gini
from mlsd.types import Array, Floats, Ints, Served

N_REPLICATES = 400
"""Of the bootstrap."""


class Exposure(NamedTuple):
    """Impressions by who looked and by who made what was shown.

    Args:
        shown: (n_users, n_makers) sparse, impressions.
        makers: (n_makers,) who they are: values of the catalog's column, ascending.
    """

    shown: sparse.csr_array
    makers: Ints

    @staticmethod
    def nothing(n_users: int, maker: Ints) -> Exposure:
        """Before anything was shown.

        Args:
            n_users: of the world.
            maker: (n_items,) who made each item; all who made any are counted, shown or not.
        """
        makers = np.unique(maker)
        return Exposure(sparse.csr_array((n_users, len(makers)), dtype=np.float64), makers)

    def with_shown(self, served: Served, maker: Ints) -> Exposure:
        """With what was shown in addition, by items whose makers are among those counted from the start."""
        rows, positions = np.nonzero(served.slates.shown)
        place = np.searchsorted(self.makers, maker[served.slates.items[rows, positions]])
        more = sparse.coo_array((np.ones(len(rows)), (served.requests.user[rows], place)), self.shown.shape)
        return self._replace(shown=self.shown + more.tocsr())

    def of(self, users: NDArray[np.bool_]) -> Floats:
        """(n_makers,) impressions by these users."""
        return np.asarray(users.astype(np.float64) @ self.shown)


def compare_gini(
    control: Exposure, treatment: Exposure, treated: Array, alpha: float, seed: int
) -> Comparison:
    """The Gini coefficient of the impressions of makers, by the users of each arm.

    Intervals, of the effect and of the relative one, are percentile intervals of a Poisson bootstrap over
    users, with no p-value beside them. The coefficient of a sample is a little above that of all, nearly
    alike in arms of one size; with 400 users intervals at 95% cover about 93%. What is relative is NaN where
    the control is 0, and its interval where any replicate's is. Everything is NaN where an arm was shown
    nothing.

    Args:
        control: what was shown to all users under the one system.
        treatment: the same under the other.
        treated: (n_users,) bool, whose arm is the treatment.
        alpha: 1 - the confidence level.
        seed: of the bootstrap.

    Source: Chamandy et al., "Estimating uncertainty for massive data streams" (2012), for Poisson weights.
    """
    before, after = (float(gini(one.of(users))) for one, users in ((control, ~treated), (treatment, treated)))
    weights = rng.poisson(seed, "exposure", 1.0, np.arange(N_REPLICATES)[:, None], np.arange(len(treated)))
    befores, afters = (
        gini((weights * users) @ one.shown) for one, users in ((control, ~treated), (treatment, treated))
    )
    ends = [alpha / 2, 1 - alpha / 2]
    low, high = np.quantile(afters - befores, ends).tolist()
    relative, (relative_low, relative_high) = nan, (nan, nan)
    if before:
        relative = after / before - 1
    if befores.all():
        relative_low, relative_high = np.quantile(afters / befores - 1, ends).tolist()
    return Comparison(before, after, after - before, low, high, nan, relative, relative_low, relative_high)
