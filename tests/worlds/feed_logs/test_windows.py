"""Windows of whole days: against a plain search, in order of time, and refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError, InvalidValueError
from mlsd.logs import SPLITS
from mlsd.worlds.feed_logs.windows import SHARES, checked, first_days, window_of

DAYS = st.lists(st.integers(0, 30), min_size=4, max_size=200).filter(lambda days: len(set(days)) >= 4)


def slow_first_days(day: list[int], shares: dict[str, float]) -> list[int]:
    """Each window in turn: the nearest end among those that leave a day for each of the others."""
    days, firsts, last, wanted = sorted(set(day)), [min(day)], -1, 0.0
    for number, share in enumerate(list(shares.values())[:-1]):
        wanted += share
        choices = range(last + 1, len(days) - (len(shares) - 1 - number))
        so_far = {place: sum(one <= days[place] for one in day) / len(day) for place in choices}
        last = min(choices, key=lambda place: (abs(so_far[place] - wanted), place))
        firsts.append(days[last + 1])
    return firsts


@given(DAYS, st.tuples(*[st.integers(1, 9)] * 4))
def test_windows_end_with_the_nearest_day(day: list[int], parts: tuple[int, ...]) -> None:
    shares = {name: part / sum(parts) for name, part in zip(SPLITS, parts, strict=True)}
    assert first_days("posts", np.array(day), shares).tolist() == slow_first_days(day, shares)


@given(DAYS)
def test_every_window_has_days_and_they_follow_each_other(day: list[int]) -> None:
    days = np.array(sorted(day))
    window = window_of(days, first_days("posts", days, SHARES))
    assert list(dict.fromkeys(window.tolist())) == list(SPLITS)
    order = [SPLITS.index(name) for name in window.tolist()]
    assert order == sorted(order)
    for one in set(day):
        assert len(set(window[days == one].tolist())) == 1


def test_even_days_are_cut_by_their_shares() -> None:
    assert first_days("posts", np.arange(10), SHARES).tolist() == [0, 4, 7, 8]
    assert first_days("posts", np.arange(10)[::-1], SHARES).tolist() == [0, 4, 7, 8]


def test_too_few_days_are_refused() -> None:
    message = "posts has events on 3 days; each of the windows retrieval, ranking, validation, test needs one"
    with pytest.raises(InputError, match=f"^{message}$"):
        first_days("posts", np.array([0, 0, 1, 7]), SHARES)


def test_shares_come_back_in_order() -> None:
    assert list(checked({"test": 0.25, "ranking": 0.25, "validation": 0.25, "retrieval": 0.25})) == list(
        SPLITS
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tets": 0.1}, r"^shares == 'tets', must be one of retrieval, .*; nearest is 'test'$"),
        ({"test": 0.0}, r"^shares\.test == 0\.0, must be between 0 and 1, both left out$"),
        ({"test": 1.0}, r"^shares\.test == 1\.0, must be between 0 and 1, both left out$"),
        ({"test": 0.3}, r"^shares == .*, must add up to 1, not 1\.1$"),
    ],
)
def test_shares_that_are_none_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        checked({**SHARES, **change})
