"""Adjusted p-values, against worked cases, the procedures themselves, SciPy, and properties."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from mlsd.errors import InvalidValueError
from mlsd.estimators.multiplicity import benjamini_hochberg, holm

P_VALUES = st.lists(st.floats(0, 1), max_size=12).map(np.array)


def rejected_step_down(p_values: np.ndarray, alpha: float) -> set[int]:
    """Holm's procedure as he wrote it: from the smallest on, until the first that is not rejected."""
    rejected: set[int] = set()
    for step, place in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[place] * (len(p_values) - step) > alpha:
            break
        rejected.add(int(place))
    return rejected


def test_by_hand() -> None:
    """4 x 0.005, 3 x 0.01, 2 x 0.03, then 1 x 0.04, which is raised to the one before."""
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_what_was_not_tested_counts_for_nothing() -> None:
    with_gap = holm(np.array([0.01, np.nan, 0.03]))
    assert np.isnan(with_gap[1])
    assert with_gap[[0, 2]] == pytest.approx(holm(np.array([0.01, 0.03])))


def test_nothing_and_one() -> None:
    assert len(holm(np.zeros(0))) == 0
    assert holm(np.array([0.2])).tolist() == [0.2]


@given(P_VALUES, st.sampled_from([0.001, 0.05, 0.1, 0.5]))
def test_it_rejects_what_the_step_down_procedure_rejects(p_values: np.ndarray, alpha: float) -> None:
    assert set(np.flatnonzero(holm(p_values) <= alpha).tolist()) == rejected_step_down(p_values, alpha)


@given(P_VALUES)
def test_between_the_p_value_and_bonferroni_and_in_the_same_order(p_values: np.ndarray) -> None:
    adjusted = holm(p_values)
    assert np.all(adjusted >= p_values)
    assert np.all(adjusted <= np.minimum(1, len(p_values) * p_values) + 1e-12)
    assert np.all(np.diff(adjusted[np.argsort(p_values, kind="stable")]) >= 0)


@given(P_VALUES)
def test_order_of_the_tests_does_not_matter(p_values: np.ndarray) -> None:
    assert np.array_equal(holm(p_values[::-1])[::-1], holm(p_values))


@pytest.mark.parametrize("wrong", [-0.1, 1.2, np.inf])
def test_no_p_value(wrong: float) -> None:
    with pytest.raises(InvalidValueError, match=r"p_values == .* must be in \[0, 1\]"):
        holm(np.array([0.5, wrong]))
    with pytest.raises(InvalidValueError, match=r"p_values == .* must be in \[0, 1\]"):
        benjamini_hochberg(np.array([0.5, wrong]))


class TestBenjaminiHochberg:
    """Expected share of false findings."""

    def test_by_hand(self) -> None:
        """4 x 0.005, 4/2 x 0.01, 4/3 x 0.03, then 0.04, which the one before must not exceed."""
        found = benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.005]))
        assert found == pytest.approx([0.02, 0.04, 0.04, 0.02])

    @given(P_VALUES.filter(len))
    def test_as_scipy_has_it(self, p_values: np.ndarray) -> None:
        assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values, method="bh"))

    @given(P_VALUES)
    def test_never_below_the_p_value_nor_above_holm(self, p_values: np.ndarray) -> None:
        adjusted = benjamini_hochberg(p_values)
        assert np.all(adjusted >= p_values - 1e-15)
        assert np.all(adjusted <= holm(p_values) + 1e-12)

    def test_what_was_not_tested_counts_for_nothing(self) -> None:
        with_gap = benjamini_hochberg(np.array([0.01, np.nan, 0.03]))
        assert np.isnan(with_gap[1])
        assert with_gap[[0, 2]] == pytest.approx(benjamini_hochberg(np.array([0.01, 0.03])))

    def test_nothing(self) -> None:
        assert len(benjamini_hochberg(np.zeros(0))) == 0
