"""From scores to probabilities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import expit, log_expit

from mlsd.errors import InputError
from mlsd.types import Array, Floats

MIN_SLOPE = 1e-3
"""The smallest slope in units of the scores' standard deviation: probabilities always rise with scores."""

MAX_STEPS = 100


class Calibration(NamedTuple):
    """P = 1 / (1 + exp(-(slope * score + intercept))), with slope above 0."""

    slope: float = 1.0
    intercept: float = 0.0

    def prob(self, scores: Array) -> Floats:
        """(n,) probabilities of scores."""
        return np.asarray(expit(self.slope * scores.astype(np.float64) + self.intercept))


def for_keep_rate(keep_rate: float) -> Calibration:
    """Undo that only a share of the rows without an action was trained on.

        p / (p + (1 - p) / r)  =  sigmoid(logit(p) + log r)

    with p predicted by a model whose scores are log-odds on the sampled rows, and r the share of rows
    without an action that was kept.

    Source: He et al. (ADKDD 2014), section 6.3.

    Example:
        >>> round(float(for_keep_rate(0.1).prob(np.array([0.0]))[0]), 4)  # .5 / (.5 + .5 / .1)
        0.0909
    """
    return Calibration(1.0, float(np.log(keep_rate)))


def platt(scores: Array, labels: Array) -> Calibration:
    """The logistic curve that minimises the log loss of weighted labels.

        sum over rows of  softplus(z) - y z,    z = slope * score + intercept

    It is convex for labels of any size, and with labels divided by examination its expectation is the
    log loss of what would have been seen at the first position. As in Platt (1999), labels are drawn a little
    towards 1/2, to y (1 - 2e) + e with e = 1 / (n + 2), so that perfectly separated rows have a finite curve.
    Minimised by Newton steps with halving (Lin, Lin and Weng 2007); a slope that would not be above 0 is held
    at a small positive one, which keeps the order of scores and predicts about the mean label everywhere.

    Args:
        scores: (n,) finite.
        labels: (n,) at least 0; may exceed 1, but not on average.

    Raises:
        InputError: there are no rows, the scores are not finite, or the labels are 1 or more on average.
    """
    _check(scores, labels)
    scores = scores.astype(np.float64)
    centre, spread = float(scores.mean()), float(scores.std()) or 1.0
    standard = (scores - centre) / spread
    rounded = 1.0 / (len(scores) + 2.0)
    target = labels.astype(np.float64) * (1 - 2 * rounded) + rounded
    slope, intercept = _newton(standard, target)
    if slope < MIN_SLOPE:
        slope, intercept = MIN_SLOPE, _intercept(MIN_SLOPE * standard, target)
    return Calibration(slope / spread, intercept - slope * centre / spread)


def _check(scores: Array, labels: Array) -> None:
    if not len(scores):
        raise InputError("calibration has no rows to learn from")
    if not np.isfinite(scores).all():
        raise InputError(f"{np.count_nonzero(~np.isfinite(scores))} of {len(scores)} scores are not finite")
    if labels.mean() >= 1:
        raise InputError(
            f"labels average {labels.mean():.3g}, must average less than 1 to be calibrated as "
            "probabilities; lower the largest weight"
        )


def _newton(scores: Floats, target: Floats) -> tuple[float, float]:
    """Slope and intercept of least loss; scores are standardised."""
    design = np.stack([scores, np.ones(len(scores))])
    theta = np.array([0.0, float(np.log(target.mean()) - np.log1p(-target.mean()))])
    for _ in range(MAX_STEPS):
        prob = expit(theta @ design)
        gradient = design @ (prob - target)
        hessian = (design * (prob * (1 - prob))) @ design.T + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        theta = _halved(theta, step, design, target)
        if np.abs(step).max() < 1e-10:
            break
    return float(theta[0]), float(theta[1])


def _halved(theta: Floats, step: Floats, design: Floats, target: Floats) -> Floats:
    """The first of theta - step, theta - step / 2, ... whose loss is not higher."""
    loss = _loss(theta, design, target)
    for halving in range(30):
        tried = theta - step * 0.5**halving
        if _loss(tried, design, target) <= loss:
            return tried
    return theta


def _loss(theta: Floats, design: Floats, target: Floats) -> float:
    z = theta @ design
    return float(np.sum(-log_expit(-z) - target * z))


def _intercept(fixed: Floats, target: Floats) -> float:
    """The intercept that makes the mean probability the mean target, by bisection."""
    low, high = -60.0, 60.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(fixed + middle).mean() < target.mean() else (low, middle)
    return (low + high) / 2
