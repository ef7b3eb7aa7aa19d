from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.pacing.base import Pacer
from mlsd.pacing.budgets import Budgets
from mlsd.pacing.plan import SpendPlan
from mlsd.pacing.throttling import Throttling
from mlsd.testing.pacer_kit import PacerKit


class TestThrottling(PacerKit):
    def make(self, update_minutes: int) -> Pacer:
        return Throttling(update_minutes=update_minutes)


def test_by_hand() -> None:
    """1/6 spent where 1/24 was planned: log P falls by 8 * 1/8 = 1."""
    pacer = Throttling(8.0, 60)
    state = pacer.begin(Budgets.of(np.array([1.0])), SpendPlan.uniform())
    state = pacer.update(state.charge(np.array([0]), np.array([1 / 6]))[0])
    assert pacer.participation_prob(state) == pytest.approx([np.exp(-1)], abs=1e-5)


def test_campaigns_take_part_as_often_as_they_should_and_apart_from_each_other() -> None:
    """Seed 7, 20,000 requests: shares within 4 standard errors of at most .0035."""
    pacer, n = Throttling(seed=7), 20_000
    prob = np.array([0.3, 0.6])
    state = pacer.begin(Budgets.of(np.ones(2)), SpendPlan.uniform(), -np.log(prob))
    first, second = (pacer.takes_part(state, np.full(n, campaign), np.arange(n)) for campaign in range(2))
    assert [first.mean(), second.mean(), (first & second).mean()] == pytest.approx(
        [0.3, 0.6, 0.18], abs=0.014
    )


def test_the_seed_decides() -> None:
    state = Throttling().begin(Budgets.of(np.ones(1)), SpendPlan.uniform(), np.ones(1))
    campaign, request = np.zeros(100, np.int64), np.arange(100)
    one, again, other = (Throttling(seed=seed).takes_part(state, campaign, request) for seed in (1, 1, 2))
    assert one.tobytes() == again.tobytes() != other.tobytes()


def test_a_step_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"step == -1\.0, must be above 0"):
        Throttling(-1.0)
