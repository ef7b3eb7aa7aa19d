"""What two arms of an experiment say about the effect of a treatment.

The unit is what was randomised, the user: requests and impressions of one user resemble each other, so
intervals that take them for independent are too narrow (Deng, Knoblich and Lu, KDD 2018).
"""

from __future__ import annotations

from math import erfc, exp, isclose, isfinite, log, nan, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from mlsd import checks
from mlsd.errors import InputError
from mlsd.types import Array, Floats

SAMPLE_RATIO_ALARM = 0.001
"""A p-value of the sample ratio below this means that the assignment is broken."""

_ROUNDING = 1e-12
"""Relative size below which a difference is one of rounding."""


class PerUnit(NamedTuple):
    """A metric's two sums for every unit; the metric is the ratio of their totals."""

    numerator: Array
    """(n_units,) such as clicks."""
    denominator: Array
    """(n_units,) 0 or more, such as impressions; all ones make the metric a mean over units."""


class Comparison(NamedTuple):
    """Treatment against control. What cannot be computed is NaN (see `compare_ratios`)."""

    control: float
    """The metric in the control arm."""
    treatment: float
    """The metric in the treatment arm."""
    effect: float
    """treatment - control."""
    low: float
    """Lower end of the effect's confidence interval."""
    high: float
    """Upper end of the effect's confidence interval."""
    p_value: float
    """Two-sided, of no effect."""
    relative: float
    """treatment / control - 1."""
    relative_low: float
    """Lower end of the relative effect's interval, from the delta method on the logarithm of the ratio."""
    relative_high: float
    """Upper end of the relative effect's interval."""


class _Arm(NamedTuple):
    """A metric and the squared standard error of its estimate, from n units."""

    value: float
    variance: float
    n_units: int

    def logarithm(self) -> _Arm:
        """log(value), by the delta method; NaN unless the value is positive."""
        if not self.value > 0:
            return _Arm(nan, nan, self.n_units)
        return _Arm(log(self.value), self.variance / self.value**2, self.n_units)


class _Difference(NamedTuple):
    value: float
    low: float
    high: float
    p_value: float


def compare_means(control: Array, treatment: Array, alpha: float = 0.05) -> Comparison:
    """Welch's test of the difference of two means over units.

    Args:
        control: (n_control,) one value for every unit.
        treatment: (n_treatment,) one value for every unit.
        alpha: 1 - the confidence level, in (0, 1).

    Example:
        >>> found = compare_means(np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0]))
        >>> found.effect, round(found.low, 3), round(found.high, 3), round(found.p_value, 4)
        (2.0, -0.267, 4.267, 0.0705)
    """
    return compare_ratios(
        PerUnit(control, np.ones(len(control))), PerUnit(treatment, np.ones(len(treatment))), alpha
    )


def compare_ratios(control: PerUnit, treatment: PerUnit, alpha: float = 0.05) -> Comparison:
    """The difference of two ratios of totals, by the delta method with Welch's degrees of freedom.

    In each arm of n units, with R = sum(y) / sum(x),

        var(R) = var(y - R x) / (n mean(x)^2)

    and the effect's interval is R_t - R_c +- t(1 - alpha / 2, df) sqrt(var(R_t) + var(R_c)). The relative
    effect's is exp of the same for log R, less 1.

    An arm without a positive denominator has no metric: everything is NaN. With fewer than two units in
    an arm the effect stands without interval and p-value. The relative effect is NaN where the control
    is 0, its interval unless both metrics are positive. Two arms that do not vary at all differ for certain:
    the interval is a point and the p-value 0, or 1 if they are equal.

    Args:
        control: of every unit of the control arm; a unit with 0 / 0 counts as one that says nothing.
        treatment: of every unit of the treatment arm.
        alpha: 1 - the confidence level, in (0, 1).

    Raises:
        InputError: a value is not finite, a denominator is negative, or lengths differ.

    Source: Deng, Knoblich and Lu, "Applying the delta method in metric analytics", KDD 2018, section 2.2;
        Welch, Biometrika 34, 1947.

    Example:
        >>> clicks, impressions = np.array([1.0, 2.0, 0.0]), np.array([10.0, 10.0, 5.0])
        >>> found = compare_ratios(PerUnit(clicks, impressions), PerUnit(clicks + 1, impressions))
        >>> found.control, found.treatment, round(found.effect, 2), round(found.relative, 2)
        (0.12, 0.24, 0.12, 1.0)
    """
    checks.within("alpha", alpha, 0, 1)
    before, after = _ratio("control", control), _ratio("treatment", treatment)
    absolute = _difference(before, after, alpha)
    logs = _difference(before.logarithm(), after.logarithm(), alpha)
    return Comparison(
        before.value,
        after.value,
        *absolute,
        relative=after.value / before.value - 1 if before.value else nan,
        relative_low=exp(logs.low) - 1,
        relative_high=exp(logs.high) - 1,
    )


def sample_ratio_p_value(n_control: int, n_treatment: int, treatment_share: float = 0.5) -> float:
    """Pearson's test that units were assigned in the declared proportion, by chi-squared with 1 degree.

    Args:
        n_control: units counted in the control arm.
        n_treatment: units counted in the treatment arm.
        treatment_share: declared probability of the treatment arm, in (0, 1).

    Returns:
        1 for no units at all; below `SAMPLE_RATIO_ALARM` nothing else of the experiment can be trusted.

    Source: Fabijan et al., "Diagnosing sample ratio mismatch in online controlled experiments", KDD 2019.

    Example:
        >>> round(sample_ratio_p_value(5000, 5200), 4)
        0.0477
    """
    n_units = n_control + n_treatment
    if n_units == 0:
        return 1.0
    excess = n_treatment - n_units * treatment_share
    return erfc(abs(excess) / sqrt(2 * n_units * treatment_share * (1 - treatment_share)))


def _ratio(name: str, arm: PerUnit) -> _Arm:
    numerator, denominator = _checked(name, arm)
    n_units = len(numerator)
    if denominator.sum() == 0:
        return _Arm(nan, nan, n_units)
    value = float(numerator.sum() / denominator.sum())
    if n_units < 2:
        return _Arm(value, nan, n_units)
    residual = numerator - value * denominator
    if np.abs(residual).max() <= _ROUNDING * np.abs(numerator).max():
        return _Arm(value, 0.0, n_units)
    return _Arm(value, float((residual / denominator.mean()).var(ddof=1)) / n_units, n_units)


def _checked(name: str, arm: PerUnit) -> tuple[Floats, Floats]:
    numerator, denominator = (np.asarray(part, np.float64) for part in arm)
    if numerator.shape != denominator.shape or numerator.ndim != 1:
        raise InputError(
            f"{name}: numerator {numerator.shape} and denominator {denominator.shape} must be of one length"
        )
    if not (np.isfinite(numerator).all() and np.isfinite(denominator).all()):
        raise InputError(f"{name}: a unit's value is NaN or infinite, must be finite")
    if (denominator < 0).any():
        raise InputError(f"{name}: denominator == {denominator.min()}, must be at least 0")
    return numerator, denominator


def _difference(before: _Arm, after: _Arm, alpha: float) -> _Difference:
    effect, variance = after.value - before.value, before.variance + after.variance
    if not isfinite(variance):
        return _Difference(effect, nan, nan, nan)
    if variance == 0:
        return _Difference(
            effect, effect, effect, float(isclose(after.value, before.value, rel_tol=_ROUNDING))
        )
    share = before.variance / variance
    freedom = 1 / (share**2 / (before.n_units - 1) + (1 - share) ** 2 / (after.n_units - 1))
    error = sqrt(variance)
    margin = float(stdtrit(freedom, 1 - alpha / 2)) * error
    p_value = 2 * float(stdtr(freedom, -abs(effect) / error))
    return _Difference(effect, effect - margin, effect + margin, p_value)
