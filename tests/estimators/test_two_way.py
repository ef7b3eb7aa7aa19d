"""Intervals over seeds and units: coverage, controls that fail, by hand, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mlsd import rng
from mlsd.errors import InputError, InvalidValueError
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.estimators.two_way import SeedsInterval, TwoWayBootstrap
from mlsd.types import Floats, Ints

TRUTH = 0.3


def band(n_worlds: int) -> tuple[float, float]:
    """Within which the share of intervals that hold the truth lies 999 times in 1000, if each does at .95."""
    low, high = (float(stats.binom.ppf(level, n_worlds, 0.95)) / n_worlds for level in (0.0005, 0.9995))
    return low, high


def rows(world: int, n_units: int, n_seeds: int, *, crossed: bool) -> tuple[Floats, Ints, Ints]:
    """1 to 4 requests of each unit under each seed, with mean .3.

    A request is worth .3 + seed + unit + noise: seeds N(0, .02), units .1 (E(1) - 1), which is skewed, and
    noise N(0, .1). Nested units are others under every seed.
    """
    seed, unit = (axis.reshape(-1) for axis in np.meshgrid(np.arange(n_seeds), np.arange(n_units)))
    n_rows = 1 + rng.integers(world, "rows", 4, unit)
    name = unit if crossed else seed * n_units + unit
    seed, name = np.repeat(seed, n_rows), np.repeat(name, n_rows)
    value = TRUTH + 0.02 * rng.normal(world, "seed", seed) + 0.1 * (rng.exponential(world, "unit", name) - 1)
    return value + 0.1 * rng.normal(world, "noise", np.arange(len(seed))), seed, name


def coverage(n_worlds: int, n_units: int, n_seeds: int, *, crossed: bool) -> float:
    """Share of worlds, seeds 0 and up, whose interval from 300 replicates holds the true mean."""
    covered = 0
    for world in range(n_worlds):
        values, seeds, units = rows(world, n_units, n_seeds, crossed=crossed)
        (found,) = TwoWayBootstrap(300, seed=world).means(values[:, None], seeds, units, crossed=crossed)
        covered += found.low <= TRUTH <= found.high
    return covered / n_worlds


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_intervals_over_crossed_seeds_and_units_cover(n_seeds: int) -> None:
    """600 worlds, seeds 0 to 599, of 60 units. Products of weights err towards wide: no upper limit."""
    assert coverage(600, 60, n_seeds, crossed=True) >= band(600)[0]


@pytest.mark.parametrize("n_seeds", [3, 5])
def test_intervals_over_nested_seeds_cover_as_often_as_they_say(n_seeds: int) -> None:
    """600 worlds, seeds 0 to 599, of 60 units under each seed."""
    low, high = band(600)
    assert low <= coverage(600, 60, n_seeds, crossed=False) <= high


def test_units_alone_do_not_cover() -> None:
    """The control: the first 300 crossed worlds of 5 seeds, with rows drawn by unit as within one run."""
    covered = 0
    for world in range(300):
        values, _, units = rows(world, 60, 5, crossed=True)
        (found,) = Bootstrap(300, seed=world).means(values[:, None], units)
        covered += found.low <= TRUTH <= found.high
    assert covered / 300 < 0.93


def test_p_values_of_no_difference_are_uniform_where_seeds_are_nested() -> None:
    """500 worlds, seeds 0 to 499; a right one fails once in 1000 such sets of seeds."""
    found = []
    for world in range(500):
        values, seeds, units = rows(world, 20, 4, crossed=False)
        found.append(TwoWayBootstrap(100).means(values[:, None] - TRUTH, seeds, units, crossed=False)[0])
    assert stats.kstest([one.p_value for one in found], "uniform").pvalue > 0.001


def test_nested_is_students_t_of_the_seeds() -> None:
    values, seeds, units = rows(3, 40, 5, crossed=False)
    (found,) = TwoWayBootstrap().means(values[:, None], seeds, units, crossed=False)
    means = [values[seeds == seed].mean() for seed in range(5)]
    low, high = stats.t.interval(0.95, 4, np.mean(means), stats.sem(means))
    expected = (np.mean(means), low, high, stats.ttest_1samp(means, 0).pvalue)
    np.testing.assert_allclose(np.array(found), np.array(expected, np.float64), rtol=1e-9)


def test_crossed_variance_is_that_of_the_random_effects() -> None:
    """20 seeds by 400 units, a row each: Var = s^2 / S + u^2 / U + e^2 / (S U), the last counted thrice."""
    seed, unit = (axis.reshape(-1) for axis in np.meshgrid(np.arange(20), np.arange(400)))
    value = rng.normal(1, "seed", seed) + 4 * rng.normal(1, "unit", unit)
    value = value + 9 * rng.normal(1, "noise", seed * 400 + unit)
    (found,) = TwoWayBootstrap(4000).means(value[:, None], seed, unit, crossed=True)
    table = value.reshape(400, 20)
    residual = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean()
    cells = np.sum(residual**2) / (19 * 399) / 8000
    by_seed, by_unit = table.mean(axis=0).var(ddof=1) / 20, table.mean(axis=1).var(ddof=1) / 400
    reach = (found.high - found.low) / 2
    ends = [stats.norm.ppf(0.975), stats.t.ppf(0.975, 19)]
    low, high = (end * np.sqrt(by_seed + by_unit + cells) for end in ends)
    assert 0.94 * low < reach < 1.06 * high


def test_only_seeds_differ_or_only_units_do() -> None:
    """Seeds alone give their t interval; units alone, alike under all seeds, that of many units."""
    seed, unit = (axis.reshape(-1) for axis in np.meshgrid(np.arange(4), np.arange(900)))
    figures = np.stack([rng.normal(2, "seed", seed), rng.normal(2, "unit", unit)], axis=1)
    by_seed, by_unit = TwoWayBootstrap(4000).means(figures, seed, unit, crossed=True)
    four = rng.normal(2, "seed", np.arange(4))
    half = stats.t.ppf(0.975, 3) * stats.sem(four)
    np.testing.assert_allclose((by_seed.high - by_seed.low) / 2, half, rtol=0.05)
    many = rng.normal(2, "unit", np.arange(900))
    half = stats.norm.ppf(0.975) * stats.sem(many)
    np.testing.assert_allclose((by_unit.high - by_unit.low) / 2, half, rtol=0.05)


def test_seeds_count_alike_however_many_rows_they_have() -> None:
    values = np.array([1.0, 0.0, 0.0, 0.0])
    (found,) = TwoWayBootstrap(100).means(
        values[:, None], np.array([0, 1, 1, 1]), np.arange(4), crossed=False
    )
    assert found.value == 0.5


def test_the_order_of_rows_changes_nothing() -> None:
    values, seeds, units = rows(5, 30, 3, crossed=True)
    table = np.stack([values, values**2], axis=1)
    mixed = np.random.default_rng(0).permutation(len(values))
    first = TwoWayBootstrap().means(table, seeds, units, crossed=True)
    again = TwoWayBootstrap().means(table[mixed], seeds[mixed], units[mixed], crossed=True)
    np.testing.assert_allclose(again, first, rtol=1e-10)


@pytest.mark.parametrize("crossed", [True, False])
def test_no_difference_at_all_is_certain(crossed: bool) -> None:
    seeds, units = np.repeat([0, 1], 3), np.tile(np.arange(3), 2)
    zero, gain = TwoWayBootstrap(100).means(np.array([[0.0, 0.25]] * 6), seeds, units, crossed=crossed)
    assert zero == SeedsInterval(0.0, 0.0, 0.0, 1.0)
    assert gain == SeedsInterval(0.25, 0.25, 0.25, 0.0)


def test_one_seed_has_no_interval() -> None:
    (found,) = TwoWayBootstrap(100).means(
        np.array([[0.2], [0.4]]), np.zeros(2, int), np.arange(2), crossed=True
    )
    np.testing.assert_allclose(found, [0.3, np.nan, np.nan, np.nan])


def test_what_is_unknown_takes_no_part() -> None:
    values = np.array([[0.2], [np.nan], [0.4], [np.nan]])
    seeds = np.array([0, 0, 1, 1])
    (found,) = TwoWayBootstrap(100).means(values, seeds, np.array([0, 1, 0, 1]), crossed=False)
    assert found.value == pytest.approx(0.3)
    with pytest.raises(InputError, match="no value at all under one of the seeds"):
        TwoWayBootstrap(100).means(values[:2].repeat(2, 0), seeds[::-1], np.arange(4), crossed=False)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="n_replicates == 10, must be at least 100"):
        TwoWayBootstrap(n_replicates=10)
    with pytest.raises(InvalidValueError, match=r"confidence == 1\.0, must be between 0 and 1"):
        TwoWayBootstrap(confidence=1.0)
    with pytest.raises(InputError, match=r"values of shape \(3, 1\), must be \(2, n_figures\)"):
        TwoWayBootstrap().means(np.zeros((3, 1)), np.zeros(2, int), np.zeros(2, int), crossed=True)
