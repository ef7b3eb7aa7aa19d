from __future__ import annotations

import numpy as np

from mlsd.features.base import Feature
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.since import Since
from mlsd.testing import past
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog

SMALL = SmallLog()


class TestSince(FeatureKit):
    def make(self) -> Feature:
        return Since("category")


def test_equals_looking_back_by_hand() -> None:
    feature = Since("source")
    batch = SMALL.candidates(SMALL.requests.take(np.array([3, 20, 350])))
    FeatureSet({"feature": feature}).fit(SMALL.catalog, SMALL.log, batch)
    source, rows = SMALL.catalog["source"], batch.candidates.request_rows
    expected = []
    for number, item in enumerate(batch.candidates.items):
        user, hour = batch.requests.user[rows[number]], int(batch.requests.hour[rows[number]])

        def alike(row: dict[str, float], user: int = user, item: int = item) -> bool:
            return row["user"] == user and source[int(row["item"])] == source[item]

        last = past.before(SMALL.log, hour, alike, lambda _: False).last
        expected.append(np.nan if last is None else np.log1p(hour - last))
    values = feature.values(batch)
    np.testing.assert_array_equal(values, expected)
    assert 0 < np.isnan(values).sum() < len(values)
    assert values[~np.isnan(values)].min() >= np.log(2)
