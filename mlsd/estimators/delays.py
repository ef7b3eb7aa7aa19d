"""How long conversions take to arrive, from those that have arrived so far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, log1p, logsumexp

from mlsd import checks
from mlsd.errors import InputError
from mlsd.types import Floats

_SHORTEST = 1.0 / 86_400
"""Days: delays below a second count as one."""

FEWEST = 10
"""Conversions that a distribution can be estimated from."""


class Delays(NamedTuple):
    """A mixture of two exponential distributions.

    F(t) = quick_share (1 - exp(-t / quick_days)) + (1 - quick_share) (1 - exp(-t / slow_days))
    """

    quick_share: float
    quick_days: float
    slow_days: float

    def arrived(self, elapsed_days: Floats) -> Floats:
        """(n,) P(a conversion has arrived so long after its click | there is one, sooner or later).

        Example:
            >>> Delays(0.5, 0.01, 2.0).arrived(np.array([0.0, 2.0])).round(3).tolist()
            [0.0, 0.816]
        """
        quick, slow = (-np.expm1(-elapsed_days / days) for days in self[1:])
        return np.asarray(self.quick_share * quick + (1 - self.quick_share) * slow)


def fit_delays(delay_days: Floats, elapsed_days: Floats) -> Delays:
    """The mixture of greatest likelihood, given that only what has arrived is known.

        sum over conversions i of  log f(delay_i) - log F(elapsed_i)

    A conversion is known only if its delay is at most the time since its click, so short delays are
    over-represented among the known ones; dividing by F(elapsed) takes that into account.

    Args:
        delay_days: (n,) from the click to the conversion, at least 0.
        elapsed_days: (n,) from the click until now, at least the delay.

    Raises:
        InputError: fewer than ten conversions, or a delay that is negative or longer than the time elapsed.

    Source: exponential delays and their censoring, Chapelle (KDD 2014); truncated likelihood, e.g. Klein and
    Moeschberger, Survival Analysis, 2003, section 5.3.
    """
    if len(delay_days) < FEWEST:
        n = len(delay_days)
        raise InputError(f"{n} conversions have arrived, must be at least {FEWEST} to know their delays")
    checks.every_row("delay_days", delay_days, delay_days >= 0, "at least 0")
    rule = "at most the days elapsed since the click"
    checks.every_row("delay_days", delay_days, delay_days <= elapsed_days, rule)
    delay = np.maximum(delay_days, _SHORTEST)
    elapsed = np.maximum(elapsed_days, delay)

    def loss(unknown: Floats) -> float:
        return -float(np.sum(_log_density(unknown, delay) - _log_arrived(unknown, elapsed))) / len(delay)

    low, high = np.quantile(delay, [0.25, 0.75])
    starts = [np.array([0.0, np.log(low), np.log(max(factor * high, 2 * low))]) for factor in (1.0, 3.0)]
    bounds = [(-6.0, 6.0), *[(np.log(_SHORTEST), np.log(1000.0))] * 2]
    found = [minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    best = min(found, key=lambda each: float(each.fun))
    share, (first, second) = float(expit(best.x[0])), np.exp(best.x[1:]).tolist()
    return Delays(share, first, second) if first <= second else Delays(1 - share, second, first)


def _log_shares(unknown: Floats) -> Floats:
    """(2,) log shares of the two kinds of delay."""
    return np.array([-log1p(np.exp(-unknown[0])), -log1p(np.exp(unknown[0]))])


def _log_density(unknown: Floats, delay: Floats) -> Floats:
    terms = _log_shares(unknown)[:, None] - unknown[1:, None] - delay / np.exp(unknown[1:, None])
    return np.asarray(logsumexp(terms, axis=0))


def _log_arrived(unknown: Floats, elapsed: Floats) -> Floats:
    terms = _log_shares(unknown)[:, None] + np.log(-np.expm1(-elapsed / np.exp(unknown[1:, None])))
    return np.asarray(logsumexp(terms, axis=0))
