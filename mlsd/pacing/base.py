"""Pacers spread what campaigns spend over the day: who takes part in an auction, and with which bid.

The day is cut into intervals. Within one, a pacer's answers depend on what was known when it began and on
nothing since, so they are the same for any batches. Charging is exact at every impression all the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.pacing.budgets import Budgets, Charges
from mlsd.pacing.plan import SpendPlan
from mlsd.types import Array, Floats, Ints

MINUTES_OF_A_DAY = 1440

_NOTHING = 1e-12
"""A share of the day's plan that is rounding."""


@dataclass(frozen=True)
class PacingState:
    """Campaigns in the course of a day.

    Args:
        budgets: with everything charged so far.
        plan: of one row, or of one for each campaign.
        control: (n_campaigns,) at least 0: how far each is held back; 0 is not at all.
        opening_spend: (n_campaigns,) int64 micros, the spend when this interval began.
        interval: how many have ended, from 0 to all intervals of the day.
    """

    budgets: Budgets
    plan: SpendPlan
    control: Floats
    opening_spend: Ints
    interval: int = 0

    def charge(self, campaign: Ints, price: Floats) -> tuple[PacingState, Charges]:
        """The state after a batch of impressions, and what became of them; see `Budgets.charge`."""
        charges = self.budgets.charge(campaign, price)
        return replace(self, budgets=charges.budgets), charges

    @property
    def had_money(self) -> Array:
        """(n_campaigns,) bool: whether each could still spend when this interval began."""
        return np.asarray(self.opening_spend < self.budgets.limit)


class Pacer(ABC):
    """Decides for campaigns how to spend a day's budget.

    Args:
        update_minutes: length of an interval, a divisor of 1440.
    """

    def __init__(self, update_minutes: int) -> None:
        divides = update_minutes >= 1 and MINUTES_OF_A_DAY % update_minutes == 0
        rule = f"must divide the {MINUTES_OF_A_DAY} minutes of a day"
        self.update_minutes = checks.require(divides, "update_minutes", update_minutes, rule)

    @property
    def n_intervals(self) -> int:
        """Intervals in a day."""
        return MINUTES_OF_A_DAY // self.update_minutes

    def interval_of(self, time_days: Floats) -> Ints:
        """(n,) the interval of its day that each time falls into; batches must not reach across two."""
        return np.floor(time_days % 1.0 * self.n_intervals).astype(np.int64)

    def begin(self, budgets: Budgets, plan: SpendPlan, control: Floats | None = None) -> PacingState:
        """The beginning of a day.

        Args:
            budgets: of this day.
            plan: of one row, or of one for each campaign.
            control: (n_campaigns,) that of the state in which yesterday ended; at first 0.

        Raises:
            InputError: a plan or a control that is not of these campaigns, or a control below 0.
        """
        control = np.zeros(len(budgets)) if control is None else control
        if len(plan.share) not in {1, len(budgets)}:
            raise InputError(
                f"plan has {len(plan.share)} rows, must have 1 or {len(budgets)}, one a campaign"
            )
        if len(control) != len(budgets):
            raise InputError(f"control has {len(control)} rows, must have {len(budgets)}, one a campaign")
        checks.every_row_between("control", control, 0, np.finfo(np.float64).max, "finite and at least 0")
        return PacingState(budgets, plan, control, budgets.spend)

    def takes_part(self, state: PacingState, campaign: Ints, request: Ints) -> Array:
        """(n,) bool: whether a campaign bids for a request.

        A campaign that had no money left when the interval began does not; one with a budget of 0 never does.

        Args:
            state: of now.
            campaign: (n,) int64, of each candidate.
            request: (n,) int64, the `request_id` that it is a candidate for.

        Raises:
            InputError: a campaign that there is not.
        """
        if len(campaign) != len(request):
            raise InputError(f"request has {len(request)} rows, must have one for each of {len(campaign)}")
        state.budgets.require_known(campaign)
        return np.asarray(state.had_money[campaign])

    def bids(self, state: PacingState, campaign: Ints, value: Floats) -> Floats:
        """(n,) what a campaign bids, from 0 to its value.

        Args:
            state: of now.
            campaign: (n,) int64, of each candidate.
            value: (n,) what it would pay at most, in the currency's unit, finite and at least 0; that of what
                is paid for, such as a click.

        Raises:
            InputError: a campaign that there is not, or a value that is negative or not finite.
        """
        if len(campaign) != len(value):
            raise InputError(f"value has {len(value)} rows, must have one for each of {len(campaign)}")
        state.budgets.require_known(campaign)
        checks.every_row_between("value", value, 0, np.finfo(np.float64).max, "finite and at least 0")
        return value * self.multiplier(state)[campaign]

    def multiplier(self, state: PacingState) -> Floats:
        """(n_campaigns,) what values are multiplied by, in [0, 1]."""
        return np.ones(len(state.budgets))

    def update(self, state: PacingState) -> PacingState:
        """The state at the beginning of the next interval; call it once at the end of each.

        Raises:
            InputError: the day is over.
        """
        if state.interval >= self.n_intervals:
            raise InputError(
                f"interval == {state.interval}, must be below {self.n_intervals}: the day is over"
            )
        control, spend = self.steered(state), state.budgets.spend
        return replace(state, control=control, opening_spend=spend, interval=state.interval + 1)

    @abstractmethod
    def steered(self, state: PacingState) -> Floats:
        """(n_campaigns,) the control of the next interval, given what was spent in this one."""


class PlannedPacer(Pacer):
    """Holds campaigns back so that they spend as planned.

        target_k  = budget left * share_k / share from k on
        control  <- max(0, control + step * (spend_k - target_k) / budget)

    with share_k the part of the plan that falls into interval k. What was spent too much or too little so far
    is thereby spread over the rest of the day.

    Args:
        step: what the control rises by when a whole budget is spent beyond the target; above 0.
        update_minutes: length of an interval, a divisor of 1440.
    """

    def __init__(self, step: float, update_minutes: int) -> None:
        super().__init__(update_minutes)
        self.step = checks.above("step", step, 0)

    def steered(self, state: PacingState) -> Floats:
        limit = np.maximum(state.budgets.limit, 1)
        beyond = (state.budgets.spend - state.opening_spend - self.target(state)) / limit
        return np.maximum(state.control + self.step * beyond, 0.0)

    def target(self, state: PacingState) -> Floats:
        """(n_campaigns,) micros to spend in this interval."""
        done = state.plan.by(state.interval / self.n_intervals)
        share = state.plan.by((state.interval + 1) / self.n_intervals) - done
        part = np.divide(share, 1 - done, out=np.zeros_like(share), where=1 - done > _NOTHING)
        return np.asarray((state.budgets.limit - state.opening_spend) * part, np.float64)
