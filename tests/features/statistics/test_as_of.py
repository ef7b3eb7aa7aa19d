from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import rng
from mlsd.errors import InputError
from mlsd.features.statistics.as_of import AsOfCounts
from mlsd.features.statistics.tally import NEVER
from mlsd.types import Floats, Ints


@given(
    st.lists(
        st.tuples(st.integers(-2, 3), st.integers(0, 3), st.integers(-2, 6), st.integers(0, 9)), max_size=40
    )
)
def test_equals_a_sum_over_earlier_events(events: list[tuple[int, int, int, int]]) -> None:
    table = np.array(events, np.int64).reshape(-1, 4)
    counts = AsOfCounts.of([table[:, 0], table[:, 1]], table[:, 2], table[:, 2:].astype(np.float64))
    a, b, day = (part.ravel() for part in np.meshgrid(range(-3, 5), range(-1, 5), range(-4, 9)))
    expected = [
        [sum(e[i] for e in events if (e[0], e[1]) == (x, y) and e[2] < d) for i in (2, 3)]
        for x, y, d in zip(a, b, day, strict=True)
    ]
    assert counts.before([a, b], day).tolist() == expected


def test_state_restores_the_counts() -> None:
    key = rng.integers(0, "keys", 50, np.arange(1000)) - 25
    day = rng.integers(0, "days", 30, np.arange(1000))
    counts = AsOfCounts.of([key], day, rng.uniform(0, "values", np.arange(1000))[:, None])
    restored = AsOfCounts.from_state(counts.state())
    assert np.array_equal(restored.before([key], day), counts.before([key], day))


def test_totals_are_those_of_every_key() -> None:
    counts = AsOfCounts.of([np.array([4, 4, 8])], np.array([0, 5, 6]), np.array([[1.0], [2.0], [4.0]]))
    assert counts.totals_before(6)[:, 0].tolist() == [3.0, 0.0]
    assert counts.totals_before(99)[:, 0].tolist() == [3.0, 4.0]


def test_no_events_count_nothing() -> None:
    nothing = np.zeros(0, np.int64)
    counts = AsOfCounts.of([nothing, nothing], nothing, np.zeros((0, 2)))
    assert counts.before([np.array([1]), np.array([1])], np.array([3])).tolist() == [[0.0, 0.0]]
    assert counts.totals_before(3).shape == (0, 2)


def test_keys_of_any_size_but_not_too_many() -> None:
    huge = np.array([2**62, -(2**62)])
    counts = AsOfCounts.of([huge, huge], np.array([0, 0]), np.ones((2, 1)))
    assert counts.before([huge, huge[::-1]], np.array([1, 1])).tolist() == [[0.0], [0.0]]
    assert counts.before([huge, huge], np.array([1, 1])).tolist() == [[1.0], [1.0]]
    many = np.arange(2**13)
    with pytest.raises(InputError, match="must be fewer than 2\\*\\*63 together"):
        AsOfCounts.of([many] * 5, np.zeros(2**13, np.int64), np.ones((2**13, 1)))


Event = tuple[int, int, int, int]
EVENTS = st.lists(
    st.tuples(st.integers(-2, 3), st.integers(0, 3), st.integers(-2, 6), st.integers(-9, 9)), max_size=40
)


def arrays(events: list[Event]) -> tuple[list[Ints], Ints, Floats]:
    """Key, period and values of events."""
    table = np.array(events, np.int64).reshape(-1, 4)
    return [table[:, 0], table[:, 1]], table[:, 2], table[:, 2:].astype(np.float64)


@given(EVENTS, st.lists(EVENTS, max_size=6))
def test_extended_says_what_counting_all_at_once_says(first: list[Event], pieces: list[list[Event]]) -> None:
    """Whatever the pieces are, and also where they hold periods that were known before."""
    counts = AsOfCounts.of(*arrays(first))
    for piece in pieces:
        counts = counts.extended(*arrays(piece))
    events = [*first, *(event for piece in pieces for event in piece)]
    at_once = AsOfCounts.of(*arrays(events))
    a, b, period = (part.ravel() for part in np.meshgrid(range(-3, 5), range(-1, 5), range(-4, 9)))
    expected = at_once.before([a, b], period)
    for known in (counts, AsOfCounts.from_state(counts.state())):
        past = known.past([a, b], period)
        assert past.sums.tobytes() == expected.tobytes()
        for x, y, p, last in zip(a, b, period, past.last, strict=True):
            before = [e[2] for e in events if (e[0], e[1]) == (x, y) and e[2] < p]
            assert last == max(before, default=NEVER)
        assert known.totals_before(3).tobytes() == at_once.totals_before(3).tobytes()


def test_large_counts_equal_those_looked_up_in_few_rows() -> None:
    """What is looked up in the order of cells, and in blocks, is what it is a few rows at a time."""
    n = 20_000
    rows = np.arange(n)
    key = [rng.integers(1, "users", 300, rows), rng.integers(1, "authors", 40, rows)]
    hour, values = rng.integers(1, "hours", 100, rows), rng.integers(1, "values", 3, rows).astype(np.float64)
    counts = AsOfCounts.of(key, hour, values[:, None])
    together = counts.past(key, hour)
    for start in range(0, n, 997):
        some = slice(start, start + 997)
        few = counts.past([part[some] for part in key], hour[some])
        assert few.sums.tobytes() == together.sums[some].tobytes()
        assert few.last.tobytes() == together.last[some].tobytes()


def test_an_hour_a_call_leaves_few_tallies_and_the_first_as_it_is() -> None:
    n, n_hours = 50_000, 336
    keys = rng.integers(2, "keys", 4_000, np.arange(n))
    counts = first = AsOfCounts.of([keys], np.arange(n) % 100, np.ones((n, 1)))
    for hour in range(100, 100 + n_hours):
        new = rng.integers(2, "new", 5_000, hour, np.arange(20))
        counts = counts.extended([new], np.full(20, hour), np.ones((20, 1)))
        assert len(counts.tallies) <= 8  # 4**7 times 20 is more than the first holds
    assert counts.tallies[0] is first.tallies[0]
    assert counts.totals_before(10**6).sum() == n + 20 * n_hours


def test_what_counts_were_is_not_changed_by_extending_them() -> None:
    counts = AsOfCounts.of([np.array([1])], np.array([0]), np.array([[1.0]]))
    later = counts.extended([np.array([1])], np.array([0]), np.array([[2.0]]))
    assert counts.before([np.array([1])], np.array([1])).tolist() == [[1.0]]
    assert later.before([np.array([1])], np.array([1])).tolist() == [[3.0]]


def test_sums_of_fractions_do_not_grow() -> None:
    """Whole units do: a hundred thousandths of a second."""
    key, day, dwell = [np.array([1, 1])], np.array([0, 1]), np.array([[0.1], [0.2]])
    whole = np.rint(1e5 * dwell)
    counts = AsOfCounts.of(key, day, whole).extended(key, day, whole)
    assert counts.before([np.array([1])], np.array([9])).tolist() == [[60_000.0]]
    with pytest.raises(InputError, match=r"values\[:, 0\]\[0\] == 0.1, must be a whole number: sums of frac"):
        counts.extended(key, day, dwell)
    with pytest.raises(InputError, match="counts of fractions, or of 2\\*\\*53 and more, cannot be extended"):
        AsOfCounts.of(key, day, dwell).extended(key, day, whole)


@given(st.dictionaries(st.tuples(st.integers(0, 3), st.integers(0, 5)), st.floats(-1e6, 1e6), max_size=20))
def test_sums_of_fractions_are_added_period_after_period(cells: dict[tuple[int, int], float]) -> None:
    table = np.array(list(cells), np.int64).reshape(-1, 2)
    counts = AsOfCounts.of([table[:, 0]], table[:, 1], np.array(list(cells.values())).reshape(-1, 1))
    for key in range(4):
        total = reduce(add, [cells[key, day] for day in range(6) if (key, day) in cells], 0.0)
        assert counts.before([np.array([key])], np.array([9]))[0, 0] == total


@pytest.mark.parametrize("n_periods", [3, 5, 9])
def test_keys_that_hardly_or_no_longer_fit_into_one_integer_beside_their_row(n_periods: int) -> None:
    """Cells to about 2**50, 2**50.6 and 2**51.3; a row has 13 bits, the sign one."""
    rows = np.arange(2**12)
    key, period = [rows[::-1]] * 4, rows % n_periods
    counts = AsOfCounts.of(key, period, rows[:, None].astype(np.float64))
    assert counts.before(key, period + 1)[:, 0].tolist() == rows.tolist()
    assert not counts.before(key, period).any()
