"""Binary cross-entropy, by hand, against scikit-learn, and as an unbiased estimate."""

from __future__ import annotations

from math import exp, log, log1p

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from mlsd import rng
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.testing.loss_kit import LossKit


class TestBCE(LossKit):
    def make(self) -> Loss:
        return BCE()

    def by_loops(self, scores: list[list[float]], labels: list[list[float]]) -> float:
        pairs = [pair for s, y in zip(scores, labels, strict=True) for pair in zip(s, y, strict=True)]
        return sum(log1p(exp(s)) - y * s for s, y in pairs) / max(len(pairs), 1)


def test_by_hand() -> None:
    scores, labels = torch.tensor([0.0, log(3)]), torch.tensor([1.0, 0.0])
    assert float(BCE()(scores, labels, torch.tensor([0, 2]))) == pytest.approx((log(2) + log(4)) / 2)


def test_equals_log_loss_of_scikit_learn() -> None:
    scores = rng.normal(0, "scores", np.arange(50))
    labels = (np.arange(50) % 3 == 0).astype(float)
    expected = log_loss(labels, 1 / (1 + np.exp(-scores)))
    loss = BCE()(torch.from_numpy(scores), torch.from_numpy(labels), torch.tensor([0, 20, 50]))
    assert float(loss) == pytest.approx(expected)


def test_gradient_is_that_of_relevance_when_labels_are_divided_by_examination() -> None:
    """E[click / examination] = relevance, and the loss is linear in labels: only the label's mean counts."""
    relevance, examination = 0.7, 0.2
    scores = torch.zeros(2, requires_grad=True)
    clicked, not_clicked = torch.tensor([1 / examination, 0.0]), torch.zeros(2)
    share = relevance * examination
    offsets = torch.tensor([0, 2])
    loss = share * BCE()(scores, clicked, offsets) + (1 - share) * BCE()(scores, not_clicked, offsets)
    assert torch.autograd.grad(loss, scores)[0].tolist() == pytest.approx([(0.5 - relevance) / 2, 0.25])


def test_is_calibrated() -> None:
    assert BCE.calibrated
