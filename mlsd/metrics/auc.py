"""Area under the ROC curve."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from mlsd.estimators.base import UnitStatistic
from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.types import Array, Floats, Ints


class AUC(PredictionMetric):
    """AUC: the probability that a row with the response is given a higher probability than one without it.

    Equal probabilities count half. NaN with outcomes of one class only.

    Example:
        Of the four pairs, .8 > .2, .8 > .4 and .4 > .2 are in order and .4 = .4 is a tie: 3.5 / 4.

        >>> prob, outcome = np.array([0.8, 0.4, 0.4, 0.2]), np.array([1.0, 1, 0, 0])
        >>> AUC()(Predictions(prob, outcome, unit=np.arange(4)))
        0.875

    Source: Hanley and McNeil (1982), Radiology 143(1).
    """

    @property
    def name(self) -> str:
        return "AUC"

    def statistic(self, predictions: Predictions) -> UnitStatistic:
        return _PairsInOrder(predictions)


class _PairsInOrder(UnitStatistic):
    """AUC by counting, for each positive row, the negative rows below it; sorted once for all replicates."""

    def __init__(self, predictions: Predictions) -> None:
        positive = predictions.outcome == 1
        self._n_units = len(predictions.unit_ids)
        self._positive, self._positive_units = _ascending(predictions, positive)
        self._negative, self._negative_units = _ascending(predictions, ~positive)
        self._below = np.searchsorted(self._negative, self._positive, side="left")
        self._up_to = np.searchsorted(self._negative, self._positive, side="right")

    @property
    def n(self) -> Ints:
        return np.array([self._n_units])

    @cached_property
    def value(self) -> Floats:
        return np.asarray(self.resampled(np.ones((1, self._n_units), np.int64))[0])

    def resampled(self, counts: Array) -> Floats:
        return np.array([[self._of_counts(of_units.astype(np.int64))] for of_units in counts])

    def _of_counts(self, of_units: Ints) -> float:
        """Twice the pairs in order, all in integers, divided by twice the pairs."""
        negatives = np.zeros(len(self._negative) + 1, np.int64)
        np.cumsum(of_units[self._negative_units], out=negatives[1:])
        positives = of_units[self._positive_units]
        n_pairs = positives.sum() * negatives[-1]
        in_order = positives @ (negatives[self._below] + negatives[self._up_to])
        return float(in_order / (2 * n_pairs)) if n_pairs else np.nan

    def influence(self) -> Floats:
        """(n_units, 1) the derivative of AUC by how often each unit counts, times the number of pairs."""
        n_positive, n_negative = len(self._positive), len(self._negative)
        above = n_positive - np.searchsorted(self._positive, self._negative, side="left")
        beyond = n_positive - np.searchsorted(self._positive, self._negative, side="right")
        of_positive = (self._below + self._up_to) / 2 - self.value * n_negative
        of_negative = (above + beyond) / 2 - self.value * n_positive
        total = self._per_unit(self._positive_units, of_positive)
        total += self._per_unit(self._negative_units, of_negative)
        return np.asarray(np.nan_to_num(total, nan=0.0)[:, None])

    def _per_unit(self, units: Ints, values: Floats) -> Floats:
        return np.bincount(units, values, self._n_units).astype(np.float64)


def _ascending(predictions: Predictions, rows: Array) -> tuple[Floats, Ints]:
    """Probabilities of these rows in rising order, and the units they belong to."""
    prob, units = predictions.prob[rows], predictions.unit_codes[rows]
    by_prob = np.argsort(prob, kind="stable")
    return prob[by_prob], units[by_prob]
