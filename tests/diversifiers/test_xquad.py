from __future__ import annotations

import numpy as np
import pytest

from mlsd.diversifiers.base import Diversifier
from mlsd.diversifiers.xquad import XQuAD
from mlsd.errors import InputError, InvalidValueError
from mlsd.testing.diversifier_kit import DiversifierKit, pool_of
from mlsd.types import Catalog

TOPICS = Catalog(np.array(list("abcd")), {"category": np.array([1, 1, 0, -1])})


class TestXQuAD(DiversifierKit):
    def make(self, trade_off: float) -> Diversifier:
        return XQuAD(trade_off)


class TestXQuADOfUnderstoodQueries(DiversifierKit):
    def make(self, trade_off: float) -> Diversifier:
        return XQuAD(trade_off, aspects="understood")


def fitted(aspects: str = "candidates") -> XQuAD:
    xquad = XQuAD(0.5, aspects)  # type: ignore[arg-type]
    xquad.fit(TOPICS)
    return xquad


def test_by_hand_with_the_topics_of_candidates() -> None:
    """P(topic 1) = 1.2 / 1.6, P(topic 0) = .4 / 1.6; item 0 leaves topic 1 unserved with probability .2."""
    choice = fitted().begin(pool_of([0.8, 0.4, 0.4, 0.2]))
    assert choice.gains().tolist() == pytest.approx([0.4 + 0.3, 0.2 + 0.15, 0.2 + 0.05, 0.1])
    choice.add(np.zeros(4, np.int64))
    assert choice.gains()[1:].tolist() == pytest.approx([0.2 + 0.03, 0.2 + 0.05, 0.1])


def test_by_hand_with_understood_topics() -> None:
    choice = fitted("understood").begin(pool_of([0.8, 0.4, 0.4, 0.2], topic_prob=np.array([0.9, 0.1])))
    assert choice.gains().tolist() == pytest.approx([0.4 + 0.04, 0.2 + 0.02, 0.2 + 0.18, 0.1])


def test_without_topics_relevance_decides() -> None:
    pool = pool_of([0.8, 0.2], items=np.array([3, 3]))
    assert fitted().begin(pool).gains().tolist() == pytest.approx([0.4, 0.1])


def test_what_it_needs_depends_on_where_aspects_come_from() -> None:
    assert XQuAD().needs == frozenset()
    assert XQuAD(aspects="understood").needs == {"request.topic_prob"}


def test_topics_that_the_understanding_does_not_know_are_refused() -> None:
    pool = pool_of([0.8, 0.4], topic_prob=np.array([1.0]))
    message = r"topic_prob has shape \(1, 1\), must have a column for every topic: .* topics up to 1"
    with pytest.raises(InputError, match=message):
        fitted("understood").begin(pool)


def test_aspects_of_nothing_known_are_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"aspects == 'understod', must be one of .*'understood'"):
        XQuAD(aspects="understod")  # type: ignore[arg-type]
