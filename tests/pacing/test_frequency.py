from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError
from mlsd.pacing.budgets import Budgets
from mlsd.pacing.frequency import Exposures
from mlsd.types import Array, Ints

CAP = np.array([1, 2, 5])

impressions = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), max_size=60)


def columns(rows: list[tuple[int, int]]) -> tuple[Ints, Ints]:
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.int64)


@given(impressions, st.integers(0, 60))
def test_as_a_loop_would_whatever_the_batches(rows: list[tuple[int, int]], cut: int) -> None:
    seen: Counter[tuple[int, int]] = Counter()
    expected = []
    for pair in rows:
        expected.append(seen[pair] < CAP[pair[1]])
        seen[pair] += expected[-1]
    exposures, admitted = Exposures.none(CAP), []
    for batch in (rows[:cut], rows[cut:]):
        user, campaign = columns(batch)
        admits = exposures.admit(user, campaign)
        exposures = exposures.add(user[admits], campaign[admits])
        admitted += admits.tolist()
    assert admitted == expected
    user, campaign = (column.reshape(-1) for column in np.meshgrid(np.arange(4), np.arange(3)))
    pairs = list(zip(user.tolist(), campaign.tolist(), strict=True))
    assert exposures.seen(user, campaign).tolist() == [seen[pair] for pair in pairs]
    assert exposures.below_cap(user, campaign).tolist() == [seen[pair] < CAP[pair[1]] for pair in pairs]


def shown_in_order(rows: list[tuple[int, int]], amount: list[float]) -> list[bool]:
    """Cap, then budget, one impression after the other; each costs 1."""
    exposures, budgets, shown = Exposures.none(CAP), Budgets.of(np.array(amount)), []
    for pair in rows:
        user, campaign = columns([pair])
        admitted: Array = exposures.admit(user, campaign)
        budgets, is_shown, _ = budgets.charge(campaign[admitted], np.ones(admitted.sum()))
        if is_shown.any():
            exposures = exposures.add(user, campaign)
        shown.append(bool(is_shown.any()))
    return shown


@given(impressions, st.lists(st.floats(0, 20), min_size=3, max_size=3))
def test_the_cap_first_and_then_the_budget_is_the_same_in_one_batch(
    rows: list[tuple[int, int]], amount: list[float]
) -> None:
    user, campaign = columns(rows)
    shown = Exposures.none(CAP).admit(user, campaign)
    shown[shown] = Budgets.of(np.array(amount)).charge(campaign[shown], np.ones(shown.sum())).shown
    assert shown.tolist() == shown_in_order(rows, amount)


@pytest.mark.parametrize(
    ("user", "campaign", "message"),
    [
        ([0, 1], [0, 3], r"campaign\[1\] == 3, must be the row of one of 3 campaigns"),
        ([0, 1], [-1, 0], r"campaign\[0\] == -1, must be the row of one of 3 campaigns"),
        ([0, -2], [0, 0], r"user\[1\] == -2, must be from 0 to 3074457345618258601"),
        ([2**62], [0], r"user\[0\] == 4611686018427387904, must be from 0 to"),
        ([0, 1], [0], "user has 2 rows, must have one for each of 1"),
    ],
)
def test_what_is_no_pair_is_refused(user: list[int], campaign: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Exposures.none(CAP).admit(np.array(user), np.array(campaign))


def test_a_cap_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"cap\[1\] == 0, must be at least 1"):
        Exposures.none(np.array([3, 0]))


def test_no_impressions_at_all() -> None:
    none = np.zeros(0, np.int64)
    exposures = Exposures.none(CAP).add(none, none)
    assert exposures.admit(none, none).shape == (0,)
    assert exposures.seen(np.array([1]), np.array([1])).tolist() == [0]
