"""Daily budgets, and how impressions are charged to them so that none is ever exceeded.

Money is counted in micros, whole millionths of the currency's unit. Sums of whole numbers are exact in any
order, so what is charged for a given order of impressions does not depend on the batches it comes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlsd import checks, ragged
from mlsd.errors import InputError
from mlsd.types import Array, Floats, Ints

MICROS = 1_000_000
"""Micros in the currency's unit."""

HIGHEST_BUDGET = 1e9
"""In the currency's unit: every number of micros up to it is exact in double precision."""

_EXACT = 2.0**53
"""Below it, sums of whole numbers are exact in double precision."""

_FITTING = 2.0**62
"""Below it, sums of micros certainly fit into 64 bits."""


def to_micros(amount: Floats) -> Ints:
    """(n,) whole micros of amounts in the currency's unit, rounded so that none becomes more than it was.

    Args:
        amount: (n,) from 0 to 1e9.

    Example:
        >>> to_micros(np.array([0.29, 2.5, 0.0000019])).tolist()
        [290000, 2500000, 1]
    """
    micros = np.rint(amount * MICROS)
    return (micros - (micros / MICROS > amount)).astype(np.int64)


@dataclass(frozen=True)
class Budgets:
    """What campaigns may spend in a day, and have spent. A campaign is a row number here.

    Args:
        limit: (n_campaigns,) int64 micros; a campaign of 0 has no money from the start and is never shown.
        spend: (n_campaigns,) int64 micros, from 0 to the limit.
    """

    limit: Ints
    spend: Ints

    def __post_init__(self) -> None:
        if len(self.spend) != len(self.limit):
            raise InputError(f"spend has {len(self.spend)} campaigns, must have {len(self.limit)}")
        checks.every_row("limit", self.limit, self.limit >= 0, "at least 0 micros")
        within = (self.spend >= 0) & (self.spend <= self.limit)
        checks.every_row("spend", self.spend, within, "from 0 to the campaign's limit, in micros")

    def __len__(self) -> int:
        return len(self.limit)

    @staticmethod
    def of(amount: Floats) -> Budgets:
        """Budgets of which nothing is spent.

        Args:
            amount: (n_campaigns,) float64 in the currency's unit, from 0 to 1e9.

        Raises:
            InputError: an amount is negative, above 1e9, or no number.

        Example:
            >>> Budgets.of(np.array([10.0, -1.0]))
            Traceback (most recent call last):
                ...
            mlsd.errors.InputError: budget[1] == -1.0, must be from 0 to 1e+09; 1 rows break this
        """
        amount = np.asarray(amount, np.float64)
        checks.every_row_between("budget", amount, 0, HIGHEST_BUDGET, f"from 0 to {HIGHEST_BUDGET:g}")
        limit = to_micros(amount)
        return Budgets(limit, np.zeros_like(limit))

    @property
    def left(self) -> Ints:
        """(n_campaigns,) micros that each may still spend."""
        return self.limit - self.spend

    def require_known(self, campaign: Ints) -> None:
        """Refuse row numbers of no campaign.

        Args:
            campaign: (n,) int64.

        Raises:
            InputError: one is negative, or there are not so many.
        """
        rule = f"the row of one of {len(self)} campaigns"
        checks.every_row_between("campaign", campaign, 0, len(self) - 1, rule)

    def charge(self, campaign: Ints, price: Floats) -> Charges:
        """Charge impressions in their order, with what is left where that is less than the price.

            paid_i = min(price_i, budget - spend before i),    shown_i = spend before i < budget

        The impression that would overspend is served for what is left, so it pays less than its price and
        the budget is spent to the last micro. What comes after it is not shown: its position stays empty.
        Nobody pays more than the price, of which fractions of a micro are dropped.

        Args:
            campaign: (n,) int64, of each impression, in the order in which they are charged.
            price: (n,) float64 in the currency's unit, 0 for what costs nothing: where a click is paid for,
                an impression without one.

        Raises:
            InputError: a campaign that there is not, or a price that is negative or not finite.

        Example:
            >>> charges = Budgets.of(np.array([1.0, 9.0])).charge(np.array([0, 1, 0, 0]), np.full(4, 0.7))
            >>> charges.paid.tolist(), charges.shown.tolist()
            ([0.7, 0.7, 0.3, 0.0], [True, True, True, False])
        """
        if len(campaign) != len(price):
            raise InputError(f"price has {len(price)} rows, must have one for each of {len(campaign)}")
        self.require_known(campaign)
        checks.every_row_between("price", price, 0, np.finfo(np.float64).max, "finite and at least 0")
        paid, shown = _charged(self.left, campaign, to_micros(np.minimum(price, HIGHEST_BUDGET)))
        return Charges(
            Budgets(self.limit, self.spend + _sums(campaign, paid, len(self))), shown, paid / MICROS
        )


class Charges(NamedTuple):
    """What became of a batch of impressions."""

    budgets: Budgets
    """As they stand after it."""
    shown: Array
    """(n,) bool: whether the campaign had money left for the impression."""
    paid: Floats
    """(n,) in the currency's unit: at most the price."""


def _charged(left: Ints, campaign: Ints, price: Ints) -> tuple[Ints, Array]:
    """(n,) micros paid and whether each impression is shown."""
    price = np.minimum(price, left[campaign])
    total = np.bincount(campaign, price, len(left))
    if total.max(initial=0.0) >= _FITTING:
        return _charged_in_halves(left, campaign, price)
    ends = (total >= left) | (total >= _EXACT)
    paid, shown = price, np.ones(len(price), bool)
    rows = np.flatnonzero(ends[campaign])
    if len(rows):
        number = np.cumsum(ends) - 1
        paid[rows], shown[rows] = _charged_in_order(left[ends], number[campaign[rows]], price[rows])
    return paid, shown


def _charged_in_halves(left: Ints, campaign: Ints, price: Ints) -> tuple[Ints, Array]:
    """The same, one half after the other, which comes to the same."""
    half = len(price) // 2
    paid, shown = _charged(left, campaign[:half], price[:half])
    left = left - _sums(campaign[:half], paid, len(left))
    then_paid, then_shown = _charged(left, campaign[half:], price[half:])
    return np.concatenate([paid, then_paid]), np.concatenate([shown, then_shown])


def _charged_in_order(left: Ints, campaign: Ints, price: Ints) -> tuple[Ints, Array]:
    """The same, by the running total of each campaign."""
    order = np.argsort(_narrow(campaign, len(left)), kind="stable")
    counts = np.bincount(campaign, minlength=len(left))
    offsets = ragged.offsets_of_counts(counts)
    # The total over all campaigns may wrap around; differences within one are right all the same.
    total = ragged.offsets_of_counts(price[order])
    start, room = np.repeat(total[offsets[:-1]], counts), np.repeat(left, counts)
    before, after = total[:-1] - start, total[1:] - start
    paid, shown = np.empty_like(price), np.empty(len(price), bool)
    paid[order] = np.minimum(after, room) - np.minimum(before, room)
    shown[order] = before < room
    return paid, shown


def _narrow(campaign: Ints, n_campaigns: int) -> Array:
    """The same numbers in 16 bits if they fit: those are sorted in linear time."""
    return campaign.astype(np.uint16) if n_campaigns <= 1 << 16 else campaign


def _sums(campaign: Ints, micros: Ints, n_campaigns: int) -> Ints:
    """(n_campaigns,) exact."""
    total = np.zeros(n_campaigns, np.int64)
    np.add.at(total, campaign, micros)
    return total
