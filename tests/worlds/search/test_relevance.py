from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from mlsd import ragged, rng
from mlsd.errors import InvalidValueError
from mlsd.types import Floats, Ints
from mlsd.worlds.search import SearchWorld
from mlsd.worlds.search.documents import Documents
from mlsd.worlds.search.queries import INTENTS, NAVIGATIONAL, TRANSACTIONAL, Queries
from mlsd.worlds.search.relevance import Relevance, RelevanceOptions, freshness, make_relevance

OPTIONS = RelevanceOptions()


def documents_of(
    concepts: list[list[int]], authority: float = 1.0, spam: bool = False, transactional: bool = False
) -> Documents:
    n = len(concepts)
    return Documents(
        topic=np.zeros(n, np.int64), concepts=np.array(concepts), official_of=np.full(n, -1),
        spam=np.full(n, spam), transactional=np.full(n, transactional), authority=np.full(n, authority),
        published_days=np.full(n, -90.0), source=np.zeros(n, np.int64),
    )  # fmt: skip


def query_of(concepts: list[int], intent: int = 1, fresh: bool = False) -> Queries:
    zero, one = np.zeros(1, np.int64), np.ones(1)
    text = np.array(["q"], dtype=object)
    words = np.array([[*concepts, -1]])
    return Queries(
        text, zero + intent, zero, np.array([concepts]), np.array([fresh]), one, zero, words, n_topics=1
    )


def scores_of(relevance: Relevance) -> dict[int, float]:
    return dict(zip(relevance.items.tolist(), relevance.scores.tolist(), strict=True))


def test_match_is_a_share_of_the_best_possible() -> None:
    documents = documents_of([[0, 1, -1], [0, 2, 1], [1, -1, -1], [2, -1, -1]])
    scores = scores_of(make_relevance(OPTIONS, query_of([0, 1, -1]), documents, n_concepts=3))
    # (1 + 1/2) / 1.5, (1 + 1/3) / 1.5, 1 / 1.5; nothing of the query: no pair.
    assert scores == pytest.approx({0: 1.0, 1: 8 / 9, 2: 2 / 3})


def test_factors_by_hand() -> None:
    documents = documents_of([[0]], authority=0.25)
    # Authority: 1 - .4 (1 - .5) = .8; the wrong kind costs .7 more; the wrong topic .8 more.
    assert scores_of(make_relevance(OPTIONS, query_of([0]), documents, 1)) == pytest.approx({0: 0.8})
    wrong_kind = query_of([0], intent=TRANSACTIONAL)
    assert scores_of(make_relevance(OPTIONS, wrong_kind, documents, 1)) == pytest.approx({0: 0.56})
    elsewhere = Documents(**{**vars(documents), "topic": np.array([3])})
    assert scores_of(make_relevance(OPTIONS, wrong_kind, elsewhere, 1)) == pytest.approx({0: 0.448})


def test_an_official_page_has_the_full_score_and_others_half_at_most() -> None:
    documents = documents_of([[0, -1], [0, -1], [1, 0]], authority=0.0)
    documents.official_of[0] = 0
    relevance = make_relevance(OPTIONS, query_of([0, -1], intent=NAVIGATIONAL), documents, 2)
    assert scores_of(relevance) == pytest.approx({0: 1.0, 1: 0.5 * 0.6})
    grades = relevance.grades(np.zeros(3, np.int64), np.arange(3), np.zeros(3))
    assert grades.tolist() == [4, 1, 0]


def test_spam_is_never_relevant() -> None:
    spam = documents_of([[0], [0]], spam=True)
    assert len(make_relevance(OPTIONS, query_of([0]), spam, 1).items) == 0
    assert make_relevance(OPTIONS, query_of([0]), spam, 1).grades(
        np.zeros(2, np.int64), np.arange(2), np.zeros(2)
    ).tolist() == [0, 0]


def test_freshness_is_lost_by_half_lives() -> None:
    assert freshness(OPTIONS, np.array([0.0, 90.0, 180.0, 1e9])).tolist() == [1.0, 0.75, 0.625, 0.5]


def test_grades_fall_with_time_where_something_new_is_asked_for() -> None:
    documents = documents_of([[0]])
    times = np.array([0.0, 90.0, 1e6])
    zeros = np.zeros(3, np.int64)
    fresh = make_relevance(OPTIONS, query_of([0], fresh=True), documents, 1)
    # Published 90 days before day 0: 1 - .5 (1 - 1/2) = .75, 1 - .5 (1 - 1/4) = .625, 1 - .5.
    assert fresh.grades(zeros, zeros, times).tolist() == [4, 3, 2]
    lasting = make_relevance(OPTIONS, query_of([0]), documents, 1)
    assert lasting.grades(zeros, zeros, times).tolist() == [4, 4, 4]


def brute_force(world: SearchWorld, query: int, time_days: float) -> Ints:
    """The formula, one document at a time."""
    queries, documents, options = world.all_queries, world.all_documents, world.relevance
    asked = [int(concept) for concept in queries.concepts[query] if concept >= 0]
    best = sum(1 / (place + 1) for place in range(len(asked)))
    grades = []
    for item in range(len(documents)):
        places = {int(c): place for place, c in enumerate(documents.concepts[item]) if c >= 0}
        score = sum(1 / (places[c] + 1) for c in asked if c in places) / best
        score *= not documents.spam[item]
        score *= 1.0 if documents.topic[item] == queries.topic[query] else options.other_topic
        if INTENTS[queries.intent[query]] == "navigational":
            score *= options.not_official
        elif (INTENTS[queries.intent[query]] == "transactional") != documents.transactional[item]:
            score *= options.other_kind
        score *= 1 - options.authority_weight * (1 - sqrt(documents.authority[item]))
        if queries.fresh[query]:
            age = time_days - documents.published_days[item]
            score *= 1 - options.freshness_weight * (1 - 2 ** (-age / options.half_life_days))
        if INTENTS[queries.intent[query]] == "navigational" and documents.official_of[item] == asked[0]:
            score = 1.0
        grades.append(sum(score >= threshold for threshold in options.thresholds))
    return np.array(grades)


def test_the_fast_way_agrees_with_the_formula(world: SearchWorld) -> None:
    some = rng.integers(0, "some_queries", len(world.all_queries), np.arange(25))
    fresh = np.flatnonzero(world.all_queries.fresh)[:5]
    for query in np.concatenate([some, fresh]):
        time_days = float(query % 30)
        expected = brute_force(world, int(query), time_days)
        everything = np.arange(world.n_items)
        got = world.truth.grades(np.full(world.n_items, query), everything, np.full(world.n_items, time_days))
        np.testing.assert_array_equal(got, expected)


def test_what_is_relevant_is_what_is_graded(world: SearchWorld) -> None:
    queries = np.repeat(np.arange(len(world.all_queries)), 2)
    times = rng.uniform(0, "times", np.arange(len(queries))) * 30
    offsets, items, grades = world.truth.relevant(queries, times)
    asked = ragged.segment_ids(offsets)
    np.testing.assert_array_equal(world.truth.grades(queries[asked], items, times[asked]), grades)
    others = rng.integers(0, "items", world.n_items, np.arange(len(queries))[:, None], np.arange(30))
    found = world.truth.grades(np.repeat(queries, 30), others.reshape(-1), np.repeat(times, 30))
    listed = {(int(a), int(b)): int(g) for a, b, g in zip(asked, items, grades, strict=True)}
    rows = np.repeat(np.arange(len(queries)), 30)
    expected = [listed.get((int(r), int(i)), 0) for r, i in zip(rows, others.reshape(-1), strict=True)]
    assert found.tolist() == expected


def test_no_item_has_no_grade(world: SearchWorld) -> None:
    queries = np.arange(1, len(world.all_queries))
    none = np.full(len(queries), -1)
    assert not np.any(world.truth.grades(queries, none, np.zeros(len(queries))))


def test_every_navigational_query_has_one_page_of_grade_4(world: SearchWorld) -> None:
    navigational = np.flatnonzero(world.all_queries.intent == NAVIGATIONAL)
    offsets, items, grades = world.truth.relevant(navigational, np.zeros(len(navigational)))
    assert np.all(ragged.sums((grades == 4).astype(np.int64), offsets) == 1)
    best = items[grades == 4]
    entities = world.all_queries.concepts[navigational, 0]
    np.testing.assert_array_equal(world.all_documents.official_of[best], entities)
    assert grades[grades < 4].max() <= 2


def test_no_spam_is_relevant_to_anything(world: SearchWorld) -> None:
    queries = np.arange(len(world.all_queries))
    _, items, _ = world.truth.relevant(queries, np.zeros(len(queries)))
    assert not np.any(world.all_documents.spam[items])


def test_there_are_fewer_items_of_each_higher_grade(world: SearchWorld) -> None:
    others = np.flatnonzero(world.all_queries.intent != NAVIGATIONAL)
    _, _, grades = world.truth.relevant(others, np.zeros(len(others)))
    counts: Floats = np.bincount(grades, minlength=5)[1:].astype(np.float64)
    assert np.all(np.diff(counts) < 0)
    assert counts[-1] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"other_topic": 1.2}, "other_topic == 1.2, must be between 0 and 1"),
        ({"half_life_days": 0.0}, "half_life_days == 0.0, must be above 0"),
        (
            {"thresholds": [0.1, 0.2, 0.3]},
            "thresholds == [0.1, 0.2, 0.3], must be 4 rising numbers in (0, 1]",
        ),
        (
            {"thresholds": [0.1, 0.3, 0.2, 0.4]},
            "thresholds == [0.1, 0.3, 0.2, 0.4], must be 4 rising numbers in (0, 1]",
        ),
        (
            {"thresholds": [0.0, 0.3, 0.4, 0.5]},
            "thresholds == [0.0, 0.3, 0.4, 0.5], must be 4 rising numbers in (0, 1]",
        ),
    ],
)
def test_bad_values(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        RelevanceOptions(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
