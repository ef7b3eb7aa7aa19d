from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bm25s.stopwords import STOPWORDS_EN
from hypothesis import given, settings
from hypothesis import strategies as st

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.text import analyze
from mlsd.worlds.search.vocabulary import (
    ENTITY_KINDS,
    FRESHNESS_MARKERS,
    TRANSACTION_MARKERS,
    LanguageOptions,
    Lexicon,
    join_rows,
    join_surfaces,
    made_up_words,
    make_lexicon,
    zipf_weights,
)

OPTIONS = LanguageOptions(n_topics=5, concepts_per_topic=10, n_background=300)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return make_lexicon(OPTIONS, n_entities=40, seed=3)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**40), st.integers(0, 600))
def test_no_two_made_up_words_are_the_same_term(seed: int, n: int) -> None:
    words = made_up_words(seed, n)
    terms = {tuple(analyze(word)) for word in words.tolist()}
    assert len(terms) == len(words) == n
    assert all(len(term) == 1 for term in terms)
    assert all(
        word.isascii() and word.isalpha() and word.islower() and len(word) > 4 for word in words.tolist()
    )


def test_many_words_are_no_harder() -> None:
    assert len(set(made_up_words(5, 40_000).tolist())) == 40_000


def test_real_words_are_no_stop_words_and_are_not_made_up() -> None:
    english = {*TRANSACTION_MARKERS, *FRESHNESS_MARKERS, *ENTITY_KINDS}
    assert not english & set(STOPWORDS_EN)
    terms = [term for word in english for term in analyze(word)]
    assert len(set(terms)) == len(terms) == len(english)
    assert not set(terms) & {analyze(word)[0] for word in made_up_words(0, 5000).tolist()}


def test_without_homonyms_every_surface_is_its_own() -> None:
    lexicon = make_lexicon(replace(OPTIONS, homonym_share=0.0), n_entities=40, seed=3)
    assert len(set(lexicon.surfaces.tolist())) == len(lexicon.surfaces) == lexicon.concept_offsets[-1]


def owners(lexicon: Lexicon) -> dict[str, list[int]]:
    """Concepts by the first word of each of their surfaces."""
    found: dict[str, list[int]] = {}
    concept_of = np.repeat(np.arange(lexicon.n_concepts), np.diff(lexicon.concept_offsets))
    for surface, concept in zip(
        lexicon.surfaces[lexicon.concept_offsets[0] :], concept_of.tolist(), strict=True
    ):
        found.setdefault(surface.split(" ")[0], []).append(concept)
    return found


def test_a_homonym_means_two_things_of_two_topics() -> None:
    lexicon = make_lexicon(replace(OPTIONS, homonym_share=1.0), n_entities=40, seed=3)
    shared = [concepts for concepts in owners(lexicon).values() if len(concepts) > 1]
    for one, other in shared:
        assert lexicon.concept_topic[one] != lexicon.concept_topic[other]
        assert (one < lexicon.n_topical) == (other < lexicon.n_topical)
        if one < lexicon.n_topical:
            assert one % 10 == other % 10
    # Of five topics, two pairs share the first word at each of ten ranks.
    assert sum(one < lexicon.n_topical for one, _ in shared) == 20
    assert sum(one >= lexicon.n_topical for one, _ in shared) > 5
    assert len(set(lexicon.surfaces[lexicon.concept_offsets[lexicon.n_topical : -1]])) == 40


def test_one_topic_has_no_homonyms() -> None:
    options = LanguageOptions(n_topics=1, concepts_per_topic=3, n_background=5, homonym_share=1.0)
    assert all(len(concepts) == 1 for concepts in owners(make_lexicon(options, 5, seed=0)).values())


def test_concepts_are_laid_out_by_topic_with_entities_last(lexicon: Lexicon) -> None:
    assert lexicon.n_topical == 50
    assert lexicon.n_concepts == 90
    assert lexicon.concept_topic[:50].tolist() == np.repeat(np.arange(5), 10).tolist()
    n_words = np.diff(lexicon.concept_offsets)
    assert set(n_words[:50].tolist()) == {1, 2, 3}
    assert set(n_words[50:].tolist()) == {1}


def test_entities_are_named_as_places_and_brands(lexicon: Lexicon) -> None:
    names = lexicon.surfaces[lexicon.concept_offsets[lexicon.n_topical : -1]]
    for name in names:
        first, kind = name.split(" ")
        assert kind in ENTITY_KINDS
        assert first not in ENTITY_KINDS


def test_markers_are_where_they_are_said_to_be(lexicon: Lexicon) -> None:
    assert tuple(lexicon.surfaces[lexicon.transaction_markers]) == TRANSACTION_MARKERS
    assert tuple(lexicon.surfaces[lexicon.freshness_markers]) == FRESHNESS_MARKERS


def test_synonyms_are_chosen_by_one_over_their_rank(lexicon: Lexicon) -> None:
    # 30,000 draws: a share's standard error is at most .0029, so .015 is five of them.
    concept = int(np.flatnonzero(np.diff(lexicon.concept_offsets) == 3)[0])
    words = lexicon.words_of(np.full(30_000, concept), rng.uniform(1, "words", np.arange(30_000)))
    shares = np.bincount(words - lexicon.concept_offsets[concept], minlength=3) / 30_000
    np.testing.assert_allclose(shares, np.array([6, 3, 2]) / 11, atol=0.015)


def test_a_concept_is_named_by_its_own_words_whatever_the_luck(lexicon: Lexicon) -> None:
    concepts = np.arange(lexicon.n_concepts)
    for luck in (0.0, 0.5, np.nextafter(1.0, 0.0)):
        words = lexicon.words_of(concepts, np.full(lexicon.n_concepts, luck))
        assert np.all((words >= lexicon.concept_offsets[:-1]) & (words < lexicon.concept_offsets[1:]))


def test_no_concept_has_no_word(lexicon: Lexicon) -> None:
    assert lexicon.words_of(np.array([[-1, 0]]), np.zeros((1, 2)))[0, 0] == -1


def test_concepts_stay_within_their_topic(lexicon: Lexicon) -> None:
    topics = rng.integers(0, "topics", 5, np.arange(1000))
    concepts = lexicon.concepts_of(topics, 0, "concepts", np.arange(1000))
    assert np.array_equal(lexicon.concept_topic[concepts], topics)


def test_zipf_weights_are_a_power_of_the_rank() -> None:
    weights = zipf_weights(100, 0.85)
    np.testing.assert_allclose(weights.sum(), 1.0)
    np.testing.assert_allclose(weights[0] / weights[99], 100**0.85)
    np.testing.assert_allclose(zipf_weights(4, 0.0), 0.25)


def test_joining_words() -> None:
    surfaces = np.array(["a", "b", "c d"], dtype=object)
    assert join_surfaces(surfaces, np.array([0, 2, 1]), np.array([0, 2, 2, 3])).tolist() == ["a c d", "", "b"]
    assert join_rows(surfaces, np.array([[1, -1], [2, 0]])).tolist() == ["b", "c d a"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_topics": 0}, "n_topics == 0, must be at least 1"),
        ({"concepts_per_topic": 0}, "concepts_per_topic == 0, must be at least 1"),
        ({"concept_zipf": -0.1}, "concept_zipf == -0.1, must be at least 0"),
        ({"max_synonyms": 4}, "max_synonyms == 4, must be between 1 and 3"),
        ({"n_background": 0}, "n_background == 0, must be at least 1"),
        ({"background_zipf": float("inf")}, "background_zipf == inf, must be at least 0"),
    ],
)
def test_bad_values(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        LanguageOptions(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
