from __future__ import annotations

import numpy as np

from mlsd.features.base import Feature
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.action_count import ItemActionCount
from mlsd.testing import past
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()


class TestItemActionCount(FeatureKit):
    def make(self) -> Feature:
        return ItemActionCount("click")


def test_equals_counting_by_hand() -> None:
    feature = ItemActionCount("click")
    batch = SMALL.candidates(SMALL.requests.take(np.array([350])))
    FeatureSet({"feature": feature}).fit(SMALL.catalog, SMALL.log, batch)
    hour = int(batch.requests.hour[0])
    expected = [
        past.before(SMALL.log, hour, lambda row: row["item"] == item, lambda row: row["click"] > 0).done  # noqa: B023
        for item in batch.candidates.items
    ]
    assert max(expected) > 0
    np.testing.assert_array_equal(feature.values(batch), np.log1p(expected))
