"""Pairs of queries and items from logs and titles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlsd.errors import InputError
from mlsd.models.bags import Bags
from mlsd.models.pairs import Pairs, click_pairs, title_pairs
from mlsd.testing.retriever_kit import clicks, requests_for
from mlsd.text import Vocabulary

TITLES, TEXTS = ["jazz", "", "piano"], ["piano violin", "drums", ""]
VOCABULARY = Vocabulary.of([*TITLES, *TEXTS])
RARITY = np.ones(len(VOCABULARY), np.float32)
OF_TITLES, OF_TEXTS = (Bags.of(VOCABULARY.encode(texts), RARITY) for texts in (TITLES, TEXTS))


def pairs_of(queries: list[str], shown: list[int], weights: list[float]) -> Pairs:
    """From a log in which each request was shown one item."""
    log = clicks(requests_for(queries), 3)
    impressions = log.impressions[log.impressions["position"] == 0].assign(item=shown)
    log = replace(log, impressions=impressions.reset_index(drop=True))
    return click_pairs(log, np.array(weights, np.float32), VOCABULARY, RARITY, OF_TITLES, OF_TEXTS)


def test_clicks_on_an_item_for_the_same_query_add_up() -> None:
    pairs = pairs_of(["jazz", "drums", "jazz", "jazz"], [2, 1, 2, 0], [1, 3, 2, 1])
    assert pairs.query.tolist() == [0, 0, 1]
    assert pairs.item.tolist() == [0, 2, 1]
    assert pairs.weight.tolist() == [1, 3, 3]
    assert not pairs.hides_title.any()


def test_requests_without_a_click_or_a_known_word_teach_nothing() -> None:
    pairs = pairs_of(["jazz", "qwerty", ""], [0, 1, 2], [0, 1, 1])
    assert len(pairs) == 0


def test_a_title_asks_for_its_own_text() -> None:
    pairs = title_pairs(OF_TITLES, OF_TEXTS)
    assert (pairs.query.tolist(), pairs.item.tolist()) == ([0], [0])
    assert pairs.hides_title.all()


def test_pairs_join() -> None:
    both = pairs_of(["drums", "jazz"], [1, 0], [2, 1]).followed_by(title_pairs(OF_TITLES, OF_TEXTS))
    assert both.query.tolist() == [0, 1, 2]
    assert both.item.tolist() == [1, 0, 0]
    assert both.hides_title.tolist() == [False, False, True]
    assert len(both.queries) == 2 + 3


def test_a_query_is_learnt_from_or_held_out() -> None:
    queries = [f"{first} {second}" for first in ("jazz", "piano", "drums", "violin") for second in "abcde"]
    pairs = pairs_of(queries * 3, [0] * 20 + [1] * 20 + [2] * 20, [1] * 60)
    train, held_out = pairs.split(seed=0, name="model")
    assert sorted([*train, *held_out]) == list(range(60))
    assert not set(pairs.query[train]) & set(pairs.query[held_out])
    assert len(set(pairs.query[held_out])) == 2
    assert pairs.split(seed=0, name="model")[1].tolist() == held_out.tolist()
    with pytest.raises(InputError, match="model: 1 queries have an item that answers them"):
        pairs_of(["jazz", "jazz"], [0, 1], [1, 1]).split(seed=0, name="model")
