from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from mlsd.errors import InvalidValueError
from mlsd.worlds.search.queries import QueryOptions, make_queries
from mlsd.worlds.search.users import UserOptions, Users
from mlsd.worlds.search.vocabulary import LanguageOptions, make_lexicon

N = 4000
EVERYBODY = np.arange(N)


def users_of(seed: int = 6, n_users: int = N, n_tries: int = 1, **options: object) -> Users:
    lexicon = make_lexicon(LanguageOptions(n_topics=8, n_background=50), 60, seed=1)
    queries = make_queries(QueryOptions(), lexicon, 500, seed=1)
    return Users(UserOptions(**options), queries, n_users, seed, n_tries)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def users() -> Users:
    return users_of()


def test_users_ask_as_often_as_declared(users: Users) -> None:
    n = [len(users.come(EVERYBODY, day, users.first_state()).user) for day in range(30)]
    # P(visit) has a standard deviation below .25 over 4,000 users: a standard error below 1.6% of its mean.
    np.testing.assert_allclose(np.mean(n) / N, 0.35, rtol=0.05)


def test_activity_is_gamma_distributed() -> None:
    users = users_of(activity_shape=2.0, queries_per_visit=[1.0])
    rate = -np.log1p(-expit(users.visit_logit))
    # A visit with probability .35 on average: 1 - (1 + s)^-2 = .35, so s = .2403; mean 2 s, variance 2 s^2.
    # Standard errors of 4,000 draws: 1.1% and 3.5%.
    np.testing.assert_allclose(rate.mean(), 2 * 0.2403, rtol=0.05)
    np.testing.assert_allclose(rate.var(), 2 * 0.2403**2, rtol=0.15)


def test_affinity_is_log_normal_with_mean_one(users: Users) -> None:
    # 32,000 draws with a standard deviation of 1.31: a standard error of .0073.
    assert abs(users.affinity.mean() - 1.0) < 0.037
    assert abs(np.log(users.affinity).std() - 1.0) < 0.02


def test_users_ask_about_what_interests_them(users: Users) -> None:
    state = users.first_state()
    asked = [users.come(EVERYBODY, day, state) for day in range(20)]
    user = np.concatenate([each.user for each in asked])
    topic = users.queries.topic[np.concatenate([users.query_of(each) for each in asked])]
    expected = users.affinity * users.queries.topic_weight
    expected = expected / expected.sum(axis=1, keepdims=True)
    shares = np.bincount(topic, minlength=8) / len(topic)
    # About 24,000 requests, few of each user: their average wish, to within 5 standard errors of .003.
    np.testing.assert_allclose(shares, expected[user].mean(axis=0), atol=0.015)
    assert expected[user, topic].mean() > 1.5 * expected[user, (topic + 1) % 8].mean()


def test_the_number_of_queries_of_a_visit(users: Users) -> None:
    asked = users.come(EVERYBODY, 3, users.first_state())
    n_queries = np.bincount(np.unique(asked.user, return_counts=True)[1], minlength=4)[1:]
    # About 900 visits: standard errors below .016.
    np.testing.assert_allclose(n_queries / n_queries.sum(), np.array([67, 19, 7]) / 93, atol=0.07)


def test_request_ids_name_day_user_and_place(users: Users) -> None:
    asked = users.come(EVERYBODY, 5, users.first_state())
    request_id = users.numbering.ids(asked)
    assert np.all(np.diff(request_id) > 0)
    assert np.array_equal(request_id // 3 // N, np.full(len(asked.user), 5))
    assert np.array_equal(request_id // 3 % N, asked.user)
    first = request_id % 3 == 0
    assert np.array_equal(np.unique(asked.user), asked.user[first])


def test_queries_of_a_visit_follow_each_other_within_the_day(users: Users) -> None:
    asked = users.come(EVERYBODY, 5, users.first_state())
    time_days = users.time_of(asked)
    assert np.all(np.floor(time_days) == 5)
    same = np.diff(asked.user) == 0
    np.testing.assert_allclose(np.diff(time_days)[same], 2 / 1440, atol=1e-9)


def test_tries_fall_between_the_queries_of_a_visit_and_are_for_the_same() -> None:
    users = users_of(n_users=1, n_tries=3)
    ids = np.arange(9 * 50)
    moments = users.numbering.moments(ids)
    time_days = users.time_of(moments)
    assert np.all(np.floor(time_days) == ids // 9)
    np.testing.assert_allclose(np.diff(time_days.reshape(-1, 9)), 2 / 1440 / 3, atol=1e-9)
    query = users.query_of(moments).reshape(-1, 3)
    assert np.all(query == query[:, :1])
    assert len(np.unique(query)) > 50


def test_visit_probability_by_hand() -> None:
    users = users_of(n_users=3, satisfaction_effect=2.0, latency_effect=0.5)
    state = {"satisfaction": np.array([0.3, 0.8, 0.3]), "latency_ms": np.array([50.0, 100.0, 300.0])}
    base = users.visit_logit
    expected = expit(base + np.array([0.0, 1.0, -1.0]))
    np.testing.assert_allclose(users.visit_prob(state), expected, rtol=1e-12)


def test_all_is_as_expected_at_first(users: Users) -> None:
    np.testing.assert_allclose(logit(users.visit_prob(users.first_state())), users.visit_logit, rtol=1e-9)


def test_memory_by_hand() -> None:
    users = users_of(n_users=3, memory=0.25)
    state = {"satisfaction": np.array([0.4, 0.4, 0.4]), "latency_ms": np.array([100.0, 100.0, 100.0])}
    after = users.remember(np.array([0, 0, 2]), np.array([True, False, False]), 300.0, state)
    # User 0 was satisfied half the time: .4 + .25 (.5 - .4); user 1 was not there; user 2 never: .4 - .1.
    np.testing.assert_allclose(after["satisfaction"], [0.425, 0.4, 0.3])
    np.testing.assert_allclose(after["latency_ms"], [150.0, 100.0, 150.0])
    assert state["satisfaction"].tolist() == [0.4, 0.4, 0.4]


def n_after_two_weeks(users: Users, satisfied: bool, latency_ms: float) -> int:
    state, n = users.first_state(), 0
    for day in range(14):
        asked = users.come(EVERYBODY, day, state)
        n += len(asked.user)
        state = users.remember(asked.user, np.full(len(asked.user), satisfied), latency_ms, state)
    return n


def test_the_satisfied_come_back_more_often(users: Users) -> None:
    # Common luck: the same draws against probabilities that never fall below the other arm's.
    assert n_after_two_weeks(users, True, 100.0) > 1.05 * n_after_two_weeks(users, False, 100.0)


def test_slowness_drives_users_away(users: Users) -> None:
    quick, slow = (n_after_two_weeks(users, True, latency_ms) for latency_ms in (100.0, 20_000.0))
    assert slow < 0.99 * quick
    assert n_after_two_weeks(users, True, 10.0) == quick


def test_latency_costs_what_was_published() -> None:
    # 400 ms more cost .6% of the searches (Brutlag 2009), for users who have got used to it.
    users = users_of()
    slow = {**users.first_state(), "latency_ms": np.full(N, 500.0)}
    lost = 1 - users.visit_prob(slow).sum() / users.visit_prob(users.first_state()).sum()
    assert 0.004 < lost < 0.008


def test_whoever_else_is_there(users: Users) -> None:
    state = users.first_state()
    everybody, some = users.come(EVERYBODY, 2, state), users.come(EVERYBODY[::3], 2, state)
    mine = everybody.user % 3 == 0
    for whole, part in zip(everybody, some, strict=True):
        np.testing.assert_array_equal(whole[mine], part)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"interest_sigma": -1.0}, "interest_sigma == -1.0, must be between 0 and 5"),
        ({"queries_per_day": 0.0}, "queries_per_day == 0.0, must be above 0"),
        (
            {"queries_per_day": 2.0},
            (
                "queries_per_day == 2.0, must be below the mean of queries_per_visit, "
                "as users visit once a day at most"
            ),
        ),
        ({"activity_shape": 0.0}, "activity_shape == 0.0, must be at least 0.05"),
        ({"queries_per_visit": []}, "queries_per_visit == [], must not be empty"),
        ({"queries_per_visit": [0.0, 0.0]}, "sum of queries_per_visit == 0.0, must be above 0"),
        ({"expected_satisfaction": 1.5}, "expected_satisfaction == 1.5, must be between 0 and 1"),
        ({"memory": 0.0}, "memory == 0.0, must be a probability in (0, 1]"),
        ({"satisfaction_effect": -1.0}, "satisfaction_effect == -1.0, must be at least 0"),
        ({"expected_latency_ms": -1.0}, "expected_latency_ms == -1.0, must be at least 0"),
        ({"latency_effect": float("nan")}, "latency_effect == nan, must be at least 0"),
    ],
)
def test_bad_values(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        UserOptions(**arguments)  # type: ignore[arg-type]
    assert str(caught.value) == message
