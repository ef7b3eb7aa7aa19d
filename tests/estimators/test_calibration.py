from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from mlsd import rng
from mlsd.errors import InputError
from mlsd.estimators.calibration import Calibration, for_keep_rate, platt
from mlsd.types import Floats


def rows(n: int, seed: int) -> tuple[Floats, Floats]:
    """Features and responses with log-odds 1.2 x - 3."""
    x = rng.normal(seed, "x", np.arange(n))
    clicked = rng.uniform(seed, "y", np.arange(n)) < expit(1.2 * x - 3)
    return x, clicked.astype(np.float64)


def test_a_model_of_sampled_negatives_is_calibrated_after_the_shift_and_not_before() -> None:
    """Of 200,000 rows all positives and a tenth of the others are kept; a logistic model is trained on these.

    Seed 12. The standard error of the predicted mean is about 1% of it, so 3% is three of them; in deciles of
    the score 15%, as the lowest has some 150 clicks. Before the shift predictions are several times too high.
    """
    x, y = rows(200_000, seed=12)
    kept = (y > 0) | (rng.uniform(12, "kept", np.arange(len(x))) < 0.1)
    model = LogisticRegression(C=1e6).fit(x[kept, None], y[kept])
    scores = model.decision_function(x[:, None])
    before, after = expit(scores), for_keep_rate(0.1).prob(scores)
    assert before.mean() > 4 * y.mean()
    assert after.mean() == pytest.approx(y.mean(), rel=0.03)
    for decile in np.array_split(np.argsort(scores), 10):
        assert after[decile].mean() == pytest.approx(y[decile].mean(), rel=0.15)


@given(st.floats(0.01, 0.99), st.floats(0.001, 1.0))
def test_the_shift_is_the_published_formula(prob: float, keep_rate: float) -> None:
    score = np.array([np.log(prob / (1 - prob))])
    assert for_keep_rate(keep_rate).prob(score)[0] == pytest.approx(prob / (prob + (1 - prob) / keep_rate))


def test_platt_equals_logistic_regression_on_the_softened_targets() -> None:
    x, y = rows(2000, seed=3)
    fitted = platt(5 * x + 100, y)
    e = 1 / (len(x) + 2)
    softened = y * (1 - 2 * e) + e
    both = np.concatenate([x, x])[:, None]
    model = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(
        both, np.repeat([1, 0], len(x)), np.concatenate([softened, 1 - softened])
    )
    assert fitted.slope * 5 == pytest.approx(model.coef_[0, 0], rel=1e-4)
    assert fitted.intercept + 100 * fitted.slope == pytest.approx(model.intercept_[0], rel=1e-4)


def test_labels_divided_by_examination_give_the_probability_when_examined() -> None:
    """100,000 rows seen with probability 1 or 1/4: predictions match P(click | examined).

    Seed 4; weights of 4 double the variance, which leaves a standard error of the mean of about 1.5%: three
    of them are allowed.
    """
    x, y = rows(100_000, seed=4)
    examination = np.where(np.arange(len(x)) % 2 == 0, 1.0, 0.25)
    clicked = y * (rng.uniform(4, "examined", np.arange(len(x))) < examination)
    fitted = platt(x, clicked / examination)
    assert fitted.slope == pytest.approx(1.2, abs=0.06)
    assert fitted.prob(x).mean() == pytest.approx(y.mean(), rel=0.045)
    assert platt(x, clicked).prob(x).mean() < 0.7 * y.mean()


def test_the_order_of_scores_is_always_kept() -> None:
    x, y = rows(1000, seed=5)
    fitted = platt(-x, y)
    assert fitted.slope > 0
    assert fitted.prob(-x).mean() == pytest.approx(y.mean(), rel=0.05)
    assert np.all(np.diff(fitted.prob(np.linspace(-9, 9, 50))) > 0)


@pytest.mark.parametrize(
    "scores", [[0.0, 1.0, 2.0, 3.0], [1.0] * 4, [-1e30, 0.0, 1.0, 1e30], [0.0, 0.0, 0.0, 1e-30]]
)
def test_separated_constant_and_extreme_scores_have_a_finite_curve(scores: list[float]) -> None:
    fitted = platt(np.array(scores), np.array([0.0, 0.0, 1.0, 1.0]))
    assert np.isfinite(fitted).all()
    prob = fitted.prob(np.array(scores))
    assert np.all((prob > 0) & (prob < 1))


def test_no_click_at_all_is_a_low_probability() -> None:
    prob = platt(np.arange(98.0), np.zeros(98)).prob(np.arange(98.0))
    assert prob == pytest.approx(np.full(98, 0.01), rel=0.2)


def test_what_cannot_be_calibrated_is_refused() -> None:
    with pytest.raises(InputError, match="calibration has no rows to learn from"):
        platt(np.zeros(0), np.zeros(0))
    with pytest.raises(InputError, match="1 of 2 scores are not finite"):
        platt(np.array([0.0, np.nan]), np.zeros(2))
    with pytest.raises(InputError, match=r"labels average 2\.5, must average less than 1"):
        platt(np.zeros(2), np.array([0.0, 5.0]))


def test_no_calibration_is_the_logistic_function() -> None:
    assert Calibration().prob(np.array([0.0])).tolist() == [0.5]
