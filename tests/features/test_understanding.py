from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd import rng
from mlsd.errors import InputError, InvalidValueError
from mlsd.features.base import Feature
from mlsd.features.sets.base import FeatureSet
from mlsd.features.understanding import IntentProb, TopicMatch
from mlsd.testing.feature_kit import FeatureKit
from mlsd.testing.small_log import SmallLog
from mlsd.types import RankingBatch, Requests

SMALL = SmallLog()


def understood(batch: RankingBatch) -> RankingBatch:
    """With what an understand stage would say, by request."""
    requests = batch.requests
    odds = rng.uniform(0, "topics", requests.request_id[:, None], np.arange(4))
    intents = np.array(["navigational", "informational"], object)
    columns = {
        "intent": intents[requests.request_id % 2],
        "intent_prob": (0.5 + 0.5 * rng.uniform(0, "sure", requests.request_id)).astype(np.float32),
        "topic": odds.argmax(axis=1),
        "topic_prob": (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32),
    }
    return RankingBatch(requests.with_columns(**columns), batch.candidates)


class UnderstoodKit(FeatureKit):
    def candidates(self, requests: Requests) -> RankingBatch:
        return understood(super().candidates(requests))


class TestIntentProb(UnderstoodKit):
    def make(self) -> Feature:
        return IntentProb("navigational")


class TestTopicMatch(UnderstoodKit):
    def make(self) -> Feature:
        return TopicMatch()


def batch() -> RankingBatch:
    return understood(SMALL.candidates(SMALL.requests.take(np.arange(6))))


def test_the_probability_is_that_of_the_items_topic() -> None:
    feature, some = TopicMatch(), batch()
    feature.fit(SMALL.catalog, SMALL.log)
    expected = [
        some.requests["topic_prob"][row, SMALL.catalog["category"][item]]
        for row, item in zip(some.candidates.request_rows, some.candidates.items, strict=True)
    ]
    assert feature.values(some).tolist() == expected


def test_another_intent_has_no_probability() -> None:
    some = batch()
    values = IntentProb("navigational").values(some)
    is_it = np.repeat(some.requests["intent"] == "navigational", some.candidates.counts)
    assert (values[~is_it] == 0).all()
    assert (values[is_it] >= 0.5).all()
    assert IntentProb("else").values(some).tolist() == [0.0] * len(some.candidates)


def test_a_set_reads_both() -> None:
    features = FeatureSet({"match": TopicMatch(), "navigational": IntentProb("navigational")})
    assert features.needs == {"request.topic_prob", "request.intent", "request.intent_prob"}
    features.fit(SMALL.catalog, SMALL.log, batch())
    assert features.transform(batch()).dense.shape == (len(batch().candidates), 2)


def test_bad_input_is_named() -> None:
    columns = {**SMALL.catalog.columns, "category": SMALL.catalog["category"] + 3}
    feature = TopicMatch()
    feature.fit(replace(SMALL.catalog, columns=columns), SMALL.log)
    with pytest.raises(InputError, match=r"an item has the category 6, but request\.topic_prob has 4 topics"):
        feature.values(batch())
    with pytest.raises(InvalidValueError, match="intent == '', must not be empty"):
        IntentProb("")
