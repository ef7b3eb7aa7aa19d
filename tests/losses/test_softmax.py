"""Softmax cross-entropy, by hand and against torch's own."""

from __future__ import annotations

from math import exp, log

import pytest
import torch
from torch.nn.functional import cross_entropy

from mlsd.losses.base import Loss
from mlsd.losses.softmax import Softmax
from mlsd.testing.loss_kit import ListLossKit


class TestSoftmax(ListLossKit):
    def make(self) -> Loss:
        return Softmax()

    def by_loops(self, scores: list[list[float]], labels: list[list[float]]) -> float:
        total = 0.0
        for s, y in zip(scores, labels, strict=True):
            for score, label in zip(s, y, strict=True):
                total -= label * log(exp(score) / sum(map(exp, s)))
        return total / len(scores)


def test_by_hand() -> None:
    """Softmax of (log 3, 0) is (3/4, 1/4); the second request has nothing relevant but counts in the mean."""
    scores, labels = torch.tensor([log(3), 0.0, 1.0, 2.0]), torch.tensor([0.0, 2.0, 0.0, 0.0])
    assert float(Softmax()(scores, labels, torch.tensor([0, 2, 4]))) == pytest.approx(2 * log(4) / 2)


def test_equals_cross_entropy_of_torch_on_lists_of_equal_length() -> None:
    scores = torch.linspace(-2, 3, 12).reshape(3, 4)
    relevant = torch.tensor([1, 0, 3])
    labels = torch.nn.functional.one_hot(relevant, 4).float()
    loss = Softmax()(scores.flatten(), labels.flatten(), torch.tensor([0, 4, 8, 12]))
    assert float(loss) == pytest.approx(float(cross_entropy(scores, relevant)))


def test_is_linear_in_labels() -> None:
    scores, offsets = torch.tensor([0.3, -1.0, 2.0]), torch.tensor([0, 3])
    first, second = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 0.0, 2.5])
    apart = Softmax()(scores, first, offsets) + Softmax()(scores, second, offsets)
    assert float(Softmax()(scores, first + second, offsets)) == pytest.approx(float(apart))


def test_is_not_calibrated() -> None:
    assert not Softmax.calibrated
