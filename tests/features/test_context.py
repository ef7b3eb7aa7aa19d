from __future__ import annotations

import numpy as np

from mlsd.features.base import Feature
from mlsd.features.context import PartOfDay, Weekday
from mlsd.testing.feature_kit import FeatureKit
from mlsd.types import Candidates, RankingBatch, Requests


class TestPartOfDay(FeatureKit):
    def make(self) -> Feature:
        return PartOfDay()


class TestWeekday(FeatureKit):
    def make(self) -> Feature:
        return Weekday()


def test_time_is_cut_into_quarters_of_days_and_weeks() -> None:
    time = np.array([0.0, 0.25, 1.9, 7.5, 13.74])
    ids = np.arange(5)
    batch = RankingBatch(Requests(ids, ids, ids, time), Candidates(np.arange(6), np.zeros(5, np.int64)))
    assert PartOfDay().values(batch).tolist() == [0, 1, 3, 2, 2]
    assert Weekday().values(batch).tolist() == [0, 0, 1, 0, 6]
