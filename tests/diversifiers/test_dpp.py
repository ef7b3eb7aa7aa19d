from __future__ import annotations

import numpy as np
import pytest

from mlsd.diversifiers.base import Diversifier
from mlsd.diversifiers.dpp import DPP
from mlsd.testing.diversifier_kit import DiversifierKit, pool_of
from mlsd.types import Catalog


class TestDPP(DiversifierKit):
    def make(self, trade_off: float) -> Diversifier:
        return DPP(trade_off)


class TestDPPOfTopics(DiversifierKit):
    def make(self, trade_off: float) -> Diversifier:
        return DPP(trade_off, topic_weight=1.0)


def test_by_hand() -> None:
    """A topic in common, titles with no word: similarity .5, so d^2 = .75 after one and 2/3 after two."""
    dpp = DPP(0.5, topic_weight=0.5)
    columns = {"category": np.zeros(3, np.int64), "title": np.array(["", "", ""], object)}
    dpp.fit(Catalog(np.array(["a", "b", "c"]), columns))
    choice = dpp.begin(pool_of([1.0, 0.8, 0.5]))
    choice.add(np.zeros(3, np.int64))
    assert choice.gains()[1:].tolist() == pytest.approx(0.5 * np.array([0.8, 0.5]) + 0.5 * np.log(0.75))
    choice.add(np.ones(3, np.int64))
    assert choice.gains()[2] == pytest.approx(0.25 + 0.5 * np.log(2 / 3))


def test_among_the_same_again_relevance_decides() -> None:
    dpp = DPP(0.5, topic_weight=1.0)
    dpp.fit(Catalog(np.array(["a", "b", "c"]), {"category": np.zeros(3, np.int64)}))
    choice = dpp.begin(pool_of([1.0, 0.8, 0.5]))
    for row in (0, 1):
        choice.add(np.full(3, row))
        gains = choice.gains()
        assert gains[1] - gains[2] == pytest.approx(0.15)
        assert gains[2] == pytest.approx(0.25 + 0.5 * np.log(1e-10))
