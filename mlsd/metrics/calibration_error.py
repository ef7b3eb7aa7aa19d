"""Expected calibration error."""

from __future__ import annotations

from typing import Literal

import numpy as np

from mlsd import checks
from mlsd.estimators.base import UnitStatistic, UnitSums
from mlsd.metrics.base import AdditiveMetric, Predictions, ratio
from mlsd.types import Array, Floats, Ints

Bins = Literal["equal_mass", "equal_width"]
BINS = ("equal_mass", "equal_width")


class CalibrationError(AdditiveMetric):
    """ECE: how far probabilities lie from the shares of responses, bin by bin; lower is better.

        ECE = (1 / n) sum over bins of |sum of p - sum of y|

    Bins of equal mass hold the same number of rows each, but for equal probabilities, which stay together;
    bins of equal width divide [0, 1]. Bins are fixed by the rows at hand, resampling does not move them.

    Chance moves every bin off its share: even perfect probabilities get about 0.8 sqrt(n_bins p (1 - p) / n)
    from n independent rows. Its interval allows for that: a true ECE is off by no more than the bins are,
    |ECE - true ECE| <= sum over bins of |gap - true gap|, whose distribution comes from resampled gaps. NaN
    without rows.

    Args:
        n_bins: how many bins, 1 or more.
        bins: "equal_mass" or "equal_width".

    Example:
        Two bins of two rows: |0.3 - 1| and |1.7 - 2|, divided by 4.

        >>> prob, outcome = np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.0, 1, 1, 1])
        >>> round(CalibrationError(n_bins=2)(Predictions(prob, outcome, unit=np.arange(4))), 4)
        0.25

    Source: Guo et al. (2017), ICML, equation 3 (equal width); Nixon et al. (2019) on bins of equal mass.
    """

    def __init__(self, n_bins: int = 15, bins: Bins = "equal_mass") -> None:
        self.n_bins = checks.at_least("n_bins", n_bins, 1)
        self.bins = checks.one_of("bins", bins, BINS)

    @property
    def name(self) -> str:
        chosen = {"n_bins": (self.n_bins, 15), "bins": (self.bins, "equal_mass")}
        changed = [f"{key}={value!r}" for key, (value, default) in chosen.items() if value != default]
        return f"ECE({', '.join(changed)})" if changed else "ECE"

    def terms(self, prob: Floats, outcome: Floats) -> list[Array]:
        excess, bin_of_row = prob - outcome, self._bin_of_row(prob)
        return [*(np.where(bin_of_row == b, excess, 0) for b in range(self.n_bins)), np.ones(len(prob))]

    def of_sums(self, *sums: Floats) -> Floats:
        return np.asarray(np.abs(_gaps(*sums)).sum(axis=0))

    def statistic(self, predictions: Predictions) -> UnitStatistic:
        """Two figures: the metric, and how far the gaps of all bins are from those at hand."""
        sums = predictions.unit_sums(self.terms(predictions.prob, predictions.outcome))
        at_hand = _gaps(*sums.sum(axis=0))

        def figures(totals: Floats) -> Floats:
            gaps = np.moveaxis(_gaps(*np.moveaxis(totals, -1, 0)), 0, -1)
            return np.stack([np.abs(gaps).sum(axis=-1), np.abs(gaps - at_hand).sum(axis=-1)], axis=-1)

        statistic = UnitSums(sums, figures)
        statistic.interval_method = "distance"
        return statistic

    def _bin_of_row(self, prob: Floats) -> Ints:
        if self.bins == "equal_width":
            return np.minimum((prob * self.n_bins).astype(np.int64), self.n_bins - 1)
        n_below = np.searchsorted(np.sort(prob), prob)
        return n_below * self.n_bins // max(len(prob), 1)


def _gaps(*sums: Floats) -> Floats:
    """(n_bins, ...) what each bin adds to predicted less observed responses per row, from terms summed."""
    *excesses, rows = sums
    return ratio(np.stack(excesses), rows)
