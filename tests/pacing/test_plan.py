from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError, InvalidValueError
from mlsd.pacing.plan import SpendPlan

forecasts = st.lists(st.floats(0, 1e6), min_size=1, max_size=24).filter(lambda hours: sum(hours) > 1e-3)


@given(forecasts)
def test_a_plan_rises_from_nothing_to_everything_as_traffic_does(forecast: list[float]) -> None:
    plan, n = SpendPlan.of_traffic(forecast), len(forecast)
    by = np.array([plan.by(period / n)[0] for period in range(n + 1)])
    np.testing.assert_allclose(by, np.concatenate([[0], np.cumsum(forecast)]) / sum(forecast), atol=1e-12)
    assert (by[0], by[-1]) == (0.0, 1.0)


def test_uniform_is_the_time_itself() -> None:
    assert [SpendPlan.uniform().by(time).tolist() for time in (0.0, 0.3, 1.0)] == [[0.0], [0.3], [1.0]]


def test_campaigns_may_plan_each_for_itself() -> None:
    plan = SpendPlan.of_traffic([[1, 1, 0, 0], [0, 0, 1, 3]])
    assert plan.by(0.5).tolist() == [1.0, 0.0]
    assert plan.by(0.875).tolist() == [1.0, 0.625]


@pytest.mark.parametrize(
    ("share", "message"),
    [
        ([[1.0, 0.0], [0.5, 0.4]], r"sum of plan\[1\] == 0\.9, must be 1; 1 rows break this"),
        ([[0.5, 0.5], [1.5, -0.5]], r"plan\[1\]\[1\] == -0\.5, must be at least 0"),
        ([[np.nan, 1.0]], r"plan\[0\]\[0\] == nan, must be at least 0"),
        ([[np.inf, 1.0]], r"sum of plan\[0\] == inf, must be 1"),
    ],
)
def test_what_is_no_plan_is_refused(share: list[list[float]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SpendPlan(np.array(share))


@pytest.mark.parametrize("share", [np.ones(1), np.ones((0, 24)), np.ones((3, 0))])
def test_a_plan_is_a_table(share: np.ndarray) -> None:
    with pytest.raises(InvalidValueError, match="must be a table with a column for each period of the day"):
        SpendPlan(share)


@pytest.mark.parametrize(
    ("forecast", "message"),
    [
        ([3.0, -1.0], r"forecast\[0\]\[1\] == -1\.0, must be finite and at least 0"),
        ([[1.0], [np.nan]], r"forecast\[1\]\[0\] == nan, must be finite and at least 0"),
        ([[1.0, 2.0], [0.0, 0.0]], r"sum of forecast\[1\] == 0\.0, must be above 0: no traffic, no plan"),
    ],
)
def test_what_is_no_forecast_is_refused(forecast: list[float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SpendPlan.of_traffic(forecast)


@pytest.mark.parametrize("time", [-0.1, 1.5, np.nan])
def test_a_time_is_of_the_day(time: float) -> None:
    with pytest.raises(InvalidValueError, match="must be between 0 and 1"):
        SpendPlan.uniform().by(time)
