"""What differs between arms that were tried in the same worlds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import t

from mlsd import checks
from mlsd.types import Floats

CONFIDENCE = 0.95


class OverWorlds(NamedTuple):
    """A figure's mean over worlds, and its mean difference from a base with the ends of its interval."""

    value: float
    difference: float
    low: float
    high: float


def over_worlds(values: Floats, base: Floats) -> OverWorlds:
    """The mean over worlds, and Student's t interval of the mean difference, paired by world.

        difference = mean(values - base),    error = t(0.975; n - 1) sd(values - base) / sqrt(n)

    Args:
        values: (n_worlds,) at least two, each independent of the others.
        base: (n_worlds,) of the same worlds.

    Raises:
        InvalidValueError: there are fewer than two.

    Example:
        >>> over_worlds(np.array([11.0, 12.0, 13.0]), np.array([10.0, 10.0, 10.0])).difference
        2.0
    """
    n = checks.at_least("worlds", len(values), 2)
    change = values - base
    error = float(t.ppf((1 + CONFIDENCE) / 2, n - 1) * change.std(ddof=1) / np.sqrt(n))
    mean = float(change.mean())
    return OverWorlds(float(values.mean()), mean, mean - error, mean + error)
