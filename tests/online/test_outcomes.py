from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlsd.metrics.ndcg import NDCG
from mlsd.online.base import retention, totals
from mlsd.online.outcomes import Counter, served_days
from mlsd.online.raters import Raters
from mlsd.serving import serve
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import NO_ITEM, Requests, Served, Slates

WORLD = TinyWorld(n_users=4, seed=2)
RATERS = Raters(metric=NDCG(3), share=1.0, higher_prob=0.0, lower_prob=0.0)


class Satisfied(NamedTuple):
    satisfied: NDArray[np.bool_]


class OpenWorld(TinyWorld):
    """Tells what its users thought."""

    def hidden_responses(self, requests: Requests, slates: Slates) -> Satisfied:
        return Satisfied(self.satisfying(requests, slates) & (slates.items != NO_ITEM))


class TheSame:
    def rank(self, requests: Requests) -> Slates:
        return Slates(np.tile(np.array([1, 0, 2]), (len(requests), 1)))


def counter(world: TinyWorld = WORLD) -> Counter:
    return Counter(world, RATERS, long_click_s=30.0, seed=3)


def a_day_by_hand() -> Served:
    """User 1 asks twice in one session and once in another; user 3 asks once; users 0 and 2 do not come."""
    requests = Requests(
        np.array([10, 11, 12, 13]),
        np.array([1, 1, 1, 3]),
        np.array([0, 0, 1, 0]),
        np.zeros(4),
        {"query_id": np.array([0, 1, 0, 2])},
    )
    items = np.array([[1, 2, 3], [1, NO_ITEM, NO_ITEM], [4, 5, NO_ITEM], [NO_ITEM] * 3])
    click = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0]], bool)
    dwell_s = np.array([[5, 0, 30], [0, 0, 0], [29.9, 0, 0], [0, 0, 0]], np.float32)
    return Served(requests, Slates(items), {"click": click, "dwell_s": dwell_s})


class TestCounts:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("requests", [0, 3, 0, 1]),
            ("impressions", [0, 6, 0, 0]),
            ("clicks", [0, 3, 0, 0]),
            ("successful_requests", [0, 1, 0, 0]),
            ("abandoned_requests", [0, 1, 0, 1]),
            ("sessions", [0, 2, 0, 1]),
            ("successful_sessions", [0, 1, 0, 0]),
        ],
    )
    def test_by_hand(self, name: str, expected: list[int]) -> None:
        assert counter()(a_day_by_hand())[name].tolist() == expected

    def test_verdicts_are_summed_by_user(self) -> None:
        served = a_day_by_hand()
        counts = counter()(served)
        _, truth = RATERS.judge(WORLD, served, seed=3)
        assert counts["graded_sum"][1] == pytest.approx(np.nansum(truth[:3]))
        assert counts["graded"].tolist() == [0, np.isfinite(truth[:3]).sum(), 0, np.isfinite(truth[3])]
        np.testing.assert_array_equal(counts["rated_sum"], counts["graded_sum"])

    def test_satisfaction_where_the_world_tells(self) -> None:
        served = a_day_by_hand()
        assert "satisfied_requests" not in counter()(served)
        world = OpenWorld(n_users=4, seed=2)
        satisfied = world.hidden_responses(served.requests, served.slates).satisfied.any(axis=1)
        expected = np.bincount(served.requests.user, satisfied, 4)
        np.testing.assert_array_equal(counter(world)(served)["satisfied_requests"], expected)

    def test_nobody_came(self) -> None:
        served = serve(WORLD, TheSame(), np.zeros(0, np.int64), 0, WORLD.first_state(), 10)[0]
        counts = counter()(served)
        assert all(values.shape == (4,) and not values.any() for values in counts.values())


class TestTotals:
    def test_days_are_added_up(self) -> None:
        world = TinyWorld(n_users=60, seed=8)
        days = list(
            served_days(counter(world), TheSame(), np.arange(60), range(3, 20), world.first_state(), 10)
        )
        summed = totals(days)
        assert len(days) == 17
        np.testing.assert_array_equal(summed["clicks"], sum(counts["clicks"] for counts, _ in days))
        came = np.stack([came for _, came in days], axis=1)
        np.testing.assert_array_equal(summed["users"], came.any(axis=1))
        np.testing.assert_array_equal(summed["retained"], retention(came)["retained"])

    def test_only_those_asked_are_served(self) -> None:
        world = TinyWorld(n_users=60, seed=8)
        users = np.array([3, 30, 31])
        summed = totals(served_days(counter(world), TheSame(), users, range(14), world.first_state(), 10))
        assert set(np.flatnonzero(summed["requests"])) <= set(users.tolist())


class TestRetention:
    def test_by_hand(self) -> None:
        """Of 14 days: back after 7; back after 6 and 8 only; first seen on day 6 and back; on day 7, late."""
        came = np.zeros((5, 14), bool)
        for user, days in enumerate([(0, 7), (0, 6, 8), (6, 13), (7, 13), ()]):
            came[user, list(days)] = True
        counts = retention(came)
        assert counts["users"].tolist() == [1, 1, 1, 1, 0]
        assert counts["retainable"].tolist() == [1, 1, 1, 0, 0]
        assert counts["retained"].tolist() == [1, 0, 1, 0, 0]

    @given(st.lists(st.lists(st.booleans(), min_size=16, max_size=16), max_size=8))
    @settings(max_examples=50, deadline=None)
    def test_as_told_user_by_user(self, rows: list[list[bool]]) -> None:
        counts = retention(np.array(rows, bool).reshape(-1, 16))
        for user, row in enumerate(rows):
            first = row.index(True) if any(row) else None
            could = first is not None and first <= 16 - 8
            assert counts["retainable"][user] == could
            assert counts["retained"][user] == (could and first is not None and row[first + 7])
