"""Pairs of candidates, weighted by what swapping them would do to nDCG."""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from mlsd import checks
from mlsd.losses.base import Loss, segment_ids, segment_sums

Gain = Literal["linear", "exponential"]


class LambdaRank(Loss):
    """Pairwise logistic loss, each pair weighted by the nDCG that swapping it would change.

        loss = mean over requests of
               sum over pairs with y_i > y_j of  |delta_ij| log(1 + exp(-sigma (s_i - s_j)))
        delta_ij = (gain_i - gain_j) (discount_i - discount_j) / ideal DCG
        discount = 1 / log2(position + 2)

    `delta` is a constant to the gradient. The normaliser is the ideal DCG at `cutoff` of the request's own
    candidates, so that long and short, rich and poor requests weigh alike; a request whose labels are all
    equal has no pairs and contributes 0. Candidates with equal scores stand in no order: a pair of them
    gets the mean of its weight over all orders, so the loss does not depend on the order of candidates, and
    a network that starts with equal scores still learns. With labels divided by examination the linear
    gain is unbiased, the normaliser is not.

    Args:
        sigma: steepness of the logistic, above 0.
        cutoff: positions that count, as k in nDCG@k; 0 counts all. Pairs wholly below it have no weight.
        gain: "linear" (y, as nDCG of ir-measures) or "exponential" (2^y - 1, as in LETOR). Labels from
            actions exceed 1 and need "linear": exponential gains of them explode and are biased.

    Source: Burges, "From RankNet to LambdaRank to LambdaMART" (MSR-TR-2010-82), on LambdaRank.

    Example:
        Two candidates, the relevant one ranked second: delta = 1 - 1 / log2(3) = .3691, times log(1 + e).

        >>> scores, labels = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
        >>> round(float(LambdaRank()(scores, labels, torch.tensor([0, 2]))), 4)
        0.4847
    """

    calibrated: ClassVar[bool] = False

    def __init__(self, sigma: float = 1.0, cutoff: int = 0, gain: Gain = "linear") -> None:
        self.sigma = checks.above("sigma", sigma, 0)
        self.cutoff = checks.at_least("cutoff", cutoff, 0)
        self.gain = checks.one_of("gain", gain, ("linear", "exponential"))

    def __call__(self, scores: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        better, worse, weight = self._pairs(scores.detach(), labels, offsets)
        margin = scores.index_select(0, better) - scores.index_select(0, worse)
        return (weight * softplus(-self.sigma * margin)).sum() / max(len(offsets) - 1, 1)

    def _pairs(self, scores: Tensor, labels: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rows of the better and the worse candidate of each pair, and |delta|."""
        gains = labels if self.gain == "linear" else torch.exp2(labels) - 1
        requests = segment_ids(offsets)
        better, worse = _pairs_by_gain(gains, requests, offsets)
        places = self._places(scores, requests, offsets)
        weight = (gains[better] - gains[worse]) * places.distance(better, worse)
        return better, worse, weight / self._ideal(gains, requests, offsets)[requests[better]]

    def _discounts(self, requests: Tensor, offsets: Tensor, like: Tensor) -> Tensor:
        """(n_candidates,) discount of every place, request after request; 0 from `cutoff` on."""
        position = torch.arange(len(requests)) - offsets[requests]
        discount = 1 / torch.log2(position.to(like.dtype) + 2)
        return discount * (position < self.cutoff) if self.cutoff else discount

    def _ideal(self, gains: Tensor, requests: Tensor, offsets: Tensor) -> Tensor:
        """(n_requests,) the highest DCG that each request's candidates allow."""
        best = gains[_order(gains, requests)]
        return segment_sums(best * self._discounts(requests, offsets, gains), requests, len(offsets) - 1)

    def _places(self, scores: Tensor, requests: Tensor, offsets: Tensor) -> _Places:
        """Where candidates stand by score."""
        order = _order(scores, requests)
        starts = _starts_of_ties(scores[order], requests)
        ties = torch.cumsum(starts, 0) - 1
        sizes = torch.bincount(ties)
        discounts = self._discounts(requests, offsets, scores)
        mean = segment_sums(discounts, ties, len(sizes)) / sizes
        rank_in_tie = torch.arange(len(ties)) - torch.nonzero(starts).flatten()[ties]
        coefficient = (sizes[ties] - 1 - 2 * rank_in_tie) * discounts
        spread = 2 * segment_sums(coefficient, ties, len(sizes)) / (sizes * (sizes - 1)).clamp(min=1)
        tie_of = torch.empty_like(ties).scatter(0, order, ties)
        return _Places(tie_of, mean, spread)


class _Places(NamedTuple):
    """Discounts of candidates by score, as means over the orders of equal scores.

    Args:
        tie: (n_candidates,) the group of candidates of one request with the same score.
        discount: (n_ties,) mean discount of the places that a tie fills.
        spread: (n_ties,) mean |difference of discounts| of two of those places,
            2 / (m (m - 1)) sum_k (m - 1 - 2 k) discount_k.
    """

    tie: Tensor
    discount: Tensor
    spread: Tensor

    def distance(self, first: Tensor, second: Tensor) -> Tensor:
        """(n_pairs,) expected |discount_first - discount_second|."""
        one, other = self.tie[first], self.tie[second]
        apart = (self.discount[one] - self.discount[other]).abs()
        return torch.where(one == other, self.spread[one], apart)


def _order(values: Tensor, requests: Tensor) -> Tensor:
    """(n_candidates,) rows with every request sorted by falling value."""
    falling = torch.argsort(values, descending=True, stable=True)
    return falling[torch.argsort(requests[falling], stable=True)]


def _starts_of_ties(scores: Tensor, requests: Tensor) -> Tensor:
    """(n_candidates,) whether a sorted candidate differs in score or request from the one before it."""
    starts = torch.ones(len(scores), dtype=torch.bool)
    starts[1:] = (scores[1:] != scores[:-1]) | (requests[1:] != requests[:-1])
    return starts


def _pairs_by_gain(gains: Tensor, requests: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of all pairs of one request whose first has the higher gain.

    Only candidates above their request's lowest gain can win a pair; of sparse clicks that is a few.
    """
    lowest = gains.new_zeros(len(offsets) - 1).scatter_reduce(0, requests, gains, "amin", include_self=False)
    winners = torch.nonzero(gains > lowest[requests]).flatten()
    counts = offsets.diff()[requests[winners]]
    better = torch.repeat_interleave(winners, counts)
    before = torch.cumsum(counts, 0) - counts
    within = torch.arange(len(better)) - torch.repeat_interleave(before, counts)
    worse = offsets[requests[better]] + within
    kept = gains[better] > gains[worse]
    return better[kept], worse[kept]
