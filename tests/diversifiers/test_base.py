"""Similarity of items, and how candidates are held against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from mlsd.columns import whole_numbers
from mlsd.diversifiers.base import Choice, TitleVectors, topics_of
from mlsd.diversifiers.mmr import MMR
from mlsd.errors import InputError, InvalidValueError
from mlsd.testing.diversifier_kit import pool_of
from mlsd.text import analyze
from mlsd.types import Candidates, Catalog

words = st.lists(st.sampled_from(["red", "car", "fast", "sea", "the"]), max_size=5).map(" ".join)


@given(st.lists(words, min_size=1, max_size=8))
def test_title_vectors_are_those_of_scikit_learn(titles: list[str]) -> None:
    vectors = TitleVectors.of(np.array(titles, object))
    n = len(titles)
    candidates = Candidates(np.array([0, n]), np.arange(n))
    cosines = np.array([vectors.among(candidates).to(np.full(n, chosen)) for chosen in range(n)])
    expected = np.zeros((n, n))
    if any(map(analyze, titles)):
        matrix = TfidfVectorizer(analyzer=analyze).fit_transform(titles)
        expected = (matrix @ matrix.T).toarray()
    np.testing.assert_allclose(cosines, expected, atol=1e-12)
    assert cosines.max(initial=0) <= 1


def test_similarity_by_hand() -> None:
    """Items 0 and 1 share topic and title, 0 and 2 a topic, 3 and 4 have neither topic nor title."""
    titles = np.array(["red car", "red car", "blue sea", "", ""], object)
    catalog = Catalog(np.arange(5).astype(str), {"title": titles, "category": np.array([1, 1, 1, -1, -1])})
    mmr = MMR(topic_weight=0.25)
    mmr.fit(catalog)
    similarities = mmr.similarities(Candidates(np.array([0, 5]), np.arange(5)))
    assert similarities.to(np.zeros(5, np.int64)).tolist() == pytest.approx([1, 1, 0.25, 0, 0])
    assert similarities.to(np.full(5, 3)).tolist() == [0, 0, 0, 0, 0]


def test_titles_are_compared_within_a_request() -> None:
    vectors = TitleVectors.of(np.array(["red car", "red sea", "car"], object))
    candidates = Candidates(np.array([0, 2, 3]), np.array([0, 1, 0]))
    found = vectors.among(candidates).to(np.array([1, 1, 2]))
    both = Candidates(np.array([0, 2]), np.array([0, 1]))
    assert found[:2].tolist() == vectors.among(both).to(np.array([1, 1])).tolist()
    assert found[2] == pytest.approx(1)


@pytest.mark.parametrize(
    ("topic_weight", "needed"), [(0.0, {"title"}), (1.0, {"category"}), (0.5, {"title", "category"})]
)
def test_only_what_counts_is_asked_of_the_catalog(topic_weight: float, needed: set[str]) -> None:
    assert MMR(topic_weight=topic_weight).catalog_needs == needed


def test_a_weight_beyond_its_range_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="topic_weight == -1, must be between 0 and 1"):
        MMR(topic_weight=-1)


def test_topics_are_whole_numbers() -> None:
    catalog = Catalog(np.array(["a"]), {"category": np.array([0.5])})
    with pytest.raises(InputError, match=r"item\.category is float64, must be of integers"):
        topics_of(catalog)
    assert whole_numbers(Catalog(np.array(["a"]), {"n": np.array([3], np.uint8)}), "n").dtype == np.int64


def test_the_plain_choice_goes_by_relevance() -> None:
    pool = pool_of([0.9, 0.1])
    choice = Choice(pool)
    choice.add(np.zeros(2, np.int64))
    assert choice.gains().tolist() == [0.9, 0.1]
