"""The experiment of a feed: sums against pages, truth by hand, arms that are alike, and bad input."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from math import isnan
from typing import Any

import numpy as np
import pytest

from mlsd.checks import collecting
from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators.concentration import gini
from mlsd.online.base import CONTROL, TREATMENT, assigned_to_treatment, retention, totals
from mlsd.online.exposure import compare_gini
from mlsd.online.feed_test import ACTIONS, GINI, HIDDEN, METRICS, FeedCounter, FeedTest
from mlsd.online.result import ABResult
from mlsd.serving import serve
from mlsd.testing.tiny_world import TinyWorld
from mlsd.types import Requests, Served, Slates, State
from mlsd.worlds.feed import FeedWorld
from mlsd.worlds.feed.posts import PostOptions
from mlsd.worlds.feed.responses import ResponseOptions

VALUES = {"click": 0.25, "like": 1.0, "follow": 4.0, "dwell_s": 2.0, "hide": -8.0}
TEST = FeedTest(values=VALUES)
WORLD = FeedWorld(
    seed=5,
    n_users=250,
    posts=PostOptions(horizon_days=14),
    responses=ResponseOptions(annoyed_logit=-2.0, hide_prob=0.5, follow_logit=-2.5),
)
LATENCIES = {CONTROL: 100.0, TREATMENT: 100.0}
SEED = 11
N_SHOWN = 6


class Newest:
    """Shows everybody the newest posts; with a `favourite`, those by authors of a lower number alone."""

    def __init__(self, favourite: int = 0) -> None:
        author = WORLD.all_posts.author
        kept = author < favourite if favourite else np.ones(len(author), bool)
        self.items = np.flatnonzero(kept)
        self.days = WORLD.all_posts.published_days[self.items]

    def rank(self, requests: Requests) -> Slates:
        first = np.searchsorted(self.days, requests.time_days)
        return Slates(self.items[np.maximum(first[:, None] - 1 - np.arange(N_SHOWN), 0)])


class Watching(Newest):
    """Keeps what it showed."""

    def __init__(self, favourite: int = 0) -> None:
        super().__init__(favourite)
        self.rounds: list[Served] = []

    def settle(self, served: Served) -> Served:
        self.rounds.append(served)
        return served


@cache
def result(favourite: int = 0) -> tuple[ABResult, Watching]:
    watched = Watching(favourite)
    found = TEST.run(WORLD, Newest(), watched, 0, WORLD.first_state(), LATENCIES, SEED)
    return found, watched


class TestArmsThatAreAlike:
    def test_nothing_is_true(self) -> None:
        found, _ = result()
        assert set(found.effects) == {*METRICS, *HIDDEN, GINI}
        for name, effect in found.effects.items():
            assert effect.truth == 0, name

    def test_little_is_found(self) -> None:
        """Sixteen metrics at the 5% level: more than four have a chance of 1 in 1,000, if independent."""
        found, _ = result()
        p_values = {name: effect.estimate.p_value for name, effect in found.effects.items()}
        assert sum(p_value < 0.05 for p_value in p_values.values()) <= 4
        spread = found.effects[GINI].estimate
        assert spread.low < 0 < spread.high
        assert not found.sample_ratio.is_broken


class TestCounts:
    """Of the treatment arm, all of whose pages were kept: against loops over them."""

    def test_sums_are_those_of_the_pages(self) -> None:
        found, watched = result(40)
        table = found.users[found.users["arm"] == TREATMENT].set_index("user")
        by_hand: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        visits = set()
        for served in watched.rounds:
            for row, user in enumerate(served.requests.user.tolist()):
                by_hand["requests"][user] += 1
                visits.add((user, int(served.requests.session[row])))
                for position in range(N_SHOWN):
                    done = {name: float(values[row, position]) for name, values in served.feedback.items()}
                    by_hand["impressions"][user] += 1
                    for action in ACTIONS:
                        by_hand[f"{action}s"][user] += done[action]
                    by_hand["negatives"][user] += bool(done["hide"] or done["report"])
                    by_hand["dwell_s"][user] += done["dwell_s"]
                    read = {**done, "dwell_s": float(done["dwell_s"] >= TEST.long_read_s)}
                    by_hand["value"][user] += sum(value * read[name] for name, value in VALUES.items())
        for user, _ in visits:
            by_hand["sessions"][user] += 1
        for name, of_users in by_hand.items():
            expected = [of_users.get(user, 0.0) for user in table.index]
            np.testing.assert_allclose(table[name], expected, rtol=1e-6, atol=1e-9, err_msg=name)
        assert table["follows"].sum() > 0
        assert table["negatives"].sum() > 0

    def test_who_came_back_the_next_day_and_a_week_later(self) -> None:
        found, watched = result(40)
        days: dict[int, set[int]] = defaultdict(set)
        for served in watched.rounds:
            for user, day in zip(served.requests.user.tolist(), served.requests.day.tolist(), strict=True):
                days[user].add(day)
        table = found.users[found.users["arm"] == TREATMENT].set_index("user")
        for suffix, n in (("_1d", 1), ("", 7)):
            able = {user for user, came in days.items() if min(came) + n < TEST.n_days}
            back = {user for user in able if min(days[user]) + n in days[user]}
            assert set(table.index[table[f"retainable{suffix}"] > 0]) == able
            assert set(table.index[table[f"retained{suffix}"] > 0]) == back
            assert 0 < len(back) < len(able) <= len(days)

    def test_posts_that_satisfied_and_annoyed_are_what_the_world_says(self) -> None:
        """Day by day through the same states; what the state says is what `responses_to` counts."""
        found, _ = result(40)
        state, policy = WORLD.first_state(), Telling(WORLD)
        for day in range(TEST.n_days):
            _, state = serve(policy.world, policy, np.arange(WORLD.n_users), day, state, 100.0)
        table = found.users[found.users["arm"] == TREATMENT].sort_values("user")
        for name, counted in policy.counted.items():
            np.testing.assert_array_equal(table[name], counted, err_msg=name)
            assert counted.sum() > 50


class Telling(Newest):
    """Counts what satisfied and annoyed people, page by page.

    Args:
        world: that is asked, in which each page is counted in the state that it was answered in.
    """

    def __init__(self, world: FeedWorld) -> None:
        super().__init__(40)
        self.counted = {name: np.zeros(world.n_users) for name in ("satisfied", "annoyed")}
        self.world = _Told(self.counted)


class _Told(FeedWorld):
    def __init__(self, counted: dict[str, Any]) -> None:
        super().__init__(**{name: getattr(WORLD, name) for name in WORLD.__dataclass_fields__})
        self.counted = counted

    def noticed(self, served: Served, state: State) -> State:
        done = self.responses_to(served.requests, served.slates, state)
        for name, counted in self.counted.items():
            np.add.at(counted, served.requests.user, getattr(done, name).sum(axis=1))
        return super().noticed(served, state)


class TestTruth:
    def test_it_is_that_of_the_tables_of_everybody(self) -> None:
        found, _ = result(40)
        sums = found.users.groupby("arm")[[name for name in found.users if name not in ("arm", "user")]].sum()
        for name, ratio in {**METRICS, **HIDDEN}.items():
            arms = sums[ratio.numerator] / sums[ratio.denominator]
            assert found.effects[name].truth == pytest.approx(arms[TREATMENT] - arms[CONTROL]), name
        assert found.effects["satisfied_per_page"].truth != 0

    def test_estimates_are_of_the_own_arm_of_each(self) -> None:
        found, _ = result(40)
        own = found.users[found.users["own"]]
        sums = own.groupby("arm")[["value", "requests", "negatives", "impressions"]].sum()
        for name, over, under in (
            ("value_per_page", "value", "requests"),
            ("negative_rate", "negatives", "impressions"),
        ):
            arms = sums[over] / sums[under]
            estimate = found.effects[name].estimate
            assert estimate.control == pytest.approx(arms[CONTROL])
            assert estimate.treatment == pytest.approx(arms[TREATMENT])
            assert estimate.low < estimate.effect < estimate.high

    def test_what_nobody_sees_is_never_estimated(self) -> None:
        found, _ = result(40)
        for name in HIDDEN:
            assert all(isnan(value) for value in found.effects[name].estimate)

    def test_few_authors_are_shown_to_everybody(self) -> None:
        """Only those with a number below 40: the Gini coefficient rises, in truth and in what is found."""
        found, watched = result(40)
        maker = WORLD.catalog["author"]
        shown = np.concatenate([served.slates.items.ravel() for served in watched.rounds])
        by_maker = np.bincount(maker[shown], minlength=WORLD.n_users)[np.unique(maker)]
        np.testing.assert_array_equal(found.exposures[TREATMENT], by_maker)
        effect = found.effects[GINI]
        assert effect.truth == float(gini(by_maker) - gini(found.exposures[CONTROL])) > 0
        assert effect.estimate.low > 0
        assert effect.estimate.low < effect.truth < effect.estimate.high

    def test_the_spread_is_that_of_each_arm_s_own_users(self) -> None:
        found, _ = result(40)
        counters = {arm: FeedCounter(WORLD, TEST) for arm in (CONTROL, TREATMENT)}
        for arm, policy in ((CONTROL, Newest()), (TREATMENT, Newest(40))):
            state = WORLD.first_state()
            for day in range(TEST.n_days):
                served, state = serve(WORLD, policy, np.arange(WORLD.n_users), day, state, 100.0)
                counters[arm](served)
        treated = assigned_to_treatment(np.arange(WORLD.n_users), SEED)
        before, after = (counters[arm].exposure for arm in (CONTROL, TREATMENT))
        expected = compare_gini(before, after, treated, TEST.alpha, SEED)
        assert found.effects[GINI].estimate == pytest.approx(expected, nan_ok=True)


def test_retention_by_hand_for_one_day_and_seven() -> None:
    """User 0 comes on days 0, 1; 1 on 0, 7; 2 on the last day; 3 never; 4 on days 5 and 6 of nine."""
    came = np.zeros((5, 9), bool)
    for user, days in enumerate([(0, 1), (0, 7), (8,), (), (5, 6)]):
        came[user, list(days)] = True
    next_day, week = retention(came, 1), retention(came)
    assert next_day["retainable"].tolist() == [1, 1, 0, 0, 1]
    assert next_day["retained"].tolist() == [1, 0, 0, 0, 1]
    assert week["retainable"].tolist() == [1, 1, 0, 0, 0]
    assert week["retained"].tolist() == [0, 1, 0, 0, 0]
    summed = totals(({"requests": came[:, day] * 2.0}, came[:, day]) for day in range(9))
    assert summed["users"].tolist() == [1, 1, 1, 0, 1]
    assert summed["retained_1d"].tolist() == next_day["retained"].tolist()
    assert summed["retainable_1d"].tolist() == next_day["retainable"].tolist()
    assert summed["retained"].tolist() == week["retained"].tolist()
    assert summed["requests"].tolist() == (2.0 * came.sum(axis=1)).tolist()


def test_values_are_of_what_is_done_and_reading_has_a_threshold() -> None:
    nothing = {action: np.zeros((1, 3), bool) for action in ACTIONS}
    feedback = {**nothing, "like": np.array([[True, False, True]]), "dwell_s": np.array([[19.9, 20.0, 80.0]])}
    np.testing.assert_array_equal(TEST.worth(feedback), [[1.0, 2.0, 3.0]])
    less = FeedTest(values={**VALUES, "dwell_s": None})
    np.testing.assert_array_equal(less.worth(feedback), [[1.0, 0.0, 1.0]])
    hidden = {**feedback, "hide": np.array([[False, True, False]])}
    np.testing.assert_array_equal(TEST.worth(hidden), [[1.0, -6.0, 3.0]])


def test_nobody_takes_part() -> None:
    nobody = np.zeros(0, np.int64)
    found = TEST.run(WORLD, Newest(), Newest(), 0, WORLD.first_state(), LATENCIES, SEED, users=nobody)
    assert all(set(figure.values()) == {None} for figure in found.to_metrics().values())
    assert found.exposures[CONTROL].sum() == 0


def test_every_count_is_named_in_words() -> None:
    counted = {name for ratio in {**METRICS, **HIDDEN}.values() for name in ratio}
    plain = {f"{action}s" for action in ACTIONS} | {"sessions"}
    assert counted - plain <= set(TEST.count_words)


def test_a_world_whose_people_cannot_like_is_refused() -> None:
    world = TinyWorld()
    with pytest.raises(
        InputError, match=r"needs the actions like, reply, repost, follow, hide, report of Tiny"
    ):
        TEST.run(world, Newest(), Newest(), 0, world.first_state(), LATENCIES, SEED)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_days": 13}, "n_days == 13, must be at least 14: 7-day retention follows users for two weeks"),
        ({"alpha": 0.0}, r"alpha == 0.0, must be between 0 and 1, both left out"),
        ({"long_read_s": 0.0}, "long_read_s == 0.0, must be above 0"),
        ({"values": {}}, r"values == {}, must have one that is not null"),
        ({"values": {"like": None}}, r"values == {'like': None}, must have one that is not null"),
        ({"values": {"liked": 1.0}}, r"values == 'liked', must be one of click, like, .*; nearest is 'like'"),
        ({"values": {"like": float("nan")}}, r"values.like == nan, must be finite"),
    ],
)
def test_settings_are_checked(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        FeedTest(**{"values": VALUES, **settings})


def test_all_faults_are_collected() -> None:
    with collecting() as faults:
        FeedTest(values={"lik": 1.0}, n_days=0, alpha=2.0, long_read_s=-1.0)
    assert [fault.name for fault in faults] == ["n_days", "alpha", "long_read_s", "values"]
