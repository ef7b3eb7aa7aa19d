"""Auctions of the slots of a page among the ads that may be shown on it.

Slot k multiplies the click probability of whatever stands in it by alpha_k; alpha falls, alpha_0 = 1. The ad
at candidate row i bids b_i for a click and is clicked at the first slot with probability q_i:

    score_i = b_i * q_i                                       what it offers for standing at the first slot
    winners = the ads of highest score, best first            which makes sum of alpha_k * score_k the largest
    expected payment at slot k = alpha_k * q_k * price_k

An ad takes part if it is eligible, its score is above 0 and it reaches its reserve. The kinds of auction
differ in the price alone. It is never above the bid and never below the reserve.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.errors import InputError, InvalidValueError
from mlsd.types import Array, Floats, Ints

ReserveOn = Literal["bid", "score"]
RESERVE_ON: tuple[ReserveOn, ...] = ("bid", "score")

NO_WINNER = -1
"""The candidate row of a slot that nobody won."""

_BLOCK_ROWS = 1 << 17
"""Rows that are worked on together: enough to be worth a round of calls, few enough for a core's cache."""


@dataclass(frozen=True)
class Bids:
    """What is bid for the slots of each request, ragged.

    Args:
        offsets: (n_requests + 1,) int64, not decreasing, from 0 to n_candidates; a request may have none.
        bid: (n_candidates,) for a click, in money, finite and at least 0.
        quality: (n_candidates,) P(click | shown at the first slot), in [0, 1].
        reserve: (n_candidates,) each ad's own reserve, in place of the auction's; finite and at least 0.
        eligible: (n_candidates,) bool, who may take part; None means all.

    Raises:
        InputError: a column has another length, offsets are none, `eligible` is not of bool, or a value
            breaks its rule; the message names the column, the row and the value.
    """

    offsets: Ints
    bid: Floats
    quality: Floats
    reserve: Floats | None = None
    eligible: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        n = len(self.bid)
        for name, column in (
            ("quality", self.quality),
            ("reserve", self.reserve),
            ("eligible", self.eligible),
        ):
            if column is not None and len(column) != n:
                raise InputError(f"{name} has {len(column)} rows, must have {n}, as bid has")
        if self.eligible is not None and self.eligible.dtype != np.bool_:
            raise InputError(f"eligible is {self.eligible.dtype}, must be of bool")
        _check_offsets(self.offsets, n)
        _check_amounts("bid", self.bid)
        checks.every_row_between("quality", self.quality, 0, 1, "a probability in [0, 1]")
        if self.reserve is not None:
            _check_amounts("reserve", self.reserve)

    def __len__(self) -> int:
        return len(self.bid)

    @property
    def n_requests(self) -> int:
        return len(self.offsets) - 1

    def take(self, requests: Array) -> Bids:
        """The bids of the requests at these rows."""
        rows, offsets = ragged.take_segments(self.offsets, requests)
        reserve = None if self.reserve is None else self.reserve[rows]
        eligible = None if self.eligible is None else self.eligible[rows]
        return Bids(offsets, self.bid[rows], self.quality[rows], reserve, eligible)


class Standing(NamedTuple):
    """Who won, and what decides the prices; each (n_requests, n_slots), 0 at a slot that nobody won."""

    bid: Floats
    """Of the winner."""
    quality: Floats
    """Of the winner; 1 where there is none."""
    reserve: Floats
    """The least that the winner has to pay for a click; at most its bid."""
    next_score: Floats
    """The highest score below the winner's among those that take part; 0 where there is none."""

    def threshold(self, slot: int, other: int) -> Floats:
        """(n_requests,) the lowest bid with which the winner of `slot` would still get `other`.

            max(next_score[other] / quality[slot], reserve[slot]), at most its bid

        Args:
            slot: which winners are asked about.
            other: the same slot or one below it.
        """
        with np.errstate(over="ignore"):
            to_beat = self.next_score[:, other] / self.quality[:, slot]
        return np.minimum(np.maximum(to_beat, self.reserve[:, slot]), self.bid[:, slot])


@dataclass(frozen=True)
class Outcome:
    """What came of an auction.

    Args:
        bids: what was bid.
        winners: (n_requests, n_slots) int64, candidate rows, filled from the top; -1 where nobody won.
        price_per_click: (n_requests, n_slots) in money; 0 where nobody won.
        expected_payment: (n_requests, n_slots) price times P(click at this slot); 0 where nobody won.
    """

    bids: Bids
    winners: Ints
    price_per_click: Floats
    expected_payment: Floats

    @cached_property
    def scores(self) -> Floats:
        """(n_candidates,) bid times quality, whether an ad takes part or not."""
        return np.multiply(self.bids.bid, self.bids.quality, dtype=np.float64)

    @property
    def filled(self) -> NDArray[np.bool_]:
        """(n_requests, n_slots) whether somebody won the slot."""
        return np.asarray(self.winners != NO_WINNER)

    @property
    def revenue(self) -> Floats:
        """(n_requests,) expected payment of all slots together."""
        return np.asarray(self.expected_payment.sum(axis=1))


class Auction(ABC):
    """Sells the slots of every request to the ads of highest score; says what a click costs.

    Ties go to the lower candidate row: candidates come in the order of the stage before, so that the ad it
    preferred wins, and no draw has to be kept to do it again.

    Args:
        reserve: 0 or more; `Bids.reserve` takes its place, ad by ad, where it is given.
        reserve_on: what must be at least the reserve. "bid": the bid, in money for a click. "score": the
            score, in money for standing at the first slot; an ad that is rarely clicked has to bid more.
    """

    def __init__(self, reserve: float = 0.0, reserve_on: ReserveOn = "bid") -> None:
        self.reserve = checks.at_least("reserve", reserve, 0)
        self.reserve_on: ReserveOn = checks.one_of("reserve_on", reserve_on, RESERVE_ON)

    def with_reserve(self, reserve: float) -> Self:
        """The same auction with another reserve, held against the same.

        Raises:
            InvalidValueError: it is below 0.
        """
        other = copy(self)
        other.reserve = checks.at_least("reserve", reserve, 0)
        return other

    @abstractmethod
    def prices(self, standing: Standing, multipliers: Floats) -> Floats:
        """(n_requests, n_slots) price of a click, before it is held to [reserve, bid].

        Args:
            standing: who won.
            multipliers: (n_slots,) alpha.
        """

    def __call__(self, bids: Bids, multipliers: Array) -> Outcome:
        """Sell the slots of all requests.

        Args:
            bids: of n_requests.
            multipliers: (n_slots,) alpha, the click probability at each slot over that at the first; in
                (0, 1], not rising, the first 1.

        Raises:
            InvalidValueError: the multipliers break their rule.
        """
        alpha = checked_multipliers(multipliers)
        winners, standing = self.rank(bids, len(alpha))
        price = np.minimum(np.maximum(self.prices(standing, alpha), standing.reserve), standing.bid)
        return Outcome(bids, winners, price, price * standing.quality * alpha)

    def rank(self, bids: Bids, n_slots: int) -> tuple[Ints, Standing]:
        """(n_requests, n_slots) winners, and what decides their prices."""
        leading = np.empty((bids.n_requests, n_slots + 1), np.int64)
        for block in ragged.blocks(bids.offsets, _BLOCK_ROWS):
            offsets = bids.offsets[block.start : block.stop + 1]
            competing = self._competing(bids, slice(offsets[0], offsets[-1]))
            found = ragged.leaders(competing, offsets - offsets[0], n_slots + 1, above=0.0)
            leading[block] = np.where(found == NO_WINNER, NO_WINNER, found + offsets[0])
        winners = leading[:, :-1]
        bid, quality = _at(bids.bid, leading, 0.0), _at(bids.quality, leading, 1.0)
        standing = Standing(
            bid=bid[:, :-1],
            quality=quality[:, :-1],
            reserve=self._reserve_per_click(bids, winners, quality[:, :-1]),
            next_score=(bid * quality)[:, 1:],
        )
        return winners, standing

    def _competing(self, bids: Bids, rows: slice) -> Floats:
        """The scores at these rows of those that take part, 0 of the others."""
        scores = np.multiply(bids.bid[rows], bids.quality[rows], dtype=np.float64)
        rules = [] if bids.eligible is None else [bids.eligible[rows]]
        if bids.reserve is not None or self.reserve > 0:
            offered = scores if self.reserve_on == "score" else bids.bid[rows]
            rules.append(offered >= (self.reserve if bids.reserve is None else bids.reserve[rows]))
        if rules:
            scores *= reduce(np.logical_and, rules)
        return scores

    def _reserve_per_click(self, bids: Bids, winners: Ints, quality: Floats) -> Floats:
        if bids.reserve is None:
            reserve = np.where(winners == NO_WINNER, 0.0, self.reserve)
        else:
            reserve = _at(bids.reserve, winners, 0.0)
        return reserve / quality if self.reserve_on == "score" else reserve


def checked_multipliers(multipliers: Array) -> Floats:
    """(n_slots,) click multipliers of slots as float64.

    Raises:
        InvalidValueError: there are none, the first is not 1, one is not in (0, 1], or one rises.

    Example:
        >>> checked_multipliers(np.array([1.0, 0.5, 0.6]))
        Traceback (most recent call last):
            ...
        mlsd.errors.InvalidValueError: multipliers[2] == 0.6, must not be above the one before, 0.5
    """
    alpha = np.asarray(multipliers, np.float64)
    if alpha.ndim != 1 or len(alpha) == 0:
        raise InvalidValueError("multipliers", multipliers, "must be one for each slot, one slot at least")
    for slot, value in enumerate(alpha.tolist()):
        before = alpha[max(slot - 1, 0)]
        checks.probability(f"multipliers[{slot}]", value)
        checks.require(slot > 0 or value == 1, f"multipliers[{slot}]", value, "must be 1 at the first slot")
        checks.require(
            value <= before, f"multipliers[{slot}]", value, f"must not be above the one before, {before}"
        )
    return alpha


def _check_offsets(offsets: Ints, n_candidates: int) -> None:
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != n_candidates or (np.diff(offsets) < 0).any():
        raise InputError(
            f"offsets must not fall and run from 0 to n_candidates == {n_candidates}, are {offsets}"
        )


def _check_amounts(name: str, amounts: Floats) -> None:
    checks.every_row_between(name, amounts, 0, np.finfo(np.float64).max, "finite and at least 0")


def _at(values: Array, rows: Ints, fill: float) -> Floats:
    """The values at these rows as float64; `fill` at a slot that nobody won."""
    if len(values) == 0:
        return np.full(rows.shape, fill)
    found = values[rows].astype(np.float64)
    found[rows == NO_WINNER] = fill
    return found
