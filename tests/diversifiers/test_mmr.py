from __future__ import annotations

import numpy as np
import pytest

from mlsd.diversifiers.base import Diversifier
from mlsd.diversifiers.mmr import MMR
from mlsd.testing.diversifier_kit import DiversifierKit, pool_of
from mlsd.types import Catalog


class TestMMR(DiversifierKit):
    def make(self, trade_off: float) -> Diversifier:
        return MMR(trade_off)


class TestMMROfTopics(DiversifierKit):
    def make(self, trade_off: float) -> Diversifier:
        return MMR(trade_off, topic_weight=1.0)


class TestMMROfTitles(DiversifierKit):
    def make(self, trade_off: float) -> Diversifier:
        return MMR(trade_off, topic_weight=0.0)


def test_by_hand() -> None:
    """Item 1 shares the topic of the one chosen, item 2 does not: .5 * .8 - .5 and .5 * .5."""
    mmr = MMR(0.5, topic_weight=1.0)
    mmr.fit(Catalog(np.array(["a", "b", "c"]), {"category": np.array([7, 7, 2])}))
    choice = mmr.begin(pool_of([1.0, 0.8, 0.5]))
    assert choice.gains().tolist() == [0.5, 0.4, 0.25]
    choice.add(np.zeros(3, np.int64))
    assert choice.gains().tolist() == pytest.approx([0.0, -0.1, 0.25])
