from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import ragged
from mlsd.ratings.pool import pooled, union
from mlsd.types import Candidates


def listed(*items: list[int]) -> Candidates:
    return Candidates(
        ragged.offsets_of_counts(np.array([len(one) for one in items])),
        np.array(list(chain(*items)), dtype=np.int64),
    )


def lists(candidates: Candidates) -> list[list[int]]:
    return [part.tolist() for part in np.split(candidates.items, candidates.offsets[1:-1])]


some = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=6), min_size=3, max_size=3)


@given(some, some)
def test_a_union_is_that_of_sets(mine: list[list[int]], theirs: list[list[int]]) -> None:
    both = union([listed(*mine), listed(*theirs)])
    assert lists(both) == [sorted(set(a) | set(b)) for a, b in zip(mine, theirs, strict=True)]


def test_without_chance_the_pool_is_what_stands_first() -> None:
    found = [listed([5, 3, 9], []), listed([3, 7, 1], [2])]
    pool = pooled(found, 2, 0.0, np.array([10, 20]), 100, seed=0)
    assert lists(pool) == [[3, 5, 7], [2]]
    assert not pool["random"].any()


def test_a_share_is_random_and_says_so() -> None:
    """8 found items and a share of .2: 2 more are drawn, which may be found ones or the same twice."""
    pool = pooled([listed(list(range(8)))], 8, 0.2, np.array([1]), 1_000_000, seed=0)
    assert pool.counts.tolist() == [10]
    assert pool["random"].tolist() == [False] * 8 + [True] * 2
    crowded = pooled([listed(list(range(8)))], 8, 0.2, np.array([1]), 8, seed=0)
    assert lists(crowded) == [list(range(8))]
    assert not crowded["random"].any()


def test_random_items_depend_on_the_request_alone() -> None:
    found, request_id = [listed([1], [2, 3], [4])], np.array([7, 8, 9])
    together = pooled(found, 5, 0.5, request_id, 1000, seed=3)
    alone = pooled([listed([2, 3])], 5, 0.5, request_id[1:2], 1000, seed=3)
    assert lists(alone) == [lists(together)[1]]


def test_who_found_nothing_has_no_pool() -> None:
    assert pooled([listed([], [4])], 5, 0.5, np.array([1, 2]), 10, seed=0).counts[0] == 0


@pytest.mark.parametrize(("share", "n_random"), [(0.1, 2), (0.3, 5), (0.5, 10)])
def test_random_items_are_at_least_their_share(share: float, n_random: int) -> None:
    """10 found items: 10 share / (1 - share) random ones, rounded up; the catalog is too large for chance to
    draw one twice."""
    pool = pooled([listed(*[list(range(10))] * 50)], 10, share, np.arange(50), 10**9, seed=1)
    assert pool.counts.tolist() == [10 + n_random] * 50
