"""Several tests at once: p-values that stay honest when the best of many is looked at.

Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6.
"""

from __future__ import annotations

import numpy as np

from mlsd import checks
from mlsd.types import Floats


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
    known = np.flatnonzero(~np.isnan(p_values))
    tested = p_values[known]
    wrong = tested[(tested < 0) | (tested > 1)]
    checks.require(not len(wrong), "p_values", wrong[:1].tolist(), "must be in [0, 1]")
    order = np.argsort(tested, kind="stable")
    scaled = np.arange(len(tested), 0, -1) * tested[order]
    adjusted = np.full(len(p_values), np.nan)
    adjusted[known[order]] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted
