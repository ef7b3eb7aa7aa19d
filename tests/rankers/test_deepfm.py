"""The ranker with a factorisation machine and a deep network."""

from __future__ import annotations

import pytest

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.losses.softmax import Softmax
from mlsd.rankers.base import Ranker
from mlsd.rankers.deepfm import DeepFM
from mlsd.testing.history_kit import HistoryKit
from mlsd.testing.ranker_kit import SPEC, RankerKit
from mlsd.types import FeatureSpec


class TestDeepFM(RankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return DeepFM(spec, loss, hidden=[16, 8], learning_rate=0.02)


class TestDeepFMWithDropoutAndL2(RankerKit):
    @pytest.fixture
    def loss(self) -> Loss:
        return Softmax()

    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return DeepFM(spec, loss, hidden=[32], dropout=0.1, learning_rate=0.02, embedding_l2=0.001)


class TestDeepFMWithBatchNorm(RankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return DeepFM(spec, loss, hidden=[16, 8], learning_rate=0.02, batch_norm=True)


class TestDeepFMOfHistories(HistoryKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return DeepFM(spec, loss, hidden=[16, 8], learning_rate=0.01)


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        DeepFM(SPEC, BCE(), hidden=[8, 0], dropout=-0.1, embedding_dim=0, embedding_l2=-1.0)
        DeepFM(SPEC, BCE(), hidden=[])
    assert [str(fault) for fault in faults] == [
        "embedding_l2 == -1.0, must be at least 0",
        "hidden == [8, 0], must be at least 1 each",
        "dropout == -0.1, must be in [0, 1)",
        "embedding_dim == 0, must be at least 1",
        "hidden == [], must not be empty",
    ]
