from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.features.base import Feature, SharingFeature
from mlsd.features.text.query import QueryIdf, QueryLength
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import Array, Candidates, Catalog, RankingBatch

SMALL = SmallLog()


class TestQueryLength(FeatureKit):
    def make(self) -> Feature:
        return QueryLength()


class TestQueryIdfMean(FeatureKit):
    def make(self) -> Feature:
        return QueryIdf("mean")


class TestQueryIdfMax(FeatureKit):
    def make(self) -> Feature:
        return QueryIdf("max")


def values(feature: SharingFeature, *queries: str) -> Array:
    """Of one candidate for each query, over two items that say `amber basin` and `amber`."""
    text = np.array(["basin", ""], dtype=object)
    catalog = Catalog(
        np.array(["a", "b"]), {"title": np.array(["amber", "amber"], dtype=object), "text": text}
    )
    feature.shared.fit(catalog, SMALL.log)
    requests = SMALL.requests.take(np.arange(len(queries))).with_columns(
        query=np.array(queries, dtype=object)
    )
    n = len(queries)
    return feature.values(RankingBatch(requests, Candidates(np.arange(n + 1), np.zeros(n, np.int64))))


def test_length_counts_terms_and_not_stop_words() -> None:
    assert values(QueryLength(), "the amber and Amber", "zebra", "").tolist() == [2.0, 1.0, 0.0]


def test_idf_by_hand() -> None:
    amber, basin, unknown = np.log(1 + 0.5 / 2.5), np.log(1 + 1.5 / 1.5), np.log(1 + 2.5 / 0.5)
    mean = values(QueryIdf("mean"), "amber basin", "basin zebra", "the")
    assert mean == pytest.approx([(amber + basin) / 2, (basin + unknown) / 2, np.nan], nan_ok=True)
    highest = values(QueryIdf("max"), "amber basin", "basin zebra", "")
    assert highest == pytest.approx([basin, unknown, np.nan], nan_ok=True)


def test_an_unknown_statistic_is_named() -> None:
    with pytest.raises(InvalidValueError, match="statistic == 'maximum', must be one of mean, max"):
        QueryIdf("maximum")
