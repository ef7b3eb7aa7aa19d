"""What a comparison of a given size could have found."""

from __future__ import annotations

from statistics import NormalDist

from mlsd.report.estimate import Estimate

POWER = 0.8
"""How often an effect of the detectable size is found."""

POWER_WORDS = "four times in five"
"""`POWER`, spoken."""


def detectable(difference: Estimate, confidence: float) -> float:
    """The true difference that a comparison with such an interval would find with probability `POWER`.

        (z(1 - alpha / 2) + z(POWER)) x error,  half the width of the interval = z(1 - alpha / 2) x error

    Args:
        difference: with its interval.
        confidence: of the interval, in (0, 1).

    Source: Cohen, "Statistical power analysis for the behavioral sciences", 1988, chapter 2.

    Example:
        >>> round(detectable(Estimate(0.0, -1.96, 1.96), 0.95), 2)
        2.8
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    half = (difference.high - difference.low) / 2
    return (z + NormalDist().inv_cdf(POWER)) / z * half


def units_needed(n_units: int, detectable_now: float, effect: float) -> float:
    """How many units it takes to find an effect with probability `POWER`: the error falls with their root.

    Example:
        >>> units_needed(1000, 0.4, 0.2)
        4000.0
    """
    return n_units * (detectable_now / effect) ** 2
