"""A day of campaigns that compete for one slot by second price: what pacers are tried on.

Values, click probabilities and traffic are drawn; the seed says which. One campaign wins each request. It
pays per click the least bid that would have won, or the reserve price.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from mlsd import rng
from mlsd.pacing.base import Pacer, PacingState
from mlsd.pacing.budgets import HIGHEST_BUDGET, MICROS, Budgets
from mlsd.pacing.none import NoPacing
from mlsd.pacing.plan import SpendPlan
from mlsd.types import Array, Floats, Ints

HOURS = np.arange(24)
FORECAST = 1 + 0.8 * np.sin(2 * np.pi * (HOURS - 9) / 24)
"""Traffic by hour: nine times as much at three in the afternoon as at three at night."""
RESERVE = 0.05
"""The least price of a click."""


class Auctioned(NamedTuple):
    """What the slot went for in a batch of requests."""

    request: Ints
    """(n_won,) the requests that anybody won."""
    winner: Ints
    """(n_won,) the campaign that won each."""
    price: Floats
    """(n_won,) of a click."""
    demand: Floats
    """(n_campaigns,) what each would have paid for the batch had it alone bid its values."""


class Outcome(NamedTuple):
    """What came of a day."""

    spend: Floats
    """(n_intervals + 1, n_campaigns) spent by the end of each interval, from 0."""
    demand: Floats
    """(n_intervals, n_campaigns) what each would have paid in it had it alone bid its values."""
    winner: Ints
    """(n_won,) the campaign of each impression that was auctioned, in order."""
    price: Floats
    """(n_won,) what it was to pay: that of its click, or 0."""
    paid: Floats
    """(n_won,) what it paid."""
    shown: Array
    """(n_won,) bool."""
    value: Floats
    """(n_won,) of the click on what was shown, 0 without one."""
    state: PacingState
    """At the end."""

    def planned(self) -> Floats:
        """(n_intervals + 1, n_campaigns) what was to be spent by the end of each interval."""
        share = np.array([self.state.plan.by(time) for time in np.linspace(0, 1, len(self.spend))])
        return np.asarray(share * self.state.budgets.limit / MICROS)

    def largest_gap(self) -> Floats:
        """(n_campaigns,) the furthest that spend was from the plan, as a share of the budget."""
        gap = np.abs(self.spend - self.planned()).max(axis=0)
        return np.asarray(gap * MICROS / self.state.budgets.limit)

    def demand_allows(self) -> Array:
        """(n_campaigns,) whether in every hour a campaign could have bought what was planned for the hour."""
        planned = np.diff(self.planned(), axis=0)
        of_hours = (len(HOURS), -1, self.demand.shape[1])
        could = self.demand.reshape(of_hours).sum(axis=1) >= planned.reshape(of_hours).sum(axis=1)
        return np.asarray(could.all(axis=0))


@dataclass(frozen=True)
class AdDay:
    """A day's requests and campaigns.

    A campaign's value of a click is lognormal around 1 by campaign (sigma 0.3) and request (sigma 0.6); a
    click has a probability uniform in [0, 0.2); each campaign is eligible for half of all requests.

    Args:
        seed: of everything drawn.
        n_requests: in the day.
        n_campaigns: that compete.
        surprise: sigma of the lognormal factors between the forecast of an hour and its traffic.
    """

    seed: int
    n_requests: int = 100_000
    n_campaigns: int = 10
    surprise: float = 0.1

    @cached_property
    def time_days(self) -> Floats:
        """(n_requests,) ascending, in [0, 1)."""
        traffic = FORECAST * np.exp(self.surprise * rng.normal(self.seed, "traffic", HOURS))
        share = np.concatenate([[0.0], np.cumsum(traffic / traffic.sum())])
        luck = np.sort(rng.uniform(self.seed, "times", np.arange(self.n_requests)))
        return np.interp(luck, share, np.linspace(0, 1, 25))

    @cached_property
    def value(self) -> Floats:
        """(n_requests, n_campaigns) of a click; 0 where a campaign is not eligible."""
        of_campaign = 0.3 * rng.normal(self.seed, "campaigns", np.arange(self.n_campaigns))
        of_request = 0.6 * rng.normal(self.seed, "values", *self._pairs)
        eligible = rng.uniform(self.seed, "eligible", *self._pairs) < 0.5
        return np.where(eligible, np.exp(of_campaign + of_request), 0.0)

    @cached_property
    def click_prob(self) -> Floats:
        """(n_requests, n_campaigns)."""
        return 0.2 * rng.uniform(self.seed, "click_prob", *self._pairs)

    @cached_property
    def clicked(self) -> Array:
        """(n_requests, n_campaigns) bool: whether a campaign is clicked if it is shown."""
        return rng.uniform(self.seed, "clicks", *self._pairs) < self.click_prob

    @cached_property
    def budgets(self) -> Budgets:
        """From a fifth to most of what a campaign would spend if nobody had one; the last has twice that."""
        unlimited = Budgets.of(np.full(self.n_campaigns, HIGHEST_BUDGET))
        spend = self.served(NoPacing(60), unlimited).spend[-1]
        share = np.linspace(0.2, 0.8, self.n_campaigns)
        share[-1] = 2.0
        return Budgets.of(share * spend)

    @property
    def plan(self) -> SpendPlan:
        return SpendPlan.of_traffic(FORECAST)

    def served(
        self,
        pacer: Pacer,
        budgets: Budgets | None = None,
        batch_size: int | None = None,
        control: Floats | None = None,
    ) -> Outcome:
        """The day under a pacer.

        Args:
            pacer: of all campaigns.
            budgets: those of the day unless given.
            batch_size: requests served together; all of an interval unless given.
            control: how yesterday ended.
        """
        state = pacer.begin(self.budgets if budgets is None else budgets, self.plan, control)
        bounds = np.searchsorted(pacer.interval_of(self.time_days), np.arange(pacer.n_intervals + 1))
        spend, demand, won = [state.budgets.spend], np.zeros((pacer.n_intervals, self.n_campaigns)), []
        for interval, (start, end) in enumerate(pairwise(bounds)):
            for rows in _batches(start, end, batch_size):
                auctioned = self.auction(pacer, state, rows)
                demand[interval] += auctioned.demand
                clicked = self.clicked[auctioned.request, auctioned.winner]
                price = np.where(clicked, auctioned.price, 0.0)
                state, charges = state.charge(auctioned.winner, price)
                value = np.where(
                    clicked & charges.shown, self.value[auctioned.request, auctioned.winner], 0.0
                )
                won.append((auctioned.winner, price, charges.paid, charges.shown, value))
            spend.append(state.budgets.spend)
            state = pacer.update(state)
        winner, price, paid, shown, value = (np.concatenate(column) for column in zip(*won, strict=True))
        return Outcome(np.array(spend) / MICROS, demand, winner, price, paid, shown, value, state)

    def auction(self, pacer: Pacer, state: PacingState, rows: Ints) -> Auctioned:
        """One slot for each of these requests, by bid times click probability."""
        request, campaign = (pair.reshape(-1) for pair in np.broadcast_arrays(rows[:, None], self._pairs[1]))
        shape = (len(rows), self.n_campaigns)
        bid = pacer.bids(state, campaign, self.value[rows].reshape(-1)).reshape(shape)
        bid = np.where(pacer.takes_part(state, campaign, request).reshape(shape), bid, 0.0)
        click_prob = self.click_prob[rows]
        score = np.where(bid >= RESERVE, bid * click_prob, 0.0)
        winner, rival = score.argmax(axis=1), _best_of_others(score)
        least = np.maximum(
            np.divide(rival, click_prob, out=np.full(shape, np.inf), where=click_prob > 0), RESERVE
        )
        won = np.flatnonzero(score.max(axis=1, initial=0.0) > 0)
        wanted = self.clicked[rows] & (self.value[rows] > least)
        demand = np.where(wanted, least, 0.0).sum(axis=0)
        price = np.minimum(least[won, winner[won]], bid[won, winner[won]])
        return Auctioned(rows[won], winner[won], price, demand)

    @property
    def _pairs(self) -> tuple[Ints, Ints]:
        return np.arange(self.n_requests)[:, None], np.arange(self.n_campaigns)[None, :]


def _batches(start: int, end: int, batch_size: int | None) -> Iterator[Ints]:
    step = batch_size or max(end - start, 1)
    for first in range(start, end, step):
        yield np.arange(first, min(first + step, end))


def _best_of_others(score: Floats) -> Floats:
    """(n_requests, n_campaigns) the best score in the row without one's own."""
    ranked = np.sort(score, axis=1)
    is_best = np.arange(score.shape[1]) == score.argmax(axis=1)[:, None]
    return np.where(is_best, ranked[:, -2:-1], ranked[:, -1:])
