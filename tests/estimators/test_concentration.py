from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError
from mlsd.estimators.concentration import gini

amounts = st.lists(st.integers(0, 50).map(float), min_size=1, max_size=12)


def by_differences(values: list[float]) -> float:
    """Half the mean absolute difference of two values over their mean: the definition, as a double loop."""
    n, total = len(values), sum(values)
    if not total:
        return float("nan")
    apart = sum(abs(one - other) for one in values for other in values)
    return apart / n**2 / 2 / (total / n)


@given(amounts)
def test_it_is_half_the_relative_mean_difference(values: list[float]) -> None:
    assert float(gini(np.array(values))) == pytest.approx(by_differences(values), nan_ok=True)


@given(amounts, st.floats(0.01, 100), st.randoms(use_true_random=False))
def test_neither_order_nor_unit_matters(values: list[float], unit: float, luck: Random) -> None:
    shuffled = sorted(values, key=lambda _: luck.random())
    assert float(gini(unit * np.array(shuffled))) == pytest.approx(float(gini(np.array(values))), nan_ok=True)


@given(amounts)
def test_it_lies_between_all_alike_and_one_alone(values: list[float]) -> None:
    found = float(gini(np.array(values)))
    assert np.isnan(found) or -1e-12 <= found <= 1 - 1 / len(values) + 1e-12


@given(amounts.filter(lambda values: len(values) > 1), st.integers(0, 11), st.integers(0, 11))
def test_giving_to_the_poorer_makes_it_no_greater(values: list[float], rich: int, poor: int) -> None:
    """The principle of transfers: half of what one has more goes to who has less."""
    rich, poor = rich % len(values), poor % len(values)
    gift = max(values[rich] - values[poor], 0) / 2
    shared = np.array(values)
    shared[rich] -= gift
    shared[poor] += gift
    before, after = float(gini(np.array(values))), float(gini(shared))
    assert np.isnan(before) or after <= before + 1e-12


def test_rows_of_any_shape() -> None:
    found = gini(np.array([[[1.0, 1.0], [0.0, 3.0]], [[0.0, 0.0], [1.0, 3.0]]]))
    np.testing.assert_allclose(found, [[0.0, 0.5], [np.nan, 0.25]])
    assert gini(np.zeros((3, 0))).shape == (3,)
    assert gini(np.zeros((0, 3))).shape == (0,)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_amounts_are_finite_and_not_negative(bad: float) -> None:
    with pytest.raises(InputError, match=rf"amounts\[\d\] == {bad}, must be finite and at least 0; 1 rows"):
        gini(np.array([1.0, bad, 2.0]))
