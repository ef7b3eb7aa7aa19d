"""A prior for rates that differ between keys."""

from __future__ import annotations

import numpy as np

from mlsd.types import Floats


def gamma_prior(exposure: Floats, events: Floats) -> Floats:
    """(a, b) of the Gamma distribution of rates that differ between keys.

        m = (sum of C + 1/2) / (sum of E + 1),   v = sum of E (C/E - m)^2 / sum of E  -  m / mean of E
        a = m^2 / v,   b = m / v

    where v, the variance between keys, is what chance does not explain. If nothing remains, all keys are
    taken to be alike: b is the whole exposure.

    Source: Marshall (1991), "Mapping disease and mortality rates using empirical Bayes estimators".

    Args:
        exposure: (n_keys,) E.
        events: (n_keys,) C.

    Example:
        >>> a, b = gamma_prior(np.full(4, 100.0), np.array([10.0, 30.0, 10.0, 30.0]))
        >>> round(float(a / b), 2), round(float(b))  # v = .1**2 - .2 / 100, up to the half event
        (0.2, 25)
    """
    shown = exposure > 0
    exposure, events = exposure[shown], events[shown]
    total = float(exposure.sum())
    mean = (float(events.sum()) + 0.5) / (total + 1.0)
    if not len(exposure):
        return np.array([mean, 1.0])
    spread = float(np.sum(exposure * np.square(events / exposure - mean))) / total
    between = spread - mean * len(exposure) / total
    strength = min(mean / between, total) if between > 0 else total
    return np.array([mean * strength, strength])


def log_relative_rate(exposure: Floats, events: Floats, prior: Floats) -> Floats:
    """(n,) the rate of each key, smoothed, relative to the average, as a logarithm; 0 without exposure.

        log((a + C) / (b + E)) - log(a / b)

    Args:
        exposure: (n,) E.
        events: (n,) C.
        prior: (2,) a and b, see `gamma_prior`.

    Example:
        >>> exposure, events = np.array([0.0, 5.0]), np.array([0.0, 2.0])
        >>> log_relative_rate(exposure, events, np.array([1.0, 5.0])).round(3).tolist()  # log(.3 / .2)
        [0.0, 0.405]
    """
    a, b = prior
    return np.asarray(np.log((a + events) / (b + exposure)) - np.log(a / b))
