from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.pacing.base import Pacer, PacingState
from mlsd.pacing.budgets import Budgets
from mlsd.pacing.dual import Dual, Mirror
from mlsd.pacing.plan import SpendPlan
from mlsd.testing.pacer_kit import PacerKit

MIRRORS: list[Mirror] = ["log", "euclidean"]


class TestDual(PacerKit):
    def make(self, update_minutes: int) -> Pacer:
        return Dual(update_minutes=update_minutes)


class TestEuclideanDual(PacerKit):
    def make(self, update_minutes: int) -> Pacer:
        return Dual(mirror="euclidean", update_minutes=update_minutes)


def spent(pacer: Pacer, control: float, spend: float) -> PacingState:
    """A campaign that spends such a share of its budget in the first of 24 hours."""
    budget = np.array([2.4e6])
    state = pacer.begin(Budgets.of(budget), SpendPlan.uniform(), np.array([control]))
    return pacer.update(state.charge(np.array([0]), spend * budget)[0])


def test_by_hand() -> None:
    """1/6 spent where 1/24 was planned: mu rises by 8 * 1/8 = 1 and bids are halved."""
    pacer = Dual(8.0, "euclidean", 60)
    state = spent(pacer, 0.0, 1 / 6)
    assert pacer.mu(state) == pytest.approx([1.0], abs=1e-9)
    assert pacer.bids(state, np.array([0]), np.array([3.0])) == pytest.approx([1.5], abs=1e-9)
    log = Dual(8.0, "log", 60)
    assert log.mu(spent(log, 0.0, 1 / 6)) == pytest.approx([np.e - 1], abs=1e-9)


@given(st.sampled_from(MIRRORS), st.floats(0, 2), st.floats(0, 0.3), st.floats(1, 20))
def test_a_step_is_that_of_mirror_descent(mirror: Mirror, control: float, spend: float, step: float) -> None:
    """Which minimises step * (target - spend) * m + h(m) - h(mu) - h'(mu) (m - mu) over m >= 0."""

    def h(m: float) -> float:
        return float((1 + m) * np.log1p(m) - m if mirror == "log" else m**2 / 2)

    pacer = Dual(step, mirror, 60)
    mu = np.expm1(control) if mirror == "log" else control
    slope = step * (1 / 24 - spend) - (np.log1p(mu) if mirror == "log" else mu)
    found = minimize_scalar(
        lambda m: slope * m + h(m), bounds=(0, 2 * np.exp(control + step * spend)), method="bounded"
    )
    assert pacer.mu(spent(pacer, control, spend)) == pytest.approx([found.x], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("mirror", MIRRORS)
def test_mu_finds_the_price_of_the_budget(mirror: Mirror) -> None:
    """Values and rivals' bids uniform in (0, 1): an auction costs 1 / (6 (1 + mu)^2) on average.

    With 1/24 to spend for each of 57,600 auctions, mu is 1. Seed 31; the mean of the second half of the day
    is off by .02 if spend in 5 minutes is off by its standard deviation of 8% for an hour, so .05 is allowed.
    """
    pacer, n = Dual(mirror=mirror), 200
    state = pacer.begin(Budgets.of(np.array([288 * n / 24])), SpendPlan.uniform())
    campaign, mus = np.zeros(n, np.int64), []
    for interval in range(pacer.n_intervals):
        value, rival = (rng.uniform(31, name, interval, np.arange(n)) for name in ("values", "rivals"))
        won = pacer.bids(state, campaign, value) >= rival
        state = pacer.update(state.charge(campaign[won], rival[won])[0])
        mus.append(pacer.mu(state)[0])
    assert np.mean(mus[144:]) == pytest.approx(1.0, abs=0.05)


def test_what_was_left_over_is_spread_over_the_rest_of_the_day() -> None:
    pacer = Dual(update_minutes=60)
    state = pacer.begin(Budgets.of(np.array([24.0])), SpendPlan.uniform())
    for _ in range(12):
        state = pacer.update(state)
    assert pacer.target(state) == pytest.approx([2e6])


def test_after_the_last_planned_hour_nothing_is_to_be_spent() -> None:
    pacer = Dual(update_minutes=60)
    state = pacer.begin(Budgets.of(np.array([24.0])), SpendPlan.of_traffic([1, 1, 0, 0]))
    for _ in range(12):
        state = pacer.update(state)
    assert pacer.target(state).tolist() == [0.0]
    assert pacer.mu(pacer.update(state)).tolist() == [0.0]


def test_arguments_are_checked() -> None:
    with pytest.raises(InvalidValueError, match=r"step == 0\.0, must be above 0"):
        Dual(0.0)
    with pytest.raises(
        InvalidValueError, match="mirror == 'logs', must be one of log, euclidean; nearest is 'log'"
    ):
        Dual(mirror="logs")  # type: ignore[arg-type]
