from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlsd.features.text.index import Postings, TermIndex
from mlsd.text import analyze

WORDS = st.sampled_from(["amber", "basin", "cedar", "delta"])
TEXTS = st.lists(st.tuples(st.lists(WORDS, max_size=4), st.lists(WORDS, max_size=8)), min_size=1, max_size=5)
Items = list[tuple[list[str], list[str]]]


def build(items: Items) -> TermIndex:
    return TermIndex.of([" ".join(title) for title, _ in items], [" ".join(text) for _, text in items])


def places(words: Sequence[str | None], sought: str) -> list[int]:
    return [place for place, word in enumerate(words) if word == sought]


@given(TEXTS)
def test_finds_what_a_scan_finds(items: Items) -> None:
    index = build(items)
    for number, term in enumerate(index.vocabulary.terms.tolist()):
        found = index.find(np.full(len(items), number), np.arange(len(items)))
        words = [([analyze(w)[0] for w in title], [analyze(w)[0] for w in text]) for title, text in items]
        assert found.tf.tolist() == [(title + text).count(term) for title, text in words]
        assert found.title_tf.tolist() == [title.count(term) for title, _ in words]
        df = sum(term in title + text for title, text in words)
        assert np.isclose(index.idf[number], np.log(1 + (len(items) - df + 0.5) / (df + 0.5)))
        df = sum(term in title for title, _ in words)
        assert np.isclose(index.title_idf[number], np.log(1 + (len(items) - df + 0.5) / (df + 0.5)))


@given(TEXTS)
def test_distances_are_those_of_a_scan(items: Items) -> None:
    index = build(items)
    terms = index.vocabulary.terms.tolist()
    for item, (title, text) in enumerate(items):
        line = [analyze(w)[0] for w in title] + [None] + [analyze(w)[0] for w in text]
        for a in set(line) - {None}:
            for b in set(line) - {None}:
                pairs = [(p, q) for p in places(line, a or "") for q in places(line, b or "") if p != q]
                first = index.find(np.array([terms.index(a)]), np.array([item]))
                nearest, follows = index.distances(first, np.array([terms.index(b)]), np.array([item]))
                if pairs:
                    assert nearest[0] == min(abs(p - q) for p, q in pairs)
                else:
                    assert nearest[0] > 10**18  # the only occurrence of a term has no distance to itself
                assert follows[0] == any(q - p == 1 for p, q in pairs)


def test_state_restores_the_index() -> None:
    index = build([(["amber"], ["basin", "amber"]), ([], ["cedar"])])
    restored = TermIndex.from_state(index.state("index"), "index")
    assert np.array_equal(restored.occurrences, index.occurrences)
    assert restored.vocabulary.terms.tolist() == ["amber", "basin", "cedar"]
    assert restored.n_title_terms.tolist() == [1, 0]
    assert restored.n_terms.tolist() == [3, 1]


def test_items_without_words() -> None:
    index = build([([], []), ([], [])])
    found = index.find(np.array([-1, -1]), np.array([0, 1]))
    assert found.tf.tolist() == [0, 0]
    nothing = np.zeros(0, np.int64)
    assert len(index.distances(Postings(nothing, nothing, nothing), nothing, nothing)[0]) == 0
