from __future__ import annotations

import numpy as np
import pytest

from mlsd.features.base import Feature
from mlsd.features.statistics.exposure import UserExposure
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()


class TestUserExposure(FeatureKit):
    def make(self) -> Feature:
        return UserExposure("category")


def test_impressions_are_counted_up_to_yesterday() -> None:
    feature = UserExposure("category")
    feature.fit(SMALL.catalog, SMALL.log)
    batch = SMALL.candidates(SMALL.requests.take(np.array([360])))
    seen, category = SMALL.log.impressions, SMALL.catalog["category"]
    mine = seen[(seen["user"] == batch.requests.user[0]) & (seen["time_days"] < batch.requests.day[0])]
    counts = np.bincount(category[mine["item"]], minlength=4)
    assert counts.sum() > 0
    expected = np.log1p(counts[category[batch.candidates.items]])
    assert feature.values(batch) == pytest.approx(expected)
