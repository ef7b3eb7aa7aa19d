"""ECE: the kit, by brute force, its bins and its bias."""

from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.metrics.base import PredictionMetric, Predictions
from mlsd.metrics.calibration_error import Bins, CalibrationError
from mlsd.testing.metric_kit import PredictionMetricKit, random_predictions


class TestEqualMass(PredictionMetricKit):
    fixed_by_rows = True
    smooth = False

    def make(self) -> PredictionMetric:
        return CalibrationError(n_bins=5)


class TestEqualWidth(PredictionMetricKit):
    smooth = False

    def make(self) -> PredictionMetric:
        return CalibrationError(n_bins=5, bins="equal_width")


def test_equal_width_is_guos_formula() -> None:
    predictions = random_predictions()
    total = 0.0
    for b in range(10):
        inside = (predictions.prob >= b / 10) & (predictions.prob < (b + 1) / 10 + (b == 9))
        if inside.any():
            gap = abs(predictions.prob[inside].mean() - predictions.outcome[inside].mean())
            total += inside.mean() * gap
    metric = CalibrationError(n_bins=10, bins="equal_width")
    np.testing.assert_allclose(metric(predictions), total, rtol=1e-9)


def test_equal_mass_without_ties_cuts_the_sorted_rows() -> None:
    draws = np.random.default_rng(4)
    prob = draws.random(300)
    outcome = (draws.random(300) < prob).astype(np.float64)
    excess = np.sort(prob), outcome[np.argsort(prob)]
    expected = np.abs((excess[0] - excess[1]).reshape(6, 50).sum(axis=1)).sum() / 300
    value = CalibrationError(n_bins=6)(Predictions(prob, outcome, unit=np.arange(300)))
    np.testing.assert_allclose(value, expected, rtol=1e-9)


def test_equal_probabilities_stay_in_one_bin() -> None:
    prob, outcome = np.full(10, 0.5), np.tile([0.0, 1.0], 5)
    assert CalibrationError(n_bins=5)(Predictions(prob, outcome, unit=np.arange(10))) == 0


@pytest.mark.parametrize("bins", ["equal_mass", "equal_width"])
def test_the_highest_probability_has_a_bin(bins: Bins) -> None:
    predictions = Predictions(np.array([0.0, 1.0]), np.array([0.0, 1.0]), unit=np.arange(2))
    assert CalibrationError(n_bins=4, bins=bins)(predictions) == 0


def test_interval_of_right_probabilities_reaches_down_to_nothing() -> None:
    """2000 rows with exact probabilities: the figure is chance alone, and its interval says so.

    100 draws, seed 0; 0 is to be inside in 95 of them, less 3 standard errors of 2.2.
    """
    draws = np.random.default_rng(0)
    reached = 0
    for _ in range(100):
        prob = draws.random(2000)
        predictions = Predictions(prob, (draws.random(2000) < prob).astype(np.float64), unit=np.arange(2000))
        (interval,) = Bootstrap(n_replicates=200).of_predictions([CalibrationError()], predictions)
        assert 0 <= interval.low <= interval.value <= interval.high
        reached += interval.low == 0
    assert reached >= 88


def test_names_say_what_differs_from_the_default() -> None:
    assert CalibrationError().name == "ECE"
    assert CalibrationError(n_bins=10, bins="equal_width").name == "ECE(n_bins=10, bins='equal_width')"


def test_bad_options() -> None:
    with pytest.raises(InvalidValueError, match="n_bins == 0, must be at least 1"):
        CalibrationError(n_bins=0)
    with pytest.raises(InvalidValueError, match="nearest is 'equal_mass'"):
        CalibrationError(bins="equal_mas")  # type: ignore[arg-type]
