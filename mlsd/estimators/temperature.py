"""From a classifier's logits to probabilities that mean what they say."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.special import softmax

from mlsd.errors import InputError
from mlsd.types import Floats

COLDEST, HOTTEST = 0.05, 20.0
"""Temperatures looked at: logits that are never wrong want a colder one, those that say nothing a hotter."""


def temperature_of(logits: Floats, target: Floats, weight: Floats) -> float:
    """The temperature T that makes softmax(logits / T) fit what happened best.

        minimise over T   - sum over rows of  weight * sum over classes of  target * log softmax(logits / T)

    It is convex in 1 / T, and at its minimum the logits that softmax(logits / T) expects are, on average,
    those of what happened. One number for all classes moves no row's best class. Within `COLDEST` and
    `HOTTEST`; 1 where no temperature is better than another, as with logits that are the same for all
    classes.

    Args:
        logits: (n, n_classes) finite.
        target: (n, n_classes) shares of what happened, each row summing to 1.
        weight: (n,) how much each row counts, at least 0.

    Raises:
        InputError: there is no row with a weight, or a logit is not finite.

    Example:
        Says 88% (a logit of 2) and is right in 3 of 4: log 3 = 2 / T.

        >>> logits, target = np.array([[2.0, 0.0]] * 4), np.array([[1.0, 0.0]] * 3 + [[0.0, 1.0]])
        >>> round(temperature_of(logits, target, np.ones(4)), 4), round(float(2 / np.log(3)), 4)
        (1.8205, 1.8205)

    Source: Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017), section 4.2.
    """
    if not np.sum(weight) > 0:
        raise InputError("a temperature has no rows to be learnt from")
    if not np.isfinite(logits).all():
        raise InputError(f"{np.count_nonzero(~np.isfinite(logits))} of {logits.size} logits are not finite")
    happened = float(np.sum(weight[:, None] * target * logits))

    def excess(log_temperature: float) -> float:
        expected = softmax(logits / np.exp(log_temperature), axis=1)
        return float(np.sum(weight[:, None] * expected * logits)) - happened

    coldest, hottest = np.log(COLDEST), np.log(HOTTEST)
    if np.ptp(logits, axis=1).max() == 0:
        return 1.0
    if excess(coldest) <= 0:
        return COLDEST
    if excess(hottest) >= 0:
        return HOTTEST
    return float(np.exp(brentq(excess, coldest, hottest, xtol=1e-12)))
