"""Standings, verdicts and targets, on made-up runs whose differences are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlsd import rng
from mlsd.bench.benchmark import Benchmark, Expectation, Held, Published
from mlsd.bench.job import Costs, Finished
from mlsd.bench.leaderboard import Difference, Leaderboard, leaderboard_of
from mlsd.errors import InputError
from mlsd.estimators.multiplicity import holm
from mlsd.estimators.two_way import TwoWayBootstrap

METRIC = "funnel.nDCG@10"
N_SEEDS, N_USERS = 4, 50


def asked(expect: Expectation, arms: Sequence[str], **more: Any) -> Benchmark:
    seeds = tuple(range(1, N_SEEDS + 1))
    named = {arm: (f"x={arm}",) for arm in arms}
    return Benchmark(question="?", arms=named, seeds=seeds, metric=METRIC, expect=expect, **more)


def run(arm: int, seed: int, mean: float, spread: float = 0.02) -> Finished:
    """Two requests of each user. What a seed and a user are worth is common to all arms; noise is not."""
    user = np.repeat(np.arange(N_USERS), 2)
    common = 0.05 * rng.normal(seed, "world", 0) + 0.1 * rng.normal(seed, "user", user)
    noise = spread * rng.normal(seed, "noise", arm, np.arange(len(user)))
    luck = spread / 20 * rng.normal(seed, "luck", arm)
    table = pd.DataFrame(
        {"request_id": np.arange(len(user)), "user": user, METRIC: mean + common + noise + luck}
    )
    return Finished(table, Costs(10.0 * seed, 7 + arm, 1.0, 2.0))


def runs(means: Mapping[str, float], spread: float = 0.02) -> dict[str, list[Finished]]:
    return {
        arm: [run(at, seed, mean, spread) for seed in range(1, N_SEEDS + 1)]
        for at, (arm, mean) in enumerate(means.items())
    }


def board(means: Mapping[str, float], expect: Expectation, spread: float = 0.02, **more: Any) -> Leaderboard:
    return leaderboard_of(asked(expect, list(means), **more), runs(means, spread), crossed=False)


MEANS = {"low": 0.4, "tied": 0.4999, "high": 0.5}


def test_ranks_means_and_standings() -> None:
    found = board(MEANS, Expectation(best="high"))
    assert {row.arm for row in found.rows[:2]} == {"high", "tied"}
    assert [row.standing for row in found.rows] == ["best", "not separable from the best", "behind the best"]
    low = found.rows[2]
    figures = [float(one.table[METRIC].mean()) for one in runs(MEANS)["low"]]
    np.testing.assert_allclose(low.by_seed, figures)
    np.testing.assert_allclose(low.value, np.mean(figures))
    assert low.low < low.value < low.high
    assert low.from_best.value == pytest.approx(-0.1, abs=0.01)
    assert low.from_best.high < 0
    assert (found.n_units, found.n_requests) == (N_SEEDS * N_USERS, 2 * N_SEEDS * N_USERS)


def test_differences_are_paired() -> None:
    """The seeds' worlds move all arms alike: the arms' intervals overlap, and their difference is clear."""
    found = board({"a": 0.5, "b": 0.52}, Expectation(better="b", than="a"))
    best, behind = found.rows
    assert behind.high > best.low
    assert behind.standing == "behind the best"


def test_costs_are_means_over_seeds() -> None:
    found = board(MEANS, Expectation(best="high"))
    assert {row.arm: row.costs for row in found.rows}["tied"] == Costs(25.0, 8, 1.0, 2.0)


@pytest.mark.parametrize(
    ("expect", "verdict"),
    [
        (Expectation(better="high", than="low"), "as expected"),
        (Expectation(better="low", than="high"), "refuted"),
        (Expectation(better="tied", than="high"), "not shown"),
        (Expectation(better="high", than="tied"), "not shown"),
        (Expectation(best="high"), "not shown"),
        (Expectation(best="low"), "refuted"),
        (Expectation(not_worse="tied", than="high", margin=0.05), "as expected"),
        (Expectation(not_worse="high", than="low", margin=0.05), "as expected"),
        (Expectation(not_worse="low", than="high", margin=0.05), "refuted"),
        (Expectation(not_worse="low", than="high", margin=0.1), "not shown"),
    ],
)
def test_verdicts(expect: Expectation, verdict: str) -> None:
    assert board(MEANS, expect).verdict == verdict


def test_the_best_has_to_be_better_than_each() -> None:
    found = board({"low": 0.4, "middle": 0.45, "high": 0.5}, Expectation(best="high"))
    assert found.verdict == "as expected"
    assert found.held_against.value == pytest.approx(0.05, abs=0.01), "of the nearest"


def test_p_values_are_corrected_over_all_pairs() -> None:
    means = {"a": 0.5, "b": 0.504, "c": 0.506}
    found = board(means, Expectation(best="c"))
    values = np.stack(
        [np.concatenate([one.table[METRIC] for one in each]) for each in runs(means).values()], 1
    )
    seeds = np.repeat(np.arange(N_SEEDS), 2 * N_USERS)
    pairs = np.stack([values[:, i] - values[:, j] for i, j in ((0, 1), (0, 2), (1, 2))], axis=1)
    raw = TwoWayBootstrap().means(pairs, seeds, np.arange(len(seeds)), crossed=False)
    corrected = holm(np.array([one.p_value for one in raw]))
    names = [("a", "b"), ("a", "c"), ("b", "c")]
    of_pair = {frozenset(pair): p for pair, p in zip(names, corrected.tolist(), strict=True)}
    best, *others = found.rows
    assert best.from_best.p_holm == 1.0
    for row in others:
        assert row.from_best.p_holm == pytest.approx(of_pair[frozenset((best.arm, row.arm))])
    assert max(corrected / [one.p_value for one in raw]) == pytest.approx(3), (
        "the least of three, three times"
    )


def exactly(*by_seed: float) -> list[Finished]:
    """Runs whose every request has the figure of its seed."""
    rows = np.arange(10)
    return [
        Finished(pd.DataFrame({"request_id": rows, "user": rows, METRIC: figure}), Costs(1.0, 1, 1.0, 2.0))
        for figure in by_seed
    ]


def test_ties_are_not_transitive() -> None:
    """The middle arm is separable from neither neighbour, but these are from each other."""
    made = {
        "a": exactly(0.500, 0.500, 0.500, 0.500),
        "b": exactly(0.525, 0.485, 0.525, 0.485),
        "c": exactly(0.510, 0.510, 0.511, 0.509),
    }
    found = leaderboard_of(asked(Expectation(better="b", than="a"), list(made)), made, crossed=False)
    assert [(row.arm, row.standing) for row in found.rows] == [
        ("c", "best"), ("b", "not separable from the best"), ("a", "behind the best")]  # fmt: skip
    assert found.verdict == "not shown"


def test_arms_that_come_to_the_same_are_tied() -> None:
    same = runs({"a": 0.5})["a"]
    made = {"one": same, "two": same}
    found = leaderboard_of(asked(Expectation(better="two", than="one"), list(made)), made, crossed=True)
    assert [row.standing for row in found.rows] == ["best", "not separable from the best"]
    assert found.held_against == Difference(0.0, 0.0, 0.0, 1.0)
    assert found.verdict == "not shown"


def test_targets() -> None:
    holds = {"low": Held(value=0.4, tolerance=0.1), "high": Held(value=0.9, tolerance=0.1)}
    published = {"low": Published(value=0.1, tolerance=0.05, source="a paper")}
    found = board(MEANS, Expectation(best="high"), holds=holds, published=published)
    by_arm = {row.arm: [(target.kind, target.met) for target in row.targets] for row in found.rows}
    assert by_arm == {"low": [("published", False), ("holds", True)], "tied": [], "high": [("holds", False)]}
    high, low = sorted(found.missed)
    assert high.startswith("high == 0.")
    assert high.endswith(", holds: must be within 0.1 of 0.9")
    assert low.endswith(", published: must be within 0.05 of 0.1")


def test_a_tolerance_holds_at_its_edge() -> None:
    value = board(MEANS, Expectation(best="high")).rows[-1].value
    for tolerance, met in ((0.125, True), (0.124, False)):
        holds = {"low": Held(value=value + 0.125, tolerance=tolerance)}
        assert (board(MEANS, Expectation(best="high"), holds=holds).missed == []) == met


def test_crossed_users_are_counted_once() -> None:
    found = leaderboard_of(asked(Expectation(best="a"), ["a", "b"]), runs({"a": 0.5, "b": 0.4}), crossed=True)
    assert found.n_units == N_USERS


def test_runs_that_do_not_compare() -> None:
    made = runs({"a": 0.5, "b": 0.4})
    benchmark = asked(Expectation(best="a"), ["a", "b"])
    fewer = Finished(made["b"][0].table.iloc[1:], made["b"][0].costs)
    with pytest.raises(InputError, match="arm 'b' was judged on other requests than 'a'"):
        leaderboard_of(benchmark, {**made, "b": [fewer, *made["b"][1:]]}, crossed=False)
    without = Finished(made["b"][0].table.rename(columns={METRIC: "funnel.nDCG@5"}), made["b"][0].costs)
    with pytest.raises(InputError, match=r"arm 'b' have no 'funnel\.nDCG@10'; nearest is 'funnel\.nDCG@5'"):
        leaderboard_of(benchmark, {**made, "b": [without, *made["b"][1:]]}, crossed=False)
