from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.ratings.panel import Panel, with_errors
from mlsd.types import Ints

PANEL = Panel(n_raters=4, accuracy=(0.9, 0.7, 0.5, 1.0), bias=(0.0, 1.0, -0.5, 0.0))


def rated(panel: Panel, grade: int, seed: int = 3, n: int = 20_000) -> Ints:
    """(n_raters, n) what each rater gives many pairs of one true grade."""
    item = np.arange(n)
    return np.stack(
        [
            panel.rate(np.full(n, float(grade)), np.full(n, rater), item // 10, item, 4, seed)
            for rater in range(panel.n_raters)
        ]
    )


def test_raters_err_as_declared() -> None:
    """Shares of 20,000 draws: a standard error is at most .0036, and 4 of them .015."""
    errors = rated(PANEL, 2) - 2
    np.testing.assert_allclose((errors == 0).mean(axis=1), [0.9, 0.7, 0.5, 1.0], atol=0.015)
    np.testing.assert_allclose((errors == 1).mean(axis=1), [0.05, 0.3, 0.125, 0.0], atol=0.015)
    np.testing.assert_allclose((errors == -1).mean(axis=1), [0.05, 0.0, 0.375, 0.0], atol=0.015)
    assert set(np.unique(errors)) == {-1, 0, 1}


def test_nobody_leaves_the_scale() -> None:
    assert set(np.unique(rated(PANEL, 0))) == {0, 1}
    assert set(np.unique(rated(PANEL, 4))) == {3, 4}
    assert (rated(PANEL, 4)[1] == 4).all()


def test_a_rating_is_the_same_whatever_else_is_rated() -> None:
    grades, item = np.full(50, 2.0), np.arange(50)
    rater, request_id = item % 4, item * 3
    together = PANEL.rate(grades, rater, request_id, item, 4, seed=1)
    some = np.array([40, 7, 23])
    alone = PANEL.rate(grades[some], rater[some], request_id[some], item[some], 4, seed=1)
    np.testing.assert_array_equal(alone, together[some])


def test_raters_are_drawn_around_a_mean_and_cut_to_the_range() -> None:
    """500 draws with spread .1: the mean's standard error is .0045, the spread's about .0032."""
    panel = Panel(n_raters=500, accuracy=0.6, accuracy_spread=0.1, bias=0.9, bias_spread=0.4)
    accuracy, bias = panel.accuracies(seed=5), panel.biases(seed=5)
    assert accuracy.mean() == pytest.approx(0.6, abs=0.018)
    assert accuracy.std() == pytest.approx(0.1, abs=0.013)
    assert bias.max() == 1
    assert bias.min() >= -1
    assert np.abs(np.corrcoef(accuracy, bias)[0, 1]) < 0.2


def test_a_rater_is_who_they_are_however_many_there_are() -> None:
    few, many = (Panel(n_raters=n, accuracy=0.8, accuracy_spread=0.1) for n in (3, 30))
    np.testing.assert_array_equal(few.accuracies(9), many.accuracies(9)[:3])
    assert np.ptp(Panel(n_raters=3, accuracy=0.8).accuracies(9)) == 0


def test_different_raters_see_a_pair_and_all_of_them_equally_often() -> None:
    """20,000 pairs with 2 of 4 raters: each sees a half, standard error .0035."""
    item = np.arange(20_000)
    raters = PANEL.assigned(item // 7, item, 2, seed=0)
    assert (raters[:, 0] < raters[:, 1]).all()
    np.testing.assert_allclose(np.bincount(raters.ravel()) / 20_000, 0.5, atol=0.015)
    np.testing.assert_array_equal(PANEL.assigned(item[5:9] // 7, item[5:9], 2, seed=0), raters[5:9])
    np.testing.assert_array_equal(PANEL.assigned(item[:3], item[:3], 4, seed=0), [[0, 1, 2, 3]] * 3)


def test_errors_by_hand() -> None:
    luck = np.array([0.05, 0.15, 0.85, 0.5])
    given = with_errors(np.full(4, 1.0), luck, np.array([0.1, 0.1, 0.1, 0.6]), 0.2, 2)
    assert given.tolist() == [2, 1, 0, 2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_raters": 0}, r"n_raters == 0, must be at least 1"),
        ({"accuracy": 1.2}, r"accuracy == 1\.2, must be between 0 and 1"),
        ({"accuracy": (0.9,)}, r"accuracy == \(0\.9,\), must be one for each of the raters, n_raters == 2"),
        ({"accuracy": (0.9, -1.0)}, r"accuracy\[1\] == -1\.0, must be between 0 and 1"),
        ({"bias": -2.0}, r"bias == -2\.0, must be between -1 and 1"),
        ({"bias_spread": -0.1}, r"bias_spread == -0\.1, must be at least 0"),
        (
            {"bias": (0.0, 0.1), "bias_spread": 0.2},
            r"bias_spread == 0\.2, must be 0 where bias is given for each rater",
        ),
    ],
)
def test_bad_values(values: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Panel(**{"n_raters": 2, "accuracy": 0.8, **values})  # type: ignore[arg-type]
