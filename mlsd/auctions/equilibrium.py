"""Bids that nobody wants to change, under the generalised second price.

At fixed bids GSP never earns less than VCG, but bidders answer: under VCG by bidding their values, under GSP
by bidding less. Which of the two earns more is a question about the bids that they end up with.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mlsd import checks, ragged
from mlsd.auctions.base import Auction, Bids, Standing, checked_multipliers
from mlsd.types import Array, Floats, Ints


class Equilibrium(NamedTuple):
    """Where answering each other's bids led to."""

    bid: Floats
    """(n_candidates,) for a click; the value of an ad that wins no slot."""
    converged: NDArray[np.bool_]
    """(n_requests,) whether bids settled; those of a request that did not are no equilibrium."""
    n_rounds: int
    """Rounds until the last request settled, or the most allowed."""


def balanced_bids(
    auction: Auction, values: Bids, multipliers: Array, max_rounds: int = 100, tolerance: float = 1e-12
) -> Equilibrium:
    """The lowest envy-free equilibrium of GSP, found by best responses.

    All begin with their values. In each round the winner of slot i looks at the slots from its own downwards
    and takes aim at the one that is worth most to it at the others' bids,

        m = argmax over j >= i of alpha_j * (value - threshold_j)

    and bids so that it would not mind being given the slot above at its own bid instead:

        alpha_(m-1) * (value - bid) = alpha_m * (value - threshold_m),       alpha_(-1) = 2

    Whoever wins nothing bids its value. Looking downwards only is what makes answers given all at once settle
    (restricted balanced bidding). There, no ad would rather have another's slot at the price paid for it, and
    each slot costs what VCG asks for it of those who bid their values, unless reserves as scores
    differ: under a reserve on the bid they are the higher the better an ad is, and an ad's own reserve then
    counts in what GSP asks of the ad above it.

    Source: Edelman, Ostrovsky and Schwarz (2007), American Economic Review 97(1), on locally envy-free
    equilibria; Cary et al. (2007), ACM Conference on Electronic Commerce, on the bidding.

    Args:
        auction: says who wins and which reserve holds; prices are those of GSP, whatever its own are.
        values: `bid` is what a click is worth to the ad; all else as in the auction.
        multipliers: (n_slots,) alpha, falling strictly: equal slots leave nothing to aim at.
        max_rounds: rounds at most, 1 or more.
        tolerance: a request has settled when no bid in it moves by more than this share of its value.

    Raises:
        InvalidValueError: an argument breaks its rule.

    Example:
        Values 10, 4 and 2, half the clicks at the second slot. The second would gain .5 * (4 - 2) = 1 there,
        and 1 * (4 - 3) at the top for its own bid of 3.

        >>> from mlsd.auctions.gsp import GSP
        >>> values = Bids(np.array([0, 3]), np.array([10.0, 4.0, 2.0]), np.ones(3))
        >>> found = balanced_bids(GSP(), values, np.array([1.0, 0.5]))
        >>> found.bid.tolist(), found.converged.tolist()
        ([6.5, 3.0, 2.0], [True])
    """
    alpha = _falling(multipliers)
    checks.at_least("max_rounds", max_rounds, 1)
    checks.at_least("tolerance", tolerance, 0)
    bid = values.bid.astype(np.float64)
    unsettled, n_rounds = np.arange(values.n_requests), 0
    while len(unsettled) and n_rounds < max_rounds:
        rows, _ = ragged.take_segments(values.offsets, unsettled)
        theirs = values.take(unsettled)
        answer = _answer(auction, replace(theirs, bid=bid[rows]), theirs.bid, alpha)
        moves = np.abs(answer - bid[rows]) > tolerance * theirs.bid
        bid[rows] = answer
        unsettled = unsettled[ragged.sums(moves, theirs.offsets) > 0]
        n_rounds += 1
    converged = np.ones(values.n_requests, bool)
    converged[unsettled] = False
    return Equilibrium(bid, converged, n_rounds)


def _falling(multipliers: Array) -> Floats:
    alpha = checked_multipliers(multipliers)
    for slot in np.flatnonzero(np.diff(alpha) == 0).tolist():
        rule = f"must be below the one before, {alpha[slot]}: between equal slots no bid is the right one"
        checks.require(False, f"multipliers[{slot + 1}]", float(alpha[slot + 1]), rule)  # noqa: FBT003
    return alpha


def _answer(auction: Auction, bids: Bids, value: Floats, alpha: Floats) -> Floats:
    """(n_candidates,) what each bids next, given what all bid now."""
    winners, standing = auction.rank(bids, len(alpha))
    answer = value.astype(np.float64)
    for slot in range(len(alpha)):
        won = np.flatnonzero(winners[:, slot] >= 0)
        ad: Ints = winners[won, slot]
        answer[ad] = _balanced(standing, slot, won, answer[ad], alpha)
    return answer


def _balanced(standing: Standing, slot: int, won: Ints, value: Floats, alpha: Floats) -> Floats:
    """(n_won,) the balanced bids of those who won this slot; their value where no slot is worth having."""
    share_of_above = alpha / np.append(2 * alpha[0], alpha[:-1])
    highest, bid = np.zeros(len(won)), value
    for other in range(slot, len(alpha)):
        margin = value - standing.threshold(slot, other)[won]
        is_best = alpha[other] * margin > highest
        highest = np.where(is_best, alpha[other] * margin, highest)
        bid = np.where(is_best, value - share_of_above[other] * margin, bid)
    return bid
