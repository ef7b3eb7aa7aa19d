"""Bits against flags."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.targeting import bitmaps

ROWS = st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(n - 1, 0)))))


@given(ROWS)
def test_rows_come_back(drawn: tuple[int, set[int]]) -> None:
    n_rows, rows = drawn[0], sorted(drawn[1] if drawn[0] else ())
    words = bitmaps.pack_rows(np.array(rows, np.int64), n_rows)
    assert words.shape == (-(-n_rows // 64),)
    assert bitmaps.rows_of(words).tolist() == rows
    assert bitmaps.count(words) == len(rows)
    assert [word >> bit & 1 for word in words.tolist() for bit in range(64)] == [
        int(row in rows) for row in range(64 * len(words))
    ]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.0999, 0.1001, 0.5, 1.0])
def test_rows_are_those_of_the_flags_however_many(share: float) -> None:
    flags = np.zeros(100_003, bool)
    flags[: round(share * len(flags))] = True
    flags = np.random.default_rng(7).permutation(flags)
    rows = bitmaps.rows_of(bitmaps.pack(flags))
    assert rows.dtype == np.int64
    np.testing.assert_array_equal(rows, np.flatnonzero(flags))


def test_flags_of_many_sets_are_packed_side_by_side() -> None:
    flags = np.random.default_rng(7).random((3, 70)) < 0.5
    np.testing.assert_array_equal(bitmaps.pack(flags), [bitmaps.pack(row) for row in flags])


@given(ROWS, st.integers(1, 320))
def test_the_first_rows_are_those_of_all(drawn: tuple[int, set[int]], n: int) -> None:
    words = bitmaps.pack_rows(np.array(sorted(drawn[1] if drawn[0] else ()), np.int64), drawn[0])
    assert bitmaps.first_rows_of(words, n).tolist() == bitmaps.rows_of(words)[:n].tolist()
