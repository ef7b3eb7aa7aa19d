from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlsd.worlds.visits.base import Numbering


@given(st.integers(1, 50), st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6))
def test_ids_and_moments_are_each_others_inverse(n_users: int, places: int, tries: int, first: int) -> None:
    numbering, ids = Numbering(n_users, places, tries), np.arange(first, first + 30)
    moments = numbering.moments(ids)
    assert np.array_equal(numbering.ids(moments), ids)
    for part, end in ((moments.user, n_users), (moments.place, places), (moments.attempt, tries)):
        assert part.min() >= 0
        assert part.max() < end


def test_a_day_comes_before_the_next() -> None:
    moments = Numbering(3, 2, 2).moments(np.arange(24))
    assert moments.day.tolist() == [0] * 12 + [1] * 12
    assert moments.attempt.tolist() == [0, 1] * 12
