"""The ranker with factorised pairs."""

from __future__ import annotations

from mlsd import checks
from mlsd.losses.base import Loss
from mlsd.losses.bce import BCE
from mlsd.rankers.base import Ranker
from mlsd.rankers.fm import FM
from mlsd.testing.history_kit import HistoryKit
from mlsd.testing.ranker_kit import SPEC, RankerKit
from mlsd.types import FeatureSpec


class TestFM(RankerKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return FM(spec, loss, learning_rate=0.05)


class TestFMOfHistories(HistoryKit):
    def make(self, spec: FeatureSpec, loss: Loss) -> Ranker:
        return FM(spec, loss, learning_rate=0.05)


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        FM(SPEC, BCE(), embedding_dim=0, embedding_l2=-0.1)
    assert [str(fault) for fault in faults] == [
        "embedding_l2 == -0.1, must be at least 0",
        "embedding_dim == 0, must be at least 1",
    ]
