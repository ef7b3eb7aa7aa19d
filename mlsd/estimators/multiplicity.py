"""Several tests at once: p-values that stay honest when the best of many is looked at.

Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6; Benjamini and Hochberg (1995), "Controlling the false discovery rate", Journal of the Royal
Statistical Society B 57.
"""

from __future__ import annotations

import numpy as np

from mlsd import checks
from mlsd.types import Floats, Ints


def holm(p_values: Floats) -> Floats:
    """Holm's adjusted p-values: below alpha together they hold the chance of any false finding below alpha.

        adjusted_(i) = max over j <= i of  min(1, (m - j + 1) p_(j)),  p_(1) <= ... <= p_(m)

    No independence is needed, and never is less found than by Bonferroni's m p. What is NaN was not tested:
    it stays NaN and does not count towards m.

    Args:
        p_values: (m,) in [0, 1], or NaN.

    Raises:
        InvalidValueError: a p-value outside [0, 1].

    Example:
        >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).round(6).tolist()
        [0.03, 0.06, nan, 0.06]
    """
    known, order = _tested(p_values)
    m = len(order)
    scaled = np.arange(m, 0, -1) * p_values[known[order]]
    return _put_back(np.maximum.accumulate(scaled), known[order], len(p_values))


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Benjamini and Hochberg's: below alpha together they hold the expected share of false findings there.

        adjusted_(i) = min over j >= i of  min(1, m / j p_(j)),  p_(1) <= ... <= p_(m)

    Holds for independent tests and for those that depend on each other positively, as figures of the same
    units do. What is NaN was not tested: it stays NaN and does not count towards m.

    Args:
        p_values: (m,) in [0, 1], or NaN.

    Raises:
        InvalidValueError: a p-value outside [0, 1].

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03])).round(6).tolist()
        [0.03, 0.04, nan, 0.04]
    """
    known, order = _tested(p_values)
    m = len(order)
    scaled = m / np.arange(1, m + 1) * p_values[known[order]]
    return _put_back(np.minimum.accumulate(scaled[::-1])[::-1], known[order], len(p_values))


def _tested(p_values: Floats) -> tuple[Ints, Ints]:
    """Places of what was tested, and their order by rising p-value."""
    known = np.flatnonzero(~np.isnan(p_values))
    tested = p_values[known]
    wrong = tested[(tested < 0) | (tested > 1)]
    checks.require(not len(wrong), "p_values", wrong[:1].tolist(), "must be in [0, 1]")
    return known, np.argsort(tested, kind="stable")


def _put_back(adjusted: Floats, places: Ints, n: int) -> Floats:
    """(n,) the adjusted values, at most 1, where their p-values stood; NaN elsewhere."""
    found = np.full(n, np.nan)
    found[places] = np.minimum(adjusted, 1.0)
    return found
