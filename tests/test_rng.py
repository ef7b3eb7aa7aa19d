"""Draws are pure functions of seed, stream and keys, and are distributed as they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from mlsd import rng
from mlsd.errors import InputError

N = 100_000
ALPHA = 1e-4
"""With about ten tests at this level, a correct generator fails once in a thousand versions of this file."""


@pytest.mark.parametrize(
    ("draws", "distribution"),
    [
        (rng.uniform(7, "u", np.arange(N)), stats.uniform()),
        (rng.normal(7, "n", np.arange(N)), stats.norm()),
        (rng.exponential(7, "e", np.arange(N)), stats.expon()),
        (rng.uniform(7, "grid", np.arange(250)[:, None], np.arange(400)).ravel(), stats.uniform()),
    ],
    ids=["uniform", "normal", "exponential", "two keys"],
)
def test_draws_follow_their_distribution(draws: rng.Floats, distribution: Any) -> None:
    assert stats.kstest(draws, distribution.cdf).pvalue > ALPHA


def test_neighbouring_keys_are_uncorrelated() -> None:
    draws = rng.uniform(7, "grid", np.arange(1000)[:, None], np.arange(100))
    for shifted in (draws[1:], np.roll(draws, 1, axis=1)[1:]):
        correlation = np.corrcoef(draws[:-1].ravel(), shifted.ravel())[0, 1]
        assert abs(correlation) < 4 / np.sqrt(draws.size)


def test_keys_do_not_collide_when_their_sums_do() -> None:
    first, second = np.meshgrid(np.arange(100), np.arange(100))
    assert len(np.unique(rng.hashes(0, "pairs", first, second))) == 10_000


def test_streams_and_seeds_are_their_own() -> None:
    keys = np.arange(1000)
    draws = [rng.uniform(seed, stream, keys) for seed in (0, 1) for stream in ("a", "b")]
    matrix = np.abs(np.corrcoef(draws) - np.eye(4))
    assert matrix.max() < 4 / np.sqrt(1000)


def test_a_draw_depends_on_its_own_keys_only() -> None:
    keys = np.arange(200_000)
    everybody = rng.uniform(3, "visits", keys, 5)
    np.testing.assert_array_equal(everybody[70_000:70_010], rng.uniform(3, "visits", keys[70_000:70_010], 5))
    assert everybody[4] == rng.uniform(3, "visits", 4, 5)


def test_choice_follows_its_weights() -> None:
    weights = np.array([1.0, 0.0, 3.0, 6.0])
    counts = np.bincount(rng.choice(3, "choice", weights, np.arange(N)), minlength=4)
    assert counts[1] == 0
    assert stats.chisquare(counts[[0, 2, 3]], N * weights[[0, 2, 3]] / 10).pvalue > ALPHA


def test_integers_stay_below_n_and_reach_it() -> None:
    draws = rng.integers(3, "dice", 6, np.arange(10_000))
    assert draws.min() == 0
    assert draws.max() == 5


def test_a_derived_seed_fits_where_libraries_want_one() -> None:
    seeds = {rng.derive(seed, stream) for seed in range(50) for stream in ("model", "batches")}
    assert len(seeds) == 100
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.parametrize("mean", [0.3, 4.0, 40.0, 500.0])
def test_poisson_draws_are_quantiles_of_the_uniform_ones(mean: float) -> None:
    keys = np.arange(500)
    expected = stats.poisson.ppf(rng.uniform(5, "n", keys), mean)
    np.testing.assert_array_equal(rng.poisson(5, "n", mean, keys), np.maximum(expected, 0))


def test_poisson_draws_of_no_and_of_too_large_a_mean() -> None:
    assert rng.poisson(5, "n", 0.0, np.arange(50)).tolist() == [0] * 50
    for mean in (501.0, np.nan):
        with pytest.raises(InputError, match=f"mean of n == {mean:g}, must be at most 500"):
            rng.poisson(5, "n", [1.0, mean], np.arange(2))
