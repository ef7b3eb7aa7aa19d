"""The sign-flip test, against all flips there are, and on differences that are nothing or something."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators import sign_flip
from mlsd.estimators.sign_flip import SignFlip
from mlsd.types import Floats

FLIP = SignFlip(seed=3)


def by_all_flips(totals: Floats) -> float:
    """The exact p-value, from every combination of signs."""
    sums = [abs(np.dot(signs, totals)) for signs in product((-1, 1), repeat=len(totals))]
    return float(np.mean(np.array(sums) >= abs(totals.sum()) - 1e-12))


@pytest.mark.parametrize("totals", [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [3.0, -1, 2, 2, -0.5, 1, 0], [0.0, 0, 1]])
def test_all_flips(totals: list[float]) -> None:
    """10,000 flips: a standard error of 0.005 at most; 4 of them are allowed."""
    values = np.array(totals)
    (p_value,) = FLIP.p_values(values[:, None], np.arange(len(values)))
    assert p_value == pytest.approx(by_all_flips(values), abs=0.02)


def test_rows_of_a_unit_flip_together() -> None:
    """Two users who both gain: two of the four flips of their signs reach as far."""
    rows, units = np.ones((40, 1)), np.repeat([5, 9], 20)
    assert FLIP.p_values(rows, units) == pytest.approx(0.5, abs=0.02)
    assert FLIP.p_values(rows, np.arange(40)) == pytest.approx(1 / 10_001)


def test_exactly_nothing_is_certain_to_be_chance() -> None:
    assert FLIP.p_values(np.zeros((7, 2)), np.arange(7)).tolist() == [1.0, 1.0]


def test_rows_that_say_nothing_are_left_out() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan], [-0.5, np.nan]])
    known, unknown = FLIP.p_values(values, np.arange(4))
    assert known == FLIP.p_values(values[[0, 1, 3], :1], np.array([0, 1, 3]))
    assert np.isnan(unknown)


def test_a_figure_does_not_depend_on_those_beside_it_nor_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).normal(size=(50, 3))
    units = np.arange(50) // 2
    together = FLIP.p_values(values, units)
    assert together[1] == FLIP.p_values(values[:, 1:2], units)
    monkeypatch.setattr(sign_flip, "_BLOCK_SIGNS", 1)
    assert np.array_equal(FLIP.p_values(values, units), together)


def test_nothing_is_found_in_about_alpha_of_cases() -> None:
    """2,000 columns of noise, skewed and correlated within units: 5% +- 4 standard errors of 0.5%.

    Seed chosen before the first run.
    """
    draws = np.random.default_rng(11)
    signs = draws.choice([-1.0, 1.0], (60, 2000))
    rows = np.repeat(signs * draws.exponential(size=(60, 2000)), 3, axis=0)
    p_values = SignFlip(1000, seed=1).p_values(rows, np.repeat(np.arange(60), 3))
    assert np.mean(p_values < 0.05) == pytest.approx(0.05, abs=0.02)
    assert np.mean(p_values < 0.5) == pytest.approx(0.5, abs=0.045)


def test_something_is_found() -> None:
    values = np.random.default_rng(2).normal(0.5, 1, (200, 1))
    assert FLIP.p_values(values, np.arange(200)) < 0.001


def test_faults() -> None:
    with pytest.raises(InvalidValueError, match="n_flips == 10, must be at least 100"):
        SignFlip(10)
    with pytest.raises(InputError, match=r"shape \(3,\), must be \(3, n_figures\)"):
        FLIP.p_values(np.zeros(3), np.arange(3))
