"""Frequency caps: how often a user may see a campaign in a day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.types import Array, Ints


@dataclass(frozen=True)
class Exposures:
    """How often each user has seen each campaign on one day. Every day begins with `none`.

    Args:
        cap: (n_campaigns,) int64, impressions a user may see of each in a day, 1 or more.
        pair: (n_pairs,) int64, user * n_campaigns + campaign, ascending.
        count: (n_pairs,) int64, impressions of each pair.
    """

    cap: Ints
    pair: Ints
    count: Ints

    @staticmethod
    def none(cap: Ints) -> Exposures:
        """Nobody has seen anything.

        Args:
            cap: (n_campaigns,) int64, 1 or more.

        Raises:
            InputError: a cap below 1.
        """
        checks.every_row("cap", cap, cap >= 1, "at least 1")
        return Exposures(cap, np.zeros(0, np.int64), np.zeros(0, np.int64))

    def seen(self, user: Ints, campaign: Ints) -> Ints:
        """(n,) how often each user has seen the campaign today.

        Args:
            user: (n,) int64, 0 or more.
            campaign: (n,) int64, rows of `cap`.

        Raises:
            InputError: a campaign that there is not, or a user whose number is negative or does not fit.
        """
        return self._seen(self._pairs(user, campaign))

    def below_cap(self, user: Ints, campaign: Ints) -> Array:
        """(n,) bool: whether a campaign may still bid for a user, by what was seen before this batch."""
        return np.asarray(self.seen(user, campaign) < self.cap[campaign])

    def admit(self, user: Ints, campaign: Ints) -> Array:
        """(n,) bool: whether each of these impressions may be shown, given those before it.

        The k-th impression of a pair in the batch, from 0, is shown if seen + k < cap. Once one is refused,
        so are all later ones of the pair that day, so a batch in parts comes to the same.

        Args:
            user: (n,) int64, in the order in which the impressions are shown.
            campaign: (n,) int64.

        Example:
            >>> capped = Exposures.none(np.array([2, 1]))
            >>> capped.admit(np.array([7, 7, 7, 7, 8]), np.array([0, 1, 0, 0, 0])).tolist()
            [True, True, True, False, True]
        """
        pair = self._pairs(user, campaign)
        return np.asarray(self._seen(pair) + places(pair) < self.cap[campaign])

    def add(self, user: Ints, campaign: Ints) -> Exposures:
        """With impressions that were shown; those that a budget did not pay for are none.

        Args:
            user: (n,) int64.
            campaign: (n,) int64.
        """
        fresh, n_fresh = np.unique(self._pairs(user, campaign), return_counts=True)
        pair, group = np.unique(np.concatenate([self.pair, fresh]), return_inverse=True)
        count = np.zeros(len(pair), np.int64)
        np.add.at(count, group, np.concatenate([self.count, n_fresh]))
        return Exposures(self.cap, pair, count)

    def _pairs(self, user: Ints, campaign: Ints) -> Ints:
        n_campaigns = len(self.cap)
        if len(user) != len(campaign):
            raise InputError(f"user has {len(user)} rows, must have one for each of {len(campaign)}")
        rule = f"the row of one of {n_campaigns} campaigns"
        checks.every_row_between("campaign", campaign, 0, n_campaigns - 1, rule)
        highest = np.iinfo(np.int64).max // max(n_campaigns, 1) - 1
        checks.every_row_between("user", user, 0, highest, f"from 0 to {highest}")
        return user * n_campaigns + campaign

    def _seen(self, pair: Ints) -> Ints:
        if len(self.pair) == 0:
            return np.zeros(len(pair), np.int64)
        row = np.minimum(np.searchsorted(self.pair, pair), len(self.pair) - 1)
        return np.where(self.pair[row] == pair, self.count[row], 0)


def places(pair: Ints) -> Ints:
    """(n,) how many equal ones stand before each.

    Example:
        >>> places(np.array([5, 3, 5, 5])).tolist()
        [0, 0, 1, 2]
    """
    order = np.argsort(pair, kind="stable")
    is_first = np.ones(len(pair), bool)
    is_first[1:] = pair[order][1:] != pair[order][:-1]
    at = np.arange(len(pair))
    places = np.empty(len(pair), np.int64)
    places[order] = at - np.maximum.accumulate(np.where(is_first, at, 0))
    return places
