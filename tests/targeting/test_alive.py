"""Bits kept up to date in place, against bits made anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InvalidValueError
from mlsd.targeting.alive import Alive
from mlsd.targeting.bitmaps import pack, rows_of

TIMES = st.sampled_from([-np.inf, 0.0, 0.5, 1.0, 1.5, 2.0, np.inf])
NOW = st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 1.25, 2.0, 3.0])
SPANS = st.lists(st.tuples(TIMES, TIMES).map(sorted), min_size=1, max_size=150)
CHANGES = st.lists(
    st.one_of(
        NOW, st.tuples(st.sampled_from(["running", "funded"]), st.lists(st.integers(0, 149)), st.booleans())
    ),
    max_size=8,
)


@given(SPANS, NOW, CHANGES)
def test_any_changes_leave_what_a_new_look_finds(
    spans: list[list[float]], now: float, changes: list[float | tuple[str, list[int], bool]]
) -> None:
    start, end = np.array(spans).T
    alive = Alive(start, end, now)
    flags = {"running": np.ones(len(spans), bool), "funded": np.ones(len(spans), bool)}
    for change in changes:
        if isinstance(change, float):
            now = change
            alive.set_time(now)
        else:
            reason, rows, holds = change
            chosen = np.array([row for row in rows if row < len(spans)], np.int64)
            (alive.set_running if reason == "running" else alive.set_funded)(chosen, holds)
            flags[reason][chosen] = holds
        expected = flags["running"] & flags["funded"] & (start <= now) & (now < end)
        np.testing.assert_array_equal(alive.words, pack(expected))
        assert alive.now_days == now


def test_an_answer_for_each_row() -> None:
    alive = Alive(np.zeros(4), np.ones(4), 0.0)
    alive.set_funded(np.array([3, 1]), np.array([True, False]))
    assert rows_of(alive.words).tolist() == [0, 2, 3]


def test_an_ad_starts_at_its_start_and_is_over_at_its_end() -> None:
    alive = Alive(np.array([1.0]), np.array([2.0]), 1.0)
    assert rows_of(alive.words).tolist() == [0]
    alive.set_time(2.0)
    assert rows_of(alive.words).tolist() == []


def test_the_words_cannot_be_written_to() -> None:
    words = Alive(np.zeros(1), np.ones(1), 0.0).words
    with pytest.raises(ValueError, match="read-only"):
        words[0] = 0


def test_says_what_is_wrong() -> None:
    with pytest.raises(InvalidValueError, match=r"end_days\[1\] == 0\.5, must be at least 1\.0"):
        Alive(np.array([0.0, 1.0]), np.array([1.0, 0.5]), 0.0)
    with pytest.raises(InvalidValueError, match=r"end_days\[0\] == nan"):
        Alive(np.zeros(1), np.array([np.nan]), 0.0)
    with pytest.raises(InvalidValueError, match="now_days == nan, must be a time"):
        Alive(np.zeros(1), np.ones(1), np.nan)
    alive = Alive(np.zeros(2), np.ones(2), 0.0)
    with pytest.raises(InvalidValueError, match="now_days == nan, must be a time"):
        alive.set_time(np.nan)
    for row in (-1, 2):
        with pytest.raises(InvalidValueError, match=rf"ad == {row}, must be a row in \[0, 2\)"):
            alive.set_running(np.array([0, row]), running=False)
    assert rows_of(alive.words).tolist() == [0, 1]
