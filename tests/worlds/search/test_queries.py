from __future__ import annotations

import numpy as np
import pytest

from mlsd import rng
from mlsd.errors import InvalidValueError
from mlsd.worlds.search.queries import (
    INFORMATIONAL,
    NAVIGATIONAL,
    TRANSACTIONAL,
    Queries,
    QueryOptions,
    make_queries,
)
from mlsd.worlds.search.vocabulary import (
    FRESHNESS_MARKERS,
    TRANSACTION_MARKERS,
    LanguageOptions,
    Lexicon,
    make_lexicon,
)

OPTIONS = QueryOptions()
N = 5000


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return make_lexicon(LanguageOptions(), n_entities=1000, seed=4)


@pytest.fixture(scope="module")
def queries(lexicon: Lexicon) -> Queries:
    return make_queries(OPTIONS, lexicon, N, seed=4)


def test_queries_are_distinct_in_their_topic_and_in_alphabetical_order(queries: Queries) -> None:
    texts = queries.text.tolist()
    assert len(texts) == N
    assert texts == sorted(texts)
    assert len(set(zip(texts, queries.topic.tolist(), strict=True))) == N


def test_some_texts_are_asked_for_by_two_topics(queries: Queries) -> None:
    texts, counts = np.unique(queries.text.astype(str), return_counts=True)
    assert counts.max() == 2
    intents = [set(queries.intent[queries.text == text].tolist()) for text in texts[counts == 2]]
    assert any(NAVIGATIONAL in of_text for of_text in intents)
    assert any(NAVIGATIONAL not in of_text for of_text in intents)


def test_without_homonyms_every_text_is_its_own() -> None:
    lexicon = make_lexicon(LanguageOptions(homonym_share=0.0), n_entities=1000, seed=4)
    texts = make_queries(OPTIONS, lexicon, N, seed=4).text.tolist()
    assert len(set(texts)) == len(texts) == N


def test_words_name_the_concepts_beside_them(queries: Queries, lexicon: Lexicon) -> None:
    rows, places = np.nonzero(queries.concepts >= 0)
    concepts, words = queries.concepts[rows, places], queries.words[rows, places]
    assert np.all(words >= lexicon.concept_offsets[concepts])
    assert np.all(words < lexicon.concept_offsets[concepts + 1])


def test_intents_come_in_their_declared_shares(queries: Queries) -> None:
    # Navigational by a Weyl sequence, so to within rounding; the others lose repeated texts unevenly.
    shares = np.bincount(queries.intent) / N
    np.testing.assert_allclose(shares, np.array([0.20, 0.48, 0.30]) / 0.98, atol=0.03)
    np.testing.assert_allclose(shares[NAVIGATIONAL], 0.20 / 0.98, atol=0.001)


def test_requests_have_about_the_same_intents_as_queries(queries: Queries) -> None:
    # The three most popular queries make up 10% of the requests, so that their intents count for .1 in all.
    shares = np.bincount(queries.intent, queries.weight)
    np.testing.assert_allclose(shares, np.array([0.20, 0.48, 0.30]) / 0.98, atol=0.1)


def test_popularity_is_a_power_of_the_rank(queries: Queries) -> None:
    weights = np.sort(queries.weight)[::-1]
    slope = np.polyfit(np.log(np.arange(1, N + 1)), np.log(weights), 1)[0]
    np.testing.assert_allclose(slope, -OPTIONS.popularity_zipf, rtol=1e-6)
    np.testing.assert_allclose(weights.sum(), 1.0)


def test_head_torso_and_tail_share_the_requests(queries: Queries) -> None:
    shares = np.bincount(queries.popularity, queries.weight)
    np.testing.assert_allclose(shares, [1 / 3, 1 / 3, 1 / 3], atol=0.02)
    lowest_of_head = queries.weight[queries.popularity == 0].min()
    assert queries.weight[queries.popularity == 1].max() < lowest_of_head
    assert np.count_nonzero(queries.popularity == 0) < np.count_nonzero(queries.popularity == 2)


def test_lengths_of_requests_come_in_their_declared_shares(queries: Queries) -> None:
    others = queries.intent != NAVIGATIONAL
    n_words = np.array([len(text.split()) for text in queries.text])[others]
    weight = queries.weight[others] / queries.weight[others].sum()
    shares = np.bincount(n_words, weight, minlength=5)[1:]
    # A share p has a standard error of sqrt(p (1 - p) sum of squared weights), at most .04; 2.5 of them.
    assert np.sum(weight**2) < 0.0075
    np.testing.assert_allclose(shares, np.array([0.31, 0.31, 0.18, 0.07]) / 0.87, atol=0.1)
    assert n_words.max() <= 4


def test_navigational_queries_name_an_entity_whole_or_by_its_first_word(
    queries: Queries, lexicon: Lexicon
) -> None:
    rows = np.flatnonzero(queries.intent == NAVIGATIONAL)
    entities = queries.concepts[rows, 0]
    assert np.all(entities >= lexicon.n_topical)
    assert np.all(queries.concepts[rows, 1:] == -1)
    for row, entity in zip(rows, entities, strict=True):
        name = lexicon.surfaces[lexicon.concept_offsets[entity]]
        assert queries.text[row] in {name, name.split()[0]}
    assert len(np.unique(entities)) == 1000
    whole = [" " in text for text in queries.text[rows]]
    assert 0.4 < np.mean(whole) < 0.6


def test_other_queries_name_concepts_of_their_topic(queries: Queries, lexicon: Lexicon) -> None:
    others = queries.intent != NAVIGATIONAL
    held = queries.concepts >= 0
    assert np.all(held[:, 0])
    rows, places = np.nonzero(held & others[:, None])
    concepts = queries.concepts[rows, places]
    assert np.array_equal(lexicon.concept_topic[concepts], queries.topic[rows])
    surfaces = lexicon.surfaces
    for row, concept in zip(rows, concepts, strict=True):
        names = surfaces[lexicon.concept_offsets[concept] : lexicon.concept_offsets[concept + 1]]
        assert set(names.tolist()) & set(queries.text[row].split())


def test_some_transactional_and_fresh_queries_say_so(queries: Queries) -> None:
    last = np.array([text.split()[-1] for text in queries.text])
    long = np.array([" " in text for text in queries.text])
    trade, new = np.isin(last, TRANSACTION_MARKERS), np.isin(last, FRESHNESS_MARKERS)
    assert np.all(queries.fresh[new])
    assert np.all(queries.intent[trade] == TRANSACTIONAL)
    sought = long & (queries.intent == TRANSACTIONAL) & ~queries.fresh
    assert abs(trade[sought].mean() - 0.5) < 0.1
    assert abs(new[long & queries.fresh].mean() - 0.5) < 0.15


def test_freshness_is_asked_for_as_often_as_declared(queries: Queries) -> None:
    others = queries.intent != NAVIGATIONAL
    assert not np.any(queries.fresh & ~others)
    # A share of 3,980 has a standard error of .0048.
    assert abs(queries.fresh[others].mean() - 0.1) < 0.024


def test_drawing_follows_popularity_within_a_topic(queries: Queries) -> None:
    n = 50_000
    drawn = queries.draw(np.full(n, 7), rng.uniform(0, "draw", np.arange(n)))
    assert np.all(queries.topic[drawn] == 7)
    expected = np.where(queries.topic == 7, queries.weight, 0.0) / queries.topic_weight[7]
    # The largest standard error of a share is .0022.
    assert np.max(np.abs(np.bincount(drawn, minlength=N) / n - expected)) < 0.011


def test_extreme_luck_stays_within_the_topic(queries: Queries) -> None:
    topics = np.arange(queries.n_topics)
    for luck in (0.0, np.nextafter(1.0, 0.0)):
        assert np.array_equal(queries.topic[queries.draw(topics, np.full(len(topics), luck))], topics)


def test_a_poor_language_makes_fewer_queries() -> None:
    lexicon = make_lexicon(LanguageOptions(n_topics=1, concepts_per_topic=2, n_background=5), 3, seed=0)
    few = make_queries(OPTIONS, lexicon, 1000, seed=0)
    assert len(few) < 1000
    assert len(set(few.text.tolist())) == len(few)
    assert np.count_nonzero(few.intent == NAVIGATIONAL) == 6
    np.testing.assert_allclose(few.weight.sum(), 1.0)


@pytest.mark.parametrize("intent", ["navigational", "informational", "transactional"])
def test_one_intent_alone(lexicon: Lexicon, intent: str) -> None:
    shares = {name: float(name == intent) for name in ("navigational", "informational", "transactional")}
    made = make_queries(QueryOptions(intent_shares=shares), lexicon, 50, seed=1)
    number = {"navigational": NAVIGATIONAL, "informational": INFORMATIONAL, "transactional": TRANSACTIONAL}
    assert np.all(made.intent == number[intent])
    assert len(made) == 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"intent_shares": {"navigational": 1.0}},
            "intent_shares == ['navigational'], must name navigational, informational, transactional",
        ),
        ({"n_words_shares": []}, "n_words_shares == [], must not be empty"),
        ({"n_words_shares": [0.5, -0.5]}, "n_words_shares[1] == -0.5, must be between 0 and 1"),
        ({"n_words_shares": [0.0]}, "sum of n_words_shares == 0.0, must be above 0"),
        ({"popularity_zipf": -1.0}, "popularity_zipf == -1.0, must be at least 0"),
        ({"fresh_share": 1.1}, "fresh_share == 1.1, must be between 0 and 1"),
        ({"marker_prob": 2.0}, "marker_prob == 2.0, must be between 0 and 1"),
        ({"head_share": 0.6}, "head_share == 0.6, must be between 0 and 0.5"),
    ],
)
def test_bad_values(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        QueryOptions(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
