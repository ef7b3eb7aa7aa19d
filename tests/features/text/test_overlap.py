from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.features.base import Feature
from mlsd.features.text.matches import TextFeature
from mlsd.features.text.overlap import (
    FieldBM25,
    FieldLength,
    PhraseCoverage,
    Proximity,
    TermCoverage,
    TitleMatch,
)
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import Candidates, Catalog, RankingBatch

SMALL = SmallLog()
TITLES = ["amber basin", "basin amber", "cedar", ""]
TEXTS = ["cedar", "amber amber delta basin", "amber near the cedar basin", ""]


class TestFieldBM25(FeatureKit):
    def make(self) -> Feature:
        return FieldBM25("title")


class TestFieldLength(FeatureKit):
    def make(self) -> Feature:
        return FieldLength("all")


class TestPhraseCoverage(FeatureKit):
    def make(self) -> Feature:
        return PhraseCoverage()


class TestProximity(FeatureKit):
    def make(self) -> Feature:
        return Proximity()


class TestTermCoverage(FeatureKit):
    def make(self) -> Feature:
        return TermCoverage("title")


class TestTitleMatch(FeatureKit):
    def make(self) -> Feature:
        return TitleMatch()


def values(feature: TextFeature, query: str) -> list[float]:
    """Of the four items above."""
    columns = {"title": np.array(TITLES, dtype=object), "text": np.array(TEXTS, dtype=object)}
    feature.shared.fit(Catalog(np.array(list("abcd")), columns), SMALL.log)
    requests = SMALL.requests.take(np.array([0])).with_columns(query=np.array([query], dtype=object))
    found: list[float] = feature.values(
        RankingBatch(requests, Candidates(np.array([0, 4]), np.arange(4)))
    ).tolist()
    return found


def idf(df: int) -> float:
    return float(np.log(1 + (4 - df + 0.5) / (df + 0.5)))


def test_coverage_weighs_by_idf() -> None:
    assert values(TermCoverage("all", weighted=False), "amber delta zebra") == pytest.approx(
        [1 / 3, 2 / 3, 1 / 3, 0]
    )
    whole = idf(3) + idf(1) + idf(0)
    expected = [idf(3) / whole, (idf(3) + idf(1)) / whole, idf(3) / whole, 0]
    assert values(TermCoverage("all"), "amber delta zebra delta") == pytest.approx(expected)
    assert values(TermCoverage("title"), "amber cedar") == pytest.approx(
        [idf(2) / (idf(2) + idf(1)), idf(2) / (idf(2) + idf(1)), idf(1) / (idf(2) + idf(1)), 0]
    )


def test_bm25_by_hand() -> None:
    def gain(tf: int, length: int, mean: float) -> float:
        return idf(3) * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / mean))

    lengths = [3, 6, 5, 0]  # "the" is a stop word
    mean = sum(lengths) / 4
    expected = np.log1p([gain(1, lengths[0], mean), gain(3, lengths[1], mean), gain(1, lengths[2], mean), 0])
    assert values(FieldBM25("all"), "amber") == pytest.approx(expected)


def test_title_match_wants_the_same_terms_in_the_same_order() -> None:
    assert values(TitleMatch(), "the Amber basins") == [1.0, 0.0, 0.0, 0.0]
    assert values(TitleMatch(), "cedar") == [0.0, 0.0, 1.0, 0.0]
    assert values(TitleMatch(), "amber amber") == [0.0] * 4
    assert values(TitleMatch(), "") == [0.0] * 4


def test_phrases_have_an_order_and_do_not_cross_from_title_to_text() -> None:
    assert values(PhraseCoverage(), "amber basin") == [1.0, 0.0, 0.0, 0.0]
    assert values(PhraseCoverage(), "basin cedar") == [0.0, 0.0, 0.0, 0.0]  # a title's end, a text's start
    assert values(PhraseCoverage(), "basin amber delta") == [0.0, 1.0, 0.0, 0.0]


def test_proximity_is_one_over_the_smallest_distance() -> None:
    # item 1: basin amber | amber amber delta basin;  item 2: cedar | amber near cedar basin
    assert values(Proximity(), "amber basin") == pytest.approx([1.0, 1.0, 1 / 3, 0.0])
    assert values(Proximity(), "delta cedar") == [0.0] * 4
    assert values(Proximity(), "amber amber") == pytest.approx([0.0, 1.0, 0.0, 0.0])


def test_too_short_a_query_is_unknown() -> None:
    assert np.isnan(values(PhraseCoverage(), "amber")).all()
    assert np.isnan(values(Proximity(), "")).all()
    assert np.isnan(values(TermCoverage(), "the")).all()
    assert values(FieldBM25("title"), "the") == [0.0] * 4


def test_field_lengths() -> None:
    assert values(FieldLength("title"), "") == pytest.approx(np.log([3, 3, 2, 1]))
    assert values(FieldLength("all"), "") == pytest.approx(np.log([4, 7, 6, 1]))


def test_bad_values_are_named() -> None:
    with pytest.raises(InvalidValueError, match="field == 'body', must be one of title, all"):
        TermCoverage("body")
    with pytest.raises(InvalidValueError, match=r"b == 1\.5, must be between 0 and 1"):
        FieldBM25(b=1.5)
