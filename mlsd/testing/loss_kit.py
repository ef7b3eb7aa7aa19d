"""What every loss must keep. Inherit `LossKit` and give it your loss."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import pytest
import torch
from torch import Tensor

from mlsd import ragged, rng
from mlsd.losses.base import Loss


class LossKit(ABC):
    """Conformance tests of a loss."""

    @abstractmethod
    def make(self) -> Loss:
        """The loss to test."""

    @abstractmethod
    def by_loops(self, scores: list[list[float]], labels: list[list[float]]) -> float:
        """The mean loss of some requests, computed one candidate after the other in plain Python."""

    def test_equals_a_loop_over_requests(self) -> None:
        for seed in range(20):
            scores, labels, offsets = batch(seed)
            lists = [part.tolist() for part in np.split(scores.numpy(), offsets[1:-1].numpy())]
            targets = [part.tolist() for part in np.split(labels.numpy(), offsets[1:-1].numpy())]
            expected = self.by_loops(lists, targets)
            assert float(self.make()(scores, labels, offsets)) == pytest.approx(expected, rel=1e-9, abs=1e-12)

    def test_gradient_is_that_of_finite_differences(self) -> None:
        scores, labels, offsets = batch(1)
        scores = scores.requires_grad_()
        assert torch.autograd.gradcheck(lambda s: self.make()(s, labels, offsets), scores)

    @pytest.mark.parametrize("scale", [1e4, 1e30])
    def test_gradient_is_finite_at_extreme_scores(self, scale: float) -> None:
        for seed in range(5):
            scores, labels, offsets = batch(seed)
            gradient = self.gradient(scores.float() * scale, labels.float(), offsets)
            assert torch.isfinite(gradient).all()

    def test_order_of_candidates_does_not_matter(self) -> None:
        for seed in range(10):
            scores, labels, offsets = batch(seed, tied=seed % 2 == 0)
            order = shuffled_within(offsets, seed)
            loss, gradient = self.make()(scores, labels, offsets), self.gradient(scores, labels, offsets)
            again = self.gradient(scores[order], labels[order], offsets)
            assert float(self.make()(scores[order], labels[order], offsets)) == pytest.approx(float(loss))
            torch.testing.assert_close(again, gradient[order])

    def test_no_score_for_all_candidates_alike_is_better_than_the_base_score(self) -> None:
        for seed in range(10):
            scores, labels, offsets = batch(seed)
            labels = labels.clamp(max=1.0)  # BCE falls for ever where the mean label is above 1
            loss = self.make()
            base = torch.full_like(scores, loss.base_score(labels))
            assert float(self.gradient(base, labels, offsets).sum()) == pytest.approx(0, abs=1e-7)

    @pytest.mark.parametrize("offsets", [[0], [0, 0], [0, 0, 0]])
    def test_no_candidates_give_0(self, offsets: list[int]) -> None:
        scores = torch.zeros(0, requires_grad=True)
        loss = self.make()(scores, torch.zeros(0), torch.tensor(offsets))
        (gradient,) = torch.autograd.grad(loss, scores)
        assert loss.item() == 0
        assert gradient.shape == (0,)

    def gradient(self, scores: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        """Of the loss by the scores."""
        scores = scores.detach().clone().requires_grad_()
        return torch.autograd.grad(self.make()(scores, labels, offsets), scores)[0]


class ListLossKit(LossKit):
    """Conformance tests of a loss that compares the candidates of a request."""

    @pytest.mark.parametrize("labels", [[1.0], [0.0], [0.0, 0.0, 0.0]])
    def test_nothing_to_compare_gives_0(self, labels: list[float]) -> None:
        scores, offsets = torch.arange(len(labels)).double(), torch.tensor([0, len(labels)])
        assert float(self.make()(scores, torch.tensor(labels), offsets)) == 0
        assert not self.gradient(scores, torch.tensor(labels), offsets).any()

    def test_equal_scores_still_learn(self) -> None:
        gradient = self.gradient(torch.zeros(3), torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0, 3]))
        assert gradient[1] < 0 < gradient[0]
        assert gradient[0] == pytest.approx(float(gradient[2]))

    def test_a_constant_added_to_a_request_does_not_matter(self) -> None:
        scores, labels, offsets = batch(3)
        moved = scores + torch.repeat_interleave(torch.arange(len(offsets) - 1), offsets.diff())
        expected = float(self.make()(scores, labels, offsets))
        assert float(self.make()(moved, labels, offsets)) == pytest.approx(expected)


def batch(seed: int, *, tied: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Scores, labels (some above 1) and offsets of requests with 0 to 6 candidates; `tied` scores repeat."""
    counts = rng.integers(seed, "counts", 7, np.arange(8))
    rows = np.arange(counts.sum())
    scores = 3 * rng.normal(seed, "scores", rows)
    labels = rng.choice(seed, "labels", [0.6, 0.2, 0.1, 0.1], rows) * 1.25
    offsets = torch.from_numpy(ragged.offsets_of_counts(counts))
    return torch.from_numpy(np.round(scores) if tied else scores), torch.from_numpy(labels), offsets


def shuffled_within(offsets: Tensor, seed: int) -> Tensor:
    """Rows with the candidates of every request in another order."""
    luck = rng.uniform(seed, "order", np.arange(int(offsets[-1])))
    return torch.from_numpy(ragged.order(luck, offsets.numpy()))
