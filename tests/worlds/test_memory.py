"""What was seen, beside a table of all people and campaigns."""

from __future__ import annotations

import numpy as np

from mlsd import rng
from mlsd.worlds.memory.base import Seen

N_PEOPLE, N_CAMPAIGNS, N_DAYS = 40, 30, 12
KEPT = 0.7


def test_times_are_those_of_a_whole_table_to_the_last_bit() -> None:
    """Three rounds a day, some pairs several times in one; every other day only half of the people fade."""
    seen, table = Seen.nothing(N_CAMPAIGNS), np.zeros((N_PEOPLE, N_CAMPAIGNS), np.float32)
    rows = np.arange(60)
    everywhere = np.divmod(np.arange(N_PEOPLE * N_CAMPAIGNS), N_CAMPAIGNS)
    for day in range(N_DAYS):
        for part in range(3):
            person = rng.integers(0, "people", N_PEOPLE, rows, day, part)
            campaign = rng.integers(0, "campaigns", N_CAMPAIGNS, rows // 2, day, part)
            seen = seen.added(person, campaign)
            np.add.at(table, (person, campaign), np.float32(1))
        people = np.arange(0, N_PEOPLE, 1 + day % 2)
        seen = seen.faded(people, KEPT)
        table[people] *= np.float32(KEPT)
        np.testing.assert_array_equal(seen.of(*everywhere), table.reshape(-1))
    assert np.all(np.diff(seen.pair) > 0)
    assert len(seen.pair) == np.count_nonzero(table) < table.size
    assert table.max() > 3


def test_a_page_is_looked_up_at_once() -> None:
    seen = Seen.nothing(5).added(np.array([1, 1]), np.array([0, 4]))
    assert seen.of(np.array([[1], [0]]), np.array([0, 3, 4])).tolist() == [[1, 0, 1], [0, 0, 0]]


def test_what_comes_after_leaves_what_was_before() -> None:
    before = Seen.nothing(5).added(np.array([2]), np.array([3]))
    before.added(np.array([2, 0]), np.array([3, 1])).faded(np.array([2]), 0.5)
    assert (before.pair.tolist(), before.times.tolist()) == ([13], [1])


def test_nothing_new_is_the_same() -> None:
    seen = Seen.nothing(5).added(np.array([2]), np.array([3]))
    none = np.zeros(0, np.int64)
    for same in (seen.added(none, none), seen.faded(none, 0.5), Seen.of_state(seen.state(), 5)):
        assert (same.pair.tolist(), same.times.tolist()) == ([13], [1])
    assert Seen.nothing(5).added(none, none).of(np.array([2]), np.array([3])).tolist() == [0]
