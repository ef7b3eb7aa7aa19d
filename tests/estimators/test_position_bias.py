from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mlsd import rng
from mlsd.errors import InputError
from mlsd.estimators.position_bias import shuffled_clicks
from mlsd.logs import Log
from mlsd.types import Floats, Requests

THETA = np.array([0.68, 0.61, 0.48, 0.34, 0.28, 0.20, 0.11, 0.10, 0.08, 0.06])


def pbm_log(n_requests: int, seed: int, theta: Floats = THETA, per_user: int = 5) -> Log:
    """Shuffled slates of a position-based model: P(click) = theta[position] x attraction of (query, item).

    Attractions are uniform in (0, 1): queries and items differ.
    """
    request, position = (part.ravel() for part in np.mgrid[:n_requests, : len(theta)])
    item = rng.integers(seed, "item", 1000, request, position)
    query = rng.integers(seed, "query", 500, np.arange(n_requests))[request]
    attraction = rng.uniform(seed, "attraction", query, item)
    click = rng.uniform(seed, "click", request, position) < theta[position] * attraction
    user = np.arange(n_requests) // per_user
    time = np.arange(n_requests) / n_requests
    requests = Requests(np.arange(n_requests), user, np.zeros_like(user), time)
    columns = {
        "request_id": request,
        "user": user[request],
        "time_days": time[request],
        "item": item,
        "position": position,
        "propensity": np.ones(len(item)),
        "explored": np.ones(len(item), bool),
        "click": click,
    }
    return Log(requests, pd.DataFrame(columns), np.full(n_requests, "ranking"))


def test_recovers_a_position_based_model() -> None:
    """Acceptance of 100,000 shuffled slates: the largest error of theta_k / theta_0 is at most .02.

    Seed 2026; the standard error of the ratio of position 1 is about .007, and smaller further down.
    """
    bias = shuffled_clicks(pbm_log(100_000, seed=2026))
    assert np.abs(bias.relative - THETA / THETA[0]).max() <= 0.02
    assert bias.n_requests == 100_000


def test_intervals_cover_the_truth() -> None:
    """800 intervals in 200 logs of 500 slates: coverage is 95% within 3 points.

    Seeds 0..199. The four intervals of a log share the clicks at position 0, so the 800 are worth between 200
    and 800 independent ones: a standard error of .8 to 1.5 points, two are allowed. Positions have at least
    40 expected clicks: normal intervals for fewer are not promised.
    """
    theta = THETA[:5]
    hits = [
        (bias.low[1:] <= truth) & (truth <= bias.high[1:])
        for truth in [theta[1:] / theta[0]]
        for bias in (shuffled_clicks(pbm_log(500, seed, theta)) for seed in range(200))
    ]
    assert np.mean(hits) == pytest.approx(0.95, abs=0.03)


def test_by_hand() -> None:
    log = pbm_log(4, seed=0, theta=np.ones(3))
    log.impressions["click"] = np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1]], bool).ravel()
    bias = shuffled_clicks(log)
    assert bias.n_clicks.tolist() == [3, 1, 1]
    assert bias.relative == pytest.approx([1, 1.5 / 3.5, 1.5 / 3.5])


def test_is_monotone_even_where_chance_is_not() -> None:
    log = pbm_log(4, seed=0, theta=np.ones(3))
    log.impressions["click"] = np.array([[0, 1, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]], bool).ravel()
    bias = shuffled_clicks(log)
    assert bias.relative == pytest.approx(
        [1, 1, 0.5 / 2.5]
    )  # (1.5 + 3.5) / 2 each; a position without clicks
    assert bias.low[1] < 3.5 / 1.5 < bias.high[1]
    assert np.all(bias.relative > 0)


def test_reads_only_full_shuffled_slates_of_training_windows() -> None:
    log = pbm_log(400, seed=3)
    half = np.arange(400) % 2 == 0
    seen = log.impressions["request_id"].to_numpy()
    even = seen % 2 == 0
    expected = shuffled_clicks(
        Log(log.requests.take(half), log.impressions[even].reset_index(drop=True), log.split[half])
    )
    unexplored = log.impressions.assign(explored=even)
    later = np.where(half, "ranking", "validation")
    short = log.impressions[even | (log.impressions["position"].to_numpy() < 9)].reset_index(drop=True)
    for changed in (
        replace(log, impressions=unexplored),
        replace(log, split=later),
        replace(log, impressions=short),
    ):
        assert np.array_equal(shuffled_clicks(changed).relative, expected.relative)


def test_without_exploration_it_refuses() -> None:
    log = pbm_log(10, seed=0)
    with pytest.raises(
        InputError, match="none of the 10 requests of the training windows has a shuffled slate"
    ):
        shuffled_clicks(replace(log, impressions=log.impressions.assign(explored=False)))
    with pytest.raises(
        InputError, match="none of the 10 requests of the training windows has a shuffled slate"
    ):
        shuffled_clicks(replace(log, impressions=log.impressions.iloc[:0]))
    with pytest.raises(InputError, match="the log has no action 'tap'; there are request_id"):
        shuffled_clicks(log, "tap")
