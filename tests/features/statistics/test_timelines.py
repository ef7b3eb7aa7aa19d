"""Events by user and time against loops over them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlsd.features.statistics.timelines import Timelines, joined
from mlsd.types import hours_of

Event = tuple[int, float, int, int, int]
"""User, time, request, position and value."""

QUARTERS = st.integers(0, 400).map(lambda quarter: quarter / 96)
"""Times four to an hour, so that many events share an hour or a time."""

EVENTS = st.lists(
    st.tuples(st.integers(-2, 4), QUARTERS, st.integers(0, 9), st.integers(0, 3), st.integers(1, 50)),
    max_size=40,
)
ASKED = st.lists(st.tuples(st.integers(-3, 5), st.integers(-2, 110)), min_size=1, max_size=10)


def timelines(events: list[Event]) -> Timelines:
    if not events:
        return Timelines.none()
    user, time_days, request_id, position, value = map(np.array, zip(*events, strict=True))
    return Timelines.of(user, time_days, request_id, position, value)


def by_loops(events: list[Event], user: int, hour: int, length: int) -> list[int]:
    """The last events of a user before an hour, looked for one by one."""
    own = [one for one in events if one[0] == user and int(hours_of(np.array([one[1]]))[0]) < hour]
    own.sort(key=lambda one: one[1:4])
    values = [one[4] for one in reversed(own)][:length]
    return values + [0] * (length - len(values))


@given(EVENTS, ASKED, st.integers(1, 5))
def test_the_last_before_an_hour_are_those_that_loops_find(
    events: list[Event], asked: list[tuple[int, int]], length: int
) -> None:
    user, hour = map(np.array, zip(*asked, strict=True))
    distinct = list({one[:4]: one for one in events}.values())
    found = timelines(distinct).last(user, hour, length)
    assert found.tolist() == [by_loops(distinct, *one, length) for one in asked]
    assert found.dtype == np.int64


@given(EVENTS, st.integers(0, 100))
def test_events_of_later_hours_follow_as_if_all_had_been_told_at_once(events: list[Event], cut: int) -> None:
    distinct = list({one[:4]: one for one in events}.values())
    hours = hours_of(np.array([one[1] for one in distinct]))
    before = [one for one, hour in zip(distinct, hours, strict=True) if hour < cut]
    after = [one for one, hour in zip(distinct, hours, strict=True) if hour >= cut]
    grown, whole = timelines(before).followed_by(timelines(after)), timelines(distinct)
    assert same(grown, whole)


@given(EVENTS, st.sets(st.integers(0, 9)))
def test_requests_in_any_order_of_time_follow_likewise(events: list[Event], first: set[int]) -> None:
    """Each request is told of as a whole, at whatever time."""
    distinct = list({one[:4]: one for one in events}.values())
    told = [one for one in distinct if one[2] in first], [one for one in distinct if one[2] not in first]
    assert same(timelines(told[0]).followed_by(timelines(told[1])), timelines(distinct))


@given(EVENTS)
def test_state_is_all_there_is(events: list[Event]) -> None:
    assert same(Timelines.from_state(timelines(events).state()), timelines(events))


def test_nothing_is_before_the_first_and_all_before_the_last_hour() -> None:
    past = timelines([(3, 1.0, 0, 0, 7)])
    assert past.hours == (24, 24)
    assert past.last(np.full(3, 3), np.array([24, 25, 9_999]), 2).tolist() == [[0, 0], [7, 0], [7, 0]]
    assert Timelines.none().last(np.array([3]), np.array([5]), 2).tolist() == [[0, 0]]


@given(st.lists(st.integers(1, 9), max_size=4), st.lists(st.integers(1, 9), max_size=4))
def test_what_is_recent_comes_before_what_is_earlier(recent: list[int], earlier: list[int]) -> None:
    filled = (np.array([values + [0] * (4 - len(values))]) for values in (recent, earlier))
    assert joined(*filled)[0].tolist() == (recent + earlier + [0] * 4)[:4]


def same(one: Timelines, other: Timelines) -> bool:
    states = one.state(), other.state()
    return all(np.array_equal(states[0][name], states[1][name]) for name in states[0])
