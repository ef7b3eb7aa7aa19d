"""BM25: against its formula in plain Python, bm25s itself and the figures of public collections."""

from __future__ import annotations

from collections import Counter
from math import log

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd.errors import InputError, InvalidValueError
from mlsd.fitting import Fitting
from mlsd.retrievers import bm25
from mlsd.retrievers.bm25 import BM25
from mlsd.testing.retriever_kit import RetrieverKit, assert_same, every_pair, music, phrases, requests_for
from mlsd.text import analyze, item_texts
from mlsd.types import Candidates, Catalog, Floats, Requests

WORDS = st.sampled_from(["jazz", "rock", "opera", "the", "a", "violins", "zither"])
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)


class TestBM25(RetrieverKit):
    def make(self) -> BM25:
        return BM25()


class TestBM25WithExpansion(RetrieverKit):
    def make(self) -> BM25:
        return BM25(expansion_weight=0.3)

    def make_requests(self) -> Requests:
        requests = super().make_requests()
        return requests.with_columns(expansion=np.array(phrases("related", len(requests), 2), object))


def catalog_of(*texts: str) -> Catalog:
    columns = {"title": np.full(len(texts), "", object), "text": np.array(texts, object)}
    return Catalog(np.arange(len(texts)).astype(str), columns)


def fitted(catalog: Catalog, **options: float) -> BM25:
    retriever = BM25(**options)
    retriever.fit(catalog, None, Fitting())
    return retriever


def find(retriever: BM25, *queries: str, n: int = 10) -> Candidates:
    return retriever.retrieve(requests_for(list(queries)), n)


def by_formula(texts: list[str], query: str, k1: float, b: float) -> Floats:
    """Scores of all texts, term by term."""
    counts = [Counter(analyze(text)) for text in texts]
    lengths = np.array([count.total() for count in counts])
    scores = np.zeros(len(texts))
    for term in analyze(query):
        tf = np.array([count[term] for count in counts])
        df = np.count_nonzero(tf)
        idf = log(1 + (len(texts) - df + 0.5) / (df + 0.5))
        norm = 1 - b + b * lengths / max(lengths.mean(), 1e-9)
        scores += idf * np.divide(tf, tf + k1 * norm, out=np.zeros(len(texts)), where=tf > 0)
    return scores


def test_by_hand() -> None:
    retriever = fitted(catalog_of("jazz", "rock", "rock jazz jazz", "opera"), k1=1.0, b=0.0)
    candidates = find(retriever, "jazz")
    idf = log(1 + 2.5 / 2.5)
    assert candidates.items.tolist() == [2, 0]
    np.testing.assert_allclose(candidates["score"], [idf * 2 / 3, idf * 1 / 2], rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=8),
    query=TEXTS,
    k1=st.sampled_from([0.0, 0.9, 1.5]),
    b=st.sampled_from([0.0, 0.4, 1.0]),
)
def test_equals_the_formula(texts: list[str], query: str, k1: float, b: float) -> None:
    retriever, expected = fitted(catalog_of(*texts), k1=k1, b=b), by_formula(texts, query, k1, b)
    scores = retriever.score(requests_for([query]), every_pair(1, len(texts)))
    np.testing.assert_allclose(scores, expected, rtol=1e-5)
    assert set(find(retriever, query).items) == set(np.flatnonzero(expected))


def expanding(texts: list[str], expansion: str) -> Requests:
    return requests_for(texts).with_columns(expansion=np.full(len(texts), expansion, object))


def test_related_terms_add_their_scores_at_their_weight() -> None:
    catalog, queries = music(60), phrases("query", 20, 2)
    plain = fitted(catalog)
    own = plain.score(requests_for(queries), every_pair(20, 60))
    related = plain.score(requests_for(["opera violins"] * 20), every_pair(20, 60))
    found = fitted(catalog, expansion_weight=0.25).score(
        expanding(queries, "the opera violins zzz"), every_pair(20, 60)
    )
    np.testing.assert_allclose(found, own + 0.25 * related, rtol=1e-5)


def test_related_terms_alone_find_items() -> None:
    retriever = fitted(catalog_of("jazz", "rock"), expansion_weight=0.5)
    assert retriever.retrieve(expanding(["zzz", "jazz"], "rock"), 5).items.tolist() == [1, 0, 1]


def test_without_related_terms_no_bit_changes() -> None:
    catalog, requests = music(60), expanding(phrases("query", 20, 2), "")
    expected = fitted(catalog).retrieve(requests, 9)
    assert_same(fitted(catalog, expansion_weight=0.5).retrieve(requests, 9), expected)
    assert_same(
        fitted(catalog).retrieve(requests.with_columns(expansion=np.full(20, "opera", object)), 9), expected
    )


def test_related_terms_are_needed_only_where_they_count() -> None:
    assert BM25().needs == {"request.query"}
    assert BM25(expansion_weight=0.1).needs == {"request.query", "request.expansion"}


def test_equals_bm25s_on_its_own() -> None:
    catalog, queries = music(60), phrases("query", 20, 3)
    index = bm25s.BM25()
    index.index([analyze(text) for text in item_texts(catalog)], show_progress=False)
    expected = np.concatenate([index.get_scores(analyze(query)) for query in queries])
    scores = fitted(catalog).score(requests_for(queries), every_pair(20, 60))
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


def test_blocks_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    retriever, requests = fitted(music(150)), requests_for(phrases("query", 40, 3))
    whole, scores = retriever.retrieve(requests, 12), retriever.score(requests, every_pair(40, 150))
    for cells in (1, 150, 1000):
        monkeypatch.setattr(bm25, "_BLOCK_CELLS", cells)
        assert_same(retriever.retrieve(requests, 12), whole)
        np.testing.assert_array_equal(retriever.score(requests, every_pair(40, 150)), scores)


def test_repeated_queries_are_repeated_results() -> None:
    retriever = fitted(catalog_of("jazz", "rock", "jazz jazz"))
    candidates = find(retriever, "jazz", "rock", "jazz", "zzz", "jazz")
    assert candidates.counts.tolist() == [2, 1, 2, 0, 2]
    assert candidates.items.tolist() == [2, 0, 1, 2, 0, 2, 0]


def test_equal_items_come_in_order() -> None:
    retriever = fitted(catalog_of(*["jazz"] * 9, "rock"))
    assert find(retriever, "jazz", n=4).items.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("query", ["", "  ", "the", "zzz", "x", "!?", "\x00"])
def test_a_query_without_a_known_word_finds_nothing(query: str) -> None:
    retriever = fitted(catalog_of("jazz", "the x"))
    assert len(find(retriever, query)) == 0
    assert retriever.score(requests_for([query]), every_pair(1, 2)).tolist() == [0, 0]


def test_a_catalog_of_one_item_is_searched_like_any() -> None:
    retriever = fitted(catalog_of("jazz"))
    assert find(retriever, "jazz", "rock").items.tolist() == [0]
    assert find(retriever, "jazz")["score"][0] > 0


@pytest.mark.parametrize("texts", [[""], ["the", "a"], []])
def test_a_catalog_without_words_answers_nothing(texts: list[str]) -> None:
    retriever, again = fitted(catalog_of(*texts)), BM25()
    again.load_state(retriever.state())
    for each in (retriever, again):
        assert len(find(each, "jazz", "the")) == 0
        assert each.score(requests_for(["jazz"]), every_pair(1, len(texts))).tolist() == [0.0] * len(texts)


def test_options_keep_their_ranges() -> None:
    with pytest.raises(InvalidValueError, match=r"k1 == -0.1, must be at least 0"):
        BM25(k1=-0.1)
    with pytest.raises(InvalidValueError, match="b == 2, must be between 0 and 1"):
        BM25(b=2)
    with pytest.raises(InvalidValueError, match=r"expansion_weight == -1.0, must be at least 0"):
        BM25(expansion_weight=-1.0)


def test_a_missing_query_is_refused() -> None:
    requests = requests_for(["jazz", "rock"])
    requests = requests.with_columns(query=np.array(["jazz", None], object))
    with pytest.raises(InputError, match="text 1 of 2 is None, must be a string"):
        fitted(catalog_of("jazz")).retrieve(requests, 1)
