from __future__ import annotations

import numpy as np
import pytest

from mlsd.types import Requests, concat_requests
from mlsd.worlds.search import SearchWorld


@pytest.fixture(scope="module")
def requests(world: SearchWorld) -> Requests:
    everybody, state = np.arange(world.n_users), world.first_state()
    return concat_requests([world.arrivals(everybody, day, state) for day in range(6)])


def meanings(world: SearchWorld, text: int) -> dict[int, list[int]]:
    """Topic -> the queries of it that have this text."""
    found: dict[int, list[int]] = {}
    for query, row in enumerate(world.all_forms.of_query.tolist()):
        if text in row:
            found.setdefault(int(world.all_queries.topic[query]), []).append(query)
    return dict(sorted(found.items()))


def test_they_are_the_relevant_items_of_each_topic_that_may_be_meant(
    world: SearchWorld, requests: Requests
) -> None:
    subtopics = world.subtopics(requests)
    ambiguous = world.segments(requests)["ambiguity"] == "ambiguous"
    rows = [*np.flatnonzero(ambiguous)[:15], *np.flatnonzero(~ambiguous)[:15]]
    for row in rows:
        expected = set()
        of_topic = meanings(world, int(requests["query_id"][row]))
        total = sum(world.all_queries.weight[queries].sum() for queries in of_topic.values())
        for number, queries in enumerate(of_topic.values()):
            weight = world.all_queries.weight[queries].sum() / total
            for query in queries:
                _, items, grades = world.truth.relevant(np.array([query]), requests.time_days[[row]])
                expected |= {(int(item), number, round(weight, 9)) for item in items[grades >= 2]}
        mine = slice(subtopics.offsets[row], subtopics.offsets[row + 1])
        columns = subtopics.items[mine], subtopics.subtopic[mine], subtopics.weight[mine].round(9)
        got = list(zip(*(column.tolist() for column in columns), strict=True))
        assert got == sorted(expected)


def test_a_clear_request_means_one_thing_and_its_items_are_among_those(
    world: SearchWorld, requests: Requests
) -> None:
    subtopics, judged = world.subtopics(requests), world.judgements(requests)
    clear = world.segments(requests)["ambiguity"] == "clear"
    assert len(subtopics.offsets) == len(requests) + 1
    for row in range(len(requests)):
        mine = slice(subtopics.offsets[row], subtopics.offsets[row + 1])
        own = slice(judged.offsets[row], judged.offsets[row + 1])
        assert set(judged.items[own][judged.grades[own] >= 2]) <= set(subtopics.items[mine])
        if clear[row]:
            assert not np.any(subtopics.subtopic[mine])
            np.testing.assert_allclose(subtopics.weight[mine], 1.0)
    assert subtopics.subtopic.max() >= 1


def test_a_request_alone_means_what_it_means_in_company(world: SearchWorld, requests: Requests) -> None:
    rows = np.arange(len(requests))[::-5]
    some, all_of_them = world.subtopics(requests.take(rows)), world.subtopics(requests).take(rows)
    for name in ("offsets", "items", "subtopic", "weight"):
        np.testing.assert_array_equal(getattr(some, name), getattr(all_of_them, name))
    nobody = world.subtopics(requests.take(rows[:0]))
    assert nobody.offsets.tolist() == [0]
    assert len(nobody.items) == 0
