from __future__ import annotations

import numpy as np

from mlsd.pacing.base import Pacer
from mlsd.pacing.budgets import Budgets
from mlsd.pacing.none import NoPacing
from mlsd.pacing.plan import SpendPlan
from mlsd.testing.pacer_kit import PacerKit


class TestNoPacing(PacerKit):
    def make(self, update_minutes: int) -> Pacer:
        return NoPacing(update_minutes)


def test_whoever_has_money_bids_the_value_however_fast_it_goes() -> None:
    pacer, campaign = NoPacing(60), np.zeros(3, np.int64)
    state = pacer.begin(Budgets.of(np.array([10.0])), SpendPlan.uniform())
    state = pacer.update(state.charge(campaign, np.full(3, 3.0))[0])
    assert pacer.takes_part(state, campaign, np.arange(3)).all()
    assert pacer.bids(state, campaign, np.array([0.5, 1, 2])).tolist() == [0.5, 1, 2]
