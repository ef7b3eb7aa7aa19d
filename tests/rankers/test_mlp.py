"""The plain deep ranker."""

from __future__ import annotations

import pytest

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.losses.softmax import Softmax
from mlsd.rankers.base import Ranker
from mlsd.rankers.mlp import MLP
from mlsd.testing.history_kit import HistoryKit
from mlsd.testing.ranker_kit import SPEC, RankerKit
from mlsd.types import FeatureSpec


class TestMLP(RankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return MLP(spec, loss, hidden=[16, 8], learning_rate=0.01)


class TestMLPWithDropout(RankerKit):
    @pytest.fixture
    def loss(self) -> Loss:
        return Softmax()

    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return MLP(spec, loss, hidden=[32], dropout=0.1, learning_rate=0.01)


class TestMLPWithBatchNorm(RankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return MLP(spec, loss, hidden=[16, 8], learning_rate=0.01, batch_norm=True)


class TestMLPOfHistories(HistoryKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return MLP(spec, loss, hidden=[16, 8], learning_rate=0.01)


class TestMLPWithAttention(HistoryKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return MLP(spec, loss, hidden=[16, 8], learning_rate=0.01, attention=[8])


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        MLP(SPEC, BCE(), hidden=[8, 0], dropout=1.0, embedding_dim=0, attention=[0])
    assert [str(fault) for fault in faults] == [
        "hidden == [8, 0], must be at least 1 each",
        "dropout == 1.0, must be in [0, 1)",
        "embedding_dim == 0, must be at least 1",
        "attention == [0], must be at least 1 each",
    ]
