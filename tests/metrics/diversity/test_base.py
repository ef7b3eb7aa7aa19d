from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError
from mlsd.metrics.diversity.base import RankedSubtopics
from mlsd.testing.metric_kit import random_subtopics
from mlsd.types import Candidates, Subtopics

served = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=12)
shown = st.lists(st.integers(0, 6), unique=True, max_size=7)


@given(st.lists(st.tuples(served, shown), max_size=5))
def test_rows_are_what_a_loop_finds(requests: list[tuple[set[tuple[int, int]], list[int]]]) -> None:
    listed = subtopics_of([sorted(pairs) for pairs, _ in requests])
    offsets = np.cumsum([0, *(len(items) for _, items in requests)])
    items = np.array([item for _, items in requests for item in items], np.int64)
    ranked = RankedSubtopics.of(Candidates(offsets, items), listed)
    rows = [
        [(place, s) for place, item in enumerate(items) for i, s in sorted(pairs) if i == item]
        for pairs, items in requests
    ]
    flat = [row for of_request in rows for row in of_request]
    assert list(zip(ranked.position.tolist(), ranked.subtopic.tolist(), strict=True)) == flat
    assert np.diff(ranked.offsets).tolist() == [len(of_request) for of_request in rows]
    above = [
        sum(s == subtopic for _, s in of_request[:row])
        for of_request in rows
        for row, (_, subtopic) in enumerate(of_request)
    ]
    assert ranked.earlier.tolist() == above


def subtopics_of(pairs: list[list[tuple[int, int]]]) -> Subtopics:
    """Of (item, subtopic) pairs, ascending, for each request."""
    offsets = np.cumsum([0, *map(len, pairs)])
    items, subtopic = np.array([pair for listed in pairs for pair in listed], np.int64).reshape(-1, 2).T
    return Subtopics(offsets, items, subtopic, np.ones(len(items)))


def test_other_requests_are_refused() -> None:
    with pytest.raises(InputError, match="candidates of 1 requests but subtopics of 2"):
        RankedSubtopics.of(Candidates.none(1), subtopics_of([[], []]))


def test_taken_requests_keep_their_rows() -> None:
    ranked = random_subtopics()
    some = ranked.take(np.array([9, 4]))
    assert len(some) == 2
    assert some.position[: some.offsets[1]].tolist() == (
        ranked.position[ranked.offsets[9] : ranked.offsets[10]].tolist()
    )
