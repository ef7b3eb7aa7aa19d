from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.estimators.worlds import over_worlds


def test_the_interval_is_that_of_a_paired_t_test() -> None:
    values, base = rng.normal(1, "values", np.arange(9)), rng.normal(1, "base", np.arange(9))
    found = over_worlds(values, base)
    expected = stats.ttest_rel(values, base).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.value == pytest.approx(values.mean())


def test_one_world_says_nothing() -> None:
    with pytest.raises(InvalidValueError, match=r"worlds == 1, must be at least 2"):
        over_worlds(np.ones(1), np.ones(1))
