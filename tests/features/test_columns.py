from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InputError, InvalidValueError
from mlsd.features.base import Feature
from mlsd.features.columns import Column, RankDiscount, ShareOfBest
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import Candidates, RankingBatch


class TestColumn(FeatureKit):
    def make(self) -> Feature:
        return Column("candidate.bm25_score", scale="log1p")


class TestRequestColumn(FeatureKit):
    def make(self) -> Feature:
        return Column("request.query_id")


class TestShareOfBest(FeatureKit):
    def make(self) -> Feature:
        return ShareOfBest("candidate.bm25_score")


class TestRankDiscount(FeatureKit):
    def make(self) -> Feature:
        return RankDiscount("candidate.bm25_score")


def scored(scores: list[float], offsets: list[int]) -> RankingBatch:
    requests = SmallLog().requests.take(np.arange(len(offsets) - 1))
    columns = {"x": np.array(scores, np.float32)}
    return RankingBatch(requests, Candidates(np.array(offsets), np.arange(len(scores)), columns))


def test_log1p_takes_negative_scores_as_zero() -> None:
    values = Column("candidate.x", scale="log1p").values(scored([np.e - 1, -5.0], [0, 2]))
    assert values == pytest.approx([1.0, 0.0])


def test_share_of_best_is_within_the_request() -> None:
    batch = scored([1.0, 4.0, -1.0, -2.0, 3.0], [0, 2, 2, 4, 5])
    assert ShareOfBest("candidate.x").values(batch).tolist() == [0.25, 1.0, 0.0, 0.0, 1.0]


def test_rank_discount_is_that_of_dcg_and_ties_keep_their_order() -> None:
    batch = scored([1.0, 4.0, 1.0, 7.0], [0, 3, 4])
    expected = [1 / np.log2(3), 1.0, 0.5, 1.0]
    assert RankDiscount("candidate.x").values(batch) == pytest.approx(expected)


def test_bad_input_is_named() -> None:
    with pytest.raises(InvalidValueError, match="scale == 'log', must be one of identity, log1p"):
        Column("candidate.x", scale="log")
    with pytest.raises(InputError, match=r"no column candidate\.bm52_score"):
        Column("candidate.bm52_score").values(scored([1.0], [0, 1]))
