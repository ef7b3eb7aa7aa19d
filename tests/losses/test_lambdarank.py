"""LambdaRank, by hand, against loops over all orders of ties, and in its gradient."""

from __future__ import annotations

from itertools import pairwise, permutations
from math import exp, log1p, log2

import pytest
import torch

from mlsd import checks
from mlsd.errors import InvalidValueError
from mlsd.losses.base import Loss
from mlsd.losses.lambdarank import Gain, LambdaRank
from mlsd.testing.loss_kit import ListLossKit


class TestLambdaRank(ListLossKit):
    cutoff = 0
    sigma = 1.0
    gain: Gain = "linear"

    def make(self) -> Loss:
        return LambdaRank(self.sigma, self.cutoff, self.gain)

    def by_loops(self, scores: list[list[float]], labels: list[list[float]]) -> float:
        of_requests = [self.of_request(s, y) for s, y in zip(scores, labels, strict=True)]
        return sum(of_requests) / len(of_requests)

    def of_request(self, scores: list[float], labels: list[float]) -> float:
        """Mean over all orders of the candidates in which scores do not rise."""
        gains = [y if self.gain == "linear" else 2**y - 1 for y in labels]
        ideal = sum(g * self.discount(k) for k, g in enumerate(sorted(gains, reverse=True)))
        if ideal == 0:
            return 0.0
        rows = range(len(scores))
        orders = [o for o in permutations(rows) if all(scores[a] >= scores[b] for a, b in pairwise(o))]
        total = 0.0
        for order in orders:
            place = {row: k for k, row in enumerate(order)}
            for i in rows:
                for j in rows:
                    if gains[i] > gains[j]:
                        swap = (gains[i] - gains[j]) * abs(self.discount(place[i]) - self.discount(place[j]))
                        total += swap / ideal * log1p(exp(-self.sigma * (scores[i] - scores[j])))
        return total / len(orders)

    def discount(self, position: int) -> float:
        return 1 / log2(position + 2) if self.cutoff == 0 or position < self.cutoff else 0.0

    def test_equal_scores_count_as_all_their_orders(self) -> None:
        scores, labels = [1.0, 0.0, 0.0, 0.0, -1.0], [0.0, 2.0, 0.0, 1.0, 1.0]
        loss = self.make()(torch.tensor(scores).double(), torch.tensor(labels).double(), torch.tensor([0, 5]))
        assert float(loss) == pytest.approx(self.of_request(scores, labels))


class TestLambdaRankAtACutoff(TestLambdaRank):
    cutoff = 2
    sigma = 0.5


class TestLambdaRankWithExponentialGain(TestLambdaRank):
    gain: Gain = "exponential"


def test_by_hand() -> None:
    """Grades 0, 2, 1 ranked as given; ideal DCG = 2 + 1 / log2(3)."""
    d = [1 / log2(k + 2) for k in range(3)]
    swaps = {(1, 0): 2 * (d[0] - d[1]), (2, 0): d[0] - d[2], (1, 2): d[1] - d[2]}
    scores = [2.0, 1.0, 0.0]
    expected = sum(w * log1p(exp(-(scores[i] - scores[j]))) for (i, j), w in swaps.items()) / (2 + d[1])
    loss = LambdaRank()(torch.tensor(scores), torch.tensor([0.0, 2.0, 1.0]), torch.tensor([0, 3]))
    assert float(loss) == pytest.approx(expected)


def test_lambdas_of_a_pair_are_opposite_and_weighted_by_delta() -> None:
    """Burges: lambda_ij = -sigma |delta_ij| / (1 + exp(sigma (s_i - s_j)))."""
    scores = torch.tensor([1.0, 0.0], requires_grad=True)
    loss = LambdaRank(sigma=2.0)(scores, torch.tensor([0.0, 1.0]), torch.tensor([0, 2]))
    expected = 2 * (1 - 1 / log2(3)) / (1 + exp(-2))
    assert torch.autograd.grad(loss, scores)[0].tolist() == pytest.approx([expected, -expected])


def test_pairs_below_the_cutoff_have_no_weight() -> None:
    scores = torch.tensor([5.0, 1.0, 0.0], requires_grad=True)
    loss = LambdaRank(cutoff=1)(scores, torch.tensor([2.0, 0.0, 1.0]), torch.tensor([0, 3]))
    pairs_of_the_first = 2 * log1p(exp(-4)) + 1 * log1p(exp(-5))
    assert float(loss.detach()) == pytest.approx(pairs_of_the_first / 2)
    first, second, third = torch.autograd.grad(loss, scores)[0].tolist()
    assert first < 0 < second
    assert third == pytest.approx(-(first + second))


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        LambdaRank(sigma=0, cutoff=-1, gain="liner")  # type: ignore[arg-type]
    assert [str(fault) for fault in faults] == [
        "sigma == 0, must be above 0",
        "cutoff == -1, must be at least 0",
        "gain == 'liner', must be one of linear, exponential; nearest is 'linear'",
    ]
    with pytest.raises(InvalidValueError, match="cutoff == -1"):
        LambdaRank(cutoff=-1)


def test_is_not_calibrated() -> None:
    assert not LambdaRank.calibrated
