from __future__ import annotations

import numpy as np
import pytest

from mlsd.errors import InvalidValueError
from mlsd.serving import serve
from mlsd.testing.tiny_world import LONG_CLICK_S, TinyWorld
from mlsd.testing.world_kit import LiveWorldKit
from mlsd.types import NO_ITEM, Requests, Slates

WORLD = TinyWorld(n_users=400, n_items=6, n_queries=3, seed=4)


class TestTinyWorld(LiveWorldKit):
    def make_world(self, seed: int) -> TinyWorld:
        return TinyWorld(n_users=120, seed=seed)


class SameForAll:
    """Shows the first items of the catalog, and leaves the last position empty."""

    def rank(self, requests: Requests) -> Slates:
        return Slates(np.tile(np.array([0, 1, 2, 3, NO_ITEM]), (len(requests), 1)))


def test_users_may_be_asked_in_any_order() -> None:
    state = WORLD.first_state()
    some, same = (WORLD.arrivals(np.array(users), 3, state) for users in ([9, 5, 7], [5, 7, 9]))
    np.testing.assert_array_equal(some.request_id, same.request_id)


def test_nobody_clicks_an_empty_position_and_dwell_needs_a_click() -> None:
    served, _ = serve(WORLD, SameForAll(), np.arange(400), 0, WORLD.first_state(), latency_ms=10)
    click, dwell_s = served.feedback["click"], served.feedback["dwell_s"]
    assert not click[:, 4].any()
    np.testing.assert_array_equal(dwell_s > 0, click)
    satisfying = WORLD.satisfying(served.requests, served.slates)
    np.testing.assert_array_equal(dwell_s >= LONG_CLICK_S, click & satisfying)


def test_clicks_follow_examination_and_grade() -> None:
    """Some 1,000 requests a position: 4 standard errors are at most .065."""
    requests = WORLD.arrivals(np.arange(400), 0, WORLD.first_state())
    for day in range(1, 4):
        more = WORLD.arrivals(np.arange(400), day, WORLD.first_state())
        requests = Requests.of_columns(
            {name: np.concatenate([column, more[name]]) for name, column in requests.named_columns().items()}
        )
    slates = SameForAll().rank(requests)
    grades = WORLD.grades()[requests["query_id"][:, None], slates.items[:, :4]]
    expected = WORLD.examination_prob(4) * (1 + 2 * grades) / 8
    found = WORLD.respond(requests, slates, WORLD.first_state())["click"][:, :4]
    np.testing.assert_allclose(found.mean(axis=0), expected.mean(axis=0), atol=0.065)


def test_mood_rises_with_long_clicks_and_falls_with_latency() -> None:
    state, everybody = WORLD.first_state(), np.arange(400)
    served, quick = serve(WORLD, SameForAll(), everybody, 0, state, latency_ms=10)
    _, slow = serve(WORLD, SameForAll(), everybody, 0, state, latency_ms=1000)
    happy = np.unique(served.requests.user[(served.feedback["dwell_s"] >= LONG_CLICK_S).any(axis=1)])
    came = np.isin(everybody, served.requests.user)
    assert (quick["mood"][happy] > state["mood"][happy]).all()
    assert (slow["mood"][came] < quick["mood"][came]).all()
    np.testing.assert_array_equal(quick["mood"][~came], state["mood"][~came])


def test_judgements_list_what_is_relevant() -> None:
    requests = WORLD.arrivals(np.arange(400), 0, WORLD.first_state())
    judged = WORLD.judgements(requests)
    first = slice(judged.offsets[0], judged.offsets[1])
    grades = WORLD.grades()[requests["query_id"][0]]
    np.testing.assert_array_equal(judged.items[first], np.flatnonzero(grades))
    np.testing.assert_array_equal(judged.grades[first], grades[grades > 0])


def test_subtopics_are_even_and_odd_items_where_both_are_relevant() -> None:
    requests = WORLD.arrivals(np.arange(400), 0, WORLD.first_state())
    judged, listed = WORLD.judgements(requests), WORLD.subtopics(requests)
    np.testing.assert_array_equal(listed.items, judged.items)
    for row in range(20):
        of_request = slice(listed.offsets[row], listed.offsets[row + 1])
        odd = listed.items[of_request] % 2
        two = requests["query_id"][row] % 3 > 0 and len(set(odd)) == 2
        np.testing.assert_array_equal(listed.subtopic[of_request], odd if two else 0 * odd)
        assert set(listed.weight[of_request]) == {0.5 if two else 1.0}
    assert set(listed.weight) == {0.5, 1.0}


def test_bad_size() -> None:
    with pytest.raises(InvalidValueError, match="n_users == 0, must be at least 1"):
        TinyWorld(n_users=0)
