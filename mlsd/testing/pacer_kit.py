"""What every pacer must keep. Inherit `PacerKit` and give it yours."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import fields

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.pacing.base import Pacer, PacingState
from mlsd.pacing.budgets import MICROS, Budgets
from mlsd.pacing.plan import SpendPlan
from mlsd.testing.ad_day import AdDay
from mlsd.types import Floats, Ints

DAY = AdDay(seed=0, n_requests=1500, n_campaigns=5)
MINUTES = 60
CAMPAIGN = np.tile(np.arange(5), 40)
REQUEST = np.repeat(np.arange(40), 5)
VALUE = (REQUEST % 7 + CAMPAIGN) / 3


class PacerKit(ABC):
    """Conformance tests of a pacer."""

    @abstractmethod
    def make(self, update_minutes: int) -> Pacer:
        """The pacer to test."""

    def late(self, amount: Floats | None = None) -> tuple[Pacer, PacingState]:
        """A pacer in the twelfth hour of a day in which the first three campaigns spend too fast."""
        pacer = self.make(MINUTES)
        budgets = Budgets.of(np.array([50.0, 20, 8, 100, 0]) if amount is None else amount)
        state = pacer.begin(budgets, SpendPlan.uniform())
        for _ in range(11):
            state, _ = state.charge(np.repeat(np.arange(3), 4), np.full(12, 1.5))
            state = pacer.update(state)
        return pacer, state

    @pytest.mark.parametrize("minutes", [0, -5, 7, 2880])
    def test_an_interval_that_does_not_divide_the_day_is_refused(self, minutes: int) -> None:
        with pytest.raises(
            InvalidValueError, match=f"update_minutes == {minutes}, must divide the 1440 minutes"
        ):
            self.make(minutes)

    def test_no_budget_is_exceeded_and_nobody_pays_more_than_the_price(self) -> None:
        outcome = DAY.served(self.make(MINUTES))
        paid = np.bincount(outcome.winner, outcome.paid, DAY.n_campaigns)
        np.testing.assert_allclose(paid, outcome.state.budgets.spend / MICROS, rtol=1e-12)
        assert (outcome.state.budgets.spend <= DAY.budgets.limit).all()
        assert (outcome.paid <= outcome.price).all()
        assert outcome.paid.sum() > 0

    @pytest.mark.parametrize("batch_size", [1, 7, 100])
    def test_batches_change_nothing(self, batch_size: int) -> None:
        whole, parts = DAY.served(self.make(MINUTES)), DAY.served(self.make(MINUTES), batch_size=batch_size)
        assert whole.paid.tobytes() == parts.paid.tobytes()
        assert whole.winner.tobytes() == parts.winner.tobytes()
        assert whole.state.control.tobytes() == parts.state.control.tobytes()

    def test_bids_are_between_nothing_and_the_value(self) -> None:
        pacer, state = self.late()
        bids = pacer.bids(state, CAMPAIGN, VALUE)
        assert ((bids >= 0) & (bids <= VALUE)).all()
        assert not bids[VALUE == 0].any()
        assert bids.any()

    def test_a_candidate_alone_is_answered_the_same(self) -> None:
        pacer, state = self.late()
        bids, takes_part = pacer.bids(state, CAMPAIGN, VALUE), pacer.takes_part(state, CAMPAIGN, REQUEST)
        for row in range(0, len(CAMPAIGN), 17):
            one = slice(row, row + 1)
            assert pacer.bids(state, CAMPAIGN[one], VALUE[one]) == bids[row]
            assert pacer.takes_part(state, CAMPAIGN[one], REQUEST[one]) == takes_part[row]

    def test_who_has_no_money_stays_out(self) -> None:
        """Campaigns 1 and 2 have spent all, campaign 4 had nothing from the start."""
        pacer, state = self.late()
        assert (state.budgets.left[[1, 2, 4]] == 0).all()
        assert not pacer.takes_part(state, CAMPAIGN, REQUEST)[np.isin(CAMPAIGN, [1, 2, 4])].any()
        begun = pacer.begin(state.budgets, state.plan)
        assert not pacer.takes_part(begun, np.array([4]), np.array([0])).any()

    def test_money_that_runs_out_is_noticed_when_the_interval_ends(self) -> None:
        pacer = self.make(MINUTES)
        state = pacer.begin(Budgets.of(np.array([1.0])), SpendPlan.uniform())
        state, _ = state.charge(np.array([0]), np.array([3.0]))
        first = np.array([0])
        assert pacer.takes_part(state, first, first).all()
        assert not pacer.takes_part(pacer.update(state), first, first).any()

    def test_who_spends_less_than_planned_is_not_held_back(self) -> None:
        pacer, state = self.late(np.full(5, 1e6))
        assert pacer.takes_part(state, CAMPAIGN, REQUEST).all()
        assert pacer.bids(state, CAMPAIGN, VALUE).tolist() == VALUE.tolist()

    def test_a_state_is_never_changed(self) -> None:
        pacer, state = self.late()
        before = _bytes(state)
        pacer.bids(state, CAMPAIGN, VALUE)
        pacer.takes_part(state, CAMPAIGN, REQUEST)
        pacer.update(state.charge(CAMPAIGN, VALUE)[0])
        assert _bytes(state) == before

    def test_a_day_ends(self) -> None:
        pacer, state = self.late()
        for _ in range(state.interval, pacer.n_intervals):
            state = pacer.update(state)
        with pytest.raises(InputError, match=r"interval == 24, must be below 24: the day is over"):
            pacer.update(state)
        assert np.isfinite(state.control).all()

    def test_the_next_day_begins_where_this_one_ended(self) -> None:
        pacer, state = self.late()
        fresh = pacer.begin(Budgets.of(np.full(5, 9.0)), state.plan, state.control)
        assert fresh.control.tobytes() == state.control.tobytes()
        assert pacer.bids(fresh, CAMPAIGN, VALUE).tobytes() == pacer.bids(state, CAMPAIGN, VALUE).tobytes()

    @pytest.mark.parametrize("stranger", [5, -1])
    def test_an_unknown_campaign_is_refused(self, stranger: int) -> None:
        pacer, state = self.late()
        campaign, rule = np.array([0, stranger]), rf"campaign\[1\] == {stranger}, must be the row of one of 5"
        with pytest.raises(InputError, match=rule):
            pacer.bids(state, campaign, np.ones(2))
        with pytest.raises(InputError, match=rule):
            pacer.takes_part(state, campaign, np.arange(2))

    @pytest.mark.parametrize("value", [-0.5, np.nan, np.inf])
    def test_what_is_no_value_is_refused(self, value: float) -> None:
        pacer, state = self.late()
        with pytest.raises(InputError, match=rf"value\[1\] == {value}, must be finite and at least 0"):
            pacer.bids(state, np.array([0, 1]), np.array([1.0, value]))

    def test_columns_of_different_lengths_are_refused(self) -> None:
        pacer, state = self.late()
        with pytest.raises(InputError, match="value has 2 rows, must have one for each of 1"):
            pacer.bids(state, np.array([0]), np.ones(2))
        with pytest.raises(InputError, match="request has 2 rows, must have one for each of 1"):
            pacer.takes_part(state, np.array([0]), np.arange(2))

    def test_a_plan_and_a_control_are_of_the_campaigns(self) -> None:
        pacer, budgets = self.make(MINUTES), Budgets.of(np.ones(3))
        with pytest.raises(InputError, match="plan has 2 rows, must have 1 or 3"):
            pacer.begin(budgets, SpendPlan(np.ones((2, 1))))
        with pytest.raises(InputError, match="control has 2 rows, must have 3"):
            pacer.begin(budgets, SpendPlan.uniform(), np.zeros(2))
        with pytest.raises(InputError, match=r"control\[1\] == -1\.0, must be finite and at least 0"):
            pacer.begin(budgets, SpendPlan.uniform(), np.array([0.0, -1, 0]))

    def test_nothing_at_all(self) -> None:
        pacer, none = self.make(MINUTES), np.zeros(0, np.int64)
        state = pacer.begin(Budgets.of(np.zeros(0)), SpendPlan.uniform())
        assert pacer.bids(state, none, np.zeros(0)).shape == (0,)
        assert pacer.takes_part(state, none, none).shape == (0,)
        state, charges = pacer.update(state).charge(none, np.zeros(0))
        assert (len(state.budgets), len(charges.paid)) == (0, 0)


def _bytes(state: PacingState) -> list[bytes]:
    arrays: list[Ints | Floats] = [state.control, state.opening_spend]
    arrays += [getattr(state.budgets, field.name) for field in fields(Budgets)]
    return [array.tobytes() for array in arrays]
