from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import rng
from mlsd.errors import InputError
from mlsd.features.statistics.as_of import AsOfCounts


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
